"""Which frames are drawn: on a slow line fewer, and never two that wait for each other."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from latvar_tui.tui.frame_pace import ECHO_EVERY_S, PATIENCE_S, PAUSES_SHARE, SELDOM_S, FramePace, is_far


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_every_frame_is_drawn_on_a_line_that_takes_it() -> None:
    clock = Clock()
    pace = FramePace(clock_s=clock)
    for _ in range(10):
        assert pace.is_due()
        pace.drawn()
        pace.left()
        clock.now_s += 0.25
    assert pace.skipped == 0


@given(st.floats(0.5, 30), st.floats(0.02, 0.5))
def test_a_cap_holds(fps: float, slice_s: float) -> None:
    clock = Clock()
    pace = FramePace(fps, clock_s=clock)
    drawn, began_s = 0, clock.now_s
    while clock.now_s < began_s + 20:
        if pace.is_due():
            pace.drawn()
            pace.left()
            drawn += 1
        clock.now_s += slice_s
    assert drawn <= 20 * fps + 1
    assert drawn >= 20 / (1 / fps + slice_s) - 1


def test_a_line_that_is_busy_gets_no_frame_and_then_rests_for_as_long() -> None:
    clock = Clock()
    pace = FramePace(clock_s=clock)
    assert pace.is_due()
    pace.drawn()
    clock.now_s += 1.0
    assert not pace.is_due()
    pace.left()
    assert not pace.is_due()
    clock.now_s += 1.0
    assert pace.is_due()
    assert pace.skipped == 2


def test_what_leaves_at_once_costs_no_frame() -> None:
    clock = Clock()
    pace = FramePace(clock_s=clock)
    pace.drawn()
    clock.now_s += PATIENCE_S / 2
    pace.left()
    assert pace.is_due()


def far(clock: Clock) -> FramePace:
    pace = FramePace(far=True, clock_s=clock)
    pace.drawn()
    assert pace.asks()
    clock.now_s += 0.05
    pace.echoed()
    pace.left()
    clock.now_s += 0.25
    return pace


def test_echoes_that_come_in_time_are_asked_for_seldom() -> None:
    clock = Clock()
    pace = far(clock)
    assert pace.is_due() and not pace.asks()
    clock.now_s += ECHO_EVERY_S
    assert pace.asks()


def test_one_frame_is_on_its_way_while_echoes_come_late() -> None:
    clock = Clock()
    pace = far(clock)
    clock.now_s += ECHO_EVERY_S
    assert pace.asks()
    clock.now_s += 2.0
    assert not pace.is_due()
    pace.echoed()
    assert pace.is_due() and pace.asks()
    assert not pace.asks(), "one question at a time"


def test_a_terminal_that_never_answers_is_not_waited_for() -> None:
    clock = Clock()
    pace = FramePace(far=True, clock_s=clock)
    assert pace.asks()
    for _ in range(100):
        clock.now_s += 0.25
        assert pace.is_due() or clock.now_s < 111
    assert pace.is_due() and not pace.asks()


def test_near_terminals_are_not_asked() -> None:
    assert not FramePace().asks()
    assert is_far({"SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22"}) and not is_far({"TERM": "xterm"})


UNDRAWN_S = 0.003
"""So long is a gap in which nothing is drawn."""


def drawn_s(
    gaps_s: list[float], *, sparing: bool = True, slice_s: float = 0.25, fps: float | None = None
) -> tuple[list[float], float]:
    """When frames were drawn, of a minute of slices, and the share of the time in gaps after the first ten seconds.

    ``gaps_s`` are those that are drawn in: the last is that of all others.
    """
    clock = Clock()
    pace = FramePace(fps, sparing=sparing, clock_s=clock)
    times, gap_s, paused_s = [], 0.0, 0.0
    while clock.now_s < 160:
        clock.now_s += slice_s
        pace.measured(slice_s, gap_s)
        if pace.is_due():
            times.append(clock.now_s)
            pace.drawn()
            pace.left()
            gap_s = gaps_s[min(len(times), len(gaps_s)) - 1]
        else:
            gap_s = UNDRAWN_S
        clock.now_s += gap_s
        paused_s += gap_s if clock.now_s > 110 else 0.0
    return times, paused_s / 50


@given(st.floats(0.003, 0.014), st.floats(0.2, 0.5))
def test_measuring_stands_still_for_a_small_share_of_the_time(gap_s: float, slice_s: float) -> None:
    times, share = drawn_s([gap_s], slice_s=slice_s)
    assert share < 0.03
    assert all(b - a < SELDOM_S + slice_s + gap_s for a, b in pairwise(times))
    # And no smaller than it need be: as many frames as can be had for that.
    assert share > 0.9 * PAUSES_SHARE - UNDRAWN_S / 10 or len(times) > 59 / (slice_s + gap_s)


@given(st.lists(st.floats(0.004, 0.014), min_size=3, max_size=3))
def test_gaps_of_different_kinds_take_no_more_together(kinds: list[float]) -> None:
    """One panel changes a frame, and each takes its own time."""
    assert drawn_s(kinds * 100)[1] < 0.03


def test_light_frames_are_all_drawn() -> None:
    assert len(drawn_s([0.006])[0]) == len(drawn_s([0.006], sparing=False)[0]) > 230
    assert len(drawn_s([0.012])[0]) < 130 < 220 < len(drawn_s([0.012], sparing=False)[0])


def test_a_frame_is_drawn_each_second_whatever_it_costs() -> None:
    times, share = drawn_s([0.3], slice_s=0.2)
    assert share > 0.1
    assert all(b - a < SELDOM_S + 0.5 for a, b in pairwise(times))
    assert sum(b - a >= SELDOM_S for a, b in pairwise(times)) > len(times) - 8


def test_one_gap_that_took_long_holds_nothing_up() -> None:
    times, _ = drawn_s([*[0.005] * 10, 0.05, 0.005])
    assert max(b - a for a, b in pairwise(times)) < 0.31


def test_the_second_one_counts() -> None:
    times, _ = drawn_s([*[0.005] * 10, 0.05, *[0.005] * 10, 0.05, 0.005])
    assert 0.7 < max(b - a for a, b in pairwise(times)) < SELDOM_S + 0.3


def test_what_is_owed_is_forgotten_soon() -> None:
    """A dialog whose frames took a fifth of a second each is closed."""
    times, _ = drawn_s([*[0.2] * 10, 0.005])
    assert max(b - a for a, b in pairwise(times) if a > 125) < 0.31


def test_a_slice_that_may_stand_for_long_is_shown() -> None:
    """One candidate's slices take a quarter of a second, the other's ten: nothing comes soon after the short one."""
    clock = Clock()
    pace = FramePace(sparing=True, clock_s=clock)
    for frame in range(40):
        slice_s = 10.0 if frame % 2 else 0.25
        clock.now_s += slice_s
        pace.measured(slice_s, 0.5)
        if pace.is_due():
            pace.drawn()
            pace.left()
        else:
            assert frame < 10, "as long as the first long one is not known"


def test_both_limits_hold() -> None:
    assert len(drawn_s([0.03], fps=2.0)[0]) <= len(drawn_s([0.03])[0]) < 70
    assert len(drawn_s([0.003], fps=2.0)[0]) <= 121 < len(drawn_s([0.003])[0])


def test_a_line_that_was_stopped_for_an_hour_is_free_soon() -> None:
    pace = FramePace(clock_s=(clock := Clock()))
    pace.drawn()
    clock.now_s += 3600
    pace.left()
    clock.now_s += 6
    assert pace.is_due()


def test_a_frame_that_never_leaves_is_waited_for() -> None:
    pace = FramePace(sparing=True, clock_s=(clock := Clock()))
    pace.drawn()
    clock.now_s += 10 * SELDOM_S
    assert not pace.is_due()
