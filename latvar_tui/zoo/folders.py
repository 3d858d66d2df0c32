"""The user's folders, and folders in them that appear whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from latvar_tui.zoo.entries import ZooError

_TEMPORARY = ".tmp-"  # prefix of folders under construction
_ABANDONED_S = 3600.0  # an older one belonged to a process that was killed


def cache_folder() -> Path:
    """Return the user's cache folder for latvar-tui; it need not exist. Raises ZooError without a home."""
    return _users_folder("XDG_CACHE_HOME", "user_cache_path", ".cache")


def data_folder() -> Path:
    """Return the user's data folder for latvar-tui; it need not exist. Raises ZooError without a home."""
    return _users_folder("XDG_DATA_HOME", "user_data_path", ".local/share")


def state_folder() -> Path:
    """Return the user's state folder for latvar-tui; it need not exist. Raises ZooError without a home."""
    return _users_folder("XDG_STATE_HOME", "user_state_path", ".local/state")


def _users_folder(variable: str, by_platformdirs: str, below_home: str) -> Path:
    chosen = os.environ.get(variable, "")
    if os.path.isabs(chosen):  # the XDG specification: a relative one is to be ignored
        return Path(chosen) / "latvar-tui"
    try:
        import platformdirs  # a phone may lack it
    except ImportError:
        with suppress(RuntimeError):
            return Path.home() / below_home / "latvar-tui"
        raise ZooError(f"there is no home folder to keep models in: set {variable} to a folder") from None
    return Path(getattr(platformdirs, by_platformdirs)("latvar-tui", appauthor=False))


@contextmanager
def temporary_folder(beside: Path, name: str) -> Iterator[Path]:
    """Make a folder to build something in that is then renamed into ``beside``; what is left of it is removed."""
    folder = Path(tempfile.mkdtemp(prefix=f"{_TEMPORARY}{name}-", dir=beside))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep(folder: Path) -> None:
    """Remove what killed processes left behind in it; never a reason to fail."""
    oldest = time.time() - _ABANDONED_S
    for abandoned in folder.glob(f"{_TEMPORARY}*"):
        with suppress(OSError):
            if abandoned.stat().st_mtime < oldest:
                shutil.rmtree(abandoned, ignore_errors=True)


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on disk."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
