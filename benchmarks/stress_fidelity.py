"""Do our stress threads press as hard as stress-ng's? The same model under both, taking turns.

    python -m benchmarks.stress_fidelity [--pairs 10] [--seconds 2] [--threads 1,2,4] [MODEL[@settings] ...]

Needs stress-ng. Prints ours ÷ stress-ng's for the median and the mean, 95 % by resampling whole pairs, and how many
cores each of the two stressors really got. Under contention a distribution has two humps (preempted or not), and a
median that falls between them jumps: there the mean says more.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks.ratios import RESAMPLES, Ratio, Side, machine, quantile_ratio
from latvar_tui import wire
from latvar_tui.candidate import Candidate, parse_candidates
from latvar_tui.condition import Condition
from latvar_tui.device.cores import physical_cores
from latvar_tui.device.stress_ng import known
from latvar_tui.link import Link
from latvar_tui.study.board import Board

KINDS = ("cpu", "stress-ng:cpu")


@dataclass(frozen=True)
class Stretch:
    """What was measured in one stretch under one kind of stress."""

    histograms: Side
    mean_ns: dict[str, float]
    cores: float


class Bench:
    """One probe, whose condition changes from stretch to stretch."""

    def __init__(self, candidates: list[Candidate]) -> None:
        self._candidates = candidates
        self._link = Link(force=True)
        self._link.send(wire.Start([str(candidate) for candidate in candidates], "0xcpu@100%", 250.0))
        self._link.send(wire.Go(0))
        self._frames = self._answered()

    def _answered(self) -> Iterator[wire.Frame]:
        for frame in self._link.frames():
            yield frame
            if isinstance(frame, wire.Slice):
                self._link.send(wire.Go(frame.seq))

    def measure(self, condition: Condition, seconds: float) -> Stretch:
        """Measure under ``condition`` for so long; the slices before it is reached do not count."""
        self._link.send(wire.SetCondition(str(condition)))
        board = Board(self._candidates)
        counted_ns = 0
        for frame in self._frames:
            if isinstance(frame, wire.Failure):
                sys.exit(frame.text)
            if (
                isinstance(frame, wire.Slice)
                and frame.condition == str(condition)
                and frame.stress_cpu.value is not None
            ):
                board.take(frame)
                counted_ns += frame.end_ns - frame.start_ns
                if counted_ns >= seconds * 1e9:
                    break
        cells = {contender.id: cell for contender, _, cell in board.cells()}
        cores = [cell.stress_cores or 0.0 for cell in cells.values()]
        return Stretch(
            {name: cell.service for name, cell in cells.items()},
            {name: cell.counted_ns / cell.service.total for name, cell in cells.items()},
            sum(cores) / len(cores),
        )

    def close(self) -> None:
        self._link.close()


def mean_ratio(pairs: list[tuple[Stretch, Stretch]], seed: int = 0) -> Ratio:
    """First over second: mean of the stretches' means, geometric mean over candidates."""
    random = np.random.default_rng(seed)
    means = np.array([[[side.mean_ns[name] for name in pairs[0][0].mean_ns] for side in pair] for pair in pairs])

    def ratio(chosen: np.ndarray) -> float:
        ours, theirs = means[chosen].mean(axis=0)
        return float(np.exp(np.log(ours / theirs).mean()))

    found = [ratio(random.integers(0, len(pairs), len(pairs))) for _ in range(RESAMPLES)]
    low, high = np.quantile(found, [0.025, 0.975])
    return Ratio(ratio(np.arange(len(pairs))), float(low), float(high))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("models", nargs="*", default=["squeezenet1_1@threads=1", "squeezenet1_1"])
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--threads", default="1,2,4")
    options = parser.parse_args()
    if not known():
        sys.exit("stress-ng is not installed: install it to compare with it.")
    candidates = parse_candidates(options.models, physical_cores())
    print(f"{machine()}; {options.pairs} pairs of {options.seconds:g} s; {', '.join(map(str, candidates))}")
    print("| stress threads | p50 | mean | cores that ours got | stress-ng's |")
    print("|---|---|---|---|---|")
    bench = Bench(candidates)
    try:
        for threads in map(int, options.threads.split(",")):
            pairs: list[tuple[Stretch, Stretch]] = []
            for pair in range(options.pairs):
                order = KINDS if pair % 2 == 0 else KINDS[::-1]
                found = {kind: bench.measure(Condition(threads, kind), options.seconds) for kind in order}
                pairs.append((found[KINDS[0]], found[KINDS[1]]))
            p50 = quantile_ratio([(ours.histograms, theirs.histograms) for ours, theirs in pairs], 50.0)
            cores = [sum(pair[side].cores for pair in pairs) / len(pairs) for side in (0, 1)]
            print(f"| {threads} | {p50} | {mean_ratio(pairs)} | {cores[0]:.2f} | {cores[1]:.2f} |", flush=True)
    finally:
        bench.close()


if __name__ == "__main__":
    main()
