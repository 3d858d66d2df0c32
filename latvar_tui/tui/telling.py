"""What the live screen says in words: the answers to keys, the newest note, and how to read it."""

from __future__ import annotations

import time
from typing import Any

from latvar_tui.format import three_digits
from latvar_tui.preferences import HINT_SEEN, keep, recall
from latvar_tui.tui.actions import NEVER_S, Actions
from latvar_tui.tui.notices import MOST_S, Notices
from latvar_tui.tui.stress_slider import StressSlider
from latvar_tui.tui.views.names import OVERVIEW, view_named
from latvar_tui.tui.views.sentences import shorter

TOLD = (50.0, 95.0)
"""Quantiles at which a change of places is told of, besides the one ranked by."""

LEGENDS = (
    "bright: last 5 s · dim: all under this condition · outline: idle, or the base (b) · height: log of the count",
    "bright: last 5 s · dim: all · outline: idle or base · height: log count",
    "bright: last 5 s · dim: all",
)

HINTS = (
    "The first time here? → adds a stress thread, 0 ends them all; ? explains the keys and the screen, q quits.",
    "First time? → adds a stress thread, 0 ends all; ? explains, q quits.",
    "→ more stress, 0 none, ? help, q quit",
)
"""Until the user has done one of these things, once and for all."""


class Telling(Actions):
    """The banner of a live screen, one line of it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.clock_s = time.monotonic  # what is said is shown for so long
        self._said, self._said_s = "", 0.0
        self._notices = Notices()
        self._hints = False

    def hint(self) -> None:
        """Say what to do first, unless this user knows."""
        self._hints = not recall(HINT_SEEN)

    def _understood(self) -> None:
        if self._hints:
            self._hints = False
            keep(HINT_SEEN, "yes")

    def action_stress(self, step: int) -> None:
        self._understood()
        super().action_stress(step)

    def action_stress_to(self, threads: int) -> None:
        self._understood()
        super().action_stress_to(threads)

    def action_show_help(self) -> None:
        self._understood()
        super().action_show_help()

    def on_stress_slider_changed(self, event: StressSlider.Changed) -> None:
        del event  # Textual calls the handler of `Actions` as well
        self._understood()

    def say(self, text: str) -> None:
        """Answer a key in words, until the next one."""
        self._said, self._said_s = text, self.clock_s()
        self.draw()

    def unsay(self, key: str) -> None:
        """A key has been struck, or the mouse moved (""): what was said to the one before is over."""
        self._said = ""
        if key not in ("", "c"):
            self._clears_until_s = NEVER_S

    def banner(self) -> tuple[str, bool]:
        """What the user should know now, and whether it is a warning."""
        if not self.probe_is_alive:
            newest = self.board.notes[-1] if self.board.notes else ""
            why = self.board.failure.text if self.board.failure is not None else newest
            return f"{why}  enter starts it again, q quits", True
        newest = self._notices.shown(self.board.notes, self.clock_s())
        if self.clock_s() - self._said_s > MOST_S:
            self._said = ""
        if self.view.frozen and not self._said:
            return "picture frozen until a key; measuring goes on (space)", True
        if self._said or newest:
            return self._said or newest, False
        sweep = self.view.sweep
        if sweep is not None and not sweep.is_over:
            return sweep.line, False
        found = self.finding()
        return found or self.calm_banner(), bool(found)

    def finding(self) -> str:
        """A change of places that is claimed, as far as it fits: one with the present condition if there is one."""
        names = {contender.id: contender.name for contender in self.board.contenders}
        if len(names) < 2 or len(self.board.conditions) < 2:
            return ""
        for quantile in dict.fromkeys((self.view.ranked_by, *TOLD)):
            claimed = [each for each in self.answers.reversals(quantile) if each.a in names and each.b in names]
            claimed.sort(key=lambda each: self.board.condition not in (each.before, each.after))
            if claimed:
                return next((text for text in shorter(claimed[0], names) if len(text) < self.size.width), "")
        return ""

    def calm_banner(self) -> str:
        """What the banner says while there is nothing to say."""
        if self.board.only is not None:
            return f"only {self.board.only.name} is measured (a: all again)"
        if self.view.shown != OVERVIEW:
            return view_named(self.view.shown).help
        texts = HINTS if self._hints else LEGENDS
        return next((text for text in texts if len(text) < self.size.width), "")

    def tell_of_loading(self, candidate: str) -> None:
        """What the first inference took: where rows are few, this is where one sees it."""
        for contender in self.board.contenders:
            if contender.id == candidate and contender.cold_ms and contender.warm_ms is not None:
                cold, warm = three_digits(contender.cold_ms[0]), three_digits(contender.warm_ms)
                self.say(f"{contender.name}: its first inference took {cold} ms, now {warm} ms.")
