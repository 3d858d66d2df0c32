"""Knows how much has been written to the terminal, and whether it has left.

Textual's drivers write on a thread of their own, through a queue; `Driver.flush` does nothing. A
measurement must not go on before the bytes of a frame have left, and a frame must not be added
to a queue that stands still (a stalled SSH line): at 30 entries it would block the event loop.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from contextvars import Context, copy_context
from typing import IO, Any

from textual.driver import Driver

from latvar_tui.tui.patience import PatientEvent


class TrackedFile:
    """Stands between a writer thread and its file, and reports what has passed."""

    def __init__(self, file: IO[str], loop: asyncio.AbstractEventLoop) -> None:
        self._file = file
        self._loop = loop
        self._lock = threading.RLock()  # a signal handler that writes may interrupt one who holds it
        self._queued = 0
        self._written = 0
        self._flushed = 0
        self._frame_ends: deque[int] = deque()
        self._waiting: list[tuple[int, Callable[[], object], Context]] = []
        self._called = 0
        """Callbacks that the event loop has been given, and has not come to."""

    # Called by the side that fills the queue.

    def expect_write(self) -> None:
        """One more write is about to be queued."""
        with self._lock:
            self._queued += 1

    @property
    def backlog(self) -> int:
        """Writes that have been queued and have not left yet."""
        with self._lock:
            return self._queued - self._flushed

    def end_frame(self) -> None:
        """What has been queued last ends a frame."""
        with self._lock:
            self._frame_ends.append(self._queued)

    @property
    def frames_waiting(self) -> int:
        """Frames that have not left completely."""
        with self._lock:
            while self._frame_ends and self._frame_ends[0] <= self._flushed:
                self._frame_ends.popleft()
            return len(self._frame_ends)

    def when_flushed(self, callback: Callable[[], object]) -> None:
        """Call back, in the event loop, once everything queued so far has left: now if it has, in the order asked."""
        with self._lock:
            if self._flushed < self._queued:
                # The context holds Textual's active app, which the writer thread knows nothing of.
                self._waiting.append((self._queued, callback, copy_context()))
                return
            if self._called:
                self._called += 1
                self._loop.call_soon(self._call, callback)
                return
        callback()

    def _call(self, callback: Callable[[], object]) -> None:
        with self._lock:
            self._called -= 1
        callback()

    # Called by the writer thread.

    def write(self, text: str) -> int:
        """Pass text on."""
        try:
            return self._file.write(text)
        finally:
            self._written += 1

    def flush(self) -> None:
        """Pass on a flush. The thread asks for it whenever its queue is empty."""
        try:
            self._file.flush()
        finally:
            with self._lock:
                self._flushed = self._written
                left = [entry for entry in self._waiting if entry[0] <= self._flushed]
                self._waiting = [entry for entry in self._waiting if entry[0] > self._flushed]
                self._called += len(left)
            for _, callback, context in left:
                try:
                    self._loop.call_soon_threadsafe(self._call, callback, context=context)
                except RuntimeError:  # the loop is closed: nobody is waiting any more
                    break

    def fileno(self) -> int:
        """The file's descriptor."""
        return self._file.fileno()


class OutputMeter(Driver):
    """A driver that counts what is written; see `metered`."""

    _file: Any
    fileno: Any = None  # of the keyboard, where the driver reads one

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.bytes_written = 0
        """Bytes handed to the terminal so far, control sequences and all."""
        self.on_restart: Callable[[], object] | None = None
        """Called when the terminal is taken over again, after Ctrl+Z or an editor."""
        self._starts = 0
        self._tracked: TrackedFile | None = None
        if hasattr(self, "_file") and hasattr(self, "_writer_thread"):
            self._tracked = self._file = TrackedFile(self._file, self._loop)
        if hasattr(self, "exit_event") and hasattr(self, "_key_thread") and isinstance(self.fileno, int):
            self.exit_event = PatientEvent(self.fileno)

    def write(self, data: str) -> None:
        """Write data, and count its bytes."""
        self.bytes_written += len(data) if data.isascii() else len(data.encode())
        if self._tracked is not None:
            self._tracked.expect_write()
        super().write(data)  # type: ignore[safe-super]  # `metered` puts a real driver behind us

    def start_application_mode(self) -> None:
        """Take the terminal over."""
        super().start_application_mode()  # type: ignore[safe-super]  # as above
        self._starts += 1
        if self._starts > 1 and self.on_restart is not None:
            # Maybe from a signal handler, of which the event loop would not wake by itself.
            self._loop.call_soon_threadsafe(self.on_restart)

    @property
    def backlog(self) -> int:
        """Writes that have not left yet; 0 where the driver doesn't queue."""
        return 0 if self._tracked is None else self._tracked.backlog

    @property
    def frames_waiting(self) -> int:
        """Frames that have not left completely; 0 where the driver doesn't queue."""
        return 0 if self._tracked is None else self._tracked.frames_waiting

    def end_frame(self) -> None:
        """What was written last ends a frame."""
        if self._tracked is not None:
            self._tracked.end_frame()

    def when_flushed(self, callback: Callable[[], object]) -> None:
        """Call back once everything written so far has left; now if it has, or can't be known."""
        if self._tracked is None:
            callback()
        else:
            self._tracked.when_flushed(callback)


def metered(driver_class: type[Driver]) -> type[Driver]:
    """The same driver with an `OutputMeter` in front of it."""
    if issubclass(driver_class, OutputMeter):
        return driver_class
    return type(f"Metered{driver_class.__name__}", (OutputMeter, driver_class), {})
