"""CPU and bytes a frame of the live screen, with the layer that writes only what differs and without it.

    python -m benchmarks.frame_cost [--repeats 5] [--frames 90]

The real screen on a pseudo-terminal, fed with a scripted session (three candidates under stress, one
slice a frame) as fast as it draws; with and without the layer in turns, so that a change of the
machine's speed hits both. CPU is that of the whole screen process, all threads, from one answer
("drawn, bytes have left") to the next.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections import deque
from pathlib import Path

from latvar_tui import wire
from latvar_tui.condition import IDLE
from latvar_tui.tui.app import LiveApp
from tests.on_pty import run_on_pty
from tests.scripted_link import CORES, line_up, session

MODELS = ("squeezenet1_1", "mobilenet_v3_large", "shufflenet_v2_x1_0")
SIZES = ((120, 40), (80, 24), (45, 30))
SETTLING = 30
"""Frames at the start that don't count: caches fill, and the first ones draw whole panels."""

Cost = tuple[float, int]
"""CPU milliseconds and bytes of one frame."""


class Feed:
    """A link that has the next frame ready as soon as the one before is answered."""

    def __init__(self, frames: list[wire.Frame], costs: Path) -> None:
        self.log: deque[str] = deque()
        self.app: LiveApp | None = None
        self._frames, self._costs = deque(frames), costs
        self._ready, self._tell = os.pipe()
        self._quiet, _ = os.pipe()
        self._last: tuple[int, int] | None = None
        self._found: list[Cost] = []

    @property
    def descriptors(self) -> tuple[int, int]:
        return self._ready, self._quiet

    def receive(self) -> list[wire.Frame]:
        os.read(self._ready, 1)
        taken: list[wire.Frame] = []
        while not taken or not isinstance(taken[-1], wire.Slice):
            taken.append(self._frames.popleft())
        return taken

    def send(self, command: wire.Command) -> None:
        if not isinstance(command, wire.Go):
            return
        assert self.app is not None
        now = time.process_time_ns(), self.app.bytes_written
        if self._last is not None:
            self._found.append(((now[0] - self._last[0]) / 1e6, now[1] - self._last[1]))
        self._last = now
        if self._frames:
            os.write(self._tell, b"x")
        else:
            self._costs.write_text(json.dumps(self._found))
            self.app.exit(0)

    def read_log(self) -> bool:
        return True

    def close(self) -> None:
        pass


def show(costs: Path, frames: int, plain: bool) -> None:
    """In the child: the screen itself."""
    per_cell = 2 + frames // (2 * len(MODELS))
    feed = Feed(session(MODELS, ["0xcpu@100%", "2xcpu@100%"], per_cell), costs)
    app = LiveApp(feed, lambda condition: feed, line_up(MODELS), IDLE, maximum=4, cores=CORES)
    app.delta_active = app.delta_active and not plain
    feed.app = app
    app.run()


def measure(frames: int, plain: bool, size: tuple[int, int]) -> list[Cost]:
    """The counted frames of one run."""
    with tempfile.TemporaryDirectory() as folder:
        costs = Path(folder, "costs.json")
        options = ["--child", str(costs), "--frames", str(frames + SETTLING), *(["--plain"] if plain else [])]
        run_on_pty("-m", "benchmarks.frame_cost", *options, size=size)
        return [(cpu, size) for cpu, size in json.loads(costs.read_text())[SETTLING:]]


def report(runs: dict[str, list[Cost]], size: tuple[int, int]) -> None:
    """Print one size's figures, the layer's against plain drawing."""
    middle = {}
    for way, costs in runs.items():
        figures = [
            (statistics.median(values), statistics.quantiles(values, n=20)[-1]) for values in zip(*costs, strict=True)
        ]
        middle[way] = [median for median, _ in figures]
        (cpu, cpu_p95), (written, written_p95) = figures
        print(
            f"{size[0]}x{size[1]} {way}: CPU {cpu:.2f} ms (p95 {cpu_p95:.2f}), "
            f"{written:.0f} bytes (p95 {written_p95:.0f}), {len(costs)} frames"
        )
    cpu_ratio, bytes_ratio = (a / b for a, b in zip(middle["delta"], middle["plain"], strict=True))
    print(f"{size[0]}x{size[1]} delta ÷ plain: CPU {cpu_ratio:.2f}, bytes {bytes_ratio:.2f}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--frames", type=int, default=90, help="counted frames a run")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--plain", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child is not None:
        show(options.child, options.frames, options.plain)
        return
    for size in SIZES:
        runs: dict[str, list[Cost]] = {"plain": [], "delta": []}
        for _ in range(options.repeats):
            for way, costs in runs.items():
                costs += measure(options.frames, way == "plain", size)
        report(runs, size)


if __name__ == "__main__":
    main()
