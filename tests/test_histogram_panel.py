"""The panels of the live screen: where the line below the bars is heavy, and what the gutter says of it."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latvar_tui import wire
from latvar_tui.format import quantile_name
from latvar_tui.tui.histogram_panel import HistogramPanel
from latvar_tui.tui.palette import WAITING
from latvar_tui.tui.view import View
from tests.scripted_link import MS, board_of, slice_frame

HUMPS = [(2 * MS, 0)] * 1000 + [(k * MS // 10, k * MS // 10 - 3 * MS) for k in range(80, 201)]
"""A hump that ran and one that waited."""


def panel(rows: list[tuple[int, int]], width: int, height: int, *, ascii: bool = False, told: bool = True) -> list[str]:
    """The lines of a panel of one candidate with these (service, wait), ns."""
    values, waits = zip(*rows, strict=True)
    frame = slice_frame(1, "a", "0xcpu@100%", values, waits_ns=waits if told else None)
    drawn = HistogramPanel(board_of(["a"], [frame]), View(), ascii=ascii).draw(width, height)
    return [strip.text for strip in drawn]


def base(lines: list[str], heavy: str) -> tuple[str, int, int]:
    """The line below the bars, and where it is heavy from and to."""
    line = lines[-2]
    return line, line.find(heavy), line.rfind(heavy)


@pytest.mark.parametrize(("width", "height"), [(120, 12), (45, 10)])
@pytest.mark.parametrize(("ascii", "heavy", "mark"), [(False, "━", "┴"), (True, "=", "^")])
def test_the_line_is_heavy_below_what_waited(width: int, height: int, ascii: bool, heavy: str, mark: str) -> None:
    lines = panel(HUMPS, width, height, ascii=ascii)
    line, first, last = base(lines, heavy)
    assert line.find(f"{mark}p50") < first
    assert first < line.find(f"{mark}p99") and last - line.find(f"{mark}p99") <= 6  # the slow hump ends there
    assert all(text.isascii() for text in lines) or not ascii


def test_nothing_is_heavy_where_waits_are_not_told() -> None:
    assert base(panel(HUMPS, 120, 12, told=False), "━")[1:] == (-1, -1)
    assert base(panel([(2 * MS, MS // 2)] * 1000, 120, 12), "━")[1:] == (-1, -1)


def test_the_line_changes_its_style_only_where_it_changes_its_weight() -> None:
    values, waits = zip(*HUMPS, strict=True)
    board = board_of(["a"], [slice_frame(1, "a", "0xcpu@100%", values, waits_ns=waits)])
    strip = HistogramPanel(board, View()).draw(120, 12)[-2]
    for segment in strip:
        assert (segment.style == WAITING) == ("━" in segment.text)
        assert segment.style != WAITING or set(segment.text) == {"━"}
    assert len(list(strip)) <= 6


def test_the_gutter_says_how_much_of_the_quantile_waited() -> None:
    lines = panel(HUMPS, 120, 12)
    assert lines[2].split()[:3] == ["p99", "18.9", "ms"]
    assert lines[3].split()[:3] == ["wait", "15.8", "ms"]  # 3 ms ran; the tenth around p99 holds more below it
    assert panel([(20 * MS, 17 * MS)] * 9, 120, 12)[3].split()[1] == "~17.0"
    assert "wait" not in "".join(panel(HUMPS, 120, 12, told=False))
    assert "wait" not in "".join(panel(HUMPS, 120, 6))  # the numbers themselves come first


def test_the_numbers_above_stay_where_there_is_no_gutter() -> None:
    assert panel(HUMPS, 45, 10)[0].split()[-4:] == ["p50", "2.00", "p99", "18.9"]


def test_a_frame_of_another_probe_without_sums_draws_all_the_same() -> None:
    frame = slice_frame(1, "a", "0xcpu@100%", [MS] * 9, waits_ns=[MS] * 9)
    old = wire.Slice(**(vars(frame) | {"wait_sums": []}))
    lines = HistogramPanel(board_of(["a"], [old]), View()).draw(120, 12)
    assert "━" not in lines[-2].text


@pytest.mark.parametrize("linear", [False, True])
@pytest.mark.parametrize("ranked_by", [99.0, 99.9])
def test_a_mark_at_the_right_edge_is_one_and_its_name_is_whole(ranked_by: float, linear: bool) -> None:
    values = np.linspace(4.0, 9.95, 4000) * MS
    board = board_of(["a"], [slice_frame(1, "a", "0xcpu@100%", values)])
    view = View(ranked_by=ranked_by, linear=linear)
    for width in range(60, 130):
        text = HistogramPanel(board, view).draw(width, 12)[-2].text
        name = quantile_name(ranked_by)
        assert text.count("┴") == 2 and re.search(rf"┴{name}(?!\d)|(?<!\d){name}┴", text), text


@given(st.integers(1, 400), st.integers(1, 400))
def test_names_of_marks_are_whole_or_not_there(one: int, other: int) -> None:
    values = [one * MS // 10] * 60 + [max(one, other) * MS // 10] * 40
    line = HistogramPanel(board_of(["a"], [slice_frame(1, "a", "0xcpu@100%", values)]), View()).draw(80, 12)[-2].text
    assert set(re.findall(r"p\d*", line)) <= {"p50", "p99"}
    assert 1 <= line.count("┴") <= 2


def test_beside_the_bars_stand_numbers_of_all_and_that_is_said_where_the_table_is_of_less() -> None:
    board = board_of(["a"], [slice_frame(1, "a", "0xcpu@100%", [2 * MS] * 50)])
    view = View()
    panel = HistogramPanel(board, view)
    assert ", all" not in "".join(strip.text for strip in panel.draw(120, 12))
    view.recent_only = True
    assert "n 50, all" in "".join(strip.text for strip in panel.draw(120, 12))


def test_a_line_up_of_nobody_has_an_axis() -> None:
    assert len(HistogramPanel(board_of([]), View()).draw(80, 12)) == 1
