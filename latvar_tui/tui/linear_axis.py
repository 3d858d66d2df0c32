"""The linear axis of the histograms: where it ends, and its labels."""

from __future__ import annotations

import math
from functools import lru_cache

from latvar_tui.study.board import Board

_TAIL = 99.9
"""A single outlier would press all else into the first column; so the axis ends with this quantile (percent)."""


def linear_end_ns(board: Board, otherwise_ns: float) -> float:
    """Where the axis ends: the slowest cell's p99.9, rounded up so that it seldom moves."""
    ends = [cell.latency.quantile_ns(_TAIL) for _, _, cell in board.cells() if cell.latency.total]
    found = max((end for end in ends if end is not None), default=None)
    return otherwise_ns if found is None else _rounded_up(float(found))


def _rounded_up(value_ns: float) -> float:
    """The smallest of some steps times a power of ten that is above the value."""
    power = 10.0 ** math.floor(math.log10(max(1.0, value_ns)))
    return min(step * power for step in (1.5, 2, 3, 4, 5, 6, 8, 10) if step * power > value_ns)


@lru_cache(maxsize=64)
def linear_ticks(high_ns: float, columns: int, *, beyond: bool) -> str:
    """The labels of an axis from 0 to ``high_ns`` in milliseconds, ``columns`` long; the unit ends the line.

    Each label is centred on its column. ``beyond``: there is more than the axis shows, and a plus says so.
    """
    unit = "+ ms" if beyond else "  ms"
    cells = [" "] * columns
    room = columns - len(unit)
    if room > 0:
        cells[room:] = unit
    step_ns = _step_ns(high_ns, max(2, columns // 12))
    decimals = max(0, -math.floor(math.log10(step_ns / 1e6) + 1e-9))
    for place in range(int(high_ns / step_ns + 1e-9) + 1):
        label = f"{place * step_ns / 1e6:.{decimals}f}" if place else "0"
        column = min(columns - 1, int(place * step_ns / high_ns * columns + 1e-9))
        start = max(0, column - len(label) // 2)
        end = start + len(label)
        if end <= room and all(cell == " " for cell in cells[max(0, start - 1) : end + 1]):
            cells[start:end] = label
    return "".join(cells)


def _step_ns(high_ns: float, most: int) -> float:
    """A 1-2-5 step of which at most so many fit."""
    power = 10.0 ** math.floor(math.log10(high_ns / most))
    return next(step * power for step in (1, 2, 5, 10) if step * power * most >= high_ns * (1 - 1e-9))
