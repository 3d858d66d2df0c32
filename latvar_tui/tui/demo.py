"""The guided tour on the live screen, over a probe or over a recording: enter goes on, backspace goes back."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.strip import Strip

from latvar_tui.condition import Condition
from latvar_tui.session.replay import Replay
from latvar_tui.session.stretches import Stretch
from latvar_tui.tour import Progress, Tour
from latvar_tui.tour_findings import Finder
from latvar_tui.tour_words import sentences, state
from latvar_tui.tui.app import LiveApp
from latvar_tui.tui.caption import Caption, Told, caption_rows
from latvar_tui.tui.replay import ReplayApp
from latvar_tui.tui.status import Footer

FOOTER = (
    ("enter next", "tour_on"),
    ("backspace back", "tour_back"),
    ("← → 0-9 stress", "stress(1)"),
    ("g large", "large_print"),
    ("p quantile", "next_quantile"),
    ("? help", "show_help"),
    ("q quit", "leave"),
)

ELSEWHERE = "the stress was moved: enter comes back"

_SAID_ANEW_NS = 2_000_000_000

_LOOKED_AT_S = 0.5
"""Of a recording; over a probe there is no timer, for something is being measured."""


class TourFooter(Footer):
    """The keys of the tour."""

    def __init__(self, id: str | None = None, *, in_replay: bool = False) -> None:
        super().__init__(id, in_replay=in_replay)
        self._keys = [key for key in FOOTER if not in_replay or "stress" not in key[1]]


class Guided(LiveApp):
    """A live screen with a caption that leads through it. Subclasses put the device where a step wants it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "tour_enter", "the next step", show=False),
        Binding("backspace", "tour_back", "the step before", show=False),
    ]
    own_keys = (
        ("enter", "the tour goes on: to the next step, or back to where it was; starts a probe again that has died"),
        ("backspace", "the tour goes back a step"),
    )
    DEFAULT_CSS = "#caption { width: 1fr; }"

    def __init__(self, *args: Any, tour: Tour, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.tour = tour
        self._finder = Finder()
        self._asked: object = None
        self._said_of_step: list[str] = []
        self.view.ranked_by = tour.quantile

    def compose(self) -> ComposeResult:
        for widget in super().compose():
            if widget.id == "footer":
                yield TourFooter(id="footer", in_replay=self.in_replay)
                continue
            yield widget
            if widget.id == "header":
                yield Caption(id="caption")

    def fit_table(self, size: Size | None = None) -> None:
        width, height = size or self.size
        rows = caption_rows(width, height)
        self.query_one(Caption).styles.height = rows
        super().fit_table(Size(width, height - rows))

    def draw(self) -> None:
        if not self.is_running or not self.screen_stack:
            return
        self.tour.quantile = self.view.ranked_by
        progress = self.progress()
        if self.is_elsewhere:
            if self.tour.is_auto and time.monotonic() - self._touched_s > (self.tour.step_s or 0.0):
                self.put()  # whoever has tried the slider has left
        elif self.tour.tick(progress.is_enough, self.clock_s()):
            if self.tour.at == 0:
                self.begin_anew()
            self.put()
            progress = self.progress()
        with self.painting_at_once():
            self._draw_caption(progress)
            super().draw()

    def _draw_caption(self, progress: Progress) -> None:
        tour = self.tour
        where = f"{tour.at + 1}/{len(tour.steps)} · {tour.step.title}"
        # A sentence whose digits change four times a second is not read.
        there = [(contender.id, contender.is_rival) for contender in self.board.contenders]
        enough = progress.is_enough
        asked = (tour.at, tour.quantile, self.board.now_ns // _SAID_ANEW_NS, self.board.study.epoch, there, enough)
        if asked != self._asked:
            found = self._finder.find(tour, self.board)
            self._asked, self._said_of_step = asked, sentences(tour, self.board, found, enough)
        how = ELSEWHERE if self.is_elsewhere else state(tour, progress, self.clock_s())
        told = Told(where, how, self._said_of_step, not self.in_replay)
        self.screen_stack[0].query_one(Caption).show(told)

    def large_words(self, width: int, rows: int) -> Sequence[Strip]:
        return self.screen_stack[0].query_one(Caption).told.lines(width, rows)

    # -- steps --------------------------------------------------------------------------------------------

    def progress(self) -> Progress:
        return self.tour.progress(self.board)

    @property
    def is_elsewhere(self) -> bool:
        """Whether somebody has moved the slider away from what the step is about."""
        return False

    def put(self) -> None:
        """Put the device where the step wants it."""
        raise NotImplementedError

    def begin_anew(self) -> None:
        """The tour goes by itself, and has come round."""

    def action_tour_on(self) -> None:
        if self.is_elsewhere or self.tour.press(self.progress().is_enough):
            self.put()
        self.draw()

    def action_tour_back(self) -> None:
        if self.tour.back():
            self.put()
        self.draw()

    def action_tour_enter(self) -> None:
        """Enter is the tour's, but for a probe that has died."""
        if self.probe_is_alive:
            self.action_tour_on()
        else:
            self.start_again()


class DemoApp(Guided):
    """The tour over a probe."""

    @property
    def is_elsewhere(self) -> bool:
        step = self.tour.step
        return step.kind == "condition" and step.condition is not None and self.wanted != step.condition

    def begin_anew(self) -> None:
        self.clear_counts()  # its shapes begin anew with it

    def put(self) -> None:
        tour, board = self.tour, self.board
        reversals = self._finder.find(tour, board).reversals
        if tour.step.kind == "ranking" and reversals:
            self._put_under(reversals[0].after)
            self.view.selected = next(i for i, one in enumerate(board.contenders) if one.id == reversals[0].b)
        elif tour.step.condition is not None:
            self._put_under(tour.step.condition)

    def _put_under(self, condition: Condition) -> None:
        """Somebody may have chosen another kind of stress, or another load."""
        self.stressed = replace(condition, stress_threads=max(1, condition.stress_threads))
        self.want(condition.stress_threads)


class DemoReplay(Guided, ReplayApp):
    """The tour over a recording that stands in for a device: each step plays the stretch that was its condition."""

    def __init__(self, replay: Replay, stretches: Iterable[Stretch], **kwargs: Any) -> None:
        super().__init__(replay, **kwargs)
        self.tour.can_measure = False
        self._stretches = {stretch.condition: stretch for stretch in stretches}

    def on_ready(self) -> None:
        """Held at the end of a stretch no frame comes any more that would let a tour go on by itself."""
        super().on_ready()
        if self.tour.is_auto:
            self.set_interval(_LOOKED_AT_S, self.draw)

    @property
    def _stretch(self) -> Stretch | None:
        step = self.tour.step
        return self._stretches.get(step.condition) if step.kind == "condition" and step.condition else None

    def progress(self) -> Progress:
        stretch = self._stretch
        if stretch is not None and self.replay.at_ns >= stretch.end_ns:
            return Progress(True)  # that is all there is
        return super().progress()

    def put(self) -> None:
        stretch = self._stretch
        if stretch is None:  # what has been played stays
            return
        if self.replay.paused:
            self.replay.toggle_pause()
        self.replay.jump(stretch.begin_ns)

    def draw(self) -> None:
        stretch, replay = self._stretch, self.replay
        if stretch is not None and replay.at_ns >= stretch.end_ns and not replay.paused:
            replay.toggle_pause()  # the next condition is the next step's
            if self.board.condition != stretch.condition:
                replay.jump(stretch.end_ns)
        super().draw()

    def calm_banner(self) -> str:
        """The tour holds the recording, nobody has to let it play on."""
        stretch = self._stretch
        if stretch is None or self.replay.at_ns >= stretch.end_ns:
            return "" if stretch is None else "That is what was recorded of this step."
        return super().calm_banner()

    def action_tour_enter(self) -> None:
        self.action_tour_on()
