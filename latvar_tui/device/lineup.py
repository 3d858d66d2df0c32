"""The line-up: a seat for every candidate, who comes and goes, and runners within a memory budget."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace

from latvar_tui import wire
from latvar_tui.candidate import Candidate, UsageError, parse_candidate
from latvar_tui.condition import IDLE, Condition
from latvar_tui.device.cores import physical_cores
from latvar_tui.device.runner_control import Runner

Change = wire.Add | wire.Remove | wire.Only


class Seat:
    """A candidate's place in the line-up. Its runner may be ended and started again; the seat stays."""

    def __init__(self, candidate: Candidate) -> None:
        self.candidate = candidate
        self.name = str(candidate)
        self.runner: Runner | None = None
        self.memory_mb: float | None = None
        self.out = False
        """Failed, refused or removed: no more turns."""
        self.was_ready = False
        self.unwanted = False
        """Removed while it was loading: what comes of that is nobody's business."""
        self.last_turn = 0


class Lineup:
    """Every candidate in the order they came."""

    def __init__(
        self,
        forget: Callable[[], None],
        tell: Callable[[wire.State | wire.Note], object],
        wait_for: Callable[[int], object],
        budget_mb: float | None = None,
        place: Condition = IDLE,
    ) -> None:
        """Begin without anybody.

        Args:
            forget: closes in a forked child what only the probe may hold.
            tell: sends a frame to the screen.
            wait_for: returns when a descriptor is readable; nothing may be measured meanwhile.
            budget_mb: how much memory all runners may take together; no budget, no limit.
            place: on which cores the runners are, how nice, and how often inferences are asked for.
        """
        self._forget, self._tell, self._wait_for = forget, tell, wait_for
        self._budget_mb, self._place = budget_mb, place
        self._seats: list[Seat] = []
        self._changes: deque[Change] = deque()
        self._loading: Seat | None = None
        self._turn = 0
        self._too_large: set[Seat] = set()  # told of once
        self._told_unknown = False
        self._only: frozenset[str] = frozenset()  # who alone gets slices; all do if it is nobody

    @property
    def runners(self) -> Iterator[Runner]:
        return (seat.runner for seat in self._seats if seat.runner is not None)

    @property
    def playing(self) -> list[Seat]:
        """Who gets a slice in a round."""
        left = [seat for seat in self._seats if not seat.out]
        return [seat for seat in left if seat.name in self._only] or left

    # -- who comes and goes -------------------------------------------------------------------------

    def ask(self, change: Change) -> None:
        """Keep what the screen asks for until the next gap. A loading that is no longer wanted ends at once."""
        self._changes.append(change)
        loading = self._loading
        if isinstance(change, wire.Remove) and loading and loading.name == change.candidate and loading.runner:
            loading.unwanted = True
            loading.runner.child.kill()  # its pipe's end tells

    def change(self) -> bool:
        """Do what was asked for; whether it was anything."""
        changed = bool(self._changes)
        while self._changes:
            match self._changes.popleft():
                case wire.Add(candidate):
                    self.add(candidate)
                    self.load_new()
                case wire.Remove(candidate):
                    self._remove(candidate)
                case wire.Only() as only:
                    self._only = only.named
        return changed

    def add(self, text: str) -> None:
        """Give a candidate a seat, unless it has one; :meth:`load_new` starts its runner."""
        if any(seat.name == text and not seat.out for seat in self._seats):
            return
        try:
            seat = Seat(parse_candidate(text, physical_cores()))
        except UsageError as error:
            self._tell(wire.State(text, "refused", str(error)))
            return
        self._seats.append(seat)
        self._tell(wire.State(seat.name, "loading"))

    def _remove(self, name: str) -> None:
        for seat in [seat for seat in self._seats if seat.name == name]:
            self._end(seat)
            seat.out = True
            self._seats.remove(seat)
        self._only -= {name}

    # -- runners ------------------------------------------------------------------------------------

    def load_new(self) -> None:
        """Load who has never been loaded, one after the other.

        Not at once, though that would be over sooner: loading and the first inference are measured, too.
        """
        for seat in list(self._seats):
            if not seat.out and seat.last_turn == 0:
                self._load(seat)

    def runner_of(self, seat: Seat) -> Runner | None:
        """A seat's runner, loaded again if it had been ended; None if there is none any more."""
        if seat.out:
            return None
        self._turn += 1
        seat.last_turn = self._turn
        if seat.runner is None:
            self._load(seat)
        return seat.runner

    def bury(self, seat: Seat) -> None:
        """A seat's runner has died."""
        if seat.runner is not None:
            self._settle(seat, seat.runner.bury())

    def _load(self, seat: Seat) -> None:
        """Start a seat's runner and wait until it is ready or has failed."""
        self._turn += 1
        seat.last_turn = self._turn
        self._make_room(seat)
        if seat.was_ready:
            self._tell(wire.State(seat.name, "loading"))
        self._loading, seat.runner = seat, Runner(seat.candidate, self._forget, self._place)
        self._tell(wire.State(seat.name, "loading", pid=seat.runner.child.pid))
        self._wait_for(seat.runner.child.answers)
        self._loading = None
        state = seat.runner.finish_loading()
        # Once: a noisy moment is no reason to give up what has been measured.
        self._settle(seat, state if seat.was_ready else self._if_it_has_a_chance(seat.runner, state))
        if seat.runner is not None:
            self._make_room(seat)  # only now it is known how much it takes

    def _if_it_has_a_chance(self, runner: Runner, state: wire.State) -> wire.State:
        """Refuse a candidate that could not keep up with the rate even with the device to itself."""
        arrivals, warm_ms = self._place.arrivals, state.warm_ms
        if arrivals is not None and not parse_candidate(state.candidate, 1).has_model:
            runner.child.end()
            why = f"{state.candidate} keeps a schedule of its own: leave it out, or --rate."
            return wire.State(state.candidate, "refused", why)
        if arrivals is None or not warm_ms or warm_ms * arrivals.rate_hz < 1000:
            return state
        runner.child.end()
        return wire.State(
            state.candidate,
            "refused",
            f"{state.candidate} cannot serve {arrivals.rate_hz:g}/s: its service time is {warm_ms:.3g} ms "
            f"(p50, without our stress), so ask for less than {1000 / warm_ms:.3g}/s, or leave it out.",
        )

    def _settle(self, seat: Seat, state: wire.State) -> None:
        if state.state == "ready":
            seat.memory_mb, seat.was_ready = state.memory_mb, True
        else:
            seat.runner, seat.out = None, True
        if state.state == "refused" and seat.was_ready:
            # Its file has gone, say: no reason to give up what was measured.
            state = replace(state, state="failed")
        if not seat.unwanted:
            self._tell(state)

    def _make_room(self, seat: Seat) -> None:
        """End runners, those that had no turn for longest first, until ``seat``'s fits into the budget.

        One that alone takes more than the budget keeps its place, and the user is told.
        """
        if self._budget_mb is None:
            return
        others = sorted((s for s in self._seats if s is not seat and s.runner), key=lambda s: s.last_turn)
        if seat.was_ready and seat.memory_mb is None and not self._told_unknown:
            self._told_unknown = True
            self._tell(
                wire.Note("This platform does not tell how much memory a process takes: --memory has no effect.")
            )
        taken_mb = (seat.memory_mb or 0.0) + sum(other.memory_mb or 0.0 for other in others)
        while others and taken_mb > self._budget_mb:
            other = others.pop(0)
            taken_mb -= other.memory_mb or 0.0
            self._end(other)
            self._tell(wire.State(other.name, "unloaded", memory_mb=other.memory_mb))
        if taken_mb > self._budget_mb and seat not in self._too_large:
            self._too_large.add(seat)
            self._tell(
                wire.Note(
                    f"{seat.name} alone takes {taken_mb:.0f} MB, more than the budget of {self._budget_mb:.0f} MB."
                )
            )

    @staticmethod
    def _end(seat: Seat) -> None:
        if seat.runner is not None:
            seat.runner.child.end()
            seat.runner = None
