"""The probe, for real: real runner processes, a real model, a real stressor."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from latvar_tui import wire
from latvar_tui.candidate import parse_candidate
from latvar_tui.device.cores import physical_cores
from latvar_tui.link import Link, LinkLost
from tests.conftest import Started, frames_until, is_gone, slices, wait_until_gone

Start = Callable[..., Link]


def after_seq(seq: int) -> Callable[[wire.Frame], bool]:
    return lambda frame: isinstance(frame, wire.Slice) and frame.seq >= seq


def cpu_ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def test_a_slice_accounts_for_its_time(start: Start, small_model: str) -> None:
    frames = slices(frames_until(start([small_model]), after_seq(4)))
    for frame in frames:
        counted = sum(count for _, count in frame.service.pairs)
        assert counted == frame.inferences > 0
        assert frame.service.sum_ns + frame.settling_ns <= frame.end_ns - frame.start_ns
        assert frame.service.sum_ns >= 50e6 * 0.5  # most of the 50 ms asked for are inference
        assert frame.service.min_ns <= frame.service.sum_ns / counted <= frame.service.max_ns
        assert frame.settling >= 1
        assert frame.dropped == frame.disturbed == 0
    # Slices never overlap, and each gap lies between two of them (less a wait for the stressor, here none).
    for before, after in itertools.pairwise(frames):
        assert 0 < after.gap_ns <= after.start_ns - before.end_ns


def test_every_candidate_once_a_round_in_varying_order(start: Start, small_model: str) -> None:
    names = [f"{small_model}@as={name}" for name in "ABC"]
    frames = slices(frames_until(start(names, slice_ms=20), after_seq(45)))
    rounds: dict[int, list[str]] = {}
    for frame in frames:
        rounds.setdefault(frame.round, []).append(frame.candidate)
    whole = [order for order in rounds.values() if len(order) == 3]
    assert len(whole) >= 14
    assert all(len(set(order)) == 3 for order in whole)
    assert len({tuple(order) for order in whole}) > 1


def test_runners_and_stressor_are_frozen_in_the_gap(start: Start, small_model: str) -> None:
    link = start([small_model], "1xcpu@100%")
    frames_until(link, after_seq(2))
    # The last frame is unanswered: within its patience the probe sits in the gap, everything stopped.
    # Whether we look in time is the machine's affair, so look until it was so once.
    for seq in range(3, 40):
        states = {Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] for pid in link.pids}
        if states == {"T"}:
            return
        frames_until(link, after_seq(seq))
    pytest.fail(f"never found all of {link.pids} stopped")


def test_a_change_of_condition_is_never_mixed_into_a_cell(start: Start, small_model: str) -> None:
    link = start([small_model], slice_ms=2000)
    frames_until(link, lambda frame: isinstance(frame, wire.State) and frame.state == "ready")
    link.send(wire.SetCondition("1xcpu@100%"))
    frames = slices(frames_until(link, lambda f: isinstance(f, wire.Slice) and f.condition == "1xcpu@100%"))
    for frame in frames[:-1]:
        assert frame.condition == "0xcpu@100%"
        # The slice in which it changed was cut short: nobody waits two seconds for an answer to a key.
        assert frame.end_ns - frame.start_ns < 2e9
        assert sum(count for _, count in frame.service.pairs) == frame.inferences
    assert frames[-1].round > (frames[-2].round if len(frames) > 1 else -1)


def test_the_stressor_burns_as_asked(start: Start, small_model: str) -> None:
    link = start([small_model], "0xcpu@100%", slice_ms=100)
    frames = frames_until(link, after_seq(2))
    (hello,) = (frame for frame in frames if isinstance(frame, wire.Hello))
    before = cpu_ticks(hello.stressor_pid)
    seq = slices(frames_until(link, after_seq(6)))[-1].seq
    idle = cpu_ticks(hello.stressor_pid) - before
    link.send(wire.SetCondition("2xcpu@100%"))
    link.send(wire.Go(seq))
    frames_until(link, lambda f: isinstance(f, wire.Slice) and f.condition == "2xcpu@100%")
    before = cpu_ticks(hello.stressor_pid)
    last = frames_until(link, after_seq(seq + 12))[-1]
    assert idle <= 1
    assert cpu_ticks(hello.stressor_pid) - before > 10
    assert isinstance(last, wire.Slice) and last.condition == "2xcpu@100%"


def test_what_the_stressor_got_is_told_with_every_slice(start: Start, small_model: str) -> None:
    link = start([f"{small_model}@threads=1"], "0xcpu@100%", slice_ms=100)
    idle = slices(frames_until(link, after_seq(2)))
    assert all(frame.stress_cpu.value is None and frame.stress_cpu.reason for frame in idle)
    link.send(wire.SetCondition("2xfp@100%"))
    link.send(wire.Go(idle[-1].seq))
    frames_until(link, lambda f: isinstance(f, wire.Slice) and f.condition == "2xfp@100%")
    under = slices(frames_until(link, lambda f: isinstance(f, wire.Slice) and f.stress_cpu.value is not None))[-1]
    assert under.stress_cpu.value is not None
    assert 0 < under.stress_cpu.value <= 2.2 * (under.end_ns - under.start_ns)


def test_contention_is_measured(start: Start, larger_model: str) -> None:
    """More runnable threads than cores: some inferences wait, and where the kernel counts it, wait says so."""
    cores = os.cpu_count() or 1
    link = start([f"{larger_model}@threads=1"], slice_ms=200)
    idle = slices(frames_until(link, after_seq(4)))
    link.send(wire.SetCondition(f"{3 * cores}xcpu@100%"))
    link.send(wire.Go(idle[-1].seq))
    under = [
        frame
        for frame in slices(frames_until(link, after_seq(idle[-1].seq + 8)))
        if frame.condition != "0xcpu@100%" and frame.inferences
    ]
    if under[-1].wait.unavailable:
        pytest.skip(under[-1].wait.unavailable)

    def waiting(frames: list[wire.Slice]) -> float:
        return sum(f.wait.sum_ns for f in frames) / sum(f.service.sum_ns for f in frames)

    assert waiting(under) > waiting(idle)
    assert waiting(under) > 0.2
    for frame in under:
        assert frame.wait.sum_ns <= frame.service.sum_ns


def test_drawing_during_a_slice_is_counted(start: Start, small_model: str) -> None:
    link = start([small_model])
    seq = slices(frames_until(link, after_seq(1)))[-1].seq
    link.send(wire.Busy(0))
    link.send(wire.Go(seq))
    met = slices(frames_until(link, after_seq(seq + 1)))[-1]
    link.send(wire.Quiet(1))
    link.send(wire.Go(met.seq))
    calm = slices(frames_until(link, after_seq(met.seq + 1)))[-1]
    assert met.disturbed == met.inferences > 0
    assert calm.disturbed == 0


def test_no_answer_from_the_screen_is_said(start: Start, small_model: str) -> None:
    link = start([small_model])
    frames = slices(frames_until(link, after_seq(4), go=False))
    assert any("ungated" in frame.notes for frame in frames)


def test_hold_and_resume(start: Start, small_model: str) -> None:
    link = start([small_model])
    last = slices(frames_until(link, after_seq(2)))[-1]
    link.send(wire.Hold())
    link.send(wire.Go(last.seq))
    while link.wait(1.0):  # at most the slice that was running
        held = link.receive()
        for frame in slices(held):
            last = frame
            link.send(wire.Go(frame.seq))
    assert not link.wait(0.3)
    link.send(wire.Resume())
    after = slices(frames_until(link, after_seq(last.seq + 1)))[-1]
    assert any(note.startswith("held for") for note in after.notes)


def test_a_runner_that_is_killed_fails_alone(start: Start, small_model: str) -> None:
    link = start([f"{small_model}@as=A", f"{small_model}@as=B"])
    frames = frames_until(link, after_seq(2))
    victim = next(f for f in frames if isinstance(f, wire.State) and f.state == "ready")
    os.kill(victim.pid, signal.SIGKILL)
    after = frames_until(link, lambda f: isinstance(f, wire.State) and f.state == "failed")
    assert isinstance(after[-1], wire.State)
    assert after[-1].candidate == victim.candidate
    assert "killed" in after[-1].reason
    seq = max(frame.seq for frame in slices(frames + after))
    link.send(wire.Go(seq))
    others = slices(frames_until(link, after_seq(seq + 4)))
    names = {str(parse_candidate(f"{small_model}@as={name}", physical_cores())) for name in "AB"}
    assert {frame.candidate for frame in others} == names - {victim.candidate}
    assert is_gone(victim.pid)


def test_a_failure_after_a_hold_takes_nobody_along(start: Start, small_model: str) -> None:
    link = start([f"{small_model}@as=A", f"{small_model}@as=B"])
    frames = frames_until(link, after_seq(2))
    victim = next(f for f in frames if isinstance(f, wire.State) and f.state == "ready")
    link.send(wire.Hold())
    last = slices(frames)[-1]
    link.send(wire.Go(last.seq))
    while link.wait(0.5):  # at most the slice that was running
        for last in slices(link.receive()):
            link.send(wire.Go(last.seq))
    os.kill(victim.pid, signal.SIGKILL)
    link.send(wire.Resume())
    after = slices(frames_until(link, after_seq(last.seq + 3)))
    assert {frame.candidate for frame in after} != {victim.candidate}
    assert all(frame.gap_ns >= 0 for frame in after)


def test_nothing_is_measured_while_held_from_the_start(small_model: str) -> None:
    link = Link(force=True)
    try:
        link.send(wire.Start([small_model], "1xcpu@100%", 20.0))
        link.send(wire.Hold())
        link.send(wire.Go(0))
        frames_until(link, lambda frame: isinstance(frame, wire.State) and frame.state == "ready")
        assert not link.wait(0.5)
        link.send(wire.Resume())
        frames_until(link, after_seq(1))
    finally:
        link.close()


def test_more_threads_than_the_device_allows_is_a_sentence(start: Start, small_model: str) -> None:
    link = start([small_model], "100000xcpu@100%")
    failure = frames_until(link, lambda frame: isinstance(frame, wire.Failure))[-1]
    assert isinstance(failure, wire.Failure) and failure.usage and "1024" in failure.text


def test_a_killed_stressor_comes_back(start: Start, small_model: str) -> None:
    link = start([small_model], "1xcpu@100%")
    frames = frames_until(link, after_seq(2))
    (hello,) = (frame for frame in frames if isinstance(frame, wire.Hello))
    os.kill(hello.stressor_pid, signal.SIGKILL)
    after = frames_until(link, lambda frame: isinstance(frame, wire.Note))
    seq = max(frame.seq for frame in slices(frames + after))
    link.send(wire.Go(seq))
    last = slices(frames_until(link, after_seq(seq + 3)))[-1]
    assert last.condition == "1xcpu@100%"
    assert last.inferences > 0


def test_nothing_is_left_when_the_screen_leaves(start: Start, small_model: str) -> None:
    link = start([small_model, f"{small_model}@as=B"], "2xcpu@100%")
    frames_until(link, after_seq(3))
    pids = link.pids | {link.pid}
    assert len(pids) == 4
    link.close()
    assert all(is_gone(pid) for pid in pids)


def test_nothing_is_left_when_the_probe_is_killed(start: Start, small_model: str) -> None:
    link = start([small_model, f"{small_model}@as=B"], "2xcpu@100%")
    frames_until(link, after_seq(3))
    pids = link.pids
    os.kill(link.pid, signal.SIGKILL)
    with pytest.raises(LinkLost, match="SIGKILL"):
        frames_until(link, lambda frame: False)
    wait_until_gone(pids)


def test_nothing_is_left_when_the_screen_is_killed(small_model: str) -> None:
    """kill -9 of the process that started the probe, while its runners are frozen or at work."""
    program = (
        "import sys\n"
        "from latvar_tui import wire\n"
        "from latvar_tui.link import Link\n"
        "link = Link(force=True)\n"
        f"link.send(wire.Start([{small_model!r}, {small_model + '@as=B'!r}], '2xcpu@100%', 50.0, True))\n"
        "link.send(wire.Go(0))\n"
        "for frame in link.frames():\n"
        "    if isinstance(frame, wire.Slice):\n"
        "        print(*link.pids, link.pid, flush=True)\n"
        "        link.send(wire.Go(frame.seq))\n"
    )
    with Started([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as screen:
        assert screen.stdout is not None
        pids = {int(pid) for pid in screen.stdout.readline().split()}
        screen.kill()
    assert len(pids) == 4
    wait_until_gone(pids)


def test_a_second_probe_is_refused_without_force(tmp_path: Path, small_model: str) -> None:
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    command = [sys.executable, "-m", "latvar_tui.device"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with Started(command, env=environment, **pipes) as first:  # type: ignore[call-overload]
        assert json.loads(first.stdout.readline())["type"] == "hello"
        second = subprocess.run(command, env=environment, input=b"", capture_output=True, check=False)
        said = json.loads(second.stdout.splitlines()[0])
        assert second.returncode == 2
        assert said["type"] == "failure" and said["usage"]
        assert str(first.pid) in said["text"] and "--force" in said["text"]
        forced = subprocess.run([*command, "--force"], env=environment, input=b"", capture_output=True, check=False)
        assert json.loads(forced.stdout.splitlines()[0])["type"] == "hello"
        first.stdin.close()
    third = subprocess.run(command, env=environment, input=b"", capture_output=True, check=False)
    assert json.loads(third.stdout.splitlines()[0])["type"] == "hello"


def test_another_version_is_refused_with_a_sentence() -> None:
    command = [sys.executable, "-m", "latvar_tui.device", "--force"]
    ended = subprocess.run(command, input=b'{"v":2,"type":"go"}\n', capture_output=True, check=False)
    said = json.loads(ended.stdout.splitlines()[-1])
    assert said["type"] == "failure"
    assert "version 2" in said["text"] and "older" in said["text"]


def test_a_remote_probe_does_not_wait(start: Start, small_model: str) -> None:
    frames = slices(frames_until(start([small_model], gated=False), after_seq(4), go=False))
    assert all("ungated" not in frame.notes for frame in frames)
