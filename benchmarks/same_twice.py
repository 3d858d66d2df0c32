"""A/A: the same candidate twice, under two names, must not differ.

    python -m benchmarks.same_twice [--sessions 1] [--seconds 30] [--threads 0 2] [--model MODEL]

Compared as candidates are, by the study itself: a round holds one slice of each. An honest 95 % interval excludes 1
in one session of twenty: a single row that does is no proof of anything, the share over many sessions is.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from benchmarks.gated import slices_under
from benchmarks.proof import CannotProve, Effort, Limit, Proof, Row, Verdict, judged, shown, stand_alone
from benchmarks.ratios import Interval, share_of
from latvar_tui.candidate import parse_candidates
from latvar_tui.condition import Condition
from latvar_tui.device.cores import physical_cores
from latvar_tui.study.conclusions import Pair, Ratio
from latvar_tui.study.ranking import Study

CLAIM = "The same candidate twice does not differ from itself."
AIM = (
    "1 inside the 95 % interval of the ratio at p50, p95 and p99; over many sessions at most 5 % of the intervals "
    "exclude it."
)

QUANTILES = (50.0, 95.0, 99.0)
SHARE = Limit(high=5, unit=" %")
MANY = 10
"""Sessions from which on their share is judged, and not each of them."""


@dataclass(frozen=True)
class Plan:
    sessions: int
    seconds: float
    threads: tuple[int, ...]
    model: str


PLANS = {
    Effort.QUICK: Plan(1, 9.0, (2,), "squeezenet1_1"),
    Effort.DEFAULT: Plan(1, 30.0, (0, 2), "squeezenet1_1"),
    Effort.LONG: Plan(40, 15.0, (0, 2), "squeezenet1_1"),
}


def pairs_of(model: str, condition: Condition, seconds: float) -> list[Pair]:
    """What the study has of one session, at each of QUANTILES."""
    names = [str(candidate) for candidate in parse_candidates([model, _twin(model)], physical_cores())]
    study = Study()
    for frame in slices_under(names, condition, seconds):
        if frame.round >= 2:  # the first second of a session warms up, as everywhere
            study.add(frame, condition)
    study.restart()
    return [study.pair(names[1], names[0], condition, quantile) for quantile in QUANTILES]


def _twin(model: str) -> str:
    return f"{model}{',' if '@' in model else '@'}as=B"


def prove(plan: Plan) -> Proof:
    """Measure and judge."""
    rows: list[Row] = []
    for threads in plan.threads:
        where = "idle" if not threads else f"{threads} stress threads"
        judged_at: dict[float, list[bool]] = defaultdict(list)
        for session in range(plan.sessions):
            pairs = pairs_of(plan.model, Condition(threads), plan.seconds)
            if pairs[0].rounds < 2:
                raise CannotProve(f"{plan.seconds:g} s are too short for {plan.model}: give it more with --seconds.")
            for pair in pairs:
                excludes = _excludes_one(pair.ratio)
                if excludes is not None:
                    judged_at[pair.quantile].append(excludes)
                if plan.sessions < MANY:
                    number = f", session {session + 1}" if plan.sessions > 1 else ""
                    label = f"{where}{number}, p{pair.quantile:g}, {pair.rounds} rounds"
                    rows.append(_row(label, pair.ratio, pair.rounds))
        if plan.sessions >= MANY:
            for q, found in judged_at.items():
                label = f"{where}, p{q:g}: intervals of {len(found)} sessions that exclude 1"
                rows.append(judged(label, share_of(sum(found), len(found)), SHARE, 1))
        elif plan.sessions > 1:
            rows.append(shown(f"{where}: intervals that exclude 1", f"{sum(map(sum, judged_at.values()))}"))
    how = (
        f"{plan.sessions} × {plan.seconds:g} s of {plan.model} against itself; an honest interval excludes 1 in 1 of 20"
    )
    return Proof("same_twice", CLAIM, how, rows)


def _excludes_one(ratio: Ratio | None) -> bool | None:
    """Whether its interval does; None without one."""
    return None if ratio is None or ratio.low is None or ratio.high is None else not ratio.low <= 1 <= ratio.high


def _row(label: str, ratio: Ratio | None, rounds: int) -> Row:
    if ratio is None or ratio.low is None or ratio.high is None:
        return shown(label, "no interval: too little beyond the quantile")
    found = str(Interval(ratio.value, ratio.low, ratio.high, rounds))
    return Row(label, found, "1 inside", Verdict.MISSED if _excludes_one(ratio) else Verdict.MET)


if __name__ == "__main__":
    stand_alone(__name__)
