"""Who comes and goes while the others are measured, and runners within a memory budget: with a real probe."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from latvar_tui import wire
from latvar_tui.candidate import parse_candidate
from latvar_tui.device.cores import physical_cores
from latvar_tui.link import Link
from tests import graphs
from tests.conftest import conv_model, frames_until, is_gone, slices, wait_until_gone

Start = Callable[..., Link]


def full(text: str) -> str:
    """A candidate's whole text, as frames carry it."""
    return str(parse_candidate(text, physical_cores()))


def a_slice_of(name: str) -> Callable[[wire.Frame], bool]:
    return lambda frame: isinstance(frame, wire.Slice) and frame.candidate == name


def states(frames: list[wire.Frame], name: str) -> list[str]:
    return [frame.state for frame in frames if isinstance(frame, wire.State) and frame.candidate == name]


def go_on(link: Link, frames: list[wire.Frame]) -> None:
    """Answer the last slice, so that the next one begins."""
    link.send(wire.Go(slices(frames)[-1].seq))


def slices_come(number: int) -> Callable[[wire.Frame], bool]:
    """Whether so many have come: by their number alone, some may have come with the frames before, unread."""
    left = number

    def enough(frame: wire.Frame) -> bool:
        nonlocal left
        left -= isinstance(frame, wire.Slice)
        return left <= 0

    return enough


def test_a_candidate_joins_while_the_others_go_on(start: Start, small_model: str) -> None:
    first, second = full(f"{small_model}@as=A"), full(f"{small_model}@as=B")
    link = start([first])
    before = frames_until(link, a_slice_of(first))
    link.send(wire.Add(second))
    go_on(link, before)
    frames = frames_until(link, a_slice_of(second))
    assert states(frames, second) == ["loading", "loading", "ready"]  # it joins; it has a process; it may run
    # Its loading meets no slice: none is told of between the two.
    tale = [frame for frame in frames if isinstance(frame, wire.Slice) or frame.candidate == second]  # type: ignore[union-attr]
    loading = next(i for i, frame in enumerate(tale) if isinstance(frame, wire.State))
    assert [type(frame) for frame in tale[loading : loading + 3]] == [wire.State] * 3
    go_on(link, frames)
    after = frames_until(link, a_slice_of(first))
    assert slices(after)[-1].seq > slices(before)[-1].seq


def test_loading_is_told_apart_from_the_numbers(start: Start, small_model: str) -> None:
    frames = frames_until(start([small_model]), a_slice_of(full(small_model)))
    (ready,) = (frame for frame in frames if isinstance(frame, wire.State) and frame.state == "ready")
    assert ready.load_ms is not None and ready.load_ms > 0
    assert len(ready.cold_ms) >= 3 and all(time_ms > 0 for time_ms in ready.cold_ms)
    assert ready.warm_ms is not None and min(ready.cold_ms) <= ready.warm_ms <= max(ready.cold_ms)
    assert ready.memory_mb is not None and ready.memory_mb > 0
    assert ready.inputs == ["x float32 1x8x16x16"]


def test_the_same_candidate_joins_once(start: Start, small_model: str) -> None:
    name = full(small_model)
    link = start([small_model])
    frames = frames_until(link, a_slice_of(name))
    link.send(wire.Add(name))
    go_on(link, frames)
    more = frames_until(link, a_slice_of(name))
    go_on(link, more)
    assert states(frames_until(link, a_slice_of(name)) + more, name) == []
    assert len(link.pids) == 2  # with the stressor


def test_one_that_leaves_is_gone_and_may_come_back(start: Start, small_model: str) -> None:
    first, second = full(f"{small_model}@as=A"), full(f"{small_model}@as=B")
    link = start([first, second])
    frames = frames_until(link, a_slice_of(second))
    (pid,) = {f.pid for f in frames if isinstance(f, wire.State) and f.candidate == second and f.pid}
    link.send(wire.Remove(second))
    go_on(link, frames)
    frames = frames_until(link, slices_come(6))
    assert {frame.candidate for frame in slices(frames)[2:]} == {first}
    wait_until_gone({pid})
    link.send(wire.Add(second))
    go_on(link, frames)
    frames_until(link, a_slice_of(second))


def test_one_that_leaves_while_it_loads_is_waited_for_no_longer(start: Start, small_model: str) -> None:
    first, second = full(small_model), full("resnet18")
    link = start([first])
    frames = frames_until(link, a_slice_of(first))
    link.send(wire.Add(second))
    go_on(link, frames)
    frames = frames_until(link, lambda f: isinstance(f, wire.State) and f.candidate == second and f.pid > 0)
    pid = next(frame.pid for frame in frames if isinstance(frame, wire.State) and frame.pid)
    link.send(wire.Remove(second))
    frames_until(link, a_slice_of(first))
    assert is_gone(pid)


def test_one_alone_and_all_again(start: Start, small_model: str) -> None:
    names = [full(f"{small_model}@as={label}") for label in "ABC"]
    link = start(names, slice_ms=20)
    frames = frames_until(link, a_slice_of(names[1]))
    link.send(wire.Only(names[1]))
    go_on(link, frames)
    frames = frames_until(link, slices_come(8))
    assert {frame.candidate for frame in slices(frames)[2:]} == {names[1]}
    link.send(wire.Only(candidates=[names[0], names[2]]))
    go_on(link, frames)
    frames = slices(frames_until(link, slices_come(9)))
    rounds = {frame.round: {other.candidate for other in frames if other.round == frame.round} for frame in frames[2:]}
    whole = [rounds[number] for number in sorted(rounds)[1:-1]]
    assert len(whole) > 1 and all(there == {names[0], names[2]} for there in whole)
    link.send(wire.Only(""))
    go_on(link, frames)
    frames = frames_until(link, slices_come(8))
    assert {frame.candidate for frame in slices(frames)} == set(names)


@pytest.mark.parametrize("text", ["no/such.onnx", "nosuchmodel", "squeezenet1_1@threads=0"])
def test_one_that_cannot_join_is_refused_and_the_others_go_on(start: Start, small_model: str, text: str) -> None:
    name = full(small_model)
    link = start([small_model])
    frames = frames_until(link, a_slice_of(name))
    link.send(wire.Add(text))
    go_on(link, frames)
    frames = frames_until(link, lambda f: isinstance(f, wire.State) and f.state == "refused")
    assert isinstance(frames[-1], wire.State) and frames[-1].reason
    if slices(frames):
        go_on(link, frames)
    frames_until(link, a_slice_of(name))


def test_a_budget_ends_runners_and_starts_them_again(small_model: str, larger_model: str) -> None:
    names = [full(small_model), full(larger_model), full(f"{small_model}@as=C")]
    link = Link(force=True)
    try:
        link.send(wire.Start(names, "0xcpu@100%", 20.0, memory_mb=1.0))  # less than any of them takes
        link.send(wire.Go(0))
        frames = frames_until(link, lambda frame: isinstance(frame, wire.Slice) and frame.seq >= 9)
    finally:
        link.close()
    assert {frame.candidate for frame in slices(frames)} == set(names)
    alive: set[str] = set()
    most = 0
    for frame in frames:
        if isinstance(frame, wire.State):
            (alive.add if frame.state == "ready" else alive.discard)(frame.candidate)
            most = max(most, len(alive))
        elif isinstance(frame, wire.Slice):
            assert alive == {frame.candidate}  # nobody else's memory is taken while it runs
    assert most <= 2  # a new one's own is known once it is there
    assert all(states(frames, name).count("unloaded") >= 2 for name in names)
    # Loading again is nobody's gap.
    assert all(frame.gap_ns < 1e9 for frame in slices(frames))


def test_a_budget_that_suffices_changes_nothing(small_model: str, larger_model: str) -> None:
    names = [full(small_model), full(larger_model)]
    link = Link(force=True)
    try:
        link.send(wire.Start(names, "0xcpu@100%", 20.0, memory_mb=10_000.0))
        link.send(wire.Go(0))
        frames = frames_until(link, lambda frame: isinstance(frame, wire.Slice) and frame.seq >= 6)
    finally:
        link.close()
    assert all(states(frames, name) == ["loading", "loading", "ready"] for name in names)


def test_a_model_whose_file_has_gone_fails_and_keeps_what_it_measured(tmp_path: Path, small_model: str) -> None:
    """Within a budget it is loaded again and again."""
    path = Path(shutil.copy(small_model, tmp_path / "mine.onnx"))
    names = [full(str(path)), full(small_model)]
    link = Link(force=True)
    try:
        link.send(wire.Start(names, "0xcpu@100%", 20.0, memory_mb=1.0))
        link.send(wire.Go(0))
        frames = frames_until(link, a_slice_of(names[0]))
        path.unlink()
        go_on(link, frames)
        frames = frames_until(
            link, lambda f: isinstance(f, wire.State) and f.candidate == names[0] and f.state == "failed"
        )
        assert isinstance(frames[-1], wire.State) and "no file" in frames[-1].reason
        link.send(wire.Drawn(frames[-1].ask))
        frames_until(link, a_slice_of(names[1]))
    finally:
        link.close()


def test_another_file_under_the_same_name_has_another_identity(start: Start, tmp_path: Path, small_model: str) -> None:
    path = Path(shutil.copy(small_model, tmp_path / "mine.onnx"))
    name = full(str(path))

    def identity() -> str:
        frames = frames_until(start([str(path)]), lambda f: isinstance(f, wire.State) and f.state == "ready")
        return frames[-1].identity  # type: ignore[union-attr]

    before = identity()
    assert before == identity() != ""
    path.write_bytes(conv_model(16))
    assert identity() != before
    assert name == full(str(path))


def test_two_of_one_model_take_the_same_memory(start: Start, tmp_path: Path) -> None:
    """Its weights are mapped by both; each of them would need them without the other."""
    path = graphs.matmul(tmp_path / "m.onnx", external="m.data", rows=5_000)
    frames = frames_until(
        start([f"{path}@as=A,opt=off", f"{path}@as=B,opt=off"]), lambda frame: isinstance(frame, wire.Slice)
    )
    first, second = (f.memory_mb for f in frames if isinstance(f, wire.State) and f.state == "ready")
    assert first is not None and second is not None and second > 20 * 0.9
    assert abs(first - second) < 0.3 * first
