"""From a slice's raw times to the counts of its frame: which inferences count, and where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from latvar_tui.hdr_layout import indices_of, sparse_counts
from latvar_tui.wire import MOST_SLOWEST, Counts

Times = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Binned:
    """``inferences`` are in ``service``; ``dropped`` are not; ``disturbed`` are, and met a key stroke.

    The others are the fields of :class:`latvar_tui.wire.Slice` by these names.
    """

    inferences: int
    dropped: int
    disturbed: int
    service: Counts
    wait: Counts
    wait_sums: list[int]
    slowest: list[list[int]]
    response: Counts | None
    queue_max: int
    lag_ns: int


def bin_slice(
    starts: Times,
    durations: Times,
    delays: Times | None,
    delay_before: int,
    *,
    changed_at_ns: int | None,
    disturbances: Sequence[tuple[int, int]],
    wait_unavailable: str | None,
    arrivals: Times | None = None,
    ended_ns: int = 0,
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
        arrivals: in open loop, when each was due, ns, ascending; those behind the n-th had not been served when the
            slice ended at ``ended_ns``. They count as having taken so long by then: a lower bound.
    """
    ends = starts + durations
    kept = int(np.searchsorted(ends, changed_at_ns, side="right")) if changed_at_ns is not None else len(starts)
    disturbed = np.zeros(kept, bool)
    for begin, end in disturbances:
        disturbed |= (starts[:kept] < end) & (ends[:kept] > begin)
    service, latency = durations[:kept], durations[:kept]
    queued = woken = np.zeros(kept, np.int64)
    if arrivals is not None:
        latency = ends[:kept] - arrivals[:kept]
        # In the queue until the one before had ended; then it took the thread so long to wake up and begin.
        free = np.maximum(arrivals[:kept], np.concatenate((arrivals[:1], ends[: max(0, kept - 1)]))[:kept])
        queued, woken = free - arrivals[:kept], starts[:kept] - free
    waits = None
    if delays is not None:
        # A preemption between two inferences belongs to neither: no wait exceeds its own inference.
        waits = np.clip(np.diff(delays[:kept], prepend=delay_before), 0, latency)
    response, told = latency, waits
    if arrivals is not None:
        given_up = ended_ns - arrivals[len(ends) :]
        response = np.concatenate((latency, given_up))
        told = None if waits is None else np.concatenate((waits, np.zeros(len(given_up), np.int64)))
    return Binned(
        inferences=kept,
        dropped=len(starts) - kept,
        disturbed=int(disturbed.sum()),
        service=counts_of(service),
        wait=Counts(unavailable=wait_unavailable or "not measured") if waits is None else counts_of(waits),
        wait_sums=[] if told is None else wait_sums(response, told),
        slowest=_slowest(starts[:kept], service, waits, queued, woken),
        response=None if arrivals is None else counts_of(response),
        queue_max=0 if arrivals is None else _longest_queue(starts[:kept], arrivals),
        lag_ns=int((queued + woken)[-1]) if kept else 0,
    )


def _longest_queue(starts: Times, arrivals: Times) -> int:
    """How many were due at most when one began, itself included."""
    due = np.searchsorted(arrivals, starts, side="right") - np.arange(len(starts))
    return int(due.max(initial=0))


def counts_of(values_ns: Times) -> Counts:
    """What a frame carries of these times, ns."""
    if len(values_ns) == 0:
        return Counts()
    indices, counts, overflow = sparse_counts(values_ns)
    return Counts(
        pairs=list(map(list, zip(indices.tolist(), counts.tolist(), strict=True))),
        min_ns=int(values_ns.min()),
        max_ns=int(values_ns.max()),
        sum_ns=int(values_ns.sum()),
        overflow=overflow,
    )


def wait_sums(latency: Times, waits: Times) -> list[int]:
    """For each bucket that :func:`counts_of` ``latency`` names, in its order: the sum of its inferences' waits."""
    if len(latency) == 0:
        return []
    indices = indices_of(latency)
    indices -= indices.min()
    # In floating point, which is exact here: a slice's waits are far below 2**53 ns.
    sums = np.bincount(indices, weights=waits)[np.flatnonzero(np.bincount(indices))]
    return sums.astype(np.int64).tolist()  # type: ignore[no-any-return]


def _slowest(starts: Times, service: Times, waits: Times | None, queued: Times, woken: Times) -> list[list[int]]:
    """Those of the longest latency, each as :data:`latvar_tui.wire.SLOWEST` names it."""
    columns = (starts, service, np.full(len(starts), -1) if waits is None else waits, queued, woken)
    latency = service + queued + woken
    longest = np.argsort(latency, kind="stable")[: -MOST_SLOWEST - 1 : -1]
    return list(map(list, zip(*(column[longest].tolist() for column in columns), strict=True)))
