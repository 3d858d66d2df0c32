"""Who is faster, under which condition, and where that turns round: fed slice by slice, asked at any time.

A family is all pairs under all conditions at one quantile: Holm's rule over always-valid p-values keeps its error at
``alpha`` however often one looks. A reversal is two claims of it, one each way, and needs no correction of its own.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np

from latvar_tui import wire
from latvar_tui.condition import Condition
from latvar_tui.histogram import pairs_of
from latvar_tui.study.claims import MARGIN, QUANTILES, RHO2, Claims, Evidence, holm
from latvar_tui.study.conclusions import Groups, Order, Pair, Ratio, Reversal
from latvar_tui.study.drift import Block, coarse
from latvar_tui.study.intervals import cell_intervals, kendall_tau, logs_together, ratios
from latvar_tui.study.rounds import Rounds

ALPHA = 0.05
PRECISION = 0.05
"""A cell is settled when its ratios to its rivals are known this well."""

_LONGEST_S = 24 * 3600.0
_Key = tuple[str, str, Condition]


class _Under:
    """One condition: its rounds, what they show, and what was computed of them."""

    def __init__(self, margin: float) -> None:
        self.rounds = Rounds()
        self.claims = Claims(margin)
        self.walls: dict[str, tuple[int, int]] = {}
        """Of each candidate: slices, and how long they took with the gaps before them (ns)."""
        self.ratios: dict[tuple[str, str], tuple[int, list[Ratio | None]]] = {}
        self.intervals: dict[str, tuple[int, list[tuple[float, float] | None]]] = {}

    def slice_s(self, candidate: str) -> float:
        many, wall_ns = self.walls.get(candidate, (0, 0))
        return wall_ns / many / 1e9 if many else 0.25


class Study:
    """What may be concluded of candidates from their slices.

    Args:
        alpha: how often anything false may be claimed at a quantile, in the whole session.
        margin: a smaller difference is none that matters.
        precision: how well a settled cell's ratios to its rivals are known.
    """

    def __init__(self, alpha: float = ALPHA, margin: float = MARGIN, precision: float = PRECISION) -> None:
        self.alpha, self.margin, self.precision = alpha, margin, precision
        self._under: dict[Condition, _Under] = {}
        self._open: dict[str, Block] = {}
        self._open_round: tuple[int, Condition] | None = None
        self.version = 0
        """Grows with each round that is complete."""
        self._claimed: dict[float, tuple[int, list[_Key]]] = {}

    # -- fed ----------------------------------------------------------------------------------------

    def add(self, frame: wire.Slice, condition: Condition) -> None:
        """Take in one slice of a candidate that has rivals. A round is complete when another one begins."""
        key = frame.round, condition
        if key != self._open_round or frame.candidate in self._open:
            self._close()
            self._open_round = key
        pairs = pairs_of(frame.response or frame.service)
        self._open[frame.candidate] = coarse([pairs] if pairs.size else [])
        under = self._of(condition)
        many, wall_ns = under.walls.get(frame.candidate, (0, 0))
        under.walls[frame.candidate] = many + 1, wall_ns + frame.end_ns - frame.start_ns + frame.gap_ns

    def restart(self) -> None:
        """Another probe begins, and counts its rounds anew."""
        self._close()

    def clear(self) -> None:
        """Forget everything."""
        self._under.clear()
        self._claimed.clear()
        self._open, self._open_round = {}, None
        self.version += 1

    def forget(self, candidate: str) -> None:
        """Let go of what was measured of a candidate: it is another one now."""
        self._open.pop(candidate, None)
        for under in self._under.values():
            under.rounds.forget(candidate)
            under.claims.forget(candidate)
            under.intervals.pop(candidate, None)
            under.walls.pop(candidate, None)
            under.ratios = {pair: known for pair, known in under.ratios.items() if candidate not in pair}
        self.version += 1

    def _of(self, condition: Condition) -> _Under:
        if condition not in self._under:
            self._under[condition] = _Under(self.margin)
        return self._under[condition]

    def _close(self) -> None:
        if self._open_round is not None and self._open:
            under = self._of(self._open_round[1])
            under.rounds.add(self._open)
            under.claims.add(self._open)
            self.version += 1
        self._open, self._open_round = {}, None

    # -- asked --------------------------------------------------------------------------------------

    @property
    def conditions(self) -> list[Condition]:
        """Under which anything was measured, in that order."""
        return list(self._under)

    def candidates(self, condition: Condition) -> list[str]:
        """Who was measured under it, in that order."""
        return list(self._under[condition].claims.ids) if condition in self._under else []

    def pair(self, a: str, b: str, condition: Condition, quantile: float) -> Pair:
        """``b`` against ``a``."""
        under = self._under.get(condition)
        evidence = under.claims.evidence(a, b, quantile) if under else None
        if under is None or evidence is None:
            return Pair(a, b, condition, quantile, None, "", 0, None, provisional=True)
        ratio = self._ratio(under, a, b, quantile)
        faster = self._faster(a, b, condition, quantile, evidence, ratio)
        equal = not faster and self._is_equal(under, evidence)
        more_s = 0.0 if faster or equal else self._more_s(under, a, b, evidence)
        return Pair(
            a, b, condition, quantile, ratio, faster, evidence.rounds, more_s, equal, not evidence.has_events
        )  # fmt: skip

    def interval(self, candidate: str, condition: Condition, quantile: float) -> tuple[float, float] | None:
        """95 % (ns), of the candidate by itself over this run; None before enough rounds."""
        under = self._under.get(condition)
        if under is None or quantile not in QUANTILES:
            return None
        known = under.intervals.get(candidate)
        if known is None or _is_old(known[0], under.rounds.added):
            known = under.rounds.added, cell_intervals(under.rounds.rows, candidate, QUANTILES)
            under.intervals[candidate] = known
        return known[1][QUANTILES.index(quantile)]

    def is_settled(self, candidate: str, condition: Condition, quantile: float) -> bool:
        """Whether each of its pairs is decided, or known to within the precision."""
        rivals = [other for other in self.candidates(condition) if other != candidate]
        if not rivals:
            interval, value = self.interval(candidate, condition, quantile), None
            if condition in self._under:
                value = self._under[condition].claims.quantile_ns(candidate, quantile)
            return bool(interval and value and _is_within(interval, value, self.precision))
        pairs = [self.pair(candidate, other, condition, quantile) for other in rivals]
        return all(pair.is_decided or self._is_known(pair) for pair in pairs)

    def _is_known(self, pair: Pair) -> bool:
        ratio = pair.ratio
        if pair.provisional or ratio is None or ratio.low is None or ratio.high is None:
            return False
        return _is_within((ratio.low, ratio.high), ratio.value, self.precision)

    def groups(self, condition: Condition, quantile: float, ids: Sequence[str]) -> Groups:
        """The best at a quantile, those that cannot be told from it, and those that are worse."""
        under = self._under.get(condition)
        values = {name: under.claims.quantile_ns(name, quantile) if under else None for name in ids}
        placed = sorted((value, name) for name, value in values.items() if value is not None)
        missing = tuple(name for name, value in values.items() if value is None)
        if not placed:
            return Groups((), (), missing)
        first = placed[0][1]
        worse = {name for _, name in placed[1:] if self.pair(first, name, condition, quantile).faster == first}
        names = [name for _, name in placed]
        return Groups(tuple(n for n in names if n not in worse), tuple(n for n in names if n in worse), missing)

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
                        found.append(self._reversal(first, b if first == a else a, quantile, before, after))
        return found

    def _reversal(self, a: str, b: str, quantile: float, before: Condition, after: Condition) -> Reversal:
        first, second = (self._ratio(self._under[under], a, b, quantile) for under in (before, after))
        assert first is not None and second is not None
        return Reversal(a, b, quantile, before, after, first, second)

    def kendall_tau(
        self, before: Condition, after: Condition, quantile: float, ids: Sequence[str]
    ) -> tuple[float, float, float] | None:
        """Of the whole ranking between two conditions, with a 95 % interval; None with fewer than two candidates."""
        if len(ids) < 2 or before not in self._under or after not in self._under:
            return None
        logs = [logs_together(self._under[under].rounds.rows, ids, quantile) for under in (before, after)]
        first, second = logs
        if first is None or second is None:
            return None
        measured = kendall_tau(first[0][:, np.newaxis], second[0][:, np.newaxis])
        # Two conditions have no round in common: their draws must not go together.
        drawn = kendall_tau(first[1], np.roll(second[1], 1, axis=1))
        low, high = np.quantile(drawn, (0.025, 0.975))
        return float(measured[0]), float(low), float(high)

    # -- inside -------------------------------------------------------------------------------------

    def _family(self, quantile: float) -> Iterator[tuple[_Key, Evidence]]:
        for condition, under in self._under.items():
            for a, b in combinations(sorted(under.claims.ids), 2):
                evidence = under.claims.evidence(a, b, quantile)
                if evidence is not None:
                    yield (a, b, condition), evidence

    def _claims_at(self, quantile: float) -> list[_Key]:
        """The pairs whose difference is claimed, ids in alphabetical order."""
        known = self._claimed.get(quantile)
        if known is None or known[0] != self.version:
            family = list(self._family(quantile))
            chosen = holm([one.log_e if one.has_events else 0.0 for _, one in family], self.alpha)
            known = self.version, [key for (key, _), is_in in zip(family, chosen, strict=True) if is_in]
            self._claimed[quantile] = known
        return known[1]

    def _faster(
        self, a: str, b: str, condition: Condition, quantile: float, evidence: Evidence, ratio: Ratio | None
    ) -> str:
        if (min(a, b), max(a, b), condition) not in self._claims_at(quantile):
            return ""
        if ratio is None or ratio.low is None or ratio.high is None:
            return ""
        if evidence.sum > 0 and ratio.low > 1 and ratio.value >= 1 + self.margin:
            return a
        if evidence.sum < 0 and ratio.high < 1 and ratio.value <= 1 / (1 + self.margin):
            return b
        return ""

    def _is_equal(self, under: _Under, evidence: Evidence) -> bool:
        return evidence.has_events and evidence.log_e_equal >= math.log(self._family_size / self.alpha)

    @property
    def _family_size(self) -> int:
        return sum(math.comb(len(under.claims.ids), 2) for under in self._under.values())

    def _ratio(self, under: _Under, a: str, b: str, quantile: float) -> Ratio | None:
        if quantile not in QUANTILES:
            return None
        if a > b:
            return _inverse(self._ratio(under, b, a, quantile))
        known = under.ratios.get((a, b))
        if known is None or _is_old(known[0], under.rounds.added):
            known = under.rounds.added, ratios(under.rounds.rows, a, b, QUANTILES)
            under.ratios[a, b] = known
        return known[1][QUANTILES.index(quantile)]

    def _more_s(self, under: _Under, a: str, b: str, evidence: Evidence) -> float | None:
        """Were it to go on like this, until the evidence suffices."""
        needed = max(math.log(max(1, self._family_size) / self.alpha), 1.0)
        rounds = _rounds_needed(evidence, needed)
        if rounds is None:
            return None
        seconds = max(1, rounds - evidence.rounds) * (under.slice_s(a) + under.slice_s(b))
        return seconds if seconds <= _LONGEST_S else None


def _rounds_needed(evidence: Evidence, needed: float) -> int | None:
    t = evidence.rounds
    if t < 2:
        return None
    tried = np.unique(np.round(t * np.geomspace(1.0, 10_000.0, 200))).astype(np.float64)
    mean, variance = evidence.sum / t, max(evidence.square / t - (evidence.sum / t) ** 2, 1e-12)
    scale = tried * RHO2 + 1
    enough = RHO2 * (tried * mean) ** 2 / (2 * variance * scale) - np.log(scale) / 2 >= needed
    events = evidence.events_a + evidence.events_b
    enough &= tried * events / t >= 40
    enough &= tried >= 20
    return int(tried[np.argmax(enough)]) if enough.any() else None


def _is_old(then: int, now: int) -> bool:
    """What was computed of ``then`` rounds says nearly the same of ``now``, if there are few more."""
    return now != then and (now < then or now - then > then // 20)


def _is_within(interval: tuple[float, float], value: float, precision: float) -> bool:
    return interval[0] >= value * (1 - precision) and interval[1] <= value * (1 + precision)


def _inverse(ratio: Ratio | None) -> Ratio | None:
    if ratio is None:
        return None
    low, high = (None if bound is None else 1 / bound for bound in (ratio.high, ratio.low))
    return Ratio(1 / ratio.value, low, high)


def _by_stress(claim: tuple[Condition, str]) -> tuple[bool, str, int, int, str]:
    condition = claim[0]
    return not condition.is_idle, condition.kind, -condition.load_pct, condition.stress_threads, str(condition)
