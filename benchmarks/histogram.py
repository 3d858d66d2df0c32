"""Our histogram against the hdrhistogram library: how many times its time each operation takes.

    python -m benchmarks.histogram [--repeats N]

Both sides of a pair run right after each other, again and again, and the ratio is taken within each repeat: a
machine that is busy or changes its clock hits both alike. Printed are the median ratio and the middle half of
the ratios. 0.01 means: a hundredth of the library's time.
"""

import argparse
from collections.abc import Callable
from time import perf_counter_ns
from typing import Any

import numpy as np
from hdrh.histogram import HdrHistogram

from latvar_tui import hdr_codec
from latvar_tui.axis import Axis
from latvar_tui.hdr_layout import HIGHEST_NS, LOWEST_NS, SIGNIFICANT_DIGITS
from latvar_tui.histogram import Histogram

QS = [50.0, 90.0, 95.0, 99.0, 99.9, 99.99]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--repeats", type=int, default=30, help="pairs per operation (default %(default)s)")
    repeats = parser.parse_args().repeats

    print(f"{'ours ÷ hdrhistogram':<36}{'median':>10}{'middle half':>20}")
    for name, ours, theirs in pairs():
        ratios = [nanoseconds(ours) / nanoseconds(theirs) for _ in range(repeats)]
        quarter, half, three_quarters = np.percentile(ratios, [25, 50, 75])
        print(f"{name:<36}{half:>10.4f}{quarter:>11.4f}–{three_quarters:.4f}")


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
    assert ours.quantiles_ns(QS) == [theirs.get_value_at_percentile(q) for q in QS]
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
    main()
