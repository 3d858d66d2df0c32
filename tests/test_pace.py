"""How long the probe waits for a screen, and when it takes it for gone."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latvar_tui import wire
from latvar_tui.device.pace import LEASE_S, LONGEST_PATIENCE_S, SHORTEST_PATIENCE_S, Pace
from latvar_tui.link import Link
from tests.conftest import frames_until, slices

gaps_s = st.lists(st.floats(0.0, 10.0), max_size=30)


def after(*gaps: float) -> Pace:
    pace = Pace(heard_at_s=0.0)
    for gap_s in gaps:
        pace.drawn(gap_s)
    return pace


def test_patience_lies_between_60_and_500_ms() -> None:
    assert (SHORTEST_PATIENCE_S, LONGEST_PATIENCE_S) == (0.060, 0.500)
    assert after().patience_s == SHORTEST_PATIENCE_S
    assert after(0.001).patience_s == SHORTEST_PATIENCE_S
    assert after(30.0).patience_s == LONGEST_PATIENCE_S


@pytest.mark.parametrize("gap_s", [0.012, 0.02, 0.05, 0.1])
def test_between_them_it_is_five_times_the_gap(gap_s: float) -> None:
    assert after(gap_s).patience_s == pytest.approx(5 * gap_s)
    assert after(*[gap_s] * 10).patience_s == pytest.approx(5 * gap_s)


@given(gaps_s)
def test_patience_never_leaves_its_bounds(gaps: list[float]) -> None:
    assert SHORTEST_PATIENCE_S <= after(*gaps).patience_s <= LONGEST_PATIENCE_S


@given(gaps_s.filter(bool))
def test_the_recent_gap_lies_among_the_gaps(gaps: list[float]) -> None:
    low, high = (min(gap_s, LONGEST_PATIENCE_S) for gap_s in (min(gaps), max(gaps)))
    assert low * (1 - 1e-9) <= after(*gaps).recent_gap_s <= high * (1 + 1e-9)


def test_the_recent_gap_follows_a_screen_that_becomes_slower_or_faster() -> None:
    assert after(*[0.02] * 5, *[0.09] * 12).patience_s == pytest.approx(0.45, rel=0.05)
    assert after(*[0.09] * 5, *[0.02] * 12).patience_s == pytest.approx(0.10, rel=0.05)


def test_one_slow_frame_does_not_make_it_wait_half_a_second_for_long() -> None:
    """Nor does a screen that was stopped for an hour."""
    for slow_s in (2.0, 3600.0):
        assert after(*[0.005] * 5, slow_s).patience_s == LONGEST_PATIENCE_S
        assert after(*[0.005] * 5, slow_s, *[0.005] * 15).patience_s == SHORTEST_PATIENCE_S


def test_a_screen_is_away_when_it_is_silent_for_longer_than_its_lease() -> None:
    pace = Pace(heard_at_s=100.0)
    assert not pace.is_away(100.0)
    assert not pace.is_away(100.0 + LEASE_S)
    assert pace.is_away(100.1 + LEASE_S)
    pace.heard(200.0)
    assert not pace.is_away(200.0 + LEASE_S)
    assert pace.is_away(200.1 + LEASE_S)


def test_a_slow_screen_is_waited_for_once_its_pace_is_known(start: Callable[..., Link], small_model: str) -> None:
    """Also one that never answers within the shortest patience: its late answers tell how slow it is."""
    link = start([small_model], slice_ms=20)
    ungated: list[bool] = []
    while ungated[-3:] != [False] * 3 or not any(ungated):
        frame = slices(frames_until(link, lambda frame: isinstance(frame, wire.Slice), go=False))[-1]
        ungated.append("ungated" in frame.notes)
        assert len(ungated) < 60, ungated
        time.sleep(2 * SHORTEST_PATIENCE_S)  # this screen is that slow
        link.send(wire.Go(frame.seq))
