"""A widget that is a list of lines, and repaints only those that changed.

Everything on the live screen that moves is a `LineWidget`: Textual's compositor then looks at a
few lines instead of at whole widgets, and `delta.py` cuts those down to the cells that differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Self

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from latvar_tui.tui.roles import RolePainter

Span = str | tuple[str, Style]
"""A stretch of text in one style; a bare string takes the widget's own colours."""

_UNPRINTABLE = "\N{REPLACEMENT CHARACTER}"


def line(*spans: Span, width: int | None = None) -> Strip:
    """One line of the screen, from spans in reading order.

    Args:
        spans: Text, or (text, style) pairs; empty ones are left out.
        width: The most cells the line may take, or None for no limit. A wide character that
            straddles the limit becomes a space. Shorter lines are not padded.

    Returns:
        A strip of known length.
    """
    segments: list[Segment] = []
    used = 0
    for span in spans:
        text, style = (span, None) if isinstance(span, str) else span
        if not text.isprintable():
            # A control character in a model's name or an error's text would move the cursor and shift the picture;
            # half a character of a path that is no text cannot be written at all.
            text = "".join(letter if letter.isprintable() else _UNPRINTABLE for letter in text)
        cells = cell_len(text)
        if width is not None and used + cells > width:
            cells = max(0, width - used)
            text = set_cell_size(text, cells)
        if text:
            segments.append(Segment(text, style))
            used += cells
    return Strip(segments, used)


class LineWidget(Widget):
    """Shows the lines it was last given, in its own colours where a line names none.

    It draws nothing by itself: no animation, no timer, no hover. Heights and widths come from CSS.
    """

    ALLOW_SELECT = False

    def __init__(
        self,
        lines: Iterable[Strip] = (),
        *,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._lines: list[Strip] = list(lines)
        # The widget's own colours and width; they take as long to work out as a line takes to draw.
        self._base, self._width = Style.null(), 0
        # What the compositor was last given, of which region, and which of its rows have changed since.
        self._painted: list[Strip] = []
        self._painted_crop: Region | None = None
        self._dirty_rows: set[int] = set()
        self._fresh_rows: set[int] = set()

    @property
    def lines(self) -> Sequence[Strip]:
        """The lines as kept, top first."""
        return self._lines

    def set_lines(self, lines: Sequence[Strip]) -> int:
        """Show these lines, top first, and mark the ones that changed for repainting.

        Lines are compared by their segments, style included: where only a colour changed the
        line must be drawn again. An equal line keeps its old `Strip`, whose caches are warm.

        Returns:
            How many lines have changed, counting those that came or went.
        """
        old = self._lines
        common = min(len(old), len(lines))
        kept = list(lines)
        changed: list[int] = []
        for y in range(common):
            if kept[y] is old[y]:
                continue
            if kept[y] == old[y]:
                kept[y] = old[y]
            else:
                changed.append(y)
        changed.extend(range(common, max(len(old), len(lines))))
        self._lines = kept
        self._repaint(changed)
        return len(changed)

    def _repaint(self, rows: Iterable[int]) -> None:
        width, height = self.size
        regions = [Region(0, y, width, 1) for y in rows if y < height]
        # Without regions `refresh` would mean the whole widget; before the first layout (height 0)
        # there is nothing on screen to mend.
        if not regions or not width:
            return
        at_once: set[Widget] | None = getattr(self.app, "to_paint", None)
        if at_once is None:
            self.refresh(*regions)
        else:
            self._note(regions)
            self._set_dirty(*regions)
            self._fresh_rows.update(region.y for region in regions)
            at_once.add(self)

    def fresh_lines(self) -> list[tuple[int, Strip]] | None:
        """Lines that changed since this was last asked for, as the compositor would have them: (row, strip) each.

        Rows are of the content. None if the compositor has to draw all: it never has, or the colours are others now.
        """
        rows = sorted(self._fresh_rows)
        self._fresh_rows.clear()
        if self._painted_crop is None or self._painted_crop.size != self.outer_size or self._width != self.size.width:
            return None
        background = self.background_colors[1]
        lines = []
        for row in rows:
            strip = self.render_line(row)
            for line_filter in self.get_line_filters():
                strip = strip.apply_filter(line_filter, background)
            lines.append((row, strip))
        return lines

    def _note(self, regions: Iterable[Region]) -> None:
        top = self.content_offset.y
        for region in regions:
            self._dirty_rows.update(range(top + region.y, top + region.bottom))

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        """As `Widget.refresh`; without regions everything is painted anew."""
        if regions:
            self._note(regions)
        else:
            self._painted_crop = None
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def notify_style_update(self) -> None:
        """Colours have changed, of this widget or of one that it lies in."""
        super().notify_style_update()
        self._painted_crop = None

    def render_lines(self, crop: Region) -> list[Strip]:
        """Render a region, for the compositor; of what it was given before, only what changed.

        It asks every widget near a change, and for all of its lines.
        """
        first, height = crop.y, crop.height
        if crop == self._painted_crop:
            dirty = [row for row in self._dirty_rows if first <= row < first + height]
            self._dirty_rows.clear()
            if not dirty:
                return self._painted
            first, height = min(dirty), max(dirty) + 1 - min(dirty)
        else:
            self._painted_crop, self._painted = crop, [Strip([])] * height
            self._dirty_rows.clear()
            self._base, self._width = self.rich_style, self.size.width
        at = first - crop.y
        self._painted[at : at + height] = super().render_lines(Region(crop.x, first, crop.width, height))
        return self._painted

    def render_line(self, y: int) -> Strip:
        """Line `y` of the content, exactly as wide as the widget."""
        width, base = self._width, self._base
        if y >= len(self._lines):
            return Strip.blank(width, base)
        strip = self._lines[y]
        if strip.cell_length > width:
            strip = strip.crop(0, width)
        # One pass and one new Strip: they are the costly part of a frame.
        painter: RolePainter | None = getattr(self.app, "painter", None)
        segments = list(Segment.apply_style(strip, base)) if painter is None else painter.segments(strip, base)
        if strip.cell_length < width:
            segments.append(Segment(" " * (width - strip.cell_length), base))
        return Strip(segments, width)
