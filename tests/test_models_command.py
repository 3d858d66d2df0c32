"""``latvar-tui models`` as a user types it: what it prints where, what it refuses, and how it ends."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from latvar_tui import zoo
from latvar_tui.controls import CONTROLS
from latvar_tui.format import amount, printable, size
from latvar_tui.zoo import library
from tests import graphs
from tests.conftest import call_cli, run_cli
from tests.test_imports import loaded_by_command

SMALL = "squeezenet1_1@precision=int8"


@pytest.fixture(autouse=True)
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the models of this test are kept; paths may be given relative to the test's folder."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parent.parent))
    return tmp_path / "data" / "latvar-tui" / "models"


def printed(*arguments: str, **environment: str) -> str:
    """What a command prints that goes well."""
    done = call_cli("models", *arguments, **environment)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def refused(*arguments: str, **environment: str) -> str:
    done = call_cli("models", *arguments, **environment)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1 and done.stderr.startswith("latvar-tui: ")
    return done.stderr


# -- list -------------------------------------------------------------------------------------------


def test_the_list_is_an_aligned_table_of_the_zoo_and_of_ones_own(tmp_path: Path) -> None:
    library.add(Path(graphs.bert(tmp_path / "bert.onnx")), "my_bert", shapes={"input_ids": (1, 8)})
    lines = printed().splitlines()

    assert lines == printed("list").splitlines()
    heads = lines[0].split()
    assert heads == ["model", "precision", "parameters", "weights", "inputs", "source"]
    assert [line.split()[0] for line in lines[1:]] == [*zoo.catalogue(), *CONTROLS, "my_bert"]
    at = lines[0].index("precision")
    assert all(line[at - 2 : at].isspace() and line[at] != " " for line in lines[1:])
    squeezenet = next(line for line in lines if line.startswith("squeezenet1_1 "))
    assert squeezenet.split()[1:] == [
        "fp32",
        "1.24",
        "M",
        "4.93",
        "MB",
        "input",
        "float32",
        "1x3x224x224",
        "torchvision",
        "0.29.1",
    ]
    assert "input_ids int64 batch×sequence, attention_mask int64 batch×sequence" in lines[-1]
    assert lines[-1].endswith(f"own, from {tmp_path}/bert.onnx")


def test_the_list_as_json(tmp_path: Path) -> None:
    library.add(Path(graphs.bert(tmp_path / "bert.onnx")), "b", shapes={"input_ids": (1, 8)}, fills={"input_ids": "7"})
    found = json.loads(printed("list", "--json"))
    assert found == json.loads(printed("--json"))

    assert all({"kind", "id", "name", "precision", "parameters", "source", "inputs"} <= set(row) for row in found)
    *zoos, null, hiccup, own = found
    assert [row["id"] for row in zoos] == list(zoo.catalogue())
    by_id = {row["id"]: row for row in zoos}
    assert by_id[SMALL]["name"] == "squeezenet1_1" and by_id[SMALL]["precision"] == "int8"
    assert by_id[SMALL]["inputs"] == [{"name": "input", "dtype": "float32", "shape": [1, 3, 224, 224]}]
    assert (null["kind"], null["id"], null["parameters"]) == ("control", "null", 0)
    assert null["inputs"] == [{"name": "input", "dtype": "float32", "shape": [1]}]
    assert (hiccup["kind"], hiccup["id"], hiccup["inputs"]) == ("control", "hiccup", None)
    assert (null["source"], hiccup["source"]) == tuple(CONTROLS.values())
    assert (own["kind"], own["id"], own["name"], own["precision"]) == ("own", "b", "b", "fp32")
    assert own["inputs"][0] == {"name": "input_ids", "dtype": "int64", "shape": ["batch", "sequence"]}
    assert (own["shapes"], own["fills"]) == ({"input_ids": [1, 8]}, {"input_ids": "7"})
    assert Path(own["path"]).is_file() and own["source"] == str(tmp_path / "bert.onnx")


def test_a_damaged_model_is_named_beside_the_list(tmp_path: Path, shelf: Path) -> None:
    library.add(Path(graphs.identity(tmp_path / "m.onnx")), "b")
    (shelf / "b" / "own.json").write_text("")
    done = call_cli("models")
    assert done.returncode == 0 and " b " not in done.stdout
    assert "your model b can't be used" in done.stderr and "models remove b" in done.stderr


def test_a_model_that_a_link_leads_to_no_more_is_listed_with_what_is_known(tmp_path: Path) -> None:
    library.add(Path(graphs.identity(tmp_path / "m.onnx")), "b", link=True)
    (tmp_path / "m.onnx").write_text("something else")
    assert re.search(r"^b +– +– +– +– +own", printed(), re.MULTILINE)
    assert "no ONNX model" in json.loads(printed("--json"))[-1]["problem"]


def test_the_list_needs_no_numbers_and_no_screen() -> None:
    loaded = loaded_by_command("models", "list")
    assert "latvar_tui.models_table" in loaded
    assert not loaded & {"numpy", "onnxruntime", "textual", "rich", "psutil", "onnx"}


# -- add and remove ---------------------------------------------------------------------------------


def test_a_model_is_added_and_runs_under_its_name(tmp_path: Path, shelf: Path) -> None:
    graphs.matmul(tmp_path / "fraud.onnx", external="fraud.data")
    first, input_line, run_line = printed("add", "fraud.onnx").splitlines()
    assert first == f"fraud: copied to {shelf}/fraud/fraud.onnx, 16.1 kB, 4.00 k parameters"
    assert input_line == "input x float32 1x4"
    assert run_line == "run it: latvar-tui live fraud"
    (tmp_path / "fraud.onnx").unlink()
    (tmp_path / "fraud.data").unlink()

    done = run_cli("record", "fraud", "--duration", "100ms", "--slice", "20", "--json", "--force")
    assert json.loads(done.stdout)["cells"][0]["model"] == "fraud"

    assert printed("remove", "fraud") == "fraud is removed\n"
    assert "there is no model 'fraud'" in call_cli("record", "fraud", "--force").stderr
    assert not (shelf / "fraud").exists()


def test_sizes_that_a_model_leaves_open_are_asked_for_and_remembered(tmp_path: Path) -> None:
    graphs.bert(tmp_path / "bert.onnx")
    lines = printed("add", "bert.onnx", "--link").splitlines()
    assert lines[0].startswith("bert: linked to ")
    assert lines[-2] == "it leaves sizes open, so give them: latvar-tui live bert@shape=input_ids:1x128"
    assert lines[-1].endswith("--shape input_ids:1x128)")
    failed = run_cli("models", "check", "bert")
    assert failed.returncode == 1 and failed.stdout.startswith("FAILED bert: ")

    lines = printed(
        "add", "bert.onnx", "--name", "b", "--shape", "input_ids:1x5", "--fill", "input_ids:0..3",
        "--fill", "attention_mask:1",
    ).splitlines()  # fmt: skip
    assert lines[1:] == [
        "input input_ids int64 batch×sequence, run as 1x5, filled with 0..3",
        "input attention_mask int64 batch×sequence, filled with 1",
        "run it: latvar-tui live b",
    ]
    assert printed("check", "b").startswith("ok  b  ")


def test_a_first_axis_that_is_open_needs_no_size(tmp_path: Path) -> None:
    graphs.identity(tmp_path / "m.onnx", sizes=["N", 3])
    assert printed("add", "m.onnx").splitlines()[-1] == "run it: latvar-tui live m"


def test_a_model_of_text_is_kept_and_said_not_to_run(tmp_path: Path) -> None:
    graphs.identity(tmp_path / "m.onnx", TensorProto.STRING)
    assert printed("add", "m.onnx").splitlines()[-1] == "it can't be run: no values can be made up for x string 1x4"


def test_a_file_called_like_a_zoo_model_gets_another_name(tmp_path: Path) -> None:
    graphs.identity(tmp_path / "resnet18.onnx")
    assert printed("add", "resnet18.onnx").splitlines()[-1] == "run it: latvar-tui live my-resnet18"


def test_names_in_a_file_cannot_command_the_terminal(tmp_path: Path) -> None:
    node = helper.make_node("Identity", ["\x1b[2J"], ["y"])
    graphs.graph(tmp_path / "m.onnx", [node], {"\x1b[2J": (1, ["\x07", "\r", 2])}, {"y": (1, None)})
    for arguments in (["add", "m.onnx"], ["list"], ["discover", "."]):
        text = printed(*arguments)
        assert "�[2J" in text and text.replace("\n", "").isprintable()
    assert "\x1b" not in refused("add", "m.onnx", "--name", "b", "--shape", "x:1x2x3")


REFUSED = {
    "a file that is none": (["add", "page.onnx"], "web page"),
    "no such file": (["add", "nothing.onnx"], "there is no file"),
    "a name of the zoo": (["add", "m.onnx", "--name", "resnet18"], "the zoo has a model resnet18"),
    "an impossible name": (["add", "m.onnx", "--name", "-b"], "can't be a model's name"),
    "a size of no input": (["add", "m.onnx", "--shape", "ids:1x4"], "its inputs are x"),
    "a size that is none": (["add", "m.onnx", "--shape", "x:axb"], "--shape x:axb"),
    "a size given twice": (["add", "m.onnx", "--shape", "x:1x4", "--shape", "x:1x4"], "once for the input x"),
    "a value that is none": (["add", "m.onnx", "--fill", "x:much"], "--fill x:much"),
    "removing what is the zoo's": (["remove", "resnet18"], "only your own can be removed"),
    "removing what is not there": (["remove", "b"], "none has been added"),
    "checking what is not there": (["check", "resnet5"], "did you mean"),
    "checking with impossible settings": (["check", "m.onnx@threads=0"], "threads=0"),
    "searching no folder": (["discover", "nowhere"], "there is no folder"),
    "adding a number too large": (["discover", ".", "--add", "3"], "which has 2"),
    "naming nothing": (["discover", ".", "--name", "b"], "--add"),
    "exporting what is not there": (["export", "xyzzy", "-o", "out.onnx"], "there is no model"),
    "exporting to a file that is there": (["export", "m.onnx", "-o", "page.onnx"], "--force"),
    "exporting to a folder": (["export", "m.onnx", "-o", ".", "--force"], "not a regular file"),
    "exporting to a device": (["export", "m.onnx", "-o", "/dev/null", "--force"], "not a regular file"),
    "exporting into no folder": (["export", "m.onnx", "-o", "nowhere/out.onnx"], "cannot be written"),
    "exporting settings": (["export", "m.onnx@threads=2", "-o", "out.onnx"], "only its precision"),
    "exporting a precision of ones own": (["export", "m.onnx@int8", "-o", "out.onnx"], "precision=int8"),
    "exporting to nowhere": (["export", "m.onnx"], "--output"),
    "an unknown command": (["dance"], "dance"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_done_is_one_sentence_and_status_2(case: str, tmp_path: Path) -> None:
    graphs.identity(tmp_path / "m.onnx")
    (tmp_path / "page.onnx").write_text("<html>")
    arguments, says = REFUSED[case]
    assert says in refused(*arguments)
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "data") == ["m.onnx", "page.onnx"]


def test_a_folder_that_cannot_be_written_is_one_sentence_and_status_2(tmp_path: Path) -> None:
    graphs.identity(tmp_path / "m.onnx")
    (tmp_path / "file").write_text("")
    assert "XDG_DATA_HOME" in refused("add", "m.onnx", XDG_DATA_HOME=str(tmp_path / "file"))


# -- check ------------------------------------------------------------------------------------------


def test_models_that_work_get_a_line_each(tmp_path: Path) -> None:
    graphs.matmul(tmp_path / "m.onnx", external="w.data")
    lines = printed("check", SMALL, "./m.onnx").splitlines()
    pattern = r"ok  {}\s+{} parameters  \s*[0-9.]+ ms  \s*([0-9.]+ [kM]?B|–)"
    assert re.fullmatch(pattern.format(re.escape(SMALL), "1.24 M"), lines[0])
    assert re.fullmatch(pattern.format(re.escape("./m.onnx"), "4.00 k"), lines[1])


def test_all_models_are_checked_and_each_failure_says_why(
    tmp_path: Path, shelf: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """All of one's own, that is, and one of the zoo's: the others take their time."""
    from latvar_tui import cli_models

    monkeypatch.setattr(cli_models, "catalogue", lambda: [SMALL])
    graphs.fails_when_run(tmp_path / "fails.onnx")
    graphs.identity(tmp_path / "text.onnx", TensorProto.STRING)
    root = helper.make_node("Log", ["x"], ["y"])
    graphs.graph(tmp_path / "nan.onnx", [root], {"x": (1, [100])}, {"y": (1, [100])})
    graphs.identity(tmp_path / "fine.onnx")
    graphs.identity(tmp_path / "gone.onnx")
    for path in sorted(tmp_path.glob("*.onnx")):
        library.add(path, path.stem)
    (shelf / "gone" / "gone.onnx").unlink()

    with pytest.raises(SystemExit) as ended:
        cli_models.models(["check"], standalone_mode=False)

    assert ended.value.code == 1
    lines = capsys.readouterr().out.splitlines()
    first, null, hiccup, fails, fine, nan, text, gone = lines
    assert first.startswith(f"ok  {SMALL}  1.24 M parameters")
    assert null.startswith("ok  null ") and hiccup.startswith("ok  hiccup ")
    assert fails.startswith("FAILED fails: ") and "Reshape" in fails
    assert fine.startswith("ok  fine ")
    assert re.fullmatch(r"FAILED nan: \d+ of the 100 numbers that it puts out are infinite or none \(NaN\)", nan)
    assert text.startswith("FAILED text: ") and "tensor(string)" in text
    assert gone == "FAILED gone: gone.onnx is gone"


def test_weights_that_were_changed_behind_their_time_stamp_are_found_and_made_anew(tmp_path: Path) -> None:
    entry = zoo.catalogue()[SMALL]
    weights = zoo.materialise(entry).with_name(entry.weights_file)
    whole, state = weights.read_bytes(), weights.stat()
    with open(weights, "r+b") as file:
        file.seek(1000)
        file.write(b"\xff\xff\xff\xff")
    os.utime(weights, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert zoo.materialise(entry) and weights.read_bytes() != whole  # what a run does not notice

    assert "were damaged and are made anew" in printed("check", SMALL)

    assert weights.read_bytes() == whole
    assert "damaged" not in printed("check", SMALL)


def test_a_model_that_crashes_fails_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its process is another one: here it ends itself as soon as NumPy is asked for."""
    crash = tmp_path / "crash"
    crash.mkdir()
    for number, says in ((11, "ended by SIGSEGV"), (9, "SIGKILL, probably for want of memory")):
        (crash / "numpy.py").write_text(f"import os\nos.kill(os.getpid(), {number})\n")
        done = run_cli("models", "check", SMALL, PYTHONPATH=f"{crash}{os.pathsep}{os.environ['PYTHONPATH']}")
        assert done.returncode == 1 and done.stdout.startswith(f"FAILED {SMALL}: ") and says in done.stdout


# -- discover ---------------------------------------------------------------------------------------


def test_models_are_discovered_and_added_by_number(tmp_path: Path) -> None:
    snapshot = tmp_path / "hub" / "models--org--tiny-bert" / "snapshots" / "0f" / "onnx"
    snapshot.mkdir(parents=True)
    graphs.bert(snapshot / "model.onnx")
    (tmp_path / "hub" / "page.onnx").write_text("<html>")

    first, second, hint = printed("discover", "hub").splitlines()
    assert "--add NUMBER" in hint
    assert re.fullmatch(
        rf" +1 +958 B  {re.escape(str(snapshot.relative_to(tmp_path)))}/model.onnx  input_ids int64 .*", first
    )
    assert re.fullmatch(r" +2 +6 B  hub/page.onnx  cannot be read: .*web page.*", second)
    one, two = json.loads(printed("discover", "hub", "--json"))
    assert (one["number"], one["bytes"], one["problem"]) == (1, 958, None)
    assert one["inputs"][1] == {"name": "attention_mask", "dtype": "int64", "shape": ["batch", "sequence"]}
    assert two["inputs"] is None and "web page" in two["problem"]

    assert printed("discover", "hub", "--add", "1").startswith("tiny-bert: copied to ")
    assert printed("discover", "--add", one["path"], "--name", "other", "--link").startswith("other: linked to ")
    assert "web page" in refused("discover", "hub", "--add", "2")
    assert list(zoo.own_models()) == ["other", "tiny-bert"]


def test_the_usual_places_are_searched_without_a_folder(tmp_path: Path) -> None:
    graphs.identity(tmp_path / "m.onnx")
    assert "m.onnx" in printed("discover", HF_HUB_CACHE=str(tmp_path))


def test_finding_nothing_is_said(tmp_path: Path) -> None:
    done = call_cli("models", "discover", ".")
    assert (done.returncode, done.stdout) == (0, "")
    assert "there are no .onnx or .ort files in ." in done.stderr
    assert json.loads(call_cli("models", "discover", ".", "--json").stdout) == []


# -- export -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", [SMALL, "squeezenet1_1@int8"])
def test_a_zoo_model_is_exported_whole(typed: str, tmp_path: Path) -> None:
    assert printed("export", typed, "-o", "out.onnx") == "out.onnx: 1.32 MB\n"
    onnx.checker.check_model(onnx.load(tmp_path / "out.onnx", load_external_data=False), full_check=True)
    mask = os.umask(0)
    os.umask(mask)
    assert (tmp_path / "out.onnx").stat().st_mode & 0o777 == 0o666 & ~mask
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.onnx"]


def test_a_model_of_ones_own_is_exported_over_another(tmp_path: Path) -> None:
    library.add(Path(graphs.matmul(tmp_path / "m.onnx", external="w.data")), "b")
    (tmp_path / "real.onnx").write_text("to be replaced")
    (tmp_path / "out.onnx").symlink_to("real.onnx")
    assert printed("export", "b", "-o", "out.onnx", "--force") == "out.onnx: 16.1 kB\n"
    assert (tmp_path / "out.onnx").is_symlink()
    (tensor,) = onnx.load(tmp_path / "real.onnx").graph.initializer
    np.testing.assert_array_equal(onnx.numpy_helper.to_array(tensor), np.ones((4, 1000), np.float32))


def test_an_export_can_go_to_standard_output(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "latvar_tui", "models", "export", SMALL, "-o"]
    done = subprocess.run([*command, "-"], capture_output=True, check=True)
    subprocess.run([*command, "out.onnx"], capture_output=True, check=True)
    assert done.stdout == (tmp_path / "out.onnx").read_bytes()
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full on this platform: the rest is about a full disk")
    with open("/dev/full", "wb") as full:
        done = subprocess.run([*command, "-"], stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 2
    assert done.stderr.decode() == "latvar-tui: The output cannot be written (the disk is full): send it elsewhere.\n"


def test_an_export_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    graphs.matmul(tmp_path / "m.onnx", external="w.data")
    (tmp_path / "w.data").unlink()
    (tmp_path / "out.onnx").write_text("before")
    assert "is not beside it" in refused("export", "m.onnx", "-o", "out.onnx", "--force")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.onnx", "out.onnx"]
    assert (tmp_path / "out.onnx").read_text() == "before"


# -- numbers and names as text ----------------------------------------------------------------------


def test_amounts_and_sizes_have_three_digits_and_a_unit() -> None:
    amounts = [0, 7, 999, 999_499, 999_500, 1_235_496, 7e9]
    assert [amount(int(n)) for n in amounts] == ["0", "7", "999", "999 k", "1.00 M", "1.24 M", "7.00 G"]
    assert [size(int(n)) for n in amounts[1:4]] == ["7 B", "999 B", "999 kB"]
    assert (amount(None), size(None), size(2_400_000_000)) == ("–", "–", "2.40 GB")


def test_only_what_a_terminal_can_show_is_shown() -> None:
    assert printable("a\x1b[1m\x9b\u202e\udc80ü×") == "a�[1m���ü×"
