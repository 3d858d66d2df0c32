"""A board fed from a recording: what a session's frames add up to, whoever reads them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from latvar_tui import wire
from latvar_tui.candidate import UsageError, parse_candidate
from latvar_tui.format import printable
from latvar_tui.session.layout import SessionError
from latvar_tui.study.board import Board

MOST_CELLS = 4096


class BoardFeed:
    """Takes frames into a board: candidates join as they come, and what a board cannot take is left out."""

    def __init__(self, board: Board, name: str, note: Callable[[str], object]) -> None:
        """``name`` is the session's, for a refusal; ``note`` takes sentences on what had to be left out."""
        self.board = board
        self._name, self._note = name, note
        self._known = {contender.id for contender in board.contenders}
        self._cells = {(contender.id, str(condition)) for contender, condition, _ in board.cells()}
        self._hellos = bool(board.device)
        self.refused = 0
        """Frames that the board could not take."""

    def join(self, text: str) -> None:
        """Let a candidate join."""
        self._known.add(text)
        with suppress(UsageError):
            candidate = parse_candidate(text, 1)
            if str(candidate) == text and len(self.board.contenders) < MOST_CELLS:
                self.board.add(candidate)
                return
        self._note(f"The candidate '{printable(text[:80])}' is none that this version knows: it is left out.")

    def take(self, frame: wire.Frame) -> bool:
        """Take one frame in; whether the board could.

        Raises:
            SessionError: the cells are too many.
        """
        if isinstance(frame, wire.State | wire.Slice) and frame.candidate not in self._known:
            self.join(frame.candidate)
        if isinstance(frame, wire.Hello):
            if self._hellos:
                self.board.restart()  # its probe had died, and was started again
            self._hellos = True
        elif isinstance(frame, wire.Slice):
            self._cells.add((frame.candidate, frame.condition))
            if len(self._cells) > MOST_CELLS:
                raise SessionError(
                    f"The session '{self._name}' has more than {MOST_CELLS} cells: no latvar-tui recorded that."
                )
        try:
            self.board.take(frame)
        except (ValueError, OverflowError, TypeError):
            self.refused += 1
            return False
        return True
