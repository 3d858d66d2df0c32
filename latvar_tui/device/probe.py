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
from latvar_tui.candidate import Condition, UsageError, parse_candidate, parse_condition
from latvar_tui.device.binning import bin_slice
from latvar_tui.device.child import Child
from latvar_tui.device.cores import usable_cores
from latvar_tui.device.facts import device_facts
from latvar_tui.device.lifeline import OneProbe, name_process
from latvar_tui.device.lineup import Runner
from latvar_tui.device.pace import LONGEST_PATIENCE_S, Pace
from latvar_tui.device.sensors import Sensors
from latvar_tui.device.stress import KINDS, run_stressor

STRESS_PATIENCE_S = 1.0
"""How long a slice waits for the stress threads that were asked for."""


class Ended(Exception):
    """The screen has gone, or said quit."""


class Probe:
    """One device's measuring: reads commands from one descriptor, writes frames to another."""

    def __init__(self, commands_fd: int, frames_fd: int, place: OneProbe) -> None:
        self._commands_fd, self._frames_fd = commands_fd, frames_fd
        self._place = place
        self._splitter = wire.LineSplitter()
        self._selector = selectors.DefaultSelector()
        self._selector.register(commands_fd, selectors.EVENT_READ)
        self._runners: list[Runner] = []
        self._stressor: Child | None = None
        self._start: wire.Start | None = None
        self._wanted = Condition()  # the condition asked for
        self._reached = Condition()  # the one the stressor has said it is in
        self._ordered = Condition()  # the one the stressor was last told
        self._stress_answers = wire.LineSplitter()
        self._pace = Pace(time.monotonic())
        self._went = -1  # the last frame that the screen has drawn
        self._said_at_s: float | None = None  # when the last slice's frame was sent, until it is drawn
        self._held = False
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
            self._start_stressor()
            assert self._stressor is not None
            self._say(
                wire.Hello(device_facts(), os.getpid(), self._stressor.pid, time.perf_counter_ns(), time.time_ns())
            )
            while self._start is None:
                self._listen(None)
            if self._load(self._start):
                self._take_turns(self._start)
        except Ended:
            pass
        except (wire.WireError, UsageError) as error:
            self._say(wire.Failure(str(error), usage=isinstance(error, UsageError)))
        finally:
            for child in self._children():
                child.end()

    def _load(self, start: wire.Start) -> bool:
        """Start every runner at once and wait until each is ready or has failed; whether one is ready."""
        for text in start.candidates:
            runner = Runner(parse_candidate(text, usable_cores()), self._forget_in_child)
            self._runners.append(runner)
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
        gap_began_ns = time.perf_counter_ns()
        notes = self._wait_for_screen(start.gated, first=True)
        round_number = 0
        while ready := [runner for runner in self._runners if runner.ready]:
            condition = self._wanted
            for place, runner in enumerate(random.sample(ready, len(ready))):
                notes += self._reach_wanted()
                if self._wanted != condition:
                    break  # a round is measured under one condition
                gap_began_ns = self._measure(runner, slice_ns, round_number, place, gap_began_ns, notes)
                notes = self._wait_for_screen(start.gated)
                if self._wanted != condition:
                    break
            round_number += 1
        self._say(wire.Failure("No candidate is left to measure: each of them failed, for the reason in its row."))

    def _measure(
        self, runner: Runner, slice_ns: int, round_number: int, place: int, gap_began_ns: int, notes: list[str]
    ) -> int:
        """One slice, thawed to frozen, and its frame; returns the time at which it ended."""
        assert self._stressor is not None
        condition = self._wanted
        self._changed_at_ns = None
        self._disturbances.clear()
        self._selector.register(runner.child.answers, selectors.EVENT_READ)
        self._slice_of = runner
        start_ns = time.perf_counter_ns()
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
            return end_ns
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
                gap_ns=start_ns - gap_began_ns,
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

    def _wait_for_screen(self, gated: bool, first: bool = False) -> list[str]:
        """Stay in the gap until the screen has drawn (or its time is up); what the next frame must say."""
        notes: list[str] = []
        if first:
            # The screen is still importing and painting: measuring now would measure that.
            while gated and self._went < 0:
                self._listen(None)
            return notes
        deadline_s = time.monotonic() + (self._pace.patience_s if gated else 0.0)
        while self._went < self._seq:
            left_s = deadline_s - time.monotonic()
            if left_s <= 0:
                if gated:
                    notes.append("ungated")
                break
            self._listen(left_s)
        self._listen(0)
        away_since_s = time.monotonic()
        while self._held or self._pace.is_away(time.monotonic()):
            self._listen(None)
        held_s = time.monotonic() - away_since_s
        if held_s > 0.1:
            notes.append(f"held for {held_s:.1f} s")
        return notes

    def _reach_wanted(self) -> list[str]:
        """Thaw the stressor and wait until its threads are those asked for."""
        assert self._stressor is not None
        self._stressor.thaw()
        deadline_s = time.monotonic() + STRESS_PATIENCE_S
        while self._reached != self._wanted:
            self._order(self._wanted)  # it may have changed once more while we waited
            left_s = deadline_s - time.monotonic()
            if left_s <= 0:
                return ["the stress threads are slow to start"]
            self._listen(left_s)
        return []

    def _order(self, condition: Condition) -> None:
        if condition != self._ordered and self._stressor is not None:
            self._ordered = condition
            self._stressor.send(f"{condition}\n".encode())

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
        if self._stressor is not None and self._stressor.answers in readable:
            self._hear_stressor(os.read(self._stressor.answers, 4096))
        return readable

    def _obey(self, command: wire.Command) -> None:
        match command:
            case wire.Start():
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
            self._note_change()
            self._order(condition)

    def _note_change(self) -> None:
        if self._changed_at_ns is None:
            self._changed_at_ns = time.perf_counter_ns()
        self._cut_slice()

    def _cut_slice(self) -> None:
        if self._slice_of is not None:
            self._slice_of.tape.ask_to_end()

    # -- the stressor -------------------------------------------------------------------------------

    def _start_stressor(self) -> None:
        self._stressor = Child("latvar-stress", run_stressor, self._forget_in_child)
        self._stressor.freeze()
        self._selector.register(self._stressor.answers, selectors.EVENT_READ)
        self._reached = self._ordered = Condition()

    def _hear_stressor(self, chunk: bytes) -> None:
        assert self._stressor is not None
        if chunk:
            for line in self._stress_answers.feed(chunk):
                self._reached = parse_condition(line.decode())
            return
        # Somebody killed it: whatever ran in this slice ran under an unknown condition.
        self._selector.unregister(self._stressor.answers)
        self._stressor.end()
        if self._slice_of is not None:
            self._changed_at_ns = 0
            self._cut_slice()
        self._start_stressor()
        self._stressor.thaw()
        self._order(self._wanted)
        self._say(wire.Note("The stressor was killed from outside and has been started again."))

    # -- plumbing -----------------------------------------------------------------------------------

    def _say(self, frame: wire.Frame) -> None:
        data = memoryview(wire.encode(frame))
        try:
            while data:
                data = data[os.write(self._frames_fd, data) :]
        except BrokenPipeError as error:
            raise Ended from error

    def _children(self) -> Iterator[Child]:
        yield from (runner.child for runner in self._runners)
        if self._stressor is not None:
            yield self._stressor

    def _forget_in_child(self) -> None:
        """In a forked child: close what keeps the lock, the screen's pipes and the siblings' pipes open."""
        self._place.forget()
        self._selector.close()
        for fd in (self._commands_fd, self._frames_fd):
            with contextlib.suppress(OSError):
                os.close(fd)
        for sibling in self._children():
            sibling.close_in_child()


def _checked(text: str) -> Condition:
    try:
        condition = parse_condition(text)
    except ValueError as error:
        raise UsageError(str(error)) from error
    if condition.kind not in KINDS:
        raise UsageError(f"There is no kind of stress '{condition.kind}': use {', '.join(KINDS)}.")
    return condition


def serve(force: bool = False) -> int:
    """Speak frames on stdout and commands on stdin until the screen leaves; the process's exit status."""
    # The frames' pipe is ours alone: whatever a library prints goes to stderr, which the screen logs.
    frames_fd = os.dup(1)
    os.dup2(2, 1)
    commands_fd = os.dup(0)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)

    def leave(number: int, frame: object) -> None:
        del number, frame
        raise Ended

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)
    # Ctrl-C in the terminal is the screen's to handle; it says quit in its own time.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    name_process("latvar-probe")
    place = OneProbe()
    taken = None if force else place.take()
    if taken is not None:
        os.write(frames_fd, wire.encode(wire.Failure(taken, usage=True)))
        return 2
    with contextlib.suppress(Ended):
        Probe(commands_fd, frames_fd, place).run()
    return 0
