"""What the study says comes in pieces that fit between two slices, and in the end is what it would say at once."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest

from latvar_tui import wire
from latvar_tui.condition import parse_condition
from latvar_tui.study import under
from latvar_tui.study.board import Board
from latvar_tui.study.pieces import NotYet
from latvar_tui.tui.view import View
from latvar_tui.tui.views.answers import Answers
from latvar_tui.tui.views.matrix import MatrixPanel
from latvar_tui.tui.views.ranks import RanksPanel
from tests.scripted_link import board_of, session

MODELS = (
    "squeezenet1_1", "mobilenet_v2", "mobilenet_v3_large", "shufflenet_v2_x1_0",
    "mnasnet1_0", "resnet18", "efficientnet_b0", "densenet121",
)  # fmt: skip
CONDITIONS = ("0xcpu@100%", "1xcpu@100%", "2xcpu@100%", "4xcpu@100%")
ROUNDS = 24


class Worked:
    """Counts what is computed anew; each takes longer than a frame has for all of it, by a clock of its own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s = 0.0
        self.pairs: list[object] = []
        for name in ("evidence", "ratios_of", "cell_intervals"):
            monkeypatch.setattr(under, name, self._counting(getattr(under, name)))

    def _counting(self, compute: Any) -> Any:
        def counted(*asked: Any) -> Any:
            self.pairs.append(compute.__name__)
            self.now_s += 0.002
            return compute(*asked)

        return counted

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture(scope="module")
def frames() -> list[wire.Frame]:
    return session(MODELS, CONDITIONS, ROUNDS, slice_ms=60.0)


def frame_of(answers: Answers, panel: MatrixPanel | RanksPanel, worked: Worked) -> list[str]:
    worked.now_s += 0.25
    answers.begin()
    return [strip.text for strip in panel.draw(120, 40)]


@pytest.mark.parametrize("kind", [MatrixPanel, RanksPanel])
def test_a_frame_judges_one_pair_where_one_takes_all_the_time_there_is(
    kind: type[MatrixPanel] | type[RanksPanel], frames: list[wire.Frame], monkeypatch: pytest.MonkeyPatch
) -> None:
    board, worked = board_of(MODELS, frames), Worked(monkeypatch)
    answers = Answers(board, clock_s=worked)
    panel = kind(board, View(ranked_by=95.0), answers)
    drawn, most, frames_drawn = [""], 0, 0
    while frames_drawn < 3 or answers._waiting:
        before = len(worked.pairs)
        drawn = frame_of(answers, panel, worked)
        now = worked.pairs[before:]
        assert len(now) <= 1, f"one pair's evidence, or one pair's ratio, or one interval: {now}"
        most, frames_drawn = max(most, len(now)), frames_drawn + 1
        assert frames_drawn < 1000
    assert most >= 1 and frames_drawn > len(list(combinations(MODELS, 2))) * len(CONDITIONS) / 2
    at_once = kind(board, View(ranked_by=95.0), Answers(board, hurried=True))
    assert drawn == [strip.text for strip in at_once.draw(120, 40)], "the same as without pieces"


def test_answers_come_although_rounds_go_on_and_are_right_of_rounds_that_there_were(
    frames: list[wire.Frame], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each new round makes all pairs of a young condition out of date: sooner than they can be judged."""
    board, worked = Board([contender.candidate for contender in board_of(MODELS).contenders]), Worked(monkeypatch)
    answers, ids, idle = Answers(board, clock_s=worked), list(MODELS), parse_condition("0xcpu@100%")
    seen = []
    for frame in frames[: 9 + 16 + len(MODELS) * 20]:
        board.take(frame)
        ids = [contender.id for contender in board.contenders]
        if isinstance(frame, wire.Slice):
            worked.now_s += 0.25
            answers.begin()
            pair = answers.pair(ids[0], ids[1], idle, 50.0)
            if pair is not None:
                seen.append(pair.rounds)
    assert seen and seen == sorted(seen) and len(set(seen)) > 2, seen
    for _ in range(100):
        worked.now_s += 0.25
        answers.begin()
        answers.pair(ids[0], ids[1], idle, 50.0)
    assert answers.pair(ids[0], ids[1], idle, 50.0) == board.study.pair(ids[0], ids[1], idle, 50.0)


def test_without_time_there_is_no_half_answer(frames: list[wire.Frame]) -> None:
    study = board_of(MODELS, frames).study
    a, b, *_ = study.candidates(parse_condition("0xcpu@100%"))
    with pytest.raises(NotYet), study.in_pieces(lambda: False, study.mark):
        study.pair(a, b, parse_condition("0xcpu@100%"), 95.0)
    assert study.pair(a, b, parse_condition("0xcpu@100%"), 95.0).rounds > 20
    with study.in_pieces(lambda: False, study.mark):
        assert study.pair(a, b, parse_condition("0xcpu@100%"), 95.0).ratio is not None, "it is known by now"


def test_what_no_view_asks_for_any_more_is_not_worked_out(
    frames: list[wire.Frame], monkeypatch: pytest.MonkeyPatch
) -> None:
    board, worked = board_of(MODELS, frames), Worked(monkeypatch)
    answers = Answers(board, clock_s=worked)
    frame_of(answers, MatrixPanel(board, View(ranked_by=95.0), answers), worked)
    answers.begin()
    assert len(answers._waiting) > 1
    answers.begin()
    assert not answers._waiting
