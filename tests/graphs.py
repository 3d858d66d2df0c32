"""Tiny ONNX graphs of every sort, made with the onnx package."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FLOAT = TensorProto.FLOAT
NEWEST_OPSET = 13  # old enough for every runtime that is supported

KINDS = {
    "float32": TensorProto.FLOAT,
    "float64": TensorProto.DOUBLE,
    "float16": TensorProto.FLOAT16,
    "bool": TensorProto.BOOL,
    "uint8": TensorProto.UINT8,
    "int8": TensorProto.INT8,
    "uint16": TensorProto.UINT16,
    "int16": TensorProto.INT16,
    "int32": TensorProto.INT32,
    "uint32": TensorProto.UINT32,
    "int64": TensorProto.INT64,
    "uint64": TensorProto.UINT64,
}

Sizes = Sequence[int | str | None] | None


def graph(
    path: Path,
    nodes: Sequence[onnx.NodeProto],
    inputs: dict[str, tuple[int, Sizes]],
    outputs: dict[str, tuple[int, Sizes]],
    weights: dict[str, np.ndarray] | None = None,
    *,
    opset: int = NEWEST_OPSET,
    ir_version: int = 8,
    domains: Sequence[str] = (),
    external: str = "",
) -> str:
    """Write a model and return its path as text. ``external`` is the file, beside it, that the weights go to."""
    infos = [
        [helper.make_tensor_value_info(name, kind, sizes) for name, (kind, sizes) in side.items()]
        for side in (inputs, outputs)
    ]
    tensors = [numpy_helper.from_array(values, name) for name, values in (weights or {}).items()]
    body = helper.make_graph(list(nodes), "g", *infos, tensors)
    opsets = [helper.make_opsetid("", opset), *(helper.make_opsetid(domain, 1) for domain in domains)]
    model = helper.make_model(body, opset_imports=opsets, ir_version=ir_version)
    if external:
        onnx.save(model, path, save_as_external_data=True, location=external, size_threshold=0)
    else:
        onnx.save(model, path)
    return str(path)


def identity(path: Path, kind: int = FLOAT, sizes: Sizes = (1, 4), **options: object) -> str:
    """One input ``x``, one output ``y``, the same."""
    return graph(
        path, [helper.make_node("Identity", ["x"], ["y"])], {"x": (kind, sizes)}, {"y": (kind, sizes)}, **options
    )  # type: ignore[arg-type]


def bert(path: Path, *, names: bool = True) -> str:
    """Two integer inputs with open axes, an embedding, a mask: what a text encoder looks like from outside."""
    sizes: Sizes = ["batch", "sequence"] if names else [None, None]
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["embedded"]),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=FLOAT),
        helper.make_node("Unsqueeze", ["mask", "last"], ["wide"]),
        helper.make_node("Mul", ["embedded", "wide"], ["y"]),
    ]
    weights = {"table": np.ones((10, 16), np.float32), "last": np.array([-1], np.int64)}
    inputs = {name: (TensorProto.INT64, sizes) for name in ("input_ids", "attention_mask")}
    return graph(path, nodes, inputs, {"y": (FLOAT, [*sizes, 16])}, weights)


def matmul(path: Path, external: str = "", rows: int = 4) -> str:
    """A weight matrix of 4 kB a row, in the file or outside it."""
    weights = {"w": np.ones((rows, 1000), np.float32)}
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    return graph(path, [node], {"x": (FLOAT, [1, rows])}, {"y": (FLOAT, [1, 1000])}, weights, external=external)


def fails_when_run(path: Path) -> str:
    """Loads, and cannot be run: a reshape to a size that its input does not have."""
    node = helper.make_node("Reshape", ["x", "shape"], ["y"])
    weights = {"shape": np.array([3, 3], np.int64)}
    return graph(path, [node], {"x": (FLOAT, [1, 4])}, {"y": (FLOAT, None)}, weights)
