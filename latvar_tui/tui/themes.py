"""The instrument's own themes, and what its roles look like in any theme."""

from __future__ import annotations

from collections.abc import Mapping

from rich.color import Color, ColorParseError, blend_rgb
from rich.color_triplet import ColorTriplet
from rich.style import Style
from textual.theme import BUILTIN_THEMES, Theme

from latvar_tui.colours import CANDIDATES
from latvar_tui.tui.looks import CONTRAST, DARK, LIGHT, SHORT_NAMES, Depth
from latvar_tui.tui.palette import SHADE_SHARES, TINTS, WHOLE_SHARE, WHOLE_SUFFIX, shade_role, tint_of
from latvar_tui.tui.roles import Roles

ANSI_DARK, ANSI_LIGHT = "latvar-16-dark", "latvar-16-light"

ON_LIGHT = ("#1350b3", "#9d4d00", "#0a816e", "#963d8c", "#5c7445", "#630300", "#0e157b", "#462c3a")
"""The candidates' colours on a light ground: the same hues, dark enough to be read as text, and still told apart by
colour-blind eyes."""

ON_BLACK = ("#67eaff", "#ffce4c", "#59b37e", "#e57eb6", "#f5ff00", "#ff623a", "#a095ff", "#c9f3d7")
"""Likewise, for high contrast: at least 7 to 1."""

OWN = (
    Theme(
        DARK, primary="#56b4e9", secondary="#7fa7bf", accent="#56b4e9", warning="#e69f00", error="#d55e00",
        success="#009e73", foreground="#d8d8d8", background="#121212", surface="#1c1f22", panel="#262a2e",
        variables={"border": "#4a5a66", "footer-key-foreground": "#d8d8d8"},
    ),
    Theme(
        LIGHT, dark=False, primary="#1350b3", secondary="#4a6a8a", accent="#1350b3", warning="#8a4a00",
        error="#a02c00", success="#0a6b50", foreground="#202326", background="#fafafa", surface="#eceeef",
        panel="#dfe3e6", variables={"border": "#8a98a3"},
    ),
    Theme(
        CONTRAST, primary="#67eaff", secondary="#ffffff", accent="#ffce4c", warning="#ffce4c", error="#ff623a",
        success="#59b37e", foreground="#ffffff", background="#000000", surface="#000000", panel="#202020",
        variables={"border": "#ffffff"},
    ),
)  # fmt: skip

SIXTEEN = tuple(
    Theme(
        name, dark=dark, ansi=True, primary="ansi_blue", secondary="ansi_cyan", accent="ansi_cyan",
        warning="ansi_yellow", error="ansi_red", success="ansi_green",
        foreground="ansi_default", background="ansi_default",
        surface="ansi_default", panel="ansi_default", boost="ansi_default",
        variables={
            "ansi-background": "ansi_black" if dark else "ansi_white",
            "ansi-foreground": "ansi_white" if dark else "ansi_black",
            "border": "ansi_cyan" if dark else "ansi_blue",
            "border-blurred": "ansi_bright_black",
            "block-cursor-foreground": "ansi_black" if dark else "ansi_bright_white",
            "block-cursor-background": "ansi_white" if dark else "ansi_blue",
            "input-cursor-background": "ansi_white" if dark else "ansi_black",
            "input-cursor-foreground": "ansi_black" if dark else "ansi_bright_white",
            "input-selection-background": "ansi_cyan",
            "input-selection-foreground": "ansi_black",
            "scrollbar": "ansi_bright_black",
            "scrollbar-hover": "ansi_cyan",
            "scrollbar-active": "ansi_cyan",
            "scrollbar-background": "ansi_default",
            "scrollbar-background-hover": "ansi_default",
            "scrollbar-background-active": "ansi_default",
            "scrollbar-corner-color": "ansi_default",
        },
    )
    for name, dark in ((ANSI_DARK, True), (ANSI_LIGHT, False))
)  # fmt: skip
"""Where there are sixteen colours or none: the terminal's own ones, on its own ground."""

# Recent, and the whole behind it: pairs of one hue, of which a dark ground needs the brighter one in front.
_ANSI_PAIRS = (
    ("bright_cyan", "cyan"), ("bright_yellow", "yellow"), ("bright_green", "green"), ("bright_magenta", "magenta"),
    ("bright_white", "white"), ("bright_red", "red"), ("bright_blue", "blue"), ("white", "bright_black"),
)  # fmt: skip
_ANSI_PAIRS_LIGHT = (
    ("cyan", "bright_cyan"), ("yellow", "bright_yellow"), ("green", "bright_green"), ("magenta", "bright_magenta"),
    ("black", "bright_black"), ("red", "bright_red"), ("blue", "bright_blue"), ("bright_black", "white"),
)  # fmt: skip

_AMBER = "#8a4a00"
_DIM_SHARE, _GHOST_SHARE, _WAITING_SHARE = 0.55, 0.7, 1.0


def theme_names() -> list[str]:
    """The names to choose from, ours first; the plainer ones come by themselves."""
    return [*(theme.name for theme in OWN), *sorted(BUILTIN_THEMES)]


def full_name(name: str) -> str | None:
    """A theme's name, of which ours have short ones; None if there is no such theme."""
    name = SHORT_NAMES.get(name, name)
    return name if name in theme_names() else None


def roles_of(theme: Theme, variables: Mapping[str, str], depth: Depth) -> Roles:
    """What the roles look like in a theme, of which ``variables`` are the colours as Textual works them out."""
    if depth is Depth.NONE:
        return _without_colours()
    if depth is Depth.SIXTEEN or theme.ansi:
        return _of_sixteen(theme.dark)
    grounds = ("#121212", "#e0e0e0") if theme.dark else ("#fafafa", "#202326")
    paper, ink = (_rgb(variables.get(name), grounds[place]) for place, name in enumerate(("background", "foreground")))
    strict = theme.name == CONTRAST
    colours = ON_BLACK if strict else CANDIDATES if theme.dark else ON_LIGHT
    found: dict[str, Style] = {}
    for place, text in enumerate(colours):
        colour = Color.parse(text)
        whole = Color.from_triplet(blend_rgb(paper, colour.get_truecolor(), WHOLE_SHARE))
        found[f"role-candidate{place}"] = Style(color=_named(colour, f"role-candidate{place}"))
        name = f"role-candidate{place}{WHOLE_SUFFIX}"
        found[name] = Style(color=_named(whole, name))
        for level, share in enumerate(SHADE_SHARES):
            shade = Color.from_triplet(blend_rgb(paper, colour.get_truecolor(), share))
            found[f"role-{shade_role(place, level)}"] = Style(color=shade)
    for tint in range(TINTS):
        found[f"role-tint{tint}"] = Style(color=Color.from_triplet(tint_of(tint, paper)))

    def blended(share: float) -> Style:
        return Style(color=Color.from_triplet(blend_rgb(paper, ink, 0.9 if strict and share < 0.9 else share)))

    found["role-dim"], found["role-ghost"] = blended(_DIM_SHARE), blended(_GHOST_SHARE)
    found["role-waiting"] = blended(_WAITING_SHARE)
    # The ambers of Textual's light themes cannot be read as text.
    found["role-warning"] = Style(
        color=Color.from_triplet(_rgb(variables.get("warning") if theme.dark else _AMBER, _AMBER))
    )
    return found


def _without_colours() -> Roles:
    """A warning is bold anyway; and a terminal without colours may have no dim, or one that cannot be read."""
    names = ["dim", "ghost", "waiting", "warning", *(f"tint{tint}" for tint in range(TINTS))]
    for place in range(len(CANDIDATES)):
        names += [f"candidate{place}", f"candidate{place}{WHOLE_SUFFIX}"]
    return {f"role-{name}": Style.null() for name in names}


def _of_sixteen(dark: bool) -> Roles:
    found = {
        "role-dim": Style(dim=True),
        "role-ghost": Style(color="bright_black"),
        "role-waiting": Style.null(),
        "role-warning": Style(color="yellow" if dark else "red"),
        **{f"role-tint{tint}": Style.null() for tint in range(TINTS)},
    }
    for place, (recent, whole) in enumerate(_ANSI_PAIRS if dark else _ANSI_PAIRS_LIGHT):
        found[f"role-candidate{place}"] = Style(color=recent)
        found[f"role-candidate{place}{WHOLE_SUFFIX}"] = Style(color=whole)
    return found


def _named(colour: Color, name: str) -> Color:
    return colour._replace(name=name)


def _rgb(text: str | None, otherwise: str) -> ColorTriplet:
    """Textual's colours are mostly ``#rrggbb``, but a theme may leave one to the terminal."""
    try:
        return Color.parse(text or otherwise).get_truecolor()
    except ColorParseError:
        return Color.parse(otherwise).get_truecolor()
