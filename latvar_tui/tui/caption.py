"""The tour's caption over the live screen: which step, what to see in it, and what goes on from here."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from textual.strip import Strip

from latvar_tui.tui.line_widget import LineWidget, line
from latvar_tui.tui.palette import DIM, STRONG, WARNING

HEIGHTS = ((100, 4), (70, 5), (0, 8))
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


@dataclass(frozen=True)
class Told:
    """Where the tour is, how far, and what it says; ``is_live`` is false while a recording stands in: it is marked."""

    where: str = ""
    state: str = ""
    sentences: Sequence[str] = ()
    is_live: bool = True

    def lines(self, width: int, height: int) -> list[Strip]:
        """One line of where it is, in the others what it says."""
        mark = "" if self.is_live else "RECORDING  "
        where, state, room = self.where, self.state, width - len(mark) - 2
        if len(where) + len(state) + 1 > room:
            state = state.partition(" (")[0]
        if len(where) + len(state) + 1 > room:
            where = where.partition(" · ")[0]
        gap = " " * max(1, room - len(where) - len(state))
        head = line((" " + mark, WARNING), (where, STRONG), gap, (f"{state} ", DIM), width=width)
        return [head, *(line(f" {said}", width=width) for said in fitted(self.sentences, width - 2, height - 1))]


class Caption(LineWidget):
    """What the tour tells, above the histograms."""

    told = Told()

    def show(self, told: Told) -> None:
        self.told = told
        width, height = self.size
        if width and height:
            self.set_lines(told.lines(width, height))

    def on_resize(self) -> None:
        self.show(self.told)
