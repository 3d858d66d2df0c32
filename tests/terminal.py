"""What a person sees on an emulated terminal."""

from __future__ import annotations

import pyte

Cell = tuple[str, str, str, bool, bool, bool, bool, bool]


def look_of(cell: pyte.screens.Char) -> Cell:
    """A cell as it looks: text, ink, background, bold, italics, underscore, strike, reverse.

    A blank looks the same in any ink, if nothing is drawn with it.
    """
    if cell.data == " " and not (cell.underscore or cell.strikethrough or cell.reverse):
        return (" ", "", cell.bg, False, False, False, False, False)
    return (
        cell.data,
        cell.fg,
        cell.bg,
        cell.bold,
        cell.italics,
        cell.underscore,
        cell.strikethrough,
        cell.reverse,
    )


def look(screen: pyte.Screen) -> list[list[Cell]]:
    """Every cell as it looks."""
    return [[look_of(screen.buffer[y][x]) for x in range(screen.columns)] for y in range(screen.lines)]


def differences(one: pyte.Screen, other: pyte.Screen) -> list[tuple[int, int, Cell, Cell]]:
    """The cells that look different: line, column, and both looks."""
    found = []
    for y in range(max(one.lines, other.lines)):
        if one.buffer[y] == other.buffer[y]:  # most lines; much faster than cell by cell
            continue
        for x in range(max(one.columns, other.columns)):
            looks = look_of(one.buffer[y][x]), look_of(other.buffer[y][x])
            if looks[0] != looks[1]:
                found.append((y, x, *looks))
    return found
