"""The last p50 of each candidate on this device, and what there is to choose from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from latvar_tui import remembered, shelf, wire, zoo
from latvar_tui.candidate import parse_candidate
from latvar_tui.remembered import LastP50, remember
from latvar_tui.study.board import Board
from tests.scripted_link import DEVICE, board_of, session

NAMES = ["squeezenet1_1", "mobilenet_v2@spin=off,as=mine"]


@pytest.fixture(autouse=True)
def own_cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


def later(device: Mapping[str, object]) -> Board:
    """Another session on a device, before anything is measured."""
    return board_of(["densenet121"], [wire.Hello(device, 1, 2, monotonic_ns=0, wall_ns=0)])


def test_what_is_measured_now_goes_before_what_is_remembered() -> None:
    remember(board_of(NAMES, session(NAMES, ["0xcpu@100%"])))
    board = board_of(NAMES[::-1], session(NAMES[::-1], ["0xcpu@100%"]))
    known = LastP50(board)
    for contender in board.contenders:
        cell = board.cell(contender, board.conditions[0])
        assert cell is not None and known.p50_ms(contender.candidate) == (cell.service.quantile_ns(50) or 0) / 1e6


def test_the_p50_when_idle_is_remembered() -> None:
    board = board_of(NAMES, session(NAMES, ["0xcpu@100%", "2xcpu@100%"]))
    remember(board)
    known = LastP50(later(DEVICE))
    for contender in board.contenders:
        cell = board.cell(contender, board.conditions[0])
        assert cell is not None
        assert known.p50_ms(contender.candidate) == (cell.service.quantile_ns(50) or 0) / 1e6
    # A label is no other way to run it; a setting is.
    assert known.p50_ms(parse_candidate("mobilenet_v2@spin=off", 2))
    assert known.p50_ms(parse_candidate("mobilenet_v2", 2)) is None


def test_another_device_or_runtime_remembers_nothing() -> None:
    remember(board_of(NAMES, session(NAMES, ["0xcpu@100%"])))
    candidate = parse_candidate("squeezenet1_1", 2)
    assert LastP50(later(DEVICE)).p50_ms(candidate)
    assert LastP50(later({**DEVICE, "onnxruntime": "9.9.9"})).p50_ms(candidate) is None
    assert LastP50(later({})).p50_ms(candidate) is None


def test_what_was_never_idle_or_seldom_measured_is_not_remembered() -> None:
    remember(board_of(NAMES, session(NAMES, ["2xcpu@100%"])))
    remember(board_of(NAMES, session(NAMES, ["0xcpu@100%"], slices_per_cell=1, slice_ms=10)))
    assert LastP50(later(DEVICE)).p50_ms(parse_candidate("squeezenet1_1", 2)) is None


def test_later_ones_replace_and_the_oldest_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "MOST_CANDIDATES", 2)
    for at_s, name in enumerate(["squeezenet1_1", "resnet18", "resnet50"]):
        monkeypatch.setattr("latvar_tui.remembered.time.time", lambda at_s=at_s: 1e9 + at_s)
        remember(board_of([name], session([name], ["0xcpu@100%"])))
    known = LastP50(later(DEVICE))
    kept = [name for name in ("squeezenet1_1", "resnet18", "resnet50") if known.p50_ms(parse_candidate(name, 2))]
    assert kept == ["resnet18", "resnet50"]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"format":1,"devices":[]}', '{"format":1,"devices":{"x":3}}', "\xff"])
def test_a_damaged_file_is_as_good_as_none(own_cache_folder: Path, text: str) -> None:
    path = own_cache_folder / "latvar-tui" / "last_p50.json"
    path.parent.mkdir()
    path.write_text(text)
    candidate = parse_candidate("squeezenet1_1", 2)
    assert LastP50(later(DEVICE)).p50_ms(candidate) is None
    remember(board_of(NAMES, session(NAMES, ["0xcpu@100%"])))
    assert LastP50(later(DEVICE)).p50_ms(candidate)


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked / "cache"))
    remember(board_of(NAMES, session(NAMES, ["0xcpu@100%"])))
    assert list(tmp_path.iterdir()) == [blocked]


# -- the shelf --------------------------------------------------------------------------------------


def test_the_zoo_is_on_the_shelf_once_a_model() -> None:
    found = shelf.choices("")
    names = [choice.model for choice in found if choice.kind == "zoo"]
    assert names == list(dict.fromkeys(entry.name for entry in zoo.catalogue().values()))
    (mobilenet,) = (choice for choice in found if choice.model == "mobilenet_v2")
    assert mobilenet.precisions == ("fp32", "int8") and mobilenet.parameters == 3_504_872


def test_names_are_found_by_any_part_and_those_that_begin_so_come_first() -> None:
    assert [choice.model for choice in shelf.choices("Net-V2")] == ["shufflenet_v2_x1_0", "mobilenet_v2"]
    assert [choice.model for choice in shelf.choices("resnet")][:2] == ["resnet18", "resnet50"]
    assert shelf.choices("xyzzy") == []


def test_a_path_finds_models_and_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / ".hidden").mkdir()
    for name in ("a.onnx", "b.ort", "c.txt", "models/d.onnx"):
        (tmp_path / name).write_bytes(bytes(1_500_000))
    found = shelf.choices(f"{tmp_path}/")
    assert [(Path(choice.model).name, choice.kind) for choice in found] == [
        ("a.onnx", "file"), ("b.ort", "file"), ("models", "folder"),
    ]  # fmt: skip
    assert found[0].about == "1.5 MB"
    assert found[2].model == f"{tmp_path}/models/"
    assert [choice.model for choice in shelf.choices(found[2].model)] == [f"{tmp_path}/models/d.onnx"]
    assert [choice.model for choice in shelf.choices(f"{tmp_path}/a")] == [f"{tmp_path}/a.onnx"]
    monkeypatch.chdir(tmp_path)
    assert [choice.model for choice in shelf.choices("./b")] == ["./b.ort"]
    monkeypatch.setenv("HOME", str(tmp_path))
    assert [choice.model for choice in shelf.choices("~/a")] == [f"{tmp_path}/a.onnx"]
    assert shelf.choices(f"{tmp_path}/no/such/folder/") == []
