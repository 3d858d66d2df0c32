"""The live screen: takes frames, draws each in the gap it came in, and says go. Measures nothing itself."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

from rich.style import Style
from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.geometry import Size
from textual.message import Message
from textual.widget import Widget

from latvar_tui import headless, wire
from latvar_tui.candidate import Candidate
from latvar_tui.condition import Condition
from latvar_tui.link import LinkLost
from latvar_tui.session.recorder import NotRecording, Recorder
from latvar_tui.study.board import Board
from latvar_tui.tui.board_panel import BoardPanel
from latvar_tui.tui.cost import FrameCost
from latvar_tui.tui.feed import Feed, FrameSource
from latvar_tui.tui.frame_pace import PATIENCE_S, FramePace, is_far
from latvar_tui.tui.histogram_panel import HistogramPanel
from latvar_tui.tui.keys import bindings
from latvar_tui.tui.large_print import LargePrint
from latvar_tui.tui.line_widget import LineWidget
from latvar_tui.tui.looks import Looks, looks_here
from latvar_tui.tui.palette import DIM
from latvar_tui.tui.picker import Picker
from latvar_tui.tui.status import Banner, Footer, Header, StatusLine
from latvar_tui.tui.stress_slider import StressSlider
from latvar_tui.tui.table_panel import TablePanel
from latvar_tui.tui.telling import Telling
from latvar_tui.tui.timeline import COLUMNS_NEEDED, ROWS_NEEDED, TimelineLine
from latvar_tui.tui.view import View
from latvar_tui.tui.views.answers import Answers
from latvar_tui.tui.views.names import OVERVIEW, view_named
from latvar_tui.tui.views.stage import panels
from latvar_tui.tui.views.tabs import Tabs

DEAD_MAN_S = 600.0
"""Stress ends when no key has been struck for so long, unless ``--hold``: a phone in a pocket."""

Connect = Callable[[Sequence[Candidate], Condition], FrameSource]
"""Starts a probe on a line-up under a condition."""


@dataclass(frozen=True)
class _Parts:
    """What each frame draws: to look a widget up takes as long as to draw one in which nothing has changed."""

    header: Header
    histograms: HistogramPanel
    table: TablePanel
    slider: LineWidget
    timeline: TimelineLine
    status: StatusLine
    banner: Banner
    tabs: Tabs


class LiveApp(Telling):
    """The live screen over one probe at a time."""

    CSS_PATH = "live.tcss"
    TITLE = "latvar-tui"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings()]
    in_replay = False
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
        threads: int = 0,
        stressed: Condition | None = None,
        ranked_by: float = 99.0,
        deadline_ns: int | None = None,
        hold: bool = False,
        cost: FrameCost | None = None,
        recorder: Recorder | None = None,
    ) -> None:
        super().__init__()
        self.animation_level = "none"
        self.board = Board(candidates)
        self.answers = Answers(self.board)
        self.view = View(ranked_by=ranked_by, deadline_ns=deadline_ns)
        self.message = ""
        self._panels: dict[str, BoardPanel] = {}
        self._feed = Feed(link, self._deliver)
        self.recorder = recorder or NotRecording()
        self.recorder.follow(self.board)
        self._connect = connect
        self.maximum, self.threads, self._cores, self._hold = maximum, threads or cores, cores, hold
        self.wanted = condition
        # Idle has no kind of stress, say, and the slider may move.
        self.stressed = stressed or replace(condition, stress_threads=max(1, condition.stress_threads))
        self.joined_later = set()
        self._touched_s = time.monotonic()
        self.pace = FramePace()
        self._cost = cost or FrameCost(lambda: self.bytes_written)

    # -- composing and ending -----------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        self._panels = panels(self.board, self.view, self.answers, lambda: self.probe_log)
        self._parts = parts = _Parts(
            Header(id="header"),
            HistogramPanel(self.board, self.view, id="histograms"),
            TablePanel(self.board, self.view, can_stress=not self.in_replay, id="table"),
            self.slider(),
            TimelineLine(self.board.timeline, id="timeline"),
            StatusLine(id="status"),
            Banner(id="banner"),
            Tabs(id="tabs"),
        )
        yield parts.header
        yield parts.histograms
        yield from self._panels.values()
        yield from (parts.table, parts.slider, parts.timeline, parts.status, parts.banner, parts.tabs)
        yield Footer(id="footer", in_replay=self.in_replay)

    def slider(self) -> LineWidget:
        """The line between the tables and the timeline."""
        stress = self.wanted.stress_threads
        return StressSlider(self.maximum, self._cores, stress, kind=self.stressed.kind, id="slider")

    def on_mount(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # Textual has no handler of its own: the terminal would stay in its alternate screen. And with one of the
            # event loop's, any signal wakes the loop: Textual's handlers of ctrl+z and fg run at once.
            loop.add_signal_handler(number, partial(self.exit, 128 + number))
        self.app_suspend_signal.subscribe(self, lambda _: self._feed.send(wire.Hold()), immediate=True)
        self.app_resume_signal.subscribe(self, lambda _: self._feed.send(wire.Resume()), immediate=True)

    def on_ready(self) -> None:
        """Painted: from here on the probe may measure."""
        self.fit_table()
        self.draw()
        self._feed.watch()
        self._go_when_drawn(0)

    def on_resize(self, event: events.Resize) -> None:
        self.fit_table(event.size)
        self.call_after_refresh(self.draw)

    def fit_table(self, size: Size | None = None) -> None:
        """Give each of what the present view shows its place; in the overview a second table where there is room.

        There the histograms keep at least four rows a candidate beside it. While the screen is resized, ``size`` is
        what it will be: until then Textual holds on to the old one.
        """
        width, height = size or self.size
        shown = view_named(self.view.shown)
        parts = self._parts
        histograms, table, timeline, tabs = parts.histograms, parts.table, parts.timeline, parts.tabs
        histograms.display = shown.name == OVERVIEW
        table.display = shown.name == OVERVIEW or shown.beside_table
        for name, panel in self._panels.items():
            panel.display = name == shown.name
        # The timeline view has the same line at its own scale.
        timeline.display = width >= COLUMNS_NEEDED and height >= ROWS_NEEDED and shown.name != "timeline"
        tabs.display = height >= ROWS_NEEDED
        rows = table.one_table_rows
        others = 4 + timeline.display + tabs.display  # header, slider, status, banner, footer less the axis
        if shown.name == OVERVIEW:
            room = height - others - 2 * rows
            two = room >= 4 * len(self.board.contenders) + 1
            most = max(2, (height - others) // 2)  # a long line-up's rows scroll with the selection
            table.styles.height = 2 * rows if two else min(rows, most)
        else:
            table.styles.height = min(rows, max(2, (height - others) // 3))

    def show_view(self, name: str) -> None:
        self.view.shown = name
        self.fit_table()
        self.draw()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """In a dialog tab is the dialog's."""
        return len(self.screen_stack) == 1 if action == "next_view" else super().check_action(action, parameters)

    def on_unmount(self) -> None:
        self._feed.unwatch()

    def leave_probe(self) -> None:
        """End the probe, if there is one."""
        self._feed.close()

    # -- frames -------------------------------------------------------------------------------------

    def _deliver(self, frames: Sequence[wire.Frame], lost: str | None) -> None:
        """Take frames in their turn: at once if it is theirs, for a message takes as long as the table does."""
        if not self.handle_now(partial(self.take_frames, frames, lost)):
            self.post_message(self.Arrived(frames, lost))

    def on_live_app_arrived(self, event: LiveApp.Arrived) -> None:
        """It is their turn."""
        self.take_frames(event.frames, event.lost)

    def take_frames(self, frames: Sequence[wire.Frame], lost: str | None) -> None:
        """Draw what has come, then let the probe go on."""
        for frame in frames:
            self.recorder.take(frame)
        if frames and all(isinstance(f, wire.State) and f.state == "loading" and f.pid for f in frames):
            return  # a process has started to load: nothing new to see, and it is being measured
        # A note, say, may come in the middle of a slice.
        self.disturbing()
        last = ask = 0
        for frame in frames:
            if not self.take(frame):
                return
            if isinstance(frame, wire.Slice):
                last = frame.seq
                self.pace.measured((frame.end_ns - frame.start_ns) / 1e9, frame.gap_ns / 1e9)
            elif isinstance(frame, wire.State):
                ask = frame.ask or ask
        if lost is not None and self.board.failure is None:
            self.note(lost)
        if not self.is_running:
            return  # it came while the screen is taken down
        self._dead_man()
        if isinstance(self.screen, Picker) and any(isinstance(frame, wire.State) for frame in frames):
            self.screen.refresh_list()
        if lost is None and self.is_passing(frames) and not self.pace.is_due():
            if last:
                self._go_when_drawn(last, drawn=False)
            return
        if not self.view.frozen:
            self.pace.drawn()
            self.draw()
            self.when_drawn(self.pace.left)
        if ask:
            self.when_drawn(self._feed.answer_when_drawn(ask))
        if last:
            self._go_when_drawn(last)

    def is_passing(self, frames: Sequence[wire.Frame]) -> bool:
        """Whether more frames follow soon, so that these may be left out: what is no slice may stand for long."""
        return all(isinstance(frame, wire.Slice) for frame in frames)

    def take(self, frame: wire.Frame) -> bool:
        """Let the board take a frame; False if it ends the program."""
        self.board.take(frame)
        later = frame if isinstance(frame, wire.State) and frame.candidate in self.joined_later else None
        try:
            headless.refuse(frame, self.board)
        except headless.Refused as error:
            # What was chosen on the screen becomes a row that says why; wrong usage ends the program.
            if later is None:
                self.message = str(error)
                self.exit(2)
                return False
        except LinkLost:
            pass  # the board has the failure, and the banner shows it
        if self.view.sweep is not None and self.probe_is_alive:
            self.follow(self.view.sweep.take(frame))
        if later is not None and later.state == "ready":
            self.tell_of_loading(later.candidate)
        return True

    def _go_when_drawn(self, seq: int, *, drawn: bool = True) -> None:
        """Once what is drawn has left, let the probe go on; asleep from there on, until the next frame or key.

        A slow line is not waited for. What still leaves then, at the pace of a network, takes no time of this device;
        but a terminal on this device may be slow because it computes, and the probe is told so.
        """
        go = self._feed.go_when_drawn(seq)
        # While the picture leaves, on a thread of its own.
        for sentence in self.recorder.flush_in_gap():
            self.note(sentence)

        def asleep() -> None:
            go()
            if drawn:
                self._cost.frame()
            if self.backlog() and not self.pace.far:
                self.disturbing()

        if drawn:
            self.when_drawn(asleep, PATIENCE_S)
        else:
            asleep()

    def asks_for_echo(self) -> bool:
        return self.pace.asks()

    def on_cursor_position(self) -> None:
        """The terminal's echo: it has shown what was written before it was asked."""
        self.disturbing()  # it came in the middle of a slice, most likely
        self.pace.echoed()

    # -- drawing ------------------------------------------------------------------------------------

    def draw(self) -> None:
        if not self.is_running or not self.screen_stack:
            return
        parts = self._parts
        with self.painting_at_once():
            parts.header.show(self.board, *self.headline())
            self.answers.begin()
            for panel in self._shown_panels():
                panel.redraw()
            self.draw_slider(parts.slider)
            parts.timeline.redraw()
            parts.status.show(self.board)
            parts.banner.show(*self.banner())
            parts.tabs.show(self.view.shown)
        if isinstance(self.screen, LargePrint):
            self.screen.redraw()

    def _shown_panels(self) -> list[BoardPanel]:
        """Those of the present view: no other one is asked for anything."""
        shown, parts = view_named(self.view.shown), self._parts
        if shown.name == OVERVIEW:
            return [parts.histograms, parts.table]
        return [self._panels[shown.name], *([parts.table] if shown.beside_table else [])]

    def headline(self) -> tuple[str, Style]:
        """What the header says on its right."""
        return f"{self.recorder.state} · {self._cost.text}", DIM

    def draw_slider(self, slider: Widget) -> None:
        assert isinstance(slider, StressSlider)
        slider.value = self.wanted.stress_threads
        slider.kind = (self.stressed if self.wanted.is_idle else self.wanted).kind  # a sweep has its own

    # -- disturbance --------------------------------------------------------------------------------

    async def on_event(self, event: events.Event) -> None:
        """Answer keys and mouse at once; tell the probe, if a slice runs, from when to when that took."""
        # An event that nobody used comes here a second time, forwarded: it has been told of.
        if isinstance(event, events.InputEvent | events.Resize) and not event.is_forwarded:
            if isinstance(event, events.InputEvent):
                self._touched_s = time.monotonic()
                self.unsay(event.key if isinstance(event, events.Key) else "")
            self.disturbing()
        await super().on_event(event)

    def disturbing(self) -> None:
        """Tell the probe, if a slice runs, that this is drawing, and when it ends."""
        if self._feed.drawing_begins():
            # Not `when_drawn`: it has yet to be drawn.
            self.call_after_refresh(self.when_flushed, self._feed.drawing_ends)

    def _dead_man(self) -> None:
        idle_s = time.monotonic() - self._touched_s
        if not self._hold and self.wanted.stress_threads and idle_s > DEAD_MAN_S:
            self._touched_s = time.monotonic()
            self.want(0)
            self.note("No key for ten minutes, so the stress was ended (--hold keeps it).")

    # -- what keys need -----------------------------------------------------------------------------

    @property
    def probe_log(self) -> Sequence[str]:
        return self._feed.log

    @property
    def probe_is_alive(self) -> bool:
        return self._feed.is_alive

    def send(self, command: wire.Command) -> None:
        """Say something to the probe, if there is one."""
        self._feed.send(command)

    def start_again(self) -> None:
        """Start a probe in the place of one that has died; what was measured stays."""
        self.board.restart()
        candidates = [contender.candidate for contender in self.board.contenders]
        self._feed.attach(self._connect(candidates, self.wanted))
        self.say("The probe is starting again.")
        self._go_when_drawn(0)

    def want(self, threads: int) -> None:
        """Ask for so many stress threads, as far as they are allowed."""
        self.pause_sweep()
        threads = max(0, min(threads, self.maximum))
        wanted = replace(self.stressed, stress_threads=threads)
        if wanted != self.wanted:
            self.wanted = wanted
            self.send(wire.SetCondition(str(wanted)))
        slider = self.query_one(StressSlider)
        slider.value, slider.kind = threads, self.stressed.kind


def run_screen(app: LiveApp, looks: Looks | None = None, fps: float | None = None) -> tuple[int, str]:
    """Show the live screen until the user leaves.

    Args:
        app: The screen.
        looks: How to draw; by default as this terminal and the user's environment have it.
        fps: Most frames a second, or None for one after each slice unless measuring stands still for too long.

    Returns:
        The exit status, and a sentence for stderr (or "").
    """
    app.wear(looks or looks_here())
    app.pace = FramePace(fps, far=is_far(os.environ), sparing=not app.in_replay)
    if not app.in_replay:
        app.hint()
    gc.freeze()  # what has been imported stays, and need not be gone through in a gap
    status = app.run()
    app.leave_probe()
    if status is None and app.return_code:
        status = app.return_code  # Textual has printed what went wrong
    return status or 0, app.message
