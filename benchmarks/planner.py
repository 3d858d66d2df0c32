"""How much sooner a sweep is done that gives its time to what is undecided.

    python -m benchmarks.planner [--sweeps 10] [--seconds 60] [--threads 0 1 2] [--models MODEL ...]

The cells are recorded here, with ``latvar-tui record``: under each condition rounds of real slices. Sweeps are then
played by drawing recorded rounds with replacement, so that the machine's mood stays common to a round: one by the
planner, and one that gives every candidate the same rounds under every condition, both judged by the same study. The
planner goes on until all is settled, or its time is up; the other until it has settled as many pairs as that had in the
end. What counts is when each had first settled that many.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

import numpy as np

from benchmarks.proof import CannotProve, Effort, Limit, Proof, judged, shown, stand_alone
from benchmarks.ratios import Interval, share_of
from latvar_tui import wire
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
    """A plan: ``sweeps`` played, cells of ``seconds`` a model and condition, and the most a played sweep takes, s."""

    sweeps: int
    seconds: float
    longest_s: float
    threads: tuple[int, ...]
    models: tuple[str, ...]


_MODELS = ("squeezenet1_1", "mobilenet_v3_large", "mnasnet1_0", "mobilenet_v2", "shufflenet_v2_x1_0")

PLANS = {
    Effort.QUICK: Effortful(5, 10.0, 400.0, (0, 2), _MODELS[:4]),
    Effort.DEFAULT: Effortful(12, 15.0, 900.0, (0, 1, 2), _MODELS),
    Effort.LONG: Effortful(40, 30.0, 1800.0, (0, 1, 2, 4), _MODELS),
}


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
                    "--duration", f"{plan.seconds * len(plan.models)}s", "--record", str(session), "--force",
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
    whole = [one for one in by_number.values() if len(one) == most]
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


@dataclass(frozen=True)
class Ended:
    """How a played sweep ended."""

    took_s: float
    still_open: int
    wrong: int


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
    return Ended(took_s, left, _wrong(rounds, world, plan.goal))


def all_alike(rounds: Mapping[Condition, Sequence[Round]], seed: int, longest_s: float, until_open: int) -> Ended:
    """Everybody the same, the conditions in new orders, until as few pairs are open."""
    world, judge = Played(rounds, seed), Plan(list(rounds), Goal(longest_s), seed)
    order = np.random.default_rng(seed)
    while world.elapsed_s < longest_s:
        for place in order.permutation(len(rounds)):
            world.measure(Block(list(rounds)[place], tuple(world.rivals), BLOCK_ROUNDS))
        if world.rounds(world.rivals[0], next(iter(rounds))) < judge.goal.floor_rounds:
            continue
        while judge.think(world):
            pass
        if judge.open_pairs(world) <= until_open:
            break
    return Ended(world.elapsed_s, judge.open_pairs(world), _wrong(rounds, world, judge.goal))


def _wrong(rounds: Mapping[Condition, Sequence[Round]], world: Played, goal: Goal) -> int:
    """Claims that all of the recorded rounds together speak against."""
    wrong = 0
    for condition, whole in rounds.items():
        truth = Study()
        for number, one in enumerate(whole):
            for frame in one.values():
                truth.add(replace(frame, round=number), condition)
        truth.restart()
        for quantile in goal.quantiles:
            for a, b in combinations(world.rivals, 2):
                claimed, ratio = (
                    world.pair(a, b, condition, quantile).faster,
                    truth.pair(a, b, condition, quantile).ratio,
                )
                if claimed and ratio is not None:
                    true = a if ratio.value > CLEARLY else b if ratio.value < 1 / CLEARLY else claimed
                    wrong += true != claimed
    return wrong


def prove(plan: Effortful) -> Proof:
    """Record, play, and judge."""
    rounds = recorded(plan)
    ratios, wrong, open_pairs, fixed_s, planned_s = [], 0, 0, [], []
    for seed in range(plan.sweeps):
        one = planned(rounds, seed, plan.longest_s)
        other = all_alike(rounds, seed + 1000, 4 * plan.longest_s, one.still_open)
        ratios.append(one.took_s / other.took_s)
        planned_s.append(one.took_s)
        fixed_s.append(other.took_s)
        wrong += one.wrong > 0
        open_pairs += one.still_open
    pairs = len(rounds) * len(plan.models) * (len(plan.models) - 1) // 2
    rows = [
        judged("time of the planner ÷ of a fixed round-robin", _mean_interval(ratios), TIME, 2),
        judged("sweeps with a claim the wrong way round", share_of(wrong, plan.sweeps), WRONG, 1),
        shown("the planner's sweeps took", _mean_interval(planned_s), " s", 0),
        shown("the fixed ones", _mean_interval(fixed_s), " s", 0),
        shown("pairs left open", f"{open_pairs / plan.sweeps:.1f} of {pairs}"),
    ]
    how = (
        f"{plan.sweeps} played sweeps of {len(plan.models)} models under {', '.join(map(str, plan.threads))} stress "
        f"threads, p50 and p95, of at most {plan.longest_s:g} s; drawn from {min(map(len, rounds.values()))} recorded "
        "rounds or more a condition"
    )
    return Proof("planner", CLAIM, how, rows)


def _mean_interval(values: Sequence[float]) -> Interval:
    """The geometric mean, with a 95 % interval by resampling."""
    logs = np.log(np.array(values))
    drawn = np.random.default_rng(0).choice(logs, (2000, logs.size)).mean(axis=1)
    low, high = np.quantile(drawn, (0.025, 0.975))
    return Interval(float(np.exp(logs.mean())), float(np.exp(low)), float(np.exp(high)), logs.size)


if __name__ == "__main__":
    stand_alone(__name__)
