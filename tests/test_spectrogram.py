"""Latencies over time: what is kept of them, and that nothing of it is lost."""

from __future__ import annotations

import copy

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from latvar_tui.axis import Axis
from latvar_tui.histogram import Histogram
from latvar_tui.study.curve import NINES, curve, place_of
from latvar_tui.study.readings import MOST_COLUMNS as MOST_READINGS
from latvar_tui.study.readings import Readings
from latvar_tui.study.spectrogram import MOST_COLUMNS, Spectrogram
from latvar_tui.wire import Reading
from tests.scripted_link import BEGIN_NS, MS, board_of, line_up, session, slice_frame

NO_STRESS = "0xcpu@100%"
A, B = map(str, line_up(["a", "b"]))


def spectrogram_of(slices: list[tuple[int, list[int]]], candidate: str = "a") -> Spectrogram:
    """Of slices that ended at these milliseconds, with these times in microseconds."""
    spectrogram = Spectrogram()
    for at_ms, times_us in slices:
        end_ns = BEGIN_NS + at_ms * MS
        values = np.array(times_us) * 1000
        spectrogram.add(slice_frame(1, candidate, NO_STRESS, values, start_ns=end_ns - MS, end_ns=end_ns))
    return spectrogram


SLICES = st.lists(
    st.tuples(st.integers(0, 4_000_000), st.lists(st.integers(1, 10**7), min_size=1, max_size=5)),
    min_size=1,
    max_size=60,
).map(sorted)


@given(SLICES, st.integers(1, 300))
def test_whatever_the_room_no_inference_is_lost(slices: list[tuple[int, list[int]]], room: int) -> None:
    spectrogram = spectrogram_of(slices)
    spectrum = spectrogram.spectrum(A, room)
    assert len(spectrogram) <= MOST_COLUMNS and spectrum.counts.shape[0] <= room
    expected = np.zeros(spectrum.counts.shape[0], int)
    for at_ms, times in slices:
        expected[(at_ms - slices[0][0]) // (1000 * spectrum.seconds)] += len(times)
    assert spectrum.counts.sum(axis=1).tolist() == expected.tolist()
    assert spectrum.rows(Axis(1e6, 1e8, 7)).sum(axis=1).tolist() == expected.tolist()


@given(st.lists(st.integers(1000, 10**8), min_size=1, max_size=300), st.sampled_from([50.0, 95.0, 99.0]))
def test_a_columns_quantile_is_its_histograms_but_for_the_bins_width(times_ns: list[int], quantile: float) -> None:
    spectrogram, histogram = Spectrogram(), Histogram()
    spectrogram.add(slice_frame(1, "a", NO_STRESS, times_ns))
    histogram.record(times_ns)
    (found,), (provisional,) = spectrogram.spectrum(A, 10).quantile_ns(quantile)
    exact = histogram.quantile_ns(quantile)
    assert exact is not None and abs(found / exact - 1) < 0.07
    assert provisional == (histogram.beyond_quantile(quantile) < 10)


def test_candidates_do_not_mix_and_one_that_is_absent_leaves_gaps() -> None:
    spectrogram = spectrogram_of([(0, [1000]), (2500, [1000])])
    end_ns = BEGIN_NS + 1200 * MS
    spectrogram.add(slice_frame(1, "b", NO_STRESS, [5 * MS], start_ns=end_ns - MS, end_ns=end_ns))
    assert spectrogram.spectrum(A, 10).counts.sum(axis=1).tolist() == [1, 0, 1]
    assert spectrogram.spectrum(B, 10).counts.sum(axis=1).tolist() == [0, 1, 0]
    assert np.isnan(spectrogram.spectrum(B, 10).quantile_ns(50.0)[0]).tolist() == [True, False, True]
    assert (spectrogram.slices_of(A), spectrogram.slices_of(B), spectrogram.slices_of("c")) == (2, 1, 0)
    spectrogram.forget(A)
    assert not spectrogram.spectrum(A, 10).counts.any()
    assert spectrogram.spectrum(B, 10).counts.sum() == 1


def test_a_copy_goes_its_own_way() -> None:
    spectrogram = spectrogram_of([(0, [1000])])
    twin = copy.deepcopy(spectrogram)
    end_ns = BEGIN_NS + 500 * MS
    spectrogram.add(slice_frame(1, "a", NO_STRESS, [MS, MS], start_ns=end_ns - MS, end_ns=end_ns))
    assert spectrogram.spectrum(A, 9).counts.sum() == 3
    assert twin.spectrum(A, 9).counts.sum() == 1


def test_another_clock_begins_anew() -> None:
    spectrogram = spectrogram_of([(9000, [1000])])
    spectrogram.add(slice_frame(1, "a", NO_STRESS, [MS] * 2, start_ns=BEGIN_NS - MS, end_ns=BEGIN_NS))
    assert len(spectrogram) == 1 and spectrogram.spectrum(A, 9).counts.sum() == 2


def test_the_board_keeps_all_three_and_clears_them() -> None:
    frames = session(["squeezenet1_1", "mobilenet_v2"], [NO_STRESS, "2xcpu@100%"], 8)
    board = board_of(["squeezenet1_1", "mobilenet_v2"], frames)
    for contender in board.contenders:
        total = sum(cell.latency.total for who, _, cell in board.cells() if who is contender)
        assert board.spectrogram.spectrum(contender.id, 50).counts.sum() == total > 0
    # The line of stress stands beneath the columns that it is of.
    seconds = board.spectrogram.seconds_in(7)
    assert len(board.timeline.every(seconds)) == board.spectrogram.spectrum(board.contenders[0].id, 7).counts.shape[0]
    assert board.readings.means("cpu_pct", 1) == [87.5]
    assert board.readings.means("temperature_c", 1) == [None]
    board.clear()
    assert len(board.spectrogram) == 0 and board.readings.means("cpu_pct", 5) == []


@given(
    st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 100)), min_size=1, max_size=50).map(sorted),
    st.integers(1, 99),
)
def test_a_readings_mean_is_over_its_stretch(read: list[tuple[int, int]], room: int) -> None:
    readings = Readings()
    for at_s, value in read:
        readings.add(BEGIN_NS + at_s * 10**9, {"x": Reading(float(value)), "y": Reading(reason="none")})
    means = readings.means("x", room)
    assert len(means) <= room and readings.means("y", room) == [None] * len(means)
    length = readings.seconds
    while -(-((read[-1][0] - read[0][0]) // readings.seconds + 1) // (length // readings.seconds)) > room:
        length *= 2
    for which, mean in enumerate(means):
        values = [value for at_s, value in read if (at_s - read[0][0]) // length == which]
        assert mean is None if not values else mean is not None and abs(mean - sum(values) / len(values)) < 1e-9
    assert readings.seconds * MOST_READINGS > read[-1][0] - read[0][0]


# -- the percentile curve -----------------------------------------------------------------------------


@given(st.lists(st.integers(1000, 10**8), max_size=400), st.integers(1, 120))
def test_a_curve_is_the_histograms_quantiles_and_ends_with_its_observations(times_ns: list[int], places: int) -> None:
    histogram = Histogram()
    histogram.record(times_ns)
    found = curve(histogram, places)
    quantiles = [100 * (1 - 10 ** (-NINES * (place + 0.5) / places)) for place in range(places)]
    there = [quantile for quantile in quantiles if (1 - quantile / 100) * len(times_ns) >= 1]
    assert abs(len(found.values_ns) - len(there)) <= 1  # a rounding at the very end
    exact = histogram.quantiles_ns(there[: len(found.values_ns)])
    assert found.values_ns[: len(exact)].tolist() == exact
    solid = sum(histogram.beyond_quantile(quantile) >= 10 for quantile in there)
    assert abs(found.solid - solid) <= 1


def test_every_further_nine_has_as_much_room() -> None:
    places = [place_of(quantile) for quantile in (0.0, 90.0, 99.0, 99.9, 99.99)]
    assert np.allclose(np.diff(places), 0.25) and places[0] == 0
