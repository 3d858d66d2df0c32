"""Make the weightless graphs of the zoo, ``models/<name>.onnx``, and ``models/catalogue.json``.

    pip install -e '.[zoo]'
    python models/export.py [MODEL ...]                # export these (all), then check them
    python models/export.py --check-only [MODEL ...]   # measure again what is there

Why the graphs need no weights, and how to add a model: see ``models/README.md``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
from pathlib import Path
from typing import Any

import onnx
import torch
from architectures import ARCHITECTURES, INT8
from check import check, write_tables
from null import null_graph
from quantise import codes_in, quantise, share_equal
from weightless import (
    OPSET,
    SEED,
    calibrate,
    draw_weights,
    externalise,
    find_pieces,
    fit_scales,
    shorten_vectors,
    strip,
    to_onnx,
)

from latvar_tui import zoo
from latvar_tui.controls import NULL_FILE
from latvar_tui.zoo.entries import model_id

HERE = Path(__file__).resolve().parent
CATALOGUE = HERE / "catalogue.json"
MODELS = {model_id(name, "fp32"): (name, "fp32") for name in ARCHITECTURES} | {
    model_id(name, "int8"): (name, "int8") for name in INT8
}


def main() -> None:
    arguments = parse_arguments()
    torch.set_num_threads(1)  # sums in a fixed order: the same bytes each time
    models = json.loads(CATALOGUE.read_text("utf-8"))["models"] if CATALOGUE.exists() else {}
    ids = arguments.models or list(MODELS)
    if not arguments.check_only:
        (HERE / NULL_FILE).write_bytes(null_graph())
        for key in ids:
            models[key] = export(*MODELS[key])
            print(f"{key}: {(HERE / models[key]['file']).stat().st_size} bytes", flush=True)
            write_catalogue({key: models[key] for key in MODELS if key in models})
    zoo.catalogue.cache_clear()
    rows = {}
    for key in ids:
        rows[key] = check(zoo.catalogue()[key], arguments.seconds)
        print(f"{key}: {' | '.join(rows[key][1:])}", flush=True)
    write_tables(arguments.machine, rows)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Make and check the weightless graphs of the zoo.")
    parser.add_argument("models", nargs="*", metavar="MODEL", help="ids of the catalogue (default: all of the zoo)")
    parser.add_argument("--check-only", action="store_true", help="export nothing, only check and measure")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long to time each model (default 20)")
    parser.add_argument(
        "--machine",
        default=f"{os.cpu_count()}-core {platform.machine()}",
        help="words for the tables: on what it was measured",
    )
    arguments = parser.parse_args()
    if unknown := set(arguments.models) - set(MODELS):
        parser.error(f"not in architectures.py: {', '.join(sorted(unknown))}")
    return arguments


def export(name: str, precision: str) -> dict[str, Any]:
    """Write the graph of ``name`` and return the model's fields in the catalogue."""
    architecture = ARCHITECTURES[name]
    stem = name if precision == "fp32" else f"{name}.{precision}"
    model = architecture.build()
    pieces = find_pieces(model, architecture.shape)
    drawn = draw_weights(model, pieces, "int8" if precision == "int8" else "float32")
    calibrate(model, architecture.shape)
    proto = to_onnx(model, architecture.shape)
    strip(proto)
    scales = fit_scales(proto, drawn)
    if precision == "int8":
        proto = quantise(proto, architecture.shape, scales)
        scales = codes_in(proto, drawn)
        share_equal(proto)
        strip(proto)
    onnx.checker.check_model(proto)
    blocks, size = externalise(proto, scales, f"{stem}.weights")
    if precision == "fp32":  # int8 needs its scales as they are: they belong together
        shorten_vectors(proto)
    graph = proto.SerializeToString(deterministic=True)
    (HERE / f"{stem}.onnx").write_bytes(graph)
    return {
        "source": architecture.source,
        "licence": architecture.licence,
        "input": {"name": "input", "shape": architecture.shape, "dtype": "float32"},
        "output": "logits",
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "precision": precision,
        "opset": OPSET,
        "sha256": hashlib.sha256(graph).hexdigest(),
        "file": f"{stem}.onnx",
        "weights": {"file": f"{stem}.weights", "bytes": size, "seed": SEED, "blocks": blocks},
    }


def write_catalogue(models: dict[str, Any]) -> None:
    """Write it readable, but with the long lists of weights on one line each."""
    lines = []
    for key, fields in models.items():
        body = ",\n".join(f"   {json.dumps(field)}: {json.dumps(value)}" for field, value in fields.items())
        lines.append(f"  {json.dumps(key)}: {{\n{body}\n  }}")
    CATALOGUE.write_text('{"format": 1,\n "models": {\n' + ",\n".join(lines) + "\n }}\n", "utf-8")


if __name__ == "__main__":
    main()
