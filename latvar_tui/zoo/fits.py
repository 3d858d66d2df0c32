"""Whether sizes and values fit a model's inputs, what the open axes of these are taken as, and which must be given.

Without NumPy and without a session: what the runner obeys can be said before any model is loaded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from latvar_tui.format import printable
from latvar_tui.settings import Shape, fill_bounds, shape_text
from latvar_tui.zoo.entries import ZooError
from latvar_tui.zoo.onnx_file import OnnxValue

_LIKELY = {2: 128, 3: 128, 4: 224}  # a size to suggest, by the number of axes: token sequences, images
_ELSE_LIKELY = 16

_LIMITS = {
    f"{sign}int{bits}": (0, 2**bits - 1) if sign else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    for sign in ("", "u")
    for bits in (8, 16, 32, 64)
} | {"bool": (0, 1)}

_LARGEST = {"float16": 65504.0, "float32": 3.4028234663852886e38, "float64": 1.7976931348623157e308}

_MADE_UP = {*_LIMITS, *_LARGEST}


def sizes_text(value: OnnxValue) -> str:
    """``1x3x224x224``, ``batch×?``, ``scalar``, or ``any shape``."""
    if value.shape is None:
        return "any shape"
    # Names may have an x in them.
    times = "x" if all(isinstance(size, int) for size in value.shape) else "×"
    return printable(times.join(map(str, value.shape))) or "scalar"


def check_shapes(inputs: Sequence[OnnxValue], shapes: Mapping[str, Shape]) -> None:
    """Raise ZooError where an input is not the model's, or a size is not what the model fixes."""
    for name, shape in shapes.items():
        known = _input(inputs, name, "shape").shape
        if known is None:
            continue
        fits = len(known) == len(shape) and all(
            not isinstance(size, int) or size == number for size, number in zip(known, shape, strict=True)
        )
        if not fits:
            value = OnnxValue(name, "", known)
            raise ZooError(
                f"the input {name} has the sizes {sizes_text(value)}, which {shape_text(shape)} does not fit: "
                "give a size for each axis, and those that are fixed as they are"
            )


def check_fills(inputs: Sequence[OnnxValue], fills: Mapping[str, str]) -> None:
    """Raise ZooError where an input is not the model's, or cannot hold the value."""
    for name, fill in fills.items():
        value = _input(inputs, name, "fill")
        numbers = fill_bounds(fill)
        if value.dtype in _LARGEST and not all(abs(number) <= _LARGEST[value.dtype] for number in numbers):
            raise ZooError(
                f"the input {name} is of type {value.dtype}, which {fill} does not fit: "
                f"use numbers of at most {_LARGEST[value.dtype]:g}"
            )
        if value.dtype not in _LIMITS:
            continue
        least, most = _LIMITS[value.dtype]
        if not all(least <= number <= most and number == int(number) for number in numbers):
            raise ZooError(
                f"the input {name} is of type {value.dtype}, which {fill} does not fit: "
                f"use whole numbers from {least} to {most}"
            )


def _input(inputs: Sequence[OnnxValue], name: str, setting: str) -> OnnxValue:
    for value in inputs:
        if value.name == name:
            return value
    known = printable(", ".join(value.name for value in inputs)) or "none"
    raise ZooError(f"the model has no input {name} to give a {setting} to: its inputs are {known}")


def cannot_be_made_up(inputs: Sequence[OnnxValue]) -> list[OnnxValue]:
    """The inputs that no values can be made up for: text, sequences, rare kinds of numbers."""
    return [value for value in inputs if value.dtype not in _MADE_UP]


@dataclass
class Sizes:
    """Every input's shape; ``missing`` are those that a user has to give, with sizes to suggest."""

    shapes: dict[str, Shape] = field(default_factory=dict)
    assumed: list[str] = field(default_factory=list)
    """What was taken as 1, in words."""
    missing: list[tuple[str, Shape]] = field(default_factory=list)


def resolve_sizes(inputs: Sequence[OnnxValue], given: Mapping[str, Shape]) -> Sizes:
    """Give every input a shape: what was given, also through an axis of the same name at another input.

    A first axis that is left, or the only one, is taken as 1: it is a batch, or nothing else can be meant.
    """
    found = Sizes()
    named: dict[str, int] = {}
    for value in inputs:
        _name_sizes(named, value, given.get(value.name, ()))
    for value in inputs:
        if value.name in given:
            found.shapes[value.name] = given[value.name]
            continue
        if value.shape is None:
            found.missing.append((value.name, (1,)))
            continue
        sizes = [size if isinstance(size, int) else named.get(size) for size in value.shape]
        opened = [axis for axis, size in enumerate(sizes) if size is None]
        likely = _LIKELY.get(len(sizes), _ELSE_LIKELY)
        one = opened[0] if len(opened) == 1 else 0
        shape = tuple(size or (1 if axis == one else likely) for axis, size in enumerate(sizes))
        found.shapes[value.name] = shape
        if len(opened) == 1:
            label = value.shape[one] if _is_name(value.shape[one]) else f"number {one + 1}"
            found.assumed.append(
                f"{value.name} {shape_text(shape)}: its open axis {printable(str(label))} is taken as 1"
            )
        elif opened:
            found.missing.append((value.name, shape))
            _name_sizes(named, value, shape)  # the next input may share them
    return found


def _name_sizes(named: dict[str, int], value: OnnxValue, shape: Shape) -> None:
    for size, number in zip(value.shape or (), shape, strict=False):
        if isinstance(size, str) and _is_name(size):
            named.setdefault(size, number)


def _is_name(size: int | str) -> bool:
    """Whether an axis has a name that it may share with others: ``?`` says nothing."""
    return isinstance(size, str) and any(letter.isalnum() for letter in size)
