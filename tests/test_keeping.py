"""What the user keeps from the screen: marks, exports, pictures; and what is said when it cannot be."""

from __future__ import annotations

import errno
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from latvar_tui import wire
from latvar_tui.session import beside
from latvar_tui.session.export import FORMATS as ALL_FORMATS
from latvar_tui.session.export import exported, exported_board
from latvar_tui.session.reader import Session
from latvar_tui.summary import remarks
from latvar_tui.tui.app import LiveApp
from latvar_tui.tui.dialogs import TextDialog
from latvar_tui.tui.status import Banner
from latvar_tui.tui.timeline import TimelineLine
from tests.scripted_link import board_of
from tests.session_files import CANDIDATES, recorded, recorder_of, some_frames
from tests.test_screen import MODELS, UNDER_STRESS, make_app, sent, settled

NAME = "20260301T142233Z-bench-board"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, empty."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def recording_app(folder: Path) -> LiveApp:
    return make_app(UNDER_STRESS, condition="2xcpu@100%", recorder=recorder_of(folder, MODELS))


def banner(pilot: Pilot[Any]) -> str:
    return pilot.app.screen_stack[0].query_one(Banner).lines[0].text


async def shown_paths(pilot: Pilot[Any]) -> list[Path]:
    await pilot.pause()
    dialog = pilot.app.screen
    assert isinstance(dialog, TextDialog)
    return [Path(text) for text in dialog._lines_at(1000)]


# -- marks ------------------------------------------------------------------------------------------------


async def test_a_mark_is_shown_and_kept_in_the_session(tmp_path: Path) -> None:
    app = recording_app(tmp_path / NAME)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        at_ns = app.board.now_ns
        await pilot.press("n", *"door", "space", *"open", "enter")
        await pilot.pause()
        assert ": door open" in banner(pilot) and "Mark at 00:" in banner(pilot)
        app.draw()
        assert "N" in app.query_one(TimelineLine).lines[0].text
        await pilot.press("n", "escape")
        await pilot.press("n", "enter")
        await pilot.pause()
    app.recorder.close("left")
    kept = Session(tmp_path / NAME)
    notes = [frame for frame in kept.frames() if isinstance(frame, wire.Note)]
    assert [note.at_ns for note in notes] == [at_ns, at_ns]
    assert [note.text.partition(": ")[2] for note in notes] == ["door open", ""]
    assert any(text.endswith(": door open") for text in remarks(kept.board()))
    assert "mark" in set().union(*(moment.marks for moment in kept.board().timeline.moments))


async def test_before_anything_is_measured_there_is_nothing_to_keep(here: Path) -> None:
    app = make_app(UNDER_STRESS[:3])
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.press("n")
        assert "nothing to mark" in banner(pilot)
        await pilot.press("e", "enter")
        await pilot.pause()
        assert "nothing to export" in banner(pilot)
    assert list(here.iterdir()) == []


# -- exports ----------------------------------------------------------------------------------------------


FORMATS = [form for form in ALL_FORMATS if form != "parquet"]
"""Those that the screen offers: Parquet wants a library of its own."""


@pytest.mark.parametrize("form", FORMATS)
def test_a_board_is_exported_as_its_session_is(tmp_path: Path, form: str) -> None:
    kept = Session(recorded(tmp_path / "a", some_frames()))
    whole = sorted("".join(exported(kept, form, "cell")).splitlines())
    board = board_of(CANDIDATES, some_frames())
    assert sorted(_lines("".join(exported_board(board, str(kept.folder), form)))) == sorted(_lines("\n".join(whole)))


def _lines(text: str) -> list[str]:
    """In the order of a board or of a session: the comma after a JSON row says no more than that."""
    return [line.rstrip(",") for line in text.splitlines()]


@pytest.mark.parametrize("place", range(len(FORMATS)), ids=FORMATS)
async def test_a_format_is_chosen_and_the_file_lies_beside_the_session(tmp_path: Path, place: int) -> None:
    app = recording_app(tmp_path / NAME)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("e", *["down"] * place, "enter")
        (path,) = await shown_paths(pilot)
        await pilot.press("escape", "e", *["down"] * place, "enter")
        (second,) = await shown_paths(pilot)
    assert path.parent == tmp_path and path.suffix == f".{FORMATS[place]}" and path.name.startswith(f"{NAME}-at-0m")
    assert path.read_text() == "".join(exported_board(app.board, str(tmp_path / NAME), FORMATS[place]))
    assert second != path and second.read_text() == path.read_text()


async def test_without_a_session_it_goes_to_the_current_folder(here: Path) -> None:
    app = make_app(UNDER_STRESS, condition="2xcpu@100%")
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("e", "end", "enter")
        (path,) = await shown_paths(pilot)
    assert path.parent == here
    rows = json.loads(path.read_text())["rows"]
    assert {row["candidate"] for row in rows} == {contender.id for contender in app.board.contenders}


# -- pictures ---------------------------------------------------------------------------------------------


async def test_a_picture_is_saved_as_svg_and_as_text(tmp_path: Path) -> None:
    app = recording_app(tmp_path / NAME)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("s")
        svg, text = await shown_paths(pilot)
        await pilot.press("escape")
        assert len(app.screen_stack) == 1
        table = [strip.text.rstrip() for strip in app.query_one("#table").lines]  # type: ignore[attr-defined]
    assert ElementTree.fromstring(svg.read_text()).tag.endswith("svg")
    lines = text.read_text().split("\n")
    assert len(lines) == 41 and lines[-1] == ""
    assert all(line in lines for line in table)


async def test_a_picture_of_the_large_print_is_of_it_in_both_forms(tmp_path: Path) -> None:
    app = recording_app(tmp_path / NAME)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("g", "s")
        _, text = await shown_paths(pilot)
    lines = text.read_text().split("\n")
    assert len(lines) == 25 and "p99 in ms, 2 stress threads" in "".join(lines) and "█" in "".join(lines)


async def test_the_probe_is_told_that_saving_disturbs() -> None:
    app = make_app(UNDER_STRESS, condition="2xcpu@100%")
    told: list[type] = []
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        sent(app).sent.clear()

        def save() -> list[Path]:
            told.extend(type(command) for command in sent(app).sent)
            return [Path("a")]

        app._save("saved", save)
        await pilot.pause()
        kinds = [type(command) for command in sent(app).sent]
    assert told == [wire.Busy]
    assert kinds[0] is wire.Busy and wire.Quiet in kinds


# -- when it cannot be ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, "the disk is full"), (errno.EROFS, "the disk is read-only"), (errno.EACCES, "may not be written")],
)
async def test_what_cannot_be_written_is_said_and_nothing_stays(
    here: Path, monkeypatch: pytest.MonkeyPatch, number: int, words: str
) -> None:
    def torn(board: object, name: str, form: str) -> Any:
        yield "the beginning"
        raise OSError(number, "no")

    monkeypatch.setattr(beside, "exported_board", torn)
    app = make_app(UNDER_STRESS, condition="2xcpu@100%")
    async with app.run_test(size=(300, 40)) as pilot:  # the path may be long
        await settled(pilot)
        await pilot.press("e", "enter")
        await pilot.pause()
        assert banner(pilot).startswith(" Not saved in '") and words in banner(pilot)
        assert len(app.screen_stack) == 1
    assert list(here.iterdir()) == []


def test_of_two_files_none_stays_when_the_second_fails(here: Path) -> None:
    def torn() -> Iterator[str]:
        yield "the beginning"
        raise OSError(errno.ENOSPC, "no")

    with pytest.raises(beside.SessionError, match="the disk is full"):
        beside._written(here / "a", [("svg", ["whole"]), ("txt", torn())])
    assert list(here.iterdir()) == []


def test_a_name_that_is_no_text_is_written_all_the_same(here: Path) -> None:
    board = board_of(CANDIDATES, some_frames())
    for path in beside.picture_beside(board, None, "<svg/>", "model-\udcff"):
        assert path.read_text() in ("<svg/>", "model-\\udcff")


async def test_a_folder_that_has_vanished_is_said(tmp_path: Path) -> None:
    board = board_of(CANDIDATES, some_frames())
    with pytest.raises(beside.SessionError, match="its folder has vanished"):
        beside.export_beside(board, tmp_path / "gone" / NAME, "csv")


async def test_an_export_has_all_though_the_screen_shows_the_last_seconds(here: Path) -> None:
    app = make_app(UNDER_STRESS)
    async with app.run_test(size=(45, 30)) as pilot:
        await settled(pilot)
        await pilot.press("e")
        assert not app.screen.query(Static)
        await pilot.press("escape", "w", "e")
        assert "not only the 10 s" in str(app.screen.query_one(Static).render())
