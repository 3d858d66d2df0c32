"""Where a value stands in a picture, which values are marked on its axis, and lines through points."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from latvar_tui.session.report.markup import number


@dataclass(frozen=True)
class Scale:
    """From [``low``, ``high``] to [``start``, ``end``] (pixels), by the logarithm or not."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """The pixel; what lies outside stands at the end."""
        low, high, value = (map(math.log, (self.low, self.high, max(value, self.low)))) if self.log else (
            self.low, self.high, value
        )  # fmt: skip
        share = min(1.0, max(0.0, (value - low) / (high - low)))
        return self.start + share * (self.end - self.start)

    def ticks(self, most: int = 7) -> list[float]:
        """Round values to mark, ascending: at most about so many."""
        if self.log and self.high / self.low >= 5:
            for steps in ((1, 2, 5), (1, 3), (1,)):
                found = _log_ticks(self.low, self.high, steps)
                if len(found) <= most:
                    return found
            every = math.ceil(len(found) / most)
            return found[::every]
        return _linear_ticks(self.low, self.high, most)


def _log_ticks(low: float, high: float, steps: Iterable[int]) -> list[float]:
    decades = range(math.floor(math.log10(low)), math.floor(math.log10(high)) + 1)
    values = [step * 10.0**decade for decade in decades for step in steps]
    return [value for value in values if low * (1 - 1e-9) <= value <= high * (1 + 1e-9)]


def _linear_ticks(low: float, high: float, most: int) -> list[float]:
    rough = (high - low) / max(1, most)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [place * step for place in range(first, last + 1)]


def around(low_ns: float, high_ns: float) -> tuple[float, float]:
    """Bounds of a logarithmic axis with a little room about [``low_ns``, ``high_ns``]; never empty, above 0."""
    low_ns = max(low_ns, 1.0)
    return low_ns / 1.08, max(high_ns, low_ns) * 1.08


def polyline(points: Iterable[tuple[float, float]]) -> str:
    """A path's ``d`` through points; empty without any."""
    return "M" + "L".join(f"{number(x)} {number(y)}" for x, y in points) if (points := list(points)) else ""


def stairs(edges: Iterable[float], heights: Iterable[float], foot: float) -> str:
    """A path's ``d`` of steps, one height between every two edges, from ``foot`` to ``foot``."""
    first, *rest = map(number, edges)
    steps = "".join(f"V{number(y)}H{x}" for x, y in zip(rest, heights, strict=True))
    return f"M{first} {number(foot)}{steps}V{number(foot)}"
