"""Coarse counts as dense rows, for statistics that look at many of them at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from latvar_tui.hdr_layout import COUNTS_LEN, lowest_ns
from latvar_tui.study.drift import STEPS

LENGTH = COUNTS_LEN // STEPS
"""How many coarse buckets there are."""

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

EDGES_NS: Floats = np.append(lowest_ns(np.arange(LENGTH) * STEPS), 2 * lowest_ns(COUNTS_LEN - 1)).astype(np.float64)
"""Where each bucket begins, and where the last one ends."""

_PLACES: Floats = np.arange(LENGTH + 1, dtype=np.float64)


def cumulated(counts: npt.ArrayLike) -> Floats:
    """Of each row, shape (rows, LENGTH): how many lie before each edge, shape (rows, LENGTH + 1)."""
    rows = np.asarray(counts, np.float64)
    found: Floats = np.zeros((len(rows), LENGTH + 1))
    np.cumsum(rows, axis=1, out=found[:, 1:])
    return found


def above(before: Floats, row: Ints, values_ns: Floats) -> Floats:
    """How many of cumulated row ``row[i]`` lie above ``values_ns[i]``, evenly spread within their buckets."""
    places = np.interp(values_ns, EDGES_NS, _PLACES)
    at = np.minimum(places.astype(np.int64), LENGTH - 1)
    low = before[row, at]
    found: Floats = before[row, -1] - low - (places - at) * (before[row, at + 1] - low)
    return found


def quantiles_ns(before: Floats, quantiles: Floats) -> Floats:
    """Of each cumulated row the quantiles (percent), shape (rows, quantiles); NaN for an empty one."""
    totals = before[:, -1]
    ranks = quantiles[np.newaxis, :] / 100 * totals[:, np.newaxis]
    at = np.stack([np.searchsorted(row, wanted, "left") for row, wanted in zip(before, ranks, strict=True)])
    at = np.clip(at - 1, 0, LENGTH - 1)
    rows = np.arange(len(before))[:, np.newaxis]
    low = before[rows, at]
    many = before[rows, at + 1] - low
    with np.errstate(invalid="ignore", divide="ignore"):
        inside = np.clip((ranks - low) / many, 0.0, 1.0)
    found: Floats = EDGES_NS[at] + inside * (EDGES_NS[at + 1] - EDGES_NS[at])
    return np.where(totals[:, np.newaxis] > 0, np.maximum(found, 1.0), np.nan)
