"""Help, and what the device says of itself: plain text over the live screen, closed by any of its keys."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from textwrap import wrap
from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from latvar_tui.condition import Condition
from latvar_tui.format import ms, plural, printable, quantile_name, three_digits
from latvar_tui.study.board import Board, Contender
from latvar_tui.study.cell import Cell
from latvar_tui.study.quantiles import is_provisional
from latvar_tui.tui.keys import bindings, help_lines

_LEGEND = (
    "Bright bars: the last 5 s. Dim bars: everything under this condition. Grey outline: the shape when idle, or the "
    "base kept with b. A bar's height is the logarithm of its count, so that a tail shows beside its peak; all panels "
    "share one axis of milliseconds. The line below the bars is heavy where inferences mostly waited for a core, thin "
    "where they mostly ran.",
    "~ marks a number that rests on fewer than ten observations beyond it: it still moves. ÷best, ÷idle, ÷base: the "
    "quantile named before it as a multiple of the best candidate's, of its own without stress, of the kept base. "
    "p99wait: how much of p99 was waiting for a core.",
    "The line of dots is the session, its newest second last: a digit where the number of stress threads changed, a "
    "letter where something disturbed the measuring: T throttled, F clock changed, G governor changed, C cores taken "
    "away, Q CPU quota ran out, Z slept, K wall clock set, O other programs on the cores, S cores stolen by a "
    "hypervisor; and N where you have set a mark (n).",
    "A click or a drag on the slider sets the stress, a click on a key in the last line does what the key does. What "
    "stands here is in the command palette, too (ctrl+p). On a slow line fewer frames are drawn; nothing else changes.",
)


_FIRST = 5
"""Of the first inferences so many are shown: the later ones are like those that count."""


_CLOSING = "escape,enter,q,question_mark,i,space"
_BENEATH = {
    one.key: one.action
    for one in bindings()
    if not one.priority and one.key not in (*_CLOSING.split(","), "up", "down", "j", "k")
}
"""Keys that mean something on the live screen, and nothing in a box of text."""


class Fitted(Static):
    """Text that is made for the width it gets."""

    def __init__(self, lines_at: Callable[[int], Sequence[str]]) -> None:
        # No markup: a log or a reason may hold brackets.
        super().__init__(markup=False)
        self._lines_at = lines_at

    def on_resize(self, event: events.Resize) -> None:
        self.update("\n".join(map(printable, self._lines_at(max(1, event.size.width)))))


class TextDialog(ModalScreen[None]):
    """Some text that scrolls, and esc to leave."""

    DEFAULT_CSS = """
    TextDialog { align: center middle; }
    TextDialog > VerticalScroll {
        width: 94%; max-width: 100; height: auto; max-height: 92%;
        border: round $accent; padding: 0 1; background: $surface;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(_CLOSING, "dismiss_dialog", "close"),
        Binding("j", "scroll_text(1)", "down"),
        Binding("k", "scroll_text(-1)", "up"),
        # As bindings, which are looked up in order: what a dialog does in on_key overtakes the keys struck before.
        *(Binding(key, f"beneath('{key}')", show=False) for key in _BENEATH),
    ]

    def __init__(self, title: str, text: str | Callable[[int], Sequence[str]]) -> None:
        """``text``: what to show, or what makes its lines for a width."""
        super().__init__()
        self._title, self._lines_at = title, partial(hanging, text.split("\n")) if isinstance(text, str) else text

    def compose(self) -> ComposeResult:
        with VerticalScroll() as box:
            box.border_title = self._title
            box.border_subtitle = "esc closes"
            yield Fitted(self._lines_at)

    def on_resize(self) -> None:
        self.call_after_refresh(self._tell_keys)

    def _tell_keys(self) -> None:
        box = self.query_one(VerticalScroll)
        box.border_subtitle = "↑ ↓ scroll · esc closes" if box.max_scroll_y else "esc closes"

    def action_scroll_text(self, step: int) -> None:
        self.query_one(VerticalScroll).scroll_relative(y=step, animate=False)

    def action_dismiss_dialog(self) -> None:
        self.dismiss()

    def action_beneath(self, key: str) -> None:
        """Neither this box's nor for scrolling: what a key does on the screen beneath it does here, too."""
        self.dismiss()
        self.app.call_later(self.app.run_action, _BENEATH[key])


def hanging(lines: Sequence[str], width: int) -> list[str]:
    """Lines of at most ``width`` cells; what follows a name and two spaces is continued below itself."""
    fitted: list[str] = []
    for each in lines:
        name = re.match(r" *\S+(?: \S+)*  +|", each)
        assert name is not None
        indent = name.end() if name.end() <= width // 2 else 2
        fitted += wrap(each, width, subsequent_indent=" " * indent) or [""]
    return fitted


def help_dialog(first: Sequence[tuple[str, str]] = ()) -> TextDialog:
    """The keys, ``first`` those that are this screen's own, and how to read the screen."""
    rows = [*first, *(row for row in help_lines() if row[0] not in dict(first))]
    return TextDialog("keys", partial(_help_at, rows))


def _help_at(rows: Sequence[tuple[str, str]], width: int) -> list[str]:
    keys = max(cell_len(shown) for shown, _ in rows)
    lines: list[str] = []
    for shown, text in rows:
        pad = " " * (keys - cell_len(shown))
        lines += wrap(f"{pad}{shown}  {text}", width, subsequent_indent=" " * (keys + 2))
    for paragraph in _LEGEND:
        lines += ["", *wrap(paragraph, width)]
    return lines


def _fact(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "n/a" if value is None else str(value)


def candidate_dialog(board: Board, contender: Contender) -> TextDialog:
    """One candidate: what it is run with, what loading it took, and what it is fed."""
    rows: list[tuple[str, str]] = [("state", contender.state + (f": {contender.reason}" if contender.reason else ""))]
    for name, value in contender.candidate.settings.items():
        rows += [(name, text) for text in (value if isinstance(value, list) else [str(value)])]
    if contender.memory_mb is not None:
        rows.append(("memory", f"{contender.memory_mb:.1f} MB of its own"))
    if contender.load_ms is not None and contender.warm_ms is not None:
        first = [three_digits(each_ms) for each_ms in contender.cold_ms]
        rows.append(("loading", f"{three_digits(contender.load_ms)} ms"))
        rows.append(
            ("first", f"{' '.join(first[:_FIRST])}{' …' if len(first) > _FIRST else ''} ms, in no other number")
        )
        rows.append(("then", f"{three_digits(contender.warm_ms)} ms"))
    rows += [("input", text) for text in contender.inputs] + [("assumed", text) for text in contender.assumed]
    for condition in board.conditions:
        cell = board.cell(contender, condition)
        if cell is not None and cell.service.total:
            rows.append(
                (condition.title, f"{plural(cell.service.total, 'inference')} in {plural(cell.slices, 'slice')}")
            )
            rows += [("", text) for text in [cell.saturation(condition)] if text]
    rows += _where_time_went(board.cell(contender, board.condition), board.condition)
    # Not as the box's title, which takes brackets in a path for markup.
    return TextDialog("candidate", "\n".join([contender.id, "", *(f"{name:>10}  {text}" for name, text in rows)]))


_COUNTED = {
    "pool_wait_ns": ("pool wait", "ms a second, all its pool threads together", 1e-6),
    "involuntary_switches": ("preempted", "times a second", 1.0),
    "migrations": ("migrated", "times a second, to another core", 1.0),
}
"""What is shown of a slice's counters: a name, the unit of the rate, and how many of it one of the counter's is."""


def _where_time_went(cell: Cell | None, condition: Condition) -> list[tuple[str, str]]:
    """How much of each quantile was waiting, and what the system counted over the present cell's slices."""
    if cell is None or not cell.service.total:
        return []
    rows = [("", ""), ("under", str(condition))]
    for quantile in (50.0, 95.0, 99.0):
        waited_ns = cell.waiting.at_quantile_ns(cell.latency, quantile)
        if waited_ns is not None:
            unsure = "~" if is_provisional(cell.latency, quantile) else ""
            value = f"{unsure}{ms(cell.latency.quantile_ns(quantile))} ms"
            rows.append((quantile_name(quantile), f"{value}, {ms(waited_ns)} of it waiting"))
    if cell.wait_unavailable is not None:
        rows.append(("wait", f"n/a: {cell.wait_unavailable}"))
    for key, (name, unit, scale) in _COUNTED.items():
        counter = cell.counters[key]
        rate = counter.per_s
        text = f"n/a: {counter.reason}" if rate is None else f"{three_digits(rate * scale)} {unit}"
        rows.append((name, text))
    return rows


def device_dialog(board: Board, log: Sequence[str]) -> TextDialog:
    """Facts, sensors with the reasons of those that are missing, notes and the probe's log."""
    told = dict(board.device)
    watched, not_watched = told.pop("watched", None), told.pop("not_watched", None)
    watch = [f"{'watched for':>20}  {text}" for text in (watched if isinstance(watched, list) else [])]
    if isinstance(not_watched, dict):
        watch += [f"{'not here':>20}  {what}: {reason}" for what, reason in not_watched.items()]
    facts = [f"{name:>20}  {_fact(value)}" for name, value in told.items()]
    sensors = [
        f"{name:>20}  {reading.value if reading.reason is None else f'n/a: {reading.reason}'}"
        for name, reading in board.sensors.items()
    ]
    memory = [
        f"{contender.name:>20}  {contender.memory_mb} MB of its own"
        for contender in board.contenders
        if contender.memory_mb is not None
    ]
    waits = sorted({cell.wait_unavailable for _, _, cell in board.cells() if cell.wait_unavailable})
    parts = [
        *facts, "", *sensors, *(f"{'wait':>20}  n/a: {reason}" for reason in waits), "",
        *memory, "", *([*watch, ""] if watch else []),
        "notes", *(list(board.notes)[-10:] or ["  none"]), "",
        "log of the probe", *(list(log)[-20:] or ["  empty"]),
    ]  # fmt: skip
    return TextDialog("this device", "\n".join(parts))
