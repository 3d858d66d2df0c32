"""Two histograms over each other: one filled, the other an outline, both with bright tops. Pure functions."""

from __future__ import annotations

from itertools import groupby

import numpy as np
from numpy.typing import NDArray
from rich.style import Style

from latvar_tui.tui.bars import BarStyles
from latvar_tui.tui.line_widget import Span

_TOPS, _MARKS = np.array(list(" ▁▂▃▄▅▆▇█")), np.array(list(" ▁▁─────▔"))
_ASCII_TOPS, _ASCII_MARKS = np.array(list(" ########")), np.array(list(" ^^^^^^^^"))
_SAME = 10_000.0
"""Both are drawn as if so many had been counted: one that is twice as fast has twice as many."""


def same_heights(one: NDArray[np.float64], other: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Heights (0 to 1) of two histograms' columns, as the logarithm of their shares, on one scale."""
    shares = [counts / max(1.0, counts.sum()) for counts in (one, other)]
    logs = [np.log1p(share * _SAME) for share in shares]
    most = max(float(log.max(initial=0.0)) for log in logs)
    return tuple(log / most if most else log for log in logs)


def overlaid(
    filled: NDArray[np.float64],
    outline: NDArray[np.float64],
    rows: int,
    styles: tuple[BarStyles, BarStyles],
    ascii: bool,
) -> list[list[Span]]:
    """Rows of spans, top first, from heights (0 to 1) a column and the colours of both."""
    base = 8 * np.arange(rows - 1, -1, -1)[:, None]
    levels = [
        np.where(heights > 0, np.maximum(np.rint(heights * rows * 2) * 4, 4), 0).astype(np.int64)
        for heights in (filled, outline)
    ]
    fill = np.clip(levels[0] - base, 0, 8)
    is_top = (fill > 0) & (levels[0] - base <= 8)
    mark = levels[1] - base
    has_mark = (mark >= 1) & (mark <= 8)
    tops, marks = (_ASCII_TOPS, _ASCII_MARKS) if ascii else (_TOPS, _MARKS)
    letters = np.where(has_mark, marks[np.clip(mark, 0, 8)], np.where(is_top | (not ascii), tops[fill], "."))
    letters = np.where((fill == 0) & ~has_mark, " ", letters)
    on_fill = has_mark & (fill == 8) & (not ascii)
    kinds = np.select([on_fill, has_mark, is_top], [3, 2, 1], 0)
    own, other = styles
    behind = other.recent + Style(bgcolor=own.whole.color)
    shown = (own.whole, own.recent, other.recent, behind)
    return [
        [("".join(letter for letter, _ in run), shown[kind]) for kind, run in _runs(row, row_kinds)]
        for row, row_kinds in zip(letters.tolist(), kinds.tolist(), strict=True)
    ]


def _runs(row: list[str], kinds: list[int]) -> groupby[int, tuple[str, int]]:
    return groupby(zip(row, kinds, strict=True), lambda cell: cell[1])
