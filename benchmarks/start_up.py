"""How long until something shows, and until a number does, beside system monitors.

    python -m benchmarks.start_up [--repeats 10]

From the start of the process to the first text on the terminal, and (ours) to the first measured p50; by turns. The
others' first text is mostly numbers already. Files are in the system's cache: the first start of a day takes longer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from benchmarks.others import OURS, OnTerminal, installed, missing, running, screens
from benchmarks.proof import CannotProve, Effort, Limit, Proof, Row, judged, shown, skipped, stand_alone
from benchmarks.ratios import mean_ratio, median_of

CLAIM = "One sees something, and a first number, soon after the start."
AIM = "first text within 1 s, first number within 2 s on a machine like ours; btop, htop and s-tui for comparison."

TEXT, NUMBER = Limit(high=1, unit=" s"), Limit(high=2, unit=" s")
MOST_S = 20.0
FIRST_NUMBER = re.compile(r"p50 +[0-9]+\.?[0-9]* +ms")


@dataclass(frozen=True)
class Plan:
    repeats: int


PLANS = {Effort.QUICK: Plan(2), Effort.DEFAULT: Plan(10), Effort.LONG: Plan(40)}


def first(program: OnTerminal, pattern: re.Pattern[str]) -> float | None:
    """After how many seconds it was seen; None: not yet."""
    for at_s, text in screens(program.chunks):
        if pattern.search(text):
            return at_s - program.began_s
    return None


def measure(name: str) -> dict[str, float]:
    """One start."""
    wanted = {"text": re.compile(r"\S")}
    if name == OURS:
        wanted["number"] = FIRST_NUMBER
    with running(name) as program:
        patience_s = 1.5 if name == OURS else 0.5  # looking at it would disturb it
        while True:
            program.watch(patience_s)
            found = {what: first(program, pattern) for what, pattern in wanted.items()}
            seen = {what: at_s for what, at_s in found.items() if at_s is not None}
            if len(seen) == len(wanted):
                return seen
            patience_s = 1.0
            if (program.chunks and program.chunks[-1][0] - program.began_s > MOST_S) or not program.chunks:
                raise CannotProve(f"{name} showed nothing that could be read in its first seconds.")


def prove(plan: Plan) -> Proof:
    """Measure and judge."""
    there = installed()
    starts: dict[str, list[dict[str, float]]] = {name: [] for name in (OURS, *there)}
    rows: list[Row] = []
    unseen: dict[str, str] = {}
    for repeat in range(plan.repeats + 1):
        for name, found in starts.items():
            if name in unseen:
                continue
            try:
                start = measure(name)
            except CannotProve as error:
                if name == OURS:
                    raise
                unseen[name] = str(error)
            else:
                if repeat:  # the first one fills the system's cache
                    found.append(start)
    ours = starts.pop(OURS)
    rows.append(judged("first text", median_of([one["text"] for one in ours]), TEXT))
    rows.append(judged("first number", median_of([one["number"] for one in ours]), NUMBER))
    for name, found in starts.items():
        if name in unseen:
            rows.append(skipped(name, unseen[name]))
            continue
        rows.append(shown(f"{name} {there[name]}: first text", median_of([one["text"] for one in found]), " s"))
        for what in ("text", "number"):
            pairs = [(a[what], b["text"]) for a, b in zip(ours, found, strict=True)]
            rows.append(shown(f"our first {what} ÷ {name}'s first text", mean_ratio(pairs)))
    rows += [skipped(name, why) for name, why in missing(there).items()]
    return Proof("start_up", CLAIM, f"{plan.repeats} starts of each, by turns, after one; 120×40; medians", rows)


if __name__ == "__main__":
    stand_alone(__name__)
