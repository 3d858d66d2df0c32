"""The command line: one function a command, no logic."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import selectors
import signal
import sys
from typing import Any

import click

from latvar_tui import __version__, blas
from latvar_tui.candidate import Candidate, UsageError
from latvar_tui.cli_compare import compare
from latvar_tui.cli_demo import demo
from latvar_tui.cli_import import import_session
from latvar_tui.cli_models import models
from latvar_tui.cli_options import Quantity, looking, measuring
from latvar_tui.cli_run import (
    DONE,
    FAILED,
    INTERRUPTED,
    USAGE,
    Ended,
    complain,
    conditions,
    connect,
    deadline_ns,
    line_up,
    print_tables,
    run,
)
from latvar_tui.cli_serve import serve
from latvar_tui.cli_sessions import SESSION_COMMANDS, begin_recording, end_recording
from latvar_tui.cli_sweep import sweep
from latvar_tui.condition import Condition
from latvar_tui.device.cores import physical_cores, usable_cores
from latvar_tui.quantities import parse_duration_s
from latvar_tui.terminal import check_terminal, is_in_browser
from latvar_tui.zoo import ZooError, find

_AGAIN_S = 1.0
"""After so long without anybody having caught it, the end is raised again."""


class _Commands(click.Group):
    """Knows what a newcomer means by a model, or an option of ``live``, without a command."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if self.get_command(ctx, args[0]) is None and ("@" in args[0] or _names_a_model(args[0])):
            raise UsageError(f"'{args[0]}' is a model and no command: write latvar-tui live {' '.join(args)}.")
        return super().resolve_command(ctx, args)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        typed = " ".join(args)
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            if any(error.option_name in parameter.opts for parameter in live.params):
                raise UsageError(
                    f"{error.option_name} is an option of live and other commands: write latvar-tui live {typed}."
                ) from error
            raise


def _names_a_model(text: str) -> bool:
    with contextlib.suppress(ZooError):
        find(text)
        return True
    return False


@click.group(cls=_Commands, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="latvar-tui")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """See on this device how CPU contention stretches the tail of neural-network inference.

    Without a command: the live screen on three default models, running at once.

    A candidate is a model's name (see latvar-tui models) or an .onnx file, with
    settings behind an @: mobilenet_v2@precision=int8,threads=2,spin=off,as=LABEL
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(live)


@cli.command(short_help="The live screen, with models and settings chosen.")
@measuring
@looking
@click.option("--hold", is_flag=True, help="Keep stressing although no key is struck for ten minutes.")
@click.option("--plain", is_flag=True, help="Print lines instead of the screen: for logs and screen readers.")
def live(plain: bool, hold: bool, **options: Any) -> None:
    """Run candidates in turns; watch histograms and percentiles move under a stress slider."""
    candidates, (condition, stressed, most) = line_up(options), conditions(options)
    if plain:
        sys.exit(_run_headless(candidates, condition, options, None, as_json=False))
    check_terminal("use latvar-tui record to measure without a screen, or latvar-tui live --plain for lines")
    recorder = begin_recording(options, candidates)
    reconnect = functools.partial(connect, options)
    link = reconnect(candidates, condition)  # first: it loads while the screen's own imports do
    try:
        from latvar_tui.tui.app import LiveApp, run_screen
        from latvar_tui.tui.looks import looks_here

        ranked_by = options["quantile"]
        app = LiveApp(
            link, reconnect, candidates, condition, maximum=most, cores=usable_cores(), threads=physical_cores(),
            stressed=stressed, ranked_by=ranked_by, hold=hold,
            deadline_ns=deadline_ns(options), recorder=recorder,
        )  # fmt: skip
        status, message = run_screen(app, looks_here(options["theme"], options["ascii"]), options["fps"])
    finally:
        link.close()
        end_recording(recorder, "left")
    from latvar_tui.remembered import remember

    remember(app.board)
    if message:
        complain(message)
    elif status in (DONE, INTERRUPTED) and not is_in_browser():
        print_tables(app.board, options)
    if status == DONE and app.board.failure is not None:
        status = FAILED
    sys.exit(status)


@cli.command(short_help="Measure without a screen: the table on stdout.")
@measuring
@click.option(
    "--duration",
    type=Quantity("DURATION", parse_duration_s),
    default=30.0,
    help="How long to measure, like 10s or 1m30s [30s].",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of the table.")
def record(duration: float, as_json: bool, **options: Any) -> None:
    """Measure without a screen: progress on stderr, the table on stdout."""
    candidates, (condition, _, _) = line_up(options), conditions(options)
    sys.exit(_run_headless(candidates, condition, options, duration, as_json))


@cli.command(short_help="The measuring side alone, for a screen elsewhere.")
@click.option("--force", is_flag=True, help="Measure although another latvar-tui does, too.")
def probe(force: bool) -> None:
    """Serve a screen elsewhere: frames on stdout, commands on stdin."""
    from latvar_tui.device.__main__ import main as serve

    try:
        with selectors.DefaultSelector() as waiting:
            waiting.register(0, selectors.EVENT_READ)
    except (OSError, ValueError) as error:
        raise UsageError("The probe is told what to do on stdin, by a screen: this is a file, or closed.") from error
    sys.exit(serve(["--force"] if force else []))


for _command in (sweep, models, *SESSION_COMMANDS, compare, import_session, demo, serve):
    cli.add_command(_command)


def _run_headless(
    candidates: list[Candidate], condition: Condition, options: dict[str, Any], duration_s: float | None, as_json: bool
) -> int:
    from latvar_tui import headless
    from latvar_tui.study.board import Board
    from latvar_tui.summary import summary

    board = Board(candidates)
    ranked_by, late_ns = options["quantile"], deadline_ns(options)
    recorder = begin_recording(options, candidates)
    link = connect(options, candidates, condition)

    def measure() -> None:
        with contextlib.ExitStack() as stack:
            reporter: headless.Reporter
            if duration_s is None:
                reporter = headless.PlainRounds(ranked_by, lambda text: click.echo(text), late_ns)
            else:
                reporter = stack.enter_context(headless.ProgressLine(duration_s))
            headless.measure(link, board, headless.for_duration(duration_s), reporter, recorder)

    status = run(link, board, recorder, measure)
    if as_json:
        about = {
            "latvar_tui": __version__,
            "quantile": ranked_by,
            "deadline_ms": options["deadline_ms"],
            "slice_ms": options["slice_ms"],
            "duration_s": duration_s,
            "interrupted": status not in (DONE, FAILED),
        }
        folder = recorder.folder and str(recorder.folder)
        document = summary(board, late_ns, ranked_by) | {"session": folder, "run": about}
        click.echo(json.dumps(document, ensure_ascii=False, indent=1))
    elif duration_s is not None and any(board.cells()):
        print_tables(board, options)
    return status


def _end(number: int, frame: object) -> None:
    # Raised in a callback of the interpreter's own, of an import's lock say, an exception is printed and forgotten.
    signal.signal(signal.SIGALRM, lambda *_: _end(number, frame))
    signal.setitimer(signal.ITIMER_REAL, _AGAIN_S)
    raise Ended(number)


def main() -> None:
    """The ``latvar-tui`` command; every refusal is one sentence and status 2."""
    blas.keep_to_one_thread()  # no command has imported numpy yet
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # under nohup, or behind a shell's &, it stays ignored
            signal.signal(number, _end)
    try:
        cli(standalone_mode=False, prog_name="latvar-tui")
    except (UsageError, ZooError) as error:
        complain(str(error))
        sys.exit(USAGE)
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "latvar-tui"
        complain(f"{error.format_message()} (see {command} --help)")
        sys.exit(USAGE)
    except click.Abort:
        sys.exit(INTERRUPTED)
    except Ended as ended:
        sys.exit(ended.caught())
    except BrokenPipeError:
        # The reader of our output has left (`| head`): nothing to say, and nobody to say it to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.exit(DONE)
