"""Ratios of quantiles with an interval, by resampling whole pairs: what one pair shares (the machine's mood) stays."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from latvar_tui import __version__
from latvar_tui.device.cores import usable_cores
from latvar_tui.histogram import Histogram

RESAMPLES = 1000

Side = dict[str, Histogram]
"""One run's histograms by candidate."""


@dataclass(frozen=True)
class Ratio:
    """A ratio and its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def quantile_ratio(pairs: Sequence[tuple[Side, Side]], quantile: float, seed: int = 0) -> Ratio:
    """First side over second at ``quantile`` (percent): pooled over pairs, geometric mean over candidates."""
    random = np.random.default_rng(seed)
    everything = np.arange(len(pairs))
    resampled = [_pooled(pairs, random.choice(everything, len(pairs)).tolist(), quantile) for _ in range(RESAMPLES)]
    low, high = np.quantile(resampled, [0.025, 0.975])
    return Ratio(_pooled(pairs, everything.tolist(), quantile), float(low), float(high))


def _pooled(pairs: Sequence[tuple[Side, Side]], chosen: Sequence[int], quantile: float) -> float:
    logs = []
    for name in pairs[0][0]:
        sides = []
        for side in (0, 1):
            pooled = Histogram()
            for pair in chosen:
                pooled.add(pairs[pair][side][name])
            value = pooled.quantile_ns(quantile)
            assert value, f"nothing was measured of {name}"
            sides.append(value)
        logs.append(np.log(sides[0] / sides[1]))
    return float(np.exp(np.mean(logs)))


def machine() -> str:
    """The machine in words, for the head of a table."""
    import onnxruntime

    return (
        f"latvar-tui {__version__}, {usable_cores()}-core {platform.machine()}, {platform.system()} "
        f"{platform.release().split('-')[0]}, Python {platform.python_version()}, onnxruntime {onnxruntime.__version__}"
    )
