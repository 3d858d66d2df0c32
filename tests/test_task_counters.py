"""What the system counts for a runner's threads: on recorded trees, and of a real runner under real stress.

The trees are three threads on one core, read twice: as Linux 6.18 shows them; without `sched`, as a kernel without
CONFIG_SCHED_DEBUG; without `schedstat`; and with a `schedstat` of zeros, as a kernel that does not count.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from latvar_tui import wire
from latvar_tui.device.task_counters import NO_POOL, TaskCounts, read_task_counts, task_counters
from latvar_tui.link import Link
from latvar_tui.wire import Reading
from tests.conftest import frames_until, slices

TREES = Path(__file__).parent / "trees" / "tasks"
PID = 4242
COUNTERS = {"pool_wait_ns", "involuntary_switches", "migrations"}

Start = Callable[..., Link]


def read(tree: Path, side: str) -> TaskCounts:
    return read_task_counts(PID, str(tree / side))


def counted(tree: str) -> dict[str, Reading]:
    counters = task_counters(read(TREES / tree, "before"), read(TREES / tree, "after"))
    assert set(counters) == COUNTERS
    for reading in counters.values():
        assert (reading.value is None) == bool(reading.reason)
    return counters


def copied(tmp_path: Path) -> Path:
    return Path(shutil.copytree(TREES / "linux_6.18", tmp_path / "tree"))


# -- recorded trees ---------------------------------------------------------------------------------


def test_the_main_thread_is_not_of_the_pool() -> None:
    assert counted("linux_6.18") == {
        "pool_wait_ns": Reading(404_752_331.0 + 407_144_029.0),
        "involuntary_switches": Reading(55.0 + 50.0 + 51.0),
        "migrations": Reading(2.0),
    }


def test_a_kernel_without_sched_still_counts_switches() -> None:
    counters, whole = counted("no_sched"), counted("linux_6.18")
    assert counters["pool_wait_ns"] == whole["pool_wait_ns"]
    assert counters["involuntary_switches"] == whole["involuntary_switches"]
    assert "no migrations" in (counters["migrations"].reason or "")


@pytest.mark.parametrize(("tree", "says"), [("no_schedstat", "shows no run-queue"), ("not_counting", "does not count")])
def test_no_run_queue_delay_is_a_reason_and_not_zero(tree: str, says: str) -> None:
    counters = counted(tree)
    assert says in (counters["pool_wait_ns"].reason or "")
    assert counters["involuntary_switches"].value and counters["migrations"].value


def test_a_platform_without_proc_says_so_three_times(tmp_path: Path) -> None:
    nothing = read_task_counts(PID, str(tmp_path))
    for reading in task_counters(nothing, nothing).values():
        assert reading.value is None and "no threads" in (reading.reason or "")


def test_one_thread_has_no_pool_to_wait(tmp_path: Path) -> None:
    tree = copied(tmp_path)
    for folder in tree.glob("*/4242/task/424[34]"):
        shutil.rmtree(folder)
    counters = task_counters(read(tree, "before"), read(tree, "after"))
    assert counters["pool_wait_ns"] == Reading(reason=NO_POOL)
    assert counters["involuntary_switches"] == Reading(55.0)


@pytest.mark.parametrize("side", ["before", "after"])
def test_threads_that_come_or_go_are_not_summed(tmp_path: Path, side: str) -> None:
    tree = copied(tmp_path)
    shutil.rmtree(tree / side / "4242/task/4244")
    for reading in task_counters(read(tree, "before"), read(tree, "after")).values():
        assert reading.value is None and "came or went" in (reading.reason or "")


def test_damaged_files_are_reasons(tmp_path: Path) -> None:
    tree = copied(tmp_path)
    for name in ("schedstat", "sched", "status"):
        (tree / "after/4242/task/4243" / name).write_bytes(b"\xff no number\n")
    for reading in task_counters(read(tree, "before"), read(tree, "after")).values():
        assert reading.value is None and reading.reason


def test_a_counter_that_runs_backwards_is_no_number() -> None:
    before, after = read(TREES / "linux_6.18", "before"), read(TREES / "linux_6.18", "after")
    backwards = task_counters(after, before)
    assert "backwards" in (backwards["pool_wait_ns"].reason or "")
    assert "backwards" in (backwards["involuntary_switches"].reason or "")


# -- real runners -----------------------------------------------------------------------------------


def ready_pid(frames: list[wire.Frame]) -> int:
    return next(frame.pid for frame in frames if isinstance(frame, wire.State) and frame.state == "ready")


def first_slices(link: Link, seq: int) -> list[wire.Frame]:
    return frames_until(link, lambda frame: isinstance(frame, wire.Slice) and frame.seq >= seq)


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="shows no threads")
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_every_thread_but_the_main_one_is_of_the_pool(start: Start, small_model: str, threads: int) -> None:
    frames = first_slices(start([f"{small_model}@threads={threads}"]), 2)
    counts = read_task_counts(ready_pid(frames))
    assert isinstance(counts.involuntary_switches, dict)
    assert len(counts.involuntary_switches) == threads and counts.main in counts.involuntary_switches
    for frame in slices(frames):
        assert set(frame.counters) >= COUNTERS
        pool_wait = frame.counters["pool_wait_ns"]
        if threads == 1:
            assert pool_wait == Reading(reason=NO_POOL)
        else:
            assert pool_wait.value is not None or pool_wait.reason


def test_contention_is_counted(start: Start, larger_model: str) -> None:
    """Many more runnable threads than cores: threads are preempted more often than not, and those of the pool wait."""
    cores = os.cpu_count() or 1
    link = start([f"{larger_model}@threads=2"], f"{3 * cores}xcpu@100%", slice_ms=200)
    under = slices(first_slices(link, 6))
    if reason := under[-1].counters["pool_wait_ns"].reason:
        pytest.skip(reason)
    seconds = sum(frame.end_ns - frame.start_ns for frame in under) / 1e9

    def total(name: str) -> float:
        return sum(frame.counters[name].value or 0.0 for frame in under)

    # Two threads among at least eight on the cores: each waits for most of the time, with the scheduler's turns of a
    # few milliseconds. A tenth of that is asserted.
    assert total("pool_wait_ns") > 0.05 * seconds * 1e9
    assert total("pool_wait_ns") <= 1.1 * seconds * 1e9  # one thread cannot wait for longer than there is
    assert total("involuntary_switches") > seconds


def test_a_slice_in_which_the_condition_changed_has_no_counters(start: Start, small_model: str) -> None:
    link = start([small_model], slice_ms=2000)
    frames = frames_until(link, lambda frame: isinstance(frame, wire.Slice))
    (runner,) = {frame.pid for frame in frames if isinstance(frame, wire.State) and frame.pid}
    before_s = psutil.Process(runner).cpu_times().user
    link.send(wire.Go(slices(frames)[-1].seq))
    while psutil.Process(runner).cpu_times().user < before_s + 0.03:
        pass  # until it has counted some: the change is to come in the middle
    link.send(wire.SetCondition("1xcpu@100%"))
    frames = frames_until(link, lambda f: isinstance(f, wire.Slice) and f.condition == "1xcpu@100%")
    # Cut it is, whether or not it dropped an inference: the change may come between two of them.
    cut, whole = slices(frames)
    assert cut.end_ns - cut.start_ns < 1.9e9
    assert all("changed" in (cut.counters[name].reason or "") for name in COUNTERS)
    assert "changed" not in (whole.counters["involuntary_switches"].reason or "")
