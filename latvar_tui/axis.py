"""A plot's time axis, and which of its columns each histogram bucket is drawn in."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from latvar_tui.hdr_layout import COUNTS_LEN, index_of, median_ns


@dataclass(frozen=True)
class Axis:
    """The time axis of a plot: `columns` bins between two durations.

    Make one, keep it while its bounds last: the first bars drawn on it work out which bucket falls into which
    column (about a millisecond), all later ones look it up.

    Attributes:
        low_ns: left end (ns), ≥ 0; > 0 on a logarithmic axis.
        high_ns: right end (ns), > low_ns.
        columns: how many bins, ≥ 1.
        log: bins of equal ratio, else of equal width.

    Raises:
        ValueError: the attributes are not in these ranges.
    """

    low_ns: float
    high_ns: float
    columns: int
    log: bool = True

    def __post_init__(self) -> None:
        if not 0 <= self.low_ns < self.high_ns < np.inf:
            raise ValueError(f"an axis cannot go from {self.low_ns} to {self.high_ns} ns")
        if self.log and self.low_ns == 0:
            raise ValueError("a logarithmic axis cannot begin at 0")
        if self.columns < 1:
            raise ValueError(f"an axis cannot have {self.columns} columns")

    @cached_property
    def edges_ns(self) -> NDArray[np.float64]:
        """The bounds of the columns (ns), ascending: columns + 1 of them."""
        space = np.geomspace if self.log else np.linspace
        edges: NDArray[np.float64] = space(self.low_ns, self.high_ns, self.columns + 1)
        return edges

    @cached_property
    def column_of_bucket(self) -> NDArray[np.intp]:
        """For each of the COUNTS_LEN indices the column in which the bucket's middle lies.

        What is left of the axis goes to the first column, what is right of it to the last.
        """
        middles_ns = median_ns(np.arange(COUNTS_LEN))
        return np.clip(np.searchsorted(self.edges_ns, middles_ns, side="right") - 1, 0, self.columns - 1)

    def column_of(self, value_ns: int) -> int:
        """Return the column (0 to columns - 1) in which observations of `value_ns` are drawn.

        It goes by the value's bucket, so that a quantile's mark stands on the bar that holds it.

        Raises:
            ValueError: the value is negative.
        """
        return int(self.column_of_bucket[index_of(value_ns)])
