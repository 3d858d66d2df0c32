"""Two small questions over the live screen: the name of a mark, and the format of an export."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

_FORMATS = {
    "hlog": "HdrHistogram log, for its own tools",
    "hgrm": "HdrHistogram percentile tables, for plots",
    "csv": "rows, a cell and quantity each",
    "json": "the same rows",
}


class _Question(ModalScreen[str | None]):
    """A box with a title; esc answers nothing."""

    DEFAULT_CSS = """
    _Question { align: center middle; }
    _Question > VerticalScroll {
        width: 94%; max-width: 60; height: auto; max-height: 92%;
        border: round $accent; padding: 0 1; background: $surface;
    }
    _Question OptionList, _Question OptionList:focus {
        height: auto; border: none; background: $surface; padding: 0;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "nothing", "close")]

    def action_nothing(self) -> None:
        self.dismiss(None)


class MarkDialog(_Question):
    """Answers the name of a mark, which may be empty; None for no mark."""

    def compose(self) -> ComposeResult:
        with VerticalScroll() as box:
            box.border_title = "mark"
            box.border_subtitle = "enter sets it, esc does not"
            field = Input(placeholder="a name, or none", compact=True)
            field.cursor_blink = False  # it would draw while inferences are timed
            yield field

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.dismiss(event.value)


class FormatDialog(_Question):
    """Answers one of the formats; None for no export.

    ``window_s``: the screen shows so many of the last seconds, and an export has them all.
    """

    def __init__(self, window_s: float | None = None) -> None:
        super().__init__()
        self._window_s = window_s

    def compose(self) -> ComposeResult:
        with VerticalScroll() as box:
            box.border_title = "export every cell"
            box.border_subtitle = "enter exports, esc does not"
            if self._window_s is not None:
                yield Static(f"All that was counted, not only the {self._window_s:.0f} s on screen.")
            yield OptionList(*(Option(f"{form:5} {_FORMATS[form]}", id=form) for form in _FORMATS))

    def on_mount(self) -> None:
        self.query_one(OptionList).focus()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option_id)
