"""Reads a session: slice by slice, or what they add up to. Takes nothing in it on trust.

Whatever is damaged or torn is left out with a note; what cannot be a session is refused with a sentence. Memory does
not grow with the length of the session, and a line, a histogram and a compressed stretch are bounded before they are
unpacked.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, TypeVar

from latvar_tui import wire
from latvar_tui.format import plural
from latvar_tui.session import hlog, snapshot
from latvar_tui.session.board_feed import BoardFeed
from latvar_tui.session.growing import is_held, replace_file
from latvar_tui.session.gzip_lines import Lines
from latvar_tui.session.layout import (
    ABOUT,
    BOARD,
    FRAMES,
    GROWING,
    INTERVALS,
    LOGS,
    SessionError,
)
from latvar_tui.session.opened import about_of, object_of, opened, read_small
from latvar_tui.session.slice_text import Glance, Pairs, frame_of, glance_of, lost_note, wants
from latvar_tui.study.board import Board

_MOST_SNAPSHOT_BYTES = 256 << 20
_LONG_S = 5.0
_SILENT_S = 3600.0
"""Of a session without an end: a file system may not tell that it is being recorded."""
_DAMAGE = (wire.WireError, ValueError, TypeError, KeyError, AttributeError, OverflowError, IndexError)

_T = TypeVar("_T")


class Session:
    """A recorded session. ``notes`` say what is wrong with it, and grow as it is read."""

    def __init__(self, folder: Path) -> None:
        """Open one.

        Raises:
            SessionError: it is none, or of a newer version.
        """
        self.folder = folder
        self.notes: list[str] = []
        self.about = about_of(folder)
        self.base_ns: int = self.about["started"]["monotonic_ns"]
        self.base_wall_ns: int = self.about["started"]["wall_ns"]

    @property
    def candidates(self) -> list[str]:
        """The candidates that it began with."""
        return [str(text) for text in self.about["candidates"]]

    @property
    def ended(self) -> Mapping[str, Any] | None:
        """How it ended; None if it did not do so properly, or goes on."""
        ended = self.about.get("ended")
        return ended if isinstance(ended, dict) else None

    # -- frames ---------------------------------------------------------------------------------------------

    def frames(
        self, from_s: float = 0.0, to_s: float | None = None, *, after: Mapping[str, int] | None = None
    ) -> Iterator[wire.Frame]:
        """Every frame, in order; of the slices those that began within [``from_s``, ``to_s``) of the session.

        Args:
            after: how many bytes of each file to pass over; see :mod:`snapshot`.

        Raises:
            SessionError: a file is no file, or expands beyond belief.
        """
        first_ns = self.base_ns + round(from_s * 1e9)
        end_ns = None if to_s is None else self.base_ns + round(to_s * 1e9)

        def frame(body: dict[str, Any], logs: Mapping[str, hlog.Follower]) -> wire.Frame | None:
            if body.get("type") == "lost":
                self._note(lost_note(int(body["slices"])))
                return None
            pairs: dict[str, Pairs] = {}
            if body.get("type") == wire.Slice.TYPE:
                start_ns = body["start_ns"]
                if start_ns < first_ns:
                    return None
                if end_ns is not None and start_ns >= end_ns:
                    raise _Enough  # nothing that follows is earlier
                start = hlog.stamp(start_ns, self.base_ns)
                pairs = {name: logs[name].at(start) for name in wants(body)}
            return frame_of(body, pairs)

        return self._bodies(frame, after or {})

    def glances(self) -> Iterator[Glance]:
        """What pictures over time need of every slice: a fraction of the reading that :meth:`frames` takes.

        Raises:
            SessionError: as :meth:`frames`.
        """

        def glance(body: dict[str, Any], logs: Mapping[str, hlog.Follower]) -> Glance | None:
            return glance_of(body, lambda name, start_ns: logs[name].at(hlog.stamp(start_ns, self.base_ns)))

        return self._bodies(glance, {})

    def _bodies(
        self, made: Callable[[dict[str, Any], Mapping[str, hlog.Follower]], _T | None], starts: Mapping[str, int]
    ) -> Iterator[_T]:
        """What ``made`` makes of each object of the frames and of the logs beside them; None is left out."""
        damaged = 0
        with ExitStack() as stack:
            logs = {
                name: hlog.Follower(opened(stack, self.folder / file, starts.get(file, 0)))
                for name, file in LOGS.items()
            }
            frames = opened(stack, self.folder / FRAMES, starts.get(FRAMES, 0))
            lines = Lines(frames) if frames is not None else None
            for line in lines or ():
                try:
                    found = made(object_of(line), logs)
                except _Enough:
                    break
                except _DAMAGE:
                    damaged += 1
                    continue
                if found is not None:
                    yield found
            if damaged:
                self._note(f"{plural(damaged, 'frame')} of the session cannot be read and {_is(damaged)} left out.")
            if lines is None:
                self._note(f"The session has no {FRAMES}, so there is nothing to show.")
            elif lines.damage:
                self._note(lines.damage)

    # -- what they add up to --------------------------------------------------------------------------------

    def board(
        self, from_s: float = 0.0, to_s: float | None = None, also: Callable[[wire.Slice], None] | None = None
    ) -> Board:
        """What the slices that began within [``from_s``, ``to_s``) of the session add up to.

        ``also`` gets each slice once the board has taken it.

        Raises:
            SessionError: as :meth:`frames`, or what it holds is too much.
        """
        board = self._summed(self.new_feed(), from_s, to_s, None, also)
        if (from_s > 0 or to_s is not None) and not board.conditions:
            board.notes.append(f"No slice began in that part of the session{self._length}.")
        return board

    def shown(
        self,
        show: Callable[[Board], _T],
        from_s: float = 0.0,
        to_s: float | None = None,
        also: Callable[[Glance], None] | None = None,
        *,
        by_snapshot: bool = True,
    ) -> _T:
        """What ``show`` makes of :meth:`board`, by the session's snapshot where that helps.

        A snapshot is a shortcut and no more: whatever stumbles over one, everything is read. ``also`` gets each slice
        as for :meth:`board`.
        """
        if by_snapshot and from_s <= 0 and to_s is None:
            with suppress(snapshot.Unreadable, OSError):
                taken = snapshot.unpacked(read_small(self.folder / BOARD, _MOST_SNAPSHOT_BYTES))
                if all(_size(self.folder / name) >= size for name, size in taken.sizes.items()):
                    notes = list(self.notes)
                    try:
                        found = show(self._summed(self.feed_of(taken.board), 0.0, None, taken.sizes))
                    except SessionError:
                        raise
                    except Exception:
                        self.notes = notes
                    else:
                        for glance in self.glances() if also is not None else ():
                            also(glance)  # type: ignore[misc]
                        return found
        begin_s = time.monotonic()
        glanced = None if also is None else lambda frame: also(Glance.of(frame))
        board = self.board(from_s, to_s, glanced)
        whole = from_s <= 0 and to_s is None and not self.notes
        if whole and (self.ended is not None or self._was_cut_off) and time.monotonic() - begin_s > _LONG_S:
            self._make_snapshot(board)
        return show(board)

    @property
    def _was_cut_off(self) -> bool:
        """Whether nothing more comes. One that grows while it is read would have a snapshot of less than its size."""
        silent_s = time.time() - max(_changed_s(self.folder / name) for name in (ABOUT, INTERVALS, FRAMES))
        return silent_s > _SILENT_S and not is_held(self.folder / INTERVALS)

    def _make_snapshot(self, board: Board) -> None:
        """Spare the next reader what this one took. That it cannot be done is no error."""
        slices = sum(cell.slices for _, _, cell in board.cells())
        with suppress(OSError, snapshot.Unreadable):
            sizes = {name: _size(self.folder / name) for name in GROWING if (self.folder / name).exists()}
            replace_file(self.folder / BOARD, snapshot.packed(snapshot.Snapshot(board, sizes, slices)))

    def new_feed(self) -> BoardFeed:
        """For a board with the candidates that it began with, and nothing measured."""
        feed = self.feed_of(Board([]))
        for text in self.candidates:
            feed.join(text)
        return feed

    def feed_of(self, board: Board) -> BoardFeed:
        """For a board that has taken some of the frames already."""
        return BoardFeed(board, str(self.folder), self._note)

    def _summed(
        self,
        feed: BoardFeed,
        from_s: float,
        to_s: float | None,
        after: Mapping[str, int] | None,
        also: Callable[[wire.Slice], None] | None = None,
    ) -> Board:
        for frame in self.frames(from_s, to_s, after=after):
            if feed.take(frame) and also is not None and isinstance(frame, wire.Slice):
                also(frame)
        return self.finished(feed)

    def finished(self, feed: BoardFeed) -> Board:
        """The board, once every frame has been taken, with the notes on what is wrong with the session."""
        if feed.refused:
            self._note(f"{plural(feed.refused, 'frame')} of the session cannot be and {_is(feed.refused)} left out.")
        board = feed.board
        board.notes.extend(note for note in self.notes if note not in board.notes)
        return board

    @property
    def _length(self) -> str:
        """For a sentence; empty where it is not known."""
        ended_ns = (self.ended or {}).get("monotonic_ns")
        return f", which is {(ended_ns - self.base_ns) / 1e9:.0f} s long" if type(ended_ns) is int else ""

    def _note(self, sentence: str) -> None:
        if sentence not in self.notes and len(self.notes) < 100:
            self.notes.append(sentence)


def _is(number: int) -> str:
    return "is" if number == 1 else "are"


class _Enough(Exception):
    """What follows is not wanted."""


def _changed_s(path: Path) -> float:
    return path.stat().st_mtime if path.exists() else 0.0


def _size(path: Path) -> int:
    return path.stat().st_size
