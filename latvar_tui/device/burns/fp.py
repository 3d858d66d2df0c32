"""Floating-point work in the vector units, which a model's own work shares with a hyper-thread beside it."""

from __future__ import annotations

import threading

from latvar_tui.device.burns.burn import Burn, calls_in_a_millisecond

_SIZE = 1 << 15  # 128 KiB in and as many out: within the second-level cache, and long enough without the lock


def fp() -> Burn:
    """Sines of single-precision numbers, about 1 ms of them a call."""
    import numpy as np  # not before stress of this kind is asked for: the command line reads the list of kinds

    angles, own = np.linspace(0.1, 3.0, _SIZE, dtype=np.float32), threading.local()

    def sines(calls: int = 1) -> None:
        # Every thread's own target: a shared one would be fought over between the cores' caches.
        target = getattr(own, "target", None)
        if target is None:
            target = own.target = np.empty(_SIZE, np.float32)
        for _ in range(calls):
            np.sin(angles, out=target)

    calls = max(1, round(calls_in_a_millisecond(sines)))
    return lambda: sines(calls)
