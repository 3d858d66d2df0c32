"""A/A on this device, looked at after every round: how often is a difference claimed that cannot be there?

    python -m benchmarks.false_claims [--sessions 2] [--rounds 60] [--threads 2] [--copies 3] [--model MODEL]

The same candidate several times over, under as many names. One probe measures round after round; each ``--rounds`` of
them are a session, of which a study of its own is asked after every round, as somebody would who never looks away. A
session is false if any pair is claimed to differ at any quantile, at any of these looks. ``claims`` does the same on
simulated sessions.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from itertools import combinations

from benchmarks.gated import slices_under
from benchmarks.proof import Effort, Limit, Proof, Row, judged, shown, stand_alone
from benchmarks.ratios import share_of
from latvar_tui import wire
from latvar_tui.candidate import parse_candidates
from latvar_tui.condition import Condition
from latvar_tui.device.cores import physical_cores
from latvar_tui.study.claims import QUANTILES
from latvar_tui.study.ranking import Study

CLAIM = "Who looks all the time is not told of differences that are none."
AIM = "at most 5 % of the sessions of a candidate against itself claim a difference, looked at after every round."

SHARE = Limit(high=5, unit=" %")
SLICE_MS = 50.0
"""Short, so that many rounds fit the time; how many inferences a slice holds is nothing to the rule."""


@dataclass(frozen=True)
class Plan:
    sessions: int
    rounds: int
    threads: tuple[int, ...]
    copies: int
    model: str


PLANS = {
    Effort.QUICK: Plan(1, 30, (2,), 3, "squeezenet1_1"),
    Effort.DEFAULT: Plan(2, 60, (2,), 3, "squeezenet1_1"),
    Effort.LONG: Plan(60, 60, (0, 2), 3, "squeezenet1_1"),
}

Round = list[wire.Slice]


def rounds_of(names: Sequence[str], condition: Condition) -> Generator[Round]:
    """Whole rounds, without end; the first ones warm up, and are left out."""
    found: dict[int, Round] = defaultdict(list)
    for frame in slices_under(names, condition, slice_ms=SLICE_MS):
        found[frame.round].append(frame)
        if len(found[frame.round]) == len(names) and frame.round > 4:
            yield found.pop(frame.round)


def claimed_in(rounds: Sequence[Round], condition: Condition) -> dict[float, int]:
    """At which quantiles anything was ever claimed, and after how many rounds first."""
    study = Study()
    found: dict[float, int] = {}
    for number, one in enumerate(rounds, 1):
        for frame in one:
            study.add(frame, condition)
        names = study.candidates(condition)
        for quantile in QUANTILES:
            if quantile not in found and any(
                study.pair(a, b, condition, quantile).faster for a, b in combinations(names, 2)
            ):
                found[quantile] = number
    return found


def prove(plan: Plan) -> Proof:
    """Measure and judge."""
    twins = [f"{plan.model}{',' if '@' in plan.model else '@'}as={copy}" for copy in range(1, plan.copies + 1)]
    names = [str(candidate) for candidate in parse_candidates(twins, physical_cores())]
    rows: list[Row] = []
    everywhere: dict[float, int] = defaultdict(int)
    for threads in plan.threads:
        condition = Condition(threads)
        where = "idle" if not threads else f"{threads} stress threads"
        false: dict[float, int] = defaultdict(int)
        source = rounds_of(names, condition)
        for _ in range(plan.sessions):
            for quantile in claimed_in([next(source) for _ in range(plan.rounds)], condition):
                false[quantile] += 1
                everywhere[quantile] += 1
        source.close()
        found = ", ".join(f"p{quantile:g} {false[quantile]}" for quantile in QUANTILES)
        rows.append(shown(f"{where}: sessions of {plan.sessions} with a false claim", found))
    sessions = plan.sessions * len(plan.threads)
    for quantile in QUANTILES:
        label = f"p{quantile:g}: {sessions} sessions, those with a false claim"
        rows.append(judged(label, share_of(everywhere[quantile], sessions), SHARE, 1))
    how = (
        f"{plan.sessions} sessions of {plan.rounds} rounds of {SLICE_MS:g} ms slices, {plan.copies} times "
        f"{plan.model}, {plan.copies * (plan.copies - 1) // 2} pairs"
    )
    return Proof("false_claims", CLAIM, how, rows)


if __name__ == "__main__":
    stand_alone(__name__)
