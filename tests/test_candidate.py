"""Text forms of candidates and conditions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latvar_tui.candidate import (
    IDLE,
    Candidate,
    Condition,
    UsageError,
    parse_candidate,
    parse_candidates,
    parse_condition,
    short_names,
)


def test_settings_are_explicit_in_the_text_form() -> None:
    candidate = parse_candidate("squeezenet1_1", cores=2)
    assert str(candidate) == "squeezenet1_1@threads=2,spin=on"
    assert str(parse_candidate("a/b.onnx@spin=off,as=mine", 4)) == "a/b.onnx@threads=4,spin=off,as=mine"


@given(
    st.builds(
        Candidate,
        model=st.sampled_from(["squeezenet1_1", "a b/c.onnx", "we@ird.onnx", "ü.onnx"]),
        threads=st.integers(1, 1024),
        spin=st.booleans(),
        label=st.from_regex(r"[A-Za-z0-9._+-]{0,10}", fullmatch=True),
    )
)
def test_a_candidate_survives_its_text_form(candidate: Candidate) -> None:
    assert parse_candidate(str(candidate), cores=3) == candidate


@pytest.mark.parametrize(
    "text",
    ["", "@threads=2", "m@threads=0", "m@threads=-1", "m@threads=x", "m@threads=9999999", "m@spin=maybe",
     "m@colour=red", "m@threads=1,threads=2", "m@as=", "m@as=a b", "m@as=a|b"],
)  # fmt: skip
def test_impossible_settings_are_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(UsageError) as refusal:
        parse_candidate(text, cores=2)
    assert "\n" not in str(refusal.value)
    assert ": " in str(refusal.value)


def test_the_same_candidate_twice_needs_a_label() -> None:
    with pytest.raises(UsageError, match="as=B"):
        parse_candidates(["m", "m"], cores=2)
    assert len(parse_candidates(["m", "m@as=B"], cores=2)) == 2


def test_names_show_what_differs() -> None:
    assert short_names(parse_candidates(["m", "n"], 2)) == ["m", "n"]
    assert short_names(parse_candidates(["m", "m@spin=off"], 2)) == ["m@spin=on", "m@spin=off"]
    assert short_names(parse_candidates(["m@threads=1", "m@as=B"], 2)) == ["m@threads=1", "B"]
    same = parse_candidates(["x/m.onnx", "y/m.onnx"], 2)
    assert short_names(same) == [str(candidate) for candidate in same]


@given(st.integers(0, 64), st.sampled_from(["cpu", "mem", "stress-ng:matrix"]), st.integers(10, 100))
def test_a_condition_survives_its_text_form(threads: int, kind: str, load_pct: int) -> None:
    condition = Condition(threads, kind, load_pct)
    assert parse_condition(str(condition)) == condition


def test_no_stress_is_one_condition() -> None:
    assert Condition(0, "mem", 30) == IDLE
    assert str(IDLE) == "0xcpu@100%"


@pytest.mark.parametrize("text", ["", "2", "2xcpu", "xcpu@100%", "2xcpu@100", "-1xcpu@100%", "2xcpu@100%\n"])
def test_other_text_is_no_condition(text: str) -> None:
    with pytest.raises(ValueError, match="not a condition"):
        parse_condition(text)
