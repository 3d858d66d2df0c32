"""Does reading an inference's wait move its tail? The same runner's loop with and without the read, slice by slice.

    python -m benchmarks.wait_read [--rounds 60] [--slice 250] [--stress 0,2] [MODEL[@settings]]

In every round the loop that measures (``run_slice``) runs one slice in each of three ways, in shuffled order in one
process: as it does without run-queue delay; with it, one ``pread`` of ``schedstat`` after each inference; and, for
comparison, with a read of the thread's CPU-time clock in the same place, which the instrument never does. On Linux
from 6.6 on that clock moves preemptions out of the timed stretch, so under stress its row shows that this method sees
such an effect, best with a model that is shorter than one turn of the scheduler (some ms). Prints read ÷ not read at
p50, p95 and p99 with a 95 % interval, by resampling whole rounds. Under stress a p50 between the two humps jumps.

Needs a kernel that counts run-queue delay. Limit: each interval of ``pread`` reaches into ``--least`` … ``--most``.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from collections.abc import Sequence
from typing import cast

from benchmarks.ratios import Ratio, Side, machine, quantile_ratio
from latvar_tui.candidate import Candidate, parse_candidate
from latvar_tui.condition import Condition
from latvar_tui.device.cores import physical_cores
from latvar_tui.device.runner import SETTLING_INFERENCES, DelayCounter, run_slice, warm_up
from latvar_tui.device.stress_control import StressControl
from latvar_tui.device.tape import Tape
from latvar_tui.device.workload import load
from latvar_tui.histogram import Histogram

QUANTILES = (50.0, 95.0, 99.0)
WAYS = ("none", "pread", "cpu clock")


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
        # Before the model: a fork of a process with pool threads would be another process than the instrument's.
        self._stress = StressControl(lambda: None)
        workload = load(candidate)
        warm_up(workload.infer, workload.keep_places)
        counter = DelayCounter()
        if counter.fd is None:
            self.close()
            sys.exit(f"There is no read whose effect could be measured: {counter.unavailable}.")
        self._infer, self._fd, self._slice_ns = workload.infer, counter.fd, round(slice_ms * 1e6)
        self._tape = Tape()

    def _slice(self, way: str) -> Histogram:
        # What the loop asks of a tape: three arrays, and a flag to look at.
        tape = cast(Tape, ClockTape(self._tape)) if way == "cpu clock" else self._tape
        fd = self._fd if way == "pread" else None
        n, *_ = run_slice(self._infer, tape, self._slice_ns, SETTLING_INFERENCES, fd)
        histogram = Histogram()
        histogram.record(self._tape.durations[:n])
        return histogram

    def measure(self, stress_threads: int, rounds: int, seed: int = 0) -> dict[str, list[Histogram]]:
        """One slice of each way a round, by way; with so many stress threads at work."""
        condition = Condition(stress_threads)
        self._stress.order(condition)
        self._stress.thaw()
        while self._stress.reached != condition:
            if not self._stress.hear():
                sys.exit("The stressor has died.")
        shuffled = random.Random(seed)
        found: dict[str, list[Histogram]] = {way: [] for way in WAYS}
        for number in range(rounds + 1):
            for way in shuffled.sample(WAYS, len(WAYS)):
                histogram = self._slice(way)
                if number:  # the first round warms up
                    found[way].append(histogram)
        self._stress.freeze()
        return found

    def close(self) -> None:
        self._stress.child.end()


def ratios(found: dict[str, list[Histogram]], way: str) -> list[Ratio]:
    """``way`` ÷ none at each of QUANTILES."""
    pairs: list[tuple[Side, Side]] = [
        ({"": read}, {"": unread}) for read, unread in zip(found[way], found["none"], strict=True)
    ]
    return [quantile_ratio(pairs, quantile) for quantile in QUANTILES]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 1 if reading the wait moves a quantile by more than the limit."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", nargs="?", default="mobilenet_v3_small@threads=1")
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--slice", type=float, default=250.0, help="milliseconds")
    parser.add_argument("--stress", default="0,2")
    parser.add_argument("--least", type=float, default=0.95)
    parser.add_argument("--most", type=float, default=1.05)
    options = parser.parse_args(arguments)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    candidate = parse_candidate(options.model, physical_cores())
    bench = Bench(candidate, options.slice)
    print(f"{machine()}; {candidate}; {options.rounds} rounds of a {options.slice:g} ms slice each")
    print("| stress threads | read after each inference ÷ none | p50 | p95 | p99 | inferences |")
    print("|---|---|---|---|---|---|")
    missed = False
    try:
        for threads in map(int, options.stress.split(",")):
            found = bench.measure(threads, options.rounds)
            for way in WAYS[1:]:
                by_quantile = ratios(found, way)
                n = " / ".join(str(sum(histogram.total for histogram in found[side])) for side in (way, "none"))
                print(f"| {threads} | {way} | {' | '.join(map(str, by_quantile))} | {n} |", flush=True)
                if way == "pread":
                    missed |= any(found.high < options.least or found.low > options.most for found in by_quantile)
    finally:
        bench.close()
    if missed:
        print(f"Missed: a ratio of pread lies outside {options.least:g} to {options.most:g}, interval and all.")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
