"""A small file of the kernel's that is read again and again: opened once, since opening costs most."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


class Polled:
    """One open file under ``/proc`` or ``/sys``."""

    def __init__(self, path: Path) -> None:
        """Raises: OSError: it is not there, or must not be read."""
        self.path = path
        self._fd = -1
        self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def text(self, most_bytes: int = 4096) -> str:
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
