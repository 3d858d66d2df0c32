"""Models that are on the device already: each found once, none that leads round in circles."""

from __future__ import annotations

import os
from pathlib import Path

import onnx
import pytest

from latvar_tui import zoo
from latvar_tui.zoo import discover as search
from latvar_tui.zoo.discover import discover, folder_to_search, usual_places
from latvar_tui.zoo.onnx_file import OnnxValue
from tests import graphs


def names(folder: Path) -> list[str]:
    return [str(found.path.relative_to(folder)) for found in discover([folder]).models]


def test_models_are_described_and_others_are_named(tmp_path: Path) -> None:
    graphs.bert(tmp_path / "bert.onnx")
    graphs.matmul(tmp_path / "apart.ONNX", external="w.data")
    (tmp_path / "page.ort").write_text("<html>")
    (tmp_path / "readme.md").write_text("")
    apart, bert, page = discover([tmp_path]).models

    assert apart.inputs == (OnnxValue("x", "float32", (1, 4)),)
    assert apart.nbytes == sum((tmp_path / name).stat().st_size for name in ("apart.ONNX", "w.data"))
    assert [value.name for value in bert.inputs or ()] == ["input_ids", "attention_mask"]
    assert "web page" in page.problem and page.inputs is None

    (tmp_path / "w.data").unlink()
    assert "is not beside it" in discover([tmp_path]).models[0].problem


def test_links_lead_to_each_model_once(tmp_path: Path) -> None:
    """Two revisions of a repository in Hugging Face's cache, a link to a folder, and one back up."""
    repository = tmp_path / "models--org--tiny"
    (repository / "blobs").mkdir(parents=True)
    graphs.identity(repository / "blobs" / "0123")
    for revision in ("a", "b"):
        folder = repository / "snapshots" / revision
        folder.mkdir(parents=True)
        (folder / "model.onnx").symlink_to(Path("..", "..", "blobs", "0123"))
    (repository / "snapshots" / "a" / "up").symlink_to(tmp_path)
    (repository / "snapshots" / "a" / "gone.onnx").symlink_to("nowhere")
    elsewhere = tmp_path.parent / f"{tmp_path.name}-elsewhere"
    elsewhere.mkdir()
    graphs.identity(elsewhere / "far.onnx")
    (tmp_path / "linked").symlink_to(elsewhere)

    assert names(tmp_path) == ["linked/far.onnx", "models--org--tiny/snapshots/a/model.onnx"]


def test_a_file_is_preferred_to_a_link_to_it(tmp_path: Path) -> None:
    graphs.identity(tmp_path / "z.onnx")
    (tmp_path / "a.onnx").symlink_to("z.onnx")
    assert names(tmp_path) == ["z.onnx"]


def test_folders_that_look_like_models_and_files_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "folder.onnx").mkdir()
    graphs.identity(tmp_path / "folder.onnx" / "in.onnx")
    os.mkfifo(tmp_path / "pipe.onnx")  # opening it would wait for a writer
    assert names(tmp_path) == ["folder.onnx/in.onnx"]


def test_a_search_is_bounded_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        (tmp_path / str(number)).mkdir()
    assert discover([tmp_path]).whole
    monkeypatch.setattr(search, "MOST_FOLDERS", 5)
    assert not discover([tmp_path]).whole

    deep = tmp_path.joinpath(*["d"] * (search.DEEPEST + 1))
    deep.mkdir(parents=True)
    graphs.identity(deep / "m.onnx")
    graphs.identity(deep.parent / "m.onnx")
    monkeypatch.undo()
    assert names(tmp_path) == [str((deep.parent / "m.onnx").relative_to(tmp_path))]


def test_what_goes_by_a_name_already_is_not_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(variable, str(tmp_path / variable))
    graphs.identity(tmp_path / "m.onnx")
    zoo.library.add(tmp_path / "m.onnx", "mine")
    zoo.materialise(zoo.catalogue()["squeezenet1_1@precision=int8"])
    assert names(tmp_path) == ["m.onnx"]


def test_a_folder_without_permission_is_passed_over(tmp_path: Path) -> None:
    graphs.identity(tmp_path / "m.onnx")
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret").chmod(0)
    if os.access(tmp_path / "secret", os.R_OK):
        pytest.skip("root reads everything")
    assert names(tmp_path) == ["m.onnx"]


def test_the_onnx_packages_test_data_comes_last() -> None:
    if not (Path(onnx.__file__).parent / "backend" / "test" / "data").is_dir():
        pytest.skip("this onnx package ships no test models")
    found = [str(model.path) for model in discover(usual_places()).models]
    last = [path for path in found if search._TEST_DATA in path]
    assert last and found[-len(last) :] == last
    assert not any(f"{os.sep}latvar_tui{os.sep}" in path for path in found)


def test_hugging_faces_folder_is_where_its_own_package_puts_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    rules = [
        ("HOME", ".cache/huggingface/hub"),
        ("XDG_CACHE_HOME", "huggingface/hub"),
        ("HF_HOME", "hub"),
        ("HF_HUB_CACHE", ""),
    ]
    for number, (variable, below) in enumerate(rules):
        root = tmp_path / str(number)
        monkeypatch.setenv(variable, str(root))
        assert search._hugging_face() == root / below


def test_a_virtual_environment_is_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packages = tmp_path / "lib" / "python3.12" / "site-packages"
    packages.mkdir(parents=True)
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path))
    assert packages in usual_places()


def test_a_folder_that_cannot_be_searched_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for name, says in {"none": "there is no folder", "file": "is not a folder", "nu\0ll": "can't be read"}.items():
        with pytest.raises(zoo.ZooError, match=says):
            folder_to_search(str(tmp_path / name))
