"""Models that are on this device already: in Hugging Face's cache, in installed Python packages, or in a folder.

Only descriptions are read, never weights, so that a disk full of models takes moments.
"""

from __future__ import annotations

import contextlib
import os
import site
import stat
import sysconfig
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from latvar_tui.zoo.entries import ZooError, reason_of
from latvar_tui.zoo.folders import cache_folder, data_folder
from latvar_tui.zoo.names import is_model_file
from latvar_tui.zoo.onnx_file import OnnxValue, missing_weights, read_onnx

DEEPEST = 16
"""Folders within folders."""
MOST_FOLDERS = 200_000
"""Looked into, for one search: a home folder has fewer, a whole disk of a server may not."""

_TEST_DATA = os.path.join("onnx", "backend", "test", "data")
_OWN_PACKAGE = "latvar_tui"  # its graphs lack their weights; the zoo has them all


@dataclass(frozen=True)
class Found:
    """A model file."""

    path: Path
    nbytes: int
    """With its weights."""
    inputs: tuple[OnnxValue, ...] | None
    """None if it does not say (ORT format) or cannot be read."""
    problem: str = ""
    """Why it cannot be used, in a sentence; empty if it can."""


def usual_places() -> list[Path]:
    """Folders in which other programs keep models; those that exist."""
    return [folder for folder in (_hugging_face(), *_packages()) if folder.is_dir()]


def _hugging_face() -> Path:
    """The hub's cache folder, by the rules of the huggingface_hub package."""
    for variable in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if chosen := os.environ.get(variable):
            return Path(os.path.expanduser(chosen))
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join("~", ".cache")
    home = os.environ.get("HF_HOME") or os.path.join(cache, "huggingface")
    return Path(os.path.expanduser(home)) / "hub"


def _packages() -> Iterator[Path]:
    """Where this interpreter's packages are, and those of a virtual environment that is active."""
    paths = sysconfig.get_paths()
    yield from (Path(paths[kind]) for kind in ("purelib", "platlib"))
    yield Path(site.getusersitepackages())
    if environment := os.environ.get("VIRTUAL_ENV"):
        yield from sorted(Path(environment).glob("lib*/python*/site-packages"))


@dataclass(frozen=True)
class Discovery:
    """What a search has found, and whether it looked everywhere: see ``MOST_FOLDERS``."""

    models: list[Found]
    whole: bool


def discover(folders: Iterable[Path]) -> Discovery:
    """Find the model files below ``folders``, each once however many links lead to it, and describe them.

    In the order of their paths, test data of the ``onnx`` package last. What may not be read is passed over.
    """
    walk = _Walk()
    seen: set[tuple[int, int]] = set()
    found: list[Found] = []
    for path in sorted(walk.model_files(folders), key=lambda path: (path.is_symlink(), path)):
        try:
            state = path.stat()
        except OSError:  # a link to nothing; gone meanwhile
            continue
        if stat.S_ISREG(state.st_mode) and (state.st_dev, state.st_ino) not in seen:
            seen.add((state.st_dev, state.st_ino))
            found.append(_described(path, state.st_size))
    found.sort(key=lambda model: (_TEST_DATA in str(model.path), model.path))
    return Discovery(found, walk.whole)


def folder_to_search(text: str) -> Path:
    """The folder that a user names. Raises ZooError if there is none or it may not be read."""
    folder = Path(text)
    try:
        os.scandir(folder).close()
    except NotADirectoryError as error:
        raise ZooError(f"{text!r} is not a folder: give the one that it is in") from error
    except FileNotFoundError as error:
        raise ZooError(f"there is no folder {text!r}: check the path and the folder you are in") from error
    except (OSError, ValueError) as error:
        raise ZooError(f"the folder {text!r} can't be read ({reason_of(error)}): choose another") from error
    return folder


def _described(path: Path, nbytes: int) -> Found:
    try:
        info = read_onnx(path, skim=True)
    except ZooError as error:
        return Found(path, nbytes, None, str(error))
    return Found(path, info.nbytes, info.inputs, missing_weights(path, info))


class _Walk:
    """Goes through folders, linked ones too, each once: links may lead round in circles."""

    def __init__(self) -> None:
        self.whole = True
        self._entered: set[tuple[int, int]] = set()
        # What is in these goes by its name already.
        for folder in (cache_folder, data_folder):
            with contextlib.suppress(OSError, ZooError):
                self._enters(folder() / "models")

    def model_files(self, folders: Iterable[Path]) -> Iterator[Path]:
        waiting = [(folder, 0) for folder in folders]
        while waiting:
            folder, depth = waiting.pop()
            with contextlib.suppress(OSError):
                if not self._enters(folder):
                    continue
                with os.scandir(folder) as entries:
                    for entry in entries:
                        if is_model_file(entry.name) and not entry.is_dir():
                            yield Path(entry.path)
                        elif depth < DEEPEST and entry.name != _OWN_PACKAGE and entry.is_dir():
                            waiting.append((Path(entry.path), depth + 1))

    def _enters(self, folder: Path) -> bool:
        state = folder.stat()
        place = (state.st_dev, state.st_ino)
        if place in self._entered:
            return False
        if len(self._entered) >= MOST_FOLDERS:
            self.whole = False
            return False
        self._entered.add(place)
        return True
