"""A session in other people's formats: HdrHistogram logs and percentile tables, CSV, JSON, Parquet.

Per cell: what a candidate's slices under one condition add up to. Per interval: each slice. CSV, JSON and Parquet are
in long form, a row for each quantity of each cell or slice, every column with its unit in its name.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from latvar_tui import wire
from latvar_tui.format import quantile_name
from latvar_tui.histogram import Histogram
from latvar_tui.session import hgrm, hlog
from latvar_tui.session.layout import LOGS, SessionError
from latvar_tui.session.parquet import parquet
from latvar_tui.session.reader import Session
from latvar_tui.study.board import Board
from latvar_tui.study.quantiles import PROVISIONAL_BEYOND

FORMATS = ("hlog", "hgrm", "csv", "json", "parquet")
CELL, INTERVAL = "cell", "interval"
PERS = (CELL, INTERVAL)

_QUANTILES = (50.0, 90.0, 95.0, 99.0, 99.9, 99.99)
_TITLES = {"service": "service times", "wait": "waits for a core", "response": "response times"}


@dataclass
class _Sum:
    """Histograms of one cell or slice, by quantity; times in ns. ``sums`` are exact."""

    candidate: str
    condition: str
    start_ns: int
    end_ns: int
    slices: int = 0
    histograms: dict[str, Histogram] = field(default_factory=dict)
    sums: dict[str, int] = field(default_factory=dict)

    def add(self, frame: wire.Slice) -> None:
        self.slices += 1
        self.end_ns = frame.end_ns
        for name in LOGS:
            counts: wire.Counts | None = getattr(frame, name)
            if counts is None or not counts.pairs:
                continue
            self.histograms.setdefault(name, Histogram()).add_counts(counts)
            self.sums[name] = self.sums.get(name, 0) + counts.sum_ns


@dataclass(frozen=True)
class Origin:
    """What is exported: its name, its device, and its beginning on the probe's clock and since 1970."""

    name: str
    device: object
    base_ns: int
    base_wall_ns: int


def exported(session: Session, form: str, per: str) -> Iterator[str | bytes]:
    """The export, in pieces.

    Raises:
        SessionError: as :meth:`Session.frames`; or there is no such export, or not here.
    """
    if form == "hgrm" and per == INTERVAL:
        raise SessionError("A percentile table sums up: export hgrm per cell, or another format per interval.")
    sums = _intervals(session) if per == INTERVAL else iter(_cells(session))
    device = session.about.get("device")
    return _pieces(Origin(str(session.folder), device, session.base_ns, session.base_wall_ns), form, per, sums)


def exported_board(board: Board, name: str, form: str) -> Iterator[str | bytes]:
    """The cells of a board, in pieces; those without an inference are left out. ``name`` is the session's."""
    hello = board.hello
    base_ns, base_wall_ns = (hello.monotonic_ns, hello.wall_ns) if hello is not None else (0, 0)
    origin = Origin(name, dict(board.device), base_ns, base_wall_ns)
    return _pieces(origin, form, CELL, _board_cells(board))


def _pieces(origin: Origin, form: str, per: str, sums: Iterator[_Sum]) -> Iterator[str | bytes]:
    if form == "hlog":
        yield from _hlog(origin, sums)
    elif form == "hgrm":
        yield from _hgrm(sums)
    elif form == "csv":
        yield from _csv(_rows(origin, sums))
    elif form == "parquet":
        yield from parquet(map(_flat, _rows(origin, sums)), _KINDS)
    else:
        yield from _json(origin, per, _rows(origin, sums))


def _intervals(session: Session) -> Iterator[_Sum]:
    for frame in session.frames():
        if isinstance(frame, wire.Slice):
            one = _Sum(frame.candidate, frame.condition, frame.start_ns, frame.end_ns)
            one.add(frame)
            yield one


def _cells(session: Session) -> list[_Sum]:
    """Those of the board: what it lets go of, as when a model's files have changed, is in no export either."""
    return session.shown(lambda board: list(_board_cells(board)))


def _board_cells(board: Board) -> Iterator[_Sum]:
    for contender, condition, cell in board.cells():
        one = _Sum(contender.id, str(condition), cell.began_ns, cell.ended_ns, cell.slices)
        found = [("service", cell.service, cell.counted_ns), ("wait", cell.wait, cell.waited_ns)]
        if cell.open_loop is not None:
            found.append(("response", cell.open_loop.response, cell.open_loop.response_ns))
        for name, histogram, sum_ns in found:
            if histogram.total:
                one.histograms[name], one.sums[name] = histogram, sum_ns
        if one.histograms:
            yield one


# -- HdrHistogram's own -------------------------------------------------------------------------------------


def _hlog(origin: Origin, sums: Iterator[_Sum]) -> Iterator[str]:
    """One log; waits and response times under tags of their own, with the quantity behind another |."""
    yield hlog.header(origin.base_wall_ns, "service times; waits and response times are tagged so").decode()
    tags = hlog.Tags()
    for one in sums:
        for name, histogram in one.histograms.items():
            condition = one.condition if name == "service" else f"{one.condition}|{name}"
            tag, start = tags.of(one.candidate, condition), hlog.stamp(one.start_ns, origin.base_ns)
            pairs = np.column_stack(histogram.sparse())
            yield hlog.line(tag, start, one.end_ns - one.start_ns, histogram.max_ns or 0, pairs).decode()


def _hgrm(sums: Iterator[_Sum]) -> Iterator[str]:
    """The tables behind each other, each under a comment that says whose it is."""
    for one in sums:
        for name, histogram in one.histograms.items():
            yield f"#[{one.candidate} under {one.condition}: {_TITLES[name]}, ms]\n"
            yield hgrm.table(histogram)
            yield "\n"


# -- long form ----------------------------------------------------------------------------------------------

_HEAD = ("candidate", "condition", "quantity", "start_s", "length_s", "slices", "n", "overflow")
_TIMES = ("mean_ms", "min_ms", *(f"{quantile_name(q).replace('.', '_')}_ms" for q in _QUANTILES), "max_ms")
COLUMNS = (*_HEAD, *_TIMES, "provisional")


_TEXTS, _INTEGERS = ("candidate", "condition", "quantity", "provisional"), ("slices", "n", "overflow")
_KINDS = {name: "string" if name in _TEXTS else "int64" if name in _INTEGERS else "float64" for name in COLUMNS}
"""Of Parquet's columns, pyarrow's type for each."""


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """Without lists in it."""
    return row | {"provisional": " ".join(row["provisional"])}


def _rows(origin: Origin, sums: Iterator[_Sum]) -> Iterator[dict[str, Any]]:
    for one in sums:
        for name, histogram in one.histograms.items():
            yield _row(origin, one, name, histogram)


def _row(origin: Origin, one: _Sum, name: str, histogram: Histogram) -> dict[str, Any]:
    assert histogram.min_ns is not None and histogram.max_ns is not None
    values = [one.sums[name] / histogram.total, histogram.min_ns, *histogram.quantiles_ns(_QUANTILES), histogram.max_ns]
    shaky = [
        column
        for column, quantile in zip(_TIMES[2:], _QUANTILES, strict=False)
        if histogram.beyond_quantile(quantile) < PROVISIONAL_BEYOND
    ]
    head = (
        one.candidate, one.condition, name, (one.start_ns - origin.base_ns) / 1e9,
        (one.end_ns - one.start_ns) / 1e9, one.slices, histogram.total, histogram.overflow,
    )  # fmt: skip
    times = {column: value / 1e6 for column, value in zip(_TIMES, values, strict=True)}
    return dict(zip(_HEAD, head, strict=True)) | times | {"provisional": shaky}


def _csv(rows: Iterator[dict[str, Any]]) -> Iterator[str]:
    yield _csv_line(COLUMNS)
    for row in rows:
        flat = _flat(row)
        yield _csv_line([flat[column] for column in COLUMNS])


def _csv_line(values: Sequence[Any]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(values)
    return buffer.getvalue()


def _json(origin: Origin, per: str, rows: Iterator[dict[str, Any]]) -> Iterator[str]:
    head = {"schema": "latvar-tui-export/1", "session": origin.name, "device": origin.device}
    yield json.dumps(head | {"per": per}, ensure_ascii=False)[:-1] + ', "rows": [\n'
    before = ""
    for row in rows:
        yield before + json.dumps(row, ensure_ascii=False)
        before = ",\n"
    yield "\n]}\n"
