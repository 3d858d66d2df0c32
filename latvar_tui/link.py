"""The screen's end of a probe: starts it, sends commands, takes frames; and knows when it has died."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import latvar_tui
from latvar_tui import wire
from latvar_tui.device.lifeline import signal_name

LOG_LINES = 500
_LEAVE_S = 1.0
_PIPE_BYTES = 1 << 16
"""Read at once: as much as a pipe holds."""


class LinkLost(Exception):
    """The probe is gone; the message is one sentence."""


class Link:
    """A probe on this device. Never blocks except where a method says so."""

    def __init__(self, *, force: bool = False) -> None:
        """Start the probe. Call from the main thread: the kernel ends it with the thread that forked it."""
        # -P: a random.py in the user's folder is not to run inside the probe.
        command = [sys.executable, "-P", "-m", "latvar_tui.device", "--parent", str(os.getpid())]
        paths = [os.environ.get("PYTHONPATH", ""), str(Path(latvar_tui.__file__).parent.parent)]
        self._process = subprocess.Popen(
            command + (["--force"] if force else []),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))},
            # Its own group: Ctrl-C and Ctrl-Z in the terminal are ours to handle, in our own time.
            process_group=0,
        )
        assert self._process.stdout and self._process.stderr and self._process.stdin
        self._frames_fd = self._process.stdout.fileno()
        self._stderr_fd = self._process.stderr.fileno()
        for fd in (self._frames_fd, self._stderr_fd):
            os.set_blocking(fd, False)
        self._splitter = wire.LineSplitter()
        self._stderr_tail = b""
        self._trouble: str | None = None
        self._pids: dict[str, tuple[int, float | None]] = {}  # of the stressor and of each candidate's runner
        self.log: deque[str] = deque(maxlen=LOG_LINES)
        """What the probe, the runners and ONNX Runtime printed, newest last."""

    @property
    def descriptors(self) -> tuple[int, int]:
        """File descriptors to watch for reading: frames, and the log."""
        return self._frames_fd, self._stderr_fd

    def send(self, command: wire.Command) -> None:
        """Write a command; a probe that has died is noticed when frames are read, not here."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError, ValueError):
            self._process.stdin.write(wire.encode(command))

    def receive(self) -> list[wire.Frame]:
        """The frames that have arrived; empty if none.

        Raises:
            LinkLost: the probe has ended or sent something that is not latvar-tui's.
        """
        frames: list[wire.Frame] = []
        while True:
            if self._trouble is not None:
                if frames:
                    return frames  # what came before it counts; the trouble is raised at the next call
                raise LinkLost(self._trouble)
            try:
                chunk = os.read(self._frames_fd, _PIPE_BYTES)
            except BlockingIOError:
                return frames
            if not chunk:
                if frames:
                    return frames  # the end is found again at the next call
                raise LinkLost(self._epitaph())
            try:
                for line in self._splitter.feed(chunk):
                    frame = wire.decode_frame(line)
                    if frame is not None:
                        self._remember(frame)
                        frames.append(frame)
            except wire.WireError as error:
                self._trouble = str(error)
            if frames and len(chunk) < _PIPE_BYTES and self._trouble is None:
                return frames  # that was all; to ask again takes as long as to read a frame, in the gap

    def wait(self, timeout_s: float | None) -> bool:
        """Block until a frame (or the end) is there to be received; False if the time was up."""
        limit_s = float("inf") if timeout_s is None else time.monotonic() + timeout_s
        watched = {self._frames_fd, self._stderr_fd}
        while self._trouble is None:
            left_s = None if timeout_s is None else max(0.0, limit_s - time.monotonic())
            ready = select.select(watched, [], [], left_s)[0]
            # A full pipe of log lines would stop whoever prints them.
            if self._stderr_fd in ready and not self.read_log():
                watched.discard(self._stderr_fd)
            if self._frames_fd in ready or not ready:
                return bool(ready)
        return True

    def frames(self) -> Iterator[wire.Frame]:
        """Frames as they come, blocking between them.

        Raises:
            LinkLost: as :meth:`receive`.
        """
        while True:
            self.wait(None)
            yield from self.receive()

    def read_log(self) -> bool:
        """Move what was printed on the probe's stderr into :attr:`log`; whether more may come."""
        try:
            while chunk := os.read(self._stderr_fd, 1 << 16):
                *lines, rest = (self._stderr_tail + chunk).split(b"\n")
                self._stderr_tail = rest[-4096:]
                self.log.extend(line.decode(errors="replace").rstrip() for line in lines)
        except BlockingIOError:
            return True
        if self._stderr_tail:
            self.log.append(self._stderr_tail.decode(errors="replace").rstrip())  # last words lack their newline
            self._stderr_tail = b""
        return False

    def close(self) -> None:
        """Say quit, wait a moment, then kill; leaves no process of the probe's behind. Safe to call twice."""
        if self._process.stdin is None or self._process.stdin.closed:
            return
        self.send(wire.Quit())
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(_LEAVE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._end_orphans()
        self.read_log()
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def pids(self) -> set[int]:
        """The probe's children: runners and stressor."""
        return {pid for pid, _ in self._pids.values()}

    def _remember(self, frame: wire.Frame) -> None:
        if isinstance(frame, wire.Hello):
            self._pids[""] = frame.stressor_pid, _started_s(frame.stressor_pid)
        elif isinstance(frame, wire.State) and frame.pid:
            if frame.candidate not in self._pids or self._pids[frame.candidate][0] != frame.pid:
                self._pids[frame.candidate] = frame.pid, _started_s(frame.pid)
        elif isinstance(frame, wire.State) and frame.state != "loading":
            self._pids.pop(frame.candidate, None)

    def _epitaph(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_LEAVE_S)
        status = self._process.returncode
        self._end_orphans()
        self.read_log()
        if status is not None and status < 0:
            return f"The probe was ended by {signal_name(-status)}: what it measured until then is kept."
        last = next((line for line in reversed(self.log) if line.strip()), "")
        detail = f" ({last.strip()[:160]})" if last and status else ""
        return f"The probe ended on its own{detail}: what it measured until then is kept."

    def _end_orphans(self) -> None:
        """End children of a probe that could not do it itself.

        The kernel does this on Linux (parent-death signal). Elsewhere a stopped runner would stay for
        ever. A pid counts as ours only while its process began when ours did, and leads its own group as all of ours
        do, or is in the stressor's as a runner in its slice: no stranger is hit.
        """
        stressor = self._pids.get("", (0, None))[0]
        for pid, started_s in self._pids.values():
            if started_s is not None and _started_s(pid) == started_s:
                with contextlib.suppress(OSError):
                    if os.getpgid(pid) in (pid, stressor):
                        os.kill(pid, signal.SIGKILL)
        if stressor:
            _end_group(stressor)
        self._pids.clear()


def _end_group(leader: int) -> None:
    """End what a dead stressor left of its group in our session: workers of stress-ng that look up seldom."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            _, _, group, session, *_ = path.read_text().rpartition(")")[2].split()
            if int(group) == leader and int(session) == os.getsid(0):
                os.kill(int(path.parent.name), signal.SIGKILL)


def _started_s(pid: int) -> float | None:
    """When a process began (seconds since 1970), or None where that cannot be known."""
    try:
        import psutil

        return float(psutil.Process(pid).create_time())
    except Exception:
        return None  # psutil documents none of what it raises on odd platforms
