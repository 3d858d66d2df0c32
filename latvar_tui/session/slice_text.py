"""A frame ⇄ its JSON object, which for a slice leaves the histograms' pairs to the logs.

Fields that have their default are left out, readings are a bare number or the reason why there is none, ``wait_sums``
names only the places that are not 0, ``slowest`` begin relative to the slice. What is rebuilt equals what was recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latvar_tui import hdr_codec, wire
from latvar_tui.condition import parse_condition
from latvar_tui.format import plural
from latvar_tui.hdr_layout import COUNTS_LEN
from latvar_tui.session.layout import LOGS

Pairs = NDArray[np.int64]
"""Shape (n, 2): index, count."""

_DEFAULTS: dict[str, Any] = {}
for _field in fields(wire.Slice):
    if _field.default is not MISSING:
        _DEFAULTS[_field.name] = _field.default
    elif _field.default_factory is not MISSING:
        _DEFAULTS[_field.name] = _field.default_factory()
_EMPTY = {name: 0 for name in ("min_ns", "max_ns", "sum_ns", "overflow")} | {"unavailable": None}


def body_of(frame: wire.Frame) -> tuple[dict[str, Any], dict[str, Pairs]]:
    """Take a frame apart: its JSON object, and by a name of :data:`layout.LOGS` the pairs that go to that log."""
    if not isinstance(frame, wire.Slice):
        return {"type": frame.TYPE} | vars(frame), {}
    body: dict[str, Any] = {"type": frame.TYPE}
    logged: dict[str, Pairs] = {}
    for name, value in vars(frame).items():
        if (name in _DEFAULTS and value == _DEFAULTS[name]) or (name == "notes" and not value):
            continue
        if name in LOGS:
            pairs = _plain(value)
            body[name] = _counts_body(value, pairs)
            if pairs is not None and (pairs.size or name == "service"):
                logged[name] = pairs
        elif name in ("sensors", "counters"):
            body[name] = {key: _reading_body(reading) for key, reading in value.items()}
        elif name == "stress_cpu":
            body[name] = _reading_body(value)
        elif name == "wait_sums":
            body[name] = {str(place): total for place, total in enumerate(value) if total}
        elif name == "slowest":
            body[name] = [[start_ns - frame.start_ns, *rest] for start_ns, *rest in value]
        else:
            body[name] = value
    return body, logged


def _plain(value: wire.Counts) -> Pairs | None:
    """Pairs as an array if a log gives the very same back; else None. A probe's always do."""
    array = value.array
    indices, counts = array[:, 0], array[:, 1]
    if not array.size:
        return array
    ascending = indices[0] >= 0 and indices[-1] < COUNTS_LEN and bool((indices[1:] > indices[:-1]).all())
    return array if ascending and counts.min() > 0 and counts.sum(dtype=np.float64) <= hdr_codec.MOST else None


def _counts_body(counts: wire.Counts, pairs: Pairs | None) -> dict[str, Any]:
    told = {name: value for name, value in vars(counts).items() if name != "pairs" and value != _EMPTY[name]}
    return told | ({"pairs": counts.pairs} if pairs is None else {"n": int(pairs[:, 1].sum())})


def _reading_body(reading: wire.Reading) -> Any:
    if reading.value is not None and reading.reason is None:
        return reading.value
    return reading.reason if reading.value is None else vars(reading)


def lost_note(slices: int) -> str:
    """What is said of slices for which there was no room."""
    return f"{plural(slices, 'slice')} could not be recorded, for want of room."


def wants(body: Mapping[str, Any]) -> list[str]:
    """The names of :data:`layout.LOGS` in which a line belongs to this slice.

    Raises:
        ValueError, TypeError, AttributeError: it is no slice's object.
    """
    found = []
    for name in LOGS:
        counts = body.get(name)
        if counts is not None and "pairs" not in counts and (counts.get("n") or name == "service"):
            found.append(name)
    return found


def frame_of(body: Mapping[str, Any], pairs: Mapping[str, Pairs]) -> wire.Frame | None:
    """Put a frame together again; None if it is of a type that this version does not know.

    ``pairs`` are those of the logs, by the names of :func:`wants`.

    Raises:
        wire.WireError, ValueError, TypeError, KeyError, AttributeError, OverflowError: the object is damaged, or does
            not fit the pairs.
    """
    if body.get("type") != wire.Slice.TYPE:
        return wire.frame_from(body)
    values = dict(body)
    values.setdefault("notes", [])
    for name in LOGS:
        if values.get(name) is not None:
            values[name] = _counts_values(values[name], pairs.get(name))
    for name in ("sensors", "counters"):
        if name in values:
            values[name] = {key: _reading_values(reading) for key, reading in values[name].items()}
    if "stress_cpu" in values:
        values["stress_cpu"] = _reading_values(values["stress_cpu"])
    if "wait_sums" in values:
        sums = [0] * len((values.get("response") or values["service"])["pairs"])
        for place, total in values["wait_sums"].items():
            if not place.isdecimal():
                raise ValueError("a place in wait_sums is no number")
            sums[int(place)] = total
        values["wait_sums"] = sums
    if "slowest" in values:
        values["slowest"] = [[values["start_ns"] + after_ns, *rest] for after_ns, *rest in values["slowest"]]
    return wire.frame_from(values)


@dataclass(frozen=True)
class Glance:
    """Of a slice, what a picture over time is made of. ``pairs`` are its latencies' (response times in open loop)."""

    candidate: str
    condition: str
    start_ns: int
    marked: bool
    pairs: Pairs

    @classmethod
    def of(cls, frame: wire.Slice) -> Glance:
        pairs = (frame.response or frame.service).array
        return cls(frame.candidate, frame.condition, frame.start_ns, bool(frame.marks), pairs)


def glance_of(body: Mapping[str, Any], logged: Callable[[str, int], Pairs]) -> Glance | None:
    """The same from a slice's object, without the rest of it; None if it is none. ``logged`` looks into a log.

    Raises:
        ValueError, TypeError, KeyError, AttributeError: the object is damaged.
    """
    if body.get("type") != wire.Slice.TYPE:
        return None
    start_ns = body["start_ns"]
    candidate, condition = body["candidate"], body["condition"]
    if type(start_ns) is not int or not 0 <= start_ns < 1 << 63 or type(candidate) is not str:
        raise ValueError("it says not of whom it is, or when")
    parse_condition(condition)
    name = "response" if body.get("response") is not None else "service"
    pairs = np.zeros((0, 2), np.int64)
    if "pairs" in body[name]:
        pairs = np.asarray(body[name]["pairs"], np.int64).reshape(-1, 2)
        if pairs.size and (pairs.min() < 0 or pairs[:, 0].max() >= COUNTS_LEN):
            raise ValueError("its pairs are impossible")
    elif name in wants(body):
        pairs = logged(name, start_ns)
    return Glance(candidate, condition, start_ns, bool(body.get("marks")), pairs)


def _counts_values(told: Mapping[str, Any], pairs: Pairs | None) -> dict[str, Any]:
    values = dict(told)
    n = values.pop("n", 0)
    if "pairs" not in values:
        if n != (0 if pairs is None else int(pairs[:, 1].sum())):
            raise ValueError(f"the log does not hold the {n} observations that the frame counts")
        values["pairs"] = [] if pairs is None else pairs.tolist()
    return values


def _reading_values(told: Any) -> dict[str, Any]:
    if isinstance(told, Mapping):
        return dict(told)
    return {"reason": told} if told is None or isinstance(told, str) else {"value": told}
