"""The user's own models: kept under a name in their data folder, each in a folder of its own.

``latvar-tui/models/NAME/`` holds the model's file, the files with its weights beside it (copies or links), and
``own.json``, which says where it came from and what its inputs are fed with. Folders appear whole or not at all.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from latvar_tui.settings import MOST_AXIS, Shape, is_fill
from latvar_tui.zoo.entries import ZooError, catalogue, reason_of
from latvar_tui.zoo.files import beside
from latvar_tui.zoo.fits import check_fills, check_shapes
from latvar_tui.zoo.folders import data_folder, sweep, sync, temporary_folder
from latvar_tui.zoo.names import check_name, zoo_names
from latvar_tui.zoo.onnx_file import missing_weights, read_onnx

_RECORD = "own.json"
_FORMAT = 1


@dataclass(frozen=True)
class OwnModel:
    """A model that is not the zoo's."""

    name: str
    """Empty for a file that was only named by its path."""
    path: Path
    """Of the file to run; its weights lie beside it."""
    shapes: tuple[tuple[str, Shape], ...] = ()
    """Remembered sizes, by input."""
    fills: tuple[tuple[str, str], ...] = ()
    """Remembered values, by input: a number, or a range ``0..9``."""
    source: str = ""
    """The path it was added from."""

    @property
    def id(self) -> str:
        """What a user types for it."""
        return self.name or str(self.path)


@dataclass(frozen=True)
class Library:
    """What the data folder holds: models by name, and by name why others cannot be used."""

    models: dict[str, OwnModel] = field(default_factory=dict)
    damaged: dict[str, str] = field(default_factory=dict)


def own_models() -> dict[str, OwnModel]:
    """Return the user's models by name; what is damaged is left out. Never fails."""
    return library().models


def library() -> Library:
    """Return the user's models, and the damaged ones with the reason. Never fails."""
    found = Library()
    try:
        folder = data_folder() / "models"
        entries = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
        zoos = zoo_names()
    except (OSError, ZooError):
        return found
    for entry in entries:
        if not entry.is_dir():
            continue
        try:
            if entry.name in zoos:  # a newer version brought it
                raise ZooError("the zoo has a model of that name now")
            found.models[entry.name] = _read(entry)
        except ZooError as error:
            found.damaged[entry.name] = str(error)
    return found


def _read(folder: Path) -> OwnModel:
    """Read one folder; its name is the model's. Raises ZooError."""
    try:
        record = json.loads((folder / _RECORD).read_bytes())
        if record["format"] != _FORMAT:
            raise ValueError(f"format {record['format']} where {_FORMAT} is needed")
        file, source = str(record["file"]), str(record["source"])
        shapes = tuple((str(name), _shape(sizes)) for name, sizes in record["shapes"].items())
        fills = tuple((str(name), _fill(value)) for name, value in record["fills"].items())
        if Path(file).name != file:
            raise ValueError(f"its file is {file!r}")
        path = folder / file
        if not stat.S_ISREG(path.stat().st_mode):
            raise ValueError(f"{file} is no file")
    except FileNotFoundError as error:
        gone = Path(str(error.filename))
        raise ZooError(f"{os.readlink(gone) if gone.is_symlink() else gone.name} is gone") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ZooError(f"its {_RECORD} can't be used ({reason_of(error)})") from error
    return OwnModel(folder.name, path, shapes, fills, source)


def _shape(sizes: Any) -> Shape:
    if not isinstance(sizes, list) or not all(type(size) is int and 1 <= size <= MOST_AXIS for size in sizes):
        raise ValueError(f"the sizes {sizes}")
    return tuple(sizes)


def _fill(value: Any) -> str:
    if not isinstance(value, str) or not is_fill(value):
        raise ValueError(f"the value {value}")
    return value


def add(
    path: Path,
    name: str,
    link: bool = False,
    shapes: Mapping[str, Shape] | None = None,
    fills: Mapping[str, str] | None = None,
) -> OwnModel:
    """Keep a model and its weights under ``name``, copied, or with ``link`` as links to where they are.

    ``shapes`` and ``fills`` are remembered by input. Safe to call from several processes at once.

    Raises:
        ZooError: the name, the file, its weights, a shape or a fill cannot be used, or the data folder not written.
    """
    check_name(name)
    info = read_onnx(path)
    if sentence := missing_weights(path, info):
        raise ZooError(sentence)
    if info.inputs is not None:
        check_shapes(info.inputs, shapes or {})
        check_fills(info.inputs, fills or {})
    file = path.name if path.name != _RECORD else "model.onnx"
    if _RECORD in info.external_files:
        raise ZooError(f"{str(path)!r} keeps its weights in a file called {_RECORD}: export it again with another name")
    record = {
        "format": _FORMAT, "name": name, "file": file, "source": str(path.absolute()),
        "shapes": {input_name: list(shape) for input_name, shape in (shapes or {}).items()},
        "fills": dict(fills or {}), "added": round(time.time()),
    }  # fmt: skip
    models = data_folder() / "models"
    target = models / name
    if target.exists():
        raise ZooError(_taken(name))
    try:
        models.mkdir(parents=True, exist_ok=True)
        sweep(models)
        with temporary_folder(models, name) as built:
            _put(path, built / file, link)
            for location in info.external_files:
                if location != path.name:  # weights within the file itself
                    _put(beside(path, location), beside(built / file, location), link)
            (built / _RECORD).write_text(json.dumps(record), encoding="utf-8")
            sync(built / _RECORD)
            sync(built)
            try:
                built.rename(target)
            except OSError as error:
                if target.exists():  # another process has just made it
                    raise ZooError(_taken(name)) from error
                raise
        sync(models)
    except OSError as error:
        raise ZooError(
            f"the model {name} can't be kept in {models} ({reason_of(error)}): "
            "make it writable with room to spare, or set XDG_DATA_HOME to another folder"
        ) from error
    return OwnModel(name, target / file, tuple((shapes or {}).items()), tuple((fills or {}).items()), str(path))


def _put(source: Path, target: Path, link: bool) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if link:
        target.symlink_to(source.absolute())
    else:
        shutil.copyfile(source, target)
        sync(target)  # else it is written back while the first slices are measured


def _taken(name: str) -> str:
    return (
        f"you have a model {name} already: choose another name with --name, "
        f"or remove that one with latvar-tui models remove {name}"
    )


def remove(name: str) -> None:
    """Forget one of the user's models, damaged or not, and delete its folder; what it links to stays.

    Raises:
        ZooError: there is none of that name, or its folder can't be removed.
    """
    models = data_folder() / "models"
    found = library()
    known = sorted({*found.models, *found.damaged})
    if name not in known:
        if name in catalogue():
            raise ZooError(f"{name} is a model of the zoo: only your own can be removed")
        yours = f"yours are {', '.join(known)}" if known else "none has been added"
        raise ZooError(f"you have no model {name!r}: {yours}")
    try:
        sweep(models)
        with temporary_folder(models, name) as gone:
            (models / name).rename(gone / name)  # at once, so that nobody meets half of it
    except OSError as error:
        raise ZooError(f"the model {name} can't be removed ({reason_of(error)}): check {models / name}") from error
