"""Levels of contention as people type them: ``0,1,2,4``, or as shares of the cores, ``0,50%,100%``."""

from __future__ import annotations

import re

MOST_THREADS = 512
MOST_LEVELS = 16

DEFAULT_LEVELS = (0, 1, 2, 4)
LITERATURE = "0,50%,100%"
"""The states in which phones are measured (SANI, OSDI 2026): stress threads for no, half and all of the cores."""


def parse_levels(text: str, cores: int) -> tuple[int, ...]:
    """Numbers of stress threads, in the order given; two shares that come to the same number are one level.

    Raises:
        ValueError: they are none; the message says what may be written.
    """
    found: dict[int, None] = {}
    for piece in text.split(","):
        level = re.fullmatch(r"(\d{1,4}(?:\.\d{1,3})?)%|(\d{1,4})", piece.strip())
        if level is None:
            raise ValueError("numbers of stress threads, like 0,1,2,4, or shares of the cores, like 0,50%,100%")
        # A share of more than nothing is a thread at least: else a device of one core would know no half.
        share = float(level[1] or 0) / 100
        threads = int(level[2]) if level[2] else max(1, round(share * cores)) if share else 0
        if threads > MOST_THREADS:
            raise ValueError(f"numbers of stress threads: the most is {MOST_THREADS}")
        if level[2] and threads in found:
            raise ValueError(f"numbers of stress threads that differ: {threads} is there twice")
        found[threads] = None
    if len(found) > MOST_LEVELS:
        raise ValueError(f"few enough levels: the most is {MOST_LEVELS}")
    return tuple(found)
