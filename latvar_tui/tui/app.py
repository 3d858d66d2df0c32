"""The live screen: takes frames, draws each in the gap it came in, and says go. Measures nothing itself."""

from __future__ import annotations

import asyncio
import signal
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, ClassVar, Protocol

from textual import events
from textual.app import ComposeResult, SystemCommand
from textual.binding import BindingType
from textual.message import Message
from textual.screen import Screen

from latvar_tui import headless, wire
from latvar_tui.candidate import Candidate, Condition
from latvar_tui.link import LinkLost
from latvar_tui.study.board import Board
from latvar_tui.tui.cost import FrameCost
from latvar_tui.tui.delta import DeltaApp
from latvar_tui.tui.dialogs import device_dialog, help_dialog
from latvar_tui.tui.histogram_panel import HistogramPanel
from latvar_tui.tui.keys import KEYS, bindings
from latvar_tui.tui.status import Banner, Footer, Header, StatusLine
from latvar_tui.tui.stress_slider import StressSlider
from latvar_tui.tui.table_panel import TablePanel
from latvar_tui.tui.view import View

DEAD_MAN_S = 600.0
"""Stress ends when no key has been struck for so long, unless ``--hold``: a phone in a pocket."""

LEGENDS = (
    "bright: last 5 s · dim: all under this condition · outline: idle, or the base (b) · height: log of the count",
    "bright: last 5 s · dim: all · outline: idle or base · height: log count",
    "bright: last 5 s · dim: all",
)


class FrameSource(Protocol):
    """What the screen needs of a link: see :class:`latvar_tui.link.Link`."""

    log: deque[str]

    @property
    def descriptors(self) -> tuple[int, int]: ...
    def receive(self) -> list[wire.Frame]: ...
    def read_log(self) -> bool: ...
    def send(self, command: wire.Command) -> None: ...
    def close(self) -> None: ...


Connect = Callable[[Condition], FrameSource]
"""Starts a probe on the line-up under a condition."""


class LiveApp(DeltaApp[int]):
    """The live screen over one probe at a time."""

    CSS_PATH = "live.tcss"
    TITLE = "latvar-tui"
    BINDINGS: ClassVar[list[BindingType]] = bindings()
    ENABLE_COMMAND_PALETTE = True

    class Arrived(Message):
        """Frames have come; ``lost`` says why there will be no more."""

        def __init__(self, frames: Sequence[wire.Frame], lost: str | None) -> None:
            super().__init__()
            self.frames, self.lost = frames, lost

    def __init__(
        self,
        link: FrameSource,
        connect: Connect,
        candidates: Sequence[Candidate],
        condition: Condition,
        *,
        maximum: int,
        cores: int,
        ranked_by: float = 99.0,
        hold: bool = False,
        cost: FrameCost | None = None,
    ) -> None:
        super().__init__()
        self.animation_level = "none"
        self.board = Board(candidates)
        self.view = View(ranked_by=ranked_by)
        self.message = ""
        self._link: FrameSource | None = link
        self._connect = connect
        self._maximum, self._cores, self._hold = maximum, cores, hold
        self._wanted = condition
        self._load_pct = condition.load_pct
        self._slice_runs = False
        self._busy = False
        self._touched_s = time.monotonic()
        self._cost = cost or FrameCost(lambda: self.bytes_written)

    # -- composing and ending -----------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        yield Header(id="header")
        yield HistogramPanel(self.board, self.view, id="histograms")
        yield TablePanel(self.board, self.view, id="table")
        yield StressSlider(self._maximum, self._cores, self._wanted.stress_threads, id="slider")
        yield StatusLine(id="status")
        yield Banner(id="banner")
        yield Footer(id="footer")

    def on_mount(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            # Textual has no handler of its own: the terminal would stay in its alternate screen.
            loop.add_signal_handler(number, partial(self.exit, 128 + number))
        self.app_suspend_signal.subscribe(self, lambda _: self._send(wire.Hold()), immediate=True)
        self.app_resume_signal.subscribe(self, lambda _: self._send(wire.Resume()), immediate=True)

    def on_ready(self) -> None:
        """Painted: from here on the probe may measure."""
        self._fit_table()
        self._draw()
        self._listen()

    def on_resize(self) -> None:
        self._fit_table()
        self.call_after_refresh(self._draw)

    def _fit_table(self) -> None:
        """A second table where the histograms keep at least four rows a candidate beside it."""
        table = self.query_one(TablePanel)
        rows = table.one_table_rows
        others = 4  # header, slider, status, banner, footer less the axis
        room = self.size.height - others - 2 * rows
        two = room >= 4 * len(self.board.contenders) + 1
        table.styles.height = 2 * rows if two else rows

    def on_unmount(self) -> None:
        self._stop_listening()

    # -- frames -------------------------------------------------------------------------------------

    def _listen(self) -> None:
        link = self._link
        assert link is not None
        loop = asyncio.get_running_loop()
        frames_fd, log_fd = link.descriptors
        loop.add_reader(frames_fd, self._readable)
        loop.add_reader(log_fd, self._log_readable)
        self.call_after_refresh(self.when_flushed, partial(self._go, 0))

    def _stop_listening(self) -> None:
        if self._link is not None:
            for fd in self._link.descriptors:
                asyncio.get_running_loop().remove_reader(fd)

    def _readable(self) -> None:
        assert self._link is not None
        lost = None
        frames: list[wire.Frame] = []
        try:
            frames = self._link.receive()
        except LinkLost as error:
            lost = str(error)
            self._drop_link()
        self._slice_runs = False
        self.post_message(self.Arrived(frames, lost))

    def _log_readable(self) -> None:
        if self._link is not None and not self._link.read_log():
            asyncio.get_running_loop().remove_reader(self._link.descriptors[1])

    def _drop_link(self) -> None:
        self._stop_listening()
        self.leave_probe()

    def leave_probe(self) -> None:
        """End the probe, if there is one. Safe to call twice, and after the event loop has gone."""
        if self._link is not None:
            self._link.close()
            self._link = None

    def on_live_app_arrived(self, event: LiveApp.Arrived) -> None:
        """Draw what has come, then let the probe go on."""
        last = 0
        for frame in event.frames:
            self.board.take(frame)
            try:
                headless.refuse(frame, self.board)
            except headless.Refused as error:
                self.message = str(error)
                self.exit(2)
                return
            except LinkLost as error:
                self.board.notes.append(str(error))
            if isinstance(frame, wire.Slice):
                last = frame.seq
        if event.lost is not None and self.board.failure is None:
            self.board.notes.append(event.lost)
        self._dead_man()
        if not self.view.frozen:
            self._draw()
        if last:
            self.call_after_refresh(self.when_flushed, partial(self._go, last))

    def _go(self, seq: int) -> None:
        """Everything drawn has left: asleep from here on, until the next frame or key."""
        self._slice_runs = True
        self._send(wire.Go(seq))
        self._cost.frame()

    def _send(self, command: wire.Command) -> None:
        if self._link is not None:
            self._link.send(command)

    # -- drawing ------------------------------------------------------------------------------------

    def _draw(self) -> None:
        if not self.screen_stack:
            return
        base = self.screen_stack[0]
        base.query_one(Header).show(self.board, self._cost.text)
        base.query_one(HistogramPanel).redraw()
        base.query_one(TablePanel).redraw()
        base.query_one(StressSlider).value = self._wanted.stress_threads
        base.query_one(StatusLine).show(self.board)
        base.query_one(Banner).show(*self._banner())

    def _banner(self) -> tuple[str, bool]:
        if self._link is None:
            last = self.board.notes[-1] if self.board.notes else ""
            return f"{last}  enter starts it again, q quits", True
        if self.view.frozen:
            return "picture frozen; measuring goes on (space)", True
        if self.board.notes:
            return self.board.notes[-1], False
        return next((text for text in LEGENDS if len(text) < self.size.width), ""), False

    # -- disturbance --------------------------------------------------------------------------------

    async def on_event(self, event: events.Event) -> None:
        """Answer keys and mouse at once; tell the probe, if a slice runs, from when to when that took."""
        if isinstance(event, events.InputEvent | events.Resize):
            if isinstance(event, events.InputEvent):
                self._touched_s = time.monotonic()
            if self._slice_runs and not self._busy:
                self._busy = True
                self._send(wire.Busy(time.perf_counter_ns()))
                self.call_after_refresh(self.when_flushed, self._quiet)
        await super().on_event(event)

    def _quiet(self) -> None:
        self._busy = False
        self._send(wire.Quiet(time.perf_counter_ns()))

    def _dead_man(self) -> None:
        idle_s = time.monotonic() - self._touched_s
        if not self._hold and self._wanted.stress_threads and idle_s > DEAD_MAN_S:
            self._touched_s = time.monotonic()
            self._want(0)
            self.board.notes.append("No key for ten minutes, so the stress was ended (--hold keeps it).")

    # -- what keys do -------------------------------------------------------------------------------

    def _want(self, threads: int) -> None:
        threads = max(0, min(threads, self._maximum))
        wanted = Condition(threads, "cpu", self._load_pct)
        if wanted != self._wanted:
            self._wanted = wanted
            self._send(wire.SetCondition(str(wanted)))
        self.query_one(StressSlider).value = threads

    def on_stress_slider_changed(self, event: StressSlider.Changed) -> None:
        self._want(event.value)

    def action_stress(self, step: int) -> None:
        self._want(self._wanted.stress_threads + step)

    def action_stress_to(self, threads: int) -> None:
        if threads > self._maximum:
            self._say(f"{threads} is more than --max-stress {self._maximum}, so it is {self._maximum}.")
        self._want(threads)

    def action_load(self, step_pct: int) -> None:
        self._load_pct = max(10, min(100, self._load_pct + step_pct))
        self._want(self._wanted.stress_threads)
        self._say(f"Each stress thread is busy {self._load_pct} % of the time.")

    def action_select(self, step: int) -> None:
        self.view.selected = (self.view.selected + step) % len(self.board.contenders)
        self._draw()

    def action_leaf(self, step: int) -> None:
        self.view.turn(self.board, step)
        self._draw()

    def action_next_quantile(self) -> None:
        self.view.next_quantile()
        self._draw()

    def action_window(self) -> None:
        self.view.recent_only = not self.view.recent_only
        self._draw()

    def action_keep_base(self) -> None:
        self.view.toggle_base(self.board)
        kept = self.view.base_condition
        self._say(f"Base kept: the histograms under {kept}." if kept else "No base is kept.")

    def action_clear(self) -> None:
        self.board.clear()
        self._say("Counts cleared.")

    def action_freeze(self) -> None:
        self.view.frozen = not self.view.frozen
        self._draw()

    def action_show_device(self) -> None:
        self.push_screen(device_dialog(self.board, self._link.log if self._link else ()))

    def action_show_help(self) -> None:
        self.push_screen(help_dialog())

    def action_redraw_screen(self) -> None:
        self.redraw()

    def action_hold(self) -> None:
        self.action_suspend_process()

    def action_leave(self) -> None:
        self.exit(0)

    def action_interrupt(self) -> None:
        self.exit(130)

    def key_enter(self) -> None:
        """Start a probe that has died again; what was measured stays."""
        if self._link is None:
            self.board.restart()
            self._link = self._connect(self._wanted)
            self._say("The probe is starting again.")
            self._listen()

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        yield from super().get_system_commands(screen)
        for key in KEYS:
            if key.action not in ("stress_to_key", "command_palette"):
                yield SystemCommand(key.help, f"key: {key.shown}", partial(self.run_action, key.action))

    def _say(self, text: str) -> None:
        self.board.notes.append(text)
        self._draw()


def run_screen(
    link: FrameSource,
    connect: Connect,
    candidates: Sequence[Candidate],
    condition: Condition,
    *,
    maximum: int,
    cores: int,
    ranked_by: float,
    hold: bool,
) -> tuple[int, str, Board]:
    """Show the live screen until the user leaves.

    Returns:
        The exit status, a sentence for stderr (or ""), and everything measured.
    """
    app = LiveApp(
        link, connect, candidates, condition, maximum=maximum, cores=cores, ranked_by=ranked_by, hold=hold
    )
    status = app.run()
    app.leave_probe()
    if app.return_code not in (0, None) and status is None:
        status = 1  # Textual has printed what went wrong
    return status or 0, app.message, app.board
