"""The parts of a picture that all pictures share: axes, the frame that names and describes it, its legend, its table.

Pictures are made 340 pixels wide, which is what a phone shows of one; on more room they grow, and stand side by side.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from latvar_tui.colours import CANDIDATES
from latvar_tui.session.report.markup import Markup, element, joined
from latvar_tui.session.report.scales import Scale
from latvar_tui.session.report.tables import Table
from latvar_tui.study.board import Contender

WIDTH = 340.0
LEFT, RIGHT, TOP, BOTTOM = 38.0, 332.0, 16.0, 34.0
"""Where the drawing begins and ends from the left, and how much room is above and below it."""


@dataclass(frozen=True)
class Picture:
    """One drawing. ``title`` names it, ``desc`` says in a sentence what it shows; ``table`` has the same as text."""

    title: str
    desc: str
    height: float
    drawing: Markup
    table: Table
    legend: Sequence[Markup] = ()


def line_class(contender: Contender) -> str:
    """The classes of a candidate's line: its colour, and dashes of its own for who sees no colours."""
    return f"{colour_class(contender)} d{contender.slot % len(CANDIDATES)}"


def colour_class(contender: Contender) -> str:
    """Without the dashes."""
    return f"line c{contender.slot % len(CANDIDATES)}"


def fill_class(contender: Contender) -> str:
    """Likewise, of an area."""
    return f"f{contender.slot % len(CANDIDATES)}"


def legend_of(contenders: Iterable[Contender]) -> list[Markup]:
    """A line and a name for each."""
    return [legend_item(line_class(one), one.name) for one in contenders]


def legend_item(class_: str, name: str) -> Markup:
    """A stretch of the line, and what it is."""
    line = element("line", x1=1, y1=5, x2=29, y2=5, class_=class_)
    return joined(element("svg", line, class_="key", viewBox="0 0 30 10", aria_hidden="true"), name)


# -- axes -----------------------------------------------------------------------------------------------------


def text(x: float, y: float, words: str, anchor: str = "middle", class_: str | None = None) -> Markup:
    """Words in a drawing."""
    return element("text", words, x=x, y=y, text_anchor=anchor, class_=class_)


def x_axis(marks: Sequence[tuple[float, str]], top: float, bottom: float, title: str) -> Markup:
    """Vertical lines at pixels with what they say, and the axis' title below."""
    pieces = [element("line", x1=x, y1=top, x2=x, y2=bottom, class_="grid") for x, _ in marks]
    pieces += [text(x, bottom + 13, words) for x, words in marks]
    pieces.append(text((LEFT + RIGHT) / 2, bottom + 28, title, class_="name"))
    return joined(*pieces)


def y_axis(scale: Scale, title: str, most: int = 7) -> Markup:
    """Horizontal lines at round values, and the axis' title above them."""
    pieces = []
    for value in scale.ticks(most):
        y = scale(value)
        pieces.append(element("line", x1=LEFT, y1=y, x2=RIGHT, y2=y, class_="grid"))
        pieces.append(text(LEFT - 4, y + 3.5, f"{value:g}", "end"))
    pieces.append(text(2, scale.end - 6, title, "start", "name"))
    return joined(*pieces)


def apart(marks: Sequence[tuple[float, str]], pixels: float) -> list[tuple[float, str]]:
    """The marks without those that stand too close to the one before."""
    kept: list[tuple[float, str]] = []
    for x, words in marks:
        if not kept or x - kept[-1][0] >= pixels:
            kept.append((x, words))
    return kept


def ms_marks(scale: Scale) -> list[tuple[float, str]]:
    """The marks of an axis of milliseconds."""
    return apart([(scale(value), f"{value:g}") for value in scale.ticks()], 26)


# -- around it ------------------------------------------------------------------------------------------------


def figure(picture: Picture, ident: str) -> Markup:
    """A picture with its name, its legend, and its table behind a fold. ``ident`` is unique in the document.

    Its description is read out; pictures of a kind share it, so the page shows it once, above them.
    """
    name, desc = f"{ident}-t", f"{ident}-d"
    drawing = element(
        "svg",
        element("title", picture.title, id=name),
        element("desc", picture.desc, id=desc),
        picture.drawing,
        viewBox=f"0 0 {WIDTH:.0f} {picture.height:.0f}",
        role="img",
        aria_labelledby=f"{name} {desc}",
    )
    legend = element("ul", *(element("li", item) for item in picture.legend), class_="legend")
    return element(
        "figure",
        element("figcaption", element("h4", picture.title)),
        drawing,
        legend if picture.legend else "",
        element("details", element("summary", "the same as a table"), table_of(picture.table)),
    )


def table_of(table: Table, with_caption: bool = True) -> Markup:
    """A table that scrolls sideways on its own where it is wider than the page.

    Without its caption where a heading says the same just above.
    """

    def row(tag: str, texts: Sequence[str]) -> Markup:
        return element("tr", *(_table_cell(tag, place, words, table.names) for place, words in enumerate(texts)))

    whole = element(
        "table",
        element("caption", table.caption) if with_caption else "",
        element("thead", row("th", table.head)),
        element("tbody", *(row("td", texts) for texts in table.rows)),
    )
    scrolls = element("div", whole, class_="scrolls", role="region", tabindex="0", aria_label=table.caption)
    return joined(scrolls, element("p", table.note, class_="note") if table.note else "")


def _table_cell(tag: str, place: int, words: str, names: Sequence[int]) -> Markup:
    class_ = "name" if place in names else "unsure" if words.startswith("~") else None
    if tag == "th":
        return element("th", words, scope="col", class_=class_)
    return element("th", words, scope="row", class_="name") if place == 0 else element("td", words, class_=class_)
