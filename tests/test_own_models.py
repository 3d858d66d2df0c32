"""Users' own models through the real runtime: every kind of input, every way to be refused."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper

from latvar_tui import wire
from latvar_tui.candidate import UsageError, parse_candidate
from latvar_tui.device import session
from latvar_tui.device.workload import Workload, load
from latvar_tui.link import Link
from tests import graphs
from tests.conftest import frames_until, run_cli


def loaded(text: str) -> Workload:
    workload = load(parse_candidate(text, 1))
    workload.infer()
    workload.keep_places()
    workload.infer()
    return workload


def refused(text: str) -> str:
    with pytest.raises(UsageError) as refusal:
        load(parse_candidate(text, 1))
    said = str(refusal.value)
    assert "\n" not in said
    return said


# -- what runs --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", graphs.KINDS)
def test_every_kind_of_input_runs(kind: str, tmp_path: Path) -> None:
    workload = loaded(graphs.identity(tmp_path / "m.onnx", graphs.KINDS[kind], ["N", 3]))
    assert workload.inputs == [f"x {kind} 1x3"]
    (out,) = workload.outputs()
    assert (str(out.dtype), out.shape) == (kind, (1, 3))


def test_loading_is_the_sessions_time_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not that of making up inputs, which may be large."""
    clock = iter([1_000_000, 3_000_000])
    monkeypatch.setattr("latvar_tui.device.workload.time.perf_counter_ns", lambda: next(clock))
    assert load(parse_candidate(graphs.identity(tmp_path / "m.onnx"), 1)).load_ms == 2.0


def test_outputs_are_those_of_the_inputs(tmp_path: Path) -> None:
    (out,) = loaded(graphs.identity(tmp_path / "m.onnx", TensorProto.INT64, [2]) + "@fill=x:7").outputs()
    assert out.tolist() == [7, 7]


def test_a_text_encoder_runs_once_its_sizes_are_given(tmp_path: Path) -> None:
    path = graphs.bert(tmp_path / "my_bert.onnx")
    option = refused(path).rpartition("for example ")[2]
    assert option == f"{path}@shape=input_ids:1x128"
    workload = loaded(option)
    assert workload.inputs == ["input_ids int64 1x128", "attention_mask int64 1x128"]
    assert workload.outputs()[0].shape == (1, 128, 16)
    assert refused(graphs.bert(tmp_path / "odd.onnx", names=False)).endswith(
        "odd.onnx@shape=input_ids:1x128,shape=attention_mask:1x128"
    )


def test_an_input_of_any_shape_runs_once_it_is_given(tmp_path: Path) -> None:
    path = graphs.identity(tmp_path / "m.onnx", sizes=None)
    assert "any shape" in refused(path)
    assert loaded(f"{path}@shape=x:2x3").outputs()[0].shape == (2, 3)


def test_inputs_come_from_a_file(tmp_path: Path) -> None:
    path = graphs.bert(tmp_path / "m.onnx")
    np.savez(tmp_path / "in.npz", input_ids=np.full((3, 5), 2), attention_mask=np.ones((3, 5), np.int64))
    assert loaded(f"{path}@input={tmp_path / 'in.npz'}").outputs()[0].shape == (3, 5, 16)


def test_weights_beside_the_file(tmp_path: Path) -> None:
    assert loaded(graphs.matmul(tmp_path / "m.onnx", external="m.data")).outputs()[0].shape == (1, 1000)


def test_a_scalar_and_an_output_that_is_no_tensor(tmp_path: Path) -> None:
    node = helper.make_node("SequenceConstruct", ["x", "x"], ["pair"])
    pair = helper.make_tensor_sequence_value_info("pair", graphs.FLOAT, None)
    x = helper.make_tensor_value_info("x", graphs.FLOAT, [])
    body = helper.make_graph([node], "g", [x], [pair])
    onnx.save(helper.make_model(body, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), tmp_path / "m.onnx")
    workload = loaded(str(tmp_path / "m.onnx"))
    assert workload.inputs == ["x float32 scalar"]
    assert workload.outputs() == []


@pytest.mark.parametrize("name", ["m.ort", "m.onnx"])
def test_files_of_the_runtimes_own_format(name: str, tmp_path: Path) -> None:
    """Whatever they are called."""
    options = ort.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "converted.ort")
    options.add_session_config_entry("session.save_model_format", "ORT")
    ort.InferenceSession(graphs.identity(tmp_path / "from.onnx"), options)
    (tmp_path / "converted.ort").rename(tmp_path / name)
    workload = loaded(str(tmp_path / name))
    assert workload.outputs()[0].shape == (1, 4)
    assert "opt has no effect" in workload.notes[0]
    assert "leave opt out" in refused(f"{tmp_path / name}@opt=off")


def test_more_than_two_gigabytes(tmp_path: Path) -> None:
    """A table of 2.4 GB, of which the file system keeps only the holes."""
    path = tmp_path / "big.onnx"
    rows, columns = 600_000, 1000
    table = TensorProto(name="table", data_type=graphs.FLOAT, dims=[rows, columns], data_location=TensorProto.EXTERNAL)
    for key, value in {"location": "big.data", "offset": "0", "length": str(4 * rows * columns)}.items():
        table.external_data.add(key=key, value=value)
    body = helper.make_graph(
        [helper.make_node("Gather", ["table", "ids"], ["y"])],
        "g",
        [helper.make_tensor_value_info("ids", TensorProto.INT64, [1])],
        [helper.make_tensor_value_info("y", graphs.FLOAT, [1, columns])],
        [table],
    )
    onnx.save(helper.make_model(body, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    with open(tmp_path / "big.data", "wb") as data:
        data.truncate(4 * rows * columns)
    if os.stat(tmp_path / "big.data").st_blocks * 512 > 1 << 20:
        pytest.skip("this file system keeps holes as zeros")
    assert loaded(f"{path}@fill=ids:599999").outputs()[0].shape == (1, columns)


# -- settings ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "settings",
    ["spin=off", "opt=off", "opt=basic", "opt=extended", "arena=off", "execution=parallel,threads=2", "provider=cpu"],
)
def test_settings_reach_the_runtime(settings: str, tmp_path: Path) -> None:
    assert loaded(f"{graphs.matmul(tmp_path / 'm.onnx')}@{settings}").outputs()[0].shape == (1, 1000)


def test_a_spin_duration_needs_a_runtime_that_knows_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"{graphs.matmul(tmp_path / 'm.onnx')}@threads=2,spin=300us"
    if tuple(map(int, ort.__version__.split(".")[:2])) >= session.SPIN_DURATION_SINCE:
        assert loaded(text)
    monkeypatch.setattr(ort, "__version__", "1.25.1")
    said = refused(text)
    assert "1.25.1" in said and "spin=on or spin=off" in said


def test_a_provider_that_is_not_here_is_refused_with_those_that_are(tmp_path: Path) -> None:
    said = refused(f"{graphs.matmul(tmp_path / 'm.onnx')}@provider=nosuch")
    assert "provider=nosuch" in said and "provider=cpu" in said
    assert "azure" not in session.provider_names(["AzureExecutionProvider", "CPUExecutionProvider"])


def test_a_provider_that_does_not_start_is_no_other_one_in_disguise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The runtime falls back to the CPU without a word: a number under the wrong name."""

    class FellBack:
        def __init__(self, *arguments: object, **options: object) -> None:
            pass

        def get_providers(self) -> list[str]:
            return ["CPUExecutionProvider"]

    monkeypatch.setattr(ort, "get_available_providers", lambda: ["XnnpackExecutionProvider", "CPUExecutionProvider"])
    monkeypatch.setattr(ort, "InferenceSession", FellBack)
    assert "did not start" in refused(f"{graphs.matmul(tmp_path / 'm.onnx')}@provider=xnnpack")


# -- what is refused --------------------------------------------------------------------------------


def opset_too_new(path: Path) -> str:
    return graphs.identity(path, opset=99)


def file_version_too_new(path: Path) -> str:
    return graphs.identity(path, ir_version=99)


def custom_operator(path: Path) -> str:
    node = helper.make_node("Foo", ["x"], ["y"], domain="com.example")
    sides = {"x": (graphs.FLOAT, [1])}, {"y": (graphs.FLOAT, [1])}
    return graphs.graph(path, [node], *sides, domains=["com.example"])


def unknown_operator(path: Path) -> str:
    node = helper.make_node("Foo", ["x"], ["y"])
    return graphs.graph(path, [node], {"x": (graphs.FLOAT, [1])}, {"y": (graphs.FLOAT, [1])})


def text_input(path: Path) -> str:
    return graphs.identity(path, TensorProto.STRING)


def weights_missing(path: Path) -> str:
    graphs.matmul(path, external="weights.data")
    path.with_name("weights.data").unlink()
    return str(path)


def weights_cut_short(path: Path) -> str:
    graphs.matmul(path, external="weights.data")
    os.truncate(path.with_name("weights.data"), 100)
    return str(path)


def truncated(path: Path) -> str:
    graphs.matmul(path)
    os.truncate(path, path.stat().st_size - 1000)
    return str(path)


def web_page(path: Path) -> str:
    path.write_text("<!DOCTYPE html><html><body>404</body></html>")
    return str(path)


def large_file_pointer(path: Path) -> str:
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 123\n")
    return str(path)


def zeros(path: Path) -> str:
    path.write_bytes(bytes(1000))
    return str(path)


REFUSALS = {
    opset_too_new: "opset 99",
    file_version_too_new: "file version 99",
    custom_operator: "operator com.example:Foo",
    unknown_operator: "operator Foo",
    text_input: "tensor(string)",
    weights_missing: "weights.data",
    weights_cut_short: "too short",
    truncated: "cut off",
    web_page: "web page",
    large_file_pointer: "git lfs pull",
    zeros: "ONNX",
}


@pytest.mark.parametrize("make", REFUSALS, ids=[make.__name__ for make in REFUSALS])
def test_what_cannot_run_is_refused_in_a_sentence_that_says_why(
    make: Callable[[Path], str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    said = refused(make(tmp_path / "mine.onnx"))
    assert REFUSALS[make] in said
    assert "mine.onnx" in said and str(said).count("mine.onnx") == 1
    assert len(said) < 300


def test_a_refusal_on_the_command_line_is_one_sentence_and_status_2(tmp_path: Path) -> None:
    done = run_cli("record", custom_operator(tmp_path / "mine.onnx"), "--duration", "1s", "--force")
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.strip().splitlines()) == 1 and "com.example:Foo" in done.stderr


def test_a_model_that_fails_when_it_runs_is_a_failed_row_and_the_others_go_on(
    start: Callable[..., Link], small_model: str, tmp_path: Path
) -> None:
    bad = graphs.fails_when_run(tmp_path / "bad.onnx")
    frames = frames_until(start([bad, small_model]), lambda frame: isinstance(frame, wire.Slice))
    (failed,) = (frame for frame in frames if isinstance(frame, wire.State) and frame.state == "failed")
    assert "bad.onnx" in failed.candidate
    assert "Reshape" in failed.reason and "onnxruntime" not in failed.reason


def test_an_index_that_is_too_large_is_answered_with_what_to_type(start: Callable[..., Link], tmp_path: Path) -> None:
    """Segments are 0 or 1, and made-up integers go to 9."""
    weights = {"table": np.ones((2, 4), np.float32)}
    node = helper.make_node("Gather", ["table", "token_type_ids"], ["y"])
    sides = {"token_type_ids": (TensorProto.INT64, [50])}, {"y": (graphs.FLOAT, [50, 4])}
    path = graphs.graph(tmp_path / "m.onnx", [node], *sides, weights)
    frames = frames_until(start([path]), lambda frame: isinstance(frame, wire.State) and frame.state == "failed")
    assert isinstance(frames[-1], wire.State)
    assert frames[-1].reason.endswith("give fill=token_type_ids:0..1")
    assert loaded(f"{path}@fill=token_type_ids:0..1")


# -- models that a package ships --------------------------------------------------------------------

LIGHT = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"
SMALL_ENOUGH = ["light_squeezenet", "light_shufflenet", "light_densenet121", "light_inception_v1", "light_resnet50"]


@pytest.mark.parametrize("name", SMALL_ENOUGH)
def test_the_onnx_packages_light_models_go_the_whole_way(name: str, start: Callable[..., Link], tmp_path: Path) -> None:
    if not (LIGHT / f"{name}.onnx").exists():
        pytest.skip(f"this onnx package ships no {name}")
    shutil.copy(LIGHT / f"{name}.onnx", tmp_path)
    link = start([f"{tmp_path / name}.onnx"], slice_ms=20)
    frames = frames_until(link, lambda frame: isinstance(frame, wire.Slice | wire.Failure))
    (ready,) = (f for f in frames if isinstance(f, wire.State) and f.state not in ("loading",))
    assert ready.state == "ready", ready.reason
    assert ready.inputs and ready.cold_ms[0] > 0 and ready.load_ms and ready.memory_mb
    assert isinstance(frames[-1], wire.Slice) and frames[-1].inferences >= 1
