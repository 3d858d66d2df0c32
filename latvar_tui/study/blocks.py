"""By how much two runs differ at a quantile: the ratio, with an interval that whole blocks of slices are resampled for.

Slices of one candidate are correlated over seconds, so a run is cut into 20 to 48 blocks of slices that follow each
other (:attr:`latvar_tui.study.drift.Series.blocks`), and blocks are drawn with replacement (Künsch, Ann. Stat. 17,
1989; here without overlap, Carlstein, Ann. Stat. 14, 1986). Each run is resampled by itself: two runs at different
times, or on different devices, have nothing in common.

Blocks of a short run are short, and neighbours still alike. Hence what a run scatters by is widened by
√((1+ρ)/(1−ρ)), ρ being the correlation of neighbouring blocks in how many of their times exceed the quantile: exact for
a first-order autoregression whose ρ is known (:func:`wider_for`). And by √(n/(n−1)) and Student's t over the normal
distribution's: n blocks are few.

The interval speaks for these two runs, as long as they went on like that; not for another day.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from latvar_tui.hdr_layout import COUNTS_LEN, lowest_ns
from latvar_tui.study.drift import STEPS, Block

FEWEST_BLOCKS = 20
"""Fewer say too little about how much blocks differ."""

_DRAWS = 2000
_AT_ONCE = 250
_MOST_RHO = 0.95
NORMAL = 1.959964
"""The 97.5 % point of the normal distribution."""

_Floats = npt.NDArray[np.float64]
_Freedom = TypeVar("_Freedom", float, _Floats)


@dataclass(frozen=True)
class Interval:
    """Bounds of a ratio: 95 %."""

    low: float
    high: float


@dataclass(frozen=True)
class Run:
    """A cell's times. ``counts``: of each block (rows), by ascending coarse bucket; ``edges_ns``: where those begin and
    end, shape (buckets, 2)."""

    counts: _Floats
    edges_ns: _Floats

    @property
    def blocks(self) -> int:
        return len(self.counts)


def run_of(blocks: Sequence[Block]) -> Run:
    """What the statistics need of :attr:`Series.blocks`."""
    used = (
        np.unique(np.concatenate([indices for indices, _ in blocks])).astype(np.int64) if blocks else np.zeros(0, int)
    )
    counts = np.zeros((len(blocks), used.size))
    for row, (indices, many) in enumerate(blocks):
        counts[row, np.searchsorted(used, indices)] = many
    first = np.minimum(used * STEPS, COUNTS_LEN - 1)
    after = np.minimum(first + STEPS, COUNTS_LEN - 1)
    return Run(counts, np.stack([lowest_ns(first), lowest_ns(after)], axis=1).astype(np.float64))


def quantiles_ns(counts: _Floats, edges_ns: _Floats, quantile: float) -> _Floats:
    """The quantile (percent) of each row of counts, shape (rows, buckets): evenly spread within its bucket.

    NaN for a row without any.
    """
    above = np.cumsum(counts, axis=1)
    totals = above[:, -1]
    ranks = quantile / 100 * totals
    at = np.minimum((above < ranks[:, np.newaxis]).sum(axis=1), counts.shape[1] - 1)
    rows = np.arange(len(counts))
    many = counts[rows, at]
    with np.errstate(invalid="ignore", divide="ignore"):
        inside = np.clip((ranks - (above[rows, at] - many)) / many, 0.0, 1.0)
    low, high = edges_ns[at].T
    found: _Floats = np.where(totals > 0, np.maximum(low + inside * (high - low), 1.0), np.nan)
    return found


def ratio_interval(a: Run, b: Run, quantile: float, seed: int = 0) -> Interval | None:
    """The 95 % interval of (``b``'s quantile ÷ ``a``'s) ÷ the ratio that was measured.

    Multiply the ratio of the exact quantiles by it. None if either run has too few blocks, or nothing in them.

    Args:
        quantile: percent, below 100.
        seed: of the draws, so that the same two sessions always give the same interval.
    """
    if min(a.blocks, b.blocks) < FEWEST_BLOCKS or not (a.counts.any() and b.counts.any()):
        return None
    random = np.random.default_rng(seed)
    apart = _deviations(b, quantile, random) - _deviations(a, quantile, random)
    low, high = np.quantile(apart, (0.025, 0.975))
    return Interval(math.exp(min(low, 0.0)), math.exp(max(high, 0.0)))


def _deviations(run: Run, quantile: float, random: np.random.Generator) -> _Floats:
    """By how much the logarithm of a run's quantile would differ from what was measured, had it been run again."""
    n = run.blocks
    measured = quantiles_ns(run.counts.sum(axis=0, keepdims=True), run.edges_ns, quantile)[0]
    found: list[_Floats] = []
    for _ in range(0, _DRAWS, _AT_ONCE):  # all at once would be tens of megabytes
        weights = random.multinomial(n, np.full(n, 1 / n), size=_AT_ONCE).astype(np.float64)
        found.append(quantiles_ns(weights @ run.counts, run.edges_ns, quantile))
    drawn = np.log(np.concatenate(found) / measured)
    drawn[np.isnan(drawn)] = 0.0  # nothing but empty blocks were drawn
    # A mood moves all quantiles, and shows best at the median: beyond p99 there is little to see it by.
    median = quantiles_ns(run.counts.sum(axis=0, keepdims=True), run.edges_ns, 50.0)[0]
    alike = max(neighbours_alike(run, value) for value in (median, measured))
    widened: _Floats = drawn * wider_for(alike, n) * student_over_normal(n - 1)
    return widened


def neighbours_alike(run: Run, value_ns: float) -> float:
    """How alike neighbouring blocks are in the share of their times above a value: 0 (not at all) to 0.95.

    The lag-1 autocorrelation with its bias taken away.
    """
    low, high = run.edges_ns.T
    above = run.counts @ np.clip((high - value_ns) / np.maximum(high - low, 1.0), 0.0, 1.0)
    totals = run.counts.sum(axis=1)
    excess = above - above.sum() / totals.sum() * totals
    power = float(excess @ excess)
    if power <= 0:
        return 0.0
    return min(max(_without_bias(float(excess[1:] @ excess[:-1]) / power, run.blocks), 0.0), _MOST_RHO)


def _without_bias(rho: float, n: int) -> float:
    """A lag-1 autocorrelation of n: its bias is −(1 + 3ρ)/n (Marriott and Pope, Biometrika 41, 1954)."""
    return (n * rho + 1) / (n - 3)


def wider_for(alike: float, blocks: int) -> float:
    """By how much more blocks scatter than their resamples show, when neighbours are so much alike.

    √((1+ρ)/(1−ρ) · n/(n−1)). To be on the safe side ρ is taken for one standard error more, 1/√n, and its bias is taken
    away once more: near 1 that formula, the first term of a series, takes away no more than half of it (simulated, 20
    blocks, ρ = 0.9: 0.63 on average as it is, 0.79 with the bias taken away once, 0.88 twice).
    """
    rho = min(_MOST_RHO, _without_bias(alike, blocks) + 1 / math.sqrt(blocks))
    return math.sqrt((1 + rho) / (1 - rho) * blocks / (blocks - 1))


def student_over_normal(freedom: _Freedom) -> _Freedom:
    """The 97.5 % point of Student's t over the normal distribution's: Cornish–Fisher (Abramowitz, Stegun 26.7.5)."""
    z2 = NORMAL**2
    terms = (
        (z2 + 1) / 4,
        (5 * z2**2 + 16 * z2 + 3) / 96,
        (3 * z2**3 + 19 * z2**2 + 17 * z2 - 15) / 384,
        (79 * z2**4 + 776 * z2**3 + 1482 * z2**2 - 1920 * z2 - 945) / 92160,
    )
    found = 1 + terms[0] / freedom
    for power, term in enumerate(terms[1:], 2):
        found = found + term / freedom**power
    return found
