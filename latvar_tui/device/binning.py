"""From a slice's raw times to the counts of its frame: which inferences count, and where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from latvar_tui.hdr_layout import sparse_counts
from latvar_tui.wire import Counts

Times = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Binned:
    """``inferences`` are in ``service``; ``dropped`` are not; ``disturbed`` are, and met a key stroke."""

    inferences: int
    dropped: int
    disturbed: int
    service: Counts
    wait: Counts


def bin_slice(
    starts: Times,
    durations: Times,
    delays: Times | None,
    delay_before: int,
    *,
    changed_at_ns: int | None,
    disturbances: Sequence[tuple[int, int]],
    wait_unavailable: str | None,
) -> Binned:
    """Bin one slice.

    Args:
        starts: per inference, ns, ascending; shape (n,).
        durations: service times, ns; shape (n,).
        delays: the run-queue delay counter after each inference, ns; shape (n,); None without one.
        delay_before: the counter before the first inference.
        changed_at_ns: when the condition changed during the slice: whatever had not ended by then is dropped.
        disturbances: stretches (from, to) in which the screen drew, ns.
        wait_unavailable: why there are no delays.
    """
    ends = starts + durations
    kept = int(np.searchsorted(ends, changed_at_ns, side="right")) if changed_at_ns is not None else len(starts)
    disturbed = np.zeros(kept, bool)
    for begin, end in disturbances:
        disturbed |= (starts[:kept] < end) & (ends[:kept] > begin)
    if delays is None:
        wait = Counts(unavailable=wait_unavailable or "not measured")
    else:
        waits = np.diff(delays[:kept], prepend=delay_before)
        # A preemption between two inferences belongs to neither: no wait exceeds its own inference.
        wait = _counts(np.clip(waits, 0, durations[:kept]))
    return Binned(
        inferences=kept,
        dropped=len(starts) - kept,
        disturbed=int(disturbed.sum()),
        service=_counts(durations[:kept]),
        wait=wait,
    )


def _counts(values_ns: Times) -> Counts:
    if len(values_ns) == 0:
        return Counts()
    indices, counts, overflow = sparse_counts(values_ns)
    return Counts(
        pairs=np.column_stack((indices, counts)).tolist(),
        min_ns=int(values_ns.min()),
        max_ns=int(values_ns.max()),
        sum_ns=int(values_ns.sum()),
        overflow=overflow,
    )
