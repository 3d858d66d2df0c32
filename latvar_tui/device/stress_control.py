"""The probe's hold on its stressor: what it was told, what it has reached, and that it is alive."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from latvar_tui.candidate import UsageError
from latvar_tui.condition import Condition
from latvar_tui.device.child import Child
from latvar_tui.device.frozen_time import FrozenTime
from latvar_tui.device.schedstat import add_cpu_ns
from latvar_tui.device.stress import run_stressor
from latvar_tui.device.stress_ng import family_of
from latvar_tui.wire import LineSplitter


def _has_schedstat() -> bool:
    return Path("/proc/self/schedstat").exists()


class StressControl:
    """One stressor process, frozen unless thawed. Orders may be given while it is frozen."""

    def __init__(self, forget: Callable[[], None]) -> None:
        """Start it and wait until it is prepared; ``forget`` closes in the child what only the probe may hold."""
        clock = self._clock = FrozenTime()
        self.child = Child("latvar-stress", lambda orders, answers: run_stressor(clock.now_s, orders, answers), forget)
        self._splitter = LineSplitter()
        self._ordered = Condition()
        self._number = self._answered = 0
        while not self._splitter.feed(os.read(self.child.answers, 1) or b"\n"):
            pass
        self.freeze()

    @property
    def reached(self) -> Condition | None:
        """The condition whose threads run now, as the stressor itself has said; None while it changes.

        Orders are numbered: the answer to an earlier order for the same condition is none to the last.
        """
        return self._ordered if self._answered == self._number else None

    def order(self, condition: Condition) -> None:
        """Ask for ``condition``, unless that was the last thing asked for."""
        if condition != self._ordered:
            self._ordered = condition
            self._number += 1
            self.child.send(f"{self._number} {condition}\n".encode())

    def cpu_ns(self) -> dict[int, int] | None:
        """CPU time that each thread of its processes has got so far, ns; None where that is not told."""
        found: dict[int, int] = {}
        try:
            for pid in family_of(self.child.pid):
                add_cpu_ns(f"/proc/{pid}", found)
        except FileNotFoundError as error:
            # A thread that ended just now is no platform's fault.
            return found if "schedstat" not in str(error.filename) or _has_schedstat() else None
        except (OSError, ValueError, IndexError):
            return None
        return found

    def freeze(self) -> None:
        """Stop it, and with it a runner that was thawed with it."""
        if not self.child.frozen:
            self.child.freeze()
            self._clock.froze()

    def thaw(self) -> None:
        if self.child.frozen:
            self._clock.thaws()
            self.child.thaw()

    def thaw_with(self, runner: Child) -> None:
        """Let it press, and a runner run, from the same instant on."""
        self._clock.thaws()
        self.child.thaw_with(runner)

    def hear(self) -> bool:
        """Read what it says; False if it has died.

        Raises:
            UsageError: it cannot do what was asked for.
        """
        chunk = os.read(self.child.answers, 4096)
        for line in self._splitter.feed(chunk):
            number, _, trouble = line.decode(errors="replace").partition(" ")
            if trouble:
                raise UsageError(
                    f"This device cannot run {self._ordered.stress_threads} stress threads ({trouble}): "
                    "ask for fewer, or for another kind."
                )
            self._answered = max(self._answered, int(number))
        return bool(chunk)
