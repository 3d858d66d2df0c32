"""The probe's hold on one candidate's runner: frozen unless it is its slice, and what it says."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass

from latvar_tui.candidate import Candidate
from latvar_tui.condition import IDLE, Arrivals, Condition
from latvar_tui.device.child import Child
from latvar_tui.device.lifeline import signal_name
from latvar_tui.device.runner import ANSWER, FAILED, ORDER, run_candidate
from latvar_tui.device.tape import Tape
from latvar_tui.wire import State


@dataclass(frozen=True)
class Answer:
    """What a runner says of a slice; the times themselves are on its tape."""

    inferences: int
    settling: int
    settling_ns: int
    delay_before: int
    left_over: int
    ended_ns: int


class Runner:
    """One candidate's process as the probe sees it."""

    def __init__(self, candidate: Candidate, forget: Callable[[], None], place: Condition = IDLE) -> None:
        """Start it. ``place`` says on which cores, how nice; ``forget`` closes there what only the probe may hold."""
        self.name = str(candidate)
        self.tape = Tape()
        self.wait_unavailable: str | None = None
        self._last_words = ""
        tape = self.tape
        self.child = Child(
            "latvar-runner", lambda orders, answers: run_candidate(candidate, tape, orders, answers, place), forget
        )

    def finish_loading(self) -> State:
        """Read what the runner says when it has loaded (or not), and freeze it."""
        line = b""
        while not line.endswith(b"\n"):
            byte = os.read(self.child.answers, 1)  # a byte at a time: nothing behind the line may be taken
            if not byte:
                return self.bury()
            line += byte
        said = json.loads(line)
        if said["state"] != "ready":
            self.child.end()
            return State(self.name, said["state"], said["reason"])
        self.child.freeze()
        self.wait_unavailable = said.pop("unavailable")
        return State(self.name, pid=self.child.pid, **said)

    def order_slice(self, slice_ns: int, arrivals: Arrivals | None = None) -> None:
        """Say what to do once it is thawed, so that it starts at once."""
        self.tape.rewind()
        rate_hz, poisson = (arrivals.rate_hz, arrivals.poisson) if arrivals else (0.0, False)
        self.child.send(ORDER.pack(slice_ns, rate_hz, poisson))

    def answer(self) -> Answer | None:
        """What it says of its slice, which is over; None if the runner has died instead."""
        answer = self._read(ANSWER.size)
        if len(answer) < ANSWER.size:
            return None
        fields = ANSWER.unpack(answer)
        if fields[0] == FAILED:
            self._last_words = self._read(fields[1]).decode(errors="replace")
            return None
        return Answer(*fields)

    def _read(self, size: int) -> bytes:
        """So many bytes of its answers, or fewer if it has died."""
        found = b""
        while len(found) < size and (chunk := os.read(self.child.answers, size - len(found))):
            found += chunk
        return found

    def bury(self) -> State:
        """Reap a runner that has died, or is about to; say of what."""
        self.child.thaw()  # should it have been stopped on its way out
        status = self.child.bury()
        if self._last_words:
            reason = f"an inference failed: {self._last_words}"
        elif status >= 0:
            reason = "its process ended on its own; the log (i) says more"
        elif -status == signal.SIGKILL:
            reason = "killed: by somebody, or for want of memory"
        else:
            reason = f"crashed ({signal_name(-status)}); the log (i) may say more"
        return State(self.name, "failed", reason)
