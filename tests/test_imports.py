"""Who imports what, and that a phone with numpy and onnxruntime alone is a whole device."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from latvar_tui import wire
from tests.conftest import Started, run_cli

SCREEN = {"textual", "rich", "latvar_tui.tui"}
NOT_ON_A_DEVICE = SCREEN | {"click", "hdrh", "platformdirs"}

ABSENT = """
import sys


class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {names!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
        return None


sys.meta_path.insert(0, Absent())
"""


def loaded_by(program: str) -> set[str]:
    """The modules that a fresh interpreter has loaded after ``program``, packages by their names too."""
    ended = subprocess.run(
        [sys.executable, "-c", f"{program}\nimport json, sys\nprint(json.dumps(list(sys.modules)))"],
        capture_output=True,
        text=True,
        check=True,
    )
    modules = json.loads(ended.stdout.splitlines()[-1])
    return {".".join(name.split(".")[:end]) for name in modules for end in range(1, name.count(".") + 2)}


def loaded_by_command(*arguments: str) -> set[str]:
    """The modules that a fresh interpreter has loaded after a command of ``latvar-tui``."""
    return loaded_by(
        "import contextlib, io\nfrom latvar_tui.cli import cli\n"
        "with contextlib.redirect_stdout(io.StringIO()):\n"
        f"    cli({list(arguments)!r}, standalone_mode=False)"
    )


def without(folder: Path, *names: str) -> dict[str, str]:
    """An environment in whose interpreters the packages ``names`` are not installed."""
    (folder / "sitecustomize.py").write_text(ABSENT.format(names=set(names)))
    path = os.environ.get("PYTHONPATH")
    return {"PYTHONPATH": str(folder) + (os.pathsep + path if path else "")}


# -- the direction of imports -----------------------------------------------------------------------


def test_the_device_side_needs_no_screen_and_no_command_line() -> None:
    loaded = loaded_by("import latvar_tui.device.probe, latvar_tui.device.runner, latvar_tui.device.workload")
    assert "latvar_tui.device.probe" in loaded
    assert not loaded & NOT_ON_A_DEVICE
    assert not loaded & {"latvar_tui.study", "latvar_tui.link", "latvar_tui.cli"}


def test_what_may_be_concluded_needs_no_screen() -> None:
    loaded = loaded_by("import latvar_tui.study.board, latvar_tui.study.table")
    assert not loaded & (SCREEN | {"click", "psutil", "onnxruntime", "latvar_tui.device"})


def test_recording_never_imports_the_screen() -> None:
    loaded = loaded_by("import latvar_tui.cli, latvar_tui.headless, latvar_tui.link, latvar_tui.summary")
    assert "rich.progress" in loaded
    assert not loaded & {"textual", "latvar_tui.tui"}


def test_a_report_needs_no_screen() -> None:
    loaded = loaded_by("import latvar_tui.session.report.page, latvar_tui.session.report.markdown")
    assert not loaded & (SCREEN | {"click", "onnxruntime"})


def test_help_is_quick_because_it_imports_next_to_nothing() -> None:
    loaded = loaded_by_command("--help")
    assert "click" in loaded
    assert not loaded & {"textual", "rich", "numpy", "onnxruntime", "psutil", "hdrh"}


# -- for real, with packages missing ----------------------------------------------------------------


def test_record_works_where_textual_is_broken(tmp_path: Path, small_model: str) -> None:
    ended = run_cli(
        "record", small_model, "--duration", "0.1s", "--slice", "20", "--json", "--force",
        **without(tmp_path, "textual"),  # type: ignore[arg-type]
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    (cell,) = json.loads(ended.stdout)["cells"]
    assert cell["n"] > 0


def test_a_device_needs_numpy_and_onnxruntime_alone(tmp_path: Path, small_model: str) -> None:
    """What it lacks without the others it names in its frames."""
    absent = ("textual", "rich", "click", "hdrh", "psutil", "platformdirs")
    environment = os.environ | without(tmp_path, *absent)
    for name in absent:
        tried = subprocess.run(
            [sys.executable, "-c", f"import {name}"], env=environment, capture_output=True, text=True, check=False
        )
        assert "ModuleNotFoundError" in tried.stderr, name

    command = [sys.executable, "-m", "latvar_tui.device", "--force"]
    start = wire.Start([small_model], "1xcpu@100%", 20.0, False)
    frames: list[wire.Frame] = []
    with Started(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as probe:
        assert probe.stdin and probe.stdout and probe.stderr
        probe.stdin.write(wire.encode(start) + wire.encode(wire.Go(0)))
        probe.stdin.flush()
        for line in probe.stdout:
            frame = wire.decode_frame(line)
            assert frame is not None
            frames.append(frame)
            if isinstance(frame, wire.Slice) and frame.seq == 3:
                break
        probe.stdin.close()
        probe.stdout.read()
        said = probe.stderr.read().decode()
    assert probe.returncode == 0, said
    assert "Traceback" not in said

    own = [frame for frame in frames if isinstance(frame, wire.Slice)]
    assert [frame.seq for frame in own] == [1, 2, 3], frames
    assert isinstance(frames[0], wire.Hello) and frames[0].device["onnxruntime"]
    for frame in own:
        assert frame.inferences > 0 and frame.condition == "1xcpu@100%"
        for reading in frame.sensors.values():
            assert (reading.value is None) != (reading.reason is None)
        for name in ("cpu_pct", "steal_pct", "memory_available_mb"):
            assert "psutil" in (frame.sensors[name].reason or ""), frame.sensors[name]


@pytest.mark.parametrize("name", ["numpy", "onnxruntime"])
def test_a_device_that_lacks_what_it_needs_says_what(tmp_path: Path, name: str) -> None:
    environment = os.environ | without(tmp_path, name)
    command = [sys.executable, "-m", "latvar_tui.device", "--force"]
    ended = subprocess.run(command, env=environment, input="", capture_output=True, text=True, check=False)
    assert ended.returncode != 0
    assert f"No module named '{name}'" in ended.stderr
