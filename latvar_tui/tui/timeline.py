"""The session in one line: where the stress changed, and a letter where something disturbed the measuring."""

from __future__ import annotations

from rich.style import Style

from latvar_tui.study.timeline import MARK, Moment, Timeline
from latvar_tui.tui.line_widget import LineWidget, Span, line
from latvar_tui.tui.palette import DIM, STRONG, WARNING

LETTERS: dict[str, tuple[str, str]] = {
    MARK: ("N", "mark"),
    "suspended": ("Z", "slept"),
    "throttled": ("T", "throttled"),
    "quota": ("Q", "quota"),
    "steal": ("S", "stolen"),
    "cpuset": ("C", "cores"),
    "governor": ("G", "governor"),
    "frequency": ("F", "clock"),
    "clock": ("K", "wall clock"),
    "others": ("O", "others"),
}
"""Mark → letter and a word; the first of several wins a column."""

CALM = "·"
_LABEL = 11
ROWS_NEEDED, COLUMNS_NEEDED = 30, 60
"""On a smaller screen the histograms need the row more."""


class TimelineLine(LineWidget):
    """One column a second, the newest last; two seconds and more a column once the line is full.

    The columns stay where they are, so that a second later one cell of the screen has changed.
    """

    def __init__(self, timeline: Timeline, id: str | None = None) -> None:
        super().__init__(id=id)
        self._timeline = timeline
        self._shown: object = None

    def redraw(self) -> None:
        """Bring it up to date, if a column has changed."""
        width = self.size.width
        moments = self._timeline.moments
        newest = (moments[-1].stress_threads, len(moments[-1].marks)) if moments else None
        key = (width, len(moments), newest, self._timeline.seconds)
        if width and self.display and key != self._shown:
            self._shown = key
            self.set_lines([line(*self._spans(width), width=width)])

    def on_resize(self) -> None:
        self.redraw()

    def _spans(self, width: int) -> list[Span]:
        there = set().union(*(moment.marks for moment in self._timeline.moments))
        words = [f"{letter} {word}" for mark, (letter, word) in LETTERS.items() if mark in there]
        legend = f" {', '.join(words)} " if words else ""
        if len(legend) > width // 2:
            legend = ""
        seconds, columns = self._timeline.fitting(max(1, width - _LABEL - len(legend)))
        label = f" {_duration(seconds)} a dot".ljust(_LABEL)
        spans: list[Span] = [(label, DIM), *_columns(columns)]
        used = _LABEL + len(columns)
        return [*spans, " " * max(0, width - used - len(legend)), (legend, DIM)]


def _columns(moments: list[Moment]) -> list[Span]:
    """A letter where something disturbed, a digit where the stress changed, and a calm dot elsewhere."""
    spans: list[Span] = []
    before: int | None = 0
    for moment in moments:
        letter = next((LETTERS[mark][0] for mark in LETTERS if mark in moment.marks), "")
        style: Style = DIM
        if letter:
            text, style = letter, WARNING
        elif moment.stress_threads != before:
            text, style = (str(moment.stress_threads) if moment.stress_threads < 10 else "+"), STRONG
            before = moment.stress_threads
        else:
            text = CALM
        if spans and spans[-1][1] == style:
            spans[-1] = (str(spans[-1][0]) + text, style)
        else:
            spans.append((text, style))
    return spans


def _duration(seconds: int) -> str:
    return f"{seconds} s" if seconds < 100 else f"{seconds // 60} m"
