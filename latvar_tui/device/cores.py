"""How many cores this process may use, which is what threads and stress are counted against."""

from __future__ import annotations

import os


def usable_cores() -> int:
    """Cores in this process's affinity mask where the platform has one, else all; at least 1.

    ``os.cpu_count`` alone ignores ``taskset`` and cpusets.
    """
    if hasattr(os, "sched_getaffinity"):
        try:
            return max(1, len(os.sched_getaffinity(0)))
        except OSError:
            pass  # Some sandboxes refuse the call; the count below is the best that is left.
    return os.cpu_count() or 1
