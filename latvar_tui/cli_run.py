"""What the measuring commands share: the line-up that options ask for, a probe, and how a run ends."""

from __future__ import annotations

import shutil
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from latvar_tui.candidate import Candidate, UsageError, parse_candidate, parse_candidates
from latvar_tui.cli_sessions import end_recording
from latvar_tui.condition import Condition
from latvar_tui.device.cores import physical_cores, usable_cores
from latvar_tui.device.stress_kinds import check_condition
from latvar_tui.zoo import DEFAULT_LINE_UP, OwnModel, find

if TYPE_CHECKING:  # imported where they are used: start-up would pay for them
    from latvar_tui.link import Link
    from latvar_tui.session.recorder import Recorder
    from latvar_tui.study.board import Board

DONE, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130


class Ended(BaseException):
    """Ctrl-C, SIGTERM or SIGHUP: leave, and keep what there is. Not an Exception, so that nothing swallows it."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number

    def caught(self) -> int:
        """It is not raised again from here on; returns the exit status."""
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        return 128 + self.number


def complain(sentence: str) -> None:
    click.echo(f"latvar-tui: {sentence}{'' if sentence.endswith(('.', '?', ')')) else '.'}", err=True)


# -- what was asked for -------------------------------------------------------------------------------------


def line_up(options: dict[str, Any]) -> list[Candidate]:
    """The candidates that were asked for.

    Raises:
        UsageError, ZooError: one of them is none.
    """
    threads = min(physical_cores(), len(options["pin"]) or physical_cores())
    candidates = parse_candidates(options["models"] or DEFAULT_LINE_UP, threads, options["vary"])
    candidates = [_fed(candidate, options["values_file"]) for candidate in candidates]
    if options["values_file"] and not any(candidate.values_file for candidate in candidates):
        raise UsageError("--input feeds models that are not the zoo's, and none of these is: leave it out.")
    return candidates


def condition_with(options: dict[str, Any], threads: int) -> Condition:
    """The condition that was asked for, with so many stress threads.

    Raises:
        UsageError: this device cannot be put under it.
    """
    condition = Condition(
        threads, options["kind"], options["load"], options["stress_nice"], options["stress_pin"],
        options["nice"], options["pin"], options["arrivals"],
    )  # fmt: skip
    check_condition(condition)
    return condition


def conditions(options: dict[str, Any]) -> tuple[Condition, Condition, int]:
    """The condition to begin with, the one as soon as there is stress, and the most stress threads."""
    most = options["max_stress"] or 2 * usable_cores()
    if options["stress"] > most:
        complain(f"--stress {options['stress']} is more than --max-stress {most}, so it is {most}.")
    # Of one thread at least: idle has no kind, and the slider may move.
    stressed = condition_with(options, max(1, options["stress"]))
    return replace(stressed, stress_threads=min(options["stress"], most)), stressed, most


def _fed(candidate: Candidate, values_file: str | None) -> Candidate:
    """The candidate, with the file that all of the user's own models read unless they name another.

    Raises:
        ZooError: there is no such model.
    """
    own = isinstance(find(candidate.model, candidate.precision), OwnModel)
    if not own or not values_file or candidate.values_file:
        return candidate
    fed = candidate.changed(values_file=values_file)
    if parse_candidate(str(fed), 1) != fed:
        raise UsageError(f"The path '{values_file}' reads like settings: rename the file, without commas.")
    return fed


def connect(options: dict[str, Any], candidates: Sequence[Candidate], condition: Condition) -> Link:
    """Start a probe and tell it what to measure."""
    from latvar_tui.link import Link
    from latvar_tui.wire import Start

    link = Link(force=options["force"])
    texts = [str(candidate) for candidate in candidates]
    link.send(Start(texts, str(condition), options["slice_ms"], memory_mb=options["memory_mb"]))
    return link


def deadline_ns(options: dict[str, Any]) -> int | None:
    return None if options["deadline_ms"] is None else round(options["deadline_ms"] * 1e6)


# -- how it ends --------------------------------------------------------------------------------------------


def print_tables(board: Board, options: dict[str, Any]) -> None:
    """Leave the numbers behind, a table for each condition."""
    from latvar_tui.columns import loading_table, text_table
    from latvar_tui.study.table import table
    from latvar_tui.summary import remarks
    from latvar_tui.verdicts import conclusions

    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    ranked_by, late_ns = options["quantile"], deadline_ns(options)
    for condition in board.conditions:
        rows = table(board, condition, ranked_by, deadline_ns=late_ns)
        click.echo("\n".join([str(condition), *text_table(rows, ranked_by, width, late_ns)]))
    told = conclusions(board, ranked_by, late_ns)
    for line in [*told, *loading_table(board.contenders), *(f"note: {note}" for note in remarks(board))]:
        click.echo(line)


def run(link: Link, board: Board, recorder: Recorder, measure: Callable[[], None]) -> int:
    """Measure, and end link and recording, however it ends; returns the exit status.

    Raises:
        UsageError: a candidate or an option cannot be used.
    """
    from latvar_tui.headless import Refused
    from latvar_tui.link import LinkLost
    from latvar_tui.remembered import remember

    status = DONE
    try:
        measure()
    except Refused as error:
        raise UsageError(str(error)) from error
    except LinkLost as error:
        complain(str(error))
        status = FAILED
    except Ended as ended:
        status = ended.caught()
    finally:
        link.close()
        end_recording(recorder, {DONE: "done", FAILED: "failed"}.get(status, "interrupted"))
    remember(board)
    return status
