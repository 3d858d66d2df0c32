"""What the user keeps from the live screen: marks, exports, pictures. The files are written in ``session/``."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from textual.screen import Screen

from latvar_tui import wire
from latvar_tui.format import clock_time, plural, printable
from latvar_tui.session.beside import export_beside, picture_beside
from latvar_tui.session.layout import SessionError
from latvar_tui.session.recorder import Recorder
from latvar_tui.study.board import Board
from latvar_tui.study.table import table
from latvar_tui.tsv import tab_separated
from latvar_tui.tui.clipboard import osc_52
from latvar_tui.tui.dialogs import TextDialog
from latvar_tui.tui.keeping_dialogs import FormatDialog, MarkDialog
from latvar_tui.tui.line_widget import LineWidget
from latvar_tui.tui.smallest import SizedApp
from latvar_tui.tui.view import View

_LONGEST_NAME = 80


class Keeping(SizedApp):
    """The keys ``n``, ``y``, ``e`` and ``s`` of a live screen."""

    board: Board
    view: View
    recorder: Recorder

    def say(self, text: str) -> None:
        raise NotImplementedError

    def disturbing(self) -> None:
        """What follows takes time: if a slice runs, the probe is told from when to when."""
        raise NotImplementedError

    # -- notes and marks ----------------------------------------------------------------------------

    def note(self, text: str) -> None:
        """A note of the screen's own, kept in the session too."""
        self._note(wire.Note(text))

    def _note(self, note: wire.Note) -> None:
        self.board.take(note)
        self.recorder.take(note)  # written in the next gap, with whatever else there is

    def action_mark(self) -> None:
        if self.board.hello is None or not self.board.now_ns:
            self.say("Nothing has been measured yet, so there is nothing to mark.")
            return
        self.push_screen(MarkDialog(), self._mark)

    def _mark(self, name: str | None) -> None:
        """Set a mark at the end of the newest slice: None is no mark, and empty one without a name."""
        hello = self.board.hello
        if name is None or hello is None:
            return
        at_ns = self.board.now_ns
        where = clock_time(max(0, at_ns - hello.monotonic_ns))
        named = printable(name.strip())[:_LONGEST_NAME]
        note = wire.Note(f"Mark at {where}{': ' if named else ''}{named}", at_ns=at_ns)
        self._note(note)
        kept = "" if self.recorder.is_on else " (not recorded)"
        self.say(f"{note.text}{kept}")

    # -- the clipboard ------------------------------------------------------------------------------

    def action_copy(self) -> None:
        """The tables that stand side by side, or would where there is room."""
        board, view = self.board, self.view
        conditions = [board.condition, *filter(None, [view.beside(board)])]
        rows = [
            row
            for condition in conditions
            for row in table(
                board, condition, view.ranked_by, view.window_s if condition == board.condition else None, view.base
            )
        ]
        if not any(row.n for row in rows):
            self.say("Nothing has been measured yet, so there is nothing to copy.")
            return
        if self._driver is not None:
            self._driver.write(osc_52(tab_separated(rows, view.ranked_by), os.environ))
        self.say(f"Copied {plural(len(rows), 'row')} as tab-separated text, if this terminal lets a program do so.")

    # -- files --------------------------------------------------------------------------------------

    def action_export(self) -> None:
        self.push_screen(FormatDialog(self.view.window_s), self._export)

    def _export(self, form: str | None) -> None:
        if form is not None:
            self._save("exported", lambda: [export_beside(self.board, self.recorder.folder, form)])

    def action_picture(self) -> None:
        self._save("saved", self._picture)

    def _picture(self) -> list[Path]:
        lines = _text_of(self.screen) or _text_of(self.screen_stack[0])
        svg = self.export_screenshot(title=self.TITLE)
        return picture_beside(self.board, self.recorder.folder, svg, "\n".join([*lines, ""]))

    def _save(self, what: str, save: Callable[[], Sequence[Path]]) -> None:
        self.disturbing()
        try:
            paths = save()
        except SessionError as error:
            self.say(str(error))
            return
        self.push_screen(TextDialog(what, "\n".join(map(str, paths))))


def _text_of(screen: Screen[Any]) -> list[str]:
    """Its lines; none of one that is not made of them, a dialog say."""
    return [
        shown.render_line(row).text.rstrip()
        for shown in screen.children
        if isinstance(shown, LineWidget) and shown.display
        for row in range(shown.size.height)
    ]
