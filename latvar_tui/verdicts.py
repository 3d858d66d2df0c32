"""What the study says, in sentences that a person can repeat.

One sentence for each pair that changes places, or one on there being none; then, for each condition, who is fastest;
then what else is open. A claim is the study's: nothing is said here that is not claimed there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations

from latvar_tui.condition import Condition
from latvar_tui.format import ms, plural, quantile_name
from latvar_tui.study.board import Board, Contender
from latvar_tui.study.claims import QUANTILES
from latvar_tui.study.conclusions import COMPARED, Pair, Ratio, Reversal

_MOST_OPEN = 3
_SAME = 0.01
"""Two ratios that differ by less are one, by another way of rounding."""


def verdicts(board: Board, quantiles: Sequence[float]) -> list[str]:
    """Sentences on the board's candidates at each of these quantiles (percent): reversals, ranking, what is open."""
    lines = []
    for quantile in dict.fromkeys(quantiles):
        if quantile not in QUANTILES:
            lines.append(f"No verdict at {quantile_name(quantile)}: the study compares {COMPARED}.")
        elif len(board.rivals) > 1:
            lines += reversals(board, quantile) or no_reversal(board, quantile)
            lines += [*rankings(board, quantile), *still_open(board, quantile)]
    return lines


def conclusions(board: Board, ranked_by: float, deadline_ns: int | None) -> list[str]:
    """What stands below the tables: at the median and at the quantile that is ranked by, and who keeps the deadline."""
    lines = verdicts(board, (50.0, ranked_by))
    return lines if deadline_ns is None else [*lines, *advice(board, deadline_ns, ranked_by)]


# -- reversals ----------------------------------------------------------------------------------------------


def reversals(board: Board, quantile: float) -> list[str]:
    """One for each pair that changes places: where the one wins first, and from where on it loses."""
    names = {contender.id: contender.name for contender in board.rivals}
    told: dict[frozenset[str], Reversal] = {}
    for reversal in board.study.reversals([quantile]):
        if reversal.a in names and reversal.b in names:
            told.setdefault(frozenset((reversal.a, reversal.b)), reversal)
    return [_reversal_text(board, names, reversal) for reversal in told.values()]


def no_reversal(board: Board, quantile: float) -> list[str]:
    """Whether there is none, or none so far; nothing with one condition, where none can be."""
    conditions = board.conditions
    if len(conditions) < 2:
        return []
    pairs = list(combinations([one.id for one in board.rivals], 2))
    study, at = board.study, quantile_name(quantile)
    still = sum(not all(study.pair(a, b, one, quantile).is_decided for one in conditions) for a, b in pairs)
    if still:
        what = "the pair is" if len(pairs) == 1 else f"{still} of {len(pairs)} pairs {'is' if still == 1 else 'are'}"
        return [f"No reversal found at {at} so far: {what} not decided under every condition."]
    every = "the pair" if len(pairs) == 1 else "every pair"
    where = "both conditions" if len(conditions) == 2 else f"all {len(conditions)} conditions"
    return [f"No reversal at {at}: {every} is decided under {where}, and the order stays."]


def _reversal_text(board: Board, names: dict[str, str], found: Reversal) -> str:
    a, b = names[found.a], names[found.b]
    before = _both_ms(board, found.a, found.b, found.before, found.quantile)
    after = _both_ms(board, found.a, found.b, found.after, found.quantile)
    return (
        f"{a} beats {b} {_when(found.before)} ({quantile_name(found.quantile)} {before}, {change(found.ratio_before)}) "
        f"and loses {_from(board, found)} ({after}, {change(found.ratio_after)})."
    )


def _from(board: Board, found: Reversal) -> str:
    """``from 2 stress threads``, if it holds at all levels above; else ``under 2 stress threads``."""
    kind = found.after
    above = [
        condition
        for condition in board.study.conditions
        if condition.stress_threads > kind.stress_threads and _alike(condition, kind)
    ]
    holds = [board.study.pair(found.a, found.b, condition, found.quantile).faster == found.b for condition in above]
    return f"from {_threads(kind)}" if above and all(holds) and _is_plain(kind) else _when(kind)


def change(ratio: Ratio) -> str:
    """By how much a is slower (+) or faster (−) than b, of b over a: ``−12 % [−14, −10]``."""
    value = f"{_signed(1 / ratio.value - 1)} %"
    if ratio.low is None or ratio.high is None:
        return value
    return f"{value} [{_signed(1 / ratio.high - 1)}, {_signed(1 / ratio.low - 1)}]"


def _signed(share: float) -> str:
    percent = 100 * share
    text = f"{abs(percent):.0f}" if 9.95 <= abs(percent) < 99 or abs(percent) >= 100 else f"{abs(percent):.1f}"
    return f"{'−' if percent < 0 else '+'}{text}"


def _both_ms(board: Board, a: str, b: str, condition: Condition, quantile: float) -> str:
    """``45 against 51 ms``: as the table shows them, unless their ratio is of other rounds, and another one."""
    of_a, of_b = (_quantile_ns(board, name, condition, quantile) for name in (a, b))
    pair, common = board.study.pair(a, b, condition, quantile), board.study.common_ns(a, b, condition, quantile)
    if of_a and of_b and pair.ratio and common and abs(of_b / of_a / pair.ratio.value - 1) > _SAME:
        of_a, of_b = common
    return f"{ms(of_a)} against {ms(of_b)} ms"


def _quantile_ns(board: Board, candidate: str, condition: Condition, quantile: float) -> float | None:
    """As the table shows it."""
    for contender in board.contenders:
        cell = board.cell(contender, condition) if contender.id == candidate else None
        if cell is not None:
            return cell.latency.quantile_ns(quantile)
    return None


# -- conditions in words ------------------------------------------------------------------------------------


def _is_plain(condition: Condition) -> bool:
    return condition == Condition(condition.stress_threads)


def _alike(one: Condition, other: Condition) -> bool:
    """Whether they differ in the number of stress threads alone."""
    return one.kind == other.kind and one.load_pct == other.load_pct and one.extras == other.extras


def _threads(condition: Condition) -> str:
    return f"{condition.stress_threads} stress thread{'' if condition.stress_threads == 1 else 's'}"


def _when(condition: Condition) -> str:
    """``when idle``, ``under 2 stress threads``, ``under 2xmem@50%``."""
    if not _is_plain(condition):
        return f"{'when' if condition.is_idle else 'under'} {condition.title}"
    return "when idle" if condition.is_idle else f"under {_threads(condition)}"


# -- rankings -----------------------------------------------------------------------------------------------


def rankings(board: Board, quantile: float) -> Iterator[str]:
    """Who is fastest under each condition, and by how much."""
    names = {contender.id: contender.name for contender in board.rivals}
    for condition in board.conditions:
        groups = board.study.groups(condition, quantile, list(names))
        if len(groups.best) + len(groups.worse) < 2:
            continue
        where = f"{_when(condition)} at {quantile_name(quantile)}"
        best = groups.best
        if len(best) > 1:
            verb = "is" if len(groups.worse) == 1 else "are"
            beaten = f"; {_listed(names[name] for name in groups.worse)} {verb} slower" if groups.worse else ""
            yield f"{_listed(names[name] for name in best)} {_alike_text(board, best, condition, quantile)}{beaten}."
            continue
        pairs = (board.study.pair(best[0], name, condition, quantile) for name in groups.worse)
        pair = next(pair for pair in pairs if pair.faster == best[0])
        yield f"{names[best[0]]} is the fastest {where}, before {names[pair.b]} ({_compared(board, pair)})."


def _alike_text(board: Board, best: Sequence[str], condition: Condition, quantile: float) -> str:
    """What is known of those of which none is claimed to be slower than another."""
    study, where = board.study, f"{_when(condition)} at {quantile_name(quantile)}"
    pairs = [study.pair(a, b, condition, quantile) for a, b in combinations(best, 2)]
    waits = [pair.more_s for pair in pairs if not pair.is_settled(study.precision)]
    times = [more(min((wait for wait in waits if wait is not None), default=None))] if waits else []
    if all(pair.provisional for pair in pairs):
        return f"need more measuring to be compared {where} ({times[0]})"
    if all(pair.equal for pair in pairs):
        told = f"differ by less than {100 * study.margin:.0f} % {where}"
    else:
        told = f"cannot be told apart {'yet ' if waits else ''}{where}"
    figures = [*([_compared(board, pairs[0])] if len(pairs) == 1 else []), *times]
    return f"{told} ({'; '.join(figures)})" if figures else told


def _compared(board: Board, pair: Pair) -> str:
    """``45 against 51 ms, −12 % [−14, −10]``."""
    both = _both_ms(board, pair.a, pair.b, pair.condition, pair.quantile)
    return both if pair.ratio is None else f"{both}, {change(pair.ratio)}"


def _listed(names: Iterable[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


# -- what is open -------------------------------------------------------------------------------------------


def still_open(board: Board, quantile: float) -> list[str]:
    """The pairs that are not decided, soonest first, and about how long each takes; but for those of the best."""
    names = {contender.id: contender.name for contender in board.rivals}
    found: list[Pair] = []
    for condition in board.conditions:
        there = [name for name in board.study.candidates(condition) if name in names]
        best = {*board.study.groups(condition, quantile, list(names)).best}
        pairs = [board.study.pair(a, b, condition, quantile) for a, b in combinations(there, 2) if not {a, b} <= best]
        found += [pair for pair in pairs if not pair.is_decided]
    found.sort(key=lambda pair: float("inf") if pair.more_s is None else pair.more_s)
    lines = [
        f"{names[pair.a]} or {names[pair.b]} {_when(pair.condition)} at {quantile_name(quantile)}: "
        f"undecided ({_compared(board, pair) if pair.is_known(board.study.precision) else more(pair.more_s)})."
        for pair in found[:_MOST_OPEN]
    ]
    if len(found) > _MOST_OPEN:
        lines.append(f"{plural(len(found) - _MOST_OPEN, 'more pair')} undecided at {quantile_name(quantile)}.")
    return lines


def more(more_s: float | None) -> str:
    """``about 40 more seconds``, of measuring both; a number that is no more precise than it is known."""
    if more_s is None:
        return "nobody can say how much longer"
    if more_s < 90:
        return f"about {plural(max(1, round(more_s)) if more_s < 10 else round(more_s / 10) * 10, 'more second')}"
    if more_s < 90 * 60:
        return f"about {more_s / 60:.0f} more minutes"
    return f"about {more_s / 3600:.0f} more hours"


# -- the advice ---------------------------------------------------------------------------------------------


def advice(board: Board, deadline_ns: int, quantile: float) -> list[str]:
    """Who keeps a deadline at a quantile, up to how many stress threads: only what its interval says beyond doubt."""
    if quantile not in QUANTILES or not board.rivals or not board.conditions:
        return []
    levels = [condition for condition in board.conditions if _alike(condition, board.conditions[0])]
    levels.sort(key=lambda condition: condition.stress_threads)
    what = f"For {ms(deadline_ns)} ms at {quantile_name(quantile)}"
    sure, reached, unsure_from = board.rivals, 0, dict[str, Condition]()
    for level, condition in enumerate(levels, 1):
        kept = {one.id: _keeps(board, one, condition, deadline_ns, quantile) for one in sure}
        unsure_from |= {one.id: condition for one in sure if kept[one.id] is None}
        keeping = [one for one in sure if kept[one.id]]
        if not keeping:
            break
        sure, reached = keeping, level
    lines = []
    if reached:
        last = levels[reached - 1]
        holds = f"with up to {_threads(last)}" if reached > 1 and _is_plain(last) else _when(last)
        rest = "; nothing else holds" if len(board.rivals) > len(sure) and not unsure_from else ""
        lines.append(f"{what} {holds}: {_listed(one.name for one in sure)}{rest}.")
    elif not unsure_from:
        lines.append(f"{what} {_when(levels[0])}: nothing holds.")
    for condition in dict.fromkeys(unsure_from.values()):
        who = [one.name for one in board.rivals if unsure_from.get(one.id) == condition]
        verb = "needs" if len(who) == 1 else "need"
        lines.append(f"{what} {_when(condition)}: {_listed(who)} {verb} more measuring to tell.")
    return lines


def _keeps(board: Board, contender: Contender, condition: Condition, deadline_ns: int, quantile: float) -> bool | None:
    """Whether the whole interval lies on one side of the deadline; None where that cannot be told."""
    interval = board.study.sure_interval(contender.id, condition, quantile)
    if interval is None:
        return None
    low, high = interval
    return True if high <= deadline_ns else False if low > deadline_ns else None
