"""The guided tour on the screen: over a scripted probe, over a recording, on a real terminal; and its command."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from textual.pilot import Pilot

from latvar_tui import wire
from latvar_tui.candidate import UsageError
from latvar_tui.cli_demo import _tour_of
from latvar_tui.cli_sessions import replay_of
from latvar_tui.condition import IDLE, Condition, parse_condition
from latvar_tui.session import replay as replay_module
from latvar_tui.session.layout import ABOUT, BOARD
from latvar_tui.session.reader import Session
from latvar_tui.session.replay import Replay
from latvar_tui.session.stretches import stretches
from latvar_tui.tour import Tour
from latvar_tui.tui.caption import Caption, Told, fitted
from latvar_tui.tui.demo import ELSEWHERE, DemoApp, DemoReplay
from latvar_tui.tui.dialogs import Fitted
from tests import scripted_link
from tests.conftest import run_cli
from tests.on_pty import ROOT
from tests.scripted_link import line_up, session, slice_frame
from tests.session_files import numbers, recorded, recorder_of
from tests.test_live_pty import LEAVES_ALTERNATE_SCREEN, Live, live
from tests.test_screen import IDS, SIZES, NoCost, ScriptedLink, plain_terminal, press_every_key, sent, settled

__all__ = ["live", "plain_terminal"]  # fixtures that are used by being here

MODELS = ["mobilenet_v3_small@as=spinning", "mobilenet_v3_small@spin=off,as=sleeping", "squeezenet1_1"]
CONDITIONS = [IDLE, Condition(1), Condition(2), Condition(4)]
TEXTS = [str(condition) for condition in CONDITIONS]
ALL = session(MODELS, TEXTS, 30)
START = [frame for frame in ALL if not isinstance(frame, wire.Slice)]


def slices(condition: str) -> list[wire.Frame]:
    return [frame for frame in ALL if isinstance(frame, wire.Slice) and frame.condition == condition]


def make_demo(frames: Sequence[wire.Frame], step_s: float | None = None, **options: Any) -> DemoApp:
    link = ScriptedLink(frames)
    app = DemoApp(
        link, lambda candidates, condition: ScriptedLink(frames), line_up(MODELS), IDLE, maximum=4,
        cores=scripted_link.CORES, cost=NoCost(), tour=Tour(CONDITIONS, 2, 95.0, step_s), **options,
    )  # fmt: skip
    app.clock_s = lambda: 0.0
    app.answers.hurried = True
    app.test_link = link  # type: ignore[attr-defined]
    return app


def caption(app: Any) -> str:
    return "\n".join(strip.text for strip in app.query_one(Caption).lines)


async def deliver(pilot: Pilot[Any], frames: Sequence[wire.Frame]) -> None:
    app = pilot.app
    assert isinstance(app, DemoApp)
    last = next(frame for frame in reversed(frames) if isinstance(frame, wire.Slice))
    sent(app).deliver(*frames)
    while app.board.now_ns < last.end_ns:
        await pilot.pause()
    await pilot.pause()


async def through(pilot: Pilot[Any], steps: int) -> None:
    """As a speaker: enter, and the device is measured as the step asks."""
    await settled(pilot)
    for step in range(1, steps + 1):
        await pilot.press("enter")
        if step < len(TEXTS):
            await deliver(pilot, slices(TEXTS[step]))
    await pilot.pause()


def walked(steps: int, *keys: str) -> Callable[[Pilot[Any]], Any]:
    async def run(pilot: Pilot[Any]) -> None:
        await through(pilot, steps)
        for key in keys:
            await pilot.press(key)
        pilot.app.draw()  # type: ignore[attr-defined]  # a busy machine may have left out the last frame
        await pilot.pause()

    return run


FIRST = [*START, *slices(TEXTS[0])]


async def test_a_tour_that_begins_anew_takes_nothing_from_the_session(tmp_path: Path) -> None:
    recorder = recorder_of(tmp_path / "a", MODELS)
    app = make_demo(FIRST, step_s=5.0, recorder=recorder)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        app.begin_anew()
        app.put()
        assert not any(app.board.cells()) and app.tour.at == 0
        await deliver(pilot, slices(TEXTS[1]))
    recorder.close("done")
    whole = Session(tmp_path / "a").shown(numbers)
    (tmp_path / "a" / BOARD).unlink()  # the shortcut; the files say what was recorded
    assert whole == Session(tmp_path / "a").shown(numbers)
    assert {cell["condition"] for cell in whole["cells"]} == set(TEXTS[:2])


async def test_enter_leads_through_and_backspace_back() -> None:
    app = make_demo(FIRST)
    async with app.run_test(size=(120, 40)) as pilot:
        await through(pilot, 3)
        assert sent(app).conditions() == TEXTS[1:]
        assert "4/6 · 4 stress threads on 2 cores" in caption(app) and "enter goes on" in caption(app)
        await pilot.press("enter")
        assert "5/6" in caption(app) and "revers" in caption(app)
        await pilot.press("enter")
        assert sent(app).conditions()[-1] == TEXTS[0] and "6/6" in caption(app)
        await pilot.press("backspace", "backspace")
        assert "4/6" in caption(app) and sent(app).conditions()[-1] == TEXTS[3]


async def test_enter_before_there_is_enough_waits_and_says_so() -> None:
    app = make_demo([*START, *slices(TEXTS[0])[:12]])
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("enter")
        assert "1/6" in caption(app) and "then it goes on (enter: at once)" in caption(app)
        await deliver(pilot, slices(TEXTS[0])[12:])
        assert "2/6" in caption(app) and sent(app).conditions() == [TEXTS[1]]


async def test_a_moved_slider_is_said_and_enter_comes_back() -> None:
    app = make_demo(FIRST)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("right")
        app.draw()
        assert ELSEWHERE in caption(app)
        await pilot.press("enter")
        assert "1/6" in caption(app) and sent(app).conditions() == [TEXTS[1], TEXTS[0]]


async def test_by_itself_it_goes_round_and_counts_anew() -> None:
    app = make_demo(FIRST, step_s=5.0)
    now_s = 0.0
    app.clock_s = lambda: now_s
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        for text in [*TEXTS[1:], "", "", TEXTS[0]]:
            assert "goes on in" in caption(app)
            now_s += 5.0
            app.draw()
            if text:
                await deliver(pilot, slices(text) or FIRST)
            app.draw()  # a busy machine may have left out the last frame
        assert "1/6" in caption(app)
        assert app.board.conditions == [IDLE]


async def test_a_lost_probe_is_started_again_by_enter() -> None:
    app = make_demo(FIRST)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        sent(app)._lost = "The probe was ended."
        sent(app).deliver()
        while app.probe_is_alive:
            await pilot.pause()
        await pilot.press("enter")
        assert app.probe_is_alive and "1/6" in caption(app)


async def test_a_step_is_put_under_its_own_kind_of_stress_whatever_was_tried() -> None:
    app = make_demo(FIRST)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("enter", "left_square_bracket")
        assert sent(app).conditions()[-1] == "1xcpu@90%" and app.is_elsewhere
        await pilot.press("enter")
        assert sent(app).conditions()[-1] == TEXTS[1] and not app.is_elsewhere


async def test_the_first_step_of_a_tour_by_itself_keeps_its_counts_until_it_begins_anew() -> None:
    app = make_demo(FIRST, step_s=5.0)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("right", "enter")
        assert any(app.board.cells()) and sent(app).conditions() == [TEXTS[1], TEXTS[0]]


async def test_cleared_counts_are_told_of_no_more() -> None:
    app = make_demo(FIRST)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        assert "smallest" in caption(app)
        await pilot.press("c", "c")
        assert "smallest" not in caption(app) and "0 of 24 turns" in caption(app)


async def test_its_own_keys_are_in_its_help_and_the_candidate_in_the_palette() -> None:
    app = make_demo(FIRST)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("question_mark")
        said = str(app.screen.query_one(Fitted).content)
        assert "backspace  the tour goes back" in said and said.count("enter ") == 1
        await pilot.press("escape")
        await app.run_action("detail")
        assert len(app.screen_stack) == 2 and app.tour.at == 0


async def test_a_frame_that_comes_at_the_end_draws_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    app = make_demo(FIRST)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await app.query_one(Caption).remove()
        with monkeypatch.context() as ending:
            ending.setattr(DemoApp, "is_running", False)
            app.draw()


async def test_every_other_key_does_what_it_does_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    app = make_demo(FIRST)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await press_every_key(pilot)


def test_a_caption_is_cut_between_sentences() -> None:
    assert fitted(["One two three.", "Four five."], 30, 2) == ["One two three. Four five."]
    assert fitted(["One two three.", "Four five six seven."], 16, 2) == ["One two three."]
    assert fitted(["One two three four."], 10, 1) == ["One two…"]
    assert fitted([], 10, 3) == [] == fitted(["One."], 10, 0)


# -- a recording ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recorded(tmp_path_factory.mktemp("sessions") / "stage", ALL, MODELS)


def replayed(folder: Path, step_s: float | None = None) -> DemoReplay:
    opened = Session(folder)
    found = stretches(opened)
    replay = Replay(opened)
    replay.paused = True  # time goes on by jumps alone
    app = DemoReplay(replay, found, tour=Tour([stretch.condition for stretch in found], 2, 95.0, step_s))
    app._cost = NoCost()
    app.clock_s = lambda: 0.0
    app.answers.hurried = True
    return app


def test_stretches_are_the_conditions_in_their_order(kept: Path) -> None:
    found = stretches(Session(kept))
    assert [stretch.condition for stretch in found] == CONDITIONS
    assert all(stretch.slices == 90 for stretch in found)
    assert all(before.end_ns <= after.begin_ns for before, after in pairwise(found))


def under(condition: str, from_s: float, to_s: float) -> wire.Slice:
    return slice_frame(
        1, MODELS[0], condition, [1_000_000], start_ns=round(from_s * 1e9), end_ns=round(to_s * 1e9)
    )  # fmt: skip


@pytest.mark.parametrize(
    ("went", "told"),
    [
        # It ends idle, as a tour does.
        ([(0, 20), (1, 20), (2, 20), (0, 40)], [(0, 0), (1, 20), (2, 40)]),
        # Somebody went back a step, and stayed for long.
        ([(0, 20), (1, 20), (2, 20), (1, 30), (4, 20), (0, 9)], [(0, 0), (1, 20), (2, 40), (4, 90)]),
        # Somebody tried the slider before, and by itself it went round again.
        ([(0, 1), (1, 2), (0, 20), (1, 20), (2, 20), (0, 60), (1, 20), (2, 21)], [(0, 3), (1, 23), (2, 43)]),
        ([(1, 20), (0, 20)], [(1, 0), (0, 20)]),
    ],
)
def test_the_stretches_of_a_recorded_tour_tell_its_story(
    went: list[tuple[int, int]], told: list[tuple[int, int]]
) -> None:
    frames, now_s = [], 0
    for threads, seconds in went:
        frames.append(under(f"{threads}xcpu@100%", now_s, now_s + seconds))
        now_s += seconds
    whole = SimpleNamespace(base_ns=0, frames=lambda to_s: frames)
    found = stretches(whole)  # type: ignore[arg-type]
    assert [(one.condition.stress_threads, one.begin_ns // 10**9) for one in found] == told


def test_a_recording_of_nobody_is_refused(kept: Path, tmp_path: Path) -> None:
    shutil.copytree(kept, folder := tmp_path / "kept")
    about = json.loads((folder / ABOUT).read_text())
    (folder / ABOUT).write_text(json.dumps(about | {"candidates": []}))
    with pytest.raises(UsageError, match="no candidate that this version knows"):
        replay_of(Session(folder))


async def test_a_recording_stands_in_and_is_marked(kept: Path) -> None:
    app = replayed(kept)
    found = stretches(Session(kept))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert "RECORDING" in caption(app)
        app.replay.jump(found[0].end_ns)
        app.draw()
        assert "enter goes on" in caption(app) and app.replay.paused
        await pilot.press("enter")
        assert not app.replay.paused and app.replay.at_ns >= found[1].begin_ns
        assert "2/6" in caption(app)
        app.replay.jump(found[2].begin_ns + 500_000_000)  # too far, as a fast one may
        app.draw()
        assert app.replay.paused and app.board.condition == found[1].condition
        await pilot.press("backspace")
        assert app.replay.at_ns <= found[0].end_ns
        await pilot.press("right")
        assert "REPLAY" in str(app.headline())


async def test_a_recorded_tour_by_itself_goes_round_where_nothing_is_played_any_more(kept: Path) -> None:
    app, now_s = replayed(kept, step_s=5.0), 0.0
    app.clock_s = lambda: now_s
    async with app.run_test(size=(120, 40)) as pilot, asyncio.timeout(60):
        await pilot.pause()
        for stretch in [*stretches(Session(kept)), None, None]:
            if stretch is not None:
                app.replay.jump(stretch.end_ns)
            at = app.tour.at
            app.draw()
            app.draw()
            assert "goes on" in caption(app) and "space" not in app.banner()[0]
            now_s += 5.0
            while app.tour.at == at:  # no frame comes, no key is struck
                await pilot.pause()
        assert app.tour.at == 0 and not app.replay.paused and app.replay.at_ns < stretches(Session(kept))[0].end_ns


async def test_a_recording_is_played_not_measured(kept: Path) -> None:
    app = replayed(kept)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        app.draw()
        assert "playing" in caption(app) and "measuring" not in caption(app)


def test_a_played_tour_knows_the_cores_before_anything_is_played(kept: Path) -> None:
    conditions = [stretch.condition for stretch in stretches(Session(kept))]
    assert _tour_of(Session(kept).about.get("device"), conditions, 95.0, None).cores == scripted_link.CORES
    replay = replay_of(Session(kept))
    assert not replay.board.device
    replay.close()
    assert _tour_of(None, conditions, 95.0, None).cores == 1


def test_the_title_stays_where_what_goes_on_is_shorter() -> None:
    state = "measuring, about 93 s more; then it goes on (enter: at once)"
    told = Told("3/6 · 2 stress threads on 2 cores", state)
    assert "(enter" in told.lines(120, 2)[0].text
    narrow = told.lines(80, 2)[0].text
    assert "on 2 cores" in narrow and narrow.endswith("then it goes on ")


# -- looks ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES, ids=IDS)
@pytest.mark.parametrize("scene", ["idle", "stressed", "ranking", "large"])
def test_looks(snap_compare: Any, scene: str, size: tuple[int, int]) -> None:
    steps, keys = {"idle": (0, ()), "stressed": (2, ()), "ranking": (4, ()), "large": (2, ("g",))}[scene]
    assert snap_compare(make_demo(FIRST), terminal_size=size, run_before=walked(steps, *keys))


@pytest.mark.parametrize("size", SIZES, ids=IDS)
def test_looks_of_a_recording(
    snap_compare: Any, kept: Path, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay_module, "PIECE_S", 1000.0)  # sentences said on the way would stay for a while

    async def run(pilot: Pilot[Any]) -> None:
        app = pilot.app
        assert isinstance(app, DemoReplay)
        app.replay.jump(stretches(Session(kept))[0].end_ns)
        while (due_ns := app.replay._due_ns()) is not None and due_ns <= app.replay._clock():
            await pilot.pause()  # what lies on the way is taken in pieces
        app.draw()
        await pilot.pause()

    assert snap_compare(replayed(kept), terminal_size=size, run_before=run)


# -- the command ------------------------------------------------------------------------------------------


def test_what_cannot_be_told_is_refused_in_a_sentence(tmp_path: Path) -> None:
    only_idle = recorded(tmp_path / "idle", session(MODELS, TEXTS[:1], 3))
    for arguments, why in [
        (("--session", str(only_idle)), "no story to tell"),
        (("squeezenet1_1", "--session", str(only_idle)), "leave the models"),
        (("no_such_model",), "no_such_model"),
        ((), "needs a terminal"),
    ]:
        ended = run_cli("demo", *arguments)
        assert (ended.returncode, ended.stdout) == (2, "")
        assert why in ended.stderr and "Traceback" not in ended.stderr


def test_a_real_one_goes_round_by_itself(live: Callable[..., Live], small_model: str, tmp_path: Path) -> None:
    """In turns shorter than a reader would want: a step lasts for two dozen of each candidate's."""
    (tmp_path / "sitecustomize.py").write_text("from latvar_tui import cli_demo\ncli_demo.SLICE_MS = 20.0\n")
    folder = tmp_path / "recorded"
    rivals = [f"{small_model}@threads=1,as={name}" for name in "AB"]
    auto = ["--auto", "--step", "1s", "--quantile", "50", "--record", str(folder)]
    program = live("demo", *rivals, *auto, PYTHONPATH=f"{tmp_path}{os.pathsep}{ROOT}")
    for step in "124":
        program.wait_for(lambda text, step=step: re.search(rf"{step}/\d · ", text))
    program.type(b"q")
    assert program.finish() == 0
    assert LEAVES_ALTERNATE_SCREEN in program.written
    visited = [str(stretch.condition) for stretch in stretches(Session(folder))]
    assert visited[:2] == ["0xcpu@100%", "1xcpu@100%"] and len(visited) >= 3
    assert parse_condition(visited[2]).stress_threads > 1
