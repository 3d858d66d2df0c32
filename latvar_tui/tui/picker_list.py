"""The picker's list: who is in the line-up, then what could join it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.cells import set_cell_size
from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip

from latvar_tui.format import NOTHING, three_digits
from latvar_tui.shelf import Choice
from latvar_tui.study.board import Board, Contender
from latvar_tui.tui.line_widget import LineWidget, Span, line
from latvar_tui.tui.palette import DIM, STRONG, WARNING, candidate_style, spot

Row = Choice | Contender

_SELECTED = Style(reverse=True)
_PARAMETERS, _P50, _P50_NARROW, _PRECISIONS = 9, 12, 7, 11
_WIDE = 60
"""Columns from which there is room for precisions and whole titles."""


class PickerList(LineWidget):
    """Rows that can be chosen, under two titles that cannot. A click chooses, a second one acts."""

    class Chosen(Message):
        """Another row is selected."""

    class Acted(Message):
        """The selected row has been clicked again."""

    def __init__(self, board: Board, p50_ms: Callable[[Choice], float | None]) -> None:
        super().__init__()
        self._board, self._p50_ms = board, p50_ms
        self._rows: list[Row] = []
        self._typed: str | None = None
        self._at = 0
        self._first = 0
        self._rows_of_line: list[int | None] = []

    @property
    def selected(self) -> Row | None:
        return self._rows[self._at] if self._rows else None

    def show(self, typed: str, found: Sequence[Choice]) -> None:
        """Show the line-up and what was found for what was typed, the first model of which is then selected."""
        fitting = (
            [c for c in self._board.contenders if typed.lower() in c.name.lower()] if typed else self._board.contenders
        )
        before = self.selected
        rows: list[Row] = [*fitting, *found]
        if typed != self._typed:
            self._at = len(fitting) if found else 0
        elif before in rows:
            self._at = rows.index(before)
        elif isinstance(before, Contender):
            self._at = len(fitting)  # it has left; enter struck once more is not to take out the next
        self._typed, self._rows = typed, rows
        self._at = max(0, min(self._at, len(rows) - 1))
        self._draw()

    def move(self, step: int) -> None:
        """Select another row; past the end, the end."""
        self._at = max(0, min(self._at + step, len(self._rows) - 1))
        self._draw()

    def on_resize(self) -> None:
        self._draw()

    def on_click(self, event: events.Click) -> None:
        row = self._rows_of_line[event.y] if event.y < len(self._rows_of_line) else None
        if row is not None:
            again = row == self._at
            self._at = row
            self._draw()
            self.post_message(self.Acted() if again else self.Chosen())

    def on_mouse_scroll_down(self) -> None:
        self.move(1)
        self.post_message(self.Chosen())

    def on_mouse_scroll_up(self) -> None:
        self.move(-1)
        self.post_message(self.Chosen())

    # -- drawing ------------------------------------------------------------------------------------

    def _draw(self) -> None:
        width, height = self.size
        if not width or not height:
            return
        lines: list[tuple[int | None, Strip]] = []
        contenders = sum(isinstance(row, Contender) for row in self._rows)
        for place, row in enumerate(self._rows):
            if place == 0 and contenders:
                lines.append((None, line(("in the line-up: enter takes one out", DIM), width=width)))
            if place == contenders:
                lines.append((None, self._title(width)))
            lines.append((place, self._line(place, row, width)))
        if not self._rows:
            lines = [(None, line(("no model of that name, and no such file", DIM), width=width))]
        at = next((y for y, (place, _) in enumerate(lines) if place == self._at), 0)
        # The title above the first row is seen, too.
        self._first = max(0, min(self._first, at - 1), at - height + 1)
        seen = lines[self._first : self._first + height]
        self._rows_of_line = [place for place, _ in seen]
        self.set_lines([strip for _, strip in seen])

    def _title(self, width: int) -> Strip:
        p50 = "p50 ms here" if width >= _WIDE else "p50 ms"
        return line((self._columns("enter adds", "precision", "params", p50, width), DIM), width=width)

    @staticmethod
    def _columns(name: str, precision: str, parameters: str, p50: str, width: int) -> str:
        wide = width >= _WIDE
        last = f"{parameters:>{_PARAMETERS}}{p50:>{_P50 if wide else _P50_NARROW}}"
        if wide:
            last = precision.ljust(_PRECISIONS) + last
        return set_cell_size(name, width - len(last)) + last

    def _line(self, place: int, row: Row, width: int) -> Strip:
        spans = self._contender(row, width) if isinstance(row, Contender) else self._choice(row, width)
        if place == self._at:
            text = "".join(span if isinstance(span, str) else span[0] for span in spans)
            return line((set_cell_size(text, width), _SELECTED), width=width)
        return line(*spans, width=width)

    def _contender(self, row: Contender, width: int) -> list[Span]:
        state = row.reason if row.is_out else row.state
        facts = f"{state}{f'  {row.memory_mb:.0f} MB' if row.memory_mb is not None and not row.is_out else ''}"
        facts = facts[: width // 2]
        name = set_cell_size(f"{'✗' if row.is_out else spot(row.slot)} {row.name}", width - len(facts) - 1)
        return [(name, candidate_style(row.slot)), " ", (facts, WARNING if row.is_out else DIM)]

    def _choice(self, row: Choice, width: int) -> list[Span]:
        if row.kind in ("folder", "file"):
            name = set_cell_size(f"  {row.model}", width - len(row.about) - 1)
            return [(name, STRONG if row.kind == "folder" else Style()), (f" {row.about}", DIM)]
        p50_ms = self._p50_ms(row)
        parameters = NOTHING if row.parameters is None else f"{row.parameters / 1e6:.2f} M"
        p50 = NOTHING if p50_ms is None else three_digits(p50_ms)
        sort = " ".join(row.precisions) or ("yours" if row.kind == "own" else row.kind)
        return [self._columns(f"  {row.model}", sort, parameters, p50, width)]
