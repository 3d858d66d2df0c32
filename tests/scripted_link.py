"""Frames by hand: what a probe would send, without one, and the same on every machine and every day.

    frames = session(["small", "large"], ["0xcpu@100%", "4xcpu@100%"], slices_per_cell=12)
    board = board_of(["small", "large"], frames)

`line_up` reads candidates as for a device of CORES cores whatever this one has, so names, frames and
pictures of them are the same everywhere. Board and screen need the line-up that the frames are of.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from latvar_tui import wire, zoo
from latvar_tui.candidate import Candidate, parse_candidates
from latvar_tui.condition import parse_condition
from latvar_tui.device.binning import counts_of, wait_sums
from latvar_tui.study.board import Board
from latvar_tui.zoo.entries import model_id

CORES = 2
MS = 1_000_000
"""Nanoseconds in a millisecond."""

BEGIN_NS = 1_000_000_000_000
"""The probe's clock at the first frame of a session."""

NOBODY = (1 << 22) + 1
"""No process has this pid: Linux's highest is one less, and other systems' are lower."""

DEVICE: Mapping[str, object] = {
    "name": "bench-board",
    "cpu": "Example CPU @ 2.00GHz",
    "cores": CORES,
    "physical_cores": CORES,
    "os": "Linux 6.1.0",
    "machine": "x86_64",
    "python": "3.12.0",
    "numpy": "2.0.0",
    "onnxruntime": "1.20.0",
    "providers": ["cpu", "xnnpack"],
    "governor": None,
    "autogroup": "0",
    "pid": 4242,
}

NO_STRESS = wire.Reading(reason="no stress was asked for")

READINGS: Mapping[str, wire.Reading] = {
    "frequency_mhz": wire.Reading(2000.0),
    "temperature_c": wire.Reading(reason="no thermal zone can be read"),
    "load_1min": wire.Reading(1.25),
    "memory_available_mb": wire.Reading(2048.0),
    "cpu_pct": wire.Reading(87.5),
    "steal_pct": wire.Reading(0.0),
}


def line_up(texts: Sequence[str]) -> list[Candidate]:
    """The candidates that ``texts`` name on a device of CORES cores."""
    return parse_candidates(texts, CORES)


def board_of(texts: Sequence[str], frames: Iterable[wire.Frame] = ()) -> Board:
    """A board for ``texts`` that has taken ``frames``."""
    board = Board(line_up(texts))
    for frame in frames:
        board.take(frame)
    return board


def hello() -> wire.Hello:
    """The first frame. Its processes do not exist, so that whoever would end them ends nobody."""
    return wire.Hello(DEVICE, NOBODY, NOBODY, monotonic_ns=BEGIN_NS, wall_ns=1_700_000_000 * 10**9)


def state_frame(candidate: str | Candidate, state: str, reason: str = "") -> wire.State:
    """What has become of a candidate; ``ready`` ones take 20.0 MB, and say what loading took."""
    if state != "ready":
        return wire.State(_text(candidate), state, reason)
    return wire.State(
        _text(candidate), state, reason, memory_mb=20.0, load_ms=41.5, cold_ms=[12.3, 4.1, 3.9, 4.0, 3.8, 3.9],
        warm_ms=3.9, inputs=["input float32 1x3x224x224"], identity=_identity(candidate),
    )  # fmt: skip


def _identity(candidate: str | Candidate) -> str:
    """As the runner tells it, of a model of the zoo."""
    found = line_up([candidate])[0] if isinstance(candidate, str) else candidate
    entry = zoo.catalogue().get(model_id(found.model, found.precision))
    return entry.key if entry else ""


def slice_frame(
    seq: int,
    candidate: str | Candidate,
    condition: str,
    values_ns: npt.ArrayLike,
    *,
    waits_ns: npt.ArrayLike | None = None,
    start_ns: int | None = None,
    end_ns: int | None = None,
    gap_ns: int = 5 * MS,
    round_number: int = 0,
    place: int = 0,
    settling: int = 5,
    settling_ns: int = 8 * MS,
    dropped: int = 0,
    disturbed: int = 0,
    wait_unavailable: str = "this platform shows no run-queue delay",
    sensors: Mapping[str, wire.Reading] = READINGS,
    notes: Sequence[str] = (),
    stress_cpu: wire.Reading = NO_STRESS,
    **more: Any,
) -> wire.Slice:
    """One slice of these service times (ns), equal to what its line on the wire is read as.

    Args:
        candidate: a Candidate, or its text (read as by `line_up`).
        waits_ns: the share of each time spent waiting for a core; None for a platform that has none
            to show, for the reason ``wait_unavailable``.
        start_ns: begins this late on the probe's clock; without it, at one of 300 ms steps by ``seq``.
        end_ns: without it, settling and the times themselves fill the slice to the last nanosecond.
        gap_ns: the pause before it.
        more: other fields of the frame.
    """
    values = np.asarray(values_ns, np.int64).ravel()
    waits = None if waits_ns is None else np.asarray(waits_ns, np.int64).ravel()
    service = counts_of(values)
    start_ns = BEGIN_NS + 300 * MS * seq if start_ns is None else start_ns
    starts = start_ns + settling_ns + np.cumsum(values) - values
    slowest = np.argsort(values, kind="stable")[::-1][: wire.MOST_SLOWEST]
    return wire.Slice(
        seq=seq,
        candidate=_text(candidate),
        condition=condition,
        round=round_number,
        place=place,
        start_ns=start_ns,
        end_ns=start_ns + settling_ns + service.sum_ns if end_ns is None else end_ns,
        gap_ns=gap_ns,
        settling_ns=settling_ns,
        inferences=values.size,
        settling=settling,
        dropped=dropped,
        disturbed=disturbed,
        service=service,
        wait=wire.Counts(pairs=[], unavailable=wait_unavailable) if waits is None else counts_of(waits),
        sensors=sensors,
        notes=list(notes),
        stress_cpu=stress_cpu,
        wait_sums=[] if waits is None else wait_sums(values, waits),
        slowest=[[int(starts[i]), int(values[i]), -1 if waits is None else int(waits[i]), 0, 0] for i in slowest],
        **more,
    )


def session(
    candidates: Sequence[str],
    conditions: Sequence[str],
    slices_per_cell: int = 12,
    seed: int = 1,
    *,
    slice_ms: float = 250.0,
) -> list[wire.Frame]:
    """Everything a probe sends while the conditions are gone through in this order.

    Hello; each candidate ``loading``, then each ``ready``; under each condition ``slices_per_cell``
    rounds of one slice of every candidate in shuffled order, gaps of 4 to 7 ms between all slices.

    Candidate *i* takes 2 ms × 1.6ⁱ, lognormal. Under stress some of its inferences wait for a core,
    and have a second hump for it: some 4 ms × stress threads per core later. Every other candidate,
    from the first on, meets that fifteen times as often. So the first has the smallest p50 everywhere
    and the smallest p99 when idle, but from 2 stress threads on the second has the smaller p99.
    """
    random = np.random.default_rng(seed)
    ids = [str(candidate) for candidate in line_up(candidates)]
    frames: list[wire.Frame] = [hello()]
    frames += [state_frame(name, "loading") for name in ids]
    frames += [state_frame(name, "ready") for name in ids]
    seq, now_ns, round_number = 0, BEGIN_NS, 0
    for condition in conditions:
        for _ in range(slices_per_cell):
            for place, which in enumerate(random.permutation(len(ids)).tolist()):
                seq += 1
                gap_ns = int(random.integers(4 * MS, 7 * MS))
                values, waits = _times(random, which, condition, slice_ms)
                frame = slice_frame(
                    seq, ids[which], condition, values, waits_ns=waits, start_ns=now_ns + gap_ns,
                    gap_ns=gap_ns, round_number=round_number, place=place, counters=_counters(waits),
                )  # fmt: skip
                stress = parse_condition(condition)
                if not stress.is_idle:
                    got_ns = (frame.end_ns - frame.start_ns) * min(CORES, stress.stress_threads) * 0.6
                    frame = replace(frame, stress_cpu=wire.Reading(float(round(got_ns))))
                frames.append(frame)
                now_ns = frame.end_ns
            round_number += 1
    return frames


def _counters(waits_ns: npt.NDArray[np.int64]) -> dict[str, wire.Reading]:
    """Of a kernel that counts no migrations: a preemption for each wait, and a pool that waits half as long again."""
    return {
        "pool_wait_ns": wire.Reading(float(waits_ns.sum() * 3 // 2)),
        "involuntary_switches": wire.Reading(float(np.count_nonzero(waits_ns))),
        "migrations": wire.Reading(reason="this kernel shows no migrations (it has no /proc/PID/sched)"),
    }


def _times(
    random: np.random.Generator, which: int, condition: str, slice_ms: float
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """One slice's service times and the waits within them (ns): as many as fill ``slice_ms``."""
    stress = parse_condition(condition)
    median_ns = 2 * MS * 1.6**which
    enough = int(2 * slice_ms * MS / median_ns) + 2
    running = median_ns * random.lognormal(0.0, 0.08, enough)
    pressure = stress.stress_threads / CORES * stress.load_pct / 100
    meets = random.random(enough) < min(0.5, 0.05 * pressure) * (1.0 if which % 2 == 0 else 1 / 15)
    waiting = np.where(meets, 4 * MS * pressure * random.lognormal(0.0, 0.3, enough), 0.0)
    # Whole microseconds: the last digits of a logarithm differ from one machine's libm to another's.
    values = np.round((running + waiting) / 1000).astype(np.int64) * 1000
    waits = np.minimum(np.round(waiting / 1000).astype(np.int64) * 1000, values)
    # The inference that is running when the time is up is finished and counted.
    kept = int(np.searchsorted(np.cumsum(values), slice_ms * MS)) + 1
    return values[:kept], waits[:kept]


def _text(candidate: str | Candidate) -> str:
    return str(line_up([candidate])[0] if isinstance(candidate, str) else candidate)
