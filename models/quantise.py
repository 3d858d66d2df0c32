"""Static int8 quantisation, per channel, by ONNX Runtime's own tool: QDQ format, its default operators.

Activations are unsigned: with signed ones ONNX Runtime 1.32 leaves a quarter to nine tenths of the convolutions in
float on x86-64, where its int8 kernels take unsigned activations; on Arm either runs.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static
from weightless import CODES, SEED

from latvar_tui import zoo

CALIBRATION_IMAGES = 4
QUANTISED = "_quantized"  # ONNX Runtime's suffix for the codes of a weight


class Noise(CalibrationDataReader):
    """Images like those that the models are measured with."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.source, self.shape, self.left = zoo.generator(SEED + 2), shape, CALIBRATION_IMAGES

    def get_next(self) -> dict[str, np.ndarray] | None:
        if not self.left:
            return None
        self.left -= 1
        return {"input": self.source.standard_normal(self.shape, dtype=np.float32)}


def quantise(
    proto: onnx.ModelProto, shape: tuple[int, ...], steps: Mapping[str, float] | None = None
) -> onnx.ModelProto:
    """Return the model in int8. ``steps`` says what a code of a weight is worth; else each channel's range does."""
    weights = {tensor.name: tensor for tensor in proto.graph.initializer}
    overrides = {}
    for name, step in (steps or {}).items():
        axis = channel_axis(proto, name)
        channel = {"axis": axis, "scale": np.float32(step), "zero_point": 0}
        overrides[name] = [channel] * weights[name].dims[axis]
    logging.disable(logging.WARNING)  # advice about a preparation that the exporter has done
    with tempfile.TemporaryDirectory() as scratch:
        fp32, int8 = Path(scratch) / "fp32.onnx", Path(scratch) / "int8.onnx"
        onnx.save(proto, fp32)
        quantize_static(
            fp32,
            int8,
            Noise(shape),
            per_channel=True,
            activation_type=QuantType.QUInt8,
            extra_options={"TensorQuantOverrides": overrides},
        )
        return onnx.load(int8)


def channel_axis(proto: onnx.ModelProto, name: str) -> int:
    """Return along which axis of a weight the output channels lie."""
    node = next(node for node in proto.graph.node if name in node.input)
    if node.op_type == "Conv":
        return 0
    transposed = any(attribute.name == "transB" and attribute.i for attribute in node.attribute)
    return 0 if transposed else 1


def codes_in(proto: onnx.ModelProto, drawn: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Return the drawn weights' names in the quantised graph with the scale of their codes, for the catalogue."""
    initialisers = {tensor.name: tensor for tensor in proto.graph.initializer}
    for name, codes in drawn.items():
        tensor = initialisers.get(name + QUANTISED)
        if tensor is None or not np.array_equal(onnx.numpy_helper.to_array(tensor), codes):
            raise SystemExit(f"the quantised graph doesn't hold {name} as drawn: look at what quantise() asks for")
    return {name + QUANTISED: CODES for name in drawn}


def share_equal(proto: onnx.ModelProto) -> None:
    """Store equal small tensors once: zero points above all, which there is one of for every scale."""
    graph, first, kept = proto.graph, {}, {}
    for tensor in graph.initializer:
        content = (tensor.data_type, tuple(tensor.dims), onnx.numpy_helper.to_array(tensor).tobytes())
        first[tensor.name] = kept.setdefault(content, tensor).name
    del graph.initializer[:]
    graph.initializer.extend(kept.values())
    for node in graph.node:
        node.input[:] = [first.get(name, name) for name in node.input]
