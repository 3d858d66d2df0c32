"""What everybody else took over a slice: on a recorded tree that a script moves on."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from latvar_tui import wire
from latvar_tui.device.system_counters import SystemCounters
from latvar_tui.device.task_counters import cpu_ns_between, read_task_counts
from latvar_tui.wire import Reading
from tests.conftest import frames_until, slices
from tests.test_disturbances import Start

TREES = Path(__file__).parent / "trees"
PID = 4711
MS = 1_000_000
NO_STRESS = Reading(reason="no stress was asked for")


@pytest.fixture(autouse=True)
def ticks_of_10_ms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sysconf", lambda name: 100)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    shutil.copytree(TREES / "vm", tmp_path / "vm")
    return tmp_path / "vm"


def stat(root: Path, *ticks: int) -> None:
    """user nice system idle iowait irq softirq steal guest guest_nice"""
    (root / "proc/stat").write_text(f"cpu  {' '.join(map(str, ticks))}\ncpu0 1 2 3 4\nintr 5\n")


def threads(root: Path, **cpu_ms: int) -> None:
    """What each thread of the runner has had."""
    for name, spent_ms in cpu_ms.items():
        folder = root / f"proc/{PID}/task/{name.lstrip('t')}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "schedstat").write_text(f"{spent_ms * MS} 123 45\n")


class Counters:
    """What is read around a slice, in the order that the probe reads it."""

    def __init__(self, root: Path) -> None:
        self._proc, self._system = str(root / "proc"), SystemCounters(root)

    def begin(self) -> None:
        self._before = read_task_counts(PID, self._proc)
        self._system.begin()

    def end(self, stress_cpu: Reading, stressed: bool) -> Mapping[str, Reading]:
        self._system.end()
        runner_cpu = cpu_ns_between(self._before, read_task_counts(PID, self._proc))
        return self._system.between(runner_cpu, stress_cpu, stressed)


def test_what_neither_model_nor_stress_took_is_the_others(root: Path) -> None:
    stat(root, 1000, 0, 100, 5000, 0, 0, 0, 7, 900, 0)
    threads(root, t1=500, t2=300)
    counters = Counters(root)
    counters.begin()
    # 50 ticks of user (guests' among them), 1 nice, 4 system, 1 + 1 of interrupts: 570 ms; 3 stolen ones are not busy.
    stat(root, 1050, 1, 104, 5020, 9, 1, 1, 10, 940, 0)
    threads(root, t1=700, t2=400)
    found = counters.end(Reading(150.0 * MS), stressed=True)
    assert found == {"others_cpu_ns": Reading((570 - 300 - 150) * MS), "steal_ns": Reading(30.0 * MS)}


def test_a_thread_that_came_during_the_slice_counts_from_nothing(root: Path) -> None:
    stat(root, 0, 0, 0, 0, 0, 0, 0, 0)
    threads(root, t1=500)
    counters = Counters(root)
    counters.begin()
    stat(root, 20, 0, 0, 0, 0, 0, 0, 0)
    threads(root, t1=600, t2=40)
    assert counters.end(NO_STRESS, stressed=False)["others_cpu_ns"] == Reading(60.0 * MS)


def test_ticks_may_leave_less_than_nothing_and_that_is_said_as_it_is(root: Path) -> None:
    """Else the sum over many slices would be too large."""
    stat(root, 0, 0, 0, 0, 0, 0, 0, 0)
    threads(root, t1=0)
    counters = Counters(root)
    counters.begin()
    stat(root, 24, 0, 0, 0, 0, 0, 0, 0)
    threads(root, t1=248)
    assert counters.end(NO_STRESS, stressed=False)["others_cpu_ns"] == Reading(-8.0 * MS)


def test_what_is_not_known_has_a_reason(root: Path) -> None:
    counters = Counters(root)
    counters.begin()  # no such process
    assert "threads" in (counters.end(NO_STRESS, stressed=False)["others_cpu_ns"].reason or "")

    threads(root, t1=0)
    counters.begin()
    found = counters.end(Reading(reason="the stress changed in the middle"), stressed=True)
    assert found["others_cpu_ns"].value is None
    assert "the stress changed in the middle" in (found["others_cpu_ns"].reason or "")
    assert found["steal_ns"].value == 0.0

    counters.begin()
    shutil.rmtree(root / f"proc/{PID}/task/1")
    assert "ended" in (counters.end(NO_STRESS, stressed=False)["others_cpu_ns"].reason or "")


@pytest.mark.parametrize("tree", ["android", "empty"])
def test_a_device_that_hides_its_counters_says_so(tree: str) -> None:
    counters = Counters(TREES / tree)
    counters.begin()
    for reading in counters.end(NO_STRESS, stressed=False).values():
        assert reading.value is None and "/proc/stat" in (reading.reason or "")


def test_a_kernel_that_counts_no_steal_time(root: Path) -> None:
    stat(root, 1, 0, 1, 9, 0, 0, 0)
    threads(root, t1=0)
    counters = Counters(root)
    counters.begin()
    assert counters.end(NO_STRESS, stressed=False) == {
        "others_cpu_ns": Reading(0.0),
        "steal_ns": Reading(reason="no steal time is counted"),
    }


@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="nobody's CPU time is shown here")
@pytest.mark.parametrize("condition", ["0xcpu@100%", "2xcpu@100%"])
def test_a_probe_tells_of_every_slice(start: Start, small_model: str, condition: str) -> None:
    """Neither the model's own time nor the stress is taken for somebody else's: that would be the whole slice."""
    link = start([f"{small_model}@threads=1"], condition, slice_ms=200)
    frames = slices(frames_until(link, lambda frame: isinstance(frame, wire.Slice) and frame.seq >= 6))
    shares = []
    for frame in frames:
        assert {"others_cpu_ns", "steal_ns"} <= set(frame.counters)
        for reading in frame.counters.values():
            assert (reading.value is None) != (reading.reason is None)
        value = frame.counters["others_cpu_ns"].value
        if value is not None:
            shares.append(value / (frame.end_ns - frame.start_ns))
    assert shares
    assert min(shares) > -0.5
