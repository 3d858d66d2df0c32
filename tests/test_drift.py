"""A candidate's trend: claimed when it is there, hardly ever when it is not, and bounded however long it takes."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.drift import KINDS, drifting, share_claimed
from latvar_tui import wire
from latvar_tui.device.binning import counts_of
from latvar_tui.histogram import Histogram
from latvar_tui.study.board import Board
from latvar_tui.study.drift import MOST_BLOCKS, SLICES_A_BLOCK, Series, Trend, trend_of
from latvar_tui.summary import remarks, summary
from tests.scripted_link import board_of, slice_frame

IDLE, STRESS = "0xcpu@100%", "2xcpu@100%"


def series_of(medians_ms: list[float]) -> Series:
    series = Series()
    for median_ms in medians_ms:
        series.add(counts_of(np.array([0.9, 1.0, 1.1]) * median_ms * 1e6))
    return series


@pytest.mark.parametrize("kind", ["stationary", "stationary, two humps"])
@pytest.mark.parametrize("phi", [0.0, 0.5, 0.9, 0.95])
def test_moods_are_hardly_ever_taken_for_drift(kind: str, phi: float) -> None:
    """However often one looks. The seed is set; `benchmarks/drift.py` has more sessions, and longer ones."""
    assert share_claimed(KINDS[kind], phi, sessions=60, slices=1600, seed=3) < 0.05


def test_a_drift_is_found() -> None:
    assert share_claimed(drifting, 0.5, sessions=20, slices=1600, seed=3) > 0.8


def test_the_interval_holds_the_truth() -> None:
    """95 % of them should, for moods much shorter than a twelfth of the session."""
    random = np.random.default_rng(5)
    held = 0
    for _ in range(200):
        logs = KINDS["stationary"](random, 0.9, 1536).reshape(12, -1).mean(axis=1)
        trend = trend_of(logs, 1536)
        held += trend.low <= 1 <= trend.high
    assert held >= 180


def test_the_ratio_is_that_of_the_thirds() -> None:
    trend = series_of([10.0] * 128 + [12.0] * 128 + [15.0] * 128).trend(50.0)
    assert trend is not None
    assert trend.ratio == pytest.approx(1.5, rel=0.02)
    assert trend.slices == 384


def test_it_needs_its_slices() -> None:
    series = series_of([10.0] * 383)
    assert series.trend(50.0) is None
    assert series.slices_needed == 384
    assert Series().trend(50.0) is None


def test_slices_without_an_inference_compare_with_nothing() -> None:
    series = Series()
    for _ in range(500):
        series.add(wire.Counts())
    assert series.trend(50.0) is None


def test_a_day_takes_no_more_room_than_an_hour_and_loses_no_inference() -> None:
    random = np.random.default_rng(1)
    series = Series()
    whole = Histogram()
    slices = 16 * 48 * 9
    for _ in range(slices):
        values = (5e6 * random.lognormal(0, 0.3, 20)).astype(np.int64)
        whole.record(values)
        series.add(counts_of(values))
    blocks = series._blocks
    assert len(blocks) < MOST_BLOCKS
    assert sum(indices.nbytes + counts.nbytes for indices, counts in blocks) < 100_000
    assert len(series._filling) <= SLICES_A_BLOCK + 1
    in_blocks = sum(int(counts.sum()) for _, counts in blocks)
    filling = sum(int(part[:, 1].sum()) for part in series._filling)
    assert in_blocks + filling == whole.total
    trend = series.trend(50.0)
    assert trend is not None and trend.ratio == pytest.approx(1.0, abs=0.02)


def test_moments_to_look_are_few() -> None:
    series = Series()
    looks = [n for n in range(1, 16 * 48 * 8 + 1) if series.add(wire.Counts(pairs=[[5000, 1]]))]
    assert looks == [384, 576, 768, 1152, 1536, 2304, 3072, 4608, 6144]


@pytest.mark.parametrize(
    ("trend", "text"),
    [
        (Trend(1.08, 1.04, 1.13, True, 384), "8 % slower than the first [4, 13]"),
        (Trend(0.9, 0.85, 0.96, True, 384), "10 % faster than the first [4, 15]"),
        (Trend(1.01, 0.97, 1.05, False, 384), "1 % slower than the first [-3, 5]"),
    ],
)
def test_a_trend_in_words(trend: Trend, text: str) -> None:
    assert trend.text == text


# -- on the board -----------------------------------------------------------------------------------


def slowing(board: Board, condition: str = STRESS, slices: int = 400) -> None:
    for seq in range(slices):
        times = np.full(20, 10e6 * (1 + 0.3 * seq / slices))
        board.take(slice_frame(seq, "mobilenet_v2", condition, times))


def test_a_drift_is_told_once_and_is_in_the_document() -> None:
    board = board_of(["mobilenet_v2"])
    slowing(board)
    (note,) = (note for note in board.notes if "the last third" in note and "p99" not in note)
    assert note.startswith("mobilenet_v2 under 2xcpu@100%: the last third is ")
    assert "slower than the first" in note and note.endswith(": the device drifts.")
    assert note in remarks(board)
    (cell,) = summary(board)["cells"]
    trend = cell["trend"]["p50"]
    assert trend["real"] and trend["ci95"][0] < trend["ratio"] < trend["ci95"][1]
    assert set(cell["trend"]) == {"p50", "p90", "p95", "p99", "p99_9"}


def test_steady_times_are_not_told_of() -> None:
    board = board_of(["mobilenet_v2"])
    for seq in range(600):
        board.take(slice_frame(seq, "mobilenet_v2", IDLE, np.full(20, 10_000_000)))
    assert not board.notes
    (cell,) = summary(board)["cells"]
    assert cell["trend"]["p50"] == {"ratio": 1.0, "ci95": [1.0, 1.0], "real": False}


def test_too_few_slices_say_how_many_it_takes() -> None:
    board = board_of(["mobilenet_v2"], [slice_frame(1, "mobilenet_v2", IDLE, [10_000_000])])
    (cell,) = summary(board)["cells"]
    assert cell["trend"] == {"unavailable": "it takes 384 slices of this cell"}
