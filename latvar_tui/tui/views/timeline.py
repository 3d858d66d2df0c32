"""The session as a spectrogram: time across, latency up, density as shade; the stress and what disturbed beneath."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray
from rich.cells import set_cell_size
from textual.strip import Strip

from latvar_tui.axis import Axis
from latvar_tui.format import clock_time, distinct, quantile_name
from latvar_tui.study.board import Board, Contender
from latvar_tui.study.spectrogram import Spectrum
from latvar_tui.study.timeline import Moment
from latvar_tui.tui.board_panel import BoardPanel
from latvar_tui.tui.line_widget import Span, line
from latvar_tui.tui.looks import Depth
from latvar_tui.tui.palette import (
    DIM,
    MEDIAN_LEVEL,
    MOST_LEVEL,
    RANKED_LEVEL,
    STRONG,
    UNSURE_LEVEL,
    WAITING,
    WARNING,
    shade_style,
)
from latvar_tui.tui.scale import DEFAULT_NS, bounds_ns, upright_labels
from latvar_tui.tui.timeline import LETTERS
from latvar_tui.tui.view import View

_LEAST_ROWS = 4
"""Of a candidate; with fewer no shape is seen, so that a long line-up scrolls with the selection."""

_BENEATH = 3
_NAMES_FROM = 70  # columns of screen from which the names stand beside the shades
_NAME, _LABEL = 18, 6
_MEDIAN = 50.0
_HALVES = np.array(list(" ▀▄█"))
_LINES = np.array(list("▔─▁"))
_KINDS = UNSURE_LEVEL + 1


class TimelinePanel(BoardPanel):
    """Draws only what a frame changed: the candidate whose slice it was, and the line of time."""

    def __init__(self, board: Board, view: View, *, ascii: bool = False, id: str | None = None) -> None:
        super().__init__(board, view, ascii=ascii, id=id)
        self._axis = Axis(*DEFAULT_NS, 1)
        self._kept: dict[str, tuple[object, list[Strip]]] = {}
        self._beneath: tuple[object, list[Strip]] = None, []

    def draw(self, width: int, height: int) -> list[Strip]:
        contenders = self._board.contenders
        beside = width >= _NAMES_FROM
        gutter = (_NAME if beside else 0) + _LABEL
        columns = max(1, width - gutter)
        least = _LEAST_ROWS + (not beside)
        room = max(least, height - 1 - _BENEATH)
        fitting = max(1, min(len(contenders), room // least))
        first = max(0, min(self._view.selected - fitting // 2, len(contenders) - fitting))
        names = distinct([contender.name for contender in contenders], (_NAME if beside else width) - 4)
        seen = "" if fitting == len(contenders) else f"· {_from_to(first, fitting)} of {len(contenders)} (j k) "
        lines = [self._title(width, seen)]
        rows, over = divmod(room, fitting)
        for place, contender in enumerate(contenders[first : first + fitting]):
            own = rows + (place < over)
            lines += self._shades(contender, names[first + place], own, columns, width)
        return [*lines, *self._what_happened(gutter, columns)][:height]

    def _title(self, width: int, seen: str) -> Strip:
        """What the lines are; without colours they differ by their letters. ``seen``: who of a long line-up."""
        title, ranked = f" latency over time, ms {seen}", quantile_name(self._view.ranked_by)
        median, line_of_ranked = (
            ("lines:", "lines:") if self._halves else tuple(self._letters[MEDIAN_LEVEL:UNSURE_LEVEL])
        )
        both = "p50" if self._view.ranked_by == _MEDIAN else f"p50 and above it {ranked}"
        if median != line_of_ranked:
            both = f"p50 {line_of_ranked} {ranked}"
        for legend in (f"{median} {both} · grey: on fewer than ten · shade: log of the count ", f"{median} {both} "):
            if len(title) + len(legend) <= width:
                return line((title, STRONG), " " * (width - len(title) - len(legend)), (legend, DIM))
        return line((title, STRONG), width=width)

    # -- the shades of one candidate --------------------------------------------------------------

    def _shades(self, contender: Contender, name: str, rows: int, columns: int, width: int) -> list[Strip]:
        spectrogram, view = self._board.spectrogram, self._view
        beside = width >= _NAMES_FROM
        low_ns, high_ns = bounds_ns(self._board)
        key = (
            spectrogram.slices_of(contender.id),
            self._board.study.epoch,
            spectrogram.seconds_in(columns),
            (low_ns, high_ns, rows, columns, width, self._halves),
            (name, contender.state, self.marker(contender), self._board.only),
            view.ranked_by,
        )
        kept = self._kept.get(contender.id)
        if kept is None or kept[0] != key:
            bins = (rows - (not beside)) * (2 if self._halves else 1)
            if (low_ns, high_ns, bins) != (self._axis.low_ns, self._axis.high_ns, self._axis.columns):
                self._axis = Axis(low_ns, high_ns, bins)
            lines = self._drawn(contender, name, spectrogram.spectrum(contender.id, columns), width)
            kept = self._kept[contender.id] = key, lines
        return kept[1]

    def _drawn(self, contender: Contender, name: str, spectrum: Spectrum, width: int) -> list[Strip]:
        axis, beside, edge = self._axis, width >= _NAMES_FROM, "|" if self._ascii else "│"
        head, style = self.marker(contender) + name, self.name_style(contender)
        labels = upright_labels(axis.low_ns, axis.high_ns, axis.columns // (2 if self._halves else 1))
        lines = [] if beside else [line((head, style), width=width)]
        for y, (label, spans) in enumerate(zip(labels, self._rows(contender, spectrum), strict=True)):
            left: list[Span] = [set_cell_size("", _NAME)] if beside else []
            if beside and y == 0:
                left = [(set_cell_size(head, _NAME), style)]
            lines.append(line(*left, (f"{label:>{_LABEL - 1}}{edge}", DIM), *spans, width=width))
        return lines

    def _rows(self, contender: Contender, spectrum: Spectrum) -> Iterator[list[Span]]:
        """Top first: shades of the candidate's colour, the quantiles as thin lines over them."""
        per_cell = 2 if self._halves else 1
        shades = _levels(spectrum.rows(self._axis)[:, ::-1].T)  # slow ones on top
        upper, lower = shades[::per_cell], shades[per_cell - 1 :: per_cell]
        letters = np.array(list(self._letters))[upper] if per_cell == 1 else _HALVES[_fills(upper, lower)]
        # A cell is drawn with one colour on another one; a line lies on the darker half's, so that it stands out.
        ink, paper = np.maximum(upper, lower), np.minimum(upper, lower)
        both = (upper > 0) & (lower > 0) & (upper != lower)
        ink, paper = np.where(both, upper, ink), np.where(both, lower, 0)
        if per_cell == 1:  # the letters are the shades
            ink = np.where(upper > 0, MOST_LEVEL, 0)
        for quantile in (_MEDIAN, self._view.ranked_by):
            values_ns, provisional = spectrum.quantile_ns(quantile)
            (at,) = np.nonzero(~np.isnan(values_ns))
            rows, thirds = _places(values_ns[at], self._axis, upper.shape[0])
            level = MEDIAN_LEVEL if quantile == _MEDIAN else RANKED_LEVEL
            paper[rows, at] = np.maximum(upper, lower)[rows, at] if per_cell == 2 else 0
            ink[rows, at] = np.where(provisional[at], UNSURE_LEVEL, level)
            letters[rows, at] = self._letters[level] if per_cell == 1 else _LINES[thirds]
        kinds = ink * _KINDS + paper
        for row, row_kinds in zip(letters.tolist(), kinds.tolist(), strict=True):
            yield [
                ("".join(letter for letter, _ in run), shade_style(contender.slot, *divmod(kind, _KINDS)))
                for kind, run in groupby(zip(row, row_kinds, strict=True), lambda cell: cell[1])
            ]

    @property
    def _halves(self) -> bool:
        """Whether a cell can have two colours: half a cell is then drawn as finely as a whole one."""
        return not self._ascii and self._looks.depth is Depth.MANY

    @property
    def _letters(self) -> str:
        """By level."""
        return " .:+#=--" if self._ascii else " ░▒▓█━──"

    # -- what happened ----------------------------------------------------------------------------

    def _what_happened(self, gutter: int, columns: int) -> list[Strip]:
        """The stress, the marks, and the time, beneath the columns that they are of."""
        board = self._board
        seconds = board.spectrogram.seconds_in(columns)
        newest = board.timeline.moments[-1] if board.timeline.moments else None
        about_newest = newest and (newest.stress_threads, len(newest.marks))
        key = gutter, columns, seconds, len(board.spectrogram), about_newest, board.study.epoch
        if self._beneath[0] != key:
            moments = board.timeline.every(seconds)[:columns]
            self._beneath = (
                key,
                [
                    line(("stress ".rjust(gutter), DIM), *self._stress(moments), width=gutter + columns),
                    line(("marks ".rjust(gutter), DIM), *self._marks(moments, columns), width=gutter + columns),
                    line((" " * gutter + _times(seconds, columns), DIM), width=gutter + columns),
                ],
            )
        return self._beneath[1]

    def _stress(self, moments: Sequence[Moment]) -> list[Span]:
        spans: list[Span] = []
        for threads, run in groupby(moments, lambda moment: moment.stress_threads):
            length = len(list(run))
            digits = str(threads)[:length]
            stressed, calm = ("=", ".") if self._ascii else ("━", "·")
            filling = (stressed if threads else calm) * (length - len(digits))
            spans += [(digits, STRONG), (filling, WAITING if threads else DIM)]
        return spans

    def _marks(self, moments: Sequence[Moment], columns: int) -> list[Span]:
        letters = [next((LETTERS[mark][0] for mark in LETTERS if mark in each.marks), " ") for each in moments]
        there = set().union(*(moment.marks for moment in moments))
        words = ", ".join(f"{letter} {word}" for mark, (letter, word) in LETTERS.items() if mark in there)
        room = columns - len(letters) - 2
        spans: list[Span] = [("".join(letters), WARNING)]
        if words and len(words) <= room:
            spans.append((f"  {words}", DIM))
        return spans


def _from_to(first: int, several: int) -> str:
    return f"{first + 1}" if several == 1 else f"{first + 1}–{first + several}"


def _levels(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Shades from 0 (nothing) to MOST_LEVEL, a column's fullest bin; one observation is always seen."""
    peaks = np.maximum(counts.max(axis=0, initial=1), 1)
    levels: NDArray[np.int64] = np.ceil(np.log1p(counts) / np.log1p(peaks) * MOST_LEVEL).astype(np.int64)
    return levels


def _fills(upper: NDArray[np.int64], lower: NDArray[np.int64]) -> NDArray[np.int64]:
    """Which halves of a cell are drawn, as an index of _HALVES."""
    return np.where((upper > 0) & (upper == lower), 3, np.where(upper > 0, 1, np.where(lower > 0, 2, 0)))


def _places(values_ns: NDArray[np.float64], axis: Axis, rows: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows from the top of an upright axis, and thirds of them."""
    shares = np.log(values_ns / axis.low_ns) / math.log(axis.high_ns / axis.low_ns)
    from_top = np.clip((1 - shares) * rows * 3, 0, rows * 3 - 1).astype(np.int64)
    return from_top // 3, from_top % 3


def _times(seconds: int, columns: int) -> str:
    """The time since the beginning, every so often."""
    cells = [" "] * columns
    for column in range(0, columns, 10 if columns < 60 else 20):
        label = clock_time(column * seconds * 1_000_000_000)
        if column + len(label) + 1 <= columns:
            cells[column : column + len(label)] = label
    return "".join(cells)
