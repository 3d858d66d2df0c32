"""A cell: one candidate under one condition, everything that its slices add up to."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from latvar_tui import wire
from latvar_tui.axis import Axis
from latvar_tui.condition import Condition, parse_condition
from latvar_tui.histogram import Histogram
from latvar_tui.study.counters import Counters
from latvar_tui.study.drift import Series
from latvar_tui.study.exemplars import Exemplars
from latvar_tui.study.open_loop import OpenLoop
from latvar_tui.study.waiting import Waiting

RECENT_S = 10.0
"""The window of 'recent' numbers, in seconds of the experiment's clock."""


@dataclass
class Cell:
    """One candidate under one condition.

    ``open_loop`` is there from the first slice on whose inferences had a schedule; latency is then response time.
    """

    service: Histogram = field(default_factory=Histogram)
    wait: Histogram = field(default_factory=Histogram)
    wait_unavailable: str | None = None
    waiting: Waiting = field(default_factory=Waiting)
    counters: Counters = field(default_factory=Counters)
    slices: int = 0
    began_ns: int = 0
    """When its first slice began and its last one ended, on the probe's clock."""
    ended_ns: int = 0
    settling: int = 0
    dropped: int = 0
    disturbed: int = 0
    ungated: int = 0
    counted_ns: int = 0
    waited_ns: int = 0
    settling_ns: int = 0
    wall_ns: int = 0
    stress_cpu_ns: float = 0.0
    stressed_ns: int = 0
    stress_unavailable: str | None = None
    open_loop: OpenLoop | None = None
    exemplars: Exemplars = field(default_factory=Exemplars)
    marks: Counter[str] = field(default_factory=Counter)
    """How many slices carry each mark."""
    series: Series = field(default_factory=Series)
    _recent: deque[tuple[wire.Slice, NDArray[np.int64]]] = field(default_factory=deque)  # with its latencies' pairs

    def add(self, frame: wire.Slice) -> None:
        """Take one slice in."""
        self.began_ns = self.began_ns if self.slices else frame.start_ns
        self.ended_ns = frame.end_ns
        self.slices += 1
        self.exemplars.add(frame)
        self.settling += frame.settling
        self.dropped += frame.dropped
        self.disturbed += frame.disturbed
        self.ungated += "ungated" in frame.notes
        self.counted_ns += frame.service.sum_ns
        self.settling_ns += frame.settling_ns
        self.wall_ns += frame.end_ns - frame.start_ns
        self.marks.update(frame.marks)
        self.service.add_counts(frame.service)
        arrivals = parse_condition(frame.condition).arrivals
        if frame.response is not None and arrivals is not None:
            self.open_loop = self.open_loop or OpenLoop()
            self.open_loop.add(frame, arrivals)
        if frame.wait.unavailable is None:
            self.wait.add_counts(frame.wait)
            self.waited_ns += frame.wait.sum_ns
        else:
            self.wait_unavailable = frame.wait.unavailable
        self.waiting.add(frame)
        self.counters.add(frame)
        if frame.stress_cpu.value is not None:
            self.stress_cpu_ns += frame.stress_cpu.value
            self.stressed_ns += frame.end_ns - frame.start_ns
        else:
            self.stress_unavailable = frame.stress_cpu.reason
        self._recent.append((frame, (frame.response or frame.service).array))
        self._let_go(frame.end_ns)

    @property
    def latency(self) -> Histogram:
        """What a user waits for: response times in open loop, service times in closed loop."""
        return self.open_loop.response if self.open_loop is not None else self.service

    @property
    def latency_sum_ns(self) -> int:
        """Of all of them."""
        return self.open_loop.response_ns if self.open_loop is not None else self.counted_ns

    def saturation(self, condition: Condition) -> str:
        """In a sentence, where more inferences are asked for than can be served; else empty."""
        if self.open_loop is None or condition.arrivals is None:
            return ""
        return self.open_loop.words(condition.arrivals)

    def recent(self, now_ns: int, window_s: float = RECENT_S) -> Histogram:
        """The latencies of the slices that ended within ``window_s`` (at most RECENT_S) before ``now_ns``."""
        self._let_go(now_ns)
        histogram = Histogram()
        chosen = self._within(now_ns, window_s)
        if chosen:
            # All slices at once, of what was read of them when they came: this is drawn in every gap.
            pairs = np.concatenate([pairs for _, pairs in chosen])
            histogram.add_pairs([frame.response or frame.service for frame, _ in chosen], pairs)
        return histogram

    def recent_bars(self, now_ns: int, window_s: float, axis: Axis) -> NDArray[np.float64]:
        """The bars of :meth:`recent` on an axis, without its histogram: these are drawn in every gap."""
        chosen = [pairs for _, pairs in self._within(now_ns, window_s)]
        if not chosen:
            return np.zeros(axis.columns)
        indices, counts = np.concatenate(chosen).T
        return np.bincount(axis.column_of_bucket[indices], counts, axis.columns).astype(np.float64)

    def recent_waiting(self, now_ns: int, window_s: float = RECENT_S) -> Waiting:
        """How the waits lie on the latencies of :meth:`recent`."""
        waiting = Waiting()
        for frame, _ in self._within(now_ns, window_s):
            waiting.add(frame)
        return waiting

    def recent_open_loop(self, now_ns: int, window_s: float = RECENT_S) -> OpenLoop | None:
        """How the schedule was kept in the slices of :meth:`recent`; None in closed loop."""
        numbers = None if self.open_loop is None else OpenLoop()
        for frame, _ in self._within(now_ns, window_s):
            arrivals = parse_condition(frame.condition).arrivals
            if numbers is not None and arrivals is not None and frame.response is not None:
                numbers.add(frame, arrivals)
        return numbers

    def wait_share(self, now_ns: int, window_s: float | None = None) -> float | None:
        """The part of the latencies that the calling thread spent ready to run but without a core.

        Of the whole cell, or of the slices of the last ``window_s``; None where the platform does not tell.
        """
        if self.wait_unavailable is not None:
            return None
        if window_s is None:
            return self.waited_ns / self.latency_sum_ns if self.latency_sum_ns else None
        recent = [frame for frame, _ in self._within(now_ns, window_s)]
        latencies_ns = sum((frame.response or frame.service).sum_ns for frame in recent)
        return sum(frame.wait.sum_ns for frame in recent) / latencies_ns if latencies_ns else None

    def _within(self, now_ns: int, window_s: float) -> list[tuple[wire.Slice, NDArray[np.int64]]]:
        return [recent for recent in self._recent if recent[0].end_ns >= now_ns - window_s * 1e9]

    def _let_go(self, now_ns: int) -> None:
        """Drop the slices that no window reaches any more, though nobody asks: a day would fill the memory."""
        while self._recent and self._recent[0][0].end_ns < now_ns - RECENT_S * 1e9:
            self._recent.popleft()

    @property
    def stress_cores(self) -> float | None:
        """Cores that the stress threads really got in the slices, on average; None where that is not known."""
        return self.stress_cpu_ns / self.stressed_ns if self.stressed_ns else None

    @property
    def measured_share(self) -> float | None:
        """Counted inference time over the wall time of the slices and the gaps after them; None before any."""
        return self.counted_ns / self.wall_ns if self.wall_ns else None
