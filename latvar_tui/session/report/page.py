"""The report as one HTML file: no script, nothing fetched, and a policy in it that forbids both."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from latvar_tui import __version__
from latvar_tui.session.report import content as contents
from latvar_tui.session.report import tables
from latvar_tui.session.report.chart import Picture, figure, table_of
from latvar_tui.session.report.content import MOST_PICTURED, Content
from latvar_tui.session.report.curves import curves
from latvar_tui.session.report.heatmap import heatmap
from latvar_tui.session.report.histograms import histograms
from latvar_tui.session.report.levels import QUANTILES, families, levels
from latvar_tui.session.report.markup import Markup, element, joined
from latvar_tui.session.report.style import style

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_LEGEND = (
    "Times are in milliseconds. ~ marks a number that rests on fewer than ten observations beyond it: it still moves, "
    "and is no ground for a claim. slow: the share that took more than twice the idle median (or, where idle was not "
    "measured, twice its own p10); wait: the share of the time that the calling thread was ready but had no core; "
    "stress cores: what the stress threads got."
)


_SLOWEST = (
    "In ms, but for when it was. likely: a hint, no proof; in brackets what disturbed its slice. into slice: how long "
    "after the model had been woken."
)


def page(sessions: Sequence[Content]) -> Iterator[str]:
    """The document, in pieces."""
    title = f"Latency report: {', '.join(dict.fromkeys(one.device for one in sessions))}"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        element("link", rel="icon", href="data:,"),
        element("style", Markup(style())),
    )
    yield f'<!DOCTYPE html>\n<html lang="en">{head}<body><main>'
    yield element("header", element("h1", title), _contents(sessions))
    for number, one in enumerate(sessions, 1):
        for piece in _session(one, f"s{number}", len(sessions) > 1):
            yield piece + "\n"
    yield element("footer", f"Made by latvar-tui {__version__} from what it recorded on the device.")
    yield "</main></body></html>\n"


def _contents(sessions: Sequence[Content]) -> Markup:
    if len(sessions) == 1:
        return element("p", f"{_when(sessions[0])}{_device(sessions[0])}", class_="soft")
    links = [
        element("li", element("a", one.session.folder.name, href=f"#s{number}"), f": {one.device}, {_when(one)}")
        for number, one in enumerate(sessions, 1)
    ]
    return element("nav", element("ol", *links), aria_label="Sessions")


def _when(one: Content) -> str:
    return f"{one.began:%Y-%m-%d %H:%M} UTC, {contents.length(one.length_s)}"


def _device(one: Content) -> str:
    """What of the device matters most, in a line."""
    told = {name: fact for name, fact in tables.facts(one).rows}
    cores = f"{told['cores']} cores" if "cores" in told else None
    runtime = f"onnxruntime {told['onnxruntime']}" if "onnxruntime" in told else None
    return "".join(f" · {fact}" for fact in (told.get("cpu"), cores, told.get("os"), runtime) if fact)


def _session(one: Content, ident: str, of_several: bool) -> Iterator[str]:
    yield f'<section id="{ident}">'
    if of_several:
        yield element("h2", f"{one.session.folder.name}: {one.device}")
        yield element("p", f"{_when(one)}{_device(one)}", class_="soft")
    cells = [table_of(tables.cells(one, condition)) for condition in one.board.conditions]
    yield _part(
        "Measured", element("p", _LEGEND, class_="note"), *(element("div", each, class_="cells") for each in cells)
    )
    lowest = tables.lowest(one)
    if lowest.rows:
        yield _part(lowest.caption, table_of(lowest, with_caption=False))
    yield from _pictures(one, ident)
    notes = [element("li", note) for note in one.document["notes"]]
    yield _part("Notes", element("ul", *notes, class_="notes"))
    marks = tables.marks(one)
    if marks.rows:
        yield _part(marks.caption, table_of(marks, with_caption=False))
    slowest = [
        element("details", element("summary", table.caption), table_of(table, with_caption=False))
        for table in tables.slowest(one)
    ]
    if slowest:
        yield _part("The ten slowest of each", element("p", _SLOWEST, class_="note"), *slowest)
    yield _part("Candidates", table_of(tables.candidates(one), with_caption=False))
    yield _part("Device", element("div", table_of(tables.facts(one), with_caption=False), class_="facts"))
    yield "</section>"


def _part(title: str, *children: str) -> Markup:
    return joined(element("h3", title), *children)


def _pictures(one: Content, ident: str) -> Iterator[str]:
    groups: list[tuple[str, Iterable[Picture | None]]] = [
        ("Percentiles", (curves(one, condition) for condition in one.conditions)),
        ("By stress", (levels(one, family, q) for family in families(one) for q in QUANTILES)),
        ("Histograms", (histograms(one, contender) for contender in one.pictured)),
        ("Over time", (heatmap(one, contender) for contender in one.pictured)),
    ]
    for place, (title, made) in enumerate(groups):
        drawn = [picture for picture in made if picture is not None]
        if drawn:
            figures = [figure(picture, f"{ident}-{place}-{number}") for number, picture in enumerate(drawn)]
            desc = element("p", drawn[0].desc, class_="note")
            yield _part(title, desc, element("div", *figures, class_="pictures"))
    if len(one.board.contenders) > MOST_PICTURED or len(one.board.conditions) > MOST_PICTURED:
        yield element(
            "p", f"Pictures show {MOST_PICTURED} candidates and conditions at most; the tables have all.", class_="note"
        )
