"""One model ready to run: a session with its inputs bound. The seam for other runtimes."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from latvar_tui import zoo
from latvar_tui.candidate import Candidate, UsageError
from latvar_tui.device.inputs import Array, Inputs, make_inputs
from latvar_tui.device.session import is_ort_format, open_session
from latvar_tui.settings import Shape
from latvar_tui.zoo.identity import identity_of
from latvar_tui.zoo.onnx_file import read_onnx


@dataclass
class Workload:
    """A model to run. Nothing has been inferred when it is made: the first inference is the cold one."""

    infer: Callable[[], object]
    """Run one inference; its outputs stay where they were put."""
    outputs: Callable[[], list[Array]]
    """The last inference's outputs, those that are tensors of numbers."""
    keep_places: Callable[[], object]
    """Call after the first inference: outputs of a known shape stay where it put them, without a new allocation."""
    inputs: list[str]
    """A line an input: ``input_ids int64 1x128``."""
    notes: list[str]
    """What was assumed, in words."""
    load_ms: float = 0.0
    """How long the session took to load, its weights made before."""
    identity: str = ""
    """Changes whenever the files that are run do."""
    nominal_ns: int = 0
    """What a run is meant to take and is no news: taken off every time that is told."""


def load(candidate: Candidate) -> Workload:
    """Make a session for ``candidate`` and feed it; nothing has been inferred yet.

    Raises:
        UsageError: the model cannot be used, with the reason in a sentence.
    """
    if not candidate.has_model:
        from latvar_tui.device.hiccup import hiccup

        return hiccup()
    found = _find(candidate)
    path, shapes, fills = _model(found)
    identity = identity_of(found, candidate.values_file)
    begin_ns = time.perf_counter_ns()
    session = open_session(candidate, path)
    load_ms = (time.perf_counter_ns() - begin_ns) / 1e6
    made = make_inputs(session.get_inputs(), candidate, shapes, fills, _unranked(path, session.get_inputs()))
    numbers = all(node.type.startswith("tensor(") and "string" not in node.type for node in session.get_outputs())
    workload = (_bound if numbers else _fed)(session, made)
    workload.load_ms, workload.identity = load_ms, identity
    if is_ort_format(path):
        workload.notes.append("a model in ORT format is optimised when it is saved: opt has no effect on it")
    return workload


def _find(candidate: Candidate) -> zoo.Found:
    try:
        return zoo.find(candidate.model, candidate.precision)
    except zoo.ZooError as error:
        raise UsageError(f"{error}.") from error


def _model(found: zoo.Found) -> tuple[Path, Mapping[str, Shape], Mapping[str, str]]:
    """The file to run, and what is remembered with it."""
    if isinstance(found, zoo.OwnModel):
        return found.path, dict(found.shapes), dict(found.fills)
    if isinstance(found, zoo.Control):
        assert found.path is not None, "what has no graph is not loaded"
        return found.path, {}, {}
    try:
        return zoo.materialise(found), {}, {}
    except zoo.ZooError as error:
        raise UsageError(f"{error}.") from error


def _unranked(path: Path, nodes: Sequence[Any]) -> set[str]:
    """Inputs of which the model does not say how many axes they have; the runtime shows them like scalars."""
    if all(node.shape for node in nodes):
        return set()
    try:
        inputs = read_onnx(path, skim=True).inputs or ()
    except zoo.ZooError:
        return set()
    return {value.name for value in inputs if value.shape is None}


def _bound(session: Any, made: Inputs) -> Workload:
    """Bind inputs and outputs, so that a run copies nothing."""
    binding = session.io_binding()
    for name, values in made.arrays.items():
        binding.bind_cpu_input(name, values)
    for node in session.get_outputs():
        binding.bind_output(node.name, "cpu")
    run = session.run_with_iobinding

    def infer() -> object:
        return run(binding)

    def keep_places() -> None:
        with contextlib.suppress(Exception):
            for node, output in zip(session.get_outputs(), binding.get_outputs(), strict=True):
                if all(isinstance(size, int) for size in node.shape):
                    binding.bind_ortvalue_output(node.name, output)

    return Workload(infer, binding.copy_outputs_to_cpu, keep_places, made.described, made.notes)


def _fed(session: Any, made: Inputs) -> Workload:
    """Where an output is no tensor of numbers it cannot be bound: run with a prebuilt feed."""
    names = [node.name for node in session.get_outputs()]
    run, feed = session.run, made.arrays
    last: list[Any] = []

    def infer() -> object:
        last[:] = run(names, feed)
        return last

    def outputs() -> list[Array]:
        return [value for value in last if isinstance(value, np.ndarray) and value.dtype.kind in "fiub"]

    return Workload(infer, outputs, lambda: None, made.described, made.notes)
