"""The real program on terminals that show less, on lines that carry less, and in the middle of a slice."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyte
import pytest

from latvar_tui import wire
from latvar_tui.session.layout import INTERVALS
from latvar_tui.session.reader import Session
from tests.conftest import LONGEST_S, wait_until_gone
from tests.test_live_pty import LEAVES_ALTERNATE_SCREEN, MOUSE_OFF, SHOWS_CURSOR, Live

NUMBERS = re.compile(r"now:[^\n]*\n\S* \S+ +\d")
"""The first row of the table counts."""
COLOUR = re.compile(rb"\x1b\[(?:[0-9]+;)*(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])(?:;[0-9]+)*m")
ASKS = b"\x1b[6n"
ASKS_FOR_SYNC, HAS_SYNC = b"\x1b[?2026$p", b"\x1b[?2026;2$y"
FRAME_ENDS = b"\x1b[1;1H"
SYNC_BEGINS, SYNC_ENDS = b"\x1b[?2026h", b"\x1b[?2026l"

FAR = {"SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 2"}


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Callable[..., Live]]:
    """Start the program with these arguments and environment; whatever happens, nothing of it stays."""
    started: list[Live] = []

    def start(*arguments: str, **environment: str) -> Live:
        environment = {"TMPDIR": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state")} | environment
        started.append(Live(*arguments, **environment))
        return started[-1]

    yield start
    for program in started:
        if program.poll() is None:
            program.kill()
        program.__exit__(None, None, None)


Start = Callable[..., Live]


@pytest.mark.parametrize(
    ("term", "allowed"),
    [
        ("vt100", rb"(?!)"),
        ("xterm", rb"3[0-79]|4[0-79]|9[0-7]|10[0-7]"),
        ("linux", rb"3[0-79]|4[0-79]|9[0-7]|10[0-7]"),
        ("screen", rb"3[0-79]|4[0-79]|9[0-7]|10[0-7]"),
        ("tmux-256color", rb"(?:38|48);5;[0-9]+|3[0-79]|4[0-79]|9[0-7]|10[0-7]"),
    ],
)
def test_a_terminal_gets_the_colours_and_characters_it_has(
    live: Start, small_model: str, term: str, allowed: bytes
) -> None:
    program = live("live", small_model, "--slice", "50", TERM=term, COLORTERM="")
    program.wait_for(NUMBERS.search)
    program.type(b"\x1b[C")
    program.wait_for(lambda text: "1xcpu" in text and NUMBERS.search(text))
    program.type(b"?")
    program.wait_for(lambda text: "keys" in text and "esc closes" in text)
    program.type(b"?L")
    program.wait_for(lambda text: "Theme: latvar-light" in text)
    program.type(b"q")
    assert program.finish() == 0
    screen = bytes(program.written).rpartition(LEAVES_ALTERNATE_SCREEN)[0]
    for sequence in COLOUR.findall(screen):
        codes = sequence[2:-1]
        left = re.sub(rb"(?:^|;)(?:" + allowed + rb")(?=;|$)", b"", codes)
        assert not re.search(rb"(?:^|;)(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])(?:;|$)", left), sequence
    if term == "vt100":
        assert screen.isascii()
    for sequence in (LEAVES_ALTERNATE_SCREEN, SHOWS_CURSOR, MOUSE_OFF):
        assert sequence in program.written


@pytest.mark.parametrize("wish", [{"NO_COLOR": "1"}, {"LC_ALL": "C"}], ids=["NO_COLOR", "LC_ALL=C"])
def test_wishes_of_the_environment_hold(live: Start, small_model: str, wish: dict[str, str]) -> None:
    program = live("live", small_model, "--slice", "50", **wish)
    program.wait_for(NUMBERS.search)
    program.type(b"q")
    assert program.finish() == 0
    screen = bytes(program.written).rpartition(LEAVES_ALTERNATE_SCREEN)[0]
    assert not COLOUR.search(screen) if "NO_COLOR" in wish else screen.isascii()


def blinking(screen: pyte.Screen, stream: pyte.ByteStream, frame: bytes) -> list[tuple[int, int]]:
    """The cells that a frame blanks and then fills with what they had."""

    def row(y: int) -> list[str]:
        """As ``screen.display`` has it, which works out all the others too."""
        return [screen.buffer[y][x].data for x in range(screen.columns)]

    before = [row(y) for y in range(screen.lines)]
    blanked: set[tuple[int, int]] = set()
    for piece in re.split(rb"(?=\x1b)", frame):
        screen.dirty.clear()
        stream.feed(piece)
        for y in screen.dirty:
            blanked.update((y, x) for x, has in enumerate(row(y)) if has == " " != before[y][x])
    return [(y, x) for y, x in blanked if screen.buffer[y][x].data == before[y][x]]


def test_no_cell_flickers_within_a_frame(live: Start, small_model: str) -> None:
    """On a terminal that shows a frame at once, where it begins and ends is told; and what one without that shows."""
    program = live("live", small_model, f"{small_model}@as=other")
    while ASKS_FOR_SYNC not in program.written:
        assert program.feed()
    program.type(HAS_SYNC)
    program.wait_for(lambda text: SYNC_ENDS in program.written and NUMBERS.search(text))
    for keys, seen in [
        (b"\x1b[C", "1xcpu@100%"),
        (b"l", "Linear axis"),
        (b"?", "esc closes"),
        (b"?b", "Base kept"),
        (b"L", "Theme: latvar-light"),
        (b"0", "now: idle"),
    ]:
        program.type(keys)
        program.wait_for(lambda text, seen=seen: seen in text)  # type: ignore[misc]
    program.type(b"q")
    assert program.finish() == 0

    shown = bytes(program.written).rpartition(LEAVES_ALTERNATE_SCREEN)[0].partition(SYNC_BEGINS)
    screen = pyte.Screen(*(program.screen.columns, program.screen.lines))
    stream = pyte.ByteStream(screen)
    stream.feed(shown[0].replace(b"\x1b[>25u", b""))
    frames = shown[2].split(SYNC_BEGINS)
    assert len(frames) > 10
    for frame in frames:
        assert SYNC_ENDS in frame
        assert blinking(screen, stream, frame.partition(SYNC_ENDS)[0]) == []


def slices_of(folder: Path) -> int:
    """Slices recorded so far."""
    try:
        return (folder / INTERVALS).read_bytes().count(b"Tag=")
    except FileNotFoundError:
        return 0


def wait_for_slices(folder: Path, number: int) -> None:
    """Gives up when none has come for a minute."""
    come, limit_s = -1, 0.0
    while (now := slices_of(folder)) < number:
        if now > come:
            come, limit_s = now, time.monotonic() + LONGEST_S
        assert time.monotonic() < limit_s
        time.sleep(0.01)  # polling a file of another process


def wait_for_slices_while(folder: Path, number: int, meanwhile: Callable[[], None]) -> None:
    while slices_of(folder) < number:
        meanwhile()


def slices_in(folder: Path) -> list[wire.Slice]:
    return [frame for frame in Session(folder).frames() if isinstance(frame, wire.Slice)]


STOOD_STILL = 150
"""Slices. What the kernel keeps is full after some 35 frames."""


def test_a_line_that_stands_still_holds_up_nothing(live: Start, small_model: str, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    program = live("live", f"{small_model}@threads=1", "--slice", "20", "--record", str(folder), **FAR)
    program.wait_for(NUMBERS.search)
    begun, shown = slices_of(folder), len(program.written)
    wait_for_slices(folder, begun + STOOD_STILL)
    program.type(b"q")
    assert program.finish() == 0
    frames = program.written[shown:].count(FRAME_ENDS)
    assert frames < STOOD_STILL / 2, "the kernel keeps more for a reader that does not come: it never stood still"
    found = slices_in(folder)
    assert sum(each.disturbed for each in found) <= sum(each.inferences for each in found[-3:]), "but for the q"
    assert sum("ungated" in each.marks for each in found) <= len(found) // 20


def test_a_slow_line_gets_fewer_frames_and_no_old_ones(live: Start, small_model: str, tmp_path: Path) -> None:
    """Few bytes for each slice, and a terminal that answers once it has got so far."""
    folder = tmp_path / "kept"
    program = live("live", f"{small_model}@threads=1", "--slice", "20", "--record", str(folder), **FAR)

    got, answers = bytearray(), 0

    def read(most: int) -> None:
        nonlocal answers
        got.extend(os.read(program.controller, most))
        while answers < got.count(ASKS):
            program.type(b"\x1b[1;1R")
            answers += 1

    wait_for_slices_while(folder, 20, lambda: read(65536))
    begun, due = len(got), 200
    for _ in range(due):
        wait_for_slices(folder, slices_of(folder) + 1)
        read(25)
    program.type(b"q")
    assert program.finish() == 0
    # What was on its way is what the kernel keeps, some hundred: no queue of all that were due.
    frames = (got[begun:] + program.written).count(FRAME_ENDS)
    assert frames < due * 3 / 4
    found = slices_in(folder)
    assert sum("ungated" in each.marks for each in found) <= len(found) // 20


def test_a_key_is_seen_before_the_slice_ends_that_it_was_struck_in(
    live: Start, larger_model: str, tmp_path: Path
) -> None:
    """A slice of 1.5 s on every core; struck in the middle of it, keys change the screen in the middle of it."""
    folder = tmp_path / "kept"
    program = live("live", larger_model, "--slice", "1500", "--record", str(folder))
    program.wait_for(NUMBERS.search)
    struck: list[tuple[int, int]] = []
    for words in ("Linear axis", "Logarithmic axis", "Linear axis"):
        at_ns = time.monotonic_ns()
        program.type(b"l")
        program.wait_for(lambda text, words=words: words in text)  # type: ignore[misc]
        struck.append((at_ns, time.monotonic_ns()))
    wait_for_slices(folder, slices_of(folder) + 1)
    program.drain()
    program.type(b"q")
    assert program.finish() == 0
    found = slices_in(folder)
    within = [(key, seen) for key, seen in struck if any(each.start_ns <= key and seen < each.end_ns for each in found)]
    assert within, "none of the keys was struck and seen in one slice"
    assert sum(each.disturbed for each in found) > 0


def test_a_copy_goes_to_the_clipboard_of_the_terminal(live: Start, small_model: str) -> None:
    import base64

    program = live("live", small_model, "--slice", "50")
    program.wait_for(NUMBERS.search)
    program.type(b"y")
    program.wait_for(lambda text: "Copied 1 row" in text)
    program.type(b"q")
    assert program.finish() == 0
    (code,) = re.findall(rb"\x1b\]52;c;([^\a]+)\a", bytes(program.written))
    head, row = base64.b64decode(code).decode().splitlines()
    assert head.startswith("candidate\tcondition\tn\tp50_ms\t") and row.split("\t")[1] == "0xcpu@100%"


def test_a_crash_restores_the_terminal_and_says_what_happened(live: Start, small_model: str, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import latvar_tui.tui.actions as actions\n"
        "def crash(self): raise RuntimeError('out of order')\n"
        "actions.Actions.action_axis = crash\n"
    )
    path = f"{tmp_path}{os.pathsep}{Path(__file__).parent.parent}"
    program = live("live", small_model, "--slice", "50", PYTHONPATH=path)
    program.wait_for(NUMBERS.search)
    family = set(program.family())
    program.type(b"l")
    assert program.finish() == 1
    for sequence in (LEAVES_ALTERNATE_SCREEN, SHOWS_CURSOR, MOUSE_OFF):
        assert sequence in program.written
    assert b"out of order" in bytes(program.written).rpartition(LEAVES_ALTERNATE_SCREEN)[2]
    wait_until_gone(family)
