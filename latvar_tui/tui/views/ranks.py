"""The ranking quantile from one stress level to the next, a line a candidate: where they cross, the order changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from rich.cells import cell_len
from textual.strip import Strip

from latvar_tui.condition import Condition
from latvar_tui.format import distinct, quantile_name
from latvar_tui.study.board import Board, Contender
from latvar_tui.study.conclusions import not_compared
from latvar_tui.study.quantiles import is_provisional
from latvar_tui.tui.board_panel import BoardPanel
from latvar_tui.tui.line_widget import Span, line
from latvar_tui.tui.palette import DIM, STRONG, WARNING, bar_styles, candidate_style
from latvar_tui.tui.scale import bounds_ns, row_of, step_above, step_below, upright_labels
from latvar_tui.tui.view import View
from latvar_tui.tui.views.answers import Answers
from latvar_tui.tui.views.canvas import DOTS_ACROSS, DOTS_DOWN, Canvas, straight, trace
from latvar_tui.tui.views.sentences import told, wrapped

GUTTER = 7
_NAME_MOST = 30


@dataclass(frozen=True)
class _Point:
    """One candidate at one level: the sign of its place among its rivals there, and whether its value stands."""

    value_ns: int
    sign: str
    solid: bool


class RanksPanel(BoardPanel):
    """Stress levels of one kind side by side, equally far from each other; beneath, what is claimed in words."""

    def __init__(
        self, board: Board, view: View, answers: Answers, *, ascii: bool = False, id: str | None = None
    ) -> None:
        super().__init__(board, view, ascii=ascii, id=id)
        self._answers = answers
        self._chart: tuple[object, list[Strip]] = None, []

    def draw(self, width: int, height: int) -> list[Strip]:
        board, view = self._board, self._view
        levels = self._levels()
        names = {contender.id: contender.name for contender in board.contenders}
        reversals = [
            each for each in self._answers.reversals(view.ranked_by) if {each.before, each.after} <= set(levels)
        ]
        said = [(text, WARNING) for text in told(reversals, names)]
        if not said:
            text = "No change of places is claimed at this quantile, so far."
            if why_not := not_compared(view.ranked_by):
                text = why_not
            elif len(levels) < 2:
                text = "One stress level so far: the next one stands beside it (→ adds a stress thread)."
            said = [(text, DIM)]
        told_lines = [line((text, style), width=width) for sentence, style in said for text in wrapped(sentence, width)]
        told_lines = told_lines[: max(2, height // 4)]
        rows = height - 2 - len(told_lines)
        if rows < 2:
            return [self._title(width), *told_lines][:height]
        turned = {frozenset((each.before, each.after)) for each in reversals}
        return [self._title(width), *self._drawn(levels, turned, width, rows), *told_lines]

    def _title(self, width: int) -> Strip:
        title = f" {quantile_name(self._view.ranked_by)} over stress, ms "
        all_placed = all(contender.is_rival for contender in self._board.contenders)
        none = "" if all_placed else f", {self._no_place}: none"
        place = "a digit: the place there"
        legends: tuple[str, ...] = (
            f"{place}, the same: not told apart{none} · dim: on fewer than ten ",
            f"{place}{none} · dim: on fewer than ten ",
            "a digit: the place ",
        )
        if not_compared(self._view.ranked_by):
            legends = ("dim: on fewer than ten ",)
        legend = next((each for each in legends if len(title) + len(each) <= width), "")
        return line((title, STRONG), " " * (width - len(title) - len(legend)), (legend, DIM), width=width)

    @property
    def _no_place(self) -> str:
        """Of who competes with nobody: a control, or one that has failed."""
        return "x" if self._ascii else "×"

    @property
    def _spot(self) -> str:
        """Where no place is known."""
        return "o" if self._ascii else "•"

    def _levels(self) -> list[Condition]:
        """Those of the present kind of stress, or when idle of the one beside; idle first."""
        board = self._board
        kind = board.condition
        if kind.is_idle:
            kind = self._view.beside(board) or kind
        alike = [each for each in board.conditions if _like(each, kind) or each == kind.without_stress()]
        return alike or [board.condition]

    # -- the chart ------------------------------------------------------------------------------------

    def _drawn(
        self, levels: Sequence[Condition], turned: set[frozenset[Condition]], width: int, rows: int
    ) -> list[Strip]:
        """The chart and its axis: ``rows`` + 1 lines."""
        board = self._board
        points = {contender.id: self._points(contender, levels) for contender in board.contenders}
        placed = self._placed(points, levels)
        low_ns, high_ns = self._bounds(placed)
        shown = tuple((contender.id, contender.name, contender.slot) for contender in board.contenders)
        selected = self._view.selected
        key = width, rows, levels, placed, low_ns, high_ns, shown, selected, board.condition, board.only, turned
        if self._chart[0] != key:
            self._chart = key, self._chart_of(levels, placed, (low_ns, high_ns), turned, width, rows)
        return self._chart[1]

    def _points(self, contender: Contender, levels: Sequence[Condition]) -> list[tuple[int, bool] | None]:
        found: list[tuple[int, bool] | None] = []
        for level in levels:
            cell = self._board.cell(contender, level)
            value_ns = cell.latency.quantile_ns(self._view.ranked_by) if cell is not None else None
            solid = cell is not None and not is_provisional(cell.latency, self._view.ranked_by)
            found.append(None if value_ns is None else (value_ns, solid))
        return found

    def _placed(
        self, points: dict[str, list[tuple[int, bool] | None]], levels: Sequence[Condition]
    ) -> dict[str, list[_Point | None]]:
        """With each one's place; a candidate that has none, or none yet, is a spot, and a control is crossed out."""
        rivals = [contender.id for contender in self._board.rivals]
        placed: dict[str, list[_Point | None]] = {name: [] for name in points}
        for at, level in enumerate(levels):
            places = self._answers.places(level, self._view.ranked_by, rivals)
            for name, each in points.items():
                sign = str(places[name] + 1) if name in places else self._spot if name in rivals else self._no_place
                found = each[at]
                placed[name].append(None if found is None else _Point(found[0], sign, found[1]))
        return placed

    def _bounds(self, placed: dict[str, list[_Point | None]]) -> tuple[float, float]:
        """Of what is drawn, in 1-2-5 steps: here lines must be told apart, and other views have the common scale."""
        values = [point.value_ns for points in placed.values() for point in points if point is not None]
        if not values:
            return bounds_ns(self._board)
        return step_below(min(values)), step_above(max(values))

    def _chart_of(
        self,
        levels: Sequence[Condition],
        placed: dict[str, list[_Point | None]],
        bounds: tuple[float, float],
        turned: set[frozenset[Condition]],
        width: int,
        rows: int,
    ) -> list[Strip]:
        contenders = self._board.contenders
        longest = max((cell_len(contender.name) for contender in contenders), default=0) + 3
        names_width = min(longest, _NAME_MOST, max(8, width // 3))
        columns = max(4, width - GUTTER - names_width)
        canvas = Canvas(columns, rows)
        places = (
            [1]
            if len(levels) == 1
            else [round(at * (columns - 3) / (len(levels) - 1)) + 1 for at in range(len(levels))]
        )
        for contender in sorted(contenders, key=self.is_selected):
            self._draw_line(canvas, contender, placed[contender.id], places, bounds)
        for contender in sorted(contenders, key=self.is_selected):
            for column, point in zip(places, placed[contender.id], strict=True):
                if point is not None:
                    row = row_of(point.value_ns, *bounds, rows)
                    style = candidate_style(contender.slot) + STRONG if point.solid else DIM
                    canvas.write(row, column, point.sign, style)
        names = self._names(placed, bounds, rows, names_width)
        labels = upright_labels(*bounds, rows)
        edge = "|" if self._ascii else "│"
        lines = [
            line((f"{label:>{GUTTER - 2}} {edge}", DIM), *spans, *name, width=width)
            for label, spans, name in zip(labels, canvas.spans(), names, strict=True)
        ]
        return [*lines, self._axis(levels, places, turned, columns, width)]

    def _draw_line(
        self,
        canvas: Canvas,
        contender: Contender,
        points: Sequence[_Point | None],
        places: Sequence[int],
        bounds: tuple[float, float],
    ) -> None:
        dot_rows = canvas.rows * DOTS_DOWN
        # From the middle of one digit to the middle of the next.
        ends = [
            None if point is None else (place * DOTS_ACROSS, row_of(point.value_ns, *bounds, dot_rows), point.solid)
            for place, point in zip(places, points, strict=True)
        ]
        for one, other in pairwise([end for end in ends if end is not None]):
            dots = trace(straight(one[0], one[1], other[0], other[1]), one[0])
            solid = one[2] and other[2]
            style = candidate_style(contender.slot) if solid else bar_styles(contender.slot).whole
            canvas.put(dots, style, ("*" if solid else ".") if self._ascii else "")

    def _names(
        self, placed: dict[str, list[_Point | None]], bounds: tuple[float, float], rows: int, room: int
    ) -> list[list[Span]]:
        """At the right, each at the height of its last point, or as near to it as there is a free row."""
        beside: list[list[Span]] = [[] for _ in range(rows)]
        contenders = self._board.contenders
        names = dict(
            zip(
                (contender.id for contender in contenders),
                distinct([contender.name for contender in contenders], room - 3),
                strict=True,
            )
        )
        ends = [(points[-1], each) for each in contenders if (points := placed[each.id]) and points[-1] is not None]
        for point, contender in sorted(ends, key=lambda end: -end[0].value_ns if end[0] else 0):
            assert point is not None
            wanted = row_of(point.value_ns, *bounds, rows)
            free = [row for row in range(rows) if not beside[row]]
            if free:
                row = min(free, key=lambda row: abs(row - wanted))
                beside[row] = [(self.marker(contender) + names[contender.id], self.name_style(contender))]
        return beside

    def _axis(
        self,
        levels: Sequence[Condition],
        places: Sequence[int],
        turned: set[frozenset[Condition]],
        columns: int,
        width: int,
    ) -> Strip:
        """The levels beneath their points, and a sign between two at which places change."""
        canvas = Canvas(columns, 1)
        present = self._board.condition
        taken = [False] * (columns + 2)  # a blank at each end
        # The present one first: where not all have room, it is there.
        for condition, column in sorted(zip(levels, places, strict=True), key=lambda each: each[0] != present):
            text = "idle" if condition.is_idle else str(condition.stress_threads)
            start = max(0, min(column - len(text) // 2, columns - len(text)))
            if not any(taken[start : start + len(text) + 2]):
                canvas.write(0, start, text, STRONG if condition == present else DIM)
                taken[start + 1 : start + 1 + len(text)] = [True] * len(text)
        for (one, a), (other, b) in pairwise(zip(levels, places, strict=True)):
            if frozenset((one, other)) in turned and not taken[(a + b) // 2 + 1]:
                canvas.write(0, (a + b) // 2, "x" if self._ascii else "⇄", WARNING)
        kind = levels[-1]
        what = "" if kind.is_idle else f" {kind.kind} threads" + (f" {kind.load_pct} %" if kind.load_pct < 100 else "")
        return line(" " * GUTTER, *next(iter(canvas.spans())), (what, DIM), width=width)


def _like(one: Condition, kind: Condition) -> bool:
    """Whether they differ in nothing but the number of threads."""
    return replace(one, stress_threads=1) == replace(kind, stress_threads=1) and not one.is_idle and not kind.is_idle
