"""What the study says in the words of the screen: short, and never more than it claims."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from functools import lru_cache

from latvar_tui.condition import Condition
from latvar_tui.format import quantile_name
from latvar_tui.study.conclusions import Groups, Reversal

_MOST_NAMED = 3


def condition_names(conditions: Sequence[Condition]) -> list[str]:
    """As short as they still differ: without the load where all stress has the same, nor what all have in common."""
    stressed = [condition for condition in conditions if not condition.is_idle]
    same_load = len({condition.load_pct for condition in stressed}) <= 1
    same_extras = len({tuple(condition.extras) for condition in conditions}) <= 1
    names = []
    for condition in conditions:
        stress, *extras = condition.title.split(",", 1)
        stress = stress.partition("@")[0] if same_load else stress
        names.append(stress if same_extras else ",".join([stress, *extras]))
    return names


@lru_cache(maxsize=64)
def wrapped(text: str, width: int) -> tuple[str, ...]:
    """Lines of at most so many cells, each with a blank before it; the later ones further in."""
    return tuple(textwrap.wrap(text, max(12, width - 1), initial_indent=" ", subsequent_indent="   "))


def told(reversals: Sequence[Reversal], names: Mapping[str, str]) -> list[str]:
    """Each change of places that is claimed, in a sentence; of several of a pair the one with the least stress."""
    seen: set[tuple[str, str]] = set()
    sentences = []
    for each in reversals:
        if (each.a, each.b) not in seen and each.a in names and each.b in names:
            seen.add((each.a, each.b))
            sentences.append(sentence(each, names))
    return sentences


def sentence(reversal: Reversal, names: Mapping[str, str]) -> str:
    """``a beats b when idle (p99: 12 % less) and loses under 2xcpu@100% (8 % more)``."""
    a, b = names[reversal.a], names[reversal.b]
    before, after = (
        "when idle" if condition.is_idle else f"under {condition.title}"
        for condition in (reversal.before, reversal.after)
    )
    less, more = 1 - 1 / reversal.ratio_before.value, 1 / reversal.ratio_after.value - 1
    return (
        f"{a} beats {b} {before} ({quantile_name(reversal.quantile)}: {100 * less:.0f} % less)"
        f" and loses {after} ({100 * more:.0f} % more)."
    )


def shorter(reversal: Reversal, names: Mapping[str, str]) -> list[str]:
    """The same in fewer and fewer words, for a line with little room."""
    a, b, quantile = names[reversal.a], names[reversal.b], quantile_name(reversal.quantile)
    before, after = condition_names([reversal.before, reversal.after])
    return [
        sentence(reversal, names),
        f"{a} beats {b} under {before} and loses under {after} ({quantile}).".replace("under idle", "when idle"),
        f"{quantile}: {a}, {b} change places, {before} to {after}.",
        f"{quantile}: places change, {before} to {after}.",
    ]


def orders(groups: Groups, names: Mapping[str, str]) -> str:
    """``a is best; slower: b, c``; candidates that cannot be told apart are joined by ``or``."""
    best = [names[name] for name in groups.best if name in names]
    worse = [names[name] for name in groups.worse if name in names]
    if not best:
        return ""
    if len(best) == 1:
        return f"{best[0]} is best" + (f"; slower: {', '.join(worse)}" if worse else "")
    apart = " or ".join(best) if len(best) <= _MOST_NAMED else f"{len(best)} candidates"
    return f"{apart}: not told apart yet" + (f"; slower: {', '.join(worse)}" if worse else "")
