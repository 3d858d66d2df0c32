"""Protocol-buffer messages, read where they lie: nothing is copied, and no length that they claim is believed.

A message is a row of fields, each a tag (number and kind) and its contents; a message within a message is a field of
bytes. That is all of the format that a reader of ONNX files needs: https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from typing import NamedTuple

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5

MOST_FIELDS = 20_000_000
"""A model of 100 000 nodes has a tenth of this; more is a file made to keep a reader busy."""

DEEPEST = 100
"""Messages within messages: the limit of Google's own readers."""

_VARINT_BYTES = 10


class Damaged(ValueError):
    """The bytes are no message. ``cut`` tells that they end too early rather than being wrong."""

    def __init__(self, why: str, *, cut: bool = False) -> None:
        super().__init__(why)
        self.cut = cut


class Field(NamedTuple):
    """One field; its tag begins at ``start``, its contents at ``begin``, both counted from the start of the file."""

    number: int
    kind: int
    start: int
    begin: int
    end: int
    value: int
    """Of a VARINT, else 0."""


class Wire:
    """A file's bytes with the right to read a bounded number of fields from them."""

    def __init__(self, data: bytes | mmap.mmap, most_fields: int = MOST_FIELDS) -> None:
        self.data = data
        self._left = most_fields

    def __len__(self) -> int:
        return len(self.data)

    def fields(self, begin: int, end: int) -> Iterator[Field]:
        """Go through the message that lies between two places. Raises Damaged."""
        at = begin
        while at < end:
            self._left -= 1
            if self._left < 0:
                raise Damaged("it has more parts than any model")
            start = at
            tag, at = self.varint(at, end)
            number, kind, value, contents = tag >> 3, tag & 7, 0, at
            if kind == BYTES:
                length, contents = self.varint(at, end)
                at = contents + length
            elif kind == VARINT:
                value, at = self.varint(at, end)
            elif kind == FIXED32:
                at += 4
            elif kind == FIXED64:
                at += 8
            else:
                raise Damaged(f"a field of the unknown kind {kind}")
            if number == 0:
                raise Damaged("a field without a number")
            if at > end:
                raise Damaged("a field is longer than what it is in", cut=True)
            yield Field(number, kind, start, contents, at, value)

    def varint(self, at: int, end: int) -> tuple[int, int]:
        """Return the number at a place, and the place behind it. Raises Damaged."""
        value = 0
        for index in range(_VARINT_BYTES):
            if at + index >= end:
                raise Damaged("a number is cut off", cut=True)
            byte = self.data[at + index]
            value |= (byte & 127) << 7 * index
            if byte < 128:
                return value & (1 << 64) - 1, at + index + 1
        raise Damaged("a number has too many digits")

    def numbers(self, field: Field) -> list[int]:
        """Signed whole numbers of a repeated field, whether packed or one by one. Raises Damaged."""
        if field.kind == VARINT:
            return [signed(field.value)]
        found = []
        at = field.begin
        while at < field.end:
            self._left -= 1
            if self._left < 0:
                raise Damaged("it has more parts than any model")
            value, at = self.varint(at, field.end)
            found.append(signed(value))
        return found

    def text(self, field: Field) -> str:
        """A field's contents as text; bytes that are no UTF-8 survive as file names can carry them."""
        return self.data[field.begin : field.end].decode("utf-8", "surrogateescape")


def signed(value: int) -> int:
    """A varint as the signed 64-bit number that it stands for."""
    return value - (1 << 64) if value >> 63 else value


def encode_varint(number: int) -> bytes:
    """The bytes of a number that is not negative."""
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def header(number: int, length: int) -> bytes:
    """What stands before the ``length`` bytes of a BYTES field."""
    return encode_varint(number << 3 | BYTES) + encode_varint(length)
