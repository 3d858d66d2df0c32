"""Whether a screen can be drawn here."""

from __future__ import annotations

import os
import sys

from latvar_tui.candidate import UsageError


def is_in_browser() -> bool:
    """Whether textual-serve started this: what is drawn goes to a page, through its own pipe."""
    return os.environ.get("TEXTUAL_DRIVER", "").endswith(":WebDriver")


def check_terminal(instead: str) -> None:
    """Check that a screen can be drawn.

    Raises:
        UsageError: why not, and ``instead``: what to do.
    """
    if is_in_browser():
        return
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(f"The live screen needs a terminal, and this is none: {instead}.")
    if not sys.stderr.isatty():
        raise UsageError(f"The live screen is drawn on stderr, and that goes elsewhere: {instead}.")
    if os.environ.get("TERM", "") in ("", "dumb"):
        raise UsageError(f"The terminal (TERM={os.environ.get('TERM', '')}) cannot draw a screen: {instead}.")
