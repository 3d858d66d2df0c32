"""Whether a model is what it should be, without running it: hashes of the zoo's, completeness of one's own."""

from __future__ import annotations

from pathlib import Path

from latvar_tui.zoo.controls import Control
from latvar_tui.zoo.entries import ModelEntry, ZooError
from latvar_tui.zoo.library import OwnModel
from latvar_tui.zoo.onnx_file import missing_weights, read_onnx
from latvar_tui.zoo.weights import materialise


def verified(model: ModelEntry | OwnModel | Control) -> tuple[int | None, str]:
    """Make the files of a model whole, and read all that can tell whether they are.

    Returns its number of parameters, None where the file does not say, and a remark, mostly empty.

    Raises:
        ZooError: a file is missing, damaged beyond repair, or unreadable.
    """
    if isinstance(model, ModelEntry):
        before = _stamp(materialise(model), model)
        after = _stamp(materialise(model, rehash=True), model)
        return model.parameters, "" if before == after else "its weights in the cache were damaged and are made anew"
    if model.path is None:
        return None, "it runs no model"
    info = read_onnx(model.path)
    if sentence := missing_weights(model.path, info):
        raise ZooError(sentence)
    return info.parameters, ""


def _stamp(graph: Path, entry: ModelEntry) -> tuple[int, int]:
    """What changes when the weights file is replaced."""
    found = graph.with_name(entry.weights_file).stat()
    return found.st_ino, found.st_mtime_ns
