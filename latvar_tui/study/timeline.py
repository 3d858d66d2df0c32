"""What happened when, second by second: the stress, and the marks of what disturbed the measuring."""

from __future__ import annotations

from dataclasses import dataclass, field

from latvar_tui import wire
from latvar_tui.condition import Condition

MOST_MOMENTS = 512
"""So many, and neighbours are merged: a day takes no more room than an hour."""


MARK = "mark"
"""The user's own, among the marks of what disturbed."""


@dataclass
class Moment:
    """A stretch of the session: the stress it ended with, and every mark on its slices."""

    stress_threads: int
    marks: set[str] = field(default_factory=set)


class Timeline:
    """Moments from the beginning on, each ``seconds`` long (1, then 2, 4, …)."""

    def __init__(self) -> None:
        self.moments: list[Moment] = []
        self.seconds = 1
        self._began_ns: int | None = None

    def clear(self) -> None:
        """Begin anew with the next slice."""
        self.moments.clear()
        self.seconds, self._began_ns = 1, None

    def add(self, frame: wire.Slice, condition: Condition) -> None:
        """Take one slice in, at the time when it ended."""
        if self._began_ns is None or frame.end_ns < self._began_ns:
            self.clear()  # another probe, say, with a clock of its own
            self._began_ns = frame.end_ns
        which = (frame.end_ns - self._began_ns) // (1_000_000_000 * self.seconds)
        while which >= MOST_MOMENTS:
            self.moments = merged(self.moments, 2)
            self.seconds *= 2
            which //= 2
        while len(self.moments) <= which:
            # Nothing was measured in between, and the stress was as before.
            threads = self.moments[-1].stress_threads if self.moments else condition.stress_threads
            self.moments.append(Moment(threads))
        self.moments[which].stress_threads = condition.stress_threads
        self.moments[which].marks.update(frame.marks)

    def mark(self) -> None:
        """The user has set a mark now: after the newest slice, if there is one."""
        if self.moments:
            self.moments[-1].marks.add(MARK)

    def every(self, seconds: int) -> list[Moment]:
        """The whole session in stretches of so many seconds, a multiple of its own."""
        by = seconds // self.seconds
        return merged(self.moments, by) if by > 1 else self.moments

    def fitting(self, columns: int) -> tuple[int, list[Moment]]:
        """The whole session in at most so many columns: the seconds that each stands for, and the columns."""
        moments, seconds = self.moments, self.seconds
        while len(moments) > max(1, columns):
            moments, seconds = merged(moments, 2), 2 * seconds
        return seconds, moments


def merged(moments: list[Moment], by: int) -> list[Moment]:
    """Every ``by`` of them as one."""
    groups = [moments[at : at + by] for at in range(0, len(moments), by)]
    return [Moment(group[-1].stress_threads, set().union(*(one.marks for one in group))) for group in groups]
