"""Frames and commands: one JSON object a line, ``{"v":1,"type":...}``, between a screen and a probe.

The probe writes frames on its stdout, the screen commands on the probe's stdin. Unknown fields and
unknown types are ignored, so that either side may be newer by a field; a newer *version* is refused.
Times are nanoseconds of the probe's monotonic clock.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from latvar_tui.condition import parse_condition
from latvar_tui.hdr_layout import COUNTS_LEN

VERSION = 1
MAX_LINE_BYTES = 1 << 20
_MOST = (1 << 63) - 1


class WireError(ValueError):
    """The stream cannot be understood; the message is one sentence for the user."""


@dataclass(frozen=True)
class Reading:
    """One sensor's value, or the reason why there is none. Never 0 for 'unknown'."""

    value: float | None = None
    reason: str | None = None


class Pairs(list[list[int]]):
    """Pairs that have come over the wire, also as an array of shape (n, 2): it is asked for a dozen times in a gap."""

    __slots__ = ("array",)

    def __init__(self, pairs: Sequence[Sequence[int]]) -> None:
        """Raises ValueError, TypeError, OverflowError: they are no pairs of integers."""
        super().__init__(pairs)  # type: ignore[arg-type]
        self.array: NDArray[np.int64] = np.asarray(pairs, np.int64)
        if not pairs:
            self.array = self.array.reshape(0, 2)
        if self.array.ndim != 2 or self.array.shape[1] != 2:
            raise ValueError("counts have impossible pairs")
        self.array.flags.writeable = False


@dataclass(frozen=True)
class Counts:
    """Inference times of one slice: sparse (bucket index, count) pairs of the HDR layout.

    ``unavailable`` says why there are none. Extremes and sum are exact, in ns.
    """

    pairs: Sequence[Sequence[int]] = ()
    min_ns: int = 0
    max_ns: int = 0
    sum_ns: int = 0
    overflow: int = 0
    unavailable: str | None = None

    @property
    def array(self) -> NDArray[np.int64]:
        """The pairs, shape (n, 2)."""
        pairs = self.pairs
        return pairs.array if isinstance(pairs, Pairs) else np.asarray(pairs, np.int64).reshape(-1, 2)


# -- frames: probe to screen ------------------------------------------------------------------------


@dataclass(frozen=True)
class Hello:
    """The first frame: which device this is, and which processes to end if the probe cannot."""

    TYPE: ClassVar[str] = "hello"
    device: Mapping[str, Any]
    probe_pid: int
    stressor_pid: int
    monotonic_ns: int
    wall_ns: int


@dataclass(frozen=True)
class State:
    """What has become of a candidate: ``loading``, ``ready``, ``unloaded``, ``failed``, or ``refused``.

    ``refused`` is unusable input, ``failed`` anything else; ``reason`` is one sentence. ``unloaded`` ended to keep
    within the memory budget, and its next turn loads it again. A ``ready`` one says what loading took (``load_ms``),
    the durations of its first inferences in order (``cold_ms``; they are in no cell), the median of those that
    followed (``warm_ms``), its ``inputs``, a line each, in ``notes`` what was assumed about them, and an ``identity``
    that changes whenever what is run under this name does. ``ask`` numbers a state that is told in a gap: the probe
    waits a moment for ``Drawn``.
    """

    TYPE: ClassVar[str] = "state"
    candidate: str
    state: str
    reason: str = ""
    pid: int = 0
    memory_mb: float | None = None
    load_ms: float | None = None
    cold_ms: Sequence[float] = field(default_factory=list)
    warm_ms: float | None = None
    inputs: Sequence[str] = field(default_factory=list)
    notes: Sequence[str] = field(default_factory=list)
    identity: str = ""
    ask: int = 0


SLOWEST = ("start_ns", "service_ns", "wait_ns", "queued_ns", "woken_ns")
"""What is told of one of a slice's longest inferences. ``wait_ns`` is -1 where that is not known; ``queued_ns`` is the
time from when it was due to the end of the one before, ``woken_ns`` from there to its start; both 0 in closed loop."""

MOST_SLOWEST = 10


@dataclass(frozen=True)
class Slice:
    """One candidate's slice under one condition.

    ``start_ns``/``end_ns`` frame the slice from thaw to freeze; ``gap_ns`` is the pause before it, without
    the time in which everything was held, or candidates were loaded, or stress threads were started;
    ``settling_ns`` is spent in the unrecorded inferences it begins with; ``service.sum_ns`` in the
    counted ones; ``stress_cpu`` is the CPU time (ns) that the stressor got meanwhile. ``dropped`` inferences met a
    change of condition, ``disturbed`` ones (counted all the same) a key stroke's drawing.

    ``wait`` is the time (ns) in which the calling thread was ready to run and had no core, from when an inference
    began (in open loop: was due) to its end. ``wait_sums`` says how the waits lie on these latencies: for each of
    ``service.pairs`` (in open loop ``response.pairs``) the time that its inferences together waited. ``slowest`` are
    the slice's longest, longest first, each as :data:`SLOWEST` names it. ``counters`` are what the system counted over
    the slice, by a name that ends in its unit; ``marks`` name what disturbed it (see ``device/disturbances/``).

    In open loop ``response`` holds the times from scheduled arrival to end, ``offered`` is how many inferences were
    scheduled, ``unserved`` how many of them were given up (``response`` holds for how long they had waited by then),
    ``queue_max`` how many were waiting at most when one began, itself included, ``lag_ns`` how late the last began.
    """

    TYPE: ClassVar[str] = "slice"
    seq: int
    candidate: str
    condition: str
    round: int
    place: int
    start_ns: int
    end_ns: int
    gap_ns: int
    settling_ns: int
    inferences: int
    settling: int
    dropped: int
    disturbed: int
    service: Counts
    wait: Counts
    sensors: Mapping[str, Reading] = field(default_factory=dict)
    notes: Sequence[str] = ()
    stress_cpu: Reading = Reading(reason="not told")
    wait_sums: Sequence[int] = field(default_factory=list)
    slowest: Sequence[Sequence[int]] = field(default_factory=list)
    counters: Mapping[str, Reading] = field(default_factory=dict)
    marks: Sequence[str] = field(default_factory=list)
    response: Counts | None = None
    offered: int = 0
    unserved: int = 0
    queue_max: int = 0
    lag_ns: int = 0

    def __deepcopy__(self, memo: object) -> Slice:
        """Nobody changes one: a board's copy shares them."""
        return self


@dataclass(frozen=True)
class Note:
    """Something the user should know, in one sentence; or a mark of the user's own.

    ``at_ns`` is when a mark was set, on the probe's clock, and 0 for everything else.
    """

    TYPE: ClassVar[str] = "note"
    text: str
    at_ns: int = 0


@dataclass(frozen=True)
class Failure:
    """The probe cannot go on (or start); ``usage`` when the user's input is the cause."""

    TYPE: ClassVar[str] = "failure"
    text: str
    usage: bool = False


# -- commands: screen to probe ----------------------------------------------------------------------


@dataclass(frozen=True)
class Start:
    """Load these candidates and begin.

    ``gated``: wait for ``Go`` in every gap. A screen elsewhere is not waited for, but must send a ``Go`` now and
    then all the same: one that is silent for five seconds is taken for gone, and everything is frozen until it
    speaks. ``memory_mb`` is how much all runners together may take; candidates then load and unload by turns.
    """

    TYPE: ClassVar[str] = "start"
    candidates: Sequence[str]
    condition: str
    slice_ms: float = 250.0
    gated: bool = True
    memory_mb: float | None = None


@dataclass(frozen=True)
class Add:
    """Load one more candidate in the next gap."""

    TYPE: ClassVar[str] = "add"
    candidate: str


@dataclass(frozen=True)
class Remove:
    """End a candidate's runner."""

    TYPE: ClassVar[str] = "remove"
    candidate: str


@dataclass(frozen=True)
class Only:
    """Give slices to this candidate alone, or to these, in rounds of their own; to all again if none is named.

    A probe that knows no several measures all of them: more than was asked for, and nothing wrong.
    """

    TYPE: ClassVar[str] = "only"
    candidate: str = ""
    candidates: Sequence[str] = field(default_factory=list)

    @property
    def named(self) -> frozenset[str]:
        return frozenset(filter(None, (self.candidate, *self.candidates)))


@dataclass(frozen=True)
class SetCondition:
    TYPE: ClassVar[str] = "condition"
    condition: str


@dataclass(frozen=True)
class Go:
    """The screen has drawn frame ``seq`` and is asleep."""

    TYPE: ClassVar[str] = "go"
    seq: int


@dataclass(frozen=True)
class Drawn:
    """The screen has drawn the state that asked with this number."""

    TYPE: ClassVar[str] = "drawn"
    ask: int


@dataclass(frozen=True)
class Busy:
    """The screen is drawing (a key's answer) in the middle of a slice, from ``at_ns`` on."""

    TYPE: ClassVar[str] = "busy"
    at_ns: int


@dataclass(frozen=True)
class Quiet:
    """The drawing announced by ``Busy`` ended at ``at_ns``."""

    TYPE: ClassVar[str] = "quiet"
    at_ns: int


@dataclass(frozen=True)
class Hold:
    """Freeze everything after the inference that is running, until ``Resume``."""

    TYPE: ClassVar[str] = "hold"


@dataclass(frozen=True)
class Resume:
    TYPE: ClassVar[str] = "resume"


@dataclass(frozen=True)
class Quit:
    TYPE: ClassVar[str] = "quit"


Frame = Hello | State | Slice | Note | Failure
Command = Start | Add | Remove | Only | SetCondition | Go | Drawn | Busy | Quiet | Hold | Resume | Quit

_FRAMES: dict[str, type[Any]] = {cls.TYPE: cls for cls in (Hello, State, Slice, Note, Failure)}
_COMMANDS: dict[str, type[Any]] = {
    cls.TYPE: cls for cls in (Start, Add, Remove, Only, SetCondition, Go, Drawn, Busy, Quiet, Hold, Resume, Quit)
}

_T = TypeVar("_T")


def encode(message: Frame | Command) -> bytes:
    """One line, newline included."""
    # vars(), not asdict(): the latter copies every pair of a histogram, a millisecond of the gap.
    body = {"v": VERSION, "type": message.TYPE} | vars(message)
    return json.dumps(body, separators=(",", ":"), allow_nan=False, default=vars).encode() + b"\n"


def decode_frame(line: bytes) -> Frame | None:
    """Read a line of the probe.

    Returns:
        The frame, or None if it is of a type this version does not know.

    Raises:
        WireError: the line is no JSON object, too long, of another version, or lacks a field.
    """
    return _decode(line, _FRAMES, "probe")


def decode_command(line: bytes) -> Command | None:
    """Read a line of the screen; as :func:`decode_frame`."""
    return _decode(line, _COMMANDS, "screen")


def _decode(line: bytes, types: Mapping[str, type[_T]], sender: str) -> _T | None:
    if len(line) > MAX_LINE_BYTES:
        raise WireError(f"The {sender} sent a line of more than 1 MiB: this is no latvar-tui {sender}.")
    try:
        body = json.loads(line.decode())
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict) or not isinstance(body.get("v"), int):
        shown = line[:60].decode(errors="replace").strip()
        raise WireError(f"The {sender} sent something that is not latvar-tui's: '{shown}'.")
    if body["v"] != VERSION:
        older = "this side" if body["v"] > VERSION else f"the {sender}"
        raise WireError(
            f"The {sender} speaks version {body['v']} of the wire format and this side {VERSION}: "
            f"{older} is older, so update it."
        )
    return _read(body, types, sender)


def frame_from(body: Mapping[str, Any]) -> Frame | None:
    """As :func:`decode_frame`, of a frame that has been kept: its fields by name, and ``type``."""
    return _read(body, _FRAMES, "probe")


def _read(body: Mapping[str, Any], types: Mapping[str, type[_T]], sender: str) -> _T | None:
    cls = types.get(str(body.get("type")))
    if cls is None:
        return None
    try:
        return _nested(cls, _only(cls, body))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise WireError(f"The {sender} sent a {cls.__name__} that cannot be read: {error}.") from error


@dataclass(frozen=True)
class _Shape:
    """What a message's fields are: their names, those that are texts, and the integers with their defaults."""

    names: frozenset[str]
    texts: tuple[str, ...]
    integers: tuple[tuple[str, Any], ...]


@lru_cache(maxsize=64)
def _shape(cls: type[Any]) -> _Shape:
    each = fields(cls)
    return _Shape(
        frozenset(f.name for f in each),
        tuple(f.name for f in each if f.type == "str"),
        tuple((f.name, f.default) for f in each if f.type == "int"),
    )


def _nested(cls: type[_T], values: dict[str, Any]) -> _T:
    for name in _shape(cls).texts:  # type: ignore[arg-type]
        if not isinstance(values.get(name, ""), str):
            raise ValueError(f"{name} is no text")
    if cls is Slice:
        for name in ("service", "wait", "response"):
            if values.get(name) is not None or name != "response":
                counts = _only(Counts, values[name])
                values[name] = Counts(**counts | {"pairs": Pairs(counts.get("pairs", ()))})
        for name in ("sensors", "counters"):
            values[name] = {key: _reading(reading) for key, reading in values.get(name, {}).items()}
        values["stress_cpu"] = _reading(values.get("stress_cpu", {"reason": "not told"}))
        _check_slice(values)
    elif cls is State:
        _check_state(values)
    elif cls is Only and not all(isinstance(text, str) for text in values.get("candidates", ())):
        raise ValueError("candidates are no texts")
    return cls(**values)


def _reading(values: Mapping[str, Any]) -> Reading:
    return Reading(values.get("value"), values.get("reason"))


def _check_state(values: Mapping[str, Any]) -> None:
    """As :func:`_check_slice`."""
    alone = [values.get(name) for name in ("memory_mb", "load_ms", "warm_ms")]
    numbers = [*values.get("cold_ms", ()), *(number for number in alone if number is not None)]
    if not all(type(number) in (int, float) and 0 <= number < math.inf for number in numbers):
        raise ValueError(f"times or memory are no numbers: {numbers}")
    if not all(isinstance(text, str) for name in ("inputs", "notes") for text in values.get(name, ())):
        raise ValueError("inputs or notes are no texts")


def _check_slice(values: Mapping[str, Any]) -> None:
    """What the screen relies on, so that a damaged slice ends the link with a sentence and nothing else.

    Raises:
        ValueError, TypeError: a field is not what it should be.
    """
    parse_condition(values["condition"])
    for name, default in _shape(Slice).integers:
        value = values.get(name, default)
        if not isinstance(value, int) or not 0 <= value <= _MOST:
            raise ValueError(f"{name} is {value!r}")
    sums, slowest = values.get("wait_sums", ()), values.get("slowest", ())
    if len(sums) and not _are_integers(sums, 0):
        raise ValueError("wait_sums are no times")
    if len(sums) not in (0, len((values.get("response") or values["service"]).pairs)):
        raise ValueError("wait_sums are not as many as the pairs of the latencies")
    if not all(len(one) == len(SLOWEST) and _are_integers(one, -_MOST) for one in slowest):
        raise ValueError("slowest are no inferences")
    if not all(isinstance(mark, str) for mark in values.get("marks", ())):
        raise ValueError("marks are no texts")
    for reading in (*values["sensors"].values(), *values["counters"].values(), values["stress_cpu"]):
        if reading.value is not None and not (type(reading.value) in (int, float) and math.isfinite(reading.value)):
            raise ValueError(f"a reading is {reading.value!r}")
        if not isinstance(reading.reason, str | None):
            raise ValueError("a reason is no text")
    if not all(isinstance(note, str) for note in values.get("notes", ())):
        raise ValueError("notes are no texts")
    for counts in filter(None, (values["service"], values["wait"], values.get("response"))):
        numbers = (counts.min_ns, counts.max_ns, counts.sum_ns, counts.overflow)
        possible = all(isinstance(number, int) and 0 <= number <= _MOST for number in numbers)
        if not possible or counts.min_ns > counts.max_ns:
            raise ValueError(f"counts have impossible extremes {numbers}")
        if counts.pairs:
            pairs = counts.array
            if pairs.min() < 0 or pairs[:, 0].max() >= COUNTS_LEN:
                raise ValueError("counts have impossible pairs")
            if counts.overflow and counts.overflow > pairs[:, 1].sum():
                raise ValueError("counts have more overflow than observations")


def _are_integers(values: Sequence[Any], least: int) -> bool:
    """Whether it is nothing but integers, at least one, none smaller than ``least`` or beyond 64 bits."""
    return set(map(type, values)) == {int} and least <= min(values) and max(values) <= _MOST


def _only(cls: type[Any], values: Mapping[str, Any]) -> dict[str, Any]:
    known = _shape(cls).names  # type: ignore[arg-type]
    return {name: value for name, value in values.items() if name in known}


class LineSplitter:
    """Cut a byte stream into whole lines, whatever the chunks."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, chunk: bytes) -> list[bytes]:
        """Take a chunk; return the lines it completes, without their newlines.

        Raises:
            WireError: an unfinished line has grown past the limit.
        """
        self._rest += chunk
        *lines, rest = self._rest.split(b"\n")
        self._rest = rest
        if len(rest) > MAX_LINE_BYTES:
            raise WireError("The other side sent a line of more than 1 MiB: it is no latvar-tui.")
        return [bytes(line) for line in lines]
