"""Going on with a recorded session: a new session that holds both, and a probe whose frames fit behind the old ones.

The old session stays as it is. Its frames are copied into the new one, which so is a session like any other: whatever
reads sessions needs to know nothing of it, and no number depends on a second folder that may be moved or removed. What
the new probe sends is put on the old one's clock (which began with another start of the device, perhaps), by what the
wall clocks say; its rounds and slices are numbered on, so that no round of now is taken for one of then.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from latvar_tui import wire
from latvar_tui.candidate import Candidate, UsageError, parse_candidate
from latvar_tui.condition import Condition, parse_condition
from latvar_tui.headless import Probe
from latvar_tui.session.board_feed import BoardFeed
from latvar_tui.session.reader import Session
from latvar_tui.session.recorder import Recorder
from latvar_tui.study.board import Board

_SAME = ("name", "cpu", "cores", "onnxruntime")
"""Facts of a device that make it another one: its times do not belong into the same cells."""

_APART_NS = 1_000_000_000


class Continued:
    """A sweep that was recorded, and goes on."""

    def __init__(self, session: Session) -> None:
        """Raises UsageError: it was no sweep."""
        self.session = session
        options = session.about.get("options")
        self._options: dict[str, Any] = options if isinstance(options, dict) else {}
        texts = self._options.get("conditions")
        try:
            self.conditions: list[Condition] = [parse_condition(str(text)) for text in texts or ()]
            self.candidates: list[Candidate] = [parse_candidate(text, 1) for text in session.candidates]
        except ValueError as error:  # a UsageError is one
            raise UsageError(f"The session '{session.folder}' cannot go on: {error}") from error
        if not isinstance(texts, list) or not self.conditions or not self.candidates:
            raise UsageError(f"The session '{session.folder}' was no sweep: --resume goes on with sweeps alone.")
        self._hello: wire.Hello | None = None
        self._last: wire.Slice | None = None

    @property
    def slice_ms(self) -> float:
        """As it was: a cell's slices are of one length."""
        told = self._options.get("slice_ms")
        return float(told) if isinstance(told, int | float) and 20 <= told <= 10_000 else 250.0

    @property
    def asked(self) -> dict[str, Any]:
        """What else that sweep was asked for: the quantile, a deadline, the literature's question."""
        quantile, late = self._options.get("quantile"), self._options.get("deadline_ms")
        return {
            "quantile": float(quantile) if isinstance(quantile, int | float) and 0 < quantile < 100 else None,
            "deadline_ms": float(late) if isinstance(late, int | float) and late > 0 else None,
            "paper": self._options.get("paper") is True,
        }

    def copy(self, board: Board, recorder: Recorder) -> None:
        """Let a board and a recorder take all of it, before anything new."""
        recorder.follow(board)
        feed = BoardFeed(board, str(self.session.folder), self.session.notes.append)
        for frame in self.session.frames():
            if isinstance(frame, wire.Hello):
                self._hello = self._hello or frame
            if not feed.take(frame):
                continue
            recorder.take(frame)
            recorder.flush_in_gap()
            if isinstance(frame, wire.Slice):
                self._last = frame
        board.notes.extend(note for note in self.session.notes if note not in board.notes)
        board.restart()

    def behind(self, link: Probe) -> ContinuedLink:
        """What ``link`` sends, on the old session's clock; after :meth:`copy`."""
        last = self._last
        if last is None:
            return ContinuedLink(link, self._hello)
        return ContinuedLink(link, self._hello, last.seq, last.round, last.end_ns)


class ContinuedLink:
    """A probe that seems to go on where another one stopped."""

    def __init__(
        self, link: Probe, hello: wire.Hello | None, seq: int = 0, round_number: int = -1, end_ns: int = 0
    ) -> None:
        """``seq``, ``round_number`` and ``end_ns`` are of the last slice before."""
        self._link, self._hello = link, hello
        self._seq, self._round, self._end_ns = seq, round_number, end_ns
        self._offset_ns = 0

    def send(self, command: wire.Command) -> None:
        """A slice is answered by the number that the probe gave it."""
        if isinstance(command, wire.Go) and command.seq:
            command = wire.Go(command.seq - self._seq)
        self._link.send(command)

    def frames(self) -> Iterator[wire.Frame]:
        """Raises LinkLost as the link does; UsageError: this is another device."""
        for frame in self._link.frames():
            yield self._fitted(frame)

    def _fitted(self, frame: wire.Frame) -> wire.Frame:
        match frame:
            case wire.Hello():
                self._meet(frame)
                return replace(frame, monotonic_ns=frame.monotonic_ns + self._offset_ns)
            case wire.Slice():
                return replace(
                    frame,
                    seq=frame.seq + self._seq,
                    round=frame.round + self._round + 1,
                    start_ns=frame.start_ns + self._offset_ns,
                    end_ns=frame.end_ns + self._offset_ns,
                    slowest=[[one[0] + self._offset_ns, *one[1:]] for one in frame.slowest],
                )
            case wire.Note() if frame.at_ns:
                return replace(frame, at_ns=frame.at_ns + self._offset_ns)
            case _:
                return frame

    def _meet(self, hello: wire.Hello) -> None:
        """Find out how far apart the two clocks are."""
        before = self._hello
        if before is None:
            return
        other = [name for name in _SAME if before.device.get(name) != hello.device.get(name)]
        if other:
            told = ", ".join(f"{name} {before.device.get(name)} and not {hello.device.get(name)}" for name in other)
            raise UsageError(f"The session cannot go on here, for it is of another device ({told}): sweep anew.")
        begun_ns = before.monotonic_ns + hello.wall_ns - before.wall_ns
        # A wall clock that was set back must not let the new slices begin before the old ones have ended.
        begun_ns = max(begun_ns, self._end_ns + _APART_NS)
        self._offset_ns = begun_ns - hello.monotonic_ns
