"""The guided tour: which step it is at, when it has measured enough, and when it goes on. Draws nothing, sends nothing.

The steps are conditions, one after the other, then what came of the ranking, then the end. Whoever shows the tour asks
it at every frame, and puts the device under the condition that it names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from latvar_tui.condition import IDLE, Condition
from latvar_tui.format import plural
from latvar_tui.study.board import Board, Contender
from latvar_tui.study.quantiles import PROVISIONAL_BEYOND

ENOUGH_SLICES = 24
"""Of each candidate: a claim needs twenty rounds, and a reader as long to look at it."""

PATIENCE_S = 30.0
"""Of measuring under one condition: slow candidates would keep everybody waiting. The words then say what is amiss."""

READ_S = 8.0
"""What came of a step by itself is shown at least so long (or as long as a step): it is said once there is enough."""

Kind = Literal["condition", "ranking", "end"]


@dataclass(frozen=True)
class Step:
    """``condition`` is None where whatever was last stays."""

    kind: Kind
    title: str
    condition: Condition | None = None


@dataclass(frozen=True)
class Progress:
    """How far a step has measured. ``more_s`` is about how long it takes yet; None where nobody can say."""

    is_enough: bool
    more_s: float | None = 0.0
    is_short: bool = False
    """It is enough only because it has taken long."""


def stresses(cores: int, most: int) -> list[int]:
    """Idle, one, as many as there are cores, twice as many: so far as they differ and are allowed."""
    return sorted({min(number, most) for number in (0, 1, cores, 2 * cores)})


def title_of(condition: Condition, cores: int) -> str:
    """``one stress thread``, ``4 stress threads on 2 cores``."""
    number = condition.stress_threads
    if condition.is_idle:
        return "an idle device"
    if number == 1:
        return "one stress thread"
    return f"{number} stress threads on {plural(cores, 'core')}"


class Tour:
    """Steps through ``conditions``; ``step_s`` is how long a step is shown at least when it goes on by itself."""

    def __init__(
        self, conditions: Sequence[Condition], cores: int, quantile: float, step_s: float | None = None
    ) -> None:
        self.cores, self.quantile, self.step_s = cores, quantile, step_s
        self.steps = [
            *(Step("condition", title_of(condition, cores), condition) for condition in conditions),
            Step("ranking", "who is faster now?"),
            Step("end", "what to take along", IDLE),
        ]
        self.can_measure = True
        """False over a recording: nothing in it gets surer by waiting."""
        self.at = 0
        self.is_armed = False
        """Somebody has asked to go on before there was enough: as soon as there is, it does."""
        self._began_s: float | None = None
        self._enough_s: float | None = None

    @property
    def step(self) -> Step:
        return self.steps[self.at]

    @property
    def is_last(self) -> bool:
        return self.at == len(self.steps) - 1

    @property
    def is_auto(self) -> bool:
        return self.step_s is not None

    @property
    def conditions(self) -> list[Condition]:
        """Those of the steps so far, this one's too: what has been seen."""
        seen = self.steps[: self.at + 1]
        return [step.condition for step in seen if step.kind == "condition" and step.condition is not None]

    # -- steps --------------------------------------------------------------------------------------------

    def press(self, is_enough: bool) -> bool:
        """Somebody wants to go on: at once if there is enough or it is said twice. Whether the step changed."""
        if self.is_last:
            return False
        if not is_enough and not self.is_armed:
            self.is_armed = True
            return False
        return self._go(self.at + 1)

    def back(self) -> bool:
        """To the step before; whether there was one."""
        return self.at > 0 and self._go(self.at - 1)

    def tick(self, is_enough: bool, now_s: float) -> bool:
        """Time has passed: go on if that was asked for, or the tour goes by itself. Whether the step changed."""
        if self._began_s is None:
            self._began_s = now_s
        if not is_enough:
            self._enough_s = None
            return False
        if self._enough_s is None:
            self._enough_s = now_s
        if self.is_armed:
            return self._go(self.at + 1)
        if self.step_s is None or self.left_s(now_s):
            return False
        return self._go(0 if self.is_last else self.at + 1)

    def left_s(self, now_s: float) -> float | None:
        """How long the step is shown yet, if the tour goes by itself."""
        if self.step_s is None:
            return None
        began_s, enough_s = (now_s if since_s is None else since_s for since_s in (self._began_s, self._enough_s))
        return max(0.0, began_s + self.step_s - now_s, enough_s + min(READ_S, self.step_s) - now_s)

    def _go(self, to: int) -> bool:
        self.at, self.is_armed, self._began_s, self._enough_s = to, False, None, None
        return True

    # -- measuring ----------------------------------------------------------------------------------------

    def progress(self, board: Board) -> Progress:
        """Whether the step's condition has been measured well enough to speak of it."""
        condition = self.step.condition
        if self.step.kind != "condition" or condition is None:
            return Progress(True)
        running = [contender for contender in board.contenders if not contender.is_out]
        if not running:
            return Progress(True, is_short=True)
        missing = [slices_missing(board, contender, condition, self.quantile) for contender in running]
        if all(slices == 0 for slices in missing):
            return Progress(True)
        cells = [cell for cell in (board.cell(contender, condition) for contender in running) if cell is not None]
        if sum(cell.wall_ns for cell in cells) / 1e9 > PATIENCE_S:
            return Progress(True, is_short=True)
        if len(cells) < len(running) or None in missing:
            return Progress(False, None)
        round_s = sum(cell.wall_ns / cell.slices for cell in cells) / 1e9
        return Progress(False, max(slices or 0 for slices in missing) * round_s)


def slices_missing(board: Board, contender: Contender, condition: Condition, quantile: float) -> int | None:
    """About how many slices more until its quantile may be spoken of; None before it can be known."""
    cell = board.cell(contender, condition)
    if cell is None or not cell.latency.total:
        return None
    needed = ENOUGH_SLICES - cell.slices
    if cell.latency.beyond_quantile(quantile) < PROVISIONAL_BEYOND:
        observations = PROVISIONAL_BEYOND / (1 - quantile / 100)
        needed = max(needed, 1, round((observations - cell.latency.total) * cell.slices / cell.latency.total))
    return max(0, needed)
