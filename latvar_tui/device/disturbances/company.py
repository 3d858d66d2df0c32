"""Who else wants the cores: other programs, and the hypervisor. Not to be mixed up: see the two classes."""

from __future__ import annotations

from latvar_tui.device.disturbances.detector import (
    NOTHING,
    Detector,
    Device,
    Finding,
    Gap,
    Lasting,
    NotHere,
    Window,
)

_SPAN_NS = 3e9
"""Of slices; the counters are too coarse to judge fewer by."""


class Others(Detector):
    """Load that neither the model nor our stress explains. Time spent waiting for it is in the model's *wait*."""

    mark, what, every_s, calm_s = "others", "other programs that use the cores", 0.0, 60.0

    ON, OFF = 0.15, 0.08
    """Cores: far above what the counters' ticks make of nothing, and what a quiet desktop takes."""

    AT_ONCE = 0.5
    """Cores over a single slice that need no others to be believed, if that is several ticks."""

    AT_ONCE_NS = 60e6
    _span_s = _SPAN_NS / 1e9

    def __init__(self, device: Device) -> None:
        self._window = Window(_SPAN_NS)
        # On many cores so little disturbs nobody.
        self._on = max(self.ON, 0.02 * device.cores)
        self._off = self._on * self.OFF / self.ON
        self._lasting = Lasting()
        self._began_s = 0.0
        self._told = 0.0

    def look(self, gap: Gap) -> Finding:
        reading = gap.counters.get("others_cpu_ns")
        if reading is None or reading.value is None:
            return Finding(self._lasting.on, self._lasting.on)
        self._window.add(reading.value, gap.slice_ns)
        cores = self._window.rate
        if cores is None:
            return NOTHING
        before = self._lasting.on
        self._lasting.finding(cores > (self._off if before else self._on), "")
        if not self._lasting.on:
            told, self._told = self._told, 0.0
            at_once = reading.value > max(self.AT_ONCE_NS, self.AT_ONCE * gap.slice_ns)
            return Finding(marked=at_once, note="Other programs are quiet again." if told else "")
        if not before:
            self._began_s = gap.now_s
        # How much is said once it fills the window, and again when it has become much more.
        if gap.now_s - self._began_s < self._span_s or cores < max(2 * self._told, self._told + 0.5 * (self._told > 0)):
            return Finding(True, True)
        self._told = cores
        return Finding(True, True, f"Other programs take {cores:.2f} cores while inferences are timed.")


class Stolen(Detector):
    """Time that a hypervisor gives to other machines while this one's cores were ready to run.

    The guest's scheduler does not know of it: it is in no *wait*, and looks like computing.
    """

    mark, what, every_s, calm_s = "steal", "a hypervisor that takes cores away", 0.0, 60.0

    ON, OFF = 0.02, 0.01
    """Share of all cores' time."""

    def __init__(self, device: Device) -> None:
        if not (device.root / "proc/stat").is_file():
            raise NotHere("this platform counts no stolen time")
        self._window = Window(_SPAN_NS)
        self._cores = device.cores
        self._lasting = Lasting("The hypervisor leaves us the cores again.")

    def look(self, gap: Gap) -> Finding:
        reading = gap.counters.get("steal_ns")
        if reading is None or reading.value is None:
            return Finding(self._lasting.on, self._lasting.on)
        self._window.add(reading.value, gap.slice_ns * self._cores)
        share = self._window.rate
        if share is None:
            return NOTHING
        began = f"The hypervisor takes {100 * share:.0f} % of the cores' time for others; no wait shows it."
        return self._lasting.finding(share > (self.OFF if self._lasting.on else self.ON), began)
