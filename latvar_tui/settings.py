"""The settings of a candidate, in one table: what may be typed, what it means, and its text form.

Command line, wire, picker, README and the runner's session all read :data:`SETTINGS`. To add a setting: a field
of :class:`Settings`, a row here, and a line in ``device/session.py`` that obeys it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

MAX_THREADS = 1024
"""More than any device has: a larger number is a typing error."""

MOST_SPIN_US = 10_000_000
MOST_AXIS = 2**31 - 1
MOST_AXES = 16

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Settings:
    """How a model is run. ONNX Runtime's own defaults, except for ``threads``.

    ``threads`` counts intra-op threads, the calling one included: 1 or more, never the runtime's own 0 (its pool
    would escape ``taskset``). ``spin_us`` is how long waiting threads spin, None for the runtime's own duration.
    ``shapes`` and ``fills`` are by input; ``values_file`` is an ``.npz`` with every input, or empty.
    """

    threads: int
    spin: bool = True
    spin_us: int | None = None
    opt: str = "all"
    provider: str = "cpu"
    precision: str = "fp32"
    arena: bool = True
    execution: str = "sequential"
    shapes: tuple[tuple[str, Shape], ...] = ()
    fills: tuple[tuple[str, str], ...] = ()
    values_file: str = ""
    label: str = ""


@dataclass(frozen=True, eq=False)
class Setting:
    """One row of the table.

    ``texts`` gives a candidate's value as it is typed: none for a default, several for a setting by input.
    ``read`` returns the changed settings; its ValueError says what may be typed. ``steps`` are the values that
    the picker goes through, the first of them the default; of a ``bare`` setting the value alone says which one it
    is: ``@int8``.
    """

    name: str
    values: str
    help: str
    texts: Callable[[Settings], list[str]]
    read: Callable[[Settings, str], Settings]
    steps: tuple[str, ...] = ()
    bare: bool = False
    by_input: bool = False
    explicit: bool = False
    """Written down even where it is the default: what a reader of a number must know."""

    @property
    def default(self) -> str:
        """The default as typed; empty where there is none that fits every model and device."""
        return self.steps[0] if self.steps else ""


def _one_of(field: str, *choices: str) -> dict[str, Any]:
    """A setting that is one of some words, the first the default."""

    def read(settings: Settings, text: str) -> Settings:
        if text not in choices:
            raise ValueError(" or ".join(f"{field}={choice}" for choice in choices))
        return replace(settings, **{field: text})  # type: ignore[arg-type]

    def texts(settings: Settings) -> list[str]:
        value = str(getattr(settings, field))
        return [] if value == choices[0] else [value]

    return {"texts": texts, "read": read, "steps": choices}


def _read_threads(settings: Settings, text: str) -> Settings:
    if not re.fullmatch(r"[0-9]{1,6}", text) or not 1 <= int(text) <= MAX_THREADS:
        raise ValueError(f"a whole number from 1 to {MAX_THREADS}")
    return replace(settings, threads=int(text))


def _read_spin(settings: Settings, text: str) -> Settings:
    if text in ("on", "off"):
        return replace(settings, spin=text == "on", spin_us=None)
    duration = re.fullmatch(r"([0-9]{1,8})(us|µs)?", text)
    if duration is None or not 1 <= int(duration[1]) <= MOST_SPIN_US:
        raise ValueError(f"spin=on, spin=off, or a duration of 1us to {MOST_SPIN_US}us")
    return replace(settings, spin=True, spin_us=int(duration[1]))


def spin_text(settings: Settings) -> str:
    """``on``, ``off`` or ``500us``."""
    return "off" if not settings.spin else "on" if settings.spin_us is None else f"{settings.spin_us}us"


def _read_provider(settings: Settings, text: str) -> Settings:
    if not re.fullmatch(r"[a-z0-9]{1,32}", text):
        raise ValueError("a provider in small letters, like provider=cpu or provider=xnnpack")
    return replace(settings, provider=text)


def _read_arena(settings: Settings, text: str) -> Settings:
    if text not in ("on", "off"):
        raise ValueError("arena=on or arena=off")
    return replace(settings, arena=text == "on")


def shape_text(shape: Shape) -> str:
    """``1x3x224x224``; ``scalar`` for no axes."""
    return "x".join(map(str, shape)) or "scalar"


def input_shape_text(name: str, shape: Shape) -> str:
    """``input_ids:1x128``, as it is typed behind ``shape=`` and ``--shape``."""
    return f"{name}:{shape_text(shape)}"


def _read_shape(settings: Settings, text: str) -> Settings:
    name, _, dims = text.rpartition(":")
    numbers = dims.split("x")
    whole = all(re.fullmatch(r"[0-9]{1,10}", number) for number in numbers) and len(numbers) <= MOST_AXES
    if not name or not whole or not all(1 <= int(number) <= MOST_AXIS for number in numbers):
        raise ValueError("an input's name and its sizes, like shape=input_ids:1x128")
    return replace(settings, shapes=_with_input(settings.shapes, name, tuple(map(int, numbers))))


def _read_fill(settings: Settings, text: str) -> Settings:
    name, _, value = text.rpartition(":")
    if not name or not is_fill(value):
        raise ValueError("an input's name and a number or a range, like fill=sr:16000 or fill=input_ids:0..30521")
    return replace(settings, fills=_with_input(settings.fills, name, value))


_NUMBER = r"-?[0-9]{1,20}(\.[0-9]{1,20})?(e-?[0-9]{1,2})?"


def fill_bounds(value: str) -> tuple[int | float, int | float]:
    """The lowest and the highest number that a fill allows; whole ones as such: a float does not hold every int64."""
    low, dots, high = value.partition("..")
    numbers = [int(text) if text.lstrip("-").isdecimal() else float(text) for text in (low, high if dots else low)]
    return numbers[0], numbers[1]


def is_fill(value: str) -> bool:
    """Whether an input can be filled with this: a number, or two of them with ``..`` between."""
    if re.fullmatch(_NUMBER, value):
        return True
    low, dots, high = value.partition("..")
    if not (dots and re.fullmatch(_NUMBER, low) and re.fullmatch(_NUMBER, high)):
        return False
    least, most = fill_bounds(value)
    return least <= most


def _with_input(pairs: tuple[tuple[str, Any], ...], name: str, value: Any) -> tuple[tuple[str, Any], ...]:
    if any(known == name for known, _ in pairs):
        raise ValueError(f"it once for the input {name}")
    return (*pairs, (name, value))


def _read_values_file(settings: Settings, text: str) -> Settings:
    if not text:
        raise ValueError("the path of an .npz file that holds every input")
    return replace(settings, values_file=text)


_LABEL = re.compile(r"[A-Za-z0-9._+-]{1,64}")


def _read_label(settings: Settings, text: str) -> Settings:
    if not _LABEL.fullmatch(text):
        raise ValueError("1 to 64 letters, digits and . _ - +")
    return replace(settings, label=text)


SETTINGS: tuple[Setting, ...] = (
    Setting(
        "threads", "N", "ONNX Runtime's intra-op threads, the calling one included (default: the physical cores)",
        lambda s: [str(s.threads)], _read_threads, explicit=True,
    ),
    Setting(
        "spin", "on|off|Nus", "whether its waiting threads spin, or for how many µs (default: on, as ONNX Runtime has it)",
        lambda s: [spin_text(s)], _read_spin, ("on", "off", "500us"), explicit=True,
    ),
    Setting(
        "opt", "all|extended|basic|off", "how far ONNX Runtime optimises the graph (default: all)",
        **_one_of("opt", "all", "extended", "basic", "off"),
    ),
    Setting(
        "provider", "cpu|xnnpack|…", "the execution provider, of those that this device's ONNX Runtime has (default: cpu)",
        lambda s: [] if s.provider == "cpu" else [s.provider], _read_provider, ("cpu",),
    ),
    Setting(
        "precision", "fp32|int8", "which of the zoo's graphs of this model (default: fp32)",
        **_one_of("precision", "fp32", "int8"), bare=True,
    ),
    Setting(
        "arena", "on|off", "whether memory is kept from one inference to the next (default: on)",
        lambda s: [] if s.arena else ["off"], _read_arena, ("on", "off"),
    ),
    Setting(
        "execution", "sequential|parallel", "nodes one by one, or side by side on as many threads again (default: sequential)",
        **_one_of("execution", "sequential", "parallel"), bare=True,
    ),
    Setting(
        "shape", "INPUT:1x3x224x224", "the sizes of an input that the model leaves open; once for each input",
        lambda s: [input_shape_text(*pair) for pair in s.shapes], _read_shape, by_input=True,
    ),
    Setting(
        "fill", "INPUT:VALUE", "a fixed value for an input, or a range LOW..HIGH (default: normal numbers, integers from 0 to 9)",
        lambda s: [f"{name}:{value}" for name, value in s.fills], _read_fill, by_input=True,
    ),
    Setting(
        "input", "FILE.npz", "a NumPy archive that holds every input by its name",
        lambda s: [s.values_file] if s.values_file else [], _read_values_file,
    ),
    Setting(
        "as", "LABEL", "a name of your own; needed to run the same candidate twice",
        lambda s: [s.label] if s.label else [], _read_label,
    ),
)  # fmt: skip

BY_NAME = {setting.name: setting for setting in SETTINGS}

BARE = {step: setting for setting in SETTINGS if setting.bare for step in setting.steps}
"""Values that name their setting: ``int8`` is ``precision=int8``."""
