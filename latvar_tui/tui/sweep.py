"""A sweep inside the screen: a plan's blocks one after another, until it is known who wins where, or it is paused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from latvar_tui import wire
from latvar_tui.condition import Condition
from latvar_tui.format import clock_time, plural
from latvar_tui.levels import DEFAULT_LEVELS
from latvar_tui.study.board import Board
from latvar_tui.study.plan import FLOOR, OPEN, SETTLED, WAITING, Goal, Plan
from latvar_tui.sweeping import Sweep

BUDGET_S = 290.0
"""As the command's."""

MARKS = {WAITING: "·", FLOOR: "○", OPEN: "◐", SETTLED: "●"}
ASCII_MARKS = {WAITING: ".", FLOOR: "o", OPEN: "?", SETTLED: "+"}


def levels(stressed: Condition, maximum: int) -> list[Condition]:
    """The conditions to go through: the usual numbers of threads, of the kind and load at hand, as far as allowed."""
    threads = [each for each in DEFAULT_LEVELS if each <= maximum]
    return [replace(stressed, stress_threads=each) for each in threads]


class ScreenSweep:
    """A :class:`latvar_tui.sweeping.Sweep` that can be paused. Its time is that of the slices, on the probe's clock."""

    def __init__(self, board: Board, conditions: Sequence[Condition], budget_s: float = BUDGET_S) -> None:
        self._board = board
        self._sweep = Sweep(board, Plan(conditions, Goal(budget_s), seed=board.now_ns))
        self.is_paused = False
        self.is_over = self._sweep.block is None
        self._elapsed_s, self._last_ns = 0.0, board.now_ns

    def begin(self) -> Sequence[wire.Command]:
        """What the probe is to change for the present block, at first or after a pause."""
        self.is_paused = False
        self._last_ns = self._board.now_ns
        return self._sweep.commands()

    def pause(self) -> Sequence[wire.Command]:
        """Measure all again, under the condition at hand."""
        self.is_paused = True
        return (wire.Only(),)

    def take(self, frame: wire.Frame) -> Sequence[wire.Command]:
        """Follow a slice that the board has taken, and say what is to change; at the end, that all are measured."""
        if self.is_paused or self.is_over or not isinstance(frame, wire.Slice):
            return ()
        self._elapsed_s += max(0, frame.end_ns - self._last_ns) / 1e9
        self._last_ns = frame.end_ns
        commands = self._sweep(frame, self._elapsed_s)
        if commands is None:
            self.is_over = True
            return (wire.Only(),)
        return commands

    # -- shown ----------------------------------------------------------------------------------------

    @property
    def line(self) -> str:
        """Where it is, in a line: what comes first may not be cut off."""
        plan, seen, block = self._sweep.plan, self._sweep.seen, self._sweep.block
        open_pairs = plan.open_pairs(seen)
        todo = f"{plural(open_pairs, 'pair')} open, about {_clock(plan.left_s(seen))} to go"
        if self.is_paused or block is None:
            return f"Sweep paused (x goes on): {todo}."
        names = {each.id: each.name for each in self._board.contenders}
        everybody = len(block.candidates) == len(names)
        who = "all" if everybody else ", ".join(names[each] for each in block.candidates if each in names)
        done = min(self._sweep.done + 1, block.rounds)
        return f"Sweep (x pauses): {todo}; {block.condition.title}, round {done} of {block.rounds}: {who}."

    @property
    def conditions(self) -> Sequence[Condition]:
        return self._sweep.plan.conditions

    def mark(self, candidate: str, condition: Condition, ascii: bool) -> str:
        """A sign of a cell: not begun, first rounds, not settled, settled; none if the plan does not hold it."""
        if condition not in self.conditions:
            return " "
        marks = ASCII_MARKS if ascii else MARKS
        return marks[self._sweep.plan.state(candidate, condition, self._sweep.seen)]


def _clock(seconds: float) -> str:
    return clock_time(round(seconds * 1e9))
