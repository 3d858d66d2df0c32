"""The stressor: one process with N busy threads that hold no interpreter lock.

One process, because Android kills apps with many; threads of ``hashlib.sha256`` over about 1 ms of
data, because that releases the lock, needs no library and reacts to the slider within a millisecond.
A new kind of stress is a new function in :data:`KINDS`.
"""

from __future__ import annotations

import _thread
import hashlib
import threading
import time
from collections.abc import Callable
from typing import BinaryIO

from latvar_tui.candidate import Condition, parse_condition

PERIOD_S = 0.02
"""Of the duty cycle: at 10 % load a thread burns 2 ms of CPU, then sleeps for the rest."""

Burn = Callable[[], object]
"""About a millisecond of work, without the interpreter lock."""


def cpu() -> Burn:
    """Integer work: SHA-256 over a buffer sized so that one call takes about 1 ms here."""
    probe_bytes = bytes(1 << 16)  # far above the 2 KiB from which hashlib releases the lock
    begin = time.perf_counter()
    calls = 0
    while time.perf_counter() - begin < 0.01:
        hashlib.sha256(probe_bytes)
        calls += 1
    buffer = bytes(max(1 << 13, len(probe_bytes) * calls // 10))
    return lambda: hashlib.sha256(buffer)


KINDS: dict[str, Callable[[], Burn]] = {"cpu": cpu}


class Stressor:
    """N threads of one kind; the number and the load change while they run."""

    def __init__(self, on_settled: Callable[[Condition], None]) -> None:
        """``on_settled`` is called (from any thread) when the threads asked for are the ones that run."""
        self._on_settled = on_settled
        self._lock = threading.Lock()
        self._condition = Condition()
        self._burns: dict[str, Burn] = {}
        self._running: set[int] = set()
        self._worked: set[int] = set()
        self._told = True

    def apply(self, condition: Condition) -> None:
        """Move to ``condition``; threads too many end within a millisecond, new ones begin at once."""
        if condition.kind not in self._burns and not condition.is_idle:
            self._burns[condition.kind] = KINDS[condition.kind]()
        with self._lock:
            self._condition, self._told = condition, False
            self._worked.clear()
            missing = [i for i in range(condition.stress_threads) if i not in self._running]
            self._running.update(missing)
        for index in missing:
            # Not threading.Thread: its start() waits until the new thread has had a core, which takes
            # a while once there are more threads than cores.
            _thread.start_new_thread(self._work, (index,))
        self._tell_if_settled()

    def _work(self, index: int) -> None:
        seen: Condition | None = None
        while True:
            # Unlocked on purpose: an attribute is read whole, and a lock a millisecond would be contended.
            condition = self._condition
            if index >= condition.stress_threads:
                with self._lock:
                    # Asked for again in the meantime: go on.
                    if index < self._condition.stress_threads:
                        continue
                    self._running.discard(index)
                self._tell_if_settled()
                return
            burn = self._burns[condition.kind]
            if condition.load_pct >= 100:
                burn()
            else:
                _burn_share(burn, condition.load_pct / 100)
            if seen is not condition:
                seen = condition
                with self._lock:
                    if self._condition is condition:
                        self._worked.add(index)
                self._tell_if_settled()

    def _tell_if_settled(self) -> None:
        with self._lock:
            wanted = set(range(self._condition.stress_threads))
            if self._told or self._running != wanted or self._worked != wanted:
                return
            self._told = True
            condition = self._condition
        self._on_settled(condition)


def _burn_share(burn: Burn, share: float) -> None:
    """One period of the duty cycle: ``share`` of it in this thread's CPU time, the rest asleep.

    CPU time, not wall time, so that a thread that had to wait for a core still gets its share.
    (A CPU-time clock is harmless here: nothing is timed in this process.)
    """
    cpu_begin, begin = time.thread_time(), time.perf_counter()
    while time.thread_time() - cpu_begin < share * PERIOD_S:
        burn()
    rest = PERIOD_S - (time.perf_counter() - begin)
    if rest > 0:
        time.sleep(rest)


def run_stressor(orders: BinaryIO, answers: BinaryIO) -> None:
    """The stressor's whole life: a condition's text a line in, the same back once it is reached."""
    stressor = Stressor(lambda condition: _answer(answers, condition))
    for line in orders:
        stressor.apply(parse_condition(line.decode().strip()))


def _answer(answers: BinaryIO, condition: Condition) -> None:
    answers.write(f"{condition}\n".encode())
