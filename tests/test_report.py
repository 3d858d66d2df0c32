"""Reports: one file that is well-formed, fetches nothing, says what ``show`` says, and lets no name be obeyed."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
import zlib
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latvar_tui import wire
from latvar_tui.colours import CANDIDATES as COLOURS
from latvar_tui.device.binning import counts_of
from latvar_tui.format import printable, share, three_digits
from latvar_tui.session import snapshot
from latvar_tui.session.layout import BOARD
from latvar_tui.session.reader import Session
from latvar_tui.session.report import markup, tables
from latvar_tui.session.report.content import Content, read
from latvar_tui.session.report.curves import curves
from latvar_tui.session.report.density import AXIS, MOST_COLUMNS, Density
from latvar_tui.session.report.heatmap import _cropped
from latvar_tui.session.report.markdown import markdown
from latvar_tui.session.report.page import page
from latvar_tui.session.report.scales import Scale
from latvar_tui.session.report.style import on_white
from latvar_tui.session.slice_text import Glance
from latvar_tui.summary import summary
from tests.chromium import MISSING, PROGRAM, Chromium
from tests.conftest import call_cli, run_cli
from tests.scripted_link import BEGIN_NS, MS, session, slice_frame
from tests.session_files import recorded, some_frames

NAMES = ["mobilenet_v2", "squeezenet1_1"]
LEVELS = ["0xcpu@100%", "1xcpu@100%", "4xcpu@100%"]
HOSTILE = "<script>alert(1)</script>\"'&|`]]>\x1b[31m\u202e\n@everyone https://example.org/"
_EMPTY = {"meta", "link", "path", "rect", "line", "circle"}


class Parsed(HTMLParser):
    """The document's elements; an end tag that ends nothing, or the wrong thing, is an error."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.tables: list[list[list[str]]] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in _EMPTY:
            self.open.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in _EMPTY
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("td", "th"):
            self.tables[-1][-1][-1] += data


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    frames = session(NAMES, LEVELS)
    frames[10] = replace(frames[10], marks=["throttled"])  # type: ignore[type-var]
    return recorded(tmp_path_factory.mktemp("report") / "closed", frames)


@pytest.fixture(scope="module")
def content(folder: Path) -> Content:
    return read(Session(folder))


@pytest.fixture(scope="module")
def text(content: Content) -> str:
    return "".join(page([content]))


# -- the document -------------------------------------------------------------------------------------------


def test_it_is_well_formed_and_each_picture_has_a_name_a_description_and_a_table(text: str) -> None:
    parsed = Parsed(text)
    pictures = re.findall(r"<figure>.*?</figure>", text, re.S)
    assert len(pictures) == len(LEVELS) + 2 + 2 * len(NAMES)
    for picture in pictures:
        root = ET.fromstring(picture)
        (drawing,) = root.findall("svg")
        names = {child.get("id") for child in drawing if child.tag in ("title", "desc") and child.text}
        assert drawing.get("role") == "img" and set((drawing.get("aria-labelledby") or "").split()) == names
        rows = root.findall("details//tbody/tr")
        assert rows and len(names) == 2
    idents = [attributes["id"] for _, attributes in parsed.found if "id" in attributes]
    assert len(idents) == len(set(idents))


def test_it_fetches_nothing_and_runs_nothing(text: str) -> None:
    parsed = Parsed(text)
    for tag, attributes in parsed.found:
        assert tag not in ("script", "img", "iframe", "object", "embed", "base", "form")
        assert not any(name.startswith("on") for name in attributes)
        for name in ("src", "href", "xlink:href", "action", "data"):
            assert (attributes.get(name) or "#").startswith(("#", "data:,"))
    assert "url(" not in text and "@import" not in text
    assert any("default-src 'none'" in (attributes.get("content") or "") for _, attributes in parsed.found)
    assert len(text) < 1_000_000


def test_its_numbers_are_those_of_the_summary(content: Content, text: str) -> None:
    expected = summary(content.board)["cells"]
    shown = {
        (condition.title, row[0]): dict(zip(table.head, row, strict=True))
        for condition in content.board.conditions
        for table in [tables.cells(content, condition)]
        for row in table.rows
    }
    assert len(shown) == len(expected) == len(LEVELS) * len(NAMES)
    whole = Parsed(text).tables
    for cell in expected:
        title = "idle" if cell["stress_threads"] == 0 else cell["condition"]
        row = shown[title, cell["model"]]
        times = cell["service"]
        for name in ("p50", "p90", "p95", "p99", "p99_9"):
            unsure = "~" if f"{name}_ms" in times["provisional"] else ""
            assert row[name.replace("_", ".")] == unsure + three_digits(times[f"{name}_ms"])
        assert row["max"] == three_digits(times["max_ms"])
        assert row["n"].replace(" ", "") == str(cell["n"])
        assert row["slow"] == share(cell["slow_share"], cell["n"]) and row["wait"] == share(cell["wait_share"])
        assert row["stress cores"] == ("–" if title == "idle" else f"{cell['stress_cores']:.2f}")
        assert any(list(row.values()) in table for table in whole), row
    slow = tables.slowest(content)
    assert [len(table.rows) for table in slow] == [10] * len(expected)
    assert slow[0].rows[0][2] == three_digits(expected[0]["service"]["max_ms"])


def test_who_is_lowest_is_told_as_a_fact(content: Content, text: str) -> None:
    table = tables.lowest(content)
    for row in table.rows:
        cells = [tables.cells(content, c) for c in content.board.conditions if c.title == row[0]]
        p99 = {line[0]: line[cells[0].head.index("p99")] for line in cells[0].rows}
        assert row[1:] == (*min(p99.items(), key=_number), *max(p99.items(), key=_number))
    assert "no statistical claim" in text and "wins" not in text


def _number(item: tuple[str, str]) -> float:
    return float(item[1].removeprefix("~"))


def test_open_loop_shows_response_times_and_what_serving_took(tmp_path: Path) -> None:
    slices = [
        slice_frame(
            seq, "mobilenet_v2@threads=2,spin=on", "0xcpu@100%,rate=60", [3 * MS, 4 * MS],
            response=counts_of(np.array([8 * MS, 9 * MS])), offered=2, queue_max=1,
        )
        for seq in range(1, 9)
    ]  # fmt: skip
    content = read(Session(recorded(tmp_path / "a", [*some_frames()[:5], *slices])))
    (condition,) = content.board.conditions
    table = tables.cells(content, condition)
    row = dict(zip(table.head, table.rows[0], strict=True))
    (cell,) = summary(content.board)["cells"]
    assert row["p50"] == "~" + three_digits(cell["response"]["p50_ms"])
    assert row["service p50"] == "~" + three_digits(cell["service"]["p50_ms"]) and "served/s" in row and "queue" in row
    assert "response time, ms" in "".join(page([content]))


def test_a_curve_ends_with_the_slowest_inference(content: Content) -> None:
    condition = content.board.conditions[0]
    picture = curves(content, condition)
    assert picture is not None
    cells = [content.board.cell(one, condition) for one in content.board.contenders]
    slowest_ns = max(cell.latency.max_ns or 0 for cell in cells if cell)
    lowest_ns = min(cell.latency.min_ns or 0 for cell in cells if cell)
    ends = [float(d.rsplit(" ", 1)[1]) for d in re.findall(r'<path d="([^"]+)"', picture.drawing)]
    high_y = Scale(lowest_ns / 1.08, slowest_ns * 1.08, 250.0 - 34.0, 16.0, log=True)(slowest_ns)
    assert min(ends) == pytest.approx(high_y, abs=0.06)


# -- hostile sessions ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Content:
    frames: list[Any] = session(NAMES, LEVELS[:2], 2)
    device = dict(frames[0].device) | {"name": HOSTILE, HOSTILE: HOSTILE, "cpu": [HOSTILE], "os": {HOSTILE: 1}}
    frames[0] = replace(frames[0], device=device)
    frames.insert(3, wire.Note(HOSTILE))
    frames.append(replace(frames[-1], marks=[HOSTILE], seq=10_000, start_ns=frames[-1].end_ns + 1))
    frames.append(wire.State(frames[-1].candidate, "failed", HOSTILE))
    return read(Session(recorded(tmp_path_factory.mktemp("report") / "hostile<b>", frames)))


def test_nothing_in_a_session_is_obeyed(hostile: Content) -> None:
    text = "".join(page([hostile, hostile]))
    parsed = Parsed(text)
    assert not {"script", "b"} & {tag for tag, _ in parsed.found}
    assert not re.search(r"[\x00-\x08\x0b-\x1f\u202e]", text)
    assert text.count("&lt;script&gt;") > 8
    for picture in re.findall(r"<figure>.*?</figure>", text, re.S):
        ET.fromstring(picture)


def test_nothing_in_a_session_is_markdown(hostile: Content) -> None:
    text = "".join(markdown([hostile]))
    assert not re.search(r"[\x00-\x08\x0b-\x1f\u202e]", text)
    outside = re.sub(r"`[^`\n]*`", "", text.replace("\\`", "'"))
    assert not re.search(r"(?<!\\)<|@everyone|https://", outside)
    for table in _md_tables(text):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table}) == 1


@given(st.text(max_size=60), st.text(max_size=20))
def test_text_stays_text(words: str, value: str) -> None:
    made = ET.fromstring(markup.element("p", words, title=value))
    assert made.text == printable(words) if words else not made.text
    assert made.get("title") == printable(value)


# -- Markdown -----------------------------------------------------------------------------------------------


def _md_tables(text: str) -> Iterator[list[str]]:
    for block in text.split("\n\n"):
        lines = block.splitlines()
        if lines and lines[0].startswith("|"):
            yield lines


def test_markdown_has_the_same_tables(content: Content) -> None:
    found = list(_md_tables("".join(markdown([content]))))
    for condition, lines in zip(content.board.conditions, found, strict=False):
        table = tables.cells(content, condition)
        assert lines[0] == f"| {' | '.join(table.head)} |"
        assert [re.sub(r"[`\\]", "", line) for line in lines[2:]] == [f"| {' | '.join(row)} |" for row in table.rows]
    assert any(line.startswith("| `idle` |") for lines in found for line in lines)


# -- extremes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("values", [[1], [0, 200_000_000_000], [5 * MS] * 3, [1, 10, 10**10], []])
def test_whatever_was_measured_can_be_drawn(tmp_path: Path, values: list[int]) -> None:
    frames: list[wire.Frame] = session(NAMES[:1], LEVELS[:1], 1)[:3]
    frames += [slice_frame(1 + place, NAMES[0], level, values) for place, level in enumerate(LEVELS)]
    content = read(Session(recorded(tmp_path / "a", frames)))
    text = "".join(page([content]))
    Parsed(text)
    pictures = re.findall(r"<figure>.*?</figure>", text, re.S)
    assert bool(pictures) == bool(values)
    for picture in pictures:
        for place in re.findall(r"-?\d+\.?\d*", "".join(re.findall(r' d="([^"]*)"', picture))):
            assert -400 <= float(place) <= 400
    assert "nan" not in text and "inf" not in "".join(re.findall(r' d="([^"]*)"', text))


def test_a_session_without_a_slice_has_a_report(tmp_path: Path) -> None:
    folder = recorded(tmp_path / "a", session(NAMES, LEVELS[:1], 1))
    (folder / "frames.jsonl.gz").unlink()
    content = read(Session(folder))
    Parsed("".join(page([content])))
    assert "nothing to show" in "".join(markdown([content]))


# -- over time ----------------------------------------------------------------------------------------------


def test_density_loses_no_inference_and_does_not_grow() -> None:
    density = Density(BEGIN_NS)
    random = np.random.default_rng(3)
    expected = 0
    for seq in range(400):
        values = random.integers(MS, 90 * MS, 20)
        density.add(Glance.of(slice_frame(seq, NAMES[0], LEVELS[1], values, start_ns=BEGIN_NS + seq**2 * 100 * MS)))
        expected += 20
    assert density.counts.shape == (MOST_COLUMNS, AXIS.columns) and density.counts.sum() == expected
    last = int(np.flatnonzero(density.threads >= 0)[-1])
    assert last == (399**2 * 100 * MS) // density.column_ns < MOST_COLUMNS <= 2 * (last + 1)
    counts, threads, _ = density.merged(4)
    assert counts.sum() == expected and set(threads.tolist()) <= {-1, 1}
    low, by, cropped = _cropped(counts)
    assert (
        cropped.sum() == expected and cropped.shape[1] <= 40 and 0 <= low <= low + by * cropped.shape[1] <= AXIS.columns
    )
    density.add(Glance.of(slice_frame(500, NAMES[0], LEVELS[0], [MS], start_ns=1 << 62)))
    assert density.counts.sum() == expected + 1


# -- looks --------------------------------------------------------------------------------------------------


def test_colours_are_seen_on_white_and_stay_apart() -> None:
    darkened = [on_white(colour) for colour in COLOURS]
    assert len(set(darkened)) == len(COLOURS)
    assert on_white("#0072b2") == "#0072b2" and on_white("#ffffff") < "#a0a0a0"


@given(st.floats(1e-3, 1e4), st.floats(1.01, 1e5))
def test_ticks_lie_on_the_axis(low: float, ratio: float) -> None:
    scale = Scale(low, low * ratio, 0.0, 100.0, log=True)
    ticks = scale.ticks()
    assert 1 <= len(ticks) <= 12 and ticks == sorted(set(ticks))
    assert all(low * (1 - 1e-6) <= tick <= low * ratio * (1 + 1e-6) for tick in ticks)
    assert scale(low) == pytest.approx(0.0) and scale(low * ratio) == pytest.approx(100.0)


@pytest.mark.skipif(PROGRAM is None, reason=MISSING)
def test_a_browser_shows_it_without_complaint(content: Content, hostile: Content, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("".join(page([content, hostile])), encoding="utf-8")
    seen = {}
    with Chromium(tmp_path / "profile") as browser:
        for width in (360, 1200):
            for scheme in ("light", "dark"):
                browser.show(path, width, scheme)
                # Nothing sticks out sideways, and no picture has shrunk to nothing.
                assert browser.value("document.documentElement.scrollWidth") == width
                smallest = "Math.min(...[...document.querySelectorAll('figure>svg')].map(s => s.clientWidth))"
                assert browser.value(smallest) >= 300
                assert browser.value("[...document.querySelectorAll('.line')].length") > 10
                seen[width, scheme] = browser.value("getComputedStyle(document.body).backgroundColor")
                assert browser.picture().startswith(b"\x89PNG")
        assert browser.said == []
    assert seen[360, "light"] == seen[1200, "light"] != seen[360, "dark"]


# -- the command --------------------------------------------------------------------------------------------


def test_the_command_writes_and_overwrites_only_when_told(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "r.html"
    first = run_cli("report", str(folder), str(folder), "-o", str(path))
    assert first.returncode == 0 and path.read_text().count('<section id="s') == 2, first.stderr
    again = call_cli("report", str(folder), "-o", str(path))
    assert again.returncode == 2 and "--force" in again.stderr and path.read_text().count('<section id="s') == 2
    forced = call_cli("report", str(folder), "-o", str(path), "--format", "md", "--force")
    assert forced.returncode == 0 and path.read_text().startswith("## `bench-board`")
    assert call_cli("report", str(tmp_path / "none"), "-o", "-").returncode == 2


def test_by_its_snapshot_or_slice_by_slice_it_is_the_same(tmp_path: Path) -> None:
    folder = recorded(tmp_path / "a", some_frames())
    texts = ["".join(page([read(Session(folder), by_snapshot)])) for by_snapshot in (True, False)]
    assert texts[0] == texts[1]
    whole = read(Session(folder), by_snapshot=False).densities
    (folder / "waits.hlog").write_bytes(bytes((folder / "waits.hlog").stat().st_size))  # no picture needs it
    shown = read(Session(folder)).densities
    assert shown.keys() == whole.keys()
    for name in whole:
        for part in ("counts", "threads", "marked"):
            assert np.array_equal(getattr(shown[name], part), getattr(whole[name], part))


def test_a_forged_snapshot_costs_time_alone(tmp_path: Path) -> None:
    folder = recorded(tmp_path / "a", some_frames())
    before = call_cli("report", str(folder), "--format", "md", "-o", "-").stdout
    body = (folder / BOARD).read_bytes().partition(b"\n")[2].replace(b'"memory_mb": ', b'"memory_mb": "x", "was": ')
    (folder / BOARD).write_bytes(f"{snapshot.code_mark()} {zlib.crc32(body)}\n".encode() + body)
    after = call_cli("report", str(folder), "--format", "md", "-o", "-")
    assert (after.returncode, after.stderr, after.stdout) == (0, "", before)
