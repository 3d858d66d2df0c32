"""Sensors and facts on recorded trees: a value or the reason why there is none, never 0 for 'unknown'.

In `trees/odd` every file is spoilt but one core's clock. Directories stand for unreadable files there:
to root, and CI runs as root, no mode makes a file unreadable.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest

from latvar_tui.device import facts, sensors
from latvar_tui.device.sensors import Sensors
from latvar_tui.wire import Reading

TREES = Path(__file__).parent / "trees"
SHARES = {"cpu_pct", "steal_pct"}


def read(tree: str) -> dict[str, Reading]:
    return Sensors(root=TREES / tree).read(0.0)


class LinuxTimes(NamedTuple):
    user: float = 0
    nice: float = 0
    system: float = 0
    idle: float = 0
    iowait: float = 0
    irq: float = 0
    softirq: float = 0
    steal: float = 0
    guest: float = 0
    guest_nice: float = 0


class MacTimes(NamedTuple):
    user: float
    nice: float
    system: float
    idle: float


def shares(monkeypatch: pytest.MonkeyPatch, *times: object) -> tuple[Reading, Reading]:
    """The last readings of cpu_pct and steal_pct while the counters went through ``times``."""
    script = iter(times)
    monkeypatch.setattr(sensors, "psutil", SimpleNamespace(cpu_times=lambda: next(script)))
    device = Sensors(interval_s=0.0, root=TREES / "empty")
    for at, _ in enumerate(times):
        readings = device.read(float(at))
    return readings["cpu_pct"], readings["steal_pct"]


# -- recorded trees ---------------------------------------------------------------------------------


def test_a_pi_shows_its_clock_and_temperature() -> None:
    readings = read("pi")
    assert readings["temperature_c"] == Reading(53.1)
    assert readings["frequency_mhz"] == Reading(1200.0)  # the mean of two cores at 1800 and two at 600


def test_spoilt_files_are_passed_over() -> None:
    """Text, zero, nothing, bytes that are no text, and files that cannot be read."""
    readings = read("odd")
    assert readings["frequency_mhz"] == Reading(1500.0)
    assert readings["temperature_c"].value is None
    assert readings["temperature_c"].reason


def test_a_device_that_shows_nothing_says_so() -> None:
    readings = read("empty")
    for name in ("frequency_mhz", "temperature_c"):
        assert readings[name].value is None
        assert readings[name].reason


@pytest.mark.parametrize("tree", ["pi", "odd", "empty"])
def test_every_reading_is_a_value_or_a_reason(tree: str) -> None:
    readings = read(tree)
    assert set(readings) == set(sensors.SENSORS) | SHARES
    for reading in readings.values():
        assert (reading.value is None) != (reading.reason is None)
        assert reading.reason != ""
    json.dumps({name: vars(reading) for name, reading in readings.items()}, allow_nan=False)


def test_the_hottest_zone_counts(tmp_path: Path) -> None:
    for zone, text in enumerate(["41000\n", "-273000\n", "72500\n", "0\n", "60000\n"]):
        folder = tmp_path / f"sys/class/thermal/thermal_zone{zone}"
        folder.mkdir(parents=True)
        (folder / "temp").write_text(text)
    assert Sensors(root=tmp_path).read(0.0)["temperature_c"] == Reading(72.5)


# -- platforms that lack something ------------------------------------------------------------------


def test_without_psutil_there_are_reasons(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sensors, "psutil", None)
    monkeypatch.setattr(sensors, "_psutil_missing", "psutil is not usable here (No module)", raising=False)
    monkeypatch.delattr(os, "getloadavg", raising=False)  # Termux has none
    readings = read("pi")
    for name in ("memory_available_mb", "load_1min", *SHARES):
        assert readings[name] == Reading(reason="psutil is not usable here (No module)")
    assert readings["temperature_c"] == Reading(53.1)


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (SystemError("returned a result with an exception set"), "returned a result with an exception set"),
        (PermissionError(13, "Permission denied", "/proc/stat"), "/proc/stat"),
        (NotImplementedError("can't find current frequency file"), "can't find"),
        (RuntimeError(), "RuntimeError"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_whatever_psutil_raises_is_a_reason(monkeypatch: pytest.MonkeyPatch, error: Exception, says: str) -> None:
    def fail(*_: object) -> Any:
        raise error

    monkeypatch.setattr(sensors, "psutil", SimpleNamespace(virtual_memory=fail, cpu_times=fail, getloadavg=fail))
    monkeypatch.delattr(os, "getloadavg", raising=False)
    readings = read("pi")
    for name in ("memory_available_mb", "load_1min", *SHARES):
        assert readings[name].value is None
        assert says in (readings[name].reason or "")
    assert readings["frequency_mhz"].value == 1200.0


def test_a_psutil_that_lacks_a_function_gives_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sensors, "psutil", SimpleNamespace())
    readings = read("pi")
    for name in ("memory_available_mb", *SHARES):
        assert readings[name].value is None and readings[name].reason


def test_a_new_sensor_that_breaks_takes_no_other_along(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Sensors) -> float:
        raise SystemError("<built-in function cpu_freq> returned NULL")

    def lacking(_: Sensors) -> float:
        raise sensors.Missing("this board has no fan")

    more: dict[str, Callable[[Sensors], float]] = {"broken_mhz": broken, "fan_rpm": lacking}
    monkeypatch.setattr(sensors, "SENSORS", {**more, **sensors.SENSORS})
    readings = read("pi")
    assert readings["broken_mhz"] == Reading(reason="SystemError: <built-in function cpu_freq> returned NULL")
    assert readings["fan_rpm"] == Reading(reason="this board has no fan")
    assert readings["temperature_c"] == Reading(53.1)


# -- once in an interval ----------------------------------------------------------------------------


def test_sensors_are_read_once_in_an_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    counter = iter(range(1, 100))
    monkeypatch.setattr(sensors, "SENSORS", {"reads": lambda _: float(next(counter))})
    device = Sensors(interval_s=1.0, root=TREES / "empty")
    values = [device.read(now_s)["reads"].value for now_s in (100.0, 100.5, 100.99, 101.0, 101.5, 102.1, 102.2)]
    assert values == [1.0, 1.0, 1.0, 2.0, 2.0, 3.0, 3.0]


# -- shares of the cores' time ----------------------------------------------------------------------


def test_the_first_reading_of_a_share_has_nothing_to_compare_with(monkeypatch: pytest.MonkeyPatch) -> None:
    cpu, steal = shares(monkeypatch, LinuxTimes(user=500, idle=500, steal=100))
    assert cpu.value is steal.value is None
    assert cpu.reason and steal.reason


def test_busy_and_stolen_are_shares_of_what_has_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    before = LinuxTimes(user=1000, system=50, idle=9000, iowait=10, steal=100, guest=70)
    after = LinuxTimes(
        user=1030, nice=5, system=55, idle=9040, iowait=20, irq=1, softirq=4, steal=105, guest=90, guest_nice=3
    )
    cpu, steal = shares(monkeypatch, before, after)
    # 100 passed: 30 user (guests among them), 5 nice, 5 system, 1 + 4 interrupts; 40 idle, 10 iowait; 5 stolen.
    assert cpu == Reading(45.0)
    assert steal == Reading(5.0)


def test_only_what_passed_since_the_last_reading_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    cpu, steal = shares(
        monkeypatch, LinuxTimes(), LinuxTimes(user=100, steal=50), LinuxTimes(user=125, idle=75, steal=50)
    )
    assert (cpu, steal) == (Reading(25.0), Reading(0.0))


def test_a_platform_without_steal_time_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    cpu, steal = shares(monkeypatch, MacTimes(10, 0, 10, 100), MacTimes(20, 0, 20, 120))
    assert cpu == Reading(50.0)
    assert steal.value is None
    assert "steal" in (steal.reason or "")


def test_no_time_has_passed_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    cpu, steal = shares(monkeypatch, LinuxTimes(user=5, idle=5), LinuxTimes(user=5, idle=5))
    assert cpu.value is steal.value is None
    assert cpu.reason and steal.reason


@pytest.mark.parametrize(
    "after",
    [
        LinuxTimes(user=200, idle=99, iowait=50),
        LinuxTimes(user=100, idle=200, iowait=49),
        LinuxTimes(user=200, idle=200, iowait=40, steal=-1),
    ],
    ids=["idle", "iowait", "steal"],
)
def test_a_counter_that_runs_backwards_leaves_shares_within_bounds(
    monkeypatch: pytest.MonkeyPatch, after: LinuxTimes
) -> None:
    """The kernel's idle and iowait counters do, a little."""
    cpu, steal = shares(monkeypatch, LinuxTimes(user=100, idle=100, iowait=50), after)
    assert cpu.value is not None and 0 <= cpu.value <= 100
    assert steal.value is not None and 0 <= steal.value <= 100


# -- facts ------------------------------------------------------------------------------------------


@pytest.fixture
def facts_of(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], dict[str, object]]:
    """The facts of a recorded tree in place of this machine's."""
    real = facts._text

    def of(tree: str) -> dict[str, object]:
        monkeypatch.setattr(facts, "_text", lambda path: real(f"{TREES / tree}{path}"))
        return facts.device_facts()

    return of


def test_a_pi_is_named_by_its_board(facts_of: Callable[[str], dict[str, object]]) -> None:
    found = facts_of("pi")
    assert found["cpu"] == "Raspberry Pi 4 Model B Rev 1.4"  # without the NUL that ends it
    assert found["governor"] == "ondemand"
    assert found["autogroup"] == "1"


def test_a_laptop_is_named_by_its_processor(facts_of: Callable[[str], dict[str, object]]) -> None:
    found = facts_of("odd")
    assert found["cpu"] == "Example CPU @ 2.00GHz"
    assert found["governor"] is None
    assert found["autogroup"] is None


def test_what_the_platform_does_not_say_is_none(
    facts_of: Callable[[str], dict[str, object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.processor", lambda: "")
    found = facts_of("empty")
    assert found["cpu"] is None
    assert "" not in found.values()


def test_facts_of_this_machine_fit_a_frame() -> None:
    found = facts.device_facts()
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert isinstance(found["cores"], int) and found["cores"] >= 1
    for name in ("name", "os", "machine", "python", "numpy", "onnxruntime"):
        assert isinstance(found[name], str) and found[name]
