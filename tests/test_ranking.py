"""The study: slices in, claims out."""

from __future__ import annotations

import copy
import json
import math
import re

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


def test_rows_of_a_long_session_count_as_many() -> None:
    """A few rows that stand for most of the rounds would be few independent ones: nothing could be claimed any more."""
    rounds = Rounds()
    for many in range(1, 3000):
        rounds.add({"a": block_of([1, 2]), "b": block_of([3])})
        sizes = np.array([row.rounds for row in rounds.rows])
        assert sizes.sum() ** 2 / (sizes**2).sum() >= min(many, MOST_ROWS / 2)


def test_only_neighbours_become_one_row() -> None:
    """Also where there are other rows, and an odd one is left over: moods last, and are looked for from row to row."""
    rounds = Rounds()
    for number in range(1500):
        rounds.add({name: block_of([number]) for name in ("abc" if number < 24 else "ab")})
        together = np.concatenate([row.blocks["a"][0] for row in rounds.rows])
        assert (together == np.arange(number + 1)).all()


def test_what_is_claimed_is_not_lost_by_measuring_on() -> None:
    study = measured({IDLE: {"a": 1.0, "b": 1.2}}, rounds=100)
    for _ in range(8):
        study = measured({IDLE: {"a": 1.0, "b": 1.2}}, rounds=100, study=study)
        assert [study.pair("a", "b", IDLE, quantile).faster for quantile in (50.0, 95.0)] == ["a", "a"]


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
    assert advice(board, 10 * MS, 50.0) == ["For 10.0 ms at p50 with up to 2 stress threads: A and B."]
    assert advice(board, round(3.5 * MS), 50.0) == [
        "For 3.50 ms at p50 with up to 2 stress threads: B; nothing else holds."
    ]
    assert advice(board, 1 * MS, 50.0) == ["For 1.00 ms at p50 when idle: nothing holds."]
    assert conclusions(board, 50.0, 1 * MS)[-1] == advice(board, 1 * MS, 50.0)[0]


def test_the_advice_wants_as_many_slow_inferences_as_a_claim() -> None:
    study = Study()
    random = np.random.default_rng(5)
    for number in range(66):
        feed(study, number, {"a": Kind().times(random, 0.0)[:10]})
    assert study.interval("a", IDLE, 99.0) is not None
    assert study.sure_interval("a", IDLE, 99.0) is None
    assert study.sure_interval("a", IDLE, 50.0) == study.interval("a", IDLE, 50.0)


def advised(monkeypatch: pytest.MonkeyPatch, kept: dict[str, list[bool | None]], extra: str = "") -> list[str]:
    """Of candidates that keep a deadline, or don't, or of which nobody knows, at each of the levels 0, 1, 2, 4."""
    levels = [parse_condition(f"{threads}xcpu@100%{extra}") for threads in (0, 1, 2, 4)]
    frames = [
        slice_frame(number, name, str(condition), [MS] * 9, round_number=number)
        for number, (condition, name) in enumerate((level, name) for level in levels for name in kept)
    ]
    board = board_of(list(kept), frames)
    told = {contender.id: each for contender, each in zip(board.contenders, kept.values(), strict=True)}

    def interval(candidate: str, condition: Condition, quantile: float) -> tuple[float, float] | None:
        keeps = told[candidate][levels.index(condition)]
        return None if keeps is None else (1.0, 2.0) if keeps else (5e9, 6e9)

    monkeypatch.setattr(board.study, "sure_interval", interval)
    return advice(board, 33 * MS, 95.0)


def test_the_advice_never_says_more_than_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    yes, no, unknown = True, False, None
    a, b, c = "squeezenet1_1", "mobilenet_v2", "resnet18"
    assert advised(monkeypatch, {a: [yes] * 4, b: [yes, no, no, no], c: [unknown] * 4}) == [
        f"For 33.0 ms at p95 with up to 4 stress threads: {a}.",
        f"For 33.0 ms at p95 when idle: {c} needs more measuring to tell.",
    ]
    assert advised(monkeypatch, {a: [yes, unknown, unknown, unknown], b: [no] * 4}) == [
        f"For 33.0 ms at p95 when idle: {a}.",
        f"For 33.0 ms at p95 under 1 stress thread: {a} needs more measuring to tell.",
    ]
    assert advised(monkeypatch, {a: [yes, no, no, no], b: [no] * 4}) == [
        f"For 33.0 ms at p95 when idle: {a}; nothing else holds."
    ]
    assert advised(monkeypatch, {a: [yes, yes, no, no], b: [no] * 4}, ",rate=30") == [
        f"For 33.0 ms at p95 under 1xcpu@100%,rate=30: {a}; nothing else holds."
    ]


def test_whoever_is_claimed_to_be_beaten_is_not_among_the_best() -> None:
    """Of all its rounds it has the smallest median; but the others had the worse half of theirs without it."""
    study = Study()
    random = np.random.default_rng(3)
    for number in range(80):
        worse = number >= 30
        names = {"a": 1.15, "c": 1.156} if worse else {"a": 1.0, "b": 1.08, "c": 1.005}
        feed(study, number, {name: KIND.times(random, 0.0, scale) for name, scale in names.items()}, IDLE)
    study.restart()
    assert study.pair("a", "b", IDLE, 50.0).faster == "a"
    groups = study.groups(IDLE, 50.0, ["a", "b", "c"])
    assert set(groups.best) == {"a", "c"} and groups.worse == ("b",)


def test_the_times_of_a_sentence_are_of_the_rounds_that_its_ratio_is_of() -> None:
    """One candidate went on by itself, in a worse mood."""
    random = np.random.default_rng(5)
    frames = []
    for number in range(160):
        scales = {"squeezenet1_1": 4.0, "mobilenet_v2": 4.4} if number < 60 else {"squeezenet1_1": 8.0}
        for name, scale in scales.items():
            times = (scale * MS * random.lognormal(0, 0.05, 40)).astype(int).tolist()
            frames.append(slice_frame(len(frames), name, "0xcpu@100%", times, round_number=number))
    (told,) = verdicts(board_of(["squeezenet1_1", "mobilenet_v2"], frames), [50.0])
    assert told.startswith("squeezenet1_1 is the fastest when idle at p50, before mobilenet_v2 (4.0"), told
    assert " against 4.4" in told and "−9" in told


def test_a_claim_that_waits_for_its_interval_waits_longer_than_a_round() -> None:
    """Else a plan would take it for the next to be settled, for ever."""
    waiting = 0
    for seed in range(15):
        random = np.random.default_rng(seed)
        study = Study()
        for number in range(60):
            mood = random.normal(0, 0.1)
            feed(study, number, {n: KIND.times(random, mood, s) for n, s in {"a": 1.0, "b": 1.025}.items()}, IDLE)
        for quantile in (50.0, 90.0, 95.0):
            pair, seen = study.pair("a", "b", IDLE, quantile), study._evidence("a", "b", IDLE, quantile)
            if seen is not None and seen.log_e >= study._needed and not pair.is_decided:
                waiting += 1
                assert pair.more_s is None or pair.more_s > 2 * 0.5
    assert waiting


def test_no_reversal_is_said_to_be_none_once_all_is_decided(reversing: Study) -> None:
    a, b, c = "squeezenet1_1", "mobilenet_v2", "resnet18"

    def at(scales: dict[Condition, list[float]], rounds: int) -> list[str]:
        board = board_of([a, b, c][: len(scales[IDLE])])
        names = [contender.id for contender in board.contenders]
        board.study = measured({k: dict(zip(names, each, strict=False)) for k, each in scales.items()}, rounds)
        board._visited = dict.fromkeys(scales)
        return verdicts(board, [50.0])

    assert at({IDLE: [1, 1.2, 1.4], TWO: [2, 2.4, 2.8]}, 60)[0] == (
        "No reversal at p50: every pair is decided under both conditions, and the order stays."
    )
    first, *rest = at({IDLE: [1, 1, 1.4], TWO: [2, 2, 2.8]}, 25)
    assert first == "No reversal found at p50 so far: 1 of 3 pairs is not decided under every condition."
    assert {a, b, "cannot be told apart when idle at p50"} <= {*re.split(r" and | (?=cannot)| \(", rest[0])}
    assert rest[0].endswith(f"; {c} is slower.") and len(rest) == 2, rest
    assert at({IDLE: [1, 1.2, 1.4]}, 60)[0].startswith(f"{a} is the fastest when idle")
    first, *rest = at({IDLE: [1, 1.2], TWO: [1, 1.2]}, 3)
    assert first == "No reversal found at p50 so far: the pair is not decided under every condition."
    assert rest[0].startswith(f"{a} and {b} need more measuring to be compared when idle at p50 (about")


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
    assert change(Ratio(288.0)) == "−99.7 %"
    assert [more(s) for s in (None, 0.3, 4.2, 44, 600, 9000)] == [
        "nobody can say how much longer",
        "about 1 more second",
        "about 4 more seconds",
        "about 40 more seconds",
        "about 10 more minutes",
        "about 2 more hours",
    ]
    assert parse_condition("0xcpu@100%") == IDLE
