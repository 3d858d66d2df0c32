"""The interval of a ratio: what the test of two quantiles leaves, against a slow reference and simulated truth."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.coverage import RATIOS, ratios_covered
from benchmarks.simulated import Floats, Kind, feed
from latvar_tui.condition import IDLE
from latvar_tui.study.blocks import NORMAL, student_over_normal
from latvar_tui.study.claims import QUANTILES, evidence
from latvar_tui.study.conclusions import Ratio
from latvar_tui.study.counted import Counted
from latvar_tui.study.ranking import Study
from latvar_tui.study.ratios import _OFFSETS, Beyond, _limits, ratios_of
from tests.test_claims import counted, rows_of

P50, P95 = QUANTILES.index(50.0), QUANTILES.index(95.0)


def both(a: Kind, b: Kind, rounds: int, seed: int, mood: float = 0.1) -> tuple[Counted, Counted]:
    random = np.random.default_rng(seed)
    moods = random.normal(0, mood, rounds)
    rows = rows_of([a.times(random, each) for each in moods], [b.times(random, each) for each in moods])
    return counted(rows, "a"), counted(rows, "b")


def ratios(a: Counted, b: Counted) -> list[Ratio]:
    return ratios_of(Beyond.of(a), Beyond.of(b), [each.events for each in evidence(a, b)])


def slow_bounds(a: Counted, b: Counted, quantile: float) -> tuple[float, float]:
    """One pair of values after the other, from all that lie near the quantiles, by the formula as it is written."""
    left, level = [], 1 - quantile / 100
    near = [one.value_ns(one.whole[-1] * (quantile / 100 + level * np.linspace(-1.5, 0.9, 190))) for one in (a, b)]
    most = evidence(a, b)[QUANTILES.index(quantile)].events
    beyond = [one.above(values) for one, values in zip((a, b), near, strict=True)]
    for x, k_a in zip(near[0].tolist(), beyond[0].T, strict=True):
        for y, k_b in zip(near[1].tolist(), beyond[1].T, strict=True):
            g = np.stack([k_a - level * a.totals, k_b - level * b.totals])
            events = [
                max(3.0, min(float(k.sum() ** 2 / (k**2).sum()), known))
                for k, known in zip((k_a, k_b), most, strict=True)
            ]
            s, m = g.sum(axis=1), g @ g.T
            if s @ np.linalg.solve(m, s) <= float(_limits(len(k_a), np.array(events[0]), np.array(events[1]))):
                left.append(y / x)
    return min(left), max(left)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("quantile", [50.0, 95.0])
def test_it_reaches_from_the_least_to_the_greatest_ratio_that_is_not_refuted(quantile: float, seed: int) -> None:
    a, b = both(Kind(slow_share=0.08, burst=4), Kind(base_ms=2.2, spread=0.2), 30, seed)
    place = QUANTILES.index(quantile)
    found = ratios(a, b)[place]
    low, high = slow_bounds(a, b, quantile)
    assert found.low is not None and found.high is not None
    # The reference takes steps, of which the last is not quite the end.
    width = math.log(high / low)
    assert -width / 20 <= math.log(found.low / low) <= width / 200
    assert -width / 200 <= math.log(found.high / high) <= width / 20


@given(
    st.sampled_from([0.0, 0.04, 0.06, 0.3]), st.sampled_from([1.0, 20.0]), st.floats(0.5, 2.0), st.integers(0, 10_000)
)
def test_it_holds_the_value_and_turned_round_is_the_inverse(
    slow_share: float, burst: float, scale: float, seed: int
) -> None:
    a, b = both(Kind(slow_share=slow_share, burst=burst), Kind(base_ms=2 * scale, spread=0.2), 24, seed)
    for one, other in zip(ratios(a, b), ratios(b, a), strict=True):
        assert one.value == pytest.approx(1 / other.value)
        assert (one.low is None) == (one.high is None)
        if one.low is not None and one.high is not None:
            assert one.low <= one.value <= one.high
            assert other.low is not None and other.high is not None
            assert (one.low, one.high) == pytest.approx((1 / other.high, 1 / other.low))


def test_what_moves_both_in_a_round_does_not_widen_it() -> None:
    """The same moods in another order of rounds are moods of each by itself."""
    a, b = both(Kind(), Kind(base_ms=2.1), 40, 3)
    turned = Counted(b.rows, b.rounds, b.first, b.before[np.random.default_rng(1).permutation(40)])
    together, apart = ratios(a, b)[P50], ratios(a, turned)[P50]
    assert together.low and together.high and apart.low and apart.high
    assert math.log(apart.high / apart.low) > 2 * math.log(together.high / together.low)


def test_the_more_rounds_the_narrower() -> None:
    widths = []
    for rounds in (30, 120, 480):
        ratio = ratios(*both(Kind(), Kind(), rounds, 4, mood=0.0))[P95]
        assert ratio.low is not None and ratio.high is not None
        widths.append(math.log(ratio.high / ratio.low))
    assert 1.4 < widths[0] / widths[1] < 3 and 1.4 < widths[1] / widths[2] < 3


def test_t_of_many_rounds_is_students() -> None:
    """With one moment that is as variable as the other, and independent: T is the square of what t tests for."""
    g = np.random.default_rng(5).normal(0.3, 1, 40)
    t = g.mean() / (g.std(ddof=1) / math.sqrt(40))
    assert g.sum() ** 2 / (g**2).sum() == pytest.approx(40 * t**2 / (39 + t**2))
    # Of two equal samples there are twice as many degrees of freedom as of one, and of one alone not more than its own.
    f = (NORMAL * student_over_normal(2 * 11.0)) ** 2
    assert _limits(60, np.array(12.0), np.array(12.0)) == pytest.approx(60 * f / (59 + f))
    f = (NORMAL * student_over_normal(11.0)) ** 2
    assert _limits(60, np.array(12.0), np.array(1e9)) == pytest.approx(60 * f / (59 + f), rel=1e-3)


def test_too_little_has_a_value_and_no_interval() -> None:
    few = ratios(*both(Kind(), Kind(), 9, 6))
    assert [(one.value > 0, one.low, one.high) for one in few] == [(True, None, None)] * len(QUANTILES)
    rare = ratios(*both(Kind(base_ms=60.0), Kind(base_ms=60.0), 40, 6))
    assert rare[P50].low is not None and rare[-1].low is None, "some times beyond p50, and none beyond p99.9"


# -- times that are too regular, and ends that are out of sight ---------------------------------------


def _alike(random: np.random.Generator, scale: float) -> Floats:
    return 1_990_656.0 * scale * np.exp(random.normal(0, 1e-4, 100))


def _first_is_slow(random: np.random.Generator, scale: float) -> Floats:
    times = 2e6 * scale * np.exp(random.normal(0, 0.05, 100 + int(random.integers(-2, 3))))
    times[0] *= 3 * math.exp(random.normal(0, 0.3))
    return times


def _every_20th_is_slow(random: np.random.Generator, scale: float) -> Floats:
    times = 2e6 * scale * np.exp(random.normal(0, 0.05, 100))
    times[int(random.integers(20)) :: 20] *= 4
    return times


@pytest.mark.parametrize(
    ("times", "quantile", "claimed"), [(_alike, 50.0, "a"), (_first_is_slow, 99.0, ""), (_every_20th_is_slow, 95.0, "")]
)
def test_rounds_that_are_all_alike_at_the_quantile_still_tell(
    times: Callable[[np.random.Generator, float], Floats], quantile: float, claimed: str
) -> None:
    """No round scatters there. Of the last two the quantile is any time within a gap, and little is known of it."""
    random, study = np.random.default_rng(1), Study()
    for number in range(121):
        feed(study, number, {"a": times(random, 1.0), "b": times(random, 1.5)})
    pair = study.pair("a", "b", IDLE, quantile)
    assert pair.faster == claimed
    assert pair.ratio is not None and pair.ratio.low is not None and pair.ratio.high is not None
    assert pair.ratio.low <= 1.5 <= pair.ratio.high


def test_no_bound_is_nearer_than_the_buckets_tell() -> None:
    """Both within one bucket, of which only the edges are known."""
    random = np.random.default_rng(2)
    a, b = ([base * np.exp(random.normal(0, 1e-4, 100)) for _ in range(60)] for base in (1_998_000.0, 1_999_500.0))
    rows = rows_of(a, b)
    ratio = ratios(counted(rows, "a"), counted(rows, "b"))[P50]
    assert ratio.low is not None and ratio.high is not None
    assert ratio.low <= 1.99950 / 1.99800 <= ratio.high


def test_an_end_out_of_sight_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few rounds, of which whole ones are slow: what is sought twice as far is the same, or there was nothing."""
    found = [both(Kind(slow_share=0.4, slow=40, burst=math.inf), Kind(spread=0.3), 12, seed) for seed in range(40)]
    near = [ratios(*one)[P50] for one in found]
    monkeypatch.setattr(
        "latvar_tui.study.ratios._OFFSETS", np.concatenate([_OFFSETS[:1] * 2, _OFFSETS, _OFFSETS[-1:] * 2])
    )
    far = [ratios(*one)[P50] for one in found]
    known = [(one, other) for one, other in zip(near, far, strict=True) if one.low is not None]
    assert len(known) > 5
    for one, other in known:
        assert (one.low, one.high) == pytest.approx((other.low, other.high))


def test_near_a_gap_between_two_humps_the_truth_is_inside_as_often_as_it_should_be() -> None:
    """Percentiles of resampled quantiles held it in 999 of 1000 such sessions, and a missed one is what tells."""
    held, many = ratios_covered(RATIOS["bursts"], 150, 40)[95.0]
    assert many == 150
    assert 0.9 * many <= held < 0.99 * many
