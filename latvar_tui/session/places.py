"""Where sessions are kept, and what they are called."""

from __future__ import annotations

import json
import os
import re
import time
from contextlib import suppress
from pathlib import Path

from latvar_tui import zoo
from latvar_tui.format import plural
from latvar_tui.session.layout import ABOUT, MOST_ABOUT_BYTES, SessionError


def sessions_folder() -> Path:
    """The folder that sessions go to without ``--record``; it need not exist. Raises zoo.ZooError without a home."""
    return zoo.data_folder() / "sessions"


def automatic_name(device: str, wall_ns: int) -> str:
    """``20260301T142233Z-bench-board``: sorts by time, whatever the season, and names the device."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", device).strip("-.")[:40] or "device"
    return f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(wall_ns / 1e9))}-{plain}"


def make_folder(wanted: Path) -> Path:
    """Make a folder that holds nothing: ``wanted``, or if something is there already, with a number behind.

    Raises:
        OSError: none can be made.
    """
    wanted.parent.mkdir(parents=True, exist_ok=True)
    for number in range(1, 1000):
        folder = wanted if number == 1 else wanted.with_name(f"{wanted.name}-{number}")
        try:
            folder.mkdir()
            return folder
        except FileExistsError:
            if folder.is_dir() and not any(folder.iterdir()):
                return folder
    raise FileExistsError(17, "there are a thousand of its name", str(wanted))


def check_new(text: str) -> Path:
    """The folder of ``--record``, absolute.

    Raises:
        SessionError: it is not new or empty, or cannot be written to.
    """
    folder = Path(os.path.abspath(text))
    try:
        if folder.is_dir() and any(folder.iterdir()):
            raise SessionError(f"'{text}' is not empty: a session wants a new folder, so name another one.")
        # It is made with the first slice: a run that measures nothing leaves nothing behind.
        there = next(path for path in (folder, *folder.parents) if path.exists())
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise SessionError(f"No session can be recorded in '{text}' ({why}): name another folder.") from error
    if not there.is_dir():
        raise SessionError(f"No session can be recorded in '{text}': '{there}' is no folder, so name another one.")
    if not os.access(there, os.W_OK | os.X_OK):
        raise SessionError(f"No session can be recorded in '{text}': '{there}' may not be written to.")
    return folder


def find_session(text: str) -> Path:
    """The folder of a session: ``last``, ``last~1`` (the one before), a name as ``sessions`` lists it, or a path.

    Raises:
        SessionError: there is none.
    """
    kept = sessions_folder()
    back = re.fullmatch(r"last(?:~(\d{1,6}))?", text)
    if back is not None:
        there, ago = session_folders(kept), int(back[1] or 0)
        if not there:
            raise SessionError(f"Nothing has been recorded in {kept}: measure first, with latvar-tui record.")
        if ago >= len(there):
            raise SessionError(f"There is no session '{text}': {kept} has {plural(len(there), 'session')}.")
        return there[-1 - ago]
    path = Path(text)
    if path.name == ABOUT and path.is_file():
        path = path.parent
    is_name = os.sep not in text and text not in ("", ".", "..")
    if is_name and not (path / ABOUT).is_file() and (kept / text / ABOUT).is_file():
        path = kept / text
    if not path.is_dir():
        raise SessionError(f"There is no session '{text}': latvar-tui sessions lists those there are.")
    if not (path / ABOUT).is_file():
        raise SessionError(f"'{text}' is no session: it has no {ABOUT}.")
    return path


def session_folders(folder: Path) -> list[Path]:
    """What is a session in there, in the order of their beginnings; links are none."""
    try:
        found = [Path(entry) for entry in os.scandir(folder) if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []
    # Not by name: a session that was imported, or recorded there with --record, has a name of its user's.
    return sorted((path for path in found if (path / ABOUT).is_file()), key=lambda path: (_begun_ns(path), path.name))


def _begun_ns(folder: Path) -> int:
    """When a session began, since 1970; of one that does not tell, when it was last written to."""
    about = folder / ABOUT
    with suppress(OSError, ValueError, LookupError, TypeError, RecursionError):
        if about.stat().st_size <= MOST_ABOUT_BYTES:
            wall_ns = json.loads(about.read_bytes())["started"]["wall_ns"]
            if type(wall_ns) is int:
                return wall_ns
    with suppress(OSError):
        return about.stat().st_mtime_ns
    return 0
