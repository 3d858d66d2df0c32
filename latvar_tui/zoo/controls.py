"""The controls among what can be named: see :mod:`latvar_tui.controls`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from latvar_tui.controls import CONTROLS, NULL, NULL_FILE
from latvar_tui.zoo.entries import FP32, ZooError, models_folder


@dataclass(frozen=True)
class Control:
    """A control by its name. ``path`` is the graph to run, None where there is none."""

    name: str
    about: str
    path: Path | None

    @property
    def id(self) -> str:
        """What a user types for it."""
        return self.name


def control(name: str) -> Control:
    """The control of this name. Raises KeyError; and ZooError where its graph is not installed."""
    about = CONTROLS[name]
    return Control(name, about, models_folder() / NULL_FILE if name == NULL else None)


def control_in(name: str, precision: str) -> Control:
    """Likewise; raises ZooError for a precision, which it has none of."""
    if precision != FP32:
        raise ZooError(f"{name} has no {precision} graph: leave the precision out")
    return control(name)
