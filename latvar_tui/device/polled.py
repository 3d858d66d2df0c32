"""Small files of the kernel's, read in every gap with as little work as can be: caches are cold then, and Python's file
objects and paths cost several times what the system calls do.

One that is read again and again stays open, since opening costs most; one of a process that comes and goes does not.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

MOST_BYTES = 4096
"""What one read of a file of the kernel's returns at most, whatever is asked for; a process's record has some 2 kB."""


def read_once(path: str) -> bytes:
    """What a small file says now. Raises: OSError: it is not there, or cannot be read."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(fd, MOST_BYTES)
    finally:
        os.close(fd)


def read_whole(path: str) -> bytes:
    """What a file of any length says, piece by piece. Raises: OSError: it is not there, or cannot be read."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return b"".join(iter(lambda: os.read(fd, MOST_BYTES), b""))
    finally:
        os.close(fd)


class Polled:
    """One open file under ``/proc`` or ``/sys``."""

    def __init__(self, path: Path) -> None:
        """Raises: OSError: it is not there, or must not be read."""
        self.path = path
        self._fd = -1
        self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def text(self, most_bytes: int = MOST_BYTES) -> str:
        """What it says now, stripped.

        Raises:
            OSError: it has gone, or cannot be read.
        """
        return os.pread(self._fd, most_bytes, 0).decode(errors="replace").strip()

    def number(self) -> int:
        """The whole number that it holds.

        Raises:
            OSError, ValueError: it has gone; it is no number.
        """
        return int(self.text())

    def __del__(self) -> None:
        if self._fd >= 0:
            with suppress(OSError):
                os.close(self._fd)
