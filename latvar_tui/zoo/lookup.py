"""What a user means by a model's name: one of the zoo, one of their own, or a file."""

from __future__ import annotations

import difflib
import os
import stat
from pathlib import Path

from latvar_tui.zoo.entries import ModelEntry, ZooError, catalogue, reason_of


def find(model: str) -> ModelEntry | Path:
    """Return what a user means by ``model``: a name of the zoo, else a readable model file's path.

    Raises ZooError that says what is wrong with the path, or which names are near.
    """
    known = catalogue()
    if model in known:
        return known[model]
    named_as_path = model.lower().endswith((".onnx", ".ort")) or os.sep in model
    if named_as_path or (model and os.path.exists(model)):
        return _users_file(model)
    near = difflib.get_close_matches(model.lower().replace("-", "_"), known, n=3)
    if near:
        raise ZooError(
            f"there is no model {model!r} in the zoo: did you mean {' or '.join(near)}, or the path of an .onnx file?"
        )
    raise ZooError(
        f"there is no model {model!r} in the zoo, which has {', '.join(known)}: "
        "choose one of these or give the path of an .onnx file"
    )


def _users_file(model: str) -> Path:
    path = Path(model)
    try:
        found = path.stat()
        if stat.S_ISDIR(found.st_mode):
            raise ZooError(f"{model!r} is a directory: give the .onnx file inside it")
        if not stat.S_ISREG(found.st_mode):
            raise ZooError(f"{model!r} is not a regular file: give an .onnx file on disk")
        with path.open("rb") as file:
            if not file.read(1):
                raise ZooError(f"{model!r} is empty: export or copy the model again")
    except FileNotFoundError as error:
        raise ZooError(f"there is no file {model!r}: check the path and the folder you are in") from error
    except PermissionError as error:
        raise ZooError(f"{model!r} can't be read (no permission): chmod it or choose another file") from error
    except OSError as error:
        raise ZooError(f"{model!r} can't be read ({reason_of(error)}): check the path") from error
    return path
