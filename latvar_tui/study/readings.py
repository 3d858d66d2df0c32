"""What the sensors read over the session: a mean for every stretch of time, bounded whatever the session's length."""

from __future__ import annotations

from collections.abc import Mapping

from latvar_tui.wire import Reading

MOST_COLUMNS = 128

Column = dict[str, tuple[float, int]]
"""Sensor → the sum of what it read, and how many times."""


class Readings:
    """Columns from the beginning on, each ``seconds`` long (1, then 2, 4, …)."""

    def __init__(self) -> None:
        self.seconds = 1
        self._columns: list[Column] = []
        self._began_ns: int | None = None

    def clear(self) -> None:
        """Begin anew with the next reading."""
        self._columns.clear()
        self.seconds, self._began_ns = 1, None

    def add(self, at_ns: int, sensors: Mapping[str, Reading]) -> None:
        """Take in what was read at a time; what has no value leaves a gap."""
        if self._began_ns is None or at_ns < self._began_ns:
            self.clear()  # another probe, say, with a clock of its own
            self._began_ns = at_ns
        which = (at_ns - self._began_ns) // (1_000_000_000 * self.seconds)
        while which >= MOST_COLUMNS:
            self._columns = [_merged(self._columns[at : at + 2]) for at in range(0, len(self._columns), 2)]
            self.seconds *= 2
            which //= 2
        while len(self._columns) <= which:
            self._columns.append({})
        column = self._columns[which]
        for name, reading in sensors.items():
            if reading.value is not None:
                total, times = column.get(name, (0.0, 0))
                column[name] = total + reading.value, times + 1

    def means(self, sensor: str, columns: int) -> list[float | None]:
        """The whole session in at most so many stretches; None where there was no value."""
        by = 1
        while -(-len(self._columns) // by) > max(1, columns):
            by *= 2
        means: list[float | None] = []
        for at in range(0, len(self._columns), by):
            sums = [column[sensor] for column in self._columns[at : at + by] if sensor in column]
            times = sum(each for _, each in sums)
            means.append(sum(total for total, _ in sums) / times if times else None)
        return means


def _merged(columns: list[Column]) -> Column:
    merged = dict(columns[0])
    for column in columns[1:]:
        for name, (total, times) in column.items():
            before = merged.get(name, (0.0, 0))
            merged[name] = before[0] + total, before[1] + times
    return merged
