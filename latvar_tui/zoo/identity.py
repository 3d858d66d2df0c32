"""Whether a model is still the one that was measured: its file may be another by now, under the same name."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path

from latvar_tui.zoo.controls import Control
from latvar_tui.zoo.entries import ModelEntry, ZooError
from latvar_tui.zoo.files import beside
from latvar_tui.zoo.library import OwnModel
from latvar_tui.zoo.onnx_file import read_onnx


def identity_of(model: ModelEntry | OwnModel | Control, values_file: str = "") -> str:
    """Twelve hexadecimal digits that change whenever what is run does, as far as time stamps and sizes tell.

    Of a model of the zoo, its recipe's; of the user's own, its files' and the sizes and values remembered with it.
    ``values_file`` holds its inputs, if they come from one.
    """
    if isinstance(model, ModelEntry):
        return model.key
    if isinstance(model, Control):
        return hashlib.sha256(model.path.read_bytes() if model.path else model.about.encode()).hexdigest()[:12]
    files = [model.path]
    with suppress(ZooError):
        files += [beside(model.path, location) for location in read_onnx(model.path, skim=True).external_files]
    stamps = [_stamp(path) for path in [*files, *([Path(values_file)] if values_file else [])]]
    return hashlib.sha256(repr((stamps, model.shapes, model.fills)).encode()).hexdigest()[:12]


def _stamp(path: Path) -> tuple[int, int] | None:
    with suppress(OSError):
        found = path.stat()
        return found.st_mtime_ns, found.st_size
    return None
