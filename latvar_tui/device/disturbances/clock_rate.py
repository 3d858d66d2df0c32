"""The clock of the cores: who sets it, between which limits, and whether it drifts."""

from __future__ import annotations

from collections import deque
from statistics import median

from latvar_tui.device.disturbances.detector import (
    NOTHING,
    Detector,
    Device,
    Finding,
    Gap,
    Lasting,
    NotHere,
    numeric,
    opened,
    policies,
)


def _mhz(khz: float) -> str:
    return f"{khz / 1000:.0f}"


class Governor(Detector):
    """The rule by which the kernel chooses clocks."""

    mark, what = "governor", "a change of the clocks' governor"

    def __init__(self, device: Device) -> None:
        self._files = opened([folder / "scaling_governor" for folder in policies(device.root)])
        if not self._files:
            raise NotHere("no core shows a governor")
        self._now = self._names()

    def _names(self) -> list[str]:
        return [file.text() for file in self._files]

    def look(self, gap: Gap) -> Finding:
        del gap
        before, self._now = self._now, self._names()
        changed = [pair for pair in zip(before, self._now, strict=True) if pair[0] != pair[1]]
        if not changed:
            return NOTHING
        return Finding(marked=True, note=f"The governor changed from {changed[0][0]} to {changed[0][1]}.")


class ClockLimit(Detector):
    """The highest clock that the cores are allowed: power profiles, batteries and thermal daemons move it."""

    mark, what = "frequency", "a change of the highest clock allowed"

    def __init__(self, device: Device) -> None:
        self._files = numeric([folder / "scaling_max_freq" for folder in policies(device.root)])
        if not self._files:
            raise NotHere("no core shows a limit of its clock")
        self._khz = self._limits()

    def _limits(self) -> list[int]:
        return [file.number() for file in self._files]

    def look(self, gap: Gap) -> Finding:
        del gap
        before, self._khz = self._khz, self._limits()
        changed = [(old, new) for old, new in zip(before, self._khz, strict=True) if abs(new - old) > 0.01 * old]
        if not changed:
            return NOTHING
        old, new = changed[0]
        return Finding(marked=True, note=f"The highest clock allowed changed from {_mhz(old)} to {_mhz(new)} MHz.")


class ClockDrift(Detector):
    """The clock under load against what it was when the same candidate began under the same condition.

    A boost jitters from reading to reading, and goes by how many cores are busy: so medians of many readings, and
    only like with like.
    """

    mark, what, calm_s = "frequency", "a clock under load that drifts by more than 10 %", 60.0

    FIRST = 6
    """Readings that a candidate under a condition is compared with."""

    LATEST = 12
    ON, OFF = 0.10, 0.05

    def __init__(self, device: Device) -> None:
        self._files = numeric([folder / "scaling_cur_freq" for folder in policies(device.root)])
        if not self._files:
            raise NotHere("no core shows its present clock")
        self._first: dict[tuple[str, str], list[float]] = {}
        self._ratios: deque[float] = deque(maxlen=self.LATEST)
        self._lasting = Lasting("The clock under load is back to what it was.")

    def look(self, gap: Gap) -> Finding:
        khz = sum(file.number() for file in self._files) / len(self._files)
        first = self._first.setdefault((gap.candidate, gap.condition), [])
        if len(first) < self.FIRST:
            first.append(khz)
            return Finding(self._lasting.on, self._lasting.on)
        reference_khz = median(first)
        if khz > 0 and reference_khz > 0:
            self._ratios.append(khz / reference_khz)
        off_by = abs(median(self._ratios) - 1) if len(self._ratios) == self.LATEST else 0.0
        began = f"The clock under load drifts: {_mhz(khz)} MHz, where it was {_mhz(reference_khz)} MHz."
        return self._lasting.finding(off_by > (self.OFF if self._lasting.on else self.ON), began)
