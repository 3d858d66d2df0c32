"""Files that a user names: what is wrong with one, in a sentence."""

from __future__ import annotations

import contextlib
import mmap
import os
import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from latvar_tui.zoo.entries import ZooError, reason_of


def usable_file(path: Path) -> os.stat_result:
    """Return the state of a regular file with something in it that may be read. Raises ZooError."""
    model = str(path)
    begins = b""
    try:
        found = path.stat()
        if stat.S_ISREG(found.st_mode):  # opening a pipe would wait for its other end
            with path.open("rb") as file:
                begins = file.read(1)
    except FileNotFoundError as error:
        raise ZooError(f"there is no file {model!r}: check the path and the folder you are in") from error
    except PermissionError as error:
        raise ZooError(f"{model!r} can't be read (no permission): chmod it or choose another file") from error
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        raise ZooError(f"{model!r} can't be read ({reason_of(error)}): check the path") from error
    if stat.S_ISDIR(found.st_mode):
        raise ZooError(f"{model!r} is a directory: give the .onnx file inside it")
    if not stat.S_ISREG(found.st_mode):
        raise ZooError(f"{model!r} is not a regular file: give an .onnx file on disk")
    if not begins:
        raise ZooError(f"{model!r} is empty: export or copy the model again")
    return found


@contextlib.contextmanager
def mapped(path: Path) -> Iterator[mmap.mmap]:
    """A user's file as bytes that are read only where they are looked at. Raises ZooError."""
    usable_file(path)
    try:
        with path.open("rb") as file:
            view = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError, OverflowError) as error:  # too large for the address space; emptied just now
        raise ZooError(f"{str(path)!r} can't be read ({reason_of(error)}): copy it to another disk") from error
    with view:
        yield view


def beside(model: Path, location: str) -> Path:
    """The file that a model calls ``location``, relative to its own folder.

    Raises ZooError for a place outside that folder: no file that somebody else wrote may choose such a one.
    """
    parts = PurePosixPath(location).parts
    if not location or "\0" in location or ".." in parts or location.startswith("/") or not parts:
        raise ZooError(
            f"{str(model)!r} keeps its weights in {location!r}, which is no place inside its own folder: "
            "export it again with its weights beside it"
        )
    return model.parent.joinpath(*parts)


def size_beside(model: Path, location: str) -> int | None:
    """How many bytes the file that a model calls ``location`` has, None if there is no regular file.

    Raises ZooError as ``beside``, or if the folder can't be read.
    """
    file = beside(model, location)
    try:
        found = file.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ZooError(f"{str(file)!r} can't be read ({reason_of(error)}): check its folder") from error
    return found.st_size if stat.S_ISREG(found.st_mode) else None


def no_such_weights(model: Path, location: str) -> str:
    """The sentence for weights that are not there."""
    return f"{str(model)!r} keeps its weights in {location!r}, which is not beside it: put the two into one folder"


def cut_off_weights(model: Path, location: str) -> str:
    """The sentence for weights that end too early."""
    return f"{str(model)!r} keeps its weights in {location!r}, which is cut off: copy or download it again"
