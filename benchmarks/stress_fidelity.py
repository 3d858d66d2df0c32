"""Do our stress threads press as hard as stress-ng's? The same model under both, taking turns.

    python -m benchmarks.stress_fidelity [--pairs 18] [--seconds 0.75] [--threads 1 2 4] [--models MODEL[@settings] ...]

Needs stress-ng. Under contention a distribution has two humps (preempted or not), and a median that falls between them
jumps: there the mean and the share of slow inferences, above twice the idle median, say more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.gated import slices_of
from benchmarks.proof import CannotProve, Effort, Limit, Proof, Row, UnderStress, judged, shown, stand_alone
from benchmarks.ratios import Side, mean, mean_of, mean_ratio, quantile, ratio, twice_median_ns
from latvar_tui import wire
from latvar_tui.candidate import Candidate, parse_candidates
from latvar_tui.condition import Condition
from latvar_tui.device.cores import physical_cores
from latvar_tui.device.stress_ng import known
from latvar_tui.link import Link
from latvar_tui.study.board import Board

CLAIM = "Our cpu stress threads press as hard on a model as as many of stress-ng's."
AIM = (
    "under N of ours ÷ under stress-ng --cpu N: p50, mean and share of slow inferences within 0.95 to 1.05, "
    "for N = 1, 2 and 4."
)

LIMIT = Limit(0.95, 1.05)
KINDS = ("cpu", "stress-ng:cpu")


@dataclass(frozen=True)
class Stretch:
    """What was measured in one stretch under one kind of stress."""

    histograms: Side
    cores: float

    def slow(self, limits_ns: Mapping[str, float]) -> float:
        """The share of inferences above the candidates' limits, mean over the candidates."""
        shares = [h.count_beyond(round(limits_ns[name])) / h.total for name, h in self.histograms.items()]
        return sum(shares) / len(shares)


class Bench:
    """One probe, whose condition changes from stretch to stretch."""

    def __init__(self, candidates: list[Candidate]) -> None:
        self._candidates = candidates
        self._link = Link(force=True)
        self._link.send(wire.Start([str(candidate) for candidate in candidates], "0xcpu@100%", 250.0))
        self._link.send(wire.Go(0))
        self._slices = slices_of(self._link)

    def measure(self, condition: Condition, seconds: float) -> Stretch:
        """Measure every candidate, for so long in all; the slices before ``condition`` is reached do not count."""
        self._link.send(wire.SetCondition(str(condition)))
        board = Board(self._candidates)
        counted_ns = 0
        for frame in self._slices:
            if frame.condition == str(condition) and (condition.is_idle or frame.stress_cpu.value is not None):
                board.take(frame)
                counted_ns += frame.end_ns - frame.start_ns
                cells = {contender.id: cell for contender, _, cell in board.cells() if cell.service.total}
                if counted_ns >= seconds * 1e9 and len(cells) == len(self._candidates):
                    break
        cores = [cell.stress_cores or 0.0 for cell in cells.values()]
        return Stretch(
            {name: cell.service for name, cell in cells.items()},
            sum(cores) / len(cores),
        )

    def close(self) -> None:
        self._link.close()


MODELS = ("squeezenet1_1@threads=1", "squeezenet1_1")
PLANS = {
    Effort.QUICK: UnderStress(5, 0.75, (2,), MODELS),
    Effort.DEFAULT: UnderStress(18, 0.75, (1, 2, 4), MODELS),
    Effort.LONG: UnderStress(160, 0.75, (1, 2, 4), MODELS),
}


def prove(plan: UnderStress) -> Proof:
    """Measure and judge."""
    if not known():
        raise CannotProve("stress-ng is not installed: install it to compare with it.")
    candidates = parse_candidates(plan.models, physical_cores())
    rows: list[Row] = []
    bench = Bench(candidates)
    try:
        limits_ns = twice_median_ns(bench.measure(Condition(), 2.0).histograms)
        for threads in plan.threads:
            pairs: list[tuple[Stretch, Stretch]] = []
            for pair in range(plan.pairs):
                order = KINDS if pair % 2 == 0 else KINDS[::-1]
                found = {kind: bench.measure(Condition(threads, kind), plan.seconds) for kind in order}
                pairs.append((found[KINDS[0]], found[KINDS[1]]))
            sides = [(ours.histograms, theirs.histograms) for ours, theirs in pairs]
            where = f"{threads} stress thread{'s' * (threads > 1)}"
            rows.append(judged(f"{where}, p50", ratio(sides, quantile(50.0)), LIMIT))
            rows.append(judged(f"{where}, mean", ratio(sides, mean), LIMIT))
            # Of the models together: one that is hardly ever preempted would have next to nothing to divide by.
            slow = [(ours.slow(limits_ns), theirs.slow(limits_ns)) for ours, theirs in pairs]
            shares = " and ".join(f"{100 * mean_of([pair[side] for pair in slow]).value:.1f} %" for side in (0, 1))
            rows.append(judged(f"{where}, share above twice the idle median ({shares})", mean_ratio(slow), LIMIT))
            rows.append(shown(f"{where}, cores that they got", mean_ratio([(a.cores, b.cores) for a, b in pairs])))
            cores = (mean_of([pair[side].cores for pair in pairs]).value for side in (0, 1))
            rows.append(
                shown(f"{where}, these cores, ours and stress-ng's", " and ".join(f"{one:.2f}" for one in cores))
            )
    finally:
        bench.close()
    how = f"{plan.pairs} pairs of {plan.seconds:g} s; ours ÷ stress-ng's, {', '.join(map(str, candidates))}"
    return Proof("stress_fidelity", CLAIM, how, rows)


if __name__ == "__main__":
    stand_alone(__name__)
