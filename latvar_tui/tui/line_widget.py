"""A widget that is a list of lines, and repaints only those that changed.

Everything on the live screen that moves is a `LineWidget`: Textual's compositor then looks at a
few lines instead of at whole widgets, and `delta.py` cuts those down to the cells that differ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Self

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.filter import ANSIToTruecolor, DimFilter, Monochrome, NoColor
from textual.geometry import Offset, Region, Size
from textual.strip import Strip
from textual.widget import Widget

from latvar_tui.tui.cells import Alphabet, Cells
from latvar_tui.tui.roles import RolePainter
from latvar_tui.tui.shadow import CellsPart, Inks, Parts

Span = str | tuple[str, Style]
"""A stretch of text in one style; a bare string takes the widget's own colours."""

_UNPRINTABLE = "\N{REPLACEMENT CHARACTER}"
_OF_STYLES_ALONE = (ANSIToTruecolor, DimFilter, Monochrome, NoColor)
"""Filters that leave texts as they are."""
_MOST_PENS = 1024


class _Line(Strip):
    """A strip that makes its segments and its eight caches when they are asked for: most lines live for one frame."""

    __slots__ = ("pieces",)

    def __init__(self, pieces: list[Segment | Cells], cell_length: int) -> None:
        self.pieces, self._cell_length = pieces, cell_length

    def __getattr__(self, name: str) -> Any:
        if name in ("pieces", "_cell_length"):
            raise AttributeError(name)
        segments: list[Segment] = []
        for piece in self.pieces:
            if isinstance(piece, Cells):
                segments += [Segment(text, style) for text, style in piece.spans()]
            else:
                segments.append(piece)
        super().__init__(segments, self._cell_length)
        return object.__getattribute__(self, name)

    def __eq__(self, other: object) -> bool:
        return self.pieces == other.pieces if isinstance(other, _Line) else super().__eq__(other)

    __hash__ = None  # type: ignore[assignment]


_NOTHING = _Line([], 0)


def line(*spans: Span | Cells, width: int | None = None) -> Strip:
    """One line of the screen, from spans in reading order.

    Args:
        spans: Text, (text, style) pairs, or cells; empty ones are left out.
        width: The most cells the line may take, or None for no limit. A wide character that
            straddles the limit becomes a space. Shorter lines are not padded.

    Returns:
        A strip of known length.
    """
    pieces: list[Segment | Cells] = []
    used = 0
    for span in spans:
        if isinstance(span, Cells):
            cells = len(span.numbers) if width is None else max(0, min(len(span.numbers), width - used))
            if cells:
                pieces.append(Cells(span.numbers[:cells], span.alphabet))
                used += cells
            continue
        text, style = (span, None) if isinstance(span, str) else span
        if not text.isprintable():
            # A control character in a model's name or an error's text would move the cursor and shift the picture;
            # half a character of a path that is no text cannot be written at all.
            text = "".join(letter if letter.isprintable() else _UNPRINTABLE for letter in text)
        cells = len(text) if text.isascii() else cell_len(text)
        if width is not None and used + cells > width:
            cells = max(0, width - used)
            text = set_cell_size(text, cells)
        if text:
            pieces.append(Segment(text, style))
            used += cells
    return _Line(pieces, used)


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
        # Where the content is, its own colours and size; they take as long to work out as a line takes to draw.
        self._base, self._width, self._height, self._offset = Style.null(), 0, 0, Offset()
        # What its styles come to on this terminal; by their ids, for they take long to hash, and kept along with them.
        self._pens: dict[int, tuple[Style | None, str]] = {}
        self._inks: dict[int, tuple[Alphabet, Inks]] = {}
        self._only_styles = True
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
        at_once: set[Widget] | None = getattr(self.app, "to_paint", None)
        if at_once is None:
            # Without regions `refresh` would mean the whole widget; before the first layout (height 0)
            # there is nothing on screen to mend.
            if regions := self._regions(rows):
                self.refresh(*regions)
            return
        height = self.size.height
        fresh = [row for row in rows if row < height]
        if fresh:
            self._fresh_rows.update(fresh)
            at_once.add(self)

    def _regions(self, rows: Iterable[int]) -> list[Region]:
        width, height = self.size
        return [Region(0, row, width, 1) for row in rows if row < height] if width else []

    @property
    def size(self) -> Size:
        """As `Widget.size`, which takes as long as a line: it is asked for a dozen times a frame."""
        return Size(self._width, self._height) if self.can_paint_lines else super().size

    @property
    def can_paint_lines(self) -> bool:
        """Whether single lines can be painted over what the compositor has drawn: it has, and the place is the same."""
        return self._painted_crop is not None and self._painted_crop.size == self.outer_size

    @property
    def painted_offset(self) -> Offset:
        """Where its content begins, within the widget, as it was painted last."""
        return self._offset

    def fresh_lines(self, pen_of: Callable[[Style | None], str]) -> list[tuple[int, Parts]]:
        """Lines that changed since they were last asked for, as the compositor would have them: (row, parts) each.

        Rows are of the content. Only where :attr:`can_paint_lines`.
        """
        rows = sorted(self._fresh_rows)
        self._fresh_rows.clear()
        # Should the compositor ask for such a line later, it is not what it was given last.
        self._dirty_rows.update(self._offset.y + row for row in rows)
        return [(row, self._parts(row, pen_of)) for row in rows]

    def leave_to_compositor(self) -> None:
        """Mark what has changed, and was to be painted at once, for the compositor instead."""
        regions = self._regions(self._fresh_rows)
        self._fresh_rows.clear()
        if regions:
            self._note(regions)
            self._set_dirty(*regions)

    def _parts(self, y: int, pen_of: Callable[[Style | None], str]) -> Parts:
        if not self._only_styles:
            return [(text, pen_of(style)) for text, style, _ in self._filtered(self.render_line(y))]
        strip = self._cut(y)
        parts: Parts = []
        for piece in strip.pieces if isinstance(strip, _Line) else strip:
            if isinstance(piece, Cells):
                parts.append(CellsPart(piece.numbers, self._ink(piece.alphabet, pen_of)))
            else:
                text, style, _ = piece
                parts.append((text, self._pen(style, pen_of)))
        if strip.cell_length < self._width:
            parts.append((" " * (self._width - strip.cell_length), self._pen(None, pen_of)))
        return parts

    def _pen(self, style: Style | None, pen_of: Callable[[Style | None], str]) -> str:
        """The pen that a style comes to: in this theme, over this widget's colours, after the application's filters."""
        known = self._pens.get(id(style))
        if known is None:
            if len(self._pens) >= _MOST_PENS:
                self._pens.clear()
            [(_, final, _)] = self._filtered(Strip(self._painted_over([Segment("x", style)])))
            known = self._pens[id(style)] = style, pen_of(final)
        return known[1]

    def _ink(self, alphabet: Alphabet, pen_of: Callable[[Style | None], str]) -> Inks:
        known = self._inks.get(id(alphabet))
        if known is None:
            pens = [self._pen(style, pen_of) for style in alphabet.styles]
            known = self._inks[id(alphabet)] = alphabet, Inks(alphabet.glyphs, pens)
        return known[1]

    def _filtered(self, strip: Strip) -> Strip:
        for line_filter in self.get_line_filters():
            strip = strip.apply_filter(line_filter, self.background_colors[1])
        return strip

    def _painted_over(self, segments: Iterable[Segment]) -> list[Segment]:
        painter: RolePainter | None = getattr(self.app, "painter", None)
        return (
            list(Segment.apply_style(segments, self._base))
            if painter is None
            else painter.segments(segments, self._base)
        )

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
            self._styles_cache.set_dirty(*(Region(0, row, crop.width, 1) for row in dirty))
        else:
            self._painted_crop, self._painted = crop, [Strip([])] * height
            self._dirty_rows.clear()
            self._styles_cache.clear()  # it does not know of what was painted at once
            self._learn_looks()
        at = first - crop.y
        self._painted[at : at + height] = super().render_lines(Region(crop.x, first, crop.width, height))
        return self._painted

    def _learn_looks(self) -> None:
        self._base, self._offset = self.rich_style, self.content_offset
        self._width, self._height = super().size
        self._pens.clear()
        self._inks.clear()
        painter: RolePainter | None = getattr(self.app, "painter", None)
        self._only_styles = not (painter is not None and painter.changes_texts) and all(
            isinstance(each, _OF_STYLES_ALONE) for each in self.get_line_filters()
        )

    def _cut(self, y: int) -> Strip:
        """Line `y` of the content, at most as wide as the widget."""
        if y >= len(self._lines):
            return _NOTHING
        strip = self._lines[y]
        return strip.crop(0, self._width) if strip.cell_length > self._width else strip

    def render_line(self, y: int) -> Strip:
        """Line `y` of the content, exactly as wide as the widget."""
        strip, width = self._cut(y), self._width
        # One pass and one new Strip: they are the costly part of a frame.
        segments = self._painted_over(strip)
        if strip.cell_length < width:
            segments.append(Segment(" " * (width - strip.cell_length), self._base))
        return _Line([*segments], width)
