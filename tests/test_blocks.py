"""Ratios of two runs: against a slow reference, and how often their intervals hold the truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latvar_tui.device.binning import counts_of
from latvar_tui.hdr_layout import COUNTS_LEN
from latvar_tui.histogram import Histogram
from latvar_tui.study import blocks, drift
from latvar_tui.study.blocks import Run, neighbours_alike, quantiles_ns, ratio_interval, run_of
from latvar_tui.study.drift import Series


def run_with(random: np.random.Generator, slices: int, phi: float, median_ms: float = 2.0, each: int = 40) -> Run:
    """Slices whose mood is a first-order autoregression with this coefficient."""
    moods = np.empty(slices)
    mood = random.normal()
    for place in range(slices):
        mood = phi * mood + np.sqrt(1 - phi**2) * random.normal()
        moods[place] = mood
    series = Series()
    for mood in moods:
        times = median_ms * 1e6 * np.exp(0.1 * mood + 0.2 * random.normal(size=each))
        series.add(counts_of(times.astype(np.int64)))
    return run_of(series.blocks)


def measured(run: Run, quantile: float) -> float:
    return float(quantiles_ns(run.counts.sum(axis=0, keepdims=True), run.edges_ns, quantile)[0])


# -- blocks -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("slices", [1, 20, 47, 48, 49, 100, 383, 385, 2000])
def test_no_slice_is_missing_and_blocks_are_enough(slices: int) -> None:
    random = np.random.default_rng(slices)
    series, whole = Series(), Histogram()
    for _ in range(slices):
        times = (5e6 * random.lognormal(0, 0.3, 7)).astype(np.int64)
        whole.record(times)
        series.add(counts_of(times))
    run = run_of(series.blocks)
    assert run.counts.sum() == whole.total
    assert min(slices, 24) <= run.blocks <= 48
    for quantile in (50.0, 99.0):
        assert measured(run, quantile) == pytest.approx(whole.quantile_ns(quantile), rel=0.02)


@given(
    st.lists(st.lists(st.integers(0, 50), min_size=6, max_size=6), min_size=1, max_size=8),
    st.floats(1, 99.9),
    st.lists(st.integers(0, (COUNTS_LEN >> 4) - 2), min_size=6, max_size=6, unique=True),
)
def test_quantiles_are_those_of_one_row_at_a_time(rows: list[list[int]], quantile: float, places: list[int]) -> None:
    """The reference walks over one row after the other, as the drift does."""
    indices = np.sort(np.array(places, np.uint16))
    run = run_of([(indices, np.array(row, np.uint64)) for row in rows])
    for value, row in zip(quantiles_ns(run.counts, run.edges_ns, quantile), rows, strict=True):
        there = np.array(row) > 0
        if not there.any():
            assert np.isnan(value)
            continue
        slow = drift._quantile_ns((indices[there], np.array(row, np.uint64)[there]), quantile)
        assert value == pytest.approx(slow)


def test_draws_scatter_as_a_slow_bootstrap_s() -> None:
    """One draw at a time, block by block, without weights; what then widens it is taken away from both."""
    run = run_with(np.random.default_rng(4), 240, 0.3)
    ours = blocks._deviations(run, 95.0, np.random.default_rng(1))
    n = run.blocks
    alike = max(neighbours_alike(run, measured(run, quantile)) for quantile in (50.0, 95.0))
    ours = ours / blocks.wider_for(alike, n) / blocks.student_over_normal(n - 1)
    random = np.random.default_rng(2)
    slow = []
    for _ in range(800):
        drawn = sum(run.counts[random.integers(n)] for _ in range(n))
        slow.append(np.log(quantiles_ns(np.atleast_2d(drawn), run.edges_ns, 95.0)[0] / measured(run, 95.0)))
    assert ours.std() == pytest.approx(np.std(slow), rel=0.15)


def test_student_s_t_is_the_table_s() -> None:
    for freedom, point in ((19, 2.0930), (23, 2.0687), (47, 2.0117)):
        assert 1.959964 * blocks.student_over_normal(freedom) == pytest.approx(point, abs=0.001)


def test_how_much_blocks_are_alike_is_not_underestimated() -> None:
    """By it they scatter at least as much as means of so many do, in more than 85 of 100 runs."""
    random = np.random.default_rng(3)
    for phi in (0.0, 0.5, 0.9):
        enough = 0
        for _ in range(400):
            x = np.zeros(60)
            for at, noise in enumerate(random.normal(size=59), 1):
                x[at] = phi * x[at - 1] + noise
            x = x[40:] - x[40:].mean()
            raw = float(x[1:] @ x[:-1] / (x @ x))
            once = min(max((20 * raw + 1) / 17, 0.0), 0.95)
            enough += blocks.wider_for(once, 20) >= np.sqrt((1 + phi) / (1 - phi) * 20 / 19)
        assert enough >= 0.85 * 400


# -- intervals ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("slices", "phi"), [(40, 0.0), (40, 0.5), (96, 0.9)])
def test_intervals_hold_the_truth(slices: int, phi: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """95 % of them should; the seed is set. The second run is slower by a tenth, which the interval must hold."""
    monkeypatch.setattr(blocks, "_DRAWS", 500)
    random = np.random.default_rng(7)
    held = {50.0: 0, 99.0: 0}
    for _ in range(50):
        a, b = run_with(random, slices, phi), run_with(random, slices, phi, median_ms=2.2)
        for quantile in held:
            around = ratio_interval(a, b, quantile)
            assert around is not None
            ratio = measured(b, quantile) / measured(a, quantile)
            held[quantile] += ratio * around.low <= 1.1 <= ratio * around.high
    assert min(held.values()) >= 44, held


def test_a_true_difference_is_found() -> None:
    random = np.random.default_rng(3)
    a, b = run_with(random, 400, 0.5), run_with(random, 400, 0.5, median_ms=2.3)
    around = ratio_interval(a, b, 50.0)
    assert around is not None
    assert measured(b, 50.0) / measured(a, 50.0) * around.low > 1.05


def test_alike_neighbours_are_seen() -> None:
    random = np.random.default_rng(3)
    alike = [neighbours_alike(run := run_with(random, 47, phi, each=200), measured(run, 50.0)) for phi in (0.0, 0.9)]
    assert alike[0] < 0.4 < 0.6 < alike[1] <= 0.95


def test_too_short_or_empty_runs_have_no_interval() -> None:
    random = np.random.default_rng(3)
    long, short = run_with(random, 40, 0.0), run_with(random, 19, 0.0)
    assert ratio_interval(long, short, 50.0) is None and ratio_interval(short, long, 50.0) is None
    series = Series()
    for _ in range(40):
        series.add(counts_of(np.zeros(0, np.int64)))
    assert ratio_interval(long, run_of(series.blocks), 50.0) is None
    assert ratio_interval(run_of([]), long, 50.0) is None


def test_blocks_without_times_do_not_disturb() -> None:
    random = np.random.default_rng(3)
    run = run_with(random, 40, 0.0)
    holey = Run(run.counts * (np.arange(run.blocks) % 2)[:, np.newaxis], run.edges_ns)
    around = ratio_interval(run, holey, 90.0)
    assert around is not None and 0.5 < around.low <= 1 <= around.high < 2
