"""Takes turns: whose slice is next, and what happens in the gap. Never works while a slice runs."""

from __future__ import annotations

import contextlib
import os
import random
import selectors
import signal
import time

from latvar_tui import wire
from latvar_tui.candidate import MAX_THREADS, Condition, UsageError, parse_candidate, parse_condition
from latvar_tui.device.binning import bin_slice
from latvar_tui.device.child import Child
from latvar_tui.device.cores import usable_cores
from latvar_tui.device.facts import device_facts
from latvar_tui.device.lifeline import OneProbe
from latvar_tui.device.lineup import Runner
from latvar_tui.device.pace import LONGEST_PATIENCE_S, Pace
from latvar_tui.device.sensors import Sensors
from latvar_tui.device.stress import KINDS
from latvar_tui.device.stress_control import StressControl

MOST_STRESSOR_DEATHS = 3
STRESS_PATIENCE_S = 1.0
"""After so long of waiting for the stress threads that were asked for, the user is told."""


class Ended(BaseException):
    """The screen has gone, or said quit. Not an Exception: a sensor's handler must not swallow it."""


class Probe:
    """One device's measuring: reads commands from one descriptor, writes frames to another."""

    def __init__(self, commands_fd: int, frames_fd: int, place: OneProbe) -> None:
        self._commands_fd, self._frames_fd = commands_fd, frames_fd
        self._place = place
        self._splitter = wire.LineSplitter()
        self._selector = selectors.DefaultSelector()
        self._selector.register(commands_fd, selectors.EVENT_READ)
        self._family: list[Child] = []
        self._runners: list[Runner] = []
        self._stressor = StressControl(self._forget_in_child)
        self._family.append(self._stressor.child)
        self._selector.register(self._stressor.child.answers, selectors.EVENT_READ)
        self._start: wire.Start | None = None
        self._stressor_deaths = 0
        self._wanted = Condition()  # the condition asked for
        self._pace = Pace(time.monotonic())
        self._went = -1  # the last frame that the screen has drawn
        self._said_at_s: float | None = None  # when the last slice's frame was sent, until it is drawn
        self._held = False
        self._idle_ns = 0  # of the present gap: held, or waiting for stress threads; nobody's time
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
            pids = os.getpid(), self._stressor.child.pid
            self._say(wire.Hello(device_facts(), *pids, time.perf_counter_ns(), time.time_ns()))
            while self._start is None:
                self._listen(None)
            if not self._load(self._start):
                self._say(wire.Failure("No candidate can be measured: each of them failed."))
                return
            self._take_turns(self._start)
        except Ended:
            pass
        except (wire.WireError, UsageError) as error:
            self._say(wire.Failure(str(error), usage=isinstance(error, UsageError)))
        finally:
            for number in (signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            for child in self._family:
                child.end()

    def _load(self, start: wire.Start) -> bool:
        """Start every runner at once and wait until each is ready or has failed; whether one is ready."""
        for text in start.candidates:
            runner = Runner(parse_candidate(text, usable_cores()), self._forget_in_child)
            self._runners.append(runner)
            self._family.append(runner.child)
            self._say(wire.State(runner.name, "loading", pid=runner.child.pid))
        loading = {runner.child.answers: runner for runner in self._runners}
        for fd in loading:
            self._selector.register(fd, selectors.EVENT_READ)
        while loading:
            for fd in self._listen(None):
                if fd in loading:
                    self._selector.unregister(fd)
                    self._say(loading.pop(fd).finish_loading())
        return any(runner.ready for runner in self._runners)

    def _take_turns(self, start: wire.Start) -> None:
        """Round after round: one slice of every candidate, in shuffled order, under one condition."""
        slice_ns = round(start.slice_ms * 1e6)
        # The screen is still importing and painting: measuring now would measure that.
        while start.gated and self._went < 0:
            self._listen(None)
        self._pace.heard(time.monotonic())  # loading may have taken longer than the lease
        self._readings = self._sensors.read()
        gap_began_ns: int | None = None
        notes: list[str] = []
        round_number = 0
        while ready := [runner for runner in self._runners if runner.ready]:
            condition = self._wanted
            for place, runner in enumerate(random.sample(ready, len(ready))):
                notes += self._make_ready()
                if self._wanted != condition:
                    break  # a round is measured under one condition
                gap_began_ns = self._measure(runner, slice_ns, round_number, place, gap_began_ns, notes)
                if gap_began_ns is not None:
                    notes = []
                notes += self._wait_for_screen(start.gated)
                if self._wanted != condition:
                    break
            round_number += 1
        self._say(wire.Failure("No candidate is left to measure: each of them failed."))

    def _measure(
        self, runner: Runner, slice_ns: int, round_number: int, place: int, gap_began_ns: int | None, notes: list[str]
    ) -> int | None:
        """One slice, thawed to frozen, and its frame.

        Returns:
            The time at which it ended and the next gap began; None if the runner died, and no gap is anybody's.
        """
        condition = self._wanted
        self._changed_at_ns = None
        self._disturbances.clear()
        self._selector.register(runner.child.answers, selectors.EVENT_READ)
        self._slice_of = runner
        start_ns = time.perf_counter_ns()
        gap_ns = 0 if gap_began_ns is None else start_ns - gap_began_ns - self._idle_ns
        self._idle_ns = 0
        runner.begin_slice(slice_ns)
        while runner.child.answers not in self._listen(None):
            pass
        answer = runner.end_slice()
        self._stressor.freeze()
        end_ns = time.perf_counter_ns()
        self._slice_of = None
        self._selector.unregister(runner.child.answers)
        if answer is None:
            self._say(runner.bury())
            return None
        self._listen(0)  # a key struck at the very end of the slice belongs to it
        if self._busy_since_ns is not None:
            self._disturbances.append((self._busy_since_ns, end_ns))
        n, tape = answer.inferences, runner.tape
        binned = bin_slice(
            tape.starts[:n],
            tape.durations[:n],
            None if answer.delay_before < 0 else tape.delays[:n],
            answer.delay_before,
            changed_at_ns=self._changed_at_ns,
            disturbances=self._disturbances,
            wait_unavailable=runner.wait_unavailable,
        )
        self._seq += 1
        self._say(
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
                dropped=binned.dropped,
                disturbed=binned.disturbed,
                service=binned.service,
                wait=binned.wait,
                sensors=self._readings,
                notes=notes,
            )
        )
        self._said_at_s = time.monotonic()
        self._readings = self._sensors.read()  # now, while the screen draws: it shows them a frame later
        return end_ns

    # -- the gap ------------------------------------------------------------------------------------

    def _wait_for_screen(self, gated: bool) -> list[str]:
        """Stay in the gap until the screen has drawn (or its time is up); what the next frame must say."""
        began_s = time.monotonic()
        deadline_s = began_s + (self._pace.patience_s if gated else 0.0)
        while self._went < self._seq:
            left_s = deadline_s - time.monotonic()
            if left_s <= 0:
                return ["ungated"] if gated else []
            self._listen(left_s)
        return []

    def _make_ready(self) -> list[str]:
        """Stay in the gap until nothing is held and the stress threads are those asked for: not before.

        That time is nobody's: it says nothing of how the instrument takes its turns.
        """
        notes: list[str] = []
        began_ns = time.perf_counter_ns()
        patient_until_s = time.monotonic() + STRESS_PATIENCE_S
        self._listen(0)
        while True:
            if self._held or self._pace.is_away(time.monotonic()):
                self._stressor.freeze()
                since_s = time.monotonic()
                while self._held or self._pace.is_away(time.monotonic()):
                    self._listen(None)
                held_s = time.monotonic() - since_s
                if held_s > 0.1:
                    notes.append(f"held for {held_s:.1f} s")
            self._stressor.thaw()
            self._stressor.order(self._wanted)  # it may have changed once more while we waited
            if self._stressor.reached == self._wanted:
                break
            left_s = patient_until_s - time.monotonic()
            if left_s <= 0:
                self._say(wire.Note(f"Waiting for {self._wanted.stress_threads} stress threads to start."))
                patient_until_s = float("inf")
            else:
                self._listen(min(left_s, 1.0))
        self._idle_ns += time.perf_counter_ns() - began_ns
        return notes

    # -- listening ----------------------------------------------------------------------------------

    def _listen(self, timeout_s: float | None) -> set[int]:
        """Sleep until something is said; obey the screen's commands; return the readable descriptors."""
        readable = {key.fd for key, _ in self._selector.select(timeout_s)}
        if self._commands_fd in readable:
            chunk = os.read(self._commands_fd, 1 << 16)
            if not chunk:
                raise Ended
            self._pace.heard(time.monotonic())
            for line in self._splitter.feed(chunk):
                command = wire.decode_command(line)
                if command is not None:
                    self._obey(command)
        if self._stressor.child.answers in readable and not self._stressor.hear():
            self._replace_stressor()
        return readable

    def _obey(self, command: wire.Command) -> None:
        match command:
            case wire.Start():
                if not command.candidates or not 1 <= float(command.slice_ms) <= 60_000:
                    raise UsageError("There is nothing to measure: name a candidate, and a slice of 1 to 60000 ms.")
                self._wanted = _checked(command.condition)
                self._start = self._start or command
            case wire.SetCondition():
                self._change(_checked(command.condition))
            case wire.Go():
                self._went = max(self._went, command.seq)
                # Also when it comes too late, in a later slice: else a slow screen would never be waited for.
                if 0 < command.seq < self._seq:
                    self._pace.drawn(LONGEST_PATIENCE_S)
                elif self._said_at_s is not None:
                    self._pace.drawn(time.monotonic() - self._said_at_s)
                    self._said_at_s = None
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

    def _change(self, condition: Condition) -> None:
        """Change the condition at once, also in the middle of a slice."""
        if condition == self._wanted:
            return
        self._wanted = condition
        if self._slice_of is not None:
            if self._changed_at_ns is None:
                self._changed_at_ns = time.perf_counter_ns()
            self._cut_slice()
            self._stressor.order(condition)

    def _cut_slice(self) -> None:
        if self._slice_of is not None:
            self._slice_of.tape.ask_to_end()

    def _replace_stressor(self) -> None:
        """Somebody killed it: whatever ran in this slice ran under an unknown condition."""
        self._stressor_deaths += 1
        if self._stressor_deaths > MOST_STRESSOR_DEATHS:
            raise UsageError("The stressor is killed again and again by this device: measure with --stress 0.")
        self._selector.unregister(self._stressor.child.answers)
        self._stressor.child.end()
        self._changed_at_ns = 0
        self._cut_slice()
        self._stressor = StressControl(self._forget_in_child)
        self._family.append(self._stressor.child)
        self._selector.register(self._stressor.child.answers, selectors.EVENT_READ)
        self._stressor.thaw()
        self._say(wire.Note("The stressor was killed from outside and has been started again."))

    # -- plumbing -----------------------------------------------------------------------------------

    def _say(self, frame: wire.Frame) -> None:
        data = memoryview(wire.encode(frame))
        try:
            while data:
                data = data[os.write(self._frames_fd, data) :]
        except BrokenPipeError as error:
            raise Ended from error

    def _forget_in_child(self) -> None:
        """In a forked child: close what keeps the lock, the screen's pipes and the siblings' pipes open."""
        self._place.forget()
        self._selector.close()
        for fd in (self._commands_fd, self._frames_fd):
            with contextlib.suppress(OSError):
                os.close(fd)
        for sibling in self._family:
            sibling.close_in_child()


def _checked(text: str) -> Condition:
    try:
        condition = parse_condition(text)
    except ValueError as error:
        raise UsageError(str(error)) from error
    if not 10 <= condition.load_pct <= 100 or condition.stress_threads > MAX_THREADS:
        raise UsageError(f"There is no stress '{text}': use at most {MAX_THREADS} threads, at a load of 10 to 100 %.")
    if condition.kind not in KINDS:
        raise UsageError(f"There is no kind of stress '{condition.kind}': use {', '.join(KINDS)}.")
    return condition
