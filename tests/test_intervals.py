"""The interval of one candidate by itself, and what it is made of."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.simulated import Kind, moods
from latvar_tui.hdr_layout import sparse_counts
from latvar_tui.study.claims import QUANTILES
from latvar_tui.study.counted import EDGES_NS, Counted, counted_of
from latvar_tui.study.drift import coarse
from latvar_tui.study.intervals import _weights, cell_intervals, drawn_logs
from latvar_tui.study.rounds import row_of


def counted(kind: Kind, phi: float, sd: float, rounds: int, seed: int) -> Counted:
    random = np.random.default_rng(seed)
    rows = []
    for mood in moods(random, rounds, phi, sd):
        indices, counts, _ = sparse_counts(np.round(kind.times(random, mood)).astype(np.int64))
        rows.append(row_of({"a": coarse([np.stack([indices, counts], axis=1)])}))
    found = counted_of(rows, "a")
    assert found is not None
    return found


@settings(max_examples=15, deadline=None)
@given(st.sampled_from([0.0, 0.5, 0.9]), st.sampled_from([0.0, 0.08, 0.3]), st.integers(0, 1000))
def test_an_interval_reaches_up_at_least_as_far_as_down_and_not_below_the_fastest(
    phi: float, slow_share: float, seed: int
) -> None:
    one = counted(Kind(slow_share=slow_share, burst=5), phi, 0.1, 66, seed)
    intervals = cell_intervals(one, QUANTILES)
    assert intervals[0] is not None and intervals[2] is not None
    for value, interval in zip(one.quantiles_ns(QUANTILES).tolist(), intervals, strict=True):
        if interval is not None:
            low, high = interval
            assert EDGES_NS[one.first] * 0.999999 <= low <= value <= high
            assert high / value >= value / low * 0.999999


def test_the_worse_moods_last_the_wider_it_is() -> None:
    """The same spread of moods, from round to round and for many of them."""
    widths = []
    for phi in (0.0, 0.9):
        found = [cell_intervals(counted(Kind(), phi, 0.1, 66, seed), (50.0, 95.0)) for seed in range(8)]
        widths.append(np.median([[np.log(each[1] / each[0]) for each in one if each] for one in found], axis=0))
    assert (widths[1] > 1.5 * widths[0]).all()


def test_a_run_with_one_bad_mood_has_an_interval_at_p99_and_a_wide_one() -> None:
    """To leave it out would keep only runs that had none, whose intervals are all too low."""
    calm = counted(Kind(spread=0.05, own=0.0), 0.0, 0.01, 66, 1)
    random = np.random.default_rng(2)
    rows = []
    for number in range(66):
        times = Kind(spread=0.05, own=0.0).times(random, 0.3 if 30 <= number < 34 else 0.0)
        indices, counts, _ = sparse_counts(np.round(times).astype(np.int64))
        rows.append(row_of({"a": coarse([np.stack([indices, counts], axis=1)])}))
    moody = counted_of(rows, "a")
    assert moody is not None
    (of_calm,), (of_moody,) = cell_intervals(calm, [99.0]), cell_intervals(moody, [99.0])
    assert of_calm is not None and of_moody is not None
    assert np.log(of_moody[1] / of_moody[0]) > 3 * np.log(of_calm[1] / of_calm[0])


@pytest.mark.parametrize("units", [2, 10, 64])
def test_rounds_are_drawn_as_a_multinomial_draws_them(units: int) -> None:
    weights = _weights(units)
    assert (weights.sum(axis=1) == units).all()
    assert weights.mean(axis=0) == pytest.approx(np.ones(units), abs=5 / np.sqrt(1000))
    assert weights.var(axis=0) == pytest.approx(np.full(units, 1 - 1 / units), rel=0.35)


def test_a_resample_s_quantile_is_that_of_what_was_drawn() -> None:
    """One draw at a time, from all its counts."""
    one = counted(Kind(slow_share=0.1), 0.5, 0.1, 30, 3)
    fast = drawn_logs(one, QUANTILES)
    for draw in range(0, 1000, 97):
        rows = np.repeat(np.arange(30), _weights(30)[draw].astype(int))
        again = Counted(np.arange(30), np.ones(30, np.int64), one.first, one.before[rows])
        assert np.exp(fast[:, draw]) == pytest.approx(again.quantiles_ns(QUANTILES))


def test_times_of_nothing_at_all_have_an_interval() -> None:
    rows = [row_of({"a": coarse([np.array([[0, 1], [5000 + number, 30]])])}) for number in range(66)]
    one = counted_of(rows, "a")
    assert one is not None
    low, high = cell_intervals(one, (50.0,))[0] or (0.0, 0.0)
    assert 1.0 <= low < high
