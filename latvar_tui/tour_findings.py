"""What may be concluded by now, as the tour needs it: reversals between conditions it has shown, and its pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from latvar_tui.condition import Condition
from latvar_tui.study.board import Board
from latvar_tui.study.claims import QUANTILES
from latvar_tui.study.conclusions import Pair, Reversal
from latvar_tui.tour import Tour

_EVERY_ROUNDS = 4
"""It is shown in gaps that measuring waits for, and changes slowly."""


@dataclass(frozen=True)
class Findings:
    """``reversals`` at the tour's quantile come first, then those of the median. ``pairs`` are of the former."""

    reversals: tuple[Reversal, ...] = ()
    pairs: tuple[Pair, ...] = ()


class Finder:
    """Looks again when some rounds more are complete, or another step is shown."""

    def __init__(self) -> None:
        self._asked: object = None
        self._found = Findings()

    def find(self, tour: Tour, board: Board) -> Findings:
        rivals = [one.id for one in board.rivals]
        asked = (board.study.version // _EVERY_ROUNDS, board.study.epoch, rivals, tour.at, tour.quantile)
        if asked != self._asked:
            self._asked, self._found = asked, _find(tour, board)
        return self._found


def _find(tour: Tour, board: Board) -> Findings:
    shown = tour.conditions
    rivals = [one.id for one in board.rivals]
    reversals = _reversals(tour, board, shown, rivals)
    if tour.step.kind != "ranking" or tour.quantile not in QUANTILES:
        return Findings(reversals)
    pairs = [
        board.study.pair(a, b, condition, tour.quantile) for condition in shown for a, b in combinations(rivals, 2)
    ]
    return Findings(reversals, tuple(pairs))


def _reversals(tour: Tour, board: Board, shown: Sequence[Condition], rivals: Sequence[str]) -> tuple[Reversal, ...]:
    """Each pair's once a quantile: from idle if there is such a one, and where the two ends lie furthest apart."""
    found: list[Reversal] = []
    for quantile in dict.fromkeys((tour.quantile, 50.0)):
        if quantile not in QUANTILES:
            continue
        of_pair: dict[frozenset[str], list[Reversal]] = {}
        for reversal in board.study.reversals([quantile]):
            both = frozenset((reversal.a, reversal.b))
            if both <= set(rivals) and reversal.before in shown and reversal.after in shown:
                of_pair.setdefault(both, []).append(reversal)
        best = [max(several, key=_distance) for several in of_pair.values()]
        found += sorted(best, key=_distance, reverse=True)
    return tuple(found)


def _distance(reversal: Reversal) -> tuple[bool, float]:
    return reversal.before.is_idle, min(reversal.ratio_before.value, 1 / reversal.ratio_after.value)
