"""The probe as a process: its descriptors, its signals, its place on the device."""

from __future__ import annotations

import contextlib
import os
import signal

from latvar_tui import wire
from latvar_tui.device.lifeline import OneProbe, name_process
from latvar_tui.device.probe import Probe
from latvar_tui.device.screen import Ended


def serve(force: bool = False) -> int:
    """Speak frames on stdout and commands on stdin until the screen leaves; the process's exit status."""
    # The frames' pipe is ours alone: whatever a library prints goes to stderr, which the screen logs.
    frames_fd = os.dup(1)
    os.dup2(2, 1)
    commands_fd = os.dup(0)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)

    def leave(number: int, frame: object) -> None:
        del number, frame
        raise Ended

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)
    # Ctrl-C in the terminal is the screen's to handle; it says quit in its own time.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    name_process("latvar-probe")
    place = OneProbe()
    taken = None if force else place.take()
    if taken is not None:
        os.write(frames_fd, wire.encode(wire.Failure(taken, usage=True)))
        return 2
    with contextlib.suppress(Ended):
        Probe(commands_fd, frames_fd, place).run()
    return 0
