"""The screen's side of taking turns: frames in, ``go`` out, and word of drawing in the middle of a slice."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from latvar_tui import wire
from latvar_tui.link import LinkLost


class FrameSource(Protocol):
    """What the screen needs of a link: see :class:`latvar_tui.link.Link`."""

    log: deque[str]

    @property
    def descriptors(self) -> tuple[int, int]: ...
    def receive(self) -> list[wire.Frame]: ...
    def read_log(self) -> bool: ...
    def send(self, command: wire.Command) -> None: ...
    def close(self) -> None: ...


Deliver = Callable[[Sequence[wire.Frame], str | None], object]
"""Takes frames as they come, and at the end the reason why there will be no more."""


class Feed:
    """One probe at a time, watched by the event loop."""

    def __init__(self, source: FrameSource, deliver: Deliver) -> None:
        self._source: FrameSource | None = source
        self._deliver = deliver
        self._slice_runs = False
        self._drawing_in_slice = False

    @property
    def is_alive(self) -> bool:
        return self._source is not None

    @property
    def log(self) -> Sequence[str]:
        """What the probe has printed."""
        return list(self._source.log) if self._source is not None else []

    def attach(self, source: FrameSource) -> None:
        """Take another probe, after the one before has died."""
        self._source = source
        self.watch()

    def watch(self) -> None:
        """Begin to deliver frames; call in the event loop."""
        assert self._source is not None
        loop = asyncio.get_running_loop()
        frames_fd, log_fd = self._source.descriptors
        loop.add_reader(frames_fd, self._read_frames)
        loop.add_reader(log_fd, self._read_log)

    def unwatch(self) -> None:
        """Deliver no more; call in the event loop."""
        if self._source is not None:
            for fd in self._source.descriptors:
                asyncio.get_running_loop().remove_reader(fd)

    def close(self) -> None:
        """End the probe, if there is one. Safe to call twice, and after the event loop has gone."""
        if self._source is not None:
            self._source.close()
            self._source = None

    def send(self, command: wire.Command) -> None:
        """Say something to the probe, if there is one."""
        if self._source is not None:
            self._source.send(command)

    def go_when_drawn(self, seq: int) -> Callable[[], object]:
        """What to call once everything drawn has left: a slice runs from there on, until its frame comes."""
        return self._when_drawn(wire.Go(seq))

    def answer_when_drawn(self, ask: int) -> Callable[[], object]:
        """Likewise, of a state that asked: a slice or a loading follows."""
        return self._when_drawn(wire.Drawn(ask))

    def _when_drawn(self, answer: wire.Command) -> Callable[[], object]:
        source = self._source

        def say() -> None:
            if source is self._source:  # not to a probe that has been started since
                self._slice_runs = True
                self.send(answer)

        return say

    def drawing_begins(self) -> bool:
        """Tell the probe, if a slice runs and it has not been told; whether :meth:`drawing_ends` must follow."""
        if not self._slice_runs or self._drawing_in_slice:
            return False
        self._drawing_in_slice = True
        self.send(wire.Busy(time.perf_counter_ns()))
        return True

    def drawing_ends(self) -> None:
        self._drawing_in_slice = False
        self.send(wire.Quiet(time.perf_counter_ns()))

    def _read_frames(self) -> None:
        assert self._source is not None
        frames: list[wire.Frame] = []
        lost = None
        try:
            frames = self._source.receive()
            if any(isinstance(frame, wire.Slice) or (isinstance(frame, wire.State) and frame.ask) for frame in frames):
                self._slice_runs = False
        except LinkLost as error:
            lost = str(error)
            self._slice_runs = False
            self.unwatch()
            self.close()
        self._deliver(frames, lost)

    def _read_log(self) -> None:
        if self._source is not None and not self._source.read_log():
            asyncio.get_running_loop().remove_reader(self._source.descriptors[1])
