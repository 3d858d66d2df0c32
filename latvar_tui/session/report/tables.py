"""The report's tables, of text: both forms of a report show the same ones."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from latvar_tui.columns import OPEN_LOOP_COLUMNS, Column, all_columns
from latvar_tui.condition import Condition
from latvar_tui.format import NOTHING, count, ms, quantile_name, three_digits
from latvar_tui.session.report.content import Content
from latvar_tui.study.board import Contender
from latvar_tui.study.quantiles import is_provisional
from latvar_tui.study.table import Row, table

_MOST_FACTS = 60
_MOST_LETTERS = 600
_MOST_CELLS = 200
_NO_FACTS = ("pid", "watched")
_NOT_SHOWN = ("÷best", "÷idle")


@dataclass(frozen=True)
class Table:
    """``names``: which columns hold names, the others numbers. ``note`` stands below it."""

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    names: Sequence[int] = (0,)
    note: str = ""


def value(quantile_ns: float | None, provisional: bool) -> str:
    """A quantile in ms, with ``~`` where it is provisional."""
    return ("~" if provisional and quantile_ns is not None else "") + ms(quantile_ns)


# -- what was measured, and on what ---------------------------------------------------------------------------


def facts(content: Content) -> Table:
    """The device, and how the session was recorded."""
    told = {name: fact for name, fact in content.board.device.items() if name not in _NO_FACTS}
    told = dict(list(told.items())[:_MOST_FACTS])
    options = content.document["recorded"]["options"]
    told |= {"latvar-tui": content.document["recorded"]["latvar_tui"], "session": content.session.folder.name}
    told |= {"ended": _ending(content)}
    told |= {name: options[name] for name in ("slice_ms", "memory_mb") if options.get(name) is not None}
    return Table("Device", ("what", "is"), [(name, _plain(fact)) for name, fact in told.items()], names=(0, 1))


def _ending(content: Content) -> str:
    ended = content.session.ended
    return "cut off, or still being recorded" if ended is None else _plain(ended.get("why"))


def _plain(fact: Any) -> str:
    if fact is None or fact == "":
        return "n/a"
    if isinstance(fact, list | dict):  # of what cannot be watched, what: the reasons are for the screen
        fact = ", ".join(map(str, fact)) or "none"
    text = fact if isinstance(fact, str) else json.dumps(fact, ensure_ascii=False)
    return text if len(text) <= _MOST_LETTERS else f"{text[:_MOST_LETTERS]}…"


def candidates(content: Content) -> Table:
    """Their whole text forms, and what loading each took."""
    rows = []
    for one in content.board.contenders:
        cold_ms = one.cold_ms[0] if one.cold_ms else None
        times = [NOTHING if told is None else three_digits(told) for told in (one.load_ms, cold_ms, one.warm_ms)]
        memory = NOTHING if one.memory_mb is None else f"{one.memory_mb:.0f}"
        what = f"{one.id} ({one.state}: {one.reason})" if one.is_out else one.id
        rows.append((one.name, what, *times, memory))
    head = ("candidate", "with its settings", "load ms", "cold ms", "warm ms", "memory MB")
    note = "cold: its first inference, in no other table; warm: what followed it."
    return Table("Candidates", head, rows, names=(0, 1), note=note)


# -- cells ----------------------------------------------------------------------------------------------------


def cells(content: Content, condition: Condition) -> Table:
    """A condition's rows, in the columns that the screen has as well."""
    rows = [row for row in table(content.board, condition, content.quantile, deadline_ns=content.deadline_ns) if row.n]
    shown = _columns(content, rows, condition)
    head = ["candidate", *(column.title_at(quantile_name(content.quantile)) for column in shown), "stress cores"]
    lines = [
        [
            row.contender.name,
            *(column.cell(row).text for column in shown),
            _cores(content, row),
            *_service(content, row),
        ]
        for row in rows
    ]
    if condition.is_open_loop:
        head += ["service p50", "service p99"]
    return Table(f"{condition.title}, ms", head, lines, note=_cells_note(condition))


def _columns(content: Content, rows: Sequence[Row], condition: Condition) -> list[Column]:
    found = all_columns(content.deadline_ns, ranked_by=content.quantile, open_loop=condition.is_open_loop)
    return [column for column in found if column.title not in _NOT_SHOWN]


def _cells_note(condition: Condition) -> str:
    if condition.is_open_loop:
        queue = OPEN_LOOP_COLUMNS[1].title
        return f"Quantiles are of response times, from when an inference was due. {queue}: mean (most) that were there."
    return ""


def _cores(content: Content, row: Row) -> str:
    cell = content.board.cell(row.contender, row.condition)
    if row.condition.is_idle:
        return NOTHING
    cores = None if cell is None else cell.stress_cores
    return "n/a" if cores is None else f"{cores:.2f}"


def _service(content: Content, row: Row) -> list[str]:
    cell = content.board.cell(row.contender, row.condition)
    if not row.condition.is_open_loop or cell is None:
        return []
    return [value(cell.service.quantile_ns(q), is_provisional(cell.service, q)) for q in (50.0, 99.0)]


def lowest(content: Content, quantile: float = 99.0) -> Table:
    """Who has the lowest under each condition, and who comes next: of those that are models and have not failed."""
    rows = []
    for condition in content.board.conditions:
        ranked = sorted(_rivals(content, condition, quantile), key=lambda rival: rival[0])
        if len(ranked) > 1:
            first, second = ranked[:2]
            rows.append((condition.title, first[1].name, first[2], second[1].name, second[2]))
    name = quantile_name(quantile)
    note = (
        "These are the numbers as they were measured, and no statistical claim: where they are close together, or have "
        "a ~, another run may turn them round."
    )
    return Table(f"Lowest {name} measured", ("under", "lowest", "ms", "next", "ms"), rows, names=(0, 1, 3), note=note)


def _rivals(content: Content, condition: Condition, quantile: float) -> list[tuple[int, Contender, str]]:
    found = []
    for one in content.board.contenders:
        cell = content.board.cell(one, condition)
        if cell is None or not cell.latency.total or not one.is_rival:
            continue
        at_ns = cell.latency.quantile_ns(quantile) or 0
        found.append((at_ns, one, value(at_ns, is_provisional(cell.latency, quantile))))
    return found


# -- what went on -------------------------------------------------------------------------------------------


def marks(content: Content) -> Table:
    """How many slices of each cell were disturbed from outside, and by what."""
    names = sorted({mark for _, _, cell in content.board.cells() for mark in cell.marks})[:20]
    rows = [
        (one.name, condition.title, count(cell.slices), *(count(cell.marks[mark]) for mark in names))
        for one, condition, cell in content.board.cells()
        if cell.marks
    ]
    head = ("candidate", "under", "slices", *names)
    return Table(
        "Slices disturbed from outside", head, rows[:_MOST_CELLS], names=(0, 1), note="They count like all others."
    )


def slowest(content: Content) -> list[Table]:
    """The ten slowest inferences of each cell."""
    names = {one.id: one.name for one in content.board.contenders}
    titles = {str(condition): condition.title for condition in content.board.conditions}
    tables = []
    for cell in content.document["cells"][:_MOST_CELLS]:
        if cell["slowest"]:
            open_loop = "open_loop" in cell
            head = ("likely", "at s", "ms", "wait", *(["queued"] if open_loop else []), "into slice")
            rows = [_slow_row(one, open_loop) for one in cell["slowest"]]
            caption = f"{names[cell['candidate']]} under {titles[cell['condition']]}"
            tables.append(Table(caption, head, rows))
    return tables


def _slow_row(one: dict[str, Any], open_loop: bool) -> list[str]:
    at = NOTHING if one["since_start_s"] is None else f"{one['since_start_s']:.1f}"
    waits = [one["wait_ms"], *([one["queued_ms"]] if open_loop else [])]
    told = ["n/a" if isinstance(wait, dict) else three_digits(wait) for wait in waits]
    marked = [f"{one['likely']} ({', '.join(one['slice']['marks'])})" if one["slice"]["marks"] else one["likely"]]
    return [*marked, at, three_digits(one["service_ms"]), *told, three_digits(one["into_slice_ms"])]
