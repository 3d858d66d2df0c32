"""What a sweep measures next: its time goes to the cells that are not decided yet.

A sweep goes through the conditions again and again, in a new order each time (a *pass*), a few rounds under each (a
*block*): so changes of stress are few, and what drifts over minutes meets all conditions alike. A round is measured
under one condition, and compares within itself, so it need not hold every candidate:

1. The first passes hold everybody, until each pair has its floor of rounds: below that nothing is ever claimed.
2. Later ones hold, under each condition, the candidates of the pairs that can be settled there in the time that is
   left: of all that are open as many as possible (:mod:`latvar_tui.study.aims`), and all of these at once, for pairs
   share candidates. The others have their turn only once nothing else is to be done.

A plan has no clock and remembers nothing of what was measured but asks for it. So it goes on with whatever there is:
also with a session that was interrupted. What it asks costs time, so it is asked pair by pair (:meth:`Plan.think`), in
the gaps, before :meth:`Plan.next` draws its conclusions.
"""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Protocol

import numpy as np

from latvar_tui.condition import Condition
from latvar_tui.study.aims import Field, aim, rounds_to_settle, tempered
from latvar_tui.study.claims import FEWEST_ROUNDS
from latvar_tui.study.conclusions import Pair

FLOOR_ROUNDS = FEWEST_ROUNDS
"""Every pair gets so many under every condition first: with fewer no rule claims anything."""

FLOOR_VISITS = 3
"""In so many blocks, so that no pair's first verdict hangs on one moment."""

SHORTEST_BLOCK, LONGEST_BLOCK = 4, 12
"""Rounds, once time goes to what is undecided: few enough to notice soon that it is decided."""

AT_ONE_QUANTILE = 0.2
"""What it is worth to settle a pair at one of the goal's quantiles, of what it is worth at all of them."""

TOO_FEW = 0.25
"""Where less than this share of the open pairs can be settled in the time that is left, one quantile counts as well."""

WAITING, FLOOR, OPEN, SETTLED = "waiting", "first rounds", "open", "settled"
"""What may be said of a cell: nothing measured yet; less than the floor; in a pair that is not settled; in none."""


@dataclass(frozen=True)
class Block:
    """So many rounds of these candidates (ids) under this condition, before anything else is measured."""

    condition: Condition
    candidates: tuple[str, ...]
    rounds: int


@dataclass(frozen=True)
class Goal:
    """When to stop: ``budget_s`` seconds into the sweep, or before if all is settled, where ``until_settled`` says so.

    ``quantiles`` (percent) are those at which pairs are to be decided. A pair that is not decided counts as settled
    once its ratio is known to within ``precision``. ``guessed_slice_s`` is what a slice and the gap after it take, as
    long as nothing is known of a cell.
    """

    budget_s: float
    until_settled: bool = True
    quantiles: tuple[float, ...] = (50.0, 95.0)
    precision: float = 0.05
    floor_rounds: int = FLOOR_ROUNDS
    guessed_slice_s: float = 0.3


class Seen(Protocol):
    """What is known by now. Candidates are named by their ids."""

    @property
    def elapsed_s(self) -> float:
        """How long the sweep has taken until now."""

    @property
    def rivals(self) -> Sequence[str]:
        """Who can be measured and is compared, in the order of the line-up."""

    @property
    def controls(self) -> Sequence[str]:
        """Who can be measured and is compared with nobody."""

    def pair(self, a: str, b: str, condition: Condition, quantile: float) -> Pair:
        """What is known of two of them."""

    def is_settled(self, candidate: str, condition: Condition, quantile: float) -> bool:
        """Whether one that has no rival is known well enough."""

    def rounds(self, candidate: str, condition: Condition) -> int:
        """How many rounds a cell has."""

    def slice_s(self, candidate: str, condition: Condition) -> float | None:
        """What a slice and the gap after it take there; None before there was one."""


@dataclass(frozen=True)
class _Judged:
    """A pair as of so many rounds: about how many more of both would settle it at each of the goal's quantiles; 0 if it
    is settled there, inf if nobody knows."""

    a: str
    b: str
    rounds: int
    needs: tuple[float, ...]

    @property
    def need(self) -> float:
        """Until it is settled at all of them."""
        return max(self.needs)

    @property
    def is_open(self) -> bool:
        return self.need > 0


@dataclass
class Plan:
    """The order of a sweep. Deterministic: it depends on ``seed`` and on what has been seen."""

    conditions: Sequence[Condition]
    goal: Goal
    seed: int = 0
    _queue: deque[Block] = field(default_factory=deque)
    _judged: dict[tuple[Condition, str, str], _Judged] = field(default_factory=dict)
    _stale: deque[tuple[Condition, str, str]] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def think(self, seen: Seen) -> bool:
        """Judge one pair anew that was measured since it was judged; False if there is none."""
        if not self._stale:
            self._stale.extend(key for key in self._pairs(seen) if self._is_stale(key, seen))
        if not self._stale:
            return False
        self._judge(self._stale[0], seen)  # it stays the first one if there is no time for it now
        self._stale.popleft()
        return True

    def next(self, seen: Seen) -> Block | None:
        """What to measure now; None when the sweep is over. As good as what has been thought before."""
        for _ in range(2):  # what is left of this pass, and a new one: if nothing of that fits, nothing does
            while self._queue:
                block = self._possible(self._queue.popleft(), seen, self._budget_left_s(seen))
                if block is not None:
                    return block
            if self._budget_left_s(seen) > 0:
                self._queue.extend(self._pass(seen))
        return None

    def state(self, candidate: str, condition: Condition, seen: Seen) -> str:
        """Where a cell stands, as far as has been thought."""
        rounds = seen.rounds(candidate, condition)
        if rounds < self.goal.floor_rounds:
            return FLOOR if rounds else WAITING
        if candidate in seen.rivals and len(seen.rivals) == 1:
            return SETTLED if self._is_known_alone(condition, seen) else OPEN
        own = [key for key in self._pairs(seen) if key[0] == condition and candidate in key[1:]]
        return OPEN if any(self._known(key).is_open for key in own) else SETTLED

    def pairs(self, seen: Seen) -> int:
        """How many pairs there are, over all conditions."""
        return len(list(self._pairs(seen)))

    def open_pairs(self, seen: Seen) -> int:
        """How many pairs are not settled, over all conditions, as far as has been thought."""
        return sum(map(len, self._opens(seen).values()))

    def left_s(self, seen: Seen) -> float:
        """About how much longer it will take, s; never more than the budget leaves."""
        budget_s = self._budget_left_s(seen)
        if not self.goal.until_settled:
            return budget_s
        if len(seen.rivals) == 1 and not all(self._is_known_alone(condition, seen) for condition in self.conditions):
            return budget_s  # nobody knows
        needed_s = 0.0
        for condition in self.conditions:
            lacking = self._lacking(condition, seen)
            if lacking:
                needed_s += self._missing(lacking, condition, seen) * self._round_s(lacking, condition, seen)
            opens = self._opens(seen)[condition] if not lacking else ()
            if opens:
                rounds = max(one.need for one in opens)
                needed_s += rounds * self._round_s(_members(opens, seen), condition, seen)
        return min(budget_s, needed_s)

    def _budget_left_s(self, seen: Seen) -> float:
        return max(0.0, self.goal.budget_s - seen.elapsed_s)

    # -- a pass -------------------------------------------------------------------------------------

    def _pass(self, seen: Seen) -> list[Block]:
        """A block for each condition that needs one, in a new order; none when all is done."""
        blocks = self._floor_pass(seen)
        if not blocks:
            blocks = self._deciding_pass(seen)
            while not blocks and self.think(seen):  # the end of it all: not by what was true some rounds ago
                blocks = self._deciding_pass(seen)
        if not blocks and not self.goal.until_settled:
            everybody = (*seen.rivals, *seen.controls)
            blocks = [Block(condition, everybody, SHORTEST_BLOCK) for condition in self.conditions if everybody]
        self._random.shuffle(blocks)
        return blocks

    def _floor_pass(self, seen: Seen) -> list[Block]:
        lacking = {condition: self._lacking(condition, seen) for condition in self.conditions}
        all_s = sum(self._round_s(names, condition, seen) for condition, names in lacking.items())
        blocks = []
        for condition, names in lacking.items():
            if not names:
                continue
            missing = self._missing(names, condition, seen)
            # A short budget is shared out, so that no condition is left out for another's floor.
            done = self.goal.floor_rounds - missing
            reached = min(self.goal.floor_rounds, done + self._budget_left_s(seen) / all_s)
            blocks.append(Block(condition, names, max(1, min(missing, math.ceil(reached / FLOOR_VISITS)))))
        return blocks

    def _lacking(self, condition: Condition, seen: Seen) -> tuple[str, ...]:
        """Everybody, if anybody has not had the floor of rounds there: a pair needs rounds that hold both."""
        names = (*seen.rivals, *seen.controls)
        return names if any(seen.rounds(one, condition) < self.goal.floor_rounds for one in names) else ()

    def _missing(self, names: Sequence[str], condition: Condition, seen: Seen) -> int:
        """How many rounds of them all complete the floor."""
        return max(1, self.goal.floor_rounds - min(seen.rounds(one, condition) for one in names))

    def _deciding_pass(self, seen: Seen) -> list[Block]:
        """Towards the pairs that can be settled in the time that is left, the cheapest first."""
        if len(seen.rivals) == 1:
            names = tuple(seen.rivals)
            return [Block(c, names, LONGEST_BLOCK) for c in self.conditions if not self._is_known_alone(c, seen)]
        opens = {condition: one for condition, one in self._opens(seen).items() if one}
        left_s = self._budget_left_s(seen)
        fields = [self._field(condition, one, seen) for condition, one in opens.items()]
        spent_s = aim(fields, left_s)
        if sum(field.settled for field in fields) < TOO_FEW * sum(map(len, opens.values())):
            fields = [self._field(condition, one, seen, at_one_quantile=True) for condition, one in opens.items()]
            spent_s = aim(fields, left_s)
        if not spent_s and not aim(fields, math.inf):  # nobody knows what any of them takes
            return [Block(condition, _members(one, seen), SHORTEST_BLOCK) for condition, one in opens.items()]
        blocks = []
        for condition, field_ in zip(opens, fields, strict=True):
            aims = {name: rounds for name, rounds in zip(seen.rivals, field_.aims, strict=True) if rounds > 0}
            if aims:
                rounds = max(SHORTEST_BLOCK, min(LONGEST_BLOCK, *aims.values()))
                blocks.append(Block(condition, tuple(aims), math.ceil(rounds)))
        return blocks

    def _field(
        self, condition: Condition, opens: Sequence[_Judged], seen: Seen, *, at_one_quantile: bool = False
    ) -> Field:
        """To be settled at all quantiles counts, and ``at_one_quantile`` each by itself as well."""
        places = {name: place for place, name in enumerate(seen.rivals)}
        respects: list[Sequence[float]] = [[one.need for one in opens]]
        if at_one_quantile:
            respects += zip(*(one.needs for one in opens), strict=True)
        needs = np.full((len(respects), len(places), len(places)), math.inf)
        for there, own in zip(needs, respects, strict=True):
            here = [(one, need) for one, need in zip(opens, own, strict=True) if need > 0]
            for (one, _), need in zip(here, tempered([need for _, need in here]), strict=True):
                a, b = places[one.a], places[one.b]
                there[a, b] = there[b, a] = need
        worth = np.array([1.0] + [AT_ONE_QUANTILE] * (len(respects) - 1))
        slices_s = np.array([self._round_s((name,), condition, seen) for name in places])
        return Field(needs, worth, slices_s, np.zeros(len(places)))

    def _is_known_alone(self, condition: Condition, seen: Seen) -> bool:
        return all(seen.is_settled(one, condition, q) for one in seen.rivals for q in self.goal.quantiles)

    # -- what is known of the pairs -----------------------------------------------------------------

    def _pairs(self, seen: Seen) -> Iterator[tuple[Condition, str, str]]:
        for condition in self.conditions:
            for a, b in combinations(seen.rivals, 2):
                yield condition, a, b

    def _opens(self, seen: Seen) -> dict[Condition, list[_Judged]]:
        """The pairs that are not settled."""
        found: dict[Condition, list[_Judged]] = {condition: [] for condition in self.conditions}
        for key in self._pairs(seen):
            judged = self._known(key)
            if judged.is_open:
                found[key[0]].append(judged)
        return found

    def _known(self, key: tuple[Condition, str, str]) -> _Judged:
        _, a, b = key
        return self._judged.get(key) or _Judged(a, b, 0, (math.inf,) * len(self.goal.quantiles))

    def _is_stale(self, key: tuple[Condition, str, str], seen: Seen) -> bool:
        condition, a, b = key
        rounds = min(seen.rounds(a, condition), seen.rounds(b, condition))
        # A nearly equal number of rounds says the same; with the floor, all is judged at least once.
        return rounds > 0 and (key not in self._judged or rounds > 1.05 * self._judged[key].rounds)

    def _judge(self, key: tuple[Condition, str, str], seen: Seen) -> None:
        condition, a, b = key
        rounds = min(seen.rounds(a, condition), seen.rounds(b, condition))
        round_s = self._round_s((a, b), condition, seen)
        pairs = [seen.pair(a, b, condition, quantile) for quantile in self.goal.quantiles]
        needs = (
            0.0 if pair.is_settled(self.goal.precision) else rounds_to_settle(pair, self.goal.precision, round_s)
            for pair in pairs
        )
        self._judged[key] = _Judged(a, b, rounds, tuple(needs))

    # -- what it takes ------------------------------------------------------------------------------

    def _round_s(self, candidates: Iterable[str], condition: Condition, seen: Seen) -> float:
        """What a round of them takes."""
        return sum(seen.slice_s(one, condition) or self.goal.guessed_slice_s for one in candidates)

    def _possible(self, block: Block, seen: Seen, left_s: float) -> Block | None:
        """As much of a block as can be measured: with who still runs, in the time that is left."""
        there = {*seen.rivals, *seen.controls}
        names = tuple(one for one in block.candidates if one in there)
        if not names or (len(names) == 1 < len(block.candidates)):
            return None  # alone, it is compared with nobody
        rounds = min(block.rounds, int(left_s / self._round_s(names, block.condition, seen)))
        return replace(block, candidates=names, rounds=rounds) if rounds else None


def _members(opens: Iterable[_Judged], seen: Seen) -> tuple[str, ...]:
    names = {name for one in opens for name in (one.a, one.b)}
    return tuple(one for one in seen.rivals if one in names)
