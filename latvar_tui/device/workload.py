"""One model ready to run: an ONNX Runtime session with its inputs bound. The seam for other runtimes."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from latvar_tui import zoo
from latvar_tui.candidate import Candidate, UsageError

_FLOATS = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(float16)": np.float16}


def load(candidate: Candidate) -> Callable[[], object]:
    """Make a session for ``candidate`` and bind seeded inputs.

    Returns:
        A function that runs one inference and leaves its outputs where they were put.

    Raises:
        UsageError: the model cannot be used, with the reason in a sentence.
    """
    import onnxruntime as ort

    path = _model_path(candidate.model)
    options = ort.SessionOptions()
    # Never 0: the runtime then pins its threads to cores, escaping taskset and cpusets.
    options.intra_op_num_threads = candidate.threads
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.add_session_config_entry("session.intra_op.allow_spinning", "1" if candidate.spin else "0")
    options.log_severity_level = 3
    try:
        session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        # The runtime raises a class per status code, all unrelated to one another.
        raise UsageError(_refusal(candidate.model, ort.__version__, error)) from error
    return _bound(session, candidate.model)


def _model_path(model: str) -> Path:
    try:
        found = zoo.find(model)
        return found if isinstance(found, Path) else zoo.materialise(found)
    except zoo.ZooError as error:
        raise UsageError(str(error)) from error


def _bound(session: Any, model: str) -> Callable[[], object]:
    """Bind inputs (standard normal, seeded) and outputs, so that a run allocates and copies nothing."""
    random = np.random.default_rng(0)
    binding = session.io_binding()
    for node in session.get_inputs():
        if node.type not in _FLOATS or not all(isinstance(size, int) and size > 0 for size in node.shape):
            raise UsageError(
                f"'{model}' has the input {node.name}: {node.type} {node.shape}, and only inputs of floating-point "
                "numbers with fixed sizes are supported so far: export the model with fixed shapes."
            )
        values = random.standard_normal(node.shape, np.float32).astype(_FLOATS[node.type])
        binding.bind_cpu_input(node.name, values)
    for node in session.get_outputs():
        binding.bind_output(node.name, "cpu")
    run = session.run_with_iobinding

    def infer() -> object:
        return run(binding)

    infer()
    # Outputs of a known shape stay where the first run put them; others are placed anew each time.
    with contextlib.suppress(Exception):
        for node, output in zip(session.get_outputs(), binding.get_outputs(), strict=True):
            if all(isinstance(size, int) for size in node.shape):
                binding.bind_ortvalue_output(node.name, output)
    return infer


def _refusal(model: str, version: str, error: Exception) -> str:
    """One sentence from what the runtime says, without its codes and without the path, which is named already."""
    text = " ".join(str(error).split()) or type(error).__name__
    if "External data" in text:
        return f"'{model}' keeps its weights in another file, which is not beside it: put the two into one folder."
    said = text.rpartition(" failed:")[2].rpartition(" : ")[2].strip(" .")[:160]
    return f"'{model}' cannot be loaded by ONNX Runtime {version} ({said}): check that it is a whole ONNX model."
