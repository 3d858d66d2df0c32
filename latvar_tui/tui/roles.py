"""A theme's answer to the roles of `palette.py`: replaces the styles of lines as they are painted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rich.segment import Segment
from rich.style import Style

from latvar_tui.colours import CANDIDATES
from latvar_tui.tui.bars import ASCII, SHADED
from latvar_tui.tui.palette import SPOTS, WHOLE_SUFFIX, letter, spot

Roles = Mapping[str, Style]
"""Colour name (see `palette.role_colour`) → style. A style without a colour takes away the role's."""

_EIGHTHS = " ▁▂▃▄▅▆▇█"


class RolePainter:
    """Turns styles that name roles into a theme's. Answers are kept: there are some dozens of styles."""

    def __init__(self, roles: Roles, *, ascii: bool = False, colours: bool = True) -> None:
        """Without ``colours``, or with ASCII alone, the shapes of a histogram differ by their characters."""
        self._roles = roles
        self._known: dict[Style, Style] = {}
        self._based: dict[tuple[Style, Style | None], Style] = {}
        glyphs = ASCII if ascii else None if colours else SHADED
        self.changes_texts = glyphs is not None
        """Whether shapes differ by their characters, so that texts are others, too."""
        if glyphs is not None:
            self._whole, self._recent = _table(glyphs.whole), _table(glyphs.recent)
            self._ghost = str.maketrans(dict.fromkeys("▁─▔", glyphs.ghost[4]))
            self._fronts = {
                f"role-candidate{place}": self._recent | ({} if colours else _letters(place))
                for place in range(len(CANDIDATES))
            }

    def style(self, style: Style) -> Style:
        """A role's style in this theme; others stay."""
        found = self._known.get(style)
        if found is None:
            found = self._known[style] = self._look_up(style)
        return found

    def _look_up(self, style: Style) -> Style:
        ink = self._roles.get(style.color.name) if style.color is not None else None
        paper = self._roles.get(style.bgcolor.name) if style.bgcolor is not None else None
        if ink is None and paper is None:
            return style
        colour = style.color if ink is None else ink.color
        background = style.bgcolor if paper is None else paper.color
        return style.without_color + Style.from_color(colour, background) + (ink or Style.null()).without_color

    def segments(self, strip: Iterable[Segment], base: Style) -> list[Segment]:
        """A line's segments, in this theme, over a widget's own colours."""
        based = self._based
        painted = []
        for text, style, control in strip:
            over = based.get((base, style))
            if over is None:
                over = based[base, style] = base if style is None else base + self.style(style)
            if self.changes_texts and style is not None and not text.isascii():
                text = self._shape(text, style)
            painted.append(Segment(text, over, control))
        return painted

    def _shape(self, text: str, style: Style) -> str:
        """The parts of a histogram, told apart by characters."""
        name = style.color.name if style.color is not None else ""
        if not name.startswith("role-"):
            return text
        if name == "role-ghost":
            return text.translate(self._ghost)
        return text.translate(self._whole if name.endswith(WHOLE_SUFFIX) else self._fronts.get(name, {}))


def _table(glyphs: str) -> dict[int, str]:
    return dict(zip(map(ord, _EIGHTHS), glyphs, strict=True))


def _letters(place: int) -> dict[int, str]:
    """A letter in place of each sign of the candidates that have this colour."""
    slots = range(place, place + len(CANDIDATES) * len(SPOTS), len(CANDIDATES))
    return {ord(spot(slot)): letter(slot) for slot in slots}
