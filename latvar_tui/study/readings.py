"""What the sensors read over the session: a mean for every stretch of time, bounded whatever the session's length."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from latvar_tui.study.time_columns import TimeColumns
from latvar_tui.wire import Reading

MOST_COLUMNS = 128

Column = dict[str, tuple[float, int]]
"""Sensor → the sum of what it read, and how many times."""


class Readings(TimeColumns[Column]):
    """Means of columns from the beginning on."""

    most = MOST_COLUMNS

    def as_one(self, columns: Sequence[Column]) -> Column:
        merged: Column = {}
        for column in columns:
            for name, (total, times) in column.items():
                before = merged.get(name, (0.0, 0))
                merged[name] = before[0] + total, before[1] + times
        return merged

    def add(self, at_ns: int, sensors: Mapping[str, Reading]) -> None:
        """Take in what was read at a time; what has no value leaves a gap."""
        column = self.column_at(at_ns, dict)
        for name, reading in sensors.items():
            if reading.value is not None:
                total, times = column.get(name, (0.0, 0))
                column[name] = total + reading.value, times + 1

    def means(self, sensor: str, columns: int) -> list[float | None]:
        """The whole session in at most so many stretches; None where there was no value."""
        means: list[float | None] = []
        by = self.fitting_by(columns)
        for at in range(0, len(self._columns), by):
            sums = [column[sensor] for column in self._columns[at : at + by] if sensor in column]
            times = sum(each for _, each in sums)
            means.append(sum(total for total, _ in sums) / times if times else None)
        return means
