"""Which kinds of stress this device has, and why another one is refused."""

from __future__ import annotations

from latvar_tui.candidate import UsageError
from latvar_tui.condition import Condition, cores_text
from latvar_tui.device.burns import KINDS
from latvar_tui.device.cores import core_list
from latvar_tui.device.stress_ng import OFFERED, PREFIX, known
from latvar_tui.settings import MAX_THREADS

MOST_NICE = 19


def stress_kinds() -> list[str]:
    """The kinds to offer: our own, and some of stress-ng's where it is installed."""
    return [*KINDS, *(PREFIX + name for name in OFFERED if name in known())]


def check_condition(condition: Condition) -> None:
    """Refuse stress that cannot be made here.

    Raises:
        UsageError: the kind is unknown, or the load or the number of threads is impossible.
    """
    if not 10 <= condition.load_pct <= 100 or condition.stress_threads > MAX_THREADS:
        raise UsageError(
            f"There is no stress '{condition}': use at most {MAX_THREADS} threads, at a load of 10 to 100 %."
        )
    usable = core_list()
    for option, pin in (("--pin", condition.pin), ("--stress-pin", condition.stress_pin)):
        missing = [core for core in pin if core not in usable]
        if missing:
            raise UsageError(
                f"{option} {cores_text(pin)} names core {missing[0]}, which is not there to be used: "
                f"use of {cores_text(usable)}."
            )
    if not 0 <= condition.nice <= MOST_NICE or not 0 <= condition.stress_nice <= MOST_NICE:
        raise UsageError(f"--nice and --stress-nice are 0 to {MOST_NICE}: a higher priority is the system's to give.")
    kind = condition.kind
    if not kind.startswith(PREFIX):
        if kind not in KINDS:
            raise UsageError(f"There is no kind of stress '{kind}': use {', '.join([*KINDS, PREFIX + 'NAME'])}.")
        return
    if not known():
        raise UsageError(
            f"The kind of stress '{kind}' needs stress-ng, which is not installed: use {', '.join(KINDS)}."
        )
    if kind.removeprefix(PREFIX) not in known():
        raise UsageError(f"stress-ng has no stressor '{kind.removeprefix(PREFIX)}': see stress-ng --stressors.")
    if condition.load_pct != 100:
        raise UsageError(f"The load of '{kind}' is stress-ng's own: leave it at 100 %, or use {', '.join(KINDS)}.")
