"""Draw only the cells that differ from what the terminal already shows.

Textual's compositor sends whole stretches of lines again when one cell in them changed (it crops
a change on the right only, textual#5625). This layer sits between the compositor and the driver,
compares with a shadow of the terminal, and writes the difference: a tenth of the bytes.

It overrides a private method. `layer_is_known` therefore checks at start that Textual's drawing
is what this was written against; with any other version the application draws as Textual does, at
more bytes a frame and with nothing else changed.
"""

from __future__ import annotations

import asyncio
import hashlib
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache, partial
from itertools import combinations
from typing import Any, TypeVar

from rich.color import ColorSystem
from rich.console import RenderableType
from rich.control import Control
from textual import events
from textual._ansi_sequences import SYNC_END, SYNC_START
from textual._compositor import ChopsUpdate, Compositor, LayoutUpdate
from textual._styles_cache import StylesCache
from textual.app import App
from textual.geometry import Region
from textual.message import Message
from textual.message_pump import MessagePump
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from latvar_tui.tui.line_widget import LineWidget
from latvar_tui.tui.output import OutputMeter, metered
from latvar_tui.tui.shadow import Parts, Shadow

ReturnType = TypeVar("ReturnType")

ASK_FOR_ECHO = "\x1b[6n"
"""Where is the cursor? Textual makes an `events.CursorPosition` of the answer."""

MOST_WAITING = 2
"""Frames that may wait for a slow line before further ones are left out."""

# The methods whose work is done here instead, or that are relied on, and the digests of their source text. A text
# doesn't depend on the Python version, as byte code would.
_REPLACED = (
    App._display,
    ChopsUpdate.render_segments,
    LayoutUpdate.render_segments,
    Strip.render_style,
    Compositor.update_widgets,
    vars(Compositor)["visible_widgets"].fget,
    StylesCache.render,
    Screen._on_timer_update,
    Screen._compositor_refresh,
    Widget.refresh,
    Widget._set_dirty,
    MessagePump._dispatch_message,
    MessagePump._flush_next_callbacks,
    MessagePump._get_message,
    MessagePump._peek_message,
    MessagePump.call_after_refresh,
    Screen._invoke_later,
    Screen._on_idle,
)
_KNOWN = frozenset({"099afdbc708d3c9b"})  # Textual 8.2.8


_Line = tuple[int, int, Parts]
"""Column and line of the screen, and what begins there."""


def _is_flat(visible: Mapping[Widget, tuple[Region, Region]]) -> bool:
    """Whether no widget lies over another, but for those that contain it."""
    drawn = [(widget, region.intersection(clip)) for widget, (region, clip) in visible.items()]
    return not any(
        a.overlaps(b) and one not in other.ancestors and other not in one.ancestors
        for (one, a), (other, b) in combinations(drawn, 2)
    )


def _digest(methods: Iterable[Callable[..., object]]) -> str:
    """The digest of the source text of some methods; "" if it can't be read."""
    try:
        source = "".join(inspect.getsource(method) for method in methods)
    except (OSError, TypeError):
        return ""
    return hashlib.sha256(source.encode()).hexdigest()[:16]


def _fail(error: Exception) -> None:
    raise error


@lru_cache(maxsize=16)
def _move_to(x: int, y: int) -> str:
    return Control.move_to(x, y).segment.text


@lru_cache(maxsize=1)
def layer_is_known() -> bool:
    """Whether Textual draws as this layer expects it to."""
    return _digest(_REPLACED) in _KNOWN


class DeltaApp(App[ReturnType]):
    """An application that writes as little as it can, and knows how much it wrote."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.driver_class = metered(self.driver_class)
        self.delta_active = layer_is_known()
        """Whether cells are compared; else Textual's own drawing is at work."""
        self.frames_drawn = 0
        """Frames written so far; a frame without any difference isn't one."""
        self.frames_skipped = 0
        """Frames left out because the line was slow."""
        self.to_paint: set[LineWidget] | None = None
        """Where widgets whose lines change are put while `painting_at_once`; else they tell Textual."""
        self._catching_up = False
        self._handling = 0
        self._layout: tuple[Mapping[Widget, object], bool] = {}, False
        """What is visible, and whether no widget covers another."""
        self._shadow = Shadow(self.console._color_system or ColorSystem.TRUECOLOR)

    # What has been written.

    @property
    def _meter(self) -> OutputMeter | None:
        """None without a terminal (headless), where nothing is written."""
        return self._driver if isinstance(self._driver, OutputMeter) else None

    @property
    def bytes_written(self) -> int:
        """Bytes written to the terminal since the start."""
        return 0 if self._meter is None else self._meter.bytes_written

    def backlog(self) -> int:
        """Writes that have been queued and have not left yet."""
        return 0 if self._meter is None else self._meter.backlog

    def output_idle(self) -> bool:
        """Whether everything written has left."""
        return self.backlog() == 0

    def when_flushed(self, callback: Callable[[], object], patience_s: float | None = None) -> None:
        """Call back once everything written so far has left, at once if it has; at the latest after `patience_s`."""
        if self._meter is None:
            callback()
        elif patience_s is None or self.output_idle():
            self._meter.when_flushed(callback)
        else:
            loop = asyncio.get_running_loop()
            waiting = [callback]

            def call_once() -> None:
                timer.cancel()
                for each in waiting:
                    waiting.clear()
                    each()

            timer = loop.call_later(patience_s, call_once)
            self._meter.when_flushed(call_once)

    def when_drawn(self, callback: Callable[[], object], patience_s: float | None = None) -> None:
        """Call back once everything that has changed so far is on the screen; otherwise as `when_flushed`.

        In the order of the calls. Textual's own way, `call_after_refresh`, takes three messages and two tasks; it is
        taken where there is anything that only Textual knows how to draw.
        """
        if self._is_painted():
            self.when_flushed(callback, patience_s)
        else:
            self.call_after_refresh(self.when_flushed, callback, patience_s)

    def _is_painted(self) -> bool:
        """Whether nothing waits to be drawn, as far as can be known without asking every widget there is."""
        if not self.delta_active or self._batch_count or not self._running or len(self.screen_stack) != 1:
            return False
        screen = self.screen
        return (
            self._layout[1]
            and self._layout[0] is screen._compositor.visible_widgets
            and not (self._has_messages(self) or self._has_messages(screen))
            and not (screen._callbacks or self._screen_waits(screen))
            and not any(widget._repaint_required or widget._layout_required for widget in self._layout[0])
        )

    @staticmethod
    def _screen_waits(screen: Screen[Any]) -> bool:
        return bool(
            screen._layout_required
            or screen._scroll_required
            or screen._repaint_required
            or screen._recompose_required
            or screen._dirty_widgets
        )

    def handle_now(self, handler: Callable[[], object]) -> bool:
        """Handle at once what has come, as Textual would a message; False if others are first, or being handled."""
        if not self.delta_active or not self._running or self._handling or self._has_messages(self):
            return False
        try:
            handler()
        except Exception as error:  # the event loop would print it, and go on: it is Textual's, and ends its messages
            self.call_later(partial(_fail, error))
        return True

    async def _dispatch_message(self, message: Message) -> None:
        self._handling += 1
        try:
            await super()._dispatch_message(message)
        finally:
            self._handling -= 1

    async def _flush_next_callbacks(self) -> None:
        self._handling += 1
        try:
            await super()._flush_next_callbacks()
        finally:
            self._handling -= 1

    @staticmethod
    def _has_messages(pump: MessagePump) -> bool:
        return pump._pending_message is not None or not pump._message_queue.empty()

    def asks_for_echo(self) -> bool:
        """Whether the terminal is to answer once it has shown the frame that is written now."""
        return False

    # Painting without Textual's round of messages.

    @contextmanager
    def painting_at_once(self) -> Iterator[None]:
        """What changes within of `LineWidget`s is painted at the end of it, if there is nothing else to be painted.

        Textual prompts each widget, which tells the screen, which wakes a timer, which paints: a dozen messages and as
        many tasks that take turns, for a picture that is known already.
        """
        if not self.delta_active or self.to_paint is not None or len(self.screen_stack) != 1:
            yield
            return
        self.to_paint = set()
        try:
            yield
        finally:
            changed = {widget for widget in self.to_paint if widget.display}
            self.to_paint = None
            self._paint(changed)

    def _paint(self, widgets: set[LineWidget]) -> None:
        screen = self.screen
        if self._screen_waits(screen) or self._batch_count:
            for widget in widgets:
                widget.leave_to_compositor()
                widget._repaint_required = True
                widget.check_idle()
        elif widgets:
            lines = self._changed_lines(screen._compositor, widgets)
            if lines is not None:
                self._display_lines(lines)
            else:
                for widget in widgets:
                    widget.leave_to_compositor()
                screen._compositor.update_widgets(set(widgets))
                screen._compositor_refresh()

    def _changed_lines(self, compositor: Compositor, widgets: set[LineWidget]) -> list[_Line] | None:
        """What of the screen has changed; None if it takes the compositor to know that.

        It looks at every widget for each change, and takes as long as working out what to show does.
        """
        visible = compositor.visible_widgets
        if self._layout[0] is not visible:
            self._layout = visible, _is_flat(visible)
        if not self._layout[1]:
            return None
        shown = widgets & visible.keys()
        if not all(
            widget.can_paint_lines and visible[widget][1].contains_region(visible[widget][0]) for widget in shown
        ):
            return None
        found: list[_Line] = []
        for widget in widgets - shown:
            widget.leave_to_compositor()
        for widget in shown:
            left, top = visible[widget][0].offset + widget.painted_offset
            found.extend((left, top + row, parts) for row, parts in widget.fresh_lines(self._shadow.pen_of))
        return found

    def _display_lines(self, lines: Sequence[_Line]) -> None:
        """As `_display`, of lines that are known already."""
        if not self._is_drawing():
            return
        if self._meter is not None and self._meter.frames_waiting > MOST_WAITING:
            self._skip()
        elif not self._draw_difference(lines):
            self.screen.refresh()
        self.post_display_hook()

    # When the terminal no longer shows what we think.

    def invalidate(self) -> None:
        """Forget what the terminal shows: from here on every cell drawn is written."""
        self._shadow.forget()

    def redraw(self) -> None:
        """Write the whole screen again (Ctrl+L; something else wrote on the terminal)."""
        self.invalidate()
        if self._running and self.screen_stack:
            self.screen.refresh()

    # Textual calls such a handler of every class; the underscore leaves the plain name to users.

    async def _on_mount(self, event: events.Mount) -> None:
        """Textual does not repaint after Ctrl+Z and `fg` if the size is the same; we do."""
        if self._meter is not None:
            self._meter.on_restart = lambda: self.call_later(self.redraw)

    async def _on_resize(self, event: events.Resize) -> None:
        """The terminal may have moved its text about."""
        self.invalidate()

    # Drawing.

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        """Draw an update of the compositor; called by `Screen` for each frame."""
        if renderable is None or not self._is_drawing():
            super()._display(screen, renderable)
            return
        if self._meter is not None and self._meter.frames_waiting > MOST_WAITING:
            self._skip()
        elif not (self.delta_active and self._draw_difference(renderable)):
            self._shadow.forget()
            super()._display(screen, renderable)
            self._count_frame()
            return
        self.post_display_hook()

    def _is_drawing(self) -> bool:
        """Whether Textual itself would draw now."""
        return (
            not self._batch_count
            and self._running
            and not self._closed
            and self._driver is not None
            and not self._driver.is_headless
        )

    def _skip(self) -> None:
        """Leave a frame out, and once the line is free show what was missed."""
        self.frames_skipped += 1
        if not self._catching_up:
            self._catching_up = True
            self.when_flushed(self._catch_up)

    def _catch_up(self) -> None:
        self._catching_up = False
        if self._running and self.screen_stack:
            # The whole screen goes through the comparison, so only what was missed is written.
            self.screen.refresh()

    def _draw_difference(self, renderable: RenderableType | Sequence[_Line]) -> bool:
        """Write what an update changes; False if it isn't of a kind that can be compared."""
        driver = self._driver
        if driver is None or driver.is_inline:
            return False
        try:
            frame = self._compare(renderable)
        except Exception as error:  # whatever it is, the screen can go on without this layer
            self.log.error("drawing only what differs has failed", error)
            self.delta_active = False
            return False
        if frame is None:
            return False
        # The hidden cursor stays where an input method is to show its candidates.
        cursor = self.screen.outer_size.clamp_offset(self.cursor_position)
        if not frame and cursor == self._previous_cursor_position:
            return True
        self._previous_cursor_position = cursor
        frame += _move_to(*cursor)
        if self.asks_for_echo():
            frame += ASK_FOR_ECHO
        if self._sync_available:
            # In one write, where Textual makes three: fewer entries in the driver's queue.
            frame = f"{SYNC_START}{frame}{SYNC_END}"
        driver.write(frame)
        driver.flush()
        self._count_frame()
        return True

    def _compare(self, renderable: RenderableType | Sequence[_Line]) -> str | None:
        """What to write for an update; None if it isn't of a kind that can be compared."""
        if isinstance(renderable, list):
            return self._shadow.draw_lines(renderable, *self.screen.outer_size)
        if isinstance(renderable, ChopsUpdate):
            return self._shadow.draw_chops(renderable.chops, renderable.spans, renderable.chop_ends)
        if isinstance(renderable, LayoutUpdate) and renderable.region.offset == (0, 0):
            return self._shadow.draw_layout(renderable.strips, *renderable.region.size)
        return None

    def _count_frame(self) -> None:
        self.frames_drawn += 1
        if self._meter is not None:
            self._meter.end_frame()
