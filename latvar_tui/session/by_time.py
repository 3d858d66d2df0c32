"""A long recording's ranking at its beginning against that at its end: heat makes these a pair of conditions, too.

Both parts are one study, whose conditions say when, so its error rate holds over all pairs, conditions and parts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from latvar_tui import paper_table, wire
from latvar_tui.candidate import parse_candidate
from latvar_tui.condition import Condition, parse_condition
from latvar_tui.format import quantile_name
from latvar_tui.histogram import Histogram
from latvar_tui.paper_table import Grid
from latvar_tui.session.layout import SessionError
from latvar_tui.session.reader import Session
from latvar_tui.study.board import Board
from latvar_tui.study.ranking import Study
from latvar_tui.summary import SCHEMA, reversal_as_json, summary
from latvar_tui.verdicts import change


@dataclass(frozen=True)
class During(Condition):
    """A condition in a part of a session: equal to none in another part."""

    part: str = ""

    @property
    def title(self) -> str:
        return f"{super().title}, {self.part}"

    def __str__(self) -> str:
        return f"{super().__str__()},{self.part.replace(' ', '=')}"


@dataclass(frozen=True)
class Part:
    """A stretch of a session, s from its beginning, and what was measured in it."""

    name: str
    from_s: float
    to_s: float
    board: Board


def parts_of(session: Session, study: Study, part_s: float | None, from_s: float, to_s: float | None) -> list[Part]:
    """The first and the last ``part_s`` seconds (a third of it all, if None), both taken into ``study``.

    Raises:
        SessionError: the session is too short for that.
    """
    end_s = _end_s(session) if to_s is None else min(to_s, _end_s(session))
    length_s = end_s - from_s
    part_s = length_s / 3 if part_s is None else part_s
    if part_s <= 0 or 2 * part_s > length_s:
        raise SessionError(
            f"The session has no first and last {part_s:.0f} s: {max(0.0, length_s):.0f} s were measured, "
            "so name a shorter --part."
        )
    found = []
    for name, begin_s in (("first", from_s), ("last", end_s - part_s)):
        named = f"{name} {_told(part_s)}"
        study.restart()
        board = session.board(begin_s, begin_s + part_s, also=_feeding(study, named))
        found.append(Part(named, begin_s, begin_s + part_s, board))
    return found


def _feeding(study: Study, part: str) -> Callable[[wire.Slice], None]:
    def feed(frame: wire.Slice) -> None:
        if not _is_control(frame.candidate):
            study.add(frame, _during(parse_condition(frame.condition), part))

    return feed


@lru_cache(maxsize=64)
def _is_control(candidate: str) -> bool:
    return parse_candidate(candidate, 1).is_control


def _during(condition: Condition, part: str) -> During:
    return During(**vars(condition), part=part)


def _end_s(session: Session) -> float:
    """When the last slice began or the session ended, s."""
    told = (session.ended or {}).get("monotonic_ns")
    if type(told) is int and told > session.base_ns:
        return (told - session.base_ns) / 1e9
    last_ns = max((frame.end_ns for frame in session.frames() if isinstance(frame, wire.Slice)), default=0)
    return max(0.0, (last_ns - session.base_ns) / 1e9)


def _told(seconds: float) -> str:
    return f"{seconds / 60:.3g} min" if seconds >= 60 else f"{seconds:.3g} s"


def grids(parts: Sequence[Part], study: Study) -> list[Grid]:
    """One for each condition that both parts have."""
    first, last = parts
    shared = [condition for condition in first.board.conditions if condition in last.board.conditions]
    rows = {one.id: one for one in first.board.contenders if not one.candidate.is_control}

    def histogram(candidate: str, condition: Condition) -> Histogram | None:
        assert isinstance(condition, During)
        part = next(one for one in parts if one.name == condition.part)
        plain = _plain(condition)
        found = next((one for one in part.board.contenders if one.id == candidate), None)
        cell = None if found is None else part.board.cell(found, plain)
        return None if cell is None else cell.latency

    return [
        Grid(
            {name: one.name for name, one in rows.items()},
            [name for name, one in rows.items() if one.is_rival],
            {_during(condition, part.name): part.name for part in parts},
            study,
            histogram,
        )
        for condition in shared
    ]


def tables(session: Session, part_s: float | None, from_s: float, to_s: float | None,
           quantiles: Sequence[float], width: int | None) -> list[str]:  # fmt: skip
    """Both parts beside each other, a table a condition and quantile.

    Raises:
        SessionError: as :func:`parts_of`, or the parts have no condition in common.
    """
    study = Study()
    found = grids(parts_of(session, study, part_s, from_s, to_s), study)
    _check(found)
    told: list[str] = []
    for grid in found:
        told += [_plain(grid.base).title, *paper_table.lines(grid, quantiles, width)]
        told += [*_reversals(grid, quantiles), ""]
    return [*told, paper_table.LEGEND, *(f"note: {note}" for note in session.notes)]


def _reversals(grid: Grid, quantiles: Sequence[float]) -> list[str]:
    """Each in a sentence."""
    found = []
    for one in grid.study.reversals(quantiles):
        if {one.before, one.after} == set(grid.columns):
            first, last = (grid.columns[condition] for condition in (one.before, one.after))
            found.append(
                f"{grid.rows[one.a]} beats {grid.rows[one.b]} in the {first} ({quantile_name(one.quantile)}, "
                f"{change(one.ratio_before)}) and loses to it in the {last} ({change(one.ratio_after)})."
            )
    return found


def document(session: Session, part_s: float | None, from_s: float, to_s: float | None,
             quantiles: Sequence[float]) -> dict[str, Any]:  # fmt: skip
    """The same for programs. Raises SessionError: as :func:`tables`."""
    study = Study()
    parts = parts_of(session, study, part_s, from_s, to_s)
    found = grids(parts, study)
    _check(found)
    return {
        "schema": SCHEMA,
        "session": str(session.folder),
        "by": "time",
        "parts": [
            {"name": one.name, "from_s": one.from_s, "to_s": one.to_s, "cells": summary(one.board)["cells"]}
            for one in parts
        ],
        "reversals": [
            reversal_as_json(one)
            for one in study.reversals(quantiles)
            if isinstance(one.before, During) and _plain(one.before) == _plain(one.after)
        ],
        "kendall_tau": [tau for grid in found for tau in paper_table.as_json(grid, quantiles)],
        "notes": list(session.notes),
    }


def _plain(condition: Condition) -> Condition:
    """Whatever part it is of."""
    return Condition(**{name: value for name, value in vars(condition).items() if name != "part"})


def _check(found: Sequence[Grid]) -> None:
    if not any(grid.rows for grid in found):
        raise SessionError("The two parts of the session have no condition in common: a sweep shuffles them, so a "
                           "record under one condition is what --by time is for.")  # fmt: skip
