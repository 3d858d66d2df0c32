"""What the study says, in sentences that a person can repeat.

One sentence for each pair that changes places; then, for each condition, who is fastest; then what is still open. A
claim is the study's: nothing is said here that is not claimed there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from latvar_tui.condition import Condition
from latvar_tui.format import ms, quantile_name
from latvar_tui.study.board import Board, Contender
from latvar_tui.study.claims import QUANTILES
from latvar_tui.study.conclusions import Pair, Ratio, Reversal

_MOST_OPEN = 3


def verdicts(board: Board, quantiles: Sequence[float]) -> list[str]:
    """Sentences on the board's candidates at each of these quantiles (percent): reversals, ranking, what is open."""
    lines = []
    for quantile in dict.fromkeys(quantiles):
        if quantile not in QUANTILES:
            names = ", ".join(map(quantile_name, QUANTILES))
            lines.append(f"No verdict at {quantile_name(quantile)}: the study compares {names}.")
        elif len(rivals(board)) > 1:
            lines += [*reversals(board, quantile), *rankings(board, quantile), *still_open(board, quantile)]
    return lines


def conclusions(board: Board, ranked_by: float, deadline_ns: int | None) -> list[str]:
    """What stands below the tables: at the median and at the quantile that is ranked by, and who keeps the deadline."""
    lines = verdicts(board, (50.0, ranked_by))
    return lines if deadline_ns is None else [*lines, *advice(board, deadline_ns, ranked_by)]


def rivals(board: Board) -> list[Contender]:
    """Who is compared."""
    return [one for one in board.contenders if one.is_rival]


# -- reversals ----------------------------------------------------------------------------------------------


def reversals(board: Board, quantile: float) -> list[str]:
    """One for each pair that changes places: where the one wins first, and from where on it loses."""
    names = {contender.id: contender.name for contender in rivals(board)}
    told: dict[frozenset[str], Reversal] = {}
    for reversal in board.study.reversals([quantile]):
        if reversal.a in names and reversal.b in names:
            told.setdefault(frozenset((reversal.a, reversal.b)), reversal)
    return [_reversal_text(board, names, reversal) for reversal in told.values()]


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
    text = f"{abs(percent):.0f}" if abs(percent) >= 9.95 else f"{abs(percent):.1f}"
    return f"{'−' if percent < 0 else '+'}{text}"


def _both_ms(board: Board, a: str, b: str, condition: Condition, quantile: float) -> str:
    """``45 against 51 ms``."""
    of_a, of_b = (ms(_quantile_ns(board, name, condition, quantile)) for name in (a, b))
    return f"{of_a} against {of_b} ms"


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
        return f"under {condition.title}"
    return "when idle" if condition.is_idle else f"under {_threads(condition)}"


# -- rankings -----------------------------------------------------------------------------------------------


def rankings(board: Board, quantile: float) -> Iterator[str]:
    """Who is fastest under each condition, and by how much."""
    names = {contender.id: contender.name for contender in rivals(board)}
    for condition in board.conditions:
        groups = board.study.groups(condition, quantile, list(names))
        if len(groups.best) + len(groups.worse) < 2:
            continue
        where = f"{_when(condition)} at {quantile_name(quantile)}"
        best = groups.best
        if len(best) > 1:
            told = f"{_listed(names[name] for name in best)} cannot be told apart {where}"
            beaten = f"; {_listed(names[name] for name in groups.worse)} cannot keep up" if groups.worse else ""
            yield f"{told}{beaten}."
            continue
        second = groups.worse[0]
        pair = board.study.pair(best[0], second, condition, quantile)
        both = _both_ms(board, best[0], second, condition, quantile)
        by = change(pair.ratio) if pair.ratio is not None else ""
        yield f"{names[best[0]]} is the fastest {where}, before {names[second]} ({both}, {by})."


def _listed(names: Iterable[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


# -- what is open -------------------------------------------------------------------------------------------


def still_open(board: Board, quantile: float) -> list[str]:
    """The pairs that are not decided, soonest first, and about how long each takes."""
    names = {contender.id: contender.name for contender in rivals(board)}
    found: list[Pair] = []
    for condition in board.conditions:
        there = [name for name in board.study.candidates(condition) if name in names]
        pairs = [(a, b) for place, a in enumerate(there) for b in there[place + 1 :]]
        found += [pair for a, b in pairs if not (pair := board.study.pair(a, b, condition, quantile)).is_decided]
    found.sort(key=lambda pair: float("inf") if pair.more_s is None else pair.more_s)
    lines = [
        f"{names[pair.a]} or {names[pair.b]} {_when(pair.condition)} at {quantile_name(quantile)}: "
        f"undecided ({more(pair.more_s)})."
        for pair in found[:_MOST_OPEN]
    ]
    if len(found) > _MOST_OPEN:
        lines.append(f"{len(found) - _MOST_OPEN} more pairs are undecided at {quantile_name(quantile)}.")
    return lines


def more(more_s: float | None) -> str:
    """``about 40 more seconds``; a number that is no more precise than it is known."""
    if more_s is None:
        return "nobody can say how much longer"
    if more_s < 90:
        return f"about {max(1, round(more_s)) if more_s < 10 else round(more_s / 10) * 10:.0f} more seconds"
    if more_s < 90 * 60:
        return f"about {more_s / 60:.0f} more minutes"
    return f"about {more_s / 3600:.0f} more hours"


# -- the advice ---------------------------------------------------------------------------------------------


def advice(board: Board, deadline_ns: int, quantile: float) -> list[str]:
    """Who keeps a deadline at a quantile, with how many busy cores: only what its interval says beyond doubt."""
    if quantile not in QUANTILES or not rivals(board):
        return []
    levels = [condition for condition in board.conditions if _is_plain(condition)]
    what = f"For {ms(deadline_ns)} ms at {quantile_name(quantile)}"
    lines, sure, unsure = [], rivals(board), []
    reached: tuple[Condition, list[Contender]] | None = None
    for condition in levels:
        kept = {one.id: _keeps(board, one, condition, deadline_ns, quantile) for one in sure}
        unsure = [one for one in sure if kept[one.id] is None]
        sure = [one for one in sure if kept[one.id]]
        if not sure:
            break
        reached = condition, sure
    if reached is not None:
        condition, names = reached
        who = _listed(one.name for one in names)
        others = len(rivals(board)) - len(names) - len(unsure)
        rest = "; nothing else holds" if others and not unsure else ""
        lines.append(f"{what} {_busy(condition)}: {who}{rest}.")
    elif not unsure and levels:
        lines.append(f"{what} {_when(levels[0])}: nothing holds.")
    if unsure:
        verb = "needs" if len(unsure) == 1 else "need"
        lines.append(f"{what}: {_listed(one.name for one in unsure)} {verb} more measuring to tell.")
    return lines


def _busy(condition: Condition) -> str:
    if condition.is_idle:
        return "when idle"
    return f"with up to {condition.stress_threads} busy core{'' if condition.stress_threads == 1 else 's'}"


def _keeps(board: Board, contender: Contender, condition: Condition, deadline_ns: int, quantile: float) -> bool | None:
    """Whether the whole interval lies on one side of the deadline; None where that cannot be told."""
    interval = board.study.interval(contender.id, condition, quantile)
    if interval is None:
        return None
    low, high = interval
    return True if high <= deadline_ns else False if low > deadline_ns else None
