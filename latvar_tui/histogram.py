"""HDR histograms in NumPy: count in bulk, add without loss, read quantiles and bars many times a second.

The hdrhistogram library walks over its buckets in Python. Here a quantile is a cumulative sum over the
buckets in use, some 50 times faster (`benchmarks/histogram.py`), so that a table of them and the bars of
a plot fit into the pause between two slices. Buckets and quantiles are the library's to the last bit
(`hdr_layout`, the tests).
"""

import math
from collections.abc import Iterable, Sequence
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latvar_tui import hdr_codec
from latvar_tui.axis import Axis
from latvar_tui.hdr_layout import (
    COUNTS_LEN,
    HIGHEST_NS,
    highest_ns,
    index_of,
    indices_of,
    lowest_ns,
    median_ns,
)
from latvar_tui.wire import Counts

_USUAL = (50.0, 90.0, 95.0, 99.0, 99.9)
"""Who asks for one quantile asks for others of these soon: they cost nothing more along with it."""

_MEDIANS_NS = median_ns(np.arange(COUNTS_LEN)).astype(np.float64)


class Histogram:
    """Durations (ns), counted in `hdr_layout`'s buckets.

    Values up to HIGHEST_NS keep three digits; longer ones are counted at HIGHEST_NS and also in `overflow`.
    It holds at most `hdr_codec.MOST` observations.

    Attributes:
        total: how many observations.
        overflow: how many of them were longer than HIGHEST_NS.
        min_ns, max_ns: the exact shortest and longest (ns), also beyond HIGHEST_NS; None when empty.
    """

    def __init__(self) -> None:
        self._counts: NDArray[np.int64] = np.zeros(COUNTS_LEN, np.int64)
        # Only _counts[_first:_end] may be other than 0. Reading is as cheap as this slice is short.
        self._first = COUNTS_LEN
        self._end = 0
        self.total = 0
        self.overflow = 0
        self.min_ns: int | None = None
        self.max_ns: int | None = None
        # A screen asks for the same quantiles several times between two changes.
        self._known: dict[float, int] = {}

    # -- counting ------------------------------------------------------------------------------------------

    def record(self, values_ns: ArrayLike) -> None:
        """Count durations.

        Args:
            values_ns: integers (ns, ≥ 0), any shape.

        Raises:
            ValueError: one is negative; nothing is counted then.
        """
        values = np.asarray(values_ns, dtype=np.int64).ravel()
        if not values.size:
            return
        indices = indices_of(values)
        min_ns, max_ns = int(values.min()), int(values.max())
        first = index_of(min_ns)
        counts = np.bincount(indices - first)
        self._counts[first : first + counts.size] += counts
        self._note(first, first + counts.size, min_ns, max_ns)
        self.total += values.size
        if max_ns > HIGHEST_NS:
            self.overflow += int(np.count_nonzero(values > HIGHEST_NS))

    def add_sparse(
        self,
        indices: ArrayLike,
        counts: ArrayLike,
        *,
        max_ns: int | None,
        min_ns: int | None,
        overflow: int = 0,
    ) -> None:
        """Count what a slice sends (`hdr_layout.sparse_counts`).

        Args:
            indices: 0 ≤ index < COUNTS_LEN; they need not be sorted and may repeat.
            counts: as many integers ≥ 0.
            max_ns, min_ns: the exact longest and shortest of these observations (ns); None if there are none.
            overflow: how many of them were longer than HIGHEST_NS.

        Raises:
            ValueError: they are not like that, or would make more than MOST; nothing is counted then.
        """
        where, many, added = _checked_pairs(indices, counts)
        if not 0 <= overflow <= added:
            raise ValueError(f"{overflow} of {added} observations cannot be overflow")
        if self.total + added > hdr_codec.MOST:
            raise ValueError(f"a histogram cannot count more than {hdr_codec.MOST} observations")
        if not added:
            return
        if min_ns is None or max_ns is None or not 0 <= min_ns <= max_ns:
            raise ValueError(f"observations cannot lie between {min_ns} and {max_ns} ns")
        np.add.at(self._counts, where, many)
        self._note(int(where.min()), int(where.max()) + 1, min_ns, max_ns)
        self.total += added
        self.overflow += overflow

    def add_counts(self, counts: Counts) -> None:
        """Count what a frame carries. Raises ValueError as :meth:`add_sparse`."""
        self.add_pairs([counts], counts.array)

    def add_pairs(self, several: Sequence[Counts], pairs: NDArray[np.int64]) -> None:
        """Count what several slices carry, all at once: ``pairs`` are theirs together (shape (n, 2)).

        Raises:
            ValueError: as :meth:`add_sparse`.
        """
        there = [counts for counts in several if counts.pairs]
        if there:
            self.add_sparse(
                pairs[:, 0],
                pairs[:, 1],
                min_ns=min(counts.min_ns for counts in there),
                max_ns=max(counts.max_ns for counts in there),
                overflow=sum(counts.overflow for counts in there),
            )

    def subtract_sparse(
        self,
        indices: ArrayLike,
        counts: ArrayLike,
        *,
        max_ns: int | None,
        min_ns: int | None,
        overflow: int = 0,
    ) -> None:
        """Take back what `add_sparse` counted: how a window slides.

        Args:
            indices, counts, overflow: as they were added.
            max_ns, min_ns: the exact longest and shortest of the observations that *remain* (ns), None if
                none does. Counts cannot tell; the window's owner knows its slices.

        Raises:
            ValueError: there is less to take from; nothing is taken then.
        """
        where, many, taken = _checked_pairs(indices, counts)
        if not 0 <= overflow <= self.overflow:
            raise ValueError(f"{overflow} of {self.overflow} overflows cannot be taken back")
        np.subtract.at(self._counts, where, many)
        if where.size and self._counts[where].min() < 0:
            np.add.at(self._counts, where, many)
            raise ValueError("more observations were to be taken back than had been counted")
        self.total -= taken
        self.overflow -= overflow
        self._known.clear()
        if self.total:
            self.min_ns, self.max_ns = min_ns, max_ns
        else:
            self.clear()

    def add(self, other: "Histogram") -> None:
        """Count another histogram's observations too; nothing is lost or rounded."""
        if not other.total:
            return
        used = slice(other._first, other._end)
        self._counts[used] += other._counts[used]
        assert other.min_ns is not None and other.max_ns is not None
        self._note(other._first, other._end, other.min_ns, other.max_ns)
        self.total += other.total
        self.overflow += other.overflow

    def clear(self) -> None:
        """Forget all observations."""
        self._counts[self._first : self._end] = 0
        self._first, self._end = COUNTS_LEN, 0
        self.total = self.overflow = 0
        self.min_ns = self.max_ns = None
        self._known.clear()

    def copy(self) -> "Histogram":
        """Return a histogram of the same observations that changes independently."""
        twin = Histogram()
        twin.add(self)
        return twin

    # -- reading -------------------------------------------------------------------------------------------

    @property
    def counts(self) -> NDArray[np.int64]:
        """All COUNTS_LEN counts, by index; a read-only view that follows later changes."""
        view = self._counts.view()
        view.flags.writeable = False
        return view

    def sparse(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the ascending indices in use and their counts."""
        indices = np.flatnonzero(self._used) + min(self._first, self._end)
        return indices.astype(np.int64), self._counts[indices]

    def mean_ns(self) -> float | None:
        """Return the mean (ns), None when empty.

        It takes every observation at its bucket's middle, as HdrHistogram's getMean does: within 0.05 % of
        the exact mean. Overflows are taken at HIGHEST_NS, so with them it is too small.
        """
        if not self.total:
            return None
        return float(self._used @ _MEDIANS_NS[self._first : self._end]) / self.total

    def quantile_ns(self, q: float) -> int | None:
        """Return one quantile (ns), None when empty; see `quantiles_ns`."""
        if q in self._known:
            return min(self._known[q], self.max_ns or 0)
        return next(iter(self.quantiles_ns([q])), None)

    def quantiles_ns(self, qs: Iterable[float]) -> list[int]:
        """Return quantiles (ns): Java's getValueAtPercentile to the last bit, but at most `max_ns`.

        A quantile is the highest value of the bucket that holds the observation of its rank (0 %: the lowest
        value of the first bucket), hence up to 0.1 % above that observation. The exact maximum is known, and no
        quantile is shown above it.

        Args:
            qs: percentages, 0 to 100, in any order.

        Returns:
            as many quantiles, in the order of `qs`; none at all when the histogram is empty.

        Raises:
            ValueError: a percentage is out of range.
        """
        asked = list(qs)
        ranks = {q: self._rank(q) for q in asked if q not in self._known}
        if not self.total:
            return []
        if ranks:
            ranks |= {q: self._rank(q) for q in _USUAL}
            indices = self._first + np.searchsorted(np.cumsum(self._used), list(ranks.values()))
            self._known.update(zip(ranks, highest_ns(indices).tolist(), strict=True))
            if 0 in ranks:
                self._known[0] = int(lowest_ns(indices[list(ranks).index(0)]))
        most = self.max_ns or 0
        return [min(self._known[q], most) for q in asked]

    def beyond_quantile(self, q: float) -> int:
        """Return how many observations rank above the quantile's: what an upper quantile rests on.

        Ranks, not buckets: where many observations tie at a quantile, few or none may lie in higher buckets,
        yet the quantile is as well supported as if they differed by a hair. 0 when empty.

        Args:
            q: percentage, 0 to 100.

        Raises:
            ValueError: it is out of range.
        """
        return max(self.total - self._rank(q), 0)

    def count_beyond(self, value_ns: int) -> int:
        """Return how many observations lie in buckets above that of `value_ns` (ns, ≥ 0): deadline misses.

        Beyond HIGHEST_NS nothing is told apart: from there on the answer is 0 (see `overflow`).

        Raises:
            ValueError: the value is negative.
        """
        return int(self._counts[index_of(value_ns) + 1 : self._end].sum())

    def bars(self, axis: Axis) -> NDArray[np.float64]:
        """Return how many observations fall into each of the axis' columns; they sum to `total`.

        A bucket goes whole to the column in which its middle lies. Columns narrower than a bucket (0.1 % of
        the value) can therefore stay empty beside full ones.
        """
        columns = axis.column_of_bucket[self._first : self._end]
        return np.bincount(columns, weights=self._used, minlength=axis.columns).astype(np.float64)

    # -- keeping -------------------------------------------------------------------------------------------

    def encode(self) -> str:
        """Return the counts as the text that an HdrHistogram log holds (`hdr_codec`)."""
        return hdr_codec.encode(self._counts)

    @classmethod
    def decode(cls, text: str) -> Self:
        """Return the histogram that `text` encodes.

        The text holds counts alone: `min_ns` and `max_ns` become the lowest and highest value of the
        outermost buckets, as in the library, and `overflow` becomes 0.

        Raises:
            ValueError: see `hdr_codec.decode`.
        """
        histogram = cls()
        histogram._counts = hdr_codec.decode(text)
        used = np.flatnonzero(histogram._counts)
        if used.size:
            first, last = int(used[0]), int(used[-1])
            histogram._note(first, last + 1, int(lowest_ns(first)), int(highest_ns(last)))
            histogram.total = int(histogram._counts.sum())
        return histogram

    # -- inside --------------------------------------------------------------------------------------------

    @property
    def _used(self) -> NDArray[np.int64]:
        return self._counts[self._first : self._end]

    def _note(self, first: int, end: int, min_ns: int, max_ns: int) -> None:
        """Widen the slice in use and the extremes; what was known of the quantiles is so no more."""
        self._known.clear()
        self._first = min(self._first, first)
        self._end = max(self._end, end)
        self.min_ns = min_ns if self.min_ns is None else min(self.min_ns, min_ns)
        self.max_ns = max_ns if self.max_ns is None else max(self.max_ns, max_ns)

    def _rank(self, q: float) -> int:
        """Return the 1-based rank of a quantile: at least that share of the observations ranks so high, or lower.

        As in HdrHistogram's Java and JavaScript (AbstractHistogram.getValueAtPercentile): upwards, from a hair below
        `q`, so that no rounding error adds one. The Python library rounds to the nearest instead.
        """
        if not 0 <= q <= 100:
            raise ValueError(f"a quantile is a percentage from 0 to 100, not {q}")
        return max(math.ceil(max(math.nextafter(q, -math.inf), 0.0) * self.total / 100), 1)


def _checked_pairs(indices: ArrayLike, counts: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Return the pairs whose count isn't 0, and the sum of counts."""
    where, many = np.asarray(indices, dtype=np.int64), np.asarray(counts, dtype=np.int64)
    if where.ndim != 1 or where.shape != many.shape:
        raise ValueError(f"{where.size} indices and {many.size} counts do not make pairs")
    if not where.size:
        return where, many, 0
    if where.min() < 0 or where.max() >= COUNTS_LEN:
        raise ValueError(f"a histogram index lies outside 0 to {COUNTS_LEN - 1}")
    # In doubles, for the exact sum of hostile counts could overflow.
    if many.min() < 0 or many.sum(dtype=np.float64) > hdr_codec.MOST:
        raise ValueError(f"a count is negative, or there are more than {hdr_codec.MOST} observations")
    return where[many > 0], many[many > 0], int(many.sum())
