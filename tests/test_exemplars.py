"""The ten slowest inferences of a cell: which they are, what is told of each, and the likely cause."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latvar_tui import wire
from latvar_tui.condition import parse_condition
from latvar_tui.exemplars_report import slowest_as_text
from latvar_tui.study.board import Board
from latvar_tui.study.exemplars import CAUSES, MOST, Exemplar, Exemplars, likely_cause
from latvar_tui.summary import summary
from tests.scripted_link import BEGIN_NS, MS, board_of, hello, slice_frame

IDLE, STRESS = "0xcpu@100%", "2xcpu@100%"
NO_NEWS = {name: wire.Reading(0.0) for name in ("pool_wait_ns", "involuntary_switches", "migrations", "others_cpu_ns")}
MANY = [2 * MS] * 99
"""So that one slow inference more leaves the median at 2 ms."""


def one_slow(
    service_ms: float = 12.0, *, wait_ms: float | None = 0.0, condition: str = IDLE, first: bool = False, **more: Any
) -> wire.Slice:
    """A slice of 2 ms each in which one inference took longer."""
    slow_ns = round(service_ms * MS)
    values = [slow_ns, *MANY] if first else [*MANY, slow_ns]
    waits = None
    if wait_ms is not None:
        waits = [0] * len(values)
        waits[values.index(slow_ns)] = round(wait_ms * MS)
    return slice_frame(1, "a", condition, values, waits_ns=waits, **({"counters": NO_NEWS} | more))


def cause_of(frame: wire.Slice) -> str:
    exemplars = Exemplars()
    exemplars.add(frame)
    return likely_cause(exemplars.slowest[0], 2 * MS).word


# -- which ----------------------------------------------------------------------------------------


@given(st.lists(st.lists(st.integers(0, 50), max_size=30), max_size=12))
def test_they_are_the_cells_slowest_however_it_was_sliced(parts: list[list[int]]) -> None:
    exemplars = Exemplars()
    for number, part in enumerate(parts):
        exemplars.add(slice_frame(number, "a", IDLE, part, waits_ns=[0] * len(part)))
    found = [exemplar.service_ns for exemplar in exemplars.slowest]
    assert found == sorted((value for part in parts for value in part), reverse=True)[:MOST]


def test_in_open_loop_the_queue_counts() -> None:
    frame = slice_frame(1, "a", f"{IDLE},rate=50", [3 * MS, 2 * MS], waits_ns=[0, 0], response=wire.Counts())
    late = [[BEGIN_NS, 2 * MS, 0, 8 * MS, 1 * MS], [BEGIN_NS, 3 * MS, 0, 0, 0]]
    exemplars = Exemplars()
    exemplars.add(wire.Slice(**vars(frame) | {"slowest": late}))
    assert [exemplar.latency_ns for exemplar in exemplars.slowest] == [11 * MS, 3 * MS]


def test_memory_is_bounded_and_no_histogram_is_kept() -> None:
    exemplars = Exemplars()
    for number in range(1000):
        exemplars.add(slice_frame(number, "a", IDLE, [number, number + 1]))
    assert len(exemplars.slowest) == MOST
    kept = {type(value) for exemplar in exemplars.slowest for value in vars(exemplar.within).values()}
    assert not kept & {wire.Slice, wire.Counts}


def test_what_waits_are_is_unknown_where_the_platform_does_not_tell() -> None:
    exemplars = Exemplars()
    exemplars.add(one_slow(wait_ms=None, wait_unavailable="no counter here"))
    slowest = exemplars.slowest[0]
    assert slowest.wait_ns is None
    assert slowest.within.wait_unavailable == "no counter here"


# -- why ------------------------------------------------------------------------------------------


def counters(**values: float) -> dict[str, wire.Reading]:
    return NO_NEWS | {name: wire.Reading(value) for name, value in values.items()}


@pytest.mark.parametrize(
    ("frame", "word"),
    [
        (one_slow(), "unexplained"),
        (one_slow(2.5), "ordinary"),
        (one_slow(2.51), "unexplained"),
        # Ten milliseconds beyond the median, of which five are half.
        (one_slow(wait_ms=5.0), "preempted"),
        (one_slow(wait_ms=4.9), "unexplained"),
        (one_slow(wait_ms=None), "unexplained"),
        # Of what the pool waited in the whole slice, only the inference's own share of the slice counts.
        (one_slow(wait_ms=4.9, counters=counters(pool_wait_ns=5.0 * MS)), "unexplained"),
        (one_slow(wait_ms=4.9, counters=counters(pool_wait_ns=5000.0 * MS)), "pool waited"),
        (one_slow(wait_ms=5.0, counters=counters(pool_wait_ns=50.0 * MS)), "preempted"),
        (one_slow(counters={}), "unexplained"),
        (one_slow(counters={"pool_wait_ns": wire.Reading(reason="hidden")}, marks=["others"]), "others"),
        (one_slow(marks=["throttled", "frequency"]), "throttled"),
        (one_slow(marks=["governor"]), "frequency"),
        (one_slow(marks=["frequency"]), "frequency"),
        (one_slow(marks=["quota"]), "quota"),
        (one_slow(marks=["cpuset"]), "cpuset"),
        (one_slow(marks=["steal"]), "stolen"),
        # A step of the wall clock moves no duration, and a mark of a later version is no cause yet.
        (one_slow(marks=["clock", "eclipse"]), "unexplained"),
        (one_slow(wait_ms=9.0, marks=["others", "steal"]), "preempted"),
        (one_slow(wait_ms=9.0, marks=["suspended"]), "suspended"),
        (one_slow(disturbed=1), "key struck"),
        (one_slow(disturbed=1, wait_ms=9.0), "preempted"),
        (one_slow(notes=["ungated"]), "screen drew"),
        (one_slow(first=True), "just thawed"),
        (one_slow(first=True, wait_ms=9.0), "preempted"),
        (one_slow(2.2, disturbed=1, first=True), "ordinary"),
    ],
)
def test_the_likely_cause(frame: wire.Slice, word: str) -> None:
    assert cause_of(frame) == word


@pytest.mark.parametrize(
    ("service_ms", "queued_ms", "woken_ms", "wait_ms", "word"),
    [
        (2.1, 30.0, 0.0, 0.0, "queued"),
        (12.0, 10.0, 0.0, 9.0, "queued"),
        (12.0, 9.9, 0.0, 10.0, "preempted"),
        (2.2, 0.2, 0.0, 0.0, "ordinary"),
        # Nobody stood before it: its thread had no core to wake up on, or slept on although there was one.
        (2.1, 0.0, 10.0, 9.0, "preempted"),
        (2.1, 0.0, 10.0, 0.1, "woken late"),
    ],
)
def test_in_open_loop_what_came_before_it_began_may_be_the_cause(
    service_ms: float, queued_ms: float, woken_ms: float, wait_ms: float, word: str
) -> None:
    slow = [BEGIN_NS, *(round(each * MS) for each in (service_ms, wait_ms, queued_ms, woken_ms))]
    frame = slice_frame(1, "a", IDLE, MANY, waits_ns=[0] * len(MANY), response=wire.Counts())
    assert cause_of(wire.Slice(**vars(frame) | {"slowest": [slow]})) == word


def test_every_cause_is_explained_and_fits_its_column() -> None:
    assert len({cause.word for cause in CAUSES}) == len(CAUSES)
    assert all(cause.means and len(cause.word) <= 11 for cause in CAUSES)


# -- told -----------------------------------------------------------------------------------------


def board_with(*frames: wire.Frame) -> Board:
    return board_of(["a"], [hello(), *frames])


def told(board: Board) -> list[dict[str, Any]]:
    document = json.loads(json.dumps(summary(board), allow_nan=False))
    found = document["cells"][0]["slowest"]
    assert isinstance(found, list)
    return found


def test_json_tells_when_and_why_with_units_in_the_names() -> None:
    start_ns = BEGIN_NS + 3_000 * MS
    frame = one_slow(
        wait_ms=9.0, condition=STRESS, start_ns=start_ns, settling_ns=8 * MS, counters=counters(migrations=3),
        marks=["others"], stress_cpu=wire.Reading(150.0 * MS), disturbed=2,
    )  # fmt: skip
    slowest = told(board_with(frame))
    assert len(slowest) == MOST
    first = slowest[0]
    assert first["since_start_s"] == pytest.approx(3.0 + 0.008 + 99 * 0.002)
    assert first["wall_time"] == "2023-11-14T22:13:23.206+00:00"
    assert (first["service_ms"], first["wait_ms"]) == (12.0, 9.0)
    assert first["over_median_ms"] == pytest.approx(10.0, rel=1e-3)
    assert first["into_slice_ms"] == 8 + 2 * 99
    assert first["queued_ms"] == {"unavailable": "closed loop: each begins when the one before has ended"}
    assert (first["likely"], first["just_thawed"]) == ("preempted", False)
    whole = first["slice"]
    assert (whole["disturbed"], whole["ungated"], whole["marks"]) == (2, False, ["others"])
    assert whole["counters"]["migrations"] == 3
    assert whole["stress_cpu_ns"] == 150 * MS
    assert whole["sensors"]["temperature_c"] == {"unavailable": "no thermal zone can be read"}


def test_json_says_why_there_is_no_wait() -> None:
    (first, *_) = told(board_with(one_slow(wait_ms=None, wait_unavailable="no counter here")))
    assert first["wait_ms"] == {"unavailable": "no counter here"}


def lines_at(board: Board, cells: int, condition: str = STRESS) -> list[str]:
    return slowest_as_text(board, board.contenders[0], parse_condition(condition), cells)


def head_of(lines: Sequence[str]) -> list[str]:
    return next(line for line in lines if "likely" in line).split()


def test_the_table_keeps_what_matters_most_where_room_is_short() -> None:
    board = board_with(one_slow(wait_ms=9.0, condition=STRESS))
    assert head_of(lines_at(board, 38)) == ["at", "s", "ms", "wait", "likely"]
    assert head_of(lines_at(board, 71))[:5] == ["at", "s", "ms", "wait", "into"]
    assert {"stress", "others", "moved"} <= set(head_of(lines_at(board, 96)))
    for cells in (38, 71, 96):
        lines = lines_at(board, cells)
        rows = lines[lines.index("") + 1 :]
        assert all(len(row) <= cells for row in rows[: rows.index("")])
        assert len(rows[: rows.index("")]) == 1 + MOST


def test_the_table_explains_its_words_and_what_is_missing() -> None:
    board = board_with(one_slow(wait_ms=None, wait_unavailable="no counter here", condition=STRESS, marks=["quota"]))
    text = "\n".join(lines_at(board, 96))
    assert "quota: a CPU quota" in text
    assert "preempted:" not in text
    assert "wait n/a: no counter here" in text
    assert "of the whole slice" in text
    assert "their slices are marked: quota" in text


def test_idle_has_no_column_of_stress_and_closed_loop_none_of_queues() -> None:
    assert not {"stress", "queued"} & set(head_of(lines_at(board_with(one_slow()), 200, IDLE)))
    open_loop = one_slow(response=wire.Counts(), condition=STRESS)
    assert {"stress", "queued"} <= set(head_of(lines_at(board_with(open_loop), 200)))


def test_nothing_measured_is_said() -> None:
    assert "Nothing has been measured" in lines_at(board_with(), 70)[-1]


def test_without_the_first_frame_nobody_knows_when() -> None:
    board = board_of(["a"], [one_slow(condition=STRESS)])
    assert told(board)[0]["since_start_s"] is None
    assert any("–" in line for line in lines_at(board, 96))


def test_a_likely_cause_goes_by_the_median_of_its_cell() -> None:
    exemplars = Exemplars()
    exemplars.add(one_slow(12.0))
    (slow, *_) = exemplars.slowest
    assert isinstance(slow, Exemplar)
    assert likely_cause(slow, 2 * MS).word == "unexplained"
    assert likely_cause(slow, 11 * MS).word == "ordinary"
