"""The drawing layer on a real pseudo-terminal, with Textual's own driver."""

from __future__ import annotations

import os
import signal

import pyte

from tests.on_pty import COLUMNS, ROOT, ROWS, OnPty, run_on_pty
from tests.terminal import differences

APP = str(ROOT / "tests" / "scripted_app.py")


class Terminal:
    """An emulated terminal fed by a program."""

    def __init__(self) -> None:
        self.screen = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self.screen)

    def feed(self, data: bytes) -> None:
        # pyte takes the keyboard protocol's sequences for text
        for sequence in (b"\x1b[>25u", b"\x1b[<u"):
            data = data.replace(sequence, b"")
        self._stream.feed(data)

    def wait_for(self, text: str, program: OnPty) -> None:
        while text not in self.screen.display[0]:
            data = program.read()
            assert data, f"the program ended before it showed {text!r}"
            self.feed(data)


def test_the_last_screen_is_the_same() -> None:
    written, screens = [], []
    for options in ([], ["--plain"]):
        output = run_on_pty(APP, "--frames", "12", "--slices", "3", *options)
        terminal = Terminal()
        terminal.feed(output)
        assert "frame 12" in terminal.screen.display[0]
        written.append(len(output))
        screens.append(terminal.screen)

    assert differences(*screens) == []
    assert written[0] < written[1] / 2


def test_the_screen_comes_back_after_ctrl_z() -> None:
    with OnPty(APP, "--frames", "0") as program:
        before, after = Terminal(), Terminal()
        before.wait_for("frame 1", program)
        program.type(b"n")
        before.wait_for("frame 2", program)

        program.send_signal(signal.SIGTSTP)
        _, status = os.waitpid(program.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        program.send_signal(signal.SIGCONT)
        after.wait_for("frame 2", program)
        program.type(b"n")
        after.wait_for("frame 3", program)
        program.type(b"q")
        while data := program.read():
            after.feed(data)

    assert [row for row in after.screen.display if "model7" in row]
    assert program.returncode == 0
