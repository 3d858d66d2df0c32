"""How long a gap may last: the pure part of taking turns, apart from processes and pipes."""

from __future__ import annotations

from dataclasses import dataclass

SHORTEST_PATIENCE_S = 0.060
LONGEST_PATIENCE_S = 0.500
LEASE_S = 5.0
"""A screen that says nothing for so long is stopped, hung or gone: stop stressing its device."""


@dataclass
class Pace:
    """Remembers how long the screen takes to draw, and when it was last heard. Times in seconds."""

    heard_at_s: float
    recent_gap_s: float = 0.0

    def heard(self, now_s: float) -> None:
        self.heard_at_s = now_s

    def drawn(self, gap_s: float) -> None:
        """The screen answered a frame after ``gap_s``, in time or too late."""
        gap_s = min(gap_s, LONGEST_PATIENCE_S)  # a screen that was stopped for an hour is no slow one
        self.recent_gap_s = gap_s if self.recent_gap_s == 0 else 0.7 * self.recent_gap_s + 0.3 * gap_s

    @property
    def patience_s(self) -> float:
        """How long to wait for a frame to be drawn before going on without."""
        return min(LONGEST_PATIENCE_S, max(SHORTEST_PATIENCE_S, 5 * self.recent_gap_s))

    def is_away(self, now_s: float) -> bool:
        """Whether the screen has been silent for longer than its lease."""
        return now_s - self.heard_at_s > LEASE_S
