"""The study's table: candidates under levels of contention, and whether their ranking stays.

Rows are candidates, columns conditions, a table a quantile. A rank counts who is faster *beyond doubt*: candidates that
cannot be told apart share one. An arrow stands where the order of at least one pair has reversed, beyond doubt too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from latvar_tui.condition import Condition
from latvar_tui.format import NOTHING, ms, plural, printable, quantile_name, ratio
from latvar_tui.histogram import Histogram
from latvar_tui.study.board import Board, Contender
from latvar_tui.study.conclusions import Reversal
from latvar_tui.study.quantiles import is_provisional
from latvar_tui.study.ranking import Study

LEGEND = (
    "rank: 1 + how many are faster beyond doubt; with ? it is not decided against all of them, ? alone: against nobody "
    "yet; ↑ ↓ has overtaken, was overtaken by another one; ×: growth"
)


@dataclass(frozen=True)
class Grid:
    """What there is to tell of: ids and names of the rows; conditions and titles of the columns.

    All other columns are compared with the first one. ``rivals`` are the rows that are compared with each other: one
    that failed is not.
    """

    rows: Mapping[str, str]
    rivals: Sequence[str]
    columns: Mapping[Condition, str]
    study: Study
    histogram: Callable[[str, Condition], Histogram | None]

    @property
    def base(self) -> Condition:
        return next(iter(self.columns))

    @property
    def is_worth_it(self) -> bool:
        """Whether there is anything to compare."""
        return len(self.columns) > 1 and bool(self.rows)


def grid_of(
    board: Board, contenders: Sequence[Contender] | None = None, conditions: Sequence[Condition] | None = None
) -> Grid:
    """Who was measured, of all of a board or of these, but for controls, which compete with nobody."""
    told = board.contenders if contenders is None else contenders
    columns = board.conditions if conditions is None else conditions
    rows = {
        one.id: one
        for one in told
        if not one.candidate.is_control and any(board.cell(one, condition) for condition in columns)
    }

    def histogram(candidate: str, condition: Condition) -> Histogram | None:
        cell = board.cell(rows[candidate], condition)
        return None if cell is None else cell.latency

    return Grid(
        {name: one.name for name, one in rows.items()},
        [name for name, one in rows.items() if one.is_rival],
        {condition: column_title(condition) for condition in columns},
        board.study,
        histogram,
    )


def column_title(condition: Condition) -> str:
    """As short as can be: ``idle``, ``2 stress``, ``2xmem@50%``; and what is not the default."""
    if condition.is_idle or condition.kind != "cpu" or condition.load_pct != 100:
        return condition.title
    return ",".join([f"{condition.stress_threads} stress", *condition.extras])


def lines(grid: Grid, quantiles: Sequence[float], width: int | None = None) -> list[str]:
    """A table a quantile (percent), at most ``width`` cells wide, and what became of the whole ranking.

    Without the :data:`LEGEND`.
    """
    found: list[str] = []
    reversals = grid.study.reversals(quantiles)
    for quantile in quantiles:
        own = [one for one in reversals if one.quantile == quantile]
        for chosen in _chunks(grid, quantile, own, width):
            found += [*_table(grid, chosen, quantile, own), ""]
        found += [*tau_lines(grid, quantile), ""]
    return [printable(line) for line in found]


def _chunks(grid: Grid, quantile: float, own: Sequence[Reversal], width: int | None) -> Iterator[list[Condition]]:
    """The columns, as many beside each other as fit."""
    columns = list(grid.columns)
    at_once = len(columns)
    while width is not None and at_once > 1 and len(_table(grid, columns[:at_once], quantile, own)[0]) > width:
        at_once -= 1
    for begin in range(0, len(columns), at_once):
        yield columns[begin : begin + at_once]


def _table(grid: Grid, chosen: Sequence[Condition], quantile: float, own: Sequence[Reversal]) -> list[str]:
    title = f"{quantile_name(quantile)} ms"
    name_width = max(len(title), *(len(name) for name in grid.rows.values()))
    parts = {c: [_cell(grid, one, c, quantile, own) for one in grid.rows] for c in chosen}
    head, rows = title.ljust(name_width), [name.ljust(name_width) for name in grid.rows.values()]
    for condition, cells in parts.items():
        widths = [max(len(cell[piece]) for cell in cells) for piece in range(3)]
        texts = [f"{a.ljust(widths[0])} {b.rjust(widths[1])} {c.rjust(widths[2])}".rstrip() for a, b, c in cells]
        wide = max(len(grid.columns[condition]), *(len(text) for text in texts))
        head += "   " + grid.columns[condition].ljust(wide)
        rows = [row + "   " + text.ljust(wide) for row, text in zip(rows, texts, strict=True)]
    return [head.rstrip(), *(row.rstrip() for row in rows)]


def _cell(
    grid: Grid, candidate: str, condition: Condition, quantile: float, own: Sequence[Reversal]
) -> tuple[str, str, str]:
    """Rank, value and growth, as text."""
    histogram = grid.histogram(candidate, condition)
    value_ns = None if histogram is None else histogram.quantile_ns(quantile)
    if histogram is None or value_ns is None:
        return "", NOTHING, ""
    mark = "~" if is_provisional(histogram, quantile) else ""
    before = grid.histogram(candidate, grid.base)
    before_ns = None if before is None else before.quantile_ns(quantile)
    grown = "" if condition == grid.base or not before_ns else ratio(value_ns / before_ns)
    rank = (
        ""
        if len(grid.rivals) == 1 or candidate not in grid.rivals
        else _rank(grid, candidate, condition, quantile) + _arrow(grid, candidate, condition, own)
    )
    return rank, mark + ms(value_ns), grown


def _rank(grid: Grid, candidate: str, condition: Condition, quantile: float) -> str:
    pairs = [grid.study.pair(candidate, other, condition, quantile) for other in grid.rivals if other != candidate]
    if not any(pair.is_decided for pair in pairs):
        return "?"
    ahead = sum(bool(pair.faster) and pair.faster != candidate for pair in pairs)
    return f"{1 + ahead}" + ("" if all(pair.is_decided for pair in pairs) else "?")


def _arrow(grid: Grid, candidate: str, condition: Condition, own: Sequence[Reversal]) -> str:
    """Against the first column."""
    here = [one for one in own if {one.before, one.after} == {grid.base, condition}]
    won = any((one.b if one.before == grid.base else one.a) == candidate for one in here)
    lost = any((one.a if one.before == grid.base else one.b) == candidate for one in here)
    return "↕" if won and lost else "↑" if won else "↓" if lost else ""


# -- the whole ranking --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tau:
    """Kendall's tau of the ranking between the first column and another one, with its 95 % interval."""

    quantile: float
    before: Condition
    after: Condition
    value: float
    low: float
    high: float


def taus(grid: Grid, quantile: float) -> list[Tau]:
    """Of every other column."""
    found = []
    for condition in list(grid.columns)[1:]:
        tau = grid.study.kendall_tau(grid.base, condition, quantile, list(grid.rivals))
        if tau is not None:
            found.append(Tau(quantile, grid.base, condition, *tau))
    return found


def tau_lines(grid: Grid, quantile: float) -> list[str]:
    """What became of the whole ranking, in a sentence or two."""
    if len(grid.rivals) < 2 or len(grid.columns) < 2:
        return []
    pairs = list(combinations(grid.rivals, 2))
    orders = [
        grid.study.order(a, b, quantile, grid.base, condition)[0]
        for condition in list(grid.columns)[1:]
        for a, b in pairs
    ]
    counts = {word: orders.count(word) for word in ("same order", "reversed", "undecided")}
    told = ", ".join(f"{many} {word}" for word, many in counts.items() if many)
    texts = [
        f"{grid.columns[tau.after]} {tau.value:.2f} [{tau.low:.2f}, {tau.high:.2f}]" for tau in taus(grid, quantile)
    ]
    found = [
        f"{plural(len(pairs), 'pair')} against {grid.columns[grid.base]} "
        f"in {plural(len(grid.columns) - 1, 'column')}: {told}"
    ]
    if texts:
        found.append(f"Kendall's tau of the ranking against {grid.columns[grid.base]}: {'; '.join(texts)}")
    return found


def as_json(grid: Grid, quantiles: Sequence[float]) -> list[dict[str, Any]]:
    """The taus, for programs."""
    return [
        {
            "quantile": tau.quantile,
            "from": str(tau.before),
            "to": str(tau.after),
            "kendall_tau": tau.value,
            "ci95": [tau.low, tau.high],
        }
        for quantile in quantiles
        for tau in taus(grid, quantile)
    ]
