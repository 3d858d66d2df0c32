"""Does company leave traces? The same candidate with others in the line-up and alone.

    python -m benchmarks.company [--pairs 6] [--seconds 2] [--thawed] [MODEL[@settings] ...]

A candidate's pool threads spin on for a while after its slice; the instrument freezes them, so that the next candidate
meets none of them. Here the instrument's own runners take turns as in the probe, and their times are read from their
tapes: where in a slice an inference ran is told by no frame. Alternating: a stretch in which all of them take turns in
shuffled order, and a stretch of each alone, the others frozen. Prints, with a 95 % interval over pairs, p99 of the
first 100 ms of the slices ÷ p99 of the rest, in company and alone, and company ÷ alone for p50, p90 and p99.

Limit: the first ratio within 0.9 to 1.1. With ``--thawed`` the others are not frozen, and it must be missed: that shows
that the benchmark would notice.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import onnxruntime  # noqa: F401 -- once, before the runners are forked, as in the probe

from benchmarks.ratios import Side, machine, quantile_ratio
from latvar_tui import zoo
from latvar_tui.candidate import parse_candidate, parse_candidates
from latvar_tui.device.cores import physical_cores
from latvar_tui.device.runner_control import Runner
from latvar_tui.histogram import Histogram

SLICE_NS = 250_000_000
EARLY_NS = 100_000_000
PAUSE_S = 0.005
"""Between two slices, as long as a screen takes to draw."""

LOWEST, HIGHEST = 0.9, 1.1


@dataclass
class Stretch:
    """One candidate's times in one stretch: in the first 100 ms after a thaw, and later."""

    early: Histogram = field(default_factory=Histogram)
    late: Histogram = field(default_factory=Histogram)

    @property
    def whole(self) -> Histogram:
        both = self.early.copy()
        both.add(self.late)
        return both


class LineUp:
    """The runners, frozen but for their slices."""

    def __init__(self, names: Sequence[str], thawed: bool) -> None:
        self._thawed = thawed
        self.runners: list[Runner] = []
        try:
            for name in names:
                runner = Runner(parse_candidate(name, physical_cores()), self._forget)
                self.runners.append(runner)
                ready = runner.finish_loading()
                if ready.state != "ready":
                    raise SystemExit(f"{name}: {ready.reason}")
        except BaseException:
            self.close()
            raise

    def _forget(self) -> None:
        for runner in self.runners:
            runner.child.close_in_child()

    def take_turns(self, chosen: Sequence[Runner], seconds: float) -> dict[str, Stretch]:
        """Give ``chosen`` slices in shuffled order, round after round: about so many seconds each, at least a slice."""
        found = {runner.name: Stretch() for runner in chosen}
        for _ in range(max(1, round(seconds * 1e9 / SLICE_NS))):
            for runner in random.sample(list(chosen), len(chosen)):
                time.sleep(PAUSE_S)
                self._slice(runner, found[runner.name])
        for runner in self.runners:
            runner.child.freeze()
        return found

    def _slice(self, runner: Runner, stretch: Stretch) -> None:
        runner.child.freeze()  # where the others were left thawed, it was, too
        thawed_ns = time.perf_counter_ns()
        runner.begin_slice(SLICE_NS)
        answer = runner.end_slice()
        if answer is None:
            raise SystemExit(f"{runner.name} has died: {runner.bury().reason}")
        if self._thawed:
            runner.child.thaw()
        n = answer.inferences
        times = runner.tape.durations[:n].copy()
        is_early = runner.tape.starts[:n] - thawed_ns < EARLY_NS
        stretch.early.record(times[is_early])
        stretch.late.record(times[~is_early])

    def close(self) -> None:
        for runner in self.runners:
            runner.child.end()


def _ratio_text(pairs: Sequence[tuple[Side, Side]]) -> str:
    """p99 of first ÷ second; bold where it is outside the limits."""
    ratio = quantile_ratio(pairs, 99.0)
    return str(ratio) if LOWEST <= ratio.value <= HIGHEST else f"**{ratio}**"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("models", nargs="*", default=list(zoo.DEFAULT_LINE_UP))
    parser.add_argument("--pairs", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each candidate in each stretch (default 2)")
    parser.add_argument("--thawed", action="store_true", help="do not freeze the others: the limit must be missed")
    options = parser.parse_args()
    names = [str(candidate) for candidate in parse_candidates(options.models, physical_cores())]
    line_up = LineUp(names, options.thawed)
    company: list[dict[str, Stretch]] = []
    alone: list[dict[str, Stretch]] = []
    try:
        line_up.take_turns(line_up.runners, 0.0)  # warms all of them up
        for _ in range(options.pairs):
            company.append(line_up.take_turns(line_up.runners, options.seconds))
            alone.append({})
            for runner in line_up.runners:
                alone[-1] |= line_up.take_turns([runner], options.seconds)
    finally:
        line_up.close()
    print(
        f"{machine()}; {options.pairs} pairs of {options.seconds:g} s a candidate"
        f"{', others not frozen' if options.thawed else ''}; limit: early ÷ late within {LOWEST} to {HIGHEST}"
    )
    print("| candidate | early ÷ late, company | early ÷ late, alone | company ÷ alone: p50 | p90 | p99 | inferences |")
    print("|---|---|---|---|---|---|---|")
    for name in names:
        halves = [
            _ratio_text([({name: stretch[name].early}, {name: stretch[name].late}) for stretch in side])
            for side in (company, alone)
        ]
        pairs = [({name: a[name].whole}, {name: b[name].whole}) for a, b in zip(company, alone, strict=True)]
        ratios = [str(quantile_ratio(pairs, quantile)) for quantile in (50.0, 90.0, 99.0)]
        counts = " / ".join(str(sum(side[name].whole.total for side in sides)) for sides in (company, alone))
        print(f"| {' | '.join([name, *halves, *ratios, counts])} |", flush=True)


if __name__ == "__main__":
    main()
