"""Memory work: a streaming copy that no cache holds, which takes the bandwidth that weights need."""

from __future__ import annotations

import itertools
from contextlib import suppress
from pathlib import Path

from latvar_tui.device.burns.burn import Burn, calls_in_a_millisecond

CACHES = 4
"""The arrays together are so many times the last-level cache, if that fits."""

LEAST_BYTES, MOST_BYTES = 1 << 26, 1 << 30
"""Together: 64 MiB where the cache's size is not told; never more than 1 GiB, nor a quarter of the free memory."""

_PIECE_BYTES = 1 << 20


def mem() -> Burn:
    """Copy from one array to another, about 1 ms a call, each call (of any thread) the next pieces."""
    import numpy as np  # not before stress of this kind is asked for: the command line reads the list of kinds

    half = footprint_bytes() // 2 // _PIECE_BYTES * _PIECE_BYTES
    source, target = np.ones(half, np.uint8), np.ones(half, np.uint8)  # written to: else they are no memory yet
    pieces = half // _PIECE_BYTES
    turn = itertools.count()  # taken by many threads, and each number by one: next() holds the lock

    def copy() -> None:
        begin = next(turn) % pieces * _PIECE_BYTES
        np.copyto(target[begin : begin + _PIECE_BYTES], source[begin : begin + _PIECE_BYTES])

    calls = max(1, round(calls_in_a_millisecond(copy)))

    def burn() -> None:
        for _ in range(calls):
            copy()

    return burn


def footprint_bytes(root: Path = Path("/")) -> int:
    """How much memory both arrays take: beyond the last-level cache, within what is free."""
    wanted = min(MOST_BYTES, max(LEAST_BYTES, CACHES * (last_level_cache_bytes(root) or 0)))
    free = _available_bytes(root)
    return wanted if free is None else max(4 * _PIECE_BYTES, min(wanted, free // 4))


def last_level_cache_bytes(root: Path = Path("/")) -> int | None:
    """The size of the first core's largest cache; None where the system does not tell."""
    sizes = []
    for path in (root / "sys/devices/system/cpu/cpu0/cache").glob("index*/size"):
        with suppress(OSError, ValueError, KeyError):
            text = path.read_text().strip()
            sizes.append(int(text[:-1]) * {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}[text[-1]])
    return max(sizes, default=None)


def _available_bytes(root: Path) -> int | None:
    with suppress(OSError, ValueError, IndexError):
        for line in (root / "proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) << 10
    return None
