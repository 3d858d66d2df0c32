"""The board: every cell measured so far, fed by frames. Both the screen and the tables read it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from latvar_tui import wire
from latvar_tui.candidate import Candidate, short_names
from latvar_tui.condition import IDLE, Condition, parse_condition
from latvar_tui.format import quantile_name
from latvar_tui.study.cell import Cell
from latvar_tui.study.ranking import Study
from latvar_tui.study.readings import Readings
from latvar_tui.study.spectrogram import Spectrogram
from latvar_tui.study.timeline import Timeline

TRENDED = (50.0, 99.0)
"""Quantiles (percent) whose drift is told of."""

OTHERS_NS = 3e9
"""Of slices: what other programs take is counted too coarsely to be told of fewer."""


@dataclass
class Contender:
    """A candidate and what has become of it: see :class:`wire.State`.

    ``slot`` is a number of its own for as long as it is in the line-up, whoever comes or goes: its colour goes by it.
    """

    candidate: Candidate
    name: str
    slot: int
    state: str = "loading"
    reason: str = ""
    memory_mb: float | None = None
    load_ms: float | None = None
    cold_ms: Sequence[float] = ()
    warm_ms: float | None = None
    inputs: Sequence[str] = ()
    assumed: Sequence[str] = ()

    @cached_property
    def id(self) -> str:
        return str(self.candidate)  # it is asked for dozens of times a frame, and costs as much as a line of the screen

    @property
    def has_turns(self) -> bool:
        """Whether it gets slices; its runner may have been ended for want of memory until then."""
        return self.state in ("ready", "unloaded")

    @property
    def is_out(self) -> bool:
        """Whether it gets no more turns."""
        return self.state in ("failed", "refused")

    @property
    def is_rival(self) -> bool:
        """Whether others are compared with it: controls compete with nobody, nor does who has failed."""
        return not (self.is_out or self.candidate.is_control)

    def take(self, frame: wire.State) -> None:
        """Take in what its runner said; what an earlier one said of loading stays until a new one is ready."""
        self.state, self.reason = frame.state, frame.reason
        self.memory_mb = frame.memory_mb or self.memory_mb
        if frame.state == "ready":
            self.load_ms, self.cold_ms, self.warm_ms = frame.load_ms, frame.cold_ms, frame.warm_ms
            self.inputs, self.assumed = frame.inputs, frame.notes


class Board:
    """All cells, by candidate and condition, and the latest of everything else."""

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        self.contenders: list[Contender] = []
        self.device: Mapping[str, object] = {}
        self.hello: wire.Hello | None = None
        self.condition: Condition = IDLE
        self.sensors: Mapping[str, wire.Reading] = {}
        self.notes: deque[str] = deque(maxlen=200)
        self.failure: wire.Failure | None = None
        self.now_ns = 0
        self._by_id: dict[str, Contender] = {}
        self._cells: dict[tuple[str, Condition], Cell] = {}
        self._identities: dict[str, str] = {}
        self._last_cell: Cell | None = None
        self._visited: dict[Condition, None] = {}
        self._frames: deque[tuple[int, int, int]] = deque(maxlen=40)
        self._others: deque[tuple[float | None, int]] = deque(maxlen=400)
        self.timeline = Timeline()
        self.study = Study()
        self.spectrogram = Spectrogram()
        self.readings = Readings()
        self.only: Contender | None = None
        """The contender that alone is measured; all are if it is None."""
        self.add(*candidates)

    # -- the line-up --------------------------------------------------------------------------------

    def add(self, *candidates: Candidate) -> None:
        """Let candidates join, each with the first slot that is free; those that are there already stay as they are.

        One that was there before finds its cells again.
        """
        for candidate in candidates:
            if str(candidate) not in self._by_id:
                taken = {contender.slot for contender in self.contenders}
                free = next(slot for slot in range(len(taken) + 1) if slot not in taken)
                contender = Contender(candidate, "", free)
                self.contenders.append(contender)
                self._by_id[contender.id] = contender
        self._name()

    def remove(self, contender: Contender) -> None:
        """Let a contender leave. What was measured of it is kept, and seen again if it comes back."""
        self.contenders.remove(contender)
        del self._by_id[contender.id]
        if self.only is contender:
            self.only = None
        self._name()

    def identity(self, contender: Contender) -> str:
        """Of the model whose times its cells hold; empty before it was ready."""
        return self._identities.get(contender.id, "")

    def _name(self) -> None:
        names = short_names([contender.candidate for contender in self.contenders])
        for contender, name in zip(self.contenders, names, strict=True):
            contender.name = name

    # -- frames -------------------------------------------------------------------------------------

    def take(self, frame: wire.Frame) -> None:
        """Take a frame in, whatever its type."""
        match frame:
            case wire.Slice():
                self._take_slice(frame)
            case wire.State() if frame.candidate in self._by_id:
                contender = self._by_id[frame.candidate]
                contender.take(frame)
                self._check_identity(contender, frame)
                if contender.is_out and contender is self.only:
                    self.only = None  # the probe measures the others again
                # Loaded again and again within a memory budget, it is told of once.
                told = [note for note in (frame.reason, *frame.notes) if note]
                self.notes.extend(
                    note for note in (f"{contender.name}: {text}" for text in told) if note not in self.notes
                )
            case wire.Hello():
                self.device, self.hello = frame.device, self.hello or frame
            case wire.Note():
                self.notes.append(frame.text)
                if frame.at_ns:
                    self.timeline.mark()
            case wire.Failure():
                self.failure = frame
            case _:
                pass  # a candidate of somebody else's line-up

    def _check_identity(self, contender: Contender, frame: wire.State) -> None:
        """A cell holds one model's times: what was measured of another file under this name is let go."""
        if frame.state != "ready":
            return
        before = self._identities.setdefault(contender.id, frame.identity)
        if before != frame.identity:
            self._identities[contender.id] = frame.identity
            for key in [key for key in self._cells if key[0] == contender.id]:
                del self._cells[key]
            self.study.forget(contender.id)
            self.spectrogram.forget(contender.id)
            self._last_cell = None
            self.notes.append(f"{contender.name}: its files have changed, so its counts begin anew")

    def _take_slice(self, frame: wire.Slice) -> None:
        if frame.candidate not in self._by_id:
            return
        condition = parse_condition(frame.condition)
        self.condition, self.sensors, self.now_ns = condition, frame.sensors, frame.end_ns
        self.notes.extend(note for note in frame.notes if note != "ungated")
        # The gap belongs to the slice before it. Before the first one it is the screen's start, and nobody's.
        gap_ns = frame.gap_ns if self._last_cell is not None else 0
        if self._last_cell is not None:
            self._last_cell.wall_ns += gap_ns
        cell = self._cells.get((frame.candidate, condition))
        if cell is None:  # not `setdefault`: an empty one is some hundred kilobytes
            cell = self._cells[frame.candidate, condition] = Cell()
        cell.add(frame)
        if cell.series.add(frame.response or frame.service):
            self._tell_of_drift(self._by_id[frame.candidate], condition, cell)
        self.timeline.add(frame, condition)
        if not self._by_id[frame.candidate].candidate.is_control:
            self.study.add(frame, condition)
        self.spectrogram.add(frame)
        self.readings.add(frame.end_ns, frame.sensors)
        others = frame.counters.get("others_cpu_ns")
        self._others.append((others.value if others else None, frame.end_ns - frame.start_ns))
        self._last_cell = cell
        self._visited.setdefault(condition)
        self._frames.append((gap_ns, frame.end_ns - frame.start_ns, "ungated" in frame.notes))

    def _tell_of_drift(self, contender: Contender, condition: Condition, cell: Cell) -> None:
        for quantile in TRENDED:
            trend = cell.series.trend(quantile)
            if trend is None or not trend.real or cell.series.told.get(quantile) == (trend.ratio > 1):
                continue
            cell.series.told[quantile] = trend.ratio > 1
            what = "the last third" if quantile == 50.0 else f"{quantile_name(quantile)} of the last third"
            self.notes.append(f"{contender.name} under {condition.title}: {what} is {trend.text}: the device drifts.")

    # -- what has been measured ---------------------------------------------------------------------

    def cell(self, contender: Contender, condition: Condition) -> Cell | None:
        """The cell, or None if it has not been measured."""
        return self._cells.get((contender.id, condition))

    @property
    def rivals(self) -> list[Contender]:
        """Those that are compared with each other."""
        return [contender for contender in self.contenders if contender.is_rival]

    def slices_of(self, condition: Condition) -> int:
        """How many slices have been taken under ``condition``, of all candidates."""
        return sum(cell.slices for (_, under), cell in self._cells.items() if under == condition)

    def cells(self) -> Iterator[tuple[Contender, Condition, Cell]]:
        """Every measured cell, by candidate, then by condition in ascending stress."""
        conditions = self.conditions
        for contender in self.contenders:
            for condition in conditions:
                cell = self.cell(contender, condition)
                if cell is not None:
                    yield contender, condition, cell

    @property
    def conditions(self) -> list[Condition]:
        """The conditions visited so far: by kind and load, then by number of threads; idle first."""
        return sorted(self._visited, key=lambda c: (not c.is_idle, c.kind, -c.load_pct, c.stress_threads))

    @property
    def ungated(self) -> int:
        """How many of the ``latest`` slices began while the screen may still have been drawing."""
        return sum(ungated for _, _, ungated in self._frames)

    @property
    def latest(self) -> int:
        """Of how many slices ``ungated`` is told: 40, or as many as there are yet."""
        return len(self._frames)

    @property
    def others_cores(self) -> float | None:
        """Cores that other programs took in the slices of the last seconds; None where that is not known."""
        total_ns, slices_ns = 0.0, 0
        for value, slice_ns in reversed(self._others):
            if value is None:
                return None
            total_ns, slices_ns = total_ns + value, slices_ns + slice_ns
            if slices_ns >= OTHERS_NS:
                return max(0.0, total_ns / slices_ns)
        return None

    @property
    def gap_share(self) -> float | None:
        """Share of the recent wall time spent in gaps; None before the second slice."""
        if len(self._frames) < 2:
            return None
        gaps_ns, slices_ns, _ = map(sum, zip(*self._frames, strict=True))
        return gaps_ns / (gaps_ns + slices_ns) if gaps_ns + slices_ns else None

    def restart(self) -> None:
        """A new probe loads the line-up again; what was measured stays."""
        self.failure = None
        self.only = None
        self.study.restart()
        self._last_cell = None  # what lies between the two probes is no gap of anybody's
        for contender in self.contenders:
            contender.state, contender.reason = "loading", ""

    def become(self, other: Board) -> None:
        """Stand where ``other`` does, which is used up: whoever holds this board, or a part of it, sees that."""
        timeline, study = self.timeline, self.study
        epoch = study.epoch + 1
        vars(self).update(vars(other))
        vars(timeline).update(vars(other.timeline))
        vars(study).update(vars(other.study))
        study.epoch = epoch
        self.timeline, self.study = timeline, study

    def clear(self) -> None:
        """Forget every count, and with them the conditions visited; the line-up stays."""
        self._cells.clear()
        self._last_cell = None
        self._frames.clear()
        self._visited.clear()
        self.timeline.clear()
        self.study.clear()
        self.spectrogram.clear()
        self.readings.clear()
