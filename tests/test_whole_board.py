"""Snapshots of the board that a screen shows: they hold what the session's files hold, whatever the screen forgets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from latvar_tui import wire
from latvar_tui.session.layout import BOARD
from latvar_tui.session.reader import Session
from latvar_tui.session.recorder import SessionRecorder
from latvar_tui.study.board import Board
from tests.scripted_link import board_of
from tests.session_files import CANDIDATES, numbers, recorder_of, some_frames


class Screen:
    """Takes frames as the live screen does, in batches, with the gap behind each."""

    def __init__(self, folder: Path) -> None:
        self.board: Board = board_of(CANDIDATES)
        self.recorder: SessionRecorder = recorder_of(folder)
        self.recorder.follow(self.board)

    def take(self, frames: list[wire.Frame]) -> None:
        for frame in frames:
            self.recorder.take(frame)
        for frame in frames:
            self.board.take(frame)

    def forget(self, how: str) -> None:
        if how == "cleared":
            self.recorder.part()
            self.board.clear()
        elif how == "one leaves":
            self.recorder.part()
            self.board.remove(self.board.contenders[0])
        elif how == "not recorded for a while":
            self.recorder.switch()


def shown(folder: Path) -> tuple[Any, list[str]]:
    return Session(folder).shown(lambda board: (numbers(board), list(board.notes)))


@pytest.mark.parametrize("how", ["nothing", "cleared", "one leaves", "not recorded for a while"])
@pytest.mark.parametrize("in_the_gap", [True, False])
def test_a_snapshot_says_what_the_files_say(tmp_path: Path, how: str, in_the_gap: bool) -> None:
    frames = some_frames()
    screen = Screen(tmp_path / "a")
    screen.take(frames[:31])
    if in_the_gap:
        screen.recorder.flush_in_gap()
    screen.forget(how)
    screen.take(frames[31:50])
    screen.recorder.flush_in_gap()
    if not screen.recorder.is_on:
        screen.recorder.switch()
    screen.take(frames[50:])
    screen.recorder.close("done")
    with_snapshot = shown(tmp_path / "a")
    (tmp_path / "a" / BOARD).unlink()
    assert with_snapshot == shown(tmp_path / "a")
    if how == "nothing":
        assert with_snapshot[0] == numbers(screen.board)
    elif how == "cleared":
        assert with_snapshot[0] != numbers(screen.board)
