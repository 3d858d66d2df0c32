"""Who is faster, under which condition, and where that turns round: fed slice by slice, asked at any time.

A family is all pairs under all conditions at one quantile: Holm's rule over always-valid p-values keeps its error at
``alpha`` however often one looks. A reversal is two claims of it, one each way, and needs no correction of its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import combinations
from typing import TypeVar

import numpy as np

from latvar_tui import wire
from latvar_tui.condition import Condition
from latvar_tui.study.claims import (
    FEWEST_ROUNDS,
    MARGIN,
    QUANTILES,
    Evidence,
    Shortage,
    fewest_events,
    holm,
    rounds_needed,
)
from latvar_tui.study.conclusions import Groups, Order, Pair, Ratio, Reversal
from latvar_tui.study.counted import independent
from latvar_tui.study.drift import Block, coarse
from latvar_tui.study.intervals import kendall_tau
from latvar_tui.study.pieces import Mark, Piece
from latvar_tui.study.under import Under

ALPHA = 0.05
PRECISION = 0.05
"""A cell is settled when its ratios to its rivals are known this well."""

MOST_CANDIDATES = 64
"""Of one condition, and how many cells of all: whoever comes later is not compared."""
MOST_CELLS = 512

_LONGEST_S = 24 * 3600.0
_Key = tuple[str, str, Condition]
_AnyKey = TypeVar("_AnyKey")


class Study:
    """What may be concluded of candidates from their slices.

    Args:
        alpha: how often anything false may be claimed at a quantile, in the whole session.
        margin: a smaller difference is none that matters.
        precision: how well a settled cell's ratios to its rivals are known.
    """

    def __init__(self, alpha: float = ALPHA, margin: float = MARGIN, precision: float = PRECISION) -> None:
        self.alpha, self.margin, self.precision = alpha, margin, precision
        self._under: dict[Condition, Under] = {}
        self._open: dict[str, Block] = {}
        self._open_round: tuple[int, Condition] | None = None
        self.version = 0
        """Grows with each round that is complete."""
        self.epoch = 0
        """Grows when something is known no more: counts were cleared, a model is another one, a recording went back."""
        self._claimed: dict[float, tuple[tuple[int, int | None], list[_Key]]] = {}
        self._asked_at: int | None = None

    # -- fed ----------------------------------------------------------------------------------------

    def add(self, frame: wire.Slice, condition: Condition) -> None:
        """Take in one slice of a candidate that has rivals. A round is complete when another one begins."""
        known = self._under.get(condition)
        if (known is None or frame.candidate not in known.walls) and self._is_full(known):
            return
        key = frame.round, condition
        if key != self._open_round or frame.candidate in self._open:
            self._close()
            self._open_round = key
        pairs = (frame.response or frame.service).array
        self._open[frame.candidate] = coarse([pairs] if pairs.size else [])
        self._of(condition).timed(frame.candidate, frame.end_ns - frame.start_ns + frame.gap_ns)

    def restart(self) -> None:
        """Another probe begins, and counts its rounds anew."""
        self._close()

    def clear(self) -> None:
        """Forget everything."""
        self._under.clear()
        self._claimed.clear()
        self._open, self._open_round = {}, None
        self.version += 1
        self.epoch += 1

    def forget(self, candidate: str) -> None:
        """Let go of what was measured of a candidate: it is another one now."""
        self._open.pop(candidate, None)
        for under in self._under.values():
            under.forget(candidate)
        self.version += 1
        self.epoch += 1

    def _is_full(self, under: Under | None) -> bool:
        """A file may say that there are thousands: all pairs of them would take hours."""
        cells = sum(len(one.walls) for one in self._under.values())
        return cells >= MOST_CELLS or (under is not None and len(under.walls) >= MOST_CANDIDATES)

    def _of(self, condition: Condition) -> Under:
        return self._under.setdefault(condition, Under())

    def _close(self) -> None:
        if self._open_round is not None and self._open:
            self._of(self._open_round[1]).add(self._open)
            self.version += 1
        self._open, self._open_round = {}, None

    # -- asked --------------------------------------------------------------------------------------

    @property
    def mark(self) -> Mark:
        """Now."""
        return Mark(self.version, {condition: under.rounds.added for condition, under in self._under.items()})

    @contextmanager
    def in_pieces(self, may_begin: Callable[[], bool], mark: Mark) -> Iterator[None]:
        """Within it, who asks since ``mark`` is answered, or gets :class:`latvar_tui.study.pieces.NotYet`.

        Args:
            may_begin: whether there is time for one pair more, or for one candidate's interval.
        """
        self._asked_at = mark.version
        for condition, under in self._under.items():
            under.piece = Piece(may_begin, mark.rounds.get(condition, 0))
        try:
            yield
        finally:
            self._asked_at = None
            for under in self._under.values():
                under.piece = None

    @property
    def conditions(self) -> list[Condition]:
        """Under which anything was measured, in that order."""
        return list(self._under)

    def candidates(self, condition: Condition) -> list[str]:
        """Who was measured under it, in that order."""
        return self._under[condition].ids if condition in self._under else []

    def pair(self, a: str, b: str, condition: Condition, quantile: float) -> Pair:
        """``b`` against ``a``."""
        under, seen = self._under.get(condition), self._evidence(a, b, condition, quantile)
        if under is None or seen is None:
            none = Shortage("rounds", 0, FEWEST_ROUNDS) if quantile in QUANTILES and a != b else None
            return Pair(a, b, condition, quantile, None, "", 0, None, provisional=True, shortage=none)
        ratio = self._ratio(a, b, condition, quantile)
        faster = self._faster(a, b, condition, seen, ratio)
        equal = not faster and seen.log_e_equal(self.margin) >= self._needed
        more_s = 0.0 if faster or equal else self._more_s(under, a, b, seen, ratio)
        short = seen.shortage
        return Pair(a, b, condition, quantile, ratio, faster, seen.rounds, more_s, equal, short is not None, short)

    def common_ns(self, a: str, b: str, condition: Condition, quantile: float) -> tuple[float, float] | None:
        """Of both, in the rounds that hold both, of which their ratio is; None if there is none."""
        under = self._under.get(condition)
        both = under.together(a, b) if under else None
        return (
            None
            if both is None
            else (float(both[0].quantiles_ns([quantile])[0]), float(both[1].quantiles_ns([quantile])[0]))
        )

    def interval(self, candidate: str, condition: Condition, quantile: float) -> tuple[float, float] | None:
        """95 % (ns), of the candidate by itself over this run; None before enough rounds."""
        under = self._under.get(condition)
        return None if under is None or quantile not in QUANTILES else under.intervals(candidate)[_place(quantile)]

    def sure_interval(self, candidate: str, condition: Condition, quantile: float) -> tuple[float, float] | None:
        """Likewise, but None, too, where fewer independent inferences lie beyond the quantile than a claim needs."""
        interval, under = self.interval(candidate, condition, quantile), self._under.get(condition)
        return interval if under and under.events(candidate, quantile) >= fewest_events(quantile) else None

    def interval_more_s(self, candidate: str, condition: Condition, quantile: float) -> float | None:
        """About how many seconds more of measuring it takes until there is an interval; None where nobody can say."""
        under = self._under.get(condition)
        return None if under is None else under.interval_more_s(candidate, quantile)

    def is_settled(
        self, candidate: str, condition: Condition, quantile: float, among: Sequence[str] | None = None
    ) -> bool:
        """Whether each of its pairs is decided, or known to within the precision; or it itself, if it has no rival.

        Args:
            among: those it competes with; None for all that were measured.
        """
        rivals = [other for other in (self.candidates(condition) if among is None else among) if other != candidate]
        if not rivals:
            interval = self.sure_interval(candidate, condition, quantile)
            value = self._under[condition].quantile_ns(candidate, quantile) if interval else None
            return bool(interval and value and Ratio(value, *interval).is_within(self.precision))
        pairs = (self.pair(candidate, other, condition, quantile) for other in rivals)
        return all(pair.is_settled(self.precision) for pair in pairs)

    def groups(self, condition: Condition, quantile: float, ids: Sequence[str]) -> Groups:
        """The best at a quantile, and those that are worse: claimed to be slower than another one of these."""
        under = self._under.get(condition)
        values = {name: under.quantile_ns(name, quantile) if under else None for name in ids}
        placed = [name for _, name in sorted((value, name) for name, value in values.items() if value is not None)]
        missing = tuple(name for name, value in values.items() if value is None)
        worse = set()
        for a, b, where in self._claims_at(quantile) if quantile in QUANTILES else ():
            if where == condition and a in placed and b in placed:
                faster = self.pair(a, b, condition, quantile).faster
                worse |= {a, b} - {faster} if faster else set()
        if placed and len(worse) == len(placed):  # each beaten by the next: claims may err
            worse.discard(placed[0])
        return Groups(tuple(n for n in placed if n not in worse), tuple(n for n in placed if n in worse), missing)

    def order(self, a: str, b: str, quantile: float, before: Condition, after: Condition) -> tuple[Order, float | None]:
        """Whether the two change places, and about how many seconds more decide that."""
        pairs = [self.pair(a, b, condition, quantile) for condition in (before, after)]
        if all(pair.is_decided for pair in pairs):
            faster = {pair.faster for pair in pairs if pair.faster}
            return ("reversed" if len(faster) == 2 else "same order"), 0.0
        waits = [pair.more_s for pair in pairs]
        return "undecided", None if None in waits else sum(wait for wait in waits if wait is not None)

    def reversals(self, quantiles: Sequence[float]) -> list[Reversal]:
        """Every one that is claimed, between any two conditions."""
        found = []
        for quantile in quantiles:
            claimed: dict[tuple[str, str], list[tuple[Condition, str]]] = {}
            for a, b, condition in self._claims_at(quantile):
                pair = self.pair(a, b, condition, quantile)
                if pair.faster:
                    claimed.setdefault((a, b), []).append((condition, pair.faster))
            for (a, b), under in claimed.items():
                for (before, first), (after, second) in combinations(sorted(under, key=_by_stress), 2):
                    if first != second:
                        names = (a, b) if first == a else (b, a)
                        both = (self._ratio(*names, condition, quantile) for condition in (before, after))
                        found.append(_reversal(names, quantile, (before, after), *both))
        return found

    def kendall_tau(
        self, before: Condition, after: Condition, quantile: float, ids: Sequence[str]
    ) -> tuple[float, float, float] | None:
        """Of the whole ranking between two conditions, with a 95 % interval; None with fewer than two candidates.

        On the rounds that hold all of them; None also where there are too few for any claim.
        """
        if len(ids) < 2 or quantile not in QUANTILES:
            return None
        measured, drawn = [], []
        for condition in (before, after):
            under = self._under.get(condition)
            together = under.together(*ids) if under else None
            if under is None or together is None or together[0].rounds.sum() < FEWEST_ROUNDS:
                return None
            values = [one.quantiles_ns([quantile]) for one in together]
            events = [independent(one.above(value))[0] for one, value in zip(together, values, strict=True)]
            if min(events) < fewest_events(quantile):
                return None
            measured.append(np.log(values))
            draws = [under.drawn(name, one)[_place(quantile)] for name, one in zip(ids, together, strict=True)]
            drawn.append(np.array(draws))
        # Two conditions have no round in common: their draws must not go together.
        taus = kendall_tau(drawn[0], np.roll(drawn[1], 1, axis=1))
        low, high = np.quantile(taus, (0.025, 0.975))
        return float(kendall_tau(*measured)[0]), float(low), float(high)

    # -- inside -------------------------------------------------------------------------------------

    def _evidence(self, a: str, b: str, condition: Condition, quantile: float) -> Evidence | None:
        under = self._under.get(condition)
        if under is None or quantile not in QUANTILES or a == b:
            return None
        known = under.evidence(min(a, b), max(a, b), self.margin)
        if known is None:
            return None
        return known[_place(quantile)] if a < b else known[_place(quantile)].turned()

    def _ratio(self, a: str, b: str, condition: Condition, quantile: float) -> Ratio | None:
        known = self._under[condition].ratio(min(a, b), max(a, b), self.margin)
        if known is None:
            return None
        return known[_place(quantile)] if a < b else _inverse(known[_place(quantile)])

    def family(self, quantile: float) -> list[tuple[_Key, Evidence]]:
        """All pairs under all conditions, ids in alphabetical order."""
        keys = [
            (a, b, condition)
            for condition, under in self._under.items()
            for a, b in combinations(sorted(under.ids), 2)
        ]  # fmt: skip
        seen = [(key, self._evidence(*key, quantile)) for key in keys]
        return [(key, one) for key, one in seen if one is not None]

    def claimed(self, quantile: float) -> bool:
        """Whether there may be anything to claim at it: cheaper than asking for each pair."""
        return bool(self._claims_at(quantile))

    def _claims_at(self, quantile: float) -> list[_Key]:
        """The pairs of which it may be claimed that one is faster."""
        known = self._claimed.get(quantile)
        now = self.version, self._asked_at  # in pieces, what is some rounds old may be good enough: not for others
        if known is None or known[0] != now:
            known = now, claimed_of(self.family(quantile), self.alpha)
            self._claimed[quantile] = known
        return known[1]

    def _faster(self, a: str, b: str, condition: Condition, seen: Evidence, ratio: Ratio | None) -> str:
        if (min(a, b), max(a, b), condition) not in self._claims_at(seen.quantile):
            return ""
        return _who(a, b, seen, ratio, self.margin)

    @property
    def _needed(self) -> float:
        """The evidence that suffices for any pair of the family."""
        size = sum(math.comb(len(under.walls), 2) for under in self._under.values())
        return math.log(max(1, size) / self.alpha)

    def _more_s(self, under: Under, a: str, b: str, seen: Evidence, ratio: Ratio | None) -> float | None:
        """Were it to go on like this, until the evidence suffices, and the interval agrees with it."""
        rounds = rounds_needed(seen, self._needed, self.margin)
        if rounds is None:
            return None
        if rounds <= seen.rounds:
            # It suffices: what is withheld waits for an interval without 1, which narrows as the root of the rounds.
            if ratio is None or ratio.low is None or ratio.high is None:
                return None
            aside = math.log(ratio.high / ratio.value) if ratio.value < 1 else math.log(ratio.value / ratio.low)
            rounds = seen.rounds * max(1.05, (aside / max(abs(math.log(ratio.value)), 1e-6)) ** 2)
        seconds = max(1.0, rounds - seen.rounds) * (under.slice_s(a) + under.slice_s(b))
        return seconds if seconds <= _LONGEST_S else None


def reversals_between(
    first: Study, second: Study, quantiles: Sequence[float], names: Mapping[str, str]
) -> list[Reversal]:
    """Of two devices or sessions: pairs that change places from the first (``before``) to the second (``after``).

    Under the same condition on both: otherwise two things would have changed. The family is that of both.

    Args:
        names: candidates of the first, and what they are called in the second.
    """
    found = []
    for quantile in quantiles:
        both = (
            (number, key, one) for number, study in enumerate((first, second)) for key, one in study.family(quantile)
        )
        claimed = set(claimed_of([((number, *key), one) for number, key, one in both], first.alpha))
        for condition in first.conditions:
            known = [name for name in first.candidates(condition) if names.get(name) in second.candidates(condition)]
            for a, b in combinations(known, 2):
                sides = []
                for number, (study, one, other) in enumerate(((first, a, b), (second, names[a], names[b]))):
                    seen = study._evidence(one, other, condition, quantile)
                    ratio = None if seen is None else study._ratio(one, other, condition, quantile)
                    if seen is None or (number, min(one, other), max(one, other), condition) not in claimed:
                        break
                    sides.append((_who("a", "b", seen, ratio, first.margin), ratio))
                if len(sides) == 2 and {sides[0][0], sides[1][0]} == {"a", "b"}:
                    turned = sides[0][0] == "b"
                    ratios = [_inverse(ratio) if turned and ratio else ratio for _, ratio in sides]
                    found.append(_reversal((b, a) if turned else (a, b), quantile, (condition, condition), *ratios))
    return found


def claimed_of(family: Sequence[tuple[_AnyKey, Evidence]], alpha: float) -> list[_AnyKey]:
    """Of which members a difference may be claimed."""
    chosen = holm([one.log_e for _, one in family], alpha)
    return [key for (key, _), is_in in zip(family, chosen, strict=True) if is_in]


def _who(a: str, b: str, seen: Evidence, ratio: Ratio | None, margin: float) -> str:
    """Who is faster, of a pair with enough evidence: if the interval agrees, and the difference matters."""
    if ratio is None or ratio.low is None or ratio.high is None:
        return ""
    if seen.log_ratio > 0 and ratio.low > 1 and ratio.value >= 1 + margin:
        return a
    if seen.log_ratio < 0 and ratio.high < 1 and ratio.value <= 1 / (1 + margin):
        return b
    return ""


def _reversal(
    names: tuple[str, str], quantile: float, conditions: tuple[Condition, Condition], *ratios: Ratio | None
) -> Reversal:
    first, second = ratios
    assert first is not None and second is not None
    return Reversal(*names, quantile, *conditions, first, second)


def _place(quantile: float) -> int:
    return QUANTILES.index(quantile)


def _inverse(ratio: Ratio) -> Ratio:
    low, high = (None if bound is None else 1 / bound for bound in (ratio.high, ratio.low))
    return Ratio(1 / ratio.value, low, high)


def _by_stress(claim: tuple[Condition, str]) -> tuple[bool, str, int, int, str]:
    condition = claim[0]
    return not condition.is_idle, condition.kind, -condition.load_pct, condition.stress_threads, str(condition)
