"""The zoo: what ships is what the catalogue says, and a cached model is whole or made anew."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
import time
import tomllib
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest

from latvar_tui import zoo
from latvar_tui.controls import NULL_FILE

REPOSITORY = Path(__file__).resolve().parent.parent
SMALLEST = min((e for e in zoo.catalogue().values() if e.precision == "fp32"), key=lambda entry: entry.weights_bytes)
RUN = (*zoo.DEFAULT_LINE_UP, "mobilenet_v2")


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def flip_a_byte(path: Path, where: int) -> None:
    with open(path, "r+b") as file:
        file.seek(where)
        old = file.read(1)[0]
        file.seek(where)
        file.write(bytes([old ^ 0x40]))


# What ships


@pytest.mark.parametrize("name", zoo.catalogue())
def test_the_graph_is_there_with_the_right_hash_and_without_its_weights(name: str) -> None:
    entry = zoo.catalogue()[name]
    graph = (zoo.models_folder() / entry.file).read_bytes()

    assert hashlib.sha256(graph).hexdigest() == entry.sha256
    assert entry.weights_file.encode() in graph
    assert not (zoo.models_folder() / entry.weights_file).exists()
    for trace in (b"site-packages", b".py", b"/home/", b"/root/", b"/tmp/"):
        assert trace not in graph


@pytest.mark.parametrize("name", zoo.catalogue())
def test_the_catalogue_describes_a_whole_model(name: str) -> None:
    entry = zoo.catalogue()[name]

    assert entry.id == name
    side_px = 299 if name == "inception_v3" else 224
    assert entry.input == ("input", (1, 3, side_px, side_px), "float32")
    assert entry.precision in ("fp32", "int8")
    assert entry.licence in ("BSD-3-Clause", "MIT")
    assert entry.opset >= 17
    end = 0
    for block in entry.weights:
        assert block.offset % 64 == 0
        assert end <= block.offset < end + 64
        assert 0 < block.scale < (10 if block.dtype == "float32" else 127)
        end = block.offset + block.nbytes
    assert end == entry.weights_bytes
    in_the_graph = entry.parameters - sum(block.size for block in entry.weights)
    assert 0 < in_the_graph < 0.1 * entry.parameters


def test_no_graph_is_outside_the_catalogue_and_all_travel_in_the_wheel() -> None:
    folder = REPOSITORY / "models"
    wheel = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]

    assert {path.name for path in folder.glob("*.onnx")} == {e.file for e in zoo.catalogue().values()} | {NULL_FILE}
    assert wheel["force-include"]["models"] == "latvar_tui/models"
    assert sum(path.stat().st_size for path in folder.iterdir() if path.is_file()) < 5_000_000


def test_the_default_line_up_is_in_the_zoo() -> None:
    assert set(zoo.DEFAULT_LINE_UP) <= set(zoo.catalogue())


def test_listing_the_zoo_needs_no_numpy() -> None:
    code = "import sys; from latvar_tui import zoo; zoo.catalogue(); sys.exit('numpy' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=False).returncode == 0


# Making a model


@pytest.mark.parametrize("name", RUN)
def test_a_made_model_runs_and_is_finite(name: str, tmp_path: Path) -> None:
    entry = zoo.catalogue()[name]
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1

    session = ort.InferenceSession(zoo.materialise(entry, tmp_path), options, providers=["CPUExecutionProvider"])
    data = np.random.default_rng(1).standard_normal(entry.input.shape, dtype=np.float32)
    (scores,) = session.run([entry.output], {entry.input.name: data})

    assert scores.shape == (1, 1000)
    assert np.isfinite(scores).all()
    assert 0.01 < scores.std() < 100


def test_weights_have_the_catalogues_scales(tmp_path: Path) -> None:
    graph = zoo.materialise(SMALLEST, tmp_path)
    values = np.fromfile(graph.with_name(SMALLEST.weights_file), np.float32)

    assert values.nbytes == SMALLEST.weights_bytes
    for block in SMALLEST.weights:
        own = values[block.offset // 4 :][: block.size]
        assert own.std() == pytest.approx(block.scale, rel=6 / block.size**0.5)
        assert abs(own.mean()) < 6 * block.scale / block.size**0.5


def test_a_second_use_writes_nothing_and_every_cache_is_the_same(tmp_path: Path) -> None:
    first = zoo.materialise(SMALLEST, tmp_path / "a")
    before = {path: path.stat().st_mtime_ns for path in first.parent.iterdir()}
    second = zoo.materialise(SMALLEST, tmp_path / "a")
    other = zoo.materialise(SMALLEST, tmp_path / "b")

    assert second == first
    assert {path: path.stat().st_mtime_ns for path in first.parent.iterdir()} == before
    assert sorted(path.name for path in first.parent.parent.iterdir()) == [first.parent.name]
    weights = SMALLEST.weights_file
    assert first.with_name(weights).read_bytes() == other.with_name(weights).read_bytes()


def test_another_recipe_gets_another_folder() -> None:
    assert len({entry.key for entry in zoo.catalogue().values()}) == len(zoo.catalogue())


def test_several_processes_at_once(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from latvar_tui import zoo;"
        "sys.stdin.read(1);"
        f"print(zoo.materialise(zoo.catalogue()[{SMALLEST.name!r}], pathlib.Path(sys.argv[1])))"
    )
    command = [sys.executable, "-W", "error", "-c", code, str(tmp_path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    racers = [subprocess.Popen(command, cwd=REPOSITORY, text=True, **pipes) for _ in range(3)]  # type: ignore[call-overload]
    time.sleep(0.5)  # all of them have started and wait for their byte
    for racer in racers:
        racer.stdin.write("x")
        racer.stdin.flush()
    ends = [racer.communicate(timeout=30) for racer in racers]

    assert [racer.returncode for racer in racers] == [0, 0, 0], ends
    expected = zoo.materialise(SMALLEST, tmp_path)
    assert [end[0].strip() for end in ends] == [str(expected)] * 3
    assert [path.name for path in expected.parent.parent.iterdir()] == [expected.parent.name]
    assert len(files_of(expected.parent)) == 3


def test_a_reader_never_meets_a_half_made_copy_while_another_heals(tmp_path: Path) -> None:
    graph = zoo.materialise(SMALLEST, tmp_path)
    size, missing, done = SMALLEST.weights_bytes, [], threading.Event()

    def watch() -> None:
        while not done.is_set():
            if graph.stat().st_size == 0 or graph.with_name(SMALLEST.weights_file).stat().st_size != size:
                missing.append(time.monotonic())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        for _ in range(5):
            graph.with_name("sealed.json").unlink()
            zoo.materialise(SMALLEST, tmp_path)
    finally:
        done.set()
        watcher.join()

    assert missing == []


# Damage


def truncate_weights(folder: Path) -> None:
    os.truncate(folder / SMALLEST.weights_file, SMALLEST.weights_bytes // 2)


def flip_weights(folder: Path) -> None:
    flip_a_byte(folder / SMALLEST.weights_file, SMALLEST.weights_bytes - 1000)


def flip_graph(folder: Path) -> None:
    flip_a_byte(folder / SMALLEST.file, 5000)


def empty_graph(folder: Path) -> None:
    (folder / SMALLEST.file).write_bytes(b"")


def lose_weights(folder: Path) -> None:
    (folder / SMALLEST.weights_file).unlink()


def lose_seal(folder: Path) -> None:
    (folder / "sealed.json").unlink()


def garble_seal(folder: Path) -> None:
    (folder / "sealed.json").write_bytes(b"[\xff")


def leave_an_empty_folder(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()


def put_a_file_in_its_place(folder: Path) -> None:
    leave_an_empty_folder(folder)
    folder.rmdir()
    folder.write_bytes(b"not a folder")


@pytest.mark.parametrize(
    "damage",
    [
        truncate_weights,
        flip_weights,
        flip_graph,
        empty_graph,
        lose_weights,
        lose_seal,
        garble_seal,
        leave_an_empty_folder,
        put_a_file_in_its_place,
    ],
)
def test_a_damaged_copy_heals(damage, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    graph = zoo.materialise(SMALLEST, tmp_path)
    names = (SMALLEST.file, SMALLEST.weights_file)
    whole = [graph.with_name(name).read_bytes() for name in names]

    damage(graph.parent)

    assert zoo.materialise(SMALLEST, tmp_path) == graph
    assert [graph.with_name(name).read_bytes() for name in names] == whole
    assert [path.name for path in (tmp_path / "models").iterdir()] == [graph.parent.name]


def test_a_touched_but_equal_copy_is_kept(tmp_path: Path) -> None:
    graph = zoo.materialise(SMALLEST, tmp_path)
    weights = graph.with_name(SMALLEST.weights_file)
    os.utime(weights, (1, 1))
    inode = weights.stat().st_ino

    zoo.materialise(SMALLEST, tmp_path)

    assert weights.stat().st_ino == inode


def test_a_damaged_installation_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / SMALLEST.file).write_bytes(b"line endings converted, say")
    monkeypatch.setattr(zoo.weights, "models_folder", lambda: tmp_path)

    with pytest.raises(zoo.ZooError, match=r"is damaged .* install latvar-tui again"):
        zoo.materialise(SMALLEST, tmp_path / "cache")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 99, "models": {}}', '{"format": 1, "models": {"a": {}}}'])
def test_an_unreadable_catalogue_is_named(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "catalogue.json").write_text(text)
    monkeypatch.setattr(zoo.entries, "models_folder", lambda: tmp_path)
    zoo.catalogue.cache_clear()

    with pytest.raises(zoo.ZooError, match="can't be read"):
        zoo.catalogue()


# Folders that refuse


def one_sentence(message: str) -> bool:
    return "\n" not in message and not message.endswith(".") and ". " not in message


def test_an_unwritable_cache_folder_is_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("in the way")  # refuses root too

    with pytest.raises(zoo.ZooError) as raised:
        zoo.materialise(SMALLEST, file / "cache")

    message = str(raised.value)
    assert one_sentence(message)
    assert str(file) in message
    assert "XDG_CACHE_HOME" in message


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full on this platform")

    def fill(path: Path, entry: zoo.ModelEntry) -> bytes:
        path.symlink_to(full)
        return real(path, entry)

    real = zoo.weights._fill
    monkeypatch.setattr(zoo.weights, "_fill", fill)
    with pytest.raises(zoo.ZooError, match="the disk is full") as raised:
        zoo.materialise(SMALLEST, tmp_path)

    assert one_sentence(str(raised.value))
    assert list((tmp_path / "models").iterdir()) == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
def test_an_interruption_leaves_nothing_behind(
    error: type[BaseException], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(fd: int, data: object) -> None:
        raise error

    monkeypatch.setattr(zoo.weights, "_write_all", interrupt)
    with pytest.raises(error):
        zoo.materialise(SMALLEST, tmp_path)

    assert list((tmp_path / "models").iterdir()) == []


def test_only_old_leftovers_are_swept(tmp_path: Path) -> None:
    models = tmp_path / "models"
    old, young, foreign = models / ".tmp-resnet18-a", models / ".tmp-resnet18-b", models / "keep"
    for folder in (old, young, foreign):
        folder.mkdir(parents=True)
        (folder / "half").write_bytes(b"x")
    for folder in (old, foreign):
        os.utime(folder, (time.time() - 3700,) * 2)

    zoo.materialise(SMALLEST, tmp_path)

    assert not old.exists()
    assert young.exists()
    assert foreign.exists()


def test_the_cache_folder_follows_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert zoo.cache_folder() == tmp_path / "latvar-tui"
    assert zoo.materialise(SMALLEST).is_relative_to(tmp_path / "latvar-tui" / "models")

    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert zoo.cache_folder().is_absolute()

    monkeypatch.setitem(sys.modules, "platformdirs", None)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert zoo.cache_folder() == tmp_path / ".cache" / "latvar-tui"


# What a user may ask for


def test_a_name_of_the_zoo_is_found() -> None:
    assert zoo.find("squeezenet1_1") is zoo.catalogue()["squeezenet1_1"]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("squeezent", "squeezenet1_1"), ("MobileNet-V3-Large", "mobilenet_v3_large"), ("resnet5", "resnet50")],
)
def test_an_unknown_name_gets_its_nearest(typed: str, meant: str) -> None:
    with pytest.raises(zoo.ZooError, match=f"there is no model '{typed}' in the zoo: did you mean .*{meant}") as raised:
        zoo.find(typed)
    assert one_sentence(str(raised.value))


@pytest.mark.parametrize("typed", ["", "zzzz", "\x1b[31m"])
def test_a_name_far_from_all_gets_the_list(typed: str) -> None:
    with pytest.raises(zoo.ZooError) as raised:
        zoo.find(typed)
    message = str(raised.value)
    assert all(entry.name in message for entry in zoo.catalogue().values())
    assert message.isprintable()


def test_a_users_file_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.ONNX").write_bytes(b"x")
    (tmp_path / "mine").write_bytes(b"x")
    monkeypatch.chdir(tmp_path)

    for typed in (str(tmp_path / "mine"), "mine.ONNX", "mine"):
        assert zoo.find(typed) == zoo.OwnModel("", Path(typed), source=typed)


def test_a_users_file_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty.onnx").touch()
    (tmp_path / "folder.onnx").mkdir()
    os.mkfifo(tmp_path / "pipe.onnx")
    for name, why in [
        ("missing.onnx", "there is no file"),
        ("empty.onnx", "is empty"),
        ("folder.onnx", "is a directory"),
        ("pipe.onnx", "is not a regular file"),
        ("empty.onnx/inside", "can't be read"),
        ("x" * 300 + ".onnx", "can't be read"),
    ]:
        with pytest.raises(zoo.ZooError, match=why) as raised:
            zoo.find(str(tmp_path / name))
        assert one_sentence(str(raised.value))


def test_a_file_without_permission_is_named(tmp_path: Path) -> None:
    path = tmp_path / "secret.onnx"
    path.write_bytes(b"x")
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("root reads everything")
    with pytest.raises(zoo.ZooError, match="no permission"):
        zoo.find(str(path))


def test_the_catalogue_is_plain_json_of_moderate_size() -> None:
    path = zoo.models_folder() / "catalogue.json"
    assert path.stat().st_size < 100_000
    assert json.loads(path.read_text())["format"] == 1
