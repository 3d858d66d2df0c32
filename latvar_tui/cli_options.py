"""The options that every measuring command has, and how their values are read."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import click

from latvar_tui.candidate import UsageError
from latvar_tui.condition import parse_arrivals, parse_cores
from latvar_tui.device.cores import usable_cores
from latvar_tui.levels import parse_levels
from latvar_tui.quantities import parse_megabytes


class Quantity(click.ParamType["float"]):
    """A number with its unit, read by one of ``quantities``'s functions."""

    def __init__(self, name: str, read: Callable[[str], float]) -> None:
        self.name, self._read = name, read

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        try:
            return self._read(value)
        except UsageError as error:
            self.fail(str(error), param, ctx)


class Written(click.ParamType[Any]):
    """What ``condition``'s functions read: their ValueError says what may be written."""

    def __init__(self, name: str, read: Callable[[str], Any]) -> None:
        self.name, self._read = name, read

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return self._read(value)
        except ValueError as error:
            self.fail(f"'{value}' is not {error}.", param, ctx)


class Finite(click.FloatRange):
    """A range that nan does not slip through."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is no number to work with.", param, ctx)
        return number


_Option = Callable[[Any], Any]

_MODELS: _Option = click.argument("models", nargs=-1, metavar="[MODEL[@settings]]...")
_STRESS: _Option = click.option(
    "--stress",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help="Background stress threads at the start [0].",
)
_LEVELS: _Option = click.option(
    "--stress",
    "levels",
    type=Written("levels", lambda text: parse_levels(text, usable_cores())),
    metavar="N,N,…",
    help="Numbers of background stress threads, or shares of the cores like 0,50%,100% [0,1,2,4].",
)
_MOST: _Option = click.option(
    "--max-stress", type=click.IntRange(min=1), metavar="N", help="Most stress threads [2 × cores]."
)

_STRESSORS: tuple[_Option, ...] = (
    click.option(
        "--load",
        type=click.IntRange(10, 100),
        default=100,
        metavar="PCT",
        help="Share of the time each of them is busy, 10 to 100 [100].",
    ),
    click.option(
        "--kind",
        default="cpu",
        metavar="KIND",
        help="What they do: cpu, fp, mem, or stress-ng:NAME where stress-ng is installed [cpu].",
    ),
    click.option(
        "--stress-nice",
        type=click.IntRange(0, 19),
        default=0,
        metavar="N",
        help="How nice the stress is, 0 to 19: a background task gives way [0].",
    ),
    click.option(
        "--stress-pin",
        type=Written("cores", parse_cores),
        default=(),
        metavar="CORES",
        help="Cores that the stress is bound to, like 0 or 0-1,3 [any].",
    ),
)

_OTHERS: tuple[_Option, ...] = (
    click.option(
        "--rate",
        "arrivals",
        type=Written("rate", parse_arrivals),
        metavar="FPS",
        help="Open loop: so many inferences a second are due, evenly (60) or at random (poisson:60), and the time from "
        "then to the end counts [back to back].",
    ),
    click.option(
        "--pin",
        type=Written("cores", parse_cores),
        default=(),
        metavar="CORES",
        help="Cores that the models are bound to, like 0 or 0-1,3 [any].",
    ),
    click.option(
        "--nice",
        type=click.IntRange(0, 19),
        default=0,
        metavar="N",
        help="How nice the models are, 0 to 19 [0].",
    ),
    click.option(
        "--slice",
        "slice_ms",
        type=Finite(20, 10_000),
        default=250.0,
        metavar="MS",
        help="Length of one candidate's turn [250].",
    ),
    click.option(
        "--quantile",
        type=Finite(50, 100, max_open=True),
        default=99.0,
        metavar="PCT",
        help="The quantile that ratios compare [99].",
    ),
    click.option(
        "--deadline",
        "deadline_ms",
        type=Finite(0.001, 100_000),
        metavar="MS",
        help="How long an inference may take: the share that takes longer is a column [none].",
    ),
    click.option(
        "--vary",
        multiple=True,
        metavar="SETTING=A,B",
        help="Run every candidate with each of these values; may be given again for another setting.",
    ),
    click.option(
        "--input",
        "values_file",
        type=click.Path(),
        metavar="FILE.npz",
        help="Feed the arrays in this NumPy archive to every model that is not the zoo's.",
    ),
    click.option(
        "--memory",
        "memory_mb",
        type=Quantity("SIZE", parse_megabytes),
        metavar="SIZE",
        help="Memory for all models together, like 500MB or 1.5GB; they then load by turns [no limit].",
    ),
    click.option(
        "--record",
        "record_in",
        type=click.Path(),
        metavar="DIR",
        help="Record the session in this folder, which must be new or empty [one among latvar-tui sessions].",
    ),
    click.option("--no-record", is_flag=True, help="Record nothing."),
    click.option("--force", is_flag=True, help="Measure although another latvar-tui does, too."),
)


def measuring(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command all of them, in this order."""
    return _with((_MODELS, _STRESS, *_STRESSORS, _MOST, *_OTHERS), command)


def sweeping(command: Callable[..., Any]) -> Callable[..., Any]:
    """Likewise, with several numbers of stress threads."""
    return _with((_MODELS, _LEVELS, *_STRESSORS, *_OTHERS), command)


def _theme(ctx: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """The name in full. Themes are looked up only where one is named: Textual's import takes its time."""
    del ctx
    if value is None:
        return None
    from latvar_tui.tui.themes import full_name, theme_names

    name = full_name(value)
    if name is None:
        raise click.BadParameter(f"there is no '{value}': choose among {', '.join(theme_names())}", param=parameter)
    return name


_LOOKS: tuple[_Option, ...] = (
    click.option(
        "--theme",
        metavar="NAME",
        callback=_theme,
        help="dark, light, contrast, or one of Textual's [the last one chosen with L, at first dark].",
    ),
    click.option("--ascii", is_flag=True, help="Draw with ASCII alone [where the locale is not UTF-8]."),
    click.option(
        "--fps",
        type=Finite(0.1, 60),
        metavar="FPS",
        help="Most frames a second [one after each turn], fewer where measuring pauses for over 3 % of the time.",
    ),
)


def looking(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command with a screen the options of how it is drawn."""
    return _with(_LOOKS, command)


def _with(options: Sequence[_Option], command: Callable[..., Any]) -> Callable[..., Any]:
    return functools.reduce(lambda decorated, option: option(decorated), reversed(options), command)
