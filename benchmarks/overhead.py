"""Overhead: latencies as recorded against a bare ONNX Runtime loop, for each model of the zoo.

    python -m benchmarks.overhead [--pairs 5] [--seconds 0.5] [--models MODEL ...]

Two processes of one model live side by side and take turns: the instrument (runner, probe, link), held in
between; and a loop with two reads of the clock and nothing else, stopped in between.
"""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.proof import Effort, Limit, Proof, Row, judged, stand_alone
from benchmarks.ratios import quantile, ratio
from benchmarks.sides import Bare, Recorded, alternate
from latvar_tui import zoo

CLAIM = "An inference takes as long when the instrument records it as in a bare loop."
AIM = "recorded ÷ bare: p50 within 0.98 to 1.02, p90 and p99 within 0.9 to 1.1, for every model of the zoo."

LIMITS = {50.0: Limit(0.98, 1.02), 90.0: Limit(0.9, 1.1), 99.0: Limit(0.9, 1.1)}


@dataclass(frozen=True)
class Plan:
    pairs: int
    seconds: float
    models: tuple[str, ...]


ALL = tuple(zoo.catalogue())
PLANS = {
    Effort.QUICK: Plan(5, 0.3, zoo.DEFAULT_LINE_UP[:2]),
    Effort.DEFAULT: Plan(5, 0.5, ALL),
    Effort.LONG: Plan(30, 1.0, ALL),
}


def prove(plan: Plan) -> Proof:
    """Measure and judge."""
    rows: list[Row] = []
    for model in plan.models:
        recorded, bare = Recorded(model), Bare(model)
        try:
            pairs = [({model: a}, {model: b}) for a, b in alternate(recorded, bare, plan.pairs, plan.seconds)]
        finally:
            recorded.close()
            bare.close()
        rows += [judged(f"{model}, p{q:g}", ratio(pairs, quantile(q)), limit) for q, limit in LIMITS.items()]
    return Proof("overhead", CLAIM, f"{plan.pairs} pairs of {plan.seconds:g} s each, idle; recorded ÷ bare", rows)


if __name__ == "__main__":
    stand_alone(__name__)
