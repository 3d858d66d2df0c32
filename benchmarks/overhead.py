"""Overhead: latencies as recorded against a bare ONNX Runtime loop, for each model of the zoo.

    python -m benchmarks.overhead [--pairs 8] [--seconds 1] [MODEL ...]

Two processes of one model live side by side and take turns by the second: the instrument (runner, probe,
link), held in between; and a loop with two reads of the clock and nothing else, stopped in between.
Prints recorded ÷ bare of p50, p90 and p99 with a 95 % interval over pairs.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np

from benchmarks.ratios import Side, machine, quantile_ratio
from latvar_tui import wire, zoo
from latvar_tui.candidate import parse_candidate
from latvar_tui.device.cores import physical_cores
from latvar_tui.histogram import Histogram
from latvar_tui.link import Link
from latvar_tui.study.board import Board

SKIPPED_S = 0.05
"""Of each bare stretch: what a runner spends settling."""


def bare_loop(model: str) -> None:
    """In the child: for each line with a number of seconds, loop as long and answer with the times in ns."""
    from latvar_tui.device.workload import load

    workload = load(parse_candidate(model, physical_cores()))
    infer = workload.infer
    infer()
    workload.keep_places()
    now = time.perf_counter_ns
    print("ready", flush=True)
    for line in sys.stdin:
        begin = now()
        times = []
        while now() - begin < float(line) * 1e9 or len(times) < 3:
            start = now()
            infer()
            times.append((start - begin, now() - start))
        kept = [duration for at, duration in times if at > SKIPPED_S * 1e9] or [duration for _, duration in times[1:]]
        print(json.dumps(kept), flush=True)


class Bare:
    """The bare loop, stopped outside its turns."""

    def __init__(self, model: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.overhead", "--child", model],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
        )
        assert self._process.stdout is not None and self._process.stdin is not None
        self._answers, self._orders = self._process.stdout, self._process.stdin
        assert self._answers.readline() == "ready\n"
        self._process.send_signal(signal.SIGSTOP)

    def measure(self, seconds: float) -> Histogram:
        """Let it loop for so long."""
        self._orders.write(f"{seconds}\n")
        self._orders.flush()
        self._process.send_signal(signal.SIGCONT)
        times = json.loads(self._answers.readline())
        self._process.send_signal(signal.SIGSTOP)
        histogram = Histogram()
        histogram.record(np.array(times, np.int64))
        return histogram

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


class Recorded:
    """The instrument on one candidate, held outside its turns."""

    def __init__(self, model: str) -> None:
        self._candidate = parse_candidate(model, physical_cores())
        self._link = Link(force=True)
        self._link.send(wire.Start([str(self._candidate)], "0xcpu@100%"))
        self._link.send(wire.Hold())
        self._link.send(wire.Go(0))

    def measure(self, seconds: float) -> Histogram:
        """Let it measure for so long; slices are short enough for several in it."""
        board = Board([self._candidate])
        began_ns = None
        self._link.send(wire.Resume())
        for frame in self._link.frames():
            board.take(frame)
            if isinstance(frame, wire.Slice):
                began_ns = began_ns or frame.start_ns
                if frame.end_ns - began_ns >= seconds * 1e9:
                    self._link.send(wire.Hold())
                    self._link.send(wire.Go(frame.seq))
                    break
                self._link.send(wire.Go(frame.seq))
        ((_, _, cell),) = board.cells()
        return cell.service

    def close(self) -> None:
        self._link.close()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("models", nargs="*", default=list(zoo.catalogue()))
    parser.add_argument("--pairs", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        bare_loop(options.child)
        return
    print(f"{machine()}; {options.pairs} pairs of {options.seconds:g} s")
    print("| model | p50 | p90 | p99 | inferences a side |")
    print("|---|---|---|---|---|")
    for model in options.models:
        recorded, bare = Recorded(model), Bare(model)
        pairs: list[tuple[Side, Side]] = []
        try:
            for pair in range(options.pairs + 1):
                sides = [recorded, bare] if pair % 2 else [bare, recorded]
                found = {side: side.measure(options.seconds) for side in sides}
                if pair:  # the first one warms both up
                    pairs.append(({model: found[recorded]}, {model: found[bare]}))
        finally:
            recorded.close()
            bare.close()
        ratios = " | ".join(str(quantile_ratio(pairs, quantile)) for quantile in (50.0, 90.0, 99.0))
        counts = " / ".join(str(sum(pair[side][model].total for pair in pairs)) for side in (0, 1))
        print(f"| {model} | {ratios} | {counts} |", flush=True)


if __name__ == "__main__":
    main()
