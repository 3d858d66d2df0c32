"""What a user means by a model's name: one of the zoo, one of their own, or a file."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

from latvar_tui.controls import CONTROLS, IMPORTED
from latvar_tui.zoo.controls import Control, control_in
from latvar_tui.zoo.entries import FP32, ModelEntry, ZooError, catalogue, model_id
from latvar_tui.zoo.files import usable_file
from latvar_tui.zoo.library import OwnModel, library
from latvar_tui.zoo.names import is_model_file

Found = ModelEntry | OwnModel | Control
"""A model, or a control."""


def find(model: str, precision: str = FP32) -> Found:
    """Return what a user means by ``model``: the zoo's, in that precision; else their own; else a readable file.

    ``null`` and ``hiccup`` are no models, but controls.

    Raises ZooError that says what is wrong with the path, which precisions there are, or which names are near.
    """
    known = catalogue()
    if model in known:
        return known[model] if precision == FP32 else _in_precision(model, precision)
    if model in CONTROLS:
        return control_in(model, precision)
    if model == IMPORTED:
        raise ZooError("what has been imported cannot be run: name a model")
    own = library()
    if model in own.models:
        return _as_it_is(own.models[model], precision)
    if model in own.damaged:
        raise ZooError(
            f"your model {model} can't be used, because {own.damaged[model]}: remove it with "
            f"latvar-tui models remove {model} and add it again"
        )
    named_as_path = is_model_file(model) or os.sep in model
    if named_as_path or (model and os.path.exists(model)):
        path = Path(model)
        usable_file(path)
        return _as_it_is(OwnModel("", path, source=model), precision)
    if model and os.path.exists(f"{model}.onnx"):
        raise ZooError(f"there is no model {model!r} in the zoo: did you mean the file {model}.onnx?")
    near = difflib.get_close_matches(model.lower().replace("-", "_"), known, n=3)
    near += difflib.get_close_matches(model, own.models, n=3)
    if near:
        raise ZooError(
            f"there is no model {model!r} in the zoo: did you mean {' or '.join(near)}, or the path of an .onnx file?"
        )
    names = dict.fromkeys(entry.name for entry in known.values())
    yours = f", or yours: {', '.join(own.models)}," if own.models else ""
    raise ZooError(
        f"there is no model {model!r} in the zoo, which has {', '.join(names)}: "
        f"choose one of these{yours} or give the path of an .onnx file"
    )


def _in_precision(model: str, precision: str) -> ModelEntry:
    known = catalogue()
    name = known[model].name
    wanted = model_id(name, precision)
    if wanted in known:
        return known[wanted]
    having = [entry.name for entry in known.values() if entry.precision == precision]
    if not having:
        raise ZooError(f"the zoo has no model in {precision}: leave the precision out")
    raise ZooError(f"the zoo has no {precision} graph of {name}: it has one of {', '.join(having)}")


def _as_it_is(model: OwnModel, precision: str) -> OwnModel:
    if precision != FP32:
        raise ZooError(
            f"{model.id!r} is a model of your own, and precision={precision} chooses between graphs of the zoo: "
            "leave it out, and give the file that is in the precision you want"
        )
    return model
