"""Open loop: against queues whose response times are known, with a clock of our own; and with real models."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latvar_tui import wire
from latvar_tui.columns import text_table
from latvar_tui.condition import Arrivals
from latvar_tui.device.binning import Binned, bin_slice
from latvar_tui.device.open_loop import PATIENCE, schedule_ns, serve_schedule
from latvar_tui.device.tape import CAPACITY, Tape
from latvar_tui.histogram import Histogram
from latvar_tui.study.open_loop import OpenLoop
from latvar_tui.study.table import table
from latvar_tui.summary import summary
from tests.conftest import run_cli
from tests.scripted_link import MS, board_of, slice_frame

S_NS = 10 * MS


class Clock:
    """Time that passes in inferences and sleeps only."""

    def __init__(self) -> None:
        self.now_ns = 5_000_000_000

    def now(self) -> int:
        return self.now_ns

    def sleep(self, seconds: float) -> None:
        self.now_ns += max(1, round(seconds * 1e9))


def serve(due_ns: np.ndarray, service_ns: int = S_NS) -> tuple[Tape, Binned, int]:
    """One slice of a server that takes as long every time; its tape, its counts, how many were given up."""
    clock, tape = Clock(), Tape()

    def infer() -> None:
        clock.now_ns += service_ns

    served, left_over, _ = serve_schedule(infer, tape, due_ns, int(due_ns[-1]), None, clock.now, clock.sleep)
    binned = bin_slice(
        tape.starts[:served], tape.durations[:served], None, -1, changed_at_ns=None, disturbances=[],
        wait_unavailable="none", arrivals=tape.arrivals[: served + left_over], ended_ns=clock.now_ns,
    )  # fmt: skip
    return tape, binned, left_over


def evenly(rate_hz: float, slice_ms: float) -> np.ndarray:
    return schedule_ns(Arrivals(rate_hz), round(slice_ms * MS), np.random.default_rng(0))


def histogram_of(counts: wire.Counts | None) -> Histogram:
    histogram = Histogram()
    assert counts is not None
    histogram.add_counts(counts)
    return histogram


# -- the schedule -----------------------------------------------------------------------------------


@given(st.floats(0.1, 100_000), st.booleans(), st.integers(20, 10_000), st.integers(0, 2**32))
def test_a_schedule_rises_and_holds_what_is_due_in_the_slice(
    rate_hz: float, poisson: bool, slice_ms: int, seed: int
) -> None:
    due = schedule_ns(Arrivals(rate_hz, poisson), slice_ms * MS, np.random.default_rng(seed))
    assert 1 <= len(due) <= CAPACITY
    assert (np.diff(due) >= 0).all() and due[0] >= 0
    assert len(due) == 1 or due[-1] <= slice_ms * MS


def test_an_even_schedule_begins_after_one_period() -> None:
    assert evenly(100, 50).tolist() == [10 * MS, 20 * MS, 30 * MS, 40 * MS, 50 * MS]
    assert evenly(1, 250).tolist() == [1000 * MS]


def test_random_arrivals_are_as_many_as_asked_for_and_their_gaps_exponential() -> None:
    due = schedule_ns(Arrivals(1000, poisson=True), 30_000 * MS, np.random.default_rng(1))
    gaps_ms = np.diff(due) / 1e6
    assert len(due) == pytest.approx(30_000, rel=0.03)
    assert np.mean(gaps_ms) == pytest.approx(1.0, rel=0.03)
    assert np.mean(gaps_ms > 2.0) == pytest.approx(math.exp(-2), rel=0.05)


# -- queues that are known --------------------------------------------------------------------------


def test_d_d_1_below_saturation_never_queues() -> None:
    _, binned, left_over = serve(evenly(50, 2000))
    response = histogram_of(binned.response)
    assert (binned.inferences, left_over, binned.queue_max, binned.lag_ns) == (100, 0, 1, 0)
    assert response.min_ns == response.max_ns == S_NS


def test_d_d_1_beyond_saturation_waits_longer_with_each_arrival() -> None:
    period_ns, count = 8 * MS, 50
    tape, binned, left_over = serve(evenly(1e9 / period_ns, 400))
    assert (binned.inferences, left_over) == (count, 0)
    responses = tape.starts[:count] + tape.durations[:count] - tape.arrivals[:count]
    assert responses.tolist() == [S_NS + k * (S_NS - period_ns) for k in range(count)]
    assert binned.response is not None and binned.response.sum_ns == responses.sum()
    assert binned.lag_ns == (count - 1) * (S_NS - period_ns)
    # The longest queue is met at the end of the schedule: at 398 ms 49 have come and 39 have been served.
    assert binned.queue_max == 49 - 39


@pytest.mark.parametrize("rho", [0.5, 0.8])
def test_m_d_1_has_the_known_distribution_of_response_times(rho: float) -> None:
    """P(wait ≤ t) = (1 − ρ) Σ_k (−λ(t − ks))^k / k! · e^(λ(t − ks)), k = 0 … ⌊t/s⌋ (Erlang 1909)."""
    rate_hz = rho * 1e9 / S_NS
    due = schedule_ns(Arrivals(rate_hz, poisson=True), round(60_000 * 1e9 / rate_hz), np.random.default_rng(7))
    tape, binned, _ = serve(due)
    count = binned.inferences
    waits = tape.starts[:count] - tape.arrivals[:count]
    assert waits.mean() == pytest.approx(rho * S_NS / (2 * (1 - rho)), rel=0.06)
    for multiple in (0.0, 0.5, 1.0, 2.5, 4.0):
        t = multiple * S_NS
        steps = [rate_hz / 1e9 * (t - k * S_NS) for k in range(int(multiple) + 1)]
        known = (1 - rho) * sum((-x) ** k / math.factorial(k) * math.exp(x) for k, x in enumerate(steps))
        assert np.mean(waits <= t) == pytest.approx(known, abs=0.015)


def test_who_is_given_up_counts_for_as_long_as_it_had_waited() -> None:
    tape, binned, left_over = serve(evenly(1000, 100))  # ten times what can be served
    assert binned.inferences == PATIENCE * 10 and left_over == 100 - binned.inferences
    response = histogram_of(binned.response)
    assert response.total == 100
    last_due = int(tape.arrivals[99])
    end = int(tape.starts[binned.inferences - 1] + tape.durations[binned.inferences - 1])
    assert response.min_ns == min(S_NS, end - last_due)
    assert response.max_ns == end - int(tape.arrivals[binned.inferences - 1])


def test_nobody_is_given_up_below_saturation_however_few_arrive() -> None:
    """Poisson arrivals may all come early in a slice: it is the slice's length that patience is measured by."""
    for seed in range(300):
        due = schedule_ns(Arrivals(2, poisson=True), 250 * MS, np.random.default_rng(seed))
        clock, tape = Clock(), Tape()

        def infer(clock: Clock = clock) -> None:
            clock.now_ns += 200 * MS

        served, left_over, _ = serve_schedule(infer, tape, due, 250 * MS, None, clock.now, clock.sleep)
        assert (served, left_over) == (len(due), 0)


def test_what_it_takes_to_wake_up_is_apart_from_the_queue() -> None:
    """Due at 10, 20 and 21 ms; each is begun 2 ms late, and takes 5: the third stands in the queue until 27 ms."""
    starts, arrivals = np.array([12, 22, 29]) * MS, np.array([10, 20, 21]) * MS
    binned = bin_slice(
        starts, np.full(3, 5 * MS), np.array([2, 4, 6]) * MS, 0, changed_at_ns=None, disturbances=[],
        wait_unavailable=None, arrivals=arrivals, ended_ns=34 * MS,
    )  # fmt: skip
    told = {start // MS: [each // MS for each in rest] for start, *rest in binned.slowest}
    assert told == {12: [5, 2, 0, 2], 22: [5, 2, 0, 2], 29: [5, 2, 6, 2]}
    assert binned.lag_ns == 8 * MS
    assert sum(binned.wait_sums) == binned.wait.sum_ns == 6 * MS


def test_a_slice_that_is_cut_short_serves_no_more() -> None:
    tape, clock = Tape(), Clock()

    def infer() -> None:
        clock.now_ns += S_NS
        tape.ask_to_end()

    served, left_over, _ = serve_schedule(infer, tape, evenly(1000, 100), 100 * MS, None, clock.now, clock.sleep)
    assert (served, left_over) == (1, 10)


# -- what is said of it -----------------------------------------------------------------------------


def numbers_of(rate_hz: float, slice_ms: float = 1000) -> OpenLoop:
    _, binned, left_over = serve(evenly(rate_hz, slice_ms))
    numbers = OpenLoop()
    frame = wire.Slice(
        1, "m", f"0xcpu@100%,rate={rate_hz:g}", 0, 0, 0, 10**12, 0, 0, binned.inferences, 0, 0, 0, binned.service,
        binned.wait, response=binned.response, offered=binned.inferences + left_over, unserved=left_over,
        queue_max=binned.queue_max, lag_ns=binned.lag_ns,
    )  # fmt: skip
    numbers.add(frame, Arrivals(rate_hz))
    return numbers


def test_below_saturation_it_serves_what_is_asked_for() -> None:
    numbers = numbers_of(50)
    assert numbers.achieved_hz == pytest.approx(50)
    assert numbers.utilisation(Arrivals(50)) == pytest.approx(0.5)
    assert numbers.queue_mean == pytest.approx(0.5)  # Little: half of the time one is being served
    assert numbers.words(Arrivals(50)) == ""


@pytest.mark.parametrize("rate_hz", [125.0, 200.0, 1000.0])
def test_saturation_is_said_in_words_and_serves_what_can_be_served(rate_hz: float) -> None:
    numbers = numbers_of(rate_hz)
    assert numbers.achieved_hz == pytest.approx(100, rel=0.02)
    words = numbers.words(Arrivals(rate_hz))
    assert "10 ms (mean) allows 100/s" in words and f"{rate_hz:g}/s are asked for" in words


# -- for real ---------------------------------------------------------------------------------------


def test_a_recording_in_open_loop_keeps_its_rate_and_says_so(small_model: str) -> None:
    ended = run_cli("record", small_model, "--rate", "40", "--duration", "2s", "--json", "--force")
    assert ended.returncode == 0, ended.stderr
    (cell,) = json.loads(ended.stdout)["cells"]
    assert cell["condition"] == "0xcpu@100%,rate=40"
    assert cell["open_loop"]["served"] == cell["open_loop"]["offered"] == cell["n"]
    assert cell["n"] == 10 * cell["slices"]  # 250 ms of them
    assert cell["response"]["min_ms"] >= cell["service"]["min_ms"]
    assert cell["response"]["mean_ms"] >= cell["service"]["mean_ms"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--rate", "0"], "'0' is not inferences a second, 0.1 to 100000"),
        (["--rate", "poisson"], "like 60 or poisson:60"),
        (["--pin", "4000"], "names core 4000, which is not there"),
        (["--stress-pin", "x"], "'x' is not numbers of cores"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(small_model: str, options: list[str], told: str) -> None:
    ended = run_cli("record", small_model, *options, "--duration", "1s")
    assert ended.returncode == 2
    assert told in ended.stderr and len(ended.stderr.splitlines()) == 1


def test_a_rate_with_no_chance_is_refused_at_once(larger_model: str) -> None:
    ended = run_cli("record", larger_model, "--rate", "90000", "--duration", "600s", "--force")
    assert ended.returncode == 2
    assert "cannot serve 90000/s: its service time is" in ended.stderr


def test_the_screen_says_that_a_candidate_is_saturated() -> None:
    """A board's cell, by hand: 10 ms of service where one is due every 8 ms."""
    condition = "0xcpu@100%,rate=125"
    _, binned, _ = serve(evenly(125, 400))
    frame = slice_frame(
        1, "squeezenet1_1", condition, [S_NS] * binned.inferences, response=binned.response,
        offered=binned.inferences, queue_max=binned.queue_max, lag_ns=binned.lag_ns,
    )  # fmt: skip
    board = board_of(["squeezenet1_1"], [frame])
    (row,) = table(board, board.condition)
    assert row.quantiles_ns[0] == histogram_of(binned.response).quantile_ns(50.0)
    head, line = text_table([row], 99.0)
    assert "served/s" in head and "queue" in head
    assert " 100 " in line and f"({binned.queue_max})" in line
    assert any("is saturated: a service time of 10 ms" in note for note in summary(board)["notes"])
