"""What readers of other tools' files have in common: what is wanted of a file, and what it is found to hold."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from latvar_tui.candidate import UsageError, parse_candidate
from latvar_tui.condition import IDLE, parse_condition
from latvar_tui.controls import IMPORTED
from latvar_tui.session.hlog import LONGEST_LINE
from latvar_tui.session.layout import LOGS, SessionError
from latvar_tui.wire import Counts

UNITS_NS = {"ns": 1, "us": 1000, "ms": 1_000_000, "s": 1_000_000_000}
MOST_TIME_NS = 1 << 62


@dataclass(frozen=True)
class Wanted:
    """What is wanted of a file. ``unit`` and ``column`` None: what the format has."""

    candidate: str | None = None
    condition: str | None = None
    tags: Sequence[str] = ()
    column: str | None = None
    unit: str | None = None


@dataclass(frozen=True)
class Piece:
    """One slice to be. Times in ns since the file's base; ``counts`` by a name of :data:`layout.LOGS`."""

    candidate: str
    condition: str
    start_ns: int
    length_ns: int
    counts: dict[str, Counts]


@dataclass
class Foreign:
    """What a file holds. ``base_wall_ns``: what starts are relative to, since 1970; ``notes`` say what to know."""

    kind: str
    base_wall_ns: int
    candidates: list[str]
    pieces: Iterator[Piece]
    notes: list[str] = field(default_factory=list)


def candidate_text(text: str) -> str:
    """The candidate that a name or a tag stands for: with its settings where it has any, else ``imported@as=NAME``."""
    try:
        known = parse_candidate(text, 1)
        if "@" in text and known.has_model and known.settings and str(known) != known.model:
            return str(known)
        if known.model == IMPORTED:
            return str(known)
    except UsageError as error:
        if re.search(r"@[a-z]+=", text):
            raise SessionError(str(error)) from error
    label = re.sub(r"[^A-Za-z0-9._+-]+", "-", text).strip("-")[:64] or "unnamed"
    return f"{IMPORTED}@as={label}"


def condition_text(text: str) -> str:
    """Raises SessionError: it is none."""
    try:
        return str(IDLE if text == "idle" else parse_condition(text))
    except ValueError as error:
        raise SessionError(f"'{text}' is no condition: write idle, or like 2xcpu@100%.") from error


def _own_tag(tag: str) -> tuple[str, str, str] | None:
    """Candidate, condition and quantity of a tag that latvar-tui wrote; None if another tool did."""
    parts = tag.replace(";", ",").split("|")
    quantity = parts.pop() if len(parts) == 3 and parts[2] in LOGS and parts[2] != "service" else "service"
    if len(parts) != 2:
        return None
    try:
        known = str(parse_candidate(parts[0], 1)), str(parse_condition(parts[1]))
    except (UsageError, ValueError):
        return None
    return (*known, quantity) if list(known) == parts else None


class Names:
    """Candidate, condition and quantity of each tag; no two tags alike."""

    def __init__(self, path: Path, wanted: Wanted) -> None:
        self._wanted, self._stem = wanted, path.stem
        self._known: dict[str, tuple[str, str, str]] = {}

    def of(self, tag: str) -> tuple[str, str, str]:
        if tag in self._known:
            return self._known[tag]
        candidate, condition, quantity = _own_tag(tag) or (candidate_text(tag or self._stem), str(IDLE), "service")
        if self._wanted.condition is not None:
            condition = condition_text(self._wanted.condition)
        if self._wanted.candidate is not None:
            candidate = candidate_text(self._wanted.candidate)
        for other, names in self._known.items():
            if names == (candidate, condition, quantity):
                raise SessionError(
                    f"The tags '{other}' and '{tag}' would be one candidate under one condition: import one of them "
                    "with --tag, and with --candidate and --condition say what it is."
                )
        self._known[tag] = candidate, condition, quantity
        return self._known[tag]


def text_lines(path: Path) -> Iterator[tuple[int, int, str]]:
    """Number, place and text of each line of a text file."""
    at = 0
    with open(path, "rb") as file:
        number = 0
        while raw := file.readline(LONGEST_LINE):
            number += 1
            if len(raw) == LONGEST_LINE and not raw.endswith(b"\n"):
                raise SessionError(f"'{path}' cannot be imported: line {number} is longer than 1 MiB.")
            try:
                yield number, at, raw.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
            except UnicodeDecodeError as error:
                raise SessionError(f"'{path}' cannot be imported: line {number} is no text.") from error
            at += len(raw)
