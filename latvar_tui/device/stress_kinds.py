"""Which kinds of stress this device has, and why another one is refused."""

from __future__ import annotations

from latvar_tui.candidate import UsageError
from latvar_tui.condition import Condition
from latvar_tui.device.burns import KINDS
from latvar_tui.device.stress_ng import OFFERED, PREFIX, known
from latvar_tui.settings import MAX_THREADS


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
