"""CPU and bytes a frame, with the layer that draws only what differs and without it.

    python -m benchmarks.frame_cost [--repeats 5] [--frames 60] [--theme ansi-dark] [--slices 8]

Runs the scripted screen of the tests on a pty of 120 by 40 cells, with and without the layer in
turns, so that a change of the machine's speed hits both. CPU is the application's main thread
(`time.thread_time`), from the new data to the moment at which the bytes have left.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from pathlib import Path

from tests.on_pty import COLUMNS, ROOT, ROWS, run_on_pty

SETTLING = 10
"""Frames at the start that don't count: caches fill, and the first ones draw whole panels."""


def measure(plain: bool, frames: int, options: list[str]) -> list[tuple[float, int]]:
    """CPU milliseconds and bytes of each counted frame of one run."""
    with tempfile.TemporaryDirectory() as folder:
        costs = Path(folder, "costs.json")
        script = [str(ROOT / "tests" / "scripted_app.py"), "--frames", str(frames + SETTLING)]
        options = [*options, "--costs", str(costs), *(["--plain"] if plain else [])]
        run_on_pty(*script, *options)
        return [(cpu, size) for cpu, size in json.loads(costs.read_text())[SETTLING:]]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--frames", type=int, default=60, help="counted frames a run")
    parser.add_argument("--theme", default="textual-dark")
    parser.add_argument("--slices", type=int, default=1, help="models measured between two frames")
    options = parser.parse_args()
    passed_on = ["--theme", options.theme, "--slices", str(options.slices)]
    runs: dict[str, list[tuple[float, int]]] = {"plain": [], "delta": []}
    for _ in range(options.repeats):
        for way, costs in runs.items():
            costs += measure(way == "plain", options.frames, passed_on)
    counted = len(runs["delta"])
    print(f"{COLUMNS}x{ROWS}, {options.theme}, {options.slices} models a frame, {counted} frames a way")
    middle: dict[str, tuple[float, float]] = {}
    for way, costs in runs.items():
        figures = []
        for values in zip(*costs, strict=True):
            p95 = statistics.quantiles(values, n=20)[-1]
            figures += [statistics.median(values), p95]
        middle[way] = figures[0], figures[2]
        print("{}: CPU {:.2f} ms (p95 {:.2f}), {:.0f} bytes (p95 {:.0f})".format(way, *figures))
    cpu, size = (delta / plain for delta, plain in zip(middle["delta"], middle["plain"], strict=True))
    print(f"delta / plain: CPU {cpu:.2f}, bytes {size:.2f}")


if __name__ == "__main__":
    main()
