"""Children that are frozen and thawed: alone, and two in the same instant."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Iterator
from typing import BinaryIO

import psutil
import pytest

from latvar_tui.device.child import Child
from tests.conftest import LONGEST_S


def echo(orders: BinaryIO, answers: BinaryIO) -> None:
    while order := orders.read(1):
        answers.write(order)


@pytest.fixture
def children() -> Iterator[tuple[Child, Child]]:
    first = Child("latvar-first", echo, lambda: None)
    second = Child("latvar-second", echo, first.close_in_child)
    for child in (first, second):
        child.freeze()
    yield first, second
    for child in (first, second):
        child.end()


def answers(child: Child) -> bool:
    child.send(b"x")
    return bool(select.select([child.answers], [], [], LONGEST_S)[0]) and os.read(child.answers, 1) == b"x"


def is_stopped(child: Child) -> bool:
    """At once it is not: a thread has to get a core to stop on."""
    limit_s = time.monotonic() + LONGEST_S
    while psutil.Process(child.pid).status() != psutil.STATUS_STOPPED:
        if time.monotonic() > limit_s:
            return False
    return True


def lead(*children: Child) -> bool:
    return all(os.getpgid(child.pid) == child.pid for child in children)


def test_two_run_from_one_signal_to_another(children: tuple[Child, Child], monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = children
    sent: list[int] = []
    send = os.killpg
    monkeypatch.setattr(os, "killpg", lambda group, number: (sent.append(group), send(group, number)))
    for _ in range(3):
        first.thaw_with(second)
        assert not first.frozen and not second.frozen
        assert answers(first) and answers(second)
        first.freeze()
        assert first.frozen and second.frozen
        assert is_stopped(first) and is_stopped(second)
        second.freeze()  # it is
        assert lead(first, second), "who is looked for by its group is found"
    assert sent == 6 * [first.pid]
    second.thaw()
    assert answers(second) and is_stopped(first)


def test_where_they_cannot_be_in_one_group_each_is_told(
    children: tuple[Child, Child], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(pid: int, group: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "setpgid", refused)
    first, second = children
    first.thaw_with(second)
    assert answers(first) and answers(second)
    first.freeze()
    assert is_stopped(first) and not second.frozen and answers(second)
    second.freeze()
    assert is_stopped(second)


def test_a_guest_goes_on_though_its_host_was_running(children: tuple[Child, Child]) -> None:
    first, second = children
    first.thaw()
    first.thaw_with(second)
    assert answers(first) and answers(second)


def test_the_end_of_one_is_not_the_others(children: tuple[Child, Child]) -> None:
    first, second = children
    first.thaw_with(second)
    first.end()
    assert first.exit_status is not None
    assert lead(second) and answers(second)
    second.freeze()
    assert is_stopped(second)


def test_a_guest_that_dies_is_not_missed(children: tuple[Child, Child]) -> None:
    first, second = children
    first.thaw_with(second)
    second.end()
    first.freeze()
    assert is_stopped(first)
    first.thaw()
    assert answers(first)
