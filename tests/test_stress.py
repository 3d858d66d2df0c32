"""The stressor: as many threads as asked for, however the slider moves, and as busy as asked for."""

from __future__ import annotations

import queue
import select
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from latvar_tui.candidate import UsageError
from latvar_tui.condition import IDLE, Condition, parse_condition
from latvar_tui.device.burns import KINDS
from latvar_tui.device.burns.mem import LEAST_BYTES, footprint_bytes, last_level_cache_bytes
from latvar_tui.device.stress import PERIOD_S, Stressor, burn_share
from latvar_tui.device.stress_control import StressControl
from latvar_tui.device.stress_kinds import check_condition, stress_kinds
from latvar_tui.device.stress_ng import known, runs
from tests.conftest import LONGEST_S, wait_until_gone

Reached = queue.Queue[int]


def wait_for_threads(number: int) -> None:
    """A thread that has said that it ends takes a moment to be gone."""
    limit = time.monotonic() + LONGEST_S
    while (found := psutil.Process().num_threads()) != number:
        assert time.monotonic() < limit, f"{found} threads instead of {number}"
        time.sleep(0.001)  # polling a condition


@pytest.fixture
def before() -> int:
    return psutil.Process().num_threads()


@pytest.fixture
def stressor(before: int) -> Iterator[tuple[Stressor, Reached]]:
    reached: Reached = queue.Queue()
    stressor = Stressor(reached.put)
    yield stressor, reached
    stressor.apply(IDLE, 10**6)
    wait_for_threads(before)


@pytest.mark.parametrize(
    "moves", [[1], [3, 1], [2, 0, 2], [4, 0], [1, 2, 3, 2, 1, 0, 3]], ids=lambda moves: "-".join(map(str, moves))
)
def test_it_says_when_the_threads_are_those_asked_for(
    stressor: tuple[Stressor, Reached], before: int, moves: list[int]
) -> None:
    it, reached = stressor
    for number, threads in enumerate(moves):
        it.apply(Condition(threads), number)
        assert reached.get(timeout=LONGEST_S) == number
        wait_for_threads(before + threads)
    assert reached.empty()


def test_moves_faster_than_threads_end_in_the_last_one(stressor: tuple[Stressor, Reached], before: int) -> None:
    it, reached = stressor
    for number, threads in enumerate((4, 0, 3, 1, 4, 2, 0, 2)):
        it.apply(Condition(threads), number)
    while reached.get(timeout=LONGEST_S) != 7:
        pass
    wait_for_threads(before + 2)


def test_the_load_changes_without_new_threads(stressor: tuple[Stressor, Reached], before: int) -> None:
    it, reached = stressor
    for number, load_pct in enumerate((100, 50, 10, 100)):
        it.apply(Condition(1, "cpu", load_pct), number)
        assert reached.get(timeout=LONGEST_S) == number
        wait_for_threads(before + 1)


class Machine:
    """Time as one thread of a stressor sees it, on a machine that is frozen once and always contended."""

    def __init__(self, frozen_s: float) -> None:
        self.wall_s = self.cpu_s = self.frozen_s = 0.0
        self._freeze_s = frozen_s

    def now_s(self) -> float:
        return self.wall_s - self.frozen_s

    def burn(self) -> None:
        self.cpu_s += 0.0013
        self.wall_s += 0.0026  # half of the time it waits for a core

    def sleep(self, seconds: float) -> None:
        # The machine is frozen in the middle of a sleep, and wakes the sleeper when it is thawed.
        self.wall_s += max(seconds, seconds / 2 + self._freeze_s, 1e-6)
        self.frozen_s += self._freeze_s
        self._freeze_s = 0.0


@pytest.mark.parametrize("frozen_s", [0.0, 0.001, 0.005, 0.1, 10.0])
@pytest.mark.parametrize("share", [0.1, 0.3, 0.4])
def test_a_duty_cycle_takes_no_notice_of_the_freezer(share: float, frozen_s: float) -> None:
    machine, ahead_s = Machine(frozen_s), 0.0
    for _ in range(50):
        ahead_s = burn_share(machine.burn, share, machine.now_s, ahead_s, lambda: machine.cpu_s, machine.sleep)
    assert machine.now_s() == pytest.approx(50 * PERIOD_S, rel=1e-3)
    assert machine.cpu_s == pytest.approx(50 * share * PERIOD_S, rel=0.02)


@pytest.fixture
def control() -> Iterator[StressControl]:
    control = StressControl(lambda: None)
    yield control
    control.child.end()


def hear_until(control: StressControl, condition: Condition) -> None:
    control.thaw()
    while control.reached != condition:
        assert select.select([control.child.answers], [], [], LONGEST_S)[0]
        assert control.hear()


def test_an_answer_to_an_earlier_order_is_none_to_the_last(control: StressControl) -> None:
    """A key there and one back before the stressor has said a word: it is not idle because it was."""
    assert control.reached == IDLE
    control.order(Condition(3))
    assert control.reached is None
    control.order(IDLE)
    assert control.reached is None
    hear_until(control, IDLE)
    control.order(Condition(2))
    control.order(IDLE)
    control.order(Condition(2))
    assert control.reached is None
    hear_until(control, Condition(2))


def test_it_is_frozen_from_the_start_and_as_often_as_asked(control: StressControl) -> None:
    process = psutil.Process(control.child.pid)

    def wait_until_stopped() -> None:
        limit = time.monotonic() + LONGEST_S
        while process.status() != psutil.STATUS_STOPPED:
            assert time.monotonic() < limit

    wait_until_stopped()
    assert process.name() == "latvar-stress"
    control.order(Condition(1))
    hear_until(control, Condition(1))
    control.freeze()
    wait_until_stopped()


# -- kinds of stress --------------------------------------------------------------------------------


@pytest.mark.skipif(not Path("/proc/thread-self/schedstat").exists(), reason="needs Linux's scheduler statistics")
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_work_holds_no_lock(kind: str) -> None:
    """Else N threads would be one. Who waits for a lock sleeps; who waits for a core, on a busy machine, does not."""
    burn = KINDS[kind]()
    shares: queue.Queue[float] = queue.Queue()
    together = threading.Barrier(2)

    def awake_ns() -> int:
        return sum(map(int, Path("/proc/thread-self/schedstat").read_text().split()[:2]))

    def work() -> None:
        burn()
        together.wait(LONGEST_S)
        awake, begin_ns = awake_ns(), time.perf_counter_ns()
        while time.perf_counter_ns() - begin_ns < 300_000_000:
            burn()
        shares.put((awake_ns() - awake) / (time.perf_counter_ns() - begin_ns))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONGEST_S)
    # By turns they would be awake for half of the time.
    assert min(shares.get_nowait() for _ in threads) > 0.8


def test_the_memory_work_is_larger_than_the_caches_and_smaller_than_what_is_free(tmp_path: Path) -> None:
    cache = tmp_path / "sys/devices/system/cpu/cpu0/cache"
    for index, size in enumerate(["48K", "2048K", "32M"]):
        (cache / f"index{index}").mkdir(parents=True)
        (cache / f"index{index}" / "size").write_text(f"{size}\n")
    assert last_level_cache_bytes(tmp_path) == 32 << 20
    assert footprint_bytes(tmp_path) == 128 << 20
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/meminfo").write_text("MemTotal: 900000 kB\nMemAvailable: 204800 kB\n")
    assert footprint_bytes(tmp_path) == 50 << 20
    assert last_level_cache_bytes(tmp_path / "nowhere") is None
    assert footprint_bytes(tmp_path / "nowhere") == LEAST_BYTES


def got_ns(control: StressControl) -> int:
    found = control.cpu_ns()
    if found is None:
        pytest.skip("this platform does not show what other processes get")
    return sum(found.values())


@pytest.mark.parametrize("kind", KINDS)
def test_the_stressor_changes_its_kind_and_tells_what_it_got(control: StressControl, kind: str) -> None:
    control.order(Condition(2, kind))
    hear_until(control, Condition(2, kind))
    before_ns, limit_s = got_ns(control), time.monotonic() + LONGEST_S
    while got_ns(control) < before_ns + 50_000_000:
        assert time.monotonic() < limit_s
    control.freeze()
    process = psutil.Process(control.child.pid)
    while process.status() != psutil.STATUS_STOPPED:
        assert time.monotonic() < limit_s
    assert control.cpu_ns() == control.cpu_ns()
    control.order(IDLE)
    hear_until(control, IDLE)


@pytest.mark.parametrize(
    ("text", "says"),
    [("1xgpu@100%", "cpu, fp, mem"), ("1xstress-ng:nosuch@100%", "stress-ng"), ("1xcpu@5%", "10 to 100 %")],
)
def test_stress_that_cannot_be_made_is_refused(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says) as refusal:
        check_condition(parse_condition(text))
    assert "\n" not in str(refusal.value)


needs_stress_ng = pytest.mark.skipif(not known(), reason="stress-ng is not installed")


@needs_stress_ng
def test_stress_ng_in_the_place_of_our_threads(control: StressControl) -> None:
    condition = Condition(2, "stress-ng:matrix")
    control.order(condition)
    hear_until(control, condition)
    stressor = psutil.Process(control.child.pid)
    workers = [process for process in stressor.children(recursive=True) if not process.children()]
    assert len(workers) == 2
    limit_s, before_ns = time.monotonic() + LONGEST_S, got_ns(control)
    while got_ns(control) < before_ns + 50_000_000:
        assert time.monotonic() < limit_s
    control.freeze()
    while any(worker.status() != psutil.STATUS_STOPPED for worker in workers):
        assert time.monotonic() < limit_s
    control.order(Condition(1))
    hear_until(control, Condition(1))
    assert stressor.children() == []
    control.order(condition)
    hear_until(control, condition)
    workers = stressor.children(recursive=True)
    control.child.end()
    wait_until_gone({worker.pid for worker in workers})


@needs_stress_ng
@pytest.mark.parametrize("before", [IDLE, Condition(2), Condition(2, "stress-ng:cpu")], ids=str)
def test_stress_ng_is_reached_when_its_workers_are_there_and_no_others(
    control: StressControl, before: Condition
) -> None:
    """Threads that end meanwhile must not tell: a slice would begin without any stress."""
    if not before.is_idle:
        control.order(before)
        hear_until(control, before)
    wanted = Condition(2, "stress-ng:matrix")
    control.order(wanted)
    hear_until(control, wanted)
    (main,) = psutil.Process(control.child.pid).children()
    assert len(main.children()) == 2
    workers = [worker.pid for worker in main.children()]
    control.order(IDLE)
    hear_until(control, IDLE)
    assert not any(map(runs, workers))


@needs_stress_ng
def test_workers_that_do_not_listen_are_gone_before_idle_is_said(control: StressControl) -> None:
    if "stream" not in known():
        pytest.skip("this stress-ng has no stream")
    wanted = Condition(2, "stress-ng:stream")
    control.order(wanted)
    hear_until(control, wanted)
    family = [process.pid for process in psutil.Process(control.child.pid).children(recursive=True)]
    control.order(IDLE)
    hear_until(control, IDLE)
    assert not any(map(runs, family))


@needs_stress_ng
def test_a_stress_ng_that_ends_by_itself_ends_the_stressor(control: StressControl) -> None:
    """So that the probe notices: what runs under it from there on runs under nothing."""
    wanted = Condition(1, "stress-ng:matrix")
    control.order(wanted)
    hear_until(control, wanted)
    (main,) = psutil.Process(control.child.pid).children()
    main.kill()
    while control.hear():
        assert select.select([control.child.answers], [], [], LONGEST_S)[0]
    assert control.child.bury() == 1


@needs_stress_ng
def test_the_load_of_stress_ng_is_its_own() -> None:
    check_condition(Condition(1, "stress-ng:matrix"))
    with pytest.raises(UsageError, match="100 %"):
        check_condition(Condition(1, "stress-ng:matrix", 50))


def test_without_stress_ng_its_kinds_are_refused_with_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    known.cache_clear()
    monkeypatch.setenv("PATH", "/nowhere")
    try:
        assert not any(kind.startswith("stress-ng") for kind in stress_kinds())
        with pytest.raises(UsageError, match="not installed"):
            check_condition(Condition(1, "stress-ng:matrix"))
    finally:
        known.cache_clear()


def test_the_same_order_again_is_carried_out_by_threads_that_never_saw_the_one_between() -> None:
    """Orders are told apart although a condition that is read again may be the same object."""
    settled: list[int] = []
    stressor, again = Stressor(settled.append), Condition(2)
    limit = time.monotonic() + LONGEST_S
    for number in range(1, 40):
        stressor.apply(again, number)
        while settled[-1:] != [number]:
            assert time.monotonic() < limit
    stressor.apply(IDLE, 40)
