"""Every model that can be run, the zoo's and the user's own, as a table and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from latvar_tui import zoo
from latvar_tui.controls import CONTROLS
from latvar_tui.format import NOTHING, amount, printable, size
from latvar_tui.zoo.fits import sizes_text
from latvar_tui.zoo.library import OwnModel, library
from latvar_tui.zoo.onnx_file import OnnxValue, read_onnx

_MOST_INPUTS = 2  # written out in the table


@dataclass(frozen=True)
class Row:
    """One model. ``model_id`` is what one types for it; None is what its file does not say."""

    kind: str
    model_id: str
    name: str
    precision: str | None
    parameters: int | None
    inputs: Sequence[OnnxValue] | None
    weights_bytes: int | None
    source: str
    more: dict[str, Any]
    """For JSON only."""


def rows() -> list[Row]:
    """The zoo in the catalogue's order, the controls, then the user's own by name.

    Raises ZooError without a catalogue.
    """
    controls = [_control_row(zoo.control(name)) for name in CONTROLS]
    return [*map(_zoo_row, zoo.catalogue().values()), *controls, *map(_own_row, zoo.own_models().values())]


def complaints() -> list[str]:
    """A sentence for each of the user's models that cannot be used."""
    return [
        f"your model {name} can't be used, because {reason}: "
        f"remove it with latvar-tui models remove {name} and add it again"
        for name, reason in library().damaged.items()
    ]


def _zoo_row(entry: zoo.ModelEntry) -> Row:
    inputs = [OnnxValue(entry.input.name, entry.input.dtype, entry.input.shape)]
    more = {"licence": entry.licence, "opset": entry.opset}
    return Row(
        "zoo", entry.id, entry.name, entry.precision, entry.parameters, inputs, entry.weights_bytes, entry.source, more
    )


def _control_row(control: zoo.Control) -> Row:
    """Its source says what it is for."""
    if control.path is None:
        return Row("control", control.id, control.name, None, None, None, None, control.about, {})
    info = read_onnx(control.path)
    numbers = info.precision, info.parameters, info.inputs, info.nbytes
    return Row("control", control.id, control.name, *numbers, control.about, {})


def _own_row(model: OwnModel) -> Row:
    more: dict[str, Any] = {
        "path": str(model.path),
        "shapes": {name: list(shape) for name, shape in model.shapes},
        "fills": dict(model.fills),
    }
    try:
        info = read_onnx(model.path, skim=True)
    except zoo.ZooError as error:
        return Row("own", model.id, model.name, None, None, None, None, model.source, more | {"problem": str(error)})
    return Row(
        "own", model.id, model.name, info.precision, info.parameters, info.inputs, info.nbytes, model.source, more
    )


def as_json(row: Row) -> dict[str, Any]:
    """One model as an object; sizes of open axes are their names, or ``?``."""
    return {
        "kind": row.kind,
        "id": row.model_id,
        "name": row.name,
        "precision": row.precision,
        "parameters": row.parameters,
        "inputs": inputs_as_json(row.inputs),
        "weights_bytes": row.weights_bytes,
        "source": row.source,
        **row.more,
    }


def inputs_as_json(inputs: Sequence[OnnxValue] | None) -> list[dict[str, Any]] | None:
    """A model's inputs as objects."""
    if inputs is None:
        return None
    return [
        {"name": name, "dtype": dtype, "shape": None if shape is None else list(shape)} for name, dtype, shape in inputs
    ]


def input_text(value: OnnxValue) -> str:
    """``input_ids int64 1x128``."""
    return f"{printable(value.name)} {value.dtype} {sizes_text(value)}"


def inputs_text(inputs: Sequence[OnnxValue] | None) -> str:
    """The first inputs in words, and how many there are beyond."""
    if inputs is None:
        return NOTHING
    shown = ", ".join(input_text(value) for value in inputs[:_MOST_INPUTS])
    more = len(inputs) - _MOST_INPUTS
    return f"{shown} and {more} more" if more > 0 else shown or NOTHING


_HEADS = ("model", "precision", "parameters", "weights", "inputs", "source")
_RIGHT = ("parameters", "weights")


def table_lines(table: Sequence[Row]) -> list[str]:
    """An aligned table with a line of heads."""
    lines = [_HEADS, *map(_cells, table)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return [_line(cells, widths) for cells in lines]


def _cells(row: Row) -> tuple[str, ...]:
    source = row.source if row.kind != "own" else f"own, from {printable(row.source)}"
    sizes = amount(row.parameters), size(row.weights_bytes)
    return row.model_id, row.precision or NOTHING, *sizes, inputs_text(row.inputs), source


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (
        cell.rjust(width) if head in _RIGHT else cell.ljust(width)
        for head, cell, width in zip(_HEADS, cells, widths, strict=True)
    )
    return "  ".join(padded).rstrip()
