"""What a report tells of one session, read in one pass: memory does not grow with the session's length."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from latvar_tui.condition import Condition
from latvar_tui.session.reader import Session
from latvar_tui.session.report.density import Density
from latvar_tui.session.shown import Chosen, document
from latvar_tui.session.slice_text import Glance
from latvar_tui.study.board import Board, Contender

MOST_PICTURED = 32
"""So many candidates, and so many conditions, have pictures; tables have them all."""


@dataclass(frozen=True)
class Content:
    """A session, its board, the JSON document that ``show`` prints of it, and each candidate's latencies over time."""

    session: Session
    board: Board
    document: Mapping[str, Any]
    densities: Mapping[str, Density]

    @property
    def quantile(self) -> float:
        """The one that was ranked by, percent."""
        return float(self.document["run"]["quantile"])

    @property
    def deadline_ns(self) -> int | None:
        """How long an inference might take, if that was said."""
        deadline_ms = self.document["run"]["deadline_ms"]
        return None if deadline_ms is None else round(deadline_ms * 1e6)

    @property
    def device(self) -> str:
        """Its name."""
        name = self.board.device.get("name")
        return name if isinstance(name, str) and name else "unnamed device"

    @property
    def began(self) -> datetime:
        """When, by the device's clock, UTC."""
        return datetime.fromtimestamp(self.session.base_wall_ns / 1e9, UTC)

    @property
    def length_s(self) -> float:
        """From its beginning to the end of its last slice."""
        return max(0.0, (self.board.now_ns - self.session.base_ns) / 1e9)

    @property
    def pictured(self) -> list[Contender]:
        """The candidates that have been measured, as many as there are pictures of."""
        measured = {contender.id for contender, _, cell in self.board.cells() if cell.latency.total}
        return [one for one in self.board.contenders if one.id in measured][:MOST_PICTURED]

    @property
    def conditions(self) -> list[Condition]:
        """Likewise."""
        return self.board.conditions[:MOST_PICTURED]


def read(session: Session, by_snapshot: bool = True) -> Content:
    """Read a session.

    ``by_snapshot``: a shortcut is taken where there is one. A forged one may make whatever uses its board stumble.

    Raises:
        SessionError: it cannot be read.
    """
    densities: dict[str, Density] = {}

    def add(frame: Glance) -> None:
        if frame.candidate not in densities and len(densities) < MOST_PICTURED:
            densities[frame.candidate] = Density(session.base_ns)
        if frame.candidate in densities:
            densities[frame.candidate].add(frame)

    def told(board: Board) -> tuple[Board, dict[str, Any]]:
        return board, document(session, board, Chosen())

    board, about = session.shown(told, also=add, by_snapshot=by_snapshot)
    return Content(session, board, about, densities)


def length(seconds: float) -> str:
    """A duration in words: 12 s, 3 min 05 s, 2 h 07 min."""
    hours, rest = divmod(round(seconds), 3600)
    minutes, rest = divmod(rest, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
