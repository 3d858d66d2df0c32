"""Throttling: the device slows itself down because it is too hot, or its supply too weak."""

from __future__ import annotations

from latvar_tui.device.disturbances.detector import (
    Detector,
    Device,
    Finding,
    Gap,
    Growing,
    Lasting,
    NotHere,
    chosen,
    numeric,
    opened,
    policies,
)

_STILL_S = 5.0


class CoreThrottle(Detector):
    """An x86 processor's own count of how often it was too hot for its clock."""

    mark, what, calm_s = "throttled", "a processor that says it is too hot for its clock", 60.0

    def __init__(self, device: Device) -> None:
        folders = sorted(device.root.glob("sys/devices/system/cpu/cpu[0-9]*/thermal_throttle"))
        names = ("core_throttle_count", "package_throttle_count")
        self._files = opened([folder / name for folder in chosen(folders) for name in names])
        if not self._files:
            raise NotHere("the processor keeps no count of throttling (virtual machines and ARM have none)")
        self._growing = Growing(self._count(), _STILL_S, "The processor is no longer too hot for its clock.")

    def _count(self) -> int:
        return sum(file.number() for file in self._files)

    def look(self, gap: Gap) -> Finding:
        began = "The processor is too hot for its clock and throttles itself."
        return self._growing.finding(self._count(), gap.now_s, began)


class BoardThrottle(Detector):
    """A Raspberry Pi's firmware, which lowers the clock without telling cpufreq."""

    mark, what, calm_s = "throttled", "a Raspberry Pi's firmware that lowers the clock", 60.0

    # Bits 16 to 19 say the same of the time since boot: no matter of this slice.
    _BITS = (
        (1, "the supply voltage is too low"),
        (2, "its clock is capped"),
        (4, "it is throttled"),
        (8, "it has reached its soft temperature limit"),
    )

    def __init__(self, device: Device) -> None:
        found = sorted(device.root.glob("sys/devices/platform/soc*/*firmware*/get_throttled"))
        files = opened(found)
        if not files:
            raise NotHere("this is no Raspberry Pi (no get_throttled)")
        self._file = files[0]
        self._told = 0
        self._lasting = Lasting("The board says that it is no longer throttled.")
        self._now()

    def _now(self) -> int:
        return int(self._file.text(), 16) & 0xF

    def look(self, gap: Gap) -> Finding:
        del gap
        bits = self._now()
        new, self._told = bits & ~self._told, bits
        says = " and ".join(text for bit, text in self._BITS if bits & bit)
        found = self._lasting.finding(bits != 0, f"The board says: {says}.")
        return Finding(True, True, f"The board says: {says}.") if new and not found.note else found


class CoolingDevice(Detector):
    """The kernel's own thermal governor, which cools by lowering clocks (phones, boards, some laptops)."""

    mark, what, calm_s = "throttled", "clocks that the kernel lowers to cool the device", 60.0

    def __init__(self, device: Device) -> None:
        folders = []
        for folder in sorted(device.root.glob("sys/class/thermal/cooling_device[0-9]*")):
            try:
                kind = (folder / "type").read_text().strip()
            except (OSError, UnicodeDecodeError):
                continue
            if kind == "Processor" or "cpufreq" in kind:
                folders.append(folder)
        self._files = opened([folder / "cur_state" for folder in chosen(folders)])
        if not self._files:
            raise NotHere("the kernel shows no cooling by lower clocks")
        self._lasting = Lasting("The kernel no longer lowers clocks to cool the device.")

    def look(self, gap: Gap) -> Finding:
        del gap
        on = any(file.number() > 0 for file in self._files)
        return self._lasting.finding(on, "The kernel lowers clocks to cool the device.")


class SlowWhileHot(Detector):
    """Clocks well below their highest while the device is hot: throttling, where nothing says so."""

    mark, what, calm_s = "throttled", "low clocks while the device is hot", 60.0

    HOT_C = 80.0
    SLOW = 0.85
    SURE = 3
    """Looks in a row."""

    def __init__(self, device: Device) -> None:
        folders = policies(device.root)
        self._clocks = numeric([folder / "scaling_cur_freq" for folder in folders])
        self._highest = [file.number() for file in numeric([folder / "cpuinfo_max_freq" for folder in folders])]
        zones = chosen(sorted(device.root.glob("sys/class/thermal/thermal_zone[0-9]*/temp")))
        self._zones = opened(zones)
        if not self._clocks or len(self._highest) != len(self._clocks):
            raise NotHere("present and highest clock are not both shown")
        if not self._zones:
            raise NotHere("no thermal zone can be read")
        self._hot_mc = 1000 * self.HOT_C
        # Where the kernel begins to cool is what hot means on this device: on a phone much less than on a laptop.
        for zone in zones:
            for kind in zone.parent.glob("trip_point_*_type"):
                try:
                    if kind.read_text().strip() == "passive":
                        at_mc = int((kind.parent / kind.name.replace("_type", "_temp")).read_text())
                        if 30_000 < at_mc < self._hot_mc:
                            self._hot_mc = at_mc
                except (OSError, ValueError):
                    continue
        self._in_a_row = 0
        self._lasting = Lasting("The clocks have recovered.")

    def look(self, gap: Gap) -> Finding:
        del gap
        temperatures_mc = []
        for zone in self._zones:
            try:
                temperatures_mc.append(zone.number())
            except (OSError, ValueError):
                continue  # a sensor that is asleep
        hottest_mc = max((mc for mc in temperatures_mc if 1_000 <= mc <= 150_000), default=0)
        clock = sum(file.number() for file in self._clocks)
        slow = hottest_mc >= self._hot_mc - 2000 and clock < self.SLOW * sum(self._highest)
        self._in_a_row = min(self.SURE, self._in_a_row + 1) if slow else max(0, self._in_a_row - 1)
        on = self._in_a_row == self.SURE or (self._lasting.on and self._in_a_row > 0)
        share = 100 * clock / sum(self._highest)
        return self._lasting.finding(
            on, f"The clocks are at {share:.0f} % of their highest, at {hottest_mc / 1000:.0f} °C: it throttles itself."
        )
