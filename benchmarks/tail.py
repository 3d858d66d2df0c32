"""The tail under stress, as the instrument records it, against an independent observer.

    python -m benchmarks.tail [--pairs 9] [--seconds 0.75] [--threads 1 2 4] [--models MODEL ...]

The observer is a process with a bare loop: two reads of ``perf_counter_ns`` around one ``run``, no schedstat, no
freezing and no turns within a stretch. Each side has a stressor process, of the same code and in the same session,
because the probe's is frozen while the probe is held: the instrument's is frozen in every gap as it always is, the
observer's runs through the stretch. So what is compared is what a user sees against what would happen without us.
"""

from __future__ import annotations

from benchmarks.proof import Effort, Limit, Proof, Row, UnderStress, judged, shown, stand_alone
from benchmarks.ratios import mean, pooled, quantile, ratio, share_beyond, twice_median_ns
from benchmarks.sides import Bare, Recorded, alternate
from latvar_tui.condition import Condition

CLAIM = "The instrument does not hide the tail: a bare loop in another process, under the same stress, finds the same."
AIM = "recorded ÷ bare: p95, p99, mean and share of slow inferences within 0.9 to 1.1, under 1, 2 and 4 stress threads."

LIMIT = Limit(0.9, 1.1)


MODELS = ("squeezenet1_1", "mobilenet_v3_large@threads=1")
PLANS = {
    Effort.QUICK: UnderStress(6, 0.5, (2,), MODELS[:1]),
    Effort.DEFAULT: UnderStress(9, 0.75, (1, 2, 4), MODELS),
    Effort.LONG: UnderStress(60, 1.0, (1, 2, 4), MODELS),
}


def measured(model: str, condition: Condition, plan: UnderStress) -> list[tuple[dict, dict]]:  # type: ignore[type-arg]
    recorded, bare = Recorded(model, condition), Bare(model, condition)
    try:
        return [({model: a}, {model: b}) for a, b in alternate(recorded, bare, plan.pairs, plan.seconds)]
    finally:
        recorded.close()
        bare.close()


def prove(plan: UnderStress) -> Proof:
    """Measure and judge."""
    rows: list[Row] = []
    for model in plan.models:
        bare = Bare(model)
        try:
            bare.measure(plan.seconds)
            limits_ns = twice_median_ns({model: bare.measure(2 * plan.seconds)})
        finally:
            bare.close()
        slow = share_beyond(limits_ns)
        for threads in plan.threads:
            pairs = measured(model, Condition(threads), plan)
            where = f"{model}, {threads} stress thread{'s' * (threads > 1)}"
            rows += [judged(f"{where}, p{q:g}", ratio(pairs, quantile(q)), LIMIT) for q in (95.0, 99.0)]
            rows.append(judged(f"{where}, mean", ratio(pairs, mean), LIMIT))
            rows.append(judged(f"{where}, share above twice the idle median", ratio(pairs, slow), LIMIT))
            shares = []
            for side in (0, 1):
                histogram = pooled([pair[side] for pair in pairs])[model]
                beyond = histogram.count_beyond(round(limits_ns[model]))
                shares.append(f"{100 * beyond / histogram.total:.1f} %")
            rows.append(shown(f"{where}, that share itself, recorded and bare", " and ".join(shares)))
    return Proof("tail", CLAIM, f"{plan.pairs} pairs of {plan.seconds:g} s each; recorded ÷ bare", rows)


if __name__ == "__main__":
    stand_alone(__name__)
