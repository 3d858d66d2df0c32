"""Whom a candidate is compared with when nobody else is named."""

from __future__ import annotations

from latvar_tui.study.board import Board, Contender


def fastest_other(board: Board, own: Contender, quantile: float) -> Contender | None:
    """The other candidate with the smallest quantile (percent) under the present condition.

    One that has failed or is a control comes only where there is no other; without times the line-up's order decides.
    """

    def order(other: Contender) -> tuple[bool, float]:
        cell = board.cell(other, board.condition)
        value_ns = cell.latency.quantile_ns(quantile) if cell is not None else None
        return not other.is_rival, float("inf") if value_ns is None else value_ns

    return min((other for other in board.contenders if other is not own), key=order, default=None)
