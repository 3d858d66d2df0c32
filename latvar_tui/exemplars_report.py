"""A cell's slowest inferences as text and as JSON: when, what is known of each, and the likely cause."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from latvar_tui import wire
from latvar_tui.columns import fitting
from latvar_tui.condition import Condition
from latvar_tui.format import NOTHING, count, ms, plural, three_digits
from latvar_tui.study.board import Board, Contender
from latvar_tui.study.cell import Cell
from latvar_tui.study.exemplars import CAUSES, Exemplar, likely_cause

_CLOSED_LOOP = "closed loop: each begins when the one before has ended"


# -- when ------------------------------------------------------------------------------------------


def _since_start_s(board: Board, exemplar: Exemplar) -> float | None:
    return None if board.hello is None else (exemplar.start_ns - board.hello.monotonic_ns) / 1e9


def _wall_time(board: Board, at_ns: int) -> datetime | None:
    """The probe's clock as UTC, by what it said in its first frame."""
    if board.hello is None:
        return None
    wall_ns = board.hello.wall_ns + at_ns - board.hello.monotonic_ns
    return datetime.fromtimestamp(wall_ns / 1e9, UTC)


# -- as JSON ---------------------------------------------------------------------------------------


def slowest_as_json(board: Board, cell: Cell) -> list[dict[str, Any]]:
    """The slowest first. ``slice`` tells of the whole slice: of all its inferences, not of this one alone."""
    median_ns = cell.latency.quantile_ns(50.0) or 0
    return [_as_json(board, exemplar, median_ns) for exemplar in cell.exemplars.slowest]


def _as_json(board: Board, exemplar: Exemplar, median_ns: int) -> dict[str, Any]:
    within, wall_time = exemplar.within, _wall_time(board, exemplar.start_ns)
    return {
        "since_start_s": _since_start_s(board, exemplar),
        "wall_time": wall_time and wall_time.isoformat(timespec="milliseconds"),
        "service_ms": exemplar.service_ns / 1e6,
        "latency_ms": exemplar.latency_ns / 1e6,
        "over_median_ms": (exemplar.latency_ns - median_ns) / 1e6,
        "wait_ms": {"unavailable": within.wait_unavailable or "not told"}
        if exemplar.wait_ns is None
        else exemplar.wait_ns / 1e6,
        "queued_ms": exemplar.queued_ns / 1e6 if within.open_loop else {"unavailable": _CLOSED_LOOP},
        "woken_ms": exemplar.woken_ns / 1e6 if within.open_loop else {"unavailable": _CLOSED_LOOP},
        "into_slice_ms": exemplar.into_slice_ns / 1e6,
        "just_thawed": exemplar.is_just_thawed,
        "likely": likely_cause(exemplar, median_ns).word,
        "slice": {
            "wall_ms": (within.end_ns - within.start_ns) / 1e6,
            "disturbed": within.disturbed,
            "ungated": within.ungated,
            "marks": list(within.marks),
            "stress_cpu_ns": _reading_as_json(within.stress_cpu),
            "counters": {name: _reading_as_json(reading) for name, reading in within.counters.items()},
            "sensors": {name: _reading_as_json(reading) for name, reading in within.sensors.items()},
        },
    }


def _reading_as_json(reading: wire.Reading) -> float | dict[str, str]:
    return {"unavailable": reading.reason or "not told"} if reading.value is None else reading.value


# -- as text ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Column:
    """``width`` leaves a blank before the longest text; where room is scarce, a lower ``rank`` stays longer."""

    title: str
    width: int
    rank: int
    text: Callable[[Exemplar], str]


def _number(form: Callable[[float], str], reading: wire.Reading) -> str:
    return "n/a" if reading.value is None else form(reading.value)


def _cores(reading: wire.Reading, exemplar: Exemplar) -> str:
    """CPU time over the slice as a number of cores."""
    wall_ns = exemplar.within.end_ns - exemplar.within.start_ns
    return NOTHING if wall_ns <= 0 else _number(lambda cpu_ns: f"{cpu_ns / wall_ns:.2f}", reading)


def _whole(value: float) -> str:
    return count(round(value))


def _columns(board: Board, exemplars: Sequence[Exemplar], median_ns: int, condition: Condition) -> list[_Column]:
    """The columns that there is something to say in."""

    def at(exemplar: Exemplar) -> str:
        since_s = _since_start_s(board, exemplar)
        return NOTHING if since_s is None else f"{since_s:.1f}"

    columns = [
        _Column("at s", 8, 3, at),
        _Column("ms", 8, 0, lambda one: ms(one.latency_ns)),
        _Column("wait", 8, 2, lambda one: "n/a" if one.wait_ns is None else ms(one.wait_ns)),
        _Column("queued", 8, 2, lambda one: ms(one.queued_ns)),
        _Column("woken", 8, 2, lambda one: ms(one.woken_ns)),
        _Column("service", 9, 2, lambda one: ms(one.service_ns)),
        _Column("into", 7, 4, lambda one: ms(one.into_slice_ns)),
        _Column("likely", 13, 1, lambda one: likely_cause(one, median_ns).word),
        _Column("pool", 8, 5, lambda one: _number(ms, one.total("pool_wait_ns"))),
        _Column("switched", 10, 9, lambda one: _number(_whole, one.total("involuntary_switches"))),
        _Column("moved", 7, 7, lambda one: _number(_whole, one.total("migrations"))),
        _Column("stress", 8, 8, lambda one: _cores(one.within.stress_cpu, one)),
        _Column("others", 8, 6, lambda one: _cores(one.total("others_cpu_ns"), one)),
        _Column("MHz", 6, 10, lambda one: _number("{:.0f}".format, one.sensor("frequency_mhz"))),
        _Column("°C", 5, 11, lambda one: _number(three_digits, one.sensor("temperature_c"))),
    ]
    closed = not any(one.within.open_loop for one in exemplars)
    nothing = {"queued": closed, "woken": closed, "service": closed, "stress": condition.is_idle}
    return [column for column in columns if not nothing.get(column.title)]


_COLUMN_NOTES = {
    "at s": "at: seconds since the session began ({began})",
    "wait": "wait: ms ready to run, but without a core",
    "queued": "queued: ms from when it was due until the one before had ended",
    "woken": "woken: ms from there until its thread had begun",
    "service": "service: ms from its start to its end",
    "into": "into: ms from the thaw of its slice to its start",
    "pool": "pool: ms that the model's other threads waited for cores",
    "switched": "switched: how often the model's threads lost a core",
    "moved": "moved: how often they changed the core",
    "stress": "stress: cores that the stress threads got",
    "others": "others: cores that other programs got",
}
_OF_THE_SLICE = ("pool", "switched", "moved", "stress", "others", "MHz", "°C")


def slowest_as_text(board: Board, contender: Contender, condition: Condition, cells: int) -> list[str]:
    """A table that fits into ``cells`` columns, with what its columns and its causes mean.

    Times in ms. What does not fit is left out; JSON has everything.
    """
    cell = board.cell(contender, condition)
    slowest = [] if cell is None else cell.exemplars.slowest
    if cell is None or not slowest:
        return [contender.id, f"Nothing has been measured of it under {condition.title}."]
    median_ns = cell.latency.quantile_ns(50.0) or 0
    shown = fitting(_columns(board, slowest, median_ns, condition), cells)
    titles = [column.title for column in shown]
    lines = [
        contender.id,
        f"under {condition.title}: the slowest of {plural(cell.latency.total, 'inference')}, median {ms(median_ns)} ms",
        "",
        "".join(_cell(column, column.title) for column in shown),
        *("".join(_cell(column, column.text(one)) for column in shown) for one in slowest),
        "",
    ]
    words = {likely_cause(one, median_ns).word for one in slowest}
    lines += [f"{cause.word}: {cause.means}" for cause in CAUSES if cause.word in words]
    marks = sorted({mark for one in slowest for mark in one.within.marks})
    lines += [f"their slices are marked: {', '.join(marks)}"] if marks else []
    wall_time = _wall_time(board, board.hello.monotonic_ns) if board.hello is not None else None
    began = f"{wall_time:%Y-%m-%d %H:%M:%S} UTC" if wall_time is not None else "nobody said when"
    lines += ["", *(_COLUMN_NOTES[title].format(began=began) for title in titles if title in _COLUMN_NOTES)]
    totals = [title for title in titles if title in _OF_THE_SLICE]
    lines += [f"of the whole slice, not of the one inference: {', '.join(totals)}"] if totals else []
    return lines + _reasons(slowest, titles)


def _cell(column: _Column, text: str) -> str:
    return f"  {text}".ljust(column.width) if column.title == "likely" else text.rjust(column.width)


def _reasons(slowest: Sequence[Exemplar], titles: Sequence[str]) -> list[str]:
    """Why there is ``n/a``, each reason once."""
    readings: dict[str, Callable[[Exemplar], str | None]] = {
        "wait": lambda one: one.within.wait_unavailable if one.wait_ns is None else None,
        "pool": lambda one: one.total("pool_wait_ns").reason,
        "switched": lambda one: one.total("involuntary_switches").reason,
        "moved": lambda one: one.total("migrations").reason,
        "stress": lambda one: one.within.stress_cpu.reason,
        "others": lambda one: one.total("others_cpu_ns").reason,
        "MHz": lambda one: one.sensor("frequency_mhz").reason,
        "°C": lambda one: one.sensor("temperature_c").reason,
    }
    titles_by_reason: dict[str, list[str]] = {}
    for title, reason_of in readings.items():
        if title in titles:
            for reason in dict.fromkeys(filter(None, map(reason_of, slowest))):
                titles_by_reason.setdefault(reason, []).append(title)
    return [f"{', '.join(names)} n/a: {reason}" for reason, names in titles_by_reason.items()]
