"""Which of the frames that come are drawn: as many as are wanted, as measuring can spare, and as the line carries.

A frame that is not drawn costs nothing and loses nothing: the next one that is shows all there is. Measuring stands
still while one is drawn; so where that takes long, on a slow device or with a dialog open, fewer are.

Two things tell of a slow line. The writer thread may still be busy with the frame before (a pipe that is full). But
over a network some hundred kilobytes lie in buffers before that happens, minutes of frames; so there the terminal is
asked for an echo now and then (its cursor's position, which even a VT100 tells), and with every frame once echoes come
late.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping

PATIENCE_S = 0.025
"""So long bytes are waited for before measuring goes on; the probe itself waits 60 ms."""

ECHO_EVERY_S = 5.0
"""While echoes come in time."""

_LATE_S = 0.1
"""An echo is late when it takes so much longer than twice the quickest one."""

_SILENT_S = 10.0
"""A terminal that has not answered by then does not answer at all, or the question was lost."""

DRAWING_SHARE = 0.025
"""Of the time may be spent on drawing. Another two per cent of it pass in gaps in which nothing is drawn."""

SELDOM_S = 1.0
"""So often a frame is drawn whatever it costs."""

_LATELY = 3
"""Frames, the quickest of which tells what one takes: a single long one, as a view is opened say, holds nothing up."""


def is_far(environ: Mapping[str, str]) -> bool:
    """Whether the terminal is on another machine, as far as the environment tells."""
    return any(environ.get(name) for name in ("SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT"))


class FramePace:
    """Told when frames are drawn and have left; says when the next may be drawn."""

    def __init__(
        self,
        fps: float | None = None,
        *,
        far: bool = False,
        sparing: bool = False,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """``fps`` caps the frames a second; ``far`` says that the terminal is on another machine; ``sparing`` holds the
        share of drawing as well."""
        self.far = far
        self.skipped = 0
        """Frames that were not drawn."""
        self._least_s = 1.0 / fps if fps else 0.0
        self._clock_s = clock_s
        self._sparing = sparing
        self._took_s: deque[float] = deque(maxlen=_LATELY)
        self._not_before_s = 0.0
        self._drawn_s: float | None = None  # while it has not left
        self._asked_s: float | None = None  # while the echo has not come
        self._ask_s = 0.0 if far else float("inf")
        self._quickest_s = float("inf")

    def is_due(self) -> bool:
        """Whether a frame that has come now is to be drawn."""
        now_s = self._clock_s()
        due = now_s >= self._not_before_s and self._drawn_s is None and not self._echo_is_late(now_s)
        self.skipped += not due
        return due

    def drawn(self) -> None:
        """A frame is on its way."""
        self._drawn_s = now_s = self._clock_s()
        self._not_before_s = now_s + self._least_s

    def left(self) -> None:
        """It has left this machine. A line that was busy for a while is free for as long."""
        if self._drawn_s is not None:
            now_s = self._clock_s()
            began_s, self._drawn_s = self._drawn_s, None
            took_s = now_s - began_s
            if self._sparing:
                self._took_s.append(took_s)
                if len(self._took_s) == _LATELY:
                    self._not_before_s = began_s + min(min(self._took_s) / DRAWING_SHARE, SELDOM_S)
            if took_s > PATIENCE_S:
                self._not_before_s = max(self._not_before_s, now_s + took_s)

    # -- echoes -------------------------------------------------------------------------------------

    def asks(self) -> bool:
        """Whether the frame that is written now is to end with a question; if so, it is taken for asked."""
        now_s = self._clock_s()
        if self._asked_s is not None or now_s < self._ask_s:
            return False
        self._asked_s = now_s
        return True

    def echoed(self) -> None:
        """The terminal has shown all that came before its answer."""
        if self._asked_s is None:
            return
        now_s = self._clock_s()
        took_s, self._asked_s = now_s - self._asked_s, None
        self._quickest_s = min(self._quickest_s, took_s)
        self._ask_s = now_s if took_s > self._limit_s else now_s + ECHO_EVERY_S

    @property
    def _limit_s(self) -> float:
        """The first one is waited for as long as any: nothing is known yet."""
        return 2 * self._quickest_s + _LATE_S

    def _echo_is_late(self, now_s: float) -> bool:
        if self._asked_s is None:
            return False
        waited_s = now_s - self._asked_s
        if waited_s > _SILENT_S:
            # One that has answered before is asked again; another one never.
            self._asked_s = None
            self._ask_s = now_s if self._quickest_s < float("inf") else float("inf")
            return False
        return waited_s > self._limit_s
