"""The panels of all views, by the names of their table (:mod:`latvar_tui.tui.views.names`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from latvar_tui.study.board import Board
from latvar_tui.tui.board_panel import BoardPanel
from latvar_tui.tui.view import View
from latvar_tui.tui.views.answers import Answers
from latvar_tui.tui.views.compare import ComparePanel
from latvar_tui.tui.views.device import DevicePanel
from latvar_tui.tui.views.matrix import MatrixPanel
from latvar_tui.tui.views.percentiles import PercentilesPanel
from latvar_tui.tui.views.ranks import RanksPanel
from latvar_tui.tui.views.timeline import TimelinePanel


def panels(board: Board, view: View, answers: Answers, log: Callable[[], Sequence[str]]) -> dict[str, BoardPanel]:
    """By its name a panel for each view but the overview, which has two of its own. None is shown yet."""
    made: dict[str, BoardPanel] = {
        "compare": ComparePanel(board, view, answers, id="view-compare"),
        "percentiles": PercentilesPanel(board, view, id="view-percentiles"),
        "timeline": TimelinePanel(board, view, id="view-timeline"),
        "matrix": MatrixPanel(board, view, answers, id="view-matrix"),
        "ranks": RanksPanel(board, view, answers, id="view-ranks"),
        "device": DevicePanel(board, view, log=log, id="view-device"),
    }
    for panel in made.values():
        panel.display = False
        panel.add_class("view")
    return made
