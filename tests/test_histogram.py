"""Buckets, quantiles and sums, held against the hdrhistogram library where it is installed."""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from latvar_tui import hdr_codec, hdr_layout
from latvar_tui.axis import Axis
from latvar_tui.hdr_layout import COUNTS_LEN, HIGHEST_NS, LOWEST_NS, SIGNIFICANT_DIGITS
from latvar_tui.histogram import Histogram

needs_library = pytest.mark.skipif(
    hdr_codec.HdrHistogram is None,
    reason="hdrhistogram is not installed, so there is nothing to compare with",
)
# A shared machine may take its time over any one example; that says nothing about the code.
unhurried = settings(deadline=None)
# The library's percentiles are slow.
unhurried_few = settings(deadline=None, max_examples=25)

QS = [0.0, 50.0, 90.0, 95.0, 99.0, 99.9, 99.99, 100.0]
EDGE_VALUES = sorted(
    {min(max(2**power + step, 0), HIGHEST_NS) for power in range(38) for step in (-1, 0, 1)} | {HIGHEST_NS - 1}
)
values_ns = st.integers(0, HIGHEST_NS) | st.integers(0, 5000) | st.sampled_from(EDGE_VALUES)
samples = st.lists(values_ns, min_size=1, max_size=60)


def recorded(values: Sequence[int] | np.ndarray[Any, Any]) -> Histogram:
    histogram = Histogram()
    histogram.record(values)
    return histogram


def library(values: Sequence[int] = ()) -> Any:
    histogram = hdr_codec.HdrHistogram(LOWEST_NS, HIGHEST_NS, SIGNIFICANT_DIGITS)
    for value in values:
        assert histogram.record_value(value)
    return histogram


def latencies(n: int, seed: int) -> np.ndarray[Any, Any]:
    """Log-normal milliseconds with a few stalls: the shape that inferences have."""
    random = np.random.default_rng(seed)
    times = random.lognormal(np.log(5e6), 0.3, n)
    times[random.random(n) < 0.01] *= 40
    return times.astype(np.int64)


# -- layout --------------------------------------------------------------------------------------------------


@needs_library
@unhurried
@given(st.lists(values_ns, max_size=50))
@example(EDGE_VALUES)
def test_layout_equals_the_librarys(values: list[int]) -> None:
    theirs = library()
    assert theirs.counts_len == COUNTS_LEN
    indices = hdr_layout.indices_of(values)
    assert indices.tolist() == [theirs._counts_index_for(value) for value in values]
    assert [hdr_layout.index_of(value) for value in values] == indices.tolist()
    lowest = [theirs.get_lowest_equivalent_value(value) for value in values]
    highest = [theirs.get_highest_equivalent_value(value) for value in values]
    median = [theirs._hdr_median_equiv_value(value) for value in values]
    assert hdr_layout.lowest_ns(indices).tolist() == lowest
    assert hdr_layout.highest_ns(indices).tolist() == highest
    assert hdr_layout.median_ns(indices).tolist() == median


def test_indices_cover_all_values_without_gap_or_overlap() -> None:
    every = np.arange(COUNTS_LEN)
    lowest, highest = hdr_layout.lowest_ns(every), hdr_layout.highest_ns(every)
    assert lowest[0] == 0
    np.testing.assert_array_equal(lowest[1:], highest[:-1] + 1)
    reachable = lowest <= HIGHEST_NS
    np.testing.assert_array_equal(hdr_layout.indices_of(lowest[reachable]), every[reachable])
    assert (highest - lowest <= lowest / 1000).all()


def test_layout_refuses_what_is_out_of_range() -> None:
    with pytest.raises(ValueError, match="negative"):
        hdr_layout.indices_of([5, -1])
    with pytest.raises(ValueError, match="negative"):
        hdr_layout.index_of(-1)
    with pytest.raises(ValueError, match="negative"):
        hdr_layout.sparse_counts([-1])
    for indices in ([-1], [COUNTS_LEN]):
        for function in (hdr_layout.lowest_ns, hdr_layout.highest_ns, hdr_layout.median_ns):
            with pytest.raises(ValueError, match="outside"):
                function(indices)


def test_too_long_counts_as_highest_and_as_overflow() -> None:
    values = [7, HIGHEST_NS, HIGHEST_NS + 1, 2**63 - 1]
    indices, counts, overflow = hdr_layout.sparse_counts(values)
    assert indices.tolist() == [7, int(hdr_layout.indices_of(HIGHEST_NS))]
    assert counts.tolist() == [1, 3]
    assert overflow == 2
    histogram = recorded(values)
    assert (histogram.total, histogram.overflow) == (4, 2)
    assert (histogram.min_ns, histogram.max_ns) == (7, 2**63 - 1)


# -- counting ------------------------------------------------------------------------------------------------


@needs_library
@unhurried
@given(samples)
def test_counts_equal_the_librarys(values: list[int]) -> None:
    np.testing.assert_array_equal(recorded(values).counts, np.ctypeslib.as_array(library(values).counts))


def state(histogram: Histogram) -> tuple[Any, ...]:
    return (
        histogram.counts.tobytes(),
        histogram.total,
        histogram.overflow,
        histogram.min_ns,
        histogram.max_ns,
        histogram.quantiles_ns(QS),
    )


@unhurried
@given(st.lists(values_ns | st.integers(HIGHEST_NS, 2**62), min_size=1, max_size=60))
def test_sparse_equals_dense(values: list[int]) -> None:
    indices, counts, overflow = hdr_layout.sparse_counts(values)
    histogram = Histogram()
    histogram.add_sparse(indices, counts, max_ns=max(values), min_ns=min(values), overflow=overflow)
    assert state(histogram) == state(recorded(values))
    assert [array.tolist() for array in histogram.sparse()] == [indices.tolist(), counts.tolist()]


@unhurried
@given(samples, samples)
def test_merging_adds_counts(a: list[int], b: list[int]) -> None:
    merged = recorded(a)
    merged.add(recorded(b))
    np.testing.assert_array_equal(merged.counts, recorded(a).counts + recorded(b).counts)
    assert state(merged) == state(recorded(a + b))


@unhurried
@given(samples, samples)
def test_a_window_slides(old: list[int], new: list[int]) -> None:
    window = recorded(old + new)
    indices, counts, overflow = hdr_layout.sparse_counts(old)
    window.subtract_sparse(indices, counts, max_ns=max(new), min_ns=min(new), overflow=overflow)
    assert state(window) == state(recorded(new))


def test_a_window_runs_empty() -> None:
    window = recorded([5, 2**40])
    window.subtract_sparse(*hdr_layout.sparse_counts([5, 2**40])[:2], max_ns=None, min_ns=None, overflow=1)
    assert state(window) == state(Histogram())


def test_repeated_indices_add_up() -> None:
    histogram = Histogram()
    histogram.add_sparse([9, 3, 9], [1, 0, 2], max_ns=9, min_ns=9)
    assert histogram.counts[9] == histogram.total == 3


@pytest.mark.parametrize(
    ("indices", "counts", "extremes"),
    [
        ([1], [1, 2], {"min_ns": 1, "max_ns": 1}),
        ([[1]], [[1]], {"min_ns": 1, "max_ns": 1}),
        ([-1], [1], {"min_ns": 1, "max_ns": 1}),
        ([COUNTS_LEN], [1], {"min_ns": 1, "max_ns": 1}),
        ([1], [-1], {"min_ns": 1, "max_ns": 1}),
        ([1, 2], [2**62, 2**62], {"min_ns": 1, "max_ns": 2}),
        ([1], [hdr_codec.MOST], {"min_ns": 1, "max_ns": 1}),
        ([1], [1], {"min_ns": None, "max_ns": 1}),
        ([1], [1], {"min_ns": 2, "max_ns": 1}),
        ([1], [1], {"min_ns": 1, "max_ns": 1, "overflow": 2}),
        ([1], [1], {"min_ns": 1, "max_ns": 1, "overflow": -1}),
    ],
)
def test_impossible_additions_change_nothing(indices: Any, counts: Any, extremes: Any) -> None:
    histogram = recorded([5])
    with pytest.raises(ValueError):
        histogram.add_sparse(indices, counts, **extremes)
    assert state(histogram) == state(recorded([5]))


def test_impossible_recordings_and_subtractions_change_nothing() -> None:
    histogram = recorded([5, 5, 8])
    with pytest.raises(ValueError, match="negative"):
        histogram.record([5, -1])
    with pytest.raises(ValueError, match="taken back"):
        histogram.subtract_sparse([5, 8, 8], [1, 1, 1], max_ns=5, min_ns=5)
    with pytest.raises(ValueError, match="taken back"):
        histogram.subtract_sparse([5], [1], max_ns=8, min_ns=5, overflow=1)
    assert state(histogram) == state(recorded([5, 5, 8]))


def test_a_copy_is_independent_and_clear_forgets() -> None:
    histogram = recorded([5, 10**9])
    twin = histogram.copy()
    histogram.clear()
    assert state(histogram) == state(Histogram())
    assert state(twin) == state(recorded([5, 10**9]))
    histogram.record([])
    histogram.add(Histogram())
    assert state(histogram) == state(Histogram())


def test_counts_cannot_be_written_from_outside() -> None:
    with pytest.raises(ValueError, match="read-only"):
        recorded([5]).counts[5] = 7


# -- reading -------------------------------------------------------------------------------------------------


def by_rank(values: list[int]) -> list[int]:
    """The quantiles QS in exact arithmetic: the smallest observation at or below which that share of them ranks.

    As the library shows it, by the highest value of its bucket; but the maximum is exact, and no quantile is above it.
    """
    theirs, ordered = library(values), sorted(min(value, HIGHEST_NS) for value in values)
    ranks = [max(1, math.ceil(Fraction(str(q)) * len(ordered) / 100)) for q in QS]
    found = [min(theirs.get_highest_equivalent_value(ordered[rank - 1]), max(values)) for rank in ranks]
    return [
        theirs.get_lowest_equivalent_value(ordered[0]) if q == 0 else value for q, value in zip(QS, found, strict=True)
    ]


@needs_library
@unhurried_few
@given(samples)
def test_a_quantile_is_the_librarys_value_of_the_rank_that_java_takes(values: list[int]) -> None:
    ours = recorded(values)
    expected = by_rank(values)
    assert ours.quantiles_ns(QS) == expected
    assert [ours.quantile_ns(q) for q in QS] == expected


@needs_library
@pytest.mark.parametrize("n", [999, 1000, 1001, 20_000])
def test_quantiles_and_mean_of_latencies_equal_the_librarys(n: int) -> None:
    values = latencies(n, seed=n)
    ours, theirs = recorded(values), library(values.tolist())
    assert ours.quantiles_ns(QS) == by_rank(values.tolist())
    assert ours.mean_ns() == pytest.approx(theirs.get_mean_value(), rel=1e-12)
    assert ours.mean_ns() == pytest.approx(values.mean(), rel=5e-4)


@unhurried
@given(samples, st.lists(st.floats(0, 100), min_size=2, max_size=10))
def test_quantiles_never_fall(values: list[int], qs: list[float]) -> None:
    quantiles = recorded(values).quantiles_ns(sorted(qs))
    assert quantiles == sorted(quantiles)


@unhurried
@given(samples, st.floats(0.01, 100))
def test_a_quantile_is_within_three_digits_of_its_observation(values: list[int], q: float) -> None:
    histogram = recorded(values)
    exact = sorted(values)[histogram.total - histogram.beyond_quantile(q) - 1]
    quantile = histogram.quantile_ns(q)
    assert quantile is not None
    assert exact <= quantile <= exact * 1.001


def test_empty_has_no_numbers() -> None:
    empty = Histogram()
    assert empty.quantile_ns(99) is empty.mean_ns() is empty.min_ns is empty.max_ns is None
    assert empty.quantiles_ns(QS) == []
    assert empty.beyond_quantile(99) == empty.count_beyond(0) == empty.total == 0
    assert empty.bars(Axis(1, 10, 3)).tolist() == [0, 0, 0]
    assert [array.tolist() for array in empty.sparse()] == [[], []]


@pytest.mark.parametrize("q", [-0.1, 100.1, float("nan")])
def test_only_percentages_are_quantiles(q: float) -> None:
    for histogram in (Histogram(), recorded([5])):
        for read in (histogram.quantile_ns, histogram.beyond_quantile):
            with pytest.raises(ValueError, match="percentage"):
                read(q)


def test_a_quantile_of_ties_rests_on_the_ranks_above_it() -> None:
    ties = recorded([5_000_000] * 2000)
    assert ties.beyond_quantile(99) == 20
    assert ties.beyond_quantile(99.9) == 2
    assert ties.count_beyond(5_000_000) == 0


@unhurried
@given(samples, values_ns | st.integers(HIGHEST_NS, 2**62))
def test_count_beyond_counts_higher_buckets(values: list[int], limit: int) -> None:
    higher = hdr_layout.indices_of(values) > hdr_layout.indices_of(limit)
    assert recorded(values).count_beyond(limit) == int(higher.sum())


# -- bars ----------------------------------------------------------------------------------------------------

axes = st.builds(
    Axis,
    low_ns=st.floats(1, 1e6),
    high_ns=st.floats(2e6, 2e11),
    columns=st.integers(1, 200),
    log=st.booleans(),
)


@unhurried
@given(samples, axes)
def test_bars_lose_nothing_and_marks_stand_on_them(values: list[int], axis: Axis) -> None:
    histogram = recorded(values)
    bars = histogram.bars(axis)
    assert bars.shape == (axis.columns,)
    assert bars.sum() == histogram.total
    for q in histogram.quantiles_ns(QS[1:]):
        assert bars[axis.column_of(q)] > 0


def test_bars_on_a_known_axis() -> None:
    axis = Axis(100, 500, 4, log=False)
    assert axis.edges_ns.tolist() == [100, 200, 300, 400, 500]
    assert recorded([3, 100, 199, 200, 499, 500, 10**9]).bars(axis).tolist() == [3, 1, 0, 3]
    assert [axis.column_of(value) for value in (0, 250, HIGHEST_NS)] == [0, 1, 3]
    np.testing.assert_allclose(Axis(1, 1000, 3).edges_ns, [1, 10, 100, 1000])


@pytest.mark.parametrize(
    ("low", "high", "columns", "log"),
    [
        (0, 10, 5, True),
        (-1, 10, 5, False),
        (10, 10, 5, True),
        (10, 5, 5, True),
        (1, float("inf"), 5, True),
        (float("nan"), 10, 5, True),
        (1, 10, 0, True),
    ],
)
def test_impossible_axes(low: float, high: float, columns: int, log: bool) -> None:
    with pytest.raises(ValueError, match="axis"):
        Axis(low, high, columns, log)


# -- keeping -------------------------------------------------------------------------------------------------


@unhurried
@given(st.lists(values_ns, max_size=60))
def test_encoding_keeps_counts_and_bounds_the_extremes(values: list[int]) -> None:
    histogram = recorded(values)
    twin = Histogram.decode(histogram.encode())
    np.testing.assert_array_equal(twin.counts, histogram.counts)
    most = max(values, default=0)
    assert [min(value_ns, most) for value_ns in twin.quantiles_ns(QS)] == histogram.quantiles_ns(QS)
    assert twin.total == histogram.total
    assert twin.overflow == 0
    if values:
        assert (twin.min_ns, twin.max_ns) == (
            int(hdr_layout.lowest_ns(hdr_layout.indices_of(min(values)))),
            int(hdr_layout.highest_ns(hdr_layout.indices_of(max(values)))),
        )
    else:
        assert twin.min_ns is twin.max_ns is None
