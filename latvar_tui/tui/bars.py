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
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from rich.style import Style

from latvar_tui.tui.cells import Alphabet, Cells


class _Glyphs:
    """What a cell shows, by how many eighths of it a shape fills (0 to 8)."""

    def __init__(self, whole: str, recent: str, ghost: str) -> None:
        self.whole, self.recent, self.ghost = whole, recent, ghost


_UNICODE = _Glyphs(whole=" ▁▂▃▄▅▆▇█", recent=" ▁▂▃▄▅▆▇█", ghost=" ▁▁─────▔")
# No colours may be at hand here, so that the shapes must differ by their characters.
ASCII = _Glyphs(whole=" ....::::", recent=" .:-=+**#", ghost=" ^^^^^^^^")
SHADED = _Glyphs(whole=" ░░░░▒▒▒▒", recent=" ▁▂▃▄▅▆▇█", ghost=" ▁▁─────▔")
"""Likewise without colours, where there are more characters."""

_WHOLE, _RECENT, _BOTH, _GHOST = range(4)
_LEVELS = 9
"""A cell is a number: its kind (blank ones are of the whole shape, none of it) times this, and its eighths."""


def _number_of(whole: int, recent: int, *, ascii: bool) -> int:
    """The cell that so many eighths of the two shapes make."""
    if not recent:
        return _WHOLE * _LEVELS + whole
    # ASCII characters have no background to show.
    both = not ascii and recent < 8 and whole > recent and 8 - whole < whole - recent
    return (_BOTH if both else _RECENT) * _LEVELS + recent


_NUMBERS = {
    ascii: np.array(
        [[_number_of(whole, recent, ascii=ascii) for recent in range(_LEVELS)] for whole in range(_LEVELS)], np.uint8
    ).ravel()
    for ascii in (False, True)
}


@dataclass(frozen=True)
class BarStyles:
    """The colours of the three shapes; only their foregrounds are used for cells with two."""

    whole: Style
    recent: Style
    ghost: Style

    @cached_property
    def alphabets(self) -> tuple[Alphabet, Alphabet]:
        """What the cells of a histogram show, with all characters and with ASCII alone."""
        # Blank cells are in the whole shape's style: most of them border on it, so it saves a change.
        by_kind = (self.whole, self.recent, self.recent + Style(bgcolor=self.whole.color), self.ghost)
        styles = tuple(style for style in by_kind for _ in range(_LEVELS))
        texts = (glyphs.whole + glyphs.recent + glyphs.recent + glyphs.ghost for glyphs in (_UNICODE, ASCII))
        return Alphabet(next(texts), styles), Alphabet(next(texts), styles)


def _levels(heights: ArrayLike | None, columns: int, rows: int, step: int) -> NDArray[np.int16]:
    """Heights in eighths of a cell, rounded to `step`; what isn't zero stays visible."""
    if heights is None:
        return np.zeros(columns, np.int16)
    given = np.asarray(heights, np.float64)
    drawn = given > 0.0  # not so for NaN
    levels = np.rint(np.where(drawn, np.minimum(given, 1.0), 0.0) * (rows * 8 / step)) * step
    return np.where(drawn, np.maximum(levels, step), 0.0).astype(np.int16)


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
) -> list[Cells]:
    """Draw up to three histograms over each other.

    Args:
        whole, recent, ghost: Heights from 0 to 1, one a column, or None for no such shape. Any
            height above 0 is drawn at least one step high.
        rows: Height of the chart in cells.
        styles: Colours of the shapes.
        ascii: Use only ASCII characters.
        half_rows: Round heights to half cells: a fifth fewer bytes on a live screen.

    Returns:
        `rows` rows, top first; each one cell a column.
    """
    columns = _columns(whole, recent, ghost)
    step = 4 if half_rows else 1
    whole_top, recent_top = (_levels(heights, columns, rows, step) for heights in (whole, recent))
    # All rows at once (top first), and small numbers: NumPy's cost a call and cold caches are what counts here.
    base = 8 * np.arange(rows - 1, -1, -1, dtype=np.int16)[:, None]
    in_whole, in_recent = (np.minimum(np.maximum(top - base, 0), 8) for top in (whole_top, recent_top))
    numbers = _NUMBERS[ascii][in_whole * np.int16(_LEVELS) + in_recent]
    if ghost is not None:
        in_ghost = _levels(ghost, columns, rows, step) - base
        outline = (numbers == 0) & (in_ghost >= 1) & (in_ghost <= 8)
        numbers[outline] = _GHOST * _LEVELS + in_ghost[outline]
    drawn, alphabet = numbers.tobytes(), styles.alphabets[ascii]
    return [Cells(drawn[row * columns : (row + 1) * columns], alphabet) for row in range(rows)]


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
