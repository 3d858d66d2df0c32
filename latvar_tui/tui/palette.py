"""Colours: one per candidate, the same everywhere (see :mod:`latvar_tui.colours`)."""

from __future__ import annotations

from functools import cache

from rich.color import Color, blend_rgb
from rich.color_triplet import ColorTriplet
from rich.style import Style

from latvar_tui.colours import CANDIDATES
from latvar_tui.tui.bars import BarStyles

_BACKGROUND = ColorTriplet(18, 18, 18)
_WHOLE_SHARE = 0.42  # how much of the colour the whole shape keeps, behind the recent one

DIM = Style(color="#808080")
STRONG = Style(bold=True)
WARNING = Style(color="#e69f00", bold=True)
GHOST = Style(color="#a0a0a0")
WAITING = Style(color="#d8d8d8")


@cache
def candidate_style(slot: int) -> Style:
    """The colour of the candidate with that slot."""
    return Style(color=CANDIDATES[slot % len(CANDIDATES)])


@cache
def bar_styles(slot: int) -> BarStyles:
    """The colours of its histogram: recent in full, the whole darker, the ghost grey."""
    colour = Color.parse(CANDIDATES[slot % len(CANDIDATES)]).get_truecolor()
    dark = Color.from_triplet(blend_rgb(_BACKGROUND, colour, _WHOLE_SHARE))
    return BarStyles(whole=Style(color=dark), recent=candidate_style(slot), ghost=GHOST)
