"""A session that is recorded and read again: the same frames, the same board, whatever happened to the files."""

from __future__ import annotations

import gzip
import json
import os
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from latvar_tui import wire
from latvar_tui.hdr_layout import COUNTS_LEN
from latvar_tui.session import board_feed, hlog, reader, snapshot
from latvar_tui.session.growing import GrowingFiles
from latvar_tui.session.layout import ABOUT, BOARD, FRAMES, INTERVALS, RESPONSES, SCHEMA_NUMBER, WAITS, SessionError
from latvar_tui.session.reader import Session
from latvar_tui.study.board import Board
from latvar_tui.summary import remarks
from tests.scripted_link import BEGIN_NS, board_of, session, slice_frame
from tests.session_files import (
    CANDIDATES,
    CONDITIONS,
    lines_of,
    numbers,
    recorded,
    recorder_of,
    slices_of,
    some_frames,
)

# -- round trips ----------------------------------------------------------------------------------------


def test_what_was_recorded_is_read(tmp_path: Path) -> None:
    frames = some_frames()
    opened = Session(recorded(tmp_path / "a", frames))
    # Of each candidate the latest state before the first slice is kept; everything from there on is.
    first = next(place for place, frame in enumerate(frames) if isinstance(frame, wire.Slice))
    read = lines_of(opened.frames())
    assert read[0] == wire.encode(frames[0])
    assert read[-len(frames[first:]) :] == lines_of(frames[first:])
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
    return wire.Counts(pairs, extremes[0], extremes[1], draw(ns), overflow, draw(st.none() | st.text(max_size=5)))


@st.composite
def slices(draw: st.DrawFn) -> list[wire.Frame]:
    found: list[wire.Frame] = []
    begin = 10**12
    for seq in range(draw(st.integers(1, 5))):
        service, response = draw(counts()), draw(st.none() | counts())
        begin += draw(st.integers(10**7, 10**10))
        many = len((response or service).pairs)
        sums = draw(st.just([]) | st.lists(ns, min_size=many, max_size=many))
        found.append(
            wire.Slice(
                seq, draw(st.text(max_size=9) | st.just("m@threads=1,spin=on")), draw(st.sampled_from(CONDITIONS)),
                *(draw(small) for _ in range(2)), begin, begin + draw(ns), *(draw(ns) for _ in range(2)),
                *(draw(small) for _ in range(4)), service, draw(counts()),
                draw(st.dictionaries(st.text(max_size=5), readings, max_size=3)),
                draw(st.lists(st.text(max_size=9), max_size=2)), draw(readings), sums,
                draw(st.lists(st.lists(st.integers(-1, 2**62), min_size=5, max_size=5), max_size=3)),
                draw(st.dictionaries(st.text(max_size=5), readings, max_size=3)),
                draw(st.lists(st.text(max_size=5), max_size=2)),
                response, *(draw(small) for _ in range(3)),
            )
        )  # fmt: skip
    return found


@given(slices())
def test_any_slice_is_read_as_it_was_recorded(
    tmp_path_factory: pytest.TempPathFactory, found: list[wire.Frame]
) -> None:
    frames = [some_frames()[0], *found]
    recorder = recorder_of(tmp_path_factory.mktemp("s"))
    for frame in frames:
        recorder.take(frame)
        recorder.flush_in_gap()
    recorder.close("done")
    assert recorder.folder is not None
    opened = Session(recorder.folder)
    assert lines_of(opened.frames()) == lines_of(frames)
    assert opened.notes == []


def test_a_tag_holds_nothing_that_ends_one_and_no_two_are_alike() -> None:
    tags = hlog.Tags()
    assert tags.of("m@threads=2,spin=on", "2xcpu@100%,pin=0,1") == "m@threads=2;spin=on|2xcpu@100%;pin=0;1"
    found = [tags.of(name, "0xcpu@100%") for name in ("a b", "a_b", "a\tb", "a\nb", "a;b", "a,b", "a\u2028b")]
    assert len(set(found)) == len(found)
    assert not any(letter.isspace() or letter in ",\n" for tag in found for letter in tag)
    assert [tags.of(name, "0xcpu@100%") for name in ("a b", "a_b")] == found[:2]


def test_a_part_of_a_session_is_what_its_slices_add_up_to(tmp_path: Path) -> None:
    frames = some_frames()
    own = [frame for frame in frames if isinstance(frame, wire.Slice)]
    opened = Session(recorded(tmp_path / "a", frames))
    from_s, to_s = ((own[place].start_ns - BEGIN_NS) / 1e9 for place in (5, 17))
    kept = [frame for frame in frames if not isinstance(frame, wire.Slice)] + own[5:17]
    assert slices_of(opened.frames(from_s, to_s)) == slices_of(kept)
    assert numbers(opened.board(from_s, to_s)) == numbers(board_of(CANDIDATES, kept))


def test_open_loop_has_a_log_of_its_own(tmp_path: Path) -> None:
    service = some_frames()[-1]
    assert isinstance(service, wire.Slice)
    frame = slice_frame(1, CANDIDATES[0], CONDITIONS[1], [5_000_000], response=service.service, offered=3, unserved=1)
    folder = recorded(tmp_path / "a", [some_frames()[0], frame])
    assert slices_of(Session(folder).frames()) == slices_of([frame])
    with open(folder / RESPONSES, "rb") as file:
        (line,) = hlog.lines(file)
    assert line.pairs().tolist() == list(map(list, service.service.pairs))


# -- the shortcut ---------------------------------------------------------------------------------------


def test_a_snapshot_spares_reading_what_it_holds(tmp_path: Path) -> None:
    frames = some_frames()
    folder = recorded(tmp_path / "a", frames)
    size = (folder / FRAMES).stat().st_size
    (folder / FRAMES).write_bytes(bytes(size))  # nobody looks at it
    assert Session(folder).shown(numbers) == numbers(board_of(CANDIDATES, frames))


def test_what_comes_after_a_snapshot_is_added(tmp_path: Path) -> None:
    frames = some_frames()
    recorder = recorder_of(tmp_path / "a")
    for place, frame in enumerate(frames):
        recorder.take(frame)
        recorder.flush_in_gap()
        if place == 20:
            recorder._snapshot()
    recorder._files.close()  # and no more: it is killed here
    opened = Session(tmp_path / "a")
    assert (tmp_path / "a" / BOARD).exists()
    assert opened.ended is None
    assert opened.shown(numbers) == numbers(opened.board()) == numbers(board_of(CANDIDATES, frames))


def test_one_that_was_cut_off_gets_a_snapshot_once_it_is_silent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "_LONG_S", -1.0)
    recorder = recorder_of(tmp_path / "a")
    for frame in some_frames():
        recorder.take(frame)
        recorder.flush_in_gap()
    opened = Session(tmp_path / "a")
    want = opened.shown(numbers)
    assert not (tmp_path / "a" / BOARD).exists()  # it goes on
    recorder._files.close()  # it is killed here
    opened.shown(numbers)
    assert not (tmp_path / "a" / BOARD).exists()  # only just
    for path in (tmp_path / "a").iterdir():
        os.utime(path, (0, 0))
    opened.shown(numbers)
    assert (tmp_path / "a" / BOARD).exists()
    (tmp_path / "a" / FRAMES).write_bytes(bytes((tmp_path / "a" / FRAMES).stat().st_size))  # nobody looks at it
    assert Session(tmp_path / "a").shown(numbers) == want


def test_what_was_lost_is_said_by_a_snapshot_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = recorder_of(tmp_path / "a")
    for place, frame in enumerate(some_frames()):
        monkeypatch.setattr(GrowingFiles, "has_room", place not in (20, 21))
        recorder.take(frame)
        recorder.flush_in_gap()
    recorder.close("done")
    assert "2 slices could not be recorded, for want of room." in Session(tmp_path / "a").shown(remarks)


@pytest.mark.parametrize("sizes", [b'{"\\u0000": 1}', b'{"../a": 1}'])
def test_a_snapshot_of_strange_files_is_none(tmp_path: Path, sizes: bytes) -> None:
    folder = recorded(tmp_path / "a", some_frames())
    body = b'{"sizes": ' + sizes + b', "slices": 1, "board": null}'
    with pytest.raises(snapshot.Unreadable, match="sizes are impossible"):
        snapshot.unpacked(f"{snapshot.code_mark()} {zlib.crc32(body)}\n".encode() + body)
    (folder / BOARD).write_bytes(f"{snapshot.code_mark()} {zlib.crc32(body)}\n".encode() + body)
    assert Session(folder).shown(numbers) == numbers(board_of(CANDIDATES, some_frames()))


@pytest.mark.parametrize("damage", ["flipped", "cut", "other code", "forged", "gone"])
def test_a_snapshot_that_is_none_costs_time_alone(tmp_path: Path, damage: str) -> None:
    frames = some_frames()
    folder = recorded(tmp_path / "a", frames)
    data = (folder / BOARD).read_bytes()
    if damage == "flipped":
        data = data[:-50] + bytes([data[-50] ^ 1]) + data[-49:]
    elif damage == "cut":
        data = data[:-50]
    elif damage == "other code":
        data = b"0.0.1-" + data
    elif damage == "forged":  # right in form, but no number where one is needed
        body = data.partition(b"\n")[2].replace(b'"counted_ns": ', b'"counted_ns": "x", "was": ')
        data = f"{snapshot.code_mark()} {zlib.crc32(body)}\n".encode() + body
    if damage == "gone":
        (folder / BOARD).unlink()
    else:
        (folder / BOARD).write_bytes(data)
    opened = Session(folder)
    assert opened.shown(numbers) == numbers(board_of(CANDIDATES, frames))
    assert opened.notes == []


def test_a_forged_snapshot_makes_nothing_but_our_own_objects() -> None:
    for name in ("os:system", "subprocess:Popen", "latvar_tui.link:Link", "latvar_tui.study.board:wire"):
        with pytest.raises(snapshot.Unreadable):
            snapshot.load({"object": [0, name, {}]})


def test_every_part_of_a_board_can_be_kept() -> None:
    """Whatever is added to a cell: without this a long session would be slow to open, and nobody would notice."""
    # Long enough for what only comes to be with time.
    frames = session(CANDIDATES, CONDITIONS, slices_per_cell=120)
    board = board_of(CANDIDATES, frames)
    again = snapshot.load(json.loads(json.dumps(snapshot.dump(board))))
    assert isinstance(again, Board)
    assert numbers(again) == numbers(board)
    for frame in frames:
        board.take(frame)
        again.take(frame)
    assert numbers(again) == numbers(board)


# -- damage ---------------------------------------------------------------------------------------------


WHOLE = session(CANDIDATES, CONDITIONS, 6)
SLICES = slices_of(WHOLE)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short one: it is read anew after each damage."""
    return recorded(tmp_path_factory.mktemp("whole") / "a", WHOLE)


def copied(whole: Path, to: Path, changed: dict[str, bytes]) -> Session:
    to.mkdir()
    for path in whole.iterdir():
        if path.name != BOARD:
            (to / path.name).write_bytes(changed.get(path.name, path.read_bytes()))
    return Session(to)


@pytest.mark.parametrize("name", [INTERVALS, WAITS, FRAMES])
@given(share=st.floats(0, 1))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_torn_file_costs_its_end_alone(
    whole: Path, tmp_path_factory: pytest.TempPathFactory, name: str, share: float
) -> None:
    data = (whole / name).read_bytes()
    cut = data[: round(share * len(data))]
    opened = copied(whole, tmp_path_factory.mktemp("torn") / "a", {name: cut})
    read, every = slices_of(opened.frames()), SLICES
    assert read == every[: len(read)]
    assert len(read) >= (len(every) - 1) * share * 0.5 - 3
    opened.board()


@given(st.sampled_from([INTERVALS, WAITS, FRAMES, ABOUT]), st.data())
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damage_never_crashes_and_never_makes_numbers_up(
    whole: Path, tmp_path_factory: pytest.TempPathFactory, name: str, data: st.DataObject
) -> None:
    content = bytearray((whole / name).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content)))
        much = data.draw(st.integers(0, 40))
        content[at : at + much] = data.draw(st.binary(max_size=40))
    try:
        opened = copied(whole, tmp_path_factory.mktemp("hurt") / "a", {name: bytes(content)})
        read = slices_of(opened.frames())
        opened.board()
    except SessionError as error:
        assert str(error).endswith(".") and "\n" not in str(error)
        return
    if name != ABOUT:  # that says what times are relative to
        assert set(read) <= set(SLICES)


def with_frames(whole: Path, to: Path, *bodies: Any) -> Session:
    lines = b"".join((body if isinstance(body, bytes) else json.dumps(body).encode()) + b"\n" for body in bodies)
    return copied(whole, to, {FRAMES: gzip.compress(lines)})


def slice_bodies(whole: Path) -> list[dict[str, Any]]:
    lines = gzip.decompress((whole / FRAMES).read_bytes()).splitlines()
    return [body for body in map(json.loads, lines) if body["type"] == "slice"]


@pytest.mark.parametrize(
    "change",
    [
        {"inferences": 10**400}, {"start_ns": "soon"}, {"start_ns": None}, {"condition": "hot"}, {"service": 7},
        {"service": {"n": 3}}, {"service": {"pairs": [[10**9, 1]]}}, {"wait_sums": {"99999": 1}}, {"slowest": [[1]]},
        {"sensors": {"cpu_pct": {"value": [1]}}}, {"sensors": {"cpu_pct": True}}, {"stress_cpu": 1e999},
        {"wait_sums": {"-1": 5}}, {"candidate": 5},
    ],
)  # fmt: skip
def test_an_impossible_frame_is_left_out(whole: Path, tmp_path: Path, change: dict[str, Any]) -> None:
    first, second, *_ = slice_bodies(whole)
    opened = with_frames(whole, tmp_path / "a", first | change, b"[" * 5000, b"NaN", b"7", second)
    assert slices_of(opened.frames()) == slices_of(some_frames())[1:2]
    assert opened.notes and "left out" in opened.notes[0]
    opened.board()


def test_unknown_fields_and_frames_are_ignored(whole: Path, tmp_path: Path) -> None:
    good = slice_bodies(whole)[0]
    opened = with_frames(whole, tmp_path / "a", {"type": "dance"}, good | {"colour": "red"})
    assert slices_of(opened.frames()) == slices_of(some_frames())[:1]
    assert opened.notes == []


def test_what_was_lost_for_want_of_room_is_said(whole: Path, tmp_path: Path) -> None:
    opened = with_frames(whole, tmp_path / "a", {"type": "lost", "slices": 4}, slice_bodies(whole)[0])
    assert len(slices_of(opened.frames())) == 1
    assert "4 slices could not be recorded" in opened.notes[0]


def test_a_bomb_is_refused(whole: Path, tmp_path: Path) -> None:
    opened = copied(whole, tmp_path / "a", {FRAMES: gzip.compress(bytes(100 << 20))})
    with pytest.raises(SessionError, match="beyond belief"):
        opened.board()


def test_more_cells_than_anybody_measures_are_refused(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(board_feed, "MOST_CELLS", 10)
    counts = {"service": {"pairs": [[5, 1]]}, "wait": {"unavailable": "?"}, "wait_sums": {}}
    bodies = [slice_bodies(whole)[0] | counts | {"condition": f"{number}xcpu@100%"} for number in range(12)]
    with pytest.raises(SessionError, match="more than 10 cells"):
        with_frames(whole, tmp_path / "a", *bodies).board()


@pytest.mark.parametrize(
    ("about", "words"),
    [
        ({"schema": f"latvar-tui-session/{SCHEMA_NUMBER + 1}"}, "a newer latvar-tui"),
        ({"schema": "else/1"}, "no latvar-tui session"),
        ({"started": {"monotonic_ns": -1, "wall_ns": 0}}, "lacks what it began with"),
        ({"candidates": None}, "lacks what it began with"),
    ],
)
def test_what_cannot_be_read_is_refused_in_a_sentence(
    whole: Path, tmp_path: Path, about: dict[str, Any], words: str
) -> None:
    changed = json.loads((whole / ABOUT).read_bytes()) | about
    with pytest.raises(SessionError, match=words):
        copied(whole, tmp_path / "a", {ABOUT: json.dumps(changed).encode()})


def test_a_pipe_is_not_waited_for(whole: Path, tmp_path: Path) -> None:
    opened = copied(whole, tmp_path / "a", {})
    for name in (INTERVALS, FRAMES):
        (opened.folder / name).unlink()
        os.mkfifo(opened.folder / name)
        with pytest.raises(SessionError, match="no file"):
            opened.board()
