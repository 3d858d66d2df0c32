"""The table's columns, once for the screen and for the headless commands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from latvar_tui.format import NOTHING, count, ms, quantile_name, ratio, share, three_digits
from latvar_tui.study.board import Contender
from latvar_tui.study.open_loop import OpenLoop
from latvar_tui.study.table import QUANTILES, Ratio, Row


@dataclass(frozen=True)
class TableCell:
    """A number as text. ``provisional`` ones are shown dimmed, with a ``~``."""

    text: str
    provisional: bool = False


@dataclass(frozen=True)
class Column:
    """``width`` in cells leaves a blank before the longest text. Lower ``rank`` stays longer where room is scarce."""

    title: str
    width: int
    rank: int
    cell: Callable[[Row], TableCell]

    def title_at(self, quantile: str) -> str:
        """The title; a ratio's names the quantile that it compares."""
        return quantile + self.title if self.title.startswith("÷") else self.title


def _quantile(place: int) -> Callable[[Row], TableCell]:
    def cell(row: Row) -> TableCell:
        value = row.quantiles_ns[place]
        return TableCell(NOTHING) if value is None else _marked(ms(value), row.provisional[place])

    return cell


def _counted(n: int) -> str:
    """From a million on in millions: all digits would run into the name before them."""
    return f"{three_digits(n / 1e6)} M" if n >= 1_000_000 else count(n) if n else NOTHING


def _ratio_cell(value: Ratio | None) -> TableCell:
    return TableCell(NOTHING) if value is None else _marked(ratio(value.value), value.provisional)


def _marked(text: str, provisional: bool) -> TableCell:
    return TableCell(f"~{text}" if provisional else text, provisional)


def tail_wait_column(quantile: float) -> Column:
    """How much of the quantile (percent) that is ranked by was waiting for a core."""
    title = f"{quantile_name(quantile)}wait"

    def cell(row: Row) -> TableCell:
        if row.tail_wait_ns is None:
            return TableCell(NOTHING)
        # All digits of next to nothing would run into the column before.
        text = "<0.01" if 0 < row.tail_wait_ns < 0.01e6 else ms(row.tail_wait_ns)
        return _marked(text, row.tail_wait_provisional)

    return Column(title, max(8, len(title) + 1), 5, cell)


_RANKS = {50.0: 1, 90.0: 7, 95.0: 5, 99.0: 0, 99.9: 4}

COLUMNS: tuple[Column, ...] = (
    Column("n", 9, 3, lambda row: TableCell(_counted(row.n))),
    *(
        Column(quantile_name(quantile), 8, _RANKS[quantile], _quantile(place))
        for place, quantile in enumerate(QUANTILES)
    ),
    Column("max", 8, 8, lambda row: TableCell(ms(row.max_ns))),
    Column("slow", 7, 6, lambda row: TableCell(share(row.slow_share, row.n))),
    Column("wait", 7, 9, lambda row: TableCell(share(row.wait_share))),
    Column("÷best", 11, 2, lambda row: _ratio_cell(row.to_best)),
    Column("÷idle", 11, 2, lambda row: _ratio_cell(row.to_idle)),
)

BASE_COLUMN = Column("÷base", 11, 2, lambda row: _ratio_cell(row.to_base))
"""Shown beside the others once a base is kept."""


OPEN_LOOP_COLUMNS: tuple[Column, ...] = (
    Column("served/s", 10, 2, lambda row: TableCell(NOTHING if row.open_loop is None else _served(row.open_loop))),
    Column("queue", 14, 6, lambda row: TableCell(NOTHING if row.open_loop is None else _queue(row.open_loop))),
)
"""Shown where inferences arrive on a schedule: how many are served a second, and how many are there (mean, most)."""


def _served(numbers: OpenLoop) -> str:
    return NOTHING if numbers.achieved_hz is None else three_digits(numbers.achieved_hz)


def _queue(numbers: OpenLoop) -> str:
    if numbers.queue_mean is None:
        return NOTHING
    return f"{three_digits(numbers.queue_mean)} ({numbers.queue_max})"


def deadline_column(deadline_ns: int) -> Column:
    """The share of inferences that miss a deadline, shown once there is one."""
    title = f">{ms(deadline_ns)}"  # ms, as the title of the table says
    return Column(title, max(8, len(title) + 1), 1, lambda row: TableCell(share(row.miss_share, row.n)))


def all_columns(
    deadline_ns: int | None = None, base: bool = False, ranked_by: float = 99.0, open_loop: bool = False
) -> list[Column]:
    """The columns that there is something to say in; one of them splits the quantile (percent) that is ranked by."""
    late = [] if deadline_ns is None else [deadline_column(deadline_ns)]
    waits = [column.title for column in COLUMNS].index("wait")
    schedule = OPEN_LOOP_COLUMNS if open_loop else ()
    # What is ranked by is the last to go.
    columns = [replace(each, rank=-1) if each.title == quantile_name(ranked_by) else each for each in COLUMNS]
    return [
        *columns[:waits],
        *schedule,
        tail_wait_column(ranked_by),
        *columns[waits:],
        *late,
        *([BASE_COLUMN] if base else []),
    ]


class _Placed(Protocol):
    @property
    def title(self) -> str: ...
    @property
    def width(self) -> int: ...
    @property
    def rank(self) -> int: ...


_Any = TypeVar("_Any", bound=_Placed)


def fitting(columns: Sequence[_Any], room: int) -> list[_Any]:
    """The columns that fit into ``room`` cells, the more telling ones first, in their order."""
    chosen: set[str] = set()
    for column in sorted(columns, key=lambda column: column.rank):
        if column.width <= room:
            chosen.add(column.title)
            room -= column.width
    return [column for column in columns if column.title in chosen]


def text_table(
    rows: Sequence[Row], ranked_by: float, most_cells: int | None = None, deadline_ns: int | None = None
) -> list[str]:
    """The table as plain lines, for a log or a pipe. Times in ms; ratios at ``ranked_by`` (percent).

    On a terminal of ``most_cells`` columns, what does not fit is left out.
    """
    width = max([len("ms"), *(len(row.contender.name) for row in rows)])
    open_loop = any(row.condition.is_open_loop for row in rows)
    columns = all_columns(deadline_ns, ranked_by=ranked_by, open_loop=open_loop)
    if most_cells is not None:
        columns = fitting(columns, most_cells - width)
    titles = [column.title_at(quantile_name(ranked_by)).rjust(column.width) for column in columns]
    lines = ["ms".ljust(width) + "".join(titles)]
    for row in rows:
        text = row.contender.name.ljust(width)
        if row.contender.is_out and not row.n:
            lines.append(f"{text}  {row.contender.state}: {row.contender.reason}")
            continue
        lines.append(text + "".join(column.cell(row).text.rjust(column.width) for column in columns))
    return lines


def loading_table(contenders: Sequence[Contender]) -> list[str]:
    """What loading each candidate took: its first inference, one of those that follow, memory. Times in ms.

    With their whole text forms: whoever reads a log must know the number of threads.
    """
    titles = ("load ms", "cold ms", "warm ms", "memory MB")
    width = max([len("loading"), *(len(contender.id) for contender in contenders)])
    lines = ["loading".ljust(width) + "".join(title.rjust(11) for title in titles)]
    for contender in contenders:
        if contender.cold_ms:
            times_ms = (contender.load_ms, contender.cold_ms[0], contender.warm_ms, contender.memory_mb)
            texts = [NOTHING if value is None else three_digits(value) for value in times_ms]
            lines.append(contender.id.ljust(width) + "".join(text.rjust(11) for text in texts))
    return lines if len(lines) > 1 else []
