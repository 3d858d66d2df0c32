"""What the instrument and the platform themselves take: a graph that does nothing, and how late a sleep ends.

    python -m benchmarks.control [--rounds 8] [--seconds 0.5] [--threads 0 2 4]

One probe, the candidates ``null`` (on one thread) and ``hiccup`` in turns, under each number of stress threads in every
round, and beside them the zoo's fastest model: of ``null`` what a call costs, of ``hiccup`` lateness.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.gated import slices_of
from benchmarks.proof import Effort, Limit, Proof, Row, judged, shown, stand_alone
from benchmarks.ratios import Interval, Side, median_of, quantile, ratio
from latvar_tui import wire
from latvar_tui.condition import Condition
from latvar_tui.histogram import Histogram
from latvar_tui.link import Link

CLAIM = "What a call itself costs is small beside the fastest model; how late a sleep ends tells the platform's share."
AIM = "idle p50 of null at most 1 % of the zoo's fastest model's; lateness is shown, under 0, 2 and 4 stress threads."

NULL, HICCUP, MODEL = "null@threads=1,spin=on", "hiccup", "mobilenet_v3_small@threads=1,spin=on"
CANDIDATES = (NULL, HICCUP, MODEL)
LIMIT = Limit(high=1, unit=" %")


@dataclass(frozen=True)
class Plan:
    rounds: int
    seconds: float
    """Of each candidate under each number of stress threads, in each round."""
    threads: tuple[int, ...]


PLANS = {
    Effort.QUICK: Plan(5, 0.25, (0, 2)),
    Effort.DEFAULT: Plan(8, 0.5, (0, 2, 4)),
    Effort.LONG: Plan(60, 1.0, (0, 1, 2, 4)),
}


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
        for frame in slices_of(self._link):
            self._seq = frame.seq
            if frame.condition == str(condition):
                found[frame.candidate].add_counts(frame.service)
                measured_ns += frame.end_ns - frame.start_ns
            if measured_ns >= len(CANDIDATES) * seconds * 1e9 and all(histogram.total for histogram in found.values()):
                return found
        raise AssertionError("frames end with an exception")

    def close(self) -> None:
        self._link.close()


def share_pct(sides: Sequence[Side]) -> Interval:
    """p50 of ``null`` in percent of the model's, in the same rounds."""
    found = ratio([({"p50": side[NULL]}, {"p50": side[MODEL]}) for side in sides], quantile(50.0))
    return Interval(100 * found.value, 100 * found.low, 100 * found.high, found.n)


def _us(sides: Sequence[Side], name: str, q: float) -> Interval:
    """The median of the rounds' quantiles, µs: a round in which something else ran does not move it."""
    return median_of([(side[name].quantile_ns(q) or float("nan")) / 1e3 for side in sides])


def prove(plan: Plan) -> Proof:
    """Measure and judge."""
    conditions = [Condition(threads) for threads in plan.threads]
    rounds: list[dict[Condition, Side]] = []
    session = Session()
    try:
        for _ in range(plan.rounds):
            rounds.append({condition: session.measure(condition, plan.seconds) for condition in conditions})
    finally:
        session.close()
    rows: list[Row] = []
    for condition in conditions:
        sides = [each[condition] for each in rounds]
        threads = condition.stress_threads
        where = "idle" if not threads else f"{threads} stress thread{'s' * (threads > 1)}"
        if condition.is_idle:
            label = f"{where}: p50 of null as a share of that of {MODEL.partition('@')[0]}"
            rows.append(judged(label, share_pct(sides), LIMIT))
        for name in ("null", "hiccup"):
            what, candidate = ("a call of null", NULL) if name == "null" else ("lateness of hiccup", HICCUP)
            for q in (50.0, 99.0):
                rows.append(shown(f"{where}: {what}, p{q:g}", _us(sides, candidate, q), " µs", 1))
    how = f"{plan.rounds} rounds of {plan.seconds:g} s a candidate under each; times: median of the rounds' quantiles"
    return Proof("control", CLAIM, how, rows)


if __name__ == "__main__":
    stand_alone(__name__)
