"""How one candidate's latencies lie over time, in a table of a fixed size, whatever the length of the session."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from latvar_tui.axis import Axis
from latvar_tui.condition import parse_condition
from latvar_tui.session.slice_text import Glance

MOST_COLUMNS = 120
"""So many stretches of time, and neighbours are merged."""

AXIS = Axis(1e3, 1e11, 640)
"""Latency, from 1 µs to 100 s: 80 rows a decade, 3 % each."""

_BEGIN_COLUMN_NS = 250_000_000


class Density:
    """Counts by time and latency; with them, for each stretch of time, the stress and whether it was disturbed."""

    def __init__(self, base_ns: int) -> None:
        """``base_ns``: when the session began, on the probe's clock."""
        self._base_ns = base_ns
        self.column_ns = _BEGIN_COLUMN_NS
        self.counts: NDArray[np.int64] = np.zeros((MOST_COLUMNS, AXIS.columns), np.int64)
        """Shape (time, latency)."""
        self.threads: NDArray[np.int64] = np.full(MOST_COLUMNS, -1, np.int64)
        """The most stress threads of each stretch, -1 where nothing was measured."""
        self.marked: NDArray[np.bool_] = np.zeros(MOST_COLUMNS, np.bool_)

    def add(self, frame: Glance) -> None:
        """Take one slice in, at the time when it began. Raises ValueError: its condition is none."""
        threads = _threads(frame.condition)
        column = max(0, frame.start_ns - self._base_ns) // self.column_ns
        if column >= MOST_COLUMNS:
            self._merge(1 << (column // MOST_COLUMNS).bit_length())
            column = max(0, frame.start_ns - self._base_ns) // self.column_ns
        if frame.pairs.size:
            rows = AXIS.column_of_bucket[frame.pairs[:, 0]]
            self.counts[column] += np.bincount(rows, frame.pairs[:, 1], AXIS.columns).astype(np.int64)
        self.threads[column] = max(self.threads[column], min(threads, 1 << 20))
        self.marked[column] |= frame.marked

    def _merge(self, by: int) -> None:
        counts, threads, marked = self.merged(by)
        used = len(threads)
        self.column_ns *= by
        self.counts[:used], self.counts[used:] = counts, 0
        self.threads[:used], self.threads[used:] = threads, -1
        self.marked[:used], self.marked[used:] = marked, False

    def merged(self, by: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
        """Every ``by`` columns as one: counts, threads, marked."""
        starts = np.arange(0, MOST_COLUMNS, min(by, MOST_COLUMNS))
        return (
            np.add.reduceat(self.counts, starts),
            np.maximum.reduceat(self.threads, starts),
            np.logical_or.reduceat(self.marked, starts),
        )


@lru_cache(1024)
def _threads(condition: str) -> int:
    return parse_condition(condition).stress_threads
