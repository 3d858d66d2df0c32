"""Time itself: a device that slept, and a wall clock that was set."""

from __future__ import annotations

from latvar_tui.device.disturbances.detector import NOTHING, Detector, Device, Finding, Gap, NotHere


class Suspend(Detector):
    """The clock that goes on while the device sleeps, against the one that times inferences and stands still then.

    So no inference is longer for the sleep, and none is dropped. But what ran first after it ran on a cold device:
    the slice is marked.
    """

    mark, what, every_s = "suspended", "a device that slept", 0.0

    LEAST_NS = 10_000_000

    def __init__(self, device: Device) -> None:
        if device.boottime_ns is None:
            raise NotHere("this platform has no clock that goes on while it sleeps")
        self._boottime_ns, self._monotonic_ns = device.boottime_ns, device.monotonic_ns
        self._slept_ns = self._offset_ns()

    def _offset_ns(self) -> int:
        return self._boottime_ns() - self._monotonic_ns()

    def look(self, gap: Gap) -> Finding:
        del gap
        before, self._slept_ns = self._slept_ns, self._offset_ns()
        slept_ns = self._slept_ns - before
        if slept_ns < self.LEAST_NS:
            return NOTHING
        return Finding(marked=True, note=f"The device slept for {slept_ns / 1e9:.3g} s; no inference is longer for it.")


class ClockStep(Detector):
    """The wall clock against the one that goes on in sleep: a jump is somebody's doing."""

    mark, what, every_s = "clock", "a wall clock that is set", 0.0

    LEAST_NS = 100_000_000
    SLEW = 0.001
    """Twice what a clock that is merely slowed or hurried gains on the others: 500 ppm at most (adjtimex(2))."""

    def __init__(self, device: Device) -> None:
        self._wall_ns = device.wall_ns
        self._steady_ns = device.boottime_ns or device.monotonic_ns
        self._last_ns = self._steady_ns()
        self._ahead_ns = self._wall_ns() - self._last_ns

    def look(self, gap: Gap) -> Finding:
        del gap
        steady_ns = self._steady_ns()
        passed_ns, self._last_ns = steady_ns - self._last_ns, steady_ns
        before, self._ahead_ns = self._ahead_ns, self._wall_ns() - steady_ns
        step_ns = self._ahead_ns - before
        if abs(step_ns) <= self.LEAST_NS + self.SLEW * passed_ns:
            return NOTHING
        way = "forward" if step_ns > 0 else "back"
        return Finding(
            marked=True,
            note=f"The wall clock was set {way} by {abs(step_ns) / 1e9:.4g} s; inferences are timed by another one.",
        )
