"""The same ONNX model in one file: weights beside it are put inside, everything else stays as it is, bit for bit.

A message that grows inside another makes that one longer too, up to the file itself. So all lengths are added up
first; then the pieces are handed out one after the other, and no tensor is ever in memory as a whole.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from latvar_tui.zoo.entries import ZooError, reason_of
from latvar_tui.zoo.files import beside, cut_off_weights, mapped, no_such_weights, size_beside
from latvar_tui.zoo.onnx_file import is_ort_format, read_onnx, why_damaged
from latvar_tui.zoo.onnx_tensors import (
    CHILDREN,
    DATA_LOCATION,
    EXTERNAL_DATA,
    LISTS,
    RAW_DATA,
    External,
    Tensor,
    read_tensor,
)
from latvar_tui.zoo.protobuf import BYTES, DEEPEST, Damaged, Wire, header

MOST_BYTES = 2**31 - 1
"""Readers of protocol buffers refuse a longer message."""

_CHUNK_BYTES = 1 << 20


class _Kept(NamedTuple):
    """A stretch of the model file that stays."""

    begin: int
    end: int

    @property
    def nbytes(self) -> int:
        return self.end - self.begin


class _Made(NamedTuple):
    """Bytes that are new."""

    data: bytes

    @property
    def nbytes(self) -> int:
        return len(self.data)


class _Fetched(NamedTuple):
    """A stretch of a file beside the model."""

    location: str
    offset: int
    nbytes: int


_Piece = _Kept | _Made | _Fetched


def inlined(path: Path) -> Iterator[bytes]:
    """Return the model at ``path`` as one self-contained file, in chunks.

    Raises:
        ZooError: before the first chunk, if the file or one of its weights cannot be used, or the whole would be too
            long for the format; in the middle only if a file changes or a disk fails meanwhile.
    """
    info = read_onnx(path)
    with mapped(path) as data:
        if is_ort_format(data[:8]) or not info.external_files:
            pieces: list[_Piece] = [_Kept(0, len(data))]
        else:
            try:
                pieces = _Inliner(path, Wire(data)).below("model", 0, len(data)) or [_Kept(0, len(data))]
            except Damaged as error:
                raise ZooError(why_damaged(path, data[:1024], error)) from error
            if (total := _length(pieces)) > MOST_BYTES:
                raise ZooError(
                    f"{str(path)!r} with its weights would be one file of {total / 1e9:.1f} GB, and the format ends at "
                    "2.1 GB: copy the model and the files beside it as they are"
                )
        for piece in pieces:
            yield from _chunks(path, data, piece)


class _Inliner:
    """Works out the pieces of the new file."""

    def __init__(self, path: Path, wire: Wire) -> None:
        self._path, self._wire = path, wire

    def below(self, message: str, begin: int, end: int, depth: int = 0) -> list[_Piece] | None:
        """The pieces of a message's new contents; None if it stays as it is. Raises Damaged, ZooError."""
        if message == "tensor":
            tensor = read_tensor(self._wire, begin, end)
            return None if tensor.external is None else self._tensor(tensor, tensor.external, begin, end)
        if depth > DEEPEST:
            raise Damaged("it is nested too deeply")
        pieces: list[_Piece] = []
        kept_from = begin
        for part in self._wire.fields(begin, end):
            if message == "attribute" and part.number in LISTS:
                break
            child = CHILDREN[message].get(part.number)
            if child is None or part.kind != BYTES:
                continue
            new = self.below(child, part.begin, part.end, depth + 1)
            if new is not None:
                pieces += [_Kept(kept_from, part.start), _Made(header(part.number, _length(new))), *new]
                kept_from = part.end
        return [*pieces, _Kept(kept_from, end)] if pieces else None

    def _tensor(self, tensor: Tensor, external: External, begin: int, end: int) -> list[_Piece]:
        size = size_beside(self._path, external.location)
        if size is None:
            raise ZooError(no_such_weights(self._path, external.location))
        length = size - external.offset if external.length is None else external.length
        if tensor.nbytes is not None and length != tensor.nbytes:
            raise Damaged(f"the tensor {tensor.name!r} has {length} bytes where {tensor.nbytes} are needed")
        if length < 0 or size < external.offset + length:
            raise ZooError(cut_off_weights(self._path, external.location))
        pieces: list[_Piece] = [
            _Kept(part.start, part.end)
            for part in self._wire.fields(begin, end)
            if part.number not in (RAW_DATA, EXTERNAL_DATA, DATA_LOCATION)
        ]
        return [*pieces, _Made(header(RAW_DATA, length)), _Fetched(external.location, external.offset, length)]


def _length(pieces: list[_Piece]) -> int:
    return sum(piece.nbytes for piece in pieces)


def _chunks(path: Path, data: mmap.mmap, piece: _Piece) -> Iterator[bytes]:
    if isinstance(piece, _Made):
        yield piece.data
    elif isinstance(piece, _Kept):
        for at in range(piece.begin, piece.end, _CHUNK_BYTES):
            yield data[at : min(at + _CHUNK_BYTES, piece.end)]
    else:
        yield from _fetch(path, piece)


def _fetch(path: Path, piece: _Fetched) -> Iterator[bytes]:
    left = piece.nbytes
    try:
        with beside(path, piece.location).open("rb", buffering=0) as file:
            file.seek(piece.offset)
            while left:
                chunk = file.read(min(left, _CHUNK_BYTES))
                if not chunk:
                    raise ZooError(cut_off_weights(path, piece.location))
                left -= len(chunk)
                yield chunk
    except OSError as error:
        raise ZooError(
            f"{piece.location!r} beside {str(path)!r} can't be read ({reason_of(error)}): check it"
        ) from error
