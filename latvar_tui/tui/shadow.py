"""What the terminal shows, and the shortest text that turns it into something else.

Pure text work without an application or a terminal: strips in, escape sequences out. A *pen* is
the SGR parameters a cell was drawn with ("1;38;5;3;48;5;0"), the empty string being the terminal's
default; a link follows after a NUL.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from rich.cells import cell_len, get_character_cell_size
from rich.color import ColorSystem
from rich.style import Style
from textual.strip import Strip

# Characters known to take one cell each; anything else is measured one by one. Only speed depends
# on this list: printable ASCII, Latin, Greek, dashes and dots, arrows, lines, blocks and braille.
_ALL_NARROW = re.compile(
    "[ -~\u00a0-\u00ac\u00ae-\u02ff\u0370-\u0377\u2010-\u2027\u2190-\u21ff\u2500-\u25fc\u2800-\u28ff]*"
).fullmatch
# Under these (underline, blink, reverse, strike, frame, overline ...) a blank is more than its background.
_SEEN_ON_BLANKS = frozenset({"4", "5", "6", "7", "9", "21", "51", "52", "53"})
_SWITCH_OFF = {"1": "22", "2": "22", "3": "23", "4": "24", "7": "27", "9": "29"}
_RESET = "\x1b[m"

_CHEAPER_THAN_A_MOVE = 5  # bytes; "\x1b[57G" has as many


class Inks:
    """What the numbers of some cells show (see `cells.py`): characters that take one cell each, with their pens."""

    def __init__(self, glyphs: str, pens: Sequence[str]) -> None:
        self.shown = [(glyph, blank_pen(pen) if glyph == " " else pen) for glyph, pen in zip(glyphs, pens, strict=True)]


class CellsPart(NamedTuple):
    """A stretch of a line, a number a cell."""

    numbers: bytes
    inks: Inks


Parts = list[tuple[str, str] | CellsPart]
"""A line as a terminal draws it: texts with their pens, and stretches of cells, in reading order."""


@lru_cache(maxsize=4096)
def pen_of(style: Style | None, colors: ColorSystem) -> str:
    """The pen with which Textual draws a style."""
    if not style:
        return ""
    pen = Strip.render_ansi(style, colors)
    return f"{pen}\0id={style.link_id};{style.link}" if style.link else pen


@lru_cache(maxsize=4096)
def _parts(pen: str) -> tuple[frozenset[str], str, str, str]:
    """A pen's attributes, foreground, background (both "" for the default) and link."""
    codes, _, link = pen.partition("\0")
    attributes: set[str] = set()
    foreground = background = ""
    left = iter(codes.split(";") if codes else ())
    for code in left:
        if code in ("38", "48"):
            kind = next(left)
            numbers = [next(left) for _ in range(3 if kind == "2" else 1)]
            color = ";".join((code, kind, *numbers))
            foreground, background = (color, background) if code == "38" else (foreground, color)
        elif code in ("39", "49"):
            continue
        elif len(code) >= 2 and code[:-1] in ("3", "9"):
            foreground = code
        elif len(code) >= 2 and code[:-1] in ("4", "10"):
            background = code
        else:
            attributes.add(code)
    return frozenset(attributes), foreground, background, link


@lru_cache(maxsize=4096)
def blank_pen(pen: str) -> str:
    """What of a pen can be seen on a space: mostly its background alone."""
    attributes, _, background, link = _parts(pen)
    return pen if link or attributes & _SEEN_ON_BLANKS else background


@lru_cache(maxsize=16384)
def change_pen(old: str, new: str) -> str:
    """The shortest sequence that turns one pen into the other."""
    old_attributes, old_foreground, old_background, old_link = _parts(old)
    attributes, foreground, background, link = _parts(new)
    whole = [*sorted(attributes), *filter(None, (foreground, background))]
    change = f"\x1b[0;{';'.join(whole)}m" if whole else _RESET
    gone = old_attributes - attributes
    if all(code in _SWITCH_OFF for code in gone):
        switched = sorted({_SWITCH_OFF[code] for code in gone})
        # 22 ends both bold and dim, of which one may be wanted.
        switched += sorted(attributes if switched else attributes - old_attributes)
        if foreground != old_foreground:
            switched.append(foreground or "39")
        if background != old_background:
            switched.append(background or "49")
        change = min(change, f"\x1b[{';'.join(switched)}m" if switched else "", key=len)
    return change if link == old_link else f"{change}\x1b]8;{link or ';'}\x1b\\"


def _cells(text: str) -> list[str]:
    """Text cut into cells; a wide character is followed by an empty string for each further cell.

    Text with characters that combine is kept in one piece: how it is cut differs between
    terminals, but its whole length does not.
    """
    if _ALL_NARROW(text):
        return list(text)
    widths = [get_character_cell_size(character) for character in text]
    total = cell_len(text)
    if 0 in widths or sum(widths) != total:
        return [text, *[""] * (total - 1)] if total else []
    cells: list[str] = []
    for character, width in zip(text, widths, strict=True):
        cells.append(character)
        cells.extend([""] * (width - 1))
    return cells


def _cut(cells: list[str], length: int) -> list[str]:
    """The first cells; what is cut in two becomes spaces, as in `Strip.crop`."""
    kept = cells[:length]
    if length < len(cells) and cells[length] == "":
        for index in range(length - 1, -1, -1):
            whole = kept[index] != ""
            kept[index] = " "
            if whole:
                break
    return kept


def _length(part: tuple[str, str] | CellsPart) -> int:
    return len(part.numbers) if isinstance(part, CellsPart) else cell_len(part[0])


class Shadow:
    """Every cell that the terminal shows, as far as it is known."""

    def __init__(self, colors: ColorSystem) -> None:
        """Make a shadow of a terminal of which nothing is known yet, but the colours it can show."""
        self._colors = colors
        self._size = (0, 0)
        self._chars: list[list[str | None]] = []
        """A cell's text; "" for the further cells of a wide one; None where it is unknown."""
        self._pens: list[list[str]] = []
        self._lines: dict[tuple[int, int], Parts] = {}
        """What :meth:`draw_lines` has drawn from a column and line on, if nothing else was drawn since."""
        self._numbers: list[dict[int, CellsPart]] = []
        """For each line, by their first columns, the stretches of cells that it has drawn and that are still shown."""
        # The frame under construction.
        self._out: list[str] = []
        self._x = self._y = -1
        self._pen = ""

    def forget(self) -> None:
        """Take every cell for unknown: something else has written to the terminal."""
        self._size = (0, 0)
        self._forget_lines()

    def _forget_lines(self) -> None:
        self._lines.clear()
        self._numbers = [{} for _ in self._chars]

    def _fit(self, width: int, height: int) -> None:
        if self._size != (width, height):
            self._size = (width, height)
            self._chars = [[None] * width for _ in range(height)]
            self._pens = [[""] * width for _ in range(height)]
            self._forget_lines()

    def draw_chops(
        self,
        chops: Sequence[Mapping[int, Strip | None]],
        spans: Iterable[tuple[int, int, int]],
        chop_ends: Sequence[Sequence[int]],
    ) -> str:
        """What to write for a partial update of the compositor.

        The same cells are considered as in Textual's `ChopsUpdate.render_segments`, so that the
        screen is the same with and without this layer.

        Args:
            chops: For each line, the strips by their column.
            spans: Changed stretches as (line, first column, column after the last).
            chop_ends: For each line, the column after each of its strips.

        Returns:
            Escape sequences and text, empty if nothing is to be changed.
        """
        self._forget_lines()
        self._fit(chop_ends[0][-1] if chop_ends and chop_ends[0] else 0, len(chops))
        for y, first, after in spans:
            for end, (x, strip) in zip(chop_ends[y], chops[y].items(), strict=False):
                if strip is not None and x <= after and end > first:
                    self._draw(x, y, self._text_parts(strip), min(end, after))
        return self._finish()

    def draw_layout(self, lines: Iterable[Iterable[Strip]], width: int, height: int) -> str:
        """What to write for a whole screen, whose lines are strips from the left edge."""
        self._forget_lines()
        self._fit(width, height)
        for y, strips in enumerate(lines):
            x = 0
            for strip in strips:
                self._draw(x, y, self._text_parts(strip), width)
                x += strip.cell_length
        return self._finish()

    def draw_lines(self, lines: Iterable[tuple[int, int, Parts]], width: int, height: int) -> str:
        """What to write for some lines of a screen of this size: column, line, and the texts with their pens there."""
        self._fit(width, height)
        for x, y, parts in lines:
            self._draw(*self._without_what_stays(x, y, parts), width)
            self._lines[x, y] = parts
        return self._finish()

    def _without_what_stays(self, x: int, y: int, parts: Parts) -> tuple[int, int, Parts]:
        """A line without the parts at both its ends that were there already: they need not be looked at cell by cell.

        Lines that begin at the same place end at the same one, so that equal parts at the end lie in the same cells.
        """
        before = self._lines.get((x, y), [])
        first, last, least = 0, len(parts), min(len(before), len(parts))
        while first < least and before[first] == parts[first]:
            x += _length(parts[first])
            first += 1
        while last > first and len(parts) - last < least - first and before[last - len(parts) - 1] == parts[last - 1]:
            last -= 1
        return x, y, parts[first:last]

    def pen_of(self, style: Style | None) -> str:
        """The pen with which Textual draws a style on this terminal."""
        return pen_of(style, self._colors)

    def _text_parts(self, strip: Strip) -> Parts:
        return [(text, pen_of(style, self._colors)) for text, style, control in strip if text and not control]

    def _finish(self) -> str:
        if self._pen:
            self._out.append(change_pen(self._pen, ""))
        frame = "".join(self._out)
        self._out, self._x, self._y, self._pen = [], -1, -1, ""
        return frame

    def _draw(self, x: int, y: int, parts: Parts, limit: int) -> None:
        """Draw what differs of a line that starts at (x, y) and may reach up to column `limit`."""
        for part in parts:
            if x >= limit:
                break
            if isinstance(part, CellsPart):
                x = self._draw_numbers(x, y, part, limit)
            else:
                x = self._draw_text(x, y, *part, limit)

    def _draw_text(self, x: int, y: int, text: str, pen: str, limit: int) -> int:
        row_chars, row_pens = self._chars[y], self._pens[y]
        chars = _cells(text)
        if x + len(chars) > limit:
            chars = _cut(chars, limit - x)
        end = x + len(chars)
        pens = [pen] * len(chars)
        if " " in text and (blank := blank_pen(pen)) != pen:
            pens = [blank if char == " " else pen for char in chars]
        # Lists of strings are compared in C; most texts end here.
        if row_chars[x:end] != chars or row_pens[x:end] != pens:
            self._draw_cells(x, y, chars, pens)
            self._replace(x, y, chars, pens)
        return end

    def _draw_numbers(self, x: int, y: int, part: CellsPart, limit: int) -> int:
        numbers, shown = part.numbers[: limit - x], part.inks.shown
        before = self._numbers[y].get(x)
        if before is not None and before.inks is part.inks and len(before.numbers) == len(numbers):
            row_chars, row_pens = self._chars[y], self._pens[y]
            for column, (number, old) in enumerate(zip(numbers, before.numbers, strict=True), x):
                if number != old:
                    char, pen = shown[number]
                    if char != row_chars[column] or pen != row_pens[column]:
                        self._put(column, y, char, pen)
                        row_chars[column], row_pens[column] = char, pen
        else:
            chars, pens = ([shown[number][which] for number in numbers] for which in (0, 1))
            self._draw_cells(x, y, chars, pens)
            self._replace(x, y, chars, pens)
        self._numbers[y][x] = CellsPart(numbers, part.inks)
        return x + len(numbers)

    def _replace(self, x: int, y: int, chars: list[str], pens: list[str]) -> None:
        """Take these cells for shown."""
        row, end = self._chars[y], x + len(chars)
        for start, part in list(self._numbers[y].items()):
            if start < end and x < start + len(part.numbers):
                del self._numbers[y][start]
        cuts_wide = row[x : x + 1] == [""] or row[end : end + 1] == [""]
        row[x:end] = chars
        self._pens[y][x:end] = pens
        if cuts_wide:
            self._mark_halves(row, x, end)

    def _draw_cells(self, x: int, y: int, chars: list[str], pens: list[str]) -> None:
        row_chars, row_pens = self._chars[y], self._pens[y]
        for column, (char, pen) in enumerate(zip(chars, pens, strict=True), x):
            # An empty one is drawn together with the cell before it.
            if char and (char != row_chars[column] or pen != row_pens[column]):
                self._put(column, y, char, pen)

    def _put(self, column: int, y: int, char: str, pen: str) -> None:
        """Write one cell."""
        if column != self._x or y != self._y:
            self._move(column, y)
        if pen != self._pen and not (char == " " and pen == blank_pen(self._pen)):
            self._out.append(change_pen(self._pen, pen))
            self._pen = pen
        self._out.append(char)
        self._x = column + (1 if char.isascii() else cell_len(char))

    def _move(self, x: int, y: int) -> None:
        """Bring the cursor to (x, y): by a move, or by writing again what lies between."""
        if y != self._y:
            self._out.append(f"\x1b[{y + 1};{x + 1}H" if x else f"\x1b[{y + 1}H")
        elif not self._write_again(self._x, x, y):
            # To an absolute column: should the terminal take a character for wider than we do,
            # the fault ends here.
            self._out.append(f"\x1b[{x + 1}G")
        self._x, self._y = x, y

    def _write_again(self, start: int, end: int, y: int) -> bool:
        if not 0 < end - start <= _CHEAPER_THAN_A_MOVE:
            return False
        text: list[str] = []
        cost = 0
        for char, pen in zip(self._chars[y][start:end], self._pens[y][start:end], strict=True):
            if not char or not _ALL_NARROW(char):
                return False
            if pen != self._pen and not (char == " " and pen == blank_pen(self._pen)):
                return False
            cost += 1 if char.isascii() else 3
            text.append(char)
        if cost > _CHEAPER_THAN_A_MOVE:
            return False
        self._out.extend(text)
        return True

    @staticmethod
    def _mark_halves(row: list[str | None], start: int, end: int) -> None:
        """Take for unknown what is left of wide characters that the edges of a drawing cut in two.

        Terminals differ in what they show there.
        """
        column = end
        while column < len(row) and row[column] == "":
            row[column] = None
            column += 1
        before = row[start - 1] if start else None
        if before is None or (before and (before.isascii() or cell_len(before) == 1)):
            return
        lead = start - 1
        while lead > 0 and row[lead] == "":
            lead -= 1
        if lead + cell_len(row[lead] or "") > start:
            row[lead:start] = [None] * (start - lead)
