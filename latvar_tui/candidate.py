"""What is compared (a candidate): a value object and its text form.

The text form is part of the contract: it is what users type, and what frames, JSON and histogram tags carry.
``squeezenet1_1@threads=2,spin=on`` is a candidate.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import PurePath
from typing import Any

from latvar_tui.controls import CONTROLS, HICCUP, IMPORTED
from latvar_tui.settings import BARE, BY_NAME, SETTINGS, Setting, Settings


class UsageError(ValueError):
    """Input that cannot be used; the message is one sentence: what, why, what to do."""


@dataclass(frozen=True)
class Candidate(Settings):
    """A model plus the runtime settings it runs with. ``model`` is a zoo name, a name of the user's own, or a path."""

    model: str = field(kw_only=True)

    def __post_init__(self) -> None:
        if not self.has_model:  # nothing is set, whatever the line-up's default is
            plain = Settings(1, label=self.label)
            for setting in fields(Settings):
                object.__setattr__(self, setting.name, getattr(plain, setting.name))

    @property
    def is_control(self) -> bool:
        """Whether it measures the instrument or the platform, and is no model to compare with others."""
        return self.model in CONTROLS

    @property
    def has_model(self) -> bool:
        """Whether a model is run at all: what runs none has no settings but a label."""
        return self.model not in (HICCUP, IMPORTED)

    @property
    def model_name(self) -> str:
        """The name, or the file name without its ending."""
        return PurePath(self.model).stem if self.model.lower().endswith((".onnx", ".ort")) else self.model

    @property
    def settings(self) -> dict[str, int | str | list[str]]:
        """The runtime settings as JSON carries them: every one that has a value; none where no model is run."""
        found: dict[str, int | str | list[str]] = {}
        if not self.has_model:
            return found
        for setting in SETTINGS:
            texts = setting.texts(self)
            if setting.by_input and texts:
                found[setting.name] = texts
            elif setting.name != "as" and (texts or setting.default):
                found[setting.name] = texts[0] if texts else setting.default
        return found | {"threads": self.threads}

    def changed(self, **values: Any) -> Candidate:
        """The same candidate with other values of these fields."""
        return replace(self, **values)

    def __str__(self) -> str:
        settings = SETTINGS if self.has_model else (BY_NAME["as"],)
        pairs = [f"{setting.name}={text}" for setting in settings for text in setting.texts(self)]
        return f"{self.model}@{','.join(pairs)}" if pairs else self.model


def parse_candidate(text: str, cores: int) -> Candidate:
    """Read ``MODEL[@name=value,...]``.

    ``cores`` is the default number of threads. Whether the model exists is the zoo's to say.

    Raises:
        UsageError: a setting is unknown, given twice, or has an impossible value.
    """
    model, pieces = _cut(text)
    if not model or model.startswith("@"):
        raise UsageError(f"'{text}' names no model: write MODEL or MODEL@threads=2,spin=off.")
    candidate = Candidate(max(1, cores), model=model)
    seen: set[str] = set()
    for piece in pieces:
        setting, value = _setting(piece, text)
        if setting.name in seen and not setting.by_input:
            raise UsageError(f"'{text}' sets {setting.name} twice: give it once.")
        seen.add(setting.name)
        candidate = with_setting(candidate, setting, value, text)
    return candidate


def _cut(text: str) -> tuple[str, list[str]]:
    """The model and the pieces of its settings, which begin behind the first @ that a setting follows."""
    for at in re.finditer("@", text):
        # Only a comma before another setting divides: an input may be called "a,b".
        pieces = re.split(rf",(?=[a-z]+=|(?:{'|'.join(BARE)})(?:,|$))", text[at.end() :])
        if at.start() and (re.match(r"[a-z]+=", pieces[0]) or pieces[0] in BARE):
            return text[: at.start()], pieces
    return text, []


def _setting(piece: str, text: str) -> tuple[Setting, str]:
    name, equals, value = piece.partition("=")
    if not equals and name in BARE:
        return BARE[name], name
    if name not in BY_NAME:
        raise UsageError(f"'{text}' has the setting '{name}', which is unknown: use {', '.join(BY_NAME)}.")
    return BY_NAME[name], value


def with_setting(candidate: Candidate, setting: Setting, value: str, text: str = "") -> Candidate:
    """The candidate with one setting changed, its value as typed.

    Raises:
        UsageError: the value is impossible, or there is nothing to set; ``text`` is what the sentence then quotes.
    """
    if not candidate.has_model and setting.name != "as":
        raise UsageError(
            f"'{text or candidate}' sets {setting.name} of {candidate.model}, which runs no model: "
            "leave it out (only as=LABEL is for it)."
        )
    try:
        changed = setting.read(candidate, value)
    except ValueError as error:
        raise UsageError(f"'{text or candidate}' asks for {setting.name}={value}: use {error}.") from error
    assert isinstance(changed, Candidate)
    return changed


def parse_candidates(texts: Sequence[str], cores: int, varied: Sequence[str] = ()) -> list[Candidate]:
    """Read a line-up, each candidate multiplied by what ``varied`` (``threads=1,2``) says; all must be distinguishable.

    Raises:
        UsageError: as :func:`parse_candidate`, or two candidates are the same.
    """
    candidates = [parse_candidate(text, cores) for text in texts]
    if varied and not any(candidate.has_model for candidate in candidates):
        raise UsageError(f"'--vary {varied[0]}' varies nothing: no model is run, so leave it out.")
    names = [text.partition("=")[0] for text in varied]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"'--vary {name}=…' is given twice: write all its values behind one, like threads=1,2,4.")
    for text in varied:
        candidates = [variant for candidate in candidates for variant in _variants(candidate, text)]
    seen: set[str] = set()
    for candidate in candidates:
        if str(candidate) in seen:
            raise UsageError(
                f"'{candidate}' is given twice: tell the two apart with a label, as in {candidate.model}@as=B."
            )
        seen.add(str(candidate))
    return candidates


def _variants(candidate: Candidate, text: str) -> list[Candidate]:
    name, _, values = text.partition("=")
    setting = BY_NAME.get(name)
    if setting is None or not values or name == "as":
        known = ", ".join(name for name in BY_NAME if name != "as")
        raise UsageError(f"'--vary {text}' varies nothing: write a setting and its values, like threads=1,2 ({known}).")
    if not candidate.has_model:
        return [candidate]
    found = [with_setting(candidate, setting, value, f"--vary {text}") for value in values.split(",")]
    if len(set(found)) < len(found):
        raise UsageError(f"'--vary {text}' has a value twice: give each once.")
    return found


def short_names(candidates: Sequence[Candidate]) -> list[str]:
    """A name for each candidate's row: its label, or its model, with the settings that a reader must know.

    Those are the ones that are not the default; the number of threads where the line-up differs in it; and shapes and
    values where the candidates of one model differ.
    """
    rows = [
        {setting: setting.texts(candidate) or [setting.default] for setting in SETTINGS if setting.name != "as"}
        if candidate.has_model
        else {}
        for candidate in candidates
    ]
    labels = [candidate.label for candidate in candidates]

    def name_of(candidate: Candidate, own: dict[Setting, list[str]]) -> str:
        if candidate.label and labels.count(candidate.label) == 1:
            return candidate.label
        pairs: list[str] = []
        for setting, values in own.items():
            rivals = [
                other
                for rival, other in zip(candidates, rows, strict=True)
                if setting.name == "threads" or rival.model == candidate.model
            ]
            differs = any(other.get(setting, values) != values for other in rivals)
            if values != [setting.default] if setting.default else differs:
                pairs += [value if setting.bare else f"{setting.name}={value}" for value in values if value]
        first = candidate.label or candidate.model_name
        return f"{first}@{','.join(pairs)}" if pairs else first

    names = [name_of(candidate, own) for candidate, own in zip(candidates, rows, strict=True)]
    # Two files of one name in two folders: only the whole text tells them apart.
    return [
        name if names.count(name) == 1 else str(candidate) for name, candidate in zip(names, candidates, strict=True)
    ]
