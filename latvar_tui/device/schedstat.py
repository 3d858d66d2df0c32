"""How much CPU time another process's threads have had: for reading it while that process is frozen."""

from __future__ import annotations

import os

from latvar_tui.device.polled import read_once


def add_cpu_ns(process: str, found: dict[int, int]) -> None:
    """Put the CPU time (ns) that each thread of a process has had so far into ``found``, by thread id.

    Another process's counters: reading them moves nobody's preemptions.

    Args:
        process: its folder under ``/proc``.

    Raises:
        OSError, ValueError, IndexError: they are not shown, or one has just ended; those before it are in ``found``.
    """
    tasks = f"{process}/task"
    for name in os.listdir(tasks):
        found[int(name)] = int(read_once(f"{tasks}/{name}/schedstat").split(None, 1)[0])
