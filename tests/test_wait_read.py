"""The benchmark of reading the wait works, and fails when its limit is missed. Its figures need a quiet machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

pytestmark = pytest.mark.skipif(not os.path.exists("/proc/self/schedstat"), reason="counts no run-queue delay")


def run(model: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.wait_read", "--rounds", "2", "--slice", "20", *options, model]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


def test_it_prints_both_ways_under_each_stress(small_model: str) -> None:
    ended = run(f"{small_model}@threads=1", "--stress", "0,1", "--least", "0", "--most", "1e9")
    assert ended.returncode == 0, ended.stderr
    rows = [line.strip("| ").split(" | ") for line in ended.stdout.splitlines()[3:]]
    assert [row[:2] for row in rows] == [
        ["0", "pread"], ["0", "cpu clock"], ["1", "pread"], ["1", "cpu clock"],
    ]  # fmt: skip
    for row in rows:
        assert all(float(ratio.split()[0]) > 0 for ratio in row[2:5])


def test_a_limit_that_is_missed_fails(small_model: str) -> None:
    ended = run(f"{small_model}@threads=1", "--stress", "0", "--least", "1e8", "--most", "1e9")
    assert ended.returncode == 1
    assert ended.stdout.splitlines()[-1].startswith("Missed")
