"""The probe's hold on its stressor: what it was told, what it has reached, and that it is alive."""

from __future__ import annotations

import os
from collections.abc import Callable

from latvar_tui.candidate import Condition, parse_condition
from latvar_tui.device.child import Child
from latvar_tui.device.stress import run_stressor
from latvar_tui.wire import LineSplitter


class StressControl:
    """One stressor process, frozen unless thawed. Orders may be given while it is frozen."""

    def __init__(self, forget: Callable[[], None]) -> None:
        """``forget`` closes in the forked child what only the probe may hold."""
        self._child = Child("latvar-stress", run_stressor, forget)
        self._splitter = LineSplitter()
        self._ordered = Condition()
        self.reached = Condition()
        """The condition whose threads run now, as the stressor itself has said."""
        self._child.freeze()

    @property
    def child(self) -> Child:
        return self._child

    def order(self, condition: Condition) -> None:
        """Ask for ``condition``, unless that was the last thing asked for."""
        if condition != self._ordered:
            self._ordered = condition
            self._child.send(f"{condition}\n".encode())

    def hear(self) -> bool:
        """Read what it says; False if it has died."""
        chunk = os.read(self._child.answers, 4096)
        for line in self._splitter.feed(chunk):
            self.reached = parse_condition(line.decode())
        return bool(chunk)
