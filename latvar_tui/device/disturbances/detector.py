"""What a detector of a disturbance is given, and what it says."""

from __future__ import annotations

import os
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from latvar_tui.device.polled import Polled
from latvar_tui.wire import Reading

MOST_FILES = 8
"""A machine of a hundred cores is looked at through so many of them: a gap has a few milliseconds."""


class NotHere(Exception):
    """This device has no such thing to watch; the message says why."""


def _boottime_ns() -> Callable[[], int] | None:
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return None if clock is None else lambda: time.clock_gettime_ns(clock)


@dataclass(frozen=True)
class Device:
    """Where to look; tests put recorded trees and clocks by hand in the place of the real ones."""

    root: Path = Path("/")
    affinity: Callable[[int], Set[int]] | None = field(default_factory=lambda: getattr(os, "sched_getaffinity", None))
    monotonic_ns: Callable[[], int] = time.monotonic_ns
    boottime_ns: Callable[[], int] | None = field(default_factory=_boottime_ns)
    wall_ns: Callable[[], int] = time.time_ns
    cores: int = 1
    """Those that we may use."""

    all_cores: int = field(default_factory=lambda: os.cpu_count() or 1)
    """Those that the system's counters add up."""


@dataclass(frozen=True)
class Gap:
    """The slice that has just ended: whose, under what, how long it was, and what the system counted meanwhile."""

    now_s: float
    candidate: str
    condition: str
    runner_pid: int
    slice_ns: int
    counters: Mapping[str, Reading] = field(default_factory=dict)


@dataclass(frozen=True)
class Finding:
    """What a detector has found. ``marked``: the slice just ended; ``lasts``: those until the next look, too.

    ``note`` is one sentence for the user, at the onset, and at the end where that says something.
    """

    marked: bool = False
    lasts: bool = False
    note: str = ""


NOTHING = Finding()


class Detector(ABC):
    """Watches for one kind of disturbance. Its constructor raises NotHere where there is nothing to look at."""

    mark: ClassVar[str]
    what: ClassVar[str]
    """In words, for the list of what is watched."""

    every_s: ClassVar[float] = 1.0
    """How often to look; 0: in every gap."""

    calm_s: ClassVar[float] = 0.0
    """An onset within so long of the last one that was told of is marked, but not told again."""

    @abstractmethod
    def __init__(self, device: Device) -> None: ...

    @abstractmethod
    def look(self, gap: Gap) -> Finding:
        """Look, in a gap.

        Raises:
            OSError, ValueError: what is watched has gone.
        """


class Lasting:
    """Turns 'it is so now' into findings: marked as long as it is so, told of when it begins and when it ends."""

    def __init__(self, ended: str = "") -> None:
        self.on = False
        self._ended = ended

    def finding(self, on: bool, began: str) -> Finding:
        before, self.on = self.on, on
        if on:
            return Finding(True, True, "" if before else began)
        return Finding(note=self._ended) if before else NOTHING


class Growing:
    """A counter that only disturbances raise; once it has grown it must stand still for a while to count as over."""

    def __init__(self, count: int, still_s: float, ended: str = "") -> None:
        self._count, self._still_s = count, still_s
        self._grew_s = float("-inf")
        self._lasting = Lasting(ended)

    def finding(self, count: int, now_s: float, began: str) -> Finding:
        if count > self._count:
            self._grew_s = now_s
        self._count = count
        return self._lasting.finding(now_s - self._grew_s < self._still_s, began)


class Window:
    """A sum over the last slices, as long as they together last ``span_ns``."""

    def __init__(self, span_ns: float) -> None:
        self._span_ns = span_ns
        self._slices: deque[tuple[float, int]] = deque()
        self._sum, self._ns = 0.0, 0

    def add(self, value: float, slice_ns: int) -> None:
        self._slices.append((value, slice_ns))
        self._sum, self._ns = self._sum + value, self._ns + slice_ns
        while self._ns - self._slices[0][1] >= self._span_ns:
            value, slice_ns = self._slices.popleft()
            self._sum, self._ns = self._sum - value, self._ns - slice_ns

    @property
    def rate(self) -> float | None:
        """The sum over the time; None until the window is full."""
        return max(0.0, self._sum / self._ns) if self._ns >= self._span_ns else None


def chosen(found: list[Path]) -> list[Path]:
    """At most MOST_FILES of these, evenly spread."""
    step = max(1, -(-len(found) // MOST_FILES))
    return found[::step]


def opened(paths: list[Path]) -> list[Polled]:
    """Those of them that can be opened."""
    files = []
    for path in paths:
        try:
            files.append(Polled(path))
        except OSError:
            continue
    return files


def numeric(paths: list[Path]) -> list[Polled]:
    """Those of them that hold a number above 0; drivers write other things for what they do not know."""
    files = []
    for file in opened(paths):
        try:
            if file.number() > 0:
                files.append(file)
        except (OSError, ValueError):
            continue
    return files


def policies(root: Path) -> list[Path]:
    """The folders of cpufreq, one for each set of cores that share a clock; at most MOST_FILES.

    Raises:
        NotHere: the clocks are not shown.
    """
    folders = root.glob("sys/devices/system/cpu/cpu[0-9]*/cpufreq")
    found = sorted({folder.resolve() for folder in folders})
    if not found:
        raise NotHere("no core shows its clock (virtual machines hide it)")
    return chosen(found)
