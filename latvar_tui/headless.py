"""Measuring without a screen: ``record``, and ``live --plain``. Prints in the gaps only."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from latvar_tui import wire
from latvar_tui.columns import text_table
from latvar_tui.link import LinkLost
from latvar_tui.session.recorder import Recorder
from latvar_tui.study.board import Board
from latvar_tui.study.table import table


class Refused(Exception):
    """The input cannot be used; the message is one sentence."""


class Probe(Protocol):
    """What is measured with: :class:`latvar_tui.link.Link`, say."""

    def send(self, command: wire.Command) -> None: ...
    def frames(self) -> Iterator[wire.Frame]: ...


class Reporter(Protocol):
    """Is told of every slice, while nothing is measured."""

    def sliced(self, board: Board, frame: wire.Slice, elapsed_s: float) -> None: ...


Course = Callable[[wire.Frame, float], Sequence[wire.Command] | None]
"""Says after each frame, and so many seconds of measuring, what is to change from here on; None: it is over."""


def for_duration(duration_s: float | None) -> Course:
    """Change nothing, until ``duration_s`` of measuring have passed; None: until interrupted."""

    def course(frame: wire.Frame, elapsed_s: float) -> Sequence[wire.Command] | None:
        del frame
        return () if duration_s is None or elapsed_s < duration_s else None

    return course


def measure(link: Probe, board: Board, course: Course, reporter: Reporter, recorder: Recorder) -> None:
    """Let board and recorder take frames until the course is over.

    Raises:
        Refused: a candidate or an option cannot be used.
        LinkLost: the probe has died or every candidate has failed; the board keeps what was measured.
    """
    recorder.follow(board)
    link.send(wire.Go(0))
    elapsed_ns = 0
    with _held_while_stopped(link):
        for frame in link.frames():
            board.take(frame)
            recorder.take(frame)
            refuse(frame, board)
            if isinstance(frame, wire.State) and frame.ask:
                link.send(wire.Drawn(frame.ask))
            if isinstance(frame, wire.Slice):
                # Slices and gaps alone: time in which everything was held is not measured.
                elapsed_ns += frame.gap_ns + frame.end_ns - frame.start_ns
                reporter.sliced(board, frame, elapsed_ns / 1e9)
                for sentence in recorder.flush_in_gap():
                    note = wire.Note(sentence)
                    board.take(note)
                    recorder.take(note)
            changes = course(frame, elapsed_ns / 1e9)
            if changes is None:
                return
            for command in changes:
                link.send(command)
            if isinstance(frame, wire.Slice):
                link.send(wire.Go(frame.seq))


def refuse(frame: wire.Frame, board: Board) -> None:
    """Turn a frame that ends the run into the error it stands for.

    Raises:
        Refused, LinkLost: as :func:`measure`.
    """
    if isinstance(frame, wire.State) and frame.state == "refused":
        raise Refused(frame.reason)
    if isinstance(frame, wire.Failure):
        if frame.usage:
            raise Refused(frame.text)
        reasons = [f"{c.name}: {c.reason}" for c in board.contenders if c.reason]
        raise LinkLost(" ".join([frame.text, *reasons]))


class ProgressLine:
    """One line on stderr: a bar, or nothing where stderr is no terminal."""

    def __init__(self, duration_s: float) -> None:
        self._duration_s = duration_s
        # No refresh thread: it would draw in the middle of a slice.
        console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TimeElapsedColumn(),
            console=console,
            auto_refresh=False,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task("loading", total=duration_s)

    def __enter__(self) -> ProgressLine:
        self._progress.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._progress.stop()

    def sliced(self, board: Board, frame: wire.Slice, elapsed_s: float) -> None:
        measured = sum(cell.service.total for _, _, cell in board.cells())
        self._progress.update(
            self._task,
            completed=min(elapsed_s, self._duration_s),
            description=f"{frame.condition}  {measured} inferences",
            refresh=True,
        )


class PlainRounds:
    """A line a candidate a round, for logs and screen readers."""

    def __init__(self, ranked_by: float, write: Callable[[str], None], deadline_ns: int | None = None) -> None:
        self._ranked_by, self._deadline_ns = ranked_by, deadline_ns
        self._write = write
        self._seen: set[str] = set()
        self._headed = False
        self._width = 14

    def sliced(self, board: Board, frame: wire.Slice, elapsed_s: float) -> None:
        if frame.candidate in self._seen:
            self._seen.clear()
        self._seen.add(frame.candidate)
        running = {contender.id for contender in board.contenders if contender.has_turns}
        if not running <= self._seen:
            return
        self._seen.clear()
        rows = table(board, board.condition, self._ranked_by, deadline_ns=self._deadline_ns)
        lines = text_table(rows, self._ranked_by, deadline_ns=self._deadline_ns)
        self._width = max(self._width, len(str(board.condition)))
        if not self._headed:
            self._write(f"{'':7}  {'':{self._width}}  {lines[0]}")
            self._headed = True
        for line in lines[1:]:
            self._write(f"{elapsed_s:6.1f}s  {board.condition!s:{self._width}}  {line}")


@contextlib.contextmanager
def _held_while_stopped(link: Probe) -> Iterator[None]:
    """Ctrl-Z freezes the measurement too; ``fg`` resumes it."""

    def stop(number: int, frame: object) -> None:
        del number, frame
        link.send(wire.Hold())
        os.kill(os.getpid(), signal.SIGSTOP)
        link.send(wire.Resume())

    before = signal.signal(signal.SIGTSTP, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTSTP, before)
