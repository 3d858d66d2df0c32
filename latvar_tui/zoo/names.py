"""Names of the user's own models: which are allowed, and which to suggest."""

from __future__ import annotations

import re
from pathlib import Path

from latvar_tui.controls import CONTROLS, IMPORTED
from latvar_tui.zoo.entries import ZooError, catalogue

_NAME = re.compile(r"[A-Za-z0-9_+][A-Za-z0-9._+-]{0,63}")
_ENDINGS = (".onnx", ".ort")
_LONGEST = 60  # of a suggestion: room for a prefix


def is_model_file(name: str) -> bool:
    """Whether a file is called like a model."""
    return name.lower().endswith(_ENDINGS)


def check_name(name: str) -> None:
    """Raise ZooError for a name that would not be one on the command line, or that is the zoo's."""
    if not _NAME.fullmatch(name) or is_model_file(name):
        raise ZooError(
            f"{name!r} can't be a model's name: use 1 to 64 letters, digits and ._+-, "
            "beginning with a letter or digit and not ending in .onnx or .ort"
        )
    if name in zoo_names():
        raise ZooError(f"the zoo has a model {name}: choose another name with --name, like my-{name}")


def suggested_name(path: Path) -> str:
    """A name for a model from its path: allowed, and none of the zoo's."""
    base = _words_for(path)
    while is_model_file(base):
        base = base.rpartition(".")[0]
    base = re.sub(r"[^A-Za-z0-9._+-]+", "_", base)[:_LONGEST].lstrip(".-")
    if not base or is_model_file(base):
        return "model"
    return f"my-{base}" if base in zoo_names() else base


def zoo_names() -> set[str]:
    """The names of the zoo, without precisions, of the controls, and what imported measurements have for one."""
    return {entry.name for entry in catalogue().values()} | CONTROLS.keys() | {IMPORTED}


def _words_for(path: Path) -> str:
    """The file's name, or its folder's where that says nothing; in Hugging Face's cache the repository's as well."""
    whole = path.absolute()
    stem = whole.stem if is_model_file(whole.name) else whole.name
    repositories = [part for part in whole.parts if part.startswith("models--")]
    if repositories:
        repository = repositories[-1].rpartition("--")[2]
        return repository if stem == "model" else f"{repository}-{stem}"
    return whole.parent.name if stem == "model" else stem
