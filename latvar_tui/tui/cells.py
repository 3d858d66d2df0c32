"""A stretch of a line as one number a cell: what moves in every frame is compared, and drawn, by these."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from rich.style import Style

_SAME = re.compile(rb"(.)\1*", re.DOTALL).finditer


@dataclass(frozen=True, eq=False)
class Alphabet:
    """What each number shows: a character that takes one cell, in a style."""

    glyphs: str
    styles: tuple[Style, ...]

    @cached_property
    def _alike(self) -> bytes:
        """Of each number, the first one that has the same style."""
        return bytes(self.styles.index(style) for style in self.styles).ljust(256, b"\0")


class Cells(NamedTuple):
    """A stretch of a line."""

    numbers: bytes
    alphabet: Alphabet

    def spans(self) -> list[tuple[str, Style]]:
        """It as text, cut where the style changes."""
        glyphs, styles = self.alphabet.glyphs, self.alphabet.styles
        text = self.numbers.decode("latin-1").translate(glyphs)
        cuts = (run.span() for run in _SAME(self.numbers.translate(self.alphabet._alike)))
        return [(text[start:end], styles[self.numbers[start]]) for start, end in cuts]
