"""How each candidate's latencies lay, from the beginning of the session to now: a histogram for every stretch of time.

Bounded whatever the session's length: at most MOST_COLUMNS stretches, and when they are full neighbours become one.
The stretches are those of :class:`latvar_tui.study.timeline.Timeline`, or two of them: stress and marks stand beneath.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latvar_tui import wire
from latvar_tui.axis import Axis
from latvar_tui.hdr_layout import COUNTS_LEN, median_ns
from latvar_tui.study.quantiles import PROVISIONAL_BEYOND
from latvar_tui.study.time_columns import TimeColumns

MOST_COLUMNS = 256

_SHIFT = 6
BINS = COUNTS_LEN >> _SHIFT
"""So many of HDR's indices are counted as one: steps of 3 to 6 %, finer than any row of a screen."""

_MIDDLES_NS = median_ns((np.arange(BINS) << _SHIFT) + (1 << (_SHIFT - 1))).astype(np.float64)

Block = tuple[NDArray[np.uint16], NDArray[np.uint32]]
"""Bins that occur, ascending, and how often each does. Never changed, only replaced."""

Column = dict[str, Block]
"""Of each candidate that was measured in it."""


@dataclass(frozen=True)
class Spectrum:
    """One candidate's latencies: ``counts[column, bin]``, each column ``seconds`` long."""

    seconds: int
    counts: NDArray[np.int64]

    def rows(self, axis: Axis) -> NDArray[np.int64]:
        """How many fall into each of the axis' bins: (columns of time, ``axis.columns``)."""
        edges = np.searchsorted(_MIDDLES_NS, axis.edges_ns)
        edges[0], edges[-1] = 0, BINS  # what is outside the axis is drawn at its ends
        sums = np.zeros((self.counts.shape[0], BINS + 1), np.int64)
        np.cumsum(self.counts, axis=1, out=sums[:, 1:])
        return np.diff(sums[:, edges], axis=1)

    def quantile_ns(self, quantile: float) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """The quantile (percent) of each column, NaN where there is nothing, and where it is provisional."""
        sums = np.cumsum(self.counts, axis=1)
        totals = sums[:, -1]
        ranks = np.maximum(np.ceil(totals * (quantile / 100) - 1e-9), 1)
        at = np.argmax(sums >= ranks[:, None], axis=1)
        return np.where(totals > 0, _MIDDLES_NS[at], np.nan), totals - ranks < PROVISIONAL_BEYOND


class Spectrogram(TimeColumns[Column]):
    """Fed with slices; asked for one candidate's :class:`Spectrum` at a time."""

    most = MOST_COLUMNS

    def __init__(self) -> None:
        super().__init__()
        self._slices: Counter[str] = Counter()

    def __deepcopy__(self, memo: dict[int, Any]) -> Spectrogram:
        """What a replay keeps to jump back to: the blocks are shared, for they never change."""
        twin = Spectrogram()
        twin.seconds, twin._began_ns = self.seconds, self._began_ns
        twin._columns, twin._slices = [dict(column) for column in self._columns], self._slices.copy()
        return twin

    def __len__(self) -> int:
        return len(self._columns)

    def slices_of(self, candidate: str) -> int:
        """How many of its slices are in it: as long as that stays, so does its spectrum."""
        return self._slices[candidate]

    def clear(self) -> None:
        super().clear()
        self._slices.clear()

    def as_one(self, columns: Sequence[Column]) -> Column:
        merged = dict(columns[0])
        for column in columns[1:]:
            for candidate, (bins, counts) in column.items():
                merged[candidate] = _summed(merged.get(candidate), bins.astype(np.int64), counts.astype(np.int64))
        return merged

    def add(self, frame: wire.Slice) -> None:
        """Take one slice in, at the time when it ended."""
        column = self.column_at(frame.end_ns, dict)
        self._slices[frame.candidate] += 1
        times = frame.response or frame.service
        if times.pairs:
            pairs = times.array
            column[frame.candidate] = _summed(column.get(frame.candidate), pairs[:, 0] >> _SHIFT, pairs[:, 1])

    def forget(self, candidate: str) -> None:
        """Let one candidate's times go."""
        del self._slices[candidate]
        for column in self._columns:
            column.pop(candidate, None)

    def seconds_in(self, columns: int) -> int:
        """How much time a column stands for if the whole session is shown in at most ``columns``."""
        return self.seconds * self.fitting_by(columns)

    def spectrum(self, candidate: str, columns: int) -> Spectrum:
        """One candidate's, the whole session in at most ``columns``."""
        by = self.fitting_by(columns)
        groups = -(-len(self._columns) // by)
        there = [(at // by, column[candidate]) for at, column in enumerate(self._columns) if candidate in column]
        if not there:
            return Spectrum(self.seconds * by, np.zeros((groups, BINS), np.int64))
        bins = np.concatenate([bins for _, (bins, _) in there]).astype(np.int64)
        counts = np.concatenate([counts for _, (_, counts) in there])
        places = np.repeat([group for group, _ in there], [bins.size for _, (bins, _) in there])
        dense = np.bincount(places * BINS + bins, counts, groups * BINS).astype(np.int64)
        return Spectrum(self.seconds * by, dense.reshape(groups, BINS))


def _summed(before: Block | None, bins: NDArray[np.int64], counts: NDArray[np.int64]) -> Block:
    if before is not None:
        bins = np.concatenate([before[0].astype(np.int64), bins])
        counts = np.concatenate([before[1].astype(np.int64), counts])
    dense = np.bincount(bins, counts)
    (there,) = np.nonzero(dense)
    return there.astype(np.uint16), dense[there].astype(np.uint32)
