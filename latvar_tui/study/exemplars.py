"""The ten slowest inferences of a cell, and in a word what likely made each slow.

A slice names its ten slowest, so the ten kept here are the cell's slowest, whatever the number of slices.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from latvar_tui import wire

MOST = 10
"""Kept for a cell; no more than a slice names, or they would not be exact."""

HALF = 0.5
"""A cause explains an inference if it accounts for at least so much of what it took beyond the median."""

ORDINARY = 1.25
"""Up to so many times the median there is nothing to explain: caches and branch predictors do as much."""

JUST_THAWED_NS = 10_000_000
"""So long after the settling inferences a candidate may still be finding its caches: as long as settling lasts."""


@dataclass(frozen=True)
class Circumstances:
    """A slice as far as it bears on its inferences. ``counters`` and ``stress_cpu`` are the whole slice's totals."""

    start_ns: int
    end_ns: int
    settling_ns: int
    open_loop: bool
    disturbed: int
    ungated: bool
    wait_unavailable: str | None
    marks: Sequence[str]
    counters: Mapping[str, wire.Reading]
    sensors: Mapping[str, wire.Reading]
    stress_cpu: wire.Reading


@dataclass(frozen=True)
class Exemplar:
    """One inference, as :data:`latvar_tui.wire.SLOWEST` has it; ``wait_ns`` is None where that is not told."""

    start_ns: int
    service_ns: int
    wait_ns: int | None
    queued_ns: int
    woken_ns: int
    within: Circumstances

    @property
    def latency_ns(self) -> int:
        """From when it was due to its end; in closed loop that is its service time."""
        return self.queued_ns + self.woken_ns + self.service_ns

    @property
    def into_slice_ns(self) -> int:
        """How long after the thaw it began."""
        return self.start_ns - self.within.start_ns

    @property
    def is_just_thawed(self) -> bool:
        """Whether it is among the first that count of its slice."""
        return self.into_slice_ns - self.within.settling_ns < JUST_THAWED_NS

    def total(self, counter: str) -> wire.Reading:
        """A counter of its slice, by its name on the wire."""
        return self.within.counters.get(counter, wire.Reading(reason="not told"))

    def sensor(self, name: str) -> wire.Reading:
        """What a sensor read in the gap before its slice."""
        return self.within.sensors.get(name, wire.Reading(reason="not told"))


class Exemplars:
    """The slowest inferences of the slices taken in: a few, however many there are."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Exemplar]] = []  # the least slow on top; the number settles ties
        self._seen = 0

    def add(self, frame: wire.Slice) -> None:
        """Take one slice in."""
        within: Circumstances | None = None
        for start_ns, service_ns, wait_ns, queued_ns, woken_ns in frame.slowest:
            latency_ns = queued_ns + woken_ns + service_ns
            if len(self._heap) == MOST and latency_ns <= self._heap[0][0]:
                continue
            within = within or _circumstances(frame)
            exemplar = Exemplar(start_ns, service_ns, None if wait_ns < 0 else wait_ns, queued_ns, woken_ns, within)
            self._seen += 1
            entry = latency_ns, -self._seen, exemplar
            (heapq.heappushpop if len(self._heap) == MOST else heapq.heappush)(self._heap, entry)

    @property
    def slowest(self) -> list[Exemplar]:
        """The slowest first; of equally slow ones the earlier."""
        return [exemplar for _, _, exemplar in sorted(self._heap, key=lambda entry: entry[:2], reverse=True)]


def _circumstances(frame: wire.Slice) -> Circumstances:
    return Circumstances(
        start_ns=frame.start_ns,
        end_ns=frame.end_ns,
        settling_ns=frame.settling_ns,
        open_loop=frame.response is not None,
        disturbed=frame.disturbed,
        ungated="ungated" in frame.notes,
        wait_unavailable=frame.wait.unavailable,
        marks=tuple(frame.marks),
        counters=dict(frame.counters),
        sensors=frame.sensors,
        stress_cpu=frame.stress_cpu,
    )


# -- what likely made it slow -----------------------------------------------------------------------


@dataclass(frozen=True)
class _Case:
    """An inference beside the median of its cell (ns)."""

    exemplar: Exemplar
    median_ns: int

    @property
    def excess_ns(self) -> int:
        return max(0, self.exemplar.latency_ns - self.median_ns)

    @property
    def share_of_slice(self) -> float:
        """Of its slice's time that it took: what a total of the slice may count for it, if all moments were alike."""
        within = self.exemplar.within
        return min(1.0, self.exemplar.service_ns / max(1, within.end_ns - within.start_ns))

    def explained_by(self, time_ns: float | None) -> bool:
        return time_ns is not None and time_ns >= HALF * self.excess_ns


@dataclass(frozen=True)
class Cause:
    """``word`` stands in the table; ``means`` explains it, with its threshold. A cause is a hint, no proof."""

    word: str
    means: str
    holds: Callable[[_Case], bool]


def _pool_waited(case: _Case) -> bool:
    total_ns = case.exemplar.total("pool_wait_ns").value
    return total_ns is not None and case.explained_by(total_ns * case.share_of_slice)


def _marked(*marks: str) -> Callable[[_Case], bool]:
    return lambda case: bool(set(marks) & set(case.exemplar.within.marks))


CAUSES: tuple[Cause, ...] = (
    # Its clock may have run on while nothing ran: no other number of such a slice says anything.
    Cause("suspended", "the device slept during its slice", _marked("suspended")),
    Cause(
        "ordinary",
        "it took at most a quarter more than the median",
        lambda case: case.exemplar.latency_ns <= ORDINARY * case.median_ns,
    ),
    Cause(
        "queued",
        "at least half of what it took beyond the median it stood in the queue, until the one before had ended",
        lambda case: case.exemplar.queued_ns > 0 and case.explained_by(case.exemplar.queued_ns),
    ),
    # The only evidence that is this inference's own.
    Cause(
        "preempted",
        "at least half of what it took beyond the median its calling thread was ready, but had no core",
        lambda case: case.explained_by(case.exemplar.wait_ns),
    ),
    Cause(
        "woken late",
        "at least half of what it took beyond the median its thread slept on when it was due, though a core was free",
        lambda case: case.exemplar.woken_ns > 0 and case.explained_by(case.exemplar.woken_ns),
    ),
    # From here on it is the slice's: what could have made any of its inferences slow.
    Cause(
        "pool waited",
        "its share of what the model's other threads waited for cores in its slice is half of what it took beyond the "
        "median, or more",
        _pool_waited,
    ),
    Cause("throttled", "the device throttled in its slice, for its temperature or supply", _marked("throttled")),
    Cause("quota", "a CPU quota held its processes back in its slice", _marked("quota")),
    Cause("cpuset", "the cores it may use changed in its slice", _marked("cpuset")),
    Cause("frequency", "the clock frequency or its governor changed in its slice", _marked("frequency", "governor")),
    Cause("stolen", "a hypervisor took time from its slice", _marked("steal")),
    Cause("others", "other programs took CPU time during its slice", _marked("others")),
    Cause("key struck", "a key was answered during its slice", lambda case: case.exemplar.within.disturbed > 0),
    Cause(
        "screen drew",
        "its slice began before the screen had said that it had finished drawing",
        lambda case: case.exemplar.within.ungated,
    ),
    Cause(
        "just thawed",
        "it is among the first of its slice, within 10 ms after the settling ones",
        lambda case: case.exemplar.is_just_thawed,
    ),
    Cause("unexplained", "nothing that is measured explains it", lambda case: True),
)
"""The first that holds is the likely one: from what makes the others meaningless, over the inference's own
evidence, to what only its slice is known for."""


def likely_cause(exemplar: Exemplar, median_ns: int) -> Cause:
    """What likely made an inference slow, in a cell whose median latency is ``median_ns``."""
    case = _Case(exemplar, median_ns)
    return next(cause for cause in CAUSES if cause.holds(case))
