"""The device: its sensors, who has its cores, where the candidates waited, and what the probe printed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.cells import cell_len, set_cell_size
from textual.strip import Strip

from latvar_tui.format import distinct, percent
from latvar_tui.study.board import Board, Contender
from latvar_tui.study.cell import Cell
from latvar_tui.tui.bars import BarStyles, histogram_rows
from latvar_tui.tui.board_panel import BoardPanel
from latvar_tui.tui.line_widget import Span, line
from latvar_tui.tui.palette import DIM, STRONG, WARNING
from latvar_tui.tui.view import View
from latvar_tui.wire import Reading

_TWO_COLUMNS_FROM = 100
_NAME = 15
_METER = 16
_SCALE = 11
_PLAIN = BarStyles(whole=DIM, recent=DIM, ghost=DIM)

_SENSORS = (
    ("cpu_pct", "CPU busy", "{:.0f} %", 100.0),
    ("steal_pct", "stolen", "{:.0f} %", 100.0),
    ("frequency_mhz", "clock", "{:.0f} MHz", None),
    ("temperature_c", "temperature", "{:.0f} °C", None),
    ("load_1min", "load, 1 min", "{:.2f}", None),
    ("memory_available_mb", "free memory", "{:.0f} MB", None),
)
"""Name, what it is called, how it is written, and for a meter its most."""

_FACTS = ("cpu", "cores", "physical_cores", "governor", "os", "onnxruntime")


class DevicePanel(BoardPanel):
    """Text that seldom changes: one line of it is drawn anew when a sensor does."""

    def __init__(
        self,
        board: Board,
        view: View,
        *,
        log: Callable[[], Sequence[str]] = tuple,
        ascii: bool = False,
        id: str | None = None,
    ) -> None:
        """``log`` tells what the probe has printed."""
        super().__init__(board, view, ascii=ascii, id=id)
        self._probe_log = log

    def draw(self, width: int, height: int) -> list[Strip]:
        name = str(self._board.device.get("name") or "?")
        more = "(i: with every reason)" if width >= _NAME + 40 else "(i: all)"
        head: list[Span] = [(f" this device: {name} ", STRONG), (more, DIM)]
        two = width >= _TWO_COLUMNS_FROM
        own = width // 2 if two else width
        left = [*self._sensors(own), *self._cores(own), [], *self._candidates(own)]
        right = [*self._facts(), [], *self._watch(), *self._notes()]
        room = height - 1
        if two:
            right += self._printed(max(8, len(left) - len(right)))
            rows = max(len(left), len(right))
            left += [[]] * (rows - len(left))
            right += [[]] * (rows - len(right))
            body = [line(*_padded(a, own), *b, width=width) for a, b in zip(left, right, strict=True)]
        else:
            # What changes comes first; the log takes what is left, and of a long line-up's the facts give way.
            log = self._printed(4)
            kept = [*left, [], *right][: max(len(left), room - len(log))]
            body = [line(*row, width=width) for row in [*kept, *log]]
        lines = [line(*head, width=width), *body]
        return [*lines, *self._history(width, height - len(lines))][:height]

    # -- now --------------------------------------------------------------------------------------

    def _sensors(self, width: int) -> list[list[Span]]:
        return [self._sensor(name, title, form, most, width) for name, title, form, most in _SENSORS]

    def _sensor(self, name: str, title: str, form: str, most: float | None, width: int) -> list[Span]:
        reading = self._board.sensors.get(name, Reading(reason="not read yet"))
        if reading.value is None:
            return [_label(title), (f"n/a: {reading.reason}"[: width - _NAME - 4], DIM)]
        value = form.format(reading.value).rjust(9)
        return [_label(title), value, *([] if most is None else [("  " + self._meter(reading.value / most), DIM)])]

    def _cores(self, width: int) -> list[list[Span]]:
        """Who has them: the stress, and others."""
        board = self._board
        cores = board.device.get("cores")
        most = float(cores) if isinstance(cores, int) and cores else 0.0
        stressed_ns, got_ns = 0, 0.0
        for _, condition, cell in board.cells():
            if condition == board.condition:
                stressed_ns, got_ns = stressed_ns + cell.stressed_ns, got_ns + cell.stress_cpu_ns
        rows = []
        for title, value, why in (
            ("cores, stress", got_ns / stressed_ns if stressed_ns else None, "no stress"),
            ("cores, others", board.others_cores, "not told here, or not yet"),
        ):
            if value is None:
                rows.append([_label(title), (f"n/a: {why}"[: width - _NAME - 4], DIM)])
            else:
                meter = [("  " + self._meter(value / most), DIM)] if most else []
                rows.append(
                    [_label(title), (f"{value:.2f} of {most:.0f}" if most else f"{value:.2f}").rjust(9), *meter]
                )
        return rows

    def _meter(self, share: float) -> str:
        full, empty = ("#", ".") if self._ascii else ("━", "─")
        filled = max(0, min(_METER, round(share * _METER)))
        return full * filled + empty * (_METER - filled)

    # -- since the beginning ----------------------------------------------------------------------

    def _history(self, width: int, room: int) -> list[Strip]:
        """Of each sensor that has something to show, as many rows as there are, at most four."""
        columns = width - _NAME - _SCALE - 3
        shown = []
        for name, title, form, most in _SENSORS:
            means = self._board.readings.means(name, columns)
            values = [mean for mean in means if mean is not None]
            if values:
                shown.append((title, form, means, min(values) if most is None else 0.0, most or max(values)))
        while shown and (room - 2) // len(shown) < 3:
            shown.pop()
        if not shown or columns < 10:
            return []
        rows = min(4, (room - 2) // len(shown))
        lines = [line(""), line(("   since the beginning", DIM))]
        for title, form, means, low, high in shown:
            lines += self._chart(title, form, means, low, high, rows - 1, width)
        return lines

    def _chart(
        self, title: str, form: str, means: Sequence[float | None], low: float, high: float, rows: int, width: int
    ) -> list[Strip]:
        """Bars between two values, which stand at the left of the top row and the bottom row; then a blank line.

        Of what has not changed, as it is written, one value stands where the bars end: half way up.
        """
        names = form.format(high), form.format(low)
        span = high - low if names[0] != names[1] else 0.0
        top = 0 if span else rows - (rows + 1) // 2
        heights = [0.0 if mean is None else (mean - low) / span if span else 0.5 for mean in means]
        there = [mean is not None for mean in means]
        drawn = histogram_rows(
            [max(height, 0.01) if is_there else 0.0 for height, is_there in zip(heights, there, strict=True)],
            None, None, rows, styles=_PLAIN, ascii=self._ascii,
        )  # fmt: skip
        lines = []
        for y, cells in enumerate(drawn):
            name = _label(title) if y == 0 else _label("")
            scale = names[0] if y == top else names[1] if y == rows - 1 and span else ""
            lines.append(line(name, (f"{scale:>{_SCALE - 1}} ", DIM), cells, width=width))
        return [*lines, line("")]

    # -- the candidates ---------------------------------------------------------------------------

    def _candidates(self, width: int) -> list[list[Span]]:
        contenders = self._board.contenders
        room = max(8, min(28, width - 34))
        names = distinct([contender.name for contender in contenders], room)
        head = set_cell_size("   candidates", room + 5) + f"{'waited':>7} {'memory':>8} {'threads':>8}"
        rows: list[list[Span]] = [[(head, DIM)]]
        for contender, name in zip(contenders, names, strict=True):
            cell = self._board.cell(contender, self._board.condition)
            memory = f"{contender.memory_mb:.0f} MB" if contender.memory_mb is not None else "n/a"
            numbers = f"{_waited(cell):>7} {memory:>8} {contender.candidate.threads:>8}"
            own: Span = (self.marker(contender) + set_cell_size(name, room + 2), self.name_style(contender))
            rows.append([own, (numbers, DIM) if contender.is_out else numbers, *_reason(contender, cell)])
        return rows

    # -- what is known of it ----------------------------------------------------------------------

    def _facts(self) -> list[list[Span]]:
        told = self._board.device
        rows: list[list[Span]] = []
        for name in _FACTS:
            value = told.get(name)
            rows.append([_label(name.replace("_", " ")), ("n/a", DIM) if value is None else str(value)])
        return rows

    def _watch(self) -> list[list[Span]]:
        told = self._board.device.get("watched")
        watched = ", ".join(map(str, told)) if isinstance(told, list) else ""
        return [[_label("watched for"), watched], []] if watched else []

    def _notes(self) -> list[list[Span]]:
        notes = list(self._board.notes)[-4:]
        return [[("   notes", DIM)], *map(_indented, notes), []] if notes else []

    def _printed(self, room: int) -> list[list[Span]]:
        """The probe's log, as much as fits."""
        if room < 2:
            return []
        log = list(self._probe_log())[-(room - 1) :]
        return [[("   log of the probe", DIM)], *map(_indented, log or ["nothing"])]


def _indented(text: str) -> list[Span]:
    return [f"   {text}"]


def _label(title: str) -> Span:
    return (f"   {title:<{_NAME}}", DIM)


def _waited(cell: Cell | None) -> str:
    share = cell.wait_share(0) if cell is not None and cell.service.total else None
    return "n/a" if share is None else percent(share)


def _reason(contender: Contender, cell: Cell | None) -> list[Span]:
    if contender.is_out:
        return [(f"  {contender.state}", WARNING)]
    if cell is not None and cell.wait_unavailable:
        return [(f"  {cell.wait_unavailable}", DIM)]
    return []


def _padded(spans: Sequence[Span], width: int) -> list[Span]:
    """Spans cut or filled to a width."""
    padded: list[Span] = []
    used = 0
    for span in spans:
        text, style = (span, None) if isinstance(span, str) else span
        text = text if used + cell_len(text) <= width - 1 else set_cell_size(text, max(0, width - 1 - used))
        used += cell_len(text)
        padded.append(text if style is None else (text, style))
    return [*padded, " " * (width - used)]
