"""Two histograms over each other: one filled, the other an outline, both with bright tops. Pure functions."""

from __future__ import annotations

from itertools import groupby

import numpy as np
from numpy.typing import NDArray
from rich.style import Style

from latvar_tui.tui.bars import BarStyles
from latvar_tui.tui.line_widget import Span
from latvar_tui.tui.views.canvas import DOTS_ACROSS, DOTS_DOWN, Dots, braille, trace

_TOPS, _ASCII_TOPS = np.array(list(" ▁▂▃▄▅▆▇█")), np.array(list(" ########"))


def same_heights(one: NDArray[np.float64], other: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Heights (0 to 1) of two histograms' columns on one scale, the logarithm of their counts.

    As if both had counted as many as the larger one: a candidate that is twice as fast has twice as many.
    """
    most_counted = max(float(counts.sum()) for counts in (one, other))
    shares = [counts / max(1.0, counts.sum()) for counts in (one, other)]
    logs = [np.log1p(share * most_counted) for share in shares]
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
    own, other = styles
    base = 8 * np.arange(rows - 1, -1, -1)[:, None]
    top = np.where(filled > 0, np.maximum(np.rint(filled * rows * 2) * 4, 4), 0).astype(np.int64)
    fill = np.clip(top - base, 0, 8)
    is_top = (fill > 0) & (top - base <= 8)
    letters = np.where(is_top | (not ascii), (_ASCII_TOPS if ascii else _TOPS)[fill], np.where(fill > 0, ".", " "))
    kinds = np.where(is_top, 1, 0)
    for (row, column), bits in _outline(outline, rows).items():
        letters[row, column] = "^" if ascii else braille(bits)
        kinds[row, column] = 3 if fill[row, column] == 8 and not ascii else 2
    shown = (own.whole, own.recent, other.recent, other.recent + Style(bgcolor=own.whole.color))
    return [
        [("".join(letter for letter, _ in run), shown[kind]) for kind, run in _runs(row, row_kinds)]
        for row, row_kinds in zip(letters.tolist(), kinds.tolist(), strict=True)
    ]


def _outline(heights: NDArray[np.float64], rows: int) -> Dots:
    """A line along the tops; gaps where nothing was counted."""
    dots = rows * DOTS_DOWN
    tops = np.clip(np.rint(heights * (dots - 1)), 0, dots - 1).astype(np.int64)
    found = [
        dots - 1 - top if height > 0 else None for top, height in zip(tops.tolist(), heights.tolist(), strict=True)
    ]
    return trace([top for top in found for _ in range(DOTS_ACROSS)])


def _runs(row: list[str], kinds: list[int]) -> groupby[int, tuple[str, int]]:
    return groupby(zip(row, kinds, strict=True), lambda cell: cell[1])
