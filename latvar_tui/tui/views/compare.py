"""Two candidates in one histogram, and at each quantile their difference, its interval, and what may be said of it.

The selected one is compared with the fastest other at the ranking quantile, or with the rival chosen by ``v``.
"""

from __future__ import annotations

from rich.cells import cell_len
from rich.style import Style
from textual.strip import Strip

from latvar_tui.axis import Axis
from latvar_tui.condition import Condition
from latvar_tui.format import NOTHING, distinct, ms, quantile_name
from latvar_tui.histogram import Histogram
from latvar_tui.study.board import Board, Contender
from latvar_tui.study.claims import Shortage
from latvar_tui.study.conclusions import Pair
from latvar_tui.study.quantiles import is_provisional
from latvar_tui.study.rivals import fastest_other
from latvar_tui.study.table import QUANTILES
from latvar_tui.tui.bars import axis_ticks
from latvar_tui.tui.board_panel import BoardPanel
from latvar_tui.tui.line_widget import Span, line
from latvar_tui.tui.palette import DIM, STRONG, bar_styles, candidate_style
from latvar_tui.tui.scale import DEFAULT_NS, bounds_ns
from latvar_tui.tui.view import View
from latvar_tui.tui.views.answers import Answers
from latvar_tui.tui.views.overlay import overlaid, same_heights

_NAME_MOST, _NUMBER, _QUANTILE = 24, 9, 7
_LEAST_BARS = 6
_ROOMY = 76  # columns of screen
_BESIDE_NUMBERS = 33  # columns: a quantile's name, the difference with its interval, and the verdict in a word


class ComparePanel(BoardPanel):
    """The bars are drawn anew when one of the two had a slice, the differences as the study tells them."""

    def __init__(
        self, board: Board, view: View, answers: Answers, *, ascii: bool = False, id: str | None = None
    ) -> None:
        super().__init__(board, view, ascii=ascii, id=id)
        self._answers = answers
        self._axis = Axis(*DEFAULT_NS, 1)
        self._bars: tuple[object, list[Strip]] = None, []

    def draw(self, width: int, height: int) -> list[Strip]:
        board, view = self._board, self._view
        if not board.contenders:
            return []
        own = board.contenders[view.selected]
        chosen = next((each for each in board.contenders if each.id == view.rival and each is not own), None)
        rival = chosen or fastest_other(board, own, view.ranked_by)
        if rival is None:
            text = f" compare: {own.name} is alone in the line-up (m adds another)."
            return [line((text, STRONG), width=width)]
        names = distinct([own.name, rival.name], min(_NAME_MOST, max(8, (width - 16) // 2)))
        lines = [self._title(own, rival, names, width)]
        beside = view.beside(board)
        table = 1 + len(QUANTILES)
        two = beside is not None and height >= 2 + 2 * table + _LEAST_BARS
        rows = max(1, height - 2 - (1 + two) * table)
        lines += self._histogram(own, rival, width, rows)
        lines += self._differences(own, rival, names, board.condition, width)
        if two and beside is not None:
            lines += self._differences(own, rival, names, beside, width)
        return lines[:height]

    def _title(self, own: Contender, rival: Contender, names: list[str], width: int) -> Strip:
        filled, outline, between = " (filled)", " (line)", " against "
        if width < _ROOMY:
            filled, outline, between = "", "", " against "
        spans: list[Span] = [
            "  ",
            (self.marker(own)[1] + " " + names[0], candidate_style(own.slot)),
            (filled + between, DIM),
            (("-" if self._ascii else "─") + " " + names[1], candidate_style(rival.slot)),
            (outline, DIM),
        ]
        used = sum(cell_len(text if isinstance(text, str) else text[0]) for text in spans)
        which = "v: another rival" if rival.id == self._view.rival else "the fastest other; v: another"
        if used + len(which) + 2 <= width:
            spans += [" " * (width - used - len(which) - 1), (which, DIM)]
        return line(*spans, width=width)

    # -- the bars -----------------------------------------------------------------------------------

    def _histogram(self, own: Contender, rival: Contender, width: int, rows: int) -> list[Strip]:
        board = self._board
        low_ns, high_ns = bounds_ns(board)
        cells = [board.cell(each, board.condition) for each in (own, rival)]
        key = (
            (own.id, rival.id, board.condition, board.study.epoch),
            (low_ns, high_ns, width, rows),
            tuple(cell and cell.slices for cell in cells),
        )
        if self._bars[0] != key:
            if (low_ns, high_ns, width) != (self._axis.low_ns, self._axis.high_ns, self._axis.columns):
                self._axis = Axis(low_ns, high_ns, width)
            both = [self._measured(each, board.condition) or Histogram() for each in (own, rival)]
            heights = same_heights(*(histogram.bars(self._axis) for histogram in both))
            styles = bar_styles(own.slot), bar_styles(rival.slot)
            drawn = overlaid(heights[0], heights[1], rows, styles, self._ascii)
            ticks = axis_ticks(low_ns, high_ns, width)
            self._bars = key, [*(line(*spans, width=width) for spans in drawn), line((ticks, DIM))]
        return self._bars[1]

    def _measured(self, contender: Contender, condition: Condition) -> Histogram | None:
        cell = self._board.cell(contender, condition)
        return cell.latency if cell is not None and cell.latency.total else None

    # -- the differences ----------------------------------------------------------------------------

    def _differences(
        self, own: Contender, rival: Contender, names: list[str], condition: Condition, width: int
    ) -> list[Strip]:
        """A title, then a row for each quantile: both values, by how much they differ, and what may be said of it.

        All of it is of the whole condition, whatever the window: a difference is known of all rounds only.
        """
        both = [self._measured(each, condition) for each in (own, rival)]
        when = "now" if condition == self._board.condition else "beside"
        roomy = width >= _ROOMY
        values = [
            [_value(each, histogram, quantile) for each, histogram in zip((own, rival), both, strict=True)]
            for quantile in QUANTILES
        ]
        number = max(_NUMBER if roomy else _NUMBER - 3, 1 + max(len(text) for row in values for text, _ in row))
        title = f" {when}: {condition.title}, ms"
        spans: list[Span] = [(title, STRONG)]
        column = _QUANTILE + 2 * number + 2
        if roomy and len(title) < column:
            spans += [" " * (column - len(title)), ("filled ÷ line − 1 [95 %]", DIM)]
        lines = [line(*spans, width=width)]
        for quantile, numbers in zip(QUANTILES, values, strict=True):
            pair = self._answers.pair(rival.id, own.id, condition, quantile)
            ranked = quantile == self._view.ranked_by
            row: list[Span] = [(f"  {quantile_name(quantile):<{_QUANTILE - 2}}", STRONG if ranked else DIM)]
            row += [
                *((text.rjust(number), style) for text, style in numbers),
                _difference(pair, roomy, width >= _BESIDE_NUMBERS + 2 * number),
                "  " if roomy else " ",
            ]
            used = sum(cell_len(text if isinstance(text, str) else text[0]) for text in row)
            row.append(_verdict(pair, own, rival, names, roomy, width - used))
            lines.append(line(*row, width=width))
        return lines


def _value(contender: Contender, histogram: Histogram | None, quantile: float) -> tuple[str, Style]:
    value_ns = None if histogram is None else histogram.quantile_ns(quantile)
    if histogram is None or value_ns is None:
        return NOTHING, DIM
    if is_provisional(histogram, quantile):
        return f"~{ms(value_ns)}", DIM
    return ms(value_ns), candidate_style(contender.slot)


def _difference(pair: Pair | None, roomy: bool, bounds: bool) -> Span:
    """``−12 % [−14, −10]``: of the selected one against its rival; the interval only with ``bounds``."""
    room = 21 if roomy else 18 if bounds else 7
    if pair is None or pair.ratio is None:
        return (NOTHING.rjust(6).ljust(room), DIM)
    ratio = pair.ratio
    text = f"{_percent(ratio.value)} %".rjust(8) if roomy else f"{_percent(ratio.value)}%".rjust(6)
    if bounds and ratio.low is not None and ratio.high is not None:
        comma = ", " if roomy else ","
        text += f" [{_percent(ratio.low)}{comma}{_percent(ratio.high)}]"
    text = text.ljust(room)
    return (text, DIM) if pair.provisional else text


def _duration(seconds: float) -> str:
    return (
        f"{seconds:.0f} s"
        if seconds < 100
        else f"{seconds / 60:.0f} min"
        if seconds < 6000
        else f"{seconds / 3600:.0f} h"
    )


def _percent(ratio: float) -> str:
    change = 100 * (ratio - 1)
    return f"{change:+.0f}" if abs(change) >= 9.5 else f"{change:+.1f}"


def _missing(shortage: Shortage, quantile: float, room: int) -> str:
    """``12 of 20 rounds``, ``3 of 15 beyond p99``; shorter where there is less room."""
    have, need = shortage.have, shortage.need
    what = "rounds" if shortage.of == "rounds" else f"beyond {quantile_name(quantile)}"
    texts = (f"{have} of {need} {what}", f"{have}/{need} {what.split()[0]}", f"{have}/{need}")
    return next((text for text in texts if len(text) <= room), texts[-1])


def _verdict(pair: Pair | None, own: Contender, rival: Contender, names: list[str], roomy: bool, room: int) -> Span:
    """What may be said; where room is short, of the selected one in a word."""
    both = list(zip((own, rival), names, strict=True))
    control = next((name for each, name in both if each.candidate.is_control), "")
    if control:
        return (f"{control} is a control: not compared" if roomy else "control", DIM)
    if pair is not None and pair.faster:
        wins = pair.faster == own.id
        text = f"{names[0] if wins else names[1]} is faster" if roomy else "faster" if wins else "slower"
        return (text, candidate_style((own if wins else rival).slot) + STRONG)
    if pair is not None and pair.equal:
        return "no difference that matters" if roomy else "equal"
    gone = next((name for each, name in both if each.is_out), "")
    if gone:
        return (f"{gone} does not run any more" if roomy else "open", DIM)
    if pair is None:
        return ("…", DIM)  # in a moment
    if pair.shortage is not None:
        return (_missing(pair.shortage, pair.quantile, room), DIM)
    wait = "" if pair.more_s is None else f", about {_duration(pair.more_s)} more"
    return (f"undecided{wait}" if roomy else "open", DIM)
