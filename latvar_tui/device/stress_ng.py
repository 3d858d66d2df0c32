"""stress-ng in the place of our own threads, where it is installed: its stressors as kinds, ``stress-ng:matrix``.

Its processes are children of the stressor and in its group, so that they are frozen, thawed and ended with it.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

PREFIX = "stress-ng:"
OFFERED = ("cpu", "matrix", "memcpy", "cache", "stream", "switch")
"""The ones that the slider's key goes through; any other can be named."""

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

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, stressor: str, workers: int) -> None:
        """Run so many workers, in place of whatever ran before; return when they are at work.

        Raises:
            OSError: it cannot be started, or has ended at once.
        """
        self.stop()
        command = ["stress-ng", f"--{stressor}", str(workers), "--quiet"]
        root = str(Path(__file__).parent.parent.parent)
        self._process = subprocess.Popen(
            [sys.executable, "-c", _WRAPPER, str(os.getpid()), root, *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        limit_s = time.monotonic() + _START_S
        while len(children_of(self._process.pid)) < workers:
            if self._process.poll() is not None or time.monotonic() > limit_s:
                self.stop()
                raise OSError(f"stress-ng --{stressor} does not start here")
            time.sleep(0.005)  # nothing tells when its workers are there

    def stop(self) -> None:
        """End it and its workers."""
        if self._process is None:
            return
        process, self._process = self._process, None
        workers = children_of(process.pid)
        process.terminate()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            for pid in workers:
                with suppress(OSError):
                    os.kill(pid, 9)
            process.kill()
            process.wait()


def children_of(pid: int) -> list[int]:
    """A process's children, where /proc tells; those of its main thread, from which stress-ng forks."""
    with suppress(OSError, ValueError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []
