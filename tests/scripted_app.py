"""A screen like the real one, driven by a script instead of by measurements.

Used by the tests of the drawing layer, and as a program of its own on a pty by
`benchmarks/frame_cost.py` and `test_delta_pty.py`. The same seed gives the same frames.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import time
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
from rich.color import ColorSystem
from rich.style import Style
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.screen import ModalScreen
from textual.widgets import Static

from latvar_tui.tui.bars import BarStyles, axis_ticks, histogram_rows, log_count_heights
from latvar_tui.tui.delta import DeltaApp
from latvar_tui.tui.line_widget import LineWidget, line
from latvar_tui.tui.shadow import Shadow
from latvar_tui.tui.stress_slider import StressSlider

MODELS = 8
CHART_ROWS = 8
BARS = BarStyles(Style(color="blue"), Style(color="yellow"), Style(color="white"))
BOLD, DIM = Style(bold=True), Style(color="bright_black")
EDGES = np.geomspace(0.5e6, 2e8, 60)


class Board:
    """Latencies of some imaginary models, as they would come in: 25 to 60 a slice.

    Args:
        slices: Models that are measured between two frames: 1 as on a local screen, all of them
            as on one that shows a device far away.
    """

    def __init__(self, seed: int, slices: int) -> None:
        self._slices = slices
        self._rng = np.random.default_rng(seed)
        self._all = [np.zeros(59) for _ in range(MODELS)]
        self._times: list[np.ndarray] = [np.zeros(0) for _ in range(MODELS)]
        self._recent = [np.zeros(59) for _ in range(MODELS)]
        self._quantiles = np.zeros((MODELS, 6))
        self.frame = 0

    def advance(self) -> None:
        """Measure: the models take turns."""
        for model in (n % MODELS for n in range(self.frame * self._slices, (self.frame + 1) * self._slices)):
            times = self._rng.lognormal(np.log(2e6 * 1.5**model), 0.4, 60 - 5 * model)
            times = self._times[model] = np.concatenate((self._times[model], times))[-1000:]
            self._all[model] += np.histogram(times[-60:], EDGES)[0]
            self._recent[model] = np.histogram(times[-250:], EDGES)[0]
            self._quantiles[model] = np.quantile(times, [0.5, 0.9, 0.95, 0.99, 0.999, 1.0]) / 1e6
        self.frame += 1

    def table(self) -> list[Any]:
        head = line((" # model            n     p50     p90     p95     p99   p99.9     max", BOLD))
        rows = [head]
        for model, quantiles in enumerate(self._quantiles.tolist()):
            rows.append(
                line(
                    f" {model + 1} model{model}{int(self._all[model].sum()):>10}",
                    ("".join(f"{quantile:8.3g}" for quantile in quantiles), BOLD),
                )
            )
        return rows

    def chart(self, model: int, ascii: bool) -> list[Any]:
        floor = 1 / (8 * CHART_ROWS)
        rows = histogram_rows(
            log_count_heights(self._all[model], floor=floor),
            log_count_heights(self._recent[model], floor=floor),
            None,
            CHART_ROWS,
            styles=BARS,
            ascii=ascii,
        )
        title = line((f" {model + 1} model{model}", BOLD), f"  n {int(self._all[model].sum())}")
        return [title, *map(line, rows), line((axis_ticks(5e5, 2e8, 59), DIM))]


class Help(ModalScreen[None]):
    """A modal over the live board."""

    CSS = "Help { align: center middle; } Help Static { width: 40; height: 8; border: solid green; }"

    def compose(self) -> ComposeResult:
        yield Static("Help\n\nfirst line\n第二行 wide\n")


class ScriptedApp(DeltaApp[None]):
    """Header, slider, table and four histograms at 120 by 40."""

    ENABLE_COMMAND_PALETTE = False
    CSS = """
    #header, #footer { height: 1; }
    #table { height: 9; }
    Horizontal { height: 10; }
    Horizontal LineWidget { width: 1fr; }
    #notes { height: 1fr; }
    """
    BINDINGS: ClassVar[list[Any]] = [("q", "quit", "Quit")]

    def __init__(
        self,
        *,
        delta: bool = True,
        seed: int = 1,
        slices: int = 1,
        ascii: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.animation_level = "none"
        # One for all tests: Textual keeps a style's sequence for the life of the process.
        self.console._color_system = ColorSystem.TRUECOLOR
        self._shadow = Shadow(ColorSystem.TRUECOLOR)
        self.delta_active = self.delta_active and delta
        self.board = Board(seed, slices)
        self._ascii = ascii

    def compose(self) -> ComposeResult:
        yield LineWidget(id="header")
        yield StressSlider(8, 2, id="slider")
        yield LineWidget(id="table")
        for pair in range(2):
            with Horizontal():
                yield LineWidget(id=f"chart{2 * pair}")
                yield LineWidget(id=f"chart{2 * pair + 1}")
        yield LineWidget(id="notes")
        yield LineWidget([line("q Quit")], id="footer")

    def lines(self, name: str) -> LineWidget:
        return self.screen_stack[0].query_one(f"#{name}", LineWidget)

    def advance(self) -> None:
        """Show the next frame."""
        self.board.advance()
        self.show()

    def show(self) -> None:
        """Bring the screen up to the board."""
        self.lines("header").set_lines([line(f" latvar-tui  frame {self.board.frame}")])
        self.lines("table").set_lines(self.board.table())
        for model in range(4):
            self.lines(f"chart{model}").set_lines(self.board.chart(model, self._ascii))


class KeyApp(ScriptedApp):
    """Shows a frame for each press of n."""

    def on_mount(self) -> None:
        # As the real screen: without a handler of its own the event loop may sleep on through a signal.
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self.exit)
        self.call_after_refresh(self.advance)

    def key_n(self) -> None:
        self.advance()


class PtyApp(ScriptedApp):
    """Runs through its frames by itself, the next when the last has left, then ends."""

    def __init__(self, frames: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.costs: list[tuple[float, int]] = []
        self._frames = frames
        self._steps = self._script()

    def on_mount(self) -> None:
        self.call_after_refresh(self._next)

    def _next(self) -> None:
        next(self._steps, None)

    def _script(self) -> Iterator[None]:
        for _ in range(self._frames):
            self.board.advance()
            cpu, written = time.thread_time(), self.bytes_written
            self.show()
            self.call_after_refresh(self.when_flushed, self._next)
            yield
            self.costs.append(((time.thread_time() - cpu) * 1e3, self.bytes_written - written))
        self.exit()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--plain", action="store_true", help="draw as Textual does")
    parser.add_argument("--frames", type=int, default=40, help="0: a frame for each key n, until q")
    parser.add_argument("--slices", type=int, default=1, help="models measured between two frames")
    parser.add_argument("--theme", default="textual-dark")
    parser.add_argument("--costs", help="file for [CPU ms, bytes] of each frame, as JSON")
    options = parser.parse_args()
    drawing: dict[str, Any] = {"delta": not options.plain, "slices": options.slices}
    app = PtyApp(options.frames, **drawing) if options.frames else KeyApp(**drawing)
    app.theme = options.theme
    app.run()
    if isinstance(app, PtyApp) and options.costs:
        with open(options.costs, "w", encoding="utf-8") as file:
            json.dump(app.costs, file)


if __name__ == "__main__":
    main()
