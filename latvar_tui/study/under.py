"""One condition of a study: its rounds, and what was computed of them, kept until there are a few more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar, cast

import numpy as np

from latvar_tui.study.claims import QUANTILES, Evidence, evidence
from latvar_tui.study.conclusions import Ratio
from latvar_tui.study.counted import Counted, Floats, counted_of, independent
from latvar_tui.study.drift import Block
from latvar_tui.study.intervals import (
    FEWEST_CELL_BLOCKS,
    FEWEST_CELL_EVENTS,
    ROUNDS_A_BLOCK,
    cell_intervals,
    drawn_logs,
)
from latvar_tui.study.pieces import Piece
from latvar_tui.study.ratios import Beyond, ratios_of
from latvar_tui.study.rounds import Rounds

_Made = TypeVar("_Made")
_NO_INTERVALS: tuple[tuple[float, float] | None, ...] = (None,) * len(QUANTILES)


class _Workspace:
    """Matrices of the rounds as they are now. Neither copied nor kept with a board: they are made anew in no time."""

    __slots__ = ("__dict__", "_made")
    _made: dict[object, object]

    def __deepcopy__(self, memo: object) -> _Workspace:
        return _Workspace()

    @property
    def made(self) -> dict[object, object]:
        if not hasattr(self, "_made"):
            self._made = {}
        return self._made


class Under:
    """What was measured under one condition. Pairs are asked for in alphabetical order."""

    def __init__(self) -> None:
        self.rounds = Rounds()
        self.walls: dict[str, tuple[int, int]] = {}
        """Of each candidate: slices, and how long they took with the gaps before them (ns)."""
        self._evidence: dict[tuple[str, str], tuple[int, list[Evidence] | None]] = {}
        self._ratios: dict[tuple[str, str], tuple[int, list[Ratio]]] = {}
        self._intervals: dict[str, tuple[int, list[tuple[float, float] | None]]] = {}
        self._work = _Workspace()
        self.piece: Piece | None = None
        """While this is asked in pieces."""

    @property
    def ids(self) -> list[str]:
        return list(self.walls)

    def timed(self, candidate: str, wall_ns: int) -> None:
        """A slice of it took so long."""
        many, before_ns = self.walls.get(candidate, (0, 0))
        self.walls[candidate] = many + 1, before_ns + wall_ns

    def slice_s(self, candidate: str) -> float:
        """How long a slice of it takes."""
        many, wall_ns = self.walls.get(candidate, (0, 0))
        return wall_ns / many / 1e9 if many else 0.25

    def add(self, blocks: Mapping[str, Block]) -> None:
        """A round is complete."""
        self.rounds.add(blocks)
        self._work.made.clear()

    def forget(self, candidate: str) -> None:
        """Let go of what was measured of a candidate."""
        self.rounds.forget(candidate)
        self._work.made.clear()
        self.walls.pop(candidate, None)
        self._intervals.pop(candidate, None)
        for known in (self._evidence, self._ratios):
            for pair in [pair for pair in known if candidate in pair]:
                del known[pair]

    # -- asked --------------------------------------------------------------------------------------

    def counted(self, candidate: str) -> Counted | None:
        """Its rounds as they are now; None before it has any."""
        return self._once(("counted", candidate), lambda: counted_of(self.rounds.rows, candidate))

    def together(self, *candidates: str) -> list[Counted] | None:
        """Of each candidate the rounds that hold all of them; None if there is none."""
        each = [self.counted(name) for name in candidates]
        known = [one for one in each if one is not None]
        if len(known) < len(candidates):
            return None
        rows = known[0].rows
        for one in known[1:]:
            rows = rows if rows.size == one.rows.size and (rows == one.rows).all() else np.intersect1d(rows, one.rows)
        return [one.at(rows) for one in known] if rows.size else None

    def drawn(self, candidate: str, one: Counted) -> Floats:
        """Its quantiles in the resamples of these rounds, in which others are drawn alike."""
        return self._once(("drawn", candidate, one.rows.tobytes()), lambda: drawn_logs(one, QUANTILES))

    def beyond(self, candidate: str, one: Counted) -> Beyond:
        """What an interval of its ratios needs of these rounds of it."""
        return self._once(("beyond", candidate, one.rows.tobytes()), lambda: Beyond.of(one))

    def _once(self, key: tuple[object, ...], make: Callable[[], _Made]) -> _Made:
        """What was made of the rounds as they are now. A kind of key always holds the same type."""
        made = self._work.made
        if key not in made:
            made[key] = make()
        return cast(_Made, made[key])

    def evidence(self, a: str, b: str, margin: float) -> list[Evidence] | None:
        """Of ``b`` against ``a`` at each of QUANTILES; None before they were in one round."""
        known = self._evidence.get((a, b))
        if known is None or self._is_due(known[0]):
            self._begin()
            both = self.together(a, b)
            known = self.rounds.added, None if both is None else evidence(both[0], both[1], margin)
            self._evidence[a, b] = known
        return known[1]

    def ratio(self, a: str, b: str, margin: float) -> list[Ratio] | None:
        """``b`` over ``a`` likewise."""
        known = self._ratios.get((a, b))
        if known is None or self._is_due(known[0]):
            both, seen = self.together(a, b), self.evidence(a, b, margin)
            if both is None or seen is None:
                return None
            self._begin()
            beyond = [self.beyond(name, one) for name, one in zip((a, b), both, strict=True)]
            known = self.rounds.added, ratios_of(beyond[0], beyond[1], [each.events for each in seen])
            self._ratios[a, b] = known
        return known[1]

    def intervals(self, candidate: str) -> list[tuple[float, float] | None]:
        """Of the candidate by itself (ns), at each of QUANTILES."""
        known = self._intervals.get(candidate)
        if known is None or self._is_due(known[0]):
            self._begin()
            one = self.counted(candidate)
            known = self.rounds.added, cell_intervals(one, QUANTILES) if one else list(_NO_INTERVALS)
            self._intervals[candidate] = known
        return known[1]

    def _is_due(self, then: int) -> bool:
        """Whether what was computed of ``then`` rounds must be computed anew."""
        now = self.rounds.added
        return is_old(then, now) and not (self.piece is not None and self.piece.is_good(then, now))

    def _begin(self) -> None:
        """Something that takes long is computed."""
        if self.piece is not None:
            self.piece.begin()

    def interval_more_s(self, candidate: str, quantile: float) -> float | None:
        """About how many seconds more it takes until there is an interval; None before its first complete round."""
        one = self.counted(candidate)
        if one is None:
            return None
        rounds = int(one.rounds.sum())
        events = self.events(candidate, quantile)
        times = max(FEWEST_CELL_BLOCKS * ROUNDS_A_BLOCK / rounds, FEWEST_CELL_EVENTS / max(events, 0.1))
        return max(0.0, times - 1) * rounds * self.slice_s(candidate)

    def events(self, candidate: str, quantile: float) -> float:
        """How many independent inferences lie beyond a quantile of all its rounds."""
        one = self.counted(candidate)
        return 0.0 if one is None else float(independent(one.above(one.quantiles_ns([quantile])))[0])

    def quantile_ns(self, candidate: str, quantile: float) -> float | None:
        """Of all its rounds."""
        one = self.counted(candidate)
        return None if one is None else float(one.quantiles_ns([quantile])[0])


def is_old(then: int, now: int) -> bool:
    """What was computed of ``then`` rounds says nearly the same of ``now``, if there are few more."""
    return now != then and (now < then or now - then > then // 20)
