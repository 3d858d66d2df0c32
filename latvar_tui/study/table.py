"""The side-by-side table: numbers only, one row a candidate under one condition."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from latvar_tui.condition import Condition
from latvar_tui.histogram import Histogram
from latvar_tui.study.board import Board, Contender
from latvar_tui.study.cell import Cell
from latvar_tui.study.open_loop import OpenLoop
from latvar_tui.study.quantiles import is_provisional
from latvar_tui.study.waiting import Waiting

QUANTILES = (50.0, 90.0, 95.0, 99.0, 99.9)
"""The table's quantiles, in percent."""


@dataclass(frozen=True)
class Ratio:
    """One quantile over another; ``provisional`` if either rests on too few observations for a claim."""

    value: float
    provisional: bool


@dataclass(frozen=True)
class Row:
    """One candidate's numbers; None where there are none. Times in ns; in open loop they are response times.

    ``wait_share`` is the part of the times in which the calling thread was ready but had no core (None where that is
    not told), ``slow_share`` the part of the inferences that took longer than :func:`slow_from_ns`, ``miss_share``
    the part that took longer than the deadline. ``tail_wait_ns`` is how much of the ranking quantile was waiting (None
    likewise), provisional if ``tail_wait_provisional``. ``to_best`` is the ranking quantile's ratio to the smallest
    one among the rows, ``to_idle`` its ratio to the same candidate's under no stress, ``to_base`` to the kept base.
    """

    contender: Contender
    condition: Condition
    n: int = 0
    quantiles_ns: tuple[int | None, ...] = (None,) * len(QUANTILES)
    provisional: tuple[bool, ...] = (True,) * len(QUANTILES)
    max_ns: int | None = None
    wait_share: float | None = None
    slow_share: float | None = None
    miss_share: float | None = None
    tail_wait_ns: float | None = None
    tail_wait_provisional: bool = True
    to_best: Ratio | None = None
    to_idle: Ratio | None = None
    to_base: Ratio | None = None
    open_loop: OpenLoop | None = None


KeptRows = dict[tuple[str, Condition], tuple[object, Row]]
"""Rows by candidate and condition, each with what it was worked out from; to be let go of when counts are cleared."""


def table(
    board: Board,
    condition: Condition,
    ranked_by: float = 99.0,
    window_s: float | None = None,
    base: Mapping[str, Histogram] | None = None,
    deadline_ns: int | None = None,
    kept: KeptRows | None = None,
) -> list[Row]:
    """One row for every candidate of the line-up, in its order.

    Args:
        ranked_by: the quantile that ratios compare, in percent.
        window_s: only the slices of the last so many seconds; None for all.
        base: histograms by candidate to compare with.
        deadline_ns: how long an inference may take.
        kept: rows of before, to be brought up to date: between two frames mostly one candidate has had a slice.
    """
    kept = {} if kept is None else kept
    measured: dict[str, Histogram] = {}
    for contender in board.contenders:
        cell = board.cell(contender, condition)
        if cell is not None:
            histogram = cell.latency if window_s is None else cell.recent(board.now_ns, window_s)
            if histogram.total:
                measured[contender.id] = histogram
    best = _best(board, measured, ranked_by)
    at_rest_under = condition.without_stress()
    rows = []
    for contender in board.contenders:
        own = measured.get(contender.id)
        if own is None:
            rows.append(Row(contender, condition))
            continue
        cell, at_rest = board.cell(contender, condition), board.cell(contender, at_rest_under)
        rest, beside = at_rest.latency if at_rest else None, base.get(contender.id) if base else None
        assert cell is not None
        made_from = own, cell.slices, rest, rest and rest.total, beside, ranked_by, deadline_ns
        known = kept.get((contender.id, condition))
        if known is not None and known[0] == made_from and known[1].contender is contender:
            row = known[1]
        else:
            row = replace(
                _row(contender, condition, own, rest, beside, ranked_by, deadline_ns),
                wait_share=cell.wait_share(board.now_ns, window_s),
                tail_wait_ns=_waiting(cell, board.now_ns, window_s).at_quantile_ns(own, ranked_by),
                open_loop=_open_loop(cell, board.now_ns, window_s),
            )
        to_best = None if contender.candidate.is_control else _ratio(own, best, ranked_by)
        if to_best != row.to_best:
            row = replace(row, to_best=to_best)
        kept[contender.id, condition] = made_from, row
        rows.append(row)
    return rows


def _row(
    contender: Contender,
    condition: Condition,
    own: Histogram,
    at_rest: Histogram | None,
    base: Histogram | None,
    ranked_by: float,
    deadline_ns: int | None,
) -> Row:
    """What the histograms tell: a candidate's ``own``, that ``at_rest`` (without stress) and the ``base``."""
    return Row(
        contender,
        condition,
        own.total,
        tuple(own.quantiles_ns(QUANTILES)),
        tuple(is_provisional(own, q) for q in QUANTILES),
        own.max_ns,
        slow_share=own.count_beyond(slow_from_ns(own, at_rest)) / own.total,
        miss_share=None if deadline_ns is None else own.count_beyond(deadline_ns) / own.total,
        tail_wait_provisional=is_provisional(own, ranked_by),
        to_idle=None if condition.is_idle else _ratio(own, at_rest, ranked_by),
        to_base=_ratio(own, base, ranked_by),
    )


def _waiting(cell: Cell, now_ns: int, window_s: float | None) -> Waiting:
    return cell.waiting if window_s is None else cell.recent_waiting(now_ns, window_s)


def _open_loop(cell: Cell, now_ns: int, window_s: float | None) -> OpenLoop | None:
    return cell.open_loop if window_s is None else cell.recent_open_loop(now_ns, window_s)


def slow_from_ns(own: Histogram, idle: Histogram | None) -> int:
    """From where an inference counts as slow: twice the idle median, or without one twice the own tenth percentile.

    Under contention times have two humps, preempted or not, and a median between them jumps from minute to minute,
    while the share in the slow hump holds still.
    """
    if idle is not None and idle.total:
        return 2 * (idle.quantile_ns(50.0) or 0)
    return 2 * (own.quantile_ns(10.0) or 0)


def _best(board: Board, measured: Mapping[str, Histogram], quantile: float) -> Histogram | None:
    """The smallest at ``quantile`` of those that have not failed: a rival that is gone is none, nor is a control."""
    gone = {contender.id for contender in board.contenders if not contender.is_rival}
    running = [histogram for name, histogram in measured.items() if name not in gone]
    return min(running, key=lambda histogram: histogram.quantile_ns(quantile) or 0, default=None)


def _ratio(own: Histogram, other: Histogram | None, quantile: float) -> Ratio | None:
    mine, its = own.quantile_ns(quantile), other.quantile_ns(quantile) if other is not None else None
    if other is None or not mine or not its:
        return None
    return Ratio(mine / its, is_provisional(own, quantile) or is_provisional(other, quantile))
