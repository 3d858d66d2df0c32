"""Ratios with an interval, by resampling whole pairs: what one pair shares (the machine's mood) stays."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from latvar_tui.hdr_layout import highest_ns, indices_of, median_ns
from latvar_tui.histogram import Histogram
from latvar_tui.study.blocks import student_over_normal

RESAMPLES = 1000

Side = Mapping[str, Histogram]
"""One run's histograms by candidate."""

Floats = NDArray[np.float64]

Statistic = Callable[[str, Floats, NDArray[np.int64]], Floats]
"""Of a candidate: from counts (resamples × buckets) and the buckets' indices to a number a resample, nan for none."""


@dataclass(frozen=True)
class Interval:
    """A value (a ratio, mostly) and its 95 % interval, from ``n`` pairs or runs. Not a number: nothing to compare."""

    value: float
    low: float
    high: float
    n: int

    def shown(self, digits: int = 3) -> str:
        if np.isnan(self.value):
            return "n/a"
        return f"{self.value:.{digits}f} [{self.low:.{digits}f}, {self.high:.{digits}f}]"

    def __str__(self) -> str:
        return self.shown()


def quantile(percent: float) -> Statistic:
    """The quantile as :meth:`Histogram.quantile_ns` has it, ns."""

    def of(name: str, counts: Floats, buckets: NDArray[np.int64]) -> Floats:
        ranks = np.maximum(np.ceil(np.nextafter(percent, -np.inf) * counts.sum(axis=1) / 100), 1)
        places = (np.cumsum(counts, axis=1) < ranks[:, None]).sum(axis=1)
        values = highest_ns(buckets[np.minimum(places, buckets.size - 1)]).astype(np.float64)
        return np.where(counts.any(axis=1), values, np.nan)

    return of


def mean(name: str, counts: Floats, buckets: NDArray[np.int64]) -> Floats:
    """The mean, ns: steadier than a median that falls between two humps."""
    with np.errstate(invalid="ignore"):
        found: Floats = counts @ median_ns(buckets).astype(np.float64) / counts.sum(axis=1)
    return found


def share_beyond(limits_ns: Mapping[str, float]) -> Statistic:
    """The share of inferences longer than the candidate's own limit: the slow hump, at twice the idle median."""

    def of(name: str, counts: Floats, buckets: NDArray[np.int64]) -> Floats:
        beyond = buckets > int(indices_of(round(limits_ns[name])))
        with np.errstate(invalid="ignore"):
            found: Floats = counts[:, beyond].sum(axis=1) / counts.sum(axis=1)
        return found

    return of


def ratio(pairs: Sequence[tuple[Side, Side]], statistic: Statistic, seed: int = 0) -> Interval:
    """First side over second: pooled over the pairs, geometric mean over the candidates.

    The interval is the percentile bootstrap's over whole pairs, widened for their being few.
    """
    weights = _resampled(len(pairs), seed)
    logs = []
    for name in pairs[0][0]:
        sides = []
        for side in (0, 1):
            counts, buckets = _stacked([pair[side][name] for pair in pairs])
            sides.append(statistic(name, weights @ counts, buckets) if buckets.size else np.full(len(weights), np.nan))
        with np.errstate(divide="ignore", invalid="ignore"):
            logs.append(np.log(sides[0] / sides[1]))
    return _geometric(np.mean(logs, axis=0), len(pairs))


def mean_of(values: Sequence[float], seed: int = 0) -> Interval:
    """The mean of one number a run, its interval over runs."""
    found = _interval(_resampled(len(values), seed) @ np.asarray(values, np.float64) / len(values), len(values))
    return _within(found, values)


def geometric_mean_of(values: Sequence[float], seed: int = 0) -> Interval:
    """Likewise the geometric mean, of ratios or of times."""
    return _geometric(_resampled(len(values), seed) @ np.log(np.asarray(values, np.float64)) / len(values), len(values))


def mean_ratio(pairs: Sequence[tuple[float, float]], seed: int = 0) -> Interval:
    """The first numbers' mean over the second ones', its interval over pairs."""
    firsts, seconds = (_resampled(len(pairs), seed) @ np.asarray(pairs, np.float64)).T
    with np.errstate(divide="ignore", invalid="ignore"):
        return _geometric(np.log(firsts / seconds), len(pairs))


def median_of(values: Sequence[float], seed: int = 0) -> Interval:
    """The median of one number a repeat, its interval over repeats."""
    random = np.random.default_rng(seed)
    found = np.asarray(values, np.float64)
    chosen = random.choice(found, (RESAMPLES, found.size))
    return _within(_interval(np.concatenate(([np.median(found)], np.median(chosen, axis=1))), found.size), values)


def share_of(hits: int, of: int) -> Interval:
    """A share and its 95 % interval (Wilson 1927), in percent."""
    z, share = 1.96, hits / of
    middle, width = share + z * z / (2 * of), z * np.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    low, high = ((middle + sign * width) / (1 + z * z / of) for sign in (-1, 1))
    return Interval(100 * share, max(0.0, 100 * float(low)), min(100.0, 100 * float(high)), of)


def pooled(sides: Sequence[Side]) -> dict[str, Histogram]:
    """All that several runs counted."""
    together = {name: Histogram() for name in sides[0]}
    for side in sides:
        for name, histogram in side.items():
            together[name].add(histogram)
    return together


def twice_median_ns(idle: Side) -> dict[str, float]:
    """From where on an inference counts as one that had to wait: twice the idle median of its candidate."""
    return {name: 2.0 * (histogram.quantile_ns(50) or np.nan) for name, histogram in idle.items()}


def _resampled(n: int, seed: int) -> Floats:
    """How often each of ``n`` pairs is drawn: once each in the first row, at random in the others."""
    drawn = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), RESAMPLES)
    return np.concatenate((np.ones((1, n)), drawn)).astype(np.float64)


def _interval(values: Floats, n: int) -> Interval:
    """The first value, and the interval of the others; a wide open one if many of those have nothing to compare.

    Resamples of n scatter less than n new ones would, by √((n − 1)/n), and of few even that is known badly: widened by
    as much, and by Student's t over the normal distribution's.
    """
    value = float(values[0])
    if np.isnan(value) or value == np.inf:
        return Interval(float("nan"), float("nan"), float("nan"), n)
    known = values[1:][~np.isnan(values[1:])]
    if known.size < 0.99 * (values.size - 1):
        return Interval(value, -float("inf"), float("inf"), n)
    # A neighbour, not a mean of two: a resample whose other side has none is infinite.
    low, high = np.quantile(known, [0.025, 0.975], method="nearest").tolist()
    if value == -np.inf:  # the logarithm of nothing
        return Interval(value, value, high, n)
    wider = math.sqrt(n / (n - 1)) * student_over_normal(n - 1) if n > 1 else 1.0
    return Interval(value, value - wider * max(value - low, 0.0), value + wider * max(high - value, 0.0), n)


def _within(found: Interval, values: Sequence[float]) -> Interval:
    """What is never below 0 is not on average either."""
    return replace(found, low=max(found.low, 0.0)) if min(values) >= 0 else found


def _geometric(logs: Floats, n: int) -> Interval:
    """Of logarithms, told as what they are of."""
    found = _interval(logs, n)
    return Interval(math.exp(found.value), math.exp(found.low), math.exp(found.high), n)


def _stacked(histograms: Sequence[Histogram]) -> tuple[Floats, NDArray[np.int64]]:
    """Counts (histograms × buckets in use), and the buckets' indices."""
    sparse = [histogram.sparse() for histogram in histograms]
    buckets = np.unique(np.concatenate([indices for indices, _ in sparse]))
    counts = np.zeros((len(histograms), buckets.size))
    for row, (indices, many) in zip(counts, sparse, strict=True):
        row[np.searchsorted(buckets, indices)] = many
    return counts, buckets
