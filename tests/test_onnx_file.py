"""What is read from ONNX files by hand is what the onnx package reads, and nothing makes it stumble or wait."""

from __future__ import annotations

import math
import os
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from latvar_tui import zoo
from latvar_tui.zoo import onnx_file, onnx_inline, protobuf
from latvar_tui.zoo.onnx_file import OnnxInfo, OnnxValue, missing_weights, read_onnx
from tests import graphs

SHIPPED = sorted((Path(onnx.__file__).parent / "backend" / "test" / "data").glob("**/*.onnx"))


def axis_of(dim: onnx.TensorShapeProto.Dimension) -> int | str:
    return dim.dim_param or (dim.dim_value if dim.dim_value > 0 else "?")


def value_of(info: onnx.ValueInfoProto) -> OnnxValue:
    """As the onnx package sees it; tensors only."""
    tensor = info.type.tensor_type
    names = {"DOUBLE": "float64", "FLOAT": "float32"}
    kind = TensorProto.DataType.Name(tensor.elem_type)
    shape = tuple(map(axis_of, tensor.shape.dim)) if tensor.HasField("shape") else None
    return OnnxValue(info.name, names.get(kind, kind.lower()), shape)


def refusal(path: Path) -> str:
    with pytest.raises(zoo.ZooError) as raised:
        read_onnx(path)
    said = str(raised.value)
    assert "\n" not in said and ". " not in said and not said.endswith(".")
    assert said.count(path.name) == 1
    return said


# -- against the onnx package -----------------------------------------------------------------------


def test_the_onnx_packages_own_models_are_read_as_it_reads_them() -> None:
    if not SHIPPED:
        pytest.skip("this onnx package ships no test models")
    for path in SHIPPED:
        model, found = onnx.load(path, load_external_data=False), read_onnx(path)
        weights = {tensor.name: math.prod(tensor.dims) for tensor in model.graph.initializer}
        fed = [value for value in model.graph.input if value.name not in weights]

        assert found.ir_version == model.ir_version, path
        assert found.opsets == {opset.domain: opset.version for opset in model.opset_import}
        assert found.parameters == sum(weights.values())
        assert found.inputs is not None and found.outputs is not None
        for ours, theirs in [
            *zip(found.inputs, fed, strict=True),
            *zip(found.outputs, model.graph.output, strict=True),
        ]:
            assert ours == value_of(theirs) if theirs.type.HasField("tensor_type") else ours.name == theirs.name
        assert read_onnx(path, skim=True).inputs == found.inputs


@pytest.mark.parametrize("name", ["squeezenet1_1", "mobilenet_v2@precision=int8"])
def test_a_zoo_model_with_its_weights(name: str) -> None:
    entry = zoo.catalogue()[name]
    graph = zoo.materialise(entry)
    found = read_onnx(graph)

    assert found.inputs == (OnnxValue(*entry.input[:1], entry.input.dtype, entry.input.shape),)
    assert found.outputs == (OnnxValue(entry.output, "float32", (1, 1000)),)
    assert found.precision == entry.precision
    assert found.opsets is not None and found.opsets[""] == entry.opset
    assert found.parameters == pytest.approx(entry.parameters, rel=0.02)  # scales and constants count here
    assert found.external_files == {entry.weights_file: entry.weights_bytes}
    assert found.nbytes == graph.stat().st_size + entry.weights_bytes
    assert missing_weights(graph, found) == ""


@pytest.mark.parametrize("kind", [*graphs.KINDS, "string", "bfloat16", "complex64", "float8_e4m3fn", "int4"])
def test_every_element_type_has_its_name(kind: str, tmp_path: Path) -> None:
    code = graphs.KINDS.get(kind) or TensorProto.DataType.Value(kind.upper().replace("_", ""))
    found = read_onnx(Path(graphs.identity(tmp_path / "m.onnx", code, [2])))
    assert found.inputs == (OnnxValue("x", kind, (2,)),)


def test_axes_and_kinds_that_are_no_tensor(tmp_path: Path) -> None:
    tensor = helper.make_tensor_type_proto(graphs.FLOAT, [1])
    body = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["y"])],
        "g",
        [
            helper.make_tensor_value_info("x", graphs.FLOAT, ["N", None, 3, 0, -1]),
            helper.make_tensor_value_info("anything", graphs.FLOAT, None),
            helper.make_tensor_value_info("scalar", graphs.FLOAT, []),
            helper.make_value_info("pair", helper.make_sequence_type_proto(tensor)),
            helper.make_value_info("maybe", helper.make_optional_type_proto(tensor)),
            helper.make_value_info("words", helper.make_map_type_proto(TensorProto.INT64, tensor)),
        ],
        [helper.make_tensor_value_info("y", graphs.FLOAT, None)],
    )
    onnx.save(helper.make_model(body), tmp_path / "m.onnx")

    assert read_onnx(tmp_path / "m.onnx").inputs == (
        OnnxValue("x", "float32", ("N", "?", 3, "?", "?")),
        OnnxValue("anything", "float32", None),
        OnnxValue("scalar", "float32", ()),
        OnnxValue("pair", "sequence", None),
        OnnxValue("maybe", "optional", None),
        OnnxValue("words", "map", None),
    )


def test_initialisers_that_are_inputs_too_need_not_be_fed(tmp_path: Path) -> None:
    weights = {"w": np.ones((4, 3), np.float16)}
    path = graphs.graph(
        tmp_path / "m.onnx",
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        {"x": (TensorProto.FLOAT16, [1, 4]), "w": (TensorProto.FLOAT16, [4, 3])},
        {"y": (TensorProto.FLOAT16, [1, 3])},
        weights,
    )
    found = read_onnx(Path(path))
    assert [value.name for value in found.inputs or ()] == ["x"]
    assert (found.parameters, found.precision) == (12, "fp16")


def test_weights_outside_are_found_wherever_a_tensor_may_be(tmp_path: Path) -> None:
    path = nested(tmp_path / "m.onnx")
    found = read_onnx(path)
    assert found.external_files == {"then.bin": 8 + 16, "function.bin": 16, "main.bin": 16}
    assert list(read_onnx(path, skim=True).external_files) == ["main.bin"]  # a moment, but only the graph's own
    assert found.nbytes == path.stat().st_size
    assert "is not beside it" in missing_weights(path, found)
    for location, size in found.external_files.items():
        (tmp_path / location).write_bytes(bytes(size))
    assert missing_weights(path, found) == ""
    os.truncate(tmp_path / "then.bin", 23)
    assert "is cut off" in missing_weights(path, found)


def outside(name: str, location: str, offset: int = 0) -> onnx.TensorProto:
    """Four floats that are in another file."""
    tensor = TensorProto(name=name, data_type=graphs.FLOAT, dims=[4], data_location=TensorProto.EXTERNAL)
    for key, value in {"location": location, "offset": str(offset), "length": "16"}.items():
        tensor.external_data.add(key=key, value=value)
    return tensor


def nested(path: Path) -> Path:
    """Weights in the main graph, in a constant of a branch, and in a function."""
    y = helper.make_tensor_value_info("b", graphs.FLOAT, [4])
    constant = helper.make_node("Constant", [], ["b"], value=outside("", "then.bin", 8))
    branch = helper.make_graph([constant], "then", [], [y])
    other = helper.make_graph([helper.make_node("Identity", ["w"], ["b"])], "else", [], [y])
    in_function = helper.make_node("Constant", [], ["z"], value=outside("", "function.bin"))
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
    function = helper.make_function("own", "F", [], ["z"], [in_function], opsets[:1])
    nodes = [
        helper.make_node("If", ["c"], ["a"], then_branch=branch, else_branch=other),
        helper.make_node("F", [], ["f"], domain="own"),
        helper.make_node("Add", ["a", "f"], ["y"]),
    ]
    body = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("c", TensorProto.BOOL, [])],
        [helper.make_tensor_value_info("y", graphs.FLOAT, [4])],
        [outside("w", "main.bin")],
    )
    path.write_bytes(
        helper.make_model(body, opset_imports=opsets, functions=[function], ir_version=8).SerializeToString()
    )
    return path


def test_a_file_of_the_runtimes_own_format_says_little_and_is_accepted(tmp_path: Path) -> None:
    options = ort.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "m.ort")
    options.add_session_config_entry("session.save_model_format", "ORT")
    ort.InferenceSession(graphs.identity(tmp_path / "from.onnx"), options)
    assert read_onnx(tmp_path / "m.ort") == OnnxInfo((tmp_path / "m.ort").stat().st_size)


def test_weights_of_more_than_two_gigabytes_are_stepped_over(tmp_path: Path) -> None:
    """A tensor of 3 GB, of which the file system keeps only the hole."""
    size = 3_000_000_000
    tensor = TensorProto(name="w", data_type=TensorProto.INT8, dims=[size]).SerializeToString()
    tensor += protobuf.header(9, size)
    graph_head = protobuf.header(5, len(tensor) + size) + tensor
    output = helper.make_tensor_value_info("y", graphs.FLOAT, [1]).SerializeToString()
    graph_tail = protobuf.header(12, len(output)) + output
    with open(tmp_path / "big.onnx", "wb") as file:
        file.write(b"\x08\x08" + protobuf.header(7, len(graph_head) + size + len(graph_tail)) + graph_head)
        file.seek(size, os.SEEK_CUR)
        file.write(graph_tail)
    if os.stat(tmp_path / "big.onnx").st_blocks * 512 > 1 << 20:
        pytest.skip("this file system keeps holes as zeros")
    found = read_onnx(tmp_path / "big.onnx")
    assert (found.parameters, found.precision) == (size, "int8")
    assert [value.name for value in found.outputs or ()] == ["y"]


# -- what is no model -------------------------------------------------------------------------------

OTHER_FILES = {
    "lfs": (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n", "git lfs pull"),
    "page": (b"\n<!DOCTYPE html><html><body>Not found</body></html>", "web page"),
    "zip": (b"PK\x03\x04" + bytes(200), "torch.onnx.export"),
    "pickle": (b"\x80\x02}q\x00X\x05\x00\x00\x00model", "torch.onnx.export"),
    "tflite": (b"\x1c\x00\x00\x00TFL3" + bytes(200), "TensorFlow Lite"),
    "hdf5": (b"\x89HDF\r\n\x1a\n" + bytes(200), "Keras"),
    "gguf": (b"GGUF\x03\x00\x00\x00" + bytes(200), "GGUF"),
    "gzip": (b"\x1f\x8b\x08\x00" + bytes(200), "unpack"),
    "safetensors": (b"\x40\x00\x00\x00\x00\x00\x00\x00{" + b'"w":{}}' + b" " * 60, "safetensors"),
    "text": ("gewöhnlicher Text\n".encode(), "text file"),
    "zeros": (bytes(100), "another kind of file"),
    "noise": (np.random.default_rng(5).bytes(5000), "another kind of file"),
    "only a version": (b"\x08\x08", "no graph"),
    "nested nonsense": (b"\x08\x08\x3a\x03\x2a\x7f\x00", "damaged ONNX model"),
}


@pytest.mark.parametrize("case", OTHER_FILES)
def test_a_file_of_another_kind_is_recognised(case: str, tmp_path: Path) -> None:
    content, says = OTHER_FILES[case]
    (tmp_path / "m.onnx").write_bytes(content)
    assert says in refusal(tmp_path / "m.onnx")


@pytest.mark.parametrize("keep", [0.02, 0.5, 0.99])
def test_a_file_that_ends_too_early_is_recognised(keep: float, tmp_path: Path) -> None:
    path = Path(graphs.matmul(tmp_path / "m.onnx"))
    os.truncate(path, int(keep * path.stat().st_size))
    assert "is cut off" in refusal(path)


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty.onnx").touch()
    (tmp_path / "folder.onnx").mkdir()
    os.mkfifo(tmp_path / "pipe.onnx")  # opening it would wait for a writer
    cases = {"missing": "there is no file", "empty": "is empty", "folder": "directory", "pipe": "not a regular file"}
    for name, says in cases.items():
        assert says in refusal(tmp_path / f"{name}.onnx")
    with pytest.raises(zoo.ZooError, match="can't be read"):
        read_onnx(tmp_path / "null\0byte.onnx")


def test_nesting_without_end_is_refused(tmp_path: Path) -> None:
    graph = b""
    for _ in range(2000):
        attribute = protobuf.header(6, len(graph)) + graph
        node = protobuf.header(5, len(attribute)) + attribute
        graph = protobuf.header(1, len(node)) + node
    (tmp_path / "m.onnx").write_bytes(b"\x08\x08" + protobuf.header(7, len(graph)) + graph)
    assert "nested too deeply" in refusal(tmp_path / "m.onnx")


def test_parts_without_end_are_refused() -> None:
    wire = protobuf.Wire(b"\x08\x01" * 1000, most_fields=999)
    with pytest.raises(protobuf.Damaged, match="more parts"):
        list(wire.fields(0, len(wire)))


def test_impossible_sizes_are_refused(tmp_path: Path) -> None:
    for dims, says in (([-1], "impossible sizes"), ([2] * 300, "impossible sizes"), ([2**40] * 200, None)):
        body = helper.make_graph([], "g", [], [], [TensorProto(name="w", data_type=1, dims=dims)])
        (tmp_path / "m.onnx").write_bytes(helper.make_model(body).SerializeToString())
        if says:
            assert says in refusal(tmp_path / "m.onnx")
        else:
            assert read_onnx(tmp_path / "m.onnx").parameters == 2 ** (40 * 200)


# -- whatever the bytes are -------------------------------------------------------------------------


def read_whatever(path: Path) -> None:
    for skim in (False, True):
        try:
            assert isinstance(read_onnx(path, skim=skim), OnnxInfo)
        except zoo.ZooError as error:
            assert "\n" not in str(error)
    try:
        for chunk in onnx_inline.inlined(path):
            assert isinstance(chunk, bytes)
    except zoo.ZooError:
        pass


@given(st.binary(max_size=400))
def test_random_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "random.onnx"
    path.write_bytes(content)
    read_whatever(path)


def test_every_single_byte_is_refused(tmp_path: Path) -> None:
    for byte in range(256):
        (tmp_path / "m.onnx").write_bytes(bytes([byte]))
        refusal(tmp_path / "m.onnx")


@given(data=st.data())
def test_mutated_models_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    folder = tmp_path_factory.getbasetemp()
    path = folder / "mutated.onnx"
    made = nested(path) if data.draw(st.booleans()) else Path(graphs.bert(path))
    content = bytearray(made.read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(content) - 1))
        match data.draw(st.sampled_from(["set", "insert", "cut", "repeat"])):
            case "set":
                content[at] = data.draw(st.integers(0, 255))
            case "insert":
                content[at:at] = data.draw(st.binary(min_size=1, max_size=12))
            case "cut":
                del content[at : at + data.draw(st.integers(1, 20))]
            case _:
                content[at:at] = content[at : at + 30]
        if not content:
            return
    path.write_bytes(content)
    read_whatever(path)


@given(st.integers(0, 2**64 - 1))
def test_a_number_survives_being_written_and_read(number: int) -> None:
    data = protobuf.encode_varint(number)
    assert protobuf.Wire(data).varint(0, len(data)) == (number, len(data))


def test_a_tensor_of_a_type_yet_to_come_has_a_name() -> None:
    assert onnx_file.element_of(999).name == "type 999"


def test_the_field_numbers_are_those_of_the_format() -> None:
    """Against the descriptors that the onnx package was generated from."""
    kinds = {
        "model": onnx.ModelProto, "training": onnx.TrainingInfoProto, "function": onnx.FunctionProto,
        "graph": onnx.GraphProto, "node": onnx.NodeProto, "attribute": onnx.AttributeProto,
        "sparse": onnx.SparseTensorProto, "tensor": onnx.TensorProto,
    }  # fmt: skip
    names = {kind.DESCRIPTOR.full_name: name for name, kind in kinds.items()}
    for name, kind in kinds.items():
        below = {
            field.number: names[field.message_type.full_name]
            for field in kind.DESCRIPTOR.fields
            if field.message_type is not None and field.message_type.full_name in names
        }
        assert below == onnx_file.CHILDREN.get(name, {}), name


def test_values_are_never_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the slices for names and places are taken, whatever the size of the weights."""
    path = graphs.graph(
        tmp_path / "m.onnx",
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        {"x": (graphs.FLOAT, [1, 1000])},
        {"y": (graphs.FLOAT, [1, 1000])},
        {"w": numpy_helper.to_array(numpy_helper.from_array(np.zeros((1000, 1000), np.float32)))},
    )
    taken: list[int] = []
    text = protobuf.Wire.text

    def counted(wire: protobuf.Wire, field: protobuf.Field) -> str:
        taken.append(field.end - field.begin)
        return text(wire, field)

    monkeypatch.setattr(protobuf.Wire, "text", counted)
    read_onnx(Path(path))
    assert sum(taken) < 100
