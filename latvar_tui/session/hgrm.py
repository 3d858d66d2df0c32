"""HdrHistogram's percentile table, as AbstractHistogram.java's outputPercentileDistribution prints it.

Five lines between each halving of what is left above (``percentileTicksPerHalfDistance``), values in ms: what
hdr-plot and the plotter on hdrhistogram.github.io read. Mean and deviation take every observation at its bucket's
middle, and the maximum is its bucket's highest value, as Java's are.
"""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
from numpy.typing import NDArray

from latvar_tui.hdr_layout import COUNTS_LEN, highest_ns, median_ns
from latvar_tui.histogram import Histogram

TICKS_PER_HALF = 5
_UNIT_NS = 1e6
_BUCKETS = COUNTS_LEN // 1024 - 1
_SUB_BUCKETS = 2048


def table(histogram: Histogram) -> str:
    """The table of a histogram that is not empty."""
    lines = [f"{'Value':>12} {'Percentile':>14} {'TotalCount':>10} {'1/(1-Percentile)':>14}", ""]
    indices, counts = histogram.sparse()
    up_to = np.cumsum(counts)
    total = int(up_to[-1])
    for level, place in _levels(up_to, total):
        value = _decimals(float(highest_ns(indices[place])) / _UNIT_NS, 3)
        line = f"{value:>12} {_decimals(level / 100, 12)} {up_to[place]:10d}"
        lines.append(line if level == 100.0 else f"{line} {_decimals(1 / (1 - level / 100), 2):>14}")
    middles = median_ns(indices).astype(np.float64)
    mean = float(counts @ middles) / total
    deviation = math.sqrt(float(counts @ (middles - mean) ** 2) / total)
    most = float(highest_ns(indices[-1]))
    lines += [
        f"#[Mean    = {_decimals(mean / _UNIT_NS, 3):>12}, StdDeviation   = {_decimals(deviation / _UNIT_NS, 3):>12}]",
        f"#[Max     = {_decimals(most / _UNIT_NS, 3):>12}, Total count    = {total:12d}]",
        f"#[Buckets = {_BUCKETS:12d}, SubBuckets     = {_SUB_BUCKETS:12d}]",
    ]
    return "\n".join(lines) + "\n"


def _decimals(value: float, digits: int) -> str:
    """As Java rounds: half up, from the shortest decimal that means the number. Python rounds half to even."""
    return f"{Decimal(repr(value)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP):f}"


def _levels(up_to: NDArray[np.int64], total: int) -> list[tuple[float, int]]:
    """(level in percent, place among the buckets in use), as PercentileIterator.java goes through them."""
    found: list[tuple[float, int]] = []
    level, place = 0.0, 0
    shares = 100.0 * up_to / total
    while True:
        # The first bucket that reaches the level, never before the one of the line before.
        while place < len(shares) - 1 and shares[place] < level:
            place += 1
        found.append((level, place))
        if int(up_to[place]) >= total:
            break
        # Java computes the halvings so, rounding included: the number of ticks doubles with each.
        halvings = 2 ** (int(math.log(100.0 / (100.0 - level)) / math.log(2)) + 1)
        level += 100.0 / (TICKS_PER_HALF * halvings)
    found.append((100.0, len(shares) - 1))
    return found
