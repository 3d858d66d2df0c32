"""The guided tour as a state machine over scripted boards: when it goes on, and what it says."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latvar_tui.condition import IDLE, Condition, parse_condition
from latvar_tui.study.board import Board
from latvar_tui.study.conclusions import Pair, Ratio, Reversal
from latvar_tui.tour import ENOUGH_SLICES, PATIENCE_S, READ_S, Progress, Tour, stresses
from latvar_tui.tour_findings import Finder, Findings
from latvar_tui.tour_words import sentences, state
from tests.scripted_link import board_of, session, slice_frame, state_frame

MODELS = ["squeezenet1_1@as=A", "squeezenet1_1@as=B"]
CONDITIONS = [IDLE, Condition(1), Condition(2), Condition(4)]
TEXTS = [str(condition) for condition in CONDITIONS]


def a_tour(step_s: float | None = None, quantile: float = 95.0) -> Tour:
    return Tour(CONDITIONS, 2, quantile, step_s)


def measured(*conditions: str, slices: int = ENOUGH_SLICES + 1) -> Board:
    return board_of(MODELS, session(MODELS, conditions, slices))


# -- steps ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cores", "most", "expected"),
    [(1, 2, [0, 1, 2]), (2, 4, [0, 1, 2, 4]), (8, 16, [0, 1, 8, 16]), (2, 3, [0, 1, 2, 3])],
)
def test_the_stresses_go_from_idle_to_twice_the_cores(cores: int, most: int, expected: list[int]) -> None:
    assert stresses(cores, most) == expected


def test_enter_goes_on_and_backspace_back_and_neither_leaves() -> None:
    tour = a_tour()
    assert not tour.back()
    kinds = []
    while not tour.is_last:
        kinds.append(tour.step.kind)
        assert tour.press(is_enough=True)
    assert kinds == ["condition"] * 4 + ["ranking"]
    assert not tour.press(is_enough=True)
    assert tour.back() and tour.step.kind == "ranking"


def test_pressed_too_early_it_goes_on_once_there_is_enough_and_at_once_if_pressed_again() -> None:
    tour = a_tour()
    assert not tour.press(is_enough=False)
    assert not tour.tick(is_enough=False, now_s=100.0)
    assert tour.tick(is_enough=True, now_s=101.0) and tour.at == 1
    assert not tour.tick(is_enough=True, now_s=200.0)  # that was for one step
    assert not tour.press(is_enough=False)
    assert tour.press(is_enough=False) and tour.at == 2


def test_by_itself_it_shows_each_step_so_long_waits_for_enough_and_begins_anew() -> None:
    tour = a_tour(step_s=10.0)
    assert not tour.tick(True, 50.0)
    assert not tour.tick(True, 59.9)
    assert not tour.tick(False, 70.0)
    assert not tour.tick(True, 70.5) and tour.left_s(71.5) == READ_S - 1  # what came of it is to be read
    assert tour.tick(True, 70.5 + READ_S) and tour.at == 1
    assert tour.left_s(80.0) == 10.0
    for at in [2, 3, 4, 5, 0]:
        assert not tour.tick(True, 100.0 * at + 1000)
        assert tour.tick(True, 100.0 * at + 1010)
        assert tour.at == at


@given(st.lists(st.tuples(st.sampled_from(["press", "back", "tick"]), st.booleans(), st.floats(0, 30))))
def test_whatever_is_pressed_it_is_at_one_of_its_steps(moves: list[tuple[str, bool, float]]) -> None:
    tour, now_s = a_tour(step_s=10.0), 0.0
    for move, enough, more_s in moves:
        now_s += more_s
        before = tour.at
        moved = {
            "press": lambda enough=enough: tour.press(enough),
            "back": tour.back,
            "tick": lambda enough=enough, now_s=now_s: tour.tick(enough, now_s),
        }[move]()
        assert 0 <= tour.at < len(tour.steps)
        assert moved == (tour.at != before)


# -- enough -----------------------------------------------------------------------------------------------


def test_nothing_measured_is_not_enough_and_nobody_can_say_how_long() -> None:
    assert a_tour().progress(board_of(MODELS)) == Progress(False, None)


def test_a_step_has_enough_when_every_candidate_has() -> None:
    tour = a_tour()
    assert tour.progress(measured("0xcpu@100%")) == Progress(True)
    few = tour.progress(measured("0xcpu@100%", slices=6))
    assert not few.is_enough and few.more_s == pytest.approx((ENOUGH_SLICES - 6) * 2 * 0.265, rel=0.1)
    tour.press(True)
    assert not tour.progress(measured("0xcpu@100%")).is_enough  # this step's condition is another one


def test_a_rare_quantile_takes_longer() -> None:
    board = measured("0xcpu@100%")
    assert a_tour(quantile=99.9).progress(board).more_s


def test_who_has_failed_is_not_waited_for() -> None:
    board = measured("0xcpu@100%")
    for frame in session([*MODELS, "resnet18"], ["0xcpu@100%"], 0):
        board.take(frame)
    board.add(*board_of(["resnet18"]).contenders[0:1] and [board_of(["resnet18"]).contenders[0].candidate])
    assert not a_tour().progress(board).is_enough
    board.take(state_frame(board.contenders[2].candidate, "failed", "killed"))
    assert a_tour().progress(board).is_enough


def test_slow_candidates_are_not_waited_for_for_ever() -> None:
    board = board_of(MODELS)
    slow_ns, number = 2_000_000_000, 0
    while number * slow_ns / 1e9 < PATIENCE_S + 4:
        for model in MODELS:
            number += 1
            start_ns = 1_000_000_000_000 + number * slow_ns
            board.take(slice_frame(number, model, "0xcpu@100%", [slow_ns], start_ns=start_ns, round_number=number // 2))
    progress = a_tour().progress(board)
    assert progress.is_enough and progress.is_short
    assert "few observations" in state(a_tour(), progress, 0.0)
    assert "0 of 2 candidates is known well enough" in sentences(a_tour(), board, Findings())[0]


# -- words ------------------------------------------------------------------------------------------------


def at_step(number: int, step_s: float | None = None) -> Tour:
    tour = a_tour(step_s)
    while tour.at < number:
        tour.press(True)
    return tour


def test_its_numbers_are_those_of_the_board() -> None:
    board = measured("0xcpu@100%", "1xcpu@100%")
    idle = " ".join(sentences(at_step(0), board, Findings()))
    cell = board.cell(board.contenders[0], IDLE)
    assert cell is not None
    assert f"{cell.latency.quantiles_ns([95.0])[0] / 1e6:.2f} ms" in idle and "A has the smallest p95" in idle
    stressed = " ".join(sentences(at_step(1), board, Findings()))
    assert "1 background thread now wants the 2 cores, too" in stressed
    now = board.cell(board.contenders[0], parse_condition("1xcpu@100%"))
    assert now is not None and f"{now.latency.quantiles_ns([95.0])[0] / 1e6:.2f} ms" in stressed


def test_before_anything_is_measured_it_claims_nothing() -> None:
    for number in range(4):
        said = " ".join(sentences(at_step(number), board_of(MODELS), Findings()))
        assert not re.search(r"\d ms", said)


REVERSAL = Reversal(
    "squeezenet1_1@threads=2,spin=on,as=A", "squeezenet1_1@threads=2,spin=on,as=B", 95.0, IDLE, Condition(2),
    Ratio(1.25, 1.2, 1.3), Ratio(0.5, 0.4, 0.625),
)  # fmt: skip


def test_a_reversal_is_told_with_its_bounds() -> None:
    board = measured(*TEXTS)
    assert [contender.id for contender in board.contenders] == [REVERSAL.a, REVERSAL.b]
    said = " ".join(sentences(at_step(4), board, Findings((REVERSAL,))))
    assert "Idle, B's p95 is 1.25× A's; under 2 stress threads, A's is 2.00× B's." in said
    assert "1.20× to 1.30×, and 1.60× to 2.50×" in said
    assert "has reversed at the p95" in " ".join(sentences(at_step(2), board, Findings((REVERSAL,))))
    assert "has reversed" not in " ".join(sentences(at_step(1), board, Findings((REVERSAL,))))
    median = Reversal(*[*vars(REVERSAL).values()][:2], 50.0, *[*vars(REVERSAL).values()][3:])
    assert "B's median is" in " ".join(sentences(at_step(4), board, Findings((median,))))


def test_no_reversal_is_told_as_that() -> None:
    board = measured(*TEXTS)
    pairs = tuple(
        Pair(REVERSAL.a, REVERSAL.b, condition, 95.0, None, faster, 40, more_s)
        for condition, faster, more_s in zip(CONDITIONS, [REVERSAL.a, "", "", ""], [0.0, 9.0, None, 31.0], strict=True)
    )
    said = " ".join(sentences(at_step(4), board, Findings(pairs=pairs)))
    assert "No reversal at p95 on this device so far: of 4 comparisons 1 is decided" in said
    assert "about 31 s" in said  # of the condition that is being measured, not of another
    assert "no ranking" in " ".join(sentences(at_step(4), board, Findings()))


def test_only_what_has_been_shown_is_found() -> None:
    """A fast and b slow when idle, the other way round under stress: told from the step on that shows it."""
    board = board_of(MODELS)
    number, random = 0, np.random.default_rng(1)
    for condition in TEXTS:
        for _ in range(60):
            for place, model in enumerate(MODELS):
                number += 1
                first = condition == TEXTS[0]
                median_ns = 3_000_000 if (place == 0) == first else 4_000_000
                values = median_ns * random.lognormal(0.0, 0.3, 60)
                board.take(slice_frame(number, model, condition, values, round_number=(number - 1) // 2, place=place))
    assert Finder().find(at_step(0), board).reversals == ()
    (early, *_) = Finder().find(at_step(1), board).reversals
    assert (early.before, early.after) == (IDLE, Condition(1))
    found = Finder().find(at_step(4), board)
    assert {reversal.quantile for reversal in found.reversals} == {95.0, 50.0}
    assert found.reversals[0].quantile == 95.0 and len(found.pairs) == 4


def test_the_state_says_what_enter_does() -> None:
    assert state(at_step(0), Progress(False, 7.4), 0.0) == "measuring, about 7 s more"
    assert state(at_step(0), Progress(False, None), 0.0) == "measuring"
    assert state(at_step(0), Progress(True), 0.0) == "enter goes on"
    assert "q leaves" in state(at_step(5), Progress(True), 0.0)
    tour = at_step(1, step_s=20.0)
    tour.tick(True, 100.0)
    assert state(tour, Progress(True), 104.0) == "goes on in 16 s"


def test_nobody_is_the_smallest_before_all_have_been_measured() -> None:
    models = [*MODELS, "resnet18"]
    two = session(MODELS, TEXTS[:2], 6)
    board = board_of(models, two)
    idle, stressed = (" ".join(sentences(at_step(number), board, Findings())) for number in (0, 1))
    assert "2 of 3 candidates is known well enough" in idle and "smallest" not in idle + stressed
    for seq, condition in ((900, TEXTS[1]), (901, TEXTS[0])):
        board.take(slice_frame(seq, "resnet18", condition, [1_000_000] * 300))
        stressed = " ".join(sentences(at_step(1), board, Findings()))
        assert "The smallest p95 is resnet18's" in stressed
        assert ("as when idle" in stressed or "idle it was" in stressed) == (condition == TEXTS[0])
    assert "resnet18 has the smallest" in " ".join(sentences(at_step(0), board, Findings()))
    board.clear()
    for contender in board.contenders:
        board.take(state_frame(contender.candidate, "failed", "killed"))
        assert "smallest" not in " ".join(sentences(at_step(0), board, Findings()))


def test_nothing_is_said_of_numbers_that_a_step_has_not_measured_well_enough() -> None:
    board = measured(*TEXTS[:2], slices=3)
    for number in (0, 1):
        said = " ".join(sentences(at_step(number), board, Findings(), is_enough=False))
        assert "So far 3 of 24 turns each." in said and not re.search("smallest|×|idle it was|ms", said)
    sure, few = measured(*TEXTS[:2]), measured(*TEXTS[:2], slices=1)
    for number, board in ((0, few), (1, few)):  # it has taken long, and is enough though it is little
        said = " ".join(sentences(at_step(number), board, Findings()))
        assert not re.search("smallest|×|idle it was|ms", said)
    assert "×" in " ".join(sentences(at_step(1), sure, Findings()))


def test_a_recording_is_not_said_to_be_measured() -> None:
    tour = at_step(0)
    tour.can_measure = False
    assert state(tour, Progress(False, 93.0), 0.0) == "playing"
    tour.press(False)
    assert state(tour, Progress(False, 93.0), 0.0).startswith("playing; then it goes on")


def test_an_order_is_said_to_hold_only_if_all_of_it_is_decided() -> None:
    board = measured(*TEXTS)
    pair = Pair(REVERSAL.a, REVERSAL.b, IDLE, 95.0, None, REVERSAL.a, 40, 0.0)
    undecided = replace(pair, condition=Condition(1), faster="", more_s=9.0)
    for pairs, holds in (((pair,), True), ((pair, undecided), False), ((undecided,), False)):
        assert ("an order that holds" in " ".join(sentences(at_step(4), board, Findings(pairs=pairs)))) == holds


def test_a_quantile_that_is_not_compared_is_said_to_be_so() -> None:
    tour = at_step(4)
    tour.quantile = 97.0
    board = measured(*TEXTS, slices=3)
    assert sentences(tour, board, Finder().find(tour, board))[0].startswith("p97 is not compared")


def test_what_was_found_is_looked_for_again_when_counts_are_cleared() -> None:
    board, finder, tour = measured(*TEXTS[:2]), Finder(), at_step(4)
    assert any(pair.ratio for pair in finder.find(tour, board).pairs)
    board.study.version = 4 * board.study.version + 1  # cleared, it is of the same four
    finder.find(tour, board)
    board.clear()
    assert not any(pair.ratio for pair in finder.find(tour, board).pairs)
