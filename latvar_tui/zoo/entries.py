"""The catalogue of the zoo: which models there are, and how their weights are made.

``models/`` holds ONNX graphs without their large weights (written by ``models/export.py``).
"""

from __future__ import annotations

import errno
import functools
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

DEFAULT_LINE_UP: tuple[str, ...] = ("squeezenet1_1", "mobilenet_v3_large", "shufflenet_v2_x1_0")

FP32 = "fp32"

_FORMAT = 1  # of catalogue.json


class ZooError(ValueError):
    """A model cannot be had. The message is one sentence: what, why, and what to do."""


class ModelInput(NamedTuple):
    """The one input of a zoo model."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    """As NumPy spells it, e.g. ``float32``."""


class WeightBlock(NamedTuple):
    """One tensor that the graph expects in the weights file."""

    offset: int
    """Bytes from the start of the file, a multiple of 64."""
    size: int
    """How many values."""
    dtype: str
    """``float32`` or ``int8``."""
    scale: float
    """What the standard normal numbers are multiplied with: their standard deviation, for ``int8`` in codes."""

    @property
    def nbytes(self) -> int:
        """Its length in the file."""
        return self.size * (1 if self.dtype == "int8" else 4)


@dataclass(frozen=True)
class ModelEntry:
    """What the catalogue knows about one model of the zoo."""

    name: str
    source: str
    """Where the architecture's code is from, with its version."""
    licence: str
    """SPDX identifier of that code."""
    input: ModelInput
    output: str
    """Name of the output, 1 × 1000 class scores."""
    parameters: int
    """Trainable numbers of the whole model, those inside the graph included."""
    precision: str
    """``fp32`` or ``int8``."""
    opset: int
    sha256: str
    """Of the graph file, in hexadecimal."""
    file: str
    """The graph's file name."""
    weights_file: str
    """The name under which the graph looks for its weights, beside itself."""
    weights_bytes: int
    """Size of that file."""
    seed: int
    weights: tuple[WeightBlock, ...]
    """In the order of the file, which is also the order in which the numbers are drawn."""

    @property
    def id(self) -> str:
        """What a user types for it, and its key in the catalogue: the name, with its precision if that is not fp32."""
        return model_id(self.name, self.precision)

    @property
    def key(self) -> str:
        """Twelve hexadecimal digits that change whenever the graph or the recipe of its weights does."""
        recipe = repr((self.sha256, self.seed, self.weights_file, self.weights_bytes, self.weights))
        return hashlib.sha256(recipe.encode()).hexdigest()[:12]


def model_id(name: str, precision: str) -> str:
    """``mobilenet_v2`` or ``mobilenet_v2@precision=int8``."""
    return name if precision == FP32 else f"{name}@precision={precision}"


def models_folder() -> Path:
    """Return the folder that holds ``catalogue.json``: in the wheel, else at the top of the repository.

    Raises ZooError if there is none.
    """
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "models", package.parent / "models"):
        if (folder / "catalogue.json").is_file():
            return folder
    raise ZooError(
        f"there is no model catalogue in {package / 'models'} or {package.parent / 'models'}: "
        "the installation is incomplete, so install latvar-tui again"
    )


@functools.cache
def catalogue() -> dict[str, ModelEntry]:
    """Return the models of the zoo by id, in the catalogue's order, read once. Raises ZooError."""
    path = models_folder() / "catalogue.json"
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["format"] != _FORMAT:
            raise ValueError(f"format {document['format']} where {_FORMAT} is needed")
        return {key: _entry(key.partition("@")[0], fields) for key, fields in document["models"].items()}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ZooError(
            f"the model catalogue {path} can't be read ({reason_of(error)}): install latvar-tui again"
        ) from error


def _entry(name: str, fields: dict[str, Any]) -> ModelEntry:
    wanted, weights = fields["input"], fields["weights"]
    return ModelEntry(
        name=name,
        source=fields["source"],
        licence=fields["licence"],
        input=ModelInput(wanted["name"], tuple(wanted["shape"]), wanted["dtype"]),
        output=fields["output"],
        parameters=fields["parameters"],
        precision=fields["precision"],
        opset=fields["opset"],
        sha256=fields["sha256"],
        file=fields["file"],
        weights_file=weights["file"],
        weights_bytes=weights["bytes"],
        seed=weights["seed"],
        weights=tuple(WeightBlock(*block) for block in weights["blocks"]),
    )


def reason_of(error: Exception) -> str:
    """Return the error in words that fit inside a sentence."""
    if isinstance(error, OSError):
        if error.errno == errno.ENOSPC:
            return "the disk is full"
        return (error.strerror or type(error).__name__).lower()
    if isinstance(error, KeyError):
        return f"no {error.args[0]!r} in it"
    return str(error) or type(error).__name__
