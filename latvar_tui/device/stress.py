"""The stressor: one process with N busy threads that hold no interpreter lock, or stress-ng in their place.

One process, because Android kills apps with many; threads of work that releases the lock, needs no library and
reacts to the slider within a millisecond. A new kind of stress is a new file in ``burns/``.
"""

from __future__ import annotations

import _thread
import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import BinaryIO

from latvar_tui.condition import Condition, Cores, parse_condition
from latvar_tui.device.burns import KINDS
from latvar_tui.device.burns.burn import Burn
from latvar_tui.device.cores import settle_down
from latvar_tui.device.stress_ng import PREFIX, StressNg

PERIOD_S = 0.02
"""Of the duty cycle: at 10 % load a thread burns 2 ms of CPU, then sleeps for the rest."""

Clock = Callable[[], float]
"""Seconds."""


class Stressor:
    """N threads of one kind; the number and the load change while they run."""

    def __init__(self, on_settled: Callable[[int], object], now_s: Clock = time.perf_counter) -> None:
        """Prepare.

        Args:
            on_settled: called with an order's number (from any thread) when the threads it asked for are the ones
                that run, and no others.
            now_s: a clock that stands still while this process is frozen.
        """
        self._on_settled = on_settled
        self._now_s = now_s
        self._burns: dict[str, Burn] = {"cpu": KINDS["cpu"]()}  # the others when they are first asked for
        # Nobody would know any more what the model is under: the probe starts another stressor, and says so.
        self._stress_ng = StressNg(lambda: os._exit(1), now_s)
        self._place: tuple[Cores, int] = (), 0
        self._lock = threading.Lock()
        self._condition = Condition()
        self._number = 0
        self._running: set[int] = set()
        self._worked: set[int] = set()
        self._told = True

    def apply(self, condition: Condition, number: int) -> None:
        """Move to ``condition``; threads too many end within a millisecond, new ones begin at once.

        Raises:
            RuntimeError: the system allows no more threads.
            MemoryError: not enough for this kind of stress.
            OSError: stress-ng cannot be run, or ends at once.
        """
        theirs = condition.kind.startswith(PREFIX)
        if not theirs and condition.kind not in self._burns:
            self._burns[condition.kind] = KINDS[condition.kind]()
        # A new object every time: by it the threads tell one order from an earlier one for the same condition.
        ours = Condition() if theirs else replace(condition)
        if condition.stress_threads and (condition.stress_pin, condition.stress_nice) != self._place:
            self._place = condition.stress_pin, condition.stress_nice
            settle_down(*self._place)  # the threads that this one starts inherit it
        with self._lock:
            # Not before stress-ng is at work, or gone: the threads that end meanwhile have nothing to tell.
            self._condition, self._number, self._told = ours, number, True
            self._worked.clear()
            missing = [i for i in range(ours.stress_threads) if i not in self._running]
            self._running.update(missing)
        if theirs:
            self._stress_ng.run(condition.kind.removeprefix(PREFIX), condition.stress_threads)
        else:
            self._stress_ng.stop()
        for index in missing:
            # Not threading.Thread: its start() waits until the new thread has had a core, which takes
            # a while once there are more threads than cores.
            _thread.start_new_thread(self._work, (index,))
        with self._lock:
            self._told = False
        self._tell_if_settled()

    def _work(self, index: int) -> None:
        seen: Condition | None = None
        ahead_s = 0.0
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
                ahead_s = burn_share(burn, condition.load_pct / 100, self._now_s, ahead_s)
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
            number = self._number
        self._on_settled(number)


def burn_share(
    burn: Burn,
    share: float,
    now_s: Clock,
    ahead_s: float = 0.0,
    cpu_s: Clock = time.thread_time,
    sleep: Callable[[float], object] = time.sleep,
) -> float:
    """One period of the duty cycle: ``share`` of it in this thread's CPU time, the rest asleep.

    A call of ``burn`` is not cut short; what it burns too much is burnt less in the next period.

    CPU time, not wall time, so that a thread that had to wait for a core still gets its share.
    (A CPU-time clock is harmless here: nothing is timed in this process.) A sleep that ends because its time
    passed while the process was frozen is slept again: the period is one of thawed time.

    Args:
        ahead_s: what the period before returned.

    Returns:
        CPU seconds burnt too much so far.
    """
    cpu_begin_s, begin_s = cpu_s(), now_s()
    target_s = share * PERIOD_S - ahead_s
    while (burnt_s := cpu_s() - cpu_begin_s) < target_s:
        burn()
    while (rest_s := PERIOD_S - (now_s() - begin_s)) > 0:
        sleep(rest_s)
    return burnt_s - target_s


def run_stressor(now_s: Clock, orders: BinaryIO, answers: BinaryIO) -> None:
    """The stressor's whole life: ``NUMBER CONDITION`` a line in, the number back once that is reached.

    The number 0 says that it is prepared; ``NUMBER REASON`` that an order cannot be carried out.
    """
    stressor = Stressor(lambda number: answers.write(f"{number}\n".encode()), now_s)
    answers.write(b"0\n")
    for line in orders:
        number, _, condition = line.decode().strip().partition(" ")
        try:
            stressor.apply(parse_condition(condition), int(number))
        except (RuntimeError, MemoryError, OSError) as error:
            answers.write(f"{number} {error or type(error).__name__}\n".encode())
            return
