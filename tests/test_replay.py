"""A session played on the live screen: what the board is at a time, what keys do, and how it looks."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from textual.pilot import Pilot

from latvar_tui import wire
from latvar_tui.session import replay as replay_module
from latvar_tui.session.layout import ABOUT, FRAMES
from latvar_tui.session.reader import Session
from latvar_tui.session.replay import SPEEDS, Replay
from latvar_tui.summary import remarks
from latvar_tui.tui.keys import KEYS
from latvar_tui.tui.replay import ReplayApp
from latvar_tui.tui.scrubber import Scrubber
from latvar_tui.tui.status import Banner, Header
from tests import scripted_link
from tests.conftest import call_cli
from tests.scripted_link import BEGIN_NS, board_of, session
from tests.session_files import CANDIDATES, numbers, recorded
from tests.test_screen import IDS, SIZES, NoCost, plain_terminal, press_every_key

__all__ = ["plain_terminal"]  # a fixture that is used by being here

CONDITIONS = ["0xcpu@100%", "2xcpu@100%", "0xcpu@100%"]
FRAMES_PLAYED = session(CANDIDATES, CONDITIONS, 30)
BRIEF = session(CANDIDATES, CONDITIONS, 12)
"""Some 18 s."""
SLICES = [frame for frame in FRAMES_PLAYED if isinstance(frame, wire.Slice)]
S = 1_000_000_000
NAME = "20260301T142233Z-bench-board"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A session of some 45 s, not to be changed."""
    return recorded(tmp_path_factory.mktemp("sessions") / NAME, FRAMES_PLAYED)


@pytest.fixture(scope="module")
def brief(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One that is soon gone through again and again, not to be changed."""
    return recorded(tmp_path_factory.mktemp("brief") / NAME, BRIEF)


@pytest.fixture
def own(kept: Path, tmp_path: Path) -> Path:
    """One that may be changed."""
    return Path(shutil.copytree(kept, tmp_path / "sessions" / NAME))


def held(folder: Path, **options: Any) -> Replay:
    """A replay that does not play by itself: time goes on by jumps alone."""
    replay = Replay(Session(folder), **options)
    replay.paused = True
    return replay


def at(time_ns: int, frames: Sequence[wire.Frame] = FRAMES_PLAYED) -> Any:
    """What the board is at a time: of everything that had ended by then."""
    return numbers(board_of(CANDIDATES, [f for f in frames if _due(f) <= BEGIN_NS + time_ns]))


def _due(frame: wire.Frame) -> int:
    return frame.end_ns if isinstance(frame, wire.Slice) else 0


async def there(replay: Replay) -> None:
    """Until everything due has been taken, without a screen."""
    while replay.receive():
        pass


# -- the board at a time ----------------------------------------------------------------------------------


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(-5, 25), min_size=1, max_size=5), st.booleans())
def test_after_any_jumps_the_board_is_what_it_was_then(brief: Path, jumps: list[int], often: bool) -> None:
    async def jump() -> None:
        replay = held(brief)
        replay._every_ns = S if often else 1000 * S  # with many checkpoints, and with none
        board = replay.board
        for to_s in jumps:
            replay.jump(to_s * S)
            await there(replay)
            assert replay.board is board
            assert replay.at_ns == max(0, min(to_s * S, replay.length_ns))
            assert numbers(board) == at(replay.at_ns, BRIEF)
        replay.close()

    asyncio.run(jump())


async def test_checkpoints_stay_few(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay_module, "_MOST_CHECKPOINTS", 4)
    replay = held(kept)
    replay._every_ns = S
    replay.jump(replay.length_ns)
    await there(replay)
    assert 2 <= len(replay._checkpoints) <= 4
    replay.jump(20 * S)
    await there(replay)
    assert numbers(replay.board) == at(20 * S)
    replay.close()


async def test_played_to_its_end_it_is_what_show_shows(kept: Path) -> None:
    replay = held(kept)
    replay.jump(replay.length_ns)
    await there(replay)
    assert replay.has_ended
    board = Session(kept).board()
    assert numbers(replay.board) == numbers(board)
    assert remarks(replay.board) == remarks(board)
    replay.close()


async def test_a_part_is_played_from_its_own_beginning(kept: Path) -> None:
    replay = held(kept, from_s=20.0, to_s=30.0)
    assert replay.length_ns == 10 * S
    replay.jump(replay.length_ns)
    await there(replay)
    chosen = [f for f in SLICES if f.start_ns >= BEGIN_NS + 20 * S and f.end_ns <= BEGIN_NS + 30 * S]
    assert sum(cell.slices for _, _, cell in replay.board.cells()) == len(chosen)
    replay.jump(0)
    assert not any(replay.board.cells())
    replay.close()


def test_of_a_session_that_was_cut_off_the_length_is_known(own: Path) -> None:
    about = json.loads((own / ABOUT).read_bytes())
    del about["ended"]
    (own / ABOUT).write_text(json.dumps(about))
    replay = held(own)
    assert replay.length_ns == pytest.approx(SLICES[-1].end_ns - BEGIN_NS, abs=2_000_000)
    replay.close()


async def test_a_damaged_session_is_played_as_far_as_it_goes(own: Path) -> None:
    data = (own / FRAMES).read_bytes()
    (own / FRAMES).write_bytes(data[: len(data) // 2])
    replay = held(own)
    replay.jump(replay.length_ns)
    await there(replay)
    assert replay.has_ended
    assert numbers(replay.board) == numbers(Session(own).board())
    replay.close()


async def test_frames_come_at_the_pace_that_was_chosen(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = [100.0]
    monkeypatch.setattr(replay_module, "time", SimpleNamespace(monotonic=lambda: now_s[0]))
    replay = Replay(Session(kept))
    replay.send(wire.Go(0))
    assert not any(isinstance(frame, wire.Slice) for frame in replay.receive())
    expected_ns = 0
    for speed in SPEEDS[:-1]:
        assert replay.speed == speed
        now_s[0] += 1.0
        expected_ns += round(speed * S)
        while replay.receive():
            pass
        assert replay.at_ns == expected_ns
        assert numbers(replay.board) == at(expected_ns)
        replay.toggle_pause()
        now_s[0] += 5.0
        assert replay.at_ns == expected_ns
        replay.toggle_pause()
        replay.send(wire.Hold())  # ctrl-z
        now_s[0] += 5.0
        replay.send(wire.Resume())
        assert replay.at_ns == expected_ns
        replay.next_speed()
    while not replay.has_ended:
        replay.receive()
    assert numbers(replay.board) == at(replay.length_ns)  # and no time has passed
    replay.close()


# -- the screen -------------------------------------------------------------------------------------------


def app_of(replay: Replay) -> ReplayApp:
    app = ReplayApp(replay)
    app._cost = NoCost()
    app.clock_s = lambda: 0.0  # else a slow machine would see the next note
    return app


async def drawn(pilot: Pilot[Any]) -> None:
    """Until what is due has been taken and drawn."""
    app = pilot.app
    assert isinstance(app, ReplayApp)
    replay = app.replay
    while (due_ns := replay._due_ns()) is not None and due_ns <= replay._begin_ns + replay.at_ns:
        await pilot.pause()
    if replay._peek() is None:
        while "ended" not in text_of(app, Scrubber):
            await pilot.pause()
    await pilot.pause()


def keys(*names: str) -> Callable[[Pilot[Any]], Awaitable[None]]:
    async def run(pilot: Pilot[Any]) -> None:
        await pilot.pause()
        for name in names:
            await pilot.press(name)
            await drawn(pilot)

    return run


SCENES = {
    "held": ["full_stop"],
    "stress": ["full_stop", "full_stop", "f", "f", "4"],
    "ended": ["full_stop"] * 6,
    "export": ["full_stop", "e"],
    "mark": ["full_stop", "n"],
}


@pytest.mark.parametrize("size", SIZES, ids=IDS)
@pytest.mark.parametrize("scene", SCENES)
def test_looks(snap_compare: Any, kept: Path, scene: str, size: tuple[int, int]) -> None:
    assert snap_compare(app_of(held(kept)), terminal_size=size, run_before=keys(*SCENES[scene]))


def text_of(app: ReplayApp, kind: type[Header] | type[Banner] | type[Scrubber]) -> str:
    return app.screen_stack[0].query_one(kind).lines[0].text


async def test_it_says_everywhere_that_it_is_a_recording(kept: Path) -> None:
    app = app_of(held(kept))
    async with app.run_test(size=(120, 40)) as pilot:
        await keys("full_stop")(pilot)
        assert f"REPLAY {NAME}  00:10 / 00:4" in text_of(app, Header)
        assert "1×, held" in text_of(app, Scrubber)
        for key in KEYS:
            if key.action in ("stress(-1)", "stress(1)", "stress_to_key", "next_kind", "load(-10)", "load(10)",
                              "choose_models", "alone", "clear", "record", "mark"):  # fmt: skip
                for name in key.keys.split(","):
                    app.say("")
                    await pilot.press(name)
                    assert "This is a recording: " in text_of(app, Banner), name
        assert numbers(app.board) == at(10 * S)


async def test_no_key_breaks_it_and_it_changes_nothing(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {path.name: path.read_bytes() for path in own.iterdir()}
    app = app_of(held(own))
    async with app.run_test(size=(80, 24)) as pilot:
        await keys("full_stop")(pilot)
        await press_every_key(pilot)
    assert {path.name: path.read_bytes() for path in own.iterdir()} == before


def at_full_speed(kept: Path) -> Replay:
    replay = Replay(Session(kept))
    replay.speed = SPEEDS[-1]
    return replay


async def until_its_end(replay: Replay, pilot: Pilot[Any]) -> None:
    while not replay.has_ended:
        await pilot.pause()


async def test_it_plays_by_itself_to_its_end_and_stays_there(kept: Path) -> None:
    replay = at_full_speed(kept)
    app = app_of(replay)
    async with app.run_test(size=(120, 40)) as pilot:
        await until_its_end(replay, pilot)
        await pilot.pause()
        assert numbers(app.board) == at(replay.length_ns)
        assert "has ended" in text_of(app, Banner)
        await pilot.press("space")
        assert "has ended" in text_of(app, Banner)
        await pilot.press("q")
    assert app.return_value == 0


async def test_a_click_on_the_line_jumps(kept: Path) -> None:
    app = app_of(held(kept))
    async with app.run_test(size=(120, 40)) as pilot:
        await keys("full_stop")(pilot)
        await pilot.click(Scrubber, offset=(2, 0))
        await drawn(pilot)
        assert app.replay.at_ns < S
        await pilot.click(Scrubber, offset=(60, 0))
        await drawn(pilot)
        assert 20 * S < app.replay.at_ns < 30 * S
        assert numbers(app.board) == at(app.replay.at_ns)


async def test_candidates_of_another_probe_do_not_end_the_screen(own: Path) -> None:
    refused = scripted_link.state_frame("resnet18", "refused", "It is no model.")
    frames = [*FRAMES_PLAYED[:30], refused, wire.Failure("The probe has failed."), *FRAMES_PLAYED[30:60]]
    app = app_of(held(recorded(own.with_name("other"), frames)))
    async with app.run_test(size=(120, 40)) as pilot:
        await keys("full_stop", "full_stop", "full_stop", "full_stop", "full_stop")(pilot)
        assert app.is_running
        assert [contender.state for contender in app.board.contenders] == ["ready", "ready", "refused"]


async def test_a_jump_from_the_end_is_seen(kept: Path) -> None:
    replay = at_full_speed(kept)
    app = app_of(replay)
    async with app.run_test(size=(120, 40)) as pilot:
        await until_its_end(replay, pilot)
        await pilot.press("comma")
        assert replay.speed == SPEEDS[0] and not replay.has_ended
        await pilot.press("space")
        await drawn(pilot)
        assert replay.length_ns - 10 * S <= replay.at_ns < replay.length_ns
        assert numbers(app.board) == at(replay.at_ns)


# -- the command ------------------------------------------------------------------------------------------


def test_what_cannot_be_played_is_refused_in_a_sentence(kept: Path) -> None:
    none = call_cli("show", str(kept), "--live")
    assert (none.returncode, none.stdout) == (2, "")
    assert none.stderr.startswith("latvar-tui: The live screen needs a terminal") and "leave --live out" in none.stderr
    both = call_cli("show", str(kept), "--live", "--json")
    assert both.returncode == 2 and both.stderr.count("\n") == 1 and "--json" in both.stderr
