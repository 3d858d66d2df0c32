"""Our histogram against the hdrhistogram library: how many times its time each operation takes.

    python -m benchmarks.histogram [--repeats N]

Both sides of a pair run right after each other, again and again, and the ratio is taken within each repeat: a
machine that is busy or changes its clock hits both alike. 0.01 means: a hundredth of the library's time.
"""

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter_ns
from typing import Any

import numpy as np

from benchmarks.proof import CannotProve, Effort, Limit, Proof, judged, shown, stand_alone
from benchmarks.ratios import median_of
from latvar_tui import hdr_codec
from latvar_tui.axis import Axis
from latvar_tui.hdr_layout import HIGHEST_NS, LOWEST_NS, SIGNIFICANT_DIGITS
from latvar_tui.histogram import Histogram

try:
    from hdrh.histogram import HdrHistogram
except ImportError:
    HdrHistogram = None

CLAIM = (
    "What is done with a histogram in a gap takes a fraction of the time that the hdrhistogram library takes for it."
)
AIM = (
    "ours ÷ hdrhistogram: at most 0.5 for everything but encoding and decoding, which check more and are not done "
    "while anything is measured."
)

QS = [50.0, 90.0, 95.0, 99.0, 99.9, 99.99]
FASTER = Limit(high=0.5)


@dataclass(frozen=True)
class Plan:
    repeats: int


PLANS = {Effort.QUICK: Plan(10), Effort.DEFAULT: Plan(30), Effort.LONG: Plan(200)}


def prove(plan: Plan) -> Proof:
    """Measure and judge."""
    if HdrHistogram is None:
        raise CannotProve("The hdrhistogram library is not installed: pip install hdrhistogram.")
    rows = []
    for name, ours, theirs in pairs():
        found = median_of([nanoseconds(ours) / nanoseconds(theirs) for _ in range(plan.repeats)])
        coding = name.startswith(("encode", "decode"))
        rows.append(shown(name, found, digits=4) if coding else judged(name, found, FASTER, 4))
    return Proof("histogram", CLAIM, f"median of {plan.repeats} pairs; ours ÷ hdrhistogram", rows)


def pairs() -> list[tuple[str, Callable[[], Any], Callable[[], Any]]]:
    """Return what is compared: a name, our way, the library's way."""
    # Log-normal milliseconds with a few stalls: the shape that inferences have.
    random = np.random.default_rng(0)
    times = random.lognormal(np.log(5e6), 0.3, 20_000)
    times[random.random(times.size) < 0.01] *= 40
    many = times.astype(np.int64)
    slice_ns = many[:50]
    plain, plain_slice = many.tolist(), slice_ns.tolist()

    ours, theirs = Histogram(), HdrHistogram(LOWEST_NS, HIGHEST_NS, SIGNIFICANT_DIGITS)
    ours.record(many)
    record_all(theirs, plain)
    axis = Axis(1e6, 1e9, 120)
    counts = ours.counts
    text = ours.encode()

    # These grow by what they record, which costs neither side more.
    growing, growing_theirs = ours.copy(), HdrHistogram(LOWEST_NS, HIGHEST_NS, SIGNIFICANT_DIGITS)

    def renewed() -> Histogram:
        # A histogram remembers its quantiles until it changes; a slice changes it before each is asked for.
        ours.record(slice_ns[:1])
        return ours

    return [
        ("record 20 000 times", lambda: growing.record(many), lambda: record_all(growing_theirs, plain)),
        (
            "record 50 times (a slice)",
            lambda: growing.record(slice_ns),
            lambda: record_all(growing_theirs, plain_slice),
        ),
        ("one quantile", lambda: renewed().quantile_ns(99), lambda: theirs.get_value_at_percentile(99)),
        ("six quantiles", lambda: renewed().quantiles_ns(QS), lambda: theirs.get_percentile_to_value_dict(QS)),
        (
            "six quantiles (ours with 120 bars)",
            lambda: (renewed().quantiles_ns(QS), ours.bars(axis)),
            lambda: theirs.get_percentile_to_value_dict(QS),
        ),
        ("mean", ours.mean_ns, theirs.get_mean_value),
        ("encode, without the library", lambda: hdr_codec._encode_numpy(counts), theirs.encode),
        ("encode, through the library", ours.encode, theirs.encode),
        (
            "decode, without the library",
            lambda: hdr_codec._decode_numpy(text),
            lambda: HdrHistogram.decode(text),
        ),
        ("decode, through the library", lambda: hdr_codec.decode(text), lambda: HdrHistogram.decode(text)),
    ]


def record_all(histogram: Any, values_ns: list[int]) -> None:
    """Record one by one: the library has no bulk call."""
    for value in values_ns:
        histogram.record_value(value)


def nanoseconds(work: Callable[[], Any]) -> int:
    """Return how long `work` takes (ns)."""
    start = perf_counter_ns()
    work()
    return perf_counter_ns() - start


if __name__ == "__main__":
    stand_alone(__name__)
