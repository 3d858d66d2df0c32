"""The proof of the controls works on a real probe. Its figures need a quiet machine."""

from __future__ import annotations

from benchmarks.control import Plan, prove
from benchmarks.proof import Verdict


def test_null_and_hiccup_are_told_under_each_stress() -> None:
    rows = prove(Plan(1, 0.05, (0, 1))).rows
    assert [bool(row.limit) for row in rows] == [True] + [False] * 8
    assert rows[0].verdict == Verdict.UNSURE  # one round is too few
    for where in ("idle", "1 stress thread"):
        found = {row.label: float(row.found.split()[0]) for row in rows if row.label.startswith(f"{where}: ")}
        for name in ("a call of null", "lateness of hiccup"):
            assert 0 < found[f"{where}: {name}, p50"] <= found[f"{where}: {name}, p99"]
