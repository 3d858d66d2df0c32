"""How many queries a quantile needs before anybody may rely on it: MLPerf's early stopping.

With a quantile p, a confidence c and t queries that took too long, the fewest n of which it may be said that at most
1 - p take too long: the smallest with P[Binomial(n, 1 - p) ≤ t] ≤ 1 - c (MLCommons, inference_rules.adoc, appendix
"Early Stopping"; there as a regularised incomplete beta function). It assumes queries that know nothing of each other,
so with latencies that come in bursts it is *effective* ones that are to be counted.
"""

from __future__ import annotations

import math
from functools import lru_cache

CONFIDENCE = 0.99


@lru_cache(maxsize=64)
def fewest_queries(p: float, overlatency: int = 1, confidence: float = CONFIDENCE) -> int:
    """The fewest queries at quantile ``p`` (0 to 1), of which ``overlatency`` may take too long."""
    low, high = overlatency, overlatency + 1
    while not _is_enough(high, p, overlatency, confidence):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        if _is_enough(middle, p, overlatency, confidence):
            high = middle
        else:
            low = middle
    return high


def _is_enough(queries: int, p: float, overlatency: int, confidence: float) -> bool:
    """The sum of a few terms, each through logarithms: no factorial overflows."""
    total = 0.0
    for late in range(overlatency + 1):
        ways = math.lgamma(queries + 1) - math.lgamma(late + 1) - math.lgamma(queries - late + 1)
        total += math.exp(ways + late * math.log1p(-p) + (queries - late) * math.log(p))
    return total <= 1 - confidence
