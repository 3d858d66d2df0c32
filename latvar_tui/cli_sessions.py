"""What has been recorded, on the command line: ``sessions``, ``show``, ``export``, ``report``; how recording begins."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from latvar_tui.candidate import Candidate, UsageError
from latvar_tui.cli_options import Finite, Quantity, looking
from latvar_tui.format import encodable
from latvar_tui.quantities import parse_age_s, parse_duration_s

if TYPE_CHECKING:  # imported where they are used: start-up would pay for them
    from pathlib import Path

    from latvar_tui.session.reader import Session
    from latvar_tui.session.recorder import Recorder
    from latvar_tui.session.replay import Replay
    from latvar_tui.study.board import Board

# -- recording ----------------------------------------------------------------------------------------------


def begin_recording(options: Mapping[str, Any], candidates: Sequence[Candidate]) -> Recorder:
    """The recorder that ``--record`` and ``--no-record`` ask for.

    Raises:
        UsageError: the folder cannot be used.
    """
    from latvar_tui.session.layout import SessionError
    from latvar_tui.session.places import check_new
    from latvar_tui.session.recorder import NotRecording, SessionRecorder

    wanted = options["record_in"]
    if options["no_record"]:
        if wanted is not None:
            raise UsageError("--record and --no-record exclude each other: leave one out.")
        return NotRecording()
    try:
        folder = None if wanted is None else check_new(wanted)
    except SessionError as error:
        raise UsageError(str(error)) from error
    return SessionRecorder(candidates, _as_json(options), folder)


def _as_json(options: Mapping[str, Any]) -> dict[str, object]:
    kept: dict[str, object] = {}
    for name, value in options.items():
        if value is None or isinstance(value, bool | int | float | str):
            kept[name] = value
        else:
            kept[name] = list(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return kept


def end_recording(recorder: Recorder, why: str) -> None:
    """Close the session, and say where it is."""
    for sentence in recorder.close(why):
        click.echo(f"latvar-tui: {sentence}", err=True)
    if recorder.folder is not None:
        click.echo(f"session: {recorder.folder}", err=True)


# -- reading ------------------------------------------------------------------------------------------------


def open_session(text: str) -> Session:
    """The session of that name.

    Raises:
        UsageError: there is none, or it cannot be read.
    """
    from latvar_tui.session.layout import SessionError
    from latvar_tui.session.places import find_session
    from latvar_tui.session.reader import Session

    try:
        return Session(find_session(text))
    except SessionError as error:
        raise UsageError(str(error)) from error


@click.command(short_help="A session's tables, JSON, or the screen again.")
@click.argument("session", metavar="SESSION")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of the tables.")
@click.option("--live", "as_replay", is_flag=True, help="Play it on the live screen, marked as a recording.")
@click.option(
    "--from",
    "from_s",
    type=Quantity("TIME", parse_duration_s),
    default=0.0,
    help="Leave out what began earlier than this into the session, like 30s or 1h.",
)
@click.option("--to", "to_s", type=Quantity("TIME", parse_duration_s), help="Leave out what began later.")
@click.option("--candidate", "candidates", multiple=True, metavar="NAME", help="Show these alone; may be repeated.")
@click.option("--condition", "conditions", multiple=True, metavar="TEXT", help="Likewise: idle, or like 2xcpu@100%.")
@click.option("--quantile", type=Finite(50, 100, max_open=True), metavar="PCT", help="As of record [as recorded].")
@click.option(
    "--deadline", "deadline_ms", type=Finite(0.001, 100_000), metavar="MS", help="As of record [as recorded]."
)
@click.option(
    "--by",
    type=click.Choice(("time",)),
    help="Compare the ranking at the session's beginning with that at its end: minute 1 against minute 30.",
)
@click.option(
    "--part",
    "part_s",
    type=Quantity("DURATION", parse_duration_s),
    help="With --by time: how long beginning and end are, like 1m [a third each].",
)
@looking
def show(session: str, as_json: bool, as_replay: bool, **options: Any) -> None:
    """Show a recorded session: the tables, or the JSON document, that measuring it ended with.

    SESSION is a folder, a name as latvar-tui sessions lists it, or last.
    """
    from latvar_tui.session.layout import SessionError
    from latvar_tui.session.shown import Chosen, document, tables

    if as_replay and (as_json or options["candidates"] or options["conditions"] or options["by"]):
        raise UsageError("--live plays the session as it was: leave --json, --candidate, --condition and --by out.")
    if options["to_s"] is not None and options["to_s"] <= options["from_s"]:
        raise UsageError("--to lies before --from, so there is nothing between them: both count from the beginning.")
    opened = open_session(session)
    if as_replay:
        sys.exit(_play(opened, options))
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    if options["by"] is not None:
        _show_by_time(opened, as_json, options, width)
        return
    if options["part_s"] is not None:
        raise UsageError("--part is how long the parts are that --by time compares: write --by time, too.")
    chosen = Chosen(options["candidates"], options["conditions"], options["quantile"], options["deadline_ms"])

    def text(board: Board) -> str:
        if as_json:
            return json.dumps(document(opened, board, chosen), ensure_ascii=False, indent=1)
        return "\n".join(tables(opened, board, chosen, width))

    try:
        click.echo(encodable(opened.shown(text, options["from_s"], options["to_s"])))
    except SessionError as error:
        raise UsageError(str(error)) from error


def _show_by_time(session: Session, as_json: bool, options: Mapping[str, Any], width: int | None) -> None:
    from latvar_tui.session import by_time
    from latvar_tui.session.layout import SessionError
    from latvar_tui.session.shown import Chosen, told_quantiles

    if options["candidates"] or options["conditions"]:
        raise UsageError("--by time compares all candidates and conditions: leave --candidate and --condition out.")
    quantiles = told_quantiles(session, Chosen(quantile=options["quantile"]))
    part = (options["part_s"], options["from_s"], options["to_s"])
    try:
        if as_json:
            click.echo(json.dumps(by_time.document(session, *part, quantiles), ensure_ascii=False, indent=1))
        else:
            click.echo("\n".join(by_time.tables(session, *part, quantiles, width)))
    except SessionError as error:
        raise UsageError(str(error)) from error


def _play(session: Session, options: Mapping[str, Any]) -> int:
    """The session on the live screen; returns the exit status."""
    from latvar_tui.session.shown import Chosen, ranking
    from latvar_tui.terminal import check_terminal

    check_terminal("leave --live out for the tables")
    from latvar_tui.tui.app import run_screen
    from latvar_tui.tui.looks import looks_here
    from latvar_tui.tui.replay import ReplayApp

    chosen = Chosen(quantile=options["quantile"], deadline_ms=options["deadline_ms"])
    ranked_by, deadline_ns = ranking(session, chosen)
    replay = replay_of(session, options["from_s"], options["to_s"])
    try:
        app = ReplayApp(replay, ranked_by=ranked_by, deadline_ns=deadline_ns)
        status, _ = run_screen(app, looks_here(options["theme"], options["ascii"]), options["fps"])
    finally:
        replay.close()
    for note in session.notes:
        click.echo(f"latvar-tui: {note}", err=True)
    return status


def replay_of(session: Session, from_s: float = 0.0, to_s: float | None = None) -> Replay:
    """Plays a session, or a part of it.

    Raises:
        UsageError: there is nobody in it to show.
    """
    from latvar_tui.session.replay import Replay

    replay = Replay(session, from_s, to_s)
    if not replay.board.contenders:
        replay.close()
        raise UsageError(f"The session '{session.folder}' has no candidate that this version knows: update latvar-tui.")
    return replay


# -- what is kept -------------------------------------------------------------------------------------------


@click.group(invoke_without_command=True, short_help="List what has been recorded; remove old ones.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of the table.")
@click.pass_context
def sessions(ctx: click.Context, as_json: bool) -> None:
    """List what has been recorded, and remove what is no longer wanted.

    Without a command: the list, the oldest first.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_sessions, as_json=as_json)


@sessions.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of the table.")
def list_sessions(as_json: bool) -> None:
    """Show each with its size, its length, how it ended, and its candidates."""
    from latvar_tui.session import kept
    from latvar_tui.session.places import sessions_folder

    found = kept.kept_sessions(sessions_folder())
    if as_json:
        click.echo(json.dumps([kept.as_json(one) for one in found], ensure_ascii=False, indent=1))
    elif found:
        click.echo("\n".join(kept.table_lines(found)))
    else:
        click.echo(f"latvar-tui: nothing has been recorded in {sessions_folder()}.", err=True)


@sessions.command()
@click.option("--keep", type=click.IntRange(min=0), metavar="N", help="Remove all but the newest N.")
@click.option(
    "--older-than",
    "older_than_s",
    type=Quantity("AGE", parse_age_s),
    metavar="AGE",
    help="Remove what ended longer ago than this, like 30d or 12h; with --keep only of the others.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be removed, and remove nothing.")
def prune(keep: int | None, older_than_s: float | None, dry_run: bool) -> None:
    """Remove sessions, without asking; one that is being recorded stays."""
    from latvar_tui.format import plural, size
    from latvar_tui.session import kept
    from latvar_tui.session.places import sessions_folder

    if keep is None and older_than_s is None:
        raise UsageError("Nothing says what to remove: write --keep 20, or --older-than 30d.")
    failed = False
    gone = []
    for one in kept.to_prune(kept.kept_sessions(sessions_folder()), keep, older_than_s):
        try:
            if not dry_run:
                kept.remove(one)
        except OSError as error:
            failed = True
            click.echo(f"latvar-tui: '{one.folder}' stays: {(error.strerror or str(error)).lower()}.", err=True)
            continue
        gone.append(one)
        click.echo(f"{'would remove' if dry_run else 'removed'} {one.name}")
    total = size(sum(one.nbytes for one in gone))
    click.echo(f"{plural(len(gone), 'session')}, {total}{' would be free' if dry_run else ''}", err=True)
    if failed:
        sys.exit(1)


@click.command(short_help="Write a session for other tools to read.")
@click.argument("session", metavar="SESSION")
@click.option(
    "--format",
    "form",
    type=click.Choice(("hlog", "hgrm", "csv", "json", "parquet")),
    required=True,
    help="HdrHistogram log, its percentile tables, or rows as CSV, JSON or Parquet.",
)
@click.option(
    "--per",
    type=click.Choice(("cell", "interval")),
    default="cell",
    help="What a row, or a line of the log, is of: a candidate under a condition, or one slice [cell].",
)
@click.option("-o", "--output", type=click.Path(), default="-", metavar="PATH", help="Where to; - is stdout [-].")
@click.option("--force", is_flag=True, help="Overwrite a file that is there.")
def export(session: str, form: str, per: str, output: str, force: bool) -> None:
    """Write a recorded session in a format that other tools read.

    SESSION is a folder, a name as latvar-tui sessions lists it, or last.
    """
    from pathlib import Path

    from latvar_tui.session.export import exported
    from latvar_tui.session.layout import SessionError

    if form == "parquet" and output == "-" and sys.stdout.isatty():
        raise UsageError("Parquet is not for a terminal: name a file, with -o cells.parquet.")
    opened = open_session(session)
    try:
        pieces = exported(opened, form, per)
        if output == "-":
            _print(pieces)
        else:
            _write_whole(Path(output), pieces, force)
    except SessionError as error:
        raise UsageError(str(error)) from error
    for note in opened.notes:
        click.echo(f"latvar-tui: {note}", err=True)


def _check_output(path: Path, force: bool) -> bool:
    """Whether it is a device or a pipe. Raises UsageError: it is a folder, or a file is there already."""
    if path.is_dir():
        raise UsageError(f"'{path}' is a folder: name a file in it.")
    if path.is_file() and not force:
        raise UsageError(f"'{path}' is there already: name another file, or overwrite it with --force.")
    return path.exists() and not path.is_file()


def _print(pieces: Iterable[str | bytes]) -> None:
    for piece in pieces:
        click.echo(encodable(piece) if isinstance(piece, str) else piece, nl=False)


def _write_whole(path: Path, pieces: Iterable[str | bytes], force: bool) -> None:
    """A file that is there whole or not at all; a device or a pipe is written to, and stays one.

    Raises:
        UsageError: it is there already, or cannot be written.
    """
    is_device = _check_output(path, force)
    temporary = path if is_device else path.with_name(f".{path.name}.tmp")
    try:
        with open(temporary, "wb") as file:
            file.writelines(encodable(piece).encode() if isinstance(piece, str) else piece for piece in pieces)
        if not is_device:
            temporary.replace(path)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise UsageError(f"'{path}' cannot be written: {why}.") from error
    finally:
        if not is_device:
            temporary.unlink(missing_ok=True)


@click.command(short_help="One page with pictures and tables of sessions.")
@click.argument("names", nargs=-1, required=True, metavar="SESSION...")
@click.option("-o", "--output", type=click.Path(), required=True, metavar="PATH", help="Where to; - is stdout.")
@click.option(
    "--format",
    "form",
    type=click.Choice(("html", "md")),
    default="html",
    help="One self-contained HTML file, or Markdown tables to paste into an issue [html].",
)
@click.option("--force", is_flag=True, help="Overwrite a file that is there.")
def report(names: tuple[str, ...], output: str, form: str, force: bool) -> None:
    """Write recorded sessions as one file to read, with pictures and tables.

    SESSION is a folder, a name as latvar-tui sessions lists it, or last. The file needs no network and no scripts.
    """
    from pathlib import Path

    from latvar_tui.session.layout import SessionError
    from latvar_tui.session.report.content import read
    from latvar_tui.session.report.markdown import markdown
    from latvar_tui.session.report.page import page

    if output != "-":
        _check_output(Path(output), force)
    opened = [open_session(name) for name in names]
    written = page if form == "html" else markdown
    try:
        try:
            pieces = list(written([read(session) for session in opened]))
        except SessionError:
            raise
        except Exception:  # a shortcut that is not what it says: without one it cannot happen
            pieces = list(written([read(session, by_snapshot=False) for session in opened]))
    except SessionError as error:
        raise UsageError(str(error)) from error
    if output == "-":
        _print(pieces)
    else:
        _write_whole(Path(output), pieces, force)
    for note in dict.fromkeys(note for session in opened for note in session.notes):
        click.echo(f"latvar-tui: {note}", err=True)


SESSION_COMMANDS: tuple[click.Command, ...] = (sessions, show, export, report)
