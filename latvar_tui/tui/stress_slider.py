"""One row that shows and sets the number of stress threads.

Keys belong to the application (they work wherever the focus is); the slider itself listens to the
mouse only.
"""

from __future__ import annotations

from typing import ClassVar

from rich.style import Style
from textual import events
from textual.message import Message

from latvar_tui.tui.line_widget import LineWidget, Span, line

LEAST_TRACK = 8
"""Cells below which a track is no use; then only the words are shown."""
WORDS_GAP = "  "
CORES_LABEL = "cores"


class StressSlider(LineWidget):
    """`0 ├━━━━●──┼cores──┤ 8  2 stress threads on 4 cores`

    The track is filled up to the value; the mark `┼` stands where threads equal cores, from where
    on they must share.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "stress-slider--track",
        "stress-slider--fill",
        "stress-slider--knob",
        "stress-slider--cores",
        "stress-slider--words",
    }
    DEFAULT_CSS = """
    StressSlider {
        height: 1;
        width: 1fr;
    }
    StressSlider > .stress-slider--track { color: $text-muted; }
    StressSlider > .stress-slider--fill { color: $warning; }
    StressSlider > .stress-slider--knob { color: $warning; text-style: bold; }
    StressSlider > .stress-slider--cores { color: $text-muted; }
    StressSlider > .stress-slider--words { text-style: bold; }
    """

    class Changed(Message):
        """The user has moved the knob with the mouse to `value` threads."""

        def __init__(self, slider: StressSlider, value: int) -> None:
            super().__init__()
            self.slider = slider
            self.value = value

        @property
        def control(self) -> StressSlider:
            """The slider, for `@on(StressSlider.Changed, "#id")`."""
            return self.slider

    def __init__(
        self,
        maximum: int,
        cores: int,
        value: int = 0,
        *,
        kind: str = "cpu",
        ascii: bool = False,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        """Make a slider.

        Args:
            maximum: Most threads that can be set, at least 1.
            cores: Cores of the measured device, at least 1.
            value: Threads at first, 0 to maximum.
            kind: What they do; named where it is not the ordinary one.
            ascii: Draw with ASCII characters only.
        """
        super().__init__(name=name, id=id, classes=classes)
        self._maximum = max(1, maximum)
        self._cores = max(1, cores)
        self._value = self._clamp(value)
        self._kind = kind
        self._ascii = ascii
        self._dragging = False

    @property
    def value(self) -> int:
        """Threads shown. Setting it redraws and posts nothing; out of range means the nearest."""
        return self._value

    @value.setter
    def value(self, value: int) -> None:
        if self._clamp(value) != self._value:
            self._value = self._clamp(value)
            self._draw()

    @property
    def kind(self) -> str:
        """What the threads do. Setting it redraws and posts nothing."""
        return self._kind

    @kind.setter
    def kind(self, kind: str) -> None:
        if kind != self._kind:
            self._kind = kind
            self._draw()

    @property
    def maximum(self) -> int:
        """Most threads that can be set."""
        return self._maximum

    @property
    def cores(self) -> int:
        """Cores of the measured device."""
        return self._cores

    def set_range(self, maximum: int, cores: int) -> None:
        """Take another device's limits; the value follows if it is above the new maximum."""
        self._maximum, self._cores = max(1, maximum), max(1, cores)
        self._value = self._clamp(self._value)
        self._draw()

    @property
    def words(self) -> str:
        """The value in words; fewer of them where the track would have no room."""
        return self._told(self._value, short=self._is_short)

    def _told(self, value: int, *, short: bool) -> str:
        threads = "stress" if short else "stress thread" if value == 1 else "stress threads"
        cores = "core" if self._cores == 1 else "cores"
        return f"{value} {self._named}{threads} on {self._cores} {cores}"

    @property
    def _is_short(self) -> bool:
        return self._room(len(self._told(self._most_words, short=False))) < LEAST_TRACK

    @property
    def _most_words(self) -> int:
        # The longest words there can be, so that the track does not change its length at 1 or 10.
        return max(2, self._maximum)

    @property
    def _named(self) -> str:
        return "" if self._kind == "cpu" else f"{self._kind} "

    def _clamp(self, value: int) -> int:
        return max(0, min(value, self._maximum))

    # Geometry: everything in cells from the left of the content.

    def _room(self, words_cells: int) -> int:
        """Cells of the track beside words of that length."""
        return self.size.width - len("0 ├") - len(f"┤ {self._maximum}{WORDS_GAP}") - words_cells

    @property
    def _track(self) -> tuple[int, int]:
        """Where the track starts and how long it is, its ends not counted; length 0: no room."""
        length = self._room(len(self._told(self._most_words, short=self._is_short)))
        return (len("0 ├"), length) if length >= LEAST_TRACK else (len("0 ├"), 0)

    def _column(self, value: int, length: int) -> int:
        """The cell of the track where this many threads are."""
        return round(self._clamp(value) * (length - 1) / self._maximum)

    def value_at(self, x: int) -> int:
        """The threads that a click on column `x` of the content means."""
        start, length = self._track
        if not length:
            return self._value
        return self._clamp(round((x - start) * self._maximum / (length - 1)))

    # Drawing.

    def _draw(self) -> None:
        if not self.is_mounted:
            return
        self.set_lines([line(*self._spans(), width=self.size.width)])

    def _spans(self) -> list[Span]:
        words: Span = (self.words, self._style("words"))
        _start, length = self._track
        if not length:
            return [words]
        left, right, empty, filled, knob, mark = "||-=O+" if self._ascii else "├┤─━●┼"
        track = self._style("track")
        at = self._column(self._value, length)
        cells = [(filled, self._style("fill"))] * at + [(empty, track)] * (length - at)
        if self._cores < self._maximum:
            cores = self._column(self._cores, length)
            cells[cores] = (mark, self._style("cores"))
            label = range(cores + 1, cores + 1 + len(CORES_LABEL))
            # The label only where it hides neither the filled part nor the end of the track.
            if label.stop < length and at <= cores:
                for column, letter in zip(label, CORES_LABEL, strict=True):
                    cells[column] = (letter, self._style("cores"))
        cells[at] = (knob, self._style("knob"))
        edge = f"{right} {self._maximum}{WORDS_GAP}"
        return [(f"0 {left}", track), *_merged(cells), (edge, track), words]

    def _style(self, part: str) -> Style:
        return self.get_component_rich_style(f"stress-slider--{part}")

    def notify_style_update(self) -> None:
        """A new theme changes the colours kept in the line."""
        super().notify_style_update()
        self._draw()

    def on_mount(self) -> None:
        """Draw the first line."""
        self._draw()

    def on_resize(self) -> None:
        """The track's length follows the width."""
        self._draw()

    # The mouse.

    def _move_to(self, value: int) -> None:
        if self._clamp(value) != self._value:
            self.value = value
            self.post_message(self.Changed(self, self._value))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Jump to the click, and follow the mouse from here on, also outside of the row."""
        if event.button == 1:
            event.stop()
            self._dragging = True
            self.capture_mouse()
            self._move_to(self.value_at(event.x - self.gutter.left))

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Follow a drag."""
        if self._dragging:
            event.stop()
            self._move_to(self.value_at(event.x - self.gutter.left))

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """End a drag."""
        if self._dragging:
            event.stop()
            self.release_mouse()

    def on_mouse_release(self) -> None:
        """The capture has ended, by us or by somebody else (a modal screen)."""
        self._dragging = False

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """One thread more."""
        event.stop()
        self._move_to(self._value + 1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """One thread less."""
        event.stop()
        self._move_to(self._value - 1)


def _merged(cells: list[tuple[str, Style]]) -> list[tuple[str, Style]]:
    """Neighbours of equal style as one span."""
    spans: list[tuple[str, Style]] = []
    for text, style in cells:
        if spans and spans[-1][1] == style:
            spans[-1] = (spans[-1][0] + text, style)
        else:
            spans.append((text, style))
    return spans
