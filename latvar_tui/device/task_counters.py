"""What the system counted for a runner's threads over a slice: the probe reads it while the runner is frozen.

A fork keeps the calling thread alone, so a runner's main thread is the one that calls ONNX Runtime, and every other
one belongs to a pool of the runtime's (looked up: with ``threads=N`` there are N - 1). Another process's counters are
read, never a CPU-time clock of one's own: reading them moves nobody's preemptions.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from latvar_tui.device.polled import read_once
from latvar_tui.wire import Reading

PerThread = dict[int, int] | str
"""A counter's values by thread id, or in words why there are none."""

NO_POOL = "it has no pool threads"
_CHANGED = "its threads came or went during the slice"

_SCHED_SWITCHES = re.compile(rb"^nr_involuntary_switches\s*:\s*(\d+)", re.MULTILINE)
_SCHED_MIGRATIONS = re.compile(rb"^se\.nr_migrations\s*:\s*(\d+)", re.MULTILINE)
_STATUS_SWITCHES = re.compile(rb"^nonvoluntary_ctxt_switches:\s*(\d+)", re.MULTILINE)


@dataclass(frozen=True)
class TaskCounts:
    """Counters of a process's threads, each since its thread began. ``main`` is the thread that calls the runtime.

    ``cpu_ns`` is how long each has been on a core: of a frozen process, for reading moves nobody's preemptions.
    """

    main: int
    cpu_ns: PerThread
    delays_ns: PerThread
    involuntary_switches: PerThread
    migrations: PerThread


class _Missing(Exception):
    """There is no such counter; the message says why."""


def read_task_counts(pid: int, proc: str = "/proc") -> TaskCounts:
    """Read the counters of all threads of process ``pid``; ``proc`` is where procfs is mounted.

    Two small files a thread, opened anew each time: 4 µs a file here, where a read of an open one takes 1 to 3, and the
    open ones of all runners would have to be closed again in each process that is forked later.
    """
    folder = f"{proc}/{pid}/task"
    try:
        threads = sorted(int(name) for name in os.listdir(folder) if name.isdigit())
    except OSError as error:
        why = f"this platform shows no threads ({error.strerror})"
        return TaskCounts(pid, why, why, why, why)
    cpu_ns: dict[int, int] = {}
    delays: dict[int, int] = {}
    switches: dict[int, int] = {}
    migrations: dict[int, int] = {}
    missing: dict[str, str] = {}
    for thread in threads:
        own = f"{folder}/{thread}"
        try:
            cpu_ns[thread], delays[thread] = _schedstat(own)
        except _Missing as error:
            missing["delays"] = str(error)
        sched = _read(own, "sched")
        try:
            # Both of one file where the kernel has it; `status`, which each has, for want of it.
            switches[thread] = (
                _number(_SCHED_SWITCHES, sched)
                if sched is not None and _SCHED_SWITCHES.search(sched)
                else _number(_STATUS_SWITCHES, _read(own, "status"))
            )
        except _Missing:
            missing["switches"] = _unless_gone(own, "this platform counts no involuntary switches of a thread")
        try:
            migrations[thread] = _number(_SCHED_MIGRATIONS, sched)
        except _Missing:
            missing["migrations"] = _unless_gone(own, "this kernel shows no migrations (it has no /proc/PID/sched)")
    if threads and not sum(cpu_ns.values()) + sum(delays.values()):
        missing.setdefault("delays", "this kernel does not count run-queue delay")
    return TaskCounts(
        pid,
        missing.get("delays", cpu_ns),
        missing.get("delays", delays),
        missing.get("switches", switches),
        missing.get("migrations", migrations),
    )


def task_counters(before: TaskCounts, after: TaskCounts) -> dict[str, Reading]:
    """What was counted between two readings of one process, for a slice's ``counters``.

    ``pool_wait_ns`` is how long the threads of its pools, together, were ready to run and had no core;
    ``involuntary_switches`` how often one of its threads lost its core while it could have gone on, ``migrations`` how
    often one was moved to another core. All of them from thaw to freeze: the settling inferences are in them.
    """
    return {
        "pool_wait_ns": _pool_wait(before, after),
        "involuntary_switches": _sum(before.involuntary_switches, after.involuntary_switches),
        "migrations": _sum(before.migrations, after.migrations),
    }


def cpu_ns_between(before: TaskCounts, after: TaskCounts) -> Reading:
    """CPU time that a process's threads had together between two readings; one that came meanwhile, since it began."""
    if isinstance(before.cpu_ns, str) or isinstance(after.cpu_ns, str):
        return Reading(reason="this platform does not show what the model's own threads get")
    if not before.cpu_ns.keys() <= after.cpu_ns.keys():
        return Reading(reason="a thread of the model's has ended, and what it got is not shown")
    return Reading(float(sum(after.cpu_ns.values()) - sum(before.cpu_ns.values())))


def unavailable(reason: str) -> dict[str, Reading]:
    """The same counters where nothing can be said of a slice, and why."""
    return dict.fromkeys(("pool_wait_ns", "involuntary_switches", "migrations"), Reading(reason=reason))


def _pool_wait(before: TaskCounts, after: TaskCounts) -> Reading:
    sides = []
    for side in (before, after):
        if isinstance(side.delays_ns, str):
            return Reading(reason=side.delays_ns)
        sides.append({thread: delay for thread, delay in side.delays_ns.items() if thread != side.main})
    return _sum(*sides) if sides[0] or sides[1] else Reading(reason=NO_POOL)


def _sum(before: PerThread, after: PerThread) -> Reading:
    for side in (before, after):
        if isinstance(side, str):
            return Reading(reason=side)
    assert isinstance(before, dict) and isinstance(after, dict)
    if before.keys() != after.keys() or not after:
        return Reading(reason=_CHANGED)
    grown = [after[thread] - before[thread] for thread in after]
    if min(grown) < 0:
        return Reading(reason="a counter ran backwards")
    return Reading(float(sum(grown)))


def _schedstat(own: str) -> tuple[int, int]:
    """A thread's time on a core and its run-queue delay, ns."""
    text = _read(own, "schedstat")
    fields = (text or b"").split()
    if len(fields) < 2 or not (fields[0].isdigit() and fields[1].isdigit()):
        raise _Missing(_unless_gone(own, "this platform shows no run-queue delay"))
    return int(fields[0]), int(fields[1])


def _number(pattern: re.Pattern[bytes], text: bytes | None) -> int:
    found = pattern.search(text or b"")
    if found is None:
        raise _Missing
    return int(found[1])


def _unless_gone(own: str, reason: str) -> str:
    """A thread that has just ended has no files either, which is no platform's fault."""
    return reason if os.path.isdir(own) else _CHANGED


def _read(own: str, name: str) -> bytes | None:
    try:
        return read_once(f"{own}/{name}")
    except OSError:
        return None
