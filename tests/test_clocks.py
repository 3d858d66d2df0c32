"""The measuring side reads no CPU-time clock: since Linux 6.6 each such read moves preemptions."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import latvar_tui.device

DEVICE = Path(latvar_tui.device.__file__).parent
BURNS = {"stress.py", "cpu.py", "fp.py", "mem.py", "burn.py"}
"""The stressor's: in a process of its own, whose preemptions nobody measures."""

MEASURING = sorted(path for path in DEVICE.rglob("*.py") if path.name not in BURNS)

NAMES = {
    "thread_time", "thread_time_ns", "process_time", "process_time_ns", "getrusage", "times",
    "CLOCK_THREAD_CPUTIME_ID", "CLOCK_PROCESS_CPUTIME_ID", "pthread_getcpuclockid", "RUSAGE_SELF", "RUSAGE_THREAD",
    "Process", "cpu_times_percent",
}  # fmt: skip
FILES = ("/proc/self/stat", "/proc/self/task", "/proc/thread-self/stat")


def cpu_clocks(source: str) -> list[str]:
    """What in a program reads, or could name, a CPU-time clock of its own process."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute | ast.Name | ast.alias):
            name = (
                node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else node.name
            )
            if name.rpartition(".")[2] in NAMES and not (isinstance(node, ast.Name) and name == "times"):
                found.append(name)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in FILES:
            found.append(node.value)
    return found


@pytest.mark.parametrize(
    "source",
    [
        "import time\ntime.thread_time_ns()",
        "from time import process_time as clock",
        "import os\nos.times()",
        "import resource\nresource.getrusage(0)",
        "import time\ntime.clock_gettime(time.CLOCK_THREAD_CPUTIME_ID)",
        "import psutil\npsutil.Process().cpu_times()",
        "open('/proc/self/stat')",
    ],
)
def test_the_check_finds_them(source: str) -> None:
    assert cpu_clocks(source)


def test_the_stressor_is_why_the_check_has_exceptions() -> None:
    assert cpu_clocks((DEVICE / "stress.py").read_text())


@pytest.mark.parametrize("path", MEASURING, ids=lambda path: str(path.relative_to(DEVICE)))
def test_no_cpu_clock_beside_a_measurement(path: Path) -> None:
    assert cpu_clocks(path.read_text()) == []
