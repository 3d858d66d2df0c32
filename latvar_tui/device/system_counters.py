"""What the whole system counted over a slice: CPU time of everybody else, and time that a hypervisor took.

``/proc/stat`` counts in ticks (of 10 ms, mostly): for one slice that is coarse, and may even come out a little below
zero. Whoever judges must add up several slices first.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from latvar_tui.device.polled import Polled
from latvar_tui.wire import Reading

_BUSY = ("user", "nice", "system", "irq", "softirq")
_FIELDS = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")
"""The columns of the first line of ``/proc/stat`` (proc(5)); a guest's time is in user already."""


class SystemCounters:
    """Read with runner and stressor frozen: :meth:`begin` last before the thaw, :meth:`end` first after the freeze."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._tick_ns = 1e9 / (os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100)
        self._stat: Polled | None = None
        self._unavailable = ""
        self._before: dict[str, float] | None = None
        self._after: dict[str, float] | None = None
        try:
            self._stat = Polled(root / "proc/stat")
            self._ticks_ns()
        except (OSError, ValueError) as error:
            self._stat = None
            self._unavailable = f"/proc/stat cannot be read ({getattr(error, 'strerror', None) or error})"

    def begin(self) -> None:
        """Note where the counters stand."""
        self._before = self._read()

    def end(self) -> None:
        """Note where they stand now: before anything else is read."""
        self._after = self._read()

    def between(self, runner_cpu: Reading, stress_cpu: Reading, stressed: bool) -> Mapping[str, Reading]:
        """What was counted between the two: ``others_cpu_ns`` and ``steal_ns``.

        Args:
            runner_cpu: what the model's threads got meanwhile, ns.
            stress_cpu: likewise the stressor.
            stressed: whether it was asked for anything; it takes nothing otherwise.
        """
        if self._before is None or self._after is None:
            reason = Reading(reason=self._unavailable)
            return {"others_cpu_ns": reason, "steal_ns": reason}
        spent = {name: self._after[name] - before for name, before in self._before.items()}
        steal = Reading(max(0.0, spent["steal"])) if "steal" in spent else Reading(reason="no steal time is counted")
        return {"others_cpu_ns": _others(spent, runner_cpu, stress_cpu, stressed), "steal_ns": steal}

    def _read(self) -> dict[str, float] | None:
        if self._stat is None:
            return None
        try:
            return self._ticks_ns()
        except (OSError, ValueError) as error:
            self._unavailable = f"/proc/stat cannot be read ({error})"
            return None

    def _ticks_ns(self) -> dict[str, float]:
        """Raises: OSError, ValueError: there are no such counters."""
        assert self._stat is not None
        name, *ticks = self._stat.text(256).partition("\n")[0].split()
        found = {field: int(tick) * self._tick_ns for field, tick in zip(_FIELDS, ticks, strict=False)}
        if name != "cpu" or not set(_BUSY) <= found.keys():
            raise ValueError("its first line is another one")
        return found


def _others(spent: Mapping[str, float], runner_cpu: Reading, stress_cpu: Reading, stressed: bool) -> Reading:
    if runner_cpu.value is None:
        return runner_cpu
    if stressed and stress_cpu.value is None:
        return Reading(reason=f"what the stress threads got is not known: {stress_cpu.reason}")
    own_ns = runner_cpu.value + (stress_cpu.value or 0.0 if stressed else 0.0)
    return Reading(sum(spent[name] for name in _BUSY) - own_ns)
