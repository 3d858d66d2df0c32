"""What the screen remembers of its user from one time to the next: a theme, and that the first hint has been read."""

from __future__ import annotations

from latvar_tui.user_document import UserDocument
from latvar_tui.zoo.folders import state_folder

THEME, HINT_SEEN = "theme", "hint_seen"

_DOCUMENT = UserDocument(state_folder, "screen.json")


def recall(name: str) -> str:
    """What was kept under a name; "" for nothing."""
    found = _DOCUMENT.read().get(name)
    return found if isinstance(found, str) else ""


def keep(name: str, value: str) -> None:
    """Keep a value until another one is kept."""
    document = _DOCUMENT.read()
    if document.get(name) != value:
        _DOCUMENT.write(document | {name: value})
