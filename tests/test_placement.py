"""Cores and niceness of the models and of the stress: what was asked for is what the kernel has."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from latvar_tui import wire
from latvar_tui.condition import Condition
from latvar_tui.device.cores import core_list
from latvar_tui.link import Link
from tests.conftest import frames_until, slices

needs_affinity = pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="no affinity on this platform")


def threads_of(pid: int) -> list[int]:
    return [int(task.name) for task in Path(f"/proc/{pid}/task").iterdir()]


@needs_affinity
def test_models_and_stress_are_where_and_as_nice_as_asked_for(start: Callable[..., Link], small_model: str) -> None:
    first, last = core_list()[0], core_list()[-1]
    condition = Condition(2, stress_nice=7, stress_pin=(last,), nice=3, pin=(first,))
    link = start([f"{small_model}@threads=2"], str(condition))
    frames = frames_until(link, lambda frame: isinstance(frame, wire.Slice))
    assert slices(frames)[0].condition == str(condition)
    (hello,) = [frame for frame in frames if isinstance(frame, wire.Hello)]
    (runner,) = {frame.pid for frame in frames if isinstance(frame, wire.State) and frame.pid}
    model_threads, stress_threads = threads_of(runner), threads_of(hello.stressor_pid)
    assert len(model_threads) >= 2 and len(stress_threads) >= 3
    for thread in model_threads:
        assert os.sched_getaffinity(thread) == {first}
        assert os.getpriority(os.PRIO_PROCESS, thread) == 3
    for thread in stress_threads:
        assert os.sched_getaffinity(thread) == {last}
        assert os.getpriority(os.PRIO_PROCESS, thread) == 7
    assert os.sched_getaffinity(hello.probe_pid) == set(core_list())
    assert os.getpriority(os.PRIO_PROCESS, hello.probe_pid) == os.getpriority(os.PRIO_PROCESS, 0)


@needs_affinity
def test_the_stress_keeps_its_place_when_it_begins_later(start: Callable[..., Link], small_model: str) -> None:
    condition = Condition(1, stress_nice=5, stress_pin=(core_list()[0],))
    link = start([small_model], str(condition.without_stress()))
    frames = frames_until(link, lambda frame: isinstance(frame, wire.Slice))
    link.send(wire.SetCondition(str(condition)))
    link.send(wire.Go(slices(frames)[-1].seq))
    frames += frames_until(link, lambda f: isinstance(f, wire.Slice) and f.condition == str(condition))
    (hello,) = [frame for frame in frames if isinstance(frame, wire.Hello)]
    assert {os.getpriority(os.PRIO_PROCESS, thread) for thread in threads_of(hello.stressor_pid)} == {5}


def test_a_runner_that_is_there_cannot_change_its_place(start: Callable[..., Link], small_model: str) -> None:
    link = start([small_model])
    frames_until(link, lambda frame: isinstance(frame, wire.Slice))
    link.send(wire.SetCondition(str(Condition(nice=5))))
    (*_, last) = frames_until(link, lambda frame: isinstance(frame, wire.Failure))
    assert isinstance(last, wire.Failure) and last.usage and "cannot change while it runs" in last.text
