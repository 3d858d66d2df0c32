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
PRESENT = Style(bold=True, reverse=True)
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


MOST_LEVEL = 4
"""Shades of a spectrogram: 0 is nothing, this the densest; above it come the levels of its lines."""

MEDIAN_LEVEL, RANKED_LEVEL, UNSURE_LEVEL = 5, 6, 7


@cache
def shade_style(slot: int, level: int, behind: int) -> Style:
    """A shade of a candidate's colour, or a line over it, on another shade (0: on what is there)."""
    return Style(color=_shade(slot, level), bgcolor=_shade(slot, behind) if behind else None)


def _shade(slot: int, level: int) -> Color:
    if level > MOST_LEVEL:
        lines = {MEDIAN_LEVEL: "#ffffff", RANKED_LEVEL: "#ffffff", UNSURE_LEVEL: "#a8a8a8"}
        return Color.parse(lines[level])
    colour = Color.parse(CANDIDATES[slot % len(CANDIDATES)]).get_truecolor()
    return Color.from_triplet(blend_rgb(_BACKGROUND, colour, (0.0, 0.25, 0.45, 0.7, 1.0)[level]))


@cache
def rank_style(place: int, of: int) -> Style:
    """Of a cell by its place among ``of``, 0 the best: a tint behind it, no candidate's colour."""
    share = place / max(1, of - 1)
    best, worst = ColorTriplet(24, 78, 60), ColorTriplet(92, 42, 26)
    tint = (
        blend_rgb(best, _BACKGROUND, min(1.0, 2 * share))
        if share <= 0.5
        else blend_rgb(_BACKGROUND, worst, 2 * share - 1)
    )
    return Style(bgcolor=Color.from_triplet(tint), bold=place == 0)
