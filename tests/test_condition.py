"""Text forms of conditions, and what is one condition."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latvar_tui.condition import IDLE, Arrivals, Condition, cores_text, parse_arrivals, parse_condition, parse_cores

_CORES = st.sets(st.integers(0, 40), max_size=6).map(lambda cores: tuple(sorted(cores)))
_ARRIVALS = st.none() | st.builds(Arrivals, st.integers(100, 10**8).map(lambda n: n / 1000), st.booleans())


_CONDITIONS = st.builds(
    Condition,
    st.integers(0, 64),
    st.sampled_from(["cpu", "mem", "stress-ng:matrix"]),
    st.integers(10, 100),
    st.integers(-20, 19),
    _CORES,
    st.integers(-20, 19),
    _CORES,
    _ARRIVALS,
)


@given(_CONDITIONS)
def test_a_condition_survives_its_text_form(condition: Condition) -> None:
    assert parse_condition(str(condition)) == condition


def test_what_is_not_the_default_stands_behind_the_stress() -> None:
    condition = Condition(4, stress_nice=10, stress_pin=(1,), pin=(0, 1, 3), arrivals=Arrivals(60, poisson=True))
    assert str(condition) == "4xcpu@100%,stress-nice=10,stress-pin=1,pin=0-1,3,rate=poisson:60"
    assert condition.without_stress().title == "idle,pin=0-1,3,rate=poisson:60"


def test_no_stress_is_one_condition() -> None:
    assert Condition(0, "mem", 30, 10, (1,)) == IDLE
    assert str(IDLE) == "0xcpu@100%"
    assert IDLE.title == "idle"


def test_another_rate_or_other_cores_are_another_condition() -> None:
    assert len({IDLE, Condition(pin=(0,)), Condition(nice=5), Condition(arrivals=Arrivals(60))}) == 4


@pytest.mark.parametrize(
    "text",
    ["", "2", "2xcpu", "xcpu@100%", "2xcpu@100", "-1xcpu@100%", "2xcpu@100%\n", "2xcpu@100%,colour=red",
     "2xcpu@100%,nice=1,nice=2", "0xcpu@100%,"],
)  # fmt: skip
def test_other_text_is_no_condition(text: str) -> None:
    with pytest.raises(ValueError, match="not a condition"):
        parse_condition(text)


@given(_CORES.filter(bool))
def test_cores_survive_their_text_form(cores: tuple[int, ...]) -> None:
    assert parse_cores(cores_text(cores)) == cores


@pytest.mark.parametrize("text", ["", "a", "1-", "3-1", "-1", "0,,1", "99999"])
def test_other_text_is_no_list_of_cores(text: str) -> None:
    with pytest.raises(ValueError, match="numbers of cores"):
        parse_cores(text)


@pytest.mark.parametrize("text", ["0", "0.01", "-1", "nan", "1e9", "poisson", "poisson:", "poisson:0", "60/s"])
def test_other_text_is_no_rate(text: str) -> None:
    with pytest.raises(ValueError, match="a second"):
        parse_arrivals(text)
