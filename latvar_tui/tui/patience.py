"""Keeps Textual asleep while a slice runs: no polling of the keyboard, no timer that outlasts the drawing.

Textual's input thread looks up ten times a second whether it is to end, and its screen sleeps out a frame of a
sixtieth of a second *after* it has drawn. Each such wake takes some 50 µs of a core; but on a busy device it can also
push the thread that calls the model off its core, behind a stress thread, for a whole turn.
"""

from __future__ import annotations

import os
import select
import threading
import time

INPUT_THREAD = "textual-input"
AWAKE_S = 0.5
"""After a key for so long as Textual would: the end of an escape sequence that never comes is found by polling."""

FRAMES_PER_SECOND = "1000"
"""A paint begins at once anyway; what follows it is over within a millisecond, which settling covers."""


def shorten_sleeps() -> None:
    """Call before Textual is first imported; a user's own TEXTUAL_FPS stays."""
    os.environ.setdefault("TEXTUAL_FPS", FRAMES_PER_SECOND)


class PatientEvent(threading.Event):
    """In place of the event that tells Textual's input thread to end; asked for before each 0.1 s of waiting.

    Asked by that thread, it does not answer before there is input, or it is set.
    """

    def __init__(self, fileno: int) -> None:
        super().__init__()
        self._fileno = fileno
        self._woken, self._wake = os.pipe()
        self._awake_until_s = 0.0

    def is_set(self) -> bool:
        """Whether to end; the input thread alone waits for the answer."""
        if (
            threading.current_thread().name == INPUT_THREAD
            and not super().is_set()
            and time.monotonic() >= self._awake_until_s
        ):
            select.select([self._fileno, self._woken], [], [])
            self._awake_until_s = time.monotonic() + AWAKE_S
        return super().is_set()

    def set(self) -> None:
        """Tell it to end."""
        super().set()
        os.write(self._wake, b"x")

    def clear(self) -> None:
        """Another input thread will start: after Ctrl-Z, say."""
        super().clear()
        while select.select([self._woken], [], [], 0)[0]:
            os.read(self._woken, 64)
        self._awake_until_s = 0.0
