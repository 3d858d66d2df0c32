"""What the keys of the live screen do, each action of ``keys.KEYS`` as a method, and what the picker chooses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

from textual.app import SystemCommand
from textual.screen import Screen
from textual.strip import Strip

from latvar_tui import wire
from latvar_tui.condition import Condition, parse_condition
from latvar_tui.format import quantile_name
from latvar_tui.shelf import problem_of
from latvar_tui.tui.dialogs import candidate_dialog, device_dialog, help_dialog
from latvar_tui.tui.exemplar_dialog import ExemplarDialog
from latvar_tui.tui.keeping import Keeping
from latvar_tui.tui.keys import KEYS
from latvar_tui.tui.large_print import LargePrint
from latvar_tui.tui.notices import MOST_S
from latvar_tui.tui.picker import Picker
from latvar_tui.tui.stress_slider import StressSlider
from latvar_tui.tui.sweep import ScreenSweep, levels
from latvar_tui.tui.table_panel import TablePanel
from latvar_tui.tui.view import View
from latvar_tui.tui.views.answers import Answers
from latvar_tui.tui.views.names import OVERVIEW, next_view

NEVER_S = float("-inf")


class Actions(Keeping):
    """A live screen's answers to keys; the rest of it is :class:`latvar_tui.tui.app.LiveApp`."""

    view: View
    answers: Answers
    wanted: Condition
    stressed: Condition
    """What the condition is as soon as there is stress."""
    maximum: int
    threads: int
    clock_s: Callable[[], float]
    _clears_until_s = NEVER_S
    """Until then a second press clears the counts; other keys end that."""
    joined_later: set[str]
    """Candidates that were chosen on the screen."""
    own_keys: ClassVar[Sequence[tuple[str, str]]] = ()
    """(keys, what they do) where they are not as in ``keys.KEYS``."""

    @property
    def probe_log(self) -> Sequence[str]:
        raise NotImplementedError

    @property
    def probe_is_alive(self) -> bool:
        raise NotImplementedError

    def send(self, command: wire.Command) -> None:
        raise NotImplementedError

    def start_again(self) -> None:
        raise NotImplementedError

    def want(self, threads: int) -> None:
        raise NotImplementedError

    def draw(self) -> None:
        raise NotImplementedError

    def fit_table(self) -> None:
        raise NotImplementedError

    def show_view(self, name: str) -> None:
        raise NotImplementedError

    def on_stress_slider_changed(self, event: StressSlider.Changed) -> None:
        self.want(event.value)

    def action_stress(self, step: int) -> None:
        self.want(self.wanted.stress_threads + step)

    def action_stress_to(self, threads: int) -> None:
        if threads > self.maximum:
            self.say(f"{threads} is more than --max-stress {self.maximum}, so it is {self.maximum}.")
        self.want(threads)

    def action_next_kind(self) -> None:
        told = self.board.device.get("stress_kinds")
        kinds = [str(kind) for kind in told] if isinstance(told, list) and told else ["cpu"]
        at = kinds.index(self.stressed.kind) + 1 if self.stressed.kind in kinds else 0
        kind = kinds[at % len(kinds)]
        load_pct = 100 if kind.startswith("stress-ng:") else self.stressed.load_pct  # its own affair
        self.stressed = replace(self.stressed, kind=kind, load_pct=load_pct)
        self.want(self.wanted.stress_threads)
        self.say(f"Kind of stress: {kind}.")

    def action_load(self, step_pct: int) -> None:
        kind, load_pct = self.stressed.kind, self.stressed.load_pct
        if kind.startswith("stress-ng:"):
            self.say(f"The load of {kind} is stress-ng's own.")
            return
        self.stressed = replace(self.stressed, load_pct=max(10, min(100, load_pct + step_pct)))
        self.want(self.wanted.stress_threads)
        self.say(f"Each stress thread is busy {self.stressed.load_pct} % of the time.")

    def action_select(self, step: int) -> None:
        self.view.selected = (self.view.selected + step) % len(self.board.contenders)
        self.draw()

    def action_view(self, name: str) -> None:
        self.show_view(name)

    def action_next_view(self, step: int) -> None:
        self.show_view(next_view(self.view.shown, step))

    def action_sweep(self) -> None:
        sweep = self.view.sweep
        if sweep is None or sweep.is_over:
            self.view.sweep = sweep = ScreenSweep(self.board, levels(self.stressed, self.maximum))
            self.board.only = None
            self.follow(sweep.begin())
            self.show_view("matrix")
        else:
            self.follow(sweep.begin() if sweep.is_paused else sweep.pause())
        self.draw()

    def pause_sweep(self) -> None:
        """Somebody changes by hand what the sweep would change."""
        sweep = self.view.sweep
        if sweep is not None and not (sweep.is_paused or sweep.is_over):
            self.follow(sweep.pause())

    def follow(self, commands: Sequence[wire.Command]) -> None:
        """Do as the sweep says; the slider shows where it is."""
        for command in commands:
            if isinstance(command, wire.SetCondition):
                self.wanted = parse_condition(command.condition)
            self.send(command)

    def action_next_rival(self) -> None:
        if len(self.board.contenders) < 2:
            self.say("There is no other candidate to compare with (m adds one).")
            return
        self.view.next_rival(self.board)
        rival = next((each.name for each in self.board.contenders if each.id == self.view.rival), "the fastest other")
        self.say(f"The selected candidate is compared with {rival}{'' if self.view.shown == 'compare' else ' (C)'}.")

    def action_leaf(self, step: int) -> None:
        self.view.turn(self.board, step)
        beside, leaf = self.view.beside(self.board), self.view.leafed_to(self.board)
        if beside and self.query_one(TablePanel).is_one:
            now = self.board.condition.title
            self.say(f"{leaf.title} instead of {now}: > leads back." if leaf else f"The present condition, {now}.")
            return
        self.say(f"Beside the present condition: {beside.title}." if beside else "There is one condition so far.")

    def action_next_quantile(self) -> None:
        self.view.next_quantile()
        self.say(f"Ranked by {quantile_name(self.view.ranked_by)}.")

    def action_window(self) -> None:
        self.view.recent_only = not self.view.recent_only
        window_s = self.view.window_s
        self.say(
            "The whole condition again." if window_s is None
            else f"The last {window_s:.0f} s: in the table, the curves and the large print; elsewhere all."
        )  # fmt: skip

    def action_keep_base(self) -> None:
        self.view.toggle_base(self.board)
        kept = self.view.base_condition
        self.say(f"Base kept: the histograms under {kept}." if kept else "No base is kept.")

    def action_clear(self) -> None:
        """Of all conditions, and C is the compare view: at the second time only."""
        kept = self.recorder.is_on
        if self.clock_s() >= self._clears_until_s:
            self._clears_until_s = self.clock_s() + MOST_S
            self.say(f"c again clears all counts{' here; the session keeps them' if kept else ', of every condition'}.")
            return
        self._clears_until_s = NEVER_S
        self.clear_counts()
        self.say(f"Counts cleared{' here; the session keeps them' if kept else ''}.")

    def clear_counts(self) -> None:
        """Begin anew on the screen; the session keeps what it has."""
        self.recorder.part()
        self.board.clear()
        self.answers.forget()
        self.view.leaf = None

    def action_freeze(self) -> None:
        self.view.frozen = not self.view.frozen
        self.draw()

    def action_jump(self, seconds: int) -> None:
        del seconds
        self.say("Only a recording has a time to jump to: latvar-tui show SESSION --live plays one.")

    def action_faster(self) -> None:
        self.say("Only a recording plays faster: latvar-tui show SESSION --live plays one.")

    def action_axis(self) -> None:
        self.view.linear = not self.view.linear
        where = "" if self.view.shown == OVERVIEW else " in the Overview (O)"
        self.say(
            f"Linear axis{where}, up to the slowest p99.9; its last column holds all beyond." if self.view.linear
            else f"Logarithmic axis{where}."
        )  # fmt: skip

    def action_record(self) -> None:
        self.say(self.recorder.switch())

    def action_show_device(self) -> None:
        self.push_screen(device_dialog(self.board, self.probe_log))

    def action_show_help(self) -> None:
        self.push_screen(help_dialog(self.own_keys))

    def action_redraw_screen(self) -> None:
        self.redraw()

    def action_hold(self) -> None:
        self.action_suspend_process()

    def action_leave(self) -> None:
        self.exit(0)

    def action_interrupt(self) -> None:
        self.exit(130)

    def action_choose_models(self) -> None:
        self.push_screen(Picker(self.board, self.threads))

    def action_alone(self) -> None:
        self.pause_sweep()
        board = self.board
        if board.only is None and board.contenders[self.view.selected].is_out:
            self.say(f"{board.contenders[self.view.selected].name} does not run, so it cannot run alone.")
            return
        board.only = board.contenders[self.view.selected] if board.only is None else None
        self.send(wire.Only(board.only.id if board.only is not None else ""))
        self.say(
            "All are measured again." if board.only is None else f"Only {board.only.name} is measured (a: all again)."
        )

    def action_detail(self) -> None:
        if self.probe_is_alive:
            self.push_screen(candidate_dialog(self.board, self.board.contenders[self.view.selected]))
        else:
            self.start_again()

    def action_large_print(self) -> None:
        self.push_screen(LargePrint(self.board, self.view, self.large_words))
        self.draw()

    def large_words(self, width: int, rows: int) -> Sequence[Strip]:
        """What stands above the large print."""
        del width, rows
        return []

    def action_outliers(self) -> None:
        self.push_screen(ExemplarDialog(self.board, self.board.contenders[self.view.selected]))

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        del screen
        yield from self.theme_commands()
        for key in KEYS:
            if key.action not in ("stress_to_key", "command_palette"):
                yield SystemCommand(key.help, f"key: {key.shown}", partial(self.run_action, key.action))

    # -- the line-up --------------------------------------------------------------------------------

    def on_picker_add(self, event: Picker.Add) -> None:
        """Let a candidate join; the others keep their cells."""
        candidate = event.candidate
        known = {contender.id: contender for contender in self.board.contenders}
        problem = problem_of(candidate)
        if problem:
            self._line_up_changed(problem)
            return
        if str(candidate) in known:
            self._line_up_changed(
                f"{known[str(candidate)].name} is in the line-up: change a setting to run it once more."
            )
            return
        self.board.add(candidate)
        self.joined_later.add(str(candidate))
        self.send(wire.Add(str(candidate)))
        self._line_up_changed(f"{candidate.model_name} joins.")

    def on_picker_remove(self, event: Picker.Remove) -> None:
        """Let a candidate leave; what it measured is kept for its return."""
        if all(contender is event.contender or contender.is_out for contender in self.board.contenders):
            self._line_up_changed("The last candidate that runs stays: add another one first.")
            return
        selected = self.board.contenders[self.view.selected]
        self.recorder.part()
        self.board.remove(event.contender)
        left = self.board.contenders
        self.view.selected = left.index(selected) if selected in left else min(self.view.selected, len(left) - 1)
        self.send(wire.Remove(event.contender.id))
        self._line_up_changed(f"{event.contender.name} has left.")

    def _line_up_changed(self, message: str) -> None:
        self.fit_table()
        self.say(message)
        if isinstance(self.screen, Picker):
            self.screen.refresh_list(message)
