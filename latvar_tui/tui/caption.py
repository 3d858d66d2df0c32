"""The tour's caption over the live screen: which step, what to see in it, and what goes on from here."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from textual.strip import Strip

from latvar_tui.tui.line_widget import LineWidget, line
from latvar_tui.tui.palette import DIM, STRONG, WARNING

HEIGHTS = ((100, 5), (70, 5), (0, 8))
"""From so many columns on, so many rows: narrow screens wrap more."""


def caption_rows(columns: int, rows: int) -> int:
    """How many rows the caption takes of a screen; the histograms keep theirs."""
    wanted = next(height for least, height in HEIGHTS if columns >= least)
    return max(2, min(wanted, rows // 4))


def fitted(sentences: Sequence[str], columns: int, rows: int) -> list[str]:
    """The lines of as many whole sentences as fit; of the first one what does."""
    shown: list[str] = []
    for number in range(len(sentences), 0, -1):
        shown = textwrap.wrap(" ".join(sentences[:number]), max(1, columns))
        if len(shown) <= rows:
            return shown
    return [*shown[: rows - 1], f"{shown[rows - 1][: columns - 1]}…"] if shown and rows else []


class Caption(LineWidget):
    """One line of where the tour is, the others what it says."""

    _told: tuple[str, str, Sequence[str], bool] = ("", "", (), False)

    def show(self, where: str, state: str, sentences: Sequence[str], is_live: bool) -> None:
        """``is_live`` is false while a recording stands in for the device: it is marked."""
        self._told = (where, state, sentences, is_live)
        width, height = self.size
        if not width or not height:
            return
        mark = "" if is_live else "RECORDING  "
        room = width - len(mark) - 3
        if len(where) + len(state) + 2 > room:
            where = where.partition(" · ")[0]
        gap = " " * max(1, room - len(where) - len(state) + 1)
        head = line((" " + mark, WARNING), (where, STRONG), gap, (f"{state} ", DIM), width=width)
        text = [line(f" {said}", width=width) for said in fitted(sentences, width - 2, height - 1)]
        strips: list[Strip] = [head, *text]
        self.set_lines(strips)

    def on_resize(self) -> None:
        self.show(*self._told)
