"""What a sweep shows while it runs: which cells are settled, what is measured, how much longer. On stderr."""

from __future__ import annotations

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from latvar_tui import wire
from latvar_tui.format import clock_time, printable
from latvar_tui.paper_table import column_title
from latvar_tui.study.board import Board
from latvar_tui.study.plan import FLOOR, OPEN, SETTLED, WAITING
from latvar_tui.sweeping import Sweep

_MARKS = {WAITING: ("·", "dim"), FLOOR: ("○", ""), OPEN: ("◐", "yellow"), SETTLED: ("●", "green")}
LEGEND = "○ first rounds  ◐ not settled  ● settled; the number is of rounds"


class SweepProgress:
    """Drawn in the gap: no thread of its own, which would draw in the middle of a slice."""

    def __init__(self, board: Board, sweep: Sweep, console: Console | None = None) -> None:
        self._board, self._sweep = board, sweep
        self._console = console or Console(stderr=True)
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._round, self._drawn_s = -1, -1.0

    def __enter__(self) -> SweepProgress:
        if self._console.is_terminal:
            self._live.start()
            self._live.update(Text("loading"), refresh=True)
        return self

    def __exit__(self, *exception: object) -> None:
        self._live.stop()

    def sliced(self, board: Board, frame: wire.Slice, elapsed_s: float) -> None:
        """Draw, with the first slice of a round, and no more than once a second: it takes some milliseconds."""
        del board
        if self._live.is_started and frame.round != self._round and elapsed_s >= self._drawn_s + 1:
            self._round, self._drawn_s = frame.round, elapsed_s
            self._live.update(self.picture(), refresh=True)

    def picture(self) -> RenderableType:
        return Group(self._bar(), self._cells(), Text(self._now(), no_wrap=True), Text(LEGEND, style="dim"))

    def _bar(self) -> Table:
        plan, seen = self._sweep.plan, self._sweep.seen
        left_s = plan.left_s(seen)
        line = Table.grid(padding=(0, 1))
        told = f"{_clock(seen.elapsed_s)}, about {_clock(left_s)} to go, at most {_clock(plan.goal.budget_s)} in all"
        line.add_row(ProgressBar(total=max(seen.elapsed_s + left_s, 1.0), completed=seen.elapsed_s, width=24), told)
        return line

    def _cells(self) -> Table:
        plan, seen = self._sweep.plan, self._sweep.seen
        table = Table(box=None, padding=(0, 1), pad_edge=False)
        table.add_column("")
        for condition in plan.conditions:
            table.add_column(column_title(condition), justify="right", no_wrap=True)
        for contender in self._board.contenders:
            row = [Text(printable(contender.name), no_wrap=True)]
            for condition in plan.conditions:
                if contender.is_out:
                    row.append(Text(contender.state, "red"))
                    continue
                mark, style = _MARKS[plan.state(contender.id, condition, seen)]
                rounds = seen.rounds(contender.id, condition)
                row.append(Text(f"{mark} {rounds or ''}".rstrip(), style))
            table.add_row(*row)
        return table

    def _now(self) -> str:
        block = self._sweep.block
        if block is None:
            return ""
        names = {one.id: one.name for one in self._board.contenders}
        who = "all" if len(block.candidates) == len(names) else ", ".join(names[one] for one in block.candidates)
        done = min(self._sweep.done + 1, block.rounds)
        return printable(f"now {column_title(block.condition)}: round {done} of {block.rounds}, {who}")


def _clock(seconds: float) -> str:
    return clock_time(round(seconds * 1e9))
