"""Frames and commands survive their line, and nothing else gets through."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latvar_tui import wire

ns = st.integers(0, 2**62)
small = st.integers(0, 10**6)
text = st.text(max_size=40)
milliseconds = st.floats(0, 1e6)
readings = st.builds(wire.Reading, st.none() | st.floats(allow_nan=False, allow_infinity=False), st.none() | text)
pairs = st.lists(st.tuples(st.integers(0, 28671), st.integers(1, 10**6)).map(list), max_size=20)


@st.composite
def plausible_counts(draw: st.DrawFn) -> wire.Counts:
    chosen, extremes = draw(pairs), sorted([draw(ns), draw(ns)])
    overflow = draw(st.integers(0, sum(count for _, count in chosen)))
    return wire.Counts(chosen, extremes[0], extremes[1], draw(ns), overflow, draw(st.none() | text))


counts = plausible_counts()
conditions = st.sampled_from(["0xcpu@100%", "3xcpu@50%"])
frames = st.one_of(
    st.builds(wire.Hello, st.dictionaries(text, text, max_size=3), small, small, ns, ns),
    st.builds(
        wire.State, text, st.sampled_from(["loading", "ready", "unloaded", "failed", "refused"]), text, small,
        st.none() | milliseconds, st.none() | milliseconds, st.lists(milliseconds, max_size=3),
        st.none() | milliseconds, st.lists(text, max_size=2), st.lists(text, max_size=2),
    ),
    st.builds(
        wire.Slice, small, text, conditions, small, small, ns, ns, ns, ns, small, small, small, small, counts, counts,
        st.dictionaries(text, readings, max_size=3), st.lists(text, max_size=3),
    ),
    st.builds(wire.Note, text),
    st.builds(wire.Failure, text, st.booleans()),
)  # fmt: skip
commands = st.one_of(
    st.builds(wire.Start, st.lists(text, max_size=3), text, st.floats(1, 1e4), st.booleans(), st.none() | milliseconds),
    st.builds(wire.Add, text),
    st.builds(wire.Remove, text),
    st.builds(wire.Only, text, st.lists(text, max_size=3)),
    st.builds(wire.SetCondition, text),
    st.builds(wire.Go, small),
    st.builds(wire.Busy, ns),
    st.builds(wire.Quiet, ns),
    st.sampled_from([wire.Hold(), wire.Resume(), wire.Quit()]),
)


@given(frames)
def test_a_frame_survives_its_line(frame: wire.Frame) -> None:
    line = wire.encode(frame)
    assert line.count(b"\n") == 1 and line.endswith(b"\n")
    assert wire.decode_frame(line) == frame


@given(commands)
def test_a_command_survives_its_line(command: wire.Command) -> None:
    assert wire.decode_command(wire.encode(command)) == command


@given(st.lists(commands, max_size=6), st.integers(1, 40))
def test_lines_are_found_whatever_the_chunks(sent: list[wire.Command], size: int) -> None:
    stream = b"".join(wire.encode(command) for command in sent)
    splitter = wire.LineSplitter()
    found = [line for at in range(0, len(stream), size) for line in splitter.feed(stream[at : at + size])]
    assert [wire.decode_command(line) for line in found] == sent


def test_unknown_fields_and_types_are_ignored() -> None:
    assert wire.decode_command(b'{"v":1,"type":"go","seq":7,"colour":"red"}') == wire.Go(7)
    assert wire.decode_command(b'{"v":1,"type":"dance"}') is None
    body = json.loads(wire.encode(wire.Slice(1, "c", "0xcpu@100%", *range(10), wire.Counts(), wire.Counts())))  # type: ignore[arg-type]
    body["service"]["later"] = 1
    assert isinstance(wire.decode_frame(json.dumps(body).encode()), wire.Slice)


@pytest.mark.parametrize(
    ("version", "older"), [(2, "this side is older"), (0, "the screen is older")], ids=["newer", "older"]
)
def test_another_version_says_who_is_older(version: int, older: str) -> None:
    with pytest.raises(wire.WireError, match=older):
        wire.decode_command(json.dumps({"v": version, "type": "go", "seq": 1}).encode())


@given(st.binary(max_size=200).filter(lambda data: b"\n" not in data))
def test_anything_else_is_a_sentence(line: bytes) -> None:
    try:
        decoded = wire.decode_frame(line)
    except wire.WireError as error:
        assert "\n" not in str(error)
    else:
        assert decoded is None


@pytest.mark.parametrize("line", [b'{"v":1,"type":"go"}', b"[]", b"[" * 100_000])
def test_damaged_lines_are_refused(line: bytes) -> None:
    with pytest.raises(wire.WireError):
        wire.decode_command(line)


@pytest.mark.parametrize(
    "damage",
    [
        {"condition": "two threads"}, {"seq": "1"}, {"gap_ns": -1}, {"inferences": None}, {"service": {}, "wait": 7},
        {"service": {"pairs": [[1, 2, 3]]}}, {"service": {"pairs": [[10**6, 1]]}}, {"service": {"pairs": [[1, -1]]}},
        {"service": {"pairs": "ab"}}, {"service": {"pairs": [[1, 1]], "overflow": 2}},
        {"service": {"min_ns": 2, "max_ns": 1}}, {"service": {"min_ns": None}}, {"service": {"pairs": [[1, 10**30]]}},
    ],
    ids=str,
)  # fmt: skip
def test_damaged_slices_are_refused(damage: dict[str, object]) -> None:
    whole = wire.Slice(1, "c", "0xcpu@100%", *range(10), wire.Counts(), wire.Counts())  # type: ignore[arg-type]
    body = json.loads(wire.encode(whole)) | damage
    with pytest.raises(wire.WireError, match="Slice that cannot be read"):
        wire.decode_frame(json.dumps(body).encode())


def test_endless_lines_are_refused() -> None:
    splitter = wire.LineSplitter()
    with pytest.raises(wire.WireError, match="1 MiB"):
        for _ in range(20):
            splitter.feed(b"x" * 100_000)
    with pytest.raises(wire.WireError, match="1 MiB"):
        wire.decode_frame(b"x" * (wire.MAX_LINE_BYTES + 1))


@pytest.mark.parametrize(
    "damage",
    [{"cold_ms": ["x"]}, {"cold_ms": [-1.0]}, {"cold_ms": [True]}, {"warm_ms": "soon"}, {"memory_mb": []},
     {"inputs": [3]}, {"notes": [None]}, {"cold_ms": 3}, {"load_ms": {}}, {"warm_ms": float("nan")}],
    ids=str,
)  # fmt: skip
def test_a_state_with_nonsense_in_it_ends_the_link_with_a_sentence(damage: dict[str, object]) -> None:
    body = json.loads(wire.encode(wire.State("a", "ready"))) | damage
    with pytest.raises(wire.WireError, match="State that cannot be read"):
        wire.decode_frame(json.dumps(body).encode())
