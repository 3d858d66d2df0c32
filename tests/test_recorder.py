"""Recording on a disk that is full, read-only, slow or gone, and a recorder that is killed."""

from __future__ import annotations

import errno
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from latvar_tui import wire
from latvar_tui.session import growing
from latvar_tui.session.growing import GrowingFiles
from latvar_tui.session.layout import ABOUT, FRAMES, INTERVALS, SessionError
from latvar_tui.session.places import automatic_name, check_new, find_session, sessions_folder
from latvar_tui.session.reader import Session
from latvar_tui.session.recorder import NotRecording, SessionRecorder
from tests.conftest import LONGEST_S, run_cli
from tests.scripted_link import board_of
from tests.session_files import CANDIDATES, numbers, recorded, recorder_of, slices_of, some_frames


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries and waits for the disk are not put off."""
    monkeypatch.setattr(growing, "RETRY_S", 0.0)
    monkeypatch.setattr(growing, "SYNC_S", 0.0)
    monkeypatch.setattr(growing, "_SYNC_COST", 0.0)


class Disk:
    """Has room for so many bytes, or fails in another way."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, room: int, number: int = errno.ENOSPC) -> None:
        self.room, self._number, self._write = room, number, os.write
        monkeypatch.setattr(growing.os, "write", self.write)

    def write(self, fd: int, data: bytes) -> int:
        if self.room <= 0:
            raise OSError(self._number, os.strerror(self._number))
        taken = self._write(fd, bytes(data[: self.room]))
        self.room -= taken
        return taken


def fed(recorder: SessionRecorder, frames: list[wire.Frame]) -> list[str]:
    said = []
    for frame in frames:
        recorder.take(frame)
        said += recorder.flush_in_gap()
    return said


@pytest.mark.parametrize("room", [0, 1, 500, 2000, 4001])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_what_a_full_disk_does_not_take_is_written_when_it_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: None, room: int, number: int
) -> None:
    frames = some_frames()
    disk = Disk(monkeypatch, room, number)
    recorder = recorder_of(tmp_path / "a")
    said = fed(recorder, frames[:30])
    assert len(said) == 1 and "Not recorded for now" in said[0], said  # once, not every time
    assert recorder.state == "● rec waits"
    disk.room = 1 << 30
    said = fed(recorder, frames[30:])
    assert len(said) == 1 and said[0].startswith("Recorded again"), said
    recorder.close("done")
    opened = Session(tmp_path / "a")
    assert slices_of(opened.frames()) == slices_of(frames)
    assert opened.notes == []


def test_memory_is_bounded_and_what_did_not_fit_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: None
) -> None:
    monkeypatch.setattr(growing, "MOST_PENDING_BYTES", 8000)
    frames = some_frames()
    disk = Disk(monkeypatch, 3000)
    recorder = recorder_of(tmp_path / "a")
    fed(recorder, frames[:-5])
    assert sum(len(file.pending) for file in recorder._files._files.values()) < 8000 + 4000
    disk.room = 1 << 30
    said = fed(recorder, frames[-5:])
    recorder.close("done")
    opened = Session(tmp_path / "a")
    read = slices_of(opened.frames())
    lost = len(slices_of(frames)) - len(read)
    assert lost > 0 and f"{lost} slices are lost" in said[0]
    assert opened.notes == [f"{lost} slices could not be recorded, for want of room."]
    assert set(read) <= set(slices_of(frames)) and read[-1:] == slices_of(frames)[-1:]


def test_a_folder_that_vanishes_is_made_again(tmp_path: Path, at_once: None) -> None:
    frames = some_frames()
    recorder = recorder_of(tmp_path / "a")
    fed(recorder, frames[:20])
    for path in (tmp_path / "a").iterdir():
        path.unlink()
    (tmp_path / "a").rmdir()
    said = fed(recorder, frames[20:])
    recorder.close("done")
    assert len(said) == 2 and "vanished" in said[0] and "Recorded again" in said[1], said
    assert recorder.folder is not None
    read = slices_of(Session(recorder.folder).frames())
    assert read == slices_of(frames)[-len(read) :] and len(read) > 20


def test_where_no_folder_can_be_made_measuring_goes_on(tmp_path: Path, at_once: None) -> None:
    (tmp_path / "file").write_text("")
    recorder = recorder_of(tmp_path / "file" / "a")
    said = fed(recorder, some_frames())
    assert len(said) == 1 and "Not recorded for now" in said[0]
    assert "not recorded" in recorder.close("done")[0] and recorder.folder is None
    (tmp_path / "file").unlink()


def test_a_folder_that_can_be_made_later_gets_everything(tmp_path: Path, at_once: None) -> None:
    frames = some_frames()
    (tmp_path / "file").write_text("")
    recorder = recorder_of(tmp_path / "file" / "a")
    fed(recorder, frames[:30])
    (tmp_path / "file").unlink()
    fed(recorder, frames[30:])
    recorder.close("done")
    assert slices_of(Session(tmp_path / "file" / "a").frames()) == slices_of(frames)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")
def test_a_small_file_system_that_fills_up(tmp_path: Path, at_once: None) -> None:
    tried = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "none", str(tmp_path)], capture_output=True)
    if tried.returncode:
        pytest.skip(f"no tmpfs can be mounted here: {tried.stderr.decode().strip()}")
    try:
        frames = some_frames()
        recorder = recorder_of(tmp_path / "a")
        said = fed(recorder, frames)
        assert len(said) == 1 and "the disk is full" in said[0], said
        subprocess.run(["mount", "-o", "remount,size=4m", str(tmp_path)], check=True)
        recorder.close("done")
        assert slices_of(Session(tmp_path / "a").frames()) == slices_of(frames)
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def test_a_slow_disk_is_asked_less_often_and_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now_s, asked = [0.0], [0]

    def fsync(fd: int) -> None:
        asked[0] += 1
        now_s[0] += 0.1

    monkeypatch.setattr(growing.time, "monotonic", lambda: now_s[0])
    monkeypatch.setattr(growing.os, "fsync", fsync)
    recorder = recorder_of(tmp_path / "a")
    said = []
    for frame in some_frames():
        now_s[0] += 0.25
        said += fed(recorder, [frame])
    assert len(said) == 1 and "ms to confirm a write" in said[0] and len(said[0]) <= 76, said
    assert asked[0] * 0.1 < 0.1 * now_s[0], "it is waited for most of the time"


def test_a_run_that_measures_nothing_leaves_nothing(tmp_path: Path) -> None:
    recorder = recorder_of(tmp_path / "a")
    assert fed(recorder, some_frames()[:5]) == []
    recorder.close("failed")
    assert recorder.folder is None and not (tmp_path / "a").exists()


def test_recording_can_be_switched_off_and_on(tmp_path: Path) -> None:
    frames = some_frames()
    recorder = recorder_of(tmp_path / "a")
    fed(recorder, frames[:20])
    assert "off" in recorder.switch() and recorder.state == "recording off"
    fed(recorder, frames[20:30])
    recorder.switch()
    fed(recorder, frames[30:])
    recorder.close("done")
    assert slices_of(Session(tmp_path / "a").frames()) == slices_of(frames[:20] + frames[30:])
    assert NotRecording().state == "not recorded"


# -- names and folders ----------------------------------------------------------------------------------


def test_names_sort_by_time_and_cannot_leave_their_folder() -> None:
    names = [automatic_name(device, 10**9 * second) for second, device in ((1, "z"), (86_400, "../.."), (10**9, ""))]
    assert names == sorted(names)
    assert not any("/" in name or name.startswith(".") for name in names)
    assert automatic_name("bench board/2", 0) == "19700101T000000Z-bench-board-2"


def test_a_folder_of_ones_own_must_be_new_or_empty(tmp_path: Path) -> None:
    assert check_new(str(tmp_path / "new" / "deep")) == tmp_path / "new" / "deep"
    assert check_new(str(tmp_path)) == tmp_path
    assert not any(tmp_path.iterdir())
    (tmp_path / "something").write_text("")
    with pytest.raises(SessionError, match="not empty"):
        check_new(str(tmp_path))
    with pytest.raises(SessionError, match="is no folder"):
        check_new(str(tmp_path / "something" / "below"))


def test_a_session_is_found_by_name_path_or_as_the_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    with pytest.raises(SessionError, match="Nothing has been recorded"):
        find_session("last")
    kept = sessions_folder()
    for name in ("20200101T000000Z-a", "20210101T000000Z-a"):
        recorded(kept / name, some_frames())
    assert find_session("last") == kept / "20210101T000000Z-a"
    assert find_session("20200101T000000Z-a") == kept / "20200101T000000Z-a"
    assert find_session(str(kept / "20200101T000000Z-a" / ABOUT)) == kept / "20200101T000000Z-a"
    for text in ("../sessions", "nothing", "", "."):
        with pytest.raises(SessionError):
            find_session(text)


# -- for real -------------------------------------------------------------------------------------------


def started(folder: Path, model: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "latvar_tui", "record", model, "--slice", "20", "--duration", "1h", "--force"]
    return subprocess.Popen(
        [*command, "--record", str(folder)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
    )


def until(holds: Callable[[], bool]) -> None:
    limit_s = time.monotonic() + LONGEST_S
    while not holds():
        assert time.monotonic() < limit_s
        time.sleep(0.01)


def recorded_slices(folder: Path) -> int:
    try:
        return sum(1 for frame in Session(folder).frames() if isinstance(frame, wire.Slice))
    except SessionError:
        return 0


@pytest.mark.parametrize("seed", [1, 2])
def test_a_killed_session_opens_with_all_that_was_recorded(tmp_path: Path, small_model: str, seed: int) -> None:
    folder = tmp_path / "a"
    enough = random.Random(seed).randint(1, 40)
    with started(folder, small_model) as process:
        until(lambda: recorded_slices(folder) >= enough)
        process.send_signal(signal.SIGKILL)
        process.wait()
    frames = list(Session(folder).frames())
    own = [frame for frame in frames if isinstance(frame, wire.Slice)]
    # No slice is missing: sequence numbers are without a hole, from the first on.
    assert [frame.seq for frame in own] == list(range(1, len(own) + 1)) and len(own) >= enough
    assert own[-1].service.sum_ns > 0
    shown = run_cli("show", str(folder), "--json")
    assert shown.returncode == 0, shown.stderr
    document = json.loads(shown.stdout)
    assert document["cells"][0]["slices"] == len(own)
    assert document["recorded"]["ended"] is None
    assert document["session"] == str(folder)


def test_record_and_show_say_the_same(tmp_path: Path, small_model: str) -> None:
    folder = tmp_path / "a"
    options = ("--duration", "0.5s", "--slice", "20", "--force", "--deadline", "3")
    ended = run_cli("record", small_model, *options, "--record", str(folder), "--json")
    assert ended.returncode == 0, ended.stderr
    assert f"session: {folder}" in ended.stderr.splitlines()
    own, shown = json.loads(ended.stdout), json.loads(run_cli("show", str(folder), "--json").stdout)
    for name in ("cells", "device", "candidates", "session"):
        assert shown[name] == own[name]
    assert shown["run"]["deadline_ms"] == 3
    again = run_cli("record", small_model, *options, "--record", str(folder))
    assert again.returncode == 2 and "not empty" in again.stderr
    none = run_cli("record", small_model, *options, "--no-record", "--json")
    assert json.loads(none.stdout)["session"] is None and "session:" not in none.stderr


def test_the_board_of_a_recording_is_that_of_the_screen(tmp_path: Path) -> None:
    frames = some_frames()
    recorder = recorder_of(tmp_path / "a")
    fed(recorder, frames)
    assert numbers(recorder._whole.board) == numbers(board_of(CANDIDATES, frames))


def test_files_that_others_write_to_are_left_alone(tmp_path: Path, at_once: None) -> None:
    """What has another length than was written is somebody else's: it is not continued."""
    files = GrowingFiles(lambda: tmp_path)
    files.append(INTERVALS, b"one\n")
    assert files.write()
    (tmp_path / INTERVALS).write_bytes(b"other\n")
    files.trouble = "something"
    files.append(FRAMES, b"x")
    assert not files.write()
    assert (tmp_path / INTERVALS).read_bytes() == b"other\n"


def test_what_could_not_be_written_is_tried_once_more_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(growing, "RETRY_S", 3600.0)
    disk = Disk(monkeypatch, 500)
    recorder = recorder_of(tmp_path / "a")
    assert "Not recorded for now" in fed(recorder, some_frames())[0]
    disk.room = 1 << 30
    assert recorder.close("done")[0].startswith("Recorded again")
    assert slices_of(Session(tmp_path / "a").frames()) == slices_of(some_frames())


def test_what_a_session_is_outlives_a_power_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system may keep the new name of a file and not yet what is in it."""
    synced: dict[str, bytes] = {}
    replace, fsync = os.replace, os.fsync

    def noted(fd: int) -> None:
        path = Path(os.readlink(f"/proc/self/fd/{fd}"))
        synced[str(path)] = path.read_bytes() if path.is_file() else b""
        fsync(fd)

    def replaced(source: Path, target: Path) -> None:
        assert target.name != ABOUT or synced[str(source)] == source.read_bytes()
        replace(source, target)

    monkeypatch.setattr(growing.os, "fsync", noted)
    monkeypatch.setattr(growing.os, "replace", replaced)
    recorded(tmp_path / "a", some_frames())
    assert str(tmp_path / "a") in synced and Session(tmp_path / "a").ended is not None
