"""A sweep from beginning to end, with a probe by hand: what it measures, what it finds, and what it must not."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from latvar_tui import headless, wire
from latvar_tui.candidate import UsageError
from latvar_tui.condition import Condition, parse_condition
from latvar_tui.continued import Continued, ContinuedLink
from latvar_tui.paper_table import grid_of, lines
from latvar_tui.session.reader import Session
from latvar_tui.session.recorder import NotRecording, Recorder, SessionRecorder
from latvar_tui.study.board import Board
from latvar_tui.study.plan import FLOOR_ROUNDS, SETTLED, Goal, Plan
from latvar_tui.summary import summary
from latvar_tui.sweeping import Sweep
from tests.scripted_link import BEGIN_NS, board_of, hello, line_up
from tests.scripted_probe import ScriptedProbe, Silent, Times, all_alike, in_order, reversing
from tests.session_files import recorded, some_frames

NAMES = ["squeezenet1_1", "mobilenet_v2", "resnet18"]
LEVELS = [Condition(0), Condition(2)]
IDS = [str(candidate) for candidate in line_up(NAMES)]


Swept = tuple[Board, Sweep, ScriptedProbe]


def swept(
    times: Times,
    budget_s: float = 400.0,
    *,
    until_settled: bool = True,
    recorder: Recorder | None = None,
    seed: int = 3,
    dies: tuple[str, int] | None = None,
    names: Sequence[str] = NAMES,
) -> Swept:
    board = board_of(names)
    course = Sweep(board, Plan(LEVELS, Goal(budget_s, until_settled), seed))
    probe = ScriptedProbe(names, times, seed, dies=dies)
    headless.measure(probe, board, course, Silent(), recorder or NotRecording())
    return board, course, probe


@pytest.fixture(scope="module")
def turned() -> Swept:
    """One in which two of three change places, not to be changed."""
    return swept(reversing)


def taken(board: Board) -> dict[tuple[str, str], int]:
    return {(contender.id, str(condition)): cell.slices for contender, condition, cell in board.cells()}


def test_a_reversal_is_found_and_the_sweep_ends_when_all_is_settled(turned: Swept) -> None:
    board, course, _ = turned
    assert course.block is None and course.seen.elapsed_s < 200
    found = board.study.reversals([50.0, 95.0])
    assert {(one.a, one.b, one.before, one.after) for one in found} == {(IDS[0], IDS[1], *LEVELS)}
    assert {one.quantile for one in found} == {50.0, 95.0}
    for one in found:
        assert one.ratio_before.value == pytest.approx(1.2, abs=0.08)
        assert one.ratio_after.value == pytest.approx(0.8, abs=0.08)


def test_what_is_settled_when_it_begins_is_not_measured_again() -> None:
    board, _, _ = swept(reversing)
    assert Sweep(board, Plan(LEVELS, Goal(400.0), 4), math.inf).block is None


def test_one_that_has_failed_keeps_nothing_open() -> None:
    board, course, _ = swept(in_order, dies=(IDS[2], 38))
    assert board.contenders[2].state == "failed" and course.block is None
    grid = grid_of(board)
    assert list(grid.rows) == IDS and list(grid.rivals) == IDS[:2]
    assert all(cell["settled"] for cell in summary(board, ranked_by=50.0)["cells"] if cell["candidate"] != IDS[2])
    told = lines(grid, (50.0,))
    assert "1 pair against idle in 1 column: 1 same order" in told
    failed = next(line for line in told if line.startswith("resnet18"))
    assert not re.search(r"\d\?", failed)


def test_the_same_order_everywhere_is_no_reversal() -> None:
    board, course, _ = swept(in_order)
    assert course.block is None
    assert board.study.reversals([50.0, 95.0]) == []
    orders = [board.study.order(a, b, 50.0, *LEVELS)[0] for a, b in itertools.combinations(IDS, 2)]
    assert orders == ["same order"] * 3


@pytest.mark.parametrize("seed", range(5))
def test_of_those_that_are_alike_nothing_is_claimed(seed: int) -> None:
    board, _, _ = swept(all_alike, 60.0, seed=seed)
    assert board.study.reversals([50.0, 95.0]) == []


def test_rounds_are_whole_and_of_those_that_the_plan_names() -> None:
    class Telling(Silent):
        def __init__(self) -> None:
            self.rounds: dict[int, list[tuple[str, str]]] = {}

        def sliced(self, board: Board, frame: wire.Slice, elapsed_s: float) -> None:
            self.rounds.setdefault(frame.round, []).append((frame.candidate, frame.condition))

    board, reporter = board_of(NAMES), Telling()
    course = Sweep(board, Plan(LEVELS, Goal(400.0), 3))
    asked: list[tuple[Condition, tuple[str, ...]]] = []
    inner = course.plan.next

    def remembering(seen: object) -> object:
        block = inner(seen)  # type: ignore[arg-type]
        asked.extend([(block.condition, block.candidates)] * block.rounds if block else [])
        return block

    course.plan.next = remembering  # type: ignore[method-assign, assignment]
    assert course.block is not None
    asked = [(course.block.condition, course.block.candidates)] * course.block.rounds
    headless.measure(ScriptedProbe(NAMES, reversing), board, course, reporter, NotRecording())
    measured = [
        ({parse_condition(condition) for _, condition in there}, {name for name, _ in there}, len(there))
        for there in reporter.rounds.values()
    ]
    assert measured == [({condition}, set(names), len(names)) for condition, names in asked]


def test_commands_come_before_the_go_that_begins_the_next_round(turned: Swept) -> None:
    """Else the probe would have begun another slice, and would have to cut it."""
    _, _, probe = turned
    kinds = [type(command) for command in probe.said]
    for place, kind in enumerate(kinds):
        if kind is wire.Only and place > 6:
            assert kinds[place - 1 : place + 2] == [wire.SetCondition, wire.Only, wire.Go]


def test_until_a_duration_it_takes_that_long() -> None:
    _, course, _ = swept(reversing, 90.0, until_settled=False)
    assert 85 < course.seen.elapsed_s <= 91


def test_loading_counts_against_the_budget() -> None:
    _, course, _ = swept(all_alike, 20.0)
    assert 18 < course.seen.elapsed_s <= 20.5  # of which one second was loading


def test_one_that_dies_in_the_middle_of_a_round_does_not_hold_the_others_up() -> None:
    board, course, _ = swept(reversing, dies=(IDS[2], 40))
    assert course.block is None
    assert board.study.reversals([50.0]) and all(taken(board)[name, "2xcpu@100%"] >= FLOOR_ROUNDS for name in IDS[:2])


def test_a_control_is_measured_and_compared_with_nobody() -> None:
    board, course, _ = swept(in_order, names=[*NAMES[:2], "null"])
    assert course.block is None
    null = board.contenders[2].id
    assert taken(board)[null, "0xcpu@100%"] >= FLOOR_ROUNDS
    assert null not in grid_of(board).rows


def test_the_table_tells_of_a_reversal(turned: Swept) -> None:
    board, _, _ = turned
    text = lines(grid_of(board), [50.0])
    assert text[0].split() == ["p50", "ms", "idle", "2", "stress"]
    assert text[1].split()[0:2] == ["squeezenet1_1", "1"] and text[1].split()[3] == "2↓"
    assert text[2].split()[0:2] == ["mobilenet_v2", "2"] and text[2].split()[3] == "1↑"
    assert text[3].split()[0:2] == ["resnet18", "3"] and text[3].split()[3] == "3"
    assert "2 same order, 1 reversed" in text[5]


def test_an_interrupted_sweep_goes_on_in_a_session_that_holds_both(tmp_path: Path) -> None:
    board = board_of(NAMES)
    goal = Goal(400.0)
    options = {"conditions": [str(condition) for condition in LEVELS], "slice_ms": 100.0}
    recorder = SessionRecorder(line_up(NAMES), options, tmp_path / "first")
    with pytest.raises(KeyboardInterrupt):
        headless.measure(
            ScriptedProbe(NAMES, reversing, ends_after=60), board, Sweep(board, Plan(LEVELS, goal)), Silent(), recorder
        )
    recorder.close("interrupted")
    before = taken(board)

    continued = Continued(Session(tmp_path / "first"))
    assert continued.conditions == LEVELS and [str(one) for one in continued.candidates] == IDS
    assert continued.slice_ms == 100.0
    board = Board(continued.candidates)
    recorder = SessionRecorder(continued.candidates, options, tmp_path / "second")
    continued.copy(board, recorder)
    assert taken(board) == before
    # Another start of the device: its clock begins anew, an hour later.
    probe = ScriptedProbe(NAMES, reversing, seed=9, begin_ns=5_000, wall_ns=hello().wall_ns + 3600 * 10**9)
    course = Sweep(board, Plan(continued.conditions, goal, 1))
    headless.measure(continued.behind(probe), board, course, Silent(), recorder)
    recorder.close("done")
    assert course.block is None and board.study.reversals([50.0])

    read = Session(tmp_path / "second")
    frames = [frame for frame in read.frames() if isinstance(frame, wire.Slice)]
    assert read.notes == []
    assert taken(read.board()) == taken(board)
    assert len(frames) == sum(taken(board).values())
    assert [frame.seq for frame in frames] == list(range(1, len(frames) + 1))
    assert all(one.end_ns <= other.start_ns for one, other in itertools.pairwise(frames))
    assert frames[60].start_ns > BEGIN_NS + 3600 * 10**9  # by the wall clocks
    assert frames[60].round > frames[59].round
    assert all(start_ns >= frame.start_ns for frame in frames for start_ns, *_ in frame.slowest)
    again, found = read.board().study.reversals([50.0]), board.study.reversals([50.0])
    assert [(one.a, one.b, one.before, one.after) for one in again] == [(o.a, o.b, o.before, o.after) for o in found]
    assert again[0].ratio_after.value == pytest.approx(found[0].ratio_after.value, rel=0.01)
    assert Session(tmp_path / "first").ended is not None  # as it was


def test_a_sweep_of_another_device_does_not_go_on_here() -> None:
    class Elsewhere(ScriptedProbe):
        def frames(self):  # type: ignore[no-untyped-def]
            yield replace(hello(), device={**hello().device, "cpu": "Another CPU"})

    link = ContinuedLink(Elsewhere(NAMES, reversing), hello(), seq=0, round_number=-1, end_ns=0)
    with pytest.raises(UsageError, match=r"another device \(cpu Example CPU"):
        list(link.frames())


def test_a_session_that_was_no_sweep_does_not_go_on(tmp_path: Path) -> None:
    folder = recorded(tmp_path / "plain", some_frames())
    with pytest.raises(UsageError, match="was no sweep"):
        Continued(Session(folder))


def test_states_are_told_while_it_runs(turned: Swept) -> None:
    _, course, _ = turned
    assert {course.plan.state(name, c, course.seen) for name in IDS for c in LEVELS} == {SETTLED}
    assert course.plan.left_s(course.seen) == 0
