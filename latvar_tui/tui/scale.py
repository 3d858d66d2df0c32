"""The scale of latencies that all views share, and its labels where it stands upright."""

from __future__ import annotations

import math
from functools import lru_cache

from latvar_tui.study.board import Board

DEFAULT_NS = (1e6, 1e8)
"""Before anything has been measured."""


def bounds_ns(board: Board) -> tuple[float, float]:
    """From where to where all cells' latencies lie, in 1-2-5 steps: one scale for all candidates and conditions.

    It grows as there is more to show, and shrinks with cleared counts only.
    """
    extremes = [(cell.latency.min_ns, cell.latency.max_ns) for _, _, cell in board.cells() if cell.latency.total]
    if not extremes:
        return DEFAULT_NS
    return (
        step_below(min(low for low, _ in extremes if low is not None)),
        step_above(max(high for _, high in extremes if high is not None)),
    )


def step_below(value_ns: float) -> float:
    """The largest of 1, 2, 5 times a power of ten that is not above the value."""
    power = 10.0 ** math.floor(math.log10(max(1.0, value_ns)))
    return max(step * power for step in (1, 2, 5) if step * power <= max(1.0, value_ns))


def step_above(value_ns: float) -> float:
    """The smallest of 1, 2, 5 times a power of ten that is above the value."""
    power = 10.0 ** math.floor(math.log10(max(1.0, value_ns)))
    return min(step * power for step in (2, 5, 10) if step * power > value_ns)


def row_of(value_ns: float, low_ns: float, high_ns: float, rows: int) -> int:
    """The row, from the top, in which a value lies on an upright log scale; outside it, the nearest."""
    share = math.log(max(value_ns, low_ns) / low_ns) / math.log(high_ns / low_ns)
    return rows - 1 - max(0, min(rows - 1, int(share * rows + 1e-9)))


@lru_cache(maxsize=64)
def upright_labels(low_ns: float, high_ns: float, rows: int) -> tuple[str, ...]:
    """A label in milliseconds, or nothing, for each row of an upright log scale, top first.

    Ones are placed first, then fives, then twos, none next to another where there is room for few.
    """
    labels = [""] * rows
    decades = range(math.floor(math.log10(low_ns / 1e6)), math.ceil(math.log10(high_ns / 1e6)) + 1)
    for digit in (1, 5, 2):
        for decade in decades:
            value_ns = digit * 10.0 ** (decade + 6)
            if not low_ns * (1 - 1e-9) <= value_ns <= high_ns * (1 + 1e-9):
                continue
            row = row_of(value_ns, low_ns, high_ns, rows)
            if not any(labels[max(0, row - 1) : row + 2]):
                labels[row] = f"{digit}{'0' * decade}" if decade >= 0 else f"0.{'0' * (-decade - 1)}{digit}"
    return tuple(labels)
