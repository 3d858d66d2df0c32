"""A comparison of sessions as text, and as the contract's JSON document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from latvar_tui.format import distinct, ms, plural, printable, quantile_name, ratio, three_digits
from latvar_tui.session.comparison import (
    BETTER,
    UNDECIDED,
    WORSE,
    Change,
    Comparison,
    Read,
    mapping,
    reversals,
    reversals_across,
)
from latvar_tui.study.blocks import FEWEST_BLOCKS
from latvar_tui.summary import SCHEMA
from latvar_tui.verdicts import change

_MOST_DIFFERENCES = 20
_MOST_FACT = 40
_NAME_CELLS = 22


def tables(comparisons: Sequence[Comparison]) -> list[str]:
    """Lines of at most 80 cells: what is compared, a table a condition, what got worse, what differs around it."""
    lines = []
    for comparison in comparisons:
        parts = _head(comparison), _table(comparison), _sums(comparison), _reversals(comparison), _around(comparison)
        lines += [line for part in parts for line in part] + [""]
    return [printable(line) for line in lines] + [f"note: {note}" for note in _notes(comparisons)]


def _head(comparison: Comparison) -> Iterator[str]:
    for letter, read in (("A", comparison.a), ("B", comparison.b)):
        device = mapping(read.board.device).get("name")
        yield f"{letter}  {read.session.folder.name}{f' on {device}' if device else ''}"


def _table(comparison: Comparison) -> Iterator[str]:
    cells = comparison.cells
    names = dict(zip([cell.candidate for cell in cells], distinct([c.name for c in cells], _NAME_CELLS), strict=True))
    for condition in dict.fromkeys(cell.condition for cell in cells):
        yield condition.title
        yield f"{'ms'.ljust(_NAME_CELLS)}{'':7}{'A':>8}{'B':>8}{'B÷A':>9}  95 %"
        for cell in cells:
            if cell.condition == condition:
                heads = {0: names[cell.candidate]}
                if cell.candidate != cell.candidate_b:
                    heads[1] = distinct([f"B: {cell.name_b}"], _NAME_CELLS)[0]
                for place, change in enumerate(cell.changes):
                    yield _line(heads.get(place, ""), change)


def _line(name: str, change: Change) -> str:
    mark = "~" if change.provisional else ""
    bounds = " … ".join(map(_bound, change.ci95)) if change.ci95 is not None else "–"
    texts = ms(change.a_ns), ms(change.b_ns), ratio(change.ratio)
    numbers = "".join(f"{mark + text:>{width}}" for text, width in zip(texts, (8, 8, 9), strict=True))
    verdict = change.verdict or ""
    return f"{name.ljust(_NAME_CELLS)} {quantile_name(change.quantile):<6}{numbers}  {bounds:<13} {verdict}".rstrip()


def _bound(value: float) -> str:
    """A digit more than the ratio: whether 1 is inside should be seen."""
    return f"{value:.3f}" if value < 9.9995 else three_digits(value)


def _sums(comparison: Comparison) -> Iterator[str]:
    for verdict in (WORSE, BETTER):
        told = [
            f"{cell.name} under {cell.condition.title}: {', '.join(quantile_name(c.quantile) for c in changed)}"
            for cell in comparison.cells
            if (changed := [change for change in cell.changes if change.verdict == verdict])
        ]
        yield f"{verdict}: {'nothing, as far as can be told' if not told else ''}".rstrip()
        yield from (f"  {text}" for text in told)


def _reversals(comparison: Comparison) -> Iterator[str]:
    """The pairs that change places from A to B."""
    names = {cell.candidate: cell.name for cell in comparison.cells}
    for found in reversals_across(comparison):
        where = f"under {found.before.title} at {quantile_name(found.quantile)}"
        first, second = change(found.ratio_before), change(found.ratio_after)
        yield f"{names[found.a]} beats {names[found.b]} {where} in A ({first}), and loses in B ({second})."


def _around(comparison: Comparison) -> Iterator[str]:
    if comparison.differences:
        yield "what else differs (A → B):"
    for what, ours, theirs in comparison.differences[:_MOST_DIFFERENCES]:
        yield f"  {what}: {_clipped(ours)} → {_clipped(theirs)}"
    more = len(comparison.differences) - _MOST_DIFFERENCES
    if more > 0:
        yield f"  and {more} more (see --json)"


def _clipped(text: str) -> str:
    return text if len(text) <= _MOST_FACT else f"{text[: _MOST_FACT - 1]}…"


def document(reads: Sequence[Read], comparisons: Sequence[Comparison]) -> dict[str, Any]:
    """The JSON document: the contract's, with each cell's session, the sessions, and what they compare to."""
    first = reads[0]
    return {
        "schema": SCHEMA,
        "session": None,
        "device": dict(first.board.device),
        "cells": [cell | {"session": str(read.session.folder)} for read in reads for cell in read.cells],
        "sessions": [
            {
                "session": str(read.session.folder),
                "device": dict(read.board.device),
                "latvar_tui": read.session.about.get("latvar_tui"),
                "started_wall_ns": read.session.base_wall_ns,
                "options": read.session.about.get("options"),
                "notes": list(read.session.notes),
            }
            for read in reads
        ],
        "comparisons": [_as_json(comparison) for comparison in comparisons],
        "reversals": reversals(reads, comparisons),
        "notes": _notes(comparisons),
    }


def _as_json(comparison: Comparison) -> dict[str, Any]:
    return {
        "a": str(comparison.a.session.folder),
        "b": str(comparison.b.session.folder),
        "cells": [
            {
                "candidate": cell.candidate,
                "candidate_b": cell.candidate_b,
                "condition": str(cell.condition),
                "quantity": cell.quantity,
                "n_a": cell.n[0],
                "n_b": cell.n[1],
                "slices_a": cell.slices[0],
                "slices_b": cell.slices[1],
                "ratios": {quantile_name(change.quantile): _change_as_json(change) for change in cell.changes},
            }
            for cell in comparison.cells
        ],
        "differences": [{"what": what, "a": ours, "b": theirs} for what, ours, theirs in comparison.differences],
    }


def _change_as_json(change: Change) -> dict[str, Any]:
    verdict = "undecided" if change.verdict == UNDECIDED else change.verdict
    return {
        "a_ms": change.a_ns / 1e6,
        "b_ms": change.b_ns / 1e6,
        "ratio": change.ratio,
        "ci95": None if change.ci95 is None else list(change.ci95),
        "provisional": change.provisional,
        "verdict": verdict,
    }


def _notes(comparisons: Sequence[Comparison]) -> list[str]:
    notes = ["An interval speaks for these runs, not for another day; one in twenty misses."]
    changes = [(cell, change) for comparison in comparisons for cell in comparison.cells for change in cell.changes]
    if any(change.provisional for _, change in changes):
        notes.append("~ rests on fewer than 10 inferences beyond the quantile, in A or B: no verdict.")
    if any(min(cell.slices) < FEWEST_BLOCKS for cell, _ in changes):
        notes.append(f"There is no interval with fewer than {plural(FEWEST_BLOCKS, 'slice')} of a cell.")
    for read in {id(r): r for comparison in comparisons for r in (comparison.a, comparison.b)}.values():
        marks: dict[str, int] = {}
        for _, _, cell in read.board.cells():
            for mark, slices in cell.marks.items():
                marks[mark] = marks.get(mark, 0) + slices
        total = sum(cell.slices for _, _, cell in read.board.cells())
        if marks:
            told = ", ".join(f"{mark} {slices}" for mark, slices in sorted(marks.items()))
            notes.append(printable(f"{read.session.folder.name}: of {total} slices disturbed were: {told}."))
        notes += [printable(f"{read.session.folder.name}: {note}") for note in read.session.notes]
    return notes
