"""What the system counted over a cell's slices, by the second."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from latvar_tui import wire


@dataclass
class Counter:
    """The sum of one counter over the slices that told it, and how long (ns) those were, from thaw to freeze."""

    total: float = 0.0
    over_ns: int = 0
    slices: int = 0
    reason: str | None = None
    """Why it was missing the last time that it was."""

    @property
    def per_s(self) -> float | None:
        """Per second of slices, settling included; None if no slice told it."""
        return self.total / self.over_ns * 1e9 if self.over_ns else None


class Counters:
    """The counters of :class:`latvar_tui.wire.Slice`, by name, over many slices."""

    def __init__(self) -> None:
        self._by_name: dict[str, Counter] = {}

    def add(self, frame: wire.Slice) -> None:
        """Take in what a slice tells."""
        for name, reading in frame.counters.items():
            counter = self._by_name.setdefault(name, Counter())
            if reading.value is None:
                counter.reason = reading.reason
            else:
                counter.total += reading.value
                counter.over_ns += frame.end_ns - frame.start_ns
                counter.slices += 1

    def __getitem__(self, name: str) -> Counter:
        """A counter; one that no slice has named is without a value, for a reason."""
        return self._by_name.get(name, Counter(reason="the probe does not tell it"))

    def rates(self) -> Mapping[str, float | str]:
        """Every counter by the second of slices, or why there is none. Times (``…_ns``) as ``…_ms_per_s``."""
        found: dict[str, float | str] = {}
        for name, counter in self._by_name.items():
            rate = counter.per_s
            stem = name.removesuffix("_ns")
            scale = 1.0 if stem == name else 1e-6
            unit = "_per_s" if stem == name else "_ms_per_s"
            found[stem + unit] = counter.reason or "not told" if rate is None else rate * scale
        return found
