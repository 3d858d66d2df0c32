"""What an ONNX file says about itself: inputs, outputs, opsets, parameters, and the files that hold its weights.

Read straight from the file's bytes, because the measured device has no ``onnx`` package. Weights are stepped over,
so that a model of many gigabytes takes no longer than a small one with as many nodes.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from latvar_tui.zoo.entries import ZooError
from latvar_tui.zoo.files import cut_off_weights, mapped, no_such_weights, size_beside
from latvar_tui.zoo.onnx_kind import other_kind
from latvar_tui.zoo.onnx_tensors import CHILDREN, Tensor, element_of, tensors_below
from latvar_tui.zoo.protobuf import BYTES, VARINT, Damaged, Field, Wire, signed

OPEN = "?"
"""An axis whose size is open and has no name."""

_NODE, _INITIALISER, _SPARSE, _INPUT, _OUTPUT = 1, 5, 15, 11, 12  # fields of a graph
_IR_VERSION, _GRAPH, _OPSET = 1, 7, 8  # fields of a model
_LATEST_IR = 1000  # far beyond any: what a file of another kind may claim

_PRECISIONS = {"float32": "fp32", "float16": "fp16", "float64": "fp64", "bfloat16": "bf16", "uint8": "int8"}


class OnnxValue(NamedTuple):
    """An input or output of a model."""

    name: str
    dtype: str
    """Of an element, as NumPy spells it (``float32``), or ``string``, ``sequence``, ``map``, ``optional``."""
    shape: tuple[int | str, ...] | None
    """A number, a name or ``?`` for each axis; None where the model says nothing about its axes."""


@dataclass(frozen=True)
class OnnxInfo:
    """What is known of a model file. Of one in ORT format, which only ONNX Runtime reads, most is None."""

    nbytes: int
    """On disk, with its weights."""
    inputs: tuple[OnnxValue, ...] | None = None
    """Those that must be fed: initialisers are not among them."""
    outputs: tuple[OnnxValue, ...] | None = None
    opsets: dict[str, int] | None = None
    """Version by domain; that of ONNX itself is ``""``."""
    ir_version: int | None = None
    parameters: int | None = None
    """Sum of the initialisers' sizes."""
    precision: str | None = None
    """The type of most of them: ``fp32``, ``fp16``, ``int8``, …"""
    external_files: dict[str, int] = field(default_factory=dict)
    """Files beside it that hold its weights, by their relative location: how many bytes of each are used."""


def read_onnx(path: Path, *, skim: bool = False) -> OnnxInfo:
    """Read a model file's description.

    With ``skim`` nodes are left out, which takes a moment however many there are; weights that are constants of nodes
    then go unseen.

    Raises:
        ZooError: it cannot be read, is cut off, or is no ONNX model, and then what it is instead where that is easy.
    """
    with mapped(path) as data:
        if is_ort_format(data[:8]):
            return OnnxInfo(len(data))
        try:
            found = _Reader(Wire(data), skim).read()
        except Damaged as error:
            raise ZooError(why_damaged(path, data[:1024], error)) from error
    return OnnxInfo(
        **vars(found) | {"nbytes": found.nbytes + sum(_on_disk(path, name) for name in found.external_files)}
    )


def is_ort_format(start: bytes) -> bool:
    """Whether a file that begins so is a model in ONNX Runtime's own format."""
    return start[4:8] == b"ORTM"


def missing_weights(path: Path, info: OnnxInfo) -> str:
    """Say which of the files that hold a model's weights cannot be used, and why; "" if all can."""
    for location, needed in info.external_files.items():
        try:
            size = size_beside(path, location)
        except ZooError as error:
            return str(error)
        if size is None:
            return no_such_weights(path, location)
        if size < needed:
            return cut_off_weights(path, location)
    return ""


def _on_disk(path: Path, location: str) -> int:
    with contextlib.suppress(ZooError):
        return size_beside(path, location) or 0
    return 0


class _CutOff(Damaged):
    """The file itself ends too early, and began like a model."""


class _Reader:
    """Gathers a description while it goes through a model once."""

    def __init__(self, wire: Wire, skim: bool) -> None:
        self._wire, self._skim = wire, skim
        self._ir_version: int | None = None
        self._opsets: dict[str, int] = {}
        self._inputs: list[OnnxValue] = []
        self._outputs: list[OnnxValue] = []
        self._initialisers: set[str] = set()
        self._counts: Counter[str] = Counter()
        self._external: dict[str, int] = {}

    def read(self) -> OnnxInfo:
        graphs = 0
        for part in self._model_fields():
            if part.number == _IR_VERSION and part.kind == VARINT:
                self._ir_version = signed(part.value)
            elif part.number == _OPSET and part.kind == BYTES:
                self._opset(part)
            elif part.number == _GRAPH and part.kind == BYTES:
                graphs += 1
                self._graph(part)
            elif part.number in CHILDREN["model"] and part.kind == BYTES and not self._skim:
                self._note_external(tensors_below(self._wire, CHILDREN["model"][part.number], part.begin, part.end))
        # A file of another kind can pass for a row of unknown fields.
        if not graphs or not (self._opsets or self._outputs):
            raise Damaged("it has no graph")
        most = self._counts.most_common(1)
        precision = _PRECISIONS.get(most[0][0], most[0][0]) if most else None
        return OnnxInfo(
            len(self._wire),
            tuple(value for value in self._inputs if value.name not in self._initialisers),
            tuple(self._outputs),
            self._opsets,
            self._ir_version,
            self._counts.total(),
            precision,
            self._external,
        )

    def _model_fields(self) -> Iterator[Field]:
        """The fields of the file itself: only when one of these is too long has the file been cut off."""
        begun = False
        try:
            for part in self._wire.fields(0, len(self._wire)):
                yield part
                begun |= part.number == _IR_VERSION and 0 < part.value < _LATEST_IR
        except Damaged as error:
            raise (_CutOff if error.cut and begun else Damaged)(str(error)) from error

    def _opset(self, opset: Field) -> None:
        domain, version = "", 0
        for part in self._wire.fields(opset.begin, opset.end):
            if part.number == 1 and part.kind == BYTES:
                domain = self._wire.text(part)
            elif part.number == 2 and part.kind == VARINT:
                version = signed(part.value)
        self._opsets["" if domain == "ai.onnx" else domain] = version

    def _graph(self, graph: Field) -> None:
        for part in self._wire.fields(graph.begin, graph.end):
            if part.kind != BYTES:
                continue
            if part.number == _INPUT:
                self._inputs.append(self._value(part))
            elif part.number == _OUTPUT:
                self._outputs.append(self._value(part))
            elif part.number == _NODE and not self._skim:
                self._note_external(tensors_below(self._wire, "node", part.begin, part.end))
            elif part.number in (_INITIALISER, _SPARSE):
                kind = CHILDREN["graph"][part.number]
                below = list(tensors_below(self._wire, kind, part.begin, part.end))
                if below:  # of a sparse one the second are its places
                    self._initialisers.add(below[0].name)
                    self._counts[below[0].element.name] += below[0].size
                self._note_external(below)

    def _note_external(self, tensors: Iterator[Tensor] | list[Tensor]) -> None:
        for tensor in tensors:
            if tensor.external:
                known = self._external.get(tensor.external.location, 0)
                self._external[tensor.external.location] = max(known, tensor.external.end)

    def _value(self, value: Field) -> OnnxValue:
        """A ValueInfoProto."""
        name, dtype, shape = "", "type 0", None
        for part in self._wire.fields(value.begin, value.end):
            if part.number == 1 and part.kind == BYTES:
                name = self._wire.text(part)
            elif part.number == 2 and part.kind == BYTES:
                dtype, shape = self._type(part)
        return OnnxValue(name, dtype, shape)

    def _type(self, message: Field) -> tuple[str, tuple[int | str, ...] | None]:
        """A TypeProto."""
        others = {4: "sequence", 5: "map", 7: "opaque", 8: "sparse", 9: "optional"}
        for part in self._wire.fields(message.begin, message.end):
            if part.number == 1 and part.kind == BYTES:
                return self._tensor_type(part)
            if part.number in others and part.kind == BYTES:
                return others[part.number], None
        return "type 0", None

    def _tensor_type(self, message: Field) -> tuple[str, tuple[int | str, ...] | None]:
        dtype, shape = "type 0", None
        for part in self._wire.fields(message.begin, message.end):
            if part.number == 1 and part.kind == VARINT:
                dtype = element_of(signed(part.value)).name
            elif part.number == 2 and part.kind == BYTES:
                axes = self._wire.fields(part.begin, part.end)
                shape = tuple(self._axis(axis) for axis in axes if axis.number == 1 and axis.kind == BYTES)
        return dtype, shape

    def _axis(self, axis: Field) -> int | str:
        size: int | str = OPEN
        for part in self._wire.fields(axis.begin, axis.end):
            if part.number == 1 and part.kind == VARINT:
                size = signed(part.value) if signed(part.value) > 0 else OPEN
            elif part.number == 2 and part.kind == BYTES:
                size = self._wire.text(part) or OPEN
        return size


def why_damaged(path: Path, start: bytes, error: Damaged) -> str:
    """Return a sentence about a file that is no whole model, from its first bytes and what its reader stumbled over."""
    model = str(path)
    kind = other_kind(start)
    if isinstance(error, _CutOff):
        return f"{model!r} is cut off: copy or download the whole model again"
    if start[0] == _IR_VERSION << 3 and kind.startswith("another"):
        return f"{model!r} is a damaged ONNX model ({error}): copy or export it again"
    return f"{model!r} is no ONNX model but {kind}"
