"""The least time in which pairs could be settled, by somebody who knew in how many rounds each will be.

A candidate is measured as often as the slowest of its pairs that is settled, and everybody as often as the floor says.
Which pairs to leave open is tried out: under each condition every choice of rounds a candidate, then all conditions.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations, product

from latvar_tui.condition import Condition

Needs = dict[tuple[Condition, str, str], int]
"""In how many rounds pairs were settled."""


def least_s(needs: Needs, slices_s: Mapping[tuple[str, Condition], float], floor: int, pairs: int) -> float:
    """Until so many pairs are settled, or all that ``needs`` holds."""
    total = {0: 0.0}
    for condition in dict.fromkeys(each for _, each in slices_s):
        costs_s = {name: cost_s for (name, each), cost_s in slices_s.items() if each == condition}
        own: dict[tuple[str, ...], int] = {key[1:]: rounds for key, rounds in needs.items() if key[0] == condition}
        longer: dict[int, float] = {}
        for (many, cost_s), (more, more_s) in product(total.items(), _under(own, costs_s, floor).items()):
            longer[many + more] = min(longer.get(many + more, float("inf")), cost_s + more_s)
        total = longer
    return min(cost_s for many, cost_s in total.items() if many >= min(pairs, max(total)))


def _under(needs: Mapping[tuple[str, ...], int], costs_s: Mapping[str, float], floor: int) -> dict[int, float]:
    """The least time for each number of pairs under one condition."""
    found: dict[int, float] = {}
    tried = [sorted({floor, *(rounds for pair, rounds in needs.items() if name in pair)}) for name in costs_s]
    for rounds in product(*tried):
        had = dict(zip(costs_s, rounds, strict=True))
        cost_s = sum(had[name] * costs_s[name] for name in costs_s)
        settled = sum(
            min(had[a], had[b]) >= needs.get((a, b), needs.get((b, a), float("inf")))
            for a, b in combinations(costs_s, 2)
        )
        found[settled] = min(found.get(settled, float("inf")), cost_s)
    return found
