"""What a sweep measures next: whatever is found out, everybody is heard, time goes where it decides, and it ends."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from latvar_tui.condition import Condition
from latvar_tui.study.conclusions import Pair, Ratio
from latvar_tui.study.plan import FLOOR, FLOOR_ROUNDS, OPEN, SETTLED, WAITING, Block, Goal, Plan

LEVELS = [Condition(threads) for threads in (0, 1, 2, 4)]


@dataclass
class World:
    """Pairs that take so many rounds to be decided (inf: never), slices that take so long."""

    names: Sequence[str]
    needs: dict[tuple[str, str, Condition], float] = field(default_factory=dict)
    costs_s: dict[tuple[str, Condition], float] = field(default_factory=dict)
    others: Sequence[str] = ()
    gone: set[str] = field(default_factory=set)
    elapsed_s: float = 0.0
    had: Counter[tuple[str, Condition]] = field(default_factory=Counter)
    together: Counter[tuple[str, str, Condition]] = field(default_factory=Counter)

    @property
    def rivals(self) -> list[str]:
        return [name for name in self.names if name not in self.gone]

    @property
    def controls(self) -> list[str]:
        return [name for name in self.others if name not in self.gone]

    def pair(self, a: str, b: str, condition: Condition, quantile: float) -> Pair:
        rounds, need = self.together[a, b, condition], self.needs.get((a, b, condition), 10.0)
        left_s = (need - rounds) * (self._cost_s(a, condition) + self._cost_s(b, condition))
        faster = a if rounds >= need else ""
        more_s = 0.0 if faster else None if math.isinf(need) else left_s
        return Pair(a, b, condition, quantile, Ratio(1.1, 0.9, 1.4), faster, rounds, more_s)

    def is_settled(self, candidate: str, condition: Condition, quantile: float) -> bool:
        del quantile
        return self.had[candidate, condition] >= 40

    def rounds(self, candidate: str, condition: Condition) -> int:
        return self.had[candidate, condition]

    def slice_s(self, candidate: str, condition: Condition) -> float | None:
        return self._cost_s(candidate, condition) if self.had[candidate, condition] else None

    def _cost_s(self, candidate: str, condition: Condition) -> float:
        return self.costs_s.get((candidate, condition), 0.25)

    def measure(self, block: Block) -> None:
        for name in block.candidates:
            self.had[name, block.condition] += block.rounds
            self.elapsed_s += block.rounds * self._cost_s(name, block.condition)
            for other in block.candidates:
                self.together[name, other, block.condition] += block.rounds


def run(plan: Plan, world: World) -> list[Block]:
    """Until it is over."""
    blocks = []
    while (block := plan.next(world)) is not None:
        assert block.rounds > 0 and block.candidates and len(set(block.candidates)) == len(block.candidates)
        assert set(block.candidates) <= {*world.rivals, *world.controls}
        world.measure(block)
        blocks.append(block)
        while plan.think(world):
            pass
        assert len(blocks) < 5000
    return blocks


@st.composite
def worlds(draw: st.DrawFn) -> World:
    names = [f"m{i}" for i in range(draw(st.integers(1, 5)))]
    needs = st.sampled_from([5.0, 30.0, 60.0, 200.0, math.inf])
    return World(
        names,
        {(a, b, c): draw(needs) for i, a in enumerate(names) for b in names[i + 1 :] for c in LEVELS},
        {(name, c): draw(st.sampled_from([0.2, 0.3, 1.0])) for name in names for c in LEVELS},
        others=draw(st.sampled_from([(), ("null",)])),
    )


@settings(max_examples=30)
@given(worlds(), st.integers(0, 99), st.sampled_from([20.0, 300.0, 3000.0]), st.booleans())
def test_it_keeps_its_budget_and_hears_everybody(world: World, seed: int, budget_s: float, until_settled: bool) -> None:
    blocks = run(Plan(LEVELS, Goal(budget_s, until_settled), seed), world)
    one_round_s = sum(world.costs_s.get((name, c), 0.25) for name in (*world.names, *world.others) for c in LEVELS)
    # What nothing is known of is guessed at 0.3 s; only the first round can go wrong by that.
    assert world.elapsed_s <= budget_s + max(0.0, one_round_s)
    rounds = [world.had[name, c] for name in (*world.names, *world.others) for c in LEVELS]
    if budget_s > 30 * one_round_s:
        assert min(rounds) >= FLOOR_ROUNDS
    elif budget_s > 2 * one_round_s:
        assert min(rounds) >= 1  # a short budget is shared out
    assert blocks


@settings(max_examples=30)
@given(worlds(), st.integers(0, 99))
def test_with_time_enough_it_ends_when_what_can_be_settled_is(world: World, seed: int) -> None:
    world.needs = {key: min(need, 200.0) for key, need in world.needs.items()}
    plan = Plan(LEVELS, Goal(1e6), seed)
    run(plan, world)
    assert all(world.together[key] >= need for key, need in world.needs.items())
    assert {plan.state(name, c, world) for name in world.names for c in LEVELS} == {SETTLED}
    assert plan.left_s(world) == 0.0 or len(world.names) == 1


@settings(max_examples=30)
@given(worlds(), st.integers(0, 99))
def test_what_is_settled_gets_no_more_rounds_than_the_floor_and_a_block(world: World, seed: int) -> None:
    world.needs = {key: 5.0 for key in world.needs}
    if len(world.names) == 1:
        return
    run(Plan(LEVELS, Goal(1e6), seed), world)
    assert set(world.had.values()) == {FLOOR_ROUNDS}


@settings(max_examples=30)
@given(worlds(), st.integers(0, 99))
def test_the_same_seed_and_world_give_the_same_plan(world: World, seed: int) -> None:
    again = World(world.names, dict(world.needs), dict(world.costs_s), world.others)
    assert run(Plan(LEVELS, Goal(200.0), seed), world) == run(Plan(LEVELS, Goal(200.0), seed), again)


def test_a_close_pair_is_measured_without_the_others() -> None:
    close = ("a", "b", LEVELS[2])
    world = World(["a", "b", "c"], {close: 100.0})
    blocks = run(Plan(LEVELS, Goal(1e6)), world)
    later = [block for block in blocks if len(block.candidates) < 3]
    assert later and {(block.condition, block.candidates) for block in later} == {(LEVELS[2], ("a", "b"))}
    assert sum(block.rounds for block in later) in range(76, 90)


def test_what_can_be_decided_in_time_comes_before_what_cannot() -> None:
    world = World(["a", "b", "c"], {("a", "b", LEVELS[0]): math.inf, ("b", "c", LEVELS[1]): 80.0})
    blocks = run(Plan(LEVELS, Goal(240.0)), world)
    later = [block for block in blocks if len(block.candidates) < 3]
    decided = max(i for i, block in enumerate(later) if block.candidates == ("b", "c"))
    hopeless = min(i for i, block in enumerate(later) if block.candidates == ("a", "b"))
    assert decided < hopeless


def test_passes_go_through_the_conditions_in_new_orders_with_few_changes() -> None:
    blocks = run(Plan(LEVELS, Goal(1e6)), World(["a", "b"], dict.fromkeys([("a", "b", c) for c in LEVELS], 200.0)))
    passes = [tuple(block.condition for block in blocks[i : i + 4]) for i in range(0, len(blocks) - 3, 4)]
    assert all(set(one) == set(LEVELS) for one in passes)
    assert len(set(passes)) > 3
    assert sum(block.rounds for block in blocks) / len(blocks) >= 4


def test_one_that_has_died_is_left_out_and_the_rest_goes_on() -> None:
    world = World(["a", "b", "c"], {("a", "b", LEVELS[0]): 60.0})
    plan = Plan(LEVELS, Goal(1e6))
    first = plan.next(world)
    assert first is not None and first.candidates == ("a", "b", "c")
    world.measure(first)
    world.gone.add("c")
    assert all("c" not in block.candidates for block in run(plan, world))
    assert world.together["a", "b", LEVELS[0]] >= 60


def test_a_board_that_was_measured_already_is_gone_on_with() -> None:
    needs = {("a", "b", c): 60.0 for c in LEVELS}
    world = World(["a", "b"], needs)
    run(Plan(LEVELS, Goal(40.0), seed=1), world)
    before = dict(world.had)
    world.elapsed_s = 0.0
    run(Plan(LEVELS, Goal(1e6), seed=2), world)
    assert all(60 <= world.together[key] < 75 for key in needs)
    assert all(world.had[key] >= many for key, many in before.items())


def test_with_one_candidate_nobody_knows_how_long_until_it_is_known() -> None:
    world = World(["a"])
    plan = Plan(LEVELS, Goal(290.0), 1)
    while (block := plan.next(world)) is not None:
        world.measure(block)
        known = [world.is_settled("a", level, 50.0) for level in LEVELS]
        if world.had["a", LEVELS[0]] >= Goal(290.0).floor_rounds:
            assert [plan.state("a", level, world) == SETTLED for level in LEVELS] == known
        if not all(known):
            assert plan.left_s(world) > 100
    assert plan.left_s(world) == 0 and world.elapsed_s < 200


def test_until_a_duration_it_goes_on_though_all_is_settled() -> None:
    world = World(["a", "b"])
    run(Plan(LEVELS, Goal(120.0, until_settled=False)), world)
    assert 115 < world.elapsed_s <= 120


def test_states_of_a_cell() -> None:
    world = World(["a", "b"], {("a", "b", LEVELS[0]): 50.0})
    plan = Plan(LEVELS[:1], Goal(1e6))
    assert plan.state("a", LEVELS[0], world) == WAITING
    seen = []
    while (block := plan.next(world)) is not None:
        world.measure(block)
        while plan.think(world):
            pass
        seen.append(plan.state("a", LEVELS[0], world))
    assert list(dict.fromkeys(seen)) == [FLOOR, OPEN, SETTLED]


def test_a_narrow_interval_settles_a_pair_that_is_not_decided() -> None:
    def pair(low: float, high: float, provisional: bool = False) -> Pair:
        return Pair("a", "b", LEVELS[0], 50.0, Ratio(1.0, low, high), "", 40, None, provisional=provisional)

    assert pair(0.96, 1.04).is_settled(0.05)
    assert not pair(0.94, 1.04).is_settled(0.05)
    assert not pair(0.96, 1.04, provisional=True).is_settled(0.05)
