"""Each candidate's p50 when this device was last idle: what the picker shows before anything is measured."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from latvar_tui import zoo
from latvar_tui.candidate import Candidate
from latvar_tui.condition import IDLE
from latvar_tui.study.board import Board
from latvar_tui.study.quantiles import is_provisional
from latvar_tui.user_document import UserDocument
from latvar_tui.zoo.identity import identity_of

_FORMAT = 1
MOST_CANDIDATES = 500
"""Kept for a device; the ones measured longest ago go first."""


_DOCUMENT = UserDocument(zoo.cache_folder, "last_p50.json")


def _device(device: Mapping[str, object]) -> str:
    """Numbers of another device, or of another runtime on this one, say nothing here."""
    return " | ".join(str(device.get(name)) for name in ("name", "cpu", "cores", "onnxruntime"))


def _key(candidate: Candidate) -> str:
    return str(candidate.changed(label=""))


def _read() -> dict[str, Any]:
    found = _DOCUMENT.read()
    if found.get("format") == _FORMAT and isinstance(found.get("devices"), dict):
        return found
    return {"format": _FORMAT, "devices": {}}


class LastP50:
    """What is known of one device: measured by now, else remembered. Times in ms."""

    def __init__(self, board: Board) -> None:
        """``board`` tells the device, and has what is measured now."""
        known = _read()["devices"].get(_device(board.device))
        self._known = (known if isinstance(known, dict) else {}) | _measured(board)
        self._looked_up: dict[str, float | None] = {}

    def p50_ms(self, candidate: Candidate) -> float | None:
        """Its p50 when last measured idle; None if it has not been, or its files have changed since."""
        key = _key(candidate)
        if key not in self._looked_up:  # a list of models is drawn at every key, and files need not be looked at again
            self._looked_up[key] = self._look_up(key, candidate)
        return self._looked_up[key]

    def _look_up(self, key: str, candidate: Candidate) -> float | None:
        with suppress(TypeError, KeyError, ValueError, zoo.ZooError):
            known = self._known[key]
            found = zoo.find(candidate.model, candidate.precision)
            if known["identity"] == identity_of(found, candidate.values_file):
                return float(known["p50_ms"])
        return None


def _measured(board: Board) -> dict[str, dict[str, Any]]:
    """The p50s of this session, where they rest on enough observations."""
    found = {}
    for contender, condition, cell in board.cells():
        if condition == IDLE and cell.service.total and not is_provisional(cell.service, 50.0):
            p50_ns = cell.service.quantile_ns(50.0)
            assert p50_ns is not None
            found[_key(contender.candidate)] = {
                "p50_ms": p50_ns / 1e6,
                "at_s": round(time.time()),
                "identity": board.identity(contender),
            }
    return found


def remember(board: Board) -> None:
    """Keep the p50 of every candidate that was measured idle, where it rests on enough observations."""
    measured = _measured(board)
    if not measured or not board.device:
        return
    document = _read()
    known = document["devices"].get(_device(board.device))
    known = (known if isinstance(known, dict) else {}) | measured
    newest = sorted(known, key=lambda name: _at_s(known[name]))[-MOST_CANDIDATES:]
    document["devices"][_device(board.device)] = {name: known[name] for name in newest}
    _DOCUMENT.write(document)


def _at_s(entry: object) -> float:
    with suppress(TypeError, KeyError, ValueError):
        return float(entry["at_s"])  # type: ignore[index]
    return 0.0
