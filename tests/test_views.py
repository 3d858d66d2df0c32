"""The views of the live screen: how each looks at three sizes, and that every key is alive in all of them."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.pilot import Pilot

from latvar_tui import wire
from latvar_tui.condition import Condition, parse_condition
from latvar_tui.format import ms
from latvar_tui.hdr_layout import median_ns
from latvar_tui.study.board import Board
from latvar_tui.study.conclusions import Groups, Ratio, Reversal
from latvar_tui.study.rivals import fastest_other
from latvar_tui.tui.app import LiveApp
from latvar_tui.tui.board_panel import BoardPanel
from latvar_tui.tui.charset import plain
from latvar_tui.tui.histogram_panel import HistogramPanel
from latvar_tui.tui.keys import KEYS
from latvar_tui.tui.line_widget import LineWidget
from latvar_tui.tui.looks import Charset, Depth, Looks
from latvar_tui.tui.scale import row_of, step_above, step_below, upright_labels
from latvar_tui.tui.view import View
from latvar_tui.tui.views import percentiles
from latvar_tui.tui.views.answers import Answers
from latvar_tui.tui.views.canvas import DOTS_ACROSS, DOTS_DOWN, Canvas, straight, trace
from latvar_tui.tui.views.compare import ComparePanel
from latvar_tui.tui.views.device import DevicePanel
from latvar_tui.tui.views.matrix import MatrixPanel
from latvar_tui.tui.views.names import OVERVIEW, VIEWS, next_view
from latvar_tui.tui.views.ranks import RanksPanel
from latvar_tui.tui.views.sentences import condition_names, orders, shorter, told
from latvar_tui.tui.views.tabs import Tabs
from latvar_tui.tui.views.timeline import TimelinePanel
from tests.scripted_link import board_of, session, slice_frame, state_frame
from tests.test_screen import EIGHT, EIGHT_SESSION, FIRST_SLICES, IDS, MODELS, SIZES, make_app, sent, settled

STRESSED = "4xcpu@100%"
NAMES = [view.name for view in VIEWS]
OTHERS = [name for name in NAMES if name != OVERVIEW]
WIDE = ("squeezenet1_1@as=kurz", "mobilenet_v3_large@as=" + "sehr-langer-name-" * 3)
WIDE_SESSION = session(WIDE, ["0xcpu@100%", "2xcpu@50%"], 12)


@pytest.fixture(scope="module")
def turned() -> list[wire.Frame]:
    """Long enough for claims: who is fastest when idle is so no more under stress."""
    return session(MODELS, ["0xcpu@100%", "1xcpu@100%", STRESSED], slices_per_cell=60)


@pytest.fixture(autouse=True)
def plain_terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Pictures do not depend on who runs the tests."""
    for name in ("NO_COLOR", "TEXTUAL_THEME", "TEXTUAL_COLOR_SYSTEM", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    yield


def shown(name: str, *keys: str) -> Callable[[Pilot[Any]], Awaitable[None]]:
    async def run(pilot: Pilot[Any]) -> None:
        await settled(pilot)
        app = pilot.app
        assert isinstance(app, LiveApp)
        app.answers.hurried = True  # how far it would come in a frame depends on the machine
        app.show_view(name)
        for key in keys:
            await pilot.press(key)
        app.draw()
        await pilot.pause()

    return run


def texts(app: LiveApp) -> list[str]:
    """What stands on the screen."""
    widgets = app.screen_stack[0].query(LineWidget)
    return [strip.text for widget in widgets if widget.display for strip in widget.lines]


def panel_of(app: LiveApp, name: str) -> BoardPanel:
    return app.query_one(f"#view-{name}", BoardPanel)


# -- how they look ------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES, ids=IDS)
@pytest.mark.parametrize("name", OTHERS)
def test_looks(snap_compare: Any, turned: list[wire.Frame], name: str, size: tuple[int, int]) -> None:
    app = make_app(turned, condition=STRESSED)
    assert snap_compare(app, terminal_size=size, run_before=shown(name))


@pytest.mark.parametrize("name", OTHERS)
def test_looks_of_a_long_line_up(snap_compare: Any, name: str) -> None:
    app = make_app(EIGHT_SESSION, EIGHT, condition="3xcpu@100%")
    assert snap_compare(app, terminal_size=(80, 24), run_before=shown(name, "j", "j"))


@pytest.mark.parametrize("size", [(40, 15), (45, 30), (10, 5), (1, 1), (200, 60)], ids=str)
@pytest.mark.parametrize("which", ["first", "eight", "wide", "unmeasured"])
async def test_nothing_breaks_a_view_and_no_line_is_too_wide(size: tuple[int, int], which: str) -> None:
    frames, models = {
        "first": (FIRST_SLICES, MODELS),
        "eight": (EIGHT_SESSION, EIGHT),
        "wide": (WIDE_SESSION, WIDE),
        "unmeasured": (FIRST_SLICES[:7], MODELS),
    }[which]
    app = make_app(frames, models)
    for contender in app.board.contenders:
        contender.name += "宽"
    async with app.run_test(size=size) as pilot:
        for name in OTHERS:
            await (shown(name)(pilot) if which != "unmeasured" else pilot.pause())
            app.show_view(name)
            await pilot.pause()
            assert app.view.shown == name
            for widget in app.screen_stack[0].query(BoardPanel).filter(".view"):
                if widget.display and widget.size.width and widget.size.height:
                    assert len(widget.draw(*widget.size)) <= max(1, widget.size.height), widget
                    widths = [strip.cell_length for strip in widget.draw(*widget.size)]
                    assert max(widths, default=0) <= widget.size.width, widget


# -- going from one to another ------------------------------------------------------------------------


async def test_tab_goes_round_and_back_and_initials_and_esc_go_straight() -> None:
    app = make_app(FIRST_SLICES)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        for name in [*NAMES[1:], OVERVIEW]:
            await pilot.press("tab")
            assert app.view.shown == name
        await pilot.press("shift+tab")
        assert app.view.shown == NAMES[-1]
        for view in VIEWS:
            await pilot.press(view.key)
            assert app.view.shown == view.name
        await pilot.press("escape")
        assert app.view.shown == OVERVIEW


async def test_in_a_dialog_tab_is_the_dialogs() -> None:
    app = make_app(FIRST_SLICES)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("m", "tab", "escape")
        assert app.view.shown == OVERVIEW and len(app.screen_stack) == 1


async def test_a_click_on_a_name_shows_its_view() -> None:
    app = make_app(FIRST_SLICES)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        (strip,) = app.query_one(Tabs).lines
        await pilot.click(Tabs, offset=(strip.text.index("Matrix") + 2, 0))
        assert app.view.shown == "matrix"


async def test_a_view_that_is_not_shown_draws_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    app = make_app(FIRST_SLICES)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        asked: list[str] = []
        for panel in app.screen_stack[0].query(BoardPanel):

            def draw(width: int, height: int, name: str = str(panel.id)) -> list[Any]:
                asked.append(name)
                return []

            monkeypatch.setattr(panel, "draw", draw)
        for name in NAMES:
            app.show_view(name)
            await pilot.pause()
            asked.clear()
            app.draw()
            expected = {"overview": {"histograms", "table"}}.get(name, {f"view-{name}"})
            expected |= {"table"} if name in ("percentiles", "timeline") else set()
            assert set(asked) == expected


# -- no key is dead -----------------------------------------------------------------------------------

QUIET = {"leave", "hold", "redraw_screen"}


@pytest.mark.parametrize("name", NAMES[1::2])  # the others take the same keys, and each takes ten seconds
async def test_no_key_is_dead_in_any_view(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)  # one of them saves a picture
    app = make_app(session(MODELS, ["0xcpu@100%", "2xcpu@100%"], 12), condition="2xcpu@100%")
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        for key in KEYS:
            if key.action in QUIET or key.action == f"view('{name}')":
                continue
            app.view.frozen = False
            app.unsay("")
            app.show_view(name)
            await pilot.pause()
            before = texts(app), len(app.screen_stack), len(sent(app).conditions())
            await pilot.press(key.keys.split(",")[0])
            await pilot.pause()
            assert (texts(app), len(app.screen_stack), len(sent(app).conditions())) != before, key
            while len(app.screen_stack) > 1:
                await pilot.press("escape")
        assert app.is_running


# -- what they say ------------------------------------------------------------------------------------


async def test_a_change_of_places_is_named_when_it_is_claimed_and_not_before(turned: list[wire.Frame]) -> None:
    app = make_app([frame for frame in turned if not isinstance(frame, wire.Slice)])
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        named_at = None
        for frame in turned:
            if not isinstance(frame, wire.Slice):
                continue
            app.board.take(frame)
            if frame.round % 10 == 9:
                app.answers.begin()
                claimed = any(app.board.study.reversals([quantile]) for quantile in (50.0, 95.0, 99.0))
                assert bool(app.finding()) == claimed
                named_at = named_at or (frame.round if claimed else None)
        assert named_at is not None and named_at >= 60, "no condition but the first had been measured"
        assert "beats" in app.finding()
        assert app.banner() == (app.finding(), True)


async def test_the_rival_is_the_fastest_other_until_one_is_chosen() -> None:
    app = make_app(session(MODELS, ["0xcpu@100%"], 12))
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("C")
        names = [contender.name for contender in app.board.contenders]
        title = panel_of(app, "compare").lines[0].text
        assert names[0] in title and names[1] in title, "the others are slower the later they come"
        await pilot.press("j")
        assert names[0] in panel_of(app, "compare").lines[0].text
        await pilot.press("v", "v")
        title = panel_of(app, "compare").lines[0].text
        assert names[1] in title and names[2] in title
        await pilot.press("v")
        assert app.view.rival is None


def test_a_candidate_that_failed_is_a_rival_only_where_there_is_no_other() -> None:
    board = board_of(MODELS, session(MODELS, ["0xcpu@100%"], 4))
    own, fastest, slowest = board.contenders[2], board.contenders[0], board.contenders[1]
    assert fastest_other(board, own, 50.0) is fastest
    fastest.state = "failed"
    assert fastest_other(board, own, 50.0) is slowest
    slowest.state = "failed"
    assert fastest_other(board, own, 50.0) is fastest
    board.remove(fastest)
    board.remove(slowest)
    assert fastest_other(board, own, 50.0) is None


REVERSAL = Reversal("a", "b", 95.0, Condition(), Condition(2), Ratio(1.25, 1.2, 1.3), Ratio(0.8, 0.7, 0.9))


def test_a_reversal_in_words() -> None:
    (sentence,) = told([REVERSAL, REVERSAL], {"a": "one", "b": "two"})
    assert sentence == "one beats two when idle (p95: 20 % less) and loses under 2xcpu@100% (25 % more)."
    lengths = [len(text) for text in shorter(REVERSAL, {"a": "one", "b": "two"})]
    assert lengths == sorted(lengths, reverse=True)
    assert told([REVERSAL], {"a": "one"}) == [], "one of them has left"


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        (Groups(("a",), ("b", "c")), "A is best; slower: B, C"),
        (Groups(("a", "b"), ("c",)), "A or B: not told apart yet; slower: C"),
        (Groups(("a", "b", "c", "d"), ()), "4 candidates: not told apart yet"),
        (Groups(("a",), ()), "A is best"),
        (Groups((), (), ("a",)), ""),
    ],
)
def test_an_order_in_words(groups: Groups, words: str) -> None:
    assert orders(groups, {name: name.upper() for name in "abcd"}) == words


def test_conditions_are_named_as_shortly_as_they_differ() -> None:
    def names(*texts: str) -> list[str]:
        return condition_names([parse_condition(text) for text in texts])

    assert names("0xcpu@100%", "2xcpu@100%") == ["idle", "2xcpu"]
    assert names("0xcpu@100%", "2xcpu@100%", "2xcpu@50%") == ["idle", "2xcpu@100%", "2xcpu@50%"]
    assert names("0xcpu@100%,rate=60", "1xmem@100%,rate=60") == ["idle", "1xmem"]
    assert names("0xcpu@100%", "0xcpu@100%,rate=60") == ["idle", "idle,rate=60"]


# -- the study is asked in pieces ---------------------------------------------------------------------


class Clock:
    """Goes on only when told."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_costly_answers_come_one_by_one_and_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    board, clock = board_of(MODELS, session(MODELS, ["0xcpu@100%"], 4)), Clock()
    ids = [contender.id for contender in board.contenders]
    asked: list[float] = []

    def pair(a: str, b: str, condition: Condition, quantile: float) -> float:
        asked.append(quantile)
        clock.now_s += 0.010
        return quantile

    monkeypatch.setattr(board.study, "pair", pair)
    answers = Answers(board, clock_s=clock)

    def frame() -> list[object]:
        answers.begin()
        return [answers.pair(ids[0], ids[1], board.condition, quantile) for quantile in (50.0, 95.0)]

    assert frame() == [None, None], "nothing is worked out while a view is drawn"
    assert frame() == [50.0, None] and asked == [50.0]
    clock.now_s += 0.1
    assert frame() == [50.0, None], "after ten milliseconds the rest of half a second is the measurement's"
    clock.now_s += 0.5
    assert frame() == [50.0, 95.0]
    clock.now_s += 0.5
    assert frame() == [50.0, 95.0] and asked == [50.0, 95.0], "nothing has changed"
    board.study.version += 1
    frame()
    clock.now_s += 0.5
    frame()
    assert asked == [50.0, 95.0, 50.0]
    answers.forget()
    assert answers.pair(ids[0], ids[1], board.condition, 50.0) is None
    answers.hurried = True
    assert answers.pair(ids[0], ids[1], board.condition, 50.0) == 50.0


# -- what they are drawn with -------------------------------------------------------------------------


@given(st.lists(st.one_of(st.none(), st.integers(0, 39)), min_size=1, max_size=60))
def test_a_traced_line_goes_through_its_dots_and_has_no_gaps(heights: list[int | None]) -> None:
    dots = trace(heights)
    lit = {
        (cell_row * DOTS_DOWN + row, cell_column * DOTS_ACROSS + column)
        for (cell_row, cell_column), bits in dots.items()
        for row in range(DOTS_DOWN)
        for column in range(DOTS_ACROSS)
        if bits & ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))[row][column]
    }
    assert lit >= {(row, place) for place, row in enumerate(heights) if row is not None}
    for place, row in enumerate(heights):
        column = {each for each, at in lit if at == place}
        assert bool(column) == (row is not None)
        assert not column or max(column) - min(column) + 1 == len(column), "a run without holes"
        before = {each for each, at in lit if at == place - 1}
        assert not column or not before or min(abs(a - b) for a in column for b in before) <= 1


def test_a_canvas_is_as_wide_as_it_says_whatever_is_written() -> None:
    canvas = Canvas(10, 3)
    canvas.put(trace(straight(0, 0, 19, 11)), percentiles.DIM)
    canvas.write(0, 7, "宽宽")
    canvas.write(1, -1, "left")
    canvas.write(9, 0, "outside")
    rows = ["".join(span if isinstance(span, str) else span[0] for span in spans) for spans in canvas.spans()]
    assert rows[0].endswith("宽 ") and rows[1].startswith("eft") and len(rows) == 3


@given(st.integers(1000, 10**10), st.integers(1000, 10**10), st.integers(1, 60))
def test_an_upright_scale_holds_what_it_is_for(one: int, other: int, rows: int) -> None:
    low, high = step_below(min(one, other)), step_above(max(one, other))
    assert low <= min(one, other) and max(one, other) < high
    assert 0 <= row_of(max(one, other), low, high, rows) <= row_of(min(one, other), low, high, rows) < rows
    labels = upright_labels(low, high, rows)
    assert len(labels) == rows and any(labels)
    values = [float(label) for label in labels if label]
    assert values == sorted(values, reverse=True)


def test_views_go_round() -> None:
    assert next_view(NAMES[-1], 1) == OVERVIEW and next_view(OVERVIEW, -1) == NAMES[-1]
    assert len({view.key for view in VIEWS}) == len(VIEWS)


@pytest.mark.parametrize("depth", [Depth.SIXTEEN, Depth.NONE])
async def test_every_view_can_be_drawn_with_few_characters_and_colours(turned: list[wire.Frame], depth: Depth) -> None:
    app = make_app(turned, condition=STRESSED)
    app.wear(Looks(depth, Charset.ASCII))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        for name in NAMES:
            app.show_view(name)
            await pilot.pause()
            drawn = [plain(text, Charset.ASCII) for text in texts(app)]
            assert not any("?" in text.replace("? help", "") for text in drawn), name


# -- numbers that stand beside each other -------------------------------------------------------------


def drawn(panel: BoardPanel, width: int, height: int) -> list[str]:
    return [strip.text for strip in panel.draw(width, height)]


def hurried(board: Board) -> Answers:
    return Answers(board, hurried=True)


def with_times(board: Board, candidate: int, value_ns: int, slices: int = 12, condition: str = "0xcpu@100%") -> None:
    """Later slices of one candidate, each of the same times."""
    for seq in range(slices):
        start_ns = board.now_ns + 1_000_000_000
        name = board.contenders[candidate].id
        board.take(
            slice_frame(10_000 + seq, name, condition, [value_ns] * 25, start_ns=start_ns, round_number=900 + seq)
        )


def test_compare_is_of_the_whole_condition_whatever_the_window() -> None:
    board = board_of(MODELS, session(MODELS, ["0xcpu@100%"], 12))
    with_times(board, 0, 9_000_000, slices=20)
    whole, recent = (ComparePanel(board, View(recent_only=recent), hurried(board)) for recent in (False, True))
    assert drawn(whole, 120, 30) == drawn(recent, 120, 30)


def test_two_numbers_of_compare_do_not_run_together_where_room_is_short() -> None:
    board = board_of(MODELS)
    for candidate in (0, 1):
        with_times(board, candidate, 40_400 + candidate)
    for width in (45, 60, 75):
        row = next(text for text in drawn(ComparePanel(board, View(), hurried(board)), width, 24) if "p50" in text)
        assert row.split()[1:3] == ["0.0404", "0.0404"] and len(row.rstrip()) <= width


@pytest.mark.parametrize(
    ("slices", "width", "said"),
    [
        (4, 120, "3 of 20 rounds"),
        (4, 50, "3/20 rounds"),
        (4, 40, "3/20"),
        (25, 120, "1 of 15 beyond p99.9"),
        (0, 120, "0 of 20 rounds"),
    ],
)
def test_compare_says_how_much_is_missing_until_anything_may_be_said(slices: int, width: int, said: str) -> None:
    board = board_of(MODELS, session(MODELS, ["0xcpu@100%"], slices))
    lines = drawn(ComparePanel(board, View(), hurried(board)), width, 24)
    assert any(said in text for text in lines), lines
    assert not any("…" in text for text in lines[-6:])


@pytest.mark.parametrize(("width", "rows", "seen"), [(80, 12, 2), (45, 9, 1), (80, 24, 3)])
def test_the_timeline_says_who_is_not_seen_and_shows_them_when_selected(width: int, rows: int, seen: int) -> None:
    board = board_of(MODELS, session(MODELS, ["0xcpu@100%"], 3))
    reached = ""
    for selected, contender in enumerate(board.contenders):
        title, *lines = drawn(TimelinePanel(board, View(selected=selected)), width, rows)
        assert (" of 3 (j k)" in title) == (seen < 3), title
        assert any(contender.name[:10] in text for text in lines)
        reached += title.partition("·")[2].partition(" of")[0]
    assert reached.split() == {1: ["1", "2", "3"], 2: ["1–2", "1–2", "2–3"], 3: []}[seen]


def test_compare_says_of_a_control_and_of_one_that_failed_that_nothing_more_comes() -> None:
    models = (*MODELS[:2], "null")
    board = board_of(models, session(models, ["0xcpu@100%"], 3))
    view = View(selected=2)
    assert "null is a control: not compared" in "".join(drawn(ComparePanel(board, view, hurried(board)), 120, 30))
    view.selected = 0
    board.take(state_frame(board.contenders[0].candidate, "failed", "killed"))
    said = "".join(drawn(ComparePanel(board, view, hurried(board)), 120, 30))
    assert "does not run any more" in said and "about" not in said


@pytest.mark.parametrize("name", ["histograms", "compare", "timeline", "percentiles"])
def test_what_was_cleared_is_not_drawn_again_with_as_many_slices(name: str) -> None:
    board, view = board_of(MODELS[:2]), View()
    answers = hurried(board)
    panel = {
        "histograms": lambda: HistogramPanel(board, view),
        "compare": lambda: ComparePanel(board, view, answers),
        "timeline": lambda: TimelinePanel(board, view),
        "percentiles": lambda: percentiles.PercentilesPanel(board, view),
    }[name]()
    for value_ns in (2_000_000, 4_000_000):
        board.clear()
        with_times(board, 0, value_ns, slices=3)
        with_times(board, 1, value_ns, slices=3)
        fresh = type(panel)(board, view, answers) if isinstance(panel, ComparePanel) else type(panel)(board, view)
        assert drawn(panel, 100, 24) == drawn(fresh, 100, 24)


def test_what_is_answered_goes_when_a_model_is_another_one_or_a_recording_goes_back() -> None:
    frames = session(MODELS, ["0xcpu@100%", STRESSED], 30)
    board = board_of(MODELS, frames)
    answers, ids, stressed = (
        Answers(board, clock_s=Clock()),
        [each.id for each in board.contenders],
        parse_condition(STRESSED),
    )

    def asked() -> object:
        answers.begin()
        return answers.pair(ids[0], ids[1], stressed, 50.0)

    asked()
    assert asked() is not None
    board.take(replace(state_frame(board.contenders[0].candidate, "ready"), identity="another"))
    assert asked() is None
    answers = Answers(board, clock_s=Clock())
    asked()
    asked()
    assert answers.reversals(50.0) == []
    answers.begin()
    before = board.study.epoch
    board.become(board_of(MODELS, frames[:20]))
    assert board.study.epoch > before
    assert asked() is None


def scaled_board(models: Sequence[str], conditions: Sequence[str], share: float, slices: int = 30) -> Board:
    """As of a session of much smaller models."""
    frames = []
    for frame in session(models, conditions, slices):
        if isinstance(frame, wire.Slice):
            values = np.concatenate([np.full(n, median_ns(np.array([i]))[0] * share) for i, n in frame.service.pairs])
            places = {"start_ns": frame.start_ns, "round_number": frame.round, "place": frame.place}
            frame = slice_frame(frame.seq, frame.candidate, frame.condition, values.astype(np.int64), **places)
        frames.append(frame)
    return board_of(models, frames)


def test_no_number_of_the_matrix_is_cut_and_its_intervals_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    conditions = [f"{threads}xcpu@100%" for threads in range(5)]
    board, answers = scaled_board(MODELS, conditions, 0.02, 3), hurried(board_of(MODELS))
    monkeypatch.setattr(answers, "interval", lambda *_: (40_400, 41_500))
    whole, titles = MatrixPanel(board, View(), answers), ["idle", *(text[:4] + "u" for text in conditions[1:])]
    for width, height in [(120, 40), (100, 40), (100, 14), (45, 30)]:
        head, *lines = drawn(whole, width, height)[1:]
        for contender in board.contenders:
            row = next(text for text in lines if contender.name[:6] in text)
            shown = [title for title in titles if title in head]
            cells = [board.cell(contender, board.conditions[titles.index(title)]) for title in shown]
            expected = [f"~{ms(cell.latency.quantile_ns(99.0))}" for cell in cells if cell is not None]
            assert len(shown) >= 2 and re.findall(r"~\S+", row) == expected, row
    intervals = [text for text in drawn(whole, 120, 40) if text.count(" 0.0404–0.0415 ") == len(conditions)]
    assert len(intervals) == len(MODELS)


@pytest.mark.parametrize("kind", ["control", "failed"])
def test_who_competes_with_nobody_has_no_place(kind: str) -> None:
    models = (*MODELS[1:], "null" if kind == "control" else MODELS[0])
    board = board_of(models, session(models, ["0xcpu@100%", STRESSED], 3))
    with_times(board, 2, 100_000, slices=9, condition=STRESSED)
    if kind == "failed":
        board.take(state_frame(board.contenders[2].candidate, "failed", "killed"))
    ranks = RanksPanel(board, View(ranked_by=50.0), hurried(board)).draw(120, 24)
    places = "".join(
        segment.text for strip in ranks[1:20] for segment in strip if segment.text.strip() in ("1", "2", "3")
    )
    assert "×: none" in ranks[0].text and "3" not in places
    matrix = drawn(MatrixPanel(board, View(ranked_by=50.0), hurried(board)), 100, 24)
    assert not any(
        text.strip().startswith(f"{title}: {board.contenders[2].name}")
        for text in matrix
        for title in ("idle", "4xcpu")
    )
    row = next(text for text in matrix if board.contenders[2].name in text)
    assert not re.search(r"\d +\d ", row)


def digits_of(panel: BoardPanel) -> str:
    rows = panel.draw(120, 24)[1:20]
    return "".join(sorted(s.text for strip in rows for s in strip if s.text.strip() in ("1", "2", "3", "•")))


def test_who_is_not_claimed_to_be_slower_shares_the_place() -> None:
    board = board_of(MODELS, session(MODELS, ["0xcpu@100%"], 3))
    assert digits_of(RanksPanel(board, View(), hurried(board))) == "1" * len(MODELS)
    assert digits_of(RanksPanel(board, View(), Answers(board))) == "•" * len(MODELS), "not worked out yet"
    assert set(digits_of(RanksPanel(board, View(ranked_by=97.0), hurried(board)))) == {"•"}

    class Told(Answers):
        def groups(self, condition: Condition, quantile: float, ids: Sequence[str]) -> Groups:
            """The first is best, and nothing is claimed of the others among each other."""
            first, *others = ids
            return Groups((first,), tuple(others)) if len(ids) == len(MODELS) else Groups(tuple(ids), ())

    answers = Told(board, hurried=True)
    ids = [each.id for each in board.contenders]
    assert sorted(answers.places(board.condition, 99.0, ids).values()) == [0, *[1] * (len(MODELS) - 1)]
    assert digits_of(RanksPanel(board, View(), answers)) == "1" + "2" * (len(MODELS) - 1)


def test_a_matrix_without_places_is_not_titled_as_if_it_had_some() -> None:
    board = board_of(MODELS, session(MODELS, ["0xcpu@100%"], 3))
    assert "and place" in drawn(MatrixPanel(board, View(), hurried(board)), 45, 30)[0]
    assert "and place" not in drawn(MatrixPanel(board, View(), Answers(board)), 45, 30)[0]
    assert "and place" not in drawn(MatrixPanel(board, View(ranked_by=97.0), hurried(board)), 45, 30)[0]


def test_a_quantile_that_is_not_compared_is_said_to_be_so() -> None:
    board = board_of(MODELS, session(MODELS, ["0xcpu@100%", STRESSED], 30))
    view = View(ranked_by=97.0)
    matrix, ranks = MatrixPanel(board, view, hurried(board)), RanksPanel(board, view, hurried(board))
    for panel in (matrix, ranks):
        said = " ".join(" ".join(drawn(panel, 120, 40)).split())
        assert "p97 is not compared (p50, p90, p95, p99, p99.9 are: key p)." in said
        assert "not told apart" not in said.replace("same place: not told apart", "")
    row = next(text for text in drawn(matrix, 120, 40) if board.contenders[0].name in text)
    assert not re.search(r"\d +1 ", row)


def test_the_levels_beneath_the_ranks_stay_apart() -> None:
    threads = (0, 1, 2, 4, 8, 10, 12, 14, 16)
    board = board_of(MODELS[:2], session(MODELS[:2], [f"{each}xcpu@100%" for each in threads], 1))
    for width in (30, 44, 80):
        lines = drawn(RanksPanel(board, View(), hurried(board)), width, 14)
        labels = next(text for text in lines[1:] if "│" not in text).partition("cpu")[0].split()
        assert "16" in labels, "the present one"
        assert [label for label in labels if label != "idle"] == [
            label for label in map(str, threads) if label in labels
        ]


@pytest.mark.parametrize("free_mb", [(512.0, 512.3), (512.0, 512.0)])
def test_the_scale_of_what_has_not_changed_stands_where_its_bars_end(free_mb: tuple[float, float]) -> None:
    board = board_of(MODELS[:1])
    for seq, value in enumerate(free_mb):
        sensors = {"memory_available_mb": wire.Reading(value)}
        board.take(slice_frame(10 * seq, MODELS[0], "0xcpu@100%", [1_000_000] * 9, sensors=sensors))
    lines = drawn(DevicePanel(board, View()), 80, 60)
    at = next(place for place, text in enumerate(lines) if "since the beginning" in text)
    rows = [text for text in lines[at + 1 :] if text.strip()]
    assert [text[18:29].strip() for text in rows].count("512 MB") == 1
    (scaled_row,) = [place for place, text in enumerate(rows) if "512 MB" in text]
    filled = [any(letter in "▁▂▃▄▅▆▇█" for letter in text[29:]) for text in rows]
    assert filled.index(True) == scaled_row
