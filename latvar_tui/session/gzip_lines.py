"""Lines out of gzip members that follow each other: as far as they are whole, and no more than can be believed."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import BinaryIO

from latvar_tui import wire
from latvar_tui.session.layout import FRAMES, SessionError

_CHUNK = 1 << 18
_MEMBER = b"\x1f\x8b\x08\x00"
_MOST_DAMAGES = 1000
_MOST_TIMES = 200
"""Our frames become 4 to 10 times as long again. What becomes a thousand times as long was made to fill a memory."""


class Lines:
    """Iterates once. ``damage`` is a sentence once something could not be read, and empty otherwise.

    A member that just ends is none: the recorder was killed there.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.damage = ""
        self._in = self._out = self._damages = 0

    def __iter__(self) -> Iterator[bytes]:
        rest = b""
        for piece in self._unpacked():
            if piece is None:  # what follows belongs to another stretch
                rest = b""
                continue
            *whole, rest = (rest + piece).split(b"\n")
            yield from whole
            if len(rest) > wire.MAX_LINE_BYTES:
                self._damaged()
                rest = b""
        if rest:
            self.damage = self.damage or "The last frame was torn off, and is left out."

    def _unpacked(self) -> Iterator[bytes | None]:
        inflater = zlib.decompressobj(31)
        packed = b""
        while True:
            if not packed:
                packed = self._file.read(_CHUNK)
                self._in += len(packed)
                if not packed:
                    return
            try:
                piece = inflater.decompress(packed, _CHUNK)
            except zlib.error:
                self._damaged()
                yield None
                self._damages += 1
                if self._damages > _MOST_DAMAGES:  # each costs a look through a chunk
                    return
                packed = self._next_member(packed[1:] if packed.startswith(_MEMBER) else packed)
                inflater = zlib.decompressobj(31)
                continue
            self._out += len(piece)
            if self._out > _MOST_TIMES * self._in + (1 << 20):
                raise SessionError(f"The session's {FRAMES} expands beyond belief: no latvar-tui recorded that.")
            yield piece
            packed = inflater.unconsumed_tail
            if inflater.eof:
                packed = inflater.unused_data
                inflater = zlib.decompressobj(31)

    def _next_member(self, packed: bytes) -> bytes:
        """What is left from the beginning of the next member on."""
        while (at := packed.find(_MEMBER)) < 0:
            more = self._file.read(_CHUNK)
            self._in += len(more)
            if not more:
                return b""
            packed = packed[-len(_MEMBER) + 1 :] + more
        return packed[at:]

    def _damaged(self) -> None:
        self.damage = f"A part of {FRAMES} is damaged, and is left out."
