"""A/A: the same candidate twice, under two names, must not differ.

    python -m benchmarks.same_twice [--sessions 1] [--seconds 30] [--threads 0 2] [--model MODEL]

Compared as candidates are: a round holds one slice of each, and whole rounds are resampled. An honest 95 % interval
excludes 1 in one session of twenty: a single row that does is no proof of anything, the share over many sessions is.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from benchmarks.gated import slices_under
from benchmarks.proof import CannotProve, Effort, Limit, Proof, Row, Verdict, judged, shown, stand_alone
from benchmarks.ratios import Interval, Side, quantile, ratio, share_of
from latvar_tui.candidate import parse_candidates
from latvar_tui.condition import Condition
from latvar_tui.device.cores import physical_cores
from latvar_tui.histogram import Histogram

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
    Effort.QUICK: Plan(1, 6.0, (2,), "squeezenet1_1"),
    Effort.DEFAULT: Plan(1, 30.0, (0, 2), "squeezenet1_1"),
    Effort.LONG: Plan(60, 20.0, (0, 2), "squeezenet1_1"),
}


def rounds_of(model: str, condition: Condition, seconds: float) -> list[tuple[Side, Side]]:
    """One session's whole rounds: the one's slice and the other's."""
    names = [str(candidate) for candidate in parse_candidates([model, _twin(model)], physical_cores())]
    found: dict[int, dict[str, Histogram]] = defaultdict(dict)
    for frame in slices_under(names, condition, seconds):
        if frame.service.pairs:
            histogram = Histogram()
            histogram.add_counts(frame.service)
            found[frame.round][frame.candidate] = histogram
    whole = [one for _, one in sorted(found.items()) if len(one) == 2]
    # The first second of a session warms up, as everywhere.
    return [({model: one[names[1]]}, {model: one[names[0]]}) for one in whole[2:]]


def _twin(model: str) -> str:
    return f"{model}{',' if '@' in model else '@'}as=B"


def prove(plan: Plan) -> Proof:
    """Measure and judge."""
    rows: list[Row] = []
    for threads in plan.threads:
        where = "idle" if not threads else f"{threads} stress threads"
        excluded: dict[float, int] = defaultdict(int)
        for session in range(plan.sessions):
            rounds = rounds_of(plan.model, Condition(threads), plan.seconds)
            if len(rounds) < 2:
                raise CannotProve(f"{plan.seconds:g} s are too short for {plan.model}: give it more with --seconds.")
            for q in QUANTILES:
                found = ratio(rounds, quantile(q), seed=session)
                excluded[q] += not found.low <= 1 <= found.high
                if plan.sessions < MANY:
                    number = f", session {session + 1}" if plan.sessions > 1 else ""
                    rows.append(_holds_one(f"{where}{number}, p{q:g}, {len(rounds)} rounds", found))
        if plan.sessions >= MANY:
            for q, many in excluded.items():
                label = f"{where}, p{q:g}: intervals of {plan.sessions} sessions that exclude 1"
                rows.append(judged(label, share_of(many, plan.sessions), SHARE, 1))
        elif plan.sessions > 1:
            rows.append(shown(f"{where}: intervals that exclude 1", f"{sum(excluded.values())}"))
    how = (
        f"{plan.sessions} × {plan.seconds:g} s of {plan.model} against itself; an honest interval excludes 1 in 1 of 20"
    )
    return Proof("same_twice", CLAIM, how, rows)


def _holds_one(label: str, found: Interval) -> Row:
    inside = found.low <= 1 <= found.high
    return Row(label, str(found), "1 inside", Verdict.MET if inside else Verdict.MISSED)


if __name__ == "__main__":
    stand_alone(__name__)
