"""Files that the user asks for from the screen: exports and pictures, beside the session or in the current folder."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from latvar_tui.session.export import exported_board
from latvar_tui.session.growing import in_words
from latvar_tui.session.layout import SessionError
from latvar_tui.study.board import Board

_MOST = 1000


def export_beside(board: Board, folder: Path | None, form: str) -> Path:
    """Write every cell of the board, in one of :data:`export.FORMATS`; returns the file.

    Raises:
        SessionError: nothing has been counted, or it cannot be written.
    """
    if not any(cell.service.total for _, _, cell in board.cells()):
        raise SessionError("Nothing has been counted yet, so there is nothing to export.")
    pieces = exported_board(board, str(folder) if folder is not None else "", form)
    return _written(_stem(board, folder), [(form, pieces)])[0]


def picture_beside(board: Board, folder: Path | None, svg: str, text: str) -> list[Path]:
    """Write a picture of the screen, as SVG and as text; returns both files.

    Raises:
        SessionError: they cannot be written.
    """
    return _written(_stem(board, folder), [("svg", [svg]), ("txt", [text])])


def _stem(board: Board, folder: Path | None) -> Path:
    """``SESSION-at-1m23s`` beside a session that is kept, or ``latvar-tui-TIME`` in the current folder."""
    hello = board.hello
    if folder is not None:
        elapsed_ns = max(0, board.now_ns - hello.monotonic_ns) if hello is not None else 0
        minutes, seconds = divmod(elapsed_ns // 1_000_000_000, 60)
        folder = folder.absolute()
        return folder.with_name(f"{folder.name}-at-{minutes}m{seconds:02}s")
    wall_s = time.time()
    if hello is not None and board.now_ns:
        wall_s = (hello.wall_ns + board.now_ns - hello.monotonic_ns) / 1e9
    return Path(f"latvar-tui-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(wall_s))}").absolute()


def _written(stem: Path, contents: Sequence[tuple[str, Iterable[str | bytes]]]) -> list[Path]:
    """Write each under the stem, with a number behind it where there is one of that name; all of them or none."""
    for number in range(1, _MOST):
        name = stem.name if number == 1 else f"{stem.name}-{number}"
        paths = [stem.with_name(f"{name}.{ending}") for ending, _ in contents]
        if not any(path.exists() for path in paths):
            break
    made: list[Path] = []
    try:
        for path, (_, pieces) in zip(paths, contents, strict=True):
            # A path that is no text may be in it.
            with open(path, "xb") as file:
                made.append(path)
                file.writelines(
                    piece.encode(errors="backslashreplace") if isinstance(piece, str) else piece for piece in pieces
                )
    except OSError as error:
        for path in made:
            with suppress(OSError):
                path.unlink()
        raise SessionError(f"Not saved in '{stem.parent}': {in_words(error)}.") from error
    return paths
