"""Latency over time: each column a stretch of time, darker where more of its inferences lie."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from latvar_tui.format import count, three_digits
from latvar_tui.session.report import chart
from latvar_tui.session.report.chart import Picture
from latvar_tui.session.report.content import Content, length
from latvar_tui.session.report.density import AXIS
from latvar_tui.session.report.markup import Markup, element, joined, number
from latvar_tui.session.report.scales import Scale
from latvar_tui.session.report.tables import Table
from latvar_tui.study.board import Contender

_HEIGHT = 222.0
_STRIP = 12.0
_MOST_ROWS, _FEWEST_ROWS = 40, 16
_MOST_DOUBLINGS = 3
_SHADES = (0.0, 0.01, 0.03, 0.1, 0.3)
"""Of a stretch's inferences more than this share; a darker shade for each."""


def heatmap(content: Content, contender: Contender) -> Picture | None:
    """One candidate's; None where nothing has been counted."""
    density = content.densities.get(contender.id)
    if density is None or not density.counts.any():
        return None
    column_ns, used = _columns(content)
    counts, threads, marked = density.merged(column_ns // density.column_ns)
    counts, threads, marked = counts[:used], threads[:used], marked[:used]
    seconds = column_ns / 1e9
    table = _table(counts, threads, marked, seconds)
    low, rows_by, counts = _cropped(counts)
    edges_ms = AXIS.edges_ns[low : low + rows_by * counts.shape[1] + 1 : rows_by] / 1e6
    foot = _HEIGHT - chart.BOTTOM - _STRIP - 4
    y = Scale(float(edges_ms[0]), float(edges_ms[-1]), foot, chart.TOP, log=True)
    x = Scale(0.0, used * seconds, chart.LEFT, chart.RIGHT)
    drawing = joined(
        _time_axis(x),
        chart.y_axis(y, "ms"),
        *_shades(counts, contender, x, y, seconds, edges_ms),
        _stress(threads, x, seconds),
        _marks(marked, x, seconds),
    )
    desc = (
        f"Each column is {length(seconds) if seconds >= 1 else f'{seconds:g} s'}; the stronger, the more of its "
        "inferences. Below: the number of stress threads. Triangles above: disturbed from outside."
    )
    return Picture(f"{contender.name} over time", desc, _HEIGHT, drawing, table)


def _columns(content: Content) -> tuple[int, int]:
    """How long a column is (ns), and how many are used: the same for all candidates, so that pictures compare.

    Candidates have turns: columns are as long as it takes for none to be empty in between, within reason. What stays
    empty then is a pause.
    """
    shown = [one for one in content.densities.values() if one.counts.any()]
    column_ns = max(one.column_ns for one in shown)
    for _ in range(_MOST_DOUBLINGS):
        if not any(_has_short_gap(one.merged(column_ns // one.column_ns)[1]) for one in shown):
            break
        column_ns *= 2
    used = max(np.flatnonzero(one.merged(column_ns // one.column_ns)[1] >= 0)[-1] for one in shown)
    return column_ns, int(used) + 1


def _has_short_gap(threads: NDArray[np.int64]) -> bool:
    there = np.flatnonzero(threads >= 0)
    return bool(np.any((np.diff(there) > 1) & (np.diff(there) <= 3)))


def _cropped(counts: NDArray[np.int64]) -> tuple[int, int, NDArray[np.int64]]:
    """The first row of latency that is drawn, how many of them are one, and the counts of these."""
    there = np.flatnonzero(counts.any(axis=0))
    low, end = int(there[0]), int(there[-1]) + 1
    short = max(0, _FEWEST_ROWS - (end - low))
    low, end = max(0, low - (short + 1) // 2), min(AXIS.columns, end + (short + 1) // 2)
    by = -(-(end - low) // _MOST_ROWS)
    rows = -(-(end - low) // by) * by
    low = min(low, AXIS.columns - rows)
    return low, by, counts[:, low : low + rows].reshape(len(counts), -1, by).sum(axis=2)


def _shades(
    counts: NDArray[np.int64], contender: Contender, x: Scale, y: Scale, seconds: float, edges_ms: NDArray[np.float64]
) -> list[Markup]:
    """A path for each shade: runs of cells of the same one, column by column."""
    totals = np.maximum(1, counts.sum(axis=1, keepdims=True))
    level = np.searchsorted(_SHADES, counts / totals)  # 0: none
    paths: list[list[str]] = [[] for _ in _SHADES]
    for column, shades in enumerate(level):
        left, right = number(x(column * seconds)), x((column + 1) * seconds)
        width = number(right - float(left))
        for first, end in _runs(shades):
            if shades[first]:
                bottom, top = y(float(edges_ms[first])), y(float(edges_ms[end]))
                paths[shades[first] - 1].append(f"M{left} {number(top)}h{width}V{number(bottom)}h-{width}z")
    return [
        element("path", d="".join(path), class_=f"{chart.fill_class(contender)} s{shade}")
        for shade, path in enumerate(paths, 1)
        if path
    ]


def _runs(values: NDArray[np.int64]) -> list[tuple[int, int]]:
    """First and end of each run of equal values."""
    edges = [0, *(np.flatnonzero(np.diff(values)) + 1).tolist(), len(values)]
    return list(pairwise(edges))


def _time_axis(x: Scale) -> Markup:
    unit, in_s = next(
        (unit, in_s) for unit, in_s in (("h", 3600), ("min", 60), ("s", 1)) if x.high >= 3 * in_s or in_s == 1
    )
    scale = Scale(0.0, x.high / in_s, x.start, x.end)
    marks = chart.apart([(scale(value), f"{value:g}") for value in scale.ticks(8)], 24)
    return chart.x_axis(marks, chart.TOP, _HEIGHT - chart.BOTTOM, f"time since the beginning, {unit}")


def _stress(threads: NDArray[np.int64], x: Scale, seconds: float) -> Markup:
    most, top = max(1, int(threads.max())), _HEIGHT - chart.BOTTOM - _STRIP
    pieces = []
    there = np.flatnonzero(threads >= 0)
    # While others have their turn, the stress is what it was.
    lasting = threads[there[np.maximum(0, np.searchsorted(there, np.arange(len(threads)), side="right") - 1)]]
    for first, end in _runs(lasting):
        number_of = int(lasting[first])
        left, right = x(first * seconds), x(end * seconds)
        strength = 0.05 + 0.3 * number_of / most
        pieces.append(
            element(
                "rect",
                x=left,
                y=top,
                width=right - left,
                height=_STRIP,
                class_="stress",
                style=f"fill-opacity:{strength:.2f}",
            )
        )
        if right - left >= 7 * len(str(number_of)):
            pieces.append(chart.text((left + right) / 2, top + 9.5, str(number_of), class_="name"))
    return joined(*pieces)


def _marks(marked: NDArray[np.bool_], x: Scale, seconds: float) -> Markup:
    places = [x((column + 0.5) * seconds) for column in np.flatnonzero(marked).tolist()]
    if not places:
        return Markup()
    return element("path", d="".join(f"M{number(p)} {chart.TOP}l-3 -5h6z" for p in places), class_="mark")


def _table(
    counts: NDArray[np.int64],
    threads: NDArray[np.int64],
    marked: NDArray[np.bool_],
    seconds: float,
) -> Table:
    """In a dozen stretches: where most of the inferences and where the slowest ones lay, by :data:`AXIS`'s rows."""
    by = max(1, -(-len(counts) // 12))
    rows = []
    for first in range(0, len(counts), by):
        part = counts[first : first + by].sum(axis=0)
        n = int(part.sum())
        stress = sorted({int(t) for t in threads[first : first + by] if t >= 0})
        disturbed = "yes" if marked[first : first + by].any() else "no"
        where = [
            three_digits(float(AXIS.edges_ns[_row_of(part, share)]) / 1e6) if n else "–" for share in (0.5, 0.99, 1.0)
        ]
        at = f"{three_digits(first * seconds)}" if first else "0"
        rows.append([at, ", ".join(map(str, stress)) or "–", count(n), *where, disturbed])
    head = ("from s", "stress threads", "n", "50 % below ms", "99 % below", "all below", "disturbed")
    return Table("Over time; latencies in steps of 3 %", head, rows)


def _row_of(part: NDArray[np.int64], share: float) -> int:
    """The upper edge of the row that holds this share of the counts."""
    above = np.cumsum(part)
    return int(np.searchsorted(above, share * above[-1])) + 1
