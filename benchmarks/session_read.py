"""How long it takes to show a long session, beside the Java HistogramLogProcessor on the same log.

    python -m benchmarks.session_read [--hours 24] [--folder DIR]

Makes a session of so many hours at four slices a second, by the recorder itself from scripted frames (what it
takes for each, in a gap, is printed too), and reads it in fresh interpreters: with its snapshot, as after a proper
end; without, slice by slice; and a part of it. The Java tool is run once a tag, as it processes one at a time.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from time import perf_counter_ns

import numpy as np

from latvar_tui import wire
from latvar_tui.session import hlog
from latvar_tui.session.layout import BOARD, INTERVALS
from latvar_tui.session.recorder import SessionRecorder
from tests.scripted_link import line_up, session

MODELS = ["squeezenet1_1", "mobilenet_v2"]
CONDITIONS = ["0xcpu@100%", "2xcpu@100%", "4xcpu@100%"]
JAR = Path("/usr/share/java/hdrhistogram.jar")
SLICE_NS = 250_000_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--hours", type=float, default=24.0, help="length of the session (default %(default)s)")
    parser.add_argument("--folder", type=Path, help="make it there and keep it; read it if it is there")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.folder or Path(temporary) / "session"
        if not folder.exists():
            make(folder, round(asked.hours * 4 * 3600))
        weigh(folder)
        reads(folder)


def make(folder: Path, slices: int) -> None:
    frames = session(MODELS, CONDITIONS, slices_per_cell=20)
    others = [frame for frame in frames if not isinstance(frame, wire.Slice)]
    pool = [frame for frame in frames if isinstance(frame, wire.Slice)]
    recorder = SessionRecorder(line_up(MODELS), {"slice_ms": 250.0}, folder)
    for frame in others:
        recorder.take(frame)
    took_ns = np.zeros(slices, np.int64)
    for number in range(slices):
        # Stretches of a minute under each condition.
        cell = (number // 240) % len(CONDITIONS)
        piece = pool[cell * 40 + number % 40]
        start_ns = others[0].monotonic_ns + number * SLICE_NS  # type: ignore[union-attr]
        shift_ns = start_ns - piece.start_ns
        slowest = [[one[0] + shift_ns, *one[1:]] for one in piece.slowest]
        taken = replace(piece, seq=number + 1, start_ns=start_ns, end_ns=piece.end_ns + shift_ns, slowest=slowest)
        begin_ns = perf_counter_ns()
        recorder.take(taken)
        recorder.flush_in_gap()
        took_ns[number] = perf_counter_ns() - begin_ns
    recorder.close("done")
    quantiles = np.percentile(took_ns, [50, 99, 99.9, 100]) / 1e6
    print("a slice costs in its gap, ms: p50 {:.2f}, p99 {:.2f}, p99.9 {:.2f}, max {:.1f}".format(*quantiles))


def weigh(folder: Path) -> None:
    with open(folder / INTERVALS, "rb") as file:
        intervals = sum(1 for _ in hlog.lines(file))
    total = sum(path.stat().st_size for path in folder.iterdir())
    print(f"{intervals} intervals, {total / 1e6:.1f} MB, {total / intervals:.0f} bytes each; a day: "
          f"{total / intervals * 4 * 86400 / 1e6:.0f} MB")  # fmt: skip
    for path in sorted(folder.iterdir()):
        print(f"    {path.name:<18}{path.stat().st_size / intervals:8.1f} bytes an interval")


def reads(folder: Path) -> None:
    show = [sys.executable, "-m", "latvar_tui", "show", str(folder), "--json"]
    print(f"{'show':<44}{timed(show):8.2f} s")
    print(f"{'show, of an hour (--from 1h --to 2h)':<44}{timed([*show, '--from', '1h', '--to', '2h']):8.2f} s")
    hidden = folder / f".{BOARD}"
    (folder / BOARD).rename(hidden)
    try:
        print(f"{'show, slice by slice (no snapshot)':<44}{timed(show):8.2f} s")
    finally:
        hidden.rename(folder / BOARD)
    if not JAR.exists():
        print(f"the Java tool is not here ({JAR}, Debian's libhdrhistogram-java)")
        return
    with open(folder / INTERVALS, "rb") as file:
        tags = sorted({line.tag for line, _ in zip(hlog.lines(file), range(2000), strict=False)})
    java = ["java", "-cp", str(JAR), "org.HdrHistogram.HistogramLogProcessor", "-i", str(folder / INTERVALS)]
    total = sum(timed([*java, "-tag", tag]) for tag in tags)
    print(f"{f'HistogramLogProcessor, {len(tags)} tags':<44}{total:8.2f} s")


def timed(command: list[str]) -> float:
    begin_s = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin_s


if __name__ == "__main__":
    main()
