"""What the screen remembers of its user from one time to the next: a theme, and that the first hint has been read.

A convenience, kept in the user's state folder: that it cannot be read or written is never an error.
"""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from latvar_tui.zoo.entries import ZooError
from latvar_tui.zoo.folders import state_folder

THEME, HINT_SEEN = "theme", "hint_seen"


def _path() -> Path:
    return state_folder() / "screen.json"


def _read() -> dict[str, object]:
    with suppress(OSError, ValueError, ZooError):
        found = json.loads(_path().read_bytes())
        if isinstance(found, dict):
            return found
    return {}


def recall(name: str) -> str:
    """What was kept under a name; "" for nothing."""
    found = _read().get(name)
    return found if isinstance(found, str) else ""


def keep(name: str, value: str) -> None:
    """Keep a value until another one is kept."""
    document = _read()
    if document.get(name) == value:
        return
    document[name] = value
    with suppress(OSError, ZooError):
        path = _path()
        path.parent.mkdir(parents=True, exist_ok=True)
        fd, temporary = tempfile.mkstemp(prefix=".screen-", dir=path.parent)
        try:
            with os.fdopen(fd, "w") as file:
                json.dump(document, file)
            os.replace(temporary, path)
        except OSError:
            os.unlink(temporary)
            raise
