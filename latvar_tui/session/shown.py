"""What ``show`` shows of a session: what measuring it ended with, or a part of it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from latvar_tui import paper_table
from latvar_tui.columns import loading_table, text_table
from latvar_tui.condition import Condition, parse_condition
from latvar_tui.format import printable
from latvar_tui.paper_table import grid_of
from latvar_tui.session.layout import SessionError
from latvar_tui.session.reader import Session
from latvar_tui.study.board import Board, Contender
from latvar_tui.study.claims import QUANTILES as CLAIMED
from latvar_tui.study.table import table
from latvar_tui.summary import remarks, summary
from latvar_tui.verdicts import conclusions

_QUANTILE = 99.0


@dataclass(frozen=True)
class Chosen:
    """What to show: all where it is empty. ``quantile`` (percent) and ``deadline_ms`` as recorded where None."""

    candidates: Sequence[str] = ()
    conditions: Sequence[str] = ()
    quantile: float | None = None
    deadline_ms: float | None = None


def document(session: Session, board: Board, chosen: Chosen) -> dict[str, Any]:
    """The JSON document: the contract's, plus what is known of the recording.

    Raises:
        SessionError: what was chosen is not in the session.
    """
    ranked_by, deadline_ns = ranking(session, chosen)
    kept = [contender.id for contender in _contenders(board, chosen)]
    under = {str(condition) for condition in _conditions(board, chosen)}
    whole = summary(board, deadline_ns, ranked_by)
    whole["cells"] = [cell for cell in whole["cells"] if cell["candidate"] in kept and cell["condition"] in under]
    whole["candidates"] = [one for one in whole["candidates"] if one["candidate"] in kept]
    options = _recorded_options(session)
    return whole | {
        "session": str(session.folder),
        "recorded": {
            "latvar_tui": session.about.get("latvar_tui"),
            "started_wall_ns": session.base_wall_ns,
            "ended": session.ended,
            "options": options,
        },
        "kendall_tau": paper_table.as_json(
            grid_of(board, _contenders(board, chosen), _conditions(board, chosen)), told_quantiles(session, chosen)
        ),
        "run": {"quantile": ranked_by, "deadline_ms": None if deadline_ns is None else deadline_ns / 1e6},
    }


def tables(session: Session, board: Board, chosen: Chosen, width: int | None) -> list[str]:
    """The lines that ``record`` ends with: a table a condition, at most ``width`` cells wide.

    Raises:
        SessionError: what was chosen is not in the session.
    """
    ranked_by, deadline_ns = ranking(session, chosen)
    contenders = _contenders(board, chosen)
    conditions = _conditions(board, chosen)
    lines = []
    for condition in conditions:
        rows = [
            row for row in table(board, condition, ranked_by, deadline_ns=deadline_ns) if row.contender in contenders
        ]
        lines += [str(condition), *text_table(rows, ranked_by, width, deadline_ns)]
    grid = grid_of(board, contenders, conditions)
    if grid.is_worth_it:
        lines += ["", *paper_table.lines(grid, told_quantiles(session, chosen), width), paper_table.LEGEND, ""]
    if not (chosen.candidates or chosen.conditions):
        lines += conclusions(board, ranked_by, deadline_ns)
    lines += loading_table(contenders)
    lines += [f"note: {note}" for note in remarks(board)]
    return [printable(line) for line in lines]


def told_quantiles(session: Session, chosen: Chosen) -> tuple[float, ...]:
    """Those (percent) at which rankings are compared: the median, and the one to compare, if there are claims of it."""
    quantile = ranking(session, chosen)[0]
    return (50.0, quantile) if quantile in CLAIMED and quantile != 50.0 else (50.0,)


def ranking(session: Session, chosen: Chosen) -> tuple[float, int | None]:
    """The quantile to compare (percent), and the deadline (ns)."""
    recorded = _recorded_options(session)
    quantile = chosen.quantile or _number(recorded.get("quantile"), 50.0, 99.9999) or _QUANTILE
    deadline_ms = chosen.deadline_ms or _number(recorded.get("deadline_ms"), 0.001, 100_000.0)
    return quantile, None if deadline_ms is None else round(deadline_ms * 1e6)


def _number(told: object, least: float, most: float) -> float | None:
    """What a session file says, if it can be."""
    return float(told) if isinstance(told, int | float) and least <= told <= most else None


def _recorded_options(session: Session) -> dict[str, Any]:
    options = session.about.get("options")
    return options if isinstance(options, dict) else {}


def _contenders(board: Board, chosen: Chosen) -> list[Contender]:
    """By whole text, short name, or model."""
    for text in chosen.candidates:
        if not any(is_named(contender, text) for contender in board.contenders):
            names = ", ".join(contender.name for contender in board.contenders)
            raise SessionError(f"The session has no candidate '{text}': it has {names}.")
    if not chosen.candidates:
        return list(board.contenders)
    return [one for one in board.contenders if any(is_named(one, text) for text in chosen.candidates)]


def is_named(contender: Contender, text: str) -> bool:
    """By whole text, short name, label, or model."""
    return text in (contender.id, contender.name, contender.candidate.label, contender.candidate.model_name)


def _conditions(board: Board, chosen: Chosen) -> list[Condition]:
    for text in chosen.conditions:
        if not any(_is_called(condition, text) for condition in board.conditions):
            names = ", ".join(condition.title for condition in board.conditions) or "none"
            raise SessionError(f"The session has no condition '{text}': it has {names}.")
    return [
        condition
        for condition in board.conditions
        if not chosen.conditions or any(_is_called(condition, text) for text in chosen.conditions)
    ]


def _is_called(condition: Condition, text: str) -> bool:
    """By its text or title; ``idle`` alone is every one without stress, whatever the schedule and the cores."""
    if text in (condition.title, str(condition)) or (text == "idle" and condition.is_idle):
        return True
    with suppress(ValueError):
        return condition == parse_condition(text)
    return False
