"""The live screen as a user meets it: the real program, a real terminal, real models; and how it ends."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pyte
import pytest

from tests.conftest import LONGEST_S, is_gone, wait_until_gone
from tests.on_pty import COLUMNS, ROWS, OnPty
from tests.session_files import recorded, some_frames

LEAVES_ALTERNATE_SCREEN = b"\x1b[?1049l"
SHOWS_CURSOR = b"\x1b[?25h"
MOUSE_OFF = b"\x1b[?1000l"


class Live(OnPty):
    """``latvar-tui`` on a terminal that can be read."""

    def __init__(self, *arguments: str, **environment: str) -> None:
        self.screen = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self.screen)
        self._rows = [""] * ROWS
        self.written = bytearray()
        super().__init__("-m", "latvar_tui", *arguments, env=environment)

    def feed(self) -> bool:
        """Take what has been written; False when the program has ended."""
        data = self.read(LONGEST_S)
        self.written += data
        text = data
        for sequence in (b"\x1b[>25u", b"\x1b[<u"):  # pyte takes the keyboard protocol for text
            text = text.replace(sequence, b"")
        self._stream.feed(text)
        return bool(data)

    @property
    def text(self) -> str:
        """As ``screen.display`` has it, which works out every row each time: here only those that have changed."""
        for y in self.screen.dirty:
            row = self.screen.buffer[y]
            self._rows[y] = "".join([row[x].data for x in range(COLUMNS)])
        self.screen.dirty.clear()
        return "\n".join(self._rows)

    def wait_for(self, seen: Callable[[str], object]) -> str:
        """The screen's text once it is as wished."""
        limit = time.monotonic() + LONGEST_S
        while time.monotonic() < limit:
            text = self.text
            if seen(text):
                return text
            assert self.feed(), f"the program ended:\n{text}"
        raise AssertionError(f"not seen on\n{self.text}")

    def drain(self) -> None:
        """Take what is there, without waiting for more."""
        while select.select([self.controller], [], [], 0)[0] and self.feed():
            pass

    def finish(self) -> int:
        """Read to the end; the exit status."""
        while self.feed():
            pass
        return self.wait(LONGEST_S)

    def family(self) -> dict[int, str]:
        """Every process below it, by pid, as ``top`` names it."""
        found = {}
        for child in psutil.Process(self.pid).children(recursive=True):
            found[child.pid] = Path(f"/proc/{child.pid}/comm").read_text().strip()
        return found


def measured(text: str) -> list[int]:
    """The observation counts in the upper table's rows."""
    table = text.partition(" now: ")[2].split("beside:")[0]
    return [int(n.replace(" ", "")) for n in re.findall(r"[■] \S+ +((?:\d{1,3} )*\d{1,3})  +~?\d", table)]


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Callable[..., Live]]:
    """Start the program; whatever happens, nothing of it stays."""
    started: list[tuple[Live, set[int]]] = []

    def start(*arguments: str, **environment: str) -> Live:
        program = Live(*arguments, TMPDIR=str(tmp_path), **environment)
        program.__enter__()
        started.append((program, set()))
        return program

    yield start
    for program, _ in started:
        if program.poll() is None:
            program.kill()
        program.__exit__(None, None, None)


Start = Callable[..., Live]


def cpu_s(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


def test_numbers_count_up_and_the_slider_stresses(live: Start) -> None:
    program = live()
    text = program.wait_for(lambda text: "now: idle" in text and len(measured(text)) == 3)
    before = measured(text)
    program.wait_for(lambda text: all(n > m for n, m in zip(measured(text), before, strict=True)))
    (stressor,) = (pid for pid, name in program.family().items() if name == "latvar-stress")
    assert sorted(program.family().values()) == ["latvar-probe", *["latvar-runner"] * 3, "latvar-stress"]

    program.type(b"\x1b[C\x1b[C")
    program.wait_for(lambda text: "now: 2xcpu@100%" in text and "2 stress threads" in text)
    burnt = cpu_s(stressor)
    program.wait_for(lambda text: cpu_s(stressor) > burnt + 0.3)
    program.wait_for(lambda text: "beside: idle" in text and len(measured(text)) == 3)

    program.type(b"\x1b[D\x1b[D")
    program.wait_for(lambda text: "now: idle" in text)
    family = set(program.family())
    program.type(b"q")
    assert program.finish() == 0
    assert all(is_gone(pid) for pid in family)
    # The numbers stay behind, on the terminal's own screen.
    left = bytes(program.written).rpartition(LEAVES_ALTERNATE_SCREEN)[2].decode()
    assert "0xcpu@100%" in left and "2xcpu@100%" in left and "squeezenet1_1" in left


@pytest.mark.parametrize(
    ("ending", "status"),
    [(b"q", 0), (b"\x03", 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)],
    ids=["q", "ctrl-c", "SIGTERM", "SIGHUP"],
)
def test_every_ending_restores_the_terminal_and_leaves_no_process(
    live: Start, small_model: str, ending: bytes | signal.Signals, status: int
) -> None:
    program = live("live", small_model, "--stress", "1")
    program.wait_for(lambda text: "now: 1xcpu@100%" in text and measured(text))
    family = set(program.family())
    assert len(family) == 3
    if isinstance(ending, bytes):
        program.type(ending)
    else:
        program.send_signal(ending)
    assert program.finish() == status
    wait_until_gone(family)
    for sequence in (LEAVES_ALTERNATE_SCREEN, SHOWS_CURSOR, MOUSE_OFF):
        assert sequence in program.written


def test_kill_nine_leaves_no_process(live: Start, small_model: str) -> None:
    program = live("live", small_model, f"{small_model}@as=B", "--stress", "2")
    program.wait_for(lambda text: len(measured(text)) == 2)
    family = set(program.family())
    assert len(family) == 4
    program.kill()
    wait_until_gone(family)


def test_a_closed_terminal_ends_everything(small_model: str, tmp_path: Path) -> None:
    """The connection drops: the kernel hangs up the terminal's session."""
    import pty
    import sys

    pid, controller = pty.fork()
    if pid == 0:
        os.environ |= {"TERM": "xterm-256color", "TMPDIR": str(tmp_path)}
        os.execv(sys.executable, [sys.executable, "-m", "latvar_tui", "live", small_model, "--stress", "1"])
    written = b""
    while b"1xcpu@100%" not in written:
        written += os.read(controller, 65536)
    family = {child.pid for child in psutil.Process(pid).children(recursive=True)}
    assert len(family) == 3
    os.close(controller)
    os.waitpid(pid, 0)
    wait_until_gone(family)


def test_ctrl_z_holds_the_measurement_and_fg_resumes_it(live: Start, small_model: str) -> None:
    program = live("live", small_model, "--stress", "1")
    program.wait_for(lambda text: "now: 1xcpu@100%" in text and measured(text))
    workers = [pid for pid, name in program.family().items() if name != "latvar-probe"]
    program.type(b"\x1a")
    limit = time.monotonic() + LONGEST_S
    while psutil.Process(program.pid).status() != psutil.STATUS_STOPPED:
        assert time.monotonic() < limit
        program.drain()
        time.sleep(0.005)
    while any(psutil.Process(pid).status() != psutil.STATUS_STOPPED for pid in workers):
        assert time.monotonic() < limit
        time.sleep(0.005)
    spent = [cpu_s(pid) for pid in workers]
    # What is held for no time is not told of; and a busy probe waits half a second for the screen before that.
    until_s = time.monotonic() + 1.0
    while time.monotonic() < until_s:
        assert [cpu_s(pid) for pid in workers] == spent
        time.sleep(0.01)
    program.send_signal(signal.SIGCONT)
    program.wait_for(lambda text: "held for" in text)
    program.type(b"q")
    assert program.finish() == 0


def test_a_dead_probe_is_said_and_can_be_started_again(live: Start, small_model: str) -> None:
    program = live("live", small_model)
    text = program.wait_for(measured)
    (probe,) = (pid for pid, name in program.family().items() if name == "latvar-probe")
    os.kill(probe, signal.SIGKILL)
    text = program.wait_for(lambda text: "ended by SIGKILL" in text and "enter starts it again" in text)
    kept = measured(text)
    assert kept[0] > 0
    program.type(b"\r")
    program.wait_for(lambda text: measured(text)[0] > kept[0])
    program.type(b"q")
    assert program.finish() == 0


def test_an_unusable_model_ends_the_screen_with_a_sentence(live: Start, tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    path.write_text("this is no model")
    program = live("live", str(path))
    assert program.finish() == 2
    left = bytes(program.written).rpartition(LEAVES_ALTERNATE_SCREEN)[2].decode()
    assert "no ONNX model but a text file" in left and "Traceback" not in left


def test_a_terminal_that_cannot_draw_is_refused(tmp_path: Path) -> None:
    with OnPty("-m", "latvar_tui", env={"TERM": "dumb", "TMPDIR": str(tmp_path)}) as program:
        written = b""
        while data := program.read():
            written += data
    assert program.returncode == 2
    assert b"record" in written and b"Traceback" not in written


def test_a_recording_is_played_on_the_same_screen(live: Start, tmp_path: Path) -> None:
    folder = recorded(tmp_path / "kept", some_frames())
    program = live("show", str(folder), "--live")
    program.wait_for(lambda text: "REPLAY kept" in text and "squeezenet1_1" in text)
    program.type(b"fff")
    program.wait_for(lambda text: "The recording has ended" in text)
    program.type(b",")
    program.wait_for(lambda text: "1×, playing" in text)
    assert program.family() == {}
    program.type(b"q")
    assert program.finish() == 0
    assert LEAVES_ALTERNATE_SCREEN in program.written


def test_a_screen_that_would_be_drawn_into_a_file_is_refused(small_model: str, tmp_path: Path) -> None:
    controller, terminal = os.openpty()
    errors = tmp_path / "errors"
    with errors.open("wb") as file:
        ended = subprocess.run(
            [sys.executable, "-m", "latvar_tui", "live", small_model],
            stdin=terminal, stdout=terminal, stderr=file, check=False, env=os.environ | {"TERM": "xterm-256color"},
        )  # fmt: skip
    os.close(terminal)
    os.close(controller)
    assert ended.returncode == 2
    assert errors.read_text().startswith("latvar-tui: The live screen is drawn on stderr, and that goes elsewhere")
