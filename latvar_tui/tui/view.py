"""What the user has chosen to look at: state of the picture, not of the measurement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from latvar_tui.condition import Condition
from latvar_tui.histogram import Histogram
from latvar_tui.study.board import Board
from latvar_tui.study.cell import RECENT_S
from latvar_tui.study.table import QUANTILES


@dataclass
class View:
    """``leaf`` is the condition whose table stands beside the present one's; None picks one."""

    ranked_by: float = 99.0
    deadline_ns: int | None = None
    recent_only: bool = False
    selected: int = 0
    leaf: Condition | None = None
    frozen: bool = False
    linear: bool = False
    """Whether histograms stand over a linear axis."""
    base: Mapping[str, Histogram] = field(default_factory=dict)
    base_condition: Condition | None = None

    @property
    def window_s(self) -> float | None:
        return RECENT_S if self.recent_only else None

    def next_quantile(self) -> None:
        """Move on through the table's quantiles, round and round."""
        later = [quantile for quantile in QUANTILES if quantile > self.ranked_by]
        self.ranked_by = later[0] if later else QUANTILES[0]

    def beside(self, board: Board) -> Condition | None:
        """The condition to show beside the present one: the one leafed to, else idle, else the last other one."""
        others = [condition for condition in board.conditions if condition != board.condition]
        leaf = self.leafed_to(board)
        if leaf is not None:
            return leaf
        idle = board.condition.without_stress()
        return idle if idle in others else others[-1] if others else None

    def turn(self, board: Board, step: int) -> None:
        """Leaf through the other conditions, and past the last one back to where nothing is leafed to."""
        stops = [None, *(condition for condition in board.conditions if condition != board.condition)]
        at = stops.index(self.leaf) if self.leaf in stops else 0
        self.leaf = stops[(at + step) % len(stops)]

    def leafed_to(self, board: Board) -> Condition | None:
        """The condition leafed to, if it is there to be seen and not the present one."""
        return self.leaf if self.leaf in board.conditions and self.leaf != board.condition else None

    def toggle_base(self, board: Board) -> None:
        """Keep the present histograms, or drop the ones kept."""
        if self.base:
            self.base, self.base_condition = {}, None
            return
        kept = {c.id: board.cell(c, board.condition) for c in board.contenders}
        self.base = {name: cell.latency.copy() for name, cell in kept.items() if cell is not None}
        self.base_condition = board.condition if self.base else None

    def ghost(self, board: Board, candidate_id: str) -> Histogram | None:
        """The shape behind the live one: the base if one is kept, else the idle shape under stress."""
        if self.base:
            return self.base.get(candidate_id)
        if board.condition.is_idle:
            return None
        contender = next(c for c in board.contenders if c.id == candidate_id)
        idle = board.cell(contender, board.condition.without_stress())
        return None if idle is None else idle.latency
