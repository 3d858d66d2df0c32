"""Who wins under each condition, and which pairs change places: in sentences, with how sure that is."""

from __future__ import annotations

from collections.abc import Sequence

from latvar_tui.condition import Condition
from latvar_tui.format import ms, plural, printable, quantile_name
from latvar_tui.paper_table import Grid
from latvar_tui.study.conclusions import Pair, Ratio, Reversal


def lines(grid: Grid, quantiles: Sequence[float]) -> list[str]:
    """For each quantile (percent): the fastest under each condition; then every reversal, or that there is none."""
    found: list[str] = []
    if len(grid.rows) < 2:
        return found
    for quantile in quantiles:
        found.append(f"Fastest at {quantile_name(quantile)}")
        width = max(len(title) for title in grid.columns.values())
        found += [f"  {title.ljust(width)}  {_winner(grid, c, quantile)}" for c, title in grid.columns.items()]
        found.append("")
    reversals = grid.study.reversals(quantiles)
    for quantile in quantiles:
        own = [one for one in reversals if one.quantile == quantile and {one.before, one.after} <= set(grid.columns)]
        found += _reversal_lines(grid, quantile, own)
    return [printable(line) for line in found]


def _winner(grid: Grid, condition: Condition, quantile: float) -> str:
    groups = grid.study.groups(condition, quantile, list(grid.rows))
    if not groups.best:
        return "nothing was measured"
    first, *others = groups.best
    value = f"{grid.rows[first]}, {_value(grid, first, condition, quantile)} ms"
    if others:
        waits = [grid.study.pair(first, other, condition, quantile).more_s for other in others]
        known = [wait for wait in waits if wait is not None]
        more = f"about {_duration(max(known))} more" if len(known) == len(waits) and max(known) else "no end in sight"
        names = ", ".join(grid.rows[other] for other in others)
        equal = all(grid.study.pair(first, other, condition, quantile).equal for other in others)
        return f"{value}; {'as fast as' if equal else 'not told apart from'} {names}" + ("" if equal else f" ({more})")
    if not groups.worse:
        return value
    pair = grid.study.pair(groups.worse[0], first, condition, quantile)
    return f"{value}: {_change(pair)} than {grid.rows[groups.worse[0]]}"


def _reversal_lines(grid: Grid, quantile: float, own: Sequence[Reversal]) -> list[str]:
    title = f"Reversals at {quantile_name(quantile)}"
    if not own:
        return [f"{title}: none beyond doubt"]
    by_pair: dict[tuple[str, str], list[Reversal]] = {}
    for one in own:
        by_pair.setdefault((one.a, one.b), []).append(one)
    told = [f"{title}: {plural(len(by_pair), 'pair')}"]
    for (a, b), there in by_pair.items():
        # The first of each side tells it; the table's arrows show the rest.
        first = there[0]
        told.append(
            f"  {grid.rows[a]} beats {grid.rows[b]} {_when(grid, first.before)} "
            f"({_against(grid, a, b, first.before, quantile, first.ratio_before)}) and loses to it "
            f"{_when(grid, first.after)} ({_against(grid, a, b, first.after, quantile, first.ratio_after)})"
        )
    return told


def _against(grid: Grid, a: str, b: str, condition: Condition, quantile: float, ratio: Ratio) -> str:
    """``4.02 against 4.80 ms, −17 % [−19, −15]``: of ``a``, beside ``b``."""
    values = f"{_value(grid, a, condition, quantile)} against {_value(grid, b, condition, quantile)} ms"
    return f"{values}, {_percent_of(ratio)}"


def _percent_of(ratio: Ratio) -> str:
    """By how much the first differs from the second, of a ratio of the second over the first."""
    value = f"{_signed(1 / ratio.value)} %"
    if ratio.low is None or ratio.high is None:
        return value
    return f"{value} [{_signed(1 / ratio.high)}, {_signed(1 / ratio.low)}]"


def _signed(share: float) -> str:
    percent = 100 * (share - 1)
    return f"{'+' if percent >= 0 else '−'}{abs(percent):.0f}"


def _change(pair: Pair) -> str:
    """How much faster ``b`` is than ``a``: ``17 % [15, 19] faster``."""
    ratio = pair.ratio
    if ratio is None:
        return "faster"
    bounds = "" if ratio.low is None or ratio.high is None else f" [{_less(ratio.high)}, {_less(ratio.low)}]"
    return f"{_less(ratio.value)} %{bounds} less"


def _less(ratio: float) -> str:
    return f"{100 * (1 - ratio):.0f}"


def _when(grid: Grid, condition: Condition) -> str:
    title = grid.columns[condition]
    return "when idle" if title == "idle" else f"{grid.when} {title}"


def _value(grid: Grid, candidate: str, condition: Condition, quantile: float) -> str:
    histogram = grid.histogram(candidate, condition)
    return ms(None if histogram is None else histogram.quantile_ns(quantile))


def _duration(seconds: float) -> str:
    return (
        f"{seconds:.0f} s"
        if seconds < 90
        else f"{seconds / 60:.0f} min"
        if seconds < 5400
        else f"{seconds / 3600:.0f} h"
    )
