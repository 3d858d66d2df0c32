"""Histograms and their axis as text: pure functions, no widget, no state.

Heights are fractions of the whole chart (0 to 1, one a column); a cell is split into eighths by
the block elements ▁ to █. Three shapes share the chart:

- `whole`, everything measured under this condition, dim, behind;
- `recent`, the last seconds, bright, in front of it;
- `ghost`, a kept baseline, an outline: a thin mark where its top meets an otherwise empty cell.

A cell has two colours, and where the recent shape ends inside a cell there may be three layers
(recent, whole above it, nothing above that). The rule is *nearest rendering*, in eighths:
the recent glyph on a background of the whole shape's colour paints the empty part (8 - whole)
wrongly; leaving the whole shape out of this cell loses (whole - recent). The smaller error wins,
and the plainer cell wins a tie. All other cells are exact.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray
from rich.style import Style


class _Glyphs:
    """What a cell shows, by how many eighths of it a shape fills (0 to 8)."""

    def __init__(self, whole: str, recent: str, ghost: str) -> None:
        self.whole = np.array(list(whole))
        self.recent = np.array(list(recent))
        self.ghost = np.array(list(ghost))


_UNICODE = _Glyphs(whole=" ▁▂▃▄▅▆▇█", recent=" ▁▂▃▄▅▆▇█", ghost=" ▁▁─────▔")
# No colours may be at hand here, so that the shapes must differ by their characters.
ASCII = _Glyphs(whole=" ....::::", recent=" .:-=+**#", ghost=" ^^^^^^^^")
SHADED = _Glyphs(whole=" ░░░░▒▒▒▒", recent=" ▁▂▃▄▅▆▇█", ghost=" ▁▁─────▔")
"""Likewise without colours, where there are more characters."""

_BLANK, _WHOLE, _RECENT, _BOTH, _GHOST = range(5)


@dataclass(frozen=True)
class BarStyles:
    """The colours of the three shapes; only their foregrounds are used for cells with two."""

    whole: Style
    recent: Style
    ghost: Style

    @cached_property
    def by_kind(self) -> tuple[Style, ...]:
        """Styles by cell kind: blank, whole, recent, recent on whole, ghost."""
        both = self.recent + Style(bgcolor=self.whole.color)
        # Blank cells in the whole shape's style: most of them border on it, so it saves a change.
        return (self.whole, self.whole, self.recent, both, self.ghost)


def _levels(heights: ArrayLike | None, columns: int, rows: int, step: int) -> NDArray[np.int64]:
    """Heights in eighths of a cell, rounded to `step`; what isn't zero stays visible."""
    if heights is None:
        return np.zeros(columns, np.int64)
    given = np.asarray(heights, np.float64)
    drawn = given > 0.0  # not so for NaN
    levels = np.rint(np.where(drawn, np.minimum(given, 1.0), 0.0) * (rows * 8 / step)) * step
    return np.where(drawn, np.maximum(levels, step), 0.0).astype(np.int64)


def _columns(*shapes: ArrayLike | None) -> int:
    lengths = {len(np.asarray(shape)) for shape in shapes if shape is not None}
    if len(lengths) > 1:
        raise ValueError(f"the shapes have different numbers of columns: {sorted(lengths)}")
    return lengths.pop() if lengths else 0


def histogram_rows(
    whole: ArrayLike | None,
    recent: ArrayLike | None,
    ghost: ArrayLike | None,
    rows: int,
    *,
    styles: BarStyles,
    ascii: bool = False,
    half_rows: bool = False,
) -> list[list[tuple[str, Style]]]:
    """Draw up to three histograms over each other.

    Args:
        whole, recent, ghost: Heights from 0 to 1, one a column, or None for no such shape. Any
            height above 0 is drawn at least one step high.
        rows: Height of the chart in cells.
        styles: Colours of the shapes.
        ascii: Use only ASCII characters.
        half_rows: Round heights to half cells: a fifth fewer bytes on a live screen.

    Returns:
        `rows` rows, top first; each a list of spans whose texts add up to one cell a column.
    """
    columns = _columns(whole, recent, ghost)
    step = 4 if half_rows else 1
    whole_top, recent_top, ghost_top = (_levels(h, columns, rows, step) for h in (whole, recent, ghost))
    # All rows at once (top first): NumPy's cost a call is what counts at this size.
    base = 8 * np.arange(rows - 1, -1, -1)[:, None]
    in_whole = np.clip(whole_top - base, 0, 8)
    in_recent = np.clip(recent_top - base, 0, 8)
    is_recent = in_recent > 0
    kinds = np.where(is_recent, _RECENT, np.where(in_whole > 0, _WHOLE, _BLANK))
    if not ascii:  # its characters have no background to show
        partly = is_recent & (in_recent < 8) & (in_whole > in_recent)
        kinds[partly & (8 - in_whole < in_whole - in_recent)] = _BOTH
    glyphs = ASCII if ascii else _UNICODE
    cells = np.where(is_recent, glyphs.recent[in_recent], glyphs.whole[in_whole])
    if ghost is not None:
        in_ghost = ghost_top - base
        outline = (kinds == _BLANK) & (in_ghost >= 1) & (in_ghost <= 8)
        kinds[outline] = _GHOST
        cells[outline] = glyphs.ghost[in_ghost[outline]]
    kinds[kinds == _BLANK] = _WHOLE  # blanks don't count as a change of style
    cuts = kinds[:, 1:] != kinds[:, :-1]
    return [
        _spans("".join(row), row_kinds, np.flatnonzero(row_cuts) + 1, styles.by_kind)
        for row, row_kinds, row_cuts in zip(cells.tolist(), kinds.tolist(), cuts, strict=True)
    ]


def _spans(
    text: str, kinds: Sequence[int], cuts: NDArray[np.int64], styles: Sequence[Style]
) -> list[tuple[str, Style]]:
    """Cut a row where its style changes."""
    edges = [0, *cuts.tolist(), len(text)]
    return [(text[start:end], styles[kinds[start]]) for start, end in pairwise(edges) if end > start]


def log_count_heights(counts: ArrayLike, floor: float = 0.0) -> NDArray[np.float64]:
    """Heights that show a tail beside its peak, and a single observation as little more than one.

    Args:
        counts: Observations a column, none negative.
        floor: Least height of a column that has any observation; an eighth of the lowest cell is
            `1 / (8 * rows)`.

    Returns:
        `log(1 + count) / log(1 + peak)`, within 0 and 1, a column; 0 where there is nothing.
    """
    counted = np.asarray(counts, np.float64)
    peak = counted.max(initial=0.0)
    if peak <= 0.0:
        return np.zeros(counted.shape)
    heights = np.log1p(counted) / np.log1p(peak)
    return np.where(counted > 0.0, np.clip(heights, floor, 1.0), 0.0)


def axis_column(value_ns: float, low_ns: float, high_ns: float, columns: int) -> int:
    """The column of a log axis from low to high in which a value lies; outside it, the nearest."""
    share = math.log(max(value_ns, low_ns) / low_ns) / math.log(high_ns / low_ns)
    # A hair more, so that a value on a column's edge isn't thrown below it by rounding.
    return min(columns - 1, int(share * columns + 1e-9))


@lru_cache(maxsize=64)
def axis_ticks(low_ns: float, high_ns: float, columns: int) -> str:
    """The labels of a log axis in milliseconds: 1, 2, 5 of each decade as far as they fit.

    Args:
        low_ns: Left edge of the first column in nanoseconds, above 0.
        high_ns: Right edge of the last column in nanoseconds, above `low_ns`.
        columns: Width of the axis in cells.

    Returns:
        A line exactly `columns` long. Each label is centred on its column, at least a space
        from the next; ones are placed first, then fives, then twos, and other digits only where these give
        fewer than two labels. The unit ends the line.
    """
    unit = " ms"
    cells = [" "] * columns
    room = columns - len(unit)
    if room > 0:
        cells[room:] = unit
    decades = range(math.floor(math.log10(low_ns / 1e6)), math.ceil(math.log10(high_ns / 1e6)) + 1)
    placed = 0
    for digit in (1, 5, 2, 3, 7, 4, 6, 8, 9):
        # A narrow range may hold no or one round label: then any digit is better than none.
        if digit == 3 and placed > 1:
            break
        for decade in decades:
            value_ns = digit * 10.0 ** (decade + 6)
            if not low_ns * (1 - 1e-9) <= value_ns <= high_ns * (1 + 1e-9):
                continue
            label = f"{digit}{'0' * decade}" if decade >= 0 else f"0.{'0' * (-decade - 1)}{digit}"
            start = axis_column(value_ns, low_ns, high_ns, columns) - len(label) // 2
            start = max(0, min(start, room - len(label)))
            end = start + len(label)
            if end <= room and all(cell == " " for cell in cells[max(0, start - 1) : end + 1]):
                cells[start:end] = label
                placed += 1
    return "".join(cells)
