"""Who is faster, looked at as often as one likes: an asymptotic confidence sequence over rounds.

In each round a threshold x is taken from *earlier* rounds, and d is by how much the share of B's inferences above it
exceeds that of A's. If both have the same quantile, d is 0 on average whatever the machine's mood, for the order within
a round is drawn by us. The sum S of d over t rounds, with variance v, gives an always-valid p-value (Waudby-Smith,
Arbour, Sinha, Kennedy, Ramdas, Time-uniform central limit theory and asymptotic confidence sequences, Ann. Stat. 52,
2024): its mixture boundary, inverted.

Nothing is claimed before enough *independent* events were seen: e = (Σf)² / Σf² of each candidate's shares f. A burst
of slow inferences within a slice is one event, not forty.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from latvar_tui.study.coarse import LENGTH, Floats, Ints, above, cumulated, quantiles_ns
from latvar_tui.study.drift import Block

QUANTILES = (50.0, 90.0, 95.0, 99.0, 99.9)
"""In percent; of these there are claims."""

MARGIN = 0.02
"""The smallest difference that matters."""

EVENTS = 20.0
"""K: both together need twice as many independent events, each at least a third."""

FEWEST_ROUNDS = 20
MOST_CANDIDATES = 64
"""Of one condition: whoever comes later is not compared."""

RHO2 = (-2 * math.log(0.05) + math.log(-2 * math.log(0.05) + 1)) / 100
"""The boundary is narrowest after some 100 rounds."""

_ASKED: Floats = np.array(QUANTILES)
_LEVELS = 1 - _ASKED / 100


@dataclass
class Evidence:
    """Of one pair at one quantile: sums over rounds. ``shifted``: as if ``b`` were faster by the margin, and slower."""

    rounds: int
    sum: float
    square: float
    events_a: float
    events_b: float
    shifted: tuple[tuple[float, float], tuple[float, float]]

    @property
    def has_events(self) -> bool:
        """Whether there are enough of them to claim anything."""
        a, b = self.events_a, self.events_b
        return self.rounds >= FEWEST_ROUNDS and a + b >= 2 * EVENTS and min(a, b) >= EVENTS / 3

    @property
    def log_e(self) -> float:
        """The logarithm of the evidence (1 over the always-valid p-value) against equal quantiles."""
        return log_evidence(self.rounds, self.sum, self.square)

    @property
    def log_e_equal(self) -> float:
        """Likewise against a difference of at least the margin, to either side."""
        (low, low_square), (high, high_square) = self.shifted
        if not low < 0 < high:
            return 0.0
        return min(log_evidence(self.rounds, low, low_square), log_evidence(self.rounds, high, high_square))


def log_evidence(rounds: int, total: float, square: float) -> float:
    """Of a sum of ``rounds`` differences and the sum of their squares, against a mean of 0."""
    if rounds < 2:
        return 0.0
    mean = total / rounds
    variance = square / rounds - mean**2
    if variance <= 1e-12:
        return math.inf if abs(mean) > 1e-9 else 0.0
    scale = rounds * RHO2 + 1
    return RHO2 * total**2 / (2 * variance * scale) - math.log(scale) / 2


class Claims:
    """Of all pairs under one condition, at all quantiles."""

    def __init__(self, margin: float = MARGIN) -> None:
        self.margin = margin
        self.ids: list[str] = []
        self.counts: Floats = np.zeros((0, LENGTH))
        """Of each candidate, of all rounds so far."""
        self._rounds: Ints = np.zeros((0, 0), np.int64)
        self._sums: Floats = np.zeros((0, 0, len(QUANTILES), _SUMS))
        self.version = 0

    def add(self, blocks: Mapping[str, Block]) -> None:
        """Take in a round: each candidate's coarse counts."""
        for candidate in blocks:
            if candidate not in self.ids and len(self.ids) < MOST_CANDIDATES:
                self._join(candidate)
        here = [place for place, name in enumerate(self.ids) if name in blocks and blocks[name][0].size]
        self.version += 1
        if not here:
            return
        times = np.zeros((len(here), LENGTH))
        for row, place in enumerate(here):
            indices, counts = blocks[self.ids[place]]
            times[row, indices] = counts
        if len(here) > 1:
            self._compare(np.array(here), times)
        self.counts[here] += times

    def _join(self, candidate: str) -> None:
        self.ids.append(candidate)
        n = len(self.ids)
        self.counts = np.vstack([self.counts, np.zeros((1, LENGTH))])
        rounds, sums = self._rounds, self._sums
        self._rounds = np.zeros((n, n), np.int64)
        self._rounds[: n - 1, : n - 1] = rounds
        self._sums = np.zeros((n, n, len(QUANTILES), _SUMS))
        self._sums[: n - 1, : n - 1] = sums

    def _compare(self, here: Ints, times: Floats) -> None:
        known = self.counts[here].any(axis=1)
        here, times = here[known], times[known]
        if len(here) < 2:
            return
        before = cumulated(times)
        logs = np.log(quantiles_ns(cumulated(self.counts[here]), _ASKED))
        a, b = np.triu_indices(len(here), 1)
        middle = (logs[a] + logs[b]) / 2  # pairs × quantiles
        half = math.log1p(self.margin) / 2 * np.array([0.0, -1.0, 1.0])
        shares = []
        for row, sign in ((a, 1.0), (b, -1.0)):
            x = np.exp(middle[:, :, np.newaxis] + sign * half)
            found = above(before, np.repeat(row, x.shape[1] * 3), x.ravel()).reshape(x.shape)
            shares.append(found / before[row, -1][:, np.newaxis, np.newaxis])
        of_a, of_b = shares
        d = of_b - of_a
        own_a, own_b = of_a[:, :, 0], of_b[:, :, 0]
        new = np.concatenate([d, d * d, np.stack([own_a, own_a**2, own_b, own_b**2], axis=2)], axis=2)
        self._rounds[here[a], here[b]] += 1
        self._sums[here[a], here[b]] += new

    def evidence(self, a: str, b: str, quantile: float) -> Evidence | None:
        """Of ``b`` against ``a``: positive where ``b`` is slower. None before they met, or at an unknown quantile."""
        if a not in self.ids or b not in self.ids or quantile not in QUANTILES:
            return None
        i, j, sign = self.ids.index(a), self.ids.index(b), 1.0
        if i > j:
            i, j, sign = j, i, -1.0
        rounds = int(self._rounds[i, j])
        if not rounds:
            return None
        sums = self._sums[i, j, QUANTILES.index(quantile)].tolist()
        d, down, up, dd, down_square, up_square, f_a, ff_a, f_b, ff_b = sums
        events = (f_a**2 / ff_a if ff_a else 0.0, f_b**2 / ff_b if ff_b else 0.0)
        ends = ((down, down_square), (up, up_square))
        if sign < 0:
            events = events[::-1]
            ends = ((-up, up_square), (-down, down_square))
        return Evidence(rounds, sign * d, dd, *events, ends)

    def forget(self, candidate: str) -> None:
        """Let go of what was measured of a candidate."""
        if candidate in self.ids:
            place = self.ids.index(candidate)
            self.ids.remove(candidate)
            self.counts = np.delete(self.counts, place, 0)
            self._rounds = np.delete(np.delete(self._rounds, place, 0), place, 1)
            self._sums = np.delete(np.delete(self._sums, place, 0), place, 1)
            self.version += 1

    def quantile_ns(self, candidate: str, quantile: float) -> float | None:
        """Of all its rounds."""
        if candidate not in self.ids:
            return None
        row = self.counts[self.ids.index(candidate)]
        return float(quantiles_ns(cumulated(row[np.newaxis]), np.array([quantile]))[0, 0]) if row.any() else None


_SUMS = 10


def holm(log_es: Sequence[float], alpha: float) -> list[bool]:
    """Which of a family may be claimed (Holm, Scand. J. Stat. 6, 1979). Always-valid p-values keep it always valid."""
    order = sorted(range(len(log_es)), key=lambda place: -log_es[place])
    claimed = [False] * len(log_es)
    for done, place in enumerate(order):
        if log_es[place] < math.log((len(log_es) - done) / alpha):
            break
        claimed[place] = True
    return claimed
