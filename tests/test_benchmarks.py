"""The proofs' runner, their registry, and what their verdicts rest on."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import same_twice
from benchmarks.__main__ import PROOFS, README, module_of, proven
from benchmarks.proof import FEWEST, CannotProve, Effort, Limit, Proof, Row, Verdict, judged
from benchmarks.ratios import Interval, mean, mean_of, mean_ratio, pooled, quantile, ratio, share_beyond, share_of
from benchmarks.readme import write_part
from latvar_tui.condition import IDLE
from latvar_tui.histogram import Histogram
from latvar_tui.study.conclusions import Pair, Ratio
from tests.on_pty import ROOT


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    )


def test_the_list_names_every_proof_and_its_aim() -> None:
    shown = run("--list").stdout
    for name in PROOFS:
        module = module_of(name)
        assert f"\n{name}\n" in f"\n{shown}"
        assert module.CLAIM in shown and module.AIM in shown
        assert set(module.PLANS) == set(Effort)


def test_every_program_of_the_folder_that_proves_is_named() -> None:
    programs = {path.stem for path in README.parent.glob("*.py") if "def prove(" in path.read_text()}
    assert programs == set(PROOFS)


def test_every_proof_has_its_place_in_the_readme() -> None:
    text = README.read_text()
    for name in PROOFS:
        assert text.count(f"<!-- {name} -->\n") == text.count(f"<!-- end of {name} -->\n") == 1, name


def test_a_proof_writes_its_table_and_nothing_else(tmp_path: Path) -> None:
    copy = tmp_path / "README.md"
    shutil.copy(README, copy)
    place = re.compile(r"(?s)(?<=<!-- histogram -->\n).*?(?=<!-- end of histogram -->)")
    before = place.sub("", README.read_text())
    assert "met" in run("--quick", "--only", "histogram", "--readme", str(copy)).stdout
    text = copy.read_text()
    assert place.sub("", text) == before
    found = place.search(text)
    assert found is not None
    assert "| record 20 000 times |" in found[0] and "quick" in found[0] and "onnxruntime" in found[0]


def test_a_table_without_a_place_gets_one_and_keeps_it(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("# Proofs\n")
    for value in ("first", "second"):
        write_part(readme, Proof("new", "It holds.", "", [Row("all", value, "", Verdict.SHOWN)]), "today")
    text = readme.read_text()
    assert text.startswith("# Proofs\n") and text.count("## new") == 1
    assert "second" in text and "first" not in text


def test_one_that_fails_or_cannot_be_run_is_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    assert proven("no_such_proof", Effort.QUICK).rows[0].verdict == Verdict.FAILED

    def cannot(plan: object) -> Proof:
        raise CannotProve("there is no such program here.")

    monkeypatch.setattr(module_of("histogram"), "prove", cannot)
    (row,) = proven("histogram", Effort.QUICK).rows
    assert row.verdict == Verdict.SKIPPED and "no such program" in row.why


@pytest.mark.parametrize(
    ("low", "high", "n", "verdict"),
    [
        (0.99, 1.01, FEWEST, Verdict.MET),
        (1.06, 1.2, FEWEST, Verdict.MISSED),
        (0.8, 0.9, FEWEST, Verdict.MISSED),
        (1.0, 1.1, FEWEST, Verdict.UNSURE),
        (0.99, 1.01, FEWEST - 1, Verdict.UNSURE),
        (float("nan"), float("nan"), FEWEST, Verdict.UNSURE),
    ],
)
def test_a_verdict_needs_the_whole_interval_and_enough_pairs(low: float, high: float, n: int, verdict: Verdict) -> None:
    row = judged("p50", Interval((low + high) / 2, low, high, n), Limit(0.95, 1.05))
    assert row.verdict == verdict
    assert (verdict == Verdict.UNSURE) == bool(row.why)


times = st.lists(st.integers(1, 10**9), min_size=1, max_size=30)


@settings(max_examples=30)  # each resamples a thousand times
@given(st.lists(st.tuples(times, times), min_size=1, max_size=4), st.sampled_from([50.0, 90.0, 99.0]))
def test_statistics_are_of_the_pooled_histograms(sides: list[tuple[list[int], list[int]]], percent: float) -> None:
    pairs = []
    for one in sides:
        pair = []
        for values in one:
            histogram = Histogram()
            histogram.record(np.array(values, np.int64))
            pair.append({"m": Histogram.decode(histogram.encode())})
        pairs.append((pair[0], pair[1]))
    first, second = (pooled([pair[side] for pair in pairs])["m"] for side in (0, 1))
    a, b = first.quantile_ns(percent), second.quantile_ns(percent)
    assert a and b
    assert ratio(pairs, quantile(percent)).value == pytest.approx(a / b)
    assert ratio(pairs, mean).value == pytest.approx((first.mean_ns() or 0) / (second.mean_ns() or 1))
    limit_ns = second.quantile_ns(50) or 0
    beyond = [histogram.count_beyond(limit_ns) / histogram.total for histogram in (first, second)]
    found = ratio(pairs, share_beyond({"m": float(limit_ns)}))
    if beyond[1]:
        assert found.value == pytest.approx(beyond[0] / beyond[1])
    else:
        assert np.isnan(found.value)


def test_the_interval_of_a_ratio_holds_what_it_is_of() -> None:
    random = np.random.default_rng(0)
    held = 0
    for _ in range(60):
        pairs = []
        for _ in range(12):
            mood = random.lognormal(0, 0.2)  # what both sides of a pair share
            pair = []
            for factor in (1.1, 1.0):
                histogram = Histogram()
                histogram.record((5e6 * mood * factor * random.lognormal(0, 0.1, 200)).astype(np.int64))
                pair.append({"m": histogram})
            pairs.append((pair[0], pair[1]))
        found = ratio(pairs, mean)
        held += found.low <= 1.1 <= found.high
    assert held >= 54  # 95 % of 60 are 57


def test_the_interval_of_a_mean_of_few_holds_it_nearly_as_often_as_it_says() -> None:
    """The percentile bootstrap alone would in 84 of 100 times."""
    random = np.random.default_rng(0)
    found = [mean_of(random.normal(10, 1, 5).tolist(), seed) for seed in range(400)]
    assert 0.92 <= np.mean([one.low <= 10 <= one.high for one in found]) <= 0.98


def test_what_is_never_below_0_has_no_bound_below_it() -> None:
    assert mean_of([0.0, 0.0, 0.0, 0.0, 5.0]).low == 0.0
    assert mean_of([-5.0, 5.0, 5.0, 5.0, 5.0]).low < 0.0
    none = mean_ratio([(0.0, 0.1)] * 6)
    assert (none.value, none.low, none.high) == (0.0, 0.0, 0.0)
    assert np.isnan(mean_ratio([(0.1, 0.0)] * 6).value)


@pytest.mark.parametrize(
    ("of", "verdict"),
    [
        (Ratio(1.01, 0.98, 1.04), Verdict.MET),
        (Ratio(1.05, 1.01, 1.09), Verdict.MISSED),
        (Ratio(1.05), Verdict.SHOWN),
        (None, Verdict.SHOWN),
    ],
)
def test_the_same_twice_is_judged_by_the_study_s_interval(
    of: Ratio | None, verdict: Verdict, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = Pair("b", "a", IDLE, 50.0, of, "", 40, None)
    monkeypatch.setattr(same_twice, "pairs_of", lambda *asked: [pair])
    (row,) = same_twice.prove(same_twice.Plan(1, 9.0, (0,), "squeezenet1_1")).rows
    assert (row.label, row.verdict) == ("idle, p50, 40 rounds", verdict)


def test_a_share_has_the_interval_of_its_textbook() -> None:
    found = share_of(3, 60)
    # Wilson's interval of 3 in 60, from SciPy's binomtest(3, 60).proportion_ci(method="wilson").
    assert (found.value, found.low, found.high) == pytest.approx((5.0, 1.714, 13.70), abs=0.01)
