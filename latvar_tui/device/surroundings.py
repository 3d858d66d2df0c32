"""What is read around a slice, right before the thaw and after the freeze: who got the cores, and what disturbed it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from latvar_tui.condition import Condition
from latvar_tui.device.cores import usable_cores
from latvar_tui.device.disturbances.detector import Device, Gap
from latvar_tui.device.disturbances.watch import Watch
from latvar_tui.device.runner_control import Runner
from latvar_tui.device.stress_control import StressControl
from latvar_tui.device.system_counters import SystemCounters
from latvar_tui.device.task_counters import cpu_ns_between, read_task_counts, task_counters, unavailable
from latvar_tui.wire import Reading


@dataclass(frozen=True)
class Seen:
    """Fields of :class:`latvar_tui.wire.Slice` by these names; ``notes`` are to be added to it."""

    stress_cpu: Reading
    counters: Mapping[str, Reading]
    marks: Sequence[str]
    notes: Sequence[str]


class Surroundings:
    """Read with runner and stressor frozen: :meth:`begin` last before the thaw, :meth:`end` first after the freeze."""

    def __init__(self) -> None:
        self._system = SystemCounters()
        self._watch = Watch(Device(cores=usable_cores()))

    def facts(self) -> Mapping[str, object]:
        """What is watched for, for the facts of the device."""
        return self._watch.facts()

    def begin(self, runner: Runner, stress: StressControl, condition: Condition) -> None:
        """Note where the counters stand."""
        self._runner, self._stress, self._condition = runner, stress, condition
        self._stress_before = None if condition.is_idle else stress.cpu_ns()
        self._tasks_before = read_task_counts(runner.child.pid)
        self._system.begin()

    def end(self, slice_ns: int, changed: bool) -> Seen:
        """What has been counted since; ``changed`` if the condition did not stay the same meanwhile."""
        pid = self._runner.child.pid
        self._system.end()
        stress_cpu = self._stress_cpu(changed)
        # After those: a thread that has yet to get a core to stop on would still be waiting.
        before, after = self._tasks_before, read_task_counts(pid)
        tasks = unavailable("the stress changed in the middle") if changed else task_counters(before, after)
        system = self._system.between(cpu_ns_between(before, after), stress_cpu, not self._condition.is_idle)
        gap = Gap(time.monotonic(), self._runner.name, str(self._condition), pid, slice_ns, system)
        marks, notes = self._watch.look(gap)
        return Seen(stress_cpu, {**system, **tasks}, marks, notes)

    def _stress_cpu(self, changed: bool) -> Reading:
        """What the stressor got."""
        if self._condition.is_idle:
            return Reading(reason="no stress was asked for")
        before, after = self._stress_before, self._stress.cpu_ns()
        if before is None or after is None:
            return Reading(reason="this platform does not show what other processes get")
        if changed:
            return Reading(reason="the stress changed in the middle")
        if before.keys() != after.keys():
            return Reading(reason="its processes come and go, and what those that have ended got is not shown")
        return Reading(float(sum(after.values()) - sum(before.values())))
