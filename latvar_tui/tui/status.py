"""The header, the status line and the footer: one line each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from rich.style import Style
from textual import events

from latvar_tui import __version__
from latvar_tui.format import percent, plural
from latvar_tui.study.board import Board
from latvar_tui.tui.keys import footer_keys
from latvar_tui.tui.line_widget import LineWidget, Span, line
from latvar_tui.tui.palette import DIM, STRONG, WARNING
from latvar_tui.wire import Reading


class _Told(LineWidget):
    """A line that is told anew when its width changes: nothing else may come for a long time, in a recording."""

    _tell: Callable[[], None] | None = None

    def on_resize(self) -> None:
        if self._tell is not None:
            self._tell()


class Header(_Told):
    """What is measured, on which device; where it is recorded, and what this instrument itself costs.

    Of a recording: that it is one, and how far it has been played.
    """

    _shown: object = None

    def show(self, board: Board, about_itself: str, style: Style = DIM) -> None:
        self._tell = partial(self.show, board, about_itself, style)
        device = board.device
        if self._shown == (shown := (device, about_itself, style, self.size)):
            return
        self._shown = shown
        facts = [str(device.get("name") or "?"), str(device.get("cpu") or "")]
        cores = device.get("cores")
        if isinstance(cores, int):
            facts.append(plural(cores, "core"))
        runtime = device.get("onnxruntime")
        facts += [f"onnxruntime {runtime}"] if runtime else []  # an imported session may know of none
        left = f" latvar-tui {__version__}  " if device else f" latvar-tui {__version__}  starting"
        width = self.size.width
        parts = about_itself.split(" · ")
        while len(parts) > 1 and len(left) + len(" · ".join(parts)) + 1 > width:
            parts.pop()  # what it costs is the first to go
        right = f"{' · '.join(parts)} "
        middle = ""
        for fact in filter(None, facts if device else []):
            longer = f"{middle} · {fact}" if middle else fact
            if len(left) + len(longer) + len(right) < width:
                middle = longer
        gap = " " * max(1, width - len(left) - len(middle) - len(right))
        self.set_lines([line((left, STRONG), middle, gap, (right, style), width=width)])


class StatusLine(_Told):
    """How the measuring goes and what the sensors say: n/a where there is no reading (i tells why)."""

    def show(self, board: Board) -> None:
        self._tell = partial(self.show, board)
        counted = wall = stressed = saturated = 0
        stress_cpu_ns = 0.0
        condition, others = board.condition, board.others_cores
        for contender in board.contenders:
            cell = board.cell(contender, condition)
            if cell is None:
                continue
            if contender.candidate.has_model:  # else what is counted is lateness
                counted += cell.counted_ns
                wall += cell.wall_ns
            stressed += cell.stressed_ns
            stress_cpu_ns += cell.stress_cpu_ns
            saturated += bool(cell.saturation(condition))
        parts = [
            "idle" if condition.is_idle else f"{condition.stress_threads} × {condition.kind} at {condition.load_pct} %",
            *condition.extras,
            *([f"{saturated} of {len(board.contenders)} saturated"] if saturated else []),
            *([f"got {stress_cpu_ns / stressed:.2f} cores"] if stressed else []),
            f"measured {percent(counted / wall if wall else None):>5}",
            f"pauses {percent(board.gap_share):>4}",
            *([f"others {others:.2f} cores"] if others is not None and others > 0.05 else []),
            *([f"ungated {board.ungated} of {board.latest}"] if board.ungated else []),
            _reading(board.sensors, "cpu_pct", "CPU", "{:3.0f} %"),
            _reading(board.sensors, "steal_pct", "stolen", "{:2.0f} %"),
            _reading(board.sensors, "frequency_mhz", "clock", "{:4.0f} MHz"),
            _reading(board.sensors, "temperature_c", "temp", "{:3.0f} °C"),
            _reading(board.sensors, "memory_available_mb", "free", "{:5.0f} MB"),
        ]
        text, width = "", self.size.width
        for part in parts:
            if len(text) + len(part) + 3 <= width:
                text += f" {part} │"
        self.set_lines([line((text.rstrip("│ "), DIM), width=width)])


def _reading(sensors: Mapping[str, Reading], name: str, title: str, form: str) -> str:
    reading = sensors.get(name)
    return f"{title} n/a" if reading is None or reading.value is None else f"{title} {form.format(reading.value)}"


class Banner(_Told):
    """The latest thing the user should know."""

    _shown: object = None

    def show(self, text: str, warning: bool = False) -> None:
        self._tell = partial(self.show, text, warning)
        if self._shown == (shown := (text, warning, self.size)):
            return
        self._shown = shown
        self.set_lines([line((f" {text}" if text else "", WARNING if warning else DIM), width=self.size.width)])


class Footer(LineWidget):
    """The keys; a click on one does what it does."""

    def __init__(self, id: str | None = None, *, in_replay: bool = False) -> None:
        super().__init__(id=id)
        self._keys = footer_keys(in_replay)
        self._places: list[tuple[range, str]] = []

    def on_resize(self) -> None:
        spans: list[Span] = []
        self._places, at = [], 0
        # Help and quit are what a newcomer must find: they keep their place on a narrow screen.
        last_two = self._keys[-2:]
        room = self.size.width - sum(len(f" {label} ") + 1 for label, _ in last_two)
        for key in self._keys:
            label, action = key
            text = f" {label}"
            if key not in last_two:
                if len(text) + 1 > room:
                    continue
                room -= len(text) + 1
            name, _, rest = label.rpartition(" ")
            spans += [" ", (name, STRONG), (f" {rest} ", DIM)]
            self._places.append((range(at, at + len(text) + 1), action))
            at += len(text) + 1
        self.set_lines([line(*spans, width=self.size.width)])

    async def on_click(self, event: events.Click) -> None:
        for columns, action in self._places:
            if event.x in columns and action != "stress_to_key":
                await self.app.run_action(action)
