"""The views by name, the present one in bold; a click shows one. Their initials, as capitals, are their keys."""

from __future__ import annotations

from textual import events

from latvar_tui.tui.line_widget import LineWidget, Span, line
from latvar_tui.tui.palette import DIM, PRESENT, STRONG
from latvar_tui.tui.views.names import OVERVIEW, VIEWS


class Tabs(LineWidget):
    """One line: all names where they fit, else the initials of those that are not shown."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._present = OVERVIEW
        self._places: list[tuple[range, str]] = []

    def show(self, present: str) -> None:
        if present != self._present:
            self._present = present
            self._tell()

    def on_resize(self) -> None:
        self._tell()

    def _tell(self) -> None:
        width = self.size.width
        whole = sum(len(view.title) + 2 for view in VIEWS) <= width
        spans: list[Span] = []
        self._places, at = [], 0
        for view in VIEWS:
            is_present = view.name == self._present
            text = view.title if whole or is_present else view.key
            if is_present:
                spans += [" ", (text, PRESENT), " "]
            else:
                spans += [" ", (text[0], STRONG), (f"{text[1:]} ", DIM)]
            self._places.append((range(at, at + len(text) + 2), view.name))
            at += len(text) + 2
        self.set_lines([line(*spans, width=width)])

    async def on_click(self, event: events.Click) -> None:
        for columns, name in self._places:
            if event.x in columns:
                await self.app.run_action(f"view('{name}')")
