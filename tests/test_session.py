"""A session that is recorded and read again: the same frames, the same board, whatever happened to the files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from latvar_tui import wire
from latvar_tui.hdr_layout import COUNTS_LEN
from latvar_tui.session.reader import Session
from latvar_tui.session.recorder import SessionRecorder
from latvar_tui.summary import summary
from tests.scripted_link import board_of, line_up, session

CANDIDATES = ["mobilenet_v2", "squeezenet1_1"]
CONDITIONS = ["0xcpu@100%", "2xcpu@100%,pin=0,1,rate=60"]


def recorded(folder: Path, frames: Iterable[wire.Frame], candidates: Sequence[str] = CANDIDATES, **more: Any) -> Path:
    """Record frames, a gap after each, and end properly."""
    recorder = SessionRecorder(line_up(candidates), {"slice_ms": 250.0}, folder)
    for frame in frames:
        recorder.take(frame)
        assert recorder.flush_in_gap() == []
    recorder.close("done")
    assert recorder.folder is not None
    return recorder.folder


def texts(frames: Iterable[wire.Frame]) -> list[bytes]:
    return [wire.encode(frame) for frame in frames]


def numbers(board: Any) -> Any:
    document = summary(board)
    return json.loads(json.dumps({name: document[name] for name in ("cells", "device", "candidates")}))


# -- round trips ----------------------------------------------------------------------------------------


def test_what_was_recorded_is_read(tmp_path: Path) -> None:
    frames = session(CANDIDATES, CONDITIONS)
    opened = Session(recorded(tmp_path / "a", frames))
    # Of each candidate the latest state before the first slice is kept; everything from there on is.
    first = next(place for place, frame in enumerate(frames) if isinstance(frame, wire.Slice))
    read = list(opened.frames())
    assert texts(read)[-len(frames[first:]) :] == texts(frames[first:])
    assert read[0] == frames[0]
    assert opened.notes == []
    assert opened.ended is not None and opened.ended["why"] == "done"
    assert numbers(opened.board()) == numbers(board_of(CANDIDATES, frames))


ns = st.integers(0, 10**11)
small = st.integers(0, 10**6)
readings = st.builds(wire.Reading, st.none() | st.floats(-1e299, 1e299) | small, st.none() | st.text(max_size=10))


@st.composite
def counts(draw: st.DrawFn) -> wire.Counts:
    one = st.tuples(st.integers(0, COUNTS_LEN - 1), st.integers(0, 10**6)).map(list)
    pairs = draw(st.lists(one, max_size=8) | st.lists(one, max_size=8, unique_by=lambda pair: pair[0]).map(sorted))
    extremes = sorted([draw(ns), draw(ns)])
    overflow = draw(st.integers(0, sum(count for _, count in pairs)))
    return wire.Counts(pairs, *extremes, draw(ns), overflow, draw(st.none() | st.text(max_size=5)))


@st.composite
def slices(draw: st.DrawFn) -> list[wire.Frame]:
    found: list[wire.Frame] = []
    begin = 10**12
    for seq in range(draw(st.integers(1, 5))):
        service = draw(counts())
        begin += draw(st.integers(10**7, 10**10))
        sums = draw(st.just([]) | st.lists(ns, min_size=len(service.pairs), max_size=len(service.pairs)))
        found.append(
            wire.Slice(
                seq, draw(st.text(max_size=9) | st.just("m@threads=1,spin=on")), draw(st.sampled_from(CONDITIONS)),
                *(draw(small) for _ in range(2)), begin, begin + draw(ns), *(draw(ns) for _ in range(2)),
                *(draw(small) for _ in range(4)), service, draw(counts()),
                draw(st.dictionaries(st.text(max_size=5), readings, max_size=3)),
                draw(st.lists(st.text(max_size=9), max_size=2)), draw(readings), sums,
                draw(st.lists(st.lists(st.integers(-1, 2**62), min_size=4, max_size=4), max_size=3)),
                draw(st.dictionaries(st.text(max_size=5), readings, max_size=3)),
                draw(st.lists(st.text(max_size=5), max_size=2)),
                draw(st.none() | counts()), *(draw(small) for _ in range(3)),
            )
        )  # fmt: skip
    return found


@given(slices())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_slice_is_read_as_it_was_recorded(
    tmp_path_factory: pytest.TempPathFactory, found: list[wire.Slice]
) -> None:
    frames = [session(CANDIDATES, [])[0], *found]
    recorder = SessionRecorder(line_up(CANDIDATES), {}, tmp_path_factory.mktemp("s"))
    for frame in frames:
        recorder.take(frame)
    recorder._board.take = lambda frame: None  # type: ignore[method-assign]  # its sums are another matter
    recorder.flush_in_gap()
    recorder.close("done")
    assert recorder.folder is not None
    opened = Session(recorder.folder)
    assert texts(opened.frames()) == texts(frames)
    assert opened.notes == []
