"""The session in one line: what is kept of it, and how it looks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from latvar_tui import wire
from latvar_tui.condition import parse_condition
from latvar_tui.study.timeline import MARK, MOST_MOMENTS, Timeline
from latvar_tui.summary import summary
from latvar_tui.tui.dialogs import device_dialog
from latvar_tui.tui.timeline import LETTERS, TimelineLine
from tests.scripted_link import BEGIN_NS, DEVICE, MS, board_of, hello, session, slice_frame
from tests.test_screen import MODELS, make_app, settled

IDLE, STRESS = "0xcpu@100%", "2xcpu@100%"


def frame(at_s: float, condition: str = IDLE, marks: Sequence[str] = ()) -> wire.Slice:
    end_ns = BEGIN_NS + round(at_s * 1e9)
    return slice_frame(1, "a", condition, [MS], start_ns=end_ns - 10 * MS, end_ns=end_ns, marks=list(marks))


def timeline_of(*frames: wire.Slice) -> Timeline:
    timeline = Timeline()
    for one in frames:
        timeline.add(one, parse_condition(one.condition))
    return timeline


def columns_of(timeline: Timeline, columns: int = 100) -> list[tuple[int, set[str]]]:
    return [(moment.stress_threads, moment.marks) for moment in timeline.fitting(columns)[1]]


def test_every_second_has_its_marks_and_its_stress() -> None:
    timeline = timeline_of(
        frame(0.0), frame(0.3, marks=["others"]), frame(0.6, marks=["steal"]), frame(1.2), frame(4.1, STRESS)
    )
    assert columns_of(timeline) == [(0, {"others", "steal"}), (0, set()), (0, set()), (0, set()), (2, set())]


@given(st.lists(st.integers(0, 4_000_000), min_size=1, max_size=80), st.integers(1, 200))
def test_whatever_the_room_no_mark_is_lost(times_ms: list[int], room: int) -> None:
    timeline = timeline_of(frame(0.0), *(frame(at_ms / 1000, marks=["clock"]) for at_ms in sorted(times_ms)))
    seconds, moments = timeline.fitting(room)
    assert len(moments) <= room and len(timeline.moments) <= MOST_MOMENTS
    marked = {at_ms // (1000 * seconds) for at_ms in times_ms}
    assert {which for which, moment in enumerate(moments) if moment.marks} == marked


def test_another_clock_begins_anew() -> None:
    timeline = timeline_of(frame(100.0, marks=["clock"]), frame(3.0, STRESS))
    assert columns_of(timeline) == [(2, set())]


# -- on the screen ----------------------------------------------------------------------------------


def with_marks(marks: Sequence[str], condition: str = IDLE, every: int = 9) -> list[wire.Frame]:
    frames = session(MODELS, [condition], 12)
    return [
        replace(one, marks=list(marks)) if isinstance(one, wire.Slice) and one.seq % every == 0 else one
        for one in frames
    ]


async def test_a_letter_where_something_disturbed_and_its_meaning_beside_it() -> None:
    app = make_app(with_marks(["others", "throttled"]))
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        text = "".join(segment.text for segment in app.query_one(TimelineLine).lines[0])
        assert text.startswith(" 1 s a dot ")
        assert "T" in text[11:20] and "O" not in text[11:20]  # the first of two in one second
        assert text.rstrip().endswith("T throttled, O others")


async def test_a_change_of_stress_is_a_digit() -> None:
    app = make_app(session(MODELS, [IDLE, STRESS], 12), condition=STRESS)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        text = "".join(segment.text for segment in app.query_one(TimelineLine).lines[0])
        assert text[11:].strip("· ") == "2"


async def test_a_small_screen_has_no_room_for_it() -> None:
    app = make_app(with_marks(["others"]))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert not app.query_one(TimelineLine).display
        await pilot.resize_terminal(80, 32)
        while not app.query_one(TimelineLine).lines:
            await pilot.pause()
        assert app.query_one(TimelineLine).display


async def test_what_others_take_stands_in_the_status_line_when_there_is_any() -> None:
    for cores, shown in ((0.4, True), (0.01, False), (None, False)):
        frames = []
        for one in session(MODELS, [IDLE], 8):
            if isinstance(one, wire.Slice):
                reading = wire.Reading(reason="hidden")
                if cores is not None:
                    reading = wire.Reading(cores * (one.end_ns - one.start_ns))
                one = replace(one, counters={"others_cpu_ns": reading})
            frames.append(one)
        app = make_app(frames)
        async with app.run_test(size=(120, 40)) as pilot:
            await settled(pilot)
            text = "".join(segment.text for segment in app.query_one("#status").lines[0])  # type: ignore[attr-defined]
            assert ("others 0.40 cores" in text) == shown
            assert ("others" in text) == shown


def test_every_mark_has_a_letter_of_its_own() -> None:
    from latvar_tui.device.disturbances import DETECTORS

    assert {kind.mark for kind in DETECTORS} | {MARK} == set(LETTERS)  # and the user's own
    assert len({letter for letter, _ in LETTERS.values()}) == len(LETTERS)


# -- elsewhere --------------------------------------------------------------------------------------


def test_marked_slices_are_counted_and_count() -> None:
    board = board_of(["a"], [frame(0, marks=["others"]), frame(1, marks=["others", "clock"]), frame(2)])
    (cell,) = summary(board)["cells"]
    assert cell["marks"] == {"others": 2, "clock": 1}
    assert cell["n"] == 3


def test_clearing_clears_the_line() -> None:
    board = board_of(["a"], [frame(0, marks=["others"])])
    board.clear()
    assert not board.timeline.moments


def test_the_dialog_tells_what_is_watched_and_what_is_not() -> None:
    told = replace(hello(), device={**DEVICE, "watched": ["sleep"], "not_watched": {"heat": "no thermal zone"}})
    text = "\n".join(device_dialog(board_of(["a"], [told]), [])._lines_at(1000))
    assert "watched for  sleep" in text
    assert "not here  heat: no thermal zone" in text
    assert "not_watched" not in text
