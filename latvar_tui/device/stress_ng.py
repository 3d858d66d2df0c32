"""stress-ng in the place of our own threads, where it is installed: its stressors as kinds, ``stress-ng:matrix``.

Its processes are children of the stressor and in its group, so that they are frozen, thawed and ended with it.
"""

from __future__ import annotations

import functools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from latvar_tui.device.polled import read_whole

PREFIX = "stress-ng:"
OFFERED = ("cpu", "matrix", "memcpy", "cache")
"""The ones that the slider's key goes through; any other can be named. These end within a moment of being told to."""

_START_S = 5.0
_STOP_S = 1.0
_WRAPPER = (
    # The kernel ends it with the stressor; which has no moment of its own between fork and exec to ask for that.
    "import os, sys; sys.path.insert(0, sys.argv[2]); from latvar_tui.device.lifeline import die_with; "
    "die_with(int(sys.argv[1])); os.execvp(sys.argv[3], sys.argv[3:])"
)


@functools.cache
def known() -> frozenset[str]:
    """The stressors of the installed stress-ng; none where it is not installed."""
    program = shutil.which("stress-ng")
    if program is None:
        return frozenset()
    try:
        listed = subprocess.run([program, "--stressors"], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return frozenset()
    return frozenset(listed.stdout.split())


class StressNg:
    """At most one stress-ng at a time."""

    def __init__(self, on_lost: Callable[[], object], now_s: Callable[[], float] = time.monotonic) -> None:
        """``on_lost`` is called (from a thread) when one ends that nobody stopped; ``now_s`` stands still if frozen."""
        self._on_lost, self._now_s = on_lost, now_s
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, stressor: str, workers: int) -> None:
        """Run so many workers, in place of whatever ran before; return when they are at work.

        Raises:
            OSError: it cannot be started, or has ended at once.
        """
        self.stop()
        command = ["stress-ng", f"--{stressor}", str(workers), "--timeout", "0", "--quiet"]
        root = str(Path(__file__).parent.parent.parent)
        process = self._process = subprocess.Popen(
            [sys.executable, "-c", _WRAPPER, str(os.getpid()), root, *command],
            cwd=tempfile.gettempdir(),  # some stressors leave a folder behind
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        limit_s = self._now_s() + _START_S
        while len(children_of(process.pid)) < workers:
            if process.poll() is not None or self._now_s() > limit_s:
                self.stop()
                raise OSError(f"stress-ng --{stressor} does not start here: choose another kind")
            time.sleep(0.005)  # nothing tells when its workers are there
        threading.Thread(target=self._watch, args=(process,), daemon=True).start()

    def _watch(self, process: subprocess.Popen[bytes]) -> None:
        process.wait()
        if process is self._process:
            self._on_lost()

    def stop(self) -> None:
        """End it and its workers; return when none of them runs any more."""
        if self._process is None:
            return
        process, self._process = self._process, None
        family = family_of(process.pid)
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_S)
        for pid in family:
            if runs(pid):
                with suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
        process.wait()
        while any(map(runs, family)):
            time.sleep(0.001)  # no children of ours: nothing tells when they are gone


def runs(pid: int) -> bool:
    """Whether there is such a process that has not ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except (OSError, IndexError):
        return False


def family_of(pid: int) -> list[int]:
    """The process, its children, and theirs, where /proc tells."""
    return [pid, *(below for child in children_of(pid) for below in family_of(child))]


def children_of(pid: int) -> list[int]:
    """A process's children, where /proc tells; those of its main thread, from which stress-ng forks."""
    with suppress(OSError, ValueError):
        return [int(child) for child in read_whole(f"/proc/{pid}/task/{pid}/children").split()]
    return []
