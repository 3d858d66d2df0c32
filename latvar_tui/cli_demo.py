"""``demo``: a guided tour in the real instrument, over a probe or over a recorded session."""

from __future__ import annotations

import functools
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from latvar_tui.candidate import Candidate, UsageError, parse_candidates
from latvar_tui.cli_options import Finite, Quantity, looking
from latvar_tui.cli_run import complain, connect
from latvar_tui.cli_sessions import begin_recording, end_recording, open_session, replay_of
from latvar_tui.condition import IDLE, Condition
from latvar_tui.device.cores import physical_cores, usable_cores
from latvar_tui.quantities import parse_duration_s
from latvar_tui.terminal import check_terminal
from latvar_tui.zoo import find

if TYPE_CHECKING:  # imported where they are used: start-up would pay for them
    from latvar_tui.tour import Tour

LINE_UP = (
    "mobilenet_v3_small@as=mobilenet-spinning",
    "mobilenet_v3_small@spin=off,as=mobilenet-sleeping",
    "squeezenet1_1",
)
"""One small model twice, its threads spinning or asleep while they wait: the surest reversal known. And a rival."""

QUANTILE = 95.0
"""A fifth of p99's observations speak for it, and a tour is short."""

SLICE_MS = 150.0
"""Shorter than elsewhere: a claim needs rounds, and a speaker has three minutes."""


@click.command(short_help="A guided tour with real measurements.")
@click.argument("models", nargs=-1, metavar="[MODEL[@settings]]...")
@click.option("--auto", is_flag=True, help="Go on by itself, and begin anew at the end: for a stand.")
@click.option(
    "--step",
    "step_s",
    type=Quantity("DURATION", parse_duration_s),
    default=20.0,
    help="With --auto: how long each step is shown at least, like 20s [20s].",
)
@click.option(
    "--session", "session_name", metavar="SESSION", help="Play this recorded session instead, marked as a recording."
)
@click.option("--quantile", type=Finite(50, 100, max_open=True), metavar="PCT", help="The quantile to tell of [95].")
@click.option("--record", "record_in", type=click.Path(), metavar="DIR", help="Record it in this new folder [not].")
@click.option("--force", is_flag=True, help="Measure although another latvar-tui does, too.")
@looking
def demo(models: tuple[str, ...], auto: bool, step_s: float, session_name: str | None, **options: Any) -> None:
    """Tell the story in a few minutes: a guided tour with real measurements; enter goes on.

    Idle, then more and more stress threads, a caption for each step with the numbers just measured, and whether the
    ranking reverses on this device. Without MODEL: one small model with two settings, and another model.
    """
    auto_s = step_s if auto else None
    if session_name is not None:
        if models or options["record_in"]:
            raise UsageError("--session plays what was recorded: leave the models and --record out.")
        sys.exit(_play(session_name, auto_s, options))
    candidates = parse_candidates(models or LINE_UP, max(2, physical_cores()))
    for candidate in candidates:
        find(candidate.model, candidate.precision)
    check_terminal("it has nothing to show without a screen; latvar-tui record measures without one")
    sys.exit(_measure(candidates, auto_s, options))


def _measure(candidates: Sequence[Candidate], auto_s: float | None, options: dict[str, Any]) -> int:
    from latvar_tui.tour import Tour, stresses

    cores = usable_cores()
    quantile = options["quantile"] or QUANTILE
    kept = {"record_in": options["record_in"], "no_record": options["record_in"] is None}
    recorder = begin_recording(kept | {"slice_ms": SLICE_MS, "quantile": quantile}, candidates)
    reconnect = functools.partial(connect, options | {"slice_ms": SLICE_MS, "memory_mb": None})
    link = reconnect(candidates, IDLE)  # first: it loads while the screen's own imports do
    try:
        from latvar_tui.tui.app import run_screen
        from latvar_tui.tui.demo import DemoApp
        from latvar_tui.tui.looks import looks_here

        tour = Tour([Condition(number) for number in stresses(cores, 2 * cores)], cores, quantile, auto_s)
        app = DemoApp(
            link, reconnect, candidates, IDLE, maximum=2 * cores, cores=cores, threads=physical_cores(),
            ranked_by=quantile, hold=auto_s is not None, recorder=recorder, tour=tour,
        )  # fmt: skip
        status, message = run_screen(app, looks_here(options["theme"], options["ascii"]), options["fps"])
    finally:
        link.close()
        end_recording(recorder, "left")
    if message:
        complain(message)
    return status


def _play(name: str, auto_s: float | None, options: dict[str, Any]) -> int:
    from latvar_tui.session.layout import SessionError
    from latvar_tui.session.stretches import stretches

    session = open_session(name)
    try:
        found = stretches(session)
    except SessionError as error:
        raise UsageError(str(error)) from error
    if len(found) < 2 or not found[0].condition.is_idle:
        raise UsageError(
            f"The session '{session.folder}' does not begin idle and go on under stress, so it has no story to tell: "
            "record one with latvar-tui demo --record DIR."
        )
    check_terminal("latvar-tui show SESSION prints its tables")
    from latvar_tui.tui.app import run_screen
    from latvar_tui.tui.demo import DemoReplay
    from latvar_tui.tui.looks import looks_here

    quantile = options["quantile"] or QUANTILE
    replay = replay_of(session)
    tour = _tour_of(session.about.get("device"), [stretch.condition for stretch in found], quantile, auto_s)
    try:
        app = DemoReplay(replay, found, ranked_by=quantile, tour=tour)
        status, _ = run_screen(app, looks_here(options["theme"], options["ascii"]), options["fps"])
    finally:
        replay.close()
    return status


def _tour_of(device: Any, conditions: list[Condition], quantile: float, auto_s: float | None) -> Tour:
    from latvar_tui.tour import Tour

    cores = device.get("cores") if isinstance(device, dict) else None
    return Tour(conditions, cores if isinstance(cores, int) else 1, quantile, auto_s)
