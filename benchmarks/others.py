"""The programs that ours is compared with, as they are installed, at their defaults; and ours. On one terminal size."""

from __future__ import annotations

import contextlib
import os
import re
import select
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pyte

from tests.on_pty import COLUMNS, ROWS, OnPty

OURS = "latvar-tui"
OTHERS = ("btop", "htop", "s-tui")
MODEL = "squeezenet1_1"

Chunk = tuple[float, bytes]
"""When it was read (perf_counter seconds), and what."""


class OnTerminal(OnPty):
    """One of these programs, and all that it writes, with times; to be used as a context manager."""

    def __init__(self, name: str, folder: str, *arguments: str) -> None:
        self.chunks: list[Chunk] = []
        # A home of its own: the defaults, not this user's settings.
        env = {"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
        if name == OURS:
            self.began_s = time.perf_counter()
            super().__init__("-m", "latvar_tui", "live", MODEL, *arguments, env=env)
        else:
            env |= {"HOME": folder, "XDG_CONFIG_HOME": folder, "XDG_CACHE_HOME": folder}
            self.began_s = time.perf_counter()
            super().__init__(env=env, program=name)

    def watch(self, seconds: float) -> None:
        """Take what it writes for so long. Its chunks are looked at later: that would disturb it."""
        until_s = time.perf_counter() + seconds
        while (left_s := until_s - time.perf_counter()) > 0:
            if select.select([self.controller], [], [], left_s)[0]:
                try:
                    data = os.read(self.controller, 65536)
                except OSError as error:
                    raise RuntimeError("it has ended by itself") from error
                self.chunks.append((time.perf_counter(), data))

    def leave(self) -> None:
        """End it, in a nice way first."""
        with contextlib.suppress(OSError):
            self.type(b"q")
        limit_s = time.monotonic() + 2
        while self.poll() is None and time.monotonic() < limit_s:
            with contextlib.suppress(RuntimeError):
                self.watch(0.05)
        if self.poll() is None:
            self.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.wait(2)
        if self.poll() is None:
            self.kill()


@contextlib.contextmanager
def running(name: str, *arguments: str) -> Iterator[OnTerminal]:
    """One of them, until the block ends."""
    with tempfile.TemporaryDirectory() as folder, OnTerminal(name, folder, *arguments) as program:
        try:
            yield program
        finally:
            program.leave()


def installed() -> dict[str, str]:
    """Which of the others are there, with their versions."""
    found = {}
    for name in OTHERS:
        if shutil.which(name):
            text = subprocess.run([name, "--version"], capture_output=True, text=True, timeout=20, check=False).stdout
            number = re.search(r"\d+(\.\d+)+", text)
            found[name] = number[0] if number else "of an unknown version"
    return found


def missing(there: dict[str, str]) -> dict[str, str]:
    """Why the rest is not compared."""
    return {name: f"not installed: apt-get install {name}" for name in OTHERS if name not in there}


def screens(chunks: list[Chunk]) -> Iterator[tuple[float, str]]:
    """What stood on the terminal after each chunk."""
    screen = pyte.Screen(COLUMNS, ROWS)
    stream = pyte.ByteStream(screen)
    for at_s, data in chunks:
        # pyte takes the keyboard protocol for text, and stumbles over private modes with a colon or an equals sign.
        stream.feed(re.sub(rb"\x1b\[[<>=][0-9;:]*[a-z]", b"", data))
        yield at_s, "\n".join(screen.display)


def cpu_ms(pid: int) -> float:
    """CPU time that the threads of another process have got so far, ms.

    From ``schedstat``, so to the nanosecond; only of threads that are still there.
    """
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e6
