"""Slices that nobody measured, of candidates whose quantiles are known: to see how often a statistic is wrong.

What makes latencies hard is in them: a mood of the machine that lasts for many rounds and takes everybody along, slow
inferences that come in bursts, and slices that are as long as the slow ones make them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache, cached_property

import numpy as np
import numpy.typing as npt

from latvar_tui import wire
from latvar_tui.condition import IDLE, Condition
from latvar_tui.hdr_layout import sparse_counts
from latvar_tui.study.ranking import Study

SLICE_S = 0.25
MANY_SLICES = 40_000
"""With few bursts in them the truth itself would be off, and claims of it called false."""
_GRID = np.log(1e5) + np.arange(8000) * 0.002  # 0.1 ms to 900 ms
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Kind:
    """A candidate: log-normal times around ``base_ms``, of which a share is ``slow`` times as long.

    ``burst``: how many slow ones follow each other, on average; 1 if none knows of the other, infinitely many if it is
    slices that are slow. ``own``: how much a slice's times differ from another's, whatever the mood. ``minds``: how
    many times the mood it is slowed down by.
    """

    base_ms: float = 2.0
    spread: float = 0.06
    slow_share: float = 0.0
    slow: float = 4.0
    burst: float = 1.0
    own: float = 0.02
    minds: float = 1.0

    def times(self, random: np.random.Generator, mood: float = 0.0, scale: float = 1.0) -> Floats:
        """Of one slice (ns); the inference that runs when it ends is counted, as the probe does."""
        base_ns = self.base_ms * 1e6 * scale * np.exp(self.minds * mood + random.normal(0, self.own))
        most = int(SLICE_S * 1e9 / base_ns * (1 + 5 * self.spread)) + 30
        times: Floats = base_ns * np.exp(random.normal(0, self.spread, most))
        times *= np.where(self._is_slow(random, most), self.slow, 1.0)
        return times[: int(np.searchsorted(np.cumsum(times), SLICE_S * 1e9)) + 1]

    def _is_slow(self, random: np.random.Generator, many: int) -> npt.NDArray[np.bool_]:
        if not self.slow_share:
            return np.zeros(many, bool)
        if math.isinf(self.burst):
            return np.full(many, random.random() < self.slow_share)
        if self.burst == 1:
            return random.random(many) < self.slow_share
        calm = self.burst * (1 / self.slow_share - 1)
        runs = 20 + 4 * int(many / (self.burst + calm) + 1)
        lengths = np.stack([random.geometric(1 / calm, runs), random.geometric(1 / self.burst, runs)], axis=1).ravel()
        states = np.tile([False, True], runs)
        if random.random() < self.slow_share:
            lengths, states = lengths[1:], states[1:]
        found = np.repeat(states, lengths)[:many]
        return found if found.size == many else self._is_slow(random, many)


@cache  # a dozen kinds, and several proofs ask for the same ones
def _shares(kind: Kind, slices: int) -> Floats:
    """The share of a candidate's times up to each point of the grid, without mood."""
    random = np.random.default_rng(77)
    everything = np.sort(np.concatenate([kind.times(random) for _ in range(slices)]))
    found: Floats = np.searchsorted(np.log(everything), _GRID) / everything.size
    return found


def moods(random: np.random.Generator, rounds: int, phi: float, sd: float) -> Floats:
    """AR(1) of that standard deviation, from round to round."""
    found = np.empty(rounds)
    found[0] = random.normal(0, sd)
    for i in range(1, rounds):
        found[i] = phi * found[i - 1] + random.normal(0, sd * np.sqrt(1 - phi**2))
    return found


class Truth:
    """What the quantiles of two candidates are, in the moods that a run has been through."""

    def __init__(self, a: Kind, b: Kind, slices: int = MANY_SLICES) -> None:
        """``slices``: of how many the truth is made."""
        self._kinds, self._slices = (a, b), slices

    @cached_property
    def _of(self) -> list[tuple[Floats, float]]:
        a, b = self._kinds
        return [(_shares(kind, self._slices), kind.minds) for kind in ((a, b) if a != b else (a,))]

    def log_ratio(self, mood: Floats, quantile: float, log_scale: float) -> float:
        """The logarithm of b's quantile over a's, b being ``log_scale`` slower than its kind."""
        if self._kinds[0] == self._kinds[1]:
            return log_scale
        a, b = (self.log_quantile(mood, quantile, which) for which in (0, 1))
        return b + log_scale - a

    def log_quantile(self, mood: Floats, quantile: float, which: int = 0) -> float:
        """The logarithm (of ns) of the first candidate's quantile, or of the other's."""
        shares, minds = self._of[which]
        mood = minds * mood
        weights = np.exp(-mood)  # the slower, the fewer fit into a slice
        different, times = np.unique(np.round(mood, 3), return_inverse=True)
        total = np.zeros_like(_GRID)
        for value, weight in zip(different, np.bincount(times, weights), strict=True):
            total += weight * np.interp(_GRID - value, _GRID, shares)
        return float(np.interp(quantile / 100, total / weights.sum(), _GRID))


def equal_at(truth: Truth, quantile: float, mood: Floats) -> float:
    """How much slower (as a logarithm) b must be made than its kind to have a's quantile in these moods."""
    return -truth.log_ratio(mood, quantile, 0.0)


_EMPTY = wire.Slice(0, "", str(IDLE), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, wire.Counts(), wire.Counts())


def feed(study: Study, round_number: int, times: dict[str, Floats], condition: Condition = IDLE) -> None:
    """Give a study one round: of each candidate its times (ns)."""
    for name, values in times.items():
        indices, counts, _ = sparse_counts(np.round(values).astype(np.int64))
        service = wire.Counts(pairs=np.stack([indices, counts], axis=1))  # type: ignore[arg-type]
        frame = replace(_EMPTY, candidate=name, round=round_number, end_ns=round(SLICE_S * 1e9), service=service)
        study.add(frame, condition)
