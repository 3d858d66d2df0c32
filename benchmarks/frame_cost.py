"""CPU and bytes a frame of the live screen, with the layer that writes only what differs and without it.

    python -m benchmarks.frame_cost [--repeats 5] [--frames 60]

The real screen on a pseudo-terminal, fed with a scripted session (three candidates under stress, one
slice a frame) as fast as it draws; with and without the layer in turns, so that a change of the
machine's speed hits both. CPU is that of the whole screen process, all threads, from one answer
("drawn, bytes have left") to the next. Fed like this its caches stay warm; ``monitors`` has the screen in use.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from benchmarks.fed import Feed
from benchmarks.proof import Effort, Limit, Proof, Row, judged, shown, stand_alone
from benchmarks.ratios import mean_of, mean_ratio
from latvar_tui import wire
from latvar_tui.condition import IDLE
from latvar_tui.tui.app import LiveApp
from tests.on_pty import run_on_pty
from tests.scripted_link import CORES, line_up, session

MODELS = ("squeezenet1_1", "mobilenet_v3_large", "shufflenet_v2_x1_0")
CLAIM = "Drawing a frame costs little: time in which nothing is measured, and bytes on a slow line."
AIM = "at 120×40 a frame takes at most 5 ms of CPU and 1.2 KB."

CPU, KILOBYTES = Limit(high=5, unit=" ms"), Limit(high=1.2, unit=" KB")
SIZES = ("120x40", "80x24", "45x30")
SETTLING = 30
"""Frames at the start that don't count: caches fill, and the first ones draw whole panels."""

Cost = tuple[float, int]
"""CPU milliseconds and bytes of one frame."""


class Costs(Feed):
    """Notes what each frame has cost."""

    def __init__(self, frames: list[wire.Frame], out: Path) -> None:
        super().__init__(out)
        self._frames = deque(frames)
        self._last: tuple[int, int] | None = None
        self._found: list[Cost] = []

    def next_frame(self) -> wire.Frame:
        return self._frames.popleft()

    def drawn(self) -> object:
        assert self.app is not None
        now = time.process_time_ns(), self.app.bytes_written
        if self._last is not None:
            self._found.append(((now[0] - self._last[0]) / 1e6, now[1] - self._last[1]))
        self._last = now
        return None if self._frames else self._found


def screen(costs: Path, frames: int) -> LiveApp:
    """In the child: the screen itself, on a scripted session."""
    per_cell = 2 + frames // (2 * len(MODELS))
    feed = Costs(session(MODELS, ["0xcpu@100%", "2xcpu@100%"], per_cell), costs)
    app = LiveApp(feed, lambda candidates, condition: feed, line_up(MODELS), IDLE, maximum=4, cores=CORES)
    feed.app = app
    return app


@dataclass(frozen=True)
class Plan:
    repeats: int
    frames: int
    sizes: tuple[str, ...]


PLANS = {Effort.QUICK: Plan(5, 25, SIZES[:1]), Effort.DEFAULT: Plan(5, 60, SIZES), Effort.LONG: Plan(30, 200, SIZES)}


def measure(program: str, frames: int, size: str, *arguments: str) -> list[Cost]:
    """The counted frames of one run of ``program``, whose child shows the screen as the arguments say."""
    columns, rows = map(int, size.split("x"))
    with tempfile.TemporaryDirectory() as folder:
        costs = Path(folder, "costs.json")
        child = ["--child", str(costs), str(frames + SETTLING), *arguments]
        run_on_pty("-m", program, *child, size=(columns, rows))
        return [(cpu, written) for cpu, written in json.loads(costs.read_text())[SETTLING:]]


def report(layer: list[list[Cost]], plain: list[list[Cost]], size: str) -> list[Row]:
    """One size's figures: of runs with the layer, and of as many without."""
    where = size.replace("x", "×")
    ours, theirs = (
        [[statistics.fmean(values) for values in zip(*run, strict=True)] for run in runs] for runs in (layer, plain)
    )
    cpu, kilobytes = mean_of([run[0] for run in ours]), mean_of([run[1] / 1e3 for run in ours])
    if size == SIZES[0]:
        rows = [judged(f"{where}, CPU a frame", cpu, CPU, 2), judged(f"{where}, written a frame", kilobytes, KILOBYTES)]
    else:
        rows = [shown(f"{where}, CPU a frame", cpu, CPU.unit, 2), shown(f"{where}, written a frame", kilobytes, " KB")]
    cpu_p95, bytes_p95 = (
        statistics.quantiles([frame[which] for run in layer for frame in run], n=20)[-1] for which in (0, 1)
    )
    rows.append(shown(f"{where}, one frame in twenty takes more than", f"{cpu_p95:.2f} ms, {bytes_p95 / 1e3:.3f} KB"))
    for which, name in enumerate(("CPU", "bytes")):
        found = mean_ratio([(a[which], b[which]) for a, b in zip(ours, theirs, strict=True)])
        rows.append(shown(f"{where}, {name} with the cell-diff layer ÷ without", found))
    return rows


def prove(plan: Plan) -> Proof:
    """Measure and judge."""
    rows: list[Row] = []
    for size in plan.sizes:
        layer, plain = [], []
        for _ in range(plan.repeats):
            plain.append(measure("benchmarks.frame_cost", plan.frames, size, "plain"))
            layer.append(measure("benchmarks.frame_cost", plan.frames, size))
        rows += report(layer, plain, size)
    how = f"{plan.repeats} runs of {plan.frames} frames each way, warm caches; mean a frame"
    return Proof("frame_cost", CLAIM, how, rows)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        shown_here = screen(Path(sys.argv[2]), int(sys.argv[3]))
        shown_here.delta_active = shown_here.delta_active and "plain" not in sys.argv[4:]
        shown_here.run()
    else:
        stand_alone(__name__)
