"""Nobody outlives the user: children die with their parent, and one device has one probe.

No single guard is enough: the parent-death signal is missing on macOS and tied to the forking
*thread*; end-of-file on stdin fails while a sibling holds the pipe and cannot wake a stopped
process. So the processes here use both, and each runner has its own process group, in which the
kernel itself ends a stopped orphan.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import signal
import tempfile
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15


def die_with(parent_pid: int) -> None:
    """Ask the kernel to kill this process when its parent goes; exit now if it is gone already.

    Works on stopped processes. Does nothing where the platform has no such signal.
    """
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent_pid:
        os._exit(0)


def name_process(name: str) -> None:
    """Show ``name`` (its first 15 bytes) for this process in ``top`` and ``ps``, where that can be done."""
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).prctl(_PR_SET_NAME, name.encode()[:15], 0, 0, 0)


def signal_name(number: int) -> str:
    """SIGKILL, or "signal 40" for one that has no name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def lock_path() -> Path:
    """The file whose lock says that this user is measuring on this device."""
    return Path(tempfile.gettempdir()) / f"latvar-tui-{os.getuid()}.lock"


class OneProbe:
    """The device's measuring place: a file lock, which the kernel gives back however we end."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._fd: int | None = None

    def take(self) -> str | None:
        """Take the place.

        Returns:
            None if it is ours now, else a sentence that says who has it. A folder in which no
            file can be made guards nothing and holds nobody up.
        """
        try:
            self._path = self._path or lock_path()
            fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError:
            return None
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(fd, 32, 0).decode(errors="replace").strip() or "unknown"
            os.close(fd)
            return (
                f"Another latvar-tui is measuring on this device (process {holder}), and two would disturb "
                "each other: end that one, or go on all the same with --force."
            )
        except OSError:
            os.close(fd)  # a file system without locks guards nothing
            return None
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
        self._fd = fd
        return None

    def forget(self) -> None:
        """Close the inherited descriptor in a forked child, so that only the probe holds the lock."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
