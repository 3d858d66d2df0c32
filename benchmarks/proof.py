"""What a proof is: a claim, an aim, and a function that measures and judges.

A proof is a module of this package, named in ``__main__.PROOFS``, with

- ``CLAIM``: what is to be shown, in a sentence; ``AIM``: the limits, in words;
- ``PLANS``: a frozen dataclass of parameters (numbers, tuples) for each :class:`Effort`;
- ``prove(plan) -> Proof``: measures and judges.

``stand_alone(module)`` makes it a program of its own, with an option for each parameter.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Any, Protocol, cast

from benchmarks.ratios import Interval

FEWEST = 5
"""An interval over fewer pairs says too little, whatever it is widened by: no verdict."""


class Effort(StrEnum):
    QUICK = "quick"
    DEFAULT = "default"
    LONG = "long"


class Verdict(StrEnum):
    MET = "met"
    MISSED = "**missed**"
    UNSURE = "can't tell"
    SKIPPED = "skipped"
    FAILED = "**failed**"
    SHOWN = "–"


@dataclass(frozen=True)
class UnderStress:
    """A plan: so many pairs of so many seconds a side, for each number of stress threads and each model."""

    pairs: int
    seconds: float
    threads: tuple[int, ...]
    models: tuple[str, ...]


class CannotProve(Exception):
    """Something is missing on this machine; the message says what, and what to do."""


@dataclass(frozen=True)
class Row:
    """One line of a proof's table. ``why`` follows the verdict."""

    label: str
    found: str
    limit: str
    verdict: Verdict
    why: str = ""


@dataclass(frozen=True)
class Proof:
    """What was found; ``how`` says with which parameters, in a phrase."""

    name: str
    claim: str
    how: str
    rows: Sequence[Row]

    def table(self) -> str:
        """As Markdown."""
        lines = ["| what | found | limit | verdict |", "|---|---|---|---|"]
        for row in self.rows:
            why = f": {row.why}" if row.why else ""
            lines.append(f"| {row.label} | {row.found} | {row.limit} | {row.verdict}{why} |")
        return "\n".join(lines)


@dataclass(frozen=True)
class Limit:
    """Where a value should lie, both ends included."""

    low: float = -float("inf")
    high: float = float("inf")
    unit: str = ""

    def __str__(self) -> str:
        if self.low == -float("inf"):
            return f"≤ {self.high:g}{self.unit}"
        if self.high == float("inf"):
            return f"≥ {self.low:g}{self.unit}"
        return f"{self.low:g} to {self.high:g}{self.unit}"

    def verdict(self, found: Interval) -> tuple[Verdict, str]:
        """Met or missed only when the whole interval lies on one side, and rests on enough pairs; and why not."""
        if math.isnan(found.value):
            return Verdict.UNSURE, "nothing to compare"
        if found.n < FEWEST:
            return Verdict.UNSURE, f"only {found.n} of {FEWEST} pairs or runs"
        if self.low <= found.low and found.high <= self.high:
            return Verdict.MET, ""
        if found.high < self.low or found.low > self.high:
            return Verdict.MISSED, ""
        return Verdict.UNSURE, "the interval straddles the limit"


def judged(label: str, found: Interval, limit: Limit, digits: int = 3) -> Row:
    """A row with a verdict."""
    verdict, why = limit.verdict(found)
    return Row(label, found.shown(digits) + limit.unit, str(limit), verdict, why)


def shown(label: str, found: Interval | str, unit: str = "", digits: int = 3) -> Row:
    """A row that is for information: no limit is set."""
    text = found.shown(digits) if isinstance(found, Interval) else found
    return Row(label, text + unit, "", Verdict.SHOWN)


def skipped(label: str, why: str) -> Row:
    return Row(label, "", "", Verdict.SKIPPED, why)


class ProofModule(Protocol):
    """A module that proves something."""

    CLAIM: str
    AIM: str
    PLANS: dict[Effort, Any]
    prove: Callable[[Any], Proof]


def add_efforts(parser: argparse.ArgumentParser) -> None:
    """``--quick`` and ``--long``, as ``effort``."""
    group = parser.add_mutually_exclusive_group()
    for effort, text in ((Effort.QUICK, "less of everything"), (Effort.LONG, "more of everything")):
        group.add_argument(f"--{effort}", dest="effort", action="store_const", const=effort, help=text)
    parser.set_defaults(effort=Effort.DEFAULT)


def stand_alone(name: str) -> None:
    """Run the proof of the program ``name`` alone, and print its table."""
    module = cast(ProofModule, sys.modules[name])
    parser = argparse.ArgumentParser(description=f"{module.CLAIM} Aim: {module.AIM}")
    add_efforts(parser)
    plan = module.PLANS[Effort.DEFAULT]
    for field in fields(plan):
        default = getattr(plan, field.name)
        one = default[0] if isinstance(default, tuple) else default
        many = {"nargs": "+"} if isinstance(default, tuple) else {}
        parser.add_argument(f"--{field.name.replace('_', '-')}", type=type(one), **many)  # type: ignore[arg-type]
    options = vars(parser.parse_args())
    plan = module.PLANS[options.pop("effort")]
    changed = {key: tuple(value) if isinstance(value, list) else value for key, value in options.items()}
    try:
        proof = module.prove(replace(plan, **{key: value for key, value in changed.items() if value is not None}))
    except CannotProve as error:
        sys.exit(str(error))
    print(f"{proof.claim}\n{proof.how}\n\n{proof.table()}")
