"""Percentile curves on HdrHistogram's axis: each decade of rarity, from one in ten on, takes as much room."""

from __future__ import annotations

import math

from latvar_tui.condition import Condition
from latvar_tui.format import ms, quantile_name
from latvar_tui.histogram import Histogram
from latvar_tui.session.report import chart
from latvar_tui.session.report.chart import Picture
from latvar_tui.session.report.content import Content
from latvar_tui.session.report.markup import Markup, element, joined
from latvar_tui.session.report.scales import Scale, around, polyline
from latvar_tui.session.report.tables import Table, value
from latvar_tui.study.board import Contender
from latvar_tui.study.quantiles import PROVISIONAL_BEYOND, is_provisional

_MARKED = (50.0, 90.0, 99.0, 99.9, 99.99, 99.999)
_MOST_DECADES = 5.0
_STEPS = 32  # points a decade
_HEIGHT = 250.0


def rarity(quantile: float) -> float:
    """HdrHistogram's axis: how many decades 1/(1-q) is, of a quantile in percent."""
    return -math.log10(1 - quantile / 100)


def curves(content: Content, condition: Condition) -> Picture | None:
    """One condition's curves, all candidates; None where nothing has been counted."""
    shown: list[tuple[Contender, Histogram]] = []
    for one in content.pictured:
        cell = content.board.cell(one, condition)
        if cell is not None and cell.latency.total:
            shown.append((one, cell.latency))
    if not shown:
        return None
    most = min(_MOST_DECADES, max(math.log10(histogram.total) for _, histogram in shown))
    x = Scale(0.0, max(most, 1.0), chart.LEFT, chart.RIGHT)
    y = _latencies([histogram for _, histogram in shown], _HEIGHT)
    marks = [(x(rarity(quantile)), f"{quantile:g} %") for quantile in _MARKED if rarity(quantile) <= x.high]
    what = "response" if condition.is_open_loop else "service"
    drawing = joined(
        chart.x_axis(marks, y.end, y.start, "share of the inferences that took no longer"),
        chart.y_axis(y, f"{what} time, ms"),
        *(_curve(one, histogram, x, y) for one, histogram in shown),
    )
    desc = (
        "Each step of the axis is ten times as rare as the one before. Where fewer than "
        f"{PROVISIONAL_BEYOND} inferences took longer, the line is thin and faint; "
        f"it ends with the slowest one, or at {_MARKED[-1]:g} %."
    )
    names = [one for one, _ in shown]
    return Picture(f"Percentiles, {condition.title}", desc, _HEIGHT, drawing, _table(shown), chart.legend_of(names))


def _latencies(histograms: list[Histogram], height: float) -> Scale:
    medians = [histogram.min_ns or 1 for histogram in histograms]
    low, high = around(min(medians), max(histogram.max_ns or 1 for histogram in histograms))
    return Scale(low / 1e6, high / 1e6, height - chart.BOTTOM, chart.TOP, log=True)


def _curve(contender: Contender, histogram: Histogram, x: Scale, y: Scale) -> Markup:
    """Firm as far as it rests on enough observations, faint beyond."""
    end = min(x.high, math.log10(histogram.total))
    firm = min(end, max(0.0, math.log10(histogram.total / PROVISIONAL_BEYOND)))
    grid = [step / _STEPS for step in range(math.ceil(end * _STEPS))]
    pieces = []
    for places, more in (
        ([p for p in grid if p < firm] + [firm], ""),
        ([firm, *(p for p in grid if p > firm), end], " faint"),
    ):
        if places[-1] > places[0]:
            at_ns = histogram.quantiles_ns([100 * (1 - 10.0**-place) for place in places])
            points = [(x(place), y(ns / 1e6)) for place, ns in zip(places, at_ns, strict=True)]
            if places[-1] == math.log10(histogram.total):
                points.append((x(places[-1]), y((histogram.max_ns or 0) / 1e6)))  # the rank of the slowest begins here
            pieces.append(element("path", d=polyline(points), class_=chart.line_class(contender) + more))
    return joined(*pieces)


def _table(shown: list[tuple[Contender, Histogram]]) -> Table:
    quantiles = (50.0, 75.0, 90.0, 99.0, 99.9, 99.99)
    rows = [
        [one.name, *(value(h.quantile_ns(q), is_provisional(h, q)) for q in quantiles), ms(h.max_ns)]
        for one, h in shown
    ]
    return Table("Percentiles, ms", ("candidate", *map(quantile_name, quantiles), "max"), rows)
