"""The percentile curve: a histogram's quantiles on HdrHistogram's axis, which gives every further nine as much room."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latvar_tui.hdr_layout import highest_ns
from latvar_tui.histogram import Histogram
from latvar_tui.study.quantiles import PROVISIONAL_BEYOND

NINES = 4.0
"""Where the axis ends: p99.99."""

TICKS = (0.0, 50.0, 90.0, 99.0, 99.9, 99.99)
"""Percentiles that stand at the axis."""


def place_of(quantile: float) -> float:
    """Where a quantile (percent, below 100) stands on the axis, from 0 to 1."""
    return float(-np.log10(1 - quantile / 100)) / NINES


@dataclass(frozen=True)
class Curve:
    """Quantiles (ns) at the middles of equally many places of the axis.

    They end where the observations do: a place beyond the last one's rank has none. From ``solid`` on they are
    provisional.
    """

    values_ns: NDArray[np.int64]
    solid: int


def curve(histogram: Histogram, places: int) -> Curve:
    """The curve of what has been counted, at ``places`` of the axis; empty where nothing was."""
    total = histogram.total
    if not total:
        return Curve(np.zeros(0, np.int64), 0)
    shares_beyond = 10.0 ** (-NINES * (np.arange(places) + 0.5) / places)
    beyond = shares_beyond * total
    there = int(np.count_nonzero(beyond >= 1.0))
    ranks = np.maximum(np.ceil((1 - shares_beyond[:there]) * total - 1e-9), 1)
    indices, counts = histogram.sparse()
    at = np.searchsorted(np.cumsum(counts), ranks)
    values = np.minimum(highest_ns(indices[at]), histogram.max_ns or 0)
    return Curve(values, int(np.count_nonzero(total - ranks >= PROVISIONAL_BEYOND)))
