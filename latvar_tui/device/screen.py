"""The probe's end of the link to its screen: frames out, commands in, and how long a gap is waited for."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from dataclasses import replace

from latvar_tui import wire
from latvar_tui.device.pace import LONGEST_PATIENCE_S, Pace


class Ended(BaseException):
    """The screen has gone, or said quit. Not an Exception: a sensor's handler must not swallow it."""


class Screen:
    """Whoever started the probe, here or elsewhere."""

    def __init__(self, commands_fd: int, frames_fd: int) -> None:
        self.commands_fd = commands_fd
        self._frames_fd = frames_fd
        self._splitter = wire.LineSplitter()
        self._pace = Pace(time.monotonic())
        self._said_at_s: float | None = None  # when the last slice's frame was sent, until it is drawn
        self.gated = False
        """Whether it shares this device, and is waited for."""
        self._asked = self._answered = 0
        self.went = -1
        """The last slice's frame that it has drawn; 0: ready to draw."""

    def say(self, frame: wire.Frame) -> None:
        """Send a frame.

        Raises:
            Ended: nobody is there to read it.
        """
        data = memoryview(wire.encode(frame))
        try:
            while data:
                data = data[os.write(self._frames_fd, data) :]
        except BrokenPipeError as error:
            raise Ended from error

    def ask(self, state: wire.State, listen: Callable[[float], object]) -> None:
        """Tell a state in a gap, and stay there until it is drawn, or the screen's time is up."""
        if not self.gated:
            self.say(state)
            return
        self._asked += 1
        self.say(replace(state, ask=self._asked))
        deadline_s = time.monotonic() + self._pace.patience_s
        while self._answered < self._asked and (left_s := deadline_s - time.monotonic()) > 0:
            listen(left_s)

    def answered(self, ask: int) -> None:
        """It has drawn the state with that number."""
        self._answered = max(self._answered, ask)

    def say_slice(self, frame: wire.Slice) -> None:
        """Send a slice's frame, which is answered once it is drawn."""
        self.say(frame)
        self._said_at_s = time.monotonic()

    def read(self) -> list[wire.Command]:
        """What has been said; call when ``commands_fd`` is readable.

        Raises:
            Ended: the screen has gone.
        """
        chunk = os.read(self.commands_fd, 1 << 16)
        if not chunk:
            raise Ended
        self.heard()
        commands = [wire.decode_command(line) for line in self._splitter.feed(chunk)]
        return [command for command in commands if command is not None]

    def heard(self) -> None:
        """It is there; or could not be expected to say so."""
        self._pace.heard(time.monotonic())

    @property
    def is_away(self) -> bool:
        """Whether it has been silent for longer than its lease."""
        return self._pace.is_away(time.monotonic())

    def drew(self, seq: int, latest: int) -> None:
        """It has drawn the frame ``seq``, of ``latest`` sent so far."""
        self.went = max(self.went, seq)
        # Also when it comes too late, in a later slice: else a slow screen would never be waited for.
        if 0 < seq < latest:
            self._pace.drawn(LONGEST_PATIENCE_S)
        elif self._said_at_s is not None:
            self._pace.drawn(time.monotonic() - self._said_at_s)
            self._said_at_s = None

    def wait_until_drawn(self, seq: int, listen: Callable[[float], object]) -> list[str]:
        """Stay in the gap until frame ``seq`` is drawn, or the screen's time is up; what the next frame must say."""
        deadline_s = time.monotonic() + (self._pace.patience_s if self.gated else 0.0)
        while self.went < seq:
            left_s = deadline_s - time.monotonic()
            if left_s <= 0:
                return ["ungated"] if self.gated else []
            listen(left_s)
        return []

    def forget(self) -> None:
        """In a forked child: close its pipes."""
        for fd in (self.commands_fd, self._frames_fd):
            with contextlib.suppress(OSError):
                os.close(fd)
