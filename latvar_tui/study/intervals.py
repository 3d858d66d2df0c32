"""By how much: 95 % intervals of ratios by resampling whole rounds, of one cell by blocks of many rounds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from latvar_tui.study.blocks import Run, neighbours_alike, quantiles_ns, run_of, student_over_normal
from latvar_tui.study.coarse import Floats
from latvar_tui.study.conclusions import Ratio
from latvar_tui.study.drift import Block, merged
from latvar_tui.study.rounds import Row

DRAWS = 1000
MOST_UNITS = 64
"""Rounds are resampled in so many lots at most: more say nothing new, and cost time."""

FEWEST_UNITS = 10
CELL_BLOCKS = 32


@lru_cache(maxsize=64)
def weights(units: int) -> Floats:
    """How often each of ``units`` is drawn in each of DRAWS resamples: always the same draws."""
    random = np.random.default_rng(units)
    found: Floats = random.multinomial(units, np.full(units, 1 / units), size=DRAWS).astype(np.float64)
    return found


def lots(blocks: Sequence[Block], most: int = MOST_UNITS) -> list[Block]:
    """Blocks in order, neighbours put together until they are at most ``most``."""
    if len(blocks) <= most:
        return list(blocks)
    edges = [len(blocks) * lot // most for lot in range(most + 1)]
    return [merged(blocks[begin:end]) for begin, end in zip(edges, edges[1:], strict=False)]


def drawn_logs(run: Run, asked: Sequence[float]) -> Floats:
    """The logarithm of each asked quantile (percent) in each resample, shape (quantiles, DRAWS)."""
    counts = weights(run.blocks) @ run.counts
    with np.errstate(invalid="ignore"):
        return np.log(np.stack([quantiles_ns(counts, run.edges_ns, quantile) for quantile in asked]))


def measured_logs(run: Run, asked: Sequence[float]) -> Floats:
    """The logarithm of each asked quantile of all of it."""
    whole = run.counts.sum(axis=0, keepdims=True)
    return np.log(np.array([quantiles_ns(whole, run.edges_ns, quantile)[0] for quantile in asked]))


def ratios(rows: Sequence[Row], a: str, b: str, asked: Sequence[float]) -> list[Ratio | None]:
    """``b`` over ``a`` at each asked quantile, on the rounds that hold both; None where they never met."""
    pairs = [(row.block(a), row.block(b)) for row in rows if a in row.ids and b in row.ids]
    both = [(one, other) for one, other in pairs if one and other and one[0].size and other[0].size]
    if not both:
        return [None] * len(asked)
    of_a, of_b = (run_of(lots([pair[side] for pair in both])) for side in (0, 1))
    found = measured_logs(of_b, asked) - measured_logs(of_a, asked)
    n = of_a.blocks
    if n < FEWEST_UNITS:
        return [Ratio(math.exp(value)) for value in found.tolist()]
    apart = drawn_logs(of_b, asked) - drawn_logs(of_a, asked) - found[:, np.newaxis]
    wider = math.sqrt(n / (n - 1)) * student_over_normal(n - 1)
    low, high = np.nanquantile(apart, (0.025, 0.975), axis=1) * wider
    return [
        Ratio(math.exp(value), math.exp(value + min(lo, 0.0)), math.exp(value + max(hi, 0.0)))
        for value, lo, hi in zip(found.tolist(), low.tolist(), high.tolist(), strict=True)
    ]


def cell_intervals(rows: Sequence[Row], candidate: str, asked: Sequence[float]) -> list[tuple[float, float] | None]:
    """The interval (ns) of each asked quantile of one candidate by itself; None with too few rounds."""
    blocks = [block for row in rows if (block := row.block(candidate)) is not None and block[0].size]
    run = run_of(lots(blocks, CELL_BLOCKS))
    if run.blocks < 20:
        return [None] * len(asked)
    n = run.blocks
    found = measured_logs(run, asked)
    apart = drawn_logs(run, asked) - found[:, np.newaxis]
    bounds = []
    median = math.exp(measured_logs(run, [50.0])[0])
    for value, deviations in zip(found.tolist(), apart, strict=True):
        rho = min(0.95, max(neighbours_alike(run, v) for v in (median, math.exp(value))) + 1 / math.sqrt(n))
        wider = math.sqrt((1 + rho) / (1 - rho) * n / (n - 1)) * student_over_normal(n - 1)
        low, high = np.nanquantile(deviations, (0.025, 0.975)) * wider
        bounds.append((math.exp(value + min(low, 0.0)), math.exp(value + max(high, 0.0))))
    return list(bounds)


def logs_together(rows: Sequence[Row], ids: Sequence[str], quantile: float) -> tuple[Floats, Floats] | None:
    """The logarithm of each candidate's quantile, and of each in DRAWS resamples of whole rounds: shape (ids, DRAWS).

    On the rounds that hold all of ``ids``; each by itself where those are too few. None where one was not measured.
    """
    whole = [row for row in rows if all(name in row.ids for name in ids)]
    measured, drawn = [], []
    for name in ids:
        own = whole if len(whole) >= FEWEST_UNITS else [row for row in rows if name in row.ids]
        run = run_of(lots([block for row in own if (block := row.block(name)) is not None]))
        if not run.counts.any():
            return None
        measured.append(measured_logs(run, [quantile])[0])
        drawn.append(drawn_logs(run, [quantile])[0])
    return np.array(measured), np.array(drawn)


def kendall_tau(before: Floats, after: Floats) -> Floats:
    """Of two rankings of the same candidates (rows), one tau a column: pairs in the same order less those in the other.

    Tau-a (Kendall, Biometrika 30, 1938): a tie counts as neither.
    """
    a, b = np.triu_indices(len(before), 1)
    signs: Floats = np.sign(before[a] - before[b]) * np.sign(after[a] - after[b])
    return signs.mean(axis=0)
