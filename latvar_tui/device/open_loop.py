"""Open loop: inferences are due on a schedule, and one that is late makes the next ones wait.

A slice serves a schedule of its own, which begins with an empty queue. What is due within the slice is served to the
last, however long that takes (within :data:`PATIENCE`): leaving out who still waits at the end would be the omission
that an open loop is there to avoid.
"""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from latvar_tui.condition import Arrivals
from latvar_tui.device.tape import CAPACITY, Tape

PATIENCE = 4
"""A slice ends after so many times its length (or its schedule's, if that is longer), whoever still waits."""

LONGEST_SLEEP_S = 0.05
"""A slice that must end (a key was struck) is not slept through."""

_SET_TIMERSLACK = 29  # of prctl


def schedule_ns(arrivals: Arrivals, slice_ns: int, random: np.random.Generator) -> npt.NDArray[np.int64]:
    """When inferences are due, ns after the slice's beginning, ascending; at least one, at most ``CAPACITY``.

    Evenly spaced, the first is due one period after the beginning, so that each has an idle stretch before it as in
    the field; ``poisson`` ones have exponential gaps. A slice too short for one lasts until the first.
    """
    period_ns = arrivals.period_ns
    if arrivals.poisson:
        likely = int(slice_ns / period_ns + 8 * (slice_ns / period_ns) ** 0.5 + 8)
        due = np.cumsum(random.exponential(period_ns, min(likely, CAPACITY))).astype(np.float64)
    else:
        count = min(max(1, int(slice_ns / period_ns + 1e-9)), CAPACITY)
        due = np.arange(1, count + 1, dtype=np.float64) * period_ns
    within = max(1, int(np.searchsorted(due, slice_ns, side="right")))
    return np.rint(due[:within]).astype(np.int64)


def sleep_exactly() -> None:
    """Ask the kernel not to round this thread's sleeps up by its usual 50 µs; elsewhere they stay as they are."""
    if hasattr(os, "sched_getaffinity"):
        try:
            ctypes.CDLL(None).prctl(_SET_TIMERSLACK, 1, 0, 0, 0)
        except (OSError, AttributeError):
            return


def serve_schedule(
    infer: Callable[[], object],
    tape: Tape,
    due_ns: npt.NDArray[np.int64],
    slice_ns: int,
    delay_fd: int | None,
    now: Callable[[], int] = time.perf_counter_ns,
    sleep: Callable[[float], object] = time.sleep,
) -> tuple[int, int, int]:
    """Serve what is due, one after the other, first come first served; times go to the tape.

    ``tape.arrivals`` has when each was due, also those that were given up; ``tape.delays`` the waits from when each was
    due to its end, added up: for the core to wake up on, and those within the inference.

    Returns:
        How many were served; how many were due when it ended and had not been; the delay before the first (-1: none
        is counted).
    """
    flag = tape.flag
    starts, durations = tape.starts.data, tape.durations.data
    pread = os.pread
    raw_delays: list[bytes] = []
    keep_delay = raw_delays.append
    begin = now()
    due = (due_ns + begin).tolist()
    give_up_at = begin + PATIENCE * max(slice_ns, due[-1] - begin)
    n = 0
    if delay_fd is not None:
        keep_delay(pread(delay_fd, 64, 0))
    for arrival in due:
        while (left := arrival - now()) > 0 and not flag[0]:
            sleep(min(left / 1e9, LONGEST_SLEEP_S))
        if flag[0] or (n and now() >= give_up_at):
            break
        if delay_fd is not None:
            keep_delay(pread(delay_fd, 64, 0))
        start = now()
        infer()
        end = now()
        if delay_fd is not None:
            keep_delay(pread(delay_fd, 64, 0))
        starts[n] = start
        durations[n] = end - start
        n += 1
    left_over = int(np.searchsorted(np.array(due[n:], np.int64), now(), side="right"))
    tape.arrivals[: n + left_over] = due[: n + left_over]
    if delay_fd is None:
        return n, left_over, -1
    if n:
        waits = np.diff(np.array(b" ".join(raw_delays).split()[1::3], np.int64))[: 2 * n].reshape(n, 2)
        # It may have been woken in vain before: what it waited for until then is nobody's.
        before = np.minimum(waits[:, 0], tape.starts[:n] - tape.arrivals[:n])
        tape.delays[:n] = np.cumsum(before + waits[:, 1])
    return n, left_over, 0
