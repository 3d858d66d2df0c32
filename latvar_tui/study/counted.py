"""A candidate's rounds as a matrix of coarse counts, for statistics that ask of all rounds at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from latvar_tui.hdr_layout import COUNTS_LEN, lowest_ns
from latvar_tui.study.drift import STEPS
from latvar_tui.study.rounds import Row

MOST_LOTS = 64
"""Rounds are put together to so many lots of neighbours at most: more say nothing new, and cost time."""

LENGTH = COUNTS_LEN // STEPS
"""How many coarse buckets there are."""

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

EDGES_NS: Floats = np.append(lowest_ns(np.arange(LENGTH) * STEPS), 2 * lowest_ns(COUNTS_LEN - 1)).astype(np.float64)
"""Where each bucket begins, and where the last one ends."""

_PLACES: Floats = np.arange(LENGTH + 1, dtype=np.float64)


@dataclass(frozen=True)
class Counted:
    """``rows``: in which rows the candidate is, ascending. ``before``: how many of each such row's times lie before an
    edge, shape (rows, edges), from ``EDGES_NS[first]`` on. ``rounds``: how many each row stands for."""

    rows: Ints
    rounds: Ints
    first: int
    before: Floats

    @property
    def totals(self) -> Floats:
        """How many times each row has."""
        found: Floats = self.before[:, -1]
        return found

    @property
    def counts(self) -> Floats:
        """In each bucket, shape (rows, edges - 1)."""
        found: Floats = np.diff(self.before, axis=1)
        return found

    @property
    def edges_ns(self) -> Floats:
        """Where the buckets begin and end, shape (edges - 1, 2)."""
        edges = self._edges
        return np.stack([edges[:-1], edges[1:]], axis=1)

    @property
    def _edges(self) -> Floats:
        return EDGES_NS[self.first : self.first + self.before.shape[1]]

    def at(self, rows: Ints) -> Counted:
        """Only these rows, all of which the candidate is in."""
        if rows.size == self.rows.size:
            return self
        chosen = np.searchsorted(self.rows, rows)
        return Counted(rows, self.rounds[chosen], self.first, self.before[chosen])

    def lots(self, most: int = MOST_LOTS) -> Counted:
        """Of the same times at most so many rows: neighbours are put together."""
        many = len(self.rows)
        if many <= most:
            return self
        starts = [many * lot // most for lot in range(most)]
        rounds, before = (np.add.reduceat(each, starts, axis=0) for each in (self.rounds, self.before))
        return Counted(self.rows[starts], rounds, self.first, before)

    @cached_property
    def whole(self) -> Floats:
        """How many of all rows lie before each edge."""
        found: Floats = self.before.sum(axis=0)
        return found

    def value_ns(self, many: Floats) -> Floats:
        """The value below which so many of all rows lie, for each of ``many``; the greatest of them."""
        found: Floats = np.maximum(np.interp(many, self.whole, self._edges), 1.0)
        return found

    def rough_logs(self, values_ns: Floats) -> Floats:
        """By how much the logarithm of each value may be off, for how times lie within a bucket nobody knows.

        The bucket's width, as far as it holds all there is: among many filled ones that does not matter.
        """
        last = self.whole.size - 1
        at = np.clip(np.interp(values_ns, EDGES_NS, _PLACES).astype(np.int64) - self.first, 0, last - 1)
        low, high = self.edges_ns[at].T
        found: Floats = np.log(high / np.maximum(low, 1.0)) * (self.whole[at + 1] - self.whole[at]) / self.whole[-1]
        return found

    def above(self, values_ns: Floats) -> Floats:
        """How many of each row lie above each value, evenly spread within a bucket; shape (rows, values)."""
        last = self.before.shape[1] - 1
        places = np.clip(np.interp(values_ns, EDGES_NS, _PLACES) - self.first, 0, last)
        whole = np.minimum(places.astype(np.int64), last - 1)
        low = self.before[:, whole]
        found: Floats = self.totals[:, np.newaxis] - low - (places - whole) * (self.before[:, whole + 1] - low)
        return found

    def quantiles_ns(self, quantiles: Iterable[float]) -> Floats:
        """The quantiles (percent) of all rows together."""
        whole = self.whole
        ranks = np.array(list(quantiles)) / 100 * whole[-1]
        at = np.clip(np.searchsorted(whole, ranks, "left") - 1, 0, whole.size - 2)
        inside = np.clip((ranks - whole[at]) / np.maximum(whole[at + 1] - whole[at], 1e-9), 0.0, 1.0)
        edges = self._edges
        found: Floats = np.maximum(edges[at] + inside * (edges[at + 1] - edges[at]), 1.0)
        return found


def counted_of(rows: Sequence[Row], candidate: str) -> Counted | None:
    """What the statistics need of a candidate's part of the rows; None where it has no times."""
    blocks = [(place, block) for place, row in enumerate(rows) if (block := row.block(candidate)) and block[0].size]
    if not blocks:
        return None
    places = np.array([place for place, _ in blocks])
    indices = np.concatenate([block[0] for _, block in blocks]).astype(np.int64)
    row = np.repeat(np.arange(len(blocks)), [block[0].size for _, block in blocks])
    first = int(indices.min())
    counts = np.zeros((len(blocks), int(indices.max()) - first + 2))
    counts[row, indices - first + 1] = np.concatenate([block[1] for _, block in blocks])
    np.cumsum(counts, axis=1, out=counts)
    return Counted(places, np.array([rows[place].rounds for place in places]), first, counts)


def independent(above: Floats) -> Floats:
    """How many independent ones there are in each column of counts, a row a round: (Σk)² / Σk²."""
    squares = (above**2).sum(axis=0)
    found: Floats = above.sum(axis=0) ** 2 / np.maximum(squares, 1e-12)
    return found
