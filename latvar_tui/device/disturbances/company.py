"""Who else wants the cores: other programs, and the hypervisor. Not to be mixed up: see the two classes."""

from __future__ import annotations

from latvar_tui.device.disturbances.detector import NOTHING, Detector, Device, Finding, Gap, NotHere, Window

_SPAN_NS = 3e9
"""Of slices; the counters are too coarse to judge fewer by."""


class _Level:
    """Something that slices have more or less of: marked while it is high, told of once its mean is of that time alone.

    ``much`` more than was told is told again.
    """

    def __init__(self, on: float, off: float, much: float) -> None:
        self._on, self._off, self._much = on, off, much
        self._window = Window(_SPAN_NS)
        self._since_ns: int | None = None
        self._told = 0.0
        self.mean = 0.0

    @property
    def is_high(self) -> bool:
        return self._since_ns is not None

    def take(self, value: float, slice_ns: int, began: str, ended: str) -> Finding:
        """Take a slice's sum in, of the unit of the limits × ns; ``{}`` in ``began`` becomes the mean."""
        self._window.add(value, slice_ns)
        mean = self._window.rate
        if mean is None:
            return NOTHING
        self.mean = mean
        if mean <= (self._off if self.is_high else self._on):
            told, self._told, self._since_ns = self._told, 0.0, None
            return Finding(note=ended if told else "")
        self._since_ns = slice_ns + (self._since_ns or 0)
        if self._since_ns < _SPAN_NS or (self._told and mean < self._told + max(self._told, self._much)):
            return Finding(True, True)
        self._told = mean
        return Finding(True, True, began.format(mean))


class Others(Detector):
    """Load that neither the model nor our stress explains. Time spent waiting for it is in the model's *wait*."""

    mark, what, every_s, calm_s = "others", "other programs that use the cores", 0.0, 60.0

    ON, OFF = 0.15, 0.08
    """Cores: far above what the counters' ticks make of nothing, and what a quiet desktop takes."""

    AT_ONCE = 0.5
    """Cores over a single slice that need no others to be believed, if that is several ticks."""

    AT_ONCE_NS = 60e6

    def __init__(self, device: Device) -> None:
        # On many cores so little disturbs nobody.
        scale = max(1.0, 0.02 * device.cores / self.ON)
        self._level = _Level(scale * self.ON, scale * self.OFF, 0.5)
        self._at_once = scale * self.AT_ONCE

    def look(self, gap: Gap) -> Finding:
        reading = gap.counters.get("others_cpu_ns")
        if reading is None or reading.value is None:
            return Finding(self._level.is_high, self._level.is_high)
        found = self._level.take(
            reading.value,
            gap.slice_ns,
            "Other programs take {:.2f} cores while inferences are timed.",
            "Other programs are quiet again.",
        )
        at_once = reading.value > max(self.AT_ONCE_NS, self._at_once * gap.slice_ns)
        return Finding(True, False, found.note) if at_once and not found.marked else found


class Stolen(Detector):
    """Time that a hypervisor gives to other machines while this one's cores were ready to run.

    The guest's scheduler does not know of it: it is in no *wait*, and looks like computing.
    """

    mark, what, every_s, calm_s = "steal", "a hypervisor that takes cores away", 0.0, 60.0

    ON, OFF, MUCH = 2.0, 1.0, 10.0
    """Percent of all cores' time."""

    def __init__(self, device: Device) -> None:
        if not (device.root / "proc/stat").is_file():
            raise NotHere("this platform counts no stolen time")
        self._level = _Level(self.ON, self.OFF, self.MUCH)
        self._cores = device.all_cores

    def look(self, gap: Gap) -> Finding:
        reading = gap.counters.get("steal_ns")
        if reading is None or reading.value is None:
            return Finding(self._level.is_high, self._level.is_high)
        return self._level.take(
            100 * reading.value / self._cores,
            gap.slice_ns,
            "The hypervisor takes {:.0f} % of the cores' time for others; no wait shows it.",
            "The hypervisor leaves us the cores again.",
        )
