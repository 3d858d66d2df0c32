"""What a candidate is measured under (a condition): a value object and its text form.

The text form is part of the contract: frames, JSON and histogram tags carry it. ``4xcpu@100%`` is a condition, and
so is ``4xcpu@100%,stress-nice=10,pin=0-1,rate=poisson:60``: what is not the default stands behind it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

Cores = tuple[int, ...]
"""Numbers of cores, ascending; none means: any."""

MOST_CORE = 4095
LEAST_RATE_HZ, MOST_RATE_HZ = 0.1, 100_000.0


def cores_text(cores: Sequence[int]) -> str:
    """``0-1,3``."""
    runs: list[list[int]] = []
    for core in cores:
        if runs and core == runs[-1][-1] + 1:
            runs[-1].append(core)
        else:
            runs.append([core])
    return ",".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def parse_cores(text: str) -> Cores:
    """Read ``0-1,3``.

    Raises:
        ValueError: it is no list of cores; the message says what may be written.
    """
    cores: set[int] = set()
    for piece in text.split(","):
        run = re.fullmatch(r"(\d{1,4})(?:-(\d{1,4}))?", piece.strip())
        first, last = (int(run[1]), int(run[2] or run[1])) if run else (1, 0)
        if not first <= last <= MOST_CORE:
            raise ValueError("numbers of cores, like 0 or 0-1,3")
        cores.update(range(first, last + 1))
    return tuple(sorted(cores))


@dataclass(frozen=True)
class Arrivals:
    """Open loop: inferences are asked for on a schedule, whether or not the one before has ended.

    ``rate_hz`` a second, evenly spaced, or with exponential gaps (``poisson``).
    """

    rate_hz: float
    poisson: bool = False

    @property
    def period_ns(self) -> float:
        """The mean time from one arrival to the next."""
        return 1e9 / self.rate_hz

    def __str__(self) -> str:
        rate = f"{self.rate_hz:.9f}".rstrip("0").rstrip(".")
        return f"poisson:{rate}" if self.poisson else rate


def parse_arrivals(text: str) -> Arrivals:
    """Read ``60`` or ``poisson:60``.

    Raises:
        ValueError: it is no rate; the message says what may be written.
    """
    found = re.fullmatch(r"(poisson:)?(\d{1,9}(?:\.\d{1,9})?)", text.strip().lower())
    if found is None or not LEAST_RATE_HZ <= float(found[2]) <= MOST_RATE_HZ:
        raise ValueError(f"inferences a second, {LEAST_RATE_HZ:g} to {MOST_RATE_HZ:.0f}, like 60 or poisson:60")
    return Arrivals(float(found[2]), bool(found[1]))


@dataclass(frozen=True)
class Condition:
    """What the device is under, and how inferences are asked for.

    Background threads, their kind, and the share of time each is busy; the stress's niceness and cores; the model's
    own; and a schedule of arrivals, without which each inference begins when the one before has ended (closed loop).
    No threads is one condition, whatever they would have been.
    """

    stress_threads: int = 0
    kind: str = "cpu"
    load_pct: int = 100
    stress_nice: int = 0
    stress_pin: Cores = ()
    nice: int = 0
    pin: Cores = ()
    arrivals: Arrivals | None = None

    def __post_init__(self) -> None:
        if self.stress_threads == 0:
            for name, value in (("kind", "cpu"), ("load_pct", 100), ("stress_nice", 0), ("stress_pin", ())):
                object.__setattr__(self, name, value)

    @property
    def is_idle(self) -> bool:
        """Whether there is no stress."""
        return self.stress_threads == 0

    @property
    def is_open_loop(self) -> bool:
        """Whether inferences arrive on a schedule, so that latency is response time."""
        return self.arrivals is not None

    def without_stress(self) -> Condition:
        """The same, idle."""
        return replace(self, stress_threads=0)

    @property
    def extras(self) -> list[str]:
        """What is not the default beyond the stress, as it is typed: ``["pin=0-1", "rate=60"]``."""
        found = []
        for name, (field, text, _) in _EXTRAS.items():
            value = getattr(self, field)
            if value:
                found.append(f"{name}={text(value)}")
        return found

    @property
    def title(self) -> str:
        """The text form, with ``idle`` in place of no threads of any kind."""
        stress = "idle" if self.is_idle else _stress_text(self)
        return ",".join([stress, *self.extras])

    def __str__(self) -> str:
        return ",".join([_stress_text(self), *self.extras])


def _stress_text(condition: Condition) -> str:
    return f"{condition.stress_threads}x{condition.kind}@{condition.load_pct}%"


_EXTRAS: dict[str, tuple[str, Callable[[Any], str], Callable[[str], Any]]] = {
    "stress-nice": ("stress_nice", str, int),
    "stress-pin": ("stress_pin", cores_text, parse_cores),
    "nice": ("nice", str, int),
    "pin": ("pin", cores_text, parse_cores),
    "rate": ("arrivals", str, parse_arrivals),
}
"""Name in the text form → field, its text, how it is read."""

IDLE = Condition()

_STRESS = re.compile(r"(\d+)x([a-z0-9:_-]+)@(\d+)%")


@lru_cache(maxsize=256)
def parse_condition(text: str) -> Condition:
    """Read the text form back; every frame carries one, and is asked for it several times.

    Raises:
        ValueError: it is not a condition.
    """
    # A list of cores has commas of its own: only one before a name divides.
    stress, *extras = re.split(r",(?=[a-z-]+=)", text)
    match = _STRESS.fullmatch(stress)
    values: dict[str, Any] = {}
    for extra in extras:
        name, _, value = extra.partition("=")
        if name not in _EXTRAS or _EXTRAS[name][0] in values:
            match = None
            break
        values[_EXTRAS[name][0]] = _EXTRAS[name][2](value)
    if match is None:
        raise ValueError(f"'{text[:80]}' is not a condition such as 4xcpu@100%.")
    return Condition(int(match[1]), match[2], int(match[3]), **values)
