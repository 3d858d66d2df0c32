"""Run a program on a pseudo-terminal of its own."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
COLUMNS, ROWS = 120, 40


def _here() -> dict[str, str]:
    """This process's environment, but for the size of another terminal that it may tell of."""
    return {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}


class OnPty(subprocess.Popen[bytes]):
    """A program (Python, with these arguments) on a terminal, to be used as a context manager."""

    def __init__(
        self,
        *arguments: str,
        env: Mapping[str, str] | None = None,
        size: tuple[int, int] = (COLUMNS, ROWS),
        program: str = sys.executable,
    ) -> None:
        self.controller, terminal = pty.openpty()
        columns, rows = size
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        known = {"PYTHONPATH": str(ROOT), "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        super().__init__(
            [program, *arguments],
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            env={**_here(), **known, **(env or {})},
            cwd=ROOT,
        )
        os.close(terminal)

    def read(self, patience_s: float = 60.0) -> bytes:
        """What the program has written; nothing when it has ended.

        Raises:
            TimeoutError: The program has been silent for so long that it must be stuck.
        """
        waiting = select.poll()  # unlike select it takes any descriptor, of which a test run may hold many
        waiting.register(self.controller, select.POLLIN)
        if not waiting.poll(1000 * patience_s):
            raise TimeoutError(f"nothing written for {patience_s} s")
        try:
            return os.read(self.controller, 65536)
        except OSError:  # Linux's way to say that the other end is closed
            return b""

    def type(self, keys: bytes) -> None:
        """Send keys."""
        os.write(self.controller, keys)

    def __exit__(self, *error: Any) -> None:
        if error[0] is not None:
            self.kill()
        super().__exit__(*error)
        os.close(self.controller)


def run_on_pty(*arguments: str, size: tuple[int, int] = (COLUMNS, ROWS)) -> bytes:
    """Run a Python program to its end.

    Returns:
        All that it wrote to the terminal.
    """
    written = bytearray()
    with OnPty(*arguments, size=size) as program:
        while data := program.read():
            written += data
    if program.returncode:
        raise RuntimeError(f"{arguments} ended with {program.returncode}: {written[-2000:]!r}")
    return bytes(written)
