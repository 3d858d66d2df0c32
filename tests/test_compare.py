"""``compare``: what got worse is told where it did, and nowhere else."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from latvar_tui import wire
from latvar_tui.session.layout import ABOUT
from tests.conftest import call_cli, run_cli
from tests.scripted_link import MS, hello, line_up, session, slice_frame, state_frame
from tests.session_files import CANDIDATES, recorded

IDLE, STRESS = "0xcpu@100%", "2xcpu@100%"
IDS = [str(candidate) for candidate in line_up(CANDIDATES[:2])]


def times_session(seed: int, slower: float = 1.0, slices: int = 60, name: str = CANDIDATES[0]) -> list[wire.Frame]:
    """One candidate, idle and under stress; under stress, ``slower`` times as slow."""
    random = np.random.default_rng(seed)
    frames: list[wire.Frame] = [hello(), state_frame(name, "ready")]
    for seq in range(2 * slices):
        factor = slower if seq >= slices else 1.0
        values = (2 * MS * factor * random.lognormal(0, 0.1, 60)).astype(np.int64)
        frames.append(slice_frame(seq + 1, name, IDLE if seq < slices else STRESS, values))
    return frames


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recorded(tmp_path_factory.mktemp("before") / "before", times_session(1))


def document(*arguments: str | Path) -> dict[str, Any]:
    ended = call_cli("compare", *map(str, arguments), "--json")
    assert ended.returncode == 0, ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


def test_what_got_worse_is_told_and_fails(before: Path, tmp_path: Path) -> None:
    after = recorded(tmp_path / "after", times_session(2, slower=1.3))
    found = document(before, after)
    assert found["schema"] == "latvar-tui/1" and found["reversals"] == []
    assert [one["session"] for one in found["sessions"]] == [str(before), str(after)]
    assert {cell["session"] for cell in found["cells"]} == {str(before), str(after)}
    idle, stressed = found["comparisons"][0]["cells"]
    assert (idle["condition"], stressed["condition"]) == (IDLE, STRESS)
    for change in stressed["ratios"].values():
        assert change["verdict"] == "worse" and not change["provisional"]
        assert change["ratio"] == pytest.approx(change["b_ms"] / change["a_ms"]) == pytest.approx(1.3, rel=0.05)
        assert 1.2 < change["ci95"][0] <= change["ratio"] <= change["ci95"][1]
    assert {change["verdict"] for change in idle["ratios"].values()} == {"undecided"}

    failed = run_cli("compare", str(before), str(after), "--fail-if-worse", "10%")
    assert failed.returncode == 1
    told = [line for line in failed.stderr.splitlines() if "is worse by more than 10 %" in line]
    assert len(told) == 4 and all("under 2xcpu@100%" in line for line in told)
    assert call_cli("compare", str(before), str(after), "--fail-if-worse", "40").returncode == 0
    assert call_cli("compare", str(after), str(before), "--fail-if-worse", "10%").returncode == 0


def test_the_tables_fit_eighty_cells(tmp_path: Path) -> None:
    conditions = [IDLE, "2xcpu@100%,pin=0,2,rate=60"]
    folders = [recorded(tmp_path / name, session(CANDIDATES, conditions, 30, seed)) for seed, name in enumerate("ab")]
    ended = call_cli("compare", *map(str, folders))
    assert ended.returncode == 0, ended.stderr
    lines = ended.stdout.splitlines()
    tables = [line for line in lines if not line.startswith("note:")]
    assert max(map(len, tables)) <= 80
    assert sum(line.startswith("mobilenet_v2 ") for line in lines) == 2


def test_provisional_quantiles_are_marked_and_judge_nothing(before: Path, tmp_path: Path) -> None:
    after = recorded(tmp_path / "after", times_session(3, slower=3.0, slices=10))
    found = document(before, after)
    ratios = found["comparisons"][0]["cells"][1]["ratios"]
    assert ratios["p99"] == ratios["p99"] | {"provisional": True, "verdict": None, "ci95": None}
    # Ten slices do not say how much slices differ: no claim, however large the ratio.
    assert ratios["p50"]["verdict"] == "undecided" and ratios["p50"]["ci95"] is None
    ended = call_cli("compare", str(before), str(after), "--fail-if-worse", "10%")
    assert ended.returncode == 0 and "passes unjudged" in ended.stderr
    rows = [line for line in ended.stdout.splitlines() if " p99 " in line]
    assert rows and all(line.count("~") == 3 for line in rows)


def test_what_differs_around_it_is_told(before: Path, tmp_path: Path) -> None:
    frames = times_session(4)
    assert isinstance(frames[0], wire.Hello)
    frames[0] = replace(frames[0], device={**frames[0].device, "cpu": "Another CPU", "pid": 1})
    assert isinstance(frames[1], wire.State)
    frames[1] = replace(frames[1], identity="another")
    after = recorded(tmp_path / "after", [frame for frame in frames if getattr(frame, "condition", IDLE) == IDLE])
    about = json.loads((after / ABOUT).read_bytes())
    about["options"] |= {"slice_ms": 100.0, "duration": 5.0}
    about["latvar_tui"] = "9"
    (after / ABOUT).write_text(json.dumps(about))
    differences = {
        one["what"]: (one["a"], one["b"]) for one in document(before, after)["comparisons"][0]["differences"]
    }
    assert differences["cpu"] == ("Example CPU @ 2.00GHz", "Another CPU")
    assert differences["slice_ms"] == ("250.0", "100.0")
    assert differences["latvar_tui"][1] == "9"
    assert differences["the model's files of mobilenet_v2"][1] == "another"
    (missing,) = [what for what, places in differences.items() if places == ("measured", "–")]
    assert "under 2xcpu@100%" in missing
    assert len(differences) == 5
    assert "  cpu: Example CPU @ 2.00GHz → Another CPU" in call_cli("compare", str(before), str(after)).stdout


def test_a_session_differs_in_nothing_from_itself(before: Path) -> None:
    (comparison,) = document(before, before)["comparisons"]
    assert comparison["differences"] == []
    for cell in comparison["cells"]:
        for change in cell["ratios"].values():
            assert change["ratio"] == 1 and change["verdict"] == "undecided"


def test_candidates_are_equated(before: Path, tmp_path: Path) -> None:
    other = recorded(tmp_path / "other", times_session(5, name=CANDIDATES[1]))
    refused = call_cli("compare", str(before), str(other))
    assert refused.returncode == 2 and "--pair" in refused.stderr and len(refused.stderr.splitlines()) == 1
    (cell, _) = document(before, other, "--pair", "mobilenet_v2=squeezenet1_1")["comparisons"][0]["cells"]
    assert cell["candidate"].startswith("mobilenet_v2@") and cell["candidate_b"].startswith("squeezenet1_1@")
    same = document(before, other, "--pair", f"{cell['candidate']}={cell['candidate_b']}")["comparisons"][0]
    assert len(same["cells"]) == 2
    told = call_cli("compare", str(before), str(other), "--pair", "mobilenet_v2=squeezenet1_1").stdout
    assert "\nB: squeezenet1_1  " in told
    for pair in ("a=b", "mobilenet_v2", "mobilenet_v2=nothing", "="):
        refused = call_cli("compare", str(before), str(other), "--pair", pair)
        assert refused.returncode == 2 and len(refused.stderr.splitlines()) == 1


@pytest.mark.parametrize("arguments", [[], ["{}"], ["{}", "no-such"], ["{}", "{}", "--fail-if-worse", "much"]])
def test_unusable_input_is_one_sentence(before: Path, arguments: list[str]) -> None:
    ended = call_cli("compare", *(text.format(before) for text in arguments))
    assert ended.returncode == 2
    assert ended.stdout == "" and len(ended.stderr.splitlines()) == 1


def failing(frames: list[wire.Frame], name: str = CANDIDATES[0]) -> list[wire.Frame]:
    """The same, but in the end its runner fails."""
    return [*frames, state_frame(name, "failed", reason="its runner was killed for memory")]


@pytest.mark.parametrize("slices", [0, 60])
def test_a_candidate_that_failed_is_worse(before: Path, tmp_path: Path, slices: int) -> None:
    after = recorded(tmp_path / "after", [*failing(times_session(1, slices=slices)), *others(slices == 0)])
    ended = call_cli("compare", str(before), str(after), "--fail-if-worse", "10%")
    assert ended.returncode == 1, ended.stderr
    assert "failed in B:\n  mobilenet_v2: its runner was killed" in ended.stdout
    assert "mobilenet_v2 failed in after: its runner was killed for memory" in ended.stderr
    (comparison,) = document(before, after)["comparisons"]
    assert [one["reason"] for one in comparison["failed"]] == ["its runner was killed for memory"]
    assert call_cli("compare", str(before), str(after)).returncode == 0
    assert call_cli("compare", str(after), str(before), "--fail-if-worse", "10%").returncode in (0, 2)
    if slices:
        assert call_cli("compare", str(after), str(after), "--fail-if-worse", "10%").returncode == 0


def others(wanted: bool) -> list[wire.Frame]:
    """A candidate of its own, for a session in which nothing else was measured."""
    found = times_session(3, slices=5, name=CANDIDATES[1])[1:] if wanted else []
    return found


def test_what_nothing_can_be_said_of_is_named(before: Path, tmp_path: Path) -> None:
    idle_alone = [f for f in times_session(1) if not isinstance(f, wire.Slice) or f.condition == IDLE]
    after = recorded(tmp_path / "after", idle_alone)
    ended = call_cli("compare", str(before), str(after), "--fail-if-worse", "10%")
    assert ended.returncode == 0 and "passes unjudged" in ended.stderr
    assert "mobilenet_v2 under 2xcpu@100% (not in B)" in ended.stderr and "under idle" not in ended.stderr


@pytest.mark.parametrize(("slices", "told"), [(19, False), (47, True), (48, False)])
def test_an_interval_of_few_slices_is_said_to_be_short(tmp_path: Path, slices: int, told: bool) -> None:
    one, other = (recorded(tmp_path / str(seed), times_session(seed, slices=slices)) for seed in (1, 2))
    notes = document(one, other)["notes"]
    assert any("may be too short" in note for note in notes) == told


def two_candidates(seed: int, times_ms: tuple[float, float]) -> list[wire.Frame]:
    """Rounds of both candidates, idle."""
    random = np.random.default_rng(seed)
    frames: list[wire.Frame] = [hello(), *(state_frame(name, "ready") for name in CANDIDATES[:2])]
    for seq in range(100):
        name, base_ms = CANDIDATES[seq % 2], times_ms[seq % 2]
        values = (base_ms * MS * random.lognormal(0, 0.1, 60)).astype(np.int64)
        frames.append(slice_frame(seq + 1, name, IDLE, values, round_number=seq // 2))
    return frames


def test_pairs_that_change_places_between_sessions_are_named(tmp_path: Path) -> None:
    one = recorded(tmp_path / "one", two_candidates(1, (2.0, 2.4)))
    other = recorded(tmp_path / "other", two_candidates(2, (3.0, 2.6)))
    found = [reversal for reversal in document(one, other)["reversals"] if reversal["quantile"] == 50.0]
    assert [(r["a"], r["b"], r["from"], r["to"]) for r in found] == [(*IDS, IDLE, IDLE)]
    assert found[0]["ci95_from"][0] > 1 > found[0]["ci95_to"][1]
    assert (found[0]["session_from"], found[0]["session_to"]) == (str(one), str(other))
    assert {"device_from", "device_to"} <= set(found[0])
    told = call_cli("compare", str(one), str(other)).stdout
    assert " under idle at p50 in A (−1" in told and "and loses in B (+1" in told
    assert document(one, one)["reversals"] == []
