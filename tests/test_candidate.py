"""Text forms of candidates and conditions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latvar_tui.candidate import (
    Candidate,
    UsageError,
    parse_candidate,
    parse_candidates,
    short_names,
)
from latvar_tui.settings import SETTINGS


def test_the_text_form_names_threads_and_spin_and_what_is_not_the_default() -> None:
    assert str(parse_candidate("squeezenet1_1", cores=2)) == "squeezenet1_1@threads=2,spin=on"
    assert str(parse_candidate("a/b.onnx@spin=off,as=mine", 4)) == "a/b.onnx@threads=4,spin=off,as=mine"
    assert (
        str(parse_candidate("m@as=x,execution=parallel,arena=on,opt=basic,precision=int8,provider=cpu,spin=500", 1))
        == "m@threads=1,spin=500us,opt=basic,precision=int8,execution=parallel,as=x"
    )


INPUT_NAMES = st.one_of(
    st.sampled_from(["x", "input_ids", "serving_default:0", "a,b", "images@1", "x/y.z"]),
    st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters=",="), min_size=1, max_size=8),
)
SHAPES = st.lists(st.integers(1, 4096), min_size=1, max_size=5).map(tuple)
NUMBERS = st.one_of(st.integers(-9, 9).map(str), st.floats(-100, 100).map(lambda value: f"{value:.3f}"))
FILLS = st.one_of(NUMBERS, st.integers(-9, 9).map(lambda low: f"{low}..{low + 3}"))


def by_input(values: st.SearchStrategy[object]) -> st.SearchStrategy[tuple[object, ...]]:
    pairs = st.lists(st.tuples(INPUT_NAMES, values), max_size=3, unique_by=lambda pair: pair[0])
    return pairs.map(tuple)


@given(
    st.builds(
        Candidate,
        model=st.sampled_from(["squeezenet1_1", "a b/c.onnx", "we@ird.onnx", "ü.onnx", "int8"]),
        threads=st.integers(1, 1024),
        spin=st.just(True),
        spin_us=st.none() | st.integers(1, 10_000_000),
        opt=st.sampled_from(["off", "basic", "extended", "all"]),
        provider=st.from_regex(r"[a-z][a-z0-9]{0,9}", fullmatch=True),
        precision=st.sampled_from(["fp32", "int8"]),
        arena=st.booleans(),
        execution=st.sampled_from(["sequential", "parallel"]),
        shapes=by_input(SHAPES),
        fills=by_input(FILLS),
        values_file=st.sampled_from(["", "in.npz", "a folder/x@y.npz"]),
        label=st.from_regex(r"[A-Za-z0-9._+-]{0,10}", fullmatch=True),
    )
)
def test_a_candidate_survives_its_text_form(candidate: Candidate) -> None:
    assert parse_candidate(str(candidate), cores=3) == candidate
    off = candidate.changed(spin=False, spin_us=None)
    assert parse_candidate(str(off), cores=3) == off


@given(st.text(max_size=40))
def test_any_text_is_a_candidate_or_refused(text: str) -> None:
    for typed in (text, f"m@{text}", f"m@shape={text}", f"m@fill={text}"):
        try:
            candidate = parse_candidate(typed, cores=2)
        except UsageError as refusal:
            assert str(refusal)
        else:
            assert parse_candidate(str(candidate), cores=9) == candidate


def test_a_value_may_name_its_setting() -> None:
    assert parse_candidate("m@int8", 2) == parse_candidate("m@precision=int8", 2)
    assert parse_candidate("m@threads=1,parallel", 2) == parse_candidate("m@threads=1,execution=parallel", 2)


@pytest.mark.parametrize(
    "text",
    ["", "@threads=2", "m@threads=0", "m@threads=-1", "m@threads=x", "m@threads=9999999", "m@spin=maybe",
     "m@colour=red", "m@threads=1,threads=2", "m@as=", "m@as=a b", "m@as=a|b", "m@spin=0us", "m@spin=99999999us",
     "m@opt=most", "m@precision=int4", "m@provider=", "m@arena=yes", "m@execution=wild", "m@shape=x", "m@shape=x:",
     "m@shape=x:1x0", "m@shape=:1x3", "m@shape=x:1,shape=x:2", "m@fill=x:", "m@fill=x:y", "m@fill=x:3..1", "m@input="],
)  # fmt: skip
def test_impossible_settings_are_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(UsageError) as refusal:
        parse_candidate(text, cores=2)
    assert "\n" not in str(refusal.value)
    assert ": " in str(refusal.value)


def test_every_setting_is_explained_and_has_its_default_first() -> None:
    plain = Candidate(3, model="m")
    for setting in SETTINGS:
        assert setting.help and setting.values
        if setting.default:
            assert setting.read(plain, setting.default) == plain
        for step in setting.steps:
            assert setting.texts(setting.read(plain, step)) in ([step], [] if step == setting.default else [step])


def test_variants_multiply_a_line_up_out() -> None:
    found = parse_candidates(["m", "n@as=N"], 2, ["threads=1,2", "spin=on,off"])
    assert [str(candidate) for candidate in found][:4] == [
        "m@threads=1,spin=on", "m@threads=1,spin=off", "m@threads=2,spin=on", "m@threads=2,spin=off",
    ]  # fmt: skip
    assert short_names(found)[0] == "m@threads=1"
    assert short_names(found)[-1] == "N@threads=2,spin=off"
    assert len({str(candidate) for candidate in found}) == len(found) == 8


@pytest.mark.parametrize("text", ["", "threads", "threads=", "threads=0", "colour=red,blue", "as=A,B", "threads=1,1"])
def test_impossible_variants_are_refused(text: str) -> None:
    with pytest.raises(UsageError) as refusal:
        parse_candidates(["m"], 2, [text])
    assert "\n" not in str(refusal.value)


def test_the_same_candidate_twice_needs_a_label() -> None:
    with pytest.raises(UsageError, match="as=B"):
        parse_candidates(["m", "m"], cores=2)
    assert len(parse_candidates(["m", "m@as=B"], cores=2)) == 2


def test_names_show_what_differs() -> None:
    assert short_names(parse_candidates(["m", "n"], 2)) == ["m", "n"]
    assert short_names(parse_candidates(["m", "m@spin=off"], 2)) == ["m", "m@spin=off"]
    assert short_names(parse_candidates(["m@threads=1", "m@as=B"], 2)) == ["m@threads=1", "B"]
    assert short_names(parse_candidates(["m", "m@int8"], 2)) == ["m", "m@int8"]
    assert short_names(parse_candidates(["m@spin=off"], 2)) == ["m@spin=off"]
    assert short_names(parse_candidates(["m@shape=x:1x3", "m@shape=x:1x4"], 2)) == ["m@shape=x:1x3", "m@shape=x:1x4"]
    assert short_names(parse_candidates(["m@shape=x:1x3", "n@threads=1"], 2)) == ["m@threads=2", "n@threads=1"]
    same = parse_candidates(["x/m.onnx", "y/m.onnx"], 2)
    assert short_names(same) == [str(candidate) for candidate in same]
