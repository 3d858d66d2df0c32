"""How often a 95 % interval holds the truth, simulated and on recordings cut in two.

    python -m benchmarks.coverage [--sessions N] [--rounds N ...]

Simulated: moods that last for many rounds (AR(1)), slow inferences in bursts, two humps. Of the ratio the truth is that
of the run's own moods; of a candidate by itself it is that of the long run. Recorded: the same model twice, measured
now; each session is cut into stretches, and an interval of a stretch should hold the ratio 1.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from benchmarks.claims import CASES, Case, session
from benchmarks.gated import slices_under
from benchmarks.proof import Effort, Limit, Proof, Row, judged, shown, stand_alone
from benchmarks.ratios import share_of
from benchmarks.simulated import MANY_SLICES, Kind, Truth, equal_at, feed, moods
from latvar_tui.candidate import parse_candidates
from latvar_tui.condition import IDLE, Condition
from latvar_tui.device.cores import physical_cores
from latvar_tui.study.conclusions import Ratio
from latvar_tui.study.ranking import Study

CLAIM = "A 95 % interval holds the truth in 95 of 100 sessions, at the median and in the tail."
AIM = "93 to 97 % of the intervals at p50, p95 and p99 hold it."

QUANTILES = (50.0, 95.0, 99.0)
COVERED = Limit(93, 97, " %")
RATIOS = {
    "AR(1) moods": CASES["A/A"],
    "bursts": CASES["A/A, 8 % slow in bursts"],
    "two humps": CASES["A/A, two humps"],
    "bursts against single ones": CASES["bursts against single ones, 8 %"],
    "long bursts against short ones that are slower": Case(
        Kind(slow_share=0.06, slow=2.0, burst=40), Kind(slow_share=0.06, slow=6.0, burst=10), 0.0
    ),
}
ALONE = {
    "by itself, moods from slice to slice (phi 0.5)": Case(Kind(spread=0.08, own=0.03), Kind(), 0.1, 0.5),
    "by itself, moods that last (phi 0.9)": Case(Kind(spread=0.08, own=0.03), Kind(), 0.1, 0.9),
    "by itself, moods that hardly end (phi 0.95)": Case(Kind(spread=0.08, own=0.03), Kind(), 0.1, 0.95),
    "by itself, bursts": Case(Kind(slow_share=0.08, burst=20), Kind(), 0.05, 0.8),
    "by itself, two humps, moods that last": Case(
        Kind(spread=0.05, slow_share=0.2, slow=2.2, burst=5, own=0.04), Kind(), 0.1, 0.9
    ),
}


@dataclass(frozen=True)
class Plan:
    sessions: int
    rounds: tuple[int, ...]
    recorded: int
    seconds: float
    threads: tuple[int, ...]
    model: str
    truth_slices: int = MANY_SLICES


PLANS = {
    Effort.QUICK: Plan(3, (60,), 0, 0.0, (), "squeezenet1_1", MANY_SLICES // 4),
    Effort.DEFAULT: Plan(400, (60,), 0, 25.0, (0, 2), "squeezenet1_1"),
    Effort.LONG: Plan(1000, (60, 120, 400), 20, 60.0, (0, 1, 2), "squeezenet1_1"),
}


Counts = dict[float, tuple[int, int]]
"""By quantile: how many intervals hold the truth, and how many there were."""


def ratios_covered(case: Case, sessions: int, rounds: int, truth_slices: int = MANY_SLICES) -> Counts:
    """Of the ratio of two candidates, made equal at the median."""
    truth = Truth(case.a, case.b, truth_slices)
    typical = np.random.default_rng(3).normal(0, case.mood, 4000) if case.mood else np.zeros(1)
    scale = 0.0 if case.a == case.b else equal_at(truth, 50.0, typical)
    found: Counts = defaultdict(lambda: (0, 0))
    for seed in range(sessions):
        *_, (study, mood) = session(case, scale, rounds + 1, 20_000 + seed)
        for quantile in QUANTILES:
            wanted = float(np.exp(truth.log_ratio(mood[:-1], quantile, scale)))
            _count(found, quantile, study.pair("a", "b", IDLE, quantile).ratio, wanted)
    return found


def alone_covered(case: Case, sessions: int, rounds: int, truth_slices: int = MANY_SLICES) -> Counts:
    """Of the first candidate's own quantile, in the long run."""
    truth = Truth(case.a, case.a, truth_slices)
    typical = np.random.default_rng(3).normal(0, case.mood, 20_000)
    wanted = {quantile: float(np.exp(truth.log_quantile(typical, quantile))) for quantile in QUANTILES}
    found: Counts = defaultdict(lambda: (0, 0))
    for seed in range(sessions):
        random, study = np.random.default_rng(30_000 + seed), Study()
        for number, mood in enumerate(moods(random, rounds + 1, case.phi, case.mood)):
            feed(study, number, {"a": case.a.times(random, mood)})
        for quantile in QUANTILES:
            interval = study.interval("a", IDLE, quantile)
            ratio = None if interval is None else Ratio(1.0, *interval)
            _count(found, quantile, ratio, wanted[quantile])
    return found


def _count(found: Counts, quantile: float, ratio: Ratio | None, wanted: float) -> None:
    if ratio is not None and ratio.low is not None and ratio.high is not None:
        held, many = found[quantile]
        found[quantile] = held + (ratio.low <= wanted <= ratio.high), many + 1


def recorded_covered(plan: Plan, threads: int) -> Counts:
    """Of the same model twice, measured now: how many intervals of stretches hold 1, and how many there were."""
    a, b = (str(one) for one in parse_candidates([plan.model, f"{plan.model}@as=B"], physical_cores()))
    found: Counts = defaultdict(lambda: (0, 0))
    for _ in range(plan.recorded):
        for stretch in _stretches([a, b], Condition(threads), plan.seconds):
            for quantile in QUANTILES:
                _count(found, quantile, stretch.pair(a, b, Condition(threads), quantile).ratio, 1.0)
    return found


def _stretches(names: list[str], condition: Condition, seconds: float, rounds: int = 30) -> list[Study]:
    """Studies of so many rounds each, of one session."""
    studies = [Study()]
    for frame in slices_under(names, condition, seconds):
        if frame.round >= 2:  # the first second warms up, as everywhere
            if (frame.round - 2) // rounds >= len(studies):
                studies[-1].restart()
                studies.append(Study())
            studies[-1].add(frame, condition)
    return studies[:-1]  # the last one is short


def prove(plan: Plan) -> Proof:
    """Simulate, measure, and judge."""
    rows: list[Row] = []
    for kind, covered, cases in (("ratio", ratios_covered, RATIOS), ("cell", alone_covered, ALONE)):
        for name, case in cases.items():
            for rounds in plan.rounds:
                found = covered(case, plan.sessions, rounds, plan.truth_slices)
                for quantile in QUANTILES:
                    rows.append(_row(f"{kind}, {name}, {rounds} rounds, p{quantile:g}", *found[quantile]))
    for threads in plan.threads if plan.recorded else ():
        for quantile, (held, many) in recorded_covered(plan, threads).items():
            label = f"recorded, {plan.model} twice, {threads} stress threads, 30 rounds, p{quantile:g}"
            rows.append(shown(label, share_of(held, many), " %", 1))
    return Proof("coverage", CLAIM, f"{plan.sessions} simulated sessions of each kind", rows)


def _row(label: str, held: int, many: int) -> Row:
    if not many:
        return shown(label, "no interval: too little beyond the quantile")
    return judged(f"{label} ({many} intervals)", share_of(held, many), COVERED, 1)


if __name__ == "__main__":
    stand_alone(__name__)
