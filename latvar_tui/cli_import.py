"""``import``: sessions of what other tools have measured."""

from __future__ import annotations

from typing import Any

import click

from latvar_tui.candidate import UsageError


@click.command("import", short_help="Make a session of what another tool measured.")
@click.argument("file", metavar="FILE", type=click.Path())
@click.option("--as", "name", metavar="NAME", help="What to call the session [time and file's name].")
@click.option(
    "--candidate", metavar="TEXT", help="What was measured: a name, or MODEL@settings [tag, or the file's name]."
)
@click.option("--condition", metavar="TEXT", help="What it was measured under, like 2xcpu@100% [as tagged, or idle].")
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="Of a log take this tag alone; may be repeated.")
@click.option("--column", metavar="NAME", help="The column of a CSV file that holds the times.")
@click.option(
    "--unit",
    type=click.Choice(("ns", "us", "ms", "s")),
    help="What values count [log: ns; times: as the column is named, or ms].",
)
def import_session(file: str, **options: Any) -> None:
    """Make a session of what another tool has measured.

    FILE is an HdrHistogram log, a list or CSV of the times of single inferences, or a profile that ONNX Runtime has
    written (enable_profiling).
    """
    from pathlib import Path

    from latvar_tui.session.foreign import Wanted
    from latvar_tui.session.imported import import_file
    from latvar_tui.session.layout import SessionError

    name = options.pop("name")
    try:
        folder, notes = import_file(Path(file), name, Wanted(**options))
    except SessionError as error:
        raise UsageError(str(error)) from error
    for note in notes:
        click.echo(f"latvar-tui: {note}", err=True)
    click.echo(f"session: {folder}", err=True)
