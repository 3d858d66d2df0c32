"""How the waits for a core lie on the latencies: which part of a quantile, or of a bar, was waiting."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from latvar_tui import wire
from latvar_tui.axis import Axis
from latvar_tui.hdr_layout import COUNTS_LEN, index_of, median_ns
from latvar_tui.histogram import Histogram

_MIDDLES_NS = median_ns(np.arange(COUNTS_LEN))

NEAR = 0.1
"""Inferences within this share of a quantile's value, on either side, tell what it is made of."""


class Waiting:
    """For each bucket of latencies the time (ns) that its inferences together spent waiting.

    It belongs to the histogram of the same inferences.
    """

    def __init__(self) -> None:
        self._sums: NDArray[np.int64] | None = None  # of use only where waits are told, and as large as a histogram
        self.is_told = True

    def add(self, frame: wire.Slice) -> None:
        """Take in a slice's waits. One that does not say how they lie makes the whole unknown."""
        latencies = frame.response or frame.service
        if frame.wait.unavailable is not None or len(frame.wait_sums) != len(latencies.pairs):
            self.is_told = False
        elif latencies.pairs and self.is_told:
            if self._sums is None:
                self._sums = np.zeros(COUNTS_LEN, np.int64)
            indices = latencies.array[:, 0]
            np.add.at(self._sums, indices, np.asarray(frame.wait_sums, np.int64))

    def at_quantile_ns(self, service: Histogram, quantile: float) -> float | None:
        """How much of the quantile (percent) was waiting, ns: 'p99 41 ms, 29 of it waiting'.

        Of the inferences that took as long as the quantile, to within a tenth (:data:`NEAR`, by whole buckets; the
        quantile's own is always among them), the share of their time that they waited, times the quantile. So it never
        exceeds the quantile, the many fast inferences below a quantile do not dilute it, nor do the few very slow ones
        above it blow it up, and with a single observation there it is that one's own wait. It is as provisional as
        the quantile is.

        Returns:
            None where the waits are not told, or there are no observations.
        """
        value_ns = service.quantile_ns(quantile)
        if value_ns is None or self._sums is None or not self.is_told:
            return None
        first, last = index_of(int(value_ns * (1 - NEAR))), index_of(int(value_ns * (1 + NEAR)))
        near = slice(first, last + 1)
        spent_ns = int(service.counts[near] @ _MIDDLES_NS[near])
        # A bucket's middle may lie a hair below its inferences' exact times, and so below their waits.
        share = min(1.0, int(self._sums[near].sum()) / spent_ns) if spent_ns else 0.0
        return share * value_ns

    def mostly(self, service: Histogram, axis: Axis) -> NDArray[np.bool_]:
        """Whether the inferences in each column of the axis together spent more than half of their time waiting.

        A column without any counts as its neighbours do if those on both sides agree.
        """
        columns = np.arange(axis.columns)
        used, counts = service.sparse()
        if self._sums is None or not self.is_told or not used.size:
            return np.zeros(axis.columns, np.bool_)
        of_bucket = axis.column_of_bucket[used]
        spent = np.bincount(of_bucket, weights=counts * _MIDDLES_NS[used], minlength=axis.columns)
        waited = np.bincount(of_bucket, weights=self._sums[used], minlength=axis.columns)
        waiting = waited > 0.5 * spent
        left = np.maximum.accumulate(np.where(spent > 0, columns, 0))
        right = np.minimum.accumulate(np.where(spent > 0, columns, axis.columns - 1)[::-1])[::-1]
        return waiting[left] & waiting[right]
