"""Textual's input thread sleeps until there is input, and still ends when it is told to."""

from __future__ import annotations

import os
import threading

import pytest

from latvar_tui.tui.patience import INPUT_THREAD, PatientEvent
from tests.conftest import LONGEST_S


class Asker(threading.Thread):
    """A thread that asks, as Textual's does."""

    def __init__(self, event: PatientEvent) -> None:
        super().__init__(name=INPUT_THREAD, daemon=True)
        self._event = event
        self.answers: list[bool] = []

    def run(self) -> None:
        self.answers.append(self._event.is_set())


@pytest.fixture
def keyboard() -> tuple[int, int]:
    return os.pipe()


def test_the_answer_waits_for_a_key(keyboard: tuple[int, int]) -> None:
    event = PatientEvent(keyboard[0])
    asker = Asker(event)
    asker.start()
    asker.join(0.2)  # Textual's own event answers at once; too short a wait here only makes the test weaker
    assert not asker.answers
    os.write(keyboard[1], b"q")
    asker.join(LONGEST_S)
    assert asker.answers == [False]
    # The rest of an escape sequence may be missing: from now on Textual polls for a while.
    soon = Asker(event)
    soon.start()
    soon.join(LONGEST_S)
    assert soon.answers == [False]


def test_it_ends_when_told_and_another_one_waits_again(keyboard: tuple[int, int]) -> None:
    event = PatientEvent(keyboard[0])
    asker = Asker(event)
    asker.start()
    event.set()
    asker.join(LONGEST_S)
    assert asker.answers == [True]
    event.clear()
    again = Asker(event)
    again.start()
    again.join(0.2)
    assert not again.answers
    event.set()
    again.join(LONGEST_S)
    assert again.answers == [True]


def test_others_are_answered_at_once(keyboard: tuple[int, int]) -> None:
    event = PatientEvent(keyboard[0])
    assert not event.is_set()
    event.set()
    assert event.is_set()
