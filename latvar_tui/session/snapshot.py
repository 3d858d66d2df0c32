"""A board ⇄ JSON, whatever it is made of: the shortcut that spares reading every slice of a long session.

It walks over the objects, so that what a cell is made of may change without a word here. The price is that a snapshot
is worth something only to the very code that wrote it: :func:`code_mark` tells, and another one is not read.

No code in a snapshot is run. Objects come from this package's own classes alone, are made without their constructors
and get plain values; whoever uses a board from one must expect that a forged one makes it stumble.
"""

from __future__ import annotations

import base64
import functools
import json
import math
import sys
import zlib
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import latvar_tui
from latvar_tui import wire
from latvar_tui.hdr_layout import COUNTS_LEN
from latvar_tui.histogram import Histogram
from latvar_tui.study.board import Board

_STUDY = "latvar_tui.study."
_MODULES = tuple(f"latvar_tui.{name}" for name in ("wire", "condition", "candidate", "settings"))
_NUMBERS = ("bool", *(f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)), "float32", "float64")
_MOST_OBJECTS = 200_000
_FEWEST_PACKED = 16


class Unreadable(ValueError):
    """A snapshot that is damaged, forged, or of other code; or a board with something in it that cannot be kept."""


@functools.cache
def code_mark() -> str:
    """A checksum of the code that boards are made of."""
    root = Path(latvar_tui.__file__).parent
    total = 0
    for path in sorted([*root.glob("study/*.py"), *(root / f"{n}.py" for n in ("wire", "histogram", "hdr_layout"))]):
        total = zlib.crc32(path.read_bytes(), total)
    return f"{latvar_tui.__version__}-{total:08x}"


def dump(board: Board) -> Any:
    """What :func:`load` makes an equal board of, as JSON carries it.

    Windows of the last seconds are left out: the slices in them are many, and nobody looks at them later.

    Raises:
        Unreadable: there is something in it that cannot be kept.
    """
    return _Writer().write(board)


def load(document: Any) -> Board:
    """The board again.

    Raises:
        Unreadable: it is none.
    """
    try:
        board = _Reader().read(document)
    except (
        KeyError,
        TypeError,
        ValueError,
        AttributeError,
        OverflowError,
        RecursionError,
        IndexError,
        zlib.error,
    ) as error:
        raise Unreadable(f"the snapshot is damaged ({error})") from error
    if not isinstance(board, Board):
        raise Unreadable("the snapshot is no board")
    return board


@dataclass(frozen=True)
class Snapshot:
    """A board of the first ``slices``, and how long each file was when they had been written."""

    board: Board
    sizes: Mapping[str, int]
    slices: int


def packed(taken: Snapshot) -> bytes:
    """As a file: code mark and checksum, a line break, and what they are of.

    Raises:
        Unreadable: as :func:`dump`.
    """
    body = json.dumps({"sizes": dict(taken.sizes), "slices": taken.slices, "board": dump(taken.board)}).encode()
    return f"{code_mark()} {zlib.crc32(body)}\n".encode() + body


def unpacked(data: bytes) -> Snapshot:
    """Raises Unreadable: it is damaged, or of other code."""
    head, _, body = data.partition(b"\n")
    if head.decode(errors="replace") != f"{code_mark()} {zlib.crc32(body)}":
        raise Unreadable("the snapshot is damaged or of another version")
    try:
        told = json.loads(body)
        sizes, slices = told["sizes"], told["slices"]
        numbers = [slices, *sizes.values()]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Unreadable("the snapshot is damaged") from error
    if not all(type(number) is int and number >= 0 for number in numbers):
        raise Unreadable("the snapshot's sizes are impossible")
    return Snapshot(load(told["board"]), sizes, slices)


class _Writer:
    def __init__(self) -> None:
        self._numbers: dict[int, int] = {}  # id of an object → its number; the board keeps them all alive

    def write(self, value: Any) -> Any:
        if value is None or isinstance(value, bool | int | float | str):
            return value
        if isinstance(value, list):
            return [self.write(item) for item in value]
        if isinstance(value, tuple):
            return {"tuple": [self.write(item) for item in value]}
        if isinstance(value, dict):
            return {"dict": [[self.write(key), self.write(item)] for key, item in value.items()]}
        if isinstance(value, set | frozenset):
            return {"set": [self.write(item) for item in value]}
        if isinstance(value, deque):
            recent = any(isinstance(item, tuple) and isinstance(item[0], wire.Slice) for item in value)
            kept = [] if recent else list(value)  # a window of the last seconds
            return {"deque": [value.maxlen, [self.write(item) for item in kept]]}
        if isinstance(value, np.generic):
            return value.item()
        if isinstance(value, np.ndarray) and value.dtype.name in _NUMBERS:
            flat = value.ravel()
            used = np.flatnonzero(flat)  # a histogram's counts are nearly all 0
            if 2 * used.size > flat.size >= _FEWEST_PACKED:  # what is stored sparse already has none
                packed = base64.b64encode(zlib.compress(flat.astype(flat.dtype.newbyteorder("<")).tobytes(), 1))
                return {"packed": [value.dtype.name, list(value.shape), packed.decode()]}
            return {"array": [value.dtype.name, list(value.shape), used.tolist(), flat[used].tolist()]}
        return self._object(value)

    def _object(self, value: Any) -> Any:
        if id(value) in self._numbers:
            return {"same": self._numbers[id(value)]}
        self._numbers[id(value)] = number = len(self._numbers)
        if isinstance(value, Histogram):
            return {"histogram": [number, value.encode(), value.min_ns, value.max_ns, value.overflow]}
        cls = type(value)
        if _class_of(f"{cls.__module__}:{cls.__qualname__}") is not cls or not hasattr(value, "__dict__"):
            raise Unreadable(f"a {cls.__name__} cannot be kept")
        attributes = {name: self.write(item) for name, item in vars(value).items()}
        return {"object": [number, f"{cls.__module__}:{cls.__qualname__}", attributes]}


class _Reader:
    def __init__(self) -> None:
        self._objects: dict[int, Any] = {}
        self._read = 0

    def read(self, value: Any) -> Any:
        self._read += 1
        if self._read > 50 * _MOST_OBJECTS:
            raise Unreadable("the snapshot is too large")
        if not isinstance(value, dict):
            return [self.read(item) for item in value] if isinstance(value, list) else value
        ((kind, told),) = value.items()
        return getattr(self, f"_{kind}_of")(told)

    def _tuple_of(self, told: Any) -> Any:
        return tuple(self.read(item) for item in told)

    def _set_of(self, told: Any) -> Any:
        return {self.read(item) for item in told}

    def _dict_of(self, told: Any) -> Any:
        return {self.read(key): self.read(item) for key, item in told}

    def _deque_of(self, told: Any) -> Any:
        most, items = told
        return deque((self.read(item) for item in items), maxlen=most)

    def _array_of(self, told: Any) -> Any:
        name, shape, places, values = told
        if name not in _NUMBERS or min(shape, default=1) < 0 or math.prod(shape) > 64 * COUNTS_LEN:
            raise Unreadable("an array is impossible")
        flat = np.zeros(math.prod(shape), name)
        flat[np.asarray(places, np.int64)] = values
        return flat.reshape(shape)

    def _packed_of(self, told: Any) -> Any:
        name, shape, text = told
        if name not in _NUMBERS or min(shape, default=1) < 0 or math.prod(shape) > 64 * COUNTS_LEN:
            raise Unreadable("an array is impossible")
        little = np.dtype(name).newbyteorder("<")
        size = math.prod(shape) * little.itemsize
        data = zlib.decompressobj().decompress(base64.b64decode(text), size + 1)  # however much it says it holds
        if len(data) != size:
            raise Unreadable("an array is damaged")
        return np.frombuffer(data, little).astype(name).reshape(shape)

    def _histogram_of(self, told: Any) -> Any:
        number, text, min_ns, max_ns, overflow = told
        histogram = Histogram.decode(text)
        extremes_are_known = type(min_ns) is int and type(max_ns) is int and 0 <= min_ns <= max_ns
        if extremes_are_known != bool(histogram.total) or not 0 <= overflow <= histogram.total:
            raise Unreadable("a histogram's extremes are impossible")
        histogram.min_ns, histogram.max_ns, histogram.overflow = min_ns, max_ns, overflow
        return self._keep(number, histogram)

    def _object_of(self, told: Any) -> Any:
        number, name, attributes = told
        cls = _class_of(name)
        if cls is None:
            raise Unreadable(f"it has a '{str(name)[:60]}'")
        made = self._keep(number, object.__new__(cls))
        vars(made).update({str(key): self.read(item) for key, item in attributes.items()})
        return made

    def _same_of(self, told: Any) -> Any:
        return self._objects[told]

    def _keep(self, number: Any, made: Any) -> Any:
        if len(self._objects) > _MOST_OBJECTS:
            raise Unreadable("the snapshot is too large")
        self._objects[number] = made
        return made


def _class_of(name: Any) -> type | None:
    """One of this package's classes that boards are made of, by ``module:Class``."""
    module, _, qualified = str(name).partition(":")
    if not (module in _MODULES or module.startswith(_STUDY)) or module not in sys.modules:
        return None
    found = getattr(sys.modules[module], qualified, None)
    return found if isinstance(found, type) and found.__module__ == module else None
