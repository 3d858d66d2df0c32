"""What a model is fed with: shapes where it leaves them open, and seeded values of a sensible range."""

from __future__ import annotations

import zipfile
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from latvar_tui.candidate import Candidate, UsageError
from latvar_tui.settings import Shape, fill_bounds, input_shape_text, shape_text
from latvar_tui.zoo.entries import ZooError
from latvar_tui.zoo.fits import check_fills, check_shapes, resolve_sizes, sizes_text
from latvar_tui.zoo.onnx_file import OPEN, OnnxValue

Array = npt.NDArray[Any]

_DTYPES: dict[str, type[np.generic]] = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(float16)": np.float16,
    "tensor(bool)": np.bool_,
    **{f"tensor({sign}int{bits})": getattr(np, f"{sign}int{bits}") for sign in ("", "u") for bits in (8, 16, 32, 64)},
}

_LOW, _HIGH = 0, 9
"""Range of integers: token ids that every vocabulary has, class numbers, dark pixels."""

_SEED = 0


class Node(Protocol):
    """An input as the runtime describes it: sizes are numbers, names, or None."""

    name: str
    type: str
    shape: Sequence[int | str | None]


@dataclass
class Inputs:
    """``arrays`` by input; ``described`` a line each (``input_ids int64 1x128``); ``notes`` what was assumed."""

    arrays: dict[str, Array] = field(default_factory=dict)
    described: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def make_inputs(
    nodes: Sequence[Node],
    candidate: Candidate,
    shapes: Mapping[str, Shape] | None = None,
    fills: Mapping[str, str] | None = None,
    unranked: Container[str] = (),
) -> Inputs:
    """Make an array for every input of a model.

    Args:
        nodes: the model's inputs.
        candidate: names the model in refusals; its ``shape``, ``fill`` and ``input`` settings are obeyed.
        shapes: sizes by input that were remembered with the model; the candidate's own go before.
        fills: likewise values.
        unranked: inputs whose number of axes the model leaves open; the runtime shows them as scalars.

    Raises:
        UsageError: an input is of a kind that cannot be made, its shape is open, or a setting does not fit.
    """
    asked = f"'{candidate.model}'"
    for node in nodes:
        if node.type not in _DTYPES:
            raise UsageError(
                f"{asked} has the input {node.name} of type {node.type}, which cannot be made up: export the model "
                "so that its inputs are plain numbers, without its text or sequence part."
            )
    values = [_value(node, node.name in unranked) for node in nodes]
    made = Inputs()
    try:
        check_shapes(values, dict(candidate.shapes))
        check_fills(values, dict(candidate.fills))
        if candidate.values_file and (candidate.shapes or candidate.fills):
            raise UsageError(
                f"'{candidate}' takes all its inputs from a file, so shape= and fill= mean nothing: leave them out."
            )
        if candidate.values_file:
            made.arrays = _from_file(asked, nodes, candidate.values_file)
            check_shapes(values, {name: array.shape for name, array in made.arrays.items()})
        else:
            sizes = resolve_sizes(values, dict(shapes or {}) | dict(candidate.shapes))
            if sizes.missing:
                raise _asks_for(candidate, values, sizes.missing)
            made.notes = sizes.assumed
            filled = dict(fills or {}) | dict(candidate.fills)
            random = np.random.default_rng(_SEED)
            for node in nodes:
                made.arrays[node.name] = _array(asked, node, sizes.shapes[node.name], filled.get(node.name), random)
    except ZooError as error:
        raise UsageError(f"{asked} cannot be fed so: {error}.") from error
    made.described = [f"{name} {array.dtype} {shape_text(array.shape)}" for name, array in made.arrays.items()]
    return made


def _value(node: Node, unranked: bool) -> OnnxValue:
    """An input as a model file describes it: a size that is no number above 0 is open."""
    sizes = tuple(
        size if isinstance(size, int) and size > 0 else size if isinstance(size, str) and size else OPEN
        for size in node.shape
    )
    return OnnxValue(node.name, np.dtype(_DTYPES[node.type]).name, None if unranked else sizes)


def _asks_for(candidate: Candidate, values: Sequence[OnnxValue], missing: Sequence[tuple[str, Shape]]) -> UsageError:
    """Which sizes must be given, with the text to type."""
    by_name = {value.name: value for value in values}
    shown = "; ".join(f"{name} {sizes_text(by_name[name])}" for name, _ in missing)
    # What was given already must be typed again: an example that can be copied is whole.
    options = [f"shape={input_shape_text(*pair)}" for pair in (*candidate.shapes, *missing)]
    return UsageError(
        f"'{candidate.model}' leaves sizes of its inputs open ({shown}): give them, "
        f"for example {candidate.model}@{','.join(options)}"
    )


def _array(asked: str, node: Node, shape: Shape, fill: str | None, random: np.random.Generator) -> Array:
    dtype = np.dtype(_DTYPES[node.type])
    try:
        if fill is not None:
            return _filled(shape, dtype, fill, random)
        if dtype.kind == "f":
            return random.standard_normal(shape, np.float32).astype(dtype)
        high = 1 if dtype.kind == "b" else _HIGH
        return np.asarray(random.integers(_LOW, high, shape, endpoint=True)).astype(dtype)
    except (MemoryError, ValueError) as error:
        raise UsageError(
            f"{asked} would need an input {node.name} of {shape_text(shape)} values, which does not fit into "
            "memory: give smaller sizes."
        ) from error


def _filled(shape: Shape, dtype: np.dtype[Any], fill: str, random: np.random.Generator) -> Array:
    low, high = fill_bounds(fill)
    if dtype.kind != "f":
        return np.asarray(random.integers(int(low), int(high), shape, dtype=_wide(dtype), endpoint=True)).astype(dtype)
    return np.asarray(random.uniform(low, high, shape)).astype(dtype) if low != high else np.full(shape, low, dtype)


def _wide(dtype: np.dtype[Any]) -> type[np.generic]:
    """An integer type that random numbers can be drawn in: not bool, and unsigned only where it must be."""
    return np.uint64 if dtype == np.uint64 else np.int64


def _from_file(asked: str, nodes: Sequence[Node], path: str) -> dict[str, Array]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            missing = [node.name for node in nodes if node.name not in archive]
            if missing:
                raise UsageError(
                    f"'{path}' lacks {', '.join(missing)} and holds {', '.join(archive.files) or 'nothing'}: "
                    f"save an array for every input of {asked} under its name."
                )
            found = {node.name: archive[node.name] for node in nodes}
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise UsageError(f"'{path}' cannot be read ({why}): give an .npz file of NumPy arrays.") from error
    except UsageError:
        raise
    except (ValueError, AttributeError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise UsageError(f"'{path}' is no .npz file of plain arrays: write it with numpy.savez.") from error
    for node in nodes:
        array, dtype = found[node.name], np.dtype(_DTYPES[node.type])
        if not np.can_cast(array.dtype, dtype, "same_kind"):
            raise UsageError(
                f"'{path}' holds {node.name} as {array.dtype}, and {asked} takes {dtype}: save it as that type."
            )
        found[node.name] = np.ascontiguousarray(array, dtype).reshape(array.shape)
    return found
