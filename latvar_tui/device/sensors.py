"""What the device is doing: each reading is a value, or the reason why there is none.

A new sensor is a function in :data:`SENSORS`; it returns a number and raises :class:`Missing` (or
lets psutil's and the platform's errors through) where there is none.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from latvar_tui.wire import Reading

try:
    import psutil
except Exception as error:
    # Not ImportError alone: PyPI's build raises NotImplementedError on Android.
    psutil = None
    _psutil_missing = f"psutil is not usable here ({error})"


class Missing(Exception):
    """There is no such reading; the message says why."""


class Sensors:
    """Reads every sensor, at most once per ``interval_s``; between readings the last one is repeated."""

    def __init__(self, interval_s: float = 1.0, root: Path = Path("/")) -> None:
        self.root = root
        self._interval_s = interval_s
        self._read_at = float("-inf")
        self._last: dict[str, Reading] = {}
        self._cpu_times: Any = None

    def read(self, now_s: float | None = None) -> dict[str, Reading]:
        """All readings by name; units are in the names."""
        now_s = time.monotonic() if now_s is None else now_s
        if now_s - self._read_at >= self._interval_s:
            self._read_at = now_s
            self._last = {name: self._one(sensor) for name, sensor in SENSORS.items()} | self._cpu_shares()
        return self._last

    def _one(self, sensor: Callable[[Sensors], float]) -> Reading:
        try:
            value = float(sensor(self))
            return Reading(round(value, 3)) if math.isfinite(value) else Reading(reason=f"it reads {value}")
        except Missing as missing:
            return Reading(reason=str(missing))
        except Exception as error:
            # psutil documents none of what it raises on odd platforms (SystemError on some Macs).
            return Reading(reason=f"{type(error).__name__}: {error}")

    def _cpu_shares(self) -> dict[str, Reading]:
        """Share of all cores' time since the last reading: busy, and stolen by the hypervisor, in percent."""
        try:
            times = _psutil().cpu_times()
        except Exception as error:
            reason = str(error) or type(error).__name__
            return {"cpu_pct": Reading(reason=reason), "steal_pct": Reading(reason=reason)}
        before, self._cpu_times = self._cpu_times, times
        if before is None:
            first = Reading(reason="needs two readings")
            return {"cpu_pct": first, "steal_pct": first}
        # Some of the kernel's counters run backwards at times, idle and iowait a little.
        spent = {name: max(0.0, getattr(times, name) - getattr(before, name)) for name in times._fields}
        # The kernel counts guest time in user time already.
        total = sum(value for name, value in spent.items() if not name.startswith("guest"))
        if total <= 0:
            none = Reading(reason="no CPU time has passed")
            return {"cpu_pct": none, "steal_pct": none}
        idle = spent["idle"] + spent.get("iowait", 0.0)
        steal = spent.get("steal")
        busy = total - idle - (steal or 0.0)
        return {
            "cpu_pct": Reading(round(max(0.0, 100 * busy / total), 1)),
            "steal_pct": Reading(reason="this platform counts no steal time")
            if steal is None
            else Reading(round(100 * steal / total, 1)),
        }


def _psutil() -> Any:
    if psutil is None:
        raise Missing(_psutil_missing)
    return psutil


def _numbers(sensors: Sensors, pattern: str) -> list[float]:
    """The numbers in the files that match ``pattern`` below the root.

    Unreadable ones are left out, and so is what is not above 0: that is how drivers say 'switched off'.
    """
    found = []
    for path in sensors.root.glob(pattern):
        try:
            found.append(float(int(path.read_text())))
        except (OSError, ValueError):
            continue  # a core or a zone may go away between listing and reading
    return [value for value in found if value > 0]


def frequency_mhz(sensors: Sensors) -> float:
    """Mean current frequency over the cores that show one, MHz."""
    found_khz = _numbers(sensors, "sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_cur_freq")
    if not found_khz:
        raise Missing("no core shows its frequency (virtual machines hide it)")
    return sum(found_khz) / len(found_khz) / 1000


def temperature_c(sensors: Sensors) -> float:
    """The hottest thermal zone, °C."""
    # Zones of other things than temperature, or in other units, are common on phones.
    found_mc = [mc for mc in _numbers(sensors, "sys/class/thermal/thermal_zone*/temp") if 1_000 <= mc <= 150_000]
    if not found_mc:
        raise Missing("no thermal zone can be read")
    return max(found_mc) / 1000


def load_1min(sensors: Sensors) -> float:
    """Load average over a minute, runnable tasks."""
    del sensors
    if hasattr(os, "getloadavg"):
        return os.getloadavg()[0]
    return float(_psutil().getloadavg()[0])


def memory_available_mb(sensors: Sensors) -> float:
    """Memory that programs can still get without swapping, MB."""
    del sensors
    return float(_psutil().virtual_memory().available) / 1e6


SENSORS: dict[str, Callable[[Sensors], float]] = {
    "frequency_mhz": frequency_mhz,
    "temperature_c": temperature_c,
    "load_1min": load_1min,
    "memory_available_mb": memory_available_mb,
}
