"""Which part of a quantile was waiting, and what is counted by the second."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latvar_tui import wire
from latvar_tui.axis import Axis
from latvar_tui.hdr_layout import indices_of, median_ns
from latvar_tui.study.cell import Cell
from latvar_tui.study.waiting import NEAR
from latvar_tui.wire import Reading
from tests.scripted_link import MS, slice_frame

IDLE = "0xcpu@100%"
inferences = st.lists(
    st.integers(1, 10**9).flatmap(lambda value: st.tuples(st.just(value), st.integers(0, value))),
    min_size=1,
    max_size=60,
)
slices_of = st.lists(inferences, min_size=1, max_size=4)


def cell_of(slices: Sequence[Sequence[tuple[int, int]]], **more: object) -> Cell:
    """A cell that has taken slices of (service time, wait), ns."""
    cell = Cell()
    for seq, rows in enumerate(slices):
        values, waits = [value for value, _ in rows], [wait for _, wait in rows]
        cell.add(slice_frame(seq, "a", IDLE, values, waits_ns=waits, **more))  # type: ignore[arg-type]
    return cell


def waited_ms(cell: Cell, quantile: float) -> float:
    waited_ns = cell.waiting.at_quantile_ns(cell.service, quantile)
    assert waited_ns is not None
    return waited_ns / MS


@given(slices_of, st.sampled_from([0.0, 50.0, 90.0, 99.0, 100.0]))
def test_waits_add_up_over_slices_as_the_definition_says(slices: list[list[tuple[int, int]]], quantile: float) -> None:
    cell = cell_of(slices)
    values = np.array([value for rows in slices for value, _ in rows], np.int64)
    waits = np.array([wait for rows in slices for _, wait in rows], np.int64)
    at_ns = cell.service.quantile_ns(quantile)
    found_ns = cell.waiting.at_quantile_ns(cell.service, quantile)
    assert at_ns is not None and found_ns is not None
    assert 0 <= found_ns <= at_ns
    near = indices_of(values)
    low, high = indices_of([int(at_ns * (1 - NEAR)), int(at_ns * (1 + NEAR))])
    near = (near >= low) & (near <= high)
    assert near.any()
    share = min(1.0, waits[near].sum() / max(1, median_ns(indices_of(values[near])).sum()))
    assert found_ns == pytest.approx(share * at_ns)


@given(slices_of)
def test_the_order_and_the_cut_into_slices_do_not_matter(slices: list[list[tuple[int, int]]]) -> None:
    at_once = [row for rows in reversed(slices) for row in rows]
    one, other = cell_of(slices), cell_of([at_once])
    for quantile in (50.0, 99.0):
        assert waited_ms(one, quantile) == waited_ms(other, quantile)


def test_p99_41_ms_29_of_it_waiting() -> None:
    """A tail that waited beside a hump that ran: neither dilutes the other, nor does the longest blow p99 up."""
    fast, slow, longest = [(4 * MS, 0)] * 900, [(41 * MS, 29 * MS)] * 99, [(400 * MS, 380 * MS)]
    cell = cell_of([fast + slow + longest])
    assert waited_ms(cell, 50.0) == 0
    assert waited_ms(cell, 99.0) == pytest.approx(29, rel=0.002)
    assert waited_ms(cell, 100.0) == pytest.approx(380, rel=0.002)


def test_a_single_observation_tells_its_own_wait() -> None:
    assert waited_ms(cell_of([[(41 * MS, 29 * MS)]]), 99.0) == pytest.approx(29, rel=0.002)


def test_what_never_ran_within_the_clock_is_wholly_waiting() -> None:
    cell = cell_of([[(7_777_777, 7_777_777)]])
    assert waited_ms(cell, 50.0) == pytest.approx(7.777777, rel=0.001)


def test_none_where_waits_are_not_told() -> None:
    cell = Cell()
    cell.add(slice_frame(1, "a", IDLE, [MS] * 9))
    assert cell.waiting.at_quantile_ns(cell.service, 99.0) is None
    assert not cell.waiting.mostly(cell.service, Axis(1e5, 1e8, 40)).any()
    cell.add(slice_frame(2, "a", IDLE, [MS] * 9, waits_ns=[MS // 2] * 9))
    assert cell.waiting.at_quantile_ns(cell.service, 99.0) is None  # half of it would be a guess


def test_none_from_an_older_probe_that_tells_waits_but_not_where() -> None:
    frame = slice_frame(1, "a", IDLE, [MS] * 9, waits_ns=[MS // 2] * 9)
    old = wire.Slice(**(vars(frame) | {"wait_sums": []}))
    cell = Cell()
    cell.add(old)
    assert cell.wait.total == 9
    assert cell.waiting.at_quantile_ns(cell.service, 99.0) is None


def test_none_before_anything_is_counted() -> None:
    cell = Cell()
    assert cell.waiting.at_quantile_ns(cell.service, 99.0) is None
    cell.add(slice_frame(1, "a", IDLE, [], waits_ns=[]))
    assert cell.waiting.at_quantile_ns(cell.service, 99.0) is None


def test_the_recent_window_splits_its_own_quantile() -> None:
    cell = cell_of([[(41 * MS, 29 * MS)] * 5])
    late = slice_frame(900, "a", IDLE, [41 * MS] * 5, waits_ns=[3 * MS] * 5)
    cell.add(late)
    recent = cell.recent(late.end_ns)
    found_ns = cell.recent_waiting(late.end_ns).at_quantile_ns(recent, 99.0)
    assert found_ns == pytest.approx(3 * MS, rel=0.002)
    assert waited_ms(cell, 99.0) == pytest.approx(16, rel=0.002)


def test_columns_that_mostly_waited() -> None:
    axis = Axis(1e6, 1e8, 20)
    cell = cell_of([[(2 * MS, 0)] * 9 + [(10 * MS, 8 * MS)] * 5 + [(30 * MS, 20 * MS), (90 * MS, MS)]])
    heavy = cell.waiting.mostly(cell.service, axis)
    at = {value: axis.column_of(value * MS) for value in (2, 10, 30, 90)}
    assert [bool(heavy[at[value]]) for value in (2, 10, 30, 90)] == [False, True, True, False]
    assert heavy[at[10] : at[30] + 1].all()  # nothing was counted between these two
    assert not heavy[: at[10]].any() and not heavy[at[30] + 1 :].any()


# -- counters ---------------------------------------------------------------------------------------


def test_counters_are_summed_over_the_slices_that_told_them() -> None:
    cell = Cell()
    for seq, reading in enumerate([Reading(30.0), Reading(reason="the stress changed in the middle"), Reading(10.0)]):
        frame = slice_frame(
            seq, "a", IDLE, [MS], end_ns=10**15 + seq + 2 * 10**9, start_ns=10**15 + seq,
            counters={"involuntary_switches": reading, "pool_wait_ns": Reading(reason="it has no pool threads")},
        )  # fmt: skip
        cell.add(frame)
    assert cell.counters["involuntary_switches"].per_s == pytest.approx(40 / 4)
    assert cell.counters["involuntary_switches"].slices == 2
    assert cell.counters["pool_wait_ns"].per_s is None
    assert cell.counters["migrations"].per_s is None and cell.counters["migrations"].reason
    assert cell.counters.rates() == {
        "involuntary_switches_per_s": pytest.approx(10),
        "pool_wait_ms_per_s": "it has no pool threads",
    }


def test_times_are_told_in_milliseconds_a_second() -> None:
    cell = Cell()
    cell.add(
        slice_frame(
            1, "a", IDLE, [MS], start_ns=10**15, end_ns=10**15 + 10**9, counters={"pool_wait_ns": Reading(500.0 * MS)}
        )
    )
    assert cell.counters.rates() == {"pool_wait_ms_per_s": pytest.approx(500)}
