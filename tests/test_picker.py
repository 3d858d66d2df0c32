"""Choosing models on the screen: by keyboard and by mouse, at three sizes, without losing anybody's counts."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from latvar_tui import wire
from latvar_tui.shelf import Choice
from latvar_tui.tui.app import LiveApp
from latvar_tui.tui.dialogs import TextDialog
from latvar_tui.tui.picker import Picker
from latvar_tui.tui.picker_list import PickerList
from latvar_tui.tui.picker_settings import PickerSettings
from tests import graphs, scripted_link
from tests.conftest import conv_model
from tests.test_screen import FIRST_SLICES, IDLE, IDS, MODELS, SIZES, make_app, sent, settled

Changes = wire.Add | wire.Remove | wire.Only


def changes(app: LiveApp) -> list[Changes]:
    return [command for command in sent(app).sent if isinstance(command, Changes)]


def names(app: LiveApp) -> list[str]:
    return [contender.name for contender in app.board.contenders]


def typed(app: LiveApp) -> str:
    return app.screen.query_one(Input).value


def said(app: LiveApp) -> str:
    return " ".join(strip.text for strip in app.screen.query_one("#picker-message").lines)  # type: ignore[attr-defined]


def counted(app: LiveApp) -> int:
    return sum(cell.service.total for _, _, cell in app.board.cells())


async def opened(pilot: Pilot[Any], *keys: str) -> LiveApp:
    app = pilot.app
    assert isinstance(app, LiveApp)
    await settled(pilot)
    await pilot.press("m")
    await pilot.pause()
    assert isinstance(app.screen, Picker)
    await pilot.press(*keys)
    await pilot.pause()
    return app


def row_of(app: LiveApp, model: str) -> int:
    """The line of the list in which a model stands that can be added."""
    listed = app.screen.query_one(PickerList)
    wanted = next(at for at, row in enumerate(listed._rows) if isinstance(row, Choice) and row.model == model)
    return listed._rows_of_line.index(wanted)


@pytest.mark.parametrize("size", SIZES, ids=IDS)
async def test_a_model_joins_by_keyboard(size: tuple[int, int]) -> None:
    app = make_app(IDLE)
    async with app.run_test(size=size) as pilot:
        await opened(pilot, *"resnet18", "enter", "escape")
        await pilot.pause()
        assert names(app) == [*MODELS, "resnet18"]
        assert changes(app) == [wire.Add("resnet18@threads=2,spin=on")]
        before = counted(app)
        assert before > 0
        state = replace(scripted_link.state_frame("resnet18", "loading"), ask=7)
        sent(app).deliver(state)
        while wire.Drawn(7) not in sent(app).sent:  # the probe waits with loading until it is drawn
            await pilot.pause()
        sent(app).deliver(scripted_link.state_frame("resnet18", "ready"))
        while app.board.contenders[-1].state != "ready":
            await pilot.pause()
        assert counted(app) == before


@pytest.mark.parametrize("size", SIZES, ids=IDS)
async def test_a_model_joins_and_leaves_by_mouse(size: tuple[int, int]) -> None:
    app = make_app(IDLE)
    async with app.run_test(size=size) as pilot:
        await opened(pilot)
        line = row_of(app, "mobilenet_v3_small")
        await pilot.click(PickerList, offset=(4, line))
        await pilot.pause()
        assert names(app) == [*MODELS]  # the first click selects
        await pilot.click(PickerList, offset=(4, line))
        await pilot.pause()
        assert names(app) == [*MODELS, "mobilenet_v3_small"]
        line = 1 + names(app).index("mobilenet_v3_small")  # it stands above now, under the title
        for _ in range(2):
            await pilot.click(PickerList, offset=(4, line))
            await pilot.pause()
        assert names(app) == [*MODELS]
        added, removed = changes(app)
        assert (type(added), type(removed)) == (wire.Add, wire.Remove) and added.candidate == removed.candidate


@pytest.mark.parametrize("size", SIZES, ids=IDS)
async def test_settings_are_changed_by_keyboard_and_by_mouse(size: tuple[int, int]) -> None:
    app = make_app(IDLE)
    async with app.run_test(size=size) as pilot:
        await opened(pilot, *"mobilenet_v2", "tab", "right", "space")
        assert typed(app) == "mobilenet_v2@spin=off"
        await pilot.press("down")
        assert typed(app) == "mobilenet_v2@spin=500us"
        await pilot.press("up", "up", "left", "down")
        assert typed(app) == "mobilenet_v2@threads=1"
        chips = app.screen.query_one(PickerSettings)
        setting = next(at for at, (row, _) in enumerate(chips._steps) if row.name == "precision")
        y, columns = chips._places[setting]
        await pilot.click(PickerSettings, offset=(columns.start, y))
        await pilot.pause()
        assert typed(app) == "mobilenet_v2@threads=1,precision=int8"
        await pilot.press("enter")
        await pilot.pause()
        assert changes(app) == [wire.Add("mobilenet_v2@threads=1,spin=on,precision=int8")]
        assert names(app)[-1] == "mobilenet_v2@threads=1,int8"


async def test_what_is_typed_is_what_one_types_on_the_command_line() -> None:
    app = make_app(IDLE)
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(pilot, *"squeeze@spin=off,as=calm", "enter")
        await pilot.pause()
        assert changes(app) == [wire.Add("squeezenet1_1@threads=2,spin=off,as=calm")]
        assert names(app)[-1] == "calm"


async def test_a_setting_that_is_wrong_is_said_and_adds_nothing() -> None:
    app = make_app(IDLE)
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(pilot, *"resnet18@threads=0", "enter")
        await pilot.pause()
        assert "whole number" in said(app)
        assert changes(app) == [] and names(app) == list(MODELS)


@pytest.mark.parametrize("settings", ["@foo", "@int8 threads=1", "@spin"])
async def test_half_a_setting_is_said_and_adds_nothing(settings: str) -> None:
    """Never quietly another candidate than the one that was typed."""
    app = make_app(IDLE)
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(pilot)
        app.screen.query_one(Input).value = f"mobilenet_v2{settings}"
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        assert "is no setting yet" in said(app)
        assert changes(app) == []


async def test_the_settings_of_one_in_the_line_up_make_another_candidate_of_its_model() -> None:
    app = make_app(IDLE)
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(pilot, "pageup", "tab", "right", "space")
        assert typed(app) == f"{MODELS[0]}@spin=off"
        await pilot.press("enter")
        await pilot.pause()
        assert names(app) == [*MODELS, f"{MODELS[0]}@spin=off"]


async def test_enter_struck_twice_takes_out_one(tmp_path: Path) -> None:
    app = make_app(IDLE)
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(pilot, "pageup", "enter")
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        assert len([change for change in changes(app) if isinstance(change, wire.Remove)]) == 1


async def test_a_file_that_cannot_run_is_refused_before_it_joins(tmp_path: Path) -> None:
    (tmp_path / "text.onnx").write_text("no model")
    graphs.bert(tmp_path / "bert.onnx")
    app = make_app(IDLE)
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(pilot)
        for name, says in (("text.onnx", "text file"), ("bert.onnx", "@shape=input_ids:1x128")):
            app.screen.query_one(Input).value = f"{tmp_path}/{name}"
            await pilot.pause()
            await pilot.press("enter")
            await pilot.pause()
            assert says in said(app)
        assert changes(app) == []


async def test_what_is_there_already_or_not_to_be_had_is_said() -> None:
    app = make_app(IDLE)
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(pilot, *"squeeze", "enter")
        await pilot.pause()
        assert "is in the line-up" in said(app)
        app.screen.query_one(Input).value = "resnet18@int8"
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        assert "int8" in said(app)
        app.screen.query_one(Input).value = "xyzzy"
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        assert "Nothing here" in said(app)
        assert changes(app) == []


async def test_a_file_is_found_folder_by_folder(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "mine.onnx").write_bytes(conv_model())
    app = make_app(IDLE)
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(pilot)
        app.screen.query_one(Input).value = f"{tmp_path}/d"
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        assert typed(app) == f"{tmp_path}/deep/"
        await pilot.press("enter")
        await pilot.pause()
        assert changes(app) == [wire.Add(f"{tmp_path}/deep/mine.onnx@threads=2,spin=on")]


async def test_odd_folders_are_no_trouble(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    Path(os.fsdecode(bytes(tmp_path) + b"/b\xff.onnx")).write_bytes(conv_model())
    (tmp_path / "y[red]z[" / "x").mkdir(parents=True)
    (tmp_path / "y[red]z[" / "m.onnx").write_bytes(conv_model())
    app = make_app(IDLE)
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(pilot)
        app.screen.query_one(Input).value = f"{tmp_path}/"
        await pilot.pause()
        assert [row.model for row in app.screen.query_one(PickerList)._rows if isinstance(row, Choice)] == [
            f"{tmp_path}/y[red]z[/"
        ]
        app.screen.query_one(Input).value = f"{tmp_path}/y[red]z[/m.onnx"
        await pilot.pause()
        await pilot.press("enter", "escape", "k", "enter")
        await pilot.pause()
        assert isinstance(app.screen, TextDialog)
        assert "y[red]z[/m.onnx" in "".join(app.screen._lines_at(1000))


async def test_a_model_in_the_runtimes_own_format_may_be_given_a_shape(tmp_path: Path) -> None:
    path = tmp_path / "m.ort"
    path.write_bytes(b"\0\0\0\0ORTM" + bytes(100))
    app = make_app(IDLE)
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(pilot)
        app.screen.query_one(Input).value = f"{path}@shape=x:1x8"
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        assert changes(app) == [wire.Add(f"{path}@threads=2,spin=on,shape=x:1x8")]


async def test_the_last_candidate_stays() -> None:
    app = make_app(FIRST_SLICES[:2], MODELS[:1])
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("m", "pageup", "enter")
        await pilot.pause()
        assert names(app) == [MODELS[0]] and "add another" in said(app)
        await pilot.press(*"resnet18", "enter")
        await pilot.pause()
        app.board.contenders[1].state = "failed"  # one that does not run is no company
        app.screen.query_one(Input).value = ""
        await pilot.pause()
        await pilot.press("pageup", "enter")
        await pilot.pause()
        assert len(names(app)) == 2 and "add another" in said(app)


async def test_one_that_leaves_keeps_its_counts_and_the_others_their_colours() -> None:
    app = make_app(IDLE)
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(pilot, "pageup", "enter")
        await pilot.pause()
        assert names(app) == list(MODELS[1:])
        assert [contender.slot for contender in app.board.contenders] == [1, 2]
        left = counted(app)
        app.screen.query_one(Input).value = MODELS[0]
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        assert names(app) == [*MODELS[1:], MODELS[0]]
        assert [contender.slot for contender in app.board.contenders] == [1, 2, 0]
        assert counted(app) > left


async def test_a_model_chosen_here_that_is_refused_becomes_a_row() -> None:
    app = make_app(IDLE)
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(pilot, *"resnet18", "enter", "escape")
        sent(app).deliver(scripted_link.state_frame("resnet18", "refused", "It is no model."))
        while app.board.contenders[-1].state != "refused":
            await pilot.pause()
        await pilot.pause()
        assert app.is_running
        rows = [strip.text for strip in app.query_one("#table").lines]  # type: ignore[attr-defined]
        assert any("refused: It is no model." in row for row in rows)


async def test_one_alone_and_all_again() -> None:
    app = make_app(IDLE)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("j", "a")
        chosen = app.board.contenders[1]
        assert app.board.only is chosen
        await pilot.press("a")
        assert app.board.only is None
        assert changes(app) == [wire.Only(chosen.id), wire.Only("")]
        await pilot.press("a")
        sent(app).deliver(scripted_link.state_frame(MODELS[1], "failed", "killed"))
        while app.board.only is not None:
            await pilot.pause()
        asked = len(changes(app))
        await pilot.press("a")  # one that does not run cannot run alone
        assert app.board.only is None and len(changes(app)) == asked


async def test_a_started_again_probe_gets_the_present_line_up() -> None:
    app = make_app(FIRST_SLICES, lost="The probe was ended by SIGKILL.")
    asked: list[list[str]] = []
    connect = app._connect
    app._connect = lambda candidates, condition: (
        asked.append([c.model for c in candidates]) or connect(candidates, condition)
    )  # type: ignore[func-returns-value]
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(pilot, *"resnet18", "enter", "escape")
        await pilot.press("enter")
        await pilot.pause()
    assert asked == [[*MODELS, "resnet18"]]
