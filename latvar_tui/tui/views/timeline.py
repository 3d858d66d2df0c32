"""The session as a spectrogram: time across, latency up, density as shade; the stress and what disturbed beneath."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray
from rich.cells import cell_len, set_cell_size
from rich.style import Style
from textual.strip import Strip

from latvar_tui.axis import Axis
from latvar_tui.format import clock_time, distinct, quantile_name
from latvar_tui.study.board import Board, Contender
from latvar_tui.study.spectrogram import Spectrum
from latvar_tui.study.timeline import Moment
from latvar_tui.tui.board_panel import BoardPanel
from latvar_tui.tui.line_widget import Span, line
from latvar_tui.tui.palette import DIM, STRONG, WAITING, WARNING, candidate_style
from latvar_tui.tui.scale import DEFAULT_NS, bounds_ns, upright_labels
from latvar_tui.tui.timeline import LETTERS
from latvar_tui.tui.view import View

_LEAST_ROWS = 4
"""Of a candidate; with fewer no shape is seen, so that a long line-up scrolls with the selection."""

_BENEATH = 3
_NAMES_FROM = 70  # columns of screen from which the names stand beside the shades
_NAME, _LABEL = 18, 6
_MEDIAN = 50.0


@dataclass(frozen=True)
class _Glyphs:
    shades: str
    median: str
    ranked: str
    edge: str
    stressed: str
    calm: str


_UNICODE = _Glyphs(" ░▒▓█", "━", "─", "│", "━", "·")
_ASCII = _Glyphs(" .:+#", "=", "-", "|", "=", ".")


class TimelinePanel(BoardPanel):
    """Draws only what a frame changed: the candidate whose slice it was, and the line of time."""

    def __init__(self, board: Board, view: View, *, ascii: bool = False, id: str | None = None) -> None:
        super().__init__(board, view, ascii=ascii, id=id)
        self._axis = Axis(*DEFAULT_NS, 1)
        self._kept: dict[str, tuple[object, list[Strip]]] = {}
        self._beneath: tuple[object, list[Strip]] = None, []

    @property
    def _glyphs(self) -> _Glyphs:
        return _ASCII if self._ascii else _UNICODE

    def draw(self, width: int, height: int) -> list[Strip]:
        board, contenders = self._board, self._board.contenders
        beside = width >= _NAMES_FROM
        gutter = (_NAME if beside else 0) + _LABEL
        columns = max(1, width - gutter)
        least = _LEAST_ROWS + (not beside)
        room = max(least, height - 1 - _BENEATH)
        fitting = max(1, min(len(contenders), room // least))
        first = max(0, min(self._view.selected - fitting // 2, len(contenders) - fitting))
        names = distinct([contender.name for contender in contenders], (_NAME if beside else width) - 4)
        lines = [self._title(width)]
        rows, over = divmod(room, fitting)
        for place, contender in enumerate(contenders[first : first + fitting]):
            own = rows + (place < over)
            lines += self._shades(contender, names[first + place], own, columns, beside)
        return [*lines, *self._what_happened(gutter, columns)][:height]

    def _title(self, width: int) -> Strip:
        glyphs, ranked = self._glyphs, quantile_name(self._view.ranked_by)
        spans: list[Span] = [(" latency over time, ms ", STRONG)]
        legend = f" {glyphs.median} p50" + (f" {glyphs.ranked} {ranked}" if self._view.ranked_by != _MEDIAN else "")
        more = f"{legend} (dim: on fewer than ten) · shade: log of the count "
        text = next((each for each in (more, f"{legend} ") if cell_len(each) + 24 <= width), "")
        return line(*spans, " " * max(0, width - 23 - cell_len(text)), (text, DIM), width=width)

    # -- the shades of one candidate --------------------------------------------------------------

    def _shades(self, contender: Contender, name: str, rows: int, columns: int, beside: bool) -> list[Strip]:
        spectrogram, view = self._board.spectrogram, self._view
        low_ns, high_ns = bounds_ns(self._board)
        key = (
            spectrogram.slices_of(contender.id),
            spectrogram.seconds_in(columns),
            (low_ns, high_ns, rows, columns, beside),
            (name, contender.state, self.marker(contender), self._board.only),
            view.ranked_by,
        )
        kept = self._kept.get(contender.id)
        if kept is None or kept[0] != key:
            if (low_ns, high_ns, rows - (not beside)) != (self._axis.low_ns, self._axis.high_ns, self._axis.columns):
                self._axis = Axis(low_ns, high_ns, rows - (not beside))
            lines = self._drawn(contender, name, spectrogram.spectrum(contender.id, columns), beside)
            kept = self._kept[contender.id] = key, lines
        return kept[1]

    def _drawn(self, contender: Contender, name: str, spectrum: Spectrum, beside: bool) -> list[Strip]:
        axis = self._axis
        head: Span = (self.marker(contender) + name, self.name_style(contender))
        labels = upright_labels(axis.low_ns, axis.high_ns, axis.columns)
        lines = [] if beside else [line(head)]
        for y, (label, spans) in enumerate(zip(labels, self._rows(contender, spectrum), strict=True)):
            left: list[Span] = [set_cell_size("", _NAME)] if beside else []
            if beside and y == 0:
                left = [(set_cell_size(head[0], _NAME), head[1])]
            lines.append(line(*left, (f"{label:>{_LABEL - 1}}{self._glyphs.edge}", DIM), *spans))
        return lines

    def _rows(self, contender: Contender, spectrum: Spectrum) -> Iterator[list[Span]]:
        """Top first: shades in the candidate's colour, the quantiles as lines over them."""
        glyphs, axis = self._glyphs, self._axis
        counts = spectrum.rows(axis)[:, ::-1].T  # slow ones on top
        peaks = counts.max(axis=0, initial=1)
        levels = np.ceil(np.log1p(counts) / np.log1p(np.maximum(peaks, 1)) * (len(glyphs.shades) - 1)).astype(np.int64)
        letters = np.array(list(glyphs.shades))[levels]
        kinds = np.zeros(letters.shape, np.int64)
        for quantile, letter in {_MEDIAN: glyphs.median, self._view.ranked_by: glyphs.ranked}.items():
            values_ns, provisional = spectrum.quantile_ns(quantile)
            (at,) = np.nonzero(~np.isnan(values_ns))
            rows = _row_of(values_ns[at], axis)
            letters[rows, at] = letter
            kinds[rows, at] = np.where(provisional[at], 2, 1)
        styles: Sequence[Style] = (candidate_style(contender.slot), WAITING, DIM)
        for row, row_kinds in zip(letters.tolist(), kinds.tolist(), strict=True):
            runs = groupby(zip(row, row_kinds, strict=True), lambda cell: cell[1])
            yield [("".join(letter for letter, _ in run), styles[kind]) for kind, run in runs]

    # -- what happened ----------------------------------------------------------------------------

    def _what_happened(self, gutter: int, columns: int) -> list[Strip]:
        """The stress, the marks, and the time, beneath the columns that they are of."""
        board = self._board
        seconds = board.spectrogram.seconds_in(columns)
        newest = board.timeline.moments[-1] if board.timeline.moments else None
        key = gutter, columns, seconds, len(board.spectrogram), newest and (newest.stress_threads, len(newest.marks))
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
            filling = (self._glyphs.stressed if threads else self._glyphs.calm) * (length - len(digits))
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


def _row_of(values_ns: NDArray[np.float64], axis: Axis) -> NDArray[np.int64]:
    """Rows from the top, on the upright axis."""
    places = np.searchsorted(axis.edges_ns, values_ns, side="right") - 1
    return axis.columns - 1 - np.clip(places, 0, axis.columns - 1)


def _times(seconds: int, columns: int) -> str:
    """The time since the beginning, every so often."""
    cells = [" "] * columns
    for column in range(0, columns, 10 if columns < 60 else 20):
        label = clock_time(column * seconds * 1_000_000_000)
        if column + len(label) + 1 <= columns:
            cells[column : column + len(label)] = label
    return "".join(cells)
