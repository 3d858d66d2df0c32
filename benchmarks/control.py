"""What the instrument and the platform themselves take: a graph that does nothing, and how late a sleep ends.

    python -m benchmarks.control [--rounds 5] [--seconds 2] [--threads 0,2,4]

One probe, the candidates ``null`` (on one thread) and ``hiccup`` in turns, under each number of stress threads in every
round. Prints their times in µs: of ``null`` what a call costs, of ``hiccup`` lateness; and each as a multiple of its
own without stress, with a 95 % interval over rounds.

Limit: p50 of ``null`` without stress below 1 % of the p50 of the zoo's fastest model, which is measured beside it.
"""

from __future__ import annotations

import argparse

from benchmarks.ratios import Side, machine, quantile_ratio
from latvar_tui import wire
from latvar_tui.condition import Condition
from latvar_tui.histogram import Histogram
from latvar_tui.link import Link

NULL, HICCUP, MODEL = "null@threads=1,spin=on", "hiccup", "mobilenet_v3_small@threads=1,spin=on"
CANDIDATES = (NULL, HICCUP, MODEL)
LIMIT = 0.01


class Session:
    """One probe on the three, gated by us."""

    def __init__(self) -> None:
        self._link = Link(force=True)
        self._link.send(wire.Start(CANDIDATES, str(Condition())))
        self._link.send(wire.Go(0))
        self._seq = 0

    def measure(self, condition: Condition, seconds: float) -> Side:
        """Slices of about so many seconds each, under ``condition``; those before it is reached count for nobody."""
        found = {name: Histogram() for name in CANDIDATES}
        measured_ns = 0
        self._link.send(wire.SetCondition(str(condition)))
        self._link.send(wire.Go(self._seq))
        for frame in self._link.frames():
            if isinstance(frame, wire.Failure) or (isinstance(frame, wire.State) and frame.reason):
                raise SystemExit(str(frame))
            if isinstance(frame, wire.State) and frame.ask:
                self._link.send(wire.Drawn(frame.ask))
            if not isinstance(frame, wire.Slice):
                continue
            self._seq = frame.seq
            if frame.condition == str(condition):
                indices, counts = [p[0] for p in frame.service.pairs], [p[1] for p in frame.service.pairs]
                found[frame.candidate].add_sparse(
                    indices, counts, min_ns=frame.service.min_ns, max_ns=frame.service.max_ns,
                    overflow=frame.service.overflow,
                )  # fmt: skip
                measured_ns += frame.end_ns - frame.start_ns
            if measured_ns >= len(CANDIDATES) * seconds * 1e9 and all(histogram.total for histogram in found.values()):
                return found
            self._link.send(wire.Go(frame.seq))
        raise SystemExit("the probe has ended")

    def close(self) -> None:
        self._link.close()


def _pooled(sides: list[Side], name: str) -> Histogram:
    pooled = Histogram()
    for side in sides:
        pooled.add(side[name])
    return pooled


def _us(histogram: Histogram, quantile: float) -> str:
    value_ns = histogram.quantile_ns(quantile)
    return "–" if value_ns is None else f"{value_ns / 1e3:.1f}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each candidate under each condition (default 2)")
    parser.add_argument("--threads", default="0,2,4", help="numbers of stress threads (default 0,2,4)")
    options = parser.parse_args()
    conditions = [Condition(int(number)) for number in options.threads.split(",")]
    rounds: list[dict[Condition, Side]] = []
    session = Session()
    try:
        for _ in range(options.rounds):
            rounds.append({condition: session.measure(condition, options.seconds) for condition in conditions})
    finally:
        session.close()
    print(f"{machine()}; {options.rounds} rounds of {options.seconds:g} s a candidate; µs")
    print("| stress threads | candidate | p50 | p99 | p50 ÷ without | p99 ÷ without | inferences |")
    print("|---|---|---|---|---|---|---|")
    for condition in conditions:
        for name in (NULL, HICCUP):
            pooled = _pooled([each[condition] for each in rounds], name)
            pairs = [({name: each[condition][name]}, {name: each[conditions[0]][name]}) for each in rounds]
            same = condition == conditions[0]
            ratios = ["–" if same else str(quantile_ratio(pairs, quantile)) for quantile in (50.0, 99.0)]
            cells = [str(condition.stress_threads), name, _us(pooled, 50.0), _us(pooled, 99.0), *ratios]
            print(f"| {' | '.join(cells)} | {pooled.total} |")
    first = [each[conditions[0]] for each in rounds]
    share = quantile_ratio([({"p50": side[NULL]}, {"p50": side[MODEL]}) for side in first], 50.0)
    print(f"null ÷ {MODEL.partition('@')[0]}, p50 under {conditions[0].title}: {share} (limit {LIMIT:g})")


if __name__ == "__main__":
    main()
