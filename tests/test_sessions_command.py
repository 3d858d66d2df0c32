"""``sessions``: what is kept, and what is let go; and the screen, which says where it records."""

from __future__ import annotations

import fcntl
import json
import os
import time
from pathlib import Path

import pytest

from latvar_tui import wire
from latvar_tui.session import kept
from latvar_tui.session.layout import ABOUT, INTERVALS, SessionError
from latvar_tui.session.places import find_session, sessions_folder
from latvar_tui.session.reader import Session
from latvar_tui.tui.status import Header
from tests.conftest import call_cli, run_cli
from tests.session_files import CANDIDATES, recorded, recorder_of, some_frames
from tests.test_screen import make_app, settled

NAMES = ["20200101T000000Z-a", "20210101T000000Z-a", "20220101T000000Z-a"]


@pytest.fixture
def three(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    return [recorded(sessions_folder() / name, some_frames()) for name in NAMES]


def test_the_list_says_what_each_is(three: list[Path]) -> None:
    about = json.loads((three[1] / ABOUT).read_bytes())
    del about["ended"]
    (three[1] / ABOUT).write_text(json.dumps(about))
    (three[2] / ABOUT).write_text("{")
    listed = run_cli("sessions", "--json")
    found = json.loads(listed.stdout)
    assert [one["session"] for one in found] == NAMES
    assert [one["state"] for one in found] == ["ended", "cut off", "unreadable"]
    assert found[0]["candidates"] == Session(three[0]).candidates
    assert found[0]["size_bytes"] == sum(path.stat().st_size for path in three[0].iterdir())
    last = [frame for frame in some_frames() if isinstance(frame, wire.Slice)][-1]
    assert found[0]["length_s"] == pytest.approx((last.end_ns - Session(three[0]).base_ns) / 1e9)
    lines = call_cli("sessions", "list").stdout.splitlines()
    assert len(lines) == 4 and "mobilenet_v2, squeezenet1_1" in lines[1] and "damaged" in lines[3]


def test_one_that_is_being_recorded_is_named_and_kept(three: list[Path]) -> None:
    with open(three[0] / INTERVALS, "rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        found = kept.kept_sessions(sessions_folder())
        assert [one.state for one in found] == ["recording", "ended", "ended"]
        assert kept.to_prune(found, 0, None) == found[1:]


def test_prune_says_what_it_removes_and_removes_it(three: list[Path]) -> None:
    dry = call_cli("sessions", "prune", "--keep", "1", "--dry-run")
    assert dry.stdout.splitlines() == [f"would remove {name}" for name in NAMES[:2]]
    assert all(path.exists() for path in three)
    done = call_cli("sessions", "prune", "--keep", "1")
    assert done.stdout.splitlines() == [f"removed {name}" for name in NAMES[:2]]
    assert [path.exists() for path in three] == [False, False, True]
    assert call_cli("sessions", "prune").returncode == 2
    assert call_cli("sessions", "prune", "--older-than", "30d").stdout == f"removed {NAMES[2]}\n"
    assert call_cli("sessions", "prune", "--older-than", "soon").returncode == 2


def test_age_counts_from_the_end(three: list[Path]) -> None:
    about = json.loads((three[2] / ABOUT).read_bytes())
    about["started"]["wall_ns"] = time.time_ns()
    (three[2] / ABOUT).write_text(json.dumps(about))
    found = kept.kept_sessions(sessions_folder())
    assert kept.to_prune(found, None, 86_400.0) == found[:2]
    assert kept.to_prune(found, 2, 86_400.0) == found[:1]
    assert kept.to_prune(found, None, 1e12) == []


def test_links_and_strangers_are_left_alone(three: list[Path], tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    three[0].rename(elsewhere)
    os.symlink(elsewhere, three[0])
    (sessions_folder() / "notes").mkdir()
    assert [one.name for one in kept.kept_sessions(sessions_folder())] == NAMES[1:]
    assert call_cli("sessions", "prune", "--keep", "0").returncode == 0
    assert elsewhere.exists() and three[0].is_symlink() and (sessions_folder() / "notes").exists()


async def test_the_screen_says_where_it_records_and_r_switches(tmp_path: Path) -> None:
    recorder = recorder_of(tmp_path / "here")
    app = make_app(some_frames(), CANDIDATES, recorder=recorder)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        assert recorder.folder == tmp_path / "here"
        app.draw()
        assert "● rec here" in app.query_one(Header).render_line(0).text
        await pilot.press("r")
        assert "recording off" in app.query_one(Header).render_line(0).text
    recorder.close("left")
    read = [frame for frame in Session(tmp_path / "here").frames() if isinstance(frame, wire.Slice)]
    assert len(read) == sum(isinstance(frame, wire.Slice) for frame in some_frames())


def test_a_folder_of_that_name_that_is_no_session_does_not_hide_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    session = sessions_folder() / "mine"
    session.mkdir(parents=True)
    (session / ABOUT).write_text("{}")
    assert find_session("mine") == session


def begun(folder: Path, wall_ns: int) -> None:
    """Say that a session began then."""
    about = json.loads((folder / ABOUT).read_bytes())
    about["started"]["wall_ns"] = wall_ns
    (folder / ABOUT).write_text(json.dumps(about))


def test_the_last_one_is_the_youngest_whatever_it_is_called(three: list[Path]) -> None:
    named = recorded(sessions_folder() / "before", some_frames())
    for second, folder in enumerate((three[0], named, three[1], three[2])):
        begun(folder, 1_600_000_000_000_000_000 + second * 1_000_000_000)
    assert find_session("last") == three[2]
    assert find_session("last~1") == three[1] and find_session("last~2") == named
    with pytest.raises(SessionError, match="no session 'last~99'"):
        find_session("last~99")
    listed = [one.name for one in kept.kept_sessions(sessions_folder())]
    assert listed == [NAMES[0], "before", NAMES[1], NAMES[2]]
    dry = call_cli("sessions", "prune", "--keep", "2", "--dry-run")
    assert dry.stdout.splitlines() == [f"would remove {NAMES[0]}", "would remove before"]


def test_a_part_that_holds_nothing_is_said_to(three: list[Path]) -> None:
    nothing = call_cli("show", NAMES[0], "--from", "1h")
    assert nothing.returncode == 0 and "No slice began in that part of the session, which is" in nothing.stdout
    assert "No slice began" not in call_cli("show", NAMES[0], "--from", "0.1s").stdout
    for more in ((), ("--live",)):
        turned = call_cli("show", NAMES[0], "--from", "10s", "--to", "5s", *more)
        assert turned.returncode == 2 and "--to lies before --from" in turned.stderr


def test_a_condition_is_found_by_its_title_too_and_idle_is_any_without_stress(three: list[Path]) -> None:
    stressed = "2xcpu@100%,pin=0,2,rate=60"
    for asked, shown in (("idle", ["0xcpu@100%"]), (stressed, [stressed]), ("2xcpu@100%,rate=60,pin=0,2", [stressed])):
        found = json.loads(call_cli("show", NAMES[0], "--condition", asked, "--json").stdout)
        assert sorted({cell["condition"] for cell in found["cells"]}) == shown
    refused = call_cli("show", NAMES[0], "--condition", "9xcpu@100%")
    assert refused.returncode == 2 and "it has idle" in refused.stderr
