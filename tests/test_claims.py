"""Evidence and early stopping: against closed forms and slow references."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.claims import CASES, Case, false_claims, rounds_to_claim
from benchmarks.simulated import Kind
from latvar_tui.hdr_layout import sparse_counts
from latvar_tui.study import claims
from latvar_tui.study.claims import (
    QUANTILES,
    evidence,
    fewest_events,
    fewest_own_events,
    holm,
    log_evidence,
    rounds_needed,
)
from latvar_tui.study.counted import Counted, counted_of, independent
from latvar_tui.study.drift import coarse
from latvar_tui.study.early_stopping import fewest_queries
from latvar_tui.study.rounds import Row, row_of


def rows_of(*candidates: list[np.ndarray]) -> list[Row]:
    """A row a round: of each candidate (a, b, …) its times (ns)."""
    rows = []
    for times in zip(*candidates, strict=True):
        blocks = {}
        for name, values in zip("abcdefgh", times, strict=False):
            indices, counts, _ = sparse_counts(np.asarray(values).astype(np.int64))
            blocks[name] = coarse([np.stack([indices, counts], axis=1)])
        rows.append(row_of(blocks))
    return rows


def counted(rows: list[Row], name: str) -> Counted:
    found = counted_of(rows, name)
    assert found is not None
    return found


def lognormal(seed: int, rounds: int, scale: float = 1.0, spread: float = 0.1) -> list[np.ndarray]:
    random = np.random.default_rng(seed)
    mood = np.random.default_rng(99).normal(0, 0.1, rounds)
    return [2e6 * scale * np.exp(mood[i] + random.normal(0, spread, 100)) for i in range(rounds)]


# -- MLPerf's early stopping ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("p", "overlatency", "queries"),
    [(0.9, 1, 64), (0.95, 1, 130), (0.99, 1, 662), (0.9, 0, 44), (0.99, 0, 459), (0.99, 10, 2010), (0.999, 50, 69058)],
)
def test_early_stopping_asks_for_as_many_queries_as_mlperf_does(p: float, overlatency: int, queries: int) -> None:
    assert fewest_queries(p, overlatency) == queries


@pytest.mark.parametrize("quantile", QUANTILES)
def test_no_claim_rests_on_fewer_effective_queries_than_early_stopping_asks_for(quantile: float) -> None:
    beyond, queries = 1 - quantile / 100, fewest_queries(quantile / 100)
    assert fewest_events(quantile) / beyond >= queries
    assert fewest_own_events(quantile) / beyond == pytest.approx(queries, rel=1e-12)


# -- evidence ---------------------------------------------------------------------------------------


def test_the_evidence_is_the_mixture_boundary_inverted() -> None:
    """|mean| > √v · √(2 (tρ² + 1) / (t²ρ²) · ln(√(tρ² + 1) / α)), as the paper writes it, is e > 1 / α."""
    t, alpha, variance, rho2 = 80, 0.01, 0.37, claims.RHO2
    boundary = math.sqrt(2 * (t * rho2 + 1) / (t**2 * rho2) * math.log(math.sqrt(t * rho2 + 1) / alpha) * variance)
    disagreement = t * boundary**2 / variance
    assert log_evidence(t, disagreement) == pytest.approx(math.log(1 / alpha))


def test_the_disagreement_is_the_smallest_over_all_thresholds() -> None:
    rows = rows_of(lognormal(1, 40), lognormal(2, 40, 1.03, 0.3))
    a, b = counted(rows, "a"), counted(rows, "b")
    for one in evidence(a, b):
        level = 1 - one.quantile / 100
        slow = []
        log_a, log_b = (float(np.log(side.quantiles_ns([one.quantile])[0])) for side in (a, b))
        for x in np.exp(log_a + np.linspace(-3, 4, 1400) * (log_b - log_a)):
            g = np.stack([side.above(np.array([x]))[:, 0] - level * side.totals for side in (a, b)])
            slow.append(float(g.sum(axis=1) @ np.linalg.pinv(g @ g.T) @ g.sum(axis=1)))
        assert min(slow) * 0.999 <= one.disagreement * 1.001 <= min(slow) * 1.05 + 0.05


def test_evidence_of_b_against_a_is_that_of_a_against_b_turned_round() -> None:
    rows = rows_of(lognormal(1, 30), lognormal(2, 30, 1.05))
    a, b = counted(rows, "a"), counted(rows, "b")
    for one, other in zip(evidence(a, b), evidence(b, a), strict=True):
        turned = other.turned()
        assert one.log_ratio == pytest.approx(turned.log_ratio) and one.events == turned.events
        assert one.disagreement == pytest.approx(turned.disagreement)
        assert one.slower_events == turned.slower_events and one.shortage == turned.shortage
        assert one.disagreement_margin == pytest.approx(turned.disagreement_margin, rel=0.05, abs=0.05)


@given(st.lists(st.integers(1, 10**7), min_size=1, max_size=30), st.integers(2, 12))
def test_no_round_counts_more_than_once_whatever_is_in_it(values: list[int], rounds: int) -> None:
    random = np.random.default_rng(len(values))
    sides = [[random.choice(values, 5) for _ in range(rounds)] for _ in "ab"]
    rows = rows_of(*sides)
    for one in evidence(counted(rows, "a"), counted(rows, "b")):
        assert -1e-6 <= one.disagreement <= rounds * (1 + 1e-6)


def test_times_that_do_not_overlap_at_all_are_the_clearest_evidence() -> None:
    rows = rows_of([np.full(100, 2e6)] * 30, [np.full(50, 4e6)] * 30)
    one = evidence(counted(rows, "a"), counted(rows, "b"))[0]
    assert one.log_e > math.log(1000) and one.log_ratio == pytest.approx(math.log(2), abs=0.02)


def test_a_burst_within_a_round_is_one_event() -> None:
    above = np.zeros((50, 1))
    above[7] = 40.0
    assert independent(above)[0] == pytest.approx(1.0)
    assert independent(np.full((50, 1), 3.0))[0] == pytest.approx(50.0)


@given(st.integers(0, 60), st.tuples(st.floats(0, 60), st.floats(0, 60)), st.floats(0, 60), st.sampled_from(QUANTILES))
def test_what_is_missing_is_less_than_what_is_needed(
    rounds: int, events: tuple[float, float], beyond: float, quantile: float
) -> None:
    seen = claims.Evidence(quantile, rounds, 0.1, 1.0, 1.0, events, beyond)
    other = claims.Evidence(quantile, rounds, -0.1, 1.0, 1.0, events[::-1], beyond)
    assert other.shortage == seen.shortage and other.missing == seen.missing
    short = seen.shortage
    assert (short is None) == (seen.missing <= 1)
    needs = [math.ceil(need) for need in (fewest_events(quantile), fewest_own_events(quantile))]
    if short is not None:
        assert 0 <= short.have < short.need
        assert short.need == claims.FEWEST_ROUNDS if short.of == "rounds" else short.need in needs
    else:
        assert events[0] >= fewest_events(quantile) and events[1] >= fewest_own_events(quantile)
        assert max(events[1], beyond) >= fewest_events(quantile)


def in_bursts(rounds: int, every: int, scale: float = 1.0) -> list[np.ndarray]:
    """A tenth of the times is slow, all of them in one round of so many."""
    random, slow = np.random.default_rng(3), np.arange(100) < 10 * every
    return [
        2e6 * scale * random.uniform(1, 1.1, 100) * np.where((i % every == 0) & slow, 1.5, 1) for i in range(rounds)
    ]


def test_of_the_slower_one_it_is_enough_that_much_lies_beyond_the_quantile_of_the_faster_one() -> None:
    """Its own p95 is seen in eight rounds only; that it lies beyond the other's, in all of them."""
    rows = rows_of(lognormal(1, 80), in_bursts(80, 10, 4.0))
    seen = evidence(counted(rows, "a"), counted(rows, "b"))[QUANTILES.index(95.0)]
    assert seen.events[0] > fewest_events(95.0) > seen.events[1] > fewest_own_events(95.0)
    assert seen.slower_events == pytest.approx(80, rel=0.01)
    assert seen.missing <= 1 and seen.log_e > math.log(1000) and seen.turned().log_e == seen.log_e


def test_one_that_bad_rounds_of_the_other_would_bring_level_has_to_be_known_by_its_own_quantile() -> None:
    """As slow as B always is A may be next: three of sixty rounds make p95. Of B's own a quarter of its rounds tell."""
    slow = [np.where(np.arange(100) < 25, 1.3, 1.0) * 4e6 if i % 4 == 0 else np.full(100, 4e6) for i in range(70)]
    for rounds, is_far in ((55, False), (70, True)):
        rows = rows_of(lognormal(1, rounds), slow[:rounds])
        seen = evidence(counted(rows, "a"), counted(rows, "b"))[QUANTILES.index(95.0)]
        assert seen.log_ratio > 0.5 and seen.events[0] > fewest_events(95.0)
        assert fewest_own_events(95.0) < seen.events[1]
        assert (seen.slower_events > seen.events[1]) is is_far and (seen.missing <= 1) is is_far


def test_of_two_that_tie_exactly_each_has_to_be_known_by_its_own_quantile() -> None:
    for events in ((7.0, 70.0), (70.0, 7.0)):
        seen = claims.Evidence(95.0, 60, 0.0, 1.0, 30.0, events, 70.0)
        assert seen.missing == seen.turned().missing == fewest_events(95.0) / 7 > 1
        assert seen.shortage == seen.turned().shortage and not seen.log_e_equal(0.02)


def test_of_the_faster_one_nothing_is_known_before_enough_was_seen_beyond_its_own_quantile() -> None:
    """Its next burst may be slower than the other ever is."""
    rows = rows_of(in_bursts(80, 10), lognormal(1, 80, 4.0))
    seen = evidence(counted(rows, "a"), counted(rows, "b"))[QUANTILES.index(95.0)]
    assert seen.log_ratio > 1 and seen.slower_events > fewest_events(95.0) > seen.events[0]
    assert seen.missing > 1 and seen.log_e == seen.turned().log_e == 0
    assert seen.shortage == seen.turned().shortage == claims.Shortage("events", int(seen.events[0]), 15)


def test_the_rounds_needed_shrink_as_the_difference_grows_and_suffice() -> None:
    needed = []
    for scale in (1.03, 1.06, 1.3):
        rows = rows_of(lognormal(1, 25), lognormal(2, 25, scale, 0.3))
        one = evidence(counted(rows, "a"), counted(rows, "b"))[2]
        needed.append(rounds_needed(one, math.log(20)))
    assert None not in needed and all(a >= b for a, b in pairwise(needed))  # type: ignore[operator]


# -- families ---------------------------------------------------------------------------------------


def test_holm_steps_down() -> None:
    """p = 0.01, 0.04, 0.03, 0.005 at 5 %: 0.005 ≤ 0.05/4, 0.01 ≤ 0.05/3, 0.03 > 0.05/2."""
    assert holm([-math.log(p) for p in (0.01, 0.04, 0.03, 0.005)], 0.05) == [True, False, False, True]


@given(st.lists(st.floats(0, 30), max_size=12))
def test_holm_claims_no_less_than_bonferroni_and_no_more_than_each_alone(log_es: list[float]) -> None:
    found = holm(log_es, 0.05)
    for one, claimed in zip(log_es, found, strict=True):
        assert claimed or one < math.log(max(1, len(log_es)) / 0.05)
        assert not claimed or one >= math.log(1 / 0.05)


# -- error rates, on few simulated sessions; benchmarks/claims.py runs many ------------------------------


@pytest.mark.parametrize("name", ["A/A", "bursts against single ones, 8 %", "narrow against wide, no mood"])
def test_few_claims_are_false_although_one_looks_after_every_round(name: str) -> None:
    few = 8000  # slices: it is known ten times as well as a session's
    assert false_claims(CASES[name], (95.0,), 12, 60, truth_slices=few)[0] <= 2


def test_a_true_ten_percent_is_claimed_within_sixty_rounds() -> None:
    case = Case(Kind(spread=0.08, own=0.03), Kind(spread=0.08, own=0.03), 0.05, 0.8)
    needed = rounds_to_claim(case, 1.10, (50.0, 95.0), 6, 100)
    assert (np.median(needed, axis=0) <= 60).all()
