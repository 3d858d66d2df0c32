"""One candidate's process: it loads, warms up, and runs slices. The only loop that times anything."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import re
import struct
import threading
import time
from collections.abc import Callable, Container
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from latvar_tui.candidate import Candidate, UsageError
from latvar_tui.condition import IDLE, Arrivals, Condition
from latvar_tui.device.cores import settle_down
from latvar_tui.device.open_loop import schedule_ns, serve_schedule, sleep_exactly
from latvar_tui.device.tape import CAPACITY, Tape

ORDER = struct.Struct("<qd?")
"""An order: the slice's length, ns; arrivals a second (0: closed loop); whether they are random. Its end: leave."""

ANSWER = struct.Struct("<qqqqqq")
"""The answer: inferences, settling inferences, settling ns, delay counter before the first (-1: no
counter), how many were due and not served (open loop), when the slice ended (perf_counter ns)."""

FAILED = -1
"""In place of the number of inferences: the model failed; the next field is the length of its last words."""

SETTLING_NS = 10_000_000
SETTLING_INFERENCES = 5
SETTLING_NOT_NEEDED_NS = 50_000_000
"""A candidate slower than this has no measurable settling (the 1st inference after a thaw of a 1 ms
model takes 1.15–1.4× its median, the 5th 1.03×)."""

WARM_UP_NS = 150_000_000
WARM_UP_INFERENCES = 20
LEAST_WARM_UP_INFERENCES = 3
"""However slow the model: the cold one, and two that tell what comes after it."""


class DelayCounter:
    """The calling thread's run-queue delay: time runnable but not running, in ns.

    An open ``schedstat`` read with ``pread`` costs 1 µs. Never a CPU-time clock instead: reading one
    moves the preemption *between* the inferences, and the tail disappears.
    """

    def __init__(self) -> None:
        self._fd: int | None = None
        self.unavailable: str | None = None
        try:
            fd = os.open(f"/proc/self/task/{threading.get_native_id()}/schedstat", os.O_RDONLY)
        except OSError as error:
            self.unavailable = f"this platform shows no run-queue delay ({error.strerror})"
            return
        if os.pread(fd, 64, 0).split()[:2] == [b"0", b"0"]:
            os.close(fd)
            self.unavailable = "this kernel does not count run-queue delay"
            return
        self._fd = fd

    @property
    def fd(self) -> int | None:
        return self._fd


def run_candidate(
    candidate: Candidate, tape: Tape, orders: BinaryIO, answers: BinaryIO, place: Condition = IDLE
) -> None:
    """The runner's whole life: load, warm up, say so (one JSON line), then a slice per order.

    ``place`` says on which cores, and how nice.
    """
    gc.disable()
    try:
        settle_down(place.pin, place.nice)
    except OSError as error:
        _say(answers, state="refused", reason=f"This device does not let it run under {place.title} ({error}).")
        return
    from latvar_tui.device.session import failure
    from latvar_tui.device.workload import load

    inputs: list[str] = []
    mapped_before = _mapped_files()
    try:
        workload = load(candidate)
        inputs = workload.inputs
        cold_ns = warm_up(workload.infer, workload.keep_places)
    except UsageError as error:
        _say(answers, state="refused", reason=str(error))
        return
    except Exception as error:
        _say(answers, state="failed", reason=f"it fails on its first inference: {failure(error, inputs)}")
        return
    infer, nominal_ns = workload.infer, workload.nominal_ns
    cold_ns = [max(0, duration - nominal_ns) for duration in cold_ns]
    median_ns = int(np.median(cold_ns[1:]))
    counter = DelayCounter()
    _say(
        answers,
        state="ready",
        unavailable=counter.unavailable,
        memory_mb=_memory_mb(mapped_before),
        load_ms=workload.load_ms,
        cold_ms=[duration / 1e6 for duration in cold_ns],
        warm_ms=median_ns / 1e6,
        inputs=workload.inputs,
        notes=workload.notes,
        identity=workload.identity,
    )
    sleep_exactly()
    random = np.random.default_rng()
    while order := orders.read(ORDER.size):
        slice_ns, rate_hz, poisson = ORDER.unpack(order)
        settle = SETTLING_INFERENCES if median_ns < SETTLING_NOT_NEEDED_NS else 0
        due_ns = schedule_ns(Arrivals(rate_hz, poisson), slice_ns, random) if rate_hz else None
        try:
            inferences, *rest = run_slice(infer, tape, slice_ns, settle, counter.fd, due_ns=due_ns)
        except Exception as error:
            last_words = failure(error).encode()
            answers.write(ANSWER.pack(FAILED, len(last_words), 0, 0, 0, 0) + last_words)
            return
        if inferences:
            tape.take_off(nominal_ns, inferences)
            median_ns = int(np.median(tape.durations[:inferences]))
        answers.write(ANSWER.pack(inferences, *rest))


def warm_up(infer: Callable[[], object], after_first: Callable[[], object] = lambda: None) -> list[int]:
    """Run until arenas are filled and code paths chosen; return every inference's time, ns, the cold one first."""
    now = time.perf_counter_ns
    begin = now()
    durations: list[int] = []
    while len(durations) < LEAST_WARM_UP_INFERENCES or (
        len(durations) < WARM_UP_INFERENCES and now() - begin < WARM_UP_NS
    ):
        start = now()
        infer()
        durations.append(now() - start)
        if len(durations) == 1:
            after_first()
    return durations


def run_slice(
    infer: Callable[[], object],
    tape: Tape,
    slice_ns: int,
    settle: int,
    delay_fd: int | None,
    now: Callable[[], int] = time.perf_counter_ns,
    due_ns: npt.NDArray[np.int64] | None = None,
) -> tuple[int, int, int, int, int, int]:
    """Run unrecorded settling inferences, then record until ``slice_ns`` have passed or the flag is up.

    At least one inference is recorded, however slow. The one that is running when the time is up is
    finished and recorded: leaving it out would favour short ones. With a schedule (``due_ns``, open loop) it is
    the schedule that is served instead.

    Returns:
        The fields of :data:`ANSWER`.
    """
    flag = tape.flag
    starts, durations = tape.starts.data, tape.durations.data
    pread = os.pread
    raw_delays: list[bytes] = []
    keep_delay = raw_delays.append

    entered = before = now()
    settled = 0
    # Also when the flag is up: the one inference that is then recorded is to be a settled one.
    while settled < settle:
        infer()
        settled += 1
        before = now()
        if before - entered >= SETTLING_NS:
            break
    settling_ns = before - entered

    if due_ns is not None:
        n, left_over, delay_before = serve_schedule(infer, tape, due_ns, slice_ns, delay_fd, now)
        return n, settled, settling_ns, delay_before, left_over, now()

    n = 0
    if delay_fd is not None:
        keep_delay(pread(delay_fd, 64, 0))
    end_at = now() + slice_ns
    while True:
        start = now()
        infer()
        end = now()
        if delay_fd is not None:
            keep_delay(pread(delay_fd, 64, 0))
        starts[n] = start
        durations[n] = end - start
        n += 1
        if end >= end_at or flag[0] or n == CAPACITY:
            break

    delay_before = -1
    if delay_fd is not None:
        # Fields of schedstat: time on the CPU, time waiting for it, slices.
        delays = np.array(b" ".join(raw_delays).split()[1::3], np.int64)
        delay_before = int(delays[0])
        tape.delays[:n] = delays[1:]
    return n, settled, settling_ns, delay_before, 0, now()


def _say(answers: BinaryIO, **message: object) -> None:
    answers.write(json.dumps(message).encode() + b"\n")


_LIBRARY = re.compile(r"\.so(\.[0-9.]+)?$")


def _memory_mb(mapped_before: Container[str]) -> float | None:
    """Memory that this process alone takes, in MB, where /proc tells.

    What it has written itself, and the pages of the model's files that it has mapped: these are shared with nobody but
    another runner of the same model, which would need them as well without this one. Libraries and what was there
    before the model (``mapped_before``) are shared with the probe.
    """
    with contextlib.suppress(OSError, ValueError, IndexError):
        own_kb = 0
        counted: tuple[str, ...] = ()
        for line in Path("/proc/self/smaps").read_text().splitlines():
            name, *rest = line.split(maxsplit=5)
            if not name.endswith(":"):  # a mapping begins: addresses, access, offset, device, inode, file
                file = rest[4] if len(rest) == 5 else ""
                model = file.startswith("/") and not _LIBRARY.search(file) and file not in mapped_before
                counted = ("Private_Dirty:", "Private_Clean:", "Shared_Clean:") if model else ("Private_Dirty:",)
            elif name in counted:
                own_kb += int(rest[0])
        return round(own_kb * 1024 / 1e6, 1)
    return None


def _mapped_files() -> frozenset[str]:
    with contextlib.suppress(OSError):
        lines = Path("/proc/self/maps").read_text().splitlines()
        return frozenset(line.split(maxsplit=5)[5] for line in lines if len(line.split(maxsplit=5)) == 6)
    return frozenset()
