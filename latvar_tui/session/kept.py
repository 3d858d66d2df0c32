"""All sessions that are kept: what each is, and which to let go. Cheap: no slice is read."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from latvar_tui.candidate import UsageError, parse_candidate, short_names
from latvar_tui.format import printable, size
from latvar_tui.session.growing import is_held
from latvar_tui.session.layout import FRAMES, INTERVALS, SessionError
from latvar_tui.session.places import session_folders
from latvar_tui.session.reader import Session

ENDED, CUT_OFF, RECORDING, UNREADABLE = "ended", "cut off", "recording", "unreadable"


@dataclass(frozen=True)
class Kept:
    """One session. ``state`` is one of the above; ``problem`` says in a sentence why it is unreadable.

    ``length_s`` is from its beginning to its last slice; of one that was cut off, to the last writing.
    """

    folder: Path
    nbytes: int
    state: str
    problem: str = ""
    begun_s: float | None = None
    length_s: float | None = None
    candidates: tuple[str, ...] = ()
    device: str | None = None

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def last_used_s(self) -> float:
        """When it ended, seconds since 1970; of one that cannot be read, when it was last written to."""
        if self.begun_s is not None and self.length_s is not None:
            return self.begun_s + self.length_s
        return self.folder.stat().st_mtime


def kept_sessions(folder: Path) -> list[Kept]:
    """Every session in a folder, the oldest first."""
    return [look_at(path) for path in session_folders(folder)]


def look_at(path: Path) -> Kept:
    """What a session is, without reading what was measured."""
    nbytes = 0
    with suppress(OSError):
        nbytes = sum(entry.stat(follow_symlinks=False).st_size for entry in os.scandir(path))
    try:
        session = Session(path)
    except SessionError as error:
        return Kept(path, nbytes, UNREADABLE, str(error))
    state = RECORDING if is_held(path / INTERVALS) else ENDED if session.ended is not None else CUT_OFF
    begun_s = session.base_wall_ns / 1e9
    length_s = None
    ended_ns = (session.ended or {}).get("monotonic_ns")
    if type(ended_ns) is int and session.base_ns <= ended_ns < 1 << 63:
        length_s = (ended_ns - session.base_ns) / 1e9
    else:
        with suppress(OSError):
            length_s = max(0.0, (path / FRAMES).stat().st_mtime - begun_s)
    device = session.about.get("device")
    name = device.get("name") if isinstance(device, dict) else None
    candidates = tuple(session.candidates[:100])
    return Kept(path, nbytes, state, "", begun_s, length_s, candidates, name if isinstance(name, str) else None)


# -- letting go ---------------------------------------------------------------------------------------------


def to_prune(sessions: Sequence[Kept], keep: int | None, older_than_s: float | None) -> list[Kept]:
    """Which to remove: all but the newest ``keep``, and all that ended ``older_than_s`` ago; none that is recorded."""
    now_s = time.time()
    surplus = sessions if keep is None else sessions[: max(0, len(sessions) - keep)]
    return [
        one
        for one in surplus
        if one.state != RECORDING and (older_than_s is None or now_s - one.last_used_s > older_than_s)
    ]


def remove(kept: Kept) -> None:
    """Remove a session's folder. Raises OSError."""
    shutil.rmtree(kept.folder)


# -- as text ------------------------------------------------------------------------------------------------


def table_lines(sessions: Sequence[Kept]) -> list[str]:
    """A line each: name, size, length, how it ended, candidates."""
    width = max([len("session"), *(len(printable(one.name)) for one in sessions)])
    lines = [f"{'session'.ljust(width)}{'size':>10}{'length':>10}  {'state':<11}candidates"]
    for one in sessions:
        told = one.problem if one.state == UNREADABLE else ", ".join(_names(one.candidates))
        lines.append(
            printable(
                f"{one.name.ljust(width)}{size(one.nbytes):>10}{_length(one.length_s):>10}  {one.state:<11}{told}"
            )
        )
    return lines


def as_json(one: Kept) -> dict[str, Any]:
    """The same, for programs."""
    return {
        "session": one.name,
        "path": str(one.folder),
        "size_bytes": one.nbytes,
        "state": one.state,
        "problem": one.problem or None,
        "begun_s": one.begun_s,
        "length_s": one.length_s,
        "device": one.device,
        "candidates": list(one.candidates),
    }


def _names(candidates: Sequence[str]) -> list[str]:
    try:
        return short_names([parse_candidate(text, 1) for text in candidates])
    except UsageError:
        return list(candidates)


def _length(length_s: float | None) -> str:
    if length_s is None:
        return "–"
    hours, rest = divmod(round(length_s), 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{hours} h {minutes:02} m" if hours else f"{minutes} m {seconds:02} s" if minutes else f"{seconds} s"
