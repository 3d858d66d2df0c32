"""HTML and SVG out of elements. What is not :class:`Markup` is text, and escaped: a session's names stay names."""

from __future__ import annotations

import html

from latvar_tui.format import printable

_EMPTY = frozenset({"meta", "link", "path", "rect", "line", "circle"})


class Markup(str):
    """Text that is markup already. What is made here is well-formed XML, too."""

    __slots__ = ()


def escaped(text: str) -> Markup:
    """Text as markup that shows just that text."""
    return text if isinstance(text, Markup) else Markup(html.escape(printable(text)))


def joined(*pieces: str) -> Markup:
    """Several pieces behind each other."""
    return Markup("".join(map(escaped, pieces)))


def element(name: str, /, *children: str, **attributes: str | float | None) -> Markup:
    """``<name attributes>children</name>``.

    An attribute that is None is left out; ``_`` in its name stands for ``-``, and one at the end for nothing
    (``class_``). Numbers are written with a digit behind the point.
    """
    told = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{number(value) if isinstance(value, int | float) else escaped(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _EMPTY:
        return Markup(f"<{name}{told}/>")
    return Markup(f"<{name}{told}>{joined(*children)}</{name}>")


def number(value: float) -> str:
    """A coordinate: a tenth of a pixel is enough."""
    text = f"{value:.1f}"
    return "0" if text in ("-0.0", "0.0") else text.removesuffix(".0")
