"""A sweep inside the screen: the plan is seen, the slider follows, and whoever sets something by hand pauses it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from latvar_tui import wire
from latvar_tui.condition import parse_condition
from latvar_tui.tui.stress_slider import StressSlider
from latvar_tui.tui.sweep import ScreenSweep, levels
from tests.scripted_link import BEGIN_NS, board_of, session
from tests.test_screen import FIRST_SLICES, MODELS, make_app, sent, settled

LEVELS = ["0xcpu@100%", "2xcpu@100%"]


def test_levels_are_the_usual_ones_as_far_as_allowed() -> None:
    assert [str(each) for each in levels(parse_condition("3xmem@50%"), 2)] == ["0xcpu@100%", "1xmem@50%", "2xmem@50%"]


def test_it_goes_through_its_conditions_and_ends_with_its_budget() -> None:
    board = board_of(MODELS, FIRST_SLICES)
    sweep = ScreenSweep(board, [parse_condition(each) for each in LEVELS], budget_s=30.0)
    asked = list(sweep.begin())
    visited: set[str] = set()
    # What a probe would send under the condition that it was told last.
    recorded = {each: [f for f in session(MODELS, [each], 200) if isinstance(f, wire.Slice)] for each in LEVELS}
    at_ns, rounds = board.now_ns, 100
    while not sweep.is_over:
        condition = next(each.condition for each in reversed(asked) if isinstance(each, wire.SetCondition))
        only = next(each.named for each in reversed(asked) if isinstance(each, wire.Only))
        visited.add(condition)
        rounds += 1
        for frame in recorded[condition][: len(MODELS)]:
            if sweep.is_over or frame.candidate not in only:
                continue
            wall_ns = frame.end_ns - frame.start_ns
            at_ns += wall_ns + 5_000_000
            values = vars(frame) | {"start_ns": at_ns - wall_ns, "end_ns": at_ns, "round": rounds}
            moved = wire.Slice(**values)
            board.take(moved)
            asked += sweep.take(moved)
        recorded[condition] = recorded[condition][len(MODELS) :]
    assert visited == set(LEVELS)
    assert asked[-1] == wire.Only(), "all are measured again"
    assert sweep.take(moved) == ()
    assert (at_ns - BEGIN_NS) / 1e9 < 60


def test_a_pause_takes_no_time_of_its_budget() -> None:
    board = board_of(MODELS, FIRST_SLICES)
    sweep = ScreenSweep(board, [parse_condition(LEVELS[0])], budget_s=30.0)
    sweep.begin()
    assert sweep.pause() == (wire.Only(),) and "paused" in sweep.line
    board.now_ns += 3600 * 10**9
    (condition, only) = sweep.begin()
    assert isinstance(condition, wire.SetCondition) and isinstance(only, wire.Only)
    (last,) = [f for f in session(MODELS[:1], [LEVELS[0]], 1) if isinstance(f, wire.Slice)]
    later = wire.Slice(**(vars(last) | {"start_ns": board.now_ns, "end_ns": board.now_ns + 10**8}))
    board.take(later)
    sweep.take(later)
    assert not sweep.is_over


async def test_x_begins_pauses_and_goes_on_and_a_hand_on_the_slider_pauses() -> None:
    app = make_app(FIRST_SLICES)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        sent(app).sent.clear()
        await pilot.press("x")
        assert app.view.shown == "matrix"
        (first, only) = [c for c in sent(app).sent if isinstance(c, wire.SetCondition | wire.Only)]
        assert isinstance(first, wire.SetCondition) and isinstance(only, wire.Only)
        assert len(only.candidates) == len(MODELS)
        assert app.query_one(StressSlider).value == parse_condition(first.condition).stress_threads
        assert app.banner()[0].startswith("Sweep (x pauses)")
        text = "\n".join(strip.text for strip in app.query_one("#view-matrix").lines)  # type: ignore[attr-defined]
        assert "4xcpu" in text and "·" in text, "the plan: what is to come"
        await pilot.press("x")
        assert app.view.sweep is not None and app.view.sweep.is_paused
        assert sent(app).sent[-1] == wire.Only() or wire.Only() in sent(app).sent
        await pilot.press("x")
        assert not app.view.sweep.is_paused
        await pilot.press("2")
        assert app.view.sweep.is_paused and sent(app).conditions()[-1] == "2xcpu@100%"
        assert app.query_one(StressSlider).value == 2


async def test_the_slider_says_what_the_sweep_puts_on_when_it_goes_on() -> None:
    hello, *others = FIRST_SLICES
    assert isinstance(hello, wire.Hello)
    app = make_app([replace(hello, device={**hello.device, "stress_kinds": ["cpu", "mem"]}), *others])
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("x", "t", "2")
        assert app.query_one(StressSlider).kind == "mem"
        app.wanted = parse_condition("0xcpu@100%")
        await pilot.press("x")
        app.wanted = parse_condition("2xcpu@100%")  # as the sweep asks for at some time
        app.draw()
        assert app.query_one(StressSlider).kind == "cpu"


@pytest.mark.parametrize("ascii", [False, True])
def test_every_cell_of_the_plan_has_a_sign(ascii: bool) -> None:
    board = board_of(MODELS, FIRST_SLICES)
    sweep = ScreenSweep(board, [parse_condition(each) for each in LEVELS])
    name = board.contenders[0].id
    signs = [sweep.mark(name, parse_condition(each), ascii) for each in [*LEVELS, "4xmem@10%"]]
    assert signs == (["o", ".", " "] if ascii else ["○", "·", " "])
