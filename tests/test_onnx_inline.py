"""A model with its weights put inside is the same model, bit for bit."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from latvar_tui import zoo
from latvar_tui.zoo.onnx_inline import inlined
from tests import graphs
from tests.test_onnx_file import SHIPPED, nested, outside


def whole(path: Path) -> bytes:
    return b"".join(inlined(path))


def same_model(path: Path) -> onnx.ModelProto:
    """Put the weights inside and compare, field by field, with what the onnx package makes of file and weights."""
    ours, theirs = onnx.load_model_from_string(whole(path)), onnx.load(path)
    for model in (ours, theirs):
        for tensor in tensors_of(model):
            tensor.ClearField("data_location")  # it writes "inside", where nothing says the same
    assert ours == theirs
    return ours


def tensors_of(model: onnx.ModelProto) -> list[onnx.TensorProto]:
    found = []
    graphs_left = [model.graph]
    nodes = [node for function in model.functions for node in function.node]
    while graphs_left:
        graph = graphs_left.pop()
        found += graph.initializer
        nodes += graph.node
        while nodes:
            for attribute in nodes.pop().attribute:
                found += [attribute.t] if attribute.HasField("t") else []
                graphs_left += [attribute.g] if attribute.HasField("g") else []
    return found


@pytest.mark.parametrize("name", ["squeezenet1_1", "squeezenet1_1@precision=int8"])
def test_a_zoo_model_in_one_file_is_checked_and_runs_alike(name: str, tmp_path: Path) -> None:
    entry = zoo.catalogue()[name]
    graph = zoo.materialise(entry)
    model = same_model(graph)
    onnx.checker.check_model(model)
    data = whole(graph)
    (tmp_path / "alone.onnx").write_bytes(data)
    feed = {entry.input.name: np.random.default_rng(2).standard_normal(entry.input.shape, dtype=np.float32)}
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1

    alone, apart = (
        ort.InferenceSession(path, options, providers=["CPUExecutionProvider"]).run(None, feed)[0]
        for path in (tmp_path / "alone.onnx", graph)
    )

    np.testing.assert_array_equal(alone, apart)


def test_weights_in_branches_and_functions_go_inside_too(tmp_path: Path) -> None:
    path = nested(tmp_path / "m.onnx")
    for number, (name, size) in enumerate({"main.bin": 16, "then.bin": 24, "function.bin": 16}.items()):
        (tmp_path / name).write_bytes(np.arange(number, number + size // 4, dtype=np.float32).tobytes())
    data = whole(path)
    onnx.checker.check_model(onnx.load_model_from_string(data))

    session = ort.InferenceSession(data, providers=["CPUExecutionProvider"])

    (then,) = session.run(None, {"c": np.array(True)})
    (otherwise,) = session.run(None, {"c": np.array(False)})
    function = np.arange(2, 6, dtype=np.float32)
    np.testing.assert_array_equal(then, np.arange(3, 7, dtype=np.float32) + function)
    np.testing.assert_array_equal(otherwise, np.arange(0, 4, dtype=np.float32) + function)


def test_a_model_without_weights_outside_stays_as_it_is() -> None:
    if not SHIPPED:
        pytest.skip("this onnx package ships no test models")
    for path in SHIPPED[::5]:
        assert whole(path) == path.read_bytes()


DTYPES = [np.float32, np.float16, np.int8, np.int64, np.uint8, np.bool_, np.float64]


@given(
    tensors=st.lists(
        st.tuples(st.sampled_from(DTYPES), st.lists(st.integers(0, 9), max_size=4), st.booleans(), st.integers(0, 200)),
        max_size=8,
    ),
    seed=st.integers(0, 1000),
)
@settings(max_examples=50)
def test_any_mixture_of_tensors_is_put_inside_bit_for_bit(
    tmp_path_factory: pytest.TempPathFactory, tensors: list[tuple[type, list[int], bool, int]], seed: int
) -> None:
    folder = tmp_path_factory.getbasetemp() / "mixture"
    folder.mkdir(exist_ok=True)
    random = np.random.default_rng(seed)
    data, protos = bytearray(), []
    for number, (dtype, shape, is_outside, gap) in enumerate(tensors):
        values = random.integers(0, 2, shape).astype(dtype)
        proto = numpy_helper.from_array(values, f"w{number}")
        if is_outside:
            data += bytes(gap)
            keys = {"location": "w.bin", "offset": str(len(data)), "length": str(len(proto.raw_data))}
            if number % 2 and proto.raw_data:
                del keys["length"]  # the tensor itself tells
            data += proto.raw_data
            proto.ClearField("raw_data")
            proto.data_location = TensorProto.EXTERNAL
            for key, value in keys.items():
                proto.external_data.add(key=key, value=value)
        protos.append(proto)
    (folder / "w.bin").write_bytes(data + b"end")
    body = helper.make_graph([], "g", [], [helper.make_tensor_value_info("y", 1, [1])], protos)
    (folder / "m.onnx").write_bytes(helper.make_model(body).SerializeToString())

    ours = onnx.load_model_from_string(whole(folder / "m.onnx"))

    for (dtype, shape, *_), proto, values in zip(
        tensors, ours.graph.initializer, values_of(tensors, seed), strict=True
    ):
        assert not proto.external_data
        assert (proto.raw_data, list(proto.dims)) == (values.tobytes(), shape)
        assert numpy_helper.to_array(proto).dtype == dtype


def values_of(tensors: list[tuple[type, list[int], bool, int]], seed: int) -> list[np.ndarray]:
    random = np.random.default_rng(seed)
    return [random.integers(0, 2, shape).astype(dtype) for dtype, shape, *_ in tensors]


def one_outside(folder: Path, location: str = "w.bin", **changes: str) -> Path:
    tensor = outside("w", location)
    for entry in tensor.external_data:
        entry.value = changes.get(entry.key, entry.value)
    body = helper.make_graph([], "g", [], [helper.make_tensor_value_info("y", 1, [1])], [tensor])
    (folder / "m.onnx").write_bytes(helper.make_model(body).SerializeToString())
    return folder / "m.onnx"


@pytest.mark.parametrize("location", ["../w.bin", "/etc/hostname", "a/../../w.bin", "", ".", "w\0.bin"])
def test_no_model_reaches_outside_its_folder(location: str, tmp_path: Path) -> None:
    (tmp_path / "w.bin").write_bytes(bytes(100))
    (tmp_path / "inner").mkdir()
    with pytest.raises(zoo.ZooError, match="no place inside its own folder"):
        whole(one_outside(tmp_path / "inner", location))


def test_weights_that_cannot_be_used_are_named_before_the_first_byte(tmp_path: Path) -> None:
    path = one_outside(tmp_path)
    (tmp_path / "w.bin").mkdir()
    with pytest.raises(zoo.ZooError, match="is not beside it"):
        next(inlined(path))
    (tmp_path / "w.bin").rmdir()
    os.mkfifo(tmp_path / "w.bin")  # opening it would wait for a writer
    with pytest.raises(zoo.ZooError, match="is not beside it"):
        next(inlined(path))
    (tmp_path / "w.bin").unlink()
    (tmp_path / "w.bin").write_bytes(bytes(15))
    with pytest.raises(zoo.ZooError, match="is cut off"):
        next(inlined(path))
    for changes in ({"length": "12"}, {"offset": "x"}, {"length": "-1"}, {"length": "9" * 30}):
        with pytest.raises(zoo.ZooError, match="damaged"):
            next(inlined(one_outside(tmp_path, **changes)))


def test_what_would_be_too_long_for_the_format_is_refused(tmp_path: Path) -> None:
    tensor = outside("w", "w.bin")
    tensor.ClearField("external_data")
    tensor.dims[:] = [1 << 29]
    tensor.external_data.add(key="location", value="w.bin")
    body = helper.make_graph([], "g", [], [helper.make_tensor_value_info("y", 1, [1])], [tensor])
    (tmp_path / "m.onnx").write_bytes(helper.make_model(body).SerializeToString())
    with open(tmp_path / "w.bin", "wb") as file:
        file.truncate(1 << 31)  # a hole
    with pytest.raises(zoo.ZooError, match=r"one file of 2\.1 GB"):
        next(inlined(tmp_path / "m.onnx"))


def test_weights_behind_links_are_found(tmp_path: Path) -> None:
    """As in Hugging Face's cache: the model and its weights are links into a folder of other names."""
    (tmp_path / "blobs").mkdir()
    (tmp_path / "snapshot").mkdir()
    straight = whole(Path(graphs.matmul(tmp_path / "m.onnx", external="m.onnx_data")))
    for number, name in enumerate(("m.onnx", "m.onnx_data")):
        (tmp_path / name).rename(tmp_path / "blobs" / str(number))
        (tmp_path / "snapshot" / name).symlink_to(Path("..", "blobs", str(number)))
    assert whole(tmp_path / "snapshot" / "m.onnx") == straight
