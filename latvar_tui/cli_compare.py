"""``compare``: sessions beside each other."""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING, Any

import click

from latvar_tui.candidate import UsageError

if TYPE_CHECKING:  # imported where they are used: start-up would pay for them
    from latvar_tui.session.comparison import Comparison, Read

FAILED = 1
_MOST_TOLD = 6


class _Share(click.ParamType["float"]):
    """A share in percent: 10%, or 10."""

    name = "PCT"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        found = re.fullmatch(r"(\d{1,4}(?:\.\d{1,6})?)\s*%?", str(value).strip())
        if found is None:
            self.fail(f"'{value}' is no share: write it like 10%.", param, ctx)
        return float(found[1]) / 100


@click.command(short_help="Compare sessions, cell by cell: what got worse.")
@click.argument("sessions", metavar="SESSION SESSION...", nargs=-1)
@click.option("--pair", "pairs", multiple=True, metavar="A=B", help="Compare candidate A with the others' B, too.")
@click.option(
    "--fail-if-worse",
    "most",
    type=_Share(),
    metavar="PCT",
    help="Exit with 1 if p50, p90, p95 or p99 of a cell is beyond doubt worse by more than this, like 10%, or if a "
    "candidate of the first has failed.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of the tables.")
def compare(sessions: tuple[str, ...], pairs: tuple[str, ...], most: float | None, as_json: bool) -> None:
    """Compare sessions: each of the others with the first, cell by cell.

    Ratios with 95 % intervals, what got worse or better, and what differs in devices, versions and options. SESSION
    is a folder, a name as latvar-tui sessions lists it, or last.
    """
    from latvar_tui.format import encodable
    from latvar_tui.session.comparison import compare as compared
    from latvar_tui.session.comparison_report import document, tables
    from latvar_tui.session.layout import SessionError
    from latvar_tui.session.places import find_session

    if len(sessions) < 2:
        raise UsageError("There is nothing to compare with: name two sessions or more, the one from before first.")
    try:
        folders = [find_session(text) for text in sessions]
        reads = [_read(folder) for folder in folders]
        found = [compared(reads[0], other, pairs) for other in reads[1:]]
    except SessionError as error:
        raise UsageError(str(error)) from error
    if as_json:
        click.echo(encodable(json.dumps(document(reads, found), ensure_ascii=False, indent=1)))
    else:
        click.echo("\n".join(tables(found)))
    if most is not None and _complains(found, most):
        sys.exit(FAILED)


def _read(folder: Any) -> Read:
    from latvar_tui.session.comparison import Read
    from latvar_tui.session.reader import Session

    session = Session(folder)
    return session.shown(lambda board: Read.of(session, board))


def _complains(found: list[Comparison], most: float) -> bool:
    """Say what got worse by more than ``most``; whether anything did."""
    from latvar_tui.format import percent, printable, quantile_name, three_digits

    failed = False
    for comparison in found:
        after = printable(comparison.b.session.folder.name)
        for one in comparison.failed:
            failed = True
            reason = printable(one.reason) or "no reason is recorded"
            click.echo(f"latvar-tui: {one.name} failed in {after}: {reason}", err=True)
        for cell, change in comparison.worse_than(most):
            failed = True
            low, high = change.ci95 or (0.0, 0.0)
            click.echo(
                f"latvar-tui: {quantile_name(change.quantile)} of {cell.name} under {cell.condition.title} is worse by "
                f"more than {percent(most)}: {three_digits(change.ratio)}× [{three_digits(low)}, {three_digits(high)}] "
                f"in {after}.",
                err=True,
            )
        unjudged = comparison.unjudged
        if unjudged:
            told = ", ".join(unjudged[:_MOST_TOLD]) + (
                f" and {len(unjudged) - _MOST_TOLD} more" if len(unjudged) > _MOST_TOLD else ""
            )
            click.echo(
                f"latvar-tui: in {after} passes unjudged, for want of slices or inferences: {told}: measure more.",
                err=True,
            )
    return failed
