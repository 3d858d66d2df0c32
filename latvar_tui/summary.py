"""The JSON document of ``record`` and its kin: schema ``latvar-tui/1``, every unit in its name."""

from __future__ import annotations

from typing import Any

from latvar_tui.condition import Condition
from latvar_tui.exemplars_report import slowest_as_json
from latvar_tui.format import plural, quantile_name
from latvar_tui.histogram import Histogram
from latvar_tui.study.board import Board, Contender
from latvar_tui.study.cell import Cell
from latvar_tui.study.conclusions import Reversal
from latvar_tui.study.quantiles import is_provisional
from latvar_tui.study.table import QUANTILES, slow_from_ns

SCHEMA = "latvar-tui/1"


def summary(board: Board, deadline_ns: int | None = None, ranked_by: float = 99.0) -> dict[str, Any]:
    """Everything measured, as the contract's document; with a deadline also how many inferences missed it.

    ``settled``: whether the cell is told from its rivals, or as good as, at the quantile ``ranked_by`` (percent); null
    for a control, and at a quantile that the study does not compare.
    """
    return {
        "schema": SCHEMA,
        "session": None,
        "device": dict(board.device),
        "cells": [
            _cell(contender, condition, cell, board, deadline_ns, ranked_by)
            for contender, condition, cell in board.cells()
        ],
        "reversals": [reversal_as_json(reversal) for reversal in board.study.reversals(QUANTILES)],
        "candidates": [_candidate(contender) for contender in board.contenders],
        "failed": [
            {"candidate": contender.id, "reason": contender.reason}
            for contender in board.contenders
            if contender.is_out
        ],
        "sensors": {
            name: reading.value if reading.reason is None else {"unavailable": reading.reason}
            for name, reading in board.sensors.items()
        },
        "notes": remarks(board),
    }


def reversal_as_json(reversal: Reversal) -> dict[str, Any]:
    """As the contract has it; ratios are ``b`` over ``a``: ``a`` wins under ``from``, and loses under ``to``."""
    return {
        "a": reversal.a,
        "b": reversal.b,
        "quantile": reversal.quantile,
        "from": str(reversal.before),
        "to": str(reversal.after),
        "ratio_from": reversal.ratio_before.value,
        "ratio_to": reversal.ratio_after.value,
        "ci95_from": [reversal.ratio_before.low, reversal.ratio_before.high],
        "ci95_to": [reversal.ratio_after.low, reversal.ratio_after.high],
    }


def _candidate(contender: Contender) -> dict[str, Any]:
    """What loading it took. ``cold_ms``: its first inferences, which are in no cell; ``warm_ms``: what followed."""
    return {
        "candidate": contender.id,
        "state": contender.state,
        "memory_mb": contender.memory_mb,
        "load_ms": contender.load_ms,
        "cold_ms": list(contender.cold_ms),
        "warm_ms": contender.warm_ms,
        "inputs": list(contender.inputs),
        "assumed": list(contender.assumed),
    }


def remarks(board: Board) -> list[str]:
    """What a reader of the numbers must know: who failed, what was noted, how often the screen was not waited for."""
    notes = list(dict.fromkeys(board.notes))
    ungated = sum(cell.ungated for _, _, cell in board.cells())
    disturbed = sum(cell.disturbed for _, _, cell in board.cells())
    for contender, condition, cell in board.cells():
        words = cell.saturation(condition)
        notes += [f"{contender.name} under {condition.title} is {words}."] if words else []
    if ungated:
        slices = sum(cell.slices for _, _, cell in board.cells())
        notes.append(f"{ungated} of {slices} slices began while the screen may still have been drawing.")
    if disturbed:
        notes.append(f"{plural(disturbed, 'inference')} ran while a key was answered.")
    return notes


def _cell(
    contender: Contender, condition: Condition, cell: Cell, board: Board, deadline_ns: int | None, ranked_by: float
) -> dict[str, Any]:
    at_rest = board.cell(contender, condition.without_stress())
    slow_from = slow_from_ns(cell.latency, at_rest.latency if at_rest else None)
    n = cell.latency.total
    missed = {} if deadline_ns is None or not n else {"miss_share": cell.latency.count_beyond(deadline_ns) / n}
    found = {
        "candidate": contender.id,
        "model": contender.candidate.model_name,
        "settings": contender.candidate.settings,
        "label": contender.candidate.label or None,
        "device": "local",
        "condition": str(condition),
        "stress_threads": condition.stress_threads,
        "stress_cores": {"unavailable": cell.stress_unavailable} if cell.stress_cores is None else cell.stress_cores,
        "n": cell.service.total,
        "slow_share": cell.latency.count_beyond(slow_from) / n if n else None,
        "slow_from_ms": slow_from / 1e6,
        "wait_share": cell.wait_share(board.now_ns),
        "slices": cell.slices,
        "settling": cell.settling,
        "dropped": cell.dropped,
        "disturbed": cell.disturbed,
        "ungated_slices": cell.ungated,
        "measured_share": cell.measured_share if contender.candidate.has_model else None,
        "marks": dict(cell.marks),
        "trend": _trend(cell),
        "settled": _is_settled(board, contender, condition, ranked_by),
        "memory_mb": contender.memory_mb,
        "service": _times(cell.service, cell.counted_ns)
        | ({} if cell.open_loop else _wait_at(cell) | _intervals(board, contender, condition)),
        "wait": {"unavailable": cell.wait_unavailable}
        if cell.wait_unavailable is not None
        else _times(cell.wait, cell.waited_ns),
        "counters": {
            name: {"unavailable": rate} if isinstance(rate, str) else rate
            for name, rate in cell.counters.rates().items()
        },
        "slowest": slowest_as_json(board, cell),
    }
    return missed | _open_loop(board, contender, condition, cell) | found


def _is_settled(board: Board, contender: Contender, condition: Condition, ranked_by: float) -> bool | None:
    if contender.candidate.is_control or ranked_by not in QUANTILES:
        return None
    rivals = [one.id for one in board.rivals]
    return board.study.is_settled(contender.id, condition, ranked_by, rivals)


def _intervals(board: Board, contender: Contender, condition: Condition) -> dict[str, Any]:
    """95 % intervals (ms) of the latencies' quantiles, and about how many seconds more it takes where there is none."""
    cell = board.cell(contender, condition)
    if cell is None or not cell.latency.total:
        return {}
    study, known, missing = board.study, {}, {}
    for quantile in QUANTILES:
        interval = study.interval(contender.id, condition, quantile)
        if interval is not None:
            known[_ms_name(quantile)] = [bound / 1e6 for bound in interval]
        elif (more_s := study.interval_more_s(contender.id, condition, quantile)) is not None:
            missing[f"{quantile_name(quantile).replace('.', '_')}_more_s"] = round(more_s, 1)
    return {"ci95": known, "ci95_more": missing}


def _open_loop(board: Board, contender: Contender, condition: Condition, cell: Cell) -> dict[str, Any]:
    """Response times, and how the schedule was kept; nothing in closed loop."""
    numbers, arrivals = cell.open_loop, condition.arrivals
    if numbers is None or arrivals is None:
        return {}
    return {
        "response": _times(numbers.response, numbers.response_ns)
        | _wait_at(cell)
        | _intervals(board, contender, condition),
        "open_loop": {
            "rate_per_s": arrivals.rate_hz,
            "poisson": arrivals.poisson,
            "offered": numbers.offered,
            "served": numbers.served,
            "unserved": numbers.unserved,
            "served_per_s": numbers.achieved_hz,
            "utilisation": numbers.utilisation(arrivals),
            "queue_mean": numbers.queue_mean,
            "queue_max": numbers.queue_max,
            "saturated": numbers.is_saturated(arrivals),
        },
    }


def _wait_at(cell: Cell) -> dict[str, Any]:
    """How much of each quantile was waiting, in ms, or why that is not known."""
    if not cell.latency.total:
        return {}
    waits_ns = [cell.waiting.at_quantile_ns(cell.latency, quantile) for quantile in QUANTILES]
    known = {
        _ms_name(quantile): wait / 1e6 for quantile, wait in zip(QUANTILES, waits_ns, strict=True) if wait is not None
    }
    return {"wait_at": known or {"unavailable": cell.wait_unavailable or "the probe does not tell how waits lie"}}


def _ms_name(quantile: float) -> str:
    return f"{quantile_name(quantile).replace('.', '_')}_ms"


def _trend(cell: Cell) -> dict[str, Any]:
    """The last third of the slices over the first, at each quantile; ``real``: beyond doubt."""
    found: dict[str, Any] = {}
    for quantile in QUANTILES:
        trend = cell.series.trend(quantile)
        if trend is None:
            return {"unavailable": f"it takes {cell.series.slices_needed} slices of this cell"}
        found[quantile_name(quantile).replace(".", "_")] = {
            "ratio": trend.ratio,
            "ci95": [trend.low, trend.high],
            "real": trend.real,
        }
    return found


def _times(histogram: Histogram, sum_ns: int) -> dict[str, Any]:
    if not histogram.total:
        return {"unavailable": "no inference was counted"}
    values = histogram.quantiles_ns(QUANTILES)
    names = [_ms_name(quantile) for quantile in QUANTILES]
    assert histogram.min_ns is not None and histogram.max_ns is not None
    return {
        "mean_ms": sum_ns / histogram.total / 1e6,
        "min_ms": histogram.min_ns / 1e6,
        **{name: value / 1e6 for name, value in zip(names, values, strict=True)},
        "max_ms": histogram.max_ns / 1e6,
        "overflow": histogram.overflow,
        "provisional": [
            name for name, quantile in zip(names, QUANTILES, strict=True) if is_provisional(histogram, quantile)
        ],
        "ci95": {},
    }
