"""Sessions for tests: recorded from scripted frames."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from latvar_tui import wire
from latvar_tui.session.recorder import SessionRecorder
from latvar_tui.study.board import Board
from latvar_tui.summary import summary
from tests.scripted_link import line_up, session

CANDIDATES = ["mobilenet_v2", "squeezenet1_1"]
CONDITIONS = ["0xcpu@100%", "2xcpu@100%,pin=0,2,rate=60"]


@cache
def _some_frames() -> tuple[wire.Frame, ...]:
    return tuple(session(CANDIDATES, CONDITIONS))


def some_frames() -> list[wire.Frame]:
    return list(_some_frames())


def recorder_of(folder: Path | None, candidates: Sequence[str] = CANDIDATES) -> SessionRecorder:
    return SessionRecorder(line_up(candidates), {"slice_ms": 250.0, "quantile": 99.0}, folder)


def recorded(folder: Path, frames: Iterable[wire.Frame], candidates: Sequence[str] = CANDIDATES) -> Path:
    """Record frames, a gap after each, and end properly."""
    recorder = recorder_of(folder, candidates)
    for frame in frames:
        recorder.take(frame)
        assert recorder.flush_in_gap() == []
    recorder.close("done")
    assert recorder.folder is not None
    return recorder.folder


def lines_of(frames: Iterable[wire.Frame]) -> list[bytes]:
    """As they travel: what is equal here is equal in everything."""
    return [wire.encode(frame) for frame in frames]


def slices_of(frames: Iterable[wire.Frame]) -> list[bytes]:
    return lines_of(frame for frame in frames if isinstance(frame, wire.Slice))


def numbers(board: Board) -> Any:
    """What is concluded from a board, without its notes."""
    document = summary(board)
    return json.loads(json.dumps({name: document[name] for name in ("cells", "device", "candidates")}))
