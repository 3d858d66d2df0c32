"""Two ways to measure one model that take turns: the instrument, and a bare loop in a process of its own."""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import time
from array import array
from typing import BinaryIO

import numpy as np

from benchmarks.gated import slices_of
from latvar_tui import wire
from latvar_tui.candidate import parse_candidate
from latvar_tui.condition import Condition
from latvar_tui.device.cores import physical_cores
from latvar_tui.device.lifeline import die_with
from latvar_tui.device.stress import run_stressor
from latvar_tui.histogram import Histogram
from latvar_tui.link import Link

SKIPPED_S = 0.05
"""Of each bare stretch: what a runner spends settling."""


class Helper:
    """This module as a process of its own, stopped outside its turns. In our session: a new one would be a scheduler
    group of its own, which falsifies the contention."""

    def __init__(self, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.sides", str(os.getpid()), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
            process_group=0,
        )
        assert self._process.stdout is not None and self._process.stdin is not None
        self._answers: BinaryIO = os.fdopen(os.dup(self._process.stdout.fileno()), "rb")
        if not self._hear():
            raise RuntimeError(f"{arguments} could not be started")

    def _say(self, order: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(order.encode() + b"\n")

    def _hear(self) -> str:
        return self._answers.readline().decode()

    def freeze(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._answers.close()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()


class Stress(Helper):
    """Our stress threads, without a probe."""

    def __init__(self, condition: Condition) -> None:
        super().__init__("stress")
        self._say(f"1 {condition}")
        if self._hear().strip() != "1":
            raise RuntimeError(f"the stress threads of {condition} did not start")
        self.freeze()


class Bare(Helper):
    """A loop with two reads of ``perf_counter_ns`` and nothing else."""

    def __init__(self, model: str, condition: Condition | None = None) -> None:
        super().__init__("loop", model)
        self.freeze()
        self._stress = Stress(condition) if condition is not None and not condition.is_idle else None

    def measure(self, seconds: float) -> Histogram:
        """Let it loop for so long without a pause, under its stress."""
        if self._stress:
            self._stress.thaw()
        self._say(str(seconds))
        self.thaw()
        times = json.loads(self._hear())
        self.freeze()
        if self._stress:
            self._stress.freeze()
        histogram = Histogram()
        histogram.record(np.array(times, np.int64))
        return histogram

    def close(self) -> None:
        super().close()
        if self._stress:
            self._stress.close()


class Recorded:
    """The instrument on one candidate, held outside its turns; its stress threads are frozen then."""

    def __init__(self, model: str, condition: Condition | None = None) -> None:
        self._candidate = parse_candidate(model, physical_cores())
        self._link = Link(force=True)
        self._link.send(wire.Start([str(self._candidate)], str(condition or Condition())))
        self._link.send(wire.Hold())
        self._link.send(wire.Go(0))

    def measure(self, seconds: float) -> Histogram:
        """Let it measure for so long; slices are short enough for several in it."""
        histogram = Histogram()
        began_ns = None
        self._link.send(wire.Resume())
        for frame in slices_of(self._link):
            histogram.add_counts(frame.service)
            began_ns = began_ns or frame.start_ns
            if frame.end_ns - began_ns >= seconds * 1e9:
                self._link.send(wire.Hold())
                self._link.send(wire.Go(frame.seq))
                break
        return histogram

    def close(self) -> None:
        self._link.close()


def alternate(recorded: Recorded, bare: Bare, pairs: int, seconds: float) -> list[tuple[Histogram, Histogram]]:
    """Recorded and bare by turns, who is first changing from pair to pair; a first pair warms both up."""
    found = []
    for pair in range(pairs + 1):
        if pair % 2:
            one = recorded.measure(seconds), bare.measure(seconds)
        else:
            second = bare.measure(seconds)
            one = recorded.measure(seconds), second
        if pair:
            found.append(one)
    return found


def loop(model: str, orders: BinaryIO, answers: BinaryIO) -> None:
    """In the process: for each line with a number of seconds, loop as long and answer with the times in ns."""
    from latvar_tui.device.workload import load

    workload = load(parse_candidate(model, physical_cores()))
    infer = workload.infer
    infer()
    workload.keep_places()
    gc.disable()
    now = time.perf_counter_ns
    answers.write(b"ready\n")
    for line in orders:
        begin = now()
        end_at = begin + round(float(line) * 1e9)
        starts, ends = array("q"), array("q")
        while True:
            start = now()
            infer()
            end = now()
            starts.append(start)
            ends.append(end)
            if end >= end_at and len(ends) > 2:
                break
        settled = begin + round(SKIPPED_S * 1e9)
        counted_from = settled if starts[-1] >= settled else starts[1]
        kept = [b - a for a, b in zip(starts, ends, strict=True) if a >= counted_from]
        answers.write(json.dumps(kept).encode() + b"\n")


def main() -> None:
    parent, what, *rest = sys.argv[1:]
    die_with(int(parent))
    with os.fdopen(0, "rb", 0) as orders, os.fdopen(1, "wb", 0) as answers:
        if what == "stress":
            run_stressor(time.perf_counter, orders, answers)
        else:
            loop(rest[0], orders, answers)


if __name__ == "__main__":
    main()
