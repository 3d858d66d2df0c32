"""The live screen, fed by a script: how it looks at three sizes, and what its keys do."""

from __future__ import annotations

import base64
import gc
import os
import weakref
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from textual.containers import VerticalScroll
from textual.pilot import Pilot
from textual.widgets import Input

from latvar_tui import wire
from latvar_tui.condition import Condition
from latvar_tui.format import quantile_name
from latvar_tui.link import LinkLost
from latvar_tui.study.board import Board
from latvar_tui.study.table import QUANTILES
from latvar_tui.tui.app import LiveApp, run_screen
from latvar_tui.tui.cost import FrameCost
from latvar_tui.tui.dialogs import Fitted
from latvar_tui.tui.frame_pace import SELDOM_S, FramePace
from latvar_tui.tui.keys import KEYS
from latvar_tui.tui.looks import CONTRAST, DARK, LIGHT, Charset, Depth, Looks
from latvar_tui.tui.smallest import TooSmall
from latvar_tui.tui.status import StatusLine
from latvar_tui.tui.stress_slider import StressSlider
from latvar_tui.tui.table_panel import TablePanel
from tests import scripted_link
from tests.scripted_link import board_of, line_up, session, slice_frame
from tests.session_files import recorder_of

MODELS = ("squeezenet1_1", "mobilenet_v3_large", "shufflenet_v2_x1_0")
SIZES = [(120, 40), (80, 24), (45, 30)]
IDS = [f"{width}x{height}" for width, height in SIZES]


def _close(descriptors: Sequence[int]) -> None:
    for fd in descriptors:
        os.close(fd)


class ScriptedLink:
    """Delivers the frames it was given, then (if ``lost``) the end; keeps what was sent."""

    def __init__(self, frames: Sequence[wire.Frame], lost: str = "") -> None:
        self.log: deque[str] = deque(["a line of the probe"])
        self.sent: list[wire.Command] = []
        self._frames, self._lost = list(frames), lost
        self._pipes = [os.pipe(), os.pipe()]
        # Not every test leaves as a user does, and a process may hold a thousand descriptors.
        self.close = weakref.finalize(self, _close, [fd for ends in self._pipes for fd in ends])
        os.write(self._pipes[0][1], b"x")

    @property
    def descriptors(self) -> tuple[int, int]:
        return self._pipes[0][0], self._pipes[1][0]

    def deliver(self, *frames: wire.Frame) -> None:
        self._frames += frames
        os.write(self._pipes[0][1], b"x")

    def receive(self) -> list[wire.Frame]:
        os.read(self._pipes[0][0], 100)
        frames, self._frames = self._frames, []
        if not frames:
            raise LinkLost(self._lost)
        if self._lost:
            os.write(self._pipes[0][1], b"x")
        return frames

    def read_log(self) -> bool:
        return True

    def send(self, command: wire.Command) -> None:
        self.sent.append(command)

    def conditions(self) -> list[str]:
        return [command.condition for command in self.sent if isinstance(command, wire.SetCondition)]


class NoCost(FrameCost):
    """The same words whatever the machine takes."""

    def __init__(self) -> None:
        super().__init__(lambda: 0)
        self.text = "self  4.2 ms  0.5 KB a frame"

    def frame(self) -> None:
        pass


def make_app(
    frames: Sequence[wire.Frame],
    models: Sequence[str] = MODELS,
    lost: str = "",
    condition: str = "0xcpu@100%",
    **options: Any,
) -> LiveApp:
    link = ScriptedLink(frames, lost)
    app = LiveApp(
        link,
        lambda candidates, condition: ScriptedLink(frames),
        line_up(models),
        Condition(int(condition.partition("x")[0])),
        maximum=4,
        cores=scripted_link.CORES,
        cost=NoCost(),
        **options,
    )
    app.clock_s = lambda: 0.0  # else a slow machine would see the next note
    app.answers.hurried = True  # nor the next answer
    app.test_link = link  # type: ignore[attr-defined]
    return app


def sent(app: LiveApp) -> ScriptedLink:
    link = app.test_link  # type: ignore[attr-defined]
    assert isinstance(link, ScriptedLink)
    return link


async def settled(pilot: Pilot[Any]) -> None:
    """Until what was delivered has been drawn and answered."""
    app = pilot.app
    assert isinstance(app, LiveApp)
    while not any(isinstance(command, wire.Go) and command.seq for command in sent(app).sent):
        if app.board.notes and app.board.notes[-1].startswith("The probe"):
            break
        await pilot.pause()
    await pilot.pause()


def then(*keys: str) -> Callable[[Pilot[Any]], Awaitable[None]]:
    async def run(pilot: Pilot[Any]) -> None:
        await settled(pilot)
        for key in keys:
            await pilot.press(key)
        await pilot.pause()

    return run


IDLE = session(MODELS, ["0xcpu@100%"])
UNDER_STRESS = session(MODELS, ["0xcpu@100%", "2xcpu@100%"], slices_per_cell=30)
FIRST_SLICES = session(MODELS, ["0xcpu@100%"], slices_per_cell=1)


def with_failure() -> list[wire.Frame]:
    frames = [f for f in IDLE if not (isinstance(f, wire.Slice) and f.candidate.startswith("mobilenet"))]
    reason = "killed: by somebody, or for want of memory"
    frames.insert(8, scripted_link.state_frame(MODELS[1], "failed", reason))
    return frames


def with_circumstances() -> list[wire.Frame]:
    """Under stress, with what a platform may count, and marks and keys now and then."""
    frames: list[wire.Frame] = []
    for frame in UNDER_STRESS:
        if isinstance(frame, wire.Slice):
            counted = {"involuntary_switches": 41.0, "migrations": 3.0, "others_cpu_ns": 12e6}
            counters = {name: wire.Reading(value) for name, value in counted.items()}
            counters["pool_wait_ns"] = wire.Reading(reason="this platform counts no thread's wait")
            marks = ["others"] if frame.seq % 3 == 0 else []
            frame = replace(frame, counters=counters, marks=marks, disturbed=int(frame.seq % 7 == 0))
        frames.append(frame)
    return frames


EIGHT = tuple(f"squeezenet1_1@as=candidate-{letter}-with-a-long-name" for letter in "ABCDEFGH")
EIGHT_SESSION = session(EIGHT, ["0xcpu@100%", "3xcpu@100%"], 4)
SCENES: dict[str, tuple[Callable[[], LiveApp], tuple[str, ...]]] = {
    "loading": (lambda: make_app(IDLE[:3], lost=""), ()),
    "idle": (lambda: make_app(IDLE), ()),
    "first_slices": (lambda: make_app(FIRST_SLICES), ()),
    "under_stress": (lambda: make_app(UNDER_STRESS, condition="2xcpu@100%"), ()),
    "base_kept": (lambda: make_app(UNDER_STRESS, condition="2xcpu@100%"), ("b", "down", "p")),
    "failed_row": (lambda: make_app(with_failure()), ()),
    "probe_lost": (lambda: make_app(IDLE, lost="The probe was ended by SIGKILL: what it measured is kept."), ()),
    "eight": (lambda: make_app(EIGHT_SESSION, EIGHT, condition="3xcpu@100%"), ("j", "j", "j")),
    "help": (lambda: make_app(IDLE), ("question_mark",)),
    "device": (lambda: make_app(IDLE), ("i",)),
    "deadline": (lambda: make_app(UNDER_STRESS, condition="2xcpu@100%", deadline_ns=4_000_000), ()),
    "detail": (lambda: make_app(IDLE), ("j", "enter")),
    "detail_under_stress": (lambda: make_app(UNDER_STRESS, condition="2xcpu@100%"), ("enter", "end")),
    "outliers": (lambda: make_app(with_circumstances(), condition="2xcpu@100%"), ("o",)),
    "alone": (lambda: make_app(IDLE), ("j", "a")),
    "linear": (lambda: make_app(UNDER_STRESS, condition="2xcpu@100%"), ("l",)),
    "picker": (lambda: make_app(IDLE), ("m",)),
    "picker_found": (lambda: make_app(with_failure()), ("m", *"mob@int8", "tab", "right")),
    "picker_refuses": (lambda: make_app(IDLE), ("m", *"@threads=0")),
}  # fmt: skip


@pytest.fixture(autouse=True)
def plain_terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Pictures do not depend on who runs the tests."""
    for name in ("NO_COLOR", "TEXTUAL_THEME", "TEXTUAL_COLOR_SYSTEM", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    yield


@pytest.mark.parametrize("size", SIZES, ids=IDS)
@pytest.mark.parametrize("scene", SCENES)
def test_looks(snap_compare: Any, scene: str, size: tuple[int, int]) -> None:
    make, keys = SCENES[scene]
    run = then(*keys) if scene != "loading" else None
    assert snap_compare(make(), terminal_size=size, run_before=run)


LOOKS = {
    "light": Looks(theme=LIGHT),
    "contrast": Looks(theme=CONTRAST),
    "sixteen": Looks(Depth.SIXTEEN, theme=DARK),
    "console": Looks(Depth.SIXTEEN, Charset.CONSOLE, LIGHT),
    "no_colour": Looks(Depth.NONE, theme=DARK),
    "ascii": Looks(Depth.NONE, Charset.ASCII, DARK),
}


@pytest.mark.parametrize("size", [SIZES[0], SIZES[2]], ids=[IDS[0], IDS[2]])
@pytest.mark.parametrize("looks", LOOKS)
def test_wears(snap_compare: Any, looks: str, size: tuple[int, int]) -> None:
    app = make_app(UNDER_STRESS, condition="2xcpu@100%")
    app.wear(LOOKS[looks])
    assert snap_compare(app, terminal_size=size, run_before=then("b", "down"))


@pytest.mark.parametrize(("scene", "size"), [("under_stress", (40, 15)), ("help", (40, 15)), ("idle", (39, 15))])
def test_fits_the_smallest_screen(snap_compare: Any, scene: str, size: tuple[int, int]) -> None:
    make, keys = SCENES[scene]
    assert snap_compare(make(), terminal_size=size, run_before=then(*keys))


async def test_a_frame_is_answered_once_it_is_drawn() -> None:
    app = make_app(FIRST_SLICES)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        answers = [command.seq for command in sent(app).sent if isinstance(command, wire.Go)]
        assert answers == [0, len(MODELS)]


async def test_the_slider_moves_the_condition_wherever_the_focus_is() -> None:
    app = make_app(FIRST_SLICES)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("right", "plus", "left", "minus", "minus", "4", "9", "left_square_bracket", "0")
        assert sent(app).conditions() == [
            "1xcpu@100%", "2xcpu@100%", "1xcpu@100%", "0xcpu@100%", "4xcpu@100%", "4xcpu@90%", "0xcpu@100%",
        ]  # fmt: skip
        assert app.query_one(StressSlider).value == 0
        await pilot.press("1")
        assert sent(app).conditions()[-1] == "1xcpu@90%"


async def test_a_click_on_the_slider_moves_it() -> None:
    app = make_app(FIRST_SLICES)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        slider = app.query_one(StressSlider)
        x = next(x for x in range(slider.size.width) if slider.value_at(x) == 3)
        await pilot.click(StressSlider, offset=(x + slider.gutter.left, 0))
        await pilot.pause()
        assert sent(app).conditions() == ["3xcpu@100%"]


async def test_a_key_in_a_slice_is_announced_to_the_probe() -> None:
    app = make_app(FIRST_SLICES)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        sent(app).sent.clear()
        await pilot.press("j")
        await pilot.pause()
        marks = [c for c in sent(app).sent if isinstance(c, wire.Busy | wire.Quiet)]
        assert [type(mark) for mark in marks] == [wire.Busy, wire.Quiet]
        assert marks[0].at_ns <= marks[1].at_ns


async def test_a_frozen_picture_goes_on_measuring() -> None:
    app = make_app(FIRST_SLICES)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("space")
        before = [str(strip) for strip in app.query_one("#table").lines]  # type: ignore[attr-defined]
        more = [frame for frame in session(MODELS, ["0xcpu@100%"], 2, seed=5) if isinstance(frame, wire.Slice)]
        sent(app).sent.clear()
        sent(app).deliver(*more)
        await settled(pilot)
        assert [str(strip) for strip in app.query_one("#table").lines] == before  # type: ignore[attr-defined]
        await pilot.press("space")
        assert [str(strip) for strip in app.query_one("#table").lines] != before  # type: ignore[attr-defined]


async def test_a_frame_that_is_spared_lets_the_probe_go_on_and_is_in_the_next_one() -> None:
    app = make_app(FIRST_SLICES)
    now_s = [100.0]
    app.pace = FramePace(sparing=True, clock_s=lambda: now_s[0])
    for _ in range(6):  # in each of the gaps before measuring stood still for a tenth of a second
        app.pace.measured(0.25, 0.1)
    app.pace.drawn()
    app.pace.left()
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        table = app.query_one("#table")
        before = [str(strip) for strip in table.lines]  # type: ignore[attr-defined]
        more = [frame for frame in session(MODELS, ["0xcpu@100%"], 2, seed=5) if isinstance(frame, wire.Slice)]
        for frames, is_drawn in ((more[:1], False), (more[1:2], True)):
            sent(app).sent.clear()
            sent(app).deliver(*frames)
            await settled(pilot)
            assert ([str(strip) for strip in table.lines] != before) is is_drawn  # type: ignore[attr-defined]
            now_s[0] += SELDOM_S
        assert app.pace.skipped == 1


def test_the_screen_spares_frames_and_a_recording_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LiveApp, "run", lambda self: 0)
    monkeypatch.setattr("gc.freeze", lambda: None)  # this process goes on
    app, replay = make_app(()), make_app(())
    replay.in_replay = True
    for one in (app, replay):
        run_screen(one, Looks(theme=DARK))
    assert app.pace.sparing and not replay.pace.sparing


async def test_what_is_said_of_a_frozen_picture_holds_when_a_key_draws_it_anew() -> None:
    app = make_app(FIRST_SLICES)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("space", "j")
        assert "frozen until a key" in app.banner()[0]


async def test_a_key_says_where_what_it_does_is_seen() -> None:
    app = make_app(session(MODELS[:1], ["0xcpu@100%"], 1), MODELS[:1])
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        for keys, said in ((("l",), "Linear axis, "), (("C", "l"), "Logarithmic axis in the Overview (O).")):
            await pilot.press(*keys)
            assert app.banner()[0].startswith(said)
        await pilot.press("v")
        assert "no other candidate" in app.banner()[0]
        await pilot.press("w")
        assert app.banner()[0].startswith("The last 10 s: in the table, the curves")


async def test_counts_are_cleared_by_a_second_press_only(tmp_path: Path) -> None:
    recorder = recorder_of(tmp_path / "a", MODELS)
    for kept, asked, said in (
        (None, "c again clears all counts, of every condition.", "Counts cleared."),
        (recorder, "c again clears all counts here; the session keeps them.", "Counts cleared here; the session keeps"),
    ):
        now_s, app = 0.0, make_app(IDLE, recorder=kept)
        app.clock_s = lambda: now_s  # noqa: B023
        async with app.run_test(size=(80, 24)) as pilot:
            await settled(pilot)
            await pilot.press("c")
            assert app.banner()[0] == asked and any(app.board.cells())
            await pilot.press("down", "c")  # another key ends that
            assert app.banner()[0] == asked and any(app.board.cells())
            now_s += 60.0  # and so does time
            await pilot.press("c")
            assert app.banner()[0] == asked and any(app.board.cells())
            await pilot.press("c")
            assert app.banner()[0].startswith(said) and not any(app.board.cells())
            await pilot.press("space", "c")
            assert app.banner()[0] == asked, "a frozen picture does not hide it"
    recorder.close("done")


def test_ungated_is_told_of_as_many_slices_as_there_are() -> None:
    frames = [
        replace(frame, notes=["ungated"]) if isinstance(frame, wire.Slice) else frame
        for frame in session(MODELS, ["0xcpu@100%"], 2)
    ]
    board = board_of(MODELS, frames)
    assert (board.ungated, board.latest) == (6, 6)


async def test_other_programs_are_told_of_before_what_is_less_telling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Board, "others_cores", 1.51)
    frames = [
        replace(frame, notes=["ungated"]) if isinstance(frame, wire.Slice) else frame
        for frame in session(MODELS, ["0xcpu@100%"], 2)
    ]
    app = make_app(frames)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        (status,) = app.query_one(StatusLine).lines
        assert "others 1.51 cores │ ungated" in status.text


@pytest.mark.parametrize("quantile", QUANTILES)
async def test_what_is_ranked_by_is_among_the_columns_however_few(quantile: float) -> None:
    models = [f"{name}@as=a-name-that-takes-room-{name}" for name in MODELS]
    app = make_app(session(models, ["0xcpu@100%"], 3), models, ranked_by=quantile)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        for width in (80, 45, 40):
            head = app.query_one(TablePanel).draw(width, 4)[0].text
            assert quantile_name(quantile) in head.split("ms")[-1].split(), head


async def test_what_stands_instead_of_the_present_table_is_titled_so() -> None:
    app = make_app(UNDER_STRESS, condition="2xcpu@100%")
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        table = app.query_one(TablePanel)
        await pilot.press("less_than_sign")
        assert table.lines[0].text.startswith(" not now: idle, ms")
        assert app.banner()[0] == "idle instead of 2xcpu@100%: > leads back."
        await pilot.press("greater_than_sign")
        assert table.lines[0].text.startswith(" now: 2xcpu") and "present condition, 2xcpu" in app.banner()[0]
        await pilot.resize_terminal(120, 40)
        await pilot.press("less_than_sign")
        assert any(strip.text.startswith(" beside: idle") for strip in table.lines)
        assert app.banner()[0].startswith("Beside the present")


async def press_every_key(pilot: Pilot[Any]) -> None:
    """But those that leave; esc closes what a key opens."""
    for key in KEYS:
        if key.action in ("leave", "hold"):
            continue
        await pilot.press(*key.keys.split(","))
        await pilot.press("escape")
        assert len(pilot.app.screen_stack) == 1, key
    assert pilot.app.is_running


async def test_every_key_does_something_and_breaks_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # one of them saves a picture
    app = make_app(UNDER_STRESS, condition="2xcpu@100%")
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await press_every_key(pilot)


@pytest.mark.parametrize(("key", "status"), [("q", 0), ("ctrl+c", 130)])
async def test_leaving(key: str, status: int) -> None:
    app = make_app(IDLE)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press(key)
    assert app.return_value == status


async def test_a_refused_model_ends_the_screen() -> None:
    app = make_app([scripted_link.hello(), scripted_link.state_frame(MODELS[0], "refused", "It is no model.")])
    async with app.run_test(size=(80, 24)) as pilot:
        while app.is_running and not app.message:
            await pilot.pause()
    assert (app.return_value, app.message) == (2, "It is no model.")


async def test_a_lost_probe_starts_again_on_enter() -> None:
    app = make_app(FIRST_SLICES, lost="The probe was ended by SIGKILL.")
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        total = sum(cell.service.total for _, _, cell in app.board.cells())
        await pilot.press("enter")
        while sum(cell.service.total for _, _, cell in app.board.cells()) != 2 * total:
            await pilot.pause()


async def test_resizing_loses_nothing() -> None:
    app = make_app(UNDER_STRESS, condition="2xcpu@100%")
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        total = sum(cell.service.total for _, _, cell in app.board.cells())
        for size in [(45, 30), (10, 5), (300, 80), (120, 40)]:
            await pilot.resize_terminal(*size)
            await pilot.pause()
        assert sum(cell.service.total for _, _, cell in app.board.cells()) == total


FORTY = tuple(f"/models/模型-{number:02}-with-a-long-name.onnx" for number in range(40))


@pytest.mark.parametrize("size", [*SIZES, (40, 15)])
async def test_forty_candidates_of_wide_and_long_names_keep_their_columns(size: tuple[int, int]) -> None:
    app = make_app(session(FORTY, ["0xcpu@100%"], 1), FORTY)
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        await pilot.press("k", "k")
        head, *rows = app.query_one(TablePanel).lines
        at = cell_len(head.text[: head.text.index("p99") + 3])
        for row in rows:
            assert row.cell_length <= size[0]
            assert row.crop(at - 1, at).text.isdecimal() and row.crop(at, at + 1).text in ("", " ")
        assert any("模型-38" in row.text or "38" in row.text for row in rows), "the selected one is there"


async def test_a_key_of_the_screen_closes_a_box_and_acts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    app = make_app(IDLE)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        for box in ("question_mark", "i", "o"):
            await pilot.press(box, "j", "down")
            assert len(app.screen_stack) == 2
            await pilot.press("2")
            assert len(app.screen_stack) == 1 and app.wanted.stress_threads == 2
            await pilot.press("0")
        await pilot.press("question_mark", "M")
        assert len(app.screen_stack) == 1 and app.view.shown == "matrix"


async def test_the_prompt_of_the_picker_is_whole_on_a_small_screen() -> None:
    app = make_app(IDLE)
    async with app.run_test(size=(40, 15)) as pilot:
        await settled(pilot)
        await pilot.press("m")
        field = app.screen.query_one(Input)
        assert len(field.placeholder) <= field.content_size.width


async def test_a_dialog_outlives_a_screen_of_no_width() -> None:
    app = make_app(FIRST_SLICES)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("question_mark")
        for size in [(4, 5), (1, 1), (80, 24)]:
            await pilot.resize_terminal(*size)
            await pilot.pause()
        assert app.is_running and "this help" in str(app.screen.query_one(Fitted).content)


async def test_keys_work_on_a_screen_that_is_too_small() -> None:
    app = make_app(UNDER_STRESS, condition="2xcpu@100%")
    async with app.run_test(size=(20, 5)) as pilot:
        await settled(pilot)
        cover = app.query_one(TooSmall)
        assert cover.display and "40×15" in "".join(strip.text for strip in cover.lines)
        await pilot.press("right")
        assert sent(app).conditions() == ["3xcpu@100%"]
        await pilot.resize_terminal(40, 15)
        await pilot.pause()
        assert not cover.display
        await pilot.press("q")
    assert app.return_value == 0


async def test_the_slider_follows_a_drag() -> None:
    app = make_app(FIRST_SLICES)
    async with app.run_test(size=(40, 15)) as pilot:
        await settled(pilot)
        slider = app.query_one(StressSlider)
        places = {slider.value_at(x): x + slider.gutter.left for x in range(slider.size.width)}
        await pilot.mouse_down(StressSlider, offset=(places[1], 0))
        for value in (2, 4, 3):
            await pilot.hover(StressSlider, offset=(places[value], 0))
        await pilot.mouse_up(StressSlider, offset=(places[3], 0))
        await pilot.hover(StressSlider, offset=(places[0], 0))
        await pilot.pause()
        assert sent(app).conditions() == [f"{threads}xcpu@100%" for threads in (1, 2, 4, 3)]


async def test_the_first_hint_goes_once_and_for_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    for first in (True, False):
        app = make_app(FIRST_SLICES)
        app.hint()
        async with app.run_test(size=(120, 40)) as pilot:
            await settled(pilot)
            assert ("first time" in app.banner()[0]) == first
            await pilot.press("j", "right")
            assert "first time" not in app.banner()[0]


async def test_help_scrolls_by_the_keys_that_select() -> None:
    app = make_app(IDLE)
    async with app.run_test(size=(40, 15)) as pilot:
        await settled(pilot)
        await pilot.press("question_mark", "j", "j", "k", "down")
        assert app.screen.query_one(VerticalScroll).scroll_offset.y == 2
        await pilot.press("q")
        assert len(app.screen_stack) == 1 and app.is_running


async def test_a_copy_is_what_the_table_says(monkeypatch: pytest.MonkeyPatch) -> None:
    app = make_app(UNDER_STRESS, condition="2xcpu@100%")
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        written: list[str] = []
        assert app._driver is not None
        monkeypatch.setattr(app._driver, "write", written.append)
        await pilot.press("y")
        (code,) = [text for text in written if text.startswith("\x1b]52;c;")]
        head, *rows = base64.b64decode(code[7:-1]).decode().splitlines()
        assert [row.split("\t")[:2] for row in rows] == [
            [model, condition] for condition in ("2xcpu@100%", "0xcpu@100%") for model in MODELS
        ]
        p99_ms = float(rows[0].split("\t")[head.split("\t").index("p99_ms")])
        shown = next(line for line in app.query_one(TablePanel).lines if "squeezenet" in line.text).text.split()
        assert f"{p99_ms:.2f}" in shown


async def test_stress_ends_when_nobody_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("latvar_tui.tui.app.DEAD_MAN_S", -1.0)
    app = make_app(UNDER_STRESS, condition="2xcpu@100%")
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert sent(app).conditions() == ["0xcpu@100%"]
        assert "ten minutes" in app.board.notes[-1]


async def test_the_table_beside_goes_with_the_idle_times_that_it_compares_with() -> None:
    """Back at idle its rows hold still, but for what they are a multiple of."""
    app = make_app(session(MODELS, ["2xcpu@100%", "0xcpu@100%"], 3), condition="2xcpu@100%")
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        before = beside_of(app)
        for seq, contender in enumerate(app.board.contenders, 1000):
            start_ns = scripted_link.BEGIN_NS + seq * 10**9
            sent(app).deliver(slice_frame(seq, contender.id, "0xcpu@100%", [9_000_000] * 25, start_ns=start_ns))
        while app.board.now_ns < start_ns:
            await pilot.pause()
        app.draw()  # the last of several that come at once may be left out, for the next one
        beside = app.view.beside(app.board)
        assert beside is not None and not beside.is_idle
        fresh = TablePanel(app.board, app.view)._table(beside, 120, None)
        assert beside_of(app) == [strip.text for strip in fresh] != before


async def test_a_table_holds_on_to_nothing_that_was_cleared() -> None:
    app = make_app(UNDER_STRESS, condition="2xcpu@100%")
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        held = weakref.ref(app.board.cell(app.board.contenders[0], app.board.condition).latency)  # type: ignore[union-attr]
        app.draw()
        assert held() is not None
        await pilot.press("c", "c")
        await pilot.pause()
        app.draw()
        gc.collect()
        assert held() is None


def beside_of(app: LiveApp) -> list[str]:
    panel = app.query_one(TablePanel)
    return [strip.text for strip in panel.lines][panel.one_table_rows :]
