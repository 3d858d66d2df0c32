"""What the terminal at hand can show, and what the user wants of it: found out once, from the environment.

Nothing is asked of the terminal here. Fewer colours and plainer characters than it could show are a pity; more are a
mess: so each of these is believed only where something says so.
"""

from __future__ import annotations

import locale
import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, IntEnum

DARK, LIGHT, CONTRAST = "latvar-dark", "latvar-light", "latvar-contrast"
SHORT_NAMES = {"dark": DARK, "light": LIGHT, "contrast": CONTRAST}


class Depth(IntEnum):
    """How many colours there are."""

    NONE = 0
    SIXTEEN = 16
    MANY = 256
    """256, or all of them: themes in RGB, which Textual brings down to what there is."""


class Charset(Enum):
    """Which characters there are."""

    ASCII = "ascii"
    CONSOLE = "console"
    """Linux's own console: its fonts have lines, shades and half blocks, but no triangles and crosses."""
    UNICODE = "unicode"


@dataclass(frozen=True)
class Looks:
    """How to draw. ``theme`` is a name; "" stands for the remembered one, or the ordinary one."""

    depth: Depth = Depth.MANY
    charset: Charset = Charset.UNICODE
    theme: str = ""

    @property
    def ascii(self) -> bool:
        return self.charset is Charset.ASCII


def looks_here(
    theme: str | None = None,
    ascii: bool = False,
    *,
    environ: Mapping[str, str] | None = None,
    encoding: str | None = None,
) -> Looks:
    """What to draw with in this terminal.

    Args:
        theme: A theme's name as the user wrote it; None for the environment's (TEXTUAL_THEME) or no wish.
        ascii: Whether the user wants nothing but ASCII.
        environ: Environment variables; those of this process by default.
        encoding: The locale's encoding; this process's by default.
    """
    environ = os.environ if environ is None else environ
    encoding = locale.getencoding() if encoding is None else encoding
    wanted = environ.get("TEXTUAL_THEME", "") if theme is None else theme
    return Looks(_depth(environ), _charset(environ, encoding, ascii), SHORT_NAMES.get(wanted, wanted))


def _depth(environ: Mapping[str, str]) -> Depth:
    term = environ.get("TERM", "").lower()
    if environ.get("NO_COLOR") or _is_monochrome(term):  # no-color.org: when present and not empty
        return Depth.NONE
    wanted = environ.get("TEXTUAL_COLOR_SYSTEM", "auto")
    if wanted != "auto":
        return Depth.SIXTEEN if wanted == "standard" else Depth.MANY
    many = environ.get("COLORTERM", "").lower() in ("truecolor", "24bit") or term.endswith(("256color", "kitty"))
    return Depth.MANY if many else Depth.SIXTEEN


def _is_monochrome(term: str) -> bool:
    return term.startswith("vt") or term.endswith(("-m", "-mono"))


def _charset(environ: Mapping[str, str], encoding: str, ascii: bool) -> Charset:
    term = environ.get("TERM", "").lower()
    # A terminal that calls itself a VT has no other characters, whatever the locale says.
    if ascii or encoding.lower().replace("-", "").replace("_", "") != "utf8" or term.startswith("vt"):
        return Charset.ASCII
    return Charset.CONSOLE if term == "linux" else Charset.UNICODE
