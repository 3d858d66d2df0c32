"""Durations as people type them: 10s, 1m30s, 500ms, 2h."""

from __future__ import annotations

import re

from latvar_tui.candidate import UsageError

_UNITS_S = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)")


def parse_duration_s(text: str) -> float:
    """Seconds; a bare number counts seconds.

    Raises:
        UsageError: it is no duration, or not a positive one.
    """
    stripped = text.strip().lower()
    if re.fullmatch(r"\d+(\.\d+)?", stripped):
        seconds = float(stripped)
    elif re.fullmatch(rf"({_PART.pattern})+", stripped):
        seconds = sum(float(number) * _UNITS_S[unit] for number, unit in _PART.findall(stripped))
    else:
        raise UsageError(f"'{text}' is no duration: write it like 10s, 1m30s or 500ms.")
    if seconds <= 0:
        raise UsageError(f"The duration '{text}' leaves no time to measure: give a longer one, like 10s.")
    return seconds
