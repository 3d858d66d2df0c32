"""What the guided tour says: plain sentences with the numbers just measured, the most important one first."""

from __future__ import annotations

from collections.abc import Sequence

from latvar_tui.condition import Condition
from latvar_tui.format import ms, plural, quantile_name, three_digits
from latvar_tui.study.board import Board, Contender
from latvar_tui.study.conclusions import Ratio, Reversal, not_compared
from latvar_tui.study.quantiles import is_provisional
from latvar_tui.tour import ENOUGH_SLICES, Progress, Tour
from latvar_tui.tour_findings import Findings


def sentences(tour: Tour, board: Board, found: Findings, is_enough: bool = True) -> list[str]:
    """What a step says, as many whole sentences of it as there is room for.

    Before a condition has been measured well enough, how far it is instead of what came of it.
    """
    kind, condition = tour.step.kind, tour.step.condition
    if kind == "ranking":
        return _ranking(tour, board, found)
    if kind == "end" or condition is None:
        return _end(tour, found)
    of_it = _idle if condition.is_idle else _stressed
    said = of_it(tour, board, condition, is_enough)
    shown = [reversal for reversal in found.reversals if reversal.after == condition]
    return [*said[:1], *(_reversal_in_short(board, reversal) for reversal in shown[:1]), *said[1:]]


def state(tour: Tour, progress: Progress, now_s: float) -> str:
    """How far the step is, and what goes on from here."""
    if not progress.is_enough:
        about = "" if progress.more_s is None else f", about {max(1, round(progress.more_s))} s more"
        then = "; then it goes on (enter: at once)" if tour.is_armed else ""
        return f"measuring{about}{then}" if tour.can_measure else f"playing{then}"
    if tour.step_s is not None:
        left_s = tour.left_s(now_s) or 0.0
        return f"goes on in {left_s:.0f} s" if left_s else "goes on"
    if tour.is_last:
        return "backspace goes back, q leaves"
    return "enter goes on" if not progress.is_short else "few observations; enter goes on"


# -- the steps --------------------------------------------------------------------------------------------


def _idle(tour: Tour, board: Board, condition: Condition, is_enough: bool) -> list[str]:
    ranked = _by_quantile(tour, board, condition)
    what = "Nothing else is asked of the device"
    if any(contender.state == "loading" for contender in board.contenders) and not board.slices_of(condition):
        return [f"{what}, and {plural(len(board.contenders), 'candidate')} load."]
    how = "They take turns, a panel each: left is fast, right is slow, higher is more often."
    if not is_enough:
        return [f"{what}.", how, _how_far(board, condition)]
    name = quantile_name(tour.quantile)
    if not _is_complete(ranked, board):
        known = f"So far the {name} of {len(ranked)} of {plural(len(board.rivals), 'candidate')} is known well enough"
        return [f"{what}. {known} to speak of it.", how]
    best = ranked[0]
    within = f"{tour.quantile:.10g} of 100 inferences end within {_value(tour, board, best, condition)} ms"
    said = [f"{what}. {best.name} has the smallest {name}: {within}."]
    if len(ranked) > 1:
        last = ranked[-1]
        said.append(f"The largest is {last.name}'s: {_value(tour, board, last, condition)} ms.")
    return [*said, how]


def _stressed(tour: Tour, board: Board, condition: Condition, is_enough: bool) -> list[str]:
    number = condition.stress_threads
    what = f"{plural(number, 'background thread')} now want{'s' if number == 1 else ''} the {tour.cores} cores"
    if tour.cores == 1:
        what = what.replace("the 1 cores", "the only core")
    if not is_enough:
        return [f"{what}, too.", _how_far(board, condition)]
    ranked, idle = _by_quantile(tour, board, condition), condition.without_stress()
    before = _by_quantile(tour, board, idle)
    both = [contender for contender in ranked if contender in before]
    if not ranked or not both:
        return [f"{what}, too.", f"Too few inferences to speak of their {quantile_name(tour.quantile)}."]
    name = quantile_name(tour.quantile)
    worst = max(both, key=lambda one: _times(board, one, idle, condition, tour.quantile))
    said = [
        f"{what}, too: the {name} of {worst.name} is {_value(tour, board, worst, condition)} ms and was"
        f" {_value(tour, board, worst, idle)}, {three_digits(_times(board, worst, idle, condition, tour.quantile))}×."
    ]
    median = _times(board, worst, idle, condition, 50.0)
    if median < _times(board, worst, idle, condition, tour.quantile):
        said[0] = f"{said[0][:-1]}; its median only {three_digits(median)}×."
    if not _is_complete(ranked, board):
        return said
    best = f"The smallest {name} is {ranked[0].name}'s ({_value(tour, board, ranked[0], condition)} ms)"
    if not _is_complete(before, board):
        return [*said, f"{best}."]
    if ranked[0] is not before[0]:
        return [*said, f"{best}; idle it was {before[0].name}'s."]
    return [*said, f"{best}, as when idle."]


def _ranking(tour: Tour, board: Board, found: Findings) -> list[str]:
    if found.reversals:
        reversal = found.reversals[0]
        name = _quantity(reversal.quantile)
        a, b = _named(board, reversal.a), _named(board, reversal.b)
        lost = 1 / reversal.ratio_after.value
        said = [
            f"The ranking reverses. {reversal.before.title.capitalize()}, {b}'s {name} is"
            f" {three_digits(reversal.ratio_before.value)}× {a}'s; under {_words(reversal.after)}, {a}'s is"
            f" {three_digits(lost)}× {b}'s.",
            f"With 95 % confidence {_bounds(reversal.ratio_before)}, and {_bounds(reversal.ratio_after, inverse=True)};"
            " that there is a reversal is claimed with 95 % for all that is compared here at that quantile.",
        ]
        return [*said, *_same_model(board, reversal)]
    decided = [pair for pair in found.pairs if pair.is_decided]
    name = quantile_name(tour.quantile)
    if why_not := not_compared(tour.quantile):
        return [why_not]
    if not found.pairs:
        return ["With one candidate there is no ranking: m adds another."]
    said = [
        f"No reversal at {name} on this device so far: of {plural(len(found.pairs), 'comparison')}"
        f" {len(decided)} {'is' if len(decided) == 1 else 'are'} decided, and none contradicts another.",
    ]
    if len(decided) == len(found.pairs):
        said.append("That is a result, too: an order that holds under stress is worth knowing.")
    more = [pair.more_s for pair in found.pairs if pair.condition == board.condition and pair.more_s]
    if more and tour.can_measure:
        said.insert(1, f"Measured on under this stress, the next would be decided in about {min(more):.0f} s.")
    return said


def _end(tour: Tour, found: Findings) -> list[str]:
    who = "need not be" if not found.reversals else "is not always"
    said = [
        f"Who is faster on average on an idle device {who} faster on a busy one: compare tails, under the load that"
        " your users have.",
        "Your own models: latvar-tui live MODEL.onnx.",
    ]
    return [*said, "The tour begins anew."] if tour.is_auto else said


def _reversal_in_short(board: Board, reversal: Reversal) -> str:
    a, b = _named(board, reversal.a), _named(board, reversal.b)
    return (
        f"The ranking has reversed at the {_quantity(reversal.quantile)}:"
        f" {reversal.before.title} {a} is faster than {b}, here {b} is faster than {a}."
    )


def _same_model(board: Board, reversal: Reversal) -> list[str]:
    """What differs, if the two are one model."""
    by_id = {contender.id: contender.candidate for contender in board.contenders}
    a, b = by_id.get(reversal.a), by_id.get(reversal.b)
    if a is None or b is None or a.model != b.model:
        return []
    differ = [name for name, value in a.settings.items() if b.settings.get(name) != value]
    if differ == ["spin"]:
        return ["They are the same model: only how its threads wait for work differs, spinning or asleep."]
    return [f"They are the same model: only {' and '.join(differ)} differ."] if differ else []


def _bounds(ratio: Ratio, inverse: bool = False) -> str:
    low, high = (ratio.high, ratio.low) if inverse else (ratio.low, ratio.high)
    if low is None or high is None:
        return "n/a"
    return " to ".join(f"{three_digits(1 / bound if inverse else bound)}×" for bound in (low, high))


def _quantity(quantile: float) -> str:
    return "median" if quantile == 50.0 else quantile_name(quantile)


# -- numbers ----------------------------------------------------------------------------------------------


def _by_quantile(tour: Tour, board: Board, condition: Condition) -> list[Contender]:
    """Those whose quantile may be spoken of, the smallest first; controls are no rivals."""
    found = []
    for contender in board.rivals:
        cell = board.cell(contender, condition)
        if cell is not None and cell.latency.total and not is_provisional(cell.latency, tour.quantile):
            found.append((cell.latency.quantile_ns(tour.quantile) or 0, contender.slot, contender))
    return [contender for _, _, contender in sorted(found, key=lambda one: one[:2])]


def _is_complete(measured: Sequence[Contender], board: Board) -> bool:
    """Whether that are all that compete: before it nobody is the smallest of them."""
    return bool(measured) and len(measured) == len(board.rivals)


def _how_far(board: Board, condition: Condition) -> str:
    """Of the one that is behind."""
    cells = [board.cell(contender, condition) for contender in board.contenders if not contender.is_out]
    slices = min((0 if cell is None else cell.slices for cell in cells), default=0)
    if slices < ENOUGH_SLICES:
        return f"So far {slices} of {ENOUGH_SLICES} turns each."
    return "So far too few inferences for a quantile as rare as this."


def _value(tour: Tour, board: Board, contender: Contender, condition: Condition) -> str:
    """Its quantile in ms, marked where it rests on too little."""
    cell = board.cell(contender, condition)
    if cell is None:
        return "n/a"
    unsure = "~" if is_provisional(cell.latency, tour.quantile) else ""
    return f"{unsure}{ms(cell.latency.quantile_ns(tour.quantile))}"


def _times(board: Board, contender: Contender, before: Condition, after: Condition, quantile: float) -> float:
    one, other = board.cell(contender, before), board.cell(contender, after)
    if one is None or other is None:
        return 0.0
    return (other.latency.quantile_ns(quantile) or 0) / (one.latency.quantile_ns(quantile) or 1)


def _named(board: Board, candidate_id: str) -> str:
    return next((one.name for one in board.contenders if one.id == candidate_id), candidate_id)


def _words(condition: Condition) -> str:
    if condition.is_idle:
        return condition.title
    return plural(condition.stress_threads, "stress thread")
