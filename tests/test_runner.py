"""The timed loop, with a clock and a model that do as they are told."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from latvar_tui.candidate import Candidate
from latvar_tui.device.runner import LEAST_WARM_UP_INFERENCES, SETTLING_NS, run_slice, warm_up
from latvar_tui.device.runner_control import Runner
from latvar_tui.device.tape import CAPACITY, Tape
from latvar_tui.device.workload import Workload


class Clock:
    """Time passes only while the model 'runs'."""

    def __init__(self, durations_ns: Callable[[int], int]) -> None:
        self.at_ns = 1_000
        self.calls = 0
        self._durations_ns = durations_ns

    def now(self) -> int:
        return self.at_ns

    def infer(self) -> None:
        self.at_ns += self._durations_ns(self.calls)
        self.calls += 1


def test_times_are_those_of_the_clock() -> None:
    clock, tape = Clock(lambda call: 100 + call), Tape()
    entered = clock.now()
    n, settled, settling_ns, delay_before, left_over, left = run_slice(clock.infer, tape, 1_000, 3, None, clock.now)
    assert (settled, settling_ns) == (3, 100 + 101 + 102)
    assert tape.durations[:n].tolist() == [103 + i for i in range(n)]
    assert tape.starts[0] == entered + settling_ns
    assert (tape.starts[:n] + tape.durations[:n])[-1] == left
    assert (delay_before, left_over) == (-1, 0)
    # The inference during which the time ran out is the last one, and it counts.
    assert tape.durations[: n - 1].sum() < 1_000 <= tape.durations[:n].sum()


@pytest.mark.parametrize("duration_ns", [1, 10**6, 10**9, 10**12])
def test_a_slice_holds_at_least_one_inference(duration_ns: int) -> None:
    clock, tape = Clock(lambda call: duration_ns), Tape()
    n, *_ = run_slice(clock.infer, tape, 1, 0, None, clock.now)
    assert n == 1
    assert tape.durations[0] == duration_ns


def test_settling_ends_after_ten_milliseconds() -> None:
    clock, tape = Clock(lambda call: SETTLING_NS // 2 + 1), Tape()
    _, settled, settling_ns, *_ = run_slice(clock.infer, tape, 1, 5, None, clock.now)
    assert settled == 2
    assert settling_ns == 2 * (SETTLING_NS // 2 + 1)


def test_the_flag_ends_a_slice_at_the_next_boundary() -> None:
    tape = Tape()
    clock = Clock(lambda call: tape.ask_to_end() or 10 if call == 6 else 10)
    n, *_ = run_slice(clock.infer, tape, 10**9, 0, None, clock.now)
    assert n == 7


def test_a_full_tape_ends_a_slice() -> None:
    clock, tape = Clock(lambda call: 1), Tape()
    n, *_ = run_slice(clock.infer, tape, 10**9, 0, None, clock.now)
    assert n == CAPACITY


def test_warm_up_keeps_every_first_inference_apart() -> None:
    done: list[str] = []
    times = warm_up(lambda: done.append("run"), lambda: done.append("places kept"))
    assert len(times) == done.count("run") >= LEAST_WARM_UP_INFERENCES
    assert all(time_ns >= 0 for time_ns in times)
    assert done[:3] == ["run", "places kept", "run"] and done.count("places kept") == 1


def test_a_model_that_fails_in_a_slice_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = iter(range(100))

    def infer() -> None:
        if next(calls) == 60:
            raise RuntimeError("Non-zero status code:\n the input is too large")

    workload = Workload(infer, list, lambda: None, inputs=["x float32 1"], notes=["assumed"])
    monkeypatch.setattr("latvar_tui.device.workload.load", lambda candidate: workload)
    runner = Runner(Candidate(1, model="m"), forget=lambda: None)
    try:
        ready = runner.finish_loading()
        assert (ready.state, ready.inputs, ready.notes) == ("ready", ["x float32 1"], ["assumed"])
        assert len(ready.cold_ms) >= LEAST_WARM_UP_INFERENCES and ready.warm_ms is not None
        runner.order_slice(10**12)
        runner.child.thaw()
        assert runner.answer() is None
        buried = runner.bury()
    finally:
        runner.child.end()
    assert (buried.state, buried.reason) == (
        "failed",
        "an inference failed: Non-zero status code: the input is too large",
    )
