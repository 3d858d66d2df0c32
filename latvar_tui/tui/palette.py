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
