"""Latency by the number of stress threads: where lines cross, the order of the candidates is another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from latvar_tui.condition import Condition
from latvar_tui.format import quantile_name
from latvar_tui.session.report import chart
from latvar_tui.session.report.chart import Picture
from latvar_tui.session.report.content import Content
from latvar_tui.session.report.markup import Markup, element, joined
from latvar_tui.session.report.scales import Scale, around, polyline
from latvar_tui.session.report.tables import Table, value
from latvar_tui.study.board import Contender
from latvar_tui.study.quantiles import is_provisional

QUANTILES = (50.0, 99.0)
_HEIGHT = 230.0

_Point = tuple[int, int, bool]
"""Stress threads, the quantile in ns, whether it is provisional."""


def families(content: Content) -> list[list[Condition]]:
    """Conditions that differ in the number of stress threads alone, ascending, idle among them; two at least."""
    found: dict[Condition, list[Condition]] = {}
    for condition in content.conditions:
        if not condition.is_idle:
            found.setdefault(replace(condition, stress_threads=1), []).append(condition)
    idle = {condition for condition in content.conditions if condition.is_idle}
    whole = [[*({group[0].without_stress()} & idle), *group] for group in found.values()]
    return [group for group in whole if len(group) > 1]


def levels(content: Content, family: Sequence[Condition], quantile: float) -> Picture | None:
    """One quantile of all candidates by level; None where no candidate has two levels."""
    lines = [(one, _points(content, one, family, quantile)) for one in content.pictured]
    lines = [(one, points) for one, points in lines if len(points) > 1]
    if not lines:
        return None
    times = [ns for _, points in lines for _, ns, _ in points]
    low, high = around(min(times), max(times))
    y = Scale(low / 1e6, high / 1e6, _HEIGHT - chart.BOTTOM, chart.TOP, log=True)
    numbers = [condition.stress_threads for condition in family]
    x = Scale(min(numbers), max(numbers), chart.LEFT + 8, chart.RIGHT - 8)
    stress = family[-1].title
    name = quantile_name(quantile)
    marks = chart.apart([(x(threads), str(threads)) for threads in numbers], 14)
    drawing = joined(
        chart.x_axis(marks, y.end, y.start, f"stress threads (as in {stress[:36]})"),
        chart.y_axis(y, f"{name}, ms"),
        *(_line(one, points, x, y) for one, points in lines),
    )
    desc = (
        "Each candidate's quantile by the number of stress threads; where lines cross, the measured order "
        "changes. Hollow points are provisional."
    )
    legend = chart.legend_of(one for one, _ in lines)
    return Picture(f"{name} by stress", desc, _HEIGHT, drawing, _table(lines, numbers, name), legend)


def _points(content: Content, one: Contender, family: Sequence[Condition], quantile: float) -> list[_Point]:
    found = []
    for condition in family:
        cell = content.board.cell(one, condition)
        at_ns = None if cell is None else cell.latency.quantile_ns(quantile)
        if cell is not None and at_ns is not None:
            found.append((condition.stress_threads, at_ns, is_provisional(cell.latency, quantile)))
    return found


def _line(one: Contender, points: Sequence[_Point], x: Scale, y: Scale) -> Markup:
    places = [(x(threads), y(ns / 1e6)) for threads, ns, _ in points]
    colour = chart.colour_class(one)
    dots = [
        element("circle", cx=px, cy=py, r=3, class_=f"{colour} {'hollow' if shaky else chart.fill_class(one)}")
        for (px, py), (_, _, shaky) in zip(places, points, strict=True)
    ]
    return joined(element("path", d=polyline(places), class_=chart.line_class(one)), *dots)


def _table(lines: Sequence[tuple[Contender, Sequence[_Point]]], numbers: Sequence[int], name: str) -> Table:
    rows = []
    for one, points in lines:
        by_threads = {threads: value(ns, shaky) for threads, ns, shaky in points}
        rows.append([one.name, *(by_threads.get(threads, "–") for threads in numbers)])
    return Table(f"{name} by stress threads, ms", ("candidate", *map(str, numbers)), rows)
