"""How many cores this process may use, which is what threads and stress are counted against."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

_CPUS = Path("/sys/devices/system/cpu")


def usable_cores() -> int:
    """Cores in this process's affinity mask where the platform has one, else all; at least 1.

    ``os.cpu_count`` alone ignores ``taskset`` and cpusets.
    """
    usable = _usable_cpus()
    return max(1, len(usable)) if usable is not None else os.cpu_count() or 1


def physical_cores(folder: Path = _CPUS) -> int:
    """The usable cores without their hyper-threads; all usable ones where the system does not tell; at least 1.

    ONNX Runtime's own default number of threads, which two hyper-threads of one core do not serve well.
    ``folder`` is ``/sys/devices/system/cpu``.
    """
    usable = _usable_cpus()
    if usable is None:
        return usable_cores()
    cores: set[str] = set()
    for cpu in usable:
        # Readable on Android too; a virtual machine may show none of it.
        siblings = str(cpu)
        for name in ("core_cpus_list", "thread_siblings_list"):
            with suppress(OSError):
                siblings = (folder / f"cpu{cpu}" / "topology" / name).read_text().strip() or siblings
                break
        cores.add(siblings)
    return max(1, len(cores))


def settle_down(pin: Sequence[int], nice: int) -> None:
    """Bind the calling thread, and the threads that it will start, to cores, and make them as nice.

    Raises:
        OSError: this platform has no such thing, or a core is not there.
    """
    if pin:
        if not hasattr(os, "sched_setaffinity"):
            raise OSError("this platform cannot bind a program to cores")
        os.sched_setaffinity(0, pin)
    if nice:
        os.setpriority(os.PRIO_PROCESS, 0, nice)


def core_list() -> tuple[int, ...]:
    """The numbers of the usable cores, ascending."""
    usable = _usable_cpus()
    return tuple(sorted(usable)) if usable is not None else tuple(range(usable_cores()))


def _usable_cpus() -> set[int] | None:
    if hasattr(os, "sched_getaffinity"):
        # Some sandboxes refuse the call; the count of all is the best that is left.
        with suppress(OSError):
            return os.sched_getaffinity(0)
    return None
