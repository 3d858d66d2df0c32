"""The bucket layout of an HDR histogram: nanoseconds ⇄ indices, in NumPy alone.

The measured device and the screen both count with these functions, so a slice's times can travel as sparse
(index, count) pairs and be added up without loss. A device needs nothing but NumPy for it.

The layout is that of HdrHistogram (Gil Tene, hdrhistogram.org) for lowest 1 ns, highest 100 s and
3 significant digits. Values below 2048 ns have an index each. From there on every power of two is a *bucket*
of 1024 equal steps, each step 2^bucket ns wide: at most 1/1024 of the value, hence the three digits. With

    bucket = max(bit_length(value) - 11, 0)
    index  = bucket * 1024 + (value >> bucket)

this is the library's `_counts_index_for`, which spells the same sum with an offset that cancels out. All
values that share an index are *equivalent*: the histogram cannot tell them apart.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

LOWEST_NS = 1
HIGHEST_NS = 100_000_000_000
SIGNIFICANT_DIGITS = 3

# 2 * 10**3 distinguishable steps, rounded up to a power of two, as HdrHistogram does: 2048 = 2 * 1024.
_STEPS_BITS = 10
_LAST_BUCKET = HIGHEST_NS.bit_length() - (_STEPS_BITS + 1)

COUNTS_LEN = (_LAST_BUCKET + 2) << _STEPS_BITS
"""How many indices there are (28672); the last bucket reaches beyond HIGHEST_NS, to the next power of two."""


def indices_of(values_ns: ArrayLike) -> NDArray[np.int64]:
    """Return the index of each value.

    Args:
        values_ns: integers (ns, ≥ 0), any shape; those above HIGHEST_NS get the index of HIGHEST_NS.

    Returns:
        int64 indices, 0 ≤ index < COUNTS_LEN, of the same shape.

    Raises:
        ValueError: a value is negative.
    """
    values = np.asarray(values_ns, dtype=np.int64)
    if values.size and values.min() < 0:
        raise ValueError(f"a duration cannot be negative, but one is {values.min()} ns")
    values = np.minimum(values, HIGHEST_NS)
    # frexp's exponent *is* the bit length. Exact: every value fits a double's 53 bits, no logarithm rounds.
    bit_length = np.frexp(values.astype(np.float64))[1].astype(np.int64)
    bucket = np.maximum(bit_length - (_STEPS_BITS + 1), 0)
    indices: NDArray[np.int64] = (bucket << _STEPS_BITS) + (values >> bucket)
    return indices


def index_of(value_ns: int) -> int:
    """Return the index of one value, as :func:`indices_of`: a tenth of the time, where there is but one.

    Raises:
        ValueError: the value is negative.
    """
    if value_ns < 0:
        raise ValueError(f"a duration cannot be negative, but one is {value_ns} ns")
    value = min(value_ns, HIGHEST_NS)
    bucket = max(value.bit_length() - (_STEPS_BITS + 1), 0)
    return (bucket << _STEPS_BITS) + (value >> bucket)


def lowest_ns(indices: ArrayLike) -> NDArray[np.int64]:
    """Return the lowest value (ns) that each index stands for.

    Args:
        indices: integers in 0 ≤ index < COUNTS_LEN, any shape.

    Raises:
        ValueError: an index is outside that range.
    """
    checked, bucket = _buckets(indices)
    return (checked - (bucket << _STEPS_BITS)) << bucket


def highest_ns(indices: ArrayLike) -> NDArray[np.int64]:
    """Return the highest value (ns) that each index stands for; what quantiles report.

    Args and errors as in `lowest_ns`.
    """
    _, bucket = _buckets(indices)
    return lowest_ns(indices) + (1 << bucket) - 1


def median_ns(indices: ArrayLike) -> NDArray[np.int64]:
    """Return the middle (ns, rounded up) of the values that each index stands for; what means are made of.

    Args and errors as in `lowest_ns`.
    """
    _, bucket = _buckets(indices)
    return lowest_ns(indices) + ((1 << bucket) >> 1)


def sparse_counts(values_ns: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Count values by index, keeping only indices that occur: what a slice sends.

    Args:
        values_ns: integers (ns, ≥ 0), any shape.

    Returns:
        ascending unique indices, how often each occurs (both int64, same length), and the overflow: how
        many values were above HIGHEST_NS. Those are counted at HIGHEST_NS's index too: none goes missing.

    Raises:
        ValueError: a value is negative.
    """
    values = np.asarray(values_ns, dtype=np.int64)
    indices = indices_of(values).ravel()
    if not indices.size:
        return indices, indices.copy(), 0
    # Not np.unique, which sorts: a slice of a model of microseconds holds tens of thousands.
    first = int(indices.min())
    counts = np.bincount(indices - first)
    used = np.flatnonzero(counts)
    return used + first, counts[used].astype(np.int64), int(np.count_nonzero(values > HIGHEST_NS))


def _buckets(indices: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    checked = np.asarray(indices, dtype=np.int64)
    if checked.size and (checked.min() < 0 or checked.max() >= COUNTS_LEN):
        raise ValueError(f"a histogram index lies outside 0 to {COUNTS_LEN - 1}")
    # The first bucket holds 2048 steps, i.e. two lots of 1024; every other bucket holds one.
    bucket: NDArray[np.int64] = np.maximum((checked >> _STEPS_BITS) - 1, 0)
    return checked, bucket
