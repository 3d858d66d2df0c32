"""What the live screen in use costs, beside system monitors that people leave running.

    python -m benchmarks.monitors [--repeats 5] [--seconds 3]

btop, htop and s-tui at their defaults on the same terminal, one after the other, again and again. Ours measures one
model, idle, and draws four frames a second, while they draw one in one or two seconds: so ours is told a frame too. CPU
is read from outside, of the screen's process and of the probe's apart (the model's own is what is measured, no cost).
"""

from __future__ import annotations

from dataclasses import dataclass

import psutil

from benchmarks.others import OURS, cpu_ms, installed, missing, running
from benchmarks.proof import CannotProve, Effort, Limit, Proof, Row, judged, shown, skipped, stand_alone
from benchmarks.ratios import mean_of, mean_ratio

CLAIM = "The live screen in use is as light as a system monitor."
AIM = "a frame of the live screen at 120×40 takes at most 5 ms of CPU and 1.2 KB; btop, htop and s-tui for comparison."

CPU, KILOBYTES = Limit(high=5, unit=" ms"), Limit(high=1.2, unit=" KB")
START_S = 4.0
BURST_S = 0.1
"""What is written with no longer pause than this between belongs to one frame."""


@dataclass(frozen=True)
class Plan:
    repeats: int
    seconds: float


PLANS = {Effort.QUICK: Plan(1, 2.0), Effort.DEFAULT: Plan(5, 3.0), Effort.LONG: Plan(20, 15.0)}


@dataclass(frozen=True)
class Use:
    """Of one program over one stretch."""

    cpu_ms_s: float
    kilobytes_s: float
    frames_s: float
    probe_ms_s: float = 0.0


def measure(name: str, seconds: float) -> Use:
    """Start it, wait until it has settled, and look for so long."""
    with running(name) as program:
        program.watch(START_S)
        probe = _probe_of(program.pid) if name == OURS else None
        before, probe_before = cpu_ms(program.pid), cpu_ms(probe) if probe else 0.0
        program.chunks.clear()
        program.watch(seconds)
        after, probe_after = cpu_ms(program.pid), cpu_ms(probe) if probe else 0.0
        times = [at_s for at_s, _ in program.chunks]
        written = sum(len(data) for _, data in program.chunks)
    frames = sum(b - a > BURST_S for a, b in zip([0.0, *times], times, strict=False))
    return Use(
        (after - before) / seconds, written / 1e3 / seconds, frames / seconds, (probe_after - probe_before) / seconds
    )


def _probe_of(pid: int) -> int:
    for child in psutil.Process(pid).children():
        if "latvar_tui.device" in child.cmdline():
            return int(child.pid)
    raise RuntimeError("the live screen has no probe")


def prove(plan: Plan) -> Proof:
    """Measure and judge."""
    there = installed()
    uses: dict[str, list[Use]] = {name: [] for name in (OURS, *there)}
    try:
        for _ in range(plan.repeats):
            for name, found in uses.items():
                found.append(measure(name, plan.seconds))
    except FileNotFoundError as error:
        raise CannotProve(f"This platform does not show what other processes use ({error.filename}).") from error
    ours = uses[OURS]
    rows: list[Row] = [
        judged("CPU a frame", mean_of([use.cpu_ms_s / use.frames_s for use in ours]), CPU, 2),
        judged("written a frame", mean_of([use.kilobytes_s / use.frames_s for use in ours]), KILOBYTES),
        shown("CPU of the probe a frame", mean_of([use.probe_ms_s / use.frames_s for use in ours]), " ms", 2),
    ]
    for name, found in uses.items():
        label = name if name == OURS else f"{name} {there[name]}"
        rows.append(shown(f"{label}: CPU a second", mean_of([use.cpu_ms_s for use in found]), " ms", 1))
        rows.append(shown(f"{label}: written a second", mean_of([use.kilobytes_s for use in found]), " KB", 2))
        rows.append(shown(f"{label}: frames a second", mean_of([use.frames_s for use in found]), "", 1))
        if name != OURS:
            pairs = list(zip(ours, found, strict=True))
            frames = [(a.cpu_ms_s / a.frames_s, b.cpu_ms_s / b.frames_s) for a, b in pairs if b.frames_s]
            if frames:
                rows.append(shown(f"ours ÷ {name}, CPU a frame", mean_ratio(frames)))
            rows.append(shown(f"ours ÷ {name}, CPU", mean_ratio([(a.cpu_ms_s, b.cpu_ms_s) for a, b in pairs])))
            rows.append(shown(f"ours ÷ {name}, bytes", mean_ratio([(a.kilobytes_s, b.kilobytes_s) for a, b in pairs])))
    rows += [skipped(name, why) for name, why in missing(there).items()]
    return Proof("monitors", CLAIM, f"{plan.repeats} times {plan.seconds:g} s of each, by turns, 120×40", rows)


if __name__ == "__main__":
    stand_alone(__name__)
