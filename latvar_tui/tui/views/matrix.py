"""Candidates × conditions at the ranking quantile: who is best where, what is settled, where places change."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size
from textual.strip import Strip

from latvar_tui.condition import Condition
from latvar_tui.format import NOTHING, distinct, ms, quantile_name
from latvar_tui.study.board import Board, Contender
from latvar_tui.study.conclusions import Groups, Reversal, not_compared
from latvar_tui.study.quantiles import is_provisional
from latvar_tui.tui.board_panel import BoardPanel
from latvar_tui.tui.line_widget import Span, line
from latvar_tui.tui.palette import DIM, STRONG, WARNING, rank_style
from latvar_tui.tui.view import View
from latvar_tui.tui.views.answers import Answers
from latvar_tui.tui.views.sentences import condition_names, orders, told, wrapped

_NAME_MOST = 30
_COLUMN = 14  # "~0.0123 12 ⇄" and blanks: the longest that there is
_TALL_COLUMN = 16  # "0.0123–0.0125" and blanks


class MatrixPanel(BoardPanel):
    """A row a candidate, a column a condition; where not all fit, those around the one leafed to or the present one."""

    def __init__(
        self, board: Board, view: View, answers: Answers, *, ascii: bool = False, id: str | None = None
    ) -> None:
        super().__init__(board, view, ascii=ascii, id=id)
        self._answers = answers

    def draw(self, width: int, height: int) -> list[Strip]:
        board, view = self._board, self._view
        sweep = view.sweep
        conditions = board.conditions or [board.condition]
        if sweep is not None:
            conditions = [*conditions, *(each for each in sweep.conditions if each not in conditions)]
        titles = condition_names(conditions)
        name_width = self._name_width(width)
        titled = max(len(title) for title in titles) + 5
        fitting, fitting_tall = (
            max(1, (width - name_width) // max(least, titled)) for least in (_COLUMN, _TALL_COLUMN)
        )
        reversals = self._answers.reversals(view.ranked_by)
        contenders = board.contenders
        # A second line a candidate, with its interval, where that leaves room for what may be said of it all, and hides
        # no condition.
        tall = height >= 3 * len(contenders) + 6 and fitting_tall >= min(fitting, len(conditions))
        column = max(_TALL_COLUMN if tall else _COLUMN, titled)
        seen = self._seen(conditions, fitting_tall if tall else fitting)
        heads = self._heads(conditions, titles, seen, name_width, column, width)
        room = max(1, min(len(contenders), height - 3)) if not tall else len(contenders)
        first = max(0, min(view.selected - room // 2, len(contenders) - room))
        places = {condition: self._places(condition) for condition in (conditions[at] for at in seen)}
        lines = [self._title(width, any(places.values())), heads]
        names = distinct([contender.name for contender in contenders], name_width - 4)
        for contender, name in list(zip(contenders, names, strict=True))[first : first + room]:
            row: list[Span] = [
                (self.marker(contender) + set_cell_size(name, name_width - 3), self.name_style(contender))
            ]
            beneath: list[Span] = [" " * name_width]
            for at in seen:
                row += self._cell(contender, conditions[at], places[conditions[at]], reversals, column)
                beneath.append(self._interval(contender, conditions[at], column))
            lines.append(line(*row, width=width))
            if tall:
                lines.append(line(*beneath, width=width))
        lines.append(line(""))
        lines += self._said(conditions, titles, reversals, width, height - len(lines))
        return lines[:height]

    def _name_width(self, width: int) -> int:
        longest = max((cell_len(contender.name) for contender in self._board.contenders), default=0)
        return min(longest + 4, _NAME_MOST, max(14, width // 3))

    def _seen(self, conditions: Sequence[Condition], room: int) -> range:
        leaf = self._view.leafed_to(self._board) or self._board.condition
        at = conditions.index(leaf) if leaf in conditions else 0
        first = max(0, min(at - room // 2, len(conditions) - room))
        return range(first, min(len(conditions), first + room))

    def _title(self, width: int, has_places: bool) -> Strip:
        what = f" {quantile_name(self._view.ranked_by)}, ms"
        title = f"{what}, and place " if has_places else f"{what} "
        turned = "x" if self._ascii else "⇄"
        for legend in (
            f"{turned} places change · ~ dim: not settled yet · same place: not told apart ",
            f"{turned} places change · ~ not settled ",
            "~ not settled ",
        ):
            if len(title) + len(legend) <= width:
                return line((title, STRONG), " " * (width - len(title) - len(legend)), (legend, DIM))
        return line((title, STRONG), width=width)

    def _heads(
        self,
        conditions: Sequence[Condition],
        titles: Sequence[str],
        seen: range,
        name_width: int,
        column: int,
        width: int,
    ) -> Strip:
        leaf = self._view.leafed_to(self._board)
        more = ("<" if seen.start else " ") + (">" if seen.stop < len(conditions) else " ")
        spans: list[Span] = [(set_cell_size(f"   {more.strip()}", name_width), DIM)]
        for at in seen:
            condition = conditions[at]
            mark = ">" if condition == self._board.condition else "*" if condition == leaf else " "
            if not self._ascii:
                mark = mark.replace(">", "▸")
            style = STRONG if condition in (self._board.condition, leaf) else DIM
            spans.append((f"{mark}{titles[at]}".rjust(column - 3) + "   ", style))
        return line(*spans, width=width)

    def _places(self, condition: Condition) -> dict[str, int]:
        """By candidate, of those that compete."""
        ids = [each.id for each in self._board.rivals]
        return self._answers.places(condition, self._view.ranked_by, ids)

    def _groups(self, condition: Condition) -> Groups | None:
        """Of those that compete; None where nothing can be said, or not yet."""
        ids = [each.id for each in self._board.rivals]
        quantile = self._view.ranked_by
        return None if not_compared(quantile) else self._answers.groups(condition, quantile, ids)

    def _cell(
        self,
        contender: Contender,
        condition: Condition,
        places: dict[str, int],
        reversals: Sequence[Reversal],
        column: int,
    ) -> list[Span]:
        cell = self._board.cell(contender, condition)
        quantile = self._view.ranked_by
        value_ns = cell.latency.quantile_ns(quantile) if cell is not None else None
        if cell is None or value_ns is None:
            return [(NOTHING.rjust(column - 5) + "   ", DIM), (self._planned(contender, condition) + " ", DIM)]
        turns = any(contender.id in (each.a, each.b) and condition in (each.before, each.after) for each in reversals)
        mark: Span = (self._planned(contender, condition) + " ", DIM)
        if turns:
            mark = ("x " if self._ascii else "⇄ ", WARNING)
        place = places.get(contender.id)
        settled = not is_provisional(cell.latency, quantile) and (
            len(self._board.contenders) == 1
            or not_compared(quantile) != ""
            or self._answers.is_settled(contender.id, condition, quantile)
        )
        text = f"{'' if settled else '~'}{ms(value_ns)} {'' if place is None else place + 1}".rstrip()
        if place is None:
            text += "  "  # so that the values stand beneath each other
        style = rank_style(place, len(places)) if settled and place is not None else DIM
        return [" " * (column - 4 - len(text)), (f" {text} ", style), mark]

    def _planned(self, contender: Contender, condition: Condition) -> str:
        """Where a sweep is with a cell."""
        sweep = self._view.sweep
        if sweep is None or sweep.is_over or contender.candidate.is_control:
            return " "
        return sweep.mark(contender.id, condition, self._ascii)

    def _interval(self, contender: Contender, condition: Condition, column: int) -> Span:
        bounds = self._answers.interval(contender.id, condition, self._view.ranked_by)
        text = "" if bounds is None else f"{ms(bounds[0])}–{ms(bounds[1])}"
        return (f"{text.rjust(column - 3)}   ", DIM)

    def _said(
        self,
        conditions: Sequence[Condition],
        titles: Sequence[str],
        reversals: Sequence[Reversal],
        width: int,
        room: int,
    ) -> list[Strip]:
        """In words: each change of places, then who is best where."""
        if room <= 0:
            return []
        names = {contender.id: contender.name for contender in self._board.contenders}
        why_not = not_compared(self._view.ranked_by)
        said = [(sentence, WARNING) for sentence in told(reversals, names)]
        if why_not and len(names) > 1:
            said.append((why_not, DIM))
        elif not reversals and len(conditions) > 1 and len(names) > 1:
            said.append(("No change of places is claimed at this quantile, so far.", DIM))
        for condition, title in zip(conditions, titles, strict=True):
            groups = self._groups(condition)
            if groups is not None and groups.best:
                said.append((f"{title}: {orders(groups, names)}", DIM))
        lines = [line((text, style), width=width) for sentence, style in said for text in wrapped(sentence, width)]
        return lines[:room]
