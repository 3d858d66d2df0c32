"""One candidate's quantile in digits that the last row of a hall can read, over the live board (key ``g``)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from rich.style import Style
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.strip import Strip

from latvar_tui.format import ms, plural, quantile_name, three_digits
from latvar_tui.histogram import Histogram
from latvar_tui.study.board import Board, Contender
from latvar_tui.study.quantiles import is_provisional
from latvar_tui.tui.board_panel import BoardPanel
from latvar_tui.tui.line_widget import line
from latvar_tui.tui.palette import DIM, STRONG, candidate_style, spot
from latvar_tui.tui.view import View

_PIXELS = {
    "0": ("###", "# #", "# #", "# #", "###"),
    "1": (" # ", "## ", " # ", " # ", "###"),
    "2": ("###", "  #", "###", "#  ", "###"),
    "3": ("###", "  #", "###", "  #", "###"),
    "4": ("# #", "# #", "###", "  #", "  #"),
    "5": ("###", "#  ", "###", "  #", "###"),
    "6": ("###", "#  ", "###", "# #", "###"),
    "7": ("###", "  #", "  #", "  #", "  #"),
    "8": ("###", "# #", "###", "# #", "###"),
    "9": ("###", "# #", "###", "  #", "###"),
    ".": (" ", " ", " ", " ", "#"),
    "~": ("    ", " # #", "# # ", "    ", "    "),
    "–": ("   ", "   ", "###", "   ", "   "),
    "×": ("   ", "# #", " # ", "# #", "   "),
    " ": (" ", " ", " ", " ", " "),
}
"""Our own digits, five pixels high."""

ROWS_SMALLEST = 3


def large(text: str, width: int, height: int, *, ascii: bool = False) -> list[str]:
    """The text in the largest of these digits that fit: three rows high, or a multiple of five; none if none do."""
    for scale in range(height // 5, 0, -1):
        rows = _scaled(text, scale, "#" if ascii else "█")
        if len(rows[0]) <= width:
            return rows
    if height < ROWS_SMALLEST:
        return []
    rows = _in_three_rows(text, ascii)
    return rows if len(rows[0]) <= width else []


def _pixels(text: str) -> list[str]:
    glyphs = [_PIXELS.get(letter, _PIXELS[" "]) for letter in text]
    return [" ".join(glyph[row] for glyph in glyphs) for row in range(5)]


def _scaled(text: str, scale: int, full: str) -> list[str]:
    """A pixel is twice as many cells wide as it is high, as cells are narrow."""
    rows = []
    for row in _pixels(text):
        cells = "".join((full if pixel == "#" else " ") * (2 * scale) for pixel in row)
        rows += [cells] * scale
    return rows


def _in_three_rows(text: str, ascii: bool) -> list[str]:
    """Two rows of pixels a row of cells; in ASCII a cell has one, and the lower of the two shows."""
    pixels = [*_pixels(text), " " * len(_pixels(text)[0])]
    halves = "_'#" if ascii else "▄▀█"
    rows = []
    for upper, lower in zip(pixels[::2], pixels[1::2], strict=True):
        rows.append(
            "".join(
                halves[2] if a == b == "#" else halves[1] if a == "#" else halves[0] if b == "#" else " "
                for a, b in zip(upper, lower, strict=True)
            )
        )
    return rows


Words = Callable[[int, int], Sequence[Strip]]
"""What stands above the digits: lines for so many columns, and so many rows at most."""


class LargeLines(BoardPanel):
    """The digits and the words around them; ``words`` come from a tour, say."""

    def __init__(self, board: Board, view: View, words: Words | None = None, *, ascii: bool = False) -> None:
        super().__init__(board, view, ascii=ascii)
        self._words = words

    def draw(self, width: int, height: int) -> list[Strip]:
        board, quantile, window_s = self._board, self._view.ranked_by, self._view.window_s
        top = list(self._words(width, height // 3)) if self._words is not None else []
        if not board.contenders:
            return top
        contender = board.contenders[min(self._view.selected, len(board.contenders) - 1)]
        cell = board.cell(contender, board.condition)
        value, beside = "–", ""
        if cell is not None and cell.latency.total:
            now = cell.latency if window_s is None else cell.recent(board.now_ns, window_s)
            if now.total:
                unsure = "~" if is_provisional(now, quantile) else ""
                value = f"{unsure}{ms(now.quantile_ns(quantile))}"
            beside = _beside(board, contender, now, quantile)
        threads = board.condition.stress_threads
        under = "idle" if not threads else plural(threads, "stress thread")
        colour = candidate_style(contender.slot)
        bold = colour + Style(bold=True)
        head = line((f"{spot(contender.slot, ascii=self._ascii)} ", colour), (contender.name, bold), width=width)
        window = "" if window_s is None else f", {window_s:.0f} s"
        name = line((f"{quantile_name(quantile)} in ms, {under}{window}", STRONG), width=width)
        foot = line((beside, DIM), width=width)
        room = height - len(top) - 6
        # Blank stretches without a colour: pictures of the screen lose those that begin a coloured one.
        digits = [
            line(*((run, colour) if run.strip() else run for run in _runs(row)))
            for row in large(value, width - 2, room, ascii=self._ascii)
        ]
        digits = digits or [line((f"{value} ms", bold))]
        inside = [head, name, Strip([]), *digits, Strip([]), foot]
        pad = max(0, (height - len(top) - len(inside)) // 2)
        centred = [_centred(strip, width) for strip in inside]
        return [*top, *([Strip([])] * pad), *centred][:height]


def _beside(board: Board, contender: Contender, now: Histogram, quantile: float) -> str:
    """The same when idle, and how many times as long it is."""
    idle = board.cell(contender, board.condition.without_stress())
    if board.condition.is_idle or idle is None or not idle.latency.total:
        return ""
    was, is_now = idle.latency.quantile_ns(quantile), now.quantile_ns(quantile)
    unsure = "~" if is_provisional(idle.latency, quantile) or is_provisional(now, quantile) else ""
    times = f", {unsure}{three_digits(is_now / was)}×" if was and is_now else ""
    return f"idle: {'~' if is_provisional(idle.latency, quantile) else ''}{ms(was)}{times}"


def _runs(row: str) -> list[str]:
    return re.findall(" +|[^ ]+", row)


def _centred(strip: Strip, width: int) -> Strip:
    left = max(0, (width - strip.cell_length) // 2)
    return Strip([*line(" " * left), *strip]) if left else strip


class LargePrint(Screen[None]):
    """A screen of its own, so that whatever else is shown stays as it is; the live screen's keys work on it."""

    DEFAULT_CSS = "LargePrint LargeLines { width: 1fr; height: 1fr; }"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("g,escape", "dismiss_print", "back")]

    def __init__(self, board: Board, view: View, words: Words | None = None, *, ascii: bool = False) -> None:
        super().__init__()
        self._content = LargeLines(board, view, words, ascii=ascii)

    def compose(self) -> ComposeResult:
        yield self._content

    def redraw(self) -> None:
        """Show what is known now."""
        self._content.redraw()

    def action_dismiss_print(self) -> Any:
        self.dismiss()
