"""How far a recording has been played, in one line; a click jumps."""

from __future__ import annotations

from textual import events
from textual.message import Message

from latvar_tui.tui.line_widget import LineWidget, line
from latvar_tui.tui.palette import DIM, STRONG, WARNING

_LEAST_TRACK = 8
_ENDS = 2


class Scrubber(LineWidget):
    """``├━━━━●──────┤  4×, playing``"""

    class Moved(Message):
        """The user wants another time: a share of the whole."""

        def __init__(self, share: float) -> None:
            super().__init__()
            self.share = share

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._share, self._words = 0.0, ""

    def show(self, share: float, words: str) -> None:
        """Show how far it is (0 to 1), and how it goes."""
        self._share, self._words = max(0.0, min(1.0, share)), words
        track = self._track
        knob = round(self._share * (track - 1))
        words = f"  {self._words}"
        if track < _LEAST_TRACK:
            self.set_lines([line((words.strip(), STRONG), width=self.size.width)])
            return
        self.set_lines(
            [
                line(
                    ("├", DIM), ("━" * knob, WARNING), ("●", WARNING), ("─" * (track - 1 - knob) + "┤", DIM),
                    (words, STRONG), width=self.size.width,
                )
            ]
        )  # fmt: skip

    @property
    def _track(self) -> int:
        return self.size.width - _ENDS - len(self._words) - 2

    def on_resize(self) -> None:
        self.show(self._share, self._words)

    def on_click(self, event: events.Click) -> None:
        place = event.get_content_offset(self)
        if place is not None and self._track >= _LEAST_TRACK:
            self.post_message(self.Moved(max(0.0, min(1.0, (place.x - 1) / (self._track - 1)))))
