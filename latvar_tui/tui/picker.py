"""Choosing models while the others go on: a list to search, settings to change, enter adds or removes.

The text field holds what one would type on the command line, ``mobilenet@spin=off``: the part before the @ filters,
the settings behind it are what a chosen model is added with. The chips below only edit that text.
"""

from __future__ import annotations

import textwrap
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Input

from latvar_tui.candidate import Candidate, UsageError, parse_candidate
from latvar_tui.remembered import LastP50
from latvar_tui.shelf import Choice, choices
from latvar_tui.study.board import Board, Contender
from latvar_tui.tui.line_widget import LineWidget, line
from latvar_tui.tui.palette import DIM, WARNING
from latvar_tui.tui.picker_list import PickerList
from latvar_tui.tui.picker_settings import PickerSettings, settings_text

_HINT = "tab settings · esc closes"
_SETTINGS_HINT = "← → which setting, ↑ ↓ its value, enter adds"
_MESSAGE_LINES = 3


class Picker(ModalScreen[None]):
    """Posts what is chosen; whoever shows it changes the board, and calls :meth:`refresh_list`."""

    DEFAULT_CSS = """
    Picker { align: center middle; }
    Picker > Vertical {
        width: 94%; max-width: 100; height: 92%; max-height: 34;
        border: round $accent; padding: 0 1; background: $surface;
    }
    Picker Input, Picker Input:focus { background: $panel; margin-bottom: 1; }
    Picker PickerList { height: 1fr; }
    Picker PickerSettings { height: auto; margin-top: 1; }
    Picker #picker-message { height: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss_picker", "close"),
        Binding("up", "move(-1)", "up", priority=True),
        Binding("down", "move(1)", "down", priority=True),
        Binding("pageup", "move(-8)", "page up"),
        Binding("pagedown", "move(8)", "page down"),
        Binding("enter", "choose", "add or remove", priority=True),
    ]

    class Add(Message):
        """A candidate is to join the line-up."""

        def __init__(self, candidate: Candidate) -> None:
            super().__init__()
            self.candidate = candidate

    class Remove(Message):
        """A candidate is to leave it."""

        def __init__(self, contender: Contender) -> None:
            super().__init__()
            self.contender = contender

    def __init__(self, board: Board, cores: int) -> None:
        """``cores`` is the number of threads that a candidate has by default."""
        super().__init__()
        self._board, self._cores = board, cores
        self._last_p50 = LastP50(board)

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = "models"
            box.border_subtitle = _HINT
            field = Input(placeholder="name or path, with @settings", compact=True)
            field.cursor_blink = False  # it would draw while inferences are timed
            yield field
            yield PickerList(self._board, self._p50_ms)
            yield PickerSettings(self._board.device)
            yield LineWidget(id="picker-message")

    def on_mount(self) -> None:
        self.query_one(Input).focus()
        self.refresh_list()

    def refresh_list(self, message: str = "") -> None:
        """Bring everything up to date with the text and the line-up; ``message`` answers what was just done."""
        typed, _, _ = self._text.partition("@")
        self.query_one(PickerList).show(typed, choices(typed))
        candidate, problem = self._candidate(self.query_one(PickerList).selected)
        settings = self.query_one(PickerSettings)
        settings.show(candidate)
        if settings.has_focus and not message:
            message = _SETTINGS_HINT
        self._say(problem or message, warning=bool(problem))

    @property
    def _text(self) -> str:
        return self.query_one(Input).value.strip()

    def _say(self, text: str, warning: bool = False) -> None:
        label = self.query_one("#picker-message", LineWidget)
        rows = textwrap.wrap(text, max(10, label.size.width))[:_MESSAGE_LINES] or [""]
        label.styles.height = len(rows)
        label.set_lines([line((row, WARNING if warning else DIM)) for row in rows])

    def _candidate(self, row: Choice | Contender | None) -> tuple[Candidate, str]:
        """What enter would add: the row's model with the typed settings; and what is wrong with them.

        Of a row that is in the line-up, what is run with: changing it makes another candidate of the same model.
        """
        if isinstance(row, Contender):
            return row.candidate, ""
        model = row.model if row is not None else "model"
        _, _, settings = self._text.partition("@")
        plain = Candidate(self._cores, model=model)
        if not settings:
            return plain, ""
        try:
            candidate = parse_candidate(f"{model}@{settings}", self._cores)
        except UsageError as error:
            return plain, str(error)
        if candidate.model != model:  # the settings were taken for a part of its name
            return plain, f"@{settings} is no setting yet: write name=value, like @threads=1,spin=off, or @int8."
        return candidate, ""

    def _p50_ms(self, choice: Choice) -> float | None:
        return self._last_p50.p50_ms(self._candidate(choice)[0])

    # -- what is done -------------------------------------------------------------------------------

    @on(Input.Changed)
    def _typed(self) -> None:
        self.refresh_list()

    def action_move(self, step: int) -> None:
        settings = self.query_one(PickerSettings)
        if settings.has_focus:
            settings.change(step)
        else:
            self.query_one(PickerList).move(step)
            self.refresh_list()

    def action_choose(self) -> None:
        row = self.query_one(PickerList).selected
        candidate, problem = self._candidate(row)
        if row is None:
            self._say("Nothing here fits what you typed.", warning=True)
        elif isinstance(row, Contender):
            self.post_message(self.Remove(row))
        elif row.kind == "folder":
            self._write(row.model)
        elif problem:
            self._say(problem, warning=True)
        else:
            self.post_message(self.Add(candidate))

    def on_picker_list_chosen(self) -> None:
        self.refresh_list()

    def on_picker_list_acted(self) -> None:
        self.action_choose()

    def on_descendant_focus(self) -> None:
        self.refresh_list()

    def on_picker_settings_changed(self, event: PickerSettings.Changed) -> None:
        typed, _, _ = self._text.partition("@")
        row = self.query_one(PickerList).selected
        model = row.candidate.model if isinstance(row, Contender) else typed
        settings = settings_text(event.candidate, self._cores)
        self._write(f"{model}@{settings}" if settings else model)

    def _write(self, text: str) -> None:
        field = self.query_one(Input)
        field.value = text
        field.cursor_position = len(text)

    def action_dismiss_picker(self) -> None:
        self.dismiss()
