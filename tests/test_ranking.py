"""The study: slices in, claims out."""

from __future__ import annotations

import copy
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.simulated import Kind, feed
from latvar_tui.condition import IDLE, Condition, parse_condition
from latvar_tui.session import snapshot
from latvar_tui.study.board import Board
from latvar_tui.study.conclusions import Ratio
from latvar_tui.study.drift import Block
from latvar_tui.study.intervals import kendall_tau
from latvar_tui.study.ranking import MOST_CANDIDATES, Study, reversals_between
from latvar_tui.study.rounds import MOST_ROWS, Rounds
from latvar_tui.summary import summary
from latvar_tui.verdicts import advice, change, conclusions, more, verdicts
from tests.scripted_link import MS, board_of, slice_frame

TWO, FOUR = Condition(2), Condition(4)
KIND = Kind(spread=0.08, own=0.02)


def measured(ratios: dict[Condition, dict[str, float]], rounds: int = 60, study: Study | None = None) -> Study:
    """A study of candidates so much slower than KIND under each condition."""
    study = study or Study()
    random = np.random.default_rng(4)
    number = 0
    for condition, scales in ratios.items():
        for _ in range(rounds):
            mood = random.normal(0, 0.1)
            feed(study, number, {n: KIND.times(random, mood, scale) for n, scale in scales.items()}, condition)
            number += 1
    study.restart()
    return study


@pytest.fixture(scope="module")
def reversing() -> Study:
    """``a`` wins idle by 15 %, loses from 2 threads by 20 %; ``c`` is as fast as ``a`` throughout."""
    under = {"a": 1.2, "b": 1.0, "c": 1.2}
    return measured({IDLE: {"a": 1.0, "b": 1.15, "c": 1.0}, TWO: under, FOUR: under})


# -- rounds -----------------------------------------------------------------------------------------


def block_of(values: list[int]) -> Block:
    indices, counts = np.unique(np.array(values, np.uint16), return_counts=True)
    return indices.astype(np.uint16), counts.astype(np.uint64)


rounds_st = st.lists(
    st.dictionaries(st.sampled_from("abc"), st.lists(st.integers(0, 40), max_size=4).map(block_of), min_size=1),
    max_size=40,
)


@settings(max_examples=30)
@given(rounds_st, st.integers(1, 20))
def test_merged_rows_lose_nothing_and_stay_few(given_rounds: list[dict[str, Block]], times: int) -> None:
    rounds = Rounds()
    wanted = {name: np.zeros(64) for name in "abc"}
    for blocks in given_rounds * times:
        rounds.add(blocks)
        for name, (indices, counts) in blocks.items():
            wanted[name][indices] += counts
    found = {name: np.zeros(64) for name in "abc"}
    for row in rounds.rows:
        for name, (indices, counts) in row.blocks.items():
            found[name][indices] += counts
    assert all((found[name] == wanted[name]).all() for name in "abc")
    assert sum(row.rounds for row in rounds.rows) == len(given_rounds) * times
    assert len(rounds.rows) <= 8 * MOST_ROWS


def test_a_long_session_keeps_few_rows() -> None:
    rounds = Rounds()
    for _ in range(3000):
        rounds.add({"a": block_of([1, 2]), "b": block_of([3])})
    assert MOST_ROWS // 2 <= len(rounds.rows) <= MOST_ROWS and rounds.added == 3000


def test_a_pair_is_compared_on_the_rounds_that_hold_both() -> None:
    study = measured({IDLE: {"a": 1.0, "b": 1.3}}, rounds=30)
    again = measured({IDLE: {"a": 1.0}}, rounds=40, study=study)
    again = measured({IDLE: {"b": 9.0}}, rounds=40, study=again)
    pair = again.pair("a", "b", IDLE, 50.0)
    assert pair.rounds == 30 and pair.ratio is not None and pair.ratio.value == pytest.approx(1.3, abs=0.02)


def test_rounds_of_another_probe_are_others_though_they_have_the_same_numbers() -> None:
    study, random = Study(), np.random.default_rng(1)
    feed(study, 0, {"a": KIND.times(random)})
    study.restart()
    feed(study, 0, {"b": KIND.times(random)})
    study.restart()
    assert study.pair("a", "b", IDLE, 50.0).ratio is None


def test_a_candidate_that_comes_twice_in_a_round_begins_another_one() -> None:
    study, random = Study(), np.random.default_rng(1)
    for name in ("a", "a", "b"):
        feed(study, 0, {name: KIND.times(random)})
    study.restart()
    assert study.pair("a", "b", IDLE, 50.0).rounds == 1


# -- claims -----------------------------------------------------------------------------------------


def test_a_reversal_by_construction_is_found_at_both_levels(reversing: Study) -> None:
    found = [(one.a, one.b, one.before, one.after) for one in reversing.reversals([50.0])]
    assert sorted(found, key=str) == sorted(
        [("a", "b", IDLE, TWO), ("a", "b", IDLE, FOUR), ("c", "b", IDLE, TWO), ("c", "b", IDLE, FOUR)], key=str
    )
    first = reversing.reversals([50.0])[0]
    for ratio, true in ((first.ratio_before, 1.15), (first.ratio_after, 1 / 1.2)):
        assert ratio.low is not None and ratio.high is not None
        assert ratio.low < true < ratio.high and not ratio.low <= 1 <= ratio.high
    assert reversing.order("a", "b", 50.0, IDLE, TWO) == ("reversed", 0.0)
    assert reversing.order("b", "a", 50.0, TWO, FOUR) == ("same order", 0.0)


def test_alike_candidates_are_never_told_apart(reversing: Study) -> None:
    for condition in (IDLE, TWO, FOUR):
        pair = reversing.pair("a", "c", condition, 50.0)
        assert pair.faster == "" and pair.ratio is not None and pair.ratio.value == pytest.approx(1, abs=0.02)
    groups = reversing.groups(IDLE, 50.0, ["a", "b", "c", "d"])
    assert set(groups.best) == {"a", "c"} and groups.worse == ("b",) and groups.unmeasured == ("d",)
    assert reversing.groups(TWO, 50.0, ["a", "b", "c"]).best == ("b",)


def test_a_difference_that_does_not_matter_is_decided_to_be_none() -> None:
    study = measured({IDLE: {"a": 1.0, "b": 1.002}}, rounds=200)
    pair = study.pair("a", "b", IDLE, 50.0)
    assert pair.equal and pair.is_decided and not pair.faster and pair.more_s == 0.0


def test_no_reversal_where_the_order_is_kept() -> None:
    study = measured({IDLE: {"a": 1.0, "b": 1.2}, TWO: {"a": 1.5, "b": 1.8}})
    assert study.reversals([50.0, 95.0, 99.0]) == []
    assert study.order("a", "b", 50.0, IDLE, TWO)[0] == "same order"


def test_pairs_read_either_way_say_the_same(reversing: Study) -> None:
    one, other = reversing.pair("a", "b", IDLE, 50.0), reversing.pair("b", "a", IDLE, 50.0)
    assert one.faster == other.faster == "a" and one.ratio is not None and other.ratio is not None
    assert one.ratio.value == pytest.approx(1 / other.ratio.value)
    assert one.ratio.low is not None and other.ratio.high is not None
    assert one.ratio.low == pytest.approx(1 / other.ratio.high)


def test_before_enough_was_seen_nothing_is_claimed_and_the_wait_is_told() -> None:
    study = measured({IDLE: {"a": 1.0, "b": 1.5}}, rounds=12)
    pair = study.pair("a", "b", IDLE, 50.0)
    assert pair.provisional and not pair.faster and pair.more_s is not None and 0 < pair.more_s < 60
    assert study.interval("a", IDLE, 50.0) is None
    assert study.interval_more_s("a", IDLE, 50.0) == pytest.approx(48 * 0.25)
    nothing = Study().pair("a", "b", IDLE, 50.0)
    assert nothing.ratio is None and nothing.more_s is None and nothing.rounds == 0


def test_a_cell_is_settled_once_it_is_told_from_its_rivals(reversing: Study) -> None:
    assert reversing.is_settled("b", IDLE, 50.0) and reversing.is_settled("a", IDLE, 50.0)
    assert not measured({IDLE: {"a": 1.0, "b": 1.01}}, rounds=12).is_settled("a", IDLE, 50.0)


def test_what_is_forgotten_is_not_compared(reversing: Study) -> None:
    study = copy.deepcopy(reversing)
    study.forget("a")
    assert study.candidates(IDLE) == ["b", "c"] and study.pair("a", "b", IDLE, 50.0).ratio is None
    assert study.pair("b", "c", IDLE, 50.0).faster == "c" and reversing.pair("a", "b", IDLE, 50.0).faster == "a"
    study.clear()
    assert study.conditions == [] and study.reversals([50.0]) == []


def test_thousands_of_candidates_are_not_all_compared() -> None:
    study, random = Study(), np.random.default_rng(1)
    feed(study, 0, {f"m{i}": KIND.times(random)[:3] for i in range(100)})
    assert len(study.candidates(IDLE)) == MOST_CANDIDATES


def test_the_family_grows_with_the_pairs_and_so_does_what_a_claim_takes() -> None:
    few = measured({IDLE: {"a": 1.0, "b": 1.04}}, rounds=24)
    many = measured({IDLE: {"a": 1.0, "b": 1.04} | {f"z{i}": 1.0 for i in range(10)}}, rounds=24)
    assert len(few.family(99.0)) == 1 and len(many.family(99.0)) == math.comb(12, 2)


# -- across sessions --------------------------------------------------------------------------------


def test_a_reversal_between_two_devices() -> None:
    laptop = measured({IDLE: {"a": 1.0, "b": 1.2}})
    phone = measured({IDLE: {"a": 2.4, "other b": 2.0}})
    (found,) = reversals_between(laptop, phone, [50.0], {"a": "a", "b": "other b"})
    assert (found.a, found.b, found.before, found.after) == ("a", "b", IDLE, IDLE)
    assert found.ratio_before.value > 1 > found.ratio_after.value
    (found,) = reversals_between(phone, laptop, [50.0], {"a": "a", "other b": "b"})
    assert (found.a, found.b) == ("other b", "a") and found.ratio_before.value > 1 > found.ratio_after.value
    assert reversals_between(laptop, laptop, [50.0], {"a": "a", "b": "b"}) == []


# -- Kendall's tau ----------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=8))
def test_kendalls_tau_counts_pairs(values: list[tuple[int, int]]) -> None:
    n = len(values)
    pairs = [(values[i], values[j]) for i in range(n) for j in range(i)]
    slow = sum(np.sign(a[0] - b[0]) * np.sign(a[1] - b[1]) for a, b in pairs) / len(pairs)
    before, after = (np.array([[value[side]] for value in values], float) for side in (0, 1))
    assert kendall_tau(before, after)[0] == pytest.approx(slow)


def test_tau_of_a_ranking_that_turns_round() -> None:
    study = measured({IDLE: {"a": 1.0, "b": 1.2, "c": 1.4}, TWO: {"a": 1.4, "b": 1.2, "c": 1.0}})
    assert study.kendall_tau(IDLE, TWO, 50.0, ["a", "b", "c"]) == (-1.0, -1.0, -1.0)
    assert study.kendall_tau(IDLE, IDLE, 50.0, ["a", "b", "c"]) == (1.0, 1.0, 1.0)
    assert study.kendall_tau(IDLE, FOUR, 50.0, ["a", "b"]) is None


# -- on a board -------------------------------------------------------------------------------------

NAMES = ("squeezenet1_1@as=A", "squeezenet1_1@as=B")
LEVELS = {"0xcpu@100%": (2.0, 2.5), "2xcpu@100%": (4.0, 3.0)}


@pytest.fixture(scope="module")
def board() -> Board:
    """A is faster idle, B under 2 stress threads."""
    random = np.random.default_rng(2)
    frames, seq = [], 0
    for condition, times_ms in LEVELS.items():
        for number in range(70):
            mood = np.exp(random.normal(0, 0.1))
            for which in random.permutation(2):
                values = MS * times_ms[which] * mood * np.exp(random.normal(0, 0.05, 60))
                frames.append(slice_frame(seq, NAMES[which], condition, values.astype(np.int64), round_number=number))
                seq += 1
    return board_of(list(NAMES), frames)


def test_a_board_keeps_its_study_in_a_snapshot(board: Board) -> None:
    again = snapshot.load(json.loads(json.dumps(snapshot.dump(board))))
    a, b = (contender.id for contender in board.contenders)
    assert again.study.pair(a, b, IDLE, 95.0) == board.study.pair(a, b, IDLE, 95.0)
    assert again.study.reversals([50.0]) == board.study.reversals([50.0]) != []
    other = Board([contender.candidate for contender in board.contenders])
    study = other.study
    other.become(again)
    assert other.study is study and study.reversals([50.0]) == board.study.reversals([50.0])


def test_the_document_has_intervals_settled_cells_and_reversals(board: Board) -> None:
    document = summary(board, ranked_by=50.0)
    a, b = (contender.id for contender in board.contenders)
    found = [one for one in document["reversals"] if one["quantile"] == 50.0]
    assert [(one["a"], one["b"], one["from"], one["to"]) for one in found] == [(a, b, "0xcpu@100%", "2xcpu@100%")]
    assert found[0]["ratio_from"] == pytest.approx(1.25, abs=0.02) and found[0]["ci95_to"][1] < 1
    for cell in document["cells"]:
        low, high = cell["service"]["ci95"]["p50_ms"]
        assert low <= cell["service"]["p50_ms"] * 1.002 and cell["service"]["p50_ms"] <= high * 1.002
        assert cell["settled"] is True and "p99_9_more_s" in cell["service"]["ci95_more"]
    assert not any("interval" in note for note in document["notes"])


def test_a_verdict_is_a_sentence_that_can_be_repeated(board: Board) -> None:
    first, *rest = verdicts(board, [50.0])
    assert first.startswith("A beats B when idle (p50 1.9") or first.startswith("A beats B when idle (p50 2.0")
    assert " and loses under 2 stress threads (" in first and first.endswith("]).")
    assert "−20 % [" in first and "+33 % [" in first
    assert rest[0].startswith("A is the fastest when idle at p50, before B (")
    assert rest[1].startswith("B is the fastest under 2 stress threads at p50, before A (")
    assert len(rest) == 2


def test_the_advice_names_who_keeps_a_deadline(board: Board) -> None:
    assert advice(board, 10 * MS, 50.0) == ["For 10.0 ms at p50 with up to 2 busy cores: A and B."]
    assert advice(board, round(3.5 * MS), 50.0) == [
        "For 3.50 ms at p50 with up to 2 busy cores: B; nothing else holds."
    ]
    assert advice(board, 1 * MS, 50.0) == ["For 1.00 ms at p50 when idle: nothing holds."]
    assert conclusions(board, 50.0, 1 * MS)[-1] == advice(board, 1 * MS, 50.0)[0]


def test_a_quantile_that_is_not_compared_is_said_to_be_none(board: Board) -> None:
    assert verdicts(board, [97.0]) == ["No verdict at p97: the study compares p50, p90, p95, p99, p99.9."]
    assert advice(board, MS, 97.0) == []


def test_controls_are_no_rivals() -> None:
    frames = [slice_frame(i, name, "0xcpu@100%", [MS] * 9, round_number=0) for i, name in enumerate(("null", "hiccup"))]
    board = board_of(["null", "hiccup"], frames)
    assert board.study.conditions == [] and verdicts(board, [50.0]) == []


def test_words() -> None:
    assert change(Ratio(1.25, 1.2, 1.3)) == "−20 % [−23, −17]"
    assert change(Ratio(0.8)) == "+25 %"
    assert [more(s) for s in (None, 4.2, 44, 600, 9000)] == [
        "nobody can say how much longer",
        "about 4 more seconds",
        "about 40 more seconds",
        "about 10 more minutes",
        "about 2 more hours",
    ]
    assert parse_condition("0xcpu@100%") == IDLE
