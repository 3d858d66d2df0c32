"""Which inferences of a slice count."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from latvar_tui.device.binning import Binned, bin_slice

slices = st.lists(st.tuples(st.integers(0, 1000), st.integers(1, 10**6), st.integers(0, 10**6)), max_size=50)


def binned(rows: list[tuple[int, int, int]], **options: object) -> Binned:
    """Bin rows of (pause before, duration, wait)."""
    starts, ends, at = [], [], 0
    for pause, duration, _ in rows:
        starts.append(at + pause)
        at += pause + duration
        ends.append(at)
    durations = np.array([row[1] for row in rows], np.int64)
    delays = np.cumsum(np.array([row[2] for row in rows], np.int64)) + 77
    defaults = {"changed_at_ns": None, "disturbances": (), "wait_unavailable": None}
    return bin_slice(np.array(starts, np.int64), durations, delays, 77, **(defaults | options))  # type: ignore[arg-type]


@given(slices)
def test_every_inference_counts_once(rows: list[tuple[int, int, int]]) -> None:
    result = binned(rows)
    durations = [duration for _, duration, _ in rows]
    assert result.inferences == len(rows) == sum(count for _, count in result.service.pairs)
    assert result.service.sum_ns == sum(durations)
    assert (result.service.min_ns, result.service.max_ns) == ((min(durations), max(durations)) if rows else (0, 0))
    assert result.wait.sum_ns == sum(min(wait, duration) for _, duration, wait in rows)


@given(slices, st.integers(0, 10**8))
def test_what_meets_a_change_of_condition_is_dropped(rows: list[tuple[int, int, int]], changed_at_ns: int) -> None:
    result = binned(rows, changed_at_ns=changed_at_ns)
    ends = np.cumsum([pause + duration for pause, duration, _ in rows])
    assert result.inferences == int((ends <= changed_at_ns).sum())
    assert result.inferences + result.dropped == len(rows)
    assert sum(count for _, count in result.service.pairs) == result.inferences


def test_disturbed_inferences_count_and_are_counted() -> None:
    rows = [(0, 100, 0)] * 10  # 0-100, 100-200, …
    result = binned(rows, disturbances=[(150, 250), (240, 260), (990, 2000)])
    assert result.disturbed == 3  # 100-200, 200-300, 900-1000
    assert result.inferences == 10


def test_without_a_counter_wait_is_unavailable_and_not_zero() -> None:
    ones = np.ones(3, np.int64)
    result = bin_slice(
        np.arange(3, dtype=np.int64) * 10, ones, None, -1, changed_at_ns=None, disturbances=(), wait_unavailable="why"
    )
    assert result.wait.unavailable == "why"
    assert list(result.wait.pairs) == []


def test_waits_lie_on_the_service_times_they_are_part_of() -> None:
    durations = np.array([1_000_000, 5_000_000, 1_000_000, 7_000_000], np.int64)
    starts = np.cumsum(durations) - durations
    waits = np.array([0, 4_000_000, 10_000, 5_000_000])
    binned = bin_slice(
        starts, durations, 500 + np.cumsum(waits), 500, changed_at_ns=None, disturbances=[], wait_unavailable=None
    )
    assert [count for _, count in binned.service.pairs] == [2, 1, 1]
    assert binned.wait_sums == [10_000, 4_000_000, 5_000_000]
    assert sum(binned.wait_sums) == binned.wait.sum_ns
    assert [one[1:] for one in binned.slowest[:2]] == [[7_000_000, 5_000_000, 0, 0], [5_000_000, 4_000_000, 0, 0]]
    assert binned.slowest[0][0] == 7_000_000  # where it began
