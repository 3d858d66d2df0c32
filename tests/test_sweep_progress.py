"""What a sweep shows while it runs."""

from __future__ import annotations

import io

from rich.console import Console

from latvar_tui import headless, wire
from latvar_tui.condition import Condition
from latvar_tui.session.recorder import NotRecording
from latvar_tui.study.board import Board
from latvar_tui.study.plan import Goal, Plan
from latvar_tui.sweep_progress import LEGEND, SweepProgress
from latvar_tui.sweeping import Sweep
from tests.scripted_link import board_of
from tests.scripted_probe import ScriptedProbe, reversing

NAMES = ["squeezenet1_1", "mobilenet_v2", "resnet18"]


def shown(is_terminal: bool, *, dies: tuple[str, int] | None = None) -> tuple[list[str], str]:
    """The pictures, and what went to the terminal."""
    out = io.StringIO()
    console = Console(file=out, force_terminal=is_terminal, width=80)
    board = board_of(NAMES)
    course = Sweep(board, Plan([Condition(0), Condition(2)], Goal(300.0), 3))
    pictures: list[str] = []

    class Looking(SweepProgress):
        def sliced(self, board: Board, frame: wire.Slice, elapsed_s: float) -> None:
            super().sliced(board, frame, elapsed_s)
            if frame.seq % 10 == 0:
                plain = Console(file=io.StringIO(), width=80)
                with plain.capture() as captured:
                    plain.print(self.picture())
                pictures.append(captured.get())

    with Looking(board, course, console) as progress:
        headless.measure(ScriptedProbe(NAMES, reversing, dies=dies), board, course, progress, NotRecording())
    return pictures, out.getvalue()


def test_the_cells_go_from_waiting_to_settled() -> None:
    pictures, written = shown(True)
    first, last = pictures[0].splitlines(), pictures[-1].splitlines()
    assert first[1].split() == ["idle", "2", "stress"]
    assert [line.split()[0] for line in first[2:5]] == NAMES
    assert "·" in pictures[0] and "○" in pictures[0] and "●" not in "".join(first[2:5])
    assert "●" in "".join(last[2:5]) and "·" not in "".join(last[2:5])
    assert "round" in first[5] and first[6] == LEGEND
    assert "about" in first[0] and "at most 05:00 in all" in first[0]
    assert all(len(line) <= 80 for picture in pictures for line in picture.splitlines())
    assert "○" in written


def test_one_that_failed_says_so() -> None:
    from tests.scripted_link import line_up

    pictures, _ = shown(True, dies=(str(line_up(NAMES)[2]), 40))
    assert pictures[-1].splitlines()[4].split() == ["resnet18", "failed", "failed"]


def test_without_a_terminal_nothing_is_drawn() -> None:
    assert shown(False)[1] == ""
