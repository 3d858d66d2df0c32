"""What a kind of stress makes, and how it finds the size of its pieces."""

from __future__ import annotations

import time
from collections.abc import Callable

Burn = Callable[[], object]
"""About a millisecond of work, without the interpreter lock. Many threads call the same one at once."""

_TRIAL_S = 0.01


def calls_in_a_millisecond(work: Callable[[], object]) -> float:
    """How often ``work`` can be called in a millisecond of CPU time, which others at work do not change."""
    begin_s = time.thread_time()
    calls = 0
    while (spent_s := time.thread_time() - begin_s) < _TRIAL_S:
        work()
        calls += 1
    return calls / spent_s / 1000
