"""Stretches of time from a session's beginning to now, bounded however long it is: when full, neighbours become one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

_Column = TypeVar("_Column")


class TimeColumns(Generic[_Column]):
    """Columns from the beginning on, each ``seconds`` long (1, then 2, 4, …).

    Subclasses say how many there may be (``most``), and what several of them are as one.
    """

    most: int

    def __init__(self) -> None:
        self.seconds = 1
        self._columns: list[_Column] = []
        self._began_ns: int | None = None

    def clear(self) -> None:
        """Begin anew with what comes next."""
        self._columns.clear()
        self.seconds, self._began_ns = 1, None

    def as_one(self, columns: Sequence[_Column]) -> _Column:
        """Neighbours, the earliest first."""
        raise NotImplementedError

    def column_at(self, at_ns: int, empty: Callable[[], _Column]) -> _Column:
        """The column that a time is in; those up to it are made, each by ``empty``, if they are not there yet."""
        if self._began_ns is None or at_ns < self._began_ns:
            self.clear()  # another probe, say, with a clock of its own
            self._began_ns = at_ns
        which = (at_ns - self._began_ns) // (1_000_000_000 * self.seconds)
        while which >= self.most:
            self._columns = self.merged(2)
            self.seconds *= 2
            which //= 2
        while len(self._columns) <= which:
            self._columns.append(empty())
        return self._columns[which]

    def merged(self, by: int) -> list[_Column]:
        """Every ``by`` of them as one."""
        return [self.as_one(self._columns[at : at + by]) for at in range(0, len(self._columns), by)]

    def fitting_by(self, columns: int) -> int:
        """How many are shown as one if the whole session is shown in at most ``columns``: a power of two."""
        by = 1
        while -(-len(self._columns) // by) > max(1, columns):
            by *= 2
        return by
