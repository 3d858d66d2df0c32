"""``sweep`` as a user types it: on a real probe, refused, interrupted, gone on with."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latvar_tui.cli_sweep import paper_line_up
from latvar_tui.levels import parse_levels
from tests.conftest import LONGEST_S, Started, call_cli, run_cli

QUICK = ("--slice", "20", "--force")


@pytest.fixture(autouse=True)
def own_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The lock of this test alone: a latvar-tui that runs elsewhere does not matter."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))


@pytest.fixture
def small(small_model: str) -> str:
    """On one thread, which is enough to be measured."""
    return f"{small_model}@threads=1"


@pytest.fixture
def larger(larger_model: str) -> str:
    return f"{larger_model}@threads=1"


def test_a_real_sweep_from_beginning_to_end(small: str, larger: str, tmp_path: Path) -> None:
    arguments = [small, larger, "--stress", "0,2", "--budget", "8s", *QUICK]
    done = run_cli("sweep", *arguments, "--record", str(tmp_path / "s"), "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["schema"] == "latvar-tui/1" and document["session"] == str(tmp_path / "s")
    assert [(cell["model"], cell["condition"]) for cell in document["cells"]] == [
        (model, condition) for model in ("small", "larger") for condition in ("0xcpu@100%", "2xcpu@100%")
    ]
    assert all(cell["slices"] >= 4 and cell["n"] > 0 for cell in document["cells"])
    assert document["run"]["conditions"] == ["0xcpu@100%", "2xcpu@100%"] and document["run"]["took_s"] < 30
    assert document["reversals"] == []
    assert {tau["quantile"] for tau in document["kendall_tau"]} <= {50.0, 95.0}  # with too little at p95 none

    shown = run_cli("show", str(tmp_path / "s"))
    assert shown.returncode == 0
    assert any(line.split()[:5] == ["p50", "ms", "idle", "2", "stress"] for line in shown.stdout.splitlines())
    assert "1 pair against idle in 1 column" in shown.stdout

    more = run_cli("sweep", "--resume", str(tmp_path / "s"), "--budget", "2s", "--force", "--json")
    assert more.returncode == 0, more.stderr
    after = json.loads(more.stdout)
    assert after["session"] not in (None, document["session"])
    for old, new in zip(document["cells"], after["cells"], strict=True):
        assert (old["candidate"], old["condition"]) == (new["candidate"], new["condition"])
        assert new["n"] >= old["n"] and new["slices"] >= old["slices"]


def test_the_text_tells_who_wins(small: str, larger: str) -> None:
    done = run_cli("sweep", small, larger, "--stress", "0,1", "--budget", "3s", *QUICK, "--no-record")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""  # no terminal, no progress
    for words in ("p50 ms", "p95 ms", "comparisons not settled"):
        assert words in done.stdout


def test_memory_stress_and_varied_settings_sweep_the_same_way(small_model: str) -> None:
    vary = ["--vary", "spin=on,off", "--kind", "mem", "--stress", "0,1", "--until", "2s"]
    done = run_cli("sweep", small_model, *vary, *QUICK, "--no-record", "--json")
    assert done.returncode == 0, done.stderr
    cells = json.loads(done.stdout)["cells"]
    assert {(cell["settings"]["spin"], cell["condition"]) for cell in cells} == {
        (spin, condition) for spin in ("on", "off") for condition in ("0xcpu@100%", "1xmem@100%")
    }


def test_ctrl_c_keeps_and_tells_and_it_can_go_on(small: str, larger: str, tmp_path: Path) -> None:
    folder = tmp_path / "s"
    command = [sys.executable, "-m", "latvar_tui", "sweep", small, larger, *QUICK, "--record", str(folder)]
    with Started(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as sweep:
        limit = time.monotonic() + LONGEST_S
        while _slices_in(folder) < 12:
            assert time.monotonic() < limit
            time.sleep(0.01)  # polling: what is measured comes when it comes
        sweep.send_signal(signal.SIGINT)
        out, err = sweep.communicate(timeout=LONGEST_S)
        assert sweep.returncode == 130
    assert "Traceback" not in err and f"session: {folder}" in err
    assert "p50 ms" in out and "not settled" in out
    more = run_cli("sweep", "--resume", str(folder), "--budget", "1s", "--force", "--no-record")
    assert more.returncode == 0, more.stderr


def _slices_in(folder: Path) -> int:
    log = folder / "intervals.hlog"
    return log.read_text().count("Tag=") if log.is_file() else 0


BAD_INPUT: dict[str, tuple[list[str], str]] = {
    "no level": (["--stress", "0,two"], "like 0,1,2,4"),
    "a level twice": (["--stress", "0,1,1"], "twice"),
    "too many": (["--stress", "9999"], "the most is 512"),
    "no end": (["--until", "whenever"], "neither 'settled' nor a duration"),
    "two ends": (["--until", "5m", "--budget", "5m"], "leave one out"),
    "no budget": (["--budget", "0s"], "leaves no time"),
    "no session": (["--resume", "nowhere"], "no session 'nowhere'"),
    "models of a session": (["--resume", "last", "squeezenet1_1"], "leave yours out"),
    "levels of a session": (["--resume", "last", "--stress", "0,1"], "leave yours out"),
    "models of the study": (["--paper", "squeezenet1_1"], "models of its own"),
    "a quantile that is not compared": (["--quantile", "97"], "p50, p90, p95, p99, p99.9"),
    "a model": (["squeezenet"], "squeezenet1_1"),
}


@pytest.mark.parametrize("name", BAD_INPUT)
def test_bad_input_is_one_sentence(name: str) -> None:
    arguments, words = BAD_INPUT[name]
    done = call_cli("sweep", *arguments)
    assert done.returncode == 2 and done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1 and words in done.stderr, done.stderr


def test_by_time_needs_two_parts(small: str, tmp_path: Path) -> None:
    folder = str(tmp_path / "s")
    done = run_cli("record", small, f"{small},as=B", *QUICK, "--duration", "3s", "--record", folder)
    assert done.returncode == 0
    shown = call_cli("show", folder, "--by", "time", "--part", "1s", "--quantile", "95")
    assert shown.returncode == 0, shown.stderr
    where, head = shown.stdout.splitlines()[:2]
    assert where == "idle" and "first 1 s" in head and "last 1 s" in head
    document: dict[str, Any] = json.loads(call_cli("show", folder, "--by", "time", "--json").stdout)
    first, last = document["parts"]
    assert first["to_s"] <= last["from_s"] and all(cell["n"] > 0 for cell in (*first["cells"], *last["cells"]))
    for arguments, words in ((["--by", "time", "--part", "1h"], "shorter --part"), (["--part", "1s"], "--by time")):
        refused = call_cli("show", folder, *arguments)
        assert refused.returncode == 2 and words in refused.stderr


def test_the_paper_line_up_is_the_convolutional_zoo() -> None:
    assert len(paper_line_up()) == 14 and "vit_tiny_16" not in paper_line_up()


@given(st.lists(st.integers(0, 400), min_size=1, max_size=6, unique=True), st.integers(1, 128))
def test_numbers_of_threads_are_read_as_they_are(threads: list[int], cores: int) -> None:
    assert parse_levels(",".join(map(str, threads)), cores) == tuple(threads)


@pytest.mark.parametrize(("cores", "threads"), [(1, (0, 1)), (2, (0, 1, 2)), (8, (0, 4, 8))])
def test_shares_are_of_the_cores(cores: int, threads: tuple[int, ...]) -> None:
    assert parse_levels("0,50%,100%", cores) == threads
