"""Makes a session of what another tool has measured, by the recorder that writes all sessions."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from latvar_tui import wire, zoo
from latvar_tui.candidate import parse_candidate
from latvar_tui.session.foreign import Foreign, Piece, Wanted
from latvar_tui.session.foreign_log import read_log
from latvar_tui.session.foreign_times import read_profile, read_times
from latvar_tui.session.layout import SessionError
from latvar_tui.session.places import automatic_name, sessions_folder
from latvar_tui.session.recorder import SessionRecorder

_UNKNOWN = "imported: it was not measured by latvar-tui"
_FLUSH_EACH = 200


def import_file(path: Path, name: str | None, wanted: Wanted) -> tuple[Path, list[str]]:
    """Make a session of a file; returns its folder, and what to know of it in sentences.

    ``name``: of the session, among those that ``latvar-tui sessions`` lists; without it, of the time and the file.

    Raises:
        SessionError: the file is not what can be imported, or the session cannot be written; nothing is left behind.
    """
    folder = _new_folder(name)
    foreign = read_foreign(path, wanted)
    folder = folder or sessions_folder() / automatic_name(path.stem, foreign.base_wall_ns)
    options = {"imported": str(path.absolute()), "format": foreign.kind, "unit": wanted.unit}
    recorder = SessionRecorder([parse_candidate(text, 1) for text in foreign.candidates], options, folder)
    done = False
    try:
        for number, frame in enumerate(_frames(path, foreign)):
            recorder.take(frame)
            if number % _FLUSH_EACH == 0:
                _check(recorder, recorder.flush_in_gap())
        _check(recorder, recorder.close("imported"))
        done = True
    except OSError as error:
        raise SessionError(f"'{path}' cannot be read: {(error.strerror or str(error)).lower()}.") from error
    finally:
        if not done:
            recorder.close("imported")
            if recorder.folder is not None:
                shutil.rmtree(recorder.folder, ignore_errors=True)
    if recorder.folder is None:
        raise SessionError(f"'{path}' holds no time, so there is nothing to import.")
    return recorder.folder, foreign.notes


def read_foreign(path: Path, wanted: Wanted) -> Foreign:
    """Open a file of another tool; its pieces are read as they are asked for.

    Raises:
        SessionError: it is none that can be read, or does not hold what is wanted. Reading on may raise it as well.
    """
    try:
        if not path.exists():
            raise SessionError(
                f"There is no file '{path}': name an .hlog, a list of times, or a profile of ONNX Runtime."
            )
        if not path.is_file():
            raise SessionError(f"'{path}' is no file: name an .hlog, a list of times, or a profile of ONNX Runtime.")
        with open(path, "rb") as file:
            head = file.read(1 << 16)
        wall_ns = path.stat().st_mtime_ns
    except OSError as error:
        raise SessionError(f"'{path}' cannot be read: {(error.strerror or str(error)).lower()}.") from error
    if head.lstrip()[:1] in (b"[", b"{"):
        read = read_profile
    elif b"HISTFAAA" in head or re.search(rb'^#\[.*log format|^"StartTimestamp"', head, re.M | re.I):
        read = read_log
    else:
        read = read_times
    return read(path, wanted, wall_ns)


def _check(recorder: SessionRecorder, said: list[str]) -> None:
    """Refuse what a measurement would wait for: a full disk. That a disk is slow does not matter here."""
    if said and recorder.waits:
        raise SessionError(f"The session cannot be written: {said[0]}")


def _new_folder(name: str | None) -> Path | None:
    if name is None:
        return None
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}", name) or name == "last":
        raise SessionError(f"'{name}' can be no session's name: use letters, digits and ._+-, like --as before.")
    try:
        folder = sessions_folder() / name
    except zoo.ZooError as error:
        raise SessionError(str(error)) from error
    if folder.exists():
        raise SessionError(f"There is a session '{name}' already: choose another name with --as.")
    return folder


def _frames(path: Path, foreign: Foreign) -> Iterator[wire.Frame]:
    """What a probe would have sent."""
    yield wire.Hello({"name": f"imported from {path.name}"}, 0, 0, 0, foreign.base_wall_ns)
    yield wire.Note(f"Imported from {path.name} ({foreign.kind}).")
    for note in foreign.notes:
        yield wire.Note(note)
    known: set[str] = set()
    for seq, piece in enumerate(foreign.pieces):
        if piece.candidate not in known:
            known.add(piece.candidate)
            yield wire.State(piece.candidate, "ready")
        yield _slice(seq + 1, piece)


def _slice(seq: int, piece: Piece) -> wire.Slice:
    service = piece.counts.get("service", wire.Counts())
    inferences = sum(count for _, count in service.pairs)
    return wire.Slice(
        seq, piece.candidate, piece.condition, seq, 0, piece.start_ns, piece.start_ns + piece.length_ns, 0, 0,
        inferences, 0, 0, 0, service, piece.counts.get("wait", wire.Counts(unavailable=_UNKNOWN)),
        stress_cpu=wire.Reading(reason=_UNKNOWN), response=piece.counts.get("response"),
    )  # fmt: skip
