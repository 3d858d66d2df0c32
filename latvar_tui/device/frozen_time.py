"""A clock that stands still while its process is frozen.

Whoever freezes adds up, in memory shared with the child, for how long; the child takes that off. Without it a
duty cycle would sleep through the gaps and burn at the start of every slice.
"""

from __future__ import annotations

import mmap
import struct
import time

_NS = struct.Struct("=q")


class FrozenTime:
    """Made before the fork; one side calls :meth:`froze` and :meth:`thaws`, the other reads :meth:`now_s`."""

    def __init__(self) -> None:
        self._shared = mmap.mmap(-1, mmap.PAGESIZE)
        self._since_ns: int | None = None

    def froze(self) -> None:
        """The process has just been stopped."""
        self._since_ns = time.perf_counter_ns()

    def thaws(self) -> None:
        """The process is about to go on: call before it does."""
        if self._since_ns is not None:
            (total_ns,) = _NS.unpack_from(self._shared)
            _NS.pack_into(self._shared, 0, total_ns + time.perf_counter_ns() - self._since_ns)
            self._since_ns = None

    def now_s(self) -> float:
        """Seconds that pass only while the process may run."""
        (total_ns,) = _NS.unpack_from(self._shared)
        return float(time.perf_counter_ns() - total_ns) / 1e9
