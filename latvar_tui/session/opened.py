"""A session's files, opened with care: no pipe is waited for, nothing is larger or deeper than can be believed."""

from __future__ import annotations

import json
import os
import stat
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO

from latvar_tui.session.layout import ABOUT, MOST_ABOUT_BYTES, SessionError, schema_problem


def object_of(line: bytes) -> dict[str, Any]:
    """A JSON object. Raises ValueError: it is none."""
    try:
        body = json.loads(line, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("brackets without end") from None
    if not isinstance(body, dict):
        raise ValueError("no object")
    return body


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number")


def about_of(folder: Path) -> dict[str, Any]:
    """What a session says of itself: when it began, and its candidates, are there.

    Raises:
        SessionError: it is none, or of a newer version.
    """
    try:
        about = object_of(read_small(folder / ABOUT, MOST_ABOUT_BYTES))
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise SessionError(f"'{folder}' is no session that can be read: {ABOUT}: {why}.") from error
    except (ValueError, RecursionError) as error:
        raise SessionError(f"'{folder}' cannot be read as a session: its {ABOUT} is damaged.") from error
    problem = schema_problem(about.get("schema"))
    if problem:
        raise SessionError(f"The session '{folder}' cannot be read: {problem}.")
    started, candidates = about.get("started"), about.get("candidates")
    times = [started.get(name) for name in ("monotonic_ns", "wall_ns")] if isinstance(started, dict) else [None]
    if not isinstance(candidates, list) or not all(type(ns) is int and 0 <= ns < 1 << 63 for ns in times):
        raise SessionError(f"The session '{folder}' cannot be read: its {ABOUT} lacks what it began with.")
    return about


def read_small(path: Path, most_bytes: int) -> bytes:
    """A file as a whole. Raises OSError, SessionError, and ValueError: it is larger."""
    with ExitStack() as stack:
        file = opened(stack, path, 0)
        if file is None:
            raise FileNotFoundError(2, "there is none")
        data = file.read(most_bytes + 1)
    if len(data) > most_bytes:
        raise ValueError(f"more than {most_bytes} bytes")
    return data


def opened(stack: ExitStack, path: Path, at: int) -> BinaryIO | None:
    """A file from there on, None if there is none.

    Raises:
        SessionError: it is no file: reading from a pipe or a device might never end.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SessionError(f"'{path}' cannot be read: {(error.strerror or str(error)).lower()}.") from error
    file = stack.enter_context(os.fdopen(fd, "rb", buffering=1 << 18))
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        raise SessionError(f"'{path}' is no file, so the session cannot be read.")
    file.seek(at)
    return file
