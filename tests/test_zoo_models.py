"""What the zoo's models are: convolutional networks and a transformer, some of them in int8 too."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest

from latvar_tui import zoo

INT8 = [entry for entry in zoo.catalogue().values() if entry.precision == "int8"]
CODES = 127 / 4  # standard deviation of int8 weights
RUN = ("googlenet", "skipnet_m", "vit_tiny_16", *(f"{e.name}@precision=int8" for e in INT8 if e.name != "resnet50"))


def session_of(entry: zoo.ModelEntry, cache: Path, optimised: Path | None = None) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3  # it warns that an optimised graph suits only this machine
    if optimised:
        options.optimized_model_filepath = str(optimised)
    return ort.InferenceSession(zoo.materialise(entry, cache), options, providers=["CPUExecutionProvider"])


@pytest.mark.parametrize("name", RUN)
def test_a_made_model_runs_and_is_finite(name: str, tmp_path: Path) -> None:
    entry = zoo.catalogue()[name]
    session = session_of(entry, tmp_path)
    data = np.random.default_rng(1).standard_normal(entry.input.shape, dtype=np.float32)

    (wanted,), (given,) = session.get_inputs(), session.get_outputs()
    (scores,) = session.run([entry.output], {entry.input.name: data})

    assert (wanted.name, tuple(wanted.shape), wanted.type) == (entry.input.name, entry.input.shape, "tensor(float)")
    assert (given.name, tuple(given.shape)) == (entry.output, (1, 1000))
    assert np.isfinite(scores).all()
    assert 0.01 < scores.std() < 100


def test_fp32_comes_first_and_int8_has_its_fp32() -> None:
    entries = list(zoo.catalogue().values())

    assert [entry.precision for entry in entries] == sorted(entry.precision for entry in entries)
    assert entries[0].id == "squeezenet1_1"
    assert INT8
    for entry in INT8:
        original = zoo.catalogue()[entry.name]
        assert (original.precision, original.parameters) == ("fp32", entry.parameters)
        assert (original.input, original.output, original.source) == (entry.input, entry.output, entry.source)
        assert sum(b.size for b in original.weights) == sum(b.size for b in entry.weights)
        assert 3.5 * entry.weights_bytes < original.weights_bytes < 4.5 * entry.weights_bytes
        assert (entry.file, entry.weights_file) == (f"{entry.name}.int8.onnx", f"{entry.name}.int8.weights")
        assert {(block.dtype, block.scale) for block in entry.weights} == {("int8", CODES)}


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        # without the auxiliary classifiers that only training uses
        ("googlenet", 6_624_904),
        ("inception_v3", 23_834_568),
        ("regnet_x_400mf", 5_495_976),
        ("skipnet_m", 5_532_064),
        ("vit_tiny_16", 5_717_416),
    ],
)
def test_a_model_has_its_size(name: str, parameters: int) -> None:
    assert zoo.catalogue()[name].parameters == parameters


def test_int8_weights_are_normal_codes(tmp_path: Path) -> None:
    entry = zoo.catalogue()["squeezenet1_1@precision=int8"]
    codes = np.fromfile(zoo.materialise(entry, tmp_path).with_name(entry.weights_file), np.int8)

    assert codes.size == entry.weights_bytes
    assert np.abs(codes.astype(np.int16)).max() == 127
    for block in entry.weights:
        own = codes[block.offset :][: block.size].astype(np.float64)
        assert own.std() == pytest.approx(CODES, rel=6 / block.size**0.5)
        assert abs(own.mean()) < 6 * CODES / block.size**0.5


@pytest.mark.parametrize("name", ["squeezenet1_1", "mobilenet_v2"])
def test_int8_convolutions_run_in_int8(name: str, tmp_path: Path) -> None:
    optimised = tmp_path / "optimised.onnx"
    session_of(zoo.catalogue()[f"{name}@precision=int8"], tmp_path, optimised)
    graph = optimised.read_bytes()

    # field 4 of a node, its operator: a tag, the length, the name
    assert graph.count(b"\x22\x0bQLinearConv") > 20
    assert graph.count(b"\x22\x04Conv") + graph.count(b"\x22\x09FusedConv") == 0


def test_a_precision_that_a_model_lacks_is_named() -> None:
    with pytest.raises(zoo.ZooError, match=r"did you mean .*resnet50@precision=int8"):
        zoo.find("resnet18@precision=int8")
