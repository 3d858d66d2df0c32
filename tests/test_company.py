"""The proof that company leaves no traces sees one that is there."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.company import Plan, Stretch, compared, prove
from benchmarks.proof import Verdict
from latvar_tui.histogram import Histogram


def stretches(random: np.random.Generator, early: float, late: float) -> dict[str, Stretch]:
    """Of two candidates, with these factors on 5 ms at the beginning of the slices and later."""
    found = {}
    for name in ("a", "b"):
        halves = []
        for factor in (early, late):
            histogram = Histogram()
            histogram.record((factor * random.normal(5e6, 2e4, 300)).astype(np.int64))
            halves.append(histogram)
        found[name] = Stretch(*halves)
    return found


@pytest.mark.parametrize(
    ("early", "late", "verdicts"),
    [
        (1.0, 1.0, [Verdict.MET] * 3),
        (1.5, 1.0, [Verdict.MISSED, Verdict.MET, Verdict.MISSED]),
        (1.3, 1.3, [Verdict.MET, Verdict.MISSED, Verdict.MISSED]),
    ],
    ids=["none", "in the beginning", "all along"],
)
def test_a_trace_misses_the_limit(early: float, late: float, verdicts: list[Verdict]) -> None:
    random = np.random.default_rng(0)
    company = [stretches(random, early, late) for _ in range(8)]
    alone = [stretches(random, 1.0, 1.0) for _ in range(8)]
    rows = compared(company, alone, company[:5])
    judged = [row.verdict for row in rows if row.limit]
    # Half of the inferences are early ones: slow ones among them leave the median nearly where it was.
    assert judged == verdicts
    assert "nobody frozen" in rows[-1].label and rows[-1].verdict == Verdict.SHOWN


def test_real_runners_take_turns_frozen_and_not(small_model: str, larger_model: str) -> None:
    models = tuple(f"{path}@threads=1" for path in (small_model, larger_model))
    rows = prove(Plan(2, 0.1, 1, models)).rows
    assert sum(bool(row.limit) for row in rows) == 3
    assert all(row.found != "n/a" for row in rows)
    # One with only two pairs has no verdict.
    assert {row.verdict for row in rows if row.limit} == {Verdict.UNSURE}
