"""What may be concluded of candidates: the words that screens, tables and documents share.

Candidates are named by their ids (``Contender.id``), quantiles by their percent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from latvar_tui.condition import Condition
from latvar_tui.format import quantile_name
from latvar_tui.study.claims import QUANTILES, Shortage

Order = Literal["reversed", "same order", "undecided"]


@dataclass(frozen=True)
class Ratio:
    """``b``'s quantile over ``a``'s; its 95 % interval (:mod:`latvar_tui.study.ratios`) is None before there is one."""

    value: float
    low: float | None = None
    high: float | None = None

    def is_within(self, precision: float) -> bool:
        """Whether its whole interval is: ``precision`` 0.05 is 5 % to either side."""
        low, high, value = self.low, self.high, self.value
        return (
            low is not None and high is not None and value * (1 - precision) <= low and high <= value * (1 + precision)
        )


@dataclass(frozen=True)
class Pair:
    """Two candidates at a quantile under one condition.

    ``faster`` is the id of the one that is claimed to be faster, or empty: not decided. ``ratio`` is None before both
    were measured in the same round. ``more_s``: about how many seconds more of measuring both decide it; 0 if it is
    decided, None where nobody can say. ``equal``: decided that the difference is smaller than what matters.
    ``provisional``: fewer rounds, or observations beyond the quantile, than any claim needs: ``shortage`` says how few.
    """

    a: str
    b: str
    condition: Condition
    quantile: float
    ratio: Ratio | None
    faster: str
    rounds: int
    more_s: float | None
    equal: bool = False
    provisional: bool = False
    shortage: Shortage | None = None

    @property
    def is_decided(self) -> bool:
        return bool(self.faster) or self.equal

    def is_known(self, precision: float) -> bool:
        """Whether its ratio is known to within ``precision``, decided or not."""
        return not self.provisional and self.ratio is not None and self.ratio.is_within(precision)

    def is_settled(self, precision: float) -> bool:
        """Whether it is decided, or known."""
        return self.is_decided or self.is_known(precision)


@dataclass(frozen=True)
class Reversal:
    """``a`` beats ``b`` under ``before`` and loses under ``after``, both claimed. Ratios are ``b`` over ``a``.

    So ``ratio_before`` is above 1 and ``ratio_after`` below.
    """

    a: str
    b: str
    quantile: float
    before: Condition
    after: Condition
    ratio_before: Ratio
    ratio_after: Ratio


@dataclass(frozen=True)
class Groups:
    """Candidates under one condition at a quantile, each group by ascending quantile.

    ``best`` are those that nobody here is claimed to beat, ``worse`` those that somebody is. ``unmeasured`` have too
    little to be placed.
    """

    best: tuple[str, ...]
    worse: tuple[str, ...]
    unmeasured: tuple[str, ...] = ()


COMPARED = ", ".join(map(quantile_name, QUANTILES))
"""The quantiles that anything is claimed at, in words."""


def not_compared(quantile: float) -> str:
    """In a sentence, if nothing is ever claimed at a quantile (percent); else empty."""
    if quantile in QUANTILES:
        return ""
    return f"{quantile_name(quantile)} is not compared ({COMPARED} are: key p)."
