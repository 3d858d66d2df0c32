"""By how much one candidate is faster than another: the ratios that the test of :mod:`latvar_tui.study.claims` leaves.

A 95 % interval is what a test at 5 % does not refute. If x is A's q-quantile and y is B's, on average a share 1 - q of
A's inferences lies above x, and of B's above y. Whatever pair x, y is not refuted by T of these two moments leaves its
y / x, and the interval reaches from the least of these to the greatest. So a quantile is bounded by shares, as Woodruff
does (J. Am. Stat. Ass. 47, 1952), but of two at once: what moves a round moves both moments in it. Where times are
sparse, as between two humps, a resampled quantile jumps, and the percentiles of a thousand reach much too far; a share
does not jump.

Of n rounds T is n F / (n - 1 + F), with F the square of Student's t (nothing is subtracted from Σgg'). A few
independent inferences beyond the quantile say less than n rounds do: t has as many degrees of freedom as there are of
them, by Welch's formula (Biometrika 34, 1947) for two samples whose variances are as one over that.
``benchmarks/coverage.py`` says how often the truth is inside.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from latvar_tui.study.blocks import student_over_normal
from latvar_tui.study.claims import QUANTILES, disagreement_of_all
from latvar_tui.study.conclusions import Ratio
from latvar_tui.study.counted import Counted, Floats

FEWEST_ROWS = 10
FEWEST_EVENTS = 5.0
"""Fewer independent inferences beyond a quantile say nothing of how its ratio scatters."""

_NORMAL = 1.959964
_OFFSETS = np.arange(-22, 42) * 0.2
"""Where x is sought: so many inferences more lie beyond it than beyond the quantile, in standard deviations. They vary
the more, the more there are of them, so that it is further to where there are too many."""


@dataclass(frozen=True)
class Beyond:
    """Of a candidate, for each quantile and offset: how many inferences lie beyond (``many``), what that is a quantile
    of (``logs``, of ns), and for each row by how many more than expected (``moments``: quantiles × rows × offsets)."""

    whole: Counted
    many: Floats
    logs: Floats
    moments: Floats

    @classmethod
    def of(cls, one: Counted) -> Beyond:
        """Of all its rows."""
        one = one.lots()
        total, levels = one.whole[-1], 1 - np.array(QUANTILES) / 100
        expected = one.totals[:, np.newaxis] * levels
        scatter = np.sqrt(((one.above(one.quantiles_ns(QUANTILES)) - expected) ** 2).sum(axis=0))
        many = np.clip(total * levels[:, np.newaxis] + scatter[:, np.newaxis] * _OFFSETS, 0.0, total)
        values = one.value_ns(total - many)
        moments = one.above(values.ravel()).reshape(-1, *values.shape) - expected[:, :, np.newaxis]
        return cls(one, many, np.log(values), np.ascontiguousarray(moments.swapaxes(0, 1)))

    def log_of(self, many: Floats) -> Floats:
        """The logarithm (of ns) of the value beyond which so many lie."""
        found: Floats = np.log(self.whole.value_ns(self.whole.whole[-1] - many))
        return found


def ratios_of(a: Beyond, b: Beyond, events: Sequence[tuple[float, float]]) -> list[Ratio]:
    """``b`` over ``a`` at each of :data:`QUANTILES`, on the same rounds of both.

    Without an interval where there is too little for one.

    Args:
        events: how many independent inferences lie beyond each quantile, of either.
    """
    measured = (np.log(one.whole.quantiles_ns(QUANTILES)) for one in (a, b))
    found = []
    for place, (log_a, log_b) in enumerate(zip(*measured, strict=True)):
        log_ratio, rows = float(log_b - log_a), len(a.whole.rows)
        bounds = None
        if rows >= FEWEST_ROWS and min(events[place]) >= FEWEST_EVENTS:
            bounds = _bounds(a, b, place, _limit(rows, *events[place]))
        low, high = (math.exp(bound) for bound in bounds) if bounds else (None, None)
        value = math.exp(log_ratio)
        found.append(Ratio(value) if low is None or high is None else Ratio(value, min(low, value), max(high, value)))
    return found


def _bounds(a: Beyond, b: Beyond, place: int, limit: float) -> tuple[float, float] | None:
    """The least and the greatest difference of two logarithms that T does not refute; None if that is not in sight."""
    refuted = disagreement_of_all(a.moments[place], b.moments[place])
    is_left = refuted <= limit
    if not is_left.any() or is_left[-1].any() or is_left[:, -1].any():
        return None
    low, high = _along(a, b, place, refuted, limit)
    turned = _along(b, a, place, refuted.T, limit)
    return min(low, -turned[1]), max(high, -turned[0])


def _along(a: Beyond, b: Beyond, place: int, refuted: Floats, limit: float) -> tuple[float, float]:
    """Likewise, with each x of A's and all of B's between the first and the last y that is left."""
    is_left = refuted <= limit
    used = np.flatnonzero(is_left.any(axis=1))
    refuted, is_left = refuted[used], is_left[used]
    rows, many, last_place = np.arange(used.size), b.many[place], len(_OFFSETS) - 1
    found = []
    # The more lie beyond it, the smaller is y.
    for last, step in ((last_place - is_left[:, ::-1].argmax(axis=1), 1), (is_left.argmax(axis=1), -1)):
        after = np.clip(last + step, 0, last_place)
        inside, outside = refuted[rows, last], refuted[rows, after]
        share = np.where(outside > limit, (limit - inside) / np.maximum(outside - inside, 1e-12), 0.0)
        found.append(b.log_of(many[last] + share * (many[after] - many[last])) - a.logs[place, used])
    return float(found[0].min()), float(found[1].max())


def _limit(rows: int, events_a: float, events_b: float) -> float:
    """What T of the true ones exceeds in 5 of 100 cases."""
    one, other = 1 / events_a, 1 / events_b
    freedom = (one + other) ** 2 / (one**2 / (events_a - 1) + other**2 / (events_b - 1))
    f = (_NORMAL * student_over_normal(min(rows - 1, freedom))) ** 2
    return rows * f / (rows - 1 + f)
