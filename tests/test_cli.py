"""The commands as a user types them: what they print where, and how they end."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from latvar_tui import __version__
from tests import graphs
from tests.conftest import LONGEST_S, Started, call_cli, conv_model, run_cli, wait_until_gone
from tests.session_files import recorded, some_frames


@pytest.fixture(autouse=True)
def own_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The lock of this test alone: a latvar-tui that runs elsewhere does not matter."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))


def test_record_prints_a_table(small_model: str) -> None:
    done = run_cli("record", small_model, f"{small_model}@as=B", "--duration", "500ms", "--slice", "50")
    assert done.returncode == 0
    assert [line.partition(": ")[0] for line in done.stderr.splitlines()] == ["session"]
    lines = done.stdout.splitlines()
    assert lines[0] == "0xcpu@100%"
    assert lines[1].split()[:7] == ["ms", "n", "p50", "p90", "p95", "p99", "p99.9"]
    assert [line.split()[0] for line in lines[2:4]] == ["small", "B"]
    assert all(float(line.split()[2].lstrip("~")) > 0 for line in lines[2:4])
    assert any("small and B" in line or "B and small" in line for line in lines)
    loading = next(at for at, line in enumerate(lines) if line.startswith("loading"))
    assert lines[loading].split() == ["loading", "load", "ms", "cold", "ms", "warm", "ms", "memory", "MB"]
    told = lines[loading + 1 : loading + 3]
    assert ["threads=" in line and line.split(",as=")[-1].split()[0] for line in told][1] == "B"
    assert all(float(number) > 0 for line in told for number in line.split()[1:])


def test_record_prints_one_json_document(small_model: str) -> None:
    done = run_cli("record", small_model, "--duration", "0.5s", "--stress", "1", "--load", "50", "--json")
    assert done.returncode == 0
    document = json.loads(done.stdout)
    assert document["schema"] == "latvar-tui/1"
    (cell,) = document["cells"]
    assert cell["condition"] == "1xcpu@50%"
    assert cell["n"] > 0
    assert 0 < cell["measured_share"] <= 1
    service = cell["service"]
    assert service["min_ms"] <= service["mean_ms"] <= service["max_ms"]
    assert service["p50_ms"] <= service["p99_ms"] <= service["max_ms"] * 1.001


def test_settings_are_multiplied_out(small_model: str) -> None:
    vary = ["--vary", "threads=1,2", "--vary", "spin=on,off"]
    done = run_cli("record", small_model, *vary, "--duration", "1s", "--slice", "20", "--json", "--force")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert [(cell["settings"]["threads"], cell["settings"]["spin"]) for cell in document["cells"]] == [
        (1, "on"), (1, "off"), (2, "on"), (2, "off"),
    ]  # fmt: skip
    assert all(cell["n"] > 0 for cell in document["cells"])


def test_a_memory_budget_lets_candidates_load_by_turns(small_model: str) -> None:
    names = [f"{small_model}@threads=1,as={name}" for name in "ABC"]
    done = run_cli("record", *names, "--memory", "1MB", "--duration", "1s", "--slice", "20", "--json", "--force")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert all(cell["n"] > 0 for cell in document["cells"]) and len(document["cells"]) == 3
    assert sorted(candidate["state"] for candidate in document["candidates"]) == ["ready", "unloaded", "unloaded"]


def test_inputs_from_a_file_go_to_ones_own_models(tmp_path: Path, small_model: str) -> None:
    path = graphs.bert(tmp_path / "my_bert.onnx")
    np.savez(tmp_path / "in.npz", input_ids=np.ones((1, 7), np.int64), attention_mask=np.ones((1, 7), np.int64))
    arguments = ["--input", str(tmp_path / "in.npz"), "--duration", "300ms", "--slice", "20", "--json", "--force"]
    done = run_cli("record", path, "squeezenet1_1", *arguments)
    assert done.returncode == 0, done.stderr
    bert, squeezenet = json.loads(done.stdout)["candidates"]
    assert bert["inputs"] == ["input_ids int64 1x7", "attention_mask int64 1x7"]
    assert squeezenet["inputs"] == ["input float32 1x3x224x224"]
    refused = run_cli("record", small_model, *arguments)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "lacks x" in refused.stderr and len(refused.stderr.strip().splitlines()) == 1


def test_what_was_assumed_is_noted(tmp_path: Path) -> None:
    path = graphs.identity(tmp_path / "m.onnx", sizes=["batch", 4])
    done = run_cli("record", path, "--duration", "300ms", "--slice", "20", "--force")
    assert done.returncode == 0
    assert "note: m: x 1x4: its open axis batch is taken as 1" in done.stdout.splitlines()


def test_plain_prints_lines_and_stops_on_ctrl_c(small_model: str) -> None:
    command = [sys.executable, "-m", "latvar_tui", "live", small_model, "--plain", "--slice", "50"]
    with Started(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as live:
        assert live.stdout is not None
        head, first, second = (live.stdout.readline() for _ in range(3))
        live.send_signal(signal.SIGINT)
        assert live.wait(LONGEST_S) == 130
    assert "p99" in head
    # Up to the first number with a point, from which a large count is but one space away.
    found = [re.search(r"small +([0-9 ]*[0-9]) +[0-9]+\.", line) for line in (first, second)]
    counts = [int(each[1].replace(" ", "")) for each in found if each]
    assert counts[1] > counts[0] > 0


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_an_interrupted_record_prints_what_there_is(small_model: str, number: signal.Signals, status: int) -> None:
    command = [sys.executable, "-m", "latvar_tui", "record", small_model, "--duration", "1h", "--json"]
    with Started(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as record:
        family = wait_for_runner(record.pid)
        record.send_signal(number)
        out, err = record.communicate(timeout=LONGEST_S)
        assert record.returncode == status
    assert json.loads(out)["schema"] == "latvar-tui/1"
    assert "Traceback" not in err
    wait_until_gone(family)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_end_that_the_interpreter_swallows_is_raised_again(number: signal.Signals) -> None:
    """A signal may come while a weak reference's callback runs, and whatever is raised there is lost."""
    program = (
        "import os, signal, sys, time, weakref\n"
        "from latvar_tui import cli\n"
        "class Gone: pass\n"
        f"def swallowed(reference): os.kill(os.getpid(), {number})\n"
        "def command(**_):\n"
        "    gone = Gone(); reference = weakref.ref(gone, swallowed); del gone\n"
        "    print('goes on', flush=True)\n"
        "    while True: time.sleep(0.01)\n"
        "cli.cli = command\n"
        "cli.main()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=LONGEST_S)
    assert done.stdout == "goes on\n" and "Ended" in done.stderr
    assert done.returncode == 128 + number


def wait_for_runner(pid: int, worked_s: float = 0.3) -> set[int]:
    """The processes below ``pid``, once a runner has worked for so long; with 1 s, slices of it have been measured."""
    limit = time.monotonic() + LONGEST_S
    while time.monotonic() < limit:
        with contextlib.suppress(psutil.NoSuchProcess):  # some live for a moment alone
            family = psutil.Process(pid).children(recursive=True)
            for process in family:
                if process.name() == "latvar-runner" and process.cpu_times().user > worked_s:
                    return {process.pid for process in family}
        time.sleep(0.05)  # polling a condition, which takes some milliseconds
    raise AssertionError("no runner has worked")


def runner_of(family: set[int]) -> int:
    """The first runner of a family."""
    for pid in sorted(family):
        with contextlib.suppress(psutil.NoSuchProcess):
            if psutil.Process(pid).name() == "latvar-runner":
                return pid
    raise AssertionError("there is no runner")


def test_ctrl_z_holds_a_record(small_model: str) -> None:
    command = [sys.executable, "-m", "latvar_tui", "record", small_model, "--duration", "1h"]
    with Started(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as record:
        try:
            family = wait_for_runner(record.pid)
            record.send_signal(signal.SIGTSTP)
            os.waitpid(record.pid, os.WUNTRACED)
            runner = psutil.Process(runner_of(family))
            limit = time.monotonic() + LONGEST_S
            stopped_since = time.monotonic()
            # It is stopped in every gap, too, but not for a second.
            while time.monotonic() < stopped_since + 1:
                assert time.monotonic() < limit
                if runner.status() != psutil.STATUS_STOPPED:
                    stopped_since = time.monotonic()
                time.sleep(0.005)
            spent = runner.cpu_times().user
            record.send_signal(signal.SIGCONT)
            while runner.cpu_times().user < spent + 0.1:
                assert time.monotonic() < limit
                time.sleep(0.005)
            record.send_signal(signal.SIGINT)
            assert record.wait(LONGEST_S) == 130
        finally:
            record.kill()  # else a failure would wait for an hour


def test_a_record_outlives_the_script_that_started_it(small_model: str, tmp_path: Path) -> None:
    """Stopped runners in the script's process group would get it hung up by the kernel when the script ends."""
    out = tmp_path / "out.json"
    script = (
        f"{sys.executable} -m latvar_tui record {small_model} --duration 1500ms --json > {out} 2> {out}.err & exit 0"
    )
    subprocess.run(["sh", "-c", script], check=True, start_new_session=True)
    limit = time.monotonic() + LONGEST_S
    while not (out.exists() and out.read_text().endswith("}\n")):
        assert time.monotonic() < limit, Path(f"{out}.err").read_text()
        time.sleep(0.01)  # polling: it is no child of ours any more
    assert json.loads(out.read_text())["cells"][0]["n"] > 0


def test_a_model_that_fails_does_not_stop_the_others(small_model: str) -> None:
    command = [
        sys.executable,
        "-m",
        "latvar_tui",
        "record",
        f"{small_model}@threads=1",
        f"{small_model}@threads=1,as=B",
        "--duration",
        "4s",
        "--json",
    ]
    with Started(command, stdout=subprocess.PIPE, text=True) as record:
        family = wait_for_runner(record.pid)
        victim = runner_of(family)
        os.kill(victim, signal.SIGKILL)
        out, _ = record.communicate(timeout=LONGEST_S)
        assert record.returncode == 0
    document = json.loads(out)
    assert len(document["failed"]) == 1
    assert "killed" in document["failed"][0]["reason"]


def test_a_run_without_any_candidate_left_fails(small_model: str) -> None:
    command = [sys.executable, "-m", "latvar_tui", "record", small_model, "--duration", "1h"]
    with Started(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as record:
        family = wait_for_runner(record.pid, worked_s=1.0)
        os.kill(runner_of(family), signal.SIGKILL)
        out, err = record.communicate(timeout=LONGEST_S)
        assert record.returncode == 1
    assert "killed" in err and "small" in err
    assert "p99" in out  # what was measured until then


def test_more_stress_than_allowed_is_capped_and_said(small_model: str) -> None:
    done = run_cli("record", small_model, "--stress", "9", "--max-stress", "1", "--duration", "300ms")
    assert done.returncode == 0
    assert "--max-stress 1" in done.stderr
    assert done.stdout.startswith("1xcpu@100%")


BAD_INPUT = {
    "unknown model": (["record", "squeezenet"], "squeezenet1_1"),
    "nothing like it": (["record", "xyzzy"], "mobilenet_v2"),
    "no such file": (["record", "no/such.onnx"], "no/such.onnx"),
    "a directory": (["record", "."], "directory"),
    "negative stress": (["record", "--stress", "-1"], "--stress"),
    "stress in words": (["record", "--stress", "two"], "--stress"),
    "no duration": (["record", "--duration", "abc"], "10s"),
    "zero duration": (["record", "--duration", "0s"], "longer"),
    "load of 5": (["record", "--load", "5"], "--load"),
    "quantile of 100": (["record", "--quantile", "100"], "--quantile"),
    "no threads": (["record", "squeezenet1_1@threads=0"], "threads=0"),
    "twice the same": (["record", "squeezenet1_1", "squeezenet1_1"], "as=B"),
    "no terminal": (["live"], "record"),
    "no terminal at all": ([], "record"),
    "an unknown setting": (["record", "squeezenet1_1@colour=red"], "colour"),
    "no such precision here": (["record", "resnet18@int8"], "mobilenet_v2"),
    "precision of a file": (["record", "no.onnx@int8"], "no.onnx"),
    "varies nothing": (["record", "--vary", "threads"], "--vary"),
    "varies twice": (["record", "squeezenet1_1", "--vary", "threads=1", "--vary", "threads=1"], "--vary"),
    "a deadline of nan": (["record", "--deadline", "nan"], "--deadline"),
    "a slice of nan": (["record", "--slice", "nan"], "--slice"),
    "a deadline of nothing": (["record", "--deadline", "0"], "--deadline"),
    "an unknown kind of stress": (["record", "--kind", "gpu"], "cpu, fp, mem"),
    "no memory": (["record", "--memory", "0MB"], "500MB"),
    "memory in words": (["record", "--memory", "much"], "500MB"),
    "a model without a command": (["squeezenet1_1", "resnet18"], "latvar-tui live squeezenet1_1 resnet18"),
    "an option without a command": (["--stress", "1"], "latvar-tui live --stress 1"),
    "a value twice": (["record", "--vary", "threads=1,1"], "once"),
    "input that reads like settings": (["record", "no.onnx", "--input", "x,as=foo.npz"], "no.onnx"),
    "input for nobody": (["record", "squeezenet1_1", "--input", "x.npz"], "--input"),
    "unknown option": (["record", "--colour"], "--colour"),
    "unknown command": (["dance"], "dance"),
}


@pytest.mark.parametrize("case", BAD_INPUT)
def test_bad_input_gets_one_sentence_and_status_2(case: str) -> None:
    arguments, says = BAD_INPUT[case]
    done = call_cli(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stderr.startswith("latvar-tui: ")
    assert says in done.stderr


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"no model", "ONNX"),
        (conv_model()[:200], "cut off"),
        (b"", "empty"),
    ],
    ids=["text", "truncated", "empty"],
)
def test_unusable_files_get_one_sentence_and_status_2(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(content)
    done = run_cli("record", str(path), "--duration", "1s")
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.strip().splitlines()) == 1
    assert says in done.stderr and "m.onnx" in done.stderr


def test_an_unwritable_cache_gets_one_sentence_and_status_2(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    done = run_cli("record", "squeezenet1_1", "--duration", "1s", XDG_CACHE_HOME=str(blocked / "cache"))
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.strip().splitlines()) == 1
    assert "XDG_CACHE_HOME" in done.stderr


def test_a_second_instance_is_refused_without_force(small_model: str) -> None:
    single = f"{small_model}@threads=1"
    command = [sys.executable, "-m", "latvar_tui", "record", single, "--duration", "1h"]
    with Started(command, stdout=subprocess.DEVNULL) as first:
        wait_for_runner(first.pid)
        second = run_cli("record", single, "--duration", "300ms")
        forced = run_cli("record", single, "--duration", "300ms", "--force")
        first.send_signal(signal.SIGINT)
    assert second.returncode == 2
    assert "--force" in second.stderr and len(second.stderr.strip().splitlines()) == 1
    assert forced.returncode == 0


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="this system does not list its threads here")
def test_what_is_worked_out_about_a_slice_spins_on_no_core_of_the_next(tmp_path: Path) -> None:
    folder = recorded(tmp_path / "kept", some_frames())
    program = (
        "import os, sys\n"
        "from latvar_tui import cli\n"
        f"sys.argv = ['latvar-tui', 'show', {str(folder)!r}]\n"
        "cli.main()\n"
        "import numpy\n"
        "numpy.ones((500, 500)) @ numpy.ones((500, 500))\n"
        "print(len(os.listdir('/proc/self/task')))\n"
    )
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout.splitlines()[-1] == "1"


def test_version_and_help() -> None:
    assert __version__ in run_cli("--version").stdout
    for arguments in (["--help"], ["live", "--help"], ["record", "-h"], ["probe", "--help"]):
        shown = call_cli(*arguments)
        assert shown.returncode == 0
        assert "Usage" in shown.stdout


def test_a_reader_that_leaves_is_no_error(small_model: str) -> None:
    script = f"{sys.executable} -m latvar_tui live {small_model} --plain --slice 30 | head -1"
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, timeout=LONGEST_S, check=False)
    assert "p99" in done.stdout
    assert [line.partition(": ")[0] for line in done.stderr.splitlines()] == ["session"]


def test_a_probe_without_anybody_who_tells_it_what_to_do_says_so() -> None:
    ended = run_cli("probe")  # its stdin is no pipe
    assert (ended.returncode, ended.stdout) == (2, "") and ended.stderr.startswith("latvar-tui: The probe is told")


def test_wrong_usage_names_the_help_of_its_own_command() -> None:
    assert "(see latvar-tui export --help)" in run_cli("export").stderr
