"""HdrHistogram logs: their header and lines, as HistogramLogWriter.java (format 1.3) writes them.

    Tag=<tag>,<start, s>,<length, s>,<max, ms>,<compressed V2 histogram, base64>

Start is relative to the base time in the header, the histogram counts nanoseconds, and the maximum is divided by the
Java logger's own default, 10⁶: milliseconds. Ours is the exact one, not its bucket's highest value.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from latvar_tui import hdr_codec, wire
from latvar_tui.session.slice_text import Pairs

LONGEST_LINE = wire.MAX_LINE_BYTES


def header(base_wall_ns: int, what: str) -> bytes:
    """The comments and the legend that a log begins with. ``base_wall_ns``: what starts are relative to, since 1970."""
    base_s = base_wall_ns / 1e9
    # Java prints its Date so, and its reader wants something behind the comma.
    date = time.strftime("%a %b %d %H:%M:%S UTC %Y", time.gmtime(base_s))
    return (
        f"#latvar-tui: {what}, in ns, of each slice; a tag is candidate|condition, with ; for ,\n"
        "#[Histogram log format version 1.3]\n"
        f"#[BaseTime: {base_s:.3f} (seconds since epoch)]\n"
        f"#[StartTime: {base_s:.3f} (seconds since epoch), {date}]\n"
        '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"\n'
    ).encode()


class Tags:
    """Tags for candidates and conditions: without what a tag may not hold, and no two alike."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], str] = {}
        self._taken: set[str] = set()

    def of(self, candidate: str, condition: str) -> str:
        """``squeezenet1_1@threads=2;spin=on|0xcpu@100%``; the same one whenever asked."""
        key = candidate, condition
        if key not in self._known:
            text = f"{candidate}|{condition}".replace(",", ";")
            # Java's scanner ends a tag at a comma or a line break, and other tools at any blank.
            plain = "".join(c if c.isprintable() and not c.isspace() else "_" for c in text)
            tag, number = plain, 1
            while tag in self._taken:  # two cells under one tag would be added up
                number += 1
                tag = f"{plain}~{number}"
            self._taken.add(tag)
            self._known[key] = tag
        return self._known[key]


def stamp(frame_start_ns: int, base_ns: int) -> str:
    """When a slice began, as a line says it."""
    return f"{(frame_start_ns - base_ns) / 1e9:.3f}"


def line(tag: str, start: str, length_ns: int, max_ns: int, pairs: Pairs) -> bytes:
    """One slice's line. ``start`` as :func:`stamp` gives it; ``max_ns`` is exact.

    Raises:
        ValueError: as :func:`hdr_codec.encode_sparse`.
    """
    text = hdr_codec.encode_sparse(pairs[:, 0], pairs[:, 1])
    return f"Tag={tag},{start},{length_ns / 1e9:.3f},{max_ns / 1e6:.3f},{text}\n".encode()


@dataclass(frozen=True)
class Line:
    """A line that has been read; its histogram is decoded when asked for."""

    tag: str
    start: str
    length: str
    text: str

    @property
    def start_s(self) -> float:
        """Raises ValueError if it is no number."""
        return float(self.start)

    def pairs(self) -> Pairs:
        """Raises ValueError: as :func:`hdr_codec.decode_sparse`."""
        return np.column_stack(hdr_codec.decode_sparse(self.text))


def lines(file: BinaryIO) -> Iterator[Line]:
    """The whole lines of a log from where ``file`` stands; what is none (comments, damage, a torn end) is left out."""
    while raw := file.readline(LONGEST_LINE):
        if not raw.startswith(b"Tag=") or not raw.endswith(b"\n"):
            continue
        parts = raw[4:-1].decode(errors="replace").split(",")
        if len(parts) == 5:
            yield Line(parts[0], parts[1], parts[2], parts[4])


class Follower:
    """Walks along a log beside the frames."""

    def __init__(self, file: BinaryIO | None) -> None:
        self._lines = iter(()) if file is None else lines(file)
        self._line = next(self._lines, None)

    def at(self, start: str) -> Pairs:
        """The pairs of the slice that began then; lines before it have lost their frame and are passed over.

        Raises:
            ValueError: the log has none, or a damaged one.
        """
        start_s = float(start)
        while self._line is not None:
            line = self._line
            if line.start == start:
                self._line = next(self._lines, None)
                return line.pairs()
            with suppress(ValueError):
                if line.start_s > start_s:
                    break
            self._line = next(self._lines, None)
        raise ValueError("the log lacks it")
