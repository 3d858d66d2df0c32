"""Does company leave traces? The same candidate with others in the line-up and alone.

    python -m benchmarks.company [--pairs 12] [--seconds 0.75] [--thawed 5] [--models MODEL[@settings] ...]

A candidate's pool threads spin on for a while after its slice; the instrument freezes them, so that the next candidate
meets none of them. Here the instrument's own runners take turns as in the probe, and their times are read from their
tapes: where in a slice an inference ran is told by no frame. A pair is a stretch in which all of them take turns in
shuffled order, and a stretch of each alone, the others frozen. In the first ``--thawed`` pairs there is also one in
which all take turns and nobody is frozen: it shows that this proof would notice.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import onnxruntime  # noqa: F401 -- once, before the runners are forked, as in the probe

from benchmarks.proof import CannotProve, Effort, Limit, Proof, Row, judged, shown, stand_alone
from benchmarks.ratios import Interval, Side, quantile, ratio
from latvar_tui import zoo
from latvar_tui.candidate import parse_candidate, parse_candidates
from latvar_tui.device.cores import physical_cores
from latvar_tui.device.runner_control import Runner
from latvar_tui.histogram import Histogram

CLAIM = "A candidate is as fast in company as alone: the others leave nothing behind that runs on into its slices."
AIM = (
    "p99 of the first 100 ms of the slices ÷ that of the rest within 0.9 to 1.1; p50 and p99 in company ÷ alone too; "
    "for comparison the same where nobody is frozen."
)

LIMIT = Limit(0.9, 1.1)
SLICE_NS = 250_000_000
EARLY_NS = 100_000_000
PAUSE_S = 0.005
"""Between two slices, as long as a screen takes to draw."""


@dataclass(frozen=True)
class Plan:
    pairs: int
    seconds: float
    """Of each candidate in each stretch."""
    thawed: int
    """Pairs with a stretch in which nobody is frozen."""
    models: tuple[str, ...]


PLANS = {
    Effort.QUICK: Plan(5, 0.25, 0, zoo.DEFAULT_LINE_UP),
    Effort.DEFAULT: Plan(12, 0.75, 5, zoo.DEFAULT_LINE_UP),
    Effort.LONG: Plan(160, 0.75, 40, zoo.DEFAULT_LINE_UP),
}


@dataclass
class Stretch:
    """One candidate's times in one stretch: in the first 100 ms after a thaw, and later."""

    early: Histogram = field(default_factory=Histogram)
    late: Histogram = field(default_factory=Histogram)

    @property
    def whole(self) -> Histogram:
        both = self.early.copy()
        both.add(self.late)
        return both


Stretches = dict[str, Stretch]
"""By candidate."""


class LineUp:
    """The runners, frozen but for their slices."""

    def __init__(self, names: Sequence[str]) -> None:
        self.runners: list[Runner] = []
        try:
            for name in names:
                runner = Runner(parse_candidate(name, physical_cores()), self._forget)
                self.runners.append(runner)
                ready = runner.finish_loading()
                if ready.state != "ready":
                    raise CannotProve(f"{name}: {ready.reason}")
        except BaseException:
            self.close()
            raise

    def _forget(self) -> None:
        for runner in self.runners:
            runner.child.close_in_child()

    def take_turns(self, chosen: Sequence[Runner], seconds: float, thawed: bool = False) -> Stretches:
        """Give ``chosen`` slices in shuffled order, round after round: about so many seconds each, at least a slice.

        ``thawed``: nobody is frozen after a slice, as the instrument never does it.
        """
        found = {runner.name: Stretch() for runner in chosen}
        for _ in range(max(1, round(seconds * 1e9 / SLICE_NS))):
            for runner in random.sample(list(chosen), len(chosen)):
                time.sleep(PAUSE_S)
                self._slice(runner, found[runner.name], thawed)
        for runner in self.runners:
            runner.child.freeze()
        return found

    def _slice(self, runner: Runner, stretch: Stretch, thawed: bool) -> None:
        runner.child.freeze()  # where the others were left thawed, it was, too
        thawed_ns = time.perf_counter_ns()
        runner.order_slice(SLICE_NS)
        runner.child.thaw()
        answer = runner.answer()
        if answer is None:
            raise RuntimeError(f"{runner.name} has died: {runner.bury().reason}")
        if not thawed:
            runner.child.freeze()
        n = answer.inferences
        times = runner.tape.durations[:n].copy()
        is_early = runner.tape.starts[:n] - thawed_ns < EARLY_NS
        stretch.early.record(times[is_early])
        stretch.late.record(times[~is_early])

    def close(self) -> None:
        for runner in self.runners:
            runner.child.end()


def _early(side: Sequence[Stretches], names: Sequence[str]) -> Interval:
    """p99 of the first 100 ms ÷ p99 of the rest, geometric mean over ``names``."""
    pairs: list[tuple[Side, Side]] = [
        ({name: one[name].early for name in names}, {name: one[name].late for name in names}) for one in side
    ]
    return ratio(pairs, quantile(99.0))


def _against(side: Sequence[Stretches], alone: Sequence[Stretches], names: Sequence[str], q: float) -> Interval:
    """``side`` ÷ alone, geometric mean over ``names``."""
    pairs: list[tuple[Side, Side]] = [
        ({name: one[name].whole for name in names}, {name: other[name].whole for name in names})
        for one, other in zip(side, alone, strict=True)
    ]
    return ratio(pairs, quantile(q))


def compared(company: list[Stretches], alone: list[Stretches], thawed: list[Stretches]) -> list[Row]:
    """The instrument judged; each candidate, and the line-up in which nobody is frozen, shown."""
    names = list(company[0])
    early = "p99 of the first 100 ms ÷ the rest"
    rows = [judged(f"{early}, in company", _early(company, names), LIMIT)]
    rows.append(shown(f"{early}, alone", _early(alone, names)))
    rows += [judged(f"in company ÷ alone, p{q:g}", _against(company, alone, names, q), LIMIT) for q in (50.0, 99.0)]
    for name in names:
        found = [f"{early} {_early(company, [name])}"]
        found += [f"company ÷ alone, p{q:g} {_against(company, alone, [name], q)}" for q in (50.0, 99.0)]
        rows.append(shown(name, "; ".join(found)))
    if thawed:
        beside = alone[: len(thawed)]
        found = [f"{early} {_early(thawed, names)}"]
        found += [f"company ÷ alone, p{q:g} {_against(thawed, beside, names, q)}" for q in (50.0, 99.0)]
        rows.append(shown("nobody frozen, for comparison: the mistake that this would show", "; ".join(found)))
    return rows


def prove(plan: Plan) -> Proof:
    """Measure and judge."""
    names = [str(candidate) for candidate in parse_candidates(plan.models, physical_cores())]
    company: list[Stretches] = []
    alone: list[Stretches] = []
    thawed: list[Stretches] = []
    line_up = LineUp(names)
    try:
        line_up.take_turns(line_up.runners, 0.0)  # warms all of them up
        for pair in range(plan.pairs):
            # The one that nobody would use is first, so that the two that are judged follow one another.
            if pair < plan.thawed:
                thawed.append(line_up.take_turns(line_up.runners, plan.seconds, thawed=True))
            if pair % 2 == 0:
                company.append(line_up.take_turns(line_up.runners, plan.seconds))
            alone.append({})
            for runner in line_up.runners:
                alone[-1] |= line_up.take_turns([runner], plan.seconds)
            if pair % 2:
                company.append(line_up.take_turns(line_up.runners, plan.seconds))
    finally:
        line_up.close()
    how = (
        f"{plan.pairs} pairs of {plan.seconds:g} s a candidate, {plan.thawed} with a stretch of nobody frozen; "
        f"{', '.join(names)}; geometric mean over them"
    )
    return Proof("company", CLAIM, how, compared(company, alone, thawed))


if __name__ == "__main__":
    stand_alone(__name__)
