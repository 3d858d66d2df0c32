"""What the screen itself costs: CPU and bytes a frame, averaged and shown once a second."""

from __future__ import annotations

import time
from collections.abc import Callable

SHOWN_EVERY_S = 1.0
_WEIGHT = 0.1


class FrameCost:
    """Counts this process's CPU time (all threads) and output between two frames."""

    def __init__(self, bytes_written: Callable[[], int]) -> None:
        self._bytes_written = bytes_written
        self._last: tuple[int, int] | None = None
        self.cpu_ms: float | None = None
        self.kilobytes: float | None = None
        self.text = "self –"
        self._shown_at_s = 0.0

    def frame(self) -> None:
        """A frame has been drawn and its bytes have left."""
        now = (time.process_time_ns(), self._bytes_written())
        if self._last is not None:
            cpu_ms, kilobytes = (now[0] - self._last[0]) / 1e6, (now[1] - self._last[1]) / 1e3
            if self.cpu_ms is None or self.kilobytes is None:
                self.cpu_ms, self.kilobytes = cpu_ms, kilobytes
            else:
                self.cpu_ms += _WEIGHT * (cpu_ms - self.cpu_ms)
                self.kilobytes += _WEIGHT * (kilobytes - self.kilobytes)
            if time.monotonic() - self._shown_at_s >= SHOWN_EVERY_S:
                self._shown_at_s = time.monotonic()
                self.text = f"self {self.cpu_ms:4.1f} ms {self.kilobytes:4.1f} KB a frame"
        self._last = now
