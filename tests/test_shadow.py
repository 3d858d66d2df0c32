"""The shadow of the terminal: what it leaves out must not be missed on the screen."""

from __future__ import annotations

import pyte
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.color import ColorSystem
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate
from textual.strip import Strip

from latvar_tui.tui.shadow import CellsPart, Inks, Shadow, blank_pen, change_pen, pen_of
from tests.terminal import look

WIDTH, HEIGHT = 24, 3
CONSOLE = Console(color_system="truecolor", force_terminal=True)
STYLES = [
    None,
    Style(color="red"),
    Style(color="#102030", bgcolor="#405060"),
    Style(bold=True, color="#102030"),
    Style(underline=True, bgcolor="blue"),
    Style(reverse=True, italic=True),
    Style(dim=True, strike=True),
    Style(bold=True, dim=True, color="color(200)"),
]

texts = st.text(st.sampled_from("ab  █▂·宽é👍"), min_size=1, max_size=9)
segments = st.lists(st.builds(Segment, texts, st.sampled_from(STYLES), st.none()), max_size=6)
line_spans = st.tuples(st.integers(0, HEIGHT - 1), st.integers(0, WIDTH - 1), st.integers(1, WIDTH))


def update(y: int, first: int, length: int, drawn: list[Segment]) -> ChopsUpdate:
    """An update of one line that belongs to one widget, of which a stretch is dirty."""
    strip = Strip(drawn).adjust_cell_length(WIDTH, Style())
    chops: list[dict[int, Strip | None]] = [{0: None} for _ in range(HEIGHT)]
    chops[y] = {0: strip}
    span = (y, first, min(first + length, WIDTH))
    return ChopsUpdate(chops, [span], [[WIDTH]] * HEIGHT)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(line_spans, segments), max_size=12))
def test_the_screen_is_the_same_as_without(
    frames: list[tuple[tuple[int, int, int], list[Segment]]],
) -> None:
    plain, delta = (pyte.Screen(WIDTH, HEIGHT) for _ in range(2))
    for screen in (plain, delta):
        screen.reset_mode(pyte.modes.DECAWM)  # as Textual sets the terminal
    plain_in, delta_in = pyte.Stream(plain), pyte.Stream(delta)
    shadow = Shadow(ColorSystem.TRUECOLOR)
    for (y, first, length), drawn in frames:
        renderable = update(y, first, length, drawn)
        plain_in.feed(renderable.render_segments(CONSOLE))
        delta_in.feed(shadow.draw_chops(renderable.chops, renderable.spans, renderable.chop_ends))
        known = [[char is not None for char in row] for row in shadow._chars]
        shown, expected = look(delta), look(plain)
        for row in range(HEIGHT):
            for column in range(WIDTH):
                assert shown[row][column] == expected[row][column] or not known[row][column]


INKS = [Inks(" ▁█x", ["", "31", "31;44", "31;44"]), Inks(" .:#", ["32"] * 4)]
cells = st.builds(CellsPart, st.lists(st.integers(0, 3), min_size=1, max_size=9).map(bytes), st.sampled_from(INKS))
pieces = st.lists(st.one_of(cells, st.tuples(texts, st.sampled_from(["", "33", "1;35;42"]))), max_size=4)


def padded(parts: list[tuple[str, str] | CellsPart]) -> list[tuple[str, str] | CellsPart]:
    """A whole line, as a widget that is as wide as the screen has it."""
    room, whole = WIDTH, list[tuple[str, str] | CellsPart]()
    for part in parts:
        width = len(part.numbers) if isinstance(part, CellsPart) else cell_len(part[0])
        if width <= room:
            room -= width
            whole.append(part)
    return [*whole, (" " * room, "")] if room else whole


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, HEIGHT - 1), pieces, st.booleans()), max_size=12))
def test_lines_are_drawn_as_if_nothing_had_been_there(
    frames: list[tuple[int, list[tuple[str, str] | CellsPart], bool]],
) -> None:
    anew, delta = (pyte.Screen(WIDTH, HEIGHT) for _ in range(2))
    for screen in (anew, delta):
        screen.reset_mode(pyte.modes.DECAWM)
    anew_in, delta_in = pyte.Stream(anew), pyte.Stream(delta)
    shadow = Shadow(ColorSystem.TRUECOLOR)
    shadow.draw_lines([(0, y, [(" " * WIDTH, "")]) for y in range(HEIGHT)], WIDTH, HEIGHT)
    for y, parts, other_way in frames:
        if other_way:  # the compositor draws over it
            other = update(y, 0, WIDTH, [Segment("abc", STYLES[2])])
            anew_in.feed(other.render_segments(CONSOLE))
            delta_in.feed(shadow.draw_chops(other.chops, other.spans, other.chop_ends))
        whole = padded(parts)
        first_time = Shadow(ColorSystem.TRUECOLOR)
        anew_in.feed(first_time.draw_lines([(0, y, whole)], WIDTH, HEIGHT))
        delta_in.feed(shadow.draw_lines([(0, y, whole)], WIDTH, HEIGHT))
        known = [char is not None for char in shadow._chars[y]]
        shown, expected = look(delta)[y], look(anew)[y]
        assert all(a == b for a, b, is_known in zip(shown, expected, known, strict=True) if is_known)
        assert shadow.draw_lines([(0, y, whole)], WIDTH, HEIGHT) == ""


def test_nothing_new_is_nothing_to_write() -> None:
    shadow = Shadow(ColorSystem.TRUECOLOR)
    same = update(1, 0, WIDTH, [Segment("abc宽", STYLES[2])])

    assert shadow.draw_chops(same.chops, same.spans, same.chop_ends) != ""
    assert shadow.draw_chops(same.chops, same.spans, same.chop_ends) == ""
    shadow.forget()
    assert shadow.draw_chops(same.chops, same.spans, same.chop_ends) != ""


def test_half_of_a_wide_character_is_not_trusted() -> None:
    shadow = Shadow(ColorSystem.TRUECOLOR)
    for drawn in ([Segment("a宽b")], [Segment("abc")]):
        full = update(0, 0, 4 if "宽" in drawn[0].text else 2, drawn)
        shadow.draw_chops(full.chops, full.spans, full.chop_ends)

    assert shadow._chars[0][:4] == ["a", "b", None, "b"]


def test_only_the_cells_that_differ_are_written() -> None:
    shadow = Shadow(ColorSystem.TRUECOLOR)

    def draw(text: str, style: Style | None = None) -> str:
        one = update(1, 0, WIDTH, [Segment(text, style)])
        return shadow.draw_chops(one.chops, one.spans, one.chop_ends)

    draw("0123456789")
    assert draw("0123x56789") == "\x1b[2;5Hx"
    assert draw("y123x5678z") == "\x1b[2Hy\x1b[10Gz"
    assert draw("y12-x-678z") == "\x1b[2;4H-x-"  # one cell again is shorter than a move
    assert draw("y12-x-678z", Style(bold=True)) == "\x1b[2H\x1b[1my12-x-678z\x1b[m"


def test_the_colour_of_ink_is_not_seen_on_a_blank() -> None:
    ink = pen_of(Style(color="red", bgcolor="blue", bold=True), ColorSystem.TRUECOLOR)

    assert blank_pen(ink) == "44"
    assert blank_pen("4;31") == "4;31"  # an underlined blank shows its colour


def test_a_change_of_pen_says_what_changes() -> None:
    assert change_pen("", "1;31;44") == "\x1b[1;31;44m"
    assert change_pen("1;31;44", "1;32;44") == "\x1b[32m"
    assert change_pen("1;38;2;1;2;3;48;2;4;5;6", "38;2;1;2;3;48;2;4;5;6") == "\x1b[22m"
    assert change_pen("1;2;31", "2;31") == "\x1b[22;2m"
    assert change_pen("31;44", "31") == "\x1b[49m"
    assert change_pen("31", "") == "\x1b[m"
    assert change_pen("1;31", "1;39") == "\x1b[39m"
    assert change_pen("51", "1;31") == "\x1b[0;1;31m"
    assert change_pen("31", "31\0id=1;http://a") == "\x1b]8;id=1;http://a\x1b\\"
    assert change_pen("31\0id=1;http://a", "31") == "\x1b]8;;\x1b\\"
