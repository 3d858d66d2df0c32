"""Memory over half an hour, accelerated: does anything grow?

    python -m benchmarks.memory [--frames 7200] [--line-ups 3] [--seconds 40]

The screen is fed a scripted session as fast as it draws: as many frames as half an hour at four a second has, through
five conditions, with a note now and then; its resident memory is read every 50 frames. The probe and its runners
measure real models in slices of 20 ms with nothing drawn, so that a minute has as many as several.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count, cycle
from pathlib import Path

from benchmarks.fed import Feed
from benchmarks.gated import slices_of
from benchmarks.proof import CannotProve, Effort, Limit, Proof, Row, Verdict, shown, stand_alone
from latvar_tui import wire, zoo
from latvar_tui.candidate import parse_candidates
from latvar_tui.condition import IDLE
from latvar_tui.device.cores import physical_cores
from latvar_tui.link import Link
from latvar_tui.tui.app import LiveApp
from tests.on_pty import run_on_pty
from tests.scripted_link import CORES, line_up, session, slice_frame

CLAIM = "Neither the screen nor the probe grows while it runs."
AIM = (
    "less than 5 MB more after half an hour at four frames a second than after its first five minutes: the screen; "
    "probe, runners and stressor together."
)

LIMIT = Limit(high=5, unit=" MB")
HALF_AN_HOUR = 7200
READ_EVERY = 50
WARM = 1 / 6
"""The part of a run, five minutes of half an hour, after which memory is first read: every condition has been there."""

PATTERN_SLICES = 40
"""A candidate and condition: from there on the same slices come again, with new times and numbers."""

CONDITIONS = ("0xcpu@100%", "1xcpu@100%", "2xcpu@100%", "4xcpu@100%", "2xmem@50%")
SLICE_MS = 20.0


@dataclass(frozen=True)
class Plan:
    frames: int
    line_ups: tuple[int, ...]
    seconds: float


PLANS = {
    Effort.QUICK: Plan(800, (3,), 4.0),
    Effort.DEFAULT: Plan(HALF_AN_HOUR, (3,), 40.0),
    Effort.LONG: Plan(8 * HALF_AN_HOUR, (1, 3, 8), 600.0),
}


def resident_mb(pid: int | str = "self") -> float:
    """Resident memory of a process, MB."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def endless(models: tuple[str, ...], total: int) -> Iterator[wire.Frame]:
    """Frames of a session that never ends, of few that are kept: what feeds must not grow itself.

    A sixth of ``total`` goes through the conditions once, and then on and on.
    """
    conditions = cycle(CONDITIONS)
    stay = max(1, round(total * WARM / len(CONDITIONS)))
    pattern = {}
    for condition in CONDITIONS:
        frames = session(models, [condition], PATTERN_SLICES)
        head = [frame for frame in frames if not isinstance(frame, wire.Slice)]
        pattern[condition] = [frame for frame in frames if isinstance(frame, wire.Slice)]
    yield from head
    now_ns, rounds, seq = 1_000_000_000_000, 0, count(1)
    while True:
        of_condition = cycle(pattern[next(conditions)])
        for number in range(stay):
            frame = next(of_condition)
            length_ns = frame.end_ns - frame.start_ns
            start_ns = now_ns + frame.gap_ns
            now_ns = start_ns + length_ns
            notes = [f"note {rounds}.{number}"] if number % 100 == 0 else []
            moved = [[one[0] - frame.start_ns + start_ns, *one[1:]] for one in frame.slowest]
            yield replace(
                frame, seq=next(seq), start_ns=start_ns, end_ns=now_ns, round=rounds, notes=notes, slowest=moved
            )
            rounds += number % len(models) == len(models) - 1


class Reading(Feed):
    """Reads the screen's memory now and then."""

    def __init__(self, frames: Iterator[wire.Frame], total: int, out: Path) -> None:
        super().__init__(out)
        self._frames, self._left = frames, total
        self._found: list[float] = []

    def next_frame(self) -> wire.Frame:
        # Through the wire, as real ones: a scripted frame is shared, a read one is new.
        frame = wire.decode_frame(wire.encode(next(self._frames)))
        assert frame is not None
        return frame

    def drawn(self) -> object:
        if self._left % READ_EVERY == 0:
            self._found.append(resident_mb())
        self._left -= 1
        return None if self._left >= 0 else self._found


def show(out: Path, frames: int, candidates: int) -> None:
    """In the child: the screen itself."""
    models = tuple(zoo.catalogue())[:candidates]
    slice_frame(0, models[0], CONDITIONS[0], [1])  # what is imported for it is no growth
    feed = Reading(endless(models, frames), frames, out)
    app = LiveApp(feed, lambda *_: feed, line_up(models), IDLE, maximum=4, cores=CORES)
    feed.app = app
    app.run()


def of_screen(frames: int, candidates: int) -> list[float]:
    """Resident memory of the screen while it draws so many frames, MB."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "memory.json")
        run_on_pty("-m", "benchmarks.memory", "--child", str(out), str(frames), str(candidates))
        found: list[float] = json.loads(out.read_text())
        return found


def of_probe(seconds: float) -> tuple[list[float], int]:
    """Resident memory of probe, runners and stressor together while they measure, MB; and in how many slices."""
    names = [str(candidate) for candidate in parse_candidates(zoo.DEFAULT_LINE_UP, physical_cores())]
    link = Link(force=True)
    found: list[float] = []
    slices, began_ns = 0, 0
    try:
        link.send(wire.Start(names, "1xcpu@100%", SLICE_MS))
        link.send(wire.Go(0))
        for frame in slices_of(link):
            slices += 1
            began_ns = began_ns or frame.start_ns
            if slices % READ_EVERY == 1:
                found.append(sum(resident_mb(pid) for pid in (link.pid, *link.pids)))
            if frame.end_ns - began_ns >= seconds * 1e9:
                return found, slices
    finally:
        link.close()
    raise AssertionError("frames end with an exception")


def growth(label: str, readings: list[float]) -> list[Row]:
    """From the end of the warm-up to the end; the highest counts, so that a collection at the end hides nothing."""
    begin = round(len(readings) * WARM)
    grown = max(readings[begin:]) - readings[begin]
    verdict = Verdict.MET if grown <= LIMIT.high else Verdict.MISSED
    trend = ", ".join(f"{readings[round(part * (len(readings) - 1) / 6)]:.1f}" for part in range(7))
    return [
        Row(f"{label}: growth", f"{grown:.2f} MB", str(LIMIT), verdict),
        shown(f"{label}: resident, by sixths of the run", trend, " MB"),
    ]


def prove(plan: Plan) -> Proof:
    """Measure and judge."""
    if not Path("/proc/self/statm").exists():
        raise CannotProve("This platform does not show a process's memory in /proc.")
    rows: list[Row] = []
    for candidates in plan.line_ups:
        label = f"screen, {candidates} candidate{'s' * (candidates > 1)}, {plan.frames} frames"
        rows += growth(label, of_screen(plan.frames, candidates))
    readings, slices = of_probe(plan.seconds)
    rows += growth(f"probe and runners, {slices} slices", readings)
    how = f"{plan.frames} frames are {plan.frames / 240:g} minutes at four a second; the first sixth warms up"
    return Proof("memory", CLAIM, how, rows)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        show(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
    else:
        stand_alone(__name__)
