"""A cell: one candidate under one condition, everything that its slices add up to."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from latvar_tui import wire
from latvar_tui.histogram import Histogram

RECENT_S = 10.0
"""The window of 'recent' numbers, in seconds of the experiment's clock."""


@dataclass
class Cell:
    """One candidate under one condition."""

    service: Histogram = field(default_factory=Histogram)
    wait: Histogram = field(default_factory=Histogram)
    wait_unavailable: str | None = None
    slices: int = 0
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
    _recent: deque[wire.Slice] = field(default_factory=deque)
    _recent_pairs: deque[NDArray[np.int64]] = field(default_factory=deque)  # of each of these slices' service times

    def add(self, frame: wire.Slice) -> None:
        """Take one slice in."""
        self.slices += 1
        self.settling += frame.settling
        self.dropped += frame.dropped
        self.disturbed += frame.disturbed
        self.ungated += "ungated" in frame.notes
        self.counted_ns += frame.service.sum_ns
        self.settling_ns += frame.settling_ns
        self.wall_ns += frame.end_ns - frame.start_ns
        pairs = _add(self.service, frame.service)
        if frame.wait.unavailable is None:
            _add(self.wait, frame.wait)
            self.waited_ns += frame.wait.sum_ns
        else:
            self.wait_unavailable = frame.wait.unavailable
        if frame.stress_cpu.value is not None:
            self.stress_cpu_ns += frame.stress_cpu.value
            self.stressed_ns += frame.end_ns - frame.start_ns
        else:
            self.stress_unavailable = frame.stress_cpu.reason
        self._recent.append(frame)
        self._recent_pairs.append(pairs)
        self._let_go(frame.end_ns)

    def recent(self, now_ns: int, window_s: float = RECENT_S) -> Histogram:
        """The service times of the slices that ended within ``window_s`` (at most RECENT_S) before ``now_ns``."""
        self._let_go(now_ns)
        histogram = Histogram()
        first_ns = now_ns - window_s * 1e9
        both = zip(self._recent, self._recent_pairs, strict=True)
        chosen = [(frame.service, pairs) for frame, pairs in both if frame.end_ns >= first_ns and pairs.size]
        if chosen:
            # All slices at once, of what was read of them when they came: this is drawn in every gap.
            pairs = np.concatenate([pairs for _, pairs in chosen])
            histogram.add_sparse(
                pairs[:, 0],
                pairs[:, 1],
                min_ns=min(counts.min_ns for counts, _ in chosen),
                max_ns=max(counts.max_ns for counts, _ in chosen),
                overflow=sum(counts.overflow for counts, _ in chosen),
            )
        return histogram

    def wait_share(self, now_ns: int, window_s: float | None = None) -> float | None:
        """The part of the service times that the calling thread spent ready to run but without a core.

        Of the whole cell, or of the slices of the last ``window_s``; None where the platform does not tell.
        """
        if self.wait_unavailable is not None:
            return None
        if window_s is None:
            return self.waited_ns / self.counted_ns if self.counted_ns else None
        recent = [frame for frame in self._recent if frame.end_ns >= now_ns - window_s * 1e9]
        counted_ns = sum(frame.service.sum_ns for frame in recent)
        return sum(frame.wait.sum_ns for frame in recent) / counted_ns if counted_ns else None

    def _let_go(self, now_ns: int) -> None:
        """Drop the slices that no window reaches any more, though nobody asks: a day would fill the memory."""
        while self._recent and self._recent[0].end_ns < now_ns - RECENT_S * 1e9:
            self._recent.popleft()
            self._recent_pairs.popleft()

    @property
    def stress_cores(self) -> float | None:
        """Cores that the stress threads really got in the slices, on average; None where that is not known."""
        return self.stress_cpu_ns / self.stressed_ns if self.stressed_ns else None

    @property
    def measured_share(self) -> float | None:
        """Counted inference time over the wall time of the slices and the gaps after them; None before any."""
        return self.counted_ns / self.wall_ns if self.wall_ns else None


def _add(histogram: Histogram, counts: wire.Counts) -> NDArray[np.int64]:
    """Count them too; their pairs as an array (n × 2)."""
    pairs = np.asarray(counts.pairs, np.int64).reshape(-1, 2)
    if pairs.size:
        histogram.add_sparse(
            pairs[:, 0],
            pairs[:, 1],
            min_ns=counts.min_ns,
            max_ns=counts.max_ns,
            overflow=counts.overflow,
        )
    return pairs
