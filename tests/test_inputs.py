"""What a model is fed with: shapes, values, and the sentences that ask for what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from latvar_tui.candidate import UsageError, parse_candidate
from latvar_tui.device.inputs import Inputs, make_inputs


@dataclass
class Node:
    """An input as ONNX Runtime describes it."""

    name: str
    type: str
    shape: Sequence[int | str | None]


def made(*nodes: Node, candidate: str = "m.onnx", **kept: object) -> Inputs:
    return make_inputs(nodes, parse_candidate(candidate, 2), **kept)  # type: ignore[arg-type]


def refused(*nodes: Node, candidate: str = "m.onnx") -> str:
    with pytest.raises(UsageError) as refusal:
        made(*nodes, candidate=candidate)
    assert "\n" not in str(refusal.value)
    return str(refusal.value)


KINDS = ["float", "double", "float16", "bool", *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64))]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_number_is_made(kind: str) -> None:
    (values,) = made(Node("x", f"tensor({kind})", [2, 500])).arrays.values()
    dtype = {"float": "float32", "double": "float64"}.get(kind, kind)
    assert (values.dtype, values.shape) == (np.dtype(dtype), (2, 500))
    if "int" in kind:
        assert (values.min(), values.max()) == (0, 9)
    elif kind == "bool":
        assert 0.3 < values.mean() < 0.7
    else:
        assert abs(values.mean()) < 0.2 and 0.9 < values.std() < 1.1


def test_values_are_the_same_every_time() -> None:
    nodes = [Node("x", "tensor(float)", [3]), Node("y", "tensor(int64)", [4])]
    for name, values in made(*nodes).arrays.items():
        assert (values == made(*nodes).arrays[name]).all()


@pytest.mark.parametrize(
    "kind", ["tensor(string)", "tensor(bfloat16)", "seq(tensor(float))", "optional(tensor(int64))"]
)
def test_other_kinds_are_refused(kind: str) -> None:
    said = refused(Node("text", kind, [1]))
    assert "text" in said and kind in said


@pytest.mark.parametrize(
    ("shape", "made_of"),
    [
        (["batch", 3, 8, 8], (1, 3, 8, 8)),
        ([None, 4], (1, 4)),
        (["?", 4], (1, 4)),
        ([-1, 4], (1, 4)),
        ([1, 3, "length"], (1, 3, 1)),
        ([2, "?", 128], (2, 1, 128)),
        (["N"], (1,)),
    ],
)
def test_one_open_axis_is_taken_as_one_and_said(shape: list[int | str | None], made_of: tuple[int, ...]) -> None:
    inputs = made(Node("x", "tensor(float)", shape))
    assert inputs.arrays["x"].shape == made_of
    assert len(inputs.notes) == 1 and "taken as 1" in inputs.notes[0]
    assert inputs.described == [f"x float32 {'x'.join(map(str, made_of))}"]


def test_fixed_shapes_and_scalars_need_no_note() -> None:
    inputs = made(Node("x", "tensor(float)", [1, 3]), Node("sr", "tensor(int64)", []))
    assert inputs.arrays["sr"].shape == () and not inputs.notes
    assert inputs.described[1] == "sr int64 scalar"


BERT = (
    Node("input_ids", "tensor(int64)", ["batch", "sequence"]),
    Node("attention_mask", "tensor(int64)", ["batch", "sequence"]),
)


def test_what_is_open_is_asked_for_with_the_text_to_type() -> None:
    said = refused(*BERT)
    assert "input_ids batch×sequence" in said
    assert said.endswith("m.onnx@shape=input_ids:1x128")
    option = said.rpartition("for example ")[2]
    inputs = made(*BERT, candidate=option)
    assert {array.shape for array in inputs.arrays.values()} == {(1, 128)}


def test_inputs_without_axis_names_are_asked_for_one_by_one() -> None:
    nodes = (Node("a", "tensor(float)", ["?", "?", 3]), Node("b", "tensor(float)", [None, None]))
    said = refused(*nodes)
    option = said.rpartition("for example ")[2]
    assert option == "m.onnx@shape=a:1x128x3,shape=b:1x128"
    assert made(*nodes, candidate=option).arrays["b"].shape == (1, 128)
    # Half an answer is asked for the other half, with the first one kept.
    assert refused(*nodes, candidate="m.onnx@shape=a:2x5x3").endswith("m.onnx@shape=a:2x5x3,shape=b:1x128")


def test_a_size_given_once_holds_for_every_axis_of_that_name() -> None:
    third = Node("past", "tensor(float)", ["batch", 4, "sequence", 16])
    inputs = made(*BERT, third, candidate="m.onnx@shape=input_ids:2x7")
    assert inputs.arrays["attention_mask"].shape == (2, 7)
    assert inputs.arrays["past"].shape == (2, 4, 7, 16)
    assert not inputs.notes


@pytest.mark.parametrize("shape", ["x:1x3x8", "x:1x4x8x8", "x:1x3x8x8x1"])
def test_a_shape_that_does_not_fit_is_refused(shape: str) -> None:
    assert "N×3×8×8" in refused(Node("x", "tensor(float)", ["N", 3, 8, 8]), candidate=f"m.onnx@shape={shape}")


@pytest.mark.parametrize("setting", ["shape=y:1x3", "fill=y:0"])
def test_an_input_that_is_not_there_is_named(setting: str) -> None:
    said = refused(Node("x", "tensor(float)", [1, 3]), candidate=f"m.onnx@{setting}")
    assert "no input y" in said and "its inputs are x" in said


def test_fills() -> None:
    nodes = [Node("sr", "tensor(int64)", []), Node("x", "tensor(float)", [1000]), Node("on", "tensor(bool)", [2])]
    inputs = made(*nodes, candidate="m.onnx@fill=sr:16000,fill=x:-1.5..2,fill=on:1").arrays
    assert inputs["sr"] == 16000
    assert -1.5 <= inputs["x"].min() < -1.4 and 1.9 < inputs["x"].max() <= 2
    assert inputs["on"].all()
    ids = made(Node("ids", "tensor(int32)", [4000]), candidate="m.onnx@fill=ids:5..7").arrays["ids"]
    assert set(ids.tolist()) == {5, 6, 7}


@pytest.mark.parametrize(
    ("kind", "value"),
    [("uint8", "300"), ("int8", "-200"), ("int64", "1.5"), ("bool", "2"), ("int64", "9223372036854775808")],
)
def test_a_fill_that_does_not_fit_is_refused(kind: str, value: str) -> None:
    assert "whole numbers from" in refused(Node("x", f"tensor({kind})", [1]), candidate=f"m.onnx@fill=x:{value}")


@pytest.mark.parametrize(("kind", "value"), [("float16", "70000"), ("float", "1e39")])
def test_a_fill_that_would_be_infinite_is_refused(kind: str, value: str) -> None:
    assert "at most" in refused(Node("x", f"tensor({kind})", [1]), candidate=f"m.onnx@fill=x:{value}")


def test_every_int64_can_be_filled_in() -> None:
    for value in (2**63 - 1, -(2**63)):
        assert made(Node("x", "tensor(int64)", [1]), candidate=f"m.onnx@fill=x:{value}").arrays["x"].tolist() == [value]
    assert made(Node("x", "tensor(uint64)", [1]), candidate=f"m.onnx@fill=x:{2**64 - 1}").arrays["x"].tolist() == [
        2**64 - 1
    ]


def test_an_input_of_any_shape_is_asked_for() -> None:
    """The runtime shows it like a scalar."""
    node = Node("x", "tensor(float)", [])
    with pytest.raises(UsageError, match=r"x any shape.*for example m.onnx@shape=x:1"):
        made(node, unranked={"x"})
    assert made(node, candidate="m.onnx@shape=x:2x3", unranked={"x"}).arrays["x"].shape == (2, 3)


def test_what_is_remembered_with_a_model_yields_to_what_is_typed() -> None:
    kept = {"shapes": {"input_ids": (1, 16), "attention_mask": (1, 16)}, "fills": {"input_ids": "3"}}
    assert made(*BERT, **kept).arrays["input_ids"].tolist() == [[3] * 16]
    typed = made(*BERT, candidate="m.onnx@shape=input_ids:1x4,shape=attention_mask:1x4,fill=input_ids:5", **kept)
    assert typed.arrays["input_ids"].tolist() == [[5] * 4]


def test_sizes_that_no_memory_holds_are_refused() -> None:
    open_axes = Node("x", "tensor(float)", ["a", "b"])
    assert "memory" in refused(open_axes, candidate="m.onnx@shape=x:2000000000x2000000000")


def test_inputs_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "in.npz"
    nodes = [Node("x", "tensor(float)", ["N", 2]), Node("ids", "tensor(int64)", [3])]
    np.savez(path, x=np.ones((5, 2), np.float16), ids=np.arange(3, dtype=np.int32))
    inputs = made(*nodes, candidate=f"m.onnx@input={path}")
    assert inputs.arrays["x"].dtype == np.float32 and inputs.arrays["x"].shape == (5, 2)
    assert inputs.arrays["ids"].tolist() == [0, 1, 2] and inputs.arrays["ids"].dtype == np.int64


def test_a_file_that_does_not_serve_is_refused(tmp_path: Path) -> None:
    node = Node("x", "tensor(int64)", ["N", 2])

    def said(name: str) -> str:
        return refused(node, candidate=f"m.onnx@input={tmp_path / name}")

    assert "no such file" in said("missing.npz")
    (tmp_path / "text.npz").write_text("no archive")
    assert "no .npz file" in said("text.npz")
    (tmp_path / "empty.npz").write_bytes(b"")
    assert "no .npz file" in said("empty.npz")
    np.save(tmp_path / "one.npy", np.ones(3))
    assert "no .npz file" in said("one.npy")
    np.savez(tmp_path / "other.npz", y=np.ones((1, 2)))
    assert "lacks x and holds y" in said("other.npz")
    np.savez(tmp_path / "floats.npz", x=np.ones((1, 2)))
    assert "float64" in said("floats.npz")
    np.savez(tmp_path / "shape.npz", x=np.ones((1, 3), np.int64))
    assert "1x3" in said("shape.npz")
    np.savez(tmp_path / "object.npz", x=np.array([[object(), 1]]))
    assert "plain arrays" in said("object.npz")
