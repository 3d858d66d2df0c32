"""Does reading an inference's wait move its tail? The same runner's loop with and without the read, slice by slice.

    python -m benchmarks.wait_read [--rounds 360] [--slice-ms 25] [--threads 0 2] [--model MODEL[@settings]]

In every round the loop that measures (``run_slice``) runs a slice in each of two ways, in shuffled order in one
process: as it does without run-queue delay; and with it, one ``pread`` of ``schedstat`` after each inference. In every
third round there is, for comparison, a slice with a read of the thread's CPU-time clock in the same place, which the
instrument never does. On Linux from 6.6 on that clock moves preemptions out of the timed stretch, so under stress its
row shows that this method sees such an effect, best with a model that is shorter than one turn of the scheduler
(some ms). Under stress a p50 between the two humps jumps.
"""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from benchmarks.proof import CannotProve, Effort, Limit, Proof, Row, judged, shown, stand_alone
from benchmarks.ratios import Side, mean, quantile, ratio
from latvar_tui.candidate import Candidate, parse_candidate
from latvar_tui.condition import Condition
from latvar_tui.device.cores import physical_cores
from latvar_tui.device.runner import SETTLING_INFERENCES, DelayCounter, run_slice, warm_up
from latvar_tui.device.stress_control import StressControl
from latvar_tui.device.tape import Tape
from latvar_tui.device.workload import load
from latvar_tui.histogram import Histogram

CLAIM = "Reading each inference's wait from schedstat does not move its latencies."
AIM = "read ÷ not read: mean, p95 and p99 within 0.95 to 1.05, idle and under 2 stress threads."

LIMIT = Limit(0.95, 1.05)
NONE, READ, CLOCK = "none", "schedstat read", "CPU-time clock read"
CLOCK_EVERY = 3
"""Rounds: what is only shown takes less of the time."""


@dataclass(frozen=True)
class Plan:
    rounds: int
    slice_ms: float
    """Much shorter than the instrument's: where the scheduler has put whom lasts longer, so it hits a whole round."""
    threads: tuple[int, ...]
    model: str


MODEL = "mobilenet_v3_small@threads=1"
PLANS = {
    Effort.QUICK: Plan(60, 25.0, (0, 2), MODEL),
    Effort.DEFAULT: Plan(360, 25.0, (0, 2), MODEL),
    Effort.LONG: Plan(6000, 25.0, (0, 2, 4), MODEL),
}


class ClockTape:
    """A tape whose flag, looked at after each inference, reads the CPU-time clock: the mistake to be seen."""

    def __init__(self, tape: Tape) -> None:
        self.starts, self.durations, self.delays = tape.starts, tape.durations, tape.delays
        self.flag = self

    def __getitem__(self, place: int) -> int:
        time.thread_time_ns()
        return 0


class Bench:
    """One model in this process, as in a runner's, and a stressor."""

    def __init__(self, candidate: Candidate, slice_ms: float) -> None:
        counter = DelayCounter()
        if counter.fd is None:
            raise CannotProve(f"There is no read whose effect could be measured: {counter.unavailable}.")
        # Before the model: a fork of a process with pool threads would be another process than the instrument's.
        self._stress = StressControl(lambda: None)
        try:
            workload = load(candidate)
            warm_up(workload.infer, workload.keep_places)
        except BaseException:
            self.close()
            raise
        self._infer, self._counter, self._slice_ns = workload.infer, counter, round(slice_ms * 1e6)
        self._tape = Tape()

    def _slice(self, way: str) -> Histogram:
        # What the loop asks of a tape: three arrays, and a flag to look at.
        tape = cast(Tape, ClockTape(self._tape)) if way == CLOCK else self._tape
        fd = self._counter.fd if way == READ else None
        gc.disable()  # as in a runner
        try:
            n, *_ = run_slice(self._infer, tape, self._slice_ns, SETTLING_INFERENCES, fd)
        finally:
            gc.enable()
        histogram = Histogram()
        histogram.record(self._tape.durations[:n])
        return histogram

    def measure(self, stress_threads: int, rounds: int, seed: int = 0) -> list[dict[str, Histogram]]:
        """Each round's slices by way; with so many stress threads at work."""
        condition = Condition(stress_threads)
        self._stress.order(condition)
        self._stress.thaw()
        while self._stress.reached != condition:
            if not self._stress.hear():
                raise RuntimeError("the stressor has died")
        shuffled = random.Random(seed)
        found: list[dict[str, Histogram]] = []
        for number in range(rounds + 1):
            ways = [NONE, READ, CLOCK] if number % CLOCK_EVERY == 1 else [NONE, READ]
            slices = {way: self._slice(way) for way in shuffled.sample(ways, len(ways))}
            if number:  # the first round warms up
                found.append(slices)
        self._stress.freeze()
        return found

    def close(self) -> None:
        self._stress.child.end()


def compared(where: str, rounds: Sequence[dict[str, Histogram]]) -> list[Row]:
    """The rows of one number of stress threads: the read judged, the clock shown."""
    pairs = {way: _pairs(rounds, way) for way in (READ, CLOCK)}
    statistics = {"p50": quantile(50.0), "mean": mean, "p95": quantile(95.0), "p99": quantile(99.0)}
    rows = []
    for name, statistic in statistics.items():
        found, label = ratio(pairs[READ], statistic), f"{where}: {READ} ÷ none, {name}"
        rows.append(shown(label, found) if name == "p50" else judged(label, found, LIMIT))
    mistake = ", ".join(f"{name} {ratio(pairs[CLOCK], statistic)}" for name, statistic in statistics.items())
    rows.append(shown(f"{where}: {CLOCK} ÷ none, for comparison: the mistake that this would show", mistake))
    return rows


def _pairs(rounds: Sequence[dict[str, Histogram]], way: str) -> list[tuple[Side, Side]]:
    return [({"": slices[way]}, {"": slices[NONE]}) for slices in rounds if way in slices]


def prove(plan: Plan) -> Proof:
    """Measure and judge."""
    candidate = parse_candidate(plan.model, physical_cores())
    rows: list[Row] = []
    bench = Bench(candidate, plan.slice_ms)
    try:
        for threads in plan.threads:
            where = "idle" if not threads else f"{threads} stress thread{'s' * (threads > 1)}"
            rows += compared(where, bench.measure(threads, plan.rounds))
    finally:
        bench.close()
    how = f"{plan.rounds} rounds of a slice of {plan.slice_ms:g} ms each; {candidate}"
    return Proof("wait_read", CLAIM, how, rows)


if __name__ == "__main__":
    stand_alone(__name__)
