"""What happened when, second by second: the stress, and the marks of what disturbed the measuring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from latvar_tui import wire
from latvar_tui.condition import Condition
from latvar_tui.study.time_columns import TimeColumns

MOST_MOMENTS = 512
"""So many, and neighbours are merged: a day takes no more room than an hour."""


MARK = "mark"
"""The user's own, among the marks of what disturbed."""


@dataclass
class Moment:
    """A stretch of the session: the stress it ended with, and every mark on its slices."""

    stress_threads: int
    marks: set[str] = field(default_factory=set)


class Timeline(TimeColumns[Moment]):
    """Moments from the beginning on, each ``seconds`` long."""

    most = MOST_MOMENTS

    @property
    def moments(self) -> list[Moment]:
        return self._columns

    def as_one(self, columns: Sequence[Moment]) -> Moment:
        return Moment(columns[-1].stress_threads, set().union(*(moment.marks for moment in columns)))

    def add(self, frame: wire.Slice, condition: Condition) -> None:
        """Take one slice in, at the time when it ended."""

        def as_before() -> Moment:
            """Nothing was measured in between, and the stress was as before."""
            return Moment(self.moments[-1].stress_threads if self.moments else condition.stress_threads)

        moment = self.column_at(frame.end_ns, as_before)
        moment.stress_threads = condition.stress_threads
        moment.marks.update(frame.marks)

    def mark(self) -> None:
        """The user has set a mark now: after the newest slice, if there is one."""
        if self.moments:
            self.moments[-1].marks.add(MARK)

    def every(self, seconds: int) -> list[Moment]:
        """The whole session in stretches of so many seconds, a multiple of its own."""
        by = seconds // self.seconds
        return self.merged(by) if by > 1 else self.moments

    def fitting(self, columns: int) -> tuple[int, list[Moment]]:
        """The whole session in at most so many columns: the seconds that each stands for, and the columns."""
        seconds = self.seconds * self.fitting_by(columns)
        return seconds, self.every(seconds)
