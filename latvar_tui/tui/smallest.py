"""On a screen that is too small for any picture one sentence stands in its place, and the keys go on working."""

from __future__ import annotations

from textwrap import wrap

from textual import events
from textual.geometry import Size

from latvar_tui.tui.line_widget import LineWidget, line
from latvar_tui.tui.looking import LookingApp
from latvar_tui.tui.status import StatusLine

LEAST = Size(40, 15)
STATUS_FROM = 20
"""Rows of screen from which the status line is shown: on fewer the histograms need its row more."""


class TooSmall(LineWidget):
    """Covers everything while it is shown."""

    DEFAULT_CSS = "TooSmall { layer: above; dock: top; width: 100%; height: 100%; background: $background; }"

    def on_resize(self) -> None:
        width, height = self.size
        text = (
            f"This screen is {width}×{height}, and latvar-tui needs {LEAST.width}×{LEAST.height}: make it larger. "
            "Measuring goes on; q quits."
        )
        self.set_lines([line(row) for row in wrap(text, max(1, width))])


class SizedApp(LookingApp):
    """A live screen that knows its least size."""

    def on_mount(self) -> None:
        self.mount(TooSmall(id="too-small"))
        self._fit(self.size)

    def on_resize(self, event: events.Resize) -> None:
        self._fit(event.size)

    def _fit(self, size: Size) -> None:
        for cover in self.screen_stack[0].query(TooSmall) if self.screen_stack else ():
            cover.display = size.width < LEAST.width or size.height < LEAST.height
        for status in self.screen_stack[0].query(StatusLine) if self.screen_stack else ():
            status.display = size.height >= STATUS_FROM
