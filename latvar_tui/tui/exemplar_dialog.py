"""The slowest inferences of the selected candidate, over the live screen: as they were when it was drawn."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from textual.binding import Binding, BindingType

from latvar_tui.exemplars_report import slowest_as_text
from latvar_tui.study.board import Board, Contender
from latvar_tui.tui.dialogs import TextDialog


class ExemplarDialog(TextDialog):
    """The table of one cell; ``o`` closes it, too."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("o", "dismiss_dialog", "close")]

    def __init__(self, board: Board, contender: Contender) -> None:
        super().__init__("slowest", partial(slowest_as_text, board, contender, board.condition))
