"""How often the study claims that one candidate is faster than another where that is not so, and how soon where it is.

    python -m benchmarks.claims [--sessions N] [--rounds N]

Simulated sessions of two candidates, looked at after every round. Equal in the quantile that is judged, and otherwise
as different as one likes: the same candidate twice, slow inferences in bursts against single ones, a narrow one against
a wide one, one that minds the machine's moods twice as much, one that is slow for a whole slice now and then against
one that always is. A claim is false if the quantiles in the moods that the run has been through are not in that order.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from benchmarks.proof import Effort, Limit, Proof, Row, Verdict, judged, shown, stand_alone
from benchmarks.ratios import share_of
from benchmarks.simulated import MANY_SLICES, Floats, Kind, Truth, equal_at, feed, moods
from latvar_tui.condition import IDLE
from latvar_tui.study.ranking import Study

CLAIM = "What the study claims, looked at after every round, is false in less than one session of twenty."
AIM = (
    "False claims in at most 5 % of sessions, on A/A and on pairs of equal quantiles whose slow inferences cluster "
    "differently; a true 10 % claimed within 60 rounds at p50 and p95."
)

QUANTILES = (50.0, 95.0, 99.0)
SHARE = Limit(high=5, unit=" %")
ROUNDS = Limit(high=60, unit=" rounds")

_PLAIN = Kind(spread=0.08, own=0.03)
_SINGLE = Kind(slow_share=0.08)
_BURSTS = Kind(slow_share=0.08, burst=20)
_RARE = Kind(slow_share=0.03)
_RARE_BURSTS = Kind(slow_share=0.03, burst=15)
_STRESSED = Kind(spread=0.05, slow_share=0.2, slow=2.2, burst=5, own=0.04)
_WIDE = Kind(spread=0.25)
_MOODY = Kind(spread=0.08, own=0.03, minds=2.0)
_FEW = Kind(base_ms=90.0, spread=0.1, own=0.03)
_QUICK = Kind(base_ms=9.6, slow_share=0.032, slow=2.5, burst=math.inf)
_SLOW = Kind(base_ms=24.0)


@dataclass(frozen=True)
class Case:
    """Two candidates; the mood's standard deviation, and how alike it is from round to round."""

    a: Kind
    b: Kind
    mood: float = 0.1
    phi: float = 0.95


CASES = {
    "A/A": Case(_PLAIN, _PLAIN),
    "A/A, 8 % slow": Case(_SINGLE, _SINGLE),
    "A/A, 8 % slow in bursts": Case(_BURSTS, _BURSTS),
    "A/A, two humps": Case(_STRESSED, _STRESSED),
    "A/A, three inferences a slice": Case(_FEW, _FEW),
    "bursts against single ones, 8 %": Case(_BURSTS, _SINGLE, 0.0),
    "bursts against single ones, 3 %": Case(_RARE_BURSTS, _RARE, 0.0),
    "narrow against wide, no mood": Case(_PLAIN, _WIDE, 0.0),
    "narrow against wide, moods": Case(_PLAIN, _WIDE),
    "one minds moods twice as much": Case(_PLAIN, _MOODY, 0.1, 0.0),
    "seldom slow for a slice against always slow": Case(_QUICK, _SLOW, 0.0),
}
HARDLY_SEEN = {
    "slow in one slice of sixty": Case(
        replace(_QUICK, base_ms=6.0, slow_share=0.0165, slow=1.5), Kind(base_ms=9.0), 0.0
    ),
    "1.25 % slow in bursts of 15": Case(replace(_QUICK, slow_share=0.0125, burst=15.0), _SLOW, 0.0),
}
"""What decides at p99 comes so seldom that many a session has none of it, and no rule can know of it: no limit."""
POWER = {
    "idle": Case(_PLAIN, _PLAIN, 0.05, 0.8),
    "moody": Case(_PLAIN, _PLAIN, 0.1, 0.9),
    "stressed": Case(_STRESSED, _STRESSED, 0.05, 0.6),
}
RATIOS = (1.02, 1.05, 1.10)


@dataclass(frozen=True)
class Plan:
    sessions: int
    rounds: int
    power_sessions: int
    power_rounds: int
    truth_slices: int = MANY_SLICES


PLANS = {
    Effort.QUICK: Plan(5, 60, 2, 60, MANY_SLICES // 4),
    Effort.DEFAULT: Plan(80, 60, 8, 120),
    Effort.LONG: Plan(200, 100, 20, 200),
}


@cache
def _truth(a: Kind, b: Kind, slices: int) -> Truth:
    return Truth(a, b, slices)


def session(case: Case, log_scale: float, rounds: int, seed: int) -> Iterator[tuple[Study, Floats]]:
    """The study after each round, and the moods so far."""
    random = np.random.default_rng(seed)
    mood = moods(random, rounds, case.phi, case.mood) if case.mood else np.zeros(rounds)
    study = Study()
    for number in range(rounds):
        feed(
            study,
            number,
            {"a": case.a.times(random, mood[number]), "b": case.b.times(random, mood[number], np.exp(log_scale))},
        )
        yield study, mood[: number + 1]


def false_claims(
    case: Case, quantiles: tuple[float, ...], sessions: int, rounds: int, truth_slices: int = MANY_SLICES
) -> list[int]:
    """In how many sessions a claim at each quantile was false at any look; made equal at the first."""
    truth = _truth(case.a, case.b, truth_slices)
    scale = 0.0
    if case.a != case.b:
        typical = np.random.default_rng(3).normal(0, case.mood, 4000) if case.mood else np.zeros(1)
        scale = equal_at(truth, quantiles[0], typical)
    found = np.zeros(len(quantiles), int)
    for seed in range(sessions):
        wrong = [False] * len(quantiles)
        for study, mood in session(case, scale, rounds, seed):
            for place, quantile in enumerate(quantiles):
                if not wrong[place] and study.claimed(quantile):
                    faster = study.pair("a", "b", IDLE, quantile).faster
                    log_ratio = truth.log_ratio(mood, quantile, scale) if faster else 0.0
                    wrong[place] = bool(faster) and (log_ratio <= 1e-9 if faster == "a" else log_ratio >= -1e-9)
        found += wrong
    return found.tolist()


def rounds_to_claim(case: Case, ratio: float, quantiles: tuple[float, ...], sessions: int, rounds: int) -> Floats:
    """After how many rounds the difference is claimed, infinite if never; shape (sessions, quantiles)."""
    found = np.full((sessions, len(quantiles)), np.inf)
    for seed in range(sessions):
        for number, (study, _) in enumerate(session(case, np.log(ratio), rounds, 10_000 + seed)):
            for place, quantile in enumerate(quantiles):
                open_ = np.isinf(found[seed, place]) and study.claimed(quantile)
                if open_ and study.pair("a", "b", IDLE, quantile).faster == "a":
                    found[seed, place] = number
            if np.isfinite(found[seed]).all():
                break
    return found


def prove(plan: Plan) -> Proof:
    """Simulate and judge."""
    rows: list[Row] = []
    for name, case in CASES.items():
        together = [QUANTILES] if case.a == case.b else [(quantile,) for quantile in QUANTILES]
        for quantiles in together:
            many = false_claims(case, quantiles, plan.sessions, plan.rounds, plan.truth_slices)
            for quantile, wrong in zip(quantiles, many, strict=True):
                rows.append(judged(f"{name}, p{quantile:g}: false claims", share_of(wrong, plan.sessions), SHARE, 1))
    for name, case in HARDLY_SEEN.items():
        (wrong,) = false_claims(case, (99.0,), plan.sessions, plan.power_rounds, plan.truth_slices)
        label = f"{name}, p99: false claims in {plan.power_rounds} rounds"
        rows.append(shown(label, share_of(wrong, plan.sessions), " %", 1))
    for name, case in POWER.items():
        for ratio in RATIOS:
            needed = rounds_to_claim(case, ratio, QUANTILES, plan.power_sessions, plan.power_rounds)
            for quantile, median in zip(QUANTILES, np.median(needed, axis=0).tolist(), strict=True):
                label = f"{name}, p{quantile:g}: rounds until a true {100 * (ratio - 1):.0f} % is claimed, median"
                text = f"{median:.0f} rounds" if np.isfinite(median) else f"more than {plan.power_rounds} rounds"
                if ratio == RATIOS[-1] and quantile != 99.0 and name != "moody":
                    verdict = Verdict.MET if median <= ROUNDS.high else Verdict.MISSED
                    rows.append(Row(label, text, str(ROUNDS), verdict))
                else:
                    rows.append(shown(label, text))
    how = f"{plan.sessions} simulated sessions of {plan.rounds} rounds each, looked at after every round"
    return Proof("claims", CLAIM, how, rows)


if __name__ == "__main__":
    stand_alone(__name__)
