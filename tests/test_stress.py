"""The stressor: as many threads as asked for, however the slider moves, and as busy as asked for."""

from __future__ import annotations

import queue
import select
import time
from collections.abc import Iterator

import psutil
import pytest

from latvar_tui.candidate import IDLE, Condition
from latvar_tui.device.stress import PERIOD_S, Stressor, burn_share
from latvar_tui.device.stress_control import StressControl
from tests.conftest import LONGEST_S

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
