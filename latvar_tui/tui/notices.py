"""Which note of the board the banner shows: each for a moment at least, the newest for longer."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

LEAST_S = 3.0
"""A note that follows at once does not hide this one."""

MOST_S = 8.0


class Notices:
    """Fed with all notes there are; tells which one to show. Times in seconds of one clock."""

    def __init__(self) -> None:
        self._waiting: deque[str] = deque(maxlen=5)
        self._newest: object = None
        self._shown, self._since_s = "", float("-inf")

    def shown(self, notes: Iterable[str], now_s: float) -> str:
        """The note to show now; empty if there is none, or it has been seen for long enough."""
        fresh: list[str] = []
        for note in reversed(list(notes)):
            if note is self._newest:
                break
            fresh.append(note)
        if fresh:
            self._newest = fresh[0]
            self._waiting.extend(reversed(fresh))
        seen_s = now_s - self._since_s
        if self._waiting and seen_s >= LEAST_S:
            self._shown, self._since_s = self._waiting.popleft(), now_s
        elif seen_s >= MOST_S:
            self._shown = ""
        return self._shown
