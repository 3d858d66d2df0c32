"""The screen's characters where there are fewer of them: each becomes one that takes as many cells."""

from __future__ import annotations

from functools import lru_cache

from rich.cells import cell_len, get_character_cell_size
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from latvar_tui.tui.looks import Charset

_UNKNOWN = "?"

_BRAILLE = {chr(0x2800 + dots): " ..:::###"[dots.bit_count()] for dots in range(256)}

_TO_ASCII = str.maketrans(
    {
        **dict.fromkeys("─╌┄╴╶╼╾▔¯‾", "-"),
        **dict.fromkeys("━═", "="),
        **dict.fromkeys("│┃║▏▎▍▌▐▕┆┊├┤", "|"),
        **dict.fromkeys("┌┐└┘╭╮╰╯┬┼╔╗╚╝", "+"),
        "┴": "^",
        **dict(zip("▁▂▃▄▅▆▇█", ".:-=+**#", strict=True)),
        **dict(zip("░▒▓", ".:#", strict=True)),
        **dict(zip("■◆▲●▼▸▶◂◀✗✓", "#*^OV>><<xv", strict=True)),
        **dict(zip("·•…–—−÷×°µ±", "...---/xou+", strict=True)),
        **dict(zip("←→↑↓↔⇧", "<>^v-^", strict=True)),
        **dict(zip("≤≥≈≠∞¹²³", "<>~!8123", strict=True)),
        **dict(zip("‘’“”«»", "''\"\"<>", strict=True)),
        **dict(zip("▀▖▗▘▝", "\"..''", strict=True)),
        **_BRAILLE,
        "\N{REPLACEMENT CHARACTER}": "?",
        "\N{NO-BREAK SPACE}": " ",
    }
)

# A VGA font, and what distributions load in its place, have no eighths but the half and the whole.
_TO_CONSOLE = str.maketrans(
    {
        **_BRAILLE,
        **dict(zip("▁▂▃▅▆▇▔", "__▄▄██-", strict=True)),
        **dict(zip("◆▲●▼▸▶◂◀✗✓…–—⇧╭╮╰╯┊╌", "*^OV>><<xv.--^┌┐└┘│─", strict=True)),
    }
)


@lru_cache(maxsize=8192)
def plain(text: str, charset: Charset) -> str:
    """A text in a charset's characters, of the same width in cells."""
    if text.isascii() or charset is Charset.UNICODE:
        return text
    cells = cell_len(text)
    if charset is Charset.CONSOLE:
        shown = text.translate(_TO_CONSOLE)
        return shown if cell_len(shown) == cells else text
    shown = text.translate(_TO_ASCII)
    if not shown.isascii():
        shown = "".join(each if each.isascii() else _UNKNOWN * get_character_cell_size(each) for each in shown)
    # Characters that make one of several (flags, families) take fewer cells together than one by one.
    return shown if len(shown) == cells else shown[:cells].ljust(cells, _UNKNOWN)


class PlainCharacters(LineFilter):
    """Textual's way to change all lines of all widgets just before they are drawn."""

    def __init__(self, charset: Charset) -> None:
        super().__init__()
        self._charset = charset

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """As `LineFilter.apply`."""
        charset = self._charset
        return [
            Segment(plain(text, charset), style, control) if text and not control else Segment(text, style, control)
            for text, style, control in segments
        ]
