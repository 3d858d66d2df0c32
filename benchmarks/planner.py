"""How much sooner a sweep is done that gives its time to what is undecided.

    python -m benchmarks.planner [--sweeps 100] [--play-s 60] [--seconds 24] [--threads 0 1 2 4] [--models MODEL ...]

Two line-ups: what ``latvar-tui sweep`` does without arguments, and all the models under fewer levels, for longer.

The cells are recorded here, with ``latvar-tui record``: under each condition rounds of real slices. Sweeps are then
played by drawing recorded rounds with replacement, so that the machine's mood stays common to a round: one by the
planner, and one that gives every candidate the same rounds under every condition, both judged by the same study. The
planner goes on until all is settled, or its time is up; the other until it has settled as many pairs as that had in the
end. What counts is when each had first settled that many.

What no planner can beat is shown beside it: one that knew beforehand in how many rounds each pair would be settled,
as they were in the fixed sweeps, and so measured every candidate just as often as the pairs it settles need.
"""

from __future__ import annotations

import math
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product
from pathlib import Path

import numpy as np

from benchmarks.planner_bound import Needs, least_s
from benchmarks.proof import CannotProve, Effort, Limit, Proof, Row, judged, shown, stand_alone
from benchmarks.ratios import geometric_mean_of, share_of
from latvar_tui import wire, zoo
from latvar_tui.cli_sweep import DEFAULT_BUDGET_S
from latvar_tui.condition import Condition
from latvar_tui.session.reader import Session
from latvar_tui.study.conclusions import Pair
from latvar_tui.study.plan import Block, Goal, Plan
from latvar_tui.study.ranking import Study

CLAIM = "A sweep that plans needs less time than one that measures everything alike, and is wrong no more often."
AIM = "At most 2/3 of the time to settle as many pairs; at most 5 % of sweeps claim a pair the wrong way round."

TIME = Limit(high=2 / 3, unit="×")
WRONG = Limit(high=5, unit=" %")
BLOCK_ROUNDS = 8
CLEARLY = 1.02
"""A pair whose recorded quantiles differ by less has no wrong way round."""

Round = Mapping[str, wire.Slice]


@dataclass(frozen=True)
class Effortful:
    """A plan: at most so many ``sweeps`` played of each line-up, or as many as are begun within ``play_s``;
    levels recorded for ``seconds`` each, and the most that a played sweep of all the models takes, s."""

    sweeps: int
    play_s: float
    seconds: float
    longest_s: float
    threads: tuple[int, ...]
    models: tuple[str, ...]


FEWEST_SWEEPS = 2
"""However long they take."""

_MODELS = ("squeezenet1_1", "mobilenet_v3_large", "mnasnet1_0", "mobilenet_v2", "shufflenet_v2_x1_0")

PLANS = {
    Effort.QUICK: Effortful(FEWEST_SWEEPS, 2.0, 12.0, 200.0, (0, 2), zoo.DEFAULT_LINE_UP),
    Effort.DEFAULT: Effortful(100, 60.0, 24.0, 900.0, (0, 1, 2, 4), _MODELS),
    Effort.LONG: Effortful(400, 600.0, 150.0, 900.0, (0, 1, 2, 4), _MODELS),
}
FEWER_THREADS = 2
"""Up to so many the larger line-up is swept."""


@dataclass(frozen=True)
class LineUp:
    """What a played sweep is of."""

    name: str
    rounds: Mapping[Condition, Sequence[Round]]
    longest_s: float


def line_ups(plan: Effortful, rounds: Mapping[Condition, Sequence[Round]]) -> list[LineUp]:
    """The command's own, in its own time, and, if it is another one, all the models under fewer levels."""
    default = {
        condition: [{name: one[name] for name in one if _model(name) in zoo.DEFAULT_LINE_UP} for one in whole]
        for condition, whole in rounds.items()
    }
    found = [LineUp("default", default, DEFAULT_BUDGET_S)]
    if set(plan.models) != set(zoo.DEFAULT_LINE_UP):
        fewer = {each: whole for each, whole in rounds.items() if each.stress_threads <= FEWER_THREADS}
        found.append(LineUp(f"{len(plan.models)} models", fewer, plan.longest_s))
    return found


def _model(candidate: str) -> str:
    return candidate.split("@")[0]


def recorded(plan: Effortful) -> dict[Condition, list[Round]]:
    """Whole rounds of real slices, by condition.

    Raises:
        CannotProve: they cannot be recorded here.
    """
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for threads in plan.threads:
            session = Path(folder) / str(threads)
            ended = subprocess.run(
                [
                    sys.executable, "-m", "latvar_tui", "record", *plan.models, "--stress", str(threads),
                    "--duration", f"{plan.seconds}s", "--record", str(session), "--force",
                ],
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            if ended.returncode:
                raise CannotProve(f"The cells cannot be recorded: {ended.stderr.strip()[-200:]}")
            found[Condition(threads)] = _rounds(session)
    return found


def _rounds(session: Path) -> list[Round]:
    by_number: dict[int, dict[str, wire.Slice]] = {}
    for frame in Session(session).frames():
        if isinstance(frame, wire.Slice) and frame.service.pairs:
            by_number.setdefault(frame.round, {})[frame.candidate] = frame
    most = max((len(one) for one in by_number.values()), default=0)
    whole: list[Round] = [one for one in by_number.values() if len(one) == most]
    if len(whole) < 12:
        raise CannotProve(f"Only {len(whole)} rounds were recorded: give it more --seconds.")
    return whole


class Played:
    """A sweep whose slices are drawn from recorded rounds: what a plan asks of a board."""

    def __init__(self, rounds: Mapping[Condition, Sequence[Round]], seed: int) -> None:
        self._recorded, self._random = rounds, np.random.default_rng(seed)
        self._study = Study()
        self._had: Counter[tuple[str, Condition]] = Counter()
        self._spent_s: Counter[tuple[str, Condition]] = Counter()
        self._round = 0
        self.rivals: Sequence[str] = sorted(next(iter(rounds.values()))[0])
        self.controls: Sequence[str] = ()
        self.elapsed_s = 0.0

    def measure(self, block: Block) -> None:
        """A block's rounds."""
        rounds = self._recorded[block.condition]
        for _ in range(block.rounds):
            drawn = rounds[int(self._random.integers(len(rounds)))]
            self._round += 1
            for name in block.candidates:
                frame = replace(drawn[name], round=self._round)
                seconds = (frame.end_ns - frame.start_ns + frame.gap_ns) / 1e9
                self._study.add(frame, block.condition)
                self._had[name, block.condition] += 1
                self._spent_s[name, block.condition] += seconds  # type: ignore[assignment]
                self.elapsed_s += seconds

    def pair(self, a: str, b: str, condition: Condition, quantile: float) -> Pair:
        return self._study.pair(a, b, condition, quantile)

    def is_settled(self, candidate: str, condition: Condition, quantile: float) -> bool:
        return self._study.is_settled(candidate, condition, quantile)

    def rounds(self, candidate: str, condition: Condition) -> int:
        return self._had[candidate, condition]

    def slice_s(self, candidate: str, condition: Condition) -> float | None:
        had = self._had[candidate, condition]
        return self._spent_s[candidate, condition] / had if had else None


_Claim = tuple[str, str, Condition, float]


@dataclass(frozen=True)
class Ended:
    """How a played sweep ended. ``least_s``: what it would have taken somebody who knew what it takes."""

    took_s: float
    still_open: int
    claimed: Mapping[_Claim, str]
    least_s: float = math.nan


def planned(rounds: Mapping[Condition, Sequence[Round]], seed: int, longest_s: float) -> Ended:
    """By the planner."""
    world, plan = Played(rounds, seed), Plan(list(rounds), Goal(longest_s), seed)
    reached_s: dict[int, float] = {}
    while (block := plan.next(world)) is not None:
        world.measure(block)
        while plan.think(world):
            pass
        reached_s.setdefault(plan.open_pairs(world), world.elapsed_s)
    left = plan.open_pairs(world)
    took_s = min(when_s for still, when_s in reached_s.items() if still <= left)
    return Ended(took_s, left, _claimed(world, plan))


def all_alike(rounds: Mapping[Condition, Sequence[Round]], seed: int, longest_s: float, until_open: int) -> Ended:
    """Everybody the same, the conditions in new orders, until as few pairs are open."""
    world, judge = Played(rounds, seed), Plan(list(rounds), Goal(longest_s), seed)
    order = np.random.default_rng(seed)
    needs: Needs = {}
    while world.elapsed_s < longest_s:
        for place in order.permutation(len(rounds)):
            world.measure(Block(list(rounds)[place], tuple(world.rivals), BLOCK_ROUNDS))
        had = world.rounds(world.rivals[0], next(iter(rounds)))
        if had < judge.goal.floor_rounds:
            continue
        while judge.think(world):
            pass
        for key in _settled(judge, world):
            needs.setdefault(key, had)
        if judge.open_pairs(world) <= until_open:
            break
    left = judge.open_pairs(world)
    slices_s = {(name, each): world.slice_s(name, each) or math.nan for name in world.rivals for each in rounds}
    settled = len(rounds) * math.comb(len(world.rivals), 2) - left
    least = least_s(needs, slices_s, judge.goal.floor_rounds, settled)
    return Ended(world.elapsed_s, left, _claimed(world, judge), least)


def _settled(judge: Plan, world: Played) -> list[tuple[Condition, str, str]]:
    """The pairs that are settled at this moment."""
    return [
        (condition, a, b)
        for condition in judge.conditions
        for a, b in combinations(world.rivals, 2)
        if all(world.pair(a, b, condition, q).is_settled(judge.goal.precision) for q in judge.goal.quantiles)
    ]


def _claimed(world: Played, judge: Plan) -> dict[_Claim, str]:
    """Who is faster, of each pair that it is claimed of."""
    found = {}
    for condition, quantile in product(judge.conditions, judge.goal.quantiles):
        for a, b in combinations(world.rivals, 2):
            faster = world.pair(a, b, condition, quantile).faster
            if faster:
                found[a, b, condition, quantile] = faster
    return found


def _is_wrong(ended: Ended, truth: Study) -> bool:
    """Whether anything was claimed that all of the recorded rounds together speak against."""
    for (a, b, condition, quantile), claimed in ended.claimed.items():
        ratio = truth.pair(a, b, condition, quantile).ratio
        if ratio is not None and not 1 / CLEARLY <= ratio.value <= CLEARLY and claimed != (a if ratio.value > 1 else b):
            return True
    return False


def _of_all(rounds: Mapping[Condition, Sequence[Round]]) -> Study:
    """What is known of all the recorded rounds."""
    truth = Study()
    for condition, whole in rounds.items():
        for number, one in enumerate(whole):
            for frame in one.values():
                truth.add(replace(frame, round=number), condition)
        truth.restart()
    return truth


def prove(plan: Effortful) -> Proof:
    """Record, play, and judge."""
    rounds = recorded(plan)
    played = line_ups(plan, rounds)
    rows, told = [], []
    for line_up in played:
        ours, fixed = _plays(line_up, plan)
        rows += _rows(line_up, ours, fixed)
        told.append(f"{len(ours)} of {_told(line_up)}")
    how = (
        f"played sweeps: {'; '.join(told)}; p50 and p95; drawn from "
        f"{min(map(len, rounds.values()))} recorded rounds or more a condition"
    )
    return Proof("planner", CLAIM, how, rows)


def _plays(line_up: LineUp, plan: Effortful) -> tuple[list[Ended], list[Ended]]:
    """Sweeps by the planner, and as many in which all are alike."""
    ours: list[Ended] = []
    fixed: list[Ended] = []
    until_s = time.monotonic() + plan.play_s
    for seed in range(plan.sweeps):
        if seed >= FEWEST_SWEEPS and time.monotonic() > until_s:
            break
        ours.append(planned(line_up.rounds, seed, line_up.longest_s))
        fixed.append(all_alike(line_up.rounds, seed + 1000, 4 * line_up.longest_s, ours[-1].still_open))
    return ours, fixed


def _told(line_up: LineUp) -> str:
    models = len(next(iter(line_up.rounds.values()))[0])
    threads = ", ".join(str(each.stress_threads) for each in line_up.rounds)
    return f"{models} models under {threads} stress threads, of at most {line_up.longest_s:g} s"


def _rows(line_up: LineUp, ours: Sequence[Ended], fixed: Sequence[Ended]) -> list[Row]:
    rounds, name, sweeps = line_up.rounds, line_up.name, len(ours)
    pairs = len(rounds) * math.comb(len(next(iter(rounds.values()))[0]), 2)
    times = [one.took_s / other.took_s for one, other in zip(ours, fixed, strict=True)]
    truth = _of_all(rounds)
    wrong, fixed_wrong = (share_of(sum(_is_wrong(one, truth) for one in ends), sweeps) for ends in (ours, fixed))
    return [
        judged(f"{name}: time of the planner ÷ of a fixed round-robin", geometric_mean_of(times), TIME, 2),
        shown(
            f"{name}: if it knew all beforehand", geometric_mean_of([one.least_s / one.took_s for one in fixed]), "×", 2
        ),
        judged(f"{name}: sweeps with a claim the wrong way round", wrong, WRONG, 1),
        shown(f"{name}: likewise of the fixed ones", fixed_wrong, " %", 1),
        shown(f"{name}: the planner's sweeps took", geometric_mean_of([one.took_s for one in ours]), " s", 0),
        shown(f"{name}: the fixed ones", geometric_mean_of([one.took_s for one in fixed]), " s", 0),
        shown(f"{name}: pairs left open", f"{sum(one.still_open for one in ours) / sweeps:.1f} of {pairs}"),
    ]


if __name__ == "__main__":
    stand_alone(__name__)
