"""Records a session as it happens: fed with the frames that the board takes, it writes in the gaps.

recorder.follow(board)                     which takes the same frames
recorder.take(frame)                       at once, and does nothing yet
for sentence in recorder.flush_in_gap():   after drawing, before ``go``
    ...                                    what the user should know
"""

from __future__ import annotations

import json
import os
import signal
import time
import zlib
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

from latvar_tui import __version__, wire, zoo
from latvar_tui.candidate import Candidate
from latvar_tui.session import hlog, places, snapshot
from latvar_tui.session.growing import GrowingFiles, replace_file
from latvar_tui.session.layout import ABOUT, BOARD, FRAMES, LOGS, SCHEMA
from latvar_tui.session.slice_text import body_of, lost_note
from latvar_tui.session.snapshot import Snapshot
from latvar_tui.session.whole_board import WholeBoard
from latvar_tui.study.board import Board

SNAPSHOT_S = 300.0
"""So much has to be read slice by slice at most when a session is opened."""

_SLOW_SYNC_S = 5.0
_TITLES = {"service": "service times", "wait": "waits for a core", "response": "response times"}


class Recorder(Protocol):
    """What whoever takes frames needs of a recorder."""

    @property
    def state(self) -> str:
        """In two or three words, for the screen's first line."""

    @property
    def folder(self) -> Path | None:
        """Where the session is; None as long as there is none."""

    @property
    def is_on(self) -> bool: ...
    def follow(self, board: Board) -> None: ...
    def part(self) -> None: ...
    def take(self, frame: wire.Frame) -> None: ...
    def flush_in_gap(self) -> list[str]: ...
    def switch(self) -> str: ...
    def close(self, why: str) -> list[str]: ...


class NotRecording:
    """``--no-record``."""

    state = "not recorded"
    folder: Path | None = None
    is_on = False

    def follow(self, board: Board) -> None:
        """Nothing is needed of it."""

    def part(self) -> None:
        """Nothing was needed of it."""

    def take(self, frame: wire.Frame) -> None:
        """Nothing is kept."""

    def flush_in_gap(self) -> list[str]:
        """Nothing is written."""
        return []

    def switch(self) -> str:
        """Recording cannot begin in the middle."""
        return "This run was started with --no-record."

    def close(self, why: str) -> list[str]:
        """Nothing was open."""
        return []


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Let signals wait: one that raises between a write and the note of it would leave a hole in a file."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class SessionRecorder:
    """One session in one folder, made with the first slice: a run that measures nothing leaves nothing behind."""

    def __init__(
        self, candidates: Sequence[Candidate], options: Mapping[str, object], folder: Path | None = None
    ) -> None:
        """``options`` are the command's, as JSON carries them; without ``folder`` place and name are automatic."""
        self._wanted = folder
        self._about: dict[str, object] = {
            "schema": SCHEMA,
            "latvar_tui": __version__,
            "candidates": [str(candidate) for candidate in candidates],
            "options": dict(options),
        }
        self._whole = WholeBoard(candidates)
        self._hello: wire.Hello | None = None
        self._states: dict[str, wire.State] = {}
        self._notes: deque[wire.Note] = deque(maxlen=200)
        self._taken: list[wire.Frame] = []
        self._files = GrowingFiles(self._make_folder)
        self._tags = hlog.Tags()
        self._compressor: Any = None
        self._slices = self._lost = self._lost_told = 0
        self._begin_ns = self._end_ns = 0
        self._snapshot_s = time.monotonic()
        self._told: str | None = None
        self._told_slow = False
        self.is_on = True

    # -- being fed ------------------------------------------------------------------------------------------

    def follow(self, board: Board) -> None:
        """Take ``board`` for what has been measured: its owner lets it take every frame that is taken here."""
        self._whole.follow(board)

    def part(self) -> None:
        """The board that is followed is about to lose something that the session keeps."""
        self._whole.part(len(self._taken))

    @property
    def folder(self) -> Path | None:
        return self._files.folder

    @property
    def state(self) -> str:
        if not self.is_on:
            return "recording off"
        if self._files.trouble is not None:
            return "● rec waits"
        return "● rec" if self.folder is None else f"● rec {self.folder.name}"

    @property
    def waits(self) -> bool:
        """Whether something cannot be written for now."""
        return self._files.trouble is not None

    def take(self, frame: wire.Frame) -> None:
        """Keep a frame until :meth:`flush_in_gap`. Slices that come while recording is switched off are not kept."""
        if isinstance(frame, wire.Slice):
            self._files.begin_sync()  # of those before: a gap has begun, and there is something else to do in it
        if self.is_on or not isinstance(frame, wire.Slice):
            self._taken.append(frame)

    def switch(self) -> str:
        """Recording on or off; returns what is so now, in a sentence."""
        self.part()  # what comes while it is off is on the board that is followed
        self.is_on = not self.is_on
        return "Recording goes on." if self.is_on else "Recording is off until r: what is measured now is not kept."

    def flush_in_gap(self) -> list[str]:
        """Write what was taken. Returns sentences for the user: mostly none. Never raises for the disk's sake."""
        with _undisturbed():
            taken, self._taken = self._taken, []
            for frame in taken:
                self._keep(frame)
            if self._compressor is not None:
                if not self._files.write():
                    self._begin_anew()
                elif time.monotonic() - self._snapshot_s >= SNAPSHOT_S:
                    self._snapshot()
        return self._news()

    def close(self, why: str) -> list[str]:
        """Write the rest, and that the session has ended properly, and ``why``. Safe to call twice."""
        if self._compressor is None and not self._taken:
            return []
        self._files.retry_now()
        said = self.flush_in_gap()
        self._snapshot()
        with suppress(OSError):
            if self.folder is not None:
                ended = {
                    "wall_ns": self._wall_ns(self._end_ns),
                    "monotonic_ns": self._end_ns,
                    "slices": self._slices,
                    "not_recorded_slices": self._lost,
                    "why": why,
                }
                replace_file(self.folder / ABOUT, self._about | {"ended": ended}, sync=True)
        if self._files.trouble is not None:
            said.append(f"The end of the session is not recorded: {self._files.trouble}.")
        self._files.close()
        self._compressor = None
        return said

    # -- inside ---------------------------------------------------------------------------------------------

    def _keep(self, frame: wire.Frame) -> None:
        """Let the files grow by one frame; or count it as lost, if memory for it has run out."""
        match frame:
            case wire.Hello():
                self._hello = self._hello or frame
            case wire.State():
                self._states[frame.candidate] = frame
            case wire.Slice():
                if self._hello is None:
                    self._whole.leave_out()
                    return  # no probe begins so
                if not self._files.has_room:
                    self._lost += 1
                    self._whole.leave_out()
                    return
                if self._compressor is None:
                    self._begin(frame)
                if self._lost > self._lost_told:
                    self._write_line({"type": "lost", "slices": self._lost - self._lost_told})
                    self._whole.note(lost_note(self._lost - self._lost_told))
                    self._lost_told = self._lost
                self._slices += 1
                self._end_ns = frame.end_ns
            case wire.Note() if self._compressor is None:
                self._notes.append(frame)
        self._whole.take(frame)
        if self._compressor is not None:
            self._append(frame)

    def _begin(self, first: wire.Slice) -> None:
        """The files' beginnings, with what was known before their first slice."""
        self._compressor = zlib.compressobj(wbits=31)
        assert self._hello is not None
        self._begin_ns = first.start_ns
        known: list[wire.Frame] = [self._hello, *self._states.values(), *self._notes]
        for frame in known:
            self._append(frame)

    def _begin_anew(self) -> None:
        """Somebody has removed the files: go on with new ones, from here on."""
        self._compressor, self._slices = None, 0
        self._whole.begin_anew()

    def _append(self, frame: wire.Frame) -> None:
        body, logged = body_of(frame)
        if isinstance(frame, wire.Slice):
            assert self._hello is not None
            tag = self._tags.of(frame.candidate, frame.condition)
            start = hlog.stamp(frame.start_ns, self._hello.monotonic_ns)
            for name, pairs in logged.items():
                counts: wire.Counts = getattr(frame, name)
                line = hlog.line(tag, start, frame.end_ns - frame.start_ns, counts.max_ns, pairs)
                if not self._files.has(LOGS[name]):
                    line = hlog.header(self._hello.wall_ns, _TITLES[name]) + line
                self._files.append(LOGS[name], line)
        # The logs first: a kill in between leaves histograms without their frame, never a frame without its own.
        self._write_line(body)

    def _write_line(self, body: Mapping[str, object]) -> None:
        text = json.dumps(body, separators=(",", ":"), allow_nan=False, default=vars)
        self._files.append(FRAMES, self._compressor.compress(text.encode() + b"\n"))
        self._files.append(FRAMES, self._compressor.flush(zlib.Z_SYNC_FLUSH))

    def _make_folder(self) -> Path:
        assert self._hello is not None
        name = places.automatic_name(str(self._hello.device.get("name") or ""), self._wall_ns(self._begin_ns))
        try:
            folder = places.make_folder(self._wanted or places.sessions_folder() / name)
        except zoo.ZooError as error:
            raise OSError(str(error)) from error
        self._about |= {
            "device": dict(self._hello.device),
            "started": {"wall_ns": self._hello.wall_ns, "monotonic_ns": self._hello.monotonic_ns},
            "pid": os.getpid(),
        }
        replace_file(folder / ABOUT, self._about, sync=True)
        return folder

    def _wall_ns(self, monotonic_ns: int) -> int:
        return 0 if self._hello is None else self._hello.wall_ns + monotonic_ns - self._hello.monotonic_ns

    def _snapshot(self) -> None:
        """Spare whoever opens the session most of the reading. A member of its own begins behind it."""
        self._snapshot_s = time.monotonic()
        if self._compressor is None or self._files.trouble is not None or self.folder is None:
            return
        self._files.append(FRAMES, self._compressor.flush(zlib.Z_FINISH))
        self._compressor = zlib.compressobj(wbits=31)
        self._files.write()
        sizes, board = self._files.sizes, self._whole.board
        with suppress(OSError, snapshot.Unreadable):
            if sizes is not None and board is not None:
                replace_file(self.folder / BOARD, snapshot.packed(Snapshot(board, sizes, self._slices)))

    def _news(self) -> list[str]:
        """What has changed for the user since the last time, each thing once."""
        said = []
        trouble = self._files.trouble
        if trouble is not None and self._told is None:
            said.append(f"Not recorded for now: {trouble}. Measuring goes on, and what fits in memory is kept.")
        elif trouble is None and self._told is not None:
            lost = f"; {self._lost} slices are lost" if self._lost else ""
            said.append(f"Recorded again, in {self.folder}{lost}.")
        self._told = trouble
        if self._files.sync_s > _SLOW_SYNC_S and not self._told_slow:
            self._told_slow = True
            said.append(
                f"The disk takes {1000 * self._files.sync_took_s:.0f} ms to confirm a write:"
                f" a power cut costs up to {self._files.sync_s:.0f} s."
            )
        return said
