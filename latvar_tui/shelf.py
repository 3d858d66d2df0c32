"""What can be chosen for the line-up: the zoo, the user's own models, and files by their path."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from latvar_tui import zoo
from latvar_tui.candidate import Candidate
from latvar_tui.controls import CONTROLS
from latvar_tui.settings import input_shape_text
from latvar_tui.zoo.fits import check_shapes, resolve_sizes
from latvar_tui.zoo.names import is_model_file
from latvar_tui.zoo.onnx_file import read_onnx

MOST_FILES = 50
"""Of a folder: more are found by typing on."""


@dataclass(frozen=True)
class Choice:
    """``model`` is what one types for it; a ``folder`` holds choices, and is none itself."""

    model: str
    kind: str
    precisions: tuple[str, ...] = ()
    parameters: int | None = None
    about: str = ""


def choices(typed: str) -> list[Choice]:
    """What fits what has been typed so far: a part of a name, or the beginning of a path.

    Names that begin with it come first; case and - or _ do not matter.
    """
    if _is_path(typed):
        return list(_files(typed))
    wanted = _plain(typed)
    fitting = [choice for choice in [*_zoo(), *_controls(), *_own()] if wanted in _plain(choice.model)]
    return sorted(fitting, key=lambda choice: not _plain(choice.model).startswith(wanted))


def problem_of(candidate: Candidate) -> str:
    """Why a candidate cannot join, as far as a look into its file tells; empty if nothing speaks against it.

    The runner finds the rest when it loads the model.
    """
    try:
        found = zoo.find(candidate.model, candidate.precision)
        if not isinstance(found, zoo.OwnModel) or candidate.values_file:
            return ""
        inputs = read_onnx(found.path, skim=True).inputs
        if inputs is None:  # in ORT format, which only the runtime reads
            return ""
        given = dict(found.shapes) | dict(candidate.shapes)
        check_shapes(inputs, given)
        missing = resolve_sizes(inputs, given).missing
    except zoo.ZooError as error:
        return f"{error}."
    if missing:
        options = ",".join(f"shape={input_shape_text(*pair)}" for pair in missing)
        return f"{candidate.model_name} leaves sizes of its inputs open: add them behind the @, for example @{options}"
    return ""


def _plain(name: str) -> str:
    return name.lower().replace("-", "_")


def _zoo() -> Iterator[Choice]:
    precisions: dict[str, list[str]] = {}
    for entry in zoo.catalogue().values():
        precisions.setdefault(entry.name, []).append(entry.precision)
    for name, found in precisions.items():
        yield Choice(name, "zoo", tuple(found), zoo.catalogue()[name].parameters)


def _controls() -> Iterator[Choice]:
    for name, about in CONTROLS.items():
        yield Choice(name, "control", about=about)


def _own() -> Iterator[Choice]:
    for name in zoo.own_models():
        yield Choice(name, "own")


def _is_path(typed: str) -> bool:
    return os.sep in typed or typed.startswith(("~", ".")) or is_model_file(typed)


def _files(typed: str) -> Iterator[Choice]:
    """Folders and models whose path begins so; hidden ones only if the dot was typed."""
    folder, _, begin = os.path.expanduser(typed).rpartition(os.sep)
    shown = typed[: len(typed) - len(begin)]
    try:
        entries = sorted(os.scandir(folder or (os.sep if typed.startswith(os.sep) else ".")), key=lambda e: e.name)
    except OSError:
        return
    fitting = [e for e in entries if e.name.startswith(begin) and (begin or not e.name.startswith("."))]
    found = 0
    for entry in fitting:
        is_folder = _is_folder(entry)
        if found < MOST_FILES and entry.name.isprintable() and (is_folder or is_model_file(entry.name)):
            found += 1
            if is_folder:
                yield Choice(shown + entry.name + os.sep, "folder")
            else:
                yield Choice(os.path.expanduser(shown) + entry.name, "file", about=_size(Path(entry.path)))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False


def _size(path: Path) -> str:
    try:
        return f"{path.stat().st_size / 1e6:.1f} MB"
    except OSError:
        return ""
