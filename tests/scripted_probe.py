"""A probe without a device: obeys commands as a real one does, and its inferences take what a function says.

probe = ScriptedProbe(["small", "large"], reversing)
headless.measure(probe, board, course, reporter, NotRecording())
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from random import Random

import numpy as np
import numpy.typing as npt

from latvar_tui import wire
from latvar_tui.condition import Condition, parse_condition
from latvar_tui.study.board import Board
from tests.scripted_link import BEGIN_NS, MS, hello, line_up, slice_frame, state_frame

Times = Callable[[np.random.Generator, int, Condition], npt.NDArray[np.float64]]
"""What a slice's inferences take, ms, of the candidate in that place of the line-up under that condition."""

A_SLICE = 60
"""Inferences."""


def _scattered(random: np.random.Generator, median_ms: float) -> npt.NDArray[np.float64]:
    return median_ms * random.lognormal(0.0, 0.15, A_SLICE)


def reversing(random: np.random.Generator, place: int, condition: Condition) -> npt.NDArray[np.float64]:
    """The first is 20 % faster when idle and 25 % slower under any stress; the third the slowest everywhere."""
    if place == 2:
        return _scattered(random, 6.4 if condition.is_idle else 9.5)
    return _scattered(random, (4.0, 4.8)[place] if condition.is_idle else (7.5, 6.0)[place])


def in_order(random: np.random.Generator, place: int, condition: Condition) -> npt.NDArray[np.float64]:
    """Each is 30 % slower than the one before, under every condition."""
    return _scattered(random, 4.0 * 1.3**place * (1 + condition.stress_threads))


def all_alike(random: np.random.Generator, place: int, condition: Condition) -> npt.NDArray[np.float64]:
    """Nobody differs."""
    return _scattered(random, 4.0 * (1 + condition.stress_threads))


class ScriptedProbe:
    """Rounds in shuffled order; ``said`` are the commands it was given. ``dies``: a candidate's last slice's number."""

    def __init__(
        self,
        texts: Sequence[str],
        times: Times,
        seed: int = 1,
        *,
        begin_ns: int = BEGIN_NS,
        wall_ns: int | None = None,
        dies: tuple[str, int] | None = None,
        ends_after: int | None = None,
    ) -> None:
        self.ids = [str(candidate) for candidate in line_up(texts)]
        self._places = {name: place for place, name in enumerate(self.ids)}
        self.said: list[wire.Command] = []
        self._times, self._random, self._order = times, np.random.default_rng(seed), Random(seed)
        self._begin_ns, self._wall_ns, self._dies, self._ends_after = begin_ns, wall_ns, dies, ends_after
        self._only: frozenset[str] = frozenset()
        self._condition = Condition()

    def send(self, command: wire.Command) -> None:
        self.said.append(command)
        match command:
            case wire.SetCondition(condition):
                self._condition = parse_condition(condition)
            case wire.Only():
                self._only = command.named

    def frames(self) -> Iterator[wire.Frame]:
        first = replace(hello(), monotonic_ns=self._begin_ns)
        yield first if self._wall_ns is None else replace(first, wall_ns=self._wall_ns)
        for name in self.ids:
            yield state_frame(name, "loading")
            yield state_frame(name, "ready")
        now_ns, seq, number = self._begin_ns + 1000 * MS, 0, 0
        while self.ids:
            for name in self._shuffled():
                if self._dies is not None and self._dies == (name, seq):
                    self.ids.remove(name)
                    yield state_frame(name, "failed", "it ran out of memory")
                    continue
                seq += 1
                times_ms = self._times(self._random, self._places[name], self._condition)
                values_ns = np.round(1e6 * times_ms).astype(np.int64)
                frame = slice_frame(
                    seq, name, str(self._condition), values_ns, start_ns=now_ns + 5 * MS, round_number=number
                )
                now_ns = frame.end_ns
                yield frame
                if seq == self._ends_after:
                    raise KeyboardInterrupt
            number += 1

    def _shuffled(self) -> list[str]:
        playing = [name for name in self.ids if name in self._only] or list(self.ids)
        return self._order.sample(playing, len(playing))


class Silent:
    """A reporter that tells nobody."""

    def sliced(self, board: Board, frame: wire.Slice, elapsed_s: float) -> None:
        """Nothing is drawn."""
