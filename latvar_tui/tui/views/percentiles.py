"""The percentile curves: HdrHistogram's axis, on which every further nine has as much room; one line a candidate."""

from __future__ import annotations

from dataclasses import dataclass

from rich.cells import cell_len
from textual.strip import Strip

from latvar_tui.format import distinct, quantile_name
from latvar_tui.histogram import Histogram
from latvar_tui.study.board import Board, Contender
from latvar_tui.study.curve import TICKS, curve, place_of
from latvar_tui.tui.board_panel import BoardPanel
from latvar_tui.tui.line_widget import line
from latvar_tui.tui.palette import DIM, GHOST, STRONG, WARNING, bar_styles, candidate_style
from latvar_tui.tui.scale import bounds_ns, row_of, upright_labels
from latvar_tui.tui.view import View
from latvar_tui.tui.views.canvas import DOTS_ACROSS, DOTS_DOWN, Canvas, Dots, trace

GUTTER = 7
"""Labels of the upright axis, and a blank on either side."""

_NAME_MOST = 16


@dataclass(frozen=True)
class _Scale:
    low_ns: float
    high_ns: float
    columns: int
    rows: int

    def dots_of(self, values_ns: list[int], first: int) -> Dots:
        rows = self.rows * DOTS_DOWN
        return trace([row_of(value, self.low_ns, self.high_ns, rows) for value in values_ns], first)


@dataclass(frozen=True)
class _Line:
    """A candidate's curve on the canvas; ``end`` is the cell (row, column) of its last dot."""

    solid: Dots
    provisional: Dots
    end: tuple[int, int] | None


class PercentilesPanel(BoardPanel):
    """Works out again only the curve of the candidate whose slice it was."""

    def __init__(self, board: Board, view: View, *, ascii: bool = False, id: str | None = None) -> None:
        super().__init__(board, view, ascii=ascii, id=id)
        self._kept: dict[str, tuple[object, _Line]] = {}
        self._kept_ghost: tuple[object, _Line] = None, _Line({}, {}, None)

    def draw(self, width: int, height: int) -> list[Strip]:
        head = self._title(width)
        scale = _Scale(*bounds_ns(self._board), max(1, width - GUTTER), height - 2)
        if scale.rows < 1:
            return [head][:height]
        canvas = Canvas(scale.columns, scale.rows)
        self._draw_marks(canvas, scale)
        contenders = self._board.contenders
        lines = [(contender, self._line(contender, scale)) for contender in contenders]
        lines.sort(key=lambda each: self.is_selected(each[0]))  # the selected one on top
        for contender, drawn in lines:
            letter = "*" if self._ascii else ""
            canvas.put(drawn.provisional, bar_styles(contender.slot).whole, letter and ".")
            canvas.put(drawn.solid, candidate_style(contender.slot), letter)
        self._write_names(canvas, [(contender, drawn) for contender, drawn in reversed(lines)])
        labels = upright_labels(scale.low_ns, scale.high_ns, scale.rows)
        edge = "|" if self._ascii else "│"
        body = [
            line((f"{label:>{GUTTER - 2}} {edge}", DIM), *spans, width=width)
            for label, spans in zip(labels, canvas.spans(), strict=True)
        ]
        return [head, *body, line((" " * GUTTER + self._ticks(scale.columns), DIM), width=width)]

    def _title(self, width: int) -> Strip:
        view = self._view
        window = f", {view.window_s:.0f} s" if view.window_s is not None else ""
        text = f" percentile curves: {self._board.condition.title}{window}, ms"
        ghost = f"grey: {'base' if view.base else 'idle'} · " if self._ghost is not None else ""
        for legend in (f"{ghost}dim: on fewer than ten observations ", "dim: on fewer than ten ", ""):
            if len(text) + len(legend) + 2 <= width:
                return line((text, STRONG), " " * (width - len(text) - len(legend)), (legend, DIM))
        return line((text, STRONG), width=width)

    @property
    def _ghost(self) -> Histogram | None:
        """Of the selected one: what it was when idle, or in the base."""
        contenders = self._board.contenders
        ghost = self._view.ghost(self._board, contenders[self._view.selected].id) if contenders else None
        return ghost if ghost is not None and ghost.total else None

    def _line(self, contender: Contender, scale: _Scale) -> _Line:
        board, view = self._board, self._view
        cell = board.cell(contender, board.condition)
        # The window ends with its candidate's last slice, so that the others' slices do not move it.
        key = cell and cell.slices, cell and cell.ended_ns, board.condition, scale, view.window_s
        kept = self._kept.get(contender.id)
        if kept is None or kept[0] != key:
            histogram = None
            if cell is not None:
                histogram = cell.latency if view.window_s is None else cell.recent(cell.ended_ns, view.window_s)
            kept = self._kept[contender.id] = key, _line(histogram, scale)
        return kept[1]

    def _draw_marks(self, canvas: Canvas, scale: _Scale) -> None:
        """Behind the curves: the ranking quantile, the deadline, and the selected one when idle, or its base."""
        view = self._view
        upright, flat = ("|", "-") if self._ascii else ("┊", "╌")
        place = place_of(view.ranked_by)
        if place < 1:
            for row in range(scale.rows):
                canvas.write(row, int(place * scale.columns), upright, DIM)
        if view.deadline_ns is not None and scale.low_ns <= view.deadline_ns <= scale.high_ns:
            row = row_of(view.deadline_ns, scale.low_ns, scale.high_ns, scale.rows)
            canvas.write(row, 0, flat * scale.columns, WARNING)
        ghost = self._ghost
        if ghost is not None:
            key = id(ghost), ghost.total, self._board.study.epoch, scale
            if self._kept_ghost[0] != key:
                self._kept_ghost = key, _line(ghost, scale)
            drawn = self._kept_ghost[1]
            canvas.put({**drawn.provisional, **drawn.solid}, GHOST, "'" if self._ascii else "")

    def _write_names(self, canvas: Canvas, lines: list[tuple[Contender, _Line]]) -> None:
        """Each behind the end of its curve, or above it where there is no room."""
        names = dict(
            zip(
                (contender.id for contender in self._board.contenders),
                distinct([contender.name for contender in self._board.contenders], _NAME_MOST),
                strict=True,
            )
        )
        taken: set[int] = set()
        for contender, drawn in lines:
            if drawn.end is None:
                continue
            row, column = drawn.end
            name = names[contender.id]
            start = min(column + 2, canvas.columns - cell_len(name))
            beside = start > column
            # Above the line where it reaches under the name.
            rows = (row, row - 1, row + 1) if beside else (row - 1, row - 2, row + 1)
            free = next((near for near in rows if 0 <= near < canvas.rows and near not in taken), -1)
            if free >= 0 and start >= 0:
                canvas.write(free, start, name, candidate_style(contender.slot))
                taken.add(free)

    def _ticks(self, columns: int) -> str:
        cells = [" "] * columns
        for quantile in sorted(TICKS, key=lambda q: q == 0.0):  # the axis' beginning only where it fits
            label = quantile_name(quantile)
            start = max(0, min(round(place_of(quantile) * columns) - len(label) // 2, columns - len(label)))
            if all(cell == " " for cell in cells[max(0, start - 1) : start + len(label) + 1]):
                cells[start : start + len(label)] = label
        return "".join(cells)


def _line(histogram: Histogram | None, scale: _Scale) -> _Line:
    found = curve(histogram or Histogram(), scale.columns * DOTS_ACROSS)
    values = [int(value) for value in found.values_ns]
    if not values:
        return _Line({}, {}, None)
    solid = scale.dots_of(values[: found.solid], 0)
    # From the last solid one on, so that the two parts meet.
    first = max(0, found.solid - 1)
    provisional = scale.dots_of(values[first:], first) if found.solid < len(values) else {}
    end = row_of(values[-1], scale.low_ns, scale.high_ns, scale.rows), (len(values) - 1) // DOTS_ACROSS
    return _Line(solid, provisional, end)
