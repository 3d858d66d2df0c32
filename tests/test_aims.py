"""Which pairs a sweep aims at: as many as fit in the time that is left, and what they share is measured once."""

from __future__ import annotations

import math
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.planner_bound import least_s
from latvar_tui.condition import IDLE, Condition
from latvar_tui.study.aims import Field, aim, rounds_to_settle, tempered
from latvar_tui.study.claims import Shortage
from latvar_tui.study.conclusions import Pair, Ratio

Needs = dict[tuple[int, int], float]


def field(*quantiles: Needs, candidates: int = 4, slice_s: float = 0.5) -> Field:
    """Of a dictionary a quantile, each worth the same."""
    matrices = np.full((len(quantiles), candidates, candidates), math.inf)
    for matrix, needs in zip(matrices, quantiles, strict=True):
        for (a, b), need in needs.items():
            matrix[a, b] = matrix[b, a] = need
    return Field(matrices, np.ones(len(quantiles)), np.full(candidates, slice_s), np.zeros(candidates))


needs_st = st.dictionaries(
    st.sampled_from(list(combinations(range(4), 2))), st.sampled_from([1.0, 20.0, 70.0, 300.0, math.inf])
)
fields_st = st.lists(st.lists(needs_st, min_size=1, max_size=2).map(lambda quantiles: field(*quantiles)), max_size=3)


@given(fields_st, st.floats(0, 1000))
def test_it_takes_the_time_it_says_and_no_more_than_is_left(fields: list[Field], left_s: float) -> None:
    spent_s = aim(fields, left_s)
    assert spent_s == pytest.approx(sum((one.aims * one.slices_s).sum() for one in fields))
    assert spent_s <= left_s + 1e-6


@given(fields_st)
def test_with_time_enough_all_are_aimed_at_whose_need_is_known_and_nobody_for_longer(fields: list[Field]) -> None:
    aim(fields, math.inf)
    for one in fields:
        assert one.settled == np.isfinite(one.needs).sum() // 2
        known = np.where(np.isfinite(one.needs), one.needs, 0.0)
        assert (one.aims == known.max(axis=(0, 1))).all()


def test_the_pair_that_costs_less_comes_first() -> None:
    cheap, dear = field({(0, 1): 30.0}), field({(0, 1): 40.0})
    assert aim([dear, cheap], 35.0) == 30.0
    assert (cheap.settled, dear.settled) == (1, 0)


def test_a_pair_that_is_soon_known_at_the_median_does_not_wait_for_its_tail() -> None:
    tail = field({(0, 1): 8.0}, {(0, 1): 400.0})
    other = field({(0, 1): 30.0}, {})
    assert aim([other, tail], 40.0) == 38.0
    assert (tail.aims.tolist(), other.aims.tolist()) == ([8.0, 8.0, 0.0, 0.0], [30.0, 30.0, 0.0, 0.0])
    assert aim([field({(0, 1): 8.0}, {(0, 1): 400.0})], math.inf) == 400.0


def test_three_pairs_that_share_candidates_are_cheaper_than_two_that_do_not() -> None:
    triangle = field({(0, 1): 60.0, (0, 2): 60.0, (1, 2): 60.0})
    apart = field({(0, 1): 55.0, (2, 3): 55.0})
    assert aim([apart, triangle], 100.0) == 90.0
    assert (triangle.settled, apart.settled) == (3, 0)


def test_a_guess_is_drawn_halfway_to_the_usual_one_and_none_stays_none() -> None:
    assert tempered([100.0, 1.0, 10_000.0, math.inf]) == [100.0, 10.0, 1000.0, math.inf]
    assert tempered([math.inf]) == [math.inf] and tempered([]) == []


def pair(ratio: Ratio | None, more_s: float | None, shortage: Shortage | None = None) -> Pair:
    return Pair("a", "b", IDLE, 50.0, ratio, "", 40, more_s, provisional=shortage is not None, shortage=shortage)


def test_a_pair_is_settled_by_a_claim_or_by_a_narrow_interval_whichever_comes_first() -> None:
    wide = Ratio(1.0, 1 / 1.05**2, 1.05**2)  # up is twice the precision, down a little less: four times as much
    assert rounds_to_settle(pair(wide, 1e6), 0.05, 0.5) == pytest.approx(120, rel=0.01)
    assert rounds_to_settle(pair(wide, 10.0), 0.05, 0.5) == 20
    assert rounds_to_settle(pair(Ratio(1.0), None), 0.05, 0.5) == math.inf
    assert rounds_to_settle(pair(None, 3.0), 0.05, 0.5) == 6


def test_a_narrow_interval_waits_for_what_any_claim_needs() -> None:
    narrow = Ratio(1.0, 0.99, 1.01)
    assert rounds_to_settle(pair(narrow, None, Shortage("events", 5, 15)), 0.05, 0.5) == 80


def test_the_least_time_leaves_out_the_dearest_pair() -> None:
    two = Condition(2)
    slices_s = {(name, each): 0.5 for name, each in product("abc", (IDLE, two))}
    needs = {(IDLE, "a", "b"): 24, (IDLE, "a", "c"): 40, (IDLE, "b", "c"): 400, (two, "a", "b"): 30}
    floor_s = 6 * 24 * 0.5
    assert least_s(needs, slices_s, 24, 1) == floor_s
    assert least_s(needs, slices_s, 24, 2) == floor_s + 2 * 6 * 0.5
    assert least_s(needs, slices_s, 24, 3) == floor_s + 2 * 6 * 0.5 + 2 * 16 * 0.5
    assert least_s(needs, slices_s, 24, 9) == least_s(needs, slices_s, 24, 4)
