"""``serve``: the screen in a browser."""

from __future__ import annotations

import shlex
import socket
import sys

import click

from latvar_tui.candidate import UsageError

SHOWN = ("live", "demo", "show")
"""The commands that have a screen."""

HOST, PORT = "127.0.0.1", 8000


@click.command(
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    short_help="The same screen in a browser.",
)
@click.option(
    "--host", default=HOST, help=f"Address to listen at; others than this machine can then reach it [{HOST}]."
)
@click.option("--port", type=click.IntRange(1, 65535), default=PORT, metavar="N", help=f"Port to listen at [{PORT}].")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[live|demo|show] [ARGUMENT]...")
def serve(host: str, port: int, arguments: tuple[str, ...]) -> None:
    """Show the same screen in a browser, of this machine alone unless --host says otherwise.

    What stands behind is a command with a screen and its arguments, and without one those of live. It ends with its
    page. Needs the extra web: pip install 'latvar-tui[web]'
    """
    try:
        from latvar_tui.web.server import ScreenServer, is_loopback
    except ImportError as error:
        raise UsageError("serve needs textual-serve, which is not installed: pip install 'latvar-tui[web]'.") from error
    command = list(arguments) if arguments and arguments[0] in SHOWN else ["live", *arguments]
    if command[0] == "show" and "--live" not in command:
        command.append("--live")
    _check_free(host, port)
    if not is_loopback(host):
        click.echo(
            f"latvar-tui: whoever reaches {host}:{port} can measure here and read and write files as you, for there is "
            "no password: serve on 127.0.0.1 and come through ssh -L if that is too much.",
            err=True,
        )
    shown = f"[{host}]" if ":" in host else host

    def started() -> None:
        click.echo(
            f"latvar-tui: http://{shown}:{port}/ shows latvar-tui {shlex.join(command)} (ctrl+c ends it)", err=True
        )

    several = command[0] == "show" or "--session" in command
    # The page's terminal is meant, and not the one that this was typed into.
    line = shlex.join(["env", "TERM=xterm-256color", sys.executable, "-m", "latvar_tui", *command])
    ScreenServer(line, host, port, several=several, started=started).serve()


def _check_free(host: str, port: int) -> None:
    """Raises UsageError: nothing can listen there."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind(address)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise UsageError(f"Nothing can listen at {host}:{port}: {why}; choose another --port or --host.") from error
