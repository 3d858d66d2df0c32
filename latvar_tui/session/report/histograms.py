"""Each candidate's histogram under each stress, with what it is when idle as an outline; one axis for the session."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from latvar_tui.axis import Axis
from latvar_tui.condition import Condition
from latvar_tui.format import share, three_digits
from latvar_tui.histogram import Histogram
from latvar_tui.session.report import chart
from latvar_tui.session.report.chart import Picture
from latvar_tui.session.report.content import Content
from latvar_tui.session.report.markup import Markup, element, joined
from latvar_tui.session.report.scales import Scale, around, stairs
from latvar_tui.session.report.tables import Table
from latvar_tui.study.board import Contender

_BARS = 84
_ROW, _GAP = 56.0, 16.0
_RAREST = 1e-5
"""Heights go from this share of the inferences to all of them, by the logarithm."""

_MOST_ROWS = 12


def histograms(content: Content, contender: Contender) -> Picture | None:
    """One candidate's; None where nothing has been counted."""
    axis = _axis(content)
    shown = [
        (condition, cell.latency)
        for condition in content.conditions
        if (cell := content.board.cell(contender, condition)) is not None and cell.latency.total
    ]
    if not shown:
        return None
    # Idle has a row of its own only where there is nothing to compare it with.
    against = {condition.without_stress() for condition, _ in shown if not condition.is_idle}
    idle = {condition: histogram for condition, histogram in shown if condition in against}
    drawn = [(condition, histogram) for condition, histogram in shown if condition not in idle][:_MOST_ROWS]
    x = Scale(axis.low_ns / 1e6, axis.high_ns / 1e6, chart.LEFT, chart.RIGHT, log=True)
    height = chart.TOP + len(drawn) * (_ROW + _GAP) + chart.BOTTOM - 8
    base = height - chart.BOTTOM
    pieces = [
        chart.x_axis(chart.ms_marks(x), chart.TOP, base, "ms"),
        chart.text(2, 10, "share of the inferences", "start", "name"),
    ]
    for place, (condition, histogram) in enumerate(drawn):
        foot = chart.TOP + (place + 1) * (_ROW + _GAP) - 8
        pieces.append(_row(contender, condition, histogram, idle.get(condition.without_stress()), axis, foot))
    legend = [chart.legend_item(f"{chart.colour_class(contender)} thick", "stressed" if idle else "measured")]
    if idle:
        legend.append(chart.legend_item("outline", "the same, idle"))
    desc = "How often each latency occurred; heights by the logarithm, so that the rare and slow ones show."
    return Picture(f"Histogram of {contender.name}", desc, height, joined(*pieces), _table(axis, shown), legend)


def _axis(content: Content) -> Axis:
    """One for all candidates and conditions, so that pictures compare."""
    found = [cell.latency for _, _, cell in content.board.cells() if cell.latency.total]
    low_ns, high_ns = around(min(one.min_ns or 1 for one in found), max(one.max_ns or 1 for one in found))
    return Axis(low_ns, high_ns, _BARS)


def _row(
    contender: Contender, condition: Condition, own: Histogram, idle: Histogram | None, axis: Axis, foot: float
) -> Markup:
    edges = [chart.LEFT + (chart.RIGHT - chart.LEFT) * place / _BARS for place in range(_BARS + 1)]
    area = stairs(edges, [foot - _ROW * height for height in _heights(own, axis)], foot)
    pieces = []
    for level in (1.0, 0.01, 0.0001):
        y = foot - _ROW * _height(np.array([level]))[0]
        pieces.append(element("line", x1=chart.LEFT, y1=y, x2=chart.RIGHT, y2=y, class_="grid"))
        pieces.append(chart.text(chart.LEFT - 4, y + 3.5, f"{100 * level:g} %", "end"))
    pieces.append(element("path", d=area, class_=chart.fill_class(contender)))
    if idle is not None:
        outline = stairs(edges, [foot - _ROW * height for height in _heights(idle, axis)], foot)
        pieces.append(element("path", d=outline, class_="outline"))
    pieces.append(element("line", x1=chart.LEFT, y1=foot, x2=chart.RIGHT, y2=foot, class_="axis"))
    pieces.append(chart.text(chart.RIGHT, foot - _ROW - 3, condition.title[:48], "end", "label"))
    return joined(*pieces)


def _heights(histogram: Histogram, axis: Axis) -> list[float]:
    return [float(height) for height in _height(histogram.bars(axis) / histogram.total)]


def _height(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """0 to 1; what occurred at all is seen."""
    with np.errstate(divide="ignore"):
        heights = np.clip(1 - np.log10(shares) / np.log10(_RAREST), 0.02, 1.0)
    return np.where(shares > 0, heights, 0.0)


def _table(axis: Axis, shown: list[tuple[Condition, Histogram]]) -> Table:
    bars = np.stack([histogram.bars(axis) for _, histogram in shown])
    rows = []
    for place in np.flatnonzero(bars.any(axis=0)).tolist():
        low_ms, high_ms = (three_digits(edge / 1e6) for edge in axis.edges_ns[place : place + 2])
        counted = [(float(row[place]), histogram.total) for row, (_, histogram) in zip(bars, shown, strict=True)]
        rows.append([f"{low_ms} to {high_ms}", *(share(n / total) if n else "0" for n, total in counted)])
    head = ("ms", *(condition.title for condition, _ in shown))
    return Table("Share of the inferences by latency", head, rows)
