"""Who is faster, looked at as often as one likes: the evidence of rounds against two quantiles being equal.

If A and B have the same q-quantile x, then in each round, on average, a share 1 - q of A's inferences is above x, and
of B's too, whatever else their times look like: two moments, and one unknown, x. So x is chosen where both moments
agree best with what was measured, and by how much they still disagree,

    T = min over x of  s(x)' M(x)⁻¹ s(x),  s = Σ g,  M = Σ g g',  g = (k_A - (1 - q) n_A, k_B - (1 - q) n_B)

with k of a round's n inferences above x, is χ² of one degree (Hansen, Econometrica 50, 1982: the test of
overidentifying restrictions). The machine's mood moves both of g alike, and M knows. Divided by M, of which nothing is
subtracted, one outlying round counts as one round: T is at most the number of rounds (self-normalised: de la Peña, Ann.
Prob. 27, 1999). k - (1 - q) n, and not k / n, because a slice with slow inferences has fewer (Wald's identity).

A χ² that is looked at after every round misleads. Of t rounds e = exp(ρ² t T / 2 (t ρ² + 1)) / √(t ρ² + 1) instead is
the evidence, and 1 / e an always-valid p-value: the mixture boundary of Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas,
Time-uniform central limit theory and asymptotic confidence sequences (arXiv 2103.06476).

Nothing is claimed before enough *independent* inferences were seen beyond the quantile: (Σk)² / Σk² of them. A burst of
slow inferences within a round is one, not forty. Of one that is far slower those beyond the faster one's quantile
count: that more than 1 - q of its inferences lie there is all that is claimed of it, however little is known of its own
quantile. Far slower is who stays so if the faster one has bad rounds that were not seen yet: of t rounds 3 / t may be
such (the rule of three, at 95 %), so three are added to the t, as slow throughout as the slower one's quantile.
``benchmarks/claims.py`` says how often anything is claimed falsely.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from latvar_tui.study.counted import Counted, Floats, independent
from latvar_tui.study.early_stopping import fewest_queries

QUANTILES = (50.0, 90.0, 95.0, 99.0, 99.9)
"""In percent; of these there are claims."""

MARGIN = 0.02
"""The smallest difference that matters."""

FEWEST_EVENTS = 15.0
"""Independent inferences beyond the quantile, of each of the two; of one that is far slower beyond the other's."""

UNSEEN_ROUNDS = 3.0
"""So many bad ones may have been missed, however many were seen: (1 - 3 / t)^t is 5 %."""

FEWEST_ROUNDS = 20

RHO2 = (-2 * math.log(0.05) + math.log(-2 * math.log(0.05) + 1)) / 100
"""The boundary is narrowest after some 100 rounds."""

_TRIED = np.array([-3, -2, -1, -1 / 2, *np.linspace(0, 1, 7), 3 / 2, 2, 3, 4])
"""Where x is sought: 0 is A's quantile, 1 B's. Beyond them too: where a mood moves one of the two more than the other,
both moments agree best outside."""

_RIDGE = 1e-4


@dataclass(frozen=True)
class Shortage:
    """So many rounds, or independent inferences beyond the quantile (``events``), of those that any claim needs."""

    of: Literal["rounds", "events"]
    have: int
    need: int


@dataclass(frozen=True)
class Evidence:
    """Of ``b`` against ``a`` at one quantile.

    ``log_ratio``: b's quantile over a's. ``disagreement``: T, of ``rounds``. ``disagreement_margin``: the smaller of
    those against a difference of the margin to either side. ``events``: of each, beyond its own quantile, see above;
    ``slower_events``: of the slower one, beyond the faster one's if it is far slower, else beyond its own.
    """

    quantile: float
    rounds: int
    log_ratio: float
    disagreement: float
    disagreement_margin: float
    events: tuple[float, float]
    slower_events: float

    @property
    def _scarcest(self) -> tuple[float, float]:
        """Of what events there must be, those that are scarcest: how many there are, and how many any claim needs."""
        faster, slower = self.events if self.log_ratio >= 0 else self.events[::-1]
        need = fewest_events(self.quantile)
        if not self.log_ratio:
            return min(self.events), need
        lists = (faster, need), (max(slower, self.slower_events), need), (slower, fewest_own_events(self.quantile))
        return min(lists, key=lambda each: each[0] / each[1])

    @property
    def missing(self) -> float:
        """How many times as much must be measured until anything may be claimed; at most 1 if it is enough."""
        have, need = self._scarcest
        return max(FEWEST_ROUNDS / max(self.rounds, 1), need / max(have, 1e-3))

    @property
    def shortage(self) -> Shortage | None:
        """What is missing most until anything may be claimed; None if it is enough."""
        if self.missing <= 1:
            return None
        have, need = self._scarcest
        if FEWEST_ROUNDS * max(have, 1e-3) >= need * max(self.rounds, 1):
            return Shortage("rounds", self.rounds, FEWEST_ROUNDS)
        return Shortage("events", int(have), math.ceil(need))

    @property
    def log_e(self) -> float:
        """The logarithm of the evidence against equal quantiles; 0 before enough was seen."""
        return 0.0 if self.missing > 1 else log_evidence(self.rounds, self.disagreement)

    def log_e_equal(self, margin: float) -> float:
        """Likewise against a difference of at least the margin, to either side."""
        if self.missing > 1 or abs(self.log_ratio) >= math.log1p(margin):
            return 0.0
        return log_evidence(self.rounds, self.disagreement_margin)

    def turned(self) -> Evidence:
        """Of ``a`` against ``b``."""
        return replace(self, log_ratio=-self.log_ratio, events=self.events[::-1])


def log_evidence(rounds: float, disagreement: float) -> float:
    """The logarithm of e, see above."""
    scale = rounds * RHO2 + 1
    return RHO2 * rounds * disagreement / (2 * scale) - math.log(scale) / 2


def fewest_own_events(quantile: float) -> float:
    """How many independent inferences beyond a quantile MLPerf's early stopping asks for, before it counts as known."""
    return fewest_queries(quantile / 100) * (1 - quantile / 100)


def fewest_events(quantile: float) -> float:
    """How many independent inferences beyond a quantile any claim needs: more than MLPerf's early stopping asks for."""
    return max(FEWEST_EVENTS, fewest_own_events(quantile))


def evidence(a: Counted, b: Counted, margin: float = MARGIN) -> list[Evidence]:
    """At each of :data:`QUANTILES`, on the same rounds of both."""
    rounds = int(a.rounds.sum())
    logs_a, logs_b = (np.log(one.quantiles_ns(QUANTILES)) for one in (a, b))
    levels = 1 - np.array(QUANTILES) / 100
    shifts = np.array([0.0, math.log1p(margin), -math.log1p(margin)])
    # Of B's quantile the shift is taken back; quantiles × shifts × tried.
    other = logs_b[:, np.newaxis] - shifts
    x = logs_a[:, np.newaxis, np.newaxis] + (other - logs_a[:, np.newaxis])[:, :, np.newaxis] * _TRIED
    moments_a = _moments(a, x, levels)
    moments_b = _moments(b, x + shifts[np.newaxis, :, np.newaxis], levels)
    disagreements = _disagreement(moments_a, moments_b).min(axis=2)
    events_a, events_b, slower_events = _events(a, b, logs_a, logs_b, margin)
    return [
        Evidence(
            quantile,
            rounds,
            float(logs_b[place] - logs_a[place]),
            float(disagreements[place, 0]),
            float(disagreements[place, 1:].min()),
            (float(events_a[place]), float(events_b[place])),
            float(slower_events[place]),
        )
        for place, quantile in enumerate(QUANTILES)
    ]


def _events(a: Counted, b: Counted, logs_a: Floats, logs_b: Floats, margin: float) -> tuple[Floats, Floats, Floats]:
    """Of A, of B, and of the slower one of them, at each quantile: see :class:`Evidence`."""
    b_is_slower = logs_b >= logs_a
    slow_at, fast_at = np.exp(np.maximum(logs_a, logs_b)), np.exp(np.minimum(logs_a, logs_b))
    (a_slow, b_slow), (a_fast, b_fast) = ([one.above(at) for one in (a, b)] for at in (slow_at, fast_at))
    total_a, total_b = a.totals.sum(), b.totals.sum()
    faster_total, slower_total = np.where(b_is_slower, [[total_a], [total_b]], [[total_b], [total_a]])
    unseen = UNSEEN_ROUNDS * slower_total / max(float(a.rounds.sum()), 1.0)
    beyond = np.where(b_is_slower, a_slow, b_slow).sum(axis=0) + unseen
    is_far = (beyond < (1 - np.array(QUANTILES) / 100) * faster_total) & (np.abs(logs_b - logs_a) >= math.log1p(margin))
    own, of_other = np.where(b_is_slower, b_slow, a_slow), np.where(b_is_slower, b_fast, a_fast)
    return (
        independent(np.where(b_is_slower, a_fast, a_slow)),
        independent(np.where(b_is_slower, b_slow, b_fast)),
        independent(np.where(is_far, of_other, own)),
    )


def _moments(one: Counted, x: Floats, levels: Floats) -> Floats:
    """g of each round at each x: shape (rounds, *x.shape)."""
    found: Floats = one.above(np.exp(x.ravel())).reshape(-1, *x.shape)
    found -= one.totals[:, np.newaxis, np.newaxis, np.newaxis] * levels[:, np.newaxis, np.newaxis]
    return found


def _disagreement(a: Floats, b: Floats) -> Floats:
    """T of two moments, over the first axis."""
    aa, bb, ab = (np.einsum("r...,r...->...", one, two) for one, two in ((a, a), (b, b), (a, b)))
    return _t(a.sum(axis=0), b.sum(axis=0), aa, bb, ab)


def disagreement_of_all(a: Floats, b: Floats) -> Floats:
    """T of each column of A's moments with each of B's, shape (rows, columns) each; of shape (A's, B's columns)."""
    sums_a, sums_b = a.sum(axis=0)[:, np.newaxis], b.sum(axis=0)
    squares_a, squares_b = (a**2).sum(axis=0)[:, np.newaxis], (b**2).sum(axis=0)
    return _t(sums_a, sums_b, squares_a, squares_b, a.T @ b)


def _t(s_a: Floats, s_b: Floats, aa: Floats, bb: Floats, ab: Floats) -> Floats:
    """s' M⁻¹ s. A pair that never varies against each other still has an inverse."""
    aa, bb = aa * (1 + _RIDGE) + 1e-9, bb * (1 + _RIDGE) + 1e-9
    found: Floats = (s_a**2 * bb - 2 * s_a * s_b * ab + s_b**2 * aa) / (aa * bb - ab**2)
    return found


def holm(log_es: Sequence[float], alpha: float) -> list[bool]:
    """Which of a family may be claimed (Holm, Scand. J. Stat. 6, 1979). Always-valid p-values keep it always valid."""
    order = sorted(range(len(log_es)), key=lambda place: -log_es[place])
    claimed = [False] * len(log_es)
    for done, place in enumerate(order):
        if log_es[place] < math.log((len(log_es) - done) / alpha):
            break
        claimed[place] = True
    return claimed


def rounds_needed(one: Evidence, log_e: float, margin: float = MARGIN) -> float | None:
    """With how many rounds the evidence is ``log_e``, if it goes on like this: of a difference, or of none."""
    at_least = max(1.0, one.missing) * one.rounds
    tried = at_least * np.geomspace(1.0, 10_000.0, 400)
    found = []
    for disagreement, holds in (
        (one.disagreement, abs(one.log_ratio) >= math.log1p(margin)),
        (one.disagreement_margin, abs(one.log_ratio) < math.log1p(margin)),
    ):
        if holds and one.rounds:
            scale = tried * RHO2 + 1
            enough = RHO2 * tried**2 * (disagreement / one.rounds) / (2 * scale) - np.log(scale) / 2 >= log_e
            found += [float(tried[np.argmax(enough)])] if enough.any() else []
    return min(found, default=None)
