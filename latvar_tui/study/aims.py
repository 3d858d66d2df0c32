"""Which pairs a sweep should settle next: those that cost least, counted by what they share.

A pair is settled by so many rounds more that hold both, so a candidate must be measured as often as the slowest of its
pairs that is aimed at, and its quicker pairs come for nothing. So groups are asked what they cost: first the one that
settles most a second, then the one that adds most to it, as long as time is left. To be settled at one quantile is
worth something, too: at the median that may take minutes less than in the tail.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from latvar_tui.study.conclusions import Pair

MOST_STEPS = 12
"""So many numbers of rounds are tried for a group."""

_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Group:
    """Pairs that may be aimed at together: how many a second, how long that takes, and the aims of each candidate."""

    density: float
    cost_s: float
    aims: _Floats


@dataclass
class Field:
    """The open pairs under one condition. ``needs``: how many rounds each takes until it is settled in some respect
    (symmetric matrices, shape (respects, candidates, candidates); inf: it is not open, or nobody knows), ``worth``:
    what each respect is worth. ``slices_s``: what a slice of each candidate takes. ``aims``: how many rounds each shall
    have."""

    needs: _Floats
    worth: _Floats
    slices_s: _Floats
    aims: _Floats

    @property
    def settled(self) -> float:
        """What the pairs that the aims settle are worth."""
        both = np.minimum(self.aims[:, np.newaxis], self.aims)
        return float((self.needs <= both).sum(axis=(-1, -2)) @ self.worth) / 2

    def densest(self, left_s: float) -> Group | None:
        """What should be aimed at besides; None if nothing fits."""
        finite = np.unique(self.needs[np.isfinite(self.needs)])
        if not finite.size:
            return None
        steps = finite[np.unique(np.linspace(0, finite.size - 1, MOST_STEPS).round().astype(int))]
        many = len(self.slices_s)
        near = self.needs <= steps[:, np.newaxis, np.newaxis, np.newaxis]  # steps × respects × candidates × candidates
        # Who is tried: each candidate with those it can be settled against in so many rounds, and everybody.
        groups = near.any(axis=1) | np.eye(many, dtype=bool)
        groups = np.concatenate([groups, np.ones((len(steps), 1, many), dtype=bool)], axis=1)
        members = groups[..., np.newaxis] & groups[:, :, np.newaxis]  # steps × groups × candidates × candidates
        inside = near[:, np.newaxis] & members[:, :, np.newaxis]
        aims = np.maximum(np.where(inside, self.needs, 0.0).max(axis=(-1, -3)), self.aims)
        both = np.minimum(aims[..., np.newaxis], aims[:, :, np.newaxis])
        gained = (self.needs <= both[:, :, np.newaxis]).sum(axis=(-1, -2)) @ self.worth / 2 - self.settled
        cost_s = ((aims - self.aims) * self.slices_s).sum(axis=-1)
        density = np.where((cost_s <= left_s) & (gained > 1e-9), gained / np.maximum(cost_s, 1e-6), 0.0)
        best = np.unravel_index(int(density.argmax()), density.shape)
        return Group(float(density[best]), float(cost_s[best]), aims[best]) if density[best] > 0 else None


def aim(fields: Sequence[Field], left_s: float) -> float:
    """Set the fields' aims, as far as time allows. Returns the seconds that takes."""
    spent_s = 0.0
    found = [field.densest(left_s) for field in fields]
    while any(found):
        place = max(range(len(found)), key=lambda each: _density(found[each]))
        best = found[place]
        assert best is not None
        fields[place].aims = best.aims
        spent_s += best.cost_s
        for each, field in enumerate(fields):
            one = found[each]
            if each == place or (one is not None and one.cost_s > left_s - spent_s):
                found[each] = field.densest(left_s - spent_s)
    return spent_s


def tempered(needs: Sequence[float]) -> list[float]:
    """Guesses of few rounds are wild, and those of one condition are alike: each halfway towards what is usual there.

    Otherwise one that looks hopeless by chance would never be measured again, nor be found out. By the root of both,
    as one is wrong by factors; inf stays: nobody knows.
    """
    known = [need for need in needs if math.isfinite(need)]
    usual = float(np.median(known)) if known else 1.0
    return [max(1.0, math.sqrt(need * usual)) for need in needs]


def _density(group: Group | None) -> float:
    return 0.0 if group is None else group.density


def rounds_to_settle(pair: Pair, precision: float, round_s: float) -> float:
    """About how many rounds more of both, which take ``round_s`` each, settle one that is not; inf if nobody knows.

    It is decided, or its interval has narrowed, as the root of the rounds: whichever comes first.
    """
    decided = math.inf if pair.more_s is None else pair.more_s / round_s
    ratio, narrow = pair.ratio, math.inf
    if ratio is not None and ratio.low is not None and ratio.high is not None:
        up, down = math.log(ratio.high / ratio.value), math.log(ratio.value / ratio.low)
        times = max(up / math.log1p(precision), down / -math.log1p(-precision), 1.0) ** 2
        if pair.shortage is not None:
            times = max(times, pair.shortage.need / max(pair.shortage.have, 1))
        narrow = (times - 1) * pair.rounds
    return max(1.0, min(decided, narrow))
