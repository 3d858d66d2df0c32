"""What the study says, asked for in pieces that fit between two slices, and kept: an interval takes milliseconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

from latvar_tui.condition import Condition
from latvar_tui.study.board import Board
from latvar_tui.study.conclusions import Groups, Pair, Reversal, not_compared
from latvar_tui.study.pieces import Mark, NotYet, once_and

PIECE_S = 0.0015
"""For so long answers that are out of date, or missing, are worked out in a frame: at least one pair of what an answer
is of, or one interval, and none more is begun later."""

SHARE = 0.02
"""Of all time at most so much, however long one answer takes: after a costly one the others wait."""

_MOST = 4096

_T = TypeVar("_T")


class Answers:
    """Asked by the views that are shown; call :meth:`begin` once before each drawing.

    An answer that is not known yet is None, and comes some frames later; until there is a newer one the last is given,
    which is right of the rounds that there were. Where nothing is measured meanwhile (``hurried``), everything is
    answered at once.
    """

    def __init__(
        self, board: Board, *, hurried: bool = False, clock_s: Callable[[], float] = time.perf_counter
    ) -> None:
        self._board, self.hurried, self._clock_s = board, hurried, clock_s
        self._known: dict[Hashable, tuple[int, object]] = {}
        self._waiting: dict[Hashable, tuple[Callable[[], object], Mark]] = {}
        self._asked: set[Hashable] = set()
        self._mark = board.study.mark
        self._rests_until_s = 0.0
        self._epoch = board.study.epoch

    def forget(self) -> None:
        """What was known is so no more."""
        self._known.clear()
        self._waiting.clear()
        self._mark = self._board.study.mark

    def begin(self) -> None:
        """A frame begins: for a moment, answer what has waited longest."""
        if self._epoch != self._board.study.epoch or len(self._known) > _MOST:
            self.forget()
            self._epoch = self._board.study.epoch
        # What no view has asked for any more holds up nobody.
        self._waiting = {key: waiting for key, waiting in self._waiting.items() if key in self._asked}
        self._asked.clear()
        began_s = self._clock_s()
        if began_s < self._rests_until_s:
            return
        may_begin = once_and(lambda: self.hurried or self._clock_s() - began_s < PIECE_S)
        spent_s = 0.0
        while self._waiting and (spent_s < PIECE_S or self.hurried):
            key, (compute, mark) = next(iter(self._waiting.items()))
            try:
                with self._board.study.in_pieces(may_begin, mark):
                    self._known[key] = mark.version, compute()
                del self._waiting[key]
            except NotYet:
                break
            finally:
                spent_s = self._clock_s() - began_s
        if spent_s > PIECE_S:
            self._rests_until_s = began_s + spent_s / SHARE

    def pair(self, a: str, b: str, condition: Condition, quantile: float) -> Pair | None:
        """See :meth:`latvar_tui.study.ranking.Study.pair`; None: not yet."""
        study = self._board.study
        return self._ask(("pair", a, b, condition, quantile), lambda: study.pair(a, b, condition, quantile))

    def groups(self, condition: Condition, quantile: float, ids: Sequence[str]) -> Groups | None:
        study, asked = self._board.study, tuple(ids)
        return self._ask(("groups", condition, quantile, asked), lambda: study.groups(condition, quantile, asked))

    def places(self, condition: Condition, quantile: float, ids: Sequence[str]) -> dict[str, int]:
        """From 0; who is not claimed to be slower shares the place. Who has too little to be placed is not in it."""
        found: dict[str, int] = {}
        left = sorted(ids)
        while left and not not_compared(quantile):
            groups = self.groups(condition, quantile, left)
            if groups is None or not groups.best:  # not yet, or nothing is measured
                break
            found |= dict.fromkeys(groups.best, len(found))
            left = sorted(groups.worse)
        return found

    def is_settled(self, candidate: str, condition: Condition, quantile: float) -> bool:
        """False also where that is not known yet."""
        study, rivals = self._board.study, tuple(one.id for one in self._board.rivals)
        key = "settled", candidate, condition, quantile, rivals
        return bool(self._ask(key, lambda: study.is_settled(candidate, condition, quantile, rivals)))

    def interval(self, candidate: str, condition: Condition, quantile: float) -> tuple[float, float] | None:
        study = self._board.study
        key = "interval", candidate, condition, quantile
        return self._ask(key, lambda: study.interval(candidate, condition, quantile))

    def reversals(self, quantile: float) -> list[Reversal]:
        """Those that are claimed at a quantile; none where that is not known yet."""
        study = self._board.study
        return self._ask(("reversals", quantile), lambda: study.reversals([quantile])) or []

    def _ask(self, key: Hashable, compute: Callable[[], _T]) -> _T | None:
        study = self._board.study
        known = self._known.get(key)
        if known is None or known[0] != study.version:
            if self.hurried:
                known = self._known[key] = study.version, compute()
            else:
                if self._mark.version != study.version:
                    self._mark = study.mark
                self._asked.add(key)
                self._waiting.setdefault(key, (compute, self._mark))
        return None if known is None else known[1]  # type: ignore[return-value]
