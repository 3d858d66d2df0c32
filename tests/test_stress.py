"""The stressor: as many threads as asked for, however the slider moves."""

from __future__ import annotations

import queue
import time

import psutil
import pytest

from latvar_tui.candidate import Condition
from latvar_tui.device.stress import Stressor
from tests.conftest import LONGEST_S


def wait_for_threads(number: int) -> None:
    """A thread that has said that it ends takes a moment to be gone."""
    limit = time.monotonic() + LONGEST_S
    while (found := psutil.Process().num_threads()) != number:
        assert time.monotonic() < limit, f"{found} threads instead of {number}"


@pytest.mark.parametrize(
    "moves", [[1], [3, 1], [2, 0, 2], [4, 0], [1, 2, 3, 2, 1, 0, 3]], ids=lambda moves: "-".join(map(str, moves))
)
def test_it_says_when_the_threads_are_those_asked_for(moves: list[int]) -> None:
    before = psutil.Process().num_threads()
    reached: queue.Queue[Condition] = queue.Queue()
    stressor = Stressor(reached.put)
    for threads in moves:
        stressor.apply(Condition(threads))
        assert reached.get(timeout=LONGEST_S) == Condition(threads)
        wait_for_threads(before + threads)
    stressor.apply(Condition())
    assert reached.get(timeout=LONGEST_S) == Condition()
    assert reached.empty()


def test_moves_faster_than_threads_end_in_the_last_one() -> None:
    reached: queue.Queue[Condition] = queue.Queue()
    stressor = Stressor(reached.put)
    for threads in (4, 0, 3, 1, 4, 2, 0, 2):
        stressor.apply(Condition(threads))
    while reached.get(timeout=LONGEST_S) != Condition(2):
        pass
    stressor.apply(Condition())
    while reached.get(timeout=LONGEST_S) != Condition():
        pass


def test_the_load_changes_without_new_threads() -> None:
    reached: queue.Queue[Condition] = queue.Queue()
    stressor = Stressor(reached.put)
    for load_pct in (100, 50, 10, 100):
        stressor.apply(Condition(1, "cpu", load_pct))
        assert reached.get(timeout=LONGEST_S).load_pct == load_pct
    stressor.apply(Condition())
    reached.get(timeout=LONGEST_S)
