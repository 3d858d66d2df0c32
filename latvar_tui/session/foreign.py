"""Reads what other tools have measured: HdrHistogram logs, lists of times, ONNX Runtime's profiles.

Each reader yields pieces in the order of their beginnings. What is not as it should be is refused, in one sentence
that names the line: half of a file would give a wrong number.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from latvar_tui import hdr_codec
from latvar_tui.candidate import UsageError, parse_candidate
from latvar_tui.condition import IDLE, parse_condition
from latvar_tui.controls import IMPORTED
from latvar_tui.hdr_layout import COUNTS_LEN, HIGHEST_NS, highest_ns, indices_of, lowest_ns, median_ns, sparse_counts
from latvar_tui.session.hlog import LONGEST_LINE
from latvar_tui.session.layout import LOGS, SessionError
from latvar_tui.wire import Counts

UNITS_NS = {"ns": 1, "us": 1000, "ms": 1_000_000}
STRETCH_NS = 250_000_000
"""How long a slice is that single times are gathered in."""

_MOST_PROFILE_BYTES = 512 << 20
_MOST_TIME_NS = 1 << 62
_STAMP = r"(\d{1,12}(?:\.\d{1,9})?)"
_LINE = re.compile(rf"(?:Tag=([^,\s]+),)?{_STAMP},{_STAMP},\d[\d.eE+-]*,([A-Za-z0-9+/=]+)")


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
    pieces: Iterator[Piece]
    notes: list[str] = field(default_factory=list)


def read_foreign(path: Path, wanted: Wanted) -> Foreign:
    """Open a file of another tool; its pieces are read as they are asked for.

    Raises:
        SessionError: it is none that can be read, or does not hold what is wanted. Reading on may raise it as well.
    """
    try:
        if not path.is_file():
            raise SessionError(f"'{path}' is no file: name an .hlog, a list of times, or a profile of ONNX Runtime.")
        with open(path, "rb") as file:
            head = file.read(1 << 16)
        wall_ns = path.stat().st_mtime_ns
    except OSError as error:
        raise SessionError(f"'{path}' cannot be read: {(error.strerror or str(error)).lower()}.") from error
    if head.lstrip()[:1] in (b"[", b"{"):
        reader = _profile
    elif b"HISTFAAA" in head or re.search(rb'^#\[.*log format|^"StartTimestamp"', head, re.M | re.I):
        reader = _log
    else:
        reader = _times
    return reader(path, wanted, wall_ns)


# -- names --------------------------------------------------------------------------------------------------


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


class _Names:
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


# -- HdrHistogram logs --------------------------------------------------------------------------------------


def _log(path: Path, wanted: Wanted, wall_ns: int) -> Foreign:
    """Intervals as they are, in the order of their beginnings: tools write one tag behind another."""
    if wanted.column is not None:
        raise SessionError(f"'{path}' is an HdrHistogram log and has no columns: leave --column out.")
    names = _Names(path, wanted)
    header: dict[str, float] = {}
    intervals: dict[tuple[str, str, str, str, int], dict[str, int]] = {}
    tags: dict[str, None] = {}
    for number, at, line in _lines(path):
        if line.startswith("#"):
            found = re.match(rf"#\[(BaseTime|StartTime): {_STAMP}", line)
            if found:
                header.setdefault(found[1], float(found[2]))
            continue
        if line.startswith('"StartTimestamp"') or not line.strip():
            continue
        told = _LINE.fullmatch(line)
        if told is None:
            raise SessionError(f"'{path}' cannot be imported: line {number} is none of an HdrHistogram log.")
        tag = told[1] or ""
        tags.setdefault(tag)
        if wanted.tags and tag not in wanted.tags:
            continue
        candidate, condition, quantity = names.of(tag)
        copy = 0
        while quantity in (places := intervals.setdefault((candidate, condition, told[2], told[3], copy), {})):
            copy += 1
        places[quantity] = at
    missing = [tag for tag in wanted.tags if tag not in tags]
    if missing or not intervals:
        told_tags = ", ".join(tag or "(none)" for tag in list(tags)[:10])
        what = f"has no tag '{missing[0]}'" if missing else "holds no interval"
        raise SessionError(f"'{path}' {what}{f': it has {told_tags}' if tags else ', so there is nothing to import'}.")
    first_s = min(float(start) for _, _, start, _, _ in intervals)
    base_s = header.get("BaseTime")
    if base_s is None:  # as HistogramLogReader.java decides whether starts are relative
        began_s = header.get("StartTime", wall_ns / 1e9)
        base_s = began_s if first_s < began_s - 365 * 86_400 else 0.0
    notes = ["Means and extremes are those of the log's buckets: it tells no exact ones."]
    unit_ns = UNITS_NS[wanted.unit or "ns"]
    return Foreign(
        "HdrHistogram log", round((base_s + first_s) * 1e9), _log_pieces(path, intervals, first_s, unit_ns), notes
    )


def _lines(path: Path) -> Iterator[tuple[int, int, str]]:
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


def _log_pieces(
    path: Path, intervals: dict[tuple[str, str, str, str, int], dict[str, int]], first_s: float, unit_ns: int
) -> Iterator[Piece]:
    with open(path, "rb") as file:
        for (candidate, condition, start, length, _), places in sorted(
            intervals.items(), key=lambda item: float(item[0][2])
        ):
            counts: dict[str, Counts] = {}
            for quantity, at in places.items():
                file.seek(at)
                text = file.readline(LONGEST_LINE).decode().rstrip("\r\n").rpartition(",")[2]
                try:
                    counts[quantity] = _counts_of_text(text, unit_ns)
                except ValueError as error:
                    raise SessionError(f"'{path}' cannot be imported: at {start} s {error}.") from error
            yield Piece(candidate, condition, round((float(start) - first_s) * 1e9), round(float(length) * 1e9), counts)


def _counts_of_text(text: str, unit_ns: int) -> Counts:
    """A histogram of any layout in ours. Raises ValueError."""
    (lowest, digits), indices, counts = hdr_codec.decode_any(text)
    if not counts.size:
        return Counts()
    if unit_ns == 1 and (lowest, digits) == hdr_codec.LAYOUT and indices[-1] < COUNTS_LEN:
        return _counts(indices, counts)
    # A quantile is the highest value of its bucket, there as here: so it stays what the other tool says.
    values = hdr_codec.highest_of(indices, lowest, digits).astype(np.float64) * unit_ns
    if values.max() >= _MOST_TIME_NS:
        raise ValueError("a time is longer than a hundred years")
    exact = values.astype(np.int64)
    ours = indices_of(exact)
    used, place = np.unique(ours, return_inverse=True)
    return _counts(
        used, np.bincount(place, weights=counts).astype(np.int64), int(counts[exact > HIGHEST_NS].sum()), int(exact[-1])
    )


def _counts(indices: npt.NDArray[np.int64], counts: npt.NDArray[np.int64], overflow: int = 0, most: int = 0) -> Counts:
    """Of buckets alone; ``most`` is the longest time where that is known."""
    total = float(median_ns(indices).astype(np.float64) @ counts)
    if total >= _MOST_TIME_NS:
        raise ValueError("the times are more than a hundred years together")
    highest = max(int(highest_ns(indices[-1])), most if overflow else 0)
    lowest = int(lowest_ns(indices[0]))
    return Counts(np.column_stack((indices, counts)).tolist(), lowest, highest, round(total), overflow)


# -- times --------------------------------------------------------------------------------------------------

_COLUMNS = ("ms", "time_ms", "latency_ms", "duration_ms", "inference_ms", "service_ms")


def _times(path: Path, wanted: Wanted, wall_ns: int) -> Foreign:
    """A number a line, or a named column of a CSV file."""
    _refuse_tags(path, wanted)
    candidate, condition, quantity = _Names(path, wanted).of("")
    del quantity
    texts = ((number, line) for number, _, line in _lines(path) if line.strip() and not line.startswith("#"))
    first = next(texts, None)
    if first is None:
        raise SessionError(f"'{path}' is empty, so there is nothing to import.")
    header = next(csv.reader([first[1]]))
    column, unit = 0, wanted.unit
    if len(header) > 1 or not _is_number(header[0]):
        column = _column(path, [name.strip() for name in header], wanted.column)
        ending = header[column].strip().rpartition("_")[2].lower()
        unit = unit or (ending if ending in UNITS_NS else None)
        rows: Iterable[tuple[int, str]] = texts
    elif wanted.column is not None:
        raise SessionError(f"'{path}' has no column '{wanted.column}': its first line is a number and no header.")
    else:
        rows = _with_first(first, texts)
    unit_ns = UNITS_NS[unit or "ms"]
    times = _numbers(path, rows, len(header), column, unit_ns)
    notes = [f"Its times were read as {unit or 'ms'}, one inference behind the other."]
    return Foreign("times", wall_ns, _stretches(candidate, condition, _back_to_back(times)), notes)


def _with_first(first: tuple[int, str], rest: Iterator[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    yield first
    yield from rest


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


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
        if not 0 <= value * unit_ns < _MOST_TIME_NS:
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
    if end_ns >= _MOST_TIME_NS:
        raise SessionError("The times are more than a hundred years together: is their unit right (--unit)?")
    indices, counts, overflow = sparse_counts(np.array(times, np.int64))
    pairs = np.column_stack((indices, counts)).tolist()
    exact = Counts(pairs, min(times), max(times), sum(times), overflow)
    return Piece(candidate, condition, begin_ns, end_ns - begin_ns, {"service": exact})


def _refuse_tags(path: Path, wanted: Wanted) -> None:
    if wanted.tags:
        raise SessionError(f"'{path}' is no HdrHistogram log and has no tags: leave --tag out.")


# -- ONNX Runtime's profile ---------------------------------------------------------------------------------


def _profile(path: Path, wanted: Wanted, wall_ns: int) -> Foreign:
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
    candidate, condition, _ = _Names(path, wanted).of("")
    pieces = _stretches(candidate, condition, ((start - first_ns, time) for start, time in inferences))
    notes = ["All runs of the profile count, the first ones after loading, too; profiling made each a little longer."]
    return Foreign("ONNX Runtime profile", wall_ns, pieces, notes)


def _us_as_ns(path: Path, event: dict[str, Any], name: str) -> int:
    value = event.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < _MOST_TIME_NS / 1000:
        raise SessionError(f"'{path}' cannot be imported: the {name} of a model_run is no time.")
    return round(value * 1000)
