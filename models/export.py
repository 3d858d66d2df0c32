"""Make the weightless graphs of the zoo, ``models/<name>.onnx``, and ``models/catalogue.json``.

    pip install -e '.[zoo]'
    python models/export.py [NAME ...]                # export these (all), then check them
    python models/export.py --check-only [NAME ...]   # measure again what is there

Why the graphs need no weights, and how to add a model: see ``models/README.md``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import torch
import torchvision
from torch import nn

from latvar_tui import zoo

HERE = Path(__file__).resolve().parent
CATALOGUE = HERE / "catalogue.json"
README = HERE / "README.md"
NAMES = (
    "squeezenet1_1",
    "shufflenet_v2_x1_0",
    "mobilenet_v3_small",
    "mobilenet_v3_large",
    "mobilenet_v2",
    "mnasnet1_0",
    "efficientnet_b0",
    "resnet18",
    "resnet50",
    "densenet121",
)
OPSET = 18
SHAPE = (1, 3, 224, 224)
SEED = 2003_00138  # the study's arXiv number
ALIGNMENT = 64
SESSION_PAIRS = 6  # from a single pair, ratios of 1.02 came and went with the run


def main() -> None:
    arguments = parse_arguments()
    torch.set_num_threads(1)  # sums in a fixed order: the same bytes each time
    models = json.loads(CATALOGUE.read_text("utf-8"))["models"] if CATALOGUE.exists() else {}
    names = arguments.names or NAMES
    if not arguments.check_only:
        for name in names:
            models[name] = export(name)
            print(f"{name}: {(HERE / models[name]['file']).stat().st_size} bytes", flush=True)
        write_catalogue({name: models[name] for name in NAMES if name in models})
    write_table(arguments.machine, [check(name, arguments.seconds) for name in names])


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Make and check the weightless graphs of the zoo.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="models of torchvision (default: all of the zoo)")
    parser.add_argument("--check-only", action="store_true", help="export nothing, only check and measure")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long to time each model (default 10)")
    parser.add_argument(
        "--machine",
        default=f"{os.cpu_count()}-core {platform.machine()}",
        help="words for the table: on what it was measured",
    )
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(NAMES):
        parser.error(f"not in NAMES of this script: {', '.join(sorted(unknown))}")
    return arguments


# Export


def export(name: str) -> dict[str, Any]:
    """Write ``<name>.onnx`` and return the model's fields in the catalogue."""
    model = getattr(torchvision.models, name)(weights=None)
    drawn = draw_weights(model)
    calibrate(model)
    proto = to_onnx(model)
    strip(proto)
    onnx.checker.check_model(proto)
    blocks, size = externalise(proto, drawn, f"{name}.weights")
    graph = proto.SerializeToString(deterministic=True)
    (HERE / f"{name}.onnx").write_bytes(graph)
    return {
        "source": f"torchvision {torchvision.__version__.split('+')[0]}",
        "licence": "BSD-3-Clause",
        "input": {"name": "input", "shape": SHAPE, "dtype": "float32"},
        "output": "logits",
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "precision": "fp32",
        "opset": OPSET,
        "sha256": hashlib.sha256(graph).hexdigest(),
        "file": f"{name}.onnx",
        "weights": {"file": f"{name}.weights", "bytes": size, "seed": SEED, "blocks": blocks},
    }


@torch.no_grad()
def draw_weights(model: nn.Module) -> dict[str, np.ndarray]:
    """Give the model the very weights that a device will, and return them by name, before scaling.

    A bias that is all zeros would be dropped from the graph, and no trained model has one: a little noise.
    """
    source, noise = zoo.generator(SEED), zoo.generator(SEED + 1)
    drawn = {}
    for name, parameter in model.named_parameters():
        shape = tuple(parameter.shape)
        if len(shape) > 1:
            drawn[name] = source.standard_normal(shape, dtype=np.float32)
            fan_in = parameter[0].numel()
            parameter.copy_(torch.from_numpy(drawn[name]) * (2 / fan_in) ** 0.5)
    for module in model.modules():
        if isinstance(module, nn.Conv2d | nn.Linear) and module.bias is not None:
            values = noise.standard_normal(module.bias.numel(), dtype=np.float32)
            module.bias.copy_(torch.from_numpy(values) * 0.01)
    return drawn


@torch.no_grad()
def calibrate(model: nn.Module) -> None:
    """Set each batch norm's statistics, in order of execution, to those of what reaches it.

    Without this, deep nets run into infinities or denormals. One variance for a whole layer: the exporter
    folds it into the weights before it, which so stay numbers of one scale that a device can draw.
    """

    def measure(norm: nn.BatchNorm2d, arguments: tuple[torch.Tensor]) -> None:
        variance, mean = torch.var_mean(arguments[0], (0, 2, 3), correction=0)
        norm.running_mean.copy_(mean)
        norm.running_var.fill_(variance.mean())

    model.eval()
    hooks = [m.register_forward_pre_hook(measure) for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    model(torch.from_numpy(zoo.generator(SEED + 2).standard_normal((4, *SHAPE[1:]), dtype=np.float32)))
    for hook in hooks:
        hook.remove()


def to_onnx(model: nn.Module) -> onnx.ModelProto:
    program = torch.onnx.export(
        model.eval(),
        (torch.zeros(SHAPE),),
        input_names=["input"],
        output_names=["logits"],
        opset_version=OPSET,
        dynamo=True,
        optimize=True,
        verbose=False,
    )
    return program.model_proto


def strip(proto: onnx.ModelProto) -> None:
    """Remove what the exporter noted down for debugging: it names this machine's folders."""
    graph = proto.graph
    for holder in (proto, graph, *graph.node, *graph.input, *graph.output, *graph.initializer):
        holder.ClearField("metadata_props")
        holder.ClearField("doc_string")
    for node in graph.node:
        for attribute in node.attribute:
            attribute.ClearField("doc_string")
    graph.ClearField("value_info")  # runtimes infer it


def externalise(proto: onnx.ModelProto, drawn: dict[str, np.ndarray], location: str) -> tuple[list[Any], int]:
    """Declare the convolution and linear weights as data in the file ``location``, which is not written.

    Returns the catalogue's blocks [offset, size, dtype, scale] and the file's size in bytes.
    """
    initialisers = {tensor.name: tensor for tensor in proto.graph.initializer}
    blocks: list[Any] = []
    offset = 0
    for name, normal in drawn.items():
        tensor = initialisers[name]
        values = onnx.numpy_helper.to_array(tensor)
        scale = float(np.float32(np.vdot(values, normal) / np.vdot(normal, normal)))
        if values.shape != normal.shape or not np.allclose(values, normal * scale, rtol=1e-3, atol=1e-6):
            raise SystemExit(f"{location}: the exporter changed {name}, so a device couldn't draw it")
        place = {"location": location, "offset": str(offset), "length": str(values.nbytes)}
        tensor.ClearField("raw_data")
        tensor.data_location = onnx.TensorProto.EXTERNAL
        for key, value in place.items():
            tensor.external_data.add(key=key, value=value)
        blocks.append([offset, values.size, "float32", float(f"{scale:.7g}")])
        end = offset + values.nbytes
        offset = -(-end // ALIGNMENT) * ALIGNMENT
    for tensor in proto.graph.initializer:
        if tensor.data_location != onnx.TensorProto.EXTERNAL and tensor.data_type == onnx.TensorProto.FLOAT:
            shorten(tensor)
    return blocks, end


def shorten(tensor: onnx.TensorProto) -> None:
    """Round a vector to 8 significant bits: half its size once compressed, and as good a bias as before."""
    values = onnx.numpy_helper.to_array(tensor)
    if values.size > 64:
        tensor.raw_data = ((values.view(np.uint32) + 0x8000) & np.uint32(0xFFFF0000)).tobytes()


def write_catalogue(models: dict[str, Any]) -> None:
    """Write it readable, but with the long lists of weights on one line each."""
    lines = []
    for name, fields in models.items():
        body = ",\n".join(f"   {json.dumps(key)}: {json.dumps(value)}" for key, value in fields.items())
        lines.append(f"  {json.dumps(name)}: {{\n{body}\n  }}")
    CATALOGUE.write_text('{"format": 1,\n "models": {\n' + ",\n".join(lines) + "\n }}\n", "utf-8")


# Check


def check(name: str, seconds: float) -> str:
    """Return the model's row of the table; end the script if its output is not finite.

    The rival is the same architecture exported the ordinary way: torchvision's own initialisation,
    batch norms calibrated by training passes, weights inside the file.
    """
    zoo.catalogue.cache_clear()
    entry = zoo.catalogue()[name]
    data = {"input": zoo.generator(3).standard_normal(SHAPE, dtype=np.float32)}
    times: tuple[list[int], list[int]] = ([], [])
    with tempfile.TemporaryDirectory() as scratch:
        full = Path(scratch) / "full.onnx"
        onnx.save(to_onnx(ordinary(name)), full)
        paths = (zoo.materialise(entry, Path(scratch)), full)
        for order in ((0, 1), (1, 0)) * (SESSION_PAIRS // 2):
            time_pairs({which: session(paths[which]) for which in order}, data, seconds / SESSION_PAIRS, times)
    weightless_ms, full_ms = (statistics.median(each) / 1e6 for each in times)
    kib = (HERE / entry.file).stat().st_size / 1024
    row = (
        f"| {name} | {entry.parameters / 1e6:.2f} M | {kib:.0f} KiB | {entry.weights_bytes / 1e6:.1f} MB "
        f"| {weightless_ms:.2f} | {full_ms:.2f} | {weightless_ms / full_ms:.3f} | {len(times[0])} |"
    )
    print(row, flush=True)
    return row


def time_pairs(
    sessions: dict[int, ort.InferenceSession],
    data: dict[str, np.ndarray],
    seconds: float,
    times: tuple[list[int], list[int]],
) -> None:
    """Time the two sessions in turns, in nanoseconds, each first in every other pair."""
    for which, one in sessions.items():
        if not np.isfinite(one.run(None, data)[0]).all():
            raise SystemExit(f"the output of {('weightless', 'full')[which]} is not finite")
    end = time.monotonic() + seconds
    while time.monotonic() < end or len(times[0]) < 10:
        for which in (0, 1) if len(times[0]) % 2 else (1, 0):
            start = time.perf_counter_ns()
            sessions[which].run(None, data)
            times[which].append(time.perf_counter_ns() - start)


@torch.no_grad()
def ordinary(name: str) -> nn.Module:
    torch.manual_seed(SEED)
    model = getattr(torchvision.models, name)(weights=None).train()
    for module in model.modules():
        if isinstance(module, nn.Conv2d | nn.Linear) and module.bias is not None:
            module.bias.normal_(std=0.01)  # see draw_weights
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None  # a plain average over the passes
    for _ in range(2):
        model(torch.randn(4, *SHAPE[1:]))
    return model


def session(path: Path) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def write_table(machine: str, rows: list[str]) -> None:
    """Put the rows into the README's table; models that weren't checked keep theirs."""
    before, begin, rest = README.read_text("utf-8").partition("<!-- table -->\n")
    old, finish, after = rest.partition("<!-- end of table -->")
    kept = {row.split("|")[1].strip(): row for row in [*old.splitlines(), *rows] if row.startswith("|")}
    lines = [
        f"Measured on: {machine}, onnxruntime {ort.__version__}, 1 thread.",
        "",
        "| model | parameters | graph | weights | weightless, p50 ms | full, p50 ms | ratio | pairs |",
        "|---|---|---|---|---|---|---|---|",
        *(kept[name] for name in NAMES if name in kept),
    ]
    README.write_text(before + begin + "\n".join(lines) + "\n" + finish + after, "utf-8")


if __name__ == "__main__":
    main()
