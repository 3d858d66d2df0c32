"""Integer work: SHA-256, which needs no library, releases the lock and stays in the caches."""

from __future__ import annotations

import hashlib

from latvar_tui.device.burns.burn import Burn, calls_in_a_millisecond

_LEAST = 1 << 13  # far above the 2 KiB from which hashlib releases the lock


def cpu() -> Burn:
    """SHA-256 over a buffer sized so that one call takes about 1 ms of CPU here."""
    trial = bytes(1 << 16)
    buffer = bytes(max(_LEAST, int(len(trial) * calls_in_a_millisecond(lambda: hashlib.sha256(trial)))))
    return lambda: hashlib.sha256(buffer)
