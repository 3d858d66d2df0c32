"""Which frames are drawn: on a slow line fewer, and never two that wait for each other."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from latvar_tui.tui.frame_pace import ECHO_EVERY_S, PATIENCE_S, SELDOM_S, FramePace, is_far


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


def share_paused(
    drawn_s: float, skipped_s: float, *, sparing: bool = True, slice_s: float = 0.25
) -> tuple[float, float]:
    """For two minutes of slices: the share of the time spent in gaps, and the frames a second."""
    clock = Clock()
    pace = FramePace(sparing=sparing, clock_s=clock)
    paused_s = frames = 0.0
    while clock.now_s < 220:
        gap_s = skipped_s
        if pace.is_due():
            pace.drawn()
            pace.left()
            frames, gap_s = frames + 1, drawn_s
        clock.now_s += gap_s + slice_s
        paused_s += gap_s
        pace.paused(gap_s, slice_s)
    return paused_s / 120, frames / 120


def test_frames_that_take_too_much_time_from_measuring_are_fewer() -> None:
    share, frames_hz = share_paused(0.012, 0.002)
    assert share <= 0.0285 and 1.5 < frames_hz < 3.5
    share, frames_hz = share_paused(0.012, 0.002, sparing=False)
    assert share > 0.045 and frames_hz > 3.8


def test_light_frames_are_all_drawn() -> None:
    _, frames_hz = share_paused(0.006, 0.002)
    assert frames_hz > 3.8


@given(st.floats(0.0, 0.4), st.floats(0.0, 0.05), st.floats(0.05, 2.0))
def test_a_frame_is_drawn_each_second_whatever_it_costs(drawn_s: float, skipped_s: float, slice_s: float) -> None:
    _, frames_hz = share_paused(drawn_s, skipped_s, slice_s=slice_s)
    assert frames_hz >= 0.9 / (SELDOM_S + slice_s + max(drawn_s, skipped_s))


def test_one_long_gap_holds_frames_up_for_a_second_at_most() -> None:
    clock = Clock()
    pace = FramePace(sparing=True, clock_s=clock)
    pace.drawn()
    pace.left()
    pace.paused(0.4, 0.25)
    clock.now_s += SELDOM_S / 2
    assert not pace.is_due()
    clock.now_s += SELDOM_S / 2
    assert pace.is_due()
