"""The board and its table: frames in, cells and ratios out."""

from __future__ import annotations

import gc
import weakref
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latvar_tui import wire
from latvar_tui.axis import Axis
from latvar_tui.condition import IDLE, parse_condition
from latvar_tui.histogram import Histogram
from latvar_tui.study.board import Board
from latvar_tui.study.cell import RECENT_S, Cell
from latvar_tui.study.quantiles import is_provisional
from latvar_tui.study.table import QUANTILES, Row, table
from tests.scripted_link import (
    BEGIN_NS,
    DEVICE,
    MS,
    READINGS,
    board_of,
    hello,
    line_up,
    session,
    slice_frame,
    state_frame,
)

NO_STRESS, STRESS = "0xcpu@100%", "4xcpu@100%"
UNDER = parse_condition(STRESS)
AXIS = Axis(1e6, 1e9, 60)

times_ns = st.lists(st.integers(0, 2 * 10**11), max_size=60)


def histogram_of(values_ns: Sequence[int]) -> Histogram:
    histogram = Histogram()
    histogram.record(values_ns)
    return histogram


def facts(histogram: Histogram) -> tuple[object, ...]:
    """Everything a histogram holds."""
    indices, counts = histogram.sparse()
    extremes = (histogram.min_ns, histogram.max_ns)
    return indices.tolist(), counts.tolist(), histogram.total, histogram.overflow, extremes


def the_cell(board: Board, which: int = 0, condition: str = NO_STRESS) -> Cell:
    cell = board.cell(board.contenders[which], parse_condition(condition))
    assert cell is not None
    return cell


def rows_of(board: Board, condition: str = NO_STRESS, ranked_by: float = 50.0, **options: object) -> list[Row]:
    return table(board, parse_condition(condition), ranked_by, **options)  # type: ignore[arg-type]


# -- cells ------------------------------------------------------------------------------------------


@given(times_ns, st.lists(st.integers(0, 60), max_size=8))
def test_a_cell_is_all_its_values_however_they_were_sliced(values: list[int], cuts: list[int]) -> None:
    edges = [0, *sorted(min(cut, len(values)) for cut in cuts), len(values)]
    parts = [values[begin:end] for begin, end in pairwise(edges)]
    waits = [[value // 2 for value in part] for part in parts]
    board = board_of(
        ["a"],
        [
            slice_frame(i, "a", NO_STRESS, part, waits_ns=wait)
            for i, (part, wait) in enumerate(zip(parts, waits, strict=True))
        ],
    )
    cell = the_cell(board)
    assert facts(cell.service) == facts(histogram_of(values))
    assert facts(cell.wait) == facts(histogram_of([value // 2 for value in values]))
    assert cell.counted_ns == sum(values)
    assert cell.waited_ns == sum(value // 2 for value in values)
    assert cell.slices == len(parts)


def test_candidates_and_conditions_never_mix() -> None:
    names, conditions = ["a", "b", "c"], [NO_STRESS, STRESS, "2xcpu@50%", NO_STRESS]
    frames = session(names, conditions, slices_per_cell=3)
    board = board_of(names, frames)
    seen = set()
    for contender, condition, cell in board.cells():
        own = [
            f
            for f in frames
            if isinstance(f, wire.Slice) and (f.candidate, f.condition) == (contender.id, str(condition))
        ]
        expected: Counter[int] = Counter()
        for frame in own:
            expected.update({index: count for index, count in frame.service.pairs})
        indices, counts = cell.service.sparse()
        assert dict(zip(indices.tolist(), counts.tolist(), strict=True)) == expected
        assert cell.service.total == sum(f.inferences for f in own)
        assert cell.service.min_ns == min(f.service.min_ns for f in own)
        assert cell.service.max_ns == max(f.service.max_ns for f in own)
        assert cell.slices == len(own) == (6 if condition.is_idle else 3)
        seen.add((contender.id, str(condition)))
    assert len(seen) == 9


def test_what_a_slice_did_not_count_is_added_up_apart() -> None:
    board = board_of(
        ["a"],
        [
            slice_frame(1, "a", NO_STRESS, [MS] * 4, settling=5, settling_ns=7 * MS, dropped=2, disturbed=1),
            slice_frame(2, "a", NO_STRESS, [MS] * 4, settling=3, settling_ns=6 * MS, dropped=0, disturbed=2),
        ],
    )
    cell = the_cell(board)
    assert (cell.settling, cell.settling_ns, cell.dropped, cell.disturbed) == (8, 13 * MS, 2, 3)
    assert cell.service.total == 8


def test_a_slice_of_which_everything_was_dropped_has_no_numbers() -> None:
    board = board_of(["a"], [slice_frame(1, "a", NO_STRESS, [], waits_ns=[], dropped=9)])
    cell = the_cell(board)
    assert (cell.slices, cell.dropped, cell.service.total) == (1, 9, 0)
    assert cell.measured_share == 0
    (row,) = rows_of(board)
    assert row.n == 0
    assert set(row.quantiles_ns) == {None} and row.max_ns is None
    assert row.to_best is row.to_idle is row.to_base is None


def test_a_cell_says_why_it_has_no_waits() -> None:
    board = board_of(["a", "b"], [slice_frame(1, "a", NO_STRESS, [MS], wait_unavailable="no counter here")])
    board.take(slice_frame(2, "b", NO_STRESS, [MS], waits_ns=[0]))
    assert the_cell(board, 0).wait_unavailable == "no counter here"
    assert the_cell(board, 0).wait.total == 0
    assert the_cell(board, 1).wait_unavailable is None
    assert the_cell(board, 1).wait.total == 1


# -- the time that went by --------------------------------------------------------------------------


def test_a_gap_is_charged_to_the_cell_of_the_slice_before_it() -> None:
    """The first gap, before which nothing was measured, is nobody's."""
    second = 1000 * MS
    steps = [("a", NO_STRESS, 900), ("b", NO_STRESS, 10), ("a", STRESS, 20), ("a", STRESS, 40), ("b", STRESS, 80)]
    board = board_of(["a", "b"])
    for seq, (candidate, condition, gap_ms) in enumerate(steps):
        board.take(
            slice_frame(
                seq, candidate, condition, [MS], start_ns=seq * second, end_ns=seq * second + 100 * MS,
                gap_ns=gap_ms * MS,
            )
        )  # fmt: skip
    assert the_cell(board, 0, NO_STRESS).wall_ns == (100 + 10) * MS
    assert the_cell(board, 1, NO_STRESS).wall_ns == (100 + 20) * MS
    assert the_cell(board, 0, STRESS).wall_ns == (100 + 40 + 100 + 80) * MS
    assert the_cell(board, 1, STRESS).wall_ns == 100 * MS


def test_the_measured_share_is_counted_time_over_slices_and_the_gaps_after_them() -> None:
    board = board_of(
        ["a"],
        [
            slice_frame(1, "a", NO_STRESS, [80 * MS, 110 * MS], start_ns=0, end_ns=200 * MS, gap_ns=70 * MS),
            slice_frame(2, "a", NO_STRESS, [90 * MS] * 2, start_ns=250 * MS, end_ns=450 * MS, gap_ns=50 * MS),
        ],
    )
    assert the_cell(board).measured_share == pytest.approx((190 + 180) / (200 + 50 + 200))
    assert Cell().measured_share is None


def test_the_wall_time_of_all_cells_is_that_of_the_session() -> None:
    frames = session(["a", "b"], [NO_STRESS, STRESS], slices_per_cell=5)
    own = [frame for frame in frames if isinstance(frame, wire.Slice)]
    board = board_of(["a", "b"], frames)
    assert sum(cell.wall_ns for _, _, cell in board.cells()) == own[-1].end_ns - own[0].start_ns


def test_the_gap_share_is_that_of_the_recent_slices() -> None:
    board = board_of(["a"])
    assert board.gap_share is None
    for seq in range(100):
        gap_ns = (60 if seq < 50 else 25) * MS
        board.take(slice_frame(seq, "a", NO_STRESS, [MS], start_ns=0, end_ns=75 * MS, gap_ns=gap_ns))
        assert board.gap_share is None or 0 < board.gap_share < 1
    assert board.gap_share == pytest.approx(0.25)


def test_the_wait_before_the_first_slice_is_no_gap() -> None:
    """It is as long as the screen took to start, and says nothing of what drawing costs."""
    board = board_of(["a"])
    for seq, gap_ms in enumerate([2000, 25, 25]):
        assert board.gap_share is None or seq > 1
        board.take(slice_frame(seq, "a", NO_STRESS, [MS], start_ns=0, end_ns=75 * MS, gap_ns=gap_ms * MS))
    assert board.gap_share == pytest.approx(50 / (50 + 3 * 75))


def test_nobody_is_charged_for_the_time_between_two_probes() -> None:
    board = board_of(["a"], [slice_frame(1, "a", NO_STRESS, [MS], start_ns=0, end_ns=100 * MS)])
    board.take(state_frame("a", "failed", "its process was killed"))
    board.take(wire.Failure("No candidate is left."))
    board.restart()
    assert board.failure is None
    assert [(c.state, c.reason) for c in board.contenders] == [("loading", "")]
    board.take(slice_frame(1, "a", NO_STRESS, [MS], start_ns=0, end_ns=100 * MS, gap_ns=9000 * MS))
    assert the_cell(board).wall_ns == 200 * MS
    assert the_cell(board).service.total == 2


# -- the recent window ------------------------------------------------------------------------------


@given(
    st.lists(st.tuples(st.integers(1, 4000), st.integers(1, 500), st.booleans()), min_size=1, max_size=40),
    st.floats(0.5, RECENT_S),
)
def test_recent_is_exactly_the_slices_that_ended_within_the_window(
    steps: list[tuple[int, int, bool]], window_s: float
) -> None:
    board = board_of(["a", "b"])
    now_ns, ends = BEGIN_NS, []
    for seq, (after_ms, value, is_a) in enumerate(steps):
        now_ns += after_ms * MS
        name = "a" if is_a else "b"
        board.take(slice_frame(seq, name, NO_STRESS, [value] * 2, start_ns=now_ns - MS, end_ns=now_ns))
        if is_a:
            ends.append((now_ns, value))
    if not ends:
        assert board.cell(board.contenders[0], IDLE) is None
        return
    cell = the_cell(board)
    for asked_s in (window_s, RECENT_S, window_s):
        inside = [value for end_ns, value in ends if end_ns >= now_ns - asked_s * 1e9 for _ in range(2)]
        assert facts(cell.recent(board.now_ns, asked_s)) == facts(histogram_of(inside))
        bars = cell.recent_bars(board.now_ns, asked_s, AXIS)
        assert bars.tolist() == histogram_of(inside).bars(AXIS).tolist()
    assert cell.service.total == 2 * len(ends)


def test_a_slice_that_ended_just_at_the_windows_edge_is_in_it() -> None:
    edge_ns = BEGIN_NS + round(RECENT_S * 1e9)
    board = board_of(["a"], [slice_frame(0, "a", NO_STRESS, [MS], start_ns=BEGIN_NS - MS, end_ns=BEGIN_NS)])
    assert the_cell(board).recent(edge_ns).total == 1
    assert the_cell(board).recent(edge_ns, RECENT_S / 2).total == 0
    assert the_cell(board).recent(edge_ns + 1000).total == 0


def test_slices_leave_the_window_while_another_candidate_runs() -> None:
    board = board_of(["a", "b"], [slice_frame(0, "a", NO_STRESS, [MS], start_ns=0, end_ns=MS)])
    assert rows_of(board, window_s=RECENT_S)[0].n == 1
    late_ns = int((RECENT_S + 1) * 1e9)
    board.take(slice_frame(1, "b", NO_STRESS, [MS], start_ns=late_ns, end_ns=late_ns + MS))
    recent, whole = rows_of(board, window_s=RECENT_S), rows_of(board)
    assert [row.n for row in recent] == [0, 1]
    assert [row.n for row in whole] == [1, 1]


def test_slices_that_have_left_the_window_are_let_go_though_nobody_asks_for_it() -> None:
    """A day of recording must not hold a day of frames."""
    board = board_of(["a"])
    first = slice_frame(0, "a", NO_STRESS, [MS], start_ns=0)
    kept = weakref.ref(first)
    board.take(first)
    del first
    board.take(slice_frame(1, "a", NO_STRESS, [MS], start_ns=int(2 * RECENT_S * 1e9)))
    gc.collect()
    assert kept() is None


# -- quantiles and ratios ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "relied_on"),
    [(1, 0), (18, 0), (20, 1), (90, 1), (100, 2), (180, 2), (200, 3), (900, 3), (1000, 4), (9000, 4), (10_000, 5)],
)
@pytest.mark.parametrize("tied", [False, True], ids=["all different", "all the same"])
def test_a_quantile_with_fewer_than_ten_observations_beyond_it_is_provisional(
    n: int, relied_on: int, tied: bool
) -> None:
    values = np.full(n, 3 * MS) if tied else MS + 10_000 * np.arange(n)
    board = board_of(["a"], [slice_frame(1, "a", NO_STRESS, values)])
    (row,) = rows_of(board)
    assert row.provisional == tuple(place >= relied_on for place in range(len(QUANTILES)))
    assert [is_provisional(the_cell(board).service, q) for q in QUANTILES] == list(row.provisional)


def test_a_row_holds_its_histograms_numbers() -> None:
    values = np.arange(1, 2001) * 10_000
    board = board_of(["a"], [slice_frame(1, "a", NO_STRESS, values[::2]), slice_frame(2, "a", NO_STRESS, values[1::2])])
    (row,) = rows_of(board)
    assert row.n == 2000
    assert row.quantiles_ns == tuple(histogram_of(values.tolist()).quantiles_ns(QUANTILES))
    assert row.quantiles_ns == pytest.approx(tuple(q / 100 * 20 * MS for q in QUANTILES), rel=1e-3)
    assert row.max_ns == 20 * MS


def test_ratios_compare_with_the_best_row_with_idle_and_with_the_base() -> None:
    board = board_of(["a", "b", "c", "d"])
    plan = {"a": (2, 8), "b": (4, 6), "c": (None, 9)}  # ms when idle, under stress; d is never measured
    for seq, (name, (idle_ms, under_ms)) in enumerate(plan.items()):
        if idle_ms is not None:
            board.take(slice_frame(seq, name, NO_STRESS, [idle_ms * MS] * 40))
        board.take(slice_frame(seq, name, STRESS, [under_ms * MS] * 40))
    base = {board.contenders[0].id: histogram_of([4 * MS] * 40)}
    a, b, c, d = rows_of(board, STRESS, base=base)
    best, idle, kept = ([getattr(row, name) for row in (a, b, c, d)] for name in ("to_best", "to_idle", "to_base"))

    def values(ratios: list[object]) -> list[object]:
        return [None if ratio is None else pytest.approx(ratio.value, rel=2e-3) for ratio in ratios]  # type: ignore[attr-defined]

    assert values(best) == [8 / 6, 1.0, 9 / 6, None]
    assert b.to_best is not None and b.to_best.value == 1.0
    assert values(idle) == [4.0, 1.5, None, None]
    assert values(kept) == [2.0, None, None, None]
    assert not any(ratio.provisional for ratio in (*best, *idle, *kept) if ratio is not None)
    assert all(row.to_idle is None for row in rows_of(board, NO_STRESS))
    assert [row.contender.name for row in (a, b, c, d)] == ["a", "b", "c", "d"]


@given(times_ns.filter(bool), times_ns.filter(bool), st.sampled_from(QUANTILES))
def test_the_best_row_is_the_smallest_at_the_ranking_quantile(one: list[int], other: list[int], q: float) -> None:
    board = board_of(["a", "b"], [slice_frame(1, "a", NO_STRESS, one), slice_frame(2, "b", NO_STRESS, other)])
    own = [histogram_of(values).quantile_ns(q) for values in (one, other)]
    assert own[0] is not None and own[1] is not None
    for row, mine in zip(rows_of(board, ranked_by=q), own, strict=True):
        smallest = min(own[0], own[1])
        if mine and smallest:
            assert row.to_best is not None and row.to_best.value == mine / smallest >= 1.0
        else:
            assert row.to_best is None


@pytest.mark.parametrize(("mine", "its"), [(1000, 1000), (900, 1000), (1000, 900), (900, 900)])
def test_a_ratio_is_provisional_if_either_side_is(mine: int, its: int) -> None:
    expected = min(mine, its) < 1000
    board = board_of(
        ["a", "b"],
        [
            slice_frame(1, "a", NO_STRESS, [MS] * its),
            slice_frame(2, "a", STRESS, [2 * MS] * mine),
            slice_frame(3, "b", STRESS, [MS] * its),
        ],
    )
    row = rows_of(board, STRESS, ranked_by=99.0, base={board.contenders[0].id: histogram_of([MS] * its)})[0]
    for ratio in (row.to_best, row.to_idle, row.to_base):
        assert ratio is not None
        assert ratio.value == pytest.approx(2.0, rel=2e-3)
        assert ratio.provisional == expected


def test_the_slow_share_is_that_of_twice_the_idle_median() -> None:
    board = board_of(["a"], [slice_frame(1, "a", STRESS, [MS] * 6 + [3 * MS] * 4)])
    # Not idle yet: twice the own tenth percentile.
    assert table(board, UNDER)[0].slow_share == 0.4
    board.take(slice_frame(2, "a", NO_STRESS, [2 * MS] * 10))
    under, idle = table(board, UNDER)[0], table(board, IDLE)[0]
    assert (under.slow_share, idle.slow_share) == (0.0, 0.0)
    board.take(slice_frame(3, "a", STRESS, [5 * MS] * 10))
    assert table(board, UNDER)[0].slow_share == 0.5


def test_what_is_slow_at_rest_is_slow_under_stress() -> None:
    times = [10 * MS] * 20 + [19 * MS] * 60 + [30 * MS] * 20
    board = board_of(["a"], [slice_frame(1, "a", NO_STRESS, times), slice_frame(2, "a", STRESS, times)])
    assert table(board, IDLE)[0].slow_share == table(board, UNDER)[0].slow_share == 0.0


def test_the_wait_share_is_time_without_a_core_over_service_time() -> None:
    frames = [
        slice_frame(1, "a", STRESS, [4 * MS] * 5, waits_ns=[MS] * 5),
        slice_frame(100, "a", STRESS, [2 * MS] * 5, waits_ns=[0] * 5),
        slice_frame(2, "b", STRESS, [4 * MS]),
    ]
    board = board_of(["a", "b"], frames)
    first, second = table(board, UNDER)
    assert first.wait_share == pytest.approx(5 / 30)
    assert second.wait_share is None  # the platform does not tell, which is not 0
    board.now_ns = frames[1].end_ns
    assert table(board, UNDER, window_s=5.0)[0].wait_share == 0.0


def test_the_miss_share_is_of_those_that_take_longer_than_the_deadline() -> None:
    board = board_of(["a"], [slice_frame(1, "a", NO_STRESS, [MS] * 7 + [30 * MS] * 3)])
    assert table(board, IDLE)[0].miss_share is None
    assert table(board, IDLE, deadline_ns=20 * MS)[0].miss_share == 0.3
    assert table(board, IDLE, deadline_ns=40 * MS)[0].miss_share == 0.0


def test_what_the_stressor_got_is_averaged_over_the_slices_that_tell() -> None:
    told = [
        wire.Reading(1.5 * 10 * MS),
        wire.Reading(reason="the stress changed in the middle"),
        wire.Reading(0.5 * 10 * MS),
    ]
    frames = [
        slice_frame(seq, "a", STRESS, [MS], start_ns=BEGIN_NS, end_ns=BEGIN_NS + 10 * MS, stress_cpu=reading)
        for seq, reading in enumerate(told)
    ]
    board = board_of(["a"], frames)
    cell = board.cell(board.contenders[0], UNDER)
    assert cell is not None and cell.stress_cores == pytest.approx(1.0)
    idle = board_of(["a"], [slice_frame(1, "a", NO_STRESS, [MS])])
    assert idle.cell(idle.contenders[0], IDLE).stress_cores is None  # type: ignore[union-attr]


def test_the_window_limits_what_is_compared() -> None:
    """Under a window, `best` is the best of the window."""
    late_ns = int(2 * RECENT_S * 1e9)
    board = board_of(
        ["a", "b"],
        [
            slice_frame(1, "a", NO_STRESS, [MS] * 40, start_ns=0),
            slice_frame(2, "a", NO_STRESS, [8 * MS] * 40, start_ns=late_ns),
            slice_frame(3, "b", NO_STRESS, [4 * MS] * 40, start_ns=late_ns + 400 * MS),
        ],
    )
    a, b = rows_of(board, window_s=RECENT_S)
    assert a.to_best is not None and b.to_best is not None
    assert a.n == 40
    assert a.to_best.value == pytest.approx(2.0, rel=2e-3)
    assert b.to_best.value == 1.0


def test_stress_reverses_the_scripted_session() -> None:
    """The story the tool is for, in the frames that the screen's tests show."""
    board = board_of(["a", "b"], session(["a", "b"], [NO_STRESS, STRESS], slices_per_cell=40))

    def faster(condition: str, q: float) -> str:
        return min(rows_of(board, condition, q), key=lambda row: row.to_best.value).contender.name  # type: ignore[union-attr]

    assert [faster(c, 50.0) for c in (NO_STRESS, STRESS)] == ["a", "a"]
    assert [faster(c, 99.0) for c in (NO_STRESS, STRESS)] == ["a", "b"]


# -- everything else a frame says -------------------------------------------------------------------


def test_conditions_are_idle_first_then_by_kind_load_and_threads() -> None:
    visited = ["4xcpu@50%", "2xcpu@100%", "1xcpu@50%", "1xatomic@100%", "0xcpu@100%", "16xcpu@100%", "2xcpu@100%"]
    board = board_of(["a"], [slice_frame(i, "a", condition, [MS]) for i, condition in enumerate(visited)])
    ordered = ["0xcpu@100%", "1xatomic@100%", "2xcpu@100%", "16xcpu@100%", "1xcpu@50%", "4xcpu@50%"]
    assert [str(condition) for condition in board.conditions] == ordered
    assert [str(condition) for _, condition, _ in board.cells()] == ordered
    assert str(board.condition) == "2xcpu@100%"


def test_cells_come_by_candidate_then_by_condition() -> None:
    frames = session(["b", "a"], [STRESS, NO_STRESS], slices_per_cell=1)
    cells = [(contender.name, str(condition)) for contender, condition, _ in board_of(["b", "a"], frames).cells()]
    assert cells == [("b", NO_STRESS), ("b", STRESS), ("a", NO_STRESS), ("a", STRESS)]


def test_frames_of_somebody_elses_line_up_are_ignored() -> None:
    board = board_of(["a"], [slice_frame(1, "a", NO_STRESS, [MS])])
    board.take(slice_frame(2, "stranger", STRESS, [MS]))
    board.take(state_frame("stranger", "failed", "it is not ours"))
    assert [(c.name, str(condition)) for c, condition, _ in board.cells()] == [("a", NO_STRESS)]
    assert board.condition == IDLE
    assert not board.notes


def test_states_carry_a_candidate_from_loading_to_its_end() -> None:
    board = board_of(["a", "b"])
    a, b = board.contenders
    assert {a.state, b.state} == {"loading"}
    board.take(state_frame("a", "ready"))
    assert (a.state, a.reason, a.memory_mb) == ("ready", "", 20.0)
    board.take(slice_frame(1, "a", NO_STRESS, [MS]))
    board.take(state_frame("a", "failed", "its process was killed"))
    assert (a.state, a.reason, a.memory_mb) == ("failed", "its process was killed", 20.0)
    assert b.state == "loading"
    assert list(board.notes) == ["a: its process was killed"]
    assert rows_of(board)[0].n == 1  # what it measured until then is kept


def test_the_board_keeps_the_latest_of_everything_else() -> None:
    board = board_of(["a"], [hello()])
    assert board.device == DEVICE
    newer = {"cpu_pct": wire.Reading(12.5), "steal_pct": wire.Reading(reason="this platform counts no steal time")}
    board.take(slice_frame(1, "a", NO_STRESS, [MS]))
    assert board.sensors == READINGS
    board.take(slice_frame(2, "a", STRESS, [MS], sensors=newer, notes=["held for 2.0 s"]))
    assert (board.sensors, board.condition) == (newer, UNDER)
    board.take(wire.Note("The stressor was killed."))
    board.take(wire.Failure("No candidate is left.", usage=False))
    assert list(board.notes) == ["held for 2.0 s", "The stressor was killed."]
    assert board.failure == wire.Failure("No candidate is left.")


def test_who_leaves_and_comes_back_finds_its_cells_and_nobody_else_loses_theirs() -> None:
    names = ["a", "b", "c"]
    board = board_of(names, session(names, ["0xcpu@100%"], slices_per_cell=3))
    counts = {contender.id: board.cell(contender, IDLE).service.total for contender in board.contenders}  # type: ignore[union-attr]
    second = board.contenders[1]
    board.remove(second)
    assert [contender.slot for contender in board.contenders] == [0, 2]
    assert {contender.id for contender, _, _ in board.cells()} == counts.keys() - {second.id}
    board.take(slice_frame(99, "b", "0xcpu@100%", [5 * MS]))  # its last slice, told of too late
    board.add(second.candidate, *line_up(["d"]))
    assert [(contender.name, contender.slot) for contender in board.contenders] == [
        ("a", 0),
        ("c", 2),
        ("b", 1),
        ("d", 3),
    ]
    assert board.contenders[2].state == "loading"
    assert {c.id: cell.service.total for c, _, cell in board.cells()} == counts


def test_the_same_candidate_joins_once() -> None:
    board = board_of(["a"])
    board.add(*line_up(["a"]), *line_up(["a"]))
    assert len(board.contenders) == 1


def test_names_follow_the_line_up() -> None:
    board = board_of(["a@threads=1"])
    assert board.contenders[0].name == "a"
    board.add(*line_up(["a"]))
    assert [contender.name for contender in board.contenders] == ["a@threads=1", "a@threads=2"]


def test_one_that_runs_alone_and_fails_runs_alone_no_more() -> None:
    board = board_of(["a", "b"])
    board.only = board.contenders[0]
    board.take(state_frame("a", "failed", "killed"))
    assert board.only is None
    board.only = board.contenders[1]
    board.remove(board.contenders[1])
    assert board.only is None


def test_a_cell_never_holds_two_models() -> None:
    """A file may be another one when it is loaded again, under the same name."""
    ready = state_frame("a", "ready")
    board = board_of(
        ["a", "b"], [ready, slice_frame(1, "a", NO_STRESS, [5 * MS]), slice_frame(2, "b", NO_STRESS, [5 * MS])]
    )
    board.take(ready)
    assert sum(cell.service.total for _, _, cell in board.cells()) == 2
    board.take(replace(ready, identity="another"))
    assert [contender.name for contender, _, _ in board.cells()] == ["b"]
    assert "have changed" in board.notes[-1]
    board.take(slice_frame(3, "a", NO_STRESS, [9 * MS]))
    assert [cell.service.max_ns for _, _, cell in board.cells()] == [9 * MS, 5 * MS]


def test_a_probe_that_starts_again_measures_all() -> None:
    board = board_of(["a", "b"])
    board.only = board.contenders[0]
    board.restart()
    assert board.only is None


def test_what_loading_took_is_kept_while_it_loads_again() -> None:
    board = board_of(["a"], [state_frame("a", "ready")])
    (contender,) = board.contenders
    assert (contender.load_ms, contender.cold_ms[0], contender.warm_ms) == (41.5, 12.3, 3.9)
    for state in ("unloaded", "loading"):
        board.take(state_frame("a", state))
        assert (contender.state, contender.load_ms, contender.cold_ms[0]) == (state, 41.5, 12.3)


def test_clear_forgets_every_count_and_keeps_the_line_up() -> None:
    frames = session(["a", "b"], [NO_STRESS, STRESS], slices_per_cell=2)
    board = board_of(["a", "b"], frames)
    board.clear()
    assert not list(board.cells())
    assert board.gap_share is None
    assert board.condition == UNDER
    assert [row.n for row in rows_of(board, STRESS)] == [0, 0]
    assert [c.state for c in board.contenders] == ["ready", "ready"]
    board.take(slice_frame(99, "a", STRESS, [MS], start_ns=0, end_ns=100 * MS, gap_ns=7 * MS))
    assert the_cell(board, 0, STRESS).service.total == 1
    assert the_cell(board, 0, STRESS).wall_ns == 100 * MS


# -- the script itself ------------------------------------------------------------------------------


def test_a_scripted_session_is_the_same_every_time_and_fits_the_wire() -> None:
    frames = session(["a", "b"], [NO_STRESS, STRESS], slices_per_cell=2, seed=7)
    assert frames == session(["a", "b"], [NO_STRESS, STRESS], slices_per_cell=2, seed=7)
    assert frames != session(["a", "b"], [NO_STRESS, STRESS], slices_per_cell=2, seed=8)
    assert [wire.decode_frame(wire.encode(frame).strip()) for frame in frames] == frames
    own = [frame for frame in frames if isinstance(frame, wire.Slice)]
    assert [frame.seq for frame in own] == list(range(1, 9))
    for before, after in pairwise(own):
        assert after.start_ns - before.end_ns == after.gap_ns
    assert {frame.candidate for frame in own} == {str(candidate) for candidate in line_up(["a", "b"])}


def test_rows_that_are_kept_are_those_worked_out_anew() -> None:
    names, kept = ["small", "large", "other"], {}  # type: ignore[var-annotated]
    board = Board(line_up(names))
    asked = [
        {"ranked_by": 99.0},
        {"ranked_by": 50.0, "deadline_ns": 4 * MS},
        {"ranked_by": 99.0, "window_s": 1.0},
        {"ranked_by": 99.0, "base": {str(board.contenders[0].candidate): histogram_of([3 * MS] * 40)}},
    ]
    frames = session(names, [NO_STRESS, STRESS, NO_STRESS], 4)
    reused = 0
    for place, frame in enumerate([*frames, *session(names, [STRESS], 3, seed=7)]):
        if place == len(frames):
            board.clear()
        board.take(frame)
        for condition in (IDLE, UNDER):
            before = dict(kept)
            for options in asked:
                assert table(board, condition, kept=kept, **options) == table(board, condition, **options)  # type: ignore[arg-type]
            for again in (asked[-1], asked[-1]):
                table(board, condition, kept=kept, **again)  # type: ignore[arg-type]
            reused += sum(kept[key][1] is row for key, (_, row) in before.items())
    assert reused > len(frames), "most rows are those of the frame before"


def test_a_kept_row_goes_with_a_slice_that_counts_nothing() -> None:
    """Its waits may be untold, and then the cell's are."""
    board, kept = board_of(["a"], [slice_frame(1, "a", NO_STRESS, [MS] * 9, waits_ns=[0] * 9)]), {}  # type: ignore[var-annotated]
    (before,) = table(board, IDLE, kept=kept)
    board.take(slice_frame(2, "a", NO_STRESS, [], wait_unavailable="no counter here"))
    (after,) = table(board, IDLE, kept=kept)
    assert before.wait_share == 0 and after.wait_share is None


def test_a_kept_row_is_of_the_contender_that_is_there_now() -> None:
    board, kept = board_of(["a"], [slice_frame(1, "a", NO_STRESS, [MS] * 9)]), {}  # type: ignore[var-annotated]
    table(board, IDLE, kept=kept)
    board.contenders[0] = replace(board.contenders[0])  # says the same, for now
    (row,) = table(board, IDLE, kept=kept)
    assert row.contender is board.contenders[0]
