"""The observer effect: what the live screen adds to the latencies it shows, and how long it makes the probe pause.

    python -m benchmarks.observer [--pairs 5] [--seconds 4] [--blocks 12] [--threads 0 2 4] [--modes drawn empty ...]

Two experiments. *Apart*: the same candidates with the screen on a pseudo-terminal and headless, in alternating order,
each run a new probe: the whole effect, and the spread from process to process. *Within*: one session in which the gaps
are, a round at a time in shuffled blocks, drawn in or left empty: the same processes on both sides, so much less
spread. With ``--long`` also slept in or burnt in for as long as drawing takes, or left empty and the screen woken ten
times in the slice that follows: where screen and headless differ, these tell whether the length of the gap, the use of
the core or a screen that is not quite asleep does it.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import latvar_tui.tui.app
from benchmarks.gated import slices_of
from benchmarks.proof import CannotProve, Effort, Limit, Proof, Row, judged, shown, stand_alone
from benchmarks.ratios import Side, mean, mean_of, pooled, quantile, ratio, share_beyond, twice_median_ns
from latvar_tui import wire
from latvar_tui.candidate import parse_candidates
from latvar_tui.condition import Condition
from latvar_tui.device.cores import physical_cores, usable_cores
from latvar_tui.histogram import Histogram
from latvar_tui.link import Link
from latvar_tui.session.recorder import SessionRecorder
from latvar_tui.tui.app import LiveApp
from latvar_tui.tui.frame_pace import FramePace
from latvar_tui.zoo import DEFAULT_LINE_UP
from tests.on_pty import run_on_pty

CLAIM = "The live screen does not change the latencies that it shows, and measuring pauses for it only briefly."
AIM = (
    "screen ÷ headless: p50 at most 1.01 (idle), mean, p99 and share of slow inferences (stressed) at most 1.05; "
    "pauses at most 3 % of the wall time at up to 4 frames a second; under 0, 2 and 4 stress threads."
)

P50, OTHERS, PAUSES = Limit(high=1.01), Limit(high=1.05), Limit(high=3, unit=" %")
MODES = ("drawn", "empty", "slept", "burnt", "woken")
USUAL_GAP_S = 0.006
BEGINNING = 4
"""Slices, a second: in the gaps after them panels are painted for the first time. Use of the time is told without."""
WAKE_EVERY_S = 0.025


@dataclass(frozen=True)
class Plan:
    pairs: int
    seconds: float
    blocks: int
    """Of the experiment within a session: each has a round of every mode."""
    threads: tuple[int, ...]
    modes: tuple[str, ...] = MODES[:2]


PLANS = {
    Effort.QUICK: Plan(2, 2.5, 3, (2,)),
    Effort.DEFAULT: Plan(5, 4.0, 12, (0, 2, 4)),
    Effort.LONG: Plan(40, 4.0, 120, (0, 1, 2, 4), MODES),
}


class TimedLink(Link):
    """A link that keeps the slices, and ends its screen after so many seconds of them."""

    def __init__(self, seconds: float, condition: str) -> None:
        super().__init__(force=True)
        self.app: LiveApp | None = None
        self.slices: list[wire.Slice] = []
        self.over = False
        self._seconds, self._condition, self._began_ns = seconds, condition, 0

    def receive(self) -> list[wire.Frame]:
        frames = super().receive()
        for frame in frames:
            if isinstance(frame, wire.Failure):
                raise RuntimeError(frame.text)
            if isinstance(frame, wire.Slice) and frame.condition == self._condition:
                self.slices.append(frame)
                self._began_ns = self._began_ns or frame.start_ns
                if frame.end_ns - self._began_ns >= self._seconds * 1e9:
                    self.over = True
                    if self.app is not None:
                        self.app.exit(0)
        return frames


class Alternating(LiveApp):
    """The live screen that draws in some gaps only. ``modes[seq]`` is what the gap before slice ``seq`` was like."""

    CSS_PATH = str(Path(latvar_tui.tui.app.__file__).with_name("live.tcss"))

    def __init__(self, *arguments: Any, modes: Sequence[str], **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.modes: dict[int, tuple[int, str]] = {}
        self._mode = "drawn"
        self._order = _blocks(modes)
        self._waking = threading.Event()
        threading.Thread(target=self._wake, daemon=True).start()

    def _wake(self) -> None:
        """Be awake for a moment now and then, as a thread that polls is."""
        while self._waking.wait():
            time.sleep(WAKE_EVERY_S)

    def take_frames(self, frames: Sequence[wire.Frame], lost: str | None) -> None:
        for frame in frames:
            if isinstance(frame, wire.Slice):
                # After a round's last slice: a round of every candidate follows the gaps of one mode.
                if frame.seq % len(self.board.contenders) == 0 or not self.modes:
                    self._block, self._mode = next(self._order)
                self.modes[frame.seq + 1] = self._block, self._mode
        super().take_frames(frames, lost)

    def draw(self) -> None:
        """Draw, or do what the round's mode says in its place."""
        if self._mode == "woken":
            self._waking.set()
        else:
            self._waking.clear()
        if self._mode == "drawn":
            super().draw()
        elif self._mode == "slept":
            time.sleep(USUAL_GAP_S)
        elif self._mode == "burnt":
            until_s = time.perf_counter() + USUAL_GAP_S
            while time.perf_counter() < until_s:
                pass


def _blocks(modes: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Block after block of all modes, shuffled anew."""
    shuffle, block = random.Random(0), 0
    while True:
        yield from ((block, mode) for mode in shuffle.sample(modes, len(modes)))
        block += 1


def run_child(way: str, out: Path, seconds: float, threads: int, modes: Sequence[str]) -> None:
    """One run, in its own process; leaves its histograms and how the time was spent in ``out``."""
    candidates = parse_candidates(DEFAULT_LINE_UP, physical_cores())
    condition = Condition(threads)
    link = TimedLink(seconds, str(condition))
    link.send(wire.Start([str(candidate) for candidate in candidates], str(condition)))
    sides: dict[str, dict[str, str]]
    if way == "headless":
        link.send(wire.Go(0))
        for _ in slices_of(link):
            if link.over:
                break
    else:
        kind = partial(Alternating, modes=modes) if way == "within" else LiveApp
        recorder = SessionRecorder(candidates, {}, out.parent / "session")  # as the live screen does unless told not to
        app = kind(link, lambda *_: link, candidates, condition, maximum=8, cores=usable_cores(), recorder=recorder)
        app.pace = FramePace(sparing=way != "within")  # as for a user; within, the modes say which are drawn
        link.app = app
        app.run()
        recorder.close("left")
    link.close()
    if way == "within":
        assert isinstance(app, Alternating)
        last = max(block for block, _ in app.modes.values())
        by_side: dict[str, list[wire.Slice]] = {
            f"{block} {mode}": [s for s in link.slices if app.modes.get(s.seq) == (block, mode)]
            for block in range(last)
            for mode in modes
        }
    else:
        by_side = {way: link.slices}
    sides = {name: _encoded(slices, [str(candidate) for candidate in candidates]) for name, slices in by_side.items()}
    steady = link.slices[BEGINNING:]
    whole_ns = sum(s.gap_ns + s.end_ns - s.start_ns for s in steady)
    skipped = app.pace.skipped if way == "screen" else 0
    found = {
        "sides": sides,
        "pauses": sum(s.gap_ns for s in steady) / whole_ns,
        "settling": sum(s.settling_ns for s in steady) / whole_ns,
        "counted": sum(s.service.sum_ns for s in steady) / whole_ns,
        "drawn": 1 - skipped / len(link.slices),
        "ungated": sum("ungated" in s.notes for s in steady) / len(steady),
    }
    out.write_text(json.dumps(found))


def _encoded(slices: list[wire.Slice], names: list[str]) -> dict[str, str]:
    histograms = {name: Histogram() for name in names}
    for one in slices:
        histograms[one.candidate].add_counts(one.service)
    return {name: histogram.encode() for name, histogram in histograms.items()}


def one_run(
    way: str, seconds: float, threads: int, modes: Sequence[str] = ()
) -> tuple[dict[str, Side], dict[str, float]]:
    """Run a child on a pseudo-terminal (or without one) and read what it found: sides by name, and shares of time."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "found.json")
        child = ["-m", "benchmarks.observer", "--child", way, str(out), str(seconds), str(threads), *modes]
        if way == "headless":
            subprocess.run([sys.executable, *child], check=True, timeout=seconds + 120)
        else:
            run_on_pty(*child)
        found = json.loads(out.read_text())
    sides: dict[str, Side] = {
        side: {name: Histogram.decode(text) for name, text in histograms.items()}
        for side, histograms in found.pop("sides").items()
    }
    return sides, found


def prove(plan: Plan) -> Proof:
    """Measure and judge."""
    if plan.seconds < 1.5:
        raise CannotProve("Pauses are told from a second on: give each run at least 1.5 with --seconds.")
    if not {"drawn", "empty"} <= set(plan.modes) <= set(MODES):
        raise CannotProve(f"Gaps are drawn in and left empty, at least: choose --modes among {', '.join(MODES)}.")
    rows: list[Row] = []
    idle, _ = one_run("headless", 2.0, 0)
    limits_ns = twice_median_ns(idle["headless"])
    for threads in plan.threads:
        where = "idle" if not threads else f"{threads} stress threads"
        rows += apart(plan, threads, where, limits_ns)
        rows += within(plan, threads, where, limits_ns)
    how = (
        f"Apart: {plan.pairs} pairs of {plan.seconds:g} s; within: {plan.blocks} blocks of a round of each mode; "
        f"{', '.join(DEFAULT_LINE_UP)}; geometric mean over them"
    )
    return Proof("observer", CLAIM, how, rows)


def apart(plan: Plan, threads: int, where: str, limits_ns: dict[str, float]) -> list[Row]:
    """Screen against headless, a process for each run."""
    pairs: list[tuple[Side, Side]] = []
    spent: list[dict[str, float]] = []
    for pair in range(plan.pairs):
        order = ["screen", "headless"] if pair % 2 == 0 else ["headless", "screen"]
        runs = {way: one_run(way, plan.seconds, threads) for way in order}
        pairs.append((runs["screen"][0]["screen"], runs["headless"][0]["headless"]))
        spent.append(runs["screen"][1])
    rows = _compared(f"{where}: screen ÷ headless", pairs, threads, limits_ns)
    rows.append(judged(f"{where}: pauses", mean_of([100 * one["pauses"] for one in spent]), PAUSES, 2))
    for name in ("drawn", "settling", "counted", "ungated"):
        rows.append(shown(f"{where}: {name}", mean_of([100 * one[name] for one in spent]), " %", 2))
    return rows


def within(plan: Plan, threads: int, where: str, limits_ns: dict[str, float]) -> list[Row]:
    """Drawn gaps against others, in one session."""
    rounds_s = 0.27 * len(DEFAULT_LINE_UP)
    sides, _ = one_run("within", rounds_s * len(plan.modes) * (plan.blocks + 1.5), threads, plan.modes)
    blocks = sorted({int(name.split()[0]) for name in sides})[1:]  # the first one warms up

    def pairs_of(one: str, other: str) -> list[tuple[Side, Side]]:
        return [(sides[f"{block} {one}"], sides[f"{block} {other}"]) for block in blocks]

    rows = _compared(f"{where}: drawn ÷ empty gaps", pairs_of("drawn", "empty"), threads, limits_ns)
    for mode in plan.modes:
        if mode in MODES[:2]:
            continue
        pairs = pairs_of(mode, "empty")
        found = {"mean": ratio(pairs, mean), "p90": ratio(pairs, quantile(90.0)), "p99": ratio(pairs, quantile(99.0))}
        if threads:
            found["slow"] = ratio(pairs, share_beyond(limits_ns))
        text = ", ".join(f"{name} {interval}" for name, interval in found.items())
        rows.append(shown(f"{where}: {mode} ÷ empty gaps", text))
    return rows


def _compared(label: str, pairs: list[tuple[Side, Side]], threads: int, limits_ns: dict[str, float]) -> list[Row]:
    rows = []
    # Under stress the median lies between two humps and jumps; the share of the slow one and the mean are judged there.
    if threads:
        p50 = shown(f"{label}, p50", ratio(pairs, quantile(50.0)))
        shares = []
        for side in (0, 1):
            together = pooled([pair[side] for pair in pairs])
            slow = [h.count_beyond(round(limits_ns[name])) / h.total for name, h in together.items() if h.total]
            shares.append(f"{100 * sum(slow) / len(slow):.1f} %")
        share = f"{label}, share above twice the idle median ({' and '.join(shares)})"
        rows.append(judged(share, ratio(pairs, share_beyond(limits_ns)), OTHERS))
    else:
        p50 = judged(f"{label}, p50", ratio(pairs, quantile(50.0)), P50)
    rows.append(p50)
    rows.append(judged(f"{label}, mean", ratio(pairs, mean), OTHERS))
    rows += [shown(f"{label}, p{q:g}", ratio(pairs, quantile(q))) for q in (90.0, 95.0)]
    rows.append(judged(f"{label}, p99", ratio(pairs, quantile(99.0)), OTHERS))
    return rows


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        run_child(sys.argv[2], Path(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5]), sys.argv[6:])
    else:
        stand_alone(__name__)
