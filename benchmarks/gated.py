"""A probe's slices, with nothing drawn: each is answered when the next one is asked for."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.proof import CannotProve
from latvar_tui import wire
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
