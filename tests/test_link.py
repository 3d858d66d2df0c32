"""The screen's end of a probe, against probes that misbehave: scripts in the real one's place."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from latvar_tui import link as link_module
from latvar_tui import wire
from latvar_tui.link import LOG_LINES, Link, LinkLost
from tests.conftest import Started, is_gone
from tests.scripted_link import MS, hello, slice_frame, state_frame

FRAMES: list[wire.Frame] = [hello(), state_frame("a", "ready"), slice_frame(1, "a", "0xcpu@100%", [MS, 2 * MS])]

Fake = Callable[..., Link]


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fake]:
    """A link to a Python program in the place of the probe; FRAMES, encoded, is its ``frames``."""
    links: list[Link] = []

    def begin(program: str) -> Link:
        path = tmp_path / f"probe{len(links)}"
        frames = [wire.encode(frame) for frame in FRAMES]
        path.write_text(
            f"#!{sys.executable} -I\nimport os, signal, sys\nframes = {frames!r}\n"
            f"def say(*data): os.write(1, b''.join(data))\n{program}\n"
        )
        path.chmod(0o700)
        # The link runs `sys.executable -m latvar_tui.device …`; the script takes no notice of the arguments.
        monkeypatch.setattr(link_module, "sys", SimpleNamespace(executable=str(path)))
        links.append(Link())
        return links[-1]

    yield begin
    for link in links:
        link.close()


def until_lost(link: Link) -> tuple[list[wire.Frame], str]:
    """Every frame up to the end, and what is said of it."""
    taken: list[wire.Frame] = []
    with pytest.raises(LinkLost) as lost:
        for frame in link.frames():
            taken.append(frame)
    assert "\n" not in str(lost.value)
    return taken, str(lost.value)


# -- frames and commands ----------------------------------------------------------------------------


def test_frames_arrive_in_order_however_they_were_cut(fake: Fake) -> None:
    program = "data = b''.join(frames)\nfor i in range(len(data)): say(data[i:i + 1])"
    taken, _ = until_lost(fake(program))
    assert taken == FRAMES


def test_frames_before_the_end_are_not_lost_with_it(fake: Fake) -> None:
    link = fake("say(*frames)\nos.kill(os.getpid(), signal.SIGKILL)")
    link._process.wait()  # so that frames and end are there at once
    assert link.receive() == FRAMES
    with pytest.raises(LinkLost, match="SIGKILL"):
        link.receive()


def test_frames_of_a_later_version_of_this_side_are_passed_over(fake: Fake) -> None:
    taken, _ = until_lost(fake("""say(b'{"v":1,"type":"weather","sun":true}\\n', frames[0])"""))
    assert taken == FRAMES[:1]


def test_a_command_arrives_as_its_line(fake: Fake) -> None:
    link = fake("line = sys.stdin.readline()\nsys.stderr.write(line)\nsys.stderr.flush()\nsay(frames[0])")
    link.send(wire.SetCondition("4xcpu@100%"))
    until_lost(link)
    assert [wire.decode_command(line.encode()) for line in link.log] == [wire.SetCondition("4xcpu@100%")]


def test_nothing_has_come_is_no_end(fake: Fake) -> None:
    link = fake("sys.stdin.readline()")
    assert link.receive() == []
    assert not link.wait(0.0)


def test_commands_to_a_dead_probe_are_not_what_reports_it(fake: Fake) -> None:
    link = fake("")
    link._process.wait()
    for _ in range(3):
        link.send(wire.Go(1))
    assert until_lost(link)[1].startswith("The probe ended on its own")


# -- ends -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"Last login: Tue Oct  1\n", "something that is not latvar-tui's: 'Last login"),
        (b'{"type":"hello"}\n', "not latvar-tui's"),
        (b"\xff\xfe\x00\n", "not latvar-tui's"),
        (b'{"v":2,"type":"hello"}\n', "this side is older"),
        (b'{"v":0,"type":"hello"}\n', "the probe is older"),
        (b'{"v":1,"type":"slice","seq":1}\n', "Slice that cannot be read"),
        (b"x" * ((1 << 20) + 1), "1 MiB"),
    ],
    ids=["text", "no version", "bytes", "newer", "older", "half a slice", "endless"],
)
def test_what_is_no_frame_ends_the_link_with_a_sentence(fake: Fake, data: bytes, says: str) -> None:
    # In pieces: the endless line does not fit into a pipe at once.
    link = fake(f"data = {data!r}\nwhile data: data = data[os.write(1, data):]\nsys.stdin.readline()")
    taken, sentence = until_lost(link)
    assert taken == []
    assert says in sentence


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM], ids=lambda number: number.name)
def test_a_probe_that_was_killed_is_lost_by_the_signals_name(fake: Fake, number: signal.Signals) -> None:
    link = fake(f"say(*frames)\nsignal.signal({int(number)}, 0) if {int(number)} != 9 else 0\nsignal.pause()")
    for frame in link.frames():
        if frame == FRAMES[-1]:
            break
    os.kill(link.pid, number)
    _, sentence = until_lost(link)
    assert number.name in sentence
    assert "what it measured until then is kept" in sentence


@pytest.mark.parametrize("end", ["", "\n", "\n\n \n"], ids=["cut off", "a line", "blank lines"])
def test_a_probe_that_ends_by_itself_is_lost_with_its_last_words(fake: Fake, end: str) -> None:
    _, sentence = until_lost(fake(f"os.write(2, b'one thing\\nMemoryError: no more' + {end.encode()!r})\nsys.exit(3)"))
    assert "MemoryError: no more" in sentence
    assert "one thing" not in sentence


def test_an_end_in_order_quotes_no_unrelated_words(fake: Fake) -> None:
    _, sentence = until_lost(fake("print('a mere warning', file=sys.stderr)"))
    assert sentence == "The probe ended on its own: what it measured until then is kept."


def test_an_end_in_the_middle_of_a_frame_is_an_end(fake: Fake) -> None:
    taken, sentence = until_lost(fake("say(frames[0], frames[1][:20])"))
    assert taken == FRAMES[:1]
    assert sentence.startswith("The probe ended")


def test_the_end_is_told_as_often_as_one_asks(fake: Fake) -> None:
    link = fake("os.kill(os.getpid(), signal.SIGKILL)")
    assert until_lost(link) == until_lost(link)


# -- the log ----------------------------------------------------------------------------------------


def test_what_the_probe_prints_is_kept_line_by_line(fake: Fake) -> None:
    link = fake("os.write(2, b'first\\nsec'); os.write(2, b'ond \\xff\\r\\n\\nlast\\n')\nsay(frames[0])")
    until_lost(link)
    assert list(link.log) == ["first", "second \ufffd", "", "last"]
    assert not link.read_log()  # the end of it


def test_only_the_newest_lines_are_kept(fake: Fake) -> None:
    link = fake("for i in range(2000): os.write(2, b'%d\\n' % i)\nsay(frames[0])")
    until_lost(link)
    assert list(link.log) == [str(i) for i in range(2000 - LOG_LINES, 2000)]


# -- closing ----------------------------------------------------------------------------------------


def test_close_says_quit_and_waits(fake: Fake) -> None:
    link = fake("for line in sys.stdin: print(line, end='', file=sys.stderr)")
    link.close()
    assert [wire.decode_command(line.encode()) for line in link.log] == [wire.Quit()]
    assert link._process.returncode == 0


def test_close_twice_is_fine(fake: Fake) -> None:
    for program in ("sys.stdin.read()", "", "os.kill(os.getpid(), signal.SIGKILL)"):
        link = fake(program)
        link.close()
        link.close()
        assert is_gone(link.pid)


def test_close_after_the_end_is_fine(fake: Fake) -> None:
    link = fake("say(*frames)")
    until_lost(link)
    link.close()
    assert is_gone(link.pid)


def test_a_probe_that_does_not_listen_is_killed(fake: Fake) -> None:
    """Nor does it help to ignore polite signals, or to sit behind a full pipe."""
    link = fake("signal.signal(15, signal.SIG_IGN); signal.signal(1, signal.SIG_IGN)\nwhile True: say(frames[2])")
    link.wait(None)
    link.close()
    assert link._process.returncode == -signal.SIGKILL


def test_a_stopped_probe_is_ended_too(fake: Fake) -> None:
    link = fake("say(frames[0])\nos.kill(os.getpid(), signal.SIGSTOP)")
    link.wait(None)
    link.close()
    assert is_gone(link.pid)


def test_children_that_a_killed_probe_leaves_are_ended_but_no_stranger(fake: Fake) -> None:
    """Elsewhere than on Linux a stopped runner would stay for ever. One that leads no group is not ours."""
    wait = [sys.executable, "-c", "import signal; signal.pause()"]
    with Started(wait, process_group=0) as left, Started(wait) as stranger:
        left.send_signal(signal.SIGSTOP)
        states = [wire.State("a", "loading", pid=left.pid), wire.State("b", "loading", pid=stranger.pid)]
        link = fake(f"say({b''.join(map(wire.encode, states))!r})\nos.kill(os.getpid(), signal.SIGKILL)")
        taken, _ = until_lost(link)
        assert taken == states
        assert left.wait() == -signal.SIGKILL
        assert stranger.poll() is None
        stranger.kill()
