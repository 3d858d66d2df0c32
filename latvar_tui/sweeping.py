"""A sweep on a probe: block by block as a plan says, whatever has been measured before."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress

from latvar_tui import wire
from latvar_tui.condition import Condition, parse_condition
from latvar_tui.study.board import Board
from latvar_tui.study.cell import Cell
from latvar_tui.study.conclusions import Pair
from latvar_tui.study.pieces import NotYet, once_and
from latvar_tui.study.plan import Block, Plan

THINKING_S = 0.003
"""In a gap; one pair more may be begun."""


class OnBoard:
    """What a board knows, as a plan asks for it."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self.elapsed_s = 0.0

    @property
    def rivals(self) -> Sequence[str]:
        return [one.id for one in self._board.rivals]

    @property
    def controls(self) -> Sequence[str]:
        return [one.id for one in self._board.contenders if not one.is_out and one.candidate.is_control]

    def pair(self, a: str, b: str, condition: Condition, quantile: float) -> Pair:
        return self._board.study.pair(a, b, condition, quantile)

    def is_settled(self, candidate: str, condition: Condition, quantile: float) -> bool:
        return self._board.study.is_settled(candidate, condition, quantile, self.rivals)

    def rounds(self, candidate: str, condition: Condition) -> int:
        cell = self._cell(candidate, condition)
        return 0 if cell is None else cell.slices

    def slice_s(self, candidate: str, condition: Condition) -> float | None:
        cell = self._cell(candidate, condition)
        return None if cell is None or not cell.slices else cell.wall_ns / cell.slices / 1e9

    def _cell(self, candidate: str, condition: Condition) -> Cell | None:
        found = next((one for one in self._board.contenders if one.id == candidate), None)
        return None if found is None else self._board.cell(found, condition)


class Sweep:
    """The course of a sweep, as :func:`latvar_tui.headless.measure` follows it.

    ``block`` is what is being measured, ``done`` how many of its rounds are complete. Time counts from the probe's
    first frame on, loading included.

    Args:
        patience_s: how long it may think, before it begins, of what has been measured before.
    """

    def __init__(self, board: Board, plan: Plan, patience_s: float = THINKING_S) -> None:
        self.plan, self.seen = plan, OnBoard(board)
        self._study, self._asked = board.study, board.study.mark
        self._think(patience_s)
        self.block: Block | None = plan.next(self.seen)
        self.done = 0
        self._round = -1
        self._in_round: set[str] = set()
        self._hello_ns: int | None = None
        self._loading_s: float | None = None
        self._told = False

    def __call__(self, frame: wire.Frame, elapsed_s: float) -> Sequence[wire.Command] | None:
        """What the probe is to change after this frame; None when the sweep is over."""
        match frame:
            case wire.Hello():
                self._hello_ns = frame.monotonic_ns
                return ()
            case wire.Slice():
                if self._loading_s is None:
                    begun_ns = frame.start_ns if self._hello_ns is None else self._hello_ns
                    self._loading_s = (frame.start_ns - begun_ns) / 1e9
                self.seen.elapsed_s = self._loading_s + elapsed_s
                self._count(frame)
                self._think(THINKING_S)
            case wire.State() if not self._told:
                self._told = True  # only now the probe has a line-up to choose from
                return self.commands()
            case wire.State():
                pass  # somebody may have gone
            case _:
                return ()
        if not self._is_over() or not (self.seen.rivals or self.seen.controls):
            return ()  # with nobody left, the probe itself says so
        self.block = self.plan.next(self.seen)
        self.done = 0
        self._in_round.clear()
        return None if self.block is None else self.commands()

    def _think(self, patience_s: float) -> None:
        """As long as a gap allows: whoever thought all at once would be slower than the probe waits for.

        To judge the first pair after a round the whole family is looked at, 60 ms with fourteen models under three
        levels: so that is done in pieces, too.
        """
        until_s = time.monotonic() + patience_s
        may_begin = once_and(lambda: time.monotonic() < until_s)
        with suppress(NotYet):
            while time.monotonic() < until_s:
                with self._study.in_pieces(may_begin, self._asked):
                    thought = self.plan.think(self.seen)
                self._asked = self._study.mark
                if not thought:
                    break

    def commands(self) -> Sequence[wire.Command]:
        """What the probe is to change for the present block."""
        if self.block is None:
            return ()
        return wire.SetCondition(str(self.block.condition)), wire.Only(candidates=self.block.candidates)

    def _count(self, frame: wire.Slice) -> None:
        block = self.block
        if block is None or parse_condition(frame.condition) != block.condition:
            return
        if frame.round != self._round:
            self._round = frame.round
            self._in_round.clear()
        self._in_round.add(frame.candidate)
        if self._in_round >= self._there(block):
            self.done += 1
            self._in_round.clear()

    def _is_over(self) -> bool:
        block = self.block
        return block is None or self.done >= block.rounds or not self._there(block)

    def _there(self, block: Block) -> set[str]:
        """Who of a block can still be measured."""
        return {*block.candidates} & {*self.seen.rivals, *self.seen.controls}
