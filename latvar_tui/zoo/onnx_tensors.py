"""Where the tensors are in an ONNX model, and what each says about itself without its values being read.

The field numbers are those of onnx.proto, which promises never to change them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from latvar_tui.zoo.protobuf import BYTES, DEEPEST, VARINT, Damaged, Field, Wire, signed

CHILDREN: dict[str, dict[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 10: "tensor", 6: "graph", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
}
"""By message, the fields below which tensors may be, and what message each of them is."""

LISTS = (7, 8, 9)
"""Fields of an attribute that is a list of numbers or words: such a one holds no tensor, and decision trees hold
millions of them."""

RAW_DATA, EXTERNAL_DATA, DATA_LOCATION = 9, 13, 14
"""Fields of a tensor."""

_DIMS, _DATA_TYPE, _NAME = 1, 2, 8
_EXTERNAL = 1  # value of DATA_LOCATION
_MOST_DIMS = 255


class Element(NamedTuple):
    """A type of numbers: its name as NumPy and ml_dtypes spell it, and how many bits a value takes (0: varies)."""

    name: str
    bits: int


ELEMENTS: dict[int, Element] = {
    1: Element("float32", 32), 2: Element("uint8", 8), 3: Element("int8", 8), 4: Element("uint16", 16),
    5: Element("int16", 16), 6: Element("int32", 32), 7: Element("int64", 64), 8: Element("string", 0),
    9: Element("bool", 8), 10: Element("float16", 16), 11: Element("float64", 64), 12: Element("uint32", 32),
    13: Element("uint64", 64), 14: Element("complex64", 64), 15: Element("complex128", 128),
    16: Element("bfloat16", 16), 17: Element("float8_e4m3fn", 8), 18: Element("float8_e4m3fnuz", 8),
    19: Element("float8_e5m2", 8), 20: Element("float8_e5m2fnuz", 8), 21: Element("uint4", 4), 22: Element("int4", 4),
    23: Element("float4_e2m1fn", 4), 24: Element("float8_e8m0fnu", 8), 25: Element("uint2", 2), 26: Element("int2", 2),
}  # fmt: skip


UNKNOWN = Element("type 0", 0)


def element_of(code: int) -> Element:
    """The element type with this number in onnx.proto, also where it is newer than this table."""
    return ELEMENTS.get(code, Element(f"type {code}", 0))


@dataclass
class External:
    """Where a tensor's bytes are: ``length`` of them from ``offset`` in the file ``location`` beside the model."""

    location: str
    offset: int
    length: int | None
    """None: unsaid, and not to be known from the tensor either; then up to the end of the file."""

    @property
    def end(self) -> int:
        """How many bytes the file must have at least."""
        return self.offset + (self.length or 0)


@dataclass
class Tensor:
    """What a tensor says about itself."""

    name: str = ""
    element: Element = UNKNOWN
    dims: list[int] = field(default_factory=list)
    external: External | None = None

    @property
    def size(self) -> int:
        """How many values."""
        return math.prod(self.dims)

    @property
    def nbytes(self) -> int | None:
        """How many bytes its values take, None where that varies."""
        return -(-self.size * self.element.bits // 8) if self.element.bits else None


def read_tensor(wire: Wire, begin: int, end: int) -> Tensor:
    """Read a tensor's description; its values are stepped over. Raises Damaged."""
    found = Tensor()
    entries: dict[str, str] = {}
    location = 0
    for part in wire.fields(begin, end):
        if part.number == _DIMS and part.kind in (VARINT, BYTES):
            if part.end - part.begin > _MOST_DIMS * 10:
                raise Damaged("a tensor has too many axes")
            found.dims += wire.numbers(part)
            if len(found.dims) > _MOST_DIMS or any(size < 0 for size in found.dims):
                raise Damaged("a tensor has impossible sizes")
        elif part.number == _DATA_TYPE and part.kind == VARINT:
            found.element = element_of(signed(part.value))
        elif part.number == _NAME and part.kind == BYTES:
            found.name = wire.text(part)
        elif part.number == EXTERNAL_DATA and part.kind == BYTES:
            key, value = _pair(wire, part)
            entries[key] = value
        elif part.number == DATA_LOCATION and part.kind == VARINT:
            location = part.value
    if location == _EXTERNAL:
        found.external = _external(found, entries)
    return found


def _pair(wire: Wire, entry: Field) -> tuple[str, str]:
    """A StringStringEntryProto."""
    parts = {part.number: wire.text(part) for part in wire.fields(entry.begin, entry.end) if part.kind == BYTES}
    return parts.get(1, ""), parts.get(2, "")


def _external(tensor: Tensor, entries: dict[str, str]) -> External:
    def number(key: str) -> int | None:
        text = entries.get(key, "")
        if text and not re.fullmatch(r"[0-9]{1,18}", text):
            raise Damaged(f"the {key} of a tensor's data is no number")
        return int(text) if text else None

    length = number("length")
    # A length of 0 is how some writers say nothing about it.
    return External(entries.get("location", ""), number("offset") or 0, length or tensor.nbytes)


def tensors_below(wire: Wire, message: str, begin: int, end: int, depth: int = 0) -> Iterator[Tensor]:
    """Go through the tensors in a message (a key of CHILDREN, or ``tensor``), and in subgraphs. Raises Damaged."""
    if message == "tensor":
        yield read_tensor(wire, begin, end)
        return
    if depth > DEEPEST:
        raise Damaged("it is nested too deeply")
    children = CHILDREN[message]
    for part in wire.fields(begin, end):
        if message == "attribute" and part.number in LISTS:
            return
        child = children.get(part.number)
        if child and part.kind == BYTES:
            yield from tensors_below(wire, child, part.begin, part.end, depth + 1)
