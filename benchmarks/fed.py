"""A screen that is fed as fast as it draws: a link of scripted frames in place of a probe's."""

from __future__ import annotations

import json
import os
from collections import deque
from pathlib import Path

from latvar_tui import wire
from latvar_tui.tui.app import LiveApp


class Feed:
    """A link that has the next frame ready as soon as the one before is answered.

    Subclasses say which frame is next, and what to note when one has been drawn.
    """

    def __init__(self, out: Path) -> None:
        """``out`` is where what was found is written, as JSON, when there are no more frames."""
        self.log: deque[str] = deque()
        self.app: LiveApp | None = None
        self._out = out
        self._ready, self._tell = os.pipe()
        self._quiet, _ = os.pipe()

    def next_frame(self) -> wire.Frame:
        """The frame that follows."""
        raise NotImplementedError

    def drawn(self) -> object:
        """Called when everything sent so far has been drawn: None for more frames, else what was found."""
        raise NotImplementedError

    @property
    def descriptors(self) -> tuple[int, int]:
        return self._ready, self._quiet

    def receive(self) -> list[wire.Frame]:
        os.read(self._ready, 1)
        taken: list[wire.Frame] = []
        while not taken or not isinstance(taken[-1], wire.Slice):
            taken.append(self.next_frame())
        return taken

    def send(self, command: wire.Command) -> None:
        if not isinstance(command, wire.Go):
            return
        found = self.drawn()
        if found is None:
            os.write(self._tell, b"x")
        else:
            assert self.app is not None
            self._out.write_text(json.dumps(found))
            self.app.exit(0)

    def read_log(self) -> bool:
        return True

    def close(self) -> None:
        pass
