"""What ``compare`` says of sessions: for each cell that both have, by how much the second differs from the first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from latvar_tui.condition import Condition
from latvar_tui.format import printable
from latvar_tui.session.layout import SessionError
from latvar_tui.session.reader import Session
from latvar_tui.session.shown import is_named
from latvar_tui.study.blocks import Run, ratio_interval, run_of
from latvar_tui.study.board import Board, Contender
from latvar_tui.study.cell import Cell
from latvar_tui.study.conclusions import Reversal
from latvar_tui.study.quantiles import is_provisional
from latvar_tui.study.ranking import reversals_between
from latvar_tui.summary import reversal_as_json, summary

QUANTILES = (50.0, 90.0, 95.0, 99.0)
WORSE, BETTER, UNDECIDED = "worse", "better", "can't tell"

_RESOLUTION = 1 + 2 / 1024
"""Two quantiles, each of them known to a bucket's width: a smaller difference is none."""

_NOT_COMPARED = ("pid", "stress_kinds", "autogroup", "watched", "not_watched")
_SETS_NO_CONDITION = (
    "models", "max_stress", "stress", "load", "kind", "arrivals", "pin", "nice", "stress_nice", "stress_pin",
    "quantile", "deadline_ms", "vary", "record_in", "no_record", "force", "hold", "plain", "duration", "as_json",
)  # fmt: skip


@dataclass(frozen=True)
class Change:
    """One quantile (percent) of one cell, ``b`` against ``a``; ``ci95`` is the ratio's, None where it has none."""

    quantile: float
    a_ns: int
    b_ns: int
    provisional: bool
    ci95: tuple[float, float] | None

    @property
    def ratio(self) -> float:
        return self.b_ns / self.a_ns

    @property
    def verdict(self) -> str | None:
        """None where nothing may be claimed: too few observations beyond the quantile."""
        if self.provisional:
            return None
        low, high = self.ci95 or (0.0, 2.0)
        return WORSE if low > _RESOLUTION else BETTER if high < 1 / _RESOLUTION else UNDECIDED


@dataclass(frozen=True)
class Compared:
    """A cell of two sessions. ``quantity``: response times in open loop, service times in closed loop."""

    candidate: str
    candidate_b: str
    name: str
    name_b: str
    condition: Condition
    quantity: str
    n: tuple[int, int]
    slices: tuple[int, int]
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Read:
    """A session, and what its slices add up to."""

    session: Session
    board: Board
    runs: dict[tuple[str, Condition], Run] = field(default_factory=dict)
    cells: list[dict[str, Any]] = field(default_factory=list)
    """As in the contract's document, for that of the comparison."""

    @classmethod
    def of(cls, session: Session, board: Board) -> Read:
        """With everything that is needed of the board's cells: whoever reads a forged snapshot stumbles here."""
        read = cls(session, board, cells=summary(board)["cells"])
        for contender, condition, cell in board.cells():
            read.run(contender, condition, cell)
        return read

    def run(self, contender: Contender, condition: Condition, cell: Cell) -> Run:
        """The cell's blocks; made once."""
        key = contender.id, condition
        if key not in self.runs:
            self.runs[key] = run_of(cell.series.blocks)
        return self.runs[key]


@dataclass(frozen=True)
class Comparison:
    """``b`` against ``a``. ``differences``: what differs around the measurement, each ``(what, in a, in b)``."""

    a: Read
    b: Read
    cells: tuple[Compared, ...]
    differences: tuple[tuple[str, str, str], ...]

    def worse_than(self, most: float) -> Iterator[tuple[Compared, Change]]:
        """What got worse by more than this share, beyond doubt."""
        for cell in self.cells:
            for change in cell.changes:
                if change.verdict == WORSE and change.ci95 is not None and change.ci95[0] > 1 + most:
                    yield cell, change

    @property
    def judged(self) -> int:
        """Of how many quantiles it could have been told."""
        return sum(not c.provisional and c.ci95 is not None for cell in self.cells for c in cell.changes)


def compare(a: Read, b: Read, pairs: Sequence[str] = ()) -> Comparison:
    """Compare two sessions: cells of the same candidate and condition, or of candidates that ``pairs`` equates.

    Args:
        pairs: ``A=B`` each: a candidate of the first session, and the one of the second to compare it with.

    Raises:
        SessionError: they have nothing in common, or a pair is none.
    """
    partners = _partners(a, b, pairs)
    cells = tuple(_compared(a, b, partners))
    if not cells:
        raise SessionError(
            f"'{a.session.folder.name}' and '{b.session.folder.name}' have no cell in common: candidates and "
            f"conditions must be the same (they have {_holds(a)}; and {_holds(b)}), or be equated with --pair A=B."
        )
    return Comparison(a, b, cells, tuple(_differences(a, b, partners)))


def _holds(read: Read) -> str:
    cells = [f"{printable(one.id)} under {condition.title}" for one, condition, _ in read.board.cells()]
    return ", ".join(cells[:3]) + (f" and {len(cells) - 3} more" if len(cells) > 3 else "") if cells else "nothing"


def _partners(a: Read, b: Read, pairs: Sequence[str]) -> list[tuple[Contender, Contender]]:
    others = {contender.id: contender for contender in b.board.contenders}
    partners = {one.id: (one, others[one.id]) for one in a.board.contenders if one.id in others}
    for text in pairs:
        one, other = _pair(a, b, text)
        partners[one.id] = one, other
    return list(partners.values())


def _pair(a: Read, b: Read, text: str) -> tuple[Contender, Contender]:
    pieces = text.split("=")  # settings have their own
    found = []
    for cut in range(1, len(pieces)):
        left, right = "=".join(pieces[:cut]), "=".join(pieces[cut:])
        ones = [one for one in a.board.contenders if is_named(one, left)]
        others = [other for other in b.board.contenders if is_named(other, right)]
        found += [(one, other) for one in ones for other in others]
    if len(found) == 1:
        return found[0]
    names = [", ".join(contender.name for contender in read.board.contenders) for read in (a, b)]
    what = "is more than one pair" if found else "is no pair"
    raise SessionError(f"'--pair {text}' {what}: write A=B, with A one of {names[0]}, and B one of {names[1]}.")


def _compared(a: Read, b: Read, partners: Sequence[tuple[Contender, Contender]]) -> Iterator[Compared]:
    for one, other in partners:
        for condition in a.board.conditions:
            before, after = a.board.cell(one, condition), b.board.cell(other, condition)
            if before is None or after is None or not (before.latency.total and after.latency.total):
                continue
            if (before.open_loop is None) != (after.open_loop is None):
                continue
            runs = a.run(one, condition, before), b.run(other, condition, after)
            yield Compared(
                one.id, other.id, one.name, other.name, condition,
                "service" if before.open_loop is None else "response",
                (before.latency.total, after.latency.total), (before.slices, after.slices),
                tuple(_change(before, after, runs, quantile) for quantile in QUANTILES),
            )  # fmt: skip


def _change(before: Cell, after: Cell, runs: tuple[Run, Run], quantile: float) -> Change:
    (a_ns,), (b_ns,) = (cell.latency.quantiles_ns([quantile]) for cell in (before, after))
    a_ns = max(a_ns, 1)
    provisional = any(is_provisional(cell.latency, quantile) for cell in (before, after))
    around = None if provisional else ratio_interval(*runs, quantile)
    ci95 = None if around is None else (b_ns / a_ns * around.low, b_ns / a_ns * around.high)
    return Change(quantile, a_ns, b_ns, provisional, ci95)


# -- reversals ----------------------------------------------------------------------------------------------


def reversals(reads: Sequence[Read], comparisons: Sequence[Comparison]) -> list[dict[str, Any]]:
    """Within each session, and from the first session's device to each other's: as in the contract's document."""
    found = []
    for read in reads:
        device = device_name(read)
        ends = {"device_from": device, "device_to": device, "session": str(read.session.folder)}
        found += [reversal_as_json(one) | ends for one in read.board.study.reversals(QUANTILES)]
    for comparison in comparisons:
        a, b = comparison.a, comparison.b
        ends = {"device_from": device_name(a), "device_to": device_name(b)}
        ends |= {"session_from": str(a.session.folder), "session_to": str(b.session.folder)}
        found += [reversal_as_json(one) | ends for one in reversals_across(comparison)]
    return found


def reversals_across(comparison: Comparison) -> list[Reversal]:
    """From the one session to the other, under the same condition."""
    names = {cell.candidate: cell.candidate_b for cell in comparison.cells}
    return reversals_between(comparison.a.board.study, comparison.b.board.study, QUANTILES, names)


def device_name(read: Read) -> str:
    """What the session calls its device; its folder's name where it calls it nothing."""
    return str(read.board.device.get("name") or read.session.folder.name)


# -- what differs around the measurement --------------------------------------------------------------------


def _differences(a: Read, b: Read, partners: Sequence[tuple[Contender, Contender]]) -> Iterator[tuple[str, str, str]]:
    facts = [{"latvar_tui": read.session.about.get("latvar_tui")} | mapping(read.board.device) for read in (a, b)]
    options = [mapping(read.session.about.get("options")) for read in (a, b)]
    for told, left_out in ((facts, _NOT_COMPARED), (options, _SETS_NO_CONDITION)):
        for name in dict.fromkeys([*told[0], *told[1]]):
            ours, theirs = (one.get(name) for one in told)
            if name not in left_out and ours != theirs:
                yield name, _said(ours), _said(theirs)
    for one, other in partners:
        identities = a.board.identity(one), b.board.identity(other)
        if one.id == other.id and all(identities) and identities[0] != identities[1]:
            yield f"the model's files of {one.name}", identities[0][:12], identities[1][:12]
    held = [{(one.id, condition) for one, condition, _ in read.board.cells()} for read in (a, b)]
    used_a = {(one.id, under) for one, other in partners for name, under in held[1] if name == other.id}
    used_b = {(other.id, under) for one, other in partners for name, under in held[0] if name == one.id}
    for name, condition in sorted(held[0] - held[1] - used_a, key=str):
        yield f"{name} under {condition.title}", "measured", "–"
    for name, condition in sorted(held[1] - held[0] - used_b, key=str):
        yield f"{name} under {condition.title}", "–", "measured"


def mapping(told: object) -> dict[str, Any]:
    return dict(told) if isinstance(told, Mapping) else {}


def _said(value: object) -> str:
    if isinstance(value, list | tuple):
        return " ".join(map(str, value)) or "–"
    return "–" if value is None else str(value)
