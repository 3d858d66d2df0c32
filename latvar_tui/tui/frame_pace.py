"""Which of the frames that come are drawn: as many as are wanted, as measuring can spare, and as the line carries.

A frame that is not drawn costs nothing and loses nothing: the next one that is shows all there is. Measuring stands
still while one is drawn; so where that takes long, on a slow device or with a dialog open, fewer are. What counts is
how long measuring really stood still, for whatever reason, as each slice tells of the gap before it: time that passes
earns so much standing still, gaps spend it, and a frame is drawn unless something is owed.

Two things tell of a slow line. The writer thread may still be busy with the frame before (a pipe that is full). But
over a network some hundred kilobytes lie in buffers before that happens, minutes of frames; so there the terminal is
asked for an echo now and then (its cursor's position, which even a VT100 tells), and with every frame once echoes come
late.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from itertools import pairwise

PATIENCE_S = 0.025
"""So long bytes are waited for before measuring goes on; the probe itself waits 60 ms."""

ECHO_EVERY_S = 5.0
"""While echoes come in time."""

_LATE_S = 0.1
"""An echo is late when it takes so much longer than twice the quickest one."""

_SILENT_S = 10.0
"""A terminal that has not answered by then does not answer at all, or the question was lost."""

PAUSES_SHARE = 0.0275
"""Of the time measuring may stand still: drawing, recording, and what the probe does between two slices. Three percent
is promised."""

SELDOM_S = 1.0
"""So often a frame is drawn whatever it costs, on a line that takes it."""

_MOST_SAVED_S, _MOST_OWED_S = 0.005, 0.1
"""What was not spent is soon forgotten, and what is owed too: the device, or what is drawn, may have changed."""

_REMEMBERED = 32
"""Slices, of which it is known when they came and how long the gaps were: more than candidates take turns, mostly."""

_LONGEST_REST_S = 5.0
"""A line that was stopped for an hour is free again at once."""


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
        share of pauses as well."""
        self.far = far
        self.sparing = sparing
        self.skipped = 0
        """Frames that were not drawn."""
        self._least_s = 1.0 / fps if fps else 0.0
        self._clock_s = clock_s
        self._gaps_s: deque[float] = deque(maxlen=_REMEMBERED)
        self._saved_s = 0.0  # of standing still; below 0: owed
        self._came_s: deque[float] = deque(maxlen=_REMEMBERED)
        self._not_before_s = self._seldom_s = 0.0
        self._drawn_s: float | None = None  # while it has not left
        self._asked_s: float | None = None  # while the echo has not come
        self._ask_s = 0.0 if far else float("inf")
        self._quickest_s = float("inf")

    def measured(self, slice_s: float, gap_s: float) -> None:
        """A slice has come, of so long, after so long a gap.

        A single long one, as a view is opened, holds nothing up: none counts for more than those before it.
        """
        counts_s = min(gap_s, max(self._gaps_s, default=0.0))
        self._gaps_s.append(gap_s)
        saved_s = self._saved_s + PAUSES_SHARE * (slice_s + gap_s) - counts_s
        self._saved_s = max(-_MOST_OWED_S, min(saved_s, _MOST_SAVED_S))

    def is_due(self) -> bool:
        """Whether a frame that has come now is to be drawn."""
        now_s = self._clock_s()
        self._came_s.append(now_s)
        owes = self.sparing and self._saved_s < 0
        spared = owes and now_s < self._seldom_s and not self._next_may_be_late()
        due = now_s >= self._not_before_s and not spared and self._drawn_s is None and not self._echo_is_late(now_s)
        self.skipped += not due
        return due

    def _next_may_be_late(self) -> bool:
        """Whether one that is left out now may stand for long: a slow candidate's slice is as long as an inference."""
        return any(b - a > SELDOM_S for a, b in pairwise(self._came_s))

    def drawn(self) -> None:
        """A frame is on its way."""
        self._drawn_s = now_s = self._clock_s()
        self._not_before_s = now_s + self._least_s
        self._seldom_s = now_s + SELDOM_S

    def left(self) -> None:
        """It has left this machine. A line that was busy for a while is free for as long."""
        if self._drawn_s is not None:
            now_s = self._clock_s()
            took_s, self._drawn_s = now_s - self._drawn_s, None
            if took_s > PATIENCE_S:
                self._not_before_s = max(self._not_before_s, now_s + min(took_s, _LONGEST_REST_S))

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
