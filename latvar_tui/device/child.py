"""A child process of the probe that can be frozen: forked, in its own process group, on two pipes.

Why frozen: ONNX Runtime's pool threads spin on for 3 to 500 ms after the last inference, a whole
core each; a stopped process costs the next candidate nothing. Why a process group of its own in the
*same* session: a stopped member of the terminal's group would be thawed by ``fg``, and a new session
would be a scheduler group of its own, which falsifies the contention.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from typing import BinaryIO

from latvar_tui.device.lifeline import die_with, name_process

Body = Callable[[BinaryIO, BinaryIO], None]
"""What a child runs: reads orders from the first pipe, writes answers to the second."""


class Child:
    """A forked child. ``orders`` and ``answers`` are the probe's ends of its pipes."""

    def __init__(self, name: str, body: Body, forget: Callable[[], None]) -> None:
        """Fork and run ``body`` in the child; ``forget`` closes there what only the probe may hold.

        ``name`` is what ``top`` shows, where the platform lets a process name itself.
        """
        orders_read, self._orders = os.pipe()
        self.answers, answers_write = os.pipe()
        parent = os.getpid()
        sys.stdout.flush()
        sys.stderr.flush()
        gc.freeze()  # else the child's first collections copy every inherited page
        with warnings.catch_warnings():
            # ONNX Runtime's import leaves a thread; the child uses none of its locks (measured).
            warnings.simplefilter("ignore", DeprecationWarning)
            self.pid = os.fork()
        if self.pid == 0:
            status = 1
            try:
                os.close(self._orders)
                os.close(self.answers)
                _enter_child(parent)
                name_process(name)
                forget()
                os.write(answers_write, b"!")
                with os.fdopen(orders_read, "rb", 0) as orders, os.fdopen(answers_write, "wb", 0) as answers:
                    try:
                        body(orders, answers)
                    except Exception:
                        # Before the pipe closes: at its end the probe buries us, whatever is left to say.
                        traceback.print_exc()
                        raise
                status = 0
            finally:
                with contextlib.suppress(OSError):
                    sys.stderr.flush()
                os._exit(status)
        os.close(orders_read)
        os.close(answers_write)
        with contextlib.suppress(OSError):
            os.setpgid(self.pid, self.pid)
        self.frozen = False
        self._guest: Child | None = None
        self.exit_status: int | None = None
        # Only a child that has let go of what is ours, and dies with us, may be frozen.
        os.read(self.answers, 1)

    def send(self, order: bytes) -> None:
        """Write an order; a child that has died is noticed at its answers, not here."""
        with contextlib.suppress(BrokenPipeError):
            os.write(self._orders, order)

    def freeze(self) -> None:
        """Stop it, and with it whoever was thawed with it."""
        if not self.frozen:
            self._signal(signal.SIGSTOP)
            self.frozen = True
            if self._guest is not None:
                self._guest.frozen = True
                self._part()

    def thaw(self) -> None:
        if self.frozen:
            self._signal(signal.SIGCONT)
            self.frozen = False

    def thaw_with(self, guest: Child) -> None:
        """Let both go on, in the same instant where both can be in one group.

        After a signal of its own the first of them may take the sender's core, and the other waits for milliseconds.
        """
        if guest.exit_status is None:
            with contextlib.suppress(OSError):
                os.setpgid(guest.pid, self.pid)
                self._guest = guest
        self._signal(signal.SIGCONT)
        self.frozen = False
        if self._guest is None:
            guest.thaw()
        guest.frozen = False

    def kill(self) -> None:
        """End it without waiting: its answers' end tells."""
        self._part()
        self._signal(signal.SIGKILL)

    def _part(self) -> None:
        """Whoever was thawed with it is in a group of its own again."""
        guest, self._guest = self._guest, None
        if guest is not None and guest.exit_status is None:
            with contextlib.suppress(OSError):
                os.setpgid(guest.pid, guest.pid)

    def end(self) -> None:
        """Kill and reap; safe to call twice."""
        if self.exit_status is None:
            self.kill()
            self._reap(0)

    def bury(self) -> int:
        """Reap a child that has closed its pipe, giving it a moment to end on its own; its exit status."""
        limit_s = time.monotonic() + 1.0
        while self.exit_status is None and time.monotonic() < limit_s:
            if not self._reap(os.WNOHANG):
                time.sleep(0.001)
        self.end()
        return self.exit_status or 0

    def close_in_child(self) -> None:
        """In a later sibling: close the inherited ends, so that end-of-file means what it says."""
        if self.exit_status is None:
            self._close()

    def _reap(self, options: int) -> bool:
        """Take the exit status and close the pipes, if the child has ended (or, without WNOHANG, once it has)."""
        try:
            pid, status = os.waitpid(self.pid, options)
        except ChildProcessError:
            self.exit_status = -1
        else:
            if not pid:
                return False
            self.exit_status = os.waitstatus_to_exitcode(status)
        self._close()
        return True

    def _close(self) -> None:
        os.close(self._orders)
        os.close(self.answers)

    def _signal(self, number: int) -> None:
        # Our own unreaped child: the pid cannot have gone to a stranger. Its group, which may hold children of its own.
        if self.exit_status is None:
            try:
                os.killpg(self.pid, number)
            except (ProcessLookupError, PermissionError):  # it leads none where it could not be given one
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self.pid, number)


def _enter_child(parent: int) -> None:
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(OSError):
        os.setpgid(0, 0)
    die_with(parent)
