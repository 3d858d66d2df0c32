"""A recorded session, played: stands where the link to a probe stands, and fills its board in recorded time.

The board takes each frame here, at the moment when it is due, and not when the screen gets round to it: so a jump back
cannot meet frames that were on their way. There is a timer, for nothing is measured.
"""

from __future__ import annotations

import asyncio
import copy
import os
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from latvar_tui import wire
from latvar_tui.session.layout import INTERVALS, SessionError
from latvar_tui.session.reader import Session
from latvar_tui.session.recorder import NotRecording
from latvar_tui.study.board import Board

SPEEDS = (1.0, 4.0, 16.0, float("inf"))
"""Seconds of the recording a second; the last is as fast as it can be drawn."""

PIECE_S = 0.05
"""What is due is taken for so long, then drawn and keys answered, and then the rest."""

_CHECKPOINT_S = 30.0
_MOST_CHECKPOINTS = 32
_TAIL_BYTES = 1 << 20


class Replayed(NotRecording):
    """In place of a recorder: what is played is not recorded once more."""

    state = "recording"

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def switch(self) -> str:
        """There is nothing to switch."""
        return "This is a recording: it is not recorded once more."


@dataclass
class _Checkpoint:
    """The board once the slice that began then had been taken, with so many other frames."""

    at_ns: int
    start_ns: int
    others: int
    board: Board


class Replay:
    """Plays a session; see :class:`latvar_tui.tui.feed.FrameSource` for what the screen asks of it.

    Times are ns on the recording's clock, from where the session (or its chosen part) begins.
    """

    def __init__(self, session: Session, from_s: float = 0.0, to_s: float | None = None) -> None:
        """Only slices that began within [``from_s``, ``to_s``) of the session are played; both in seconds."""
        self.session = session
        self.log: deque[str] = deque()
        self.speed = SPEEDS[0]
        self.paused = False
        self.has_ended = False
        self._from_s, self._to_s = from_s, to_s
        self._begin_ns = session.base_ns + round(from_s * 1e9)
        end_ns = _end_ns(session)
        if to_s is not None:
            end_ns = min(end_ns, session.base_ns + round(to_s * 1e9))
        self._end_ns = max(self._begin_ns, end_ns)
        self._feed = session.new_feed()
        self.board = self._feed.board
        """What is known by now. It stays the same object whatever is jumped to."""
        self._checkpoints: list[_Checkpoint] = []
        self._every_ns = round(_CHECKPOINT_S * 1e9)
        self._begin(None)
        # The clock: where it stood when it was looked at last, and when that was; it stands still before the first go.
        self._at_ns = self._begin_ns
        self._looked_s: float | None = None
        self._held = False
        self._pipes = [os.pipe(), os.pipe()]
        self._woken = False
        self._timer: asyncio.TimerHandle | None = None

    # -- what the user sees and moves ---------------------------------------------------------------------

    @property
    def name(self) -> str:
        return self.session.folder.resolve().name

    @property
    def at_ns(self) -> int:
        """How far it is."""
        return min(self._clock(), self._end_ns) - self._begin_ns

    @property
    def length_ns(self) -> int:
        return self._end_ns - self._begin_ns

    def toggle_pause(self) -> None:
        """Hold the playing, or go on."""
        self._at_ns, self.paused = self._clock(), not self.paused
        self._looked_s = time.monotonic()
        self._arm()

    def next_speed(self) -> None:
        """Faster, and after the fastest the recording's own pace."""
        self._at_ns, self._looked_s = self._clock(), time.monotonic()
        self.speed = SPEEDS[(SPEEDS.index(self.speed) + 1) % len(SPEEDS)]
        self._arm()

    def jump(self, to_ns: int) -> None:
        """Go to a time, forwards or back; what lies on the way is taken in pieces, the first one at once.

        From there on it plays at the recording's pace if it had none: it would be gone again at once.
        """
        if self.speed == SPEEDS[-1]:
            self.speed = SPEEDS[0]
        to_ns = self._begin_ns + max(0, min(to_ns, self.length_ns))
        if to_ns < self._taken_ns:
            self._go_back(to_ns)
        self._at_ns, self._looked_s = to_ns, time.monotonic()
        self._take_due()
        self._arm()

    # -- what the screen asks of a link -------------------------------------------------------------------

    @property
    def descriptors(self) -> tuple[int, int]:
        return self._pipes[0][0], self._pipes[1][0]

    def receive(self) -> list[wire.Frame]:
        """The frames that are due; the board has them already."""
        if self._woken:
            self._woken = False
            os.read(self.descriptors[0], 1)
        taken = self._take_due()
        if not any(isinstance(frame, wire.Slice) for frame in taken):
            self._arm()  # else once they have been drawn
        return taken

    def read_log(self) -> bool:
        """There is none."""
        return False

    def send(self, command: wire.Command) -> None:
        """What has been drawn lets it go on; ctrl-z holds it. Nothing else in it can be changed."""
        match command:
            case wire.Go():
                if self._looked_s is None:
                    self._looked_s = time.monotonic()
                self._arm()
            case wire.Hold():
                self._at_ns, self._held = self._clock(), True
            case wire.Resume():
                self._looked_s, self._held = time.monotonic(), False
                self._arm()

    def close(self) -> None:
        """Let everything go. Safe to call twice."""
        if self._timer is not None:
            self._timer.cancel()
        for ends in self._pipes:
            for fd in ends:
                os.close(fd)
        self._pipes = []

    # -- time ---------------------------------------------------------------------------------------------

    def _clock(self) -> int:
        """Where the recording's clock stands."""
        if self.speed == SPEEDS[-1]:  # it has no pace: what has been taken says
            return max(self._at_ns, self._taken_ns)
        if self.paused or self._held or self._looked_s is None:
            return self._at_ns
        return self._at_ns + round(self.speed * (time.monotonic() - self._looked_s) * 1e9)

    def _arm(self) -> None:
        """Wake when the next slice is due."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._looked_s is None or self.has_ended or not self._pipes:
            return
        due_ns = self._due_ns()
        wait_s = 0.0
        if due_ns is not None and due_ns > self._clock():
            if self.paused or self._held:
                return
            wait_s = (due_ns - self._clock()) / 1e9 / self.speed
        self._timer = asyncio.get_running_loop().call_later(wait_s, self._wake)

    def _wake(self) -> None:
        if self._pipes and not self._woken:
            self._woken = True
            os.write(self._pipes[0][1], b"x")

    # -- frames -------------------------------------------------------------------------------------------

    def _begin(self, checkpoint: _Checkpoint | None) -> None:
        """Read on behind a checkpoint, or from the beginning."""
        self.has_ended = False
        self._skip = self._others = 0
        self._taken_ns = self._started_ns = self._begin_ns
        from_s = self._from_s
        if checkpoint is not None:
            self._skip = self._others = checkpoint.others
            self._taken_ns, self._started_ns = checkpoint.at_ns, checkpoint.start_ns
            from_s = (checkpoint.start_ns + 1 - self.session.base_ns) / 1e9
        self._frames: Iterator[wire.Frame] = self.session.frames(from_s, self._to_s)
        self._next: wire.Frame | None = None
        self._looked_ahead = False

    def _peek(self) -> wire.Frame | None:
        """The next frame; None at the end."""
        if not self._looked_ahead:
            self._looked_ahead = True
            try:
                while True:
                    self._next = next(self._frames, None)
                    if self._skip and self._next is not None and not isinstance(self._next, wire.Slice):
                        self._skip -= 1
                        continue
                    break
            except SessionError as error:
                self._next = None
                self.board.notes.append(str(error))
        return self._next

    def _due_ns(self) -> int | None:
        """When the next frame is due: a slice when it ended, anything else with the slice before it."""
        frame = self._peek()
        return frame.end_ns if isinstance(frame, wire.Slice) else None

    def _take_due(self) -> list[wire.Frame]:
        """Take what is due, for PIECE_S at most."""
        taken: list[wire.Frame] = []
        until_s = time.monotonic() + PIECE_S
        runs = self.speed == SPEEDS[-1] and not (self.paused or self._held or self._looked_s is None)
        while (frame := self._peek()) is not None:
            due_ns = self._due_ns()
            if due_ns is not None and due_ns > self._clock() and not runs:
                return taken
            taken.append(frame)
            self._take(frame)
            if isinstance(frame, wire.Slice) and time.monotonic() >= until_s:
                return taken
        if not self.has_ended:
            self.has_ended = True
            self.session.finished(self._feed)
        return taken

    def _take(self, frame: wire.Frame) -> None:
        self._looked_ahead = False
        with suppress(SessionError):  # more cells than can be believed: the others are shown
            self._feed.take(frame)
        if not isinstance(frame, wire.Slice):
            self._others += 1
            return
        self._taken_ns, self._started_ns = frame.end_ns, frame.start_ns
        self._end_ns = max(self._end_ns, frame.end_ns)  # the session has grown since
        last_ns = self._checkpoints[-1].at_ns if self._checkpoints else self._begin_ns
        if frame.end_ns - last_ns >= self._every_ns:
            self._keep_checkpoint()

    def _keep_checkpoint(self) -> None:
        """Spare a jump back most of the reading: boards as they were, fewer the longer the session is."""
        board = copy.deepcopy(self.board)
        self._checkpoints.append(_Checkpoint(self._taken_ns, self._started_ns, self._others, board))
        if len(self._checkpoints) > _MOST_CHECKPOINTS:
            self._checkpoints = self._checkpoints[1::2]
            self._every_ns *= 2

    def _go_back(self, to_ns: int) -> None:
        usable = [checkpoint for checkpoint in self._checkpoints if checkpoint.at_ns <= to_ns]
        self.board.become(copy.deepcopy(usable[-1].board) if usable else self.session.new_feed().board)
        self._feed = self.session.feed_of(self.board)
        self._begin(usable[-1] if usable else None)


def _end_ns(session: Session) -> int:
    """When its last slice ended, on the recording's clock; of one that was cut off, as far as its log tells."""
    ended = (session.ended or {}).get("monotonic_ns")
    if type(ended) is int and session.base_ns <= ended < 1 << 63:
        return ended
    with suppress(OSError), open(session.folder / INTERVALS, "rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(0, file.tell() - _TAIL_BYTES))
        for text in reversed(file.read(_TAIL_BYTES).decode(errors="replace").split("\n")[:-1]):
            parts = text.split(",")
            if text.startswith("Tag=") and len(parts) == 5:
                with suppress(ValueError, OverflowError):
                    return session.base_ns + round(min(float(parts[1]) + float(parts[2]), 1e9) * 1e9)
    return session.base_ns
