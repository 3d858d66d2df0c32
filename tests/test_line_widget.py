"""Lines, the widget that shows them, and the slider made of one."""

from __future__ import annotations

from typing import Any

import pytest
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.strip import Strip

from latvar_tui.tui.line_widget import LineWidget, line
from latvar_tui.tui.stress_slider import StressSlider

RED = Style(color="red")


def test_line_keeps_spans_and_knows_its_length() -> None:
    strip = line("ab", ("cd", RED), "")

    assert list(strip) == [Segment("ab"), Segment("cd", RED)]
    assert strip.cell_length == 4


@pytest.mark.parametrize(("width", "text"), [(0, ""), (1, "a"), (2, "a "), (3, "a宽"), (4, "a宽b"), (9, "a宽b")])
def test_line_is_cut_at_cells(width: int, text: str) -> None:
    strip = line("a", ("宽b", RED), width=width)

    assert strip.text == text
    assert strip.cell_length == cell_len(text)


def test_control_characters_cannot_reach_the_terminal() -> None:
    assert line("a\x1b[2Jb\n\x9b").text == "a�[2Jb��"


class Lines(LineWidget):
    """Remembers what it was asked to repaint."""

    def __init__(self) -> None:
        super().__init__()
        self.repainted: list[Region] = []

    def refresh(self, *regions: Region, **options: Any) -> Any:
        self.repainted += regions
        return super().refresh(*regions, **options)


class OneWidget(App[None]):
    """Shows one widget and collects what the slider says."""

    CSS = "Lines { width: 10; height: 3; background: blue; }"

    def __init__(self, widget: LineWidget) -> None:
        super().__init__()
        self.widget = widget
        self.values: list[int] = []

    def compose(self) -> ComposeResult:
        yield self.widget

    def on_stress_slider_changed(self, event: StressSlider.Changed) -> None:
        assert event.control is self.widget
        self.values.append(event.value)


async def test_only_changed_lines_are_repainted() -> None:
    widget = Lines()
    async with OneWidget(widget).run_test():
        assert widget.set_lines([line("a"), line("b"), line("c"), line("below")]) == 4
        widget.repainted.clear()
        kept = list(widget.lines)

        assert widget.set_lines([line("a"), line(("b", RED)), line("c"), line("deeper")]) == 2

        assert widget.repainted == [Region(0, 1, 10, 1)]  # the fourth line isn't on the screen
        assert [new is old for new, old in zip(widget.lines, kept, strict=True)] == [1, 0, 1, 0]
        widget.repainted.clear()
        assert widget.set_lines(widget.lines) == 0
        assert widget.repainted == []
        assert widget.set_lines([line("a")]) == 3
        assert widget.repainted == [Region(0, 1, 10, 1), Region(0, 2, 10, 1)]


async def test_lines_are_as_wide_as_the_widget_and_in_its_colours() -> None:
    widget = Lines()
    async with OneWidget(widget).run_test():
        widget.set_lines([line("0123456789ab"), line("a", ("b", RED))])

        rendered: list[Strip] = [widget.render_line(y) for y in range(3)]

    assert [strip.text for strip in rendered] == ["0123456789", "ab        ", " " * 10]
    assert {strip.cell_length for strip in rendered} == {10}
    backgrounds = {segment.style.bgcolor for strip in rendered for segment in strip if segment.style}
    assert len(backgrounds) == 1
    assert list(rendered[1])[1].style == widget.rich_style + RED


def slider_text(slider: StressSlider) -> str:
    return slider.lines[0].text


async def test_slider_shows_value_cores_and_words() -> None:
    slider = StressSlider(8, 4)
    async with OneWidget(slider).run_test(size=(60, 3)) as pilot:
        assert slider_text(slider) == "0 ├●───────────┼cores───────┤ 8  0 stress threads on 4 cores"
        slider.value = 1
        assert slider_text(slider) == "0 ├━━━●────────┼cores───────┤ 8  1 stress thread on 4 cores"
        slider.value = 5
        assert slider_text(slider) == "0 ├━━━━━━━━━━━━┼━━●─────────┤ 8  5 stress threads on 4 cores"
        slider.value = 99
        assert slider.value == 8
        assert slider_text(slider).rstrip().endswith("8 stress threads on 4 cores")
        await pilot.pause()
        assert pilot.app.values == []  # only the mouse is news to the application


async def test_slider_in_ascii_and_without_room() -> None:
    slider = StressSlider(8, 4, 8, ascii=True)
    async with OneWidget(slider).run_test(size=(60, 3)) as pilot:
        assert slider_text(slider).isascii()
        await pilot.resize_terminal(30, 3)
        assert slider_text(slider) == "8 stress on 4 cores"


async def test_click_sets_the_value() -> None:
    slider = StressSlider(8, 4)
    app = OneWidget(slider)
    async with app.run_test(size=(60, 3)) as pilot:
        for value in (8, 0, 3, 3):
            column = next(x for x in range(60) if slider.value_at(x) == value and x > 2)
            await pilot.mouse_down(slider, offset=(column, 0))
            await pilot.mouse_up(slider, offset=(column, 0))
            assert slider.value == value
        assert app.values == [8, 0, 3]


async def test_drag_follows_the_mouse_also_outside_of_the_row() -> None:
    slider = StressSlider(8, 4)
    app = OneWidget(slider)
    async with app.run_test(size=(60, 3)) as pilot:
        await pilot.hover(offset=(20, 0))
        assert slider.value == 0  # no button is down
        await pilot.mouse_down(slider, offset=(3, 0))
        await pilot.hover(offset=(12, 2))
        assert slider.value == slider.value_at(12) > 0
        await pilot.hover(offset=(59, 2))
        assert slider.value == 8
        await pilot.mouse_up(offset=(59, 2))
        await pilot.hover(offset=(3, 0))
        assert slider.value == 8
        assert app.mouse_captured is None


async def test_wheel_is_one_thread_a_notch() -> None:
    slider = StressSlider(2, 1)
    app = OneWidget(slider)
    async with app.run_test(size=(60, 3)) as pilot:
        up, down = events.MouseScrollUp, events.MouseScrollDown
        for notch in (up, up, up, down):
            slider.post_message(notch(slider, 5, 0, 0, 0, 0, False, False, False))
        await pilot.pause()
        assert app.values == [1, 2, 1]
