"""With the layer and without it a person must see the same."""

from __future__ import annotations

import asyncio
import inspect
import io
import random
import threading
from contextlib import nullcontext
from typing import Any

import pyte
import pytest
from rich.style import Style
from textual._ansi_sequences import SYNC_END, SYNC_START
from textual._compositor import CompositorUpdate
from textual.drivers._writer_thread import WriterThread
from textual.drivers.headless_driver import HeadlessDriver
from textual.pilot import Pilot

from latvar_tui.tui import delta
from latvar_tui.tui.line_widget import LineWidget, line
from latvar_tui.tui.output import TrackedFile
from tests.scripted_app import Help, ScriptedApp
from tests.terminal import differences, look

SIZE = (120, 40)


class CaptureDriver(HeadlessDriver):
    """Not headless for the application, which therefore draws; keeps what is written."""

    is_headless = False  # type: ignore[assignment]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.written: list[str] = []

    def write(self, data: str) -> None:
        self.written.append(data)


class TwinApp(ScriptedApp):
    """Draws each update on one emulated terminal, and as Textual would on another."""

    def __init__(self, driver_class: type[HeadlessDriver] = CaptureDriver, **kwargs: Any) -> None:
        super().__init__(driver_class=driver_class, **kwargs)
        self.screens = pyte.Screen(*SIZE), pyte.Screen(*SIZE)
        self.streams = [pyte.Stream(screen) for screen in self.screens]
        self.compared = self.at_once = 0

    def _display(self, screen: Any, renderable: Any) -> None:
        drawn = self._is_drawing() and isinstance(renderable, CompositorUpdate)
        if drawn:
            self.streams[1].feed(renderable.render_segments(self.console))
        super()._display(screen, renderable)
        if drawn:
            self.compare()

    def _display_lines(self, lines: Any) -> None:
        super()._display_lines(lines)
        whole = self.screen._compositor.render_update(full=True)
        assert isinstance(whole, CompositorUpdate)
        self.streams[1].feed(whole.render_segments(self.console))
        self.at_once += 1
        self.compare()

    def compare(self) -> None:
        if isinstance(self._driver, CaptureDriver):
            self.streams[0].feed("".join(self._driver.written))
            self._driver.written.clear()
            assert differences(*self.screens) == []
            self.compared += 1


def running(app: ScriptedApp, size: tuple[int, int] = SIZE) -> Any:
    return app.run_test(headless=False, size=size, notifications=True)


async def settle(pilot: Pilot[Any]) -> None:
    """Until all has been drawn, and has left."""
    app = pilot.app
    assert isinstance(app, ScriptedApp)
    await pilot.pause()
    left = asyncio.Event()
    app.when_flushed(left.set)
    await left.wait()


def scribble(random_: random.Random, widget: LineWidget) -> None:
    """Change some lines to something odd, wide and coloured."""
    lines = list(widget.lines) + [line("")] * max(0, 3 - len(widget.lines))
    styles = [Style(color="red"), Style(bgcolor="#336699", bold=True), Style(underline=True), Style()]
    for _ in range(random_.randint(1, 3)):
        spans = [
            ("".join(random_.choices("ab  █▂·宽é👍", k=random_.randint(1, 12))), random_.choice(styles))
            for _ in range(random_.randint(0, 5))
        ]
        lines[random_.randrange(len(lines))] = line(*spans, width=60)
    widget.set_lines(lines)


@pytest.mark.parametrize("seed", range(2))
async def test_any_screen_looks_the_same_after_every_frame(seed: int) -> None:
    random_ = random.Random(seed)
    app = TwinApp(seed=seed, slices=3)
    async with running(app) as pilot:
        for _ in range(40):
            match random_.choice(["frame"] * 4 + ["scribble"] * 4 + ["toast", "modal", "resize", "redraw"]):
                case "frame":
                    app.advance()
                case "scribble":
                    name = random_.choice(["header", "table", "chart0", "chart3", "notes"])
                    scribble(random_, app.lines(name))
                case "toast":
                    app.notify("a toast\nwith 宽 in it", timeout=1000)
                case "modal" if isinstance(app.screen, Help):
                    app.pop_screen()
                case "modal":
                    await app.push_screen(Help())
                case "redraw":
                    app.redraw()
                case "resize":
                    size = random_.choice([SIZE, (90, 30), (33, 12)])
                    if size != tuple(app.size):
                        for screen in app.screens:  # a terminal may leave anything behind
                            screen.resize(size[1], size[0])
                            screen.draw("reflowed" * 9)
                        await pilot.resize_terminal(*size)
            await pilot.pause()
        assert app.delta_active
        assert app.compared > 30


def painted_anew(app: TwinApp) -> pyte.Screen:
    """What the present screen looks like when nothing is taken from what was painted before."""
    for screen in app.screen_stack:
        for widget in screen.query(LineWidget):
            widget._painted_crop = None
            widget._styles_cache.clear()
    fresh = pyte.Screen(*app.size)
    whole = app.screen._compositor.render_update(full=True, screen_stack=app._background_screens)
    assert isinstance(whole, CompositorUpdate)
    pyte.Stream(fresh).feed(whole.render_segments(app.console))
    return fresh


@pytest.mark.parametrize("seed", range(2))
async def test_what_is_kept_of_a_painting_is_never_stale(seed: int) -> None:
    random_ = random.Random(seed)
    app = TwinApp(seed=seed)
    async with running(app) as pilot:
        for _ in range(25):
            at_once = app.painting_at_once() if random_.random() < 0.5 else nullcontext()
            match random_.choice(["frame"] * 3 + ["scribble"] * 3 + ["theme", "colour", "modal", "value"]):
                case "frame":
                    with at_once:
                        app.advance()
                case "scribble":
                    with at_once:
                        for name in random_.sample(["header", "table", "chart0", "notes"], 2):
                            scribble(random_, app.lines(name))
                case "theme":
                    app.theme = random_.choice(["textual-dark", "textual-light", "nord"])
                case "colour":
                    app.lines("table").styles.background = random_.choice(["red", "blue"])
                    with at_once:
                        app.advance()
                case "value":
                    with at_once:
                        app.lines("slider").value = random_.randrange(8)  # type: ignore[attr-defined]
                case "modal" if isinstance(app.screen, Help):
                    app.pop_screen()
                case "modal":
                    await app.push_screen(Help())
            await pilot.pause()
            assert differences(app.screens[0], painted_anew(app)) == []


async def test_lines_can_be_painted_at_once() -> None:
    app = TwinApp()
    async with running(app) as pilot:
        await pilot.pause()
        with app.painting_at_once():
            app.advance()
            assert "frame 1" not in app.screens[0].display[0]
        assert "frame 1" in app.screens[0].display[0]  # and nothing has been awaited
        assert app.at_once == 1

        app.lines("table").styles.height = 5  # what must be laid out first is left to Textual
        app.screen._layout_required = True
        with app.painting_at_once():
            app.advance()
        assert "frame 1" in app.screens[0].display[0]
        await pilot.pause()
        assert "frame 2" in app.screens[0].display[0]
        assert app.at_once == 1


class UnwatchedApp(TwinApp):
    """Textual is asked for nothing after what was painted at once, so what it has kept grows old."""

    def _display_lines(self, lines: Any) -> None:
        ScriptedApp._display_lines(self, lines)
        self.at_once += 1
        driver = self._driver
        assert isinstance(driver, CaptureDriver)
        self.streams[0].feed("".join(driver.written))
        driver.written.clear()

    def compare(self) -> None:
        if isinstance(self._driver, CaptureDriver):
            self.streams[0].feed("".join(self._driver.written))
            self._driver.written.clear()


async def test_after_a_change_of_styles_nothing_old_comes_back() -> None:
    app = UnwatchedApp()
    async with running(app) as pilot:
        await pilot.pause()
        for number in range(5):
            with app.painting_at_once():
                app.lines("notes").set_lines([line(f"row {row} of {number}") for row in range(3)])
        assert app.at_once == 5
        for widget in app.screen.query(LineWidget):
            widget.notify_style_update()  # as when the terminal gets or loses the focus: nothing is drawn anew for it
        with app.painting_at_once():
            app.lines("header").set_lines([line("something else")])
        await pilot.pause()
        app.redraw()
        await pilot.pause()
        assert sum("of 4" in row for row in app.screens[0].display) == min(3, app.lines("notes").size.height)
        assert differences(app.screens[0], painted_anew(app)) == []


async def test_what_covers_another_is_left_to_textual() -> None:
    app = TwinApp()
    async with running(app) as pilot:
        app.notify("over the board", timeout=1000)
        await pilot.pause()
        with app.painting_at_once():
            app.advance()
        assert app.at_once == 0
        assert "frame 1" in app.screens[0].display[0]
        assert any("over the board" in row for row in app.screens[0].display)


async def test_a_toast_and_a_modal_leave_no_trace() -> None:
    app = TwinApp()
    async with running(app) as pilot:
        app.advance()
        await pilot.pause()
        app.notify("over the board", timeout=1000)
        await pilot.pause()
        assert any("over the board" in row for row in app.screens[0].display)
        await app.push_screen(Help())
        app.advance()
        await pilot.pause()
        assert any("第二行" in row for row in app.screens[0].display)
        app.pop_screen()
        app.clear_notifications()
        await pilot.pause()
        app.advance()
        await pilot.pause()
        assert not any("over the board" in row or "第二行" in row for row in app.screens[0].display)


async def test_unknown_drawing_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def changed(self: Any, screen: Any, renderable: Any) -> None:
        """Another version's way to draw."""

    assert delta.layer_is_known()
    assert delta._digest([*delta._REPLACED[1:], changed]) not in delta._KNOWN
    assert delta._digest([len]) == ""  # no source to be had
    monkeypatch.setattr(delta, "layer_is_known", lambda: False)
    app = TwinApp()
    assert not app.delta_active
    async with running(app) as pilot:
        app.advance()
        await pilot.pause()
        assert app.compared > 0
        assert app.bytes_written > 5_000
        assert app.frames_drawn == app.compared


async def test_a_fault_in_the_layer_costs_bytes_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    app = TwinApp()
    async with running(app) as pilot:

        def fail(*_: object) -> str:
            raise RuntimeError("unforeseen")

        monkeypatch.setattr(app._shadow, "draw_chops", fail)
        app.advance()
        await pilot.pause()
        assert not app.delta_active
        app.advance()
        await pilot.pause()
        assert "frame 2" in app.screens[0].display[0]


async def test_redraw_mends_what_others_wrote() -> None:
    app = TwinApp()
    async with running(app) as pilot:
        app.advance()
        await pilot.pause()
        before = look(app.screens[0])
        app.streams[0].feed("\x1b[5;5HBroadcast message from root")
        assert look(app.screens[0]) != before
        app.redraw()
        await pilot.pause()
        assert look(app.screens[0]) == before


async def test_a_frame_is_one_write_within_one_synchronised_update() -> None:
    app = ScriptedApp(driver_class=CaptureDriver)
    async with running(app) as pilot:
        app._sync_available = True
        driver = app._driver
        assert isinstance(driver, CaptureDriver)
        driver.written.clear()
        drawn, written = app.frames_drawn, app.bytes_written
        app.advance()
        await pilot.pause()

        [frame] = driver.written

        assert frame.startswith(SYNC_START) and frame.endswith(SYNC_END)
        assert app.frames_drawn == drawn + 1
        assert app.bytes_written == written + len(frame.encode())


async def test_nothing_changed_is_nothing_written() -> None:
    app = ScriptedApp(driver_class=CaptureDriver)
    async with running(app) as pilot:
        app.advance()
        await pilot.pause()
        written = app.bytes_written
        app.lines("table").refresh()
        app.show()
        await pilot.pause()
        assert app.bytes_written == written


async def bytes_a_frame(frames: int, theme: str, **options: Any) -> list[int]:
    app = ScriptedApp(driver_class=CaptureDriver, **options)
    app.theme = theme
    sizes = []
    async with running(app) as pilot:
        for _ in range(frames):
            written = app.bytes_written
            app.advance()
            await pilot.pause()
            sizes.append(app.bytes_written - written)
    return sorted(sizes[8:])


@pytest.mark.parametrize(
    ("theme", "slices", "median", "most"),
    [
        ("textual-dark", 1, 400, 1000),
        ("ansi-dark", 1, 300, 700),
        ("ansi-dark", 8, 1600, 2000),  # all models and four charts at once: a device far away
    ],
)
async def test_frames_stay_small(theme: str, slices: int, median: int, most: int) -> None:
    """Bytes at 120x40; a plain frame of the last kind has 7000."""
    sizes = await bytes_a_frame(32, theme, slices=slices)

    assert sizes[len(sizes) // 2] < median
    assert sizes[-1] < most


class Gate:
    """A file that takes nothing while it is closed, as a stalled line."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.text: list[str] = []

    def write(self, text: str) -> int:
        self.open.wait()
        self.text.append(text)
        return len(text)

    def flush(self) -> None:
        pass

    def fileno(self) -> int:
        return -1


class QueueDriver(HeadlessDriver):
    """Writes through a queue and a thread, as the real drivers do."""

    is_headless = False  # type: ignore[assignment]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.gate = self._file = Gate()
        self._writer_thread: WriterThread | None = None

    def start_application_mode(self) -> None:
        self._writer_thread = WriterThread(self._file)  # type: ignore[arg-type]
        self._writer_thread.start()
        super().start_application_mode()

    def write(self, data: str) -> None:
        assert self._writer_thread is not None
        self._writer_thread.write(data)

    def close(self) -> None:
        assert self._writer_thread is not None
        self._writer_thread.stop()


@pytest.mark.parametrize("with_layer", [True, False])
async def test_a_stalled_line_skips_frames_and_shows_the_last(with_layer: bool) -> None:
    app = TwinApp(driver_class=QueueDriver, delta=with_layer)
    async with running(app) as pilot:
        driver = app._driver
        assert isinstance(driver, QueueDriver)
        driver.gate.open.set()
        await settle(pilot)
        assert app.output_idle() and app.backlog() == 0
        driver.gate.open.clear()
        called: list[str] = []
        for number in range(34):  # more than the queue holds: `put` would block for ever
            app.advance()
            await pilot.pause()
            if number == 0:
                app.when_flushed(lambda: called.append("left"))
        assert 0 < app.backlog() < 20
        assert not app.output_idle()
        assert app.frames_skipped > 25
        assert called == []

        driver.gate.open.set()
        await settle(pilot)
        await settle(pilot)

        assert called == ["left"]
        app.streams[0].feed("".join(driver.gate.text))
        assert "frame 34" in app.screens[0].display[0]
        assert differences(*app.screens) == []


async def test_who_asks_later_is_not_called_before_who_waits() -> None:
    """What has left meanwhile has been told to the event loop, which has not come to it."""
    loop = asyncio.get_running_loop()
    file, called = TrackedFile(io.StringIO(), loop), list[str]()
    file.expect_write()
    file.when_flushed(lambda: called.append("first"))
    file.write("x")
    file.flush()
    file.when_flushed(lambda: called.append("second"))
    assert called == []
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert called == ["first", "second"]
    file.when_flushed(lambda: called.append("third"))
    assert called[-1] == "third"


async def test_without_a_queue_all_has_left_at_once() -> None:
    app = ScriptedApp(driver_class=CaptureDriver)
    async with running(app) as pilot:
        app.advance()
        await pilot.pause()
        called: list[int] = []
        app.when_flushed(lambda: called.append(1))
        assert called == [1]
        assert app.output_idle()


async def test_headless_counts_nothing() -> None:
    app = ScriptedApp()
    async with app.run_test(size=SIZE) as pilot:
        app.advance()
        await pilot.pause()
        assert (app.bytes_written, app.backlog(), app.output_idle()) == (0, 0, True)


def test_the_digest_is_of_source_text() -> None:
    assert all(inspect.getsource(method) for method in delta._REPLACED)
