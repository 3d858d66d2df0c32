"""The report's tables as Markdown, for an issue: names in code spans, so that nothing in them is obeyed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from latvar_tui import __version__
from latvar_tui.format import printable
from latvar_tui.session.report import tables
from latvar_tui.session.report.content import Content, length
from latvar_tui.session.report.tables import Table

_LEGEND = "Times in ms; `~`: fewer than ten observations beyond it, so it still moves and is no ground for a claim."


def markdown(sessions: Sequence[Content]) -> Iterator[str]:
    """The document, in pieces."""
    for one in sessions:
        yield f"## {_code(one.device)}, {one.began:%Y-%m-%d %H:%M} UTC, {length(one.length_s)}\n\n"
        yield f"{_LEGEND}\n\n"
        for condition in one.board.conditions:
            yield _table(tables.cells(one, condition))
        for table in (tables.lowest(one), tables.marks(one), tables.candidates(one), tables.facts(one)):
            if table.rows:
                yield _table(table)
        notes = [f"- {_prose(note)}\n" for note in one.document["notes"]]
        yield "**Notes**\n\n" + "".join(notes) + "\n"
    yield f"latvar-tui {__version__}\n"


def _table(table: Table) -> str:
    rule = "|".join("---" if place in table.names else "---:" for place in range(len(table.head)))
    rows = [
        " | ".join(_code(text) if place in table.names else _prose(text) for place, text in enumerate(row))
        for row in table.rows
    ]
    lines = [f"**{_prose(table.caption)}**", "", f"| {' | '.join(map(_prose, table.head))} |", f"|{rule}|"]
    note = ["", _prose(table.note)] if table.note else []
    return "\n".join([*lines, *(f"| {row} |" for row in rows), *note, "", ""])


def _code(text: str) -> str:
    """A code span that also stands in a table."""
    plain = printable(text).replace("`", "'").replace("|", "\\|").strip()
    return f"`{plain}`" if plain else "–"


def _prose(text: str) -> str:
    """Text that is no markup, mentions nobody and links to nothing."""
    plain = re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", printable(text))
    return re.sub(r"(?<!\w)@", "@\u2060", plain).replace("://", ":\u2060//")
