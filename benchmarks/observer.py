"""The observer effect: what the live screen adds to the latencies it shows.

    python -m benchmarks.observer [--pairs 8] [--seconds 8] [--stress 0,2]

The same candidates measured with the screen on a pseudo-terminal and headless, in alternating order,
each run a new probe. Prints screen ÷ headless of p50, p90 and p99 (pooled over the runs, geometric mean
over the candidates) with a 95 % interval over pairs, and the share of wall time spent in pauses.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.ratios import Side, machine, quantile_ratio
from latvar_tui import wire
from latvar_tui.candidate import parse_candidates
from latvar_tui.condition import Condition
from latvar_tui.device.cores import physical_cores, usable_cores
from latvar_tui.headless import measure
from latvar_tui.histogram import Histogram
from latvar_tui.link import Link
from latvar_tui.study.board import Board
from latvar_tui.tui.app import LiveApp
from latvar_tui.zoo import DEFAULT_LINE_UP
from tests.on_pty import run_on_pty

QUANTILES = (50.0, 90.0, 99.0)


class TimedLink(Link):
    """A link that ends its screen after some seconds of measuring."""

    def __init__(self, seconds: float) -> None:
        super().__init__(force=True)
        self.app: LiveApp | None = None
        self._seconds, self._began_ns = seconds, 0

    def receive(self) -> list[wire.Frame]:
        frames = super().receive()
        for frame in frames:
            if isinstance(frame, wire.Slice):
                self._began_ns = self._began_ns or frame.start_ns
                if frame.end_ns - self._began_ns >= self._seconds * 1e9 and self.app is not None:
                    self.app.exit(0)
        return frames


class Silent:
    """Nothing is drawn."""

    def sliced(self, board: Board, frame: wire.Slice, elapsed_s: float) -> None:
        pass


def run_child(way: str, out: Path, seconds: float, stress: int) -> None:
    """One run, in its own process; leaves its histograms and how the time was spent in ``out``."""
    candidates = parse_candidates(DEFAULT_LINE_UP, physical_cores())
    condition = Condition(stress)
    start = wire.Start([str(candidate) for candidate in candidates], str(condition))
    link = TimedLink(seconds)
    link.send(start)
    if way == "screen":
        app = LiveApp(link, lambda *_: link, candidates, condition, maximum=8, cores=usable_cores())
        link.app = app
        app.run()
        board = app.board
    else:
        board = Board(candidates)
        measure(link, board, seconds, Silent())
    link.close()
    cells = [cell for _, under, cell in board.cells() if under == condition]
    wall_ns = sum(cell.wall_ns for cell in cells)
    settling_ns = sum(cell.settling_ns for cell in cells)
    counted_ns = sum(cell.counted_ns for cell in cells)
    found = {
        "histograms": {c.id: cell.service.encode() for c, under, cell in board.cells() if under == condition},
        "settling": settling_ns / wall_ns,
        "counted": counted_ns / wall_ns,
        "pauses": board.gap_share,
    }
    out.write_text(json.dumps(found))


def one_run(way: str, seconds: float, stress: int) -> tuple[Side, dict[str, float]]:
    """Run a child on a pseudo-terminal (or without one) and read what it found."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "found.json")
        child = ["-m", "benchmarks.observer", "--child", way, "--out", str(out)]
        child += ["--seconds", str(seconds), "--stress", str(stress)]
        if way == "screen":
            run_on_pty(*child)
        else:
            subprocess.run([sys.executable, *child], check=True)
        found = json.loads(out.read_text())
    histograms = {name: Histogram.decode(text) for name, text in found.pop("histograms").items()}
    return histograms, found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pairs", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--stress", default="0,2")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        run_child(options.child, options.out, options.seconds, int(options.stress))
        return
    print(f"{machine()}; {options.pairs} pairs of {options.seconds:g} s; {', '.join(DEFAULT_LINE_UP)}")
    print("| stress threads | p50 | p90 | p99 | pauses | settling | counted |")
    print("|---|---|---|---|---|---|---|")
    for stress in map(int, options.stress.split(",")):
        pairs: list[tuple[Side, Side]] = []
        spent: list[dict[str, float]] = []
        for pair in range(options.pairs):
            order = ["screen", "headless"] if pair % 2 == 0 else ["headless", "screen"]
            runs = {way: one_run(way, options.seconds, stress) for way in order}
            pairs.append((runs["screen"][0], runs["headless"][0]))
            spent.append(runs["screen"][1])
        ratios = " | ".join(str(quantile_ratio(pairs, quantile)) for quantile in QUANTILES)
        shares = " | ".join(
            f"{100 * sum(s[name] for s in spent) / len(spent):.1f} %" for name in ("pauses", "settling", "counted")
        )
        print(f"| {stress} | {ratios} | {shares} |", flush=True)


if __name__ == "__main__":
    main()
