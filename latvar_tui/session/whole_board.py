"""What a session adds up to, for its snapshots: the screen's own board, as long as that one holds the same.

Adding every slice up a second time would cost a fifth of a frame.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from contextlib import suppress

from latvar_tui import wire
from latvar_tui.candidate import Candidate, UsageError, parse_candidate
from latvar_tui.study.board import Board


class WholeBoard:
    """A board of all that a session's files hold; of its own, or somebody's who lets it take the same frames."""

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        self._board = Board(candidates)
        self._is_shared = False
        self._holds_more = False
        self._ahead = 0
        self._slices = 0

    @property
    def board(self) -> Board | None:
        """The board; None while it holds something that the files do not."""
        return None if self._holds_more else self._board

    def follow(self, board: Board) -> None:
        """From here on it is ``board``, whose owner lets it take every frame that is told here."""
        self._board, self._is_shared = board, True

    def part(self, ahead: int) -> None:
        """The board that is followed is about to lose something that the files keep: go on with a copy.

        It has had so many frames already that are still to be told here.
        """
        if self._is_shared:
            self._board, self._is_shared, self._ahead = copy.deepcopy(self._board), False, ahead

    def take(self, frame: wire.Frame) -> None:
        """A frame that the files hold."""
        if self._has_had_it():
            return
        match frame:
            case wire.Hello() if self._slices:
                self._board.restart()
            case wire.State():
                with suppress(UsageError):  # somebody else's line-up
                    self._board.add(parse_candidate(frame.candidate, 1))
            case wire.Slice():
                self._slices += 1
        self._board.take(frame)

    def leave_out(self) -> None:
        """A frame that the files do not hold."""
        self._holds_more = self._has_had_it() or self._holds_more

    def begin_anew(self) -> None:
        """The files begin anew, with what comes from here on."""
        self.part(0)
        self._board.clear()
        self._holds_more = False

    def _has_had_it(self) -> bool:
        if self._ahead:
            self._ahead -= 1
            return True
        return self._is_shared
