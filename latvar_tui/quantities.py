"""Quantities as people type them: 10s, 1m30s, 500ms, 2h; 500MB, 1.5GB."""

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


def parse_age_s(text: str) -> float:
    """Seconds; as :func:`parse_duration_s`, or whole or broken days, like 30d.

    Raises:
        UsageError: it is no age.
    """
    days = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)d", text.strip().lower())
    return float(days[1]) * 86_400.0 if days and float(days[1]) else parse_duration_s(text)


_UNITS_MB = {"": 1.0, "kb": 1e-3, "mb": 1.0, "m": 1.0, "gb": 1e3, "g": 1e3, "mib": 1.048576, "gib": 1073.741824}


def parse_megabytes(text: str) -> float:
    """Megabytes (10⁶ bytes); a bare number counts megabytes.

    Raises:
        UsageError: it is no size, or not a positive one.
    """
    found = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)\s*([a-z]*)", text.strip().lower())
    if found is None or found[2] not in _UNITS_MB:
        raise UsageError(f"'{text}' is no size of memory: write it like 500MB or 1.5GB.")
    megabytes = float(found[1]) * _UNITS_MB[found[2]]
    if megabytes <= 0:
        raise UsageError(f"'{text}' leaves no memory for a model: give more, like 500MB.")
    return megabytes
