"""The candidates that are no models: ``null`` measures the instrument, ``hiccup`` the platform."""

from __future__ import annotations

import json
import runpy
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latvar_tui import wire, zoo
from latvar_tui.candidate import Candidate, UsageError, parse_candidate, parse_candidates, short_names
from latvar_tui.columns import text_table
from latvar_tui.condition import IDLE
from latvar_tui.controls import CONTROLS, NULL_FILE
from latvar_tui.device import workload
from latvar_tui.device.hiccup import NOMINAL_NS
from latvar_tui.device.tape import Tape
from latvar_tui.link import Link
from latvar_tui.shelf import choices, problem_of
from latvar_tui.study.table import table
from latvar_tui.summary import summary
from latvar_tui.tui.picker import Picker
from latvar_tui.zoo.identity import identity_of
from tests.conftest import frames_until, run_cli, slices
from tests.scripted_link import MS, board_of, session, slice_frame
from tests.test_screen import IDLE as IDLE_SESSION
from tests.test_screen import make_app, sent, settled

MODELS = Path(__file__).parent.parent / "models"
SETTINGS = (
    "threads=1",
    "spin=off",
    "opt=basic",
    "int8",
    "arena=off",
    "parallel",
    "shape=x:1",
    "fill=x:0",
    "input=a.npz",
)


# -- as candidates ----------------------------------------------------------------------------------


def test_the_default_line_up_has_none() -> None:
    assert not set(zoo.DEFAULT_LINE_UP) & set(CONTROLS)


@pytest.mark.parametrize("setting", SETTINGS)
def test_hiccup_has_no_settings(setting: str) -> None:
    with pytest.raises(UsageError, match=r"which runs no model: leave it out"):
        parse_candidate(f"hiccup@{setting}", cores=2)


@given(cores=st.integers(1, 64), label=st.from_regex(r"[A-Za-z0-9._+-]{0,10}", fullmatch=True))
def test_hiccup_survives_its_text_form_on_any_device(cores: int, label: str) -> None:
    text = f"hiccup@as={label}" if label else "hiccup"
    candidate = parse_candidate(text, cores)
    assert str(candidate) == text
    assert parse_candidate(text, cores + 1) == candidate == Candidate(cores, model="hiccup", spin=False, label=label)
    assert candidate.settings == {}


def test_null_has_the_settings_of_a_model_but_one_precision() -> None:
    candidate = parse_candidate("null@spin=off", 2)
    assert str(candidate) == "null@threads=2,spin=off"
    with pytest.raises(zoo.ZooError, match="null has no int8 graph"):
        zoo.find("null", "int8")


def test_what_runs_no_model_is_not_varied() -> None:
    varied = parse_candidates(["hiccup", "null"], 2, ["threads=1,2", "spin=on,off"])
    assert [str(candidate) for candidate in varied] == [
        "hiccup",
        *(f"null@threads={threads},spin={spin}" for threads in (1, 2) for spin in ("on", "off")),
    ]
    with pytest.raises(UsageError, match="'--vary threads=1,2' varies nothing"):
        parse_candidates(["hiccup"], 2, ["threads=1,2"])


def test_rows_have_short_names() -> None:
    line_up = parse_candidates(["hiccup", "squeezenet1_1", "null", "hiccup@as=B"], 2)
    assert short_names(line_up) == ["hiccup", "squeezenet1_1", "null", "B"]
    assert short_names(parse_candidates(["hiccup", "null@threads=1", "null"], 2))[0] == "hiccup"


def test_nobody_names_a_model_of_their_own_so() -> None:
    for name in CONTROLS:
        with pytest.raises(zoo.ZooError, match="choose another name"):
            zoo.library.check_name(name)
        assert isinstance(zoo.find(name), zoo.Control)
        assert identity_of(zoo.find(name))


# -- null's graph -----------------------------------------------------------------------------------


def test_the_graph_that_does_nothing_is_what_the_script_makes() -> None:
    made = runpy.run_path(str(MODELS / "null.py"))["null_graph"]()
    assert (MODELS / NULL_FILE).read_bytes() == made


def test_it_does_nothing() -> None:
    loaded = workload.load(parse_candidate("null", 1))
    loaded.infer()
    (output,) = loaded.outputs()
    assert output.shape == (1,) and np.isfinite(output).all()
    assert loaded.inputs == ["input float32 1"]
    assert loaded.nominal_ns == 0


# -- hiccup's times ---------------------------------------------------------------------------------


def test_lateness_is_what_a_sleep_takes_beyond_its_time() -> None:
    tape = Tape()
    tape.starts[:4], tape.durations[:4] = [100, 1100, 2200, 9000], [1000, 1050, 900, 7000]
    tape.take_off(1000, 3)
    assert tape.durations[:4].tolist() == [0, 50, 0, 7000]
    assert tape.starts[:4].tolist() == [1100, 2100, 3100, 9000]


def test_no_nominal_time_changes_nothing() -> None:
    tape = Tape()
    tape.starts[:2], tape.durations[:2] = [100, 200], [90, 80]
    tape.take_off(0, 2)
    assert (tape.starts[:2].tolist(), tape.durations[:2].tolist()) == ([100, 200], [90, 80])


# -- for real ---------------------------------------------------------------------------------------


def median_ns(frames: list[wire.Slice], candidate: str) -> float:
    board = board_of([candidate], [frame for frame in frames if frame.candidate == candidate])
    cell = board.cell(board.contenders[0], IDLE)
    assert cell is not None
    median = cell.service.quantile_ns(50.0)
    assert median is not None
    return median


def test_they_are_measured_like_any_candidate(start: Callable[..., Link]) -> None:
    line_up = ["null@threads=1,spin=on", "hiccup", "squeezenet1_1@threads=1,spin=on"]
    frames = frames_until(start(line_up, slice_ms=40), lambda f: isinstance(f, wire.Slice) and f.seq >= 12)
    own = slices(frames)
    assert {frame.candidate for frame in own} == set(line_up)
    # Whatever the machine: doing nothing takes a small part of what a model takes.
    assert 10 * median_ns(own, line_up[0]) < median_ns(own, line_up[2])
    for frame in own:
        if frame.candidate == "hiccup":
            assert frame.inferences >= 1
            # What remains of a slice once the sleeps themselves are taken off.
            assert frame.service.max_ns > 0
            assert frame.service.sum_ns + frame.inferences * NOMINAL_NS <= frame.end_ns - frame.start_ns
            assert all(start_ns + late_ns <= frame.end_ns for start_ns, late_ns, *_ in frame.slowest)
            assert all(start_ns >= frame.start_ns + NOMINAL_NS for start_ns, *_ in frame.slowest)
    ready = {frame.candidate: frame for frame in frames if isinstance(frame, wire.State) and frame.state == "ready"}
    hiccup = ready["hiccup"]
    assert hiccup.inputs == [] and hiccup.load_ms == 0 and hiccup.identity
    assert hiccup.cold_ms and hiccup.warm_ms is not None and min(hiccup.cold_ms) >= 0
    assert any("no model" in note for note in hiccup.notes)


def test_record_takes_them() -> None:
    done = run_cli("record", "hiccup", "null@threads=1", "--duration", "0.1s", "--slice", "20", "--json", "--force")
    assert done.returncode == 0, done.stderr
    hiccup, null = json.loads(done.stdout)["cells"]
    assert (hiccup["candidate"], hiccup["settings"], hiccup["measured_share"]) == ("hiccup", {}, None)
    assert null["settings"]["threads"] == 1 and 0 < null["measured_share"] <= 1
    assert hiccup["n"] > 0 and null["n"] > 0
    assert hiccup["slowest"] and null["slowest"]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["record", "hiccup@threads=2"], "runs no model"),
        (["live", "hiccup", "--vary", "spin=on,off"], "varies nothing"),
        (["record", "null", "--input", "x.npz"], "--input feeds models"),
        (["models", "export", "hiccup", "-o", "x.onnx"], "runs no model"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(arguments: list[str], why: str) -> None:
    done = run_cli(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert why in done.stderr and len(done.stderr.splitlines()) == 1


def test_null_can_be_exported(tmp_path: Path) -> None:
    assert run_cli("models", "export", "null", "-o", str(tmp_path / "n.onnx")).returncode == 0
    assert (tmp_path / "n.onnx").stat().st_size > 0


# -- beside models ----------------------------------------------------------------------------------


def test_controls_are_nobodys_rivals() -> None:
    names = ["null", "squeezenet1_1", "mobilenet_v2", "hiccup"]
    board = board_of(names, session(names, ["0xcpu@100%"], slices_per_cell=30))
    rows = {row.contender.name: row for row in table(board, IDLE, 50.0)}
    assert rows["null"].to_best is rows["hiccup"].to_best is None
    # The session's first candidate is the fastest: still it is not the best of the models.
    assert rows["squeezenet1_1"].to_best is not None and rows["squeezenet1_1"].to_best.value == 1
    assert rows["mobilenet_v2"].to_best is not None and rows["mobilenet_v2"].to_best.value > 1
    line = next(line for line in text_table(list(rows.values()), 50.0) if line.startswith("null"))
    assert line.split()[-2:] == ["–", "–"]
    assert rows["null"].quantiles_ns[0] is not None


def test_controls_alone_have_no_best() -> None:
    board = board_of(["hiccup"], [slice_frame(1, "hiccup", "0xcpu@100%", [MS] * 40)])
    (row,) = table(board, IDLE, 50.0)
    assert row.to_best is None and row.n == 40


def test_lateness_is_not_measured_time() -> None:
    names = ["hiccup", "null"]
    cells = summary(board_of(names, session(names, ["0xcpu@100%"])))["cells"]
    assert [cell["measured_share"] is None for cell in cells] == [True, False]


def test_both_can_be_chosen() -> None:
    assert {choice.model for choice in choices("") if choice.kind == "control"} == set(CONTROLS)
    assert [choice.model for choice in choices("hic")] == ["hiccup"]
    for name in CONTROLS:
        assert problem_of(Candidate(2, model=name)) == ""


async def test_hiccup_joins_on_the_screen_and_has_nothing_to_set() -> None:
    app = make_app(IDLE_SESSION)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("m", *"hic", "tab", "up", "right", "down", "enter")
        await pilot.pause()
        assert isinstance(app.screen, Picker)
        assert wire.Add("hiccup") in sent(app).sent
        assert app.board.contenders[-1].name == "hiccup"
