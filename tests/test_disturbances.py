"""What disturbs the measuring from outside: on recorded trees whose files change as a script says, and for real.

Directories stand for unreadable files in `trees/android`, as in `trees/odd`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from latvar_tui import wire
from latvar_tui.device.disturbances import DETECTORS
from latvar_tui.device.disturbances.clock_rate import ClockDrift
from latvar_tui.device.disturbances.company import Others, Stolen
from latvar_tui.device.disturbances.detector import MOST_FILES, NOTHING, Detector, Device, Finding, Gap, NotHere
from latvar_tui.device.disturbances.watch import Watch
from latvar_tui.link import Link
from latvar_tui.wire import Reading
from tests.conftest import LONGEST_S, frames_until, slices

Start = Callable[..., Link]
TREES = Path(__file__).parent / "trees"
CORE = "sys/devices/system/cpu/cpu{}/cpufreq/{}"
SLICE_NS = 250_000_000
QUIET = {"others_cpu_ns": Reading(0.0), "steal_ns": Reading(0.0)}


class Scripted:
    """A copy of a recorded tree, and clocks and cores by hand; each `gap` is a quarter of a second later."""

    def __init__(self, tree: str, folder: Path, kinds: tuple[type[Detector], ...] = DETECTORS) -> None:
        self.root = folder / tree
        if tree != "empty":
            shutil.copytree(TREES / tree, self.root)
        self.monotonic_ns, self.slept_ns, self.wall_ahead_ns = 10**12, 0, 17 * 10**17
        self.cores = {0, 1, 2, 3}
        self.candidate, self.condition, self.pid = "/models/small.onnx@threads=2", "0xcpu@100%", 4711
        self.watch = Watch(
            Device(
                root=self.root,
                affinity=lambda pid: self.cores,
                monotonic_ns=lambda: self.monotonic_ns,
                boottime_ns=lambda: self.monotonic_ns + self.slept_ns,
                wall_ns=lambda: self.monotonic_ns + self.slept_ns + self.wall_ahead_ns,
                cores=4,
                all_cores=4,
            ),
            kinds,
        )
        self.notes: list[str] = []

    def write(self, path: str, text: object) -> None:
        (self.root / path).write_text(f"{text}\n")

    def clocks(self, name: str, text: object) -> None:
        for folder in self.root.glob("sys/devices/system/cpu/cpu*/cpufreq"):
            (folder / name).write_text(f"{text}\n")

    def gap(self, counters: Mapping[str, Reading] = QUIET) -> list[str]:
        """The marks of one more slice."""
        self.monotonic_ns += SLICE_NS
        now_s = self.monotonic_ns / 1e9
        marks, notes = self.watch.look(
            Gap(now_s, self.candidate, self.condition, self.pid, SLICE_NS, counters),
        )
        self.notes += notes
        return marks

    def seconds(self, seconds: float, counters: Mapping[str, Reading] = QUIET) -> list[list[str]]:
        """The marks of every slice in so many seconds."""
        return [self.gap(counters) for _ in range(round(4 * seconds))]


@pytest.fixture
def scripted(tmp_path: Path) -> Callable[..., Scripted]:
    return lambda tree, *kinds: Scripted(tree, tmp_path, kinds or DETECTORS)


Make = Callable[..., Scripted]


# -- nothing happens --------------------------------------------------------------------------------


@pytest.mark.parametrize("tree", ["pi", "laptop", "vm", "android", "odd", "empty"])
def test_a_quiet_device_is_neither_marked_nor_spoken_of(scripted: Make, tree: str) -> None:
    device = scripted(tree)
    assert not any(device.seconds(120))
    assert device.notes == []


@pytest.mark.parametrize("tree", ["pi", "laptop", "vm", "android", "odd", "empty"])
def test_everything_is_watched_for_or_there_is_a_reason(scripted: Make, tree: str) -> None:
    facts = scripted(tree).watch.facts()
    watched, missing = facts["watched"], facts["not_watched"]
    assert isinstance(watched, list) and isinstance(missing, dict)
    assert sorted([*watched, *missing]) == sorted(kind.what for kind in DETECTORS)
    assert all(missing.values())


@pytest.mark.parametrize(
    ("tree", "has", "lacks"),
    [
        ("pi", "a Raspberry Pi's firmware", "a processor that says"),
        ("laptop", "a processor that says", "a Raspberry Pi's firmware"),
        ("vm", "CPU quota", "governor"),
        ("android", "governor", "CPU quota"),
    ],
)
def test_what_each_device_can_be_watched_for(scripted: Make, tree: str, has: str, lacks: str) -> None:
    watch = scripted(tree).watch
    assert any(has in what for what in watch.watched)
    assert any(lacks in what for what in watch.not_here)


# -- heat -------------------------------------------------------------------------------------------


def test_a_laptop_that_throttles_is_marked_until_its_count_stands_still(scripted: Make) -> None:
    laptop = scripted("laptop")
    laptop.seconds(3)
    laptop.write("sys/devices/system/cpu/cpu2/thermal_throttle/core_throttle_count", 9)
    hot = laptop.seconds(2)
    assert hot[-1] == ["throttled"]
    assert laptop.notes == ["The processor is too hot for its clock and throttles itself."]
    assert laptop.seconds(10)[-1] == []
    assert laptop.notes[1:] == ["The processor is no longer too hot for its clock."]


def test_a_pi_says_why_it_is_slow_and_what_was_since_boot_does_not_count(scripted: Make) -> None:
    pi = scripted("pi")
    pi.seconds(3)
    pi.write("sys/devices/platform/soc/soc:firmware/get_throttled", 50005)
    assert pi.seconds(2)[-1] == ["throttled"]
    assert pi.notes == ["The board says: the supply voltage is too low and it is throttled."]
    pi.write("sys/devices/platform/soc/soc:firmware/get_throttled", 50000)
    assert pi.seconds(2)[-1] == []
    assert len(pi.notes) == 2


def test_cooling_by_the_kernel(scripted: Make) -> None:
    pi = scripted("pi")
    pi.gap()
    pi.write("sys/class/thermal/cooling_device0/cur_state", 2)
    assert pi.seconds(2)[-1] == ["throttled"]
    assert "to cool the device" in pi.notes[0]


def test_low_clocks_are_throttling_only_where_it_is_hot(scripted: Make) -> None:
    laptop = scripted("laptop")
    laptop.clocks("scaling_cur_freq", 1_200_000)
    assert all("throttled" not in marks for marks in laptop.seconds(6))
    laptop.write("sys/class/thermal/thermal_zone1/temp", 97_000)
    assert "throttled" in laptop.seconds(6)[-1]
    (note,) = (note for note in laptop.notes if "°C" in note)
    assert note == "The clocks are at 29 % of their highest, at 97 °C: it throttles itself."


# -- clocks of the cores ----------------------------------------------------------------------------


def test_a_change_of_governor_is_marked_and_named(scripted: Make) -> None:
    laptop = scripted("laptop")
    laptop.seconds(3)
    laptop.clocks("scaling_governor", "powersave")
    assert sum(marks == ["governor"] for marks in laptop.seconds(5)) == 1
    assert laptop.notes == ["The governor changed from performance to powersave."]


def test_a_change_of_the_clocks_limit(scripted: Make) -> None:
    laptop = scripted("laptop")
    laptop.seconds(3)
    laptop.clocks("scaling_max_freq", 2_400_000)
    assert ["frequency"] in laptop.seconds(2)
    assert laptop.notes == ["The highest clock allowed changed from 4200 to 2400 MHz."]


def test_a_jittering_boost_is_no_drift_but_a_lasting_fall_is(scripted: Make) -> None:
    laptop = scripted("laptop", ClockDrift)
    jitter = [3_100_000, 3_900_000, 3_400_000, 3_500_000, 2_700_000]
    for second in range(60):
        laptop.clocks("scaling_cur_freq", jitter[second % len(jitter)])
        assert not any(laptop.seconds(1))
    laptop.clocks("scaling_cur_freq", 2_600_000)
    assert laptop.seconds(20)[-1] == ["frequency"]
    assert len(laptop.notes) == 1 and "2600 MHz" in laptop.notes[0]
    laptop.clocks("scaling_cur_freq", 3_400_000)
    assert laptop.seconds(20)[-1] == []


def test_a_candidate_that_keeps_fewer_cores_busy_has_another_clock_and_that_is_no_drift(scripted: Make) -> None:
    laptop = scripted("laptop", ClockDrift)
    for turn in range(120):
        laptop.candidate = f"candidate-{turn % 2}"
        laptop.clocks("scaling_cur_freq", 4_100_000 if turn % 2 else 2_900_000)
        assert not any(laptop.seconds(1))


# -- placement --------------------------------------------------------------------------------------


def test_cores_that_are_taken_away_are_marked_until_they_are_back(scripted: Make) -> None:
    device = scripted("vm")
    device.seconds(1)
    device.cores = {1, 2}
    assert all(marks == ["cpuset"] for marks in device.seconds(2))
    device.cores = {0, 1, 2, 3}
    assert [marks == ["cpuset"] for marks in device.seconds(1)] == [True, False, False, False]
    assert device.notes == [
        "The cores that small.onnx may use changed from 0-3 to 1-2.",
        "The cores that small.onnx may use changed from 1-2 to 0-3.",
    ]


def test_cores_that_the_user_chose_with_the_condition_are_no_disturbance(scripted: Make) -> None:
    device = scripted("vm")
    device.seconds(1)
    device.condition, device.cores = "0xcpu@100%,pin=1", {1}
    assert not any(device.seconds(2))
    assert device.notes == []


STAT_V1 = "nr_periods 50\nnr_throttled {}\nthrottled_time 90000000"
STAT_V2 = "usage_usec 700\nnr_periods 50\nnr_throttled {}\nthrottled_usec 90000"


@pytest.mark.parametrize(
    ("tree", "path", "stat"),
    [
        ("vm", "sys/fs/cgroup/cpu/job/cpu.stat", STAT_V1),
        ("vm", "sys/fs/cgroup/cpu/cpu.stat", STAT_V1),  # a quota above us
        (
            "laptop",
            "sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/app.slice/run-7.scope/cpu.stat",
            STAT_V2,
        ),
    ],
)
def test_a_quota_that_runs_out(scripted: Make, tree: str, path: str, stat: str) -> None:
    device = scripted(tree)
    device.seconds(1)
    for count in range(10, 20):
        device.write(path, stat.format(count))
        assert device.gap() == ["quota"]
    assert device.seconds(3)[-1] == []
    assert [note.split()[2:4] for note in device.notes] == [["quota", "of"], ["quota", "no"]]


# -- time -------------------------------------------------------------------------------------------


def test_sleep_is_no_step_of_the_clock_and_a_step_is_no_sleep(scripted: Make) -> None:
    device = scripted("empty")
    device.seconds(1)
    device.slept_ns += 12_300_000_000
    assert [device.gap(), device.gap()] == [["suspended"], []]
    device.wall_ahead_ns -= 3_600_000_000_000
    assert [device.gap(), device.gap()] == [["clock"], []]
    assert "slept for 12.3 s" in device.notes[0] and "set back by 3600 s" in device.notes[1]
    assert len(device.notes) == 2


def test_a_clock_that_is_merely_hurried_is_not_set(scripted: Make) -> None:
    device = scripted("empty")
    for _ in range(4000):
        device.wall_ahead_ns += SLICE_NS // 2000  # 500 ppm
        assert device.gap() == []
    device.monotonic_ns += 3_600_000_000_000  # held for an hour
    device.wall_ahead_ns += 1_800_000_000
    assert device.gap() == []


# -- company ----------------------------------------------------------------------------------------


def taking(others_cores: float = 0.0, stolen_share: float = 0.0) -> dict[str, Reading]:
    return {
        "others_cpu_ns": Reading(others_cores * SLICE_NS),
        "steal_ns": Reading(stolen_share * 4 * SLICE_NS),
    }


def test_other_programs_are_told_of_once_with_what_they_take_and_once_when_they_end(scripted: Make) -> None:
    device = scripted("empty")
    assert not any(device.seconds(10, taking(0.05)))
    busy = device.seconds(10, taking(1.2))
    assert busy[0] == ["others"] == busy[-1]  # so much is seen in one slice
    assert device.notes == ["Other programs take 1.20 cores while inferences are timed."]
    assert device.seconds(10, taking(0.0))[-1] == []
    assert device.notes[1:] == ["Other programs are quiet again."]


def test_ticks_that_scatter_about_nothing_are_no_other_programs(scripted: Make) -> None:
    device = scripted("empty", Others)
    for slice_ in range(2000):
        ticks = (-1, 2, -1, 1, 0, -2, 3, -1)[slice_ % 8]
        assert device.gap({"others_cpu_ns": Reading(ticks * 10e6)}) == []


def test_a_little_that_lasts_is_noticed_and_what_comes_and_goes_is_not_told_again_and_again(scripted: Make) -> None:
    device = scripted("empty", Others)
    device.seconds(4, taking(0.0))
    assert device.seconds(8, taking(0.25))[-1] == ["others"]
    for _ in range(5):
        device.seconds(5, taking(0.0))
        assert device.seconds(5, taking(0.4))[-1] == ["others"]
    assert len(device.notes) <= 3
    device.seconds(60, taking(0.4))  # now it stays
    assert "0.40 cores" in device.notes[-1]


def test_on_many_cores_a_fraction_of_one_disturbs_nobody() -> None:
    detector = Others(Device(root=TREES / "empty", cores=64))
    found = [detector.look(Gap(at / 4, "a", "b", 1, SLICE_NS, taking(0.3))) for at in range(60)]
    assert not any(one.marked for one in found)


def test_stolen_time_is_not_others(scripted: Make) -> None:
    device = scripted("vm")
    device.seconds(4)
    assert device.seconds(6, taking(0.0, 0.10))[-1] == ["steal"]
    assert device.notes == ["The hypervisor takes 10 % of the cores' time for others; no wait shows it."]


@pytest.mark.parametrize("kind", [Others, Stolen])
def test_without_counters_nothing_is_claimed(scripted: Make, kind: type[Detector]) -> None:
    device = scripted("vm", kind)
    none = Reading(reason="/proc/stat cannot be read")
    assert not any(device.seconds(20, {"others_cpu_ns": none, "steal_ns": none}))
    assert not any(device.seconds(20, {}))


# -- what a gap costs, and what breaks --------------------------------------------------------------


def test_files_are_looked_at_once_a_second_and_few_of_many(tmp_path: Path) -> None:
    for core in range(100):
        folder = tmp_path / CORE.format(core, "")
        folder.mkdir(parents=True)
        (folder / "scaling_governor").write_text("performance\n")
        (folder / "scaling_cur_freq").write_text("2000000\n")
    assert 0 < len(ClockDrift(Device(root=tmp_path))._files) <= MOST_FILES

    class Counting(Detector):
        mark, what = "x", "looks"
        looks = 0

        def __init__(self, device: Device) -> None: ...

        def look(self, gap: Gap) -> Finding:
            Counting.looks += 1
            return NOTHING

    watch = Watch(Device(root=tmp_path), [Counting])
    for at in range(400):
        watch.look(Gap(at / 40, "a", "b", 1, SLICE_NS))
    assert Counting.looks == 10


def test_a_file_that_goes_away_is_said_once_and_takes_no_other_along(scripted: Make) -> None:
    laptop = scripted("laptop")
    laptop.seconds(2)
    for file in laptop.root.glob("sys/devices/system/cpu/cpu*/cpufreq/scaling_governor"):
        file.write_text("performance\n")
    for file in laptop.root.glob("sys/devices/system/cpu/cpu*/thermal_throttle/core_throttle_count"):
        file.write_text("gone\n")
    laptop.seconds(2)
    laptop.clocks("scaling_governor", "powersave")
    laptop.seconds(2)
    lost, changed = laptop.notes
    assert lost.startswith("No longer watched for: a processor that says it is too hot")
    assert changed == "The governor changed from performance to powersave."
    assert any("too hot" in what for what in laptop.watch.not_here)


def test_a_detector_that_is_not_here_is_not_asked_again() -> None:
    class Absent(Detector):
        mark, what = "x", "nothing"

        def __init__(self, device: Device) -> None:
            raise NotHere("there is none")

        def look(self, gap: Gap) -> Finding:
            raise AssertionError("asked")

    watch = Watch(Device(), [Absent])
    assert watch.look(Gap(0.0, "a", "b", 1, SLICE_NS)) == ([], [])
    assert watch.not_here == {"nothing": "there is none"}


# -- for real ---------------------------------------------------------------------------------------


def is_marked(mark: str) -> Callable[[wire.Frame], bool]:
    return lambda frame: isinstance(frame, wire.Slice) and mark in frame.marks


@contextmanager
def busy_strangers(number: int) -> Iterator[None]:
    program = f"import time\nend = time.monotonic() + {LONGEST_S}\nwhile time.monotonic() < end: pass"
    strangers = [subprocess.Popen([sys.executable, "-c", program]) for _ in range(number)]
    try:
        yield
    finally:
        for stranger in strangers:
            stranger.kill()
            stranger.wait()


@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="nobody's CPU time is shown here")
def test_another_program_that_eats_the_cores_is_noticed(start: Start, small_model: str) -> None:
    link = start([f"{small_model}@threads=1"], slice_ms=100)
    with busy_strangers(2):
        frames = slices(frames_until(link, is_marked("others")))
    reading = frames[-1].counters["others_cpu_ns"]
    assert reading.value is not None and reading.value > 0


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="processes have no affinity here")
def test_a_model_whose_cores_are_taken_away_is_marked(start: Start, small_model: str) -> None:
    allowed = os.sched_getaffinity(0)
    if len(allowed) < 2:
        pytest.skip("there is only one core")
    link = start([small_model])
    frames = frames_until(link, lambda frame: isinstance(frame, wire.Slice))
    runner = next(frame.pid for frame in frames if isinstance(frame, wire.State) and frame.pid)
    assert not any(is_marked("cpuset")(frame) for frame in frames)
    os.sched_setaffinity(runner, {min(allowed)})
    link.send(wire.Go(slices(frames)[-1].seq))
    marked = slices(frames_until(link, is_marked("cpuset")))[-1]
    assert any(f"to {min(allowed)}." in note for note in marked.notes)


def test_a_quota_that_runs_out_for_real(start: Start, small_model: str) -> None:
    """A control group of version 1 or 2 that we may make; the probe is started in it."""
    home, group = own_group()
    try:
        (group / "cgroup.procs").write_text(str(os.getpid()))
        link = start([f"{small_model}@threads=1"], slice_ms=200)
        (home / "cgroup.procs").write_text(str(os.getpid()))
        frames_until(link, is_marked("quota"))
        link.close()
    finally:
        (home / "cgroup.procs").write_text(str(os.getpid()))
        group.rmdir()


def own_group() -> tuple[Path, Path]:
    """The group that this process is in, and a new one below it with half a core; skips where that is not allowed."""
    for line in Path("/proc/self/cgroup").read_text().splitlines() if Path("/proc/self/cgroup").exists() else []:
        _, controllers, path = line.split(":", 2)
        if "cpu" not in controllers.split(",") and controllers:
            continue
        home = Path("/sys/fs/cgroup") / controllers / path.lstrip("/")
        group = home / f"latvar-test-{os.getpid()}"
        try:
            group.mkdir()
        except OSError:
            continue
        try:
            if controllers:
                (group / "cpu.cfs_period_us").write_text("20000")
                (group / "cpu.cfs_quota_us").write_text("6000")
            else:
                (group / "cpu.max").write_text("6000 20000")
            return home, group
        except OSError:
            group.rmdir()
    pytest.skip("no control group with a CPU quota may be made here")
