"""What is compared (a candidate) and under what (a condition): value objects and their text form.

The text forms are part of the contract: they are what users type, and what frames, JSON and
histogram tags carry. ``squeezenet1_1@threads=2,spin=on`` is a candidate, ``4xcpu@100%`` a condition.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath

MAX_THREADS = 1024
"""More than any device has: a larger number is a typing error."""

_LABEL = re.compile(r"[A-Za-z0-9._+-]{1,64}")
_SETTINGS = re.compile(r"(?P<model>.+?)@(?P<settings>[a-z]+=.*)", re.DOTALL)
_CONDITION = re.compile(r"(\d+)x([a-z0-9:_-]+)@(\d+)%")


class UsageError(ValueError):
    """Input that cannot be used; the message is one sentence: what, why, what to do."""


@dataclass(frozen=True)
class Candidate:
    """A model plus the runtime settings it runs with.

    ``model`` is a zoo name or a path; ``threads`` counts ONNX Runtime's intra-op threads, the
    calling one included (1 or more, never the runtime's own 0: its pool would escape ``taskset``).
    """

    model: str
    threads: int
    spin: bool = True
    label: str = ""

    @property
    def model_name(self) -> str:
        """The zoo name, or the file name without its ending."""
        return PurePath(self.model).stem if self.model.endswith((".onnx", ".ort")) else self.model

    @property
    def settings(self) -> dict[str, int | str]:
        """The runtime settings as JSON carries them."""
        return {"threads": self.threads, "spin": "on" if self.spin else "off"}

    def __str__(self) -> str:
        pairs = [f"{name}={value}" for name, value in self.settings.items()]
        if self.label:
            pairs.append(f"as={self.label}")
        return f"{self.model}@{','.join(pairs)}"


def parse_candidate(text: str, cores: int) -> Candidate:
    """Read ``MODEL[@name=value,...]``.

    ``cores`` is the default number of threads. Whether the model exists is the zoo's to say.

    Raises:
        UsageError: a setting is unknown, given twice, or has an impossible value.
    """
    match = _SETTINGS.fullmatch(text)
    model, settings = (match["model"], match["settings"]) if match else (text, "")
    if not model or model.startswith("@"):
        raise UsageError(f"'{text}' names no model: write MODEL or MODEL@threads=2,spin=off.")
    candidate = Candidate(model, max(1, cores))
    seen: set[str] = set()
    for pair in filter(None, settings.split(",")):
        name, _, value = pair.partition("=")
        if name in seen:
            raise UsageError(f"'{text}' sets {name} twice: give it once.")
        seen.add(name)
        candidate = _with_setting(candidate, name, value, text)
    return candidate


def _with_setting(candidate: Candidate, name: str, value: str, text: str) -> Candidate:
    if name == "threads":
        if not re.fullmatch(r"[0-9]{1,6}", value) or not 1 <= int(value) <= MAX_THREADS:
            raise UsageError(f"'{text}' asks for threads={value}: use a whole number from 1 to {MAX_THREADS}.")
        return replace(candidate, threads=int(value))
    if name == "spin":
        if value not in ("on", "off"):
            raise UsageError(f"'{text}' asks for spin={value}: use spin=on or spin=off.")
        return replace(candidate, spin=value == "on")
    if name == "as":
        if not _LABEL.fullmatch(value):
            raise UsageError(f"'{text}' has the label '{value}': use 1 to 64 letters, digits and . _ - +.")
        return replace(candidate, label=value)
    raise UsageError(f"'{text}' has the setting '{name}', which is unknown: use threads, spin or as.")


def parse_candidates(texts: Sequence[str], cores: int) -> list[Candidate]:
    """Read a line-up; every candidate must be distinguishable.

    Raises:
        UsageError: as :func:`parse_candidate`, or two candidates are the same.
    """
    candidates = [parse_candidate(text, cores) for text in texts]
    seen: set[str] = set()
    for candidate in candidates:
        if str(candidate) in seen:
            raise UsageError(
                f"'{candidate}' is given twice: tell the two apart with a label, as in {candidate.model}@as=B."
            )
        seen.add(str(candidate))
    return candidates


def short_names(candidates: Sequence[Candidate]) -> list[str]:
    """A name for each candidate's row: its label, or its model with the settings in which the line-up differs."""
    differing = [
        name for name in ("threads", "spin") if len({candidate.settings[name] for candidate in candidates}) > 1
    ]

    def name_of(candidate: Candidate) -> str:
        if candidate.label:
            return candidate.label
        pairs = ",".join(f"{name}={candidate.settings[name]}" for name in differing)
        return f"{candidate.model_name}@{pairs}" if pairs else candidate.model_name

    names = [name_of(candidate) for candidate in candidates]
    # Two files of one name in two folders: only the whole text tells them apart.
    return [
        name if names.count(name) == 1 else str(candidate) for name, candidate in zip(names, candidates, strict=True)
    ]


@dataclass(frozen=True)
class Condition:
    """What the device is under: background threads, their kind, and the share of time each is busy.

    No threads is one condition, whatever their kind and load would have been.
    """

    stress_threads: int = 0
    kind: str = "cpu"
    load_pct: int = 100

    def __post_init__(self) -> None:
        if self.stress_threads == 0:
            object.__setattr__(self, "kind", "cpu")
            object.__setattr__(self, "load_pct", 100)

    @property
    def is_idle(self) -> bool:
        return self.stress_threads == 0

    def __str__(self) -> str:
        return f"{self.stress_threads}x{self.kind}@{self.load_pct}%"


IDLE = Condition()


def parse_condition(text: str) -> Condition:
    """Read the text form back.

    Raises:
        ValueError: it is not a condition.
    """
    match = _CONDITION.fullmatch(text)
    if match is None:
        raise ValueError(f"'{text[:80]}' is not a condition such as 4xcpu@100%.")
    return Condition(int(match[1]), match[2], int(match[3]))
