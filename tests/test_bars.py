"""The histograms and their axis as text."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.style import Style

from latvar_tui.tui.bars import BarStyles, axis_column, axis_ticks, histogram_rows, log_count_heights

STYLES = BarStyles(Style(color="blue"), Style(color="yellow"), Style(color="white"))
RECENT_ON_WHOLE = Style(color="yellow", bgcolor="blue")
heights = st.lists(st.floats(0, 1), min_size=12, max_size=12)


def spans(*shapes: list[float] | None, rows: int, **options: bool) -> list[list[tuple[str, Style]]]:
    return [row.spans() for row in histogram_rows(*shapes, rows, styles=STYLES, **options)]


def texts(*shapes: list[float] | None, rows: int, **options: bool) -> list[str]:
    return ["".join(text for text, _ in row) for row in spans(*shapes, rows=rows, **options)]


def style_at(spans: list[tuple[str, Style]], column: int) -> Style:
    for text, style in spans:
        if column < len(text):
            return style
        column -= len(text)
    raise IndexError(column)


def test_eighths_of_a_cell() -> None:
    steps = [n / 16 for n in range(17)]

    assert texts(steps, None, None, rows=2) == ["         ▁▂▃▄▅▆▇█", " ▁▂▃▄▅▆▇█████████"]


def test_half_rows_round_but_keep_what_is_there() -> None:
    assert texts([0, 0.01, 0.3, 0.5, 0.8, 1], None, None, rows=1, half_rows=True) == [" ▄▄▄██"]


def test_recent_stands_in_front_of_the_whole() -> None:
    top, bottom = spans([1.0], [0.25], None, rows=2)

    assert top == [("█", STYLES.whole)]
    assert bottom == [("▄", RECENT_ON_WHOLE)]


@pytest.mark.parametrize(
    ("whole", "recent", "cell"),
    [
        (8, 3, ("▃", RECENT_ON_WHOLE)),  # exact
        (7, 3, ("▃", RECENT_ON_WHOLE)),  # one eighth wrongly blue, instead of four not blue
        (5, 3, ("▃", STYLES.recent)),  # two eighths not blue, instead of three wrongly blue
        (6, 4, ("▄", STYLES.recent)),  # a tie: the plainer cell
        (3, 3, ("▃", STYLES.recent)),
        (2, 3, ("▃", STYLES.recent)),  # the whole is hidden
        (3, 0, ("▃", STYLES.whole)),
        (0, 8, ("█", STYLES.recent)),
    ],
)
def test_three_layers_in_a_cell_are_drawn_as_near_as_two_colours_allow(
    whole: int, recent: int, cell: tuple[str, Style]
) -> None:
    assert spans([whole / 8], [recent / 8], None, rows=1) == [[cell]]


def test_ghost_marks_its_top_in_empty_cells_only() -> None:
    rows = spans([0.1, 0.9, 0], None, [1.0, 0.4, 0.0], rows=4)

    assert ["".join(text for text, _ in row) for row in rows] == ["▔▅ ", " █ ", " █ ", "▃█ "]
    assert style_at(rows[0], 0) == STYLES.ghost


def test_shapes_differ_without_colours() -> None:
    assert texts([1, 1, 0], [0.5, 0, 0], [0, 0, 1], rows=2, ascii=True) == ["::^", "#: "]


@given(heights, heights, heights, st.booleans())
def test_every_row_is_one_cell_a_column(
    whole: list[float], recent: list[float], ghost: list[float], ascii: bool
) -> None:
    rows = spans(whole, recent, ghost, rows=5, ascii=ascii)

    assert len(rows) == 5
    for row in rows:
        text = "".join(part for part, _ in row)
        assert len(text) == 12
        assert text.isascii() or not ascii
        assert all(one[1] != other[1] for one, other in itertools.pairwise(row))


def test_odd_input() -> None:
    assert spans(None, None, None, rows=2) == [[], []]
    assert texts([float("nan"), -1, 7], None, None, rows=1) == ["  █"]
    with pytest.raises(ValueError, match="numbers of columns"):
        histogram_rows([0.1], [0.1, 0.2], None, 2, styles=STYLES)


def test_log_count_shows_the_tail() -> None:
    shown = log_count_heights([0, 1, 99, 9_999])
    assert shown.tolist() == pytest.approx([0.0, math.log(2) / math.log(10_000), 0.5, 1.0])


def test_log_count_keeps_the_rare_visible() -> None:
    shown = log_count_heights([0, 1, 10_000_000], floor=1 / 8)
    assert shown.tolist() == [0.0, 1 / 8, 1.0]
    assert log_count_heights([0, 0]).tolist() == [0.0, 0.0]
    assert log_count_heights([]).tolist() == []


def test_axis_labels() -> None:
    assert axis_ticks(0.4e6, 60e6, 60) == " 0.5      1        2          5      10      20        50 ms"
    assert axis_ticks(0.4e6, 60e6, 30) == "0.5  1   2     5  10  20 50 ms"
    assert axis_ticks(0.4e6, 60e6, 12) == "  1   10  ms"
    assert axis_ticks(3.1e6, 8e6, 20).split() == ["4", "5", "6", "7", "ms"]


@given(st.floats(1e2, 1e9), st.floats(1.5, 1e6), st.integers(0, 130))
def test_axis_fits_and_its_labels_stand_near_their_values(low: float, factor: float, columns: int) -> None:
    high = low * factor
    axis = axis_ticks(low, high, columns)

    assert len(axis) == columns
    *labels, _unit = axis.split() or [""]
    values = [float(label) * 1e6 for label in labels]
    assert values == sorted(values)
    start = 0
    for label, value in zip(labels, values, strict=True):
        start = axis.index(label, start)
        assert abs(start + len(label) // 2 - axis_column(value, low, high, columns)) <= len(label) + 3
        start += len(label)
