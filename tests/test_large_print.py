"""Large print: digits of our own in three rows and more, and what stands around them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latvar_tui.tui.large_print import ROWS_SMALLEST, LargeLines, LargePrint, large
from latvar_tui.tui.line_widget import LineWidget
from latvar_tui.tui.view import View
from tests.scripted_link import MS, board_of, slice_frame
from tests.test_screen import IDS, SIZES, UNDER_STRESS, make_app, plain_terminal, sent, settled, then

__all__ = ["plain_terminal"]  # a fixture that is used by being here


def test_three_rows() -> None:
    assert [row.rstrip() for row in large("12.3", 20, 3)] == [
        "▄█  ▀▀█   ▀▀█",
        " █  █▀▀   ▀▀█",
        "▀▀▀ ▀▀▀ ▀ ▀▀▀",
    ]
    assert [row.rstrip() for row in large("12.3", 20, 3, ascii=True)] == [
        "_#  ''#   ''#",
        " #  #''   ''#",
        "''' ''' ' '''",
    ]


@given(st.text("0123456789.~", min_size=1, max_size=8), st.integers(0, 200), st.integers(0, 60), st.booleans())
def test_it_fits_and_every_digit_differs(text: str, width: int, height: int, ascii: bool) -> None:
    rows = large(text, width, height, ascii=ascii)
    assert len(rows) <= height and all(len(row) <= width for row in rows)
    assert len({len(row) for row in rows}) <= 1
    assert not ascii or "".join(rows).isascii()
    if height >= ROWS_SMALLEST and width >= 5 * len(text):
        assert rows


def test_more_room_makes_them_larger() -> None:
    heights = [len(large("12.3", width, height)) for width, height in [(20, 4), (40, 8), (80, 20), (160, 40)]]
    assert heights == [3, 5, 15, 30]


def shown(app: object) -> list[str]:
    screen = app.screen  # type: ignore[attr-defined]
    assert isinstance(screen, LargePrint)
    return [strip.text for strip in screen.query_one(LineWidget).lines]


async def test_g_shows_the_selected_candidate_and_keys_go_on_working() -> None:
    app = make_app(UNDER_STRESS, condition="2xcpu@100%")
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("g")
        text = "\n".join(shown(app))
        assert "squeezenet1_1" in text and "p99 in ms, 2 stress threads" in text and "idle: " in text
        await pilot.press("down", "p", "right")
        await pilot.pause()
        assert "mobilenet_v3_large" in "\n".join(shown(app)) and "p99.9 in ms" in "\n".join(shown(app))
        assert sent(app).conditions() == ["3xcpu@100%"]
        await pilot.press("g")
        assert len(app.screen_stack) == 1


@pytest.mark.parametrize("size", SIZES, ids=IDS)
def test_looks(snap_compare: object, size: tuple[int, int]) -> None:
    app = make_app(UNDER_STRESS, condition="2xcpu@100%")
    assert snap_compare(app, terminal_size=size, run_before=then("g"))  # type: ignore[operator]


def test_the_large_print_is_of_the_window_and_says_so() -> None:
    slow = slice_frame(1, "a", "0xcpu@100%", [8 * MS] * 80)
    board = board_of(["a"], [slow, slice_frame(100, "a", "0xcpu@100%", [2 * MS] * 50)])
    view = View(ranked_by=50.0)
    whole, recent = ["p50 in ms, idle", "8.00 ms"], ["p50 in ms, idle, 10 s", "2.00 ms"]
    for view.recent_only, expected in ((False, whole), (True, recent)):
        assert [strip.text.strip() for strip in LargeLines(board, view).draw(24, 8) if strip.text.strip()][
            1:3
        ] == expected
