"""Nobody outlives the user, and one device has one probe: with real processes and real signals."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from latvar_tui.device.lifeline import OneProbe, die_with, lock_path, name_process
from tests.conftest import is_gone, wait_until_gone

HOLD = """
import os, signal, sys, time
from pathlib import Path
from latvar_tui.device.lifeline import OneProbe

place = OneProbe(Path(sys.argv[1]))
assert place.take() is None
child = os.fork()
if child == 0:
    if sys.argv[2] == "forget":
        place.forget()
        place.forget()  # nothing left to close
    print("child", os.getpid(), flush=True)
    signal.pause()
    os._exit(0)
signal.pause()
"""

FAMILY = """
import os, signal, sys
from latvar_tui.device.lifeline import die_with

parent = os.getpid()
child = os.fork()
if child == 0:
    # Else the kernel's hang-up of a stopped orphan's process group would end it in any case.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    if sys.argv[1] == "die":
        die_with(parent)
    os.kill(os.getpid(), signal.SIGSTOP)
    while True:
        signal.pause()
os.waitpid(child, os.WUNTRACED)  # until it has stopped
print(child, flush=True)
signal.pause()
"""

Begin = Callable[..., tuple["subprocess.Popen[str]", int]]


@pytest.fixture
def begin() -> Iterator[Begin]:
    """Run a program that prints a pid last in its first line: ``begin(program, argument, ...)``."""
    programs: list[subprocess.Popen[str]] = []
    strangers: list[int] = []

    def run(program: str, *arguments: object) -> tuple[subprocess.Popen[str], int]:
        command = [sys.executable, "-c", program, *map(str, arguments)]
        programs.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        stdout = programs[-1].stdout
        assert stdout is not None
        strangers.append(int(stdout.readline().split()[-1]))
        return programs[-1], strangers[-1]

    yield run
    for pid in strangers:
        # Each was forked by a program of ours, and its pid is still its own unless it is gone.
        if not is_gone(pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    for process in programs:
        with process:
            process.kill()


# -- one device, one probe --------------------------------------------------------------------------


def test_a_second_process_is_told_who_measures(begin: Begin, tmp_path: Path) -> None:
    path = tmp_path / "lock"
    holder, _ = begin(HOLD, path, "forget")
    taken = OneProbe(path).take()
    assert taken is not None
    assert f"process {holder.pid}" in taken
    assert "--force" in taken and "\n" not in taken
    assert path.read_text() == f"{holder.pid}\n"  # whoever is refused leaves the holder's name


def test_the_place_is_free_when_its_holder_was_killed(begin: Begin, tmp_path: Path) -> None:
    """kill -9, while a child that it forked after taking the place, as every runner is, lives on."""
    path = tmp_path / "lock"
    holder, child = begin(HOLD, path, "forget")
    holder.kill()
    holder.wait()
    place = OneProbe(path)
    assert place.take() is None
    assert not is_gone(child)
    assert path.read_text() == f"{os.getpid()}\n"
    place.forget()


def test_a_child_that_does_not_forget_would_keep_the_place(begin: Begin, tmp_path: Path) -> None:
    """Why runners must: the lock belongs to the open file, and a fork shares it."""
    path = tmp_path / "lock"
    holder, child = begin(HOLD, path, "remember")
    holder.kill()
    holder.wait()
    assert OneProbe(path).take() is not None
    os.kill(child, signal.SIGKILL)
    wait_until_gone({child})
    place = OneProbe(path)
    assert place.take() is None
    place.forget()


def test_a_shorter_pid_leaves_no_digits_of_a_longer_one(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.write_text("4194304 and more\n")
    place = OneProbe(path)
    assert place.take() is None
    assert path.read_text() == f"{os.getpid()}\n"
    place.forget()


def test_a_folder_in_which_no_file_can_be_made_guards_nothing_and_holds_nobody_up(tmp_path: Path) -> None:
    a_file = tmp_path / "file"
    a_file.touch()
    for path in (tmp_path / "missing" / "lock", a_file / "lock", tmp_path):
        one, other = OneProbe(path), OneProbe(path)
        assert one.take() is None
        assert other.take() is None
        one.forget()
        other.forget()


def test_a_link_in_the_locks_place_is_not_followed(tmp_path: Path) -> None:
    """The folder is shared: another user's link must not make us overwrite a file of ours."""
    treasure = tmp_path / "treasure"
    treasure.write_text("mine")
    (tmp_path / "lock").symlink_to(treasure)
    assert OneProbe(tmp_path / "lock").take() is None
    assert treasure.read_text() == "mine"


def test_each_user_has_a_lock_in_the_folder_for_temporary_files(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert lock_path().parent == tmp_path
    assert str(os.getuid()) in lock_path().name
    monkeypatch.setattr(os, "getuid", lambda: 4711)
    assert "4711" in lock_path().name


# -- children die with their parent -----------------------------------------------------------------


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "prctl"), reason="this platform has no parent-death signal")
def test_a_stopped_child_dies_with_its_parent(begin: Begin) -> None:
    parent, child = begin(FAMILY, "die")
    assert not is_gone(child)
    parent.kill()
    parent.wait()
    wait_until_gone({child})


def test_whoever_did_not_ask_for_it_lives_on(begin: Begin) -> None:
    """The test above can tell: the same child without `die_with` is there when its parent is not."""
    parent, child = begin(FAMILY, "live")
    parent.kill()
    parent.wait()
    assert not is_gone(child)


def test_a_parent_that_is_gone_already_is_noticed() -> None:
    program = "import os\nfrom latvar_tui.device.lifeline import die_with\ndie_with(os.getpid())\nprint('still here')"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_without_such_a_signal_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """macOS has no prctl, and some sandboxes no C library to ask."""

    def refuse(_: object) -> object:
        raise OSError("no C library")

    for library in (refuse, lambda _: object()):
        monkeypatch.setattr(ctypes, "CDLL", library)
        die_with(os.getppid())
        name_process("latvar-test")
