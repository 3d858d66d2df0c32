"""A small JSON document in one of the user's own folders.

A convenience, whatever is in it: that it cannot be read or written is never an error.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from latvar_tui.zoo.entries import ZooError


@dataclass(frozen=True)
class UserDocument:
    """``folder`` finds the folder, and raises ZooError if there can be none."""

    folder: Callable[[], Path]
    name: str

    def read(self) -> dict[str, Any]:
        """What it holds; nothing where there is none, or it is no document."""
        with suppress(OSError, ValueError, ZooError):
            found = json.loads((self.folder() / self.name).read_bytes())
            if isinstance(found, dict):
                return found
        return {}

    def write(self, document: Mapping[str, object]) -> None:
        """Put another one in its place, whole; two programs may do so at once."""
        with suppress(OSError, ZooError):
            path = self.folder() / self.name
            path.parent.mkdir(parents=True, exist_ok=True)
            fd, temporary = tempfile.mkstemp(prefix=f".{path.stem}-", dir=path.parent)
            try:
                with os.fdopen(fd, "w") as file:
                    json.dump(document, file)
                os.replace(temporary, path)
            except OSError:
                os.unlink(temporary)
                raise
