"""The side-by-side tables: the present condition's, and where there is room another's below it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from rich.cells import cell_len, set_cell_size
from textual.strip import Strip

from latvar_tui.columns import Column, all_columns, fitting
from latvar_tui.condition import Condition
from latvar_tui.format import quantile_name
from latvar_tui.study.board import Board
from latvar_tui.study.cell import RECENT_S
from latvar_tui.study.table import KeptRows, Row, table
from latvar_tui.tui.board_panel import BoardPanel, names_that_differ
from latvar_tui.tui.line_widget import Span, line
from latvar_tui.tui.palette import DIM, STRONG, WARNING
from latvar_tui.tui.view import View

_NAME_MOST = 26
_ROOMY = 100
_HINT_IDLE = " → adds a stress thread; these numbers then stand here, to compare"
_HINT_STRESSED = " 0 ends the stress; these numbers then stand here, to compare"


class TablePanel(BoardPanel):
    """One row a candidate; a title row says which condition the numbers are of.

    Where stress can be added, it is hinted at as long as there is one condition only.
    """

    def __init__(
        self, board: Board, view: View, *, ascii: bool = False, can_stress: bool = True, id: str | None = None
    ) -> None:
        super().__init__(board, view, ascii=ascii, id=id)
        self._can_stress = can_stress
        self._beside: tuple[object, list[Strip]] = None, []
        self._rows: KeptRows = {}
        self._kept: dict[tuple[str, Condition], tuple[object, Strip]] = {}
        self._epoch = board.study.epoch

    @property
    def one_table_rows(self) -> int:
        """Lines of one table: title (with the column names) and rows."""
        return 1 + len(self._board.contenders)

    @property
    def is_one(self) -> bool:
        """Whether there is room for one table only: what is leafed to takes the present one's place."""
        return bool(self.display) and self.size.height < 2 * self.one_table_rows

    def draw(self, width: int, height: int) -> list[Strip]:
        board, view = self._board, self._view
        beside = view.beside(board)
        if height >= 2 * self.one_table_rows:
            lines = self._table(board.condition, width, view.window_s)
            hint = _HINT_IDLE if board.condition.is_idle else _HINT_STRESSED
            hint = hint if self._can_stress else ""
            lines += [line((hint, DIM), width=width)] if beside is None else self._table_beside(beside, width)
        else:
            leaf = view.leafed_to(board)
            head, *rows = self._table(leaf or board.condition, width, None if leaf else view.window_s, is_one=True)
            first = max(0, min(view.selected - (height - 1) // 2, len(rows) - (height - 1)))
            lines = [head, *rows[first : first + height - 1]]
        return lines

    def _table_beside(self, condition: Condition, width: int) -> list[Strip]:
        """The other condition's table: nothing is measured under it now, so it is seldom drawn anew.

        But under stress it compares with the idle times, which may be the ones that are measured now.
        """
        view = self._view
        key = (
            condition,
            width,
            view.ranked_by,
            view.selected,
            view.base_condition,
            self._board.study.epoch,
            self._board.slices_of(condition),
            self._board.slices_of(condition.without_stress()),
            tuple((contender.name, contender.state) for contender in self._board.contenders),
            self._board.only,
        )
        if self._beside[0] != key:
            self._beside = key, self._table(condition, width, None)
        return self._beside[1]

    def _table(self, condition: Condition, width: int, window_s: float | None, *, is_one: bool = False) -> list[Strip]:
        board, view = self._board, self._view
        if self._epoch != board.study.epoch:  # counts were cleared: what is kept holds on to their histograms
            self._epoch = board.study.epoch
            self._rows.clear()
            self._kept.clear()
        rows = table(board, condition, view.ranked_by, window_s, view.base, view.deadline_ns, self._rows)
        title = _title(condition, board.condition, window_s, is_one=is_one)
        name_width = _NAME_MOST
        if width < _ROOMY:  # elsewhere the columns stay where they are, whatever the title says
            longest = max(cell_len(title), *(cell_len(row.contender.name) + 3 for row in rows))
            name_width = min(longest, _NAME_MOST, width // 2)
        about = view.deadline_ns, bool(view.base), view.ranked_by, condition.is_open_loop
        shown = _columns(*about, width - name_width)
        head: list[Span] = [(set_cell_size(title, name_width), STRONG)]
        for column in shown:
            ranked = column.title == quantile_name(view.ranked_by)
            title = column.title_at(quantile_name(view.ranked_by))
            head.append((title.rjust(column.width), STRONG if ranked else DIM))
        lines = [line(*head, width=width)]
        names = names_that_differ(tuple(row.contender.name for row in rows), name_width - 3)
        for row, name in zip(rows, names, strict=True):
            lines.append(self._kept_row(row, set_cell_size(name, name_width - 3), shown, width))
        return lines

    def _kept_row(self, row: Row, name: str, columns: Sequence[Column], width: int) -> Strip:
        """One candidate has had a slice; the other rows are mostly what they were."""
        contender = row.contender
        key = row, name, columns, width, contender.state, contender.reason, self.marker(contender), self._board.only
        kept = self._kept.get((contender.id, row.condition))
        # How it goes in open loop is not a number but an object that counts on.
        if kept is None or kept[0] != key or row.open_loop is not None:
            kept = self._kept[contender.id, row.condition] = key, self._row(row, name, columns, width)
        return kept[1]

    def _row(self, row: Row, name: str, columns: Sequence[Column], width: int) -> Strip:
        spans: list[Span] = [(self.marker(row.contender) + name, self.name_style(row.contender))]
        if row.contender.is_out and not row.n:
            spans.append((f"  {row.contender.state}: {row.contender.reason}", WARNING))
            return line(*spans, width=width)
        for column in columns:
            cell = column.cell(row)
            text = cell.text.rjust(column.width)
            spans.append((text, DIM) if cell.provisional else text)
        return line(*spans, width=width)


@lru_cache(maxsize=16)
def _columns(deadline_ns: int | None, base: bool, ranked_by: float, open_loop: bool, room: int) -> tuple[Column, ...]:
    return tuple(fitting(all_columns(deadline_ns, base, ranked_by, open_loop), room))


def _title(condition: Condition, present: Condition, window_s: float | None, *, is_one: bool) -> str:
    name = condition.title
    if condition != present:
        return f" {'not now' if is_one else 'beside'}: {name}, ms"
    return f" now: {name}" + (f", {RECENT_S:.0f} s" if window_s is not None else "") + ", ms"
