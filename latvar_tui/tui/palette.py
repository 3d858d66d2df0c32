"""What is drawn with which colour, by name: a theme says later what each of these names looks like.

The styles here are *roles*. Their colours have names of their own and the values of the dark theme; `roles.py` replaces
them where a line is painted. So whoever makes lines, and whoever keeps them, need not know of themes. Write
``DIM``, ``candidate_style(slot)`` and their like, never a colour.
"""

from __future__ import annotations

from functools import cache

from rich.color import Color, ColorType, blend_rgb
from rich.color_triplet import ColorTriplet
from rich.style import Style

from latvar_tui.colours import CANDIDATES
from latvar_tui.tui.bars import BarStyles

_BACKGROUND = ColorTriplet(18, 18, 18)
WHOLE_SHARE = 0.42
"""How much of the colour the whole shape keeps, behind the recent one."""
WHOLE_SUFFIX = "-whole"


def role_colour(name: str, value: ColorTriplet) -> Color:
    """A colour that themes know by name."""
    return Color(f"role-{name}", ColorType.TRUECOLOR, None, value)


def _role(name: str, value: str, *, bold: bool | None = None) -> Style:
    return Style(color=role_colour(name, Color.parse(value).get_truecolor()), bold=bold)


DIM = _role("dim", "#808080")
STRONG = Style(bold=True)
PRESENT = Style(bold=True, reverse=True)
WARNING = _role("warning", "#e69f00", bold=True)
GHOST = _role("ghost", "#a0a0a0")
WAITING = _role("waiting", "#d8d8d8")

SPOTS, _ASCII_SPOTS = "■◆▲●▼", "#*^OV"


@cache
def candidate_style(slot: int) -> Style:
    """The colour of the candidate with that slot."""
    place = slot % len(CANDIDATES)
    return _role(f"candidate{place}", CANDIDATES[place])


@cache
def bar_styles(slot: int) -> BarStyles:
    """The colours of its histogram: recent in full, the whole darker, the ghost grey."""
    place = slot % len(CANDIDATES)
    colour = Color.parse(CANDIDATES[place]).get_truecolor()
    dark = role_colour(f"candidate{place}{WHOLE_SUFFIX}", blend_rgb(_BACKGROUND, colour, WHOLE_SHARE))
    return BarStyles(whole=Style(color=dark), recent=candidate_style(slot), ghost=GHOST)


def spot(slot: int, *, ascii: bool = False) -> str:
    """The sign of a candidate, one cell: with more candidates than colours, those of one colour differ by it."""
    spots = _ASCII_SPOTS if ascii else SPOTS
    return spots[slot // len(CANDIDATES) % len(spots)]


def letter(slot: int) -> str:
    """Its sign where there are no colours: a letter."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    return letters[slot % len(letters)]


# -- the views' own -----------------------------------------------------------------------------------

MOST_LEVEL = 4
"""Shades of a spectrogram: 0 is nothing, this the densest, in the candidate's own colour."""

MEDIAN_LEVEL, RANKED_LEVEL, UNSURE_LEVEL = 5, 6, 7
"""Above the shades come the lines over them."""

SHADE_SHARES = (0.0, 0.25, 0.45, 0.7)
"""How much of the colour the lower ones keep."""

TINTS = 5
"""Behind the cells of a ranking: from that of the best (0) to that of the worst; the middle one is none."""

BEST, WORST = "#14865f", "#b4441f"
TINT_SHARE = 0.5


def shade_role(slot: int, level: int) -> str:
    """The name of a lower shade's colour."""
    return f"shade{slot % len(CANDIDATES)}-{level}"


def tint_of(place: int, paper: ColorTriplet) -> ColorTriplet:
    """A tint on a ground."""
    middle = TINTS // 2
    end = Color.parse(BEST if place < middle else WORST).get_truecolor()
    return blend_rgb(paper, end, TINT_SHARE * abs(place - middle) / middle)


@cache
def shade_style(slot: int, level: int, behind: int) -> Style:
    """A shade of a candidate's colour, or a line over it, on another shade (0: on what is there)."""
    if not level:
        return Style()
    return Style(color=_shade(slot, level), bgcolor=_shade(slot, behind) if behind else None)


def _shade(slot: int, level: int) -> Color | None:
    if level > MOST_LEVEL:
        return (GHOST if level == UNSURE_LEVEL else WAITING).color
    own = candidate_style(slot).color
    if level == MOST_LEVEL or own is None:
        return own
    return role_colour(shade_role(slot, level), blend_rgb(_BACKGROUND, own.get_truecolor(), SHADE_SHARES[level]))


@cache
def rank_style(place: int, of: int) -> Style:
    """Of a cell by its place among ``of``, 0 the best: a tint behind it, no candidate's colour."""
    tint = round((TINTS - 1) * place / max(1, of - 1))
    if tint == TINTS // 2:
        return Style()
    return Style(bgcolor=role_colour(f"tint{tint}", tint_of(tint, _BACKGROUND)), bold=place == 0)
