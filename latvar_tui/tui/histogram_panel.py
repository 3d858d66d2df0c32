"""The live histograms: one panel a candidate over one shared time axis, so that shapes compare."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from rich.cells import cell_len
from textual.strip import Strip

from latvar_tui.axis import Axis
from latvar_tui.condition import Condition
from latvar_tui.format import NOTHING, count, ms, plural, quantile_name, three_digits
from latvar_tui.histogram import Histogram
from latvar_tui.study.board import Board, Contender
from latvar_tui.study.cell import Cell
from latvar_tui.study.quantiles import is_provisional
from latvar_tui.tui.bars import axis_ticks, histogram_rows, log_count_heights
from latvar_tui.tui.board_panel import BoardPanel, names_that_differ
from latvar_tui.tui.cells import Cells
from latvar_tui.tui.line_widget import Span, line
from latvar_tui.tui.linear_axis import linear_end_ns, linear_ticks
from latvar_tui.tui.palette import DIM, WAITING, WARNING, bar_styles
from latvar_tui.tui.scale import DEFAULT_NS, bounds_ns
from latvar_tui.tui.view import View

SHAPE_RECENT_S = 5.0
"""The bright shape: slices that ended within so many seconds before the candidate's last one did.

Not before now: a panel is drawn anew with its candidate's slices alone, and shows what it would show if drawn later.
"""

_Bars = tuple[Span | Cells, ...]
"""What stands in a row beside the label."""

GUTTER = 24
GUTTER_FROM = 70  # columns of screen from which the names stand beside the bars instead of above


@dataclass(frozen=True)
class Frame:
    """Where the panels go: ``rows`` of each one shown, bars ``columns`` wide behind a gutter (0: name above)."""

    rows: tuple[int, ...]
    columns: int
    gutter: int
    shown: range

    @classmethod
    def of(cls, width: int, height: int, panels: int, selected: int) -> Frame:
        """Share ``height`` among the panels and the axis; what does not fit scrolls with the selection."""
        gutter = GUTTER if width >= GUTTER_FROM else 0
        least = 1 if gutter else 2
        room = max(least, height - 1)
        fitting = min(panels, max(1, room // least))
        if not fitting:
            return cls((), max(1, width - gutter), gutter, range(0))
        first = max(0, min(selected - fitting // 2, panels - fitting))
        each, over = divmod(room, fitting)
        rows = tuple(each + (place < over) for place in range(fitting))
        return cls(rows, max(1, width - gutter), gutter, range(first, first + fitting))


class HistogramPanel(BoardPanel):
    """Draws only what a frame changed: the panel of the candidate whose slice it was."""

    def __init__(self, board: Board, view: View, *, ascii: bool = False, id: str | None = None) -> None:
        super().__init__(board, view, ascii=ascii, id=id)
        self._axis = Axis(*DEFAULT_NS, 80)
        self._kept: dict[str, tuple[object, list[Strip]]] = {}
        self._kept_rows: dict[tuple[str, int], tuple[object, Strip]] = {}

    def draw(self, width: int, height: int) -> list[Strip]:
        board = self._board
        frame = Frame.of(width, height, len(board.contenders), self._view.selected)
        self._axis = self._fitting_axis(frame.columns)
        lines: list[Strip] = []
        for place, rows in zip(frame.shown, frame.rows, strict=True):
            lines += self._panel(board.contenders[place], frame, rows)
        axis = self._axis
        ticks = (
            axis_ticks(axis.low_ns, axis.high_ns, frame.columns) if axis.log
            else linear_ticks(axis.high_ns, frame.columns, beyond=self._is_anything_beyond(axis))
        )  # fmt: skip
        lines.append(line((" " * frame.gutter + ticks, DIM)))
        return lines

    def _fitting_axis(self, columns: int) -> Axis:
        """One axis for all candidates and conditions; it grows in 1-2-5 steps, and shrinks with cleared counts only."""
        low, high = bounds_ns(self._board)
        if self._view.linear:
            low, high = 0.0, linear_end_ns(self._board, high)
        wanted = Axis(low, high, columns, log=not self._view.linear)
        return self._axis if wanted == self._axis else wanted

    def _is_anything_beyond(self, axis: Axis) -> bool:
        return any(
            cell.latency.total and (cell.latency.max_ns or 0) > axis.high_ns for _, _, cell in self._board.cells()
        )

    def _panel(self, contender: Contender, frame: Frame, rows: int) -> list[Strip]:
        board, view = self._board, self._view
        cell = board.cell(contender, board.condition)
        ghost = view.ghost(board, contender.id)
        key = (
            cell and cell.slices,
            board.study.epoch,
            board.condition,
            self._axis,
            frame,
            rows,
            contender.name,
            contender.state,
            contender.memory_mb,
            view.window_s,
            self.is_selected(contender),
            board.only,
            view.ranked_by,
            view.base_condition,
            ghost and ghost.total,
        )
        kept = self._kept.get(contender.id)
        if kept is not None and kept[0] == key:
            return kept[1]
        lines = self._draw_panel(contender, cell, ghost, frame, rows)
        self._kept[contender.id] = key, lines
        return lines

    def _draw_panel(
        self, contender: Contender, cell: Cell | None, ghost: Histogram | None, frame: Frame, rows: int
    ) -> list[Strip]:
        label = self._label(contender, cell, rows)
        rows -= 0 if frame.gutter else 1
        marks = rows >= 4 and frame.columns >= 30
        bars: list[_Bars]
        if cell is None or not cell.latency.total:
            bars = [(_state_text(contender, self._board.condition),), *[()] * (rows - 1)]
        else:
            bars = [*self._bars(contender, cell, ghost, rows - marks), *([self._mark_row(cell)] if marks else [])]
        above: list[Strip] = []
        if not frame.gutter:
            texts = [span if isinstance(span, str) else span[0] for row in label[1:3] for span in row]
            numbers = " ".join(text.removesuffix(" ms").strip() for text in texts)
            above = [line(*label[0], ("  " + " ".join(numbers.split()), DIM))]
            label = []
        beside = [*map(tuple, label), *[()] * len(bars)]
        return above + [self._row(contender, y, beside[y], frame.gutter, row) for y, row in enumerate(bars)]

    def _row(self, contender: Contender, y: int, beside: tuple[Span, ...], gutter: int, bars: _Bars) -> Strip:
        """A panel's row; the same one as before if nothing in it has changed."""
        key = bars, beside, gutter
        kept = self._kept_rows.get((contender.id, y))
        if kept is None or kept[0] != key:
            used = sum(cell_len(span if isinstance(span, str) else span[0]) for span in beside)
            kept = self._kept_rows[contender.id, y] = key, line(*beside, " " * max(0, gutter - used), *bars)
        return kept[1]

    def _label(self, contender: Contender, cell: Cell | None, rows: int) -> list[list[Span]]:
        """What stands beside the bars, the more telling first; how much of the quantile waited where there is room."""
        contenders = self._board.contenders
        name = names_that_differ(tuple(other.name for other in contenders), GUTTER - 4)[contenders.index(contender)]
        label: list[list[Span]] = [[(self.marker(contender) + name, self.name_style(contender))]]
        histogram = cell.latency if cell is not None else None
        for quantile in dict.fromkeys((50.0, self._view.ranked_by)):
            label.append([_quantile_text(histogram, quantile)])
        # The table may be of the last seconds only; the bars, and what stands beside them, are of all.
        of_all = ", all" if self._view.window_s is not None else ""
        label.append([(f"   n {count(histogram.total)}{of_all}" if histogram else "", DIM)])
        if contender.state in ("loading", "unloaded"):
            label.append([(f"   {contender.state}", DIM)])
        elif cell is not None and cell.saturation(self._board.condition):
            label.append([("   saturated", WARNING)])
        elif contender.cold_ms and contender.warm_ms is not None:
            cold, warm = three_digits(contender.cold_ms[0]), three_digits(contender.warm_ms)
            label.append([(f"   cold {cold} → {warm} ms", DIM)])
        if contender.memory_mb is not None:
            threads = plural(contender.candidate.threads, "thread")
            label.append([(f"   {contender.memory_mb:.0f} MB, {threads}", DIM)])
        waited_ns = cell.waiting.at_quantile_ns(cell.latency, self._view.ranked_by) if cell is not None else None
        if waited_ns is not None and rows > 5:
            # Below the ranking quantile's line, which is the second or, where it is the median, the first.
            at = 2 if self._view.ranked_by == 50.0 else 3
            unsure = "~" if cell is not None and is_provisional(cell.latency, self._view.ranked_by) else ""
            label.insert(at, [(f"     wait {unsure + ms(waited_ns):>6} ms", DIM)])
        return label

    def _bars(self, contender: Contender, cell: Cell, ghost: Histogram | None, rows: int) -> list[_Bars]:
        floor, axis = 1 / (8 * rows), self._axis
        drawn = histogram_rows(
            log_count_heights(cell.latency.bars(axis), floor),
            log_count_heights(cell.recent_bars(cell.ended_ns, SHAPE_RECENT_S, axis), floor),
            None if ghost is None or not ghost.total else log_count_heights(ghost.bars(axis), floor),
            rows,
            styles=bar_styles(contender.slot),
            ascii=self._ascii,
            half_rows=True,
        )
        return [(row,) for row in drawn]

    def _mark_row(self, cell: Cell) -> tuple[Span, ...]:
        """The base line with the median, the ranking quantile and the deadline marked on it.

        It is heavy under the inferences that mostly waited for a core, and thin under those that mostly ran: one row in
        two tones, for a second tone within the bars would change the style in every column of every row.
        """
        base, heavy, mark, late = ("-", "=", "^", "|") if self._ascii else ("─", "━", "┴", "│")
        axis, deadline_ns = self._axis, self._view.deadline_ns
        cells = [heavy if waited else base for waited in cell.waiting.mostly(cell.latency, axis).tolist()]
        if deadline_ns is not None and axis.low_ns <= deadline_ns <= axis.high_ns:
            cells[axis.column_of(deadline_ns)] = late  # first: a label may cover it, and the column's title tells
        marked = {}
        for quantile in dict.fromkeys((self._view.ranked_by, 50.0)):
            value_ns = cell.latency.quantile_ns(quantile)
            assert value_ns is not None
            marked[quantile] = axis.column_of(value_ns)
        free = [True] * len(cells)
        for at in marked.values():
            cells[at], free[at] = mark, False
        for quantile, at in marked.items():  # the ranking one first: where there is no room for both, the median's goes
            name = quantile_name(quantile)
            for start in (at + 1, at - len(name)):
                there = slice(start, start + len(name))
                if start >= 0 and sum(free[there]) == len(name):
                    cells[there], free[there] = name, [False] * len(name)
                    break
        return tuple(("".join(run), WAITING if waits else DIM) for waits, run in groupby(cells, heavy.__eq__))


def _quantile_text(histogram: Histogram | None, quantile: float) -> Span:
    value_ns = None if histogram is None else histogram.quantile_ns(quantile)
    if histogram is None or value_ns is None:
        return (f"   {quantile_name(quantile):<5} {NOTHING:>7}", DIM)
    if is_provisional(histogram, quantile):
        return (f"   {quantile_name(quantile):<5} {'~' + ms(value_ns):>7} ms", DIM)
    return f"   {quantile_name(quantile):<5} {ms(value_ns):>7} ms"


def _state_text(contender: Contender, condition: Condition) -> Span:
    if contender.state in ("loading", "unloaded"):
        return (contender.state, DIM)
    if contender.is_out:
        return (f"{contender.state} (enter tells all): {contender.reason}", WARNING)
    return (f"waiting for its first slice under {condition}", DIM)
