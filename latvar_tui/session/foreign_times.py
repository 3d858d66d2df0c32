"""Reads the times of single inferences: a number a line, a column of a CSV file, or ONNX Runtime's profile."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from latvar_tui.hdr_layout import sparse_counts
from latvar_tui.session.foreign import MOST_TIME_NS, UNITS_NS, Foreign, Names, Piece, Wanted, text_lines
from latvar_tui.session.layout import SessionError
from latvar_tui.wire import Counts

STRETCH_NS = 250_000_000
"""How long a slice is that single times are gathered in."""

_MOST_PROFILE_BYTES = 512 << 20

# -- lists and tables --------------------------------------------------------------------------------------------------

_COLUMNS = ("ms", "time_ms", "latency_ms", "duration_ms", "inference_ms", "service_ms")


def read_times(path: Path, wanted: Wanted, wall_ns: int) -> Foreign:
    """A number a line, or a named column of a CSV file."""
    _refuse_tags(path, wanted)
    candidate, condition, quantity = Names(path, wanted).of("")
    del quantity
    texts = ((number, line) for number, _, line in text_lines(path) if line.strip() and not line.startswith("#"))
    first = next(texts, None)
    if first is None:
        raise SessionError(f"'{path}' is empty, so there is nothing to import.")
    header = next(csv.reader([first[1]]))
    column, unit = 0, wanted.unit
    if len(header) > 1 or not _is_number(header[0]):
        column = _column(path, [name.strip() for name in header], wanted.column)
        unit = unit or _unit_of(header[column])
        rows: Iterable[tuple[int, str]] = texts
    elif wanted.column is not None:
        raise SessionError(f"'{path}' has no column '{wanted.column}': its first line is a number and no header.")
    else:
        rows = _with_first(first, texts)
    unit_ns = UNITS_NS[unit or "ms"]
    times = _numbers(path, rows, len(header), column, unit_ns)
    notes = [f"Its times were read as {unit or 'ms'}, one inference behind the other."]
    return Foreign("times", wall_ns, [candidate], _stretches(candidate, condition, _back_to_back(times)), notes)


def _with_first(first: tuple[int, str], rest: Iterator[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    yield first
    yield from rest


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _unit_of(title: str) -> str | None:
    """The unit that a column's title ends with: ``latency_us``, ``time (s)``; None if it names none."""
    found = re.search(r"(?:^|[^A-Za-z0-9])(ns|[uµμ]s|ms|s|sec|seconds)[)\]]?$", title.strip().lower())
    if found is None:
        return None
    return "us" if found[1] in ("µs", "μs") else "s" if found[1].startswith("s") else found[1]


def _column(path: Path, header: Sequence[str], wanted: str | None) -> int:
    names = ", ".join(header[:12])
    if all(_is_number(name) for name in header):
        raise SessionError(f"'{path}' has {len(header)} numbers in a line and no header to say what they are.")
    if wanted is None and len(header) == 1:
        return 0
    chosen = [wanted] if wanted is not None else [name for name in _COLUMNS if name in header]
    if len(chosen) != 1 or header.count(chosen[0]) != 1:
        what = f"has no column '{wanted}'" if wanted is not None else "has several columns"
        raise SessionError(f"'{path}' {what}: say with --column which of {names} holds the times.")
    return header.index(chosen[0])


def _numbers(path: Path, rows: Iterable[tuple[int, str]], columns: int, column: int, unit_ns: int) -> Iterator[int]:
    for number, line in rows:
        cells = next(csv.reader([line]))
        text = cells[column].strip() if len(cells) == columns else ""
        value = (
            float(text) if re.fullmatch(r"\d{0,18}\.?\d{0,18}(?:[eE][+-]?\d{1,3})?", text) and _is_number(text) else -1
        )
        if not 0 <= value * unit_ns < MOST_TIME_NS:
            raise SessionError(f"'{path}' cannot be imported: line {number} holds no time ('{line[:40]}').")
        yield round(value * unit_ns)


def _back_to_back(times_ns: Iterable[int]) -> Iterator[tuple[int, int]]:
    start_ns = 0
    for time_ns in times_ns:
        yield start_ns, time_ns
        start_ns += time_ns


def _stretches(candidate: str, condition: str, inferences: Iterable[tuple[int, int]]) -> Iterator[Piece]:
    """Pieces of the inferences that began within 250 ms. ``inferences``: start and time in ns, by start."""
    times: list[int] = []
    begin_ns = end_ns = 0
    for start_ns, time_ns in inferences:
        if times and start_ns - begin_ns >= STRETCH_NS:
            yield _piece(candidate, condition, begin_ns, end_ns, times)
            times = []
        if not times:
            begin_ns = start_ns
        times.append(time_ns)
        end_ns = max(end_ns, start_ns + time_ns)
    if times:
        yield _piece(candidate, condition, begin_ns, end_ns, times)


def _piece(candidate: str, condition: str, begin_ns: int, end_ns: int, times: Sequence[int]) -> Piece:
    if end_ns >= MOST_TIME_NS:
        raise SessionError("The times are more than a hundred years together: is their unit right (--unit)?")
    indices, counts, overflow = sparse_counts(np.array(times, np.int64))
    pairs = np.column_stack((indices, counts)).tolist()
    exact = Counts(pairs, min(times), max(times), sum(times), overflow)
    return Piece(candidate, condition, begin_ns, end_ns - begin_ns, {"service": exact})


def _refuse_tags(path: Path, wanted: Wanted) -> None:
    if wanted.tags:
        raise SessionError(f"'{path}' is no HdrHistogram log and has no tags: leave --tag out.")


# -- ONNX Runtime's profile ---------------------------------------------------------------------------------


def read_profile(path: Path, wanted: Wanted, wall_ns: int) -> Foreign:
    """The ``model_run`` events of a profile; ``ts`` and ``dur`` count µs."""
    _refuse_tags(path, wanted)
    if wanted.unit not in (None, "us") or wanted.column is not None:
        raise SessionError(f"'{path}' is a profile, whose times are µs: leave --unit and --column out.")
    if path.stat().st_size > _MOST_PROFILE_BYTES:
        raise SessionError(f"'{path}' is larger than 512 MiB: write a shorter profile.")
    try:
        events = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise SessionError(
            f"'{path}' is no profile that can be read: it is no JSON, or not ended (call end_profiling)."
        ) from error
    runs = [event for event in events if isinstance(event, dict) and event.get("name") == "model_run"] \
        if isinstance(events, list) else []  # fmt: skip
    if not runs:
        raise SessionError(f"'{path}' has no model_run: it is no profile that ONNX Runtime wrote of a session.")
    inferences = sorted((_us_as_ns(path, run, "ts"), _us_as_ns(path, run, "dur")) for run in runs)
    first_ns = inferences[0][0]
    candidate, condition, _ = Names(path, wanted).of("")
    pieces = _stretches(candidate, condition, ((start - first_ns, time) for start, time in inferences))
    notes = ["All runs of the profile count, the first ones after loading, too; profiling made each a little longer."]
    return Foreign("ONNX Runtime profile", wall_ns, [candidate], pieces, notes)


def _us_as_ns(path: Path, event: dict[str, Any], name: str) -> int:
    value = event.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < MOST_TIME_NS / 1000:
        raise SessionError(f"'{path}' cannot be imported: the {name} of a model_run is no time.")
    return round(value * 1000)
