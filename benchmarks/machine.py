"""The machine in words, and whether anything else works on it."""

from __future__ import annotations

import os
import platform
import time

import psutil

from latvar_tui import __version__
from latvar_tui.device.cores import usable_cores
from latvar_tui.device.facts import device_facts

LOOK_S = 1.0
BUSY_PCT = 5.0
"""Of one core: what a quiet machine's services stay below."""


def machine() -> str:
    """The machine and the versions that matter, for the head of a table."""
    facts = device_facts()
    return (
        f"latvar-tui {__version__}, {usable_cores()} cores of {facts.get('cpu') or platform.machine()}, "
        f"{platform.system()} {platform.release().split('-')[0]}, Python {platform.python_version()}, "
        f"onnxruntime {facts['onnxruntime']}"
    )


def busy_with() -> str:
    """What else has used the CPU in the second that this takes, in words; nothing if the machine is quiet."""
    mine = os.getpid()
    before = _cpu_s()
    began_s = time.monotonic()
    whole = psutil.cpu_times()
    time.sleep(LOOK_S)
    took_s = time.monotonic() - began_s
    used = {
        name: 100 * (now_s - before.get((pid, name), now_s)) / took_s
        for (pid, name), now_s in _cpu_s().items()
        if pid != mine
    }
    found = [f"{name} {pct:.0f} % of a core" for name, pct in sorted(used.items(), key=lambda item: -item[1])[:3]
             if pct >= BUSY_PCT]  # fmt: skip
    after = psutil.cpu_times()
    steal_pct = 100 * (getattr(after, "steal", 0.0) - getattr(whole, "steal", 0.0)) / took_s
    if steal_pct >= BUSY_PCT:
        found.append(f"the host took {steal_pct:.0f} % of a core")
    return ", ".join(found)


def _cpu_s() -> dict[tuple[int, str], float]:
    """CPU seconds of every process that can be seen."""
    found = {}
    for process in psutil.process_iter(["pid", "name", "cpu_times"]):
        times = process.info["cpu_times"]
        if times is not None:
            found[process.info["pid"], process.info["name"]] = times.user + times.system
    return found
