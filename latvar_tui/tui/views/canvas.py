"""Characters with a style each, and dots finer than characters: what curves are drawn on. No widget, no state kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.cells import cell_len
from rich.style import Style

from latvar_tui.tui.line_widget import Span

DOTS_ACROSS, DOTS_DOWN = 2, 4
"""Dots of a cell, in braille."""

_BITS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_BRAILLE = 0x2800

Dots = dict[tuple[int, int], int]
"""(row, column) of a cell → its dots, as braille counts them."""


def trace(heights: Sequence[int | None], first: int = 0) -> Dots:
    """A line through one dot a dot column, its rows counted from the top; gaps where there is None.

    Neighbours are joined by a run of dots, half of it in each of their columns.

    Args:
        heights: dot rows, from dot column ``first`` on.
    """
    dots: Dots = {}
    before: int | None = None
    for place, row in enumerate(heights, first):
        if row is None:
            before = None
            continue
        column, bit = divmod(place, DOTS_ACROSS)
        reach = range(row, row + 1)
        if before is not None and abs(row - before) > 1:
            middle = (row + before) // 2
            reach = range(middle, row + 1) if row > before else range(row, middle + 1)
            for each in range(before, middle + 1) if row > before else range(middle, before + 1):
                _dot(dots, each, *divmod(place - 1, DOTS_ACROSS))
        for each in reach:
            _dot(dots, each, column, bit)
        before = row
    return dots


def straight(x0: int, y0: int, x1: int, y1: int) -> list[int]:
    """Dot rows of a straight line, one for each dot column from x0 to x1."""
    across = max(1, x1 - x0)
    return [y0 + round((y1 - y0) * step / across) for step in range(x1 - x0 + 1)]


def braille(bits: int) -> str:
    """The character of a cell's dots."""
    return chr(_BRAILLE | bits)


def _dot(dots: Dots, row: int, column: int, bit: int) -> None:
    cell = row // DOTS_DOWN, column
    dots[cell] = dots.get(cell, 0) | _BITS[row % DOTS_DOWN][bit]


class Canvas:
    """A grid of cells, blank at first; what is put on it later lies on top."""

    def __init__(self, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self._letters = [[" "] * columns for _ in range(rows)]
        self._styles: list[list[Style | None]] = [[None] * columns for _ in range(rows)]

    def put(self, dots: Dots, style: Style, letter: str = "") -> None:
        """A line; as braille, or by a ``letter`` a cell where there is none."""
        for (row, column), bits in dots.items():
            if 0 <= row < self.rows and 0 <= column < self.columns:
                self._letters[row][column] = letter or braille(bits)
                self._styles[row][column] = style

    def write(self, row: int, column: int, text: str, style: Style | None = None) -> None:
        """Text, cut off at the edges."""
        if not 0 <= row < self.rows:
            return
        for letter in text:
            width = cell_len(letter)
            if column + width > self.columns:
                return
            if column >= 0:
                for place in range(width):
                    self._letters[row][column + place] = "" if place else letter
                    self._styles[row][column + place] = style
            column += width

    def spans(self) -> Iterable[list[Span]]:
        """Each row's, top first."""
        for letters, styles in zip(self._letters, self._styles, strict=True):
            spans: list[Span] = []
            begin = 0
            for at in range(1, self.columns + 1):
                if at == self.columns or styles[at] is not styles[begin]:
                    text, style = "".join(letters[begin:at]), styles[begin]
                    spans.append(text if style is None else (text, style))
                    begin = at
            yield spans
