"""The slowest inferences of the selected candidate, over the live screen: as they were when it was drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from latvar_tui.exemplars_report import slowest_as_text
from latvar_tui.format import printable
from latvar_tui.study.board import Board, Contender
from latvar_tui.tui.dialogs import TextDialog


class _Fitted(Static):
    """Text that is made for the width it gets."""

    def __init__(self, lines_at: Callable[[int], Sequence[str]]) -> None:
        super().__init__(markup=False)
        self._lines_at = lines_at

    def on_resize(self, event: events.Resize) -> None:
        self.update("\n".join(map(printable, self._lines_at(event.size.width))))


class ExemplarDialog(TextDialog):
    """The table of one cell; ``o`` closes it, too."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("o", "dismiss_dialog", "close")]

    def __init__(self, board: Board, contender: Contender) -> None:
        super().__init__("slowest", "")
        self._lines_at = partial(slowest_as_text, board, contender, board.condition)

    def compose(self) -> ComposeResult:
        with VerticalScroll() as box:
            box.border_title = self._title
            box.border_subtitle = "esc closes"
            yield _Fitted(self._lines_at)
