"""Computing in pieces: what takes long is begun only while there is time, and what was computed so far is kept.

Whoever asks within :meth:`latvar_tui.study.ranking.Study.in_pieces` is answered, or gets :class:`NotYet` and asks again
later. What was computed since it first asked is good enough for it, however many rounds there have been meanwhile:
otherwise an answer that takes longer than a round would never come.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from latvar_tui.condition import Condition


class NotYet(Exception):
    """There is no time for it now."""


def once_and(more: Callable[[], bool]) -> Callable[[], bool]:
    """For :attr:`Piece.may_begin`: one thing at least, or nothing would ever be done, then as long as ``more`` says."""
    is_first = True

    def may_begin() -> bool:
        nonlocal is_first
        was_first, is_first = is_first, False
        return was_first or more()

    return may_begin


@dataclass(frozen=True)
class Mark:
    """When something was first asked for: the study's version then, and how many rounds there were ever."""

    version: int
    rounds: Mapping[Condition, int]


@dataclass(frozen=True)
class Piece:
    """``may_begin``: whether there is time for one thing more. ``since``: what was computed later is good enough."""

    may_begin: Callable[[], bool]
    since: int

    def is_good(self, then: int, now: int) -> bool:
        """Whether what was computed of ``then`` rounds is, of ``now`` that there are."""
        return self.since <= then <= now

    def begin(self) -> None:
        """One thing more is computed; raises :class:`NotYet` if there is no time for it."""
        if not self.may_begin():
            raise NotYet
