"""``latvar-tui models``: what there is to run, the zoo's and one's own."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import Any

import click

from latvar_tui import models_table
from latvar_tui.candidate import Candidate, UsageError, parse_candidate, with_setting
from latvar_tui.controls import CONTROLS
from latvar_tui.format import amount, ms, printable, size
from latvar_tui.settings import BY_NAME, input_shape_text, shape_text
from latvar_tui.zoo import ModelEntry, OwnModel, catalogue, find, library, materialise
from latvar_tui.zoo.fits import cannot_be_made_up, resolve_sizes
from latvar_tui.zoo.names import suggested_name
from latvar_tui.zoo.onnx_file import OnnxValue, read_onnx

FAILED = 1

_json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of the table.")


@click.group(invoke_without_command=True, short_help="List, check, add, remove, discover, export models.")
@_json_option
@click.pass_context
def models(ctx: click.Context, as_json: bool) -> None:
    """List, check, add, remove, discover and export models.

    Without a command: the list.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_models, as_json=as_json)


@models.command("list")
@_json_option
def list_models(as_json: bool) -> None:
    """Show what there is, and what to type for it."""
    found = models_table.rows()
    if as_json:
        _print_json([models_table.as_json(row) for row in found])
    else:
        click.echo("\n".join(models_table.table_lines(found)))
    for sentence in models_table.complaints():
        click.echo(f"latvar-tui: {sentence}.", err=True)


@models.command()
@click.argument("names", nargs=-1, metavar="[MODEL[@settings]]...")
def check(names: tuple[str, ...]) -> None:
    """Verify models and run them once.

    All of them unless some are named; status 1 if one fails. The time is that of a second inference, the memory what
    the session takes.
    """
    from latvar_tui import models_check

    for name in names:  # a slip of the pen is no failed model
        candidate = parse_candidate(name, 1)
        find(candidate.model, candidate.precision)
    damaged = {} if names else library.library().damaged
    chosen = names or (*catalogue(), *CONTROLS, *library.own_models())
    width = max(map(len, [*chosen, *damaged]))
    failed = len(damaged)
    for name in chosen:
        outcome = models_check.check(name)
        failed += bool(outcome.reason)
        if outcome.reason:
            click.echo(f"FAILED {name}: {printable(outcome.reason)}")
            continue
        time_ms = ms(None if outcome.second_ms is None else outcome.second_ms * 1e6)
        memory = size(None if outcome.memory_mb is None else round(outcome.memory_mb * 1e6))
        remark = f"  ({outcome.remark})" if outcome.remark else ""
        click.echo(
            f"ok  {name.ljust(width)}  {amount(outcome.parameters).rjust(6)} parameters  "
            f"{time_ms.rjust(5)} ms  {memory.rjust(7)}{remark}"
        )
    for name, reason in damaged.items():
        click.echo(f"FAILED {name}: {printable(reason)}")
    if failed:
        sys.exit(FAILED)


@models.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--name", help="What to call it [its file name].")
@click.option("--link", is_flag=True, help="Link to the file and its weights instead of copying them.")
@click.option(
    "--shape",
    "shapes",
    multiple=True,
    metavar="INPUT:1x128",
    help="Sizes of an input that it leaves open; may be given again.",
)
@click.option(
    "--fill",
    "fills",
    multiple=True,
    metavar="INPUT:VALUE",
    help="What fills an input: a number or a range LOW..HIGH; may be given again.",
)
def add(path: Path, name: str | None, link: bool, shapes: tuple[str, ...], fills: tuple[str, ...]) -> None:
    """Keep a model file of your own under a name.

    The files with its weights come along."""
    remembered = Candidate(1, model=str(path))
    for setting, texts in (("shape", shapes), ("fill", fills)):
        for text in texts:
            remembered = with_setting(remembered, BY_NAME[setting], text, f"--{setting} {text}")
    _add(path, name, link, remembered)


def _add(path: Path, name: str | None, link: bool, remembered: Candidate) -> None:
    model = library.add(path, name or suggested_name(path), link, dict(remembered.shapes), dict(remembered.fills))
    info = read_onnx(model.path)
    how = "linked to" if link else "copied to"
    click.echo(
        f"{model.name}: {how} {printable(str(model.path))}, {size(info.nbytes)}, {amount(info.parameters)} parameters"
    )
    for value in info.inputs or ():
        click.echo(f"input {models_table.input_text(value)}{_fed_with(value, model)}")
    missing = [input_shape_text(*pair) for pair in resolve_sizes(info.inputs or (), dict(model.shapes)).missing]
    if strange := cannot_be_made_up(info.inputs or ()):
        click.echo(f"it can't be run: no values can be made up for {', '.join(map(models_table.input_text, strange))}")
        return
    if not missing:
        click.echo(f"run it: latvar-tui live {model.name}")
        return
    settings = f"{model.name}@{','.join(f'shape={text}' for text in missing)}"
    options = " ".join(f"--shape {shlex.quote(text)}" for text in missing)
    click.echo(f"it leaves sizes open, so give them: latvar-tui live {printable(shlex.quote(settings))}")
    click.echo(f"(or once and for all: latvar-tui models remove {model.name}, and add it with {printable(options)})")


def _fed_with(value: OnnxValue, model: OwnModel) -> str:
    shape, fill = dict(model.shapes).get(value.name), dict(model.fills).get(value.name)
    sizes = "" if shape is None else f", run as {shape_text(shape)}"
    return sizes if fill is None else f"{sizes}, filled with {fill}"


@models.command()
@click.argument("name")
def remove(name: str) -> None:
    """Remove a model of your own.

    Its copy is deleted; what was only linked stays."""
    library.remove(name)
    click.echo(f"{name} is removed")


@models.command()
@click.argument("folder", required=False)
@_json_option
@click.option(
    "--add", "chosen", metavar="NUMBER|PATH", help="Keep one of them, by its number in the list or by its path."
)
@click.option("--name", help="What to call it [made from its path].")
@click.option("--link", is_flag=True, help="Link to it instead of copying it.")
def discover(folder: str | None, as_json: bool, chosen: str | None, name: str | None, link: bool) -> None:
    """Find model files that are here already.

    In Hugging Face's cache and in Python packages, or in FOLDER and below."""
    from latvar_tui.zoo import discover as search

    if chosen is not None and not chosen.isdecimal():
        _add(Path(chosen), name, link, Candidate(1, model=chosen))
        return
    if chosen is None and (name or link):
        raise UsageError("--name and --link are for --add NUMBER: say which of the list.")
    places = [search.folder_to_search(folder)] if folder else search.usual_places()
    found = search.discover(places)
    if chosen is not None:
        if not 1 <= int(chosen) <= len(found.models):
            raise UsageError(f"--add {chosen} is not in the list, which has {len(found.models)}: see models discover.")
        path = found.models[int(chosen) - 1].path
        _add(path, name, link, Candidate(1, model=str(path)))
    elif as_json:
        _print_json(
            [
                {
                    "number": number,
                    "path": str(model.path),
                    "bytes": model.nbytes,
                    "inputs": models_table.inputs_as_json(model.inputs),
                    "problem": model.problem or None,
                }
                for number, model in enumerate(found.models, 1)
            ]
        )
    else:
        for number, model in enumerate(found.models, 1):
            about = f"cannot be read: {model.problem}" if model.problem else models_table.inputs_text(model.inputs)
            click.echo(f"{number:4}  {size(model.nbytes):>7}  {printable(str(model.path))}  {printable(about)}")
        if found.models:
            click.echo("keep one under a name: the same command with --add NUMBER")
    if not found.models:
        where = ", ".join(map(str, places)) or "the places where other programs keep them"
        click.echo(f"latvar-tui: there are no .onnx or .ort files in {printable(where)}.", err=True)
    if not found.whole:
        click.echo(
            f"latvar-tui: only the first {search.MOST_FOLDERS} folders were searched: name a smaller one.", err=True
        )


@models.command()
@click.argument("name", metavar="MODEL")
@click.option("-o", "--output", required=True, metavar="FILE", help="Where to write it; - for standard output.")
@click.option("--force", is_flag=True, help="Overwrite a file that is there.")
def export(name: str, output: str, force: bool) -> None:
    """Write a model and its weights as one file."""
    from latvar_tui import models_export

    candidate = parse_candidate(name, 1)
    if candidate != Candidate(1, model=candidate.model, precision=candidate.precision):
        raise UsageError(
            f"'{name}' has settings of how a model is run, which a file does not keep: give only its precision."
        )
    found = find(candidate.model, candidate.precision)
    path = materialise(found) if isinstance(found, ModelEntry) else found.path
    if path is None:
        raise UsageError(f"'{name}' runs no model, so there is no file to write: name a model.")
    written = models_export.export(path, output, force)
    if output != "-":
        click.echo(f"{printable(output)}: {size(written)}")


def _print_json(document: Any) -> None:
    # ASCII: a path may hold bytes that are no text.
    click.echo(json.dumps(document, indent=1))
