"""How far a quantile can be relied on."""

from __future__ import annotations

from latvar_tui.histogram import Histogram

PROVISIONAL_BEYOND = 10
"""A quantile with fewer observations beyond it moves with each of them: never used for a claim."""


def is_provisional(histogram: Histogram, quantile: float) -> bool:
    """Whether too few observations lie beyond ``quantile`` (percent) to rely on it."""
    return histogram.beyond_quantile(quantile) < PROVISIONAL_BEYOND
