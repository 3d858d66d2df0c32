"""By how much one candidate is faster than another: the ratios that the test of :mod:`latvar_tui.study.claims` leaves.

A 95 % interval is what a test at 5 % does not refute. If x is A's q-quantile and y is B's, on average a share 1 - q of
A's inferences lies above x, and of B's above y. Whatever pair x, y is not refuted by T of these two moments leaves its
y / x, and the interval reaches from the least of these to the greatest. So a quantile is bounded by shares, as Woodruff
does (J. Am. Stat. Ass. 47, 1952), but of two at once: what moves a round moves both moments in it. Where times are
sparse, as between two humps, a resampled quantile jumps, and the percentiles of a thousand reach much too far; a share
does not jump.

For one moment of n rows T is n F / (n - 1 + F), with F the square of Student's t (nothing is subtracted from Σgg'), and
for these two nearly so. A few independent inferences beyond x and y say less than n rows do: t has as many degrees of
freedom as there are of them, by Welch's formula (Biometrika 34, 1947) for two samples whose variances are as one over
that, and at most n - 1. ``benchmarks/coverage.py`` says how often the truth is inside.

Times are counted in buckets that are about 1 % wide, and taken for evenly spread in each. Where a bucket holds much of
all there is, that is a guess: no bound is nearer to the value than the bucket's share of its width.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from latvar_tui.study.blocks import NORMAL, student_over_normal
from latvar_tui.study.claims import QUANTILES, disagreement_of_all
from latvar_tui.study.conclusions import Ratio
from latvar_tui.study.counted import Counted, Floats, independent

FEWEST_ROWS = 10
FEWEST_EVENTS = 5.0
"""Fewer independent inferences beyond a quantile say nothing of how its ratio scatters."""

_FEWEST_BEYOND = 3.0
"""Beyond any x that is tried: with fewer t is not defined, or nearly everything would be left."""

_OFFSETS = np.concatenate([-np.geomspace(60, 5, 12), np.arange(-16, 33) * 0.25, np.geomspace(9, 60, 12)])
"""Where x is sought: so many inferences more lie beyond it than beyond the quantile, in standard deviations. Far, for
rows may be more alike at the quantile than beside it."""


@dataclass(frozen=True)
class Beyond:
    """Of a candidate, for each quantile and offset (the last two axes of all but the last two, which have no offsets).

    ``many``: how many inferences lie beyond, of all. ``logs``: the logarithm of the value (ns) beyond which they lie.
    ``moments``: by how many more than expected, for each row; quantiles × rows × offsets. ``events``: how many of them
    are independent. ``measured``: the logarithm of each quantile. ``rough``: how much of that the width of its bucket
    leaves open.
    """

    whole: Counted
    many: Floats
    logs: Floats
    moments: Floats
    events: Floats
    measured: Floats
    rough: Floats

    @classmethod
    def of(cls, one: Counted) -> Beyond:
        """Of all its rows."""
        one = one.lots()
        total, levels = one.whole[-1], 1 - np.array(QUANTILES) / 100
        expected, quantiles = one.totals[:, np.newaxis] * levels, one.quantiles_ns(QUANTILES)
        scatter = np.sqrt(((one.above(quantiles) - expected) ** 2).sum(axis=0))
        # Rows that are all alike there may differ beside it: at least as much as independent inferences.
        scatter = np.maximum(scatter, np.sqrt(total * levels * (1 - levels)))
        many = np.clip(total * levels[:, np.newaxis] + scatter[:, np.newaxis] * _OFFSETS, 0.0, total)
        values = one.value_ns(total - many)
        above = one.above(values.ravel())
        events = independent(above).reshape(values.shape)
        by_row = above.reshape(-1, *values.shape) - expected[:, :, np.newaxis]
        moments = np.ascontiguousarray(by_row.swapaxes(0, 1))
        return cls(one, many, np.log(values), moments, events, np.log(quantiles), one.rough_logs(quantiles))

    def log_of(self, many: Floats) -> Floats:
        """The logarithm (of ns) of the value beyond which so many lie."""
        found: Floats = np.log(self.whole.value_ns(self.whole.whole[-1] - many))
        return found


def ratios_of(a: Beyond, b: Beyond, events: Sequence[tuple[float, float]]) -> list[Ratio]:
    """``b`` over ``a`` at each of :data:`QUANTILES`, on the same rounds of both.

    Without an interval where there is too little for one, or T leaves whatever was tried.

    Args:
        events: how many independent inferences lie beyond each quantile, of either.
    """
    found = []
    for place, value in enumerate((b.measured - a.measured).tolist()):
        bounds = None
        if len(a.whole.rows) >= FEWEST_ROWS and min(events[place]) >= FEWEST_EVENTS:
            bounds = _bounds(a, b, place, events[place])
        if bounds is None:
            found.append(Ratio(math.exp(value)))
        else:
            rough = float(a.rough[place] + b.rough[place])
            low, high = min(bounds[0], value - rough), max(bounds[1], value + rough)
            found.append(Ratio(math.exp(value), math.exp(low), math.exp(high)))
    return found


def _bounds(a: Beyond, b: Beyond, place: int, events: tuple[float, float]) -> tuple[float, float] | None:
    """The least and the greatest difference of two logarithms that T does not refute; None if that is not in sight."""
    of_a, of_b = (np.clip(one.events[place], _FEWEST_BEYOND, most) for one, most in zip((a, b), events, strict=True))
    limits = _limits(len(a.whole.rows), of_a[:, np.newaxis], of_b)
    excess = disagreement_of_all(a.moments[place], b.moments[place]) / limits - 1
    is_left = excess <= 0
    if not is_left.any() or is_left[[0, -1]].any() or is_left[:, [0, -1]].any():
        return None
    low, high = _along(a, b, place, excess)
    turned = _along(b, a, place, excess.T)
    return min(low, -turned[1]), max(high, -turned[0])


def _along(a: Beyond, b: Beyond, place: int, excess: Floats) -> tuple[float, float]:
    """The least and the greatest log y - log x, with the x that were tried, and any y between those."""
    is_left = excess <= 0
    used = np.flatnonzero(is_left.any(axis=1))
    excess, is_left = excess[used], is_left[used]
    rows, many = np.arange(used.size), b.many[place]
    found = []
    # The more lie beyond it, the smaller is y.
    for last, step in ((len(_OFFSETS) - 1 - is_left[:, ::-1].argmax(axis=1), 1), (is_left.argmax(axis=1), -1)):
        inside, outside = excess[rows, last], excess[rows, last + step]
        share = inside / (inside - outside)
        found.append(b.log_of(many[last] + share * (many[last + step] - many[last])) - a.logs[place, used])
    return float(found[0].min()), float(found[1].max())


def _limits(rows: int, events_a: Floats, events_b: Floats) -> Floats:
    """What T of the true x and y exceeds in 5 of 100 cases."""
    one, other = 1 / events_a, 1 / events_b
    freedom = (one + other) ** 2 / (one**2 / (events_a - 1) + other**2 / (events_b - 1))
    f = (NORMAL * student_over_normal(np.minimum(rows - 1, freedom))) ** 2
    found: Floats = rows * f / (rows - 1 + f)
    return found
