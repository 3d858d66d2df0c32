"""A panel of the live screen: lines made from the board and the view, whenever either changes."""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache

from rich.cells import cell_len
from rich.style import Style
from textual._context import NoActiveAppError
from textual.strip import Strip

from latvar_tui.format import distinct
from latvar_tui.study.board import Board, Contender
from latvar_tui.tui.line_widget import LineWidget
from latvar_tui.tui.looks import Looks
from latvar_tui.tui.palette import DIM, candidate_style, letter, spot
from latvar_tui.tui.view import View


class BoardPanel(LineWidget):
    """Subclasses say which lines fill a size; the rest is here."""

    def __init__(self, board: Board, view: View, *, ascii: bool = False, id: str | None = None) -> None:
        super().__init__(id=id)
        self._board, self._view, self._only_ascii = board, view, ascii
        self._worn: Looks | None = None

    @property
    def _looks(self) -> Looks:
        """What this terminal has; outside of an application everything. Asked for in every line: one answer a frame."""
        if self._worn is not None:
            return self._worn
        with suppress(NoActiveAppError):
            looks = getattr(self.app, "looks", None)
            return looks if isinstance(looks, Looks) else Looks()
        return Looks()

    @property
    def _ascii(self) -> bool:
        """Whether to draw with ASCII alone: asked for, or all that this terminal has."""
        return self._only_ascii or self._looks.ascii

    def draw(self, width: int, height: int) -> list[Strip]:
        """At most ``height`` lines of at most ``width`` cells."""
        raise NotImplementedError

    def redraw(self) -> None:
        """Bring the lines up to date."""
        width, height = self.size
        if width and height:
            self._worn = self._looks
            self.set_lines(self.draw(width, height))
            self._worn = None

    def on_resize(self) -> None:
        self.redraw()

    def is_selected(self, contender: Contender) -> bool:
        return self._board.contenders[self._view.selected] is contender

    def marker(self, contender: Contender) -> str:
        """What stands before a candidate's name: whether it is selected, and a spot of its colour (a cross: failed)."""
        slot = contender.slot
        sign = spot(slot, ascii=self._ascii) if self._looks.depth else letter(slot)
        if contender.is_out:
            sign = "x" if self._ascii else "✗"
        selected = ">" if self._ascii else "▸"
        return f"{selected if self.is_selected(contender) else ' '}{sign} "

    def name_style(self, contender: Contender) -> Style:
        """Its colour; grey while another one runs alone."""
        rests = self._board.only is not None and self._board.only is not contender
        return DIM if rests else candidate_style(contender.slot)


@lru_cache(maxsize=32)
def names_that_differ(names: tuple[str, ...], cells: int) -> tuple[str, ...]:
    """As :func:`latvar_tui.format.distinct`, in cells of the screen: there is room for half as many wide characters."""
    widest = max((cell_len(name) / max(1, len(name)) for name in names), default=1.0)
    return tuple(distinct(names, cells if widest <= 1 else cells // 2))
