"""``sweep``: all candidates under all levels of contention, until it is known who wins where."""

from __future__ import annotations

import json
import math
import random
import re
import shutil
import sys
from typing import TYPE_CHECKING, Any

import click

from latvar_tui import __version__
from latvar_tui.candidate import Candidate, UsageError
from latvar_tui.cli_options import Quantity, sweeping
from latvar_tui.cli_run import DONE, FAILED, condition_with, connect, deadline_ns, line_up, run
from latvar_tui.cli_sessions import begin_recording, open_session
from latvar_tui.condition import Condition
from latvar_tui.device.cores import usable_cores
from latvar_tui.levels import DEFAULT_LEVELS, LITERATURE, parse_levels
from latvar_tui.quantities import parse_duration_s

if TYPE_CHECKING:  # imported where they are used: start-up would pay for them
    from latvar_tui.continued import Continued
    from latvar_tui.study.board import Board
    from latvar_tui.study.plan import Goal
    from latvar_tui.sweeping import Sweep

DEFAULT_BUDGET_S = 290.0
"""Five minutes, with what comes before and after."""

PAPER_BUDGET_S = 1800.0
DEFAULT_QUANTILES = (50.0, 95.0)

SETTLED = "settled"


class Until(click.ParamType["float | str"]):
    """``settled``, or a duration in seconds."""

    name = "settled|DURATION"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float | str:
        if value == SETTLED or isinstance(value, float):
            return value  # type: ignore[no-any-return]
        try:
            return parse_duration_s(str(value))
        except UsageError:
            self.fail(f"'{value}' is neither 'settled' nor a duration like 5m.", param, ctx)


@click.command(short_help="Find out who wins under which contention.")
@sweeping
@click.option(
    "--until",
    type=Until(),
    metavar="settled|DURATION",
    default=SETTLED,
    help="Stop once every pair is decided or its ratio known to within 5 %, or go on for so long [settled].",
)
@click.option(
    "--budget",
    "budget_s",
    type=Quantity("DURATION", parse_duration_s),
    metavar="DURATION",
    help="Longest time for --until settled, loading included [4m50s; 30m with --paper].",
)
@click.option("--resume", metavar="SESSION", help="Go on with a recorded sweep, in a new session that holds both.")
@click.option(
    "--paper",
    is_flag=True,
    help="The study's question: the zoo's convolutional networks, idle and under 50 % and 100 % of the cores.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of the table.")
@click.pass_context
def sweep(ctx: click.Context, /, until: float | str, budget_s: float | None, as_json: bool, **options: Any) -> None:
    """Find out who wins under which contention, which pairs reverse, and how sure that is.

    Without options: the default models under 0, 1, 2 and 4 stress threads, in five minutes.
    """
    given = {name for name in options if _is_given(ctx, name)}
    if until != SETTLED and budget_s is not None:
        raise UsageError("--until with a duration and --budget exclude each other: leave one out.")
    before = _before(options, given) if options["resume"] else None
    if before is not None:
        candidates, conditions = before.candidates, before.conditions
        options["slice_ms"] = before.slice_ms
        options |= {name: value for name, value in before.asked.items() if value is not None and name not in given}
    else:
        candidates, conditions = _asked_for(options, given)
    goal = _goal(until, budget_s, options, before is not None or "quantile" in given)
    options |= {"conditions": [str(condition) for condition in conditions], "seed": random.getrandbits(32)}
    sys.exit(_sweep(candidates, conditions, options, goal, before, as_json))


def _goal(until: float | str, budget_s: float | None, options: dict[str, Any], is_asked_for: bool) -> Goal:
    """When to stop; and the quantile that the tables rank by is put into ``options``.

    Raises:
        UsageError: nothing can be decided at that quantile.
    """
    from latvar_tui.format import quantile_name
    from latvar_tui.study.claims import QUANTILES
    from latvar_tui.study.conclusions import COMPARED
    from latvar_tui.study.plan import Goal

    quantiles = (50.0, options["quantile"]) if is_asked_for else DEFAULT_QUANTILES
    if quantiles[-1] not in QUANTILES:
        raise UsageError(f"A sweep does not compare {quantile_name(quantiles[-1])}: choose one of {COMPARED}.")
    options["quantile"] = quantiles[-1]
    limit_s = budget_s or (PAPER_BUDGET_S if options["paper"] else DEFAULT_BUDGET_S)
    return Goal(
        limit_s if isinstance(until, str) else until,
        isinstance(until, str),
        tuple(dict.fromkeys(quantiles)),
        guessed_slice_s=0.05 + options["slice_ms"] / 1000,
    )


def _is_given(ctx: click.Context, name: str) -> bool:
    return ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE


_OF_THE_SESSION = frozenset(
    ("models", "levels", "load", "kind", "stress_nice", "stress_pin", "arrivals", "pin", "nice", "slice_ms", "vary")
) | {"values_file", "paper"}


def _before(options: dict[str, Any], given: set[str]) -> Continued:
    """The session to go on with.

    Raises:
        UsageError: there is none, or something was asked for that it has settled.
    """
    from latvar_tui.continued import Continued

    if given & _OF_THE_SESSION:
        raise UsageError(
            "--resume goes on with the models, conditions and slices of the session: leave yours out, "
            "or sweep anew without --resume."
        )
    return Continued(open_session(options["resume"]))


def _asked_for(options: dict[str, Any], given: set[str]) -> tuple[list[Candidate], list[Condition]]:
    levels: tuple[int, ...] = options["levels"] or DEFAULT_LEVELS
    if options["paper"]:
        if "models" in given:
            raise UsageError("--paper has models of its own: leave yours or --paper out.")
        options["models"] = paper_line_up()
        levels = options["levels"] or parse_levels(LITERATURE, usable_cores())
    return line_up(options), [condition_with(options, threads) for threads in levels]


def paper_line_up() -> tuple[str, ...]:
    """The zoo's convolutional networks. Which ones the study measured cannot be read in what is public of it."""
    from latvar_tui.zoo import catalogue

    return tuple(sorted({entry.name for entry in catalogue().values() if not re.match("vit", entry.name)}))


def _sweep(
    candidates: list[Candidate],
    conditions: list[Condition],
    options: dict[str, Any],
    goal: Goal,
    before: Continued | None,
    as_json: bool,
) -> int:
    from latvar_tui import headless
    from latvar_tui.study.board import Board
    from latvar_tui.study.plan import Plan
    from latvar_tui.sweep_progress import SweepProgress
    from latvar_tui.sweeping import Sweep

    board = Board(candidates)
    recorder = begin_recording(options, candidates)
    if before is not None:
        before.copy(board, recorder)
    course = Sweep(board, Plan(conditions, goal, options["seed"]), math.inf)
    first = course.block.condition if course.block is not None else conditions[0]
    link = connect(options, candidates, first)
    probe = link if before is None else before.behind(link)

    def measure() -> None:
        if course.block is None:
            return  # it was settled already
        with SweepProgress(board, course) as progress:
            headless.measure(probe, board, course, progress, recorder)

    status = run(link, board, recorder, measure)
    if as_json:
        click.echo(json.dumps(_document(board, course, options, recorder.folder, status), ensure_ascii=False, indent=1))
    elif any(board.cells()):
        click.echo("\n".join(_lines(board, course, deadline_ns(options), recorder.folder is not None)))
    return status


def _document(board: Board, course: Sweep, options: dict[str, Any], folder: object, status: int) -> dict[str, Any]:
    from latvar_tui.paper_table import as_json, grid_of
    from latvar_tui.summary import summary

    goal = course.plan.goal
    run_facts = {
        "latvar_tui": __version__,
        "quantile": options["quantile"],
        "quantiles": list(goal.quantiles),
        "deadline_ms": options["deadline_ms"],
        "slice_ms": options["slice_ms"],
        "until": SETTLED if goal.until_settled else goal.budget_s,
        "budget_s": goal.budget_s,
        "took_s": course.seen.elapsed_s,
        "conditions": options["conditions"],
        "seed": options["seed"],
        "resumed": options["resume"],
        "interrupted": status not in (DONE, FAILED),
    }
    return summary(board, deadline_ns(options), options["quantile"]) | {
        "session": folder and str(folder),
        "kendall_tau": as_json(grid_of(board), goal.quantiles),
        "run": run_facts,
    }


def _lines(board: Board, course: Sweep, late_ns: int | None, is_recorded: bool) -> list[str]:
    """What a sweep leaves behind: the tables, the verdicts, what a reader must know."""
    from latvar_tui import paper_table
    from latvar_tui.summary import remarks
    from latvar_tui.verdicts import advice, verdicts

    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    grid, quantiles = paper_table.grid_of(board), course.plan.goal.quantiles
    return [
        *paper_table.lines(grid, quantiles, width),
        paper_table.LEGEND,
        "",
        *(line for quantile in quantiles for line in (*verdicts(board, (quantile,)), "")),
        *(advice(board, late_ns, quantiles[-1]) if late_ns is not None else []),
        _how_it_ended(course, is_recorded),
        *(f"note: {note}" for note in remarks(board)),
    ]


def _how_it_ended(course: Sweep, is_recorded: bool) -> str:
    """In a sentence."""
    from latvar_tui.format import clock_time, plural

    plan, seen = course.plan, course.seen
    took = clock_time(round(seen.elapsed_s * 1e9))
    pairs, still_open = plan.pairs(seen), plan.open_pairs(seen)
    if not pairs:
        return f"swept for {took}"
    if not still_open:
        return f"swept for {took}; all is settled: each pair is decided, or known to within 5 %, under each condition"
    goes_on = ": --resume goes on with it" if is_recorded else ""
    return f"swept for {took}; {still_open} of {plural(pairs, 'comparison')} not settled{goes_on}"
