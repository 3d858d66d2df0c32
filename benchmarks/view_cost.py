"""CPU and bytes a frame of each view of the live screen, at each size.

    python -m benchmarks.view_cost [--repeats 5] [--frames 50] [--views timeline matrix]

As `frame_cost`: the real screen on a pseudo-terminal, fed with a scripted session as fast as it draws. Here the study
is asked too, in pieces as in use; fed faster than any model runs, it has more rounds to think about a second.
"""

from __future__ import annotations

import statistics
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.frame_cost import CPU, KILOBYTES, SIZES, Cost, measure, screen
from benchmarks.proof import Effort, Proof, Row, judged, shown, stand_alone
from benchmarks.ratios import mean_of
from latvar_tui.tui.views.names import VIEWS

CLAIM = "Every view costs as little as the overview."
AIM = "at 120×40 a frame of any view takes at most 5 ms of CPU and 1.2 KB."

NAMES = tuple(view.name for view in VIEWS)


@dataclass(frozen=True)
class Plan:
    repeats: int
    frames: int
    sizes: tuple[str, ...]
    views: tuple[str, ...]


PLANS = {
    Effort.QUICK: Plan(5, 20, SIZES[:1], NAMES[1:2]),
    Effort.DEFAULT: Plan(5, 50, SIZES[:1], NAMES),
    Effort.LONG: Plan(10, 200, SIZES, NAMES),
}


def report(runs: list[list[Cost]], size: str, name: str) -> list[Row]:
    """One view's figures at one size."""
    where = f"{name}, {size.replace('x', '×')}"
    means = [[statistics.fmean(values) for values in zip(*run, strict=True)] for run in runs]
    cpu, kilobytes = mean_of([run[0] for run in means]), mean_of([run[1] / 1e3 for run in means])
    if size == SIZES[0]:
        return [judged(f"{where}: CPU", cpu, CPU, 2), judged(f"{where}: written", kilobytes, KILOBYTES)]
    return [shown(f"{where}: CPU", cpu, CPU.unit, 2), shown(f"{where}: written", kilobytes, KILOBYTES.unit)]


def prove(plan: Plan) -> Proof:
    """Measure and judge."""
    rows: list[Row] = []
    for size in plan.sizes:
        runs: dict[str, list[list[Cost]]] = {name: [] for name in plan.views}
        for _ in range(plan.repeats):  # in turns, so that a change of the machine's speed hits all
            for name in plan.views:
                runs[name].append(measure("benchmarks.view_cost", plan.frames, size, name))
        for name in plan.views:
            rows += report(runs[name], size, name)
    how = f"{plan.repeats} runs of {plan.frames} frames of each view, warm caches; mean a frame"
    return Proof("view_cost", CLAIM, how, rows)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        shown_here = screen(Path(sys.argv[2]), int(sys.argv[3]))
        shown_here.view.shown = sys.argv[4]
        shown_here.run()
    else:
        stand_alone(__name__)
