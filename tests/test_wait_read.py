"""The proof that reading the wait moves nothing works, and sees it when something is moved. Its figures need quiet."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.proof import Verdict
from benchmarks.wait_read import CLOCK, NONE, READ, compared
from latvar_tui.histogram import Histogram

ROOT = Path(__file__).parent.parent


@pytest.mark.skipif(not os.path.exists("/proc/self/schedstat"), reason="counts no run-queue delay")
def test_it_tells_both_ways_under_each_stress(small_model: str) -> None:
    command = [sys.executable, "-m", "benchmarks.wait_read", "--rounds", "5", "--slice-ms", "20", "--threads", "0", "1"]
    command += ["--model", f"{small_model}@threads=1"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert ended.returncode == 0, ended.stderr
    rows = [line.strip("| ").split(" | ") for line in ended.stdout.splitlines() if line.startswith("| ")][1:]
    for where in ("idle", "1 stress thread"):
        found = {row[0].partition(": ")[2]: row[1] for row in rows if row[0].startswith(f"{where}: ")}
        judged = [f"{READ} ÷ none, {name}" for name in ("p50", "mean", "p95", "p99")]
        assert list(found)[:4] == judged and len(found) == 5
        assert all(float(found[label].split()[0]) > 0 for label in judged)
        (clock,) = (text for label, text in found.items() if label.startswith(CLOCK))
        assert all(float(number) > 0 for number in re.findall(r"(?:p\d\d|mean) ([\d.]+)", clock))
    assert len(rows) == 10


@pytest.mark.parametrize(("factor", "verdict"), [(1.0, Verdict.MET), (1.2, Verdict.MISSED), (0.8, Verdict.MISSED)])
def test_what_the_read_moves_is_judged_and_the_clock_is_not(factor: float, verdict: Verdict) -> None:
    random = np.random.default_rng(0)
    rounds = []
    for _ in range(12):
        slices = {}
        for way, moved in ((NONE, 1.0), (READ, factor), (CLOCK, 3.0)):
            slices[way] = Histogram()
            slices[way].record((moved * random.normal(5e6, 2e4, 500)).astype(np.int64))
        rounds.append(slices)
    rows = {row.label: row for row in compared("idle", rounds)}
    assert [rows[f"idle: {READ} ÷ none, {name}"].verdict for name in ("mean", "p95", "p99")] == [verdict] * 3
    (clock,) = (row for label, row in rows.items() if CLOCK in label)
    assert clock.verdict == Verdict.SHOWN and "mean 3.0" in clock.found
