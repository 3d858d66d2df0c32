"""What disturbs the measuring from outside, found in the gaps and marked on the slices it fell into.

A new kind is a :class:`~latvar_tui.device.disturbances.detector.Detector` and an entry in :data:`DETECTORS`.
"""

from __future__ import annotations

from latvar_tui.device.disturbances.clock_rate import ClockDrift, ClockLimit, Governor
from latvar_tui.device.disturbances.clocks import ClockStep, Suspend
from latvar_tui.device.disturbances.company import Others, Stolen
from latvar_tui.device.disturbances.detector import Detector
from latvar_tui.device.disturbances.heat import BoardThrottle, CoolingDevice, CoreThrottle, SlowWhileHot
from latvar_tui.device.disturbances.placement import AllowedCores, Quota

DETECTORS: tuple[type[Detector], ...] = (
    CoreThrottle,
    BoardThrottle,
    CoolingDevice,
    SlowWhileHot,
    ClockLimit,
    ClockDrift,
    Governor,
    AllowedCores,
    Quota,
    Suspend,
    ClockStep,
    Others,
    Stolen,
)
