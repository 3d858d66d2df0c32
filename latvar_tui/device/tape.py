"""The memory a runner and the probe share: the times of one slice, and a flag that ends it early.

Anonymous shared memory made before the fork: handing over a slice costs no copy and no pipe, and
the running loop learns of a change of condition by reading one byte.
"""

from __future__ import annotations

import mmap

import numpy as np
import numpy.typing as npt

CAPACITY = 1 << 16
"""Inferences in one slice; a slice that fills the tape ends early. 250 ms of a 4 µs model."""

_FLAG_BYTES = 4096  # a page of its own, so that the arrays behind it stay aligned


class Tape:
    """Per inference: ``starts`` and ``durations`` (ns, perf_counter), ``delays`` (ns, run queue), ``arrivals`` (ns).

    ``delays[i]`` is the thread's run-queue delay counter read right after inference *i*, and
    ``delay_before`` right before the first, so each difference is one inference's wait. ``arrivals`` is when each was
    due, in open loop.
    """

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, _FLAG_BYTES + 4 * 8 * CAPACITY)
        arrays = np.frombuffer(self._memory, np.int64, 4 * CAPACITY, _FLAG_BYTES).reshape(4, CAPACITY)
        self.starts: npt.NDArray[np.int64] = arrays[0]
        self.durations: npt.NDArray[np.int64] = arrays[1]
        self.delays: npt.NDArray[np.int64] = arrays[2]
        self.arrivals: npt.NDArray[np.int64] = arrays[3]

    @property
    def flag(self) -> mmap.mmap:
        """The shared bytes themselves: ``flag[0]`` is non-zero when the slice must end."""
        return self._memory

    def take_off(self, nominal_ns: int, n: int) -> None:
        """Let the first ``n`` inferences begin so much later, those that were shorter at their end."""
        if nominal_ns:
            taken = np.minimum(self.durations[:n], nominal_ns)
            self.starts[:n] += taken
            self.durations[:n] -= taken

    def ask_to_end(self) -> None:
        self._memory[0] = 1

    def rewind(self) -> None:
        self._memory[0] = 0
