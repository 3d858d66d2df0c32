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
    service = durations[:kept]
    waits = None
    if delays is not None:
        # A preemption between two inferences belongs to neither: no wait exceeds its own inference.
        waits = np.clip(np.diff(delays[:kept], prepend=delay_before), 0, service)
    queued = None if arrivals is None else starts[:kept] - arrivals[:kept]
    return Binned(
        inferences=kept,
        dropped=len(starts) - kept,
        disturbed=int(disturbed.sum()),
        service=counts_of(service),
        wait=Counts(unavailable=wait_unavailable or "not measured") if waits is None else counts_of(waits),
        wait_sums=[] if waits is None else wait_sums(service, waits),
        slowest=_slowest(starts[:kept], service, waits, queued),
        response=None if arrivals is None else counts_of(_responses(ends, arrivals, kept, ended_ns)),
        queue_max=0 if arrivals is None else _longest_queue(starts[:kept], arrivals),
        lag_ns=0 if queued is None or not kept else int(queued[-1]),
    )


def _responses(ends: Times, arrivals: Times, kept: int, ended_ns: int) -> Times:
    """From when each was due to its end, or to the end of the slice."""
    return np.concatenate((ends[:kept] - arrivals[:kept], ended_ns - arrivals[len(ends) :]))


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
        pairs=np.column_stack((indices, counts)).tolist(),
        min_ns=int(values_ns.min()),
        max_ns=int(values_ns.max()),
        sum_ns=int(values_ns.sum()),
        overflow=overflow,
    )


def wait_sums(service: Times, waits: Times) -> list[int]:
    """For each bucket that :func:`counts_of` ``service`` names, in its order: the sum of its inferences' waits."""
    if len(service) == 0:
        return []
    indices = indices_of(service)
    indices -= indices.min()
    # In floating point, which is exact here: a slice's waits are far below 2**53 ns.
    sums = np.bincount(indices, weights=waits)[np.flatnonzero(np.bincount(indices))]
    return [int(total) for total in sums]


def _slowest(starts: Times, service: Times, waits: Times | None, queued: Times | None) -> list[list[int]]:
    """Those of the longest latency: in open loop that counts from when they were due."""
    unknown, none = np.full(len(starts), -1), np.zeros(len(starts), np.int64)
    columns = (starts, service, unknown if waits is None else waits, none if queued is None else queued)
    latency = service + columns[3]
    few = min(MOST_SLOWEST, len(latency))
    longest = np.argpartition(latency, -few)[-few:] if few else np.arange(0)
    longest = longest[np.argsort(latency[longest], kind="stable")[::-1]]
    return [[int(column[i]) for column in columns] for i in longest]
