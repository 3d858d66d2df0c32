"""By resampling: 95 % intervals of one candidate's quantiles, of blocks of many rounds; draws of whole rounds for tau.

By itself a candidate has nothing to be compared with in its round, and moods last for many: see
:mod:`latvar_tui.study.blocks` for how that interval is widened. A few independent inferences beyond the quantile say
less than the normal distribution promises: deviations are widened by Student's t over it, with as many degrees of
freedom as there are of them, less one. Nor was there a mood worse than the worst: no resample holds one, and upwards
they reach too short a way. Hence the upper bound is at least as far off, as a ratio, as the lower one (the distance is
the same to either side in symmetric intervals: Hall, Ann. Stat. 16, 1988). ``benchmarks/coverage.py`` says how often
the truth is inside.

Of ratios of two candidates see :mod:`latvar_tui.study.ratios`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from latvar_tui.study.blocks import Run, neighbours_alike, student_over_normal, wider_for
from latvar_tui.study.counted import MOST_LOTS, Counted, Floats, independent

DRAWS = 1000
FEWEST_CELL_EVENTS = 3.0
"""Of one candidate by itself. Not more: few are widened for by Student's t. To ask for many picks the runs whose slow
inferences were spread evenly, those without a bad mood, and of these every interval is too low."""

CELL_BLOCKS = 32
ROUNDS_A_BLOCK = 3
"""At least: blocks of single rounds are too alike for their likeness to be known."""

FEWEST_CELL_BLOCKS = 20
_SHOWS_MOODS = (50.0, 75.0, 90.0)
"""Quantiles (percent) at which moods are looked for: beyond p99 there is little to see them by, and one that moves only
the slow inferences does not show at the median."""


@lru_cache(maxsize=128)
def _weights(units: int) -> npt.NDArray[np.float32]:
    """How often each of ``units`` is drawn in each of DRAWS resamples: alike for whoever is in these rounds."""
    # Multinomial, but eight times as fast as NumPy's: each new number of rounds needs its own.
    drawn = np.random.default_rng(units).integers(units, size=(DRAWS, units)) + units * np.arange(DRAWS)[:, np.newaxis]
    found: npt.NDArray[np.float32] = np.bincount(drawn.ravel(), minlength=DRAWS * units).astype(np.float32)
    return found.reshape(DRAWS, units)


def drawn_logs(one: Counted, quantiles: Sequence[float], most: int = MOST_LOTS) -> Floats:
    """The logarithm of each quantile (percent) in each resample; shape (quantiles, DRAWS). NaN if nothing was drawn."""
    lots = one.lots(most).before
    used = np.flatnonzero(np.diff(lots.sum(axis=0)))  # whatever is drawn, nothing is in the other buckets
    lots = lots[:, np.append(0, used + 1)]
    before = (_weights(len(lots)) @ lots.astype(np.float32)).astype(np.float64)
    totals = before[:, -1]
    edges = one.edges_ns[used]
    draws = np.arange(DRAWS)
    found = np.empty((len(quantiles), DRAWS))
    with np.errstate(invalid="ignore", divide="ignore"):
        for place, quantile in enumerate(quantiles):
            ranks = quantile / 100 * totals
            # The first that is not below: they ascend, and the last is none.
            at = np.clip((before < ranks[:, np.newaxis]).argmin(axis=1) - 1, 0, len(edges) - 1)
            low = before[draws, at]
            inside = np.clip((ranks - low) / (before[draws, at + 1] - low), 0.0, 1.0)
            value = edges[at, 0] + inside * (edges[at, 1] - edges[at, 0])
            found[place] = np.where(totals > 0, np.log(np.maximum(value, 1.0)), np.nan)
    return found


def _bounds(deviations: Floats) -> Floats:
    """The 2.5 and 97.5 % points of those that are numbers."""
    known = np.sort(deviations[~np.isnan(deviations)])
    if not known.size:
        return np.zeros(2)
    found: Floats = np.interp(np.array([0.025, 0.975]) * (known.size - 1), np.arange(known.size), known)
    return found


def cell_intervals(one: Counted, quantiles: Sequence[float]) -> list[tuple[float, float] | None]:
    """The interval (ns) of each quantile of one candidate; None with too few rounds, or too little beyond it."""
    most = min(CELL_BLOCKS, int(one.rounds.sum()) // ROUNDS_A_BLOCK)
    if most < FEWEST_CELL_BLOCKS:
        return [None] * len(quantiles)
    run = Run(one.lots(most).counts, one.edges_ns)
    n = run.blocks
    if n < FEWEST_CELL_BLOCKS:
        return [None] * len(quantiles)
    measured, moods = np.log(one.quantiles_ns(quantiles)), one.quantiles_ns(_SHOWS_MOODS)
    alike = [neighbours_alike(run, value) for value in moods.tolist()]
    drawn, fastest = drawn_logs(one, quantiles, most), math.log(max(one.edges_ns[0, 0], 1.0))
    events = independent(one.above(np.exp(measured)))
    found: list[tuple[float, float] | None] = []
    for quantile, value, draws, many in zip(quantiles, measured.tolist(), drawn, events.tolist(), strict=True):
        if many < FEWEST_CELL_EVENTS:
            found.append(None)
            continue
        below = [each for at, each in zip(_SHOWS_MOODS, alike, strict=True) if at <= max(quantile, 50.0)]
        most_alike = max(*below, neighbours_alike(run, math.exp(value)))
        wider = wider_for(most_alike, n) * student_over_normal(min(n, many) - 1)
        low, high = (_bounds(draws - value) * wider).tolist()
        low = min(max(low, fastest - value), 0.0)
        found.append((math.exp(value + low), math.exp(value + max(high, -low))))
    return found


def kendall_tau(before: Floats, after: Floats) -> Floats:
    """Of two rankings of the same candidates (rows), one tau a column: pairs in the same order less those in the other.

    Tau-a (Kendall, Biometrika 30, 1938): a tie counts as neither.
    """
    a, b = np.triu_indices(len(before), 1)
    signs = np.sign(before[a] - before[b]) * np.sign(after[a] - after[b])
    found: Floats = signs.mean(axis=0)
    return found
