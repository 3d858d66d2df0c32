"""The stressor: as many threads as asked for, however the slider moves."""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator

import psutil
import pytest

from latvar_tui.candidate import Condition
from latvar_tui.device.stress import Stressor
from tests.conftest import LONGEST_S

Reached = queue.Queue[Condition]


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
    stressor.apply(Condition())
    wait_for_threads(before)


@pytest.mark.parametrize(
    "moves", [[1], [3, 1], [2, 0, 2], [4, 0], [1, 2, 3, 2, 1, 0, 3]], ids=lambda moves: "-".join(map(str, moves))
)
def test_it_says_when_the_threads_are_those_asked_for(
    stressor: tuple[Stressor, Reached], before: int, moves: list[int]
) -> None:
    it, reached = stressor
    for threads in moves:
        it.apply(Condition(threads))
        assert reached.get(timeout=LONGEST_S) == Condition(threads)
        wait_for_threads(before + threads)
    assert reached.empty()


def test_moves_faster_than_threads_end_in_the_last_one(stressor: tuple[Stressor, Reached]) -> None:
    it, reached = stressor
    for threads in (4, 0, 3, 1, 4, 2, 0, 2):
        it.apply(Condition(threads))
    while reached.get(timeout=LONGEST_S) != Condition(2):
        pass


def test_the_load_changes_without_new_threads(stressor: tuple[Stressor, Reached], before: int) -> None:
    it, reached = stressor
    for load_pct in (100, 50, 10, 100):
        it.apply(Condition(1, "cpu", load_pct))
        assert reached.get(timeout=LONGEST_S).load_pct == load_pct
        wait_for_threads(before + 1)
