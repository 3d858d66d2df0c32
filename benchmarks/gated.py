"""A probe's slices, with nothing drawn: each is answered when the next one is asked for."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence

from benchmarks.proof import CannotProve
from latvar_tui import wire
from latvar_tui.condition import Condition
from latvar_tui.link import Link


def slices_of(link: Link) -> Iterator[wire.Slice]:
    """The slices as they come, without end; the last one taken stays unanswered.

    Raises:
        CannotProve: the probe, or a candidate, has failed.
        LinkLost: the probe is gone.
    """
    for frame in link.frames():
        if isinstance(frame, wire.Failure):
            raise CannotProve(frame.text)
        if isinstance(frame, wire.State):
            if frame.reason:
                raise CannotProve(f"{frame.candidate}: {frame.reason}")
            if frame.ask:
                link.send(wire.Drawn(frame.ask))
        elif isinstance(frame, wire.Slice):
            yield frame
            link.send(wire.Go(frame.seq))


def slices_under(
    names: Sequence[str], condition: Condition, seconds: float | None = None, slice_ms: float = 250.0
) -> Generator[wire.Slice]:
    """Those of a probe of its own, with these candidates, for so long from the first slice on; None: without end.

    Raises:
        CannotProve, LinkLost: as :func:`slices_of`.
    """
    link = Link(force=True)
    try:
        link.send(wire.Start(list(names), str(condition), slice_ms))
        link.send(wire.Go(0))
        began_ns = 0
        for frame in slices_of(link):
            began_ns = began_ns or frame.start_ns
            yield frame
            if seconds is not None and frame.end_ns - began_ns >= seconds * 1e9:
                break
    finally:
        link.close()
