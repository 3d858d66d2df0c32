"""Takes turns: whose slice is next, and what happens in the gap. Never works while a slice runs."""

from __future__ import annotations

import contextlib
import os
import random
import selectors
import signal
import time
from collections.abc import Iterator

from latvar_tui import wire
from latvar_tui.candidate import UsageError
from latvar_tui.condition import IDLE, Condition, parse_condition
from latvar_tui.device.binning import bin_slice
from latvar_tui.device.child import Child
from latvar_tui.device.facts import device_facts
from latvar_tui.device.lifeline import OneProbe
from latvar_tui.device.lineup import Lineup, Seat
from latvar_tui.device.runner_control import Runner
from latvar_tui.device.screen import Ended, Screen
from latvar_tui.device.sensors import Sensors
from latvar_tui.device.stress_control import StressControl
from latvar_tui.device.stress_kinds import check_condition
from latvar_tui.device.surroundings import Surroundings

MOST_STRESSOR_DEATHS = 3
STRESS_PATIENCE_S = 1.0
"""After so long of waiting for the stress threads that were asked for, the user is told."""


class Probe:
    """One device's measuring: reads commands from one descriptor, writes frames to another."""

    def __init__(self, commands_fd: int, frames_fd: int, place: OneProbe) -> None:
        self._screen = Screen(commands_fd, frames_fd)
        self._place = place
        self._selector = selectors.DefaultSelector()
        self._selector.register(commands_fd, selectors.EVENT_READ)
        self._lineup = self._make_lineup()
        self._surroundings = Surroundings()  # before the first child, which forgets it
        self._stressor: StressControl | None = None
        self._start_stressor()
        self._start: wire.Start | None = None
        self._stressor_deaths = 0
        self._wanted = Condition()  # the condition asked for
        self._held = False
        self._idle_ns = 0  # of the present gap: held, loading, or waiting for stress threads; nobody's time
        self._seq = 0
        self._slice_of: Runner | None = None
        self._changed_at_ns: int | None = None
        self._busy_since_ns: int | None = None
        self._disturbances: list[tuple[int, int]] = []
        self._sensors = Sensors()
        self._readings = self._sensors.read()

    # -- the story ----------------------------------------------------------------------------------

    def run(self) -> None:
        """Serve until the screen leaves. Always leaves no process behind."""
        try:
            pids = os.getpid(), self._stress.child.pid
            facts = device_facts() | dict(self._surroundings.facts())
            self._screen.say(wire.Hello(facts, *pids, time.perf_counter_ns(), time.time_ns()))
            while self._start is None:
                self._listen(None)
            self._screen.gated = self._start.gated
            # The screen is still importing and painting: loading or measuring now would measure that.
            while self._start.gated and self._screen.went < 0:
                self._listen(None)
            self._lineup = self._make_lineup(self._start.memory_mb, parse_condition(self._start.condition))
            for text in self._start.candidates:
                self._lineup.add(text)
            self._lineup.load_new()
            self._lineup.change()
            if not self._lineup.playing:
                self._screen.say(wire.Failure("No candidate can be measured: each of them failed."))
                return
            self._take_turns(self._start)
        except Ended:
            pass
        except (wire.WireError, UsageError) as error:
            self._screen.say(wire.Failure(str(error), usage=isinstance(error, UsageError)))
        finally:
            for number in (signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            for child in self._children():
                child.end()

    def _take_turns(self, start: wire.Start) -> None:
        """Round after round: one slice of every candidate, in shuffled order, under one condition."""
        slice_ns = round(start.slice_ms * 1e6)
        self._readings = self._sensors.read()
        gap_began_ns: int | None = None
        notes: list[str] = []
        round_number = 0
        while seats := self._lineup.playing:
            condition = self._wanted
            for place, seat in enumerate(random.sample(seats, len(seats))):
                with self._nobodys_time():
                    runner = self._lineup.runner_of(seat)
                    if runner is None:
                        continue
                    notes += self._make_ready()
                if self._wanted != condition:
                    break  # a round is measured under one condition
                ended_ns = self._measure(seat, runner, slice_ns, round_number, place, gap_began_ns, notes)
                gap_began_ns = ended_ns
                if ended_ns is not None:
                    notes = []
                notes += self._screen.wait_until_drawn(self._seq, self._listen)
                with self._nobodys_time():
                    changed = self._lineup.change()
                if changed or self._wanted != condition:
                    break
            round_number += 1
        self._screen.say(wire.Failure("No candidate is left to measure: each of them failed."))

    # -- a slice ------------------------------------------------------------------------------------

    def _measure(
        self,
        seat: Seat,
        runner: Runner,
        slice_ns: int,
        round_number: int,
        place: int,
        gap_began_ns: int | None,
        notes: list[str],
    ) -> int | None:
        """One slice, thawed to frozen, and its frame.

        Returns:
            The time at which it ended and the next gap began; None if the runner died, and no gap is anybody's.
        """
        condition = self._wanted
        self._changed_at_ns = None
        self._disturbances.clear()
        self._slice_of = runner
        self._stress.freeze()  # it has reached the condition; what it gets from here on is counted
        self._surroundings.begin(runner, self._stress, condition)
        runner.order_slice(slice_ns, condition.arrivals)
        start_ns = time.perf_counter_ns()
        gap_ns = 0 if gap_began_ns is None else start_ns - gap_began_ns - self._idle_ns
        self._idle_ns = 0
        self._stress.thaw_with(runner.child)
        self._wait_for(runner.child.answers)
        answer = runner.answer()
        self._stress.freeze()
        runner.child.freeze()
        end_ns = time.perf_counter_ns()
        self._slice_of = None
        if answer is None:
            self._lineup.bury(seat)
            return None
        seen = self._surroundings.end(end_ns - start_ns, self._changed_at_ns is not None)
        self._listen(0)  # a key struck at the very end of the slice belongs to it
        if self._busy_since_ns is not None:
            self._disturbances.append((self._busy_since_ns, end_ns))
        n, tape = answer.inferences, runner.tape
        # Who was due when the slice was cut short, by a key say, is nobody's fault.
        unserved = 0 if tape.flag[0] else answer.left_over
        binned = bin_slice(
            tape.starts[:n],
            tape.durations[:n],
            None if answer.delay_before < 0 else tape.delays[:n],
            answer.delay_before,
            changed_at_ns=self._changed_at_ns,
            disturbances=self._disturbances,
            wait_unavailable=runner.wait_unavailable,
            arrivals=tape.arrivals[: n + unserved] if condition.is_open_loop else None,
            ended_ns=answer.ended_ns,
        )
        self._seq += 1
        self._screen.say_slice(
            wire.Slice(
                seq=self._seq,
                candidate=runner.name,
                condition=str(condition),
                round=round_number,
                place=place,
                start_ns=start_ns,
                end_ns=end_ns,
                gap_ns=gap_ns,
                settling_ns=answer.settling_ns,
                inferences=binned.inferences,
                settling=answer.settling,
                dropped=binned.dropped + answer.left_over - unserved,
                disturbed=binned.disturbed,
                service=binned.service,
                wait=binned.wait,
                sensors=self._readings,
                notes=[*seen.notes, *notes],  # the last one is what the screen shows
                stress_cpu=seen.stress_cpu,
                wait_sums=binned.wait_sums,
                slowest=binned.slowest,
                response=binned.response,
                offered=binned.inferences + unserved if condition.is_open_loop else 0,
                unserved=unserved,
                queue_max=binned.queue_max,
                lag_ns=binned.lag_ns,
                counters=seen.counters,
                marks=seen.marks,
            )
        )
        self._readings = self._sensors.read()  # now, while the screen draws: it shows them a frame later
        return end_ns

    # -- the gap ------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _nobodys_time(self) -> Iterator[None]:
        """Holding, loading, waiting for stress threads: it says nothing of how the instrument takes its turns."""
        began_ns = time.perf_counter_ns()
        yield
        self._idle_ns += time.perf_counter_ns() - began_ns

    def _make_ready(self) -> list[str]:
        """Stay in the gap until nothing is held and the stress threads are those asked for: not before."""
        notes: list[str] = []
        patient_until_s = time.monotonic() + STRESS_PATIENCE_S
        self._listen(0)
        while True:
            if self._held or self._screen.is_away:
                self._stress.freeze()
                since_s = time.monotonic()
                while self._held or self._screen.is_away:
                    self._listen(None)
                held_s = time.monotonic() - since_s
                if held_s > 0.1:
                    notes.append(f"held for {held_s:.1f} s")
            self._stress.order(self._wanted)  # it may have changed once more while we waited
            if self._stress.reached == self._wanted:
                break  # frozen, if it has reached that before: in the gap it would only be in the way
            self._stress.thaw()
            left_s = patient_until_s - time.monotonic()
            if left_s <= 0:
                self._screen.say(wire.Note(f"Waiting for {self._wanted.stress_threads} stress threads to start."))
                patient_until_s = float("inf")
            else:
                self._listen(min(left_s, 1.0))
        return notes

    # -- listening ----------------------------------------------------------------------------------

    def _listen(self, timeout_s: float | None) -> set[int]:
        """Sleep until something is said; obey the screen's commands; return the readable descriptors."""
        readable = {key.fd for key, _ in self._selector.select(timeout_s)}
        if self._screen.commands_fd in readable:
            for command in self._screen.read():
                self._obey(command)
        if self._stress.child.answers in readable and not self._stress.hear():
            self._replace_stressor()
        return readable

    def _wait_for(self, fd: int) -> None:
        """Listen until a child's descriptor is readable, too."""
        self._selector.register(fd, selectors.EVENT_READ)
        while fd not in self._listen(None):
            pass
        self._selector.unregister(fd)

    def _wait_for_loading(self, fd: int) -> None:
        """As :meth:`_wait_for`, in a gap, with nothing else at work."""
        self._stress.freeze()
        self._wait_for(fd)
        self._screen.heard()  # it may have taken longer than the lease

    def _obey(self, command: wire.Command) -> None:
        match command:
            case wire.Start():
                if not command.candidates or not 1 <= float(command.slice_ms) <= 60_000:
                    raise UsageError("There is nothing to measure: name a candidate, and a slice of 1 to 60000 ms.")
                self._wanted = _checked(command.condition)
                self._start = self._start or command
            case wire.Add() | wire.Remove() | wire.Only():
                self._lineup.ask(command)
                self._cut_slice()  # nobody waits for the rest of it
            case wire.SetCondition():
                self._change(self._of_the_same_place(_checked(command.condition)))
            case wire.Go():
                self._screen.drew(command.seq, self._seq)
            case wire.Drawn():
                self._screen.answered(command.ask)
            case wire.Busy():
                self._busy_since_ns = command.at_ns
            case wire.Quiet():
                if self._busy_since_ns is not None:
                    self._disturbances.append((self._busy_since_ns, command.at_ns))
                self._busy_since_ns = None
            case wire.Hold():
                self._held = True
                self._cut_slice()
            case wire.Resume():
                self._held = False
            case wire.Quit():
                raise Ended

    def _of_the_same_place(self, condition: Condition) -> Condition:
        """The condition, if the runners that are there are where it wants them."""
        if (condition.pin, condition.nice) != (self._wanted.pin, self._wanted.nice):
            raise UsageError("The model's cores and niceness cannot change while it runs: start again with others.")
        return condition

    def _change(self, condition: Condition) -> None:
        """Change the condition at once, also in the middle of a slice."""
        if condition == self._wanted:
            return
        self._wanted = condition
        if self._slice_of is not None:
            if self._changed_at_ns is None:
                self._changed_at_ns = time.perf_counter_ns()
            self._cut_slice()
            self._stress.order(condition)

    def _cut_slice(self) -> None:
        if self._slice_of is not None:
            self._slice_of.tape.ask_to_end()

    def _replace_stressor(self) -> None:
        """Somebody killed it: whatever ran in this slice ran under an unknown condition."""
        self._stressor_deaths += 1
        if self._stressor_deaths > MOST_STRESSOR_DEATHS:
            raise UsageError("The stressor is killed again and again by this device: measure with --stress 0.")
        self._selector.unregister(self._stress.child.answers)
        self._stress.child.end()
        self._changed_at_ns = 0
        self._cut_slice()
        self._start_stressor()
        self._stress.thaw()
        self._screen.say(wire.Note("The stressor was killed from outside and has been started again."))

    # -- children -----------------------------------------------------------------------------------

    def _start_stressor(self) -> None:
        self._stressor = StressControl(self._forget_in_child)
        self._selector.register(self._stressor.child.answers, selectors.EVENT_READ)

    def _make_lineup(self, budget_mb: float | None = None, place: Condition = IDLE) -> Lineup:
        return Lineup(self._forget_in_child, self._tell, self._wait_for_loading, budget_mb, place)

    def _tell(self, frame: wire.State | wire.Note) -> None:
        """Send word of the line-up, in a gap. What is drawn of it is waited for: a slice or a loading follows.

        A runner's pid is not drawn.
        """
        if isinstance(frame, wire.State) and not (frame.state == "loading" and frame.pid):
            self._screen.ask(frame, self._listen)
        else:
            self._screen.say(frame)

    @property
    def _stress(self) -> StressControl:
        assert self._stressor is not None
        return self._stressor

    def _children(self) -> Iterator[Child]:
        if self._stressor is not None:
            yield self._stressor.child
        for runner in self._lineup.runners:
            yield runner.child

    def _forget_in_child(self) -> None:
        """In a forked child: close what keeps the lock, the screen's pipes and the siblings' pipes open."""
        self._place.forget()
        del self._surroundings  # its files
        self._selector.close()
        self._screen.forget()
        for sibling in self._children():
            sibling.close_in_child()


def _checked(text: str) -> Condition:
    try:
        condition = parse_condition(text)
    except ValueError as error:
        raise UsageError(str(error)) from error
    check_condition(condition)
    return condition
