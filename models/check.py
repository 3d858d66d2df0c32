"""Check each shipped graph on this machine, and keep the tables of the README."""

from __future__ import annotations

import statistics
import tempfile
from collections import Counter
from pathlib import Path

import onnx
import onnxruntime as ort
import torch
from architectures import ARCHITECTURES
from quantise import quantise
from torch import nn
from turns import Rival, take_turns
from weightless import SEED, batch_norms, small_vectors, strip, to_onnx

from latvar_tui import zoo

README = Path(__file__).resolve().parent / "README.md"
LOWEST, HIGHEST = 0.95, 1.05  # of what weightless ÷ full may be
FLUSH = "session.set_denormal_as_zero=1"
_BOTH = ("weights", "weightless, p50 ms", "full, p50 ms", "ratio", "denormals flushed ÷ kept")
_KERNELS = ("QLinearConv", "other int8 kernels", "float Conv left")
COLUMNS = {
    "fp32": ("model", "parameters", "graph", *_BOTH, "turns"),
    "int8": ("model", "graph", *_BOTH, "int8 ÷ fp32", *_KERNELS, "turns"),
}


def check(entry: zoo.ModelEntry, seconds: float) -> list[str]:
    """Return the model's cells in the table of its precision; end the script if its output is not finite."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        graph = zoo.materialise(entry, folder)
        full = folder / f"{entry.id}.full.onnx"
        onnx.save(full_export(entry), full)
        rivals = {"weightless": Rival(graph), "full": Rival(full), "flushing": Rival(graph, (FLUSH,))}
        if entry.precision == "int8":
            rivals["fp32"] = Rival(zoo.materialise(zoo.catalogue()[entry.name], folder))
        times = take_turns(rivals, seconds)
        kernels = optimised_operators(graph, folder / "optimised.onnx")
    p50_ms = {name: statistics.median(each) / 1e6 for name, each in times.items()}
    ratio = p50_ms["weightless"] / p50_ms["full"]
    if not LOWEST <= ratio <= HIGHEST:
        print(f"{entry.id}: weightless ÷ full is {ratio:.3f}, outside {LOWEST}–{HIGHEST}")
    cells = {
        "model": entry.name,
        "parameters": f"{entry.parameters / 1e6:.2f} M",
        "graph": f"{(zoo.models_folder() / entry.file).stat().st_size / 1024:.0f} KiB",
        "weights": f"{entry.weights_bytes / 1e6:.1f} MB",
        "weightless, p50 ms": f"{p50_ms['weightless']:.2f}",
        "full, p50 ms": f"{p50_ms['full']:.2f}",
        "ratio": f"{ratio:.3f}" if LOWEST <= ratio <= HIGHEST else f"**{ratio:.3f}**",
        "denormals flushed ÷ kept": f"{p50_ms['flushing'] / p50_ms['weightless']:.3f}",
        "int8 ÷ fp32": f"{p50_ms['weightless'] / p50_ms['fp32']:.2f}" if "fp32" in p50_ms else "",
        "QLinearConv": str(kernels["QLinearConv"]),
        "other int8 kernels": str(sum(n for name, n in kernels.items() if is_other_int8(name))),
        "float Conv left": str(kernels["Conv"] + kernels["FusedConv"]),
        "turns": str(len(times["weightless"])),
    }
    return [cells[column] for column in COLUMNS[entry.precision]]


def full_export(entry: zoo.ModelEntry) -> onnx.ModelProto:
    """Return the same architecture as anyone would export it, its weights inside."""
    proto = to_onnx(ordinary(entry.name), entry.input.shape)
    if entry.precision == "fp32":
        return proto
    strip(proto)
    return quantise(proto, entry.input.shape)


@torch.no_grad()
def ordinary(name: str) -> nn.Module:
    """Return the model with the initialisation of its source, batch norms calibrated by training passes."""
    torch.manual_seed(SEED)
    model = ARCHITECTURES[name].build().train()
    for vector_name, vector in small_vectors(model):
        vector.normal_(float(vector_name.endswith("weight")), 0.01)  # see noise_vectors()
    for parameter in model.parameters():
        if not parameter.any() and parameter.dim() > 1:
            parameter.normal_(std=0.02)  # a source may start a layer at zero, as no trained model has it
    for norm in batch_norms(model):
        norm.momentum = None  # a plain average over the passes
    for _ in range(2):
        model(torch.randn(4, *ARCHITECTURES[name].shape[1:]))
    return model


def optimised_operators(graph: Path, optimised: Path) -> Counter[str]:
    """Return how many of each operator ONNX Runtime really runs."""
    options = ort.SessionOptions()
    options.optimized_model_filepath = str(optimised)
    options.log_severity_level = 3  # it warns that such a file suits only this machine
    ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    return Counter(node.op_type for node in onnx.load(optimised, load_external_data=False).graph.node)


def is_other_int8(operator: str) -> bool:
    named = operator.startswith("QLinear") and operator != "QLinearConv"
    return named or operator in ("QGemm", "NhwcMaxPool")  # the latter exists for eight bits only


def write_tables(machine: str, rows: dict[str, list[str]]) -> None:
    """Put the rows, by id, into the README's tables; models that weren't checked keep theirs."""
    text = README.read_text("utf-8")
    for precision, columns in COLUMNS.items():
        begin, finish = f"<!-- {precision} table -->\n", f"<!-- end of {precision} table -->"
        before, _, rest = text.partition(begin)
        old, _, after = rest.partition(finish)
        kept = {row.split("|")[1].strip(): row for row in old.splitlines() if row.startswith("|")}
        for entry in zoo.catalogue().values():
            if entry.precision == precision and entry.id in rows:
                kept[entry.name] = f"| {' | '.join(rows[entry.id])} |"
        lines = [
            f"Measured on: {machine}, onnxruntime {ort.__version__}, 1 thread.",
            "",
            f"| {' | '.join(columns)} |",
            "|---" * len(columns) + "|",
            *(kept[name] for name in ARCHITECTURES if name in kept),
        ]
        text = before + begin + "\n".join(lines) + "\n" + finish + after
    README.write_text(text, "utf-8")
