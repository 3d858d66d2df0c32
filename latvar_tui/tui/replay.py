"""The live screen over a recording. It says so wherever it counts, and changes nothing in it."""

from __future__ import annotations

from collections.abc import Sequence

from rich.style import Style
from textual.widget import Widget

from latvar_tui import wire
from latvar_tui.candidate import Candidate
from latvar_tui.condition import IDLE, Condition
from latvar_tui.format import clock_time
from latvar_tui.session.replay import Replay, Replayed
from latvar_tui.tui.app import LiveApp
from latvar_tui.tui.dialogs import candidate_dialog
from latvar_tui.tui.feed import FrameSource
from latvar_tui.tui.line_widget import LineWidget
from latvar_tui.tui.palette import WARNING
from latvar_tui.tui.scrubber import Scrubber
from latvar_tui.tui.views.answers import Answers

_BESIDE_IT = 22
"""Columns of the header that the program's name and version need."""


class ReplayApp(LiveApp):
    """Plays a session on the live screen; the board is the replay's own."""

    in_replay = True

    def __init__(self, replay: Replay, *, ranked_by: float = 99.0, deadline_ns: int | None = None) -> None:
        super().__init__(
            replay, _no_probe, [], IDLE, maximum=1, cores=1, ranked_by=ranked_by, deadline_ns=deadline_ns,
            recorder=Replayed(replay.session.folder),
        )  # fmt: skip
        self.replay = replay
        self.board = replay.board
        self.answers = Answers(self.board)
        self._rows = len(self.board.contenders)

    # -- drawing ------------------------------------------------------------------------------------

    def slider(self) -> LineWidget:
        return Scrubber(id="slider")

    def draw_slider(self, slider: Widget) -> None:
        assert isinstance(slider, Scrubber)
        replay = self.replay
        slider.show(replay.at_ns / replay.length_ns if replay.length_ns else 1.0, f"{self._pace}, {self._state}")

    def draw(self) -> None:
        if len(self.board.contenders) != self._rows and self.screen_stack:  # candidates have joined, or not yet
            self._rows = len(self.board.contenders)
            self.view.selected = max(0, min(self.view.selected, self._rows - 1))
            self.fit_table()
        self.answers.hurried = self.replay.paused or self.replay.has_ended
        super().draw()

    def headline(self) -> tuple[str, Style]:
        replay = self.replay
        time = f"{clock_time(replay.at_ns)} / {clock_time(replay.length_ns)}  {self._pace}"
        named = f"REPLAY {replay.name}  {time}"
        return f" {named if len(named) + _BESIDE_IT <= self.size.width else f'REPLAY {time}'}", WARNING

    def calm_banner(self) -> str:
        board, replay = self.board, self.replay
        if replay.has_ended:
            return "The recording has ended (, jumps back)."
        if replay.paused:
            return "The recording is held: space plays on."
        if board.failure is not None:
            return board.failure.text
        return super().calm_banner()

    @property
    def _pace(self) -> str:
        return "max" if self.replay.speed == float("inf") else f"{self.replay.speed:.0f}×"

    @property
    def _state(self) -> str:
        return "ended" if self.replay.has_ended else "held" if self.replay.paused else "playing"

    # -- frames -------------------------------------------------------------------------------------

    def is_passing(self, frames: Sequence[wire.Frame]) -> bool:
        return super().is_passing(frames) and not self.replay.has_ended

    def take(self, frame: wire.Frame) -> bool:
        """The replay's board has taken it, and nothing recorded ends the screen."""
        return True

    # -- keys ---------------------------------------------------------------------------------------

    def action_freeze(self) -> None:
        if self.replay.has_ended:
            self.say("The recording has ended: , jumps back.")
            return
        self.replay.toggle_pause()
        self.draw()

    def action_jump(self, seconds: int) -> None:
        self._jump(self.replay.at_ns + seconds * 1_000_000_000)

    def action_faster(self) -> None:
        self.replay.next_speed()
        self.draw()

    def on_scrubber_moved(self, event: Scrubber.Moved) -> None:
        self._jump(round(event.share * self.replay.length_ns))

    def _jump(self, to_ns: int) -> None:
        self.replay.jump(to_ns)
        self.view.selected = max(0, min(self.view.selected, len(self.board.contenders) - 1))
        self.draw()

    def want(self, threads: int) -> None:
        self.say("This is a recording: its stress is what it was then.")

    def action_stress_to(self, threads: int) -> None:
        self.want(threads)

    def action_next_kind(self) -> None:
        self.want(0)

    def action_load(self, step_pct: int) -> None:
        self.want(0)

    def action_choose_models(self) -> None:
        self.say("This is a recording: its line-up is what it was then.")

    def action_sweep(self) -> None:
        self.say("This is a recording: nothing is measured any more.")

    def action_alone(self) -> None:
        self.say("This is a recording: its candidates ran as they did.")

    def action_clear(self) -> None:
        self.say("This is a recording: its counts stay; show --live --from TIME counts from there on.")

    def action_mark(self) -> None:
        self.say("This is a recording: nothing is added to it.")

    def action_select(self, step: int) -> None:
        if self.board.contenders:
            super().action_select(step)

    def action_detail(self) -> None:
        if self.board.contenders:
            self.push_screen(candidate_dialog(self.board, self.board.contenders[self.view.selected]))

    def action_outliers(self) -> None:
        if self.board.contenders:
            super().action_outliers()


def _no_probe(candidates: Sequence[Candidate], condition: Condition) -> FrameSource:
    raise AssertionError("a recording starts no probe")
