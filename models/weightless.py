"""From a model to its ONNX graph without the large weights, which the measured device makes up."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import torch
from torch import nn

from latvar_tui import zoo
from latvar_tui.zoo.weights import draw

OPSET = 18
SEED = 2003_00138  # the study's arXiv number
ALIGNMENT = 64
CODES = 127 / 4  # int8: the standard deviation, so that ±127 is at four of them
FIRST_NUMBER = 1 << 20  # above any constant of a graph


# Where the weights are in the graph


@dataclass(frozen=True)
class Piece:
    """A large tensor of the graph: all or part of one of the model's parameters, maybe transposed."""

    name: str
    numbers: np.ndarray
    """In the graph's layout: which of the model's large weights, all laid end to end, each value is."""
    gain: float
    """The standard deviation that keeps a signal's variance (He et al., arXiv 1502.01852)."""


def large_parameters(model: nn.Module) -> list[nn.Parameter]:
    """Return those that a device draws: all but vectors."""
    return [parameter for parameter in model.parameters() if parameter.dim() > 1]


@torch.no_grad()
def find_pieces(model: nn.Module, shape: tuple[int, ...]) -> list[Piece]:
    """Export a copy whose large weights are numbered, and see where each number went.

    So whatever the exporter does to a weight's name or layout, the device draws it as the graph holds it.
    """
    model = copy.deepcopy(model).double()  # holds each number exactly
    starts, gains, total = [], [], 0
    for parameter in large_parameters(model):
        numbers = torch.arange(total, total + parameter.numel(), dtype=torch.float64)
        parameter.copy_((numbers + FIRST_NUMBER).view_as(parameter))
        starts.append(total)
        gains.append((2 / parameter[0].numel()) ** 0.5)
        total += parameter.numel()
    noise_vectors(model)
    for norm in batch_norms(model):
        norm.running_var.fill_(1 - norm.eps)  # folds into the weights before it as a factor of one
    pieces = []
    for tensor in to_onnx(model, shape).graph.initializer:
        values = onnx.numpy_helper.to_array(tensor)
        if values.ndim > 1 and values.dtype == np.float64 and values.min() > FIRST_NUMBER - 0.5:
            numbers = np.rint(values).astype(np.int64) - FIRST_NUMBER
            which = int(np.searchsorted(starts, numbers.min(), "right")) - 1
            pieces.append(Piece(tensor.name, numbers, gains[which]))
    found = np.concatenate([piece.numbers.ravel() for piece in pieces])
    if not np.array_equal(np.sort(found), np.arange(total)):
        raise SystemExit(
            f"the graph holds {found.size} of {total} large weights as they are, so a device couldn't draw "
            "the rest: export the model in another way"
        )
    return sorted(pieces, key=lambda piece: int(piece.numbers.min()))


# Weights


@torch.no_grad()
def draw_weights(model: nn.Module, pieces: list[Piece], dtype: str) -> dict[str, np.ndarray]:
    """Give the model the very weights that a device will, and return them by piece, before scaling."""
    source = zoo.generator(SEED)
    sizes = [parameter.numel() for parameter in large_parameters(model)]
    weights = np.empty(sum(sizes), np.float32)
    unit = CODES if dtype == "int8" else 1.0
    drawn = {}
    for piece in pieces:
        block = zoo.WeightBlock(0, piece.numbers.size, dtype, unit)
        drawn[piece.name] = draw(source, block).reshape(piece.numbers.shape).astype(np.float32)
        weights[piece.numbers] = drawn[piece.name] * (piece.gain / unit)
    for parameter, values in zip(large_parameters(model), torch.from_numpy(weights).split(sizes), strict=True):
        parameter.copy_(values.view_as(parameter))
    noise_vectors(model)
    return drawn


@torch.no_grad()
def noise_vectors(model: nn.Module) -> None:
    """Add a little noise to the vectors outside batch norms.

    An exporter drops a bias that is all zeros and stores equal vectors once; no trained model has either.
    """
    noise = zoo.generator(SEED + 1)
    for name, vector in small_vectors(model):
        values = noise.standard_normal(vector.numel(), dtype=np.float32)
        vector.copy_(torch.from_numpy(values) * 0.01 + float(name.endswith("weight")))


def small_vectors(model: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    """Yield biases, and the factors of layer norms, by name."""
    folded = {id(parameter) for norm in batch_norms(model) for parameter in norm.parameters()}
    for name, parameter in model.named_parameters():
        if parameter.dim() == 1 and id(parameter) not in folded:
            yield name, parameter


def batch_norms(model: nn.Module) -> list[nn.BatchNorm2d]:
    return [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]


@torch.no_grad()
def calibrate(model: nn.Module, shape: tuple[int, ...]) -> None:
    """Set each batch norm's statistics, in order of execution, to those of what reaches it.

    Without this, deep nets run into infinities or denormals. One variance for a whole layer: the exporter
    folds it into the weights before it, which so stay numbers of one scale that a device can draw.
    """

    def measure(norm: nn.BatchNorm2d, arguments: tuple[torch.Tensor]) -> None:
        variance, mean = torch.var_mean(arguments[0], (0, 2, 3), correction=0)
        norm.running_mean.copy_(mean)
        norm.running_var.fill_(variance.mean())

    model.eval()
    hooks = [norm.register_forward_pre_hook(measure) for norm in batch_norms(model)]
    model(torch.from_numpy(zoo.generator(SEED + 2).standard_normal((4, *shape[1:]), dtype=np.float32)))
    for hook in hooks:
        hook.remove()


# Graph


def to_onnx(model: nn.Module, shape: tuple[int, ...]) -> onnx.ModelProto:
    program = torch.onnx.export(
        model.eval(),
        (torch.zeros(shape, dtype=next(model.parameters()).dtype),),
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


def fit_scales(proto: onnx.ModelProto, drawn: dict[str, np.ndarray]) -> dict[str, float]:
    """Return by which factor each drawn tensor stands in the graph; batch norms that were folded changed it."""
    initialisers = {tensor.name: tensor for tensor in proto.graph.initializer}
    scales = {}
    for name, unscaled in drawn.items():
        values = onnx.numpy_helper.to_array(initialisers[name])
        scales[name] = float(np.float32(np.vdot(values, unscaled) / np.vdot(unscaled, unscaled)))
        if values.shape != unscaled.shape or not np.allclose(values, unscaled * scales[name], rtol=1e-3, atol=1e-6):
            raise SystemExit(
                f"the exporter changed the values of {name}, so a device couldn't draw it: export it in another way"
            )
    return scales


def externalise(proto: onnx.ModelProto, scales: dict[str, float], location: str) -> tuple[list[Any], int]:
    """Declare the named tensors as data in the file ``location``, which is not written.

    Returns the catalogue's blocks [offset, size, dtype, scale] and the file's size in bytes.
    """
    initialisers = {tensor.name: tensor for tensor in proto.graph.initializer}
    blocks: list[Any] = []
    end = 0
    for name, scale in scales.items():
        tensor = initialisers[name]
        values = onnx.numpy_helper.to_array(tensor)
        offset = -(-end // ALIGNMENT) * ALIGNMENT
        place = {"location": location, "offset": str(offset), "length": str(values.nbytes)}
        tensor.ClearField("raw_data")
        tensor.data_location = onnx.TensorProto.EXTERNAL
        for key, value in place.items():
            tensor.external_data.add(key=key, value=value)
        blocks.append([offset, values.size, values.dtype.name, float(f"{scale:.7g}")])
        end = offset + values.nbytes
    return blocks, end


def shorten_vectors(proto: onnx.ModelProto) -> None:
    """Round what stayed in the graph to 8 significant bits: half its size once compressed, and as good a bias."""
    for tensor in proto.graph.initializer:
        if tensor.data_location != onnx.TensorProto.EXTERNAL and tensor.data_type == onnx.TensorProto.FLOAT:
            values = onnx.numpy_helper.to_array(tensor)
            if values.size > 64:
                tensor.raw_data = ((values.view(np.uint32) + 0x8000) & np.uint32(0xFFFF0000)).tobytes()
