"""Whether a candidate became slower or faster while it was measured: its last third against its first.

Slices of one candidate are not independent: the machine's mood lasts for seconds, so that a bootstrap of slices finds
drift everywhere. So the session is cut into twelve stretches, whose quantiles are nearly independent once each is
much longer than the mood; what they scatter by comes from the differences between neighbours (von Neumann's mean
square successive difference, Ann. Math. Stat. 12, 1941), which a steady drift hardly widens. Looked at again and
again as the session grows, but only at moments a third or a half further on, and claimed far outside the interval
that is shown: ``benchmarks/drift.py`` says how often it claims a drift that is none.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from latvar_tui import wire
from latvar_tui.hdr_layout import COUNTS_LEN, lowest_ns

SLICES_A_BLOCK = 16
"""For a trend at least: a mood of the machine should not outlast a few blocks."""

FEWEST_BLOCKS = 24
MOST_BLOCKS = 48
"""So many, and neighbours are merged: a day is no more than an hour. The first blocks are single slices."""

STRETCHES = 12
SHOWN, CLAIMED = 3.0, 5.0
"""Standard errors of the interval that is shown (95 %), and of the one that a claim must be clear of."""

MARGIN = 0.02
"""A smaller drift is nobody's concern."""

_SHIFT = 4
STEPS = 1 << _SHIFT
"""Of HDR's indices so many are counted as one: steps of 0.8 to 1.6 %, within which quantiles are interpolated."""


@dataclass(frozen=True)
class Trend:
    """A quantile of the last third over that of the first, with a 95 % interval.

    ``real``: far enough from 1 to be told. ``slices`` are those of the whole.
    """

    ratio: float
    low: float
    high: float
    real: bool
    slices: int

    @property
    def text(self) -> str:
        """``8 % slower than the first [4, 13]``."""
        way, sign = ("slower", 1) if self.ratio >= 1 else ("faster", -1)
        low, high = sorted(100 * sign * (bound - 1) for bound in (self.low, self.high))
        return f"{100 * abs(self.ratio - 1):.0f} % {way} than the first [{low:.0f}, {high:.0f}]"


Block = tuple[npt.NDArray[np.uint16], npt.NDArray[np.uint64]]
"""Coarse indices (:data:`STEPS` of HDR's each), ascending, and their counts."""


class Series:
    """A cell's times in the order they came: at most MOST_BLOCKS histograms of equally many slices."""

    def __init__(self) -> None:
        self._blocks: list[Block] = []
        self._block_slices = 1
        self._filling: list[npt.NDArray[np.int64]] = []
        self._filled = 0
        self.told: dict[float, bool] = {}
        """Quantiles of which a trend was told, and whether it was to the slower side."""

    def add(self, times: wire.Counts) -> bool:
        """Take one slice in; whether this is a moment to look at the trend."""
        if times.pairs:
            self._filling.append(times.array)
        self._filled += 1
        if self._filled < self._block_slices:
            if len(self._filling) > SLICES_A_BLOCK:
                self._filling = [_sparse_pairs(coarse(self._filling))]
            return False
        self._blocks.append(coarse(self._filling))
        self._filling, self._filled = [], 0
        if len(self._blocks) == MOST_BLOCKS:
            self._blocks = [merged(self._blocks[i : i + 2]) for i in range(0, MOST_BLOCKS, 2)]
            self._block_slices *= 2
        return self._is_long and len(self._blocks) in (FEWEST_BLOCKS, FEWEST_BLOCKS * 3 // 2)

    @property
    def _is_long(self) -> bool:
        return self._block_slices >= SLICES_A_BLOCK and len(self._blocks) >= FEWEST_BLOCKS

    @property
    def blocks(self) -> list[Block]:
        """All slices in order, in blocks of equally many; what is less than half a block is part of the last one."""
        if not self._filling:
            return list(self._blocks)
        rest = coarse(self._filling)
        if self._blocks and 2 * self._filled < self._block_slices:
            return [*self._blocks[:-1], merged([self._blocks[-1], rest])]
        return [*self._blocks, rest]

    @property
    def slices_needed(self) -> int:
        """How many slices there must be for a trend."""
        return FEWEST_BLOCKS * SLICES_A_BLOCK

    def trend(self, quantile: float) -> Trend | None:
        """The trend at ``quantile`` (percent); None before enough slices, or if there is nothing to compare."""
        if not self._is_long:
            return None
        edges = [len(self._blocks) * stretch // STRETCHES for stretch in range(STRETCHES + 1)]
        stretches = [merged(self._blocks[a:b]) for a, b in pairwise(edges)]
        if not all(counts.size for _, counts in stretches):
            return None
        logs = np.log([_quantile_ns(stretch, quantile) for stretch in stretches])
        return trend_of(logs, len(self._blocks) * self._block_slices)


def trend_of(logs: npt.NDArray[np.float64], slices: int) -> Trend:
    """From the logarithm of each stretch's quantile, in order."""
    third = STRETCHES // 3
    difference = float(logs[-third:].mean() - logs[:third].mean())
    variance = float(np.mean(np.diff(logs) ** 2)) / 2
    error = math.sqrt(2 * variance / third)
    return Trend(
        math.exp(difference),
        math.exp(difference - SHOWN * error),
        math.exp(difference + SHOWN * error),
        abs(difference) - CLAIMED * error > MARGIN,
        slices,
    )


def coarse(parts: Sequence[npt.NDArray[np.int64]]) -> Block:
    if not parts:
        return np.zeros(0, np.uint16), np.zeros(0, np.uint64)
    pairs = np.concatenate(parts)
    return _summed(pairs[:, 0] >> _SHIFT, pairs[:, 1])


def _sparse_pairs(block: Block) -> npt.NDArray[np.int64]:
    """A block as pairs of HDR indices again, so that a long filling takes no more room than a block."""
    return np.stack([block[0].astype(np.int64) << _SHIFT, block[1].astype(np.int64)], axis=1)


def merged(blocks: Sequence[Block]) -> Block:
    return _summed(
        np.concatenate([indices for indices, _ in blocks]).astype(np.int64),
        np.concatenate([counts for _, counts in blocks]),
    )


def _summed(indices: npt.NDArray[np.int64], counts: npt.NDArray[np.integer[Any]]) -> Block:
    if not indices.size:
        return np.zeros(0, np.uint16), np.zeros(0, np.uint64)
    first = int(indices.min())
    dense = np.bincount(indices - first, weights=counts)
    (there,) = np.nonzero(dense)
    return (there + first).astype(np.uint16), dense[there].astype(np.uint64)


def _quantile_ns(block: Block, quantile: float) -> float:
    indices, counts = block
    above = np.cumsum(counts)
    rank = quantile / 100 * float(above[-1])
    at = min(int(np.searchsorted(above, rank)), above.size - 1)
    inside = (rank - float(above[at] - counts[at])) / float(counts[at])
    step = int(indices[at]) * STEPS
    low_ns, next_ns = (int(edge) for edge in lowest_ns([step, min(step + STEPS, COUNTS_LEN - 1)]))
    return max(1.0, low_ns + min(1.0, max(0.0, inside)) * (next_ns - low_ns))
