"""Looks for every disturbance that this device can show, a little in each gap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from latvar_tui.device.disturbances import DETECTORS
from latvar_tui.device.disturbances.detector import NOTHING, Detector, Device, Finding, Gap, NotHere


class Watch:
    """All detectors that this device has something for. What is not there at the start is not looked for again."""

    def __init__(self, device: Device, kinds: Sequence[type[Detector]] = DETECTORS) -> None:
        self._detectors: list[Detector] = []
        self.not_here: dict[str, str] = {}
        """What cannot be watched here, and why."""
        for kind in kinds:
            try:
                self._detectors.append(kind(device))
            except NotHere as error:
                self.not_here[kind.what] = str(error)
            except (OSError, ValueError) as error:
                self.not_here[kind.what] = _reason(error)
        self._looked_s: dict[Detector, float] = {}
        self._found: dict[Detector, Finding] = {}
        self._said_s: dict[Detector, float] = {}
        self._kept_back: dict[Detector, str] = {}

    @property
    def watched(self) -> list[str]:
        """What is looked for, in words."""
        return [detector.what for detector in self._detectors]

    def facts(self) -> Mapping[str, object]:
        """For the facts of the device."""
        return {"watched": self.watched, "not_watched": self.not_here}

    def look(self, gap: Gap) -> tuple[list[str], list[str]]:
        """The marks of the slice that has just ended, and what there is to tell, a sentence each."""
        marks: list[str] = []
        notes: list[str] = []
        for detector in list(self._detectors):
            if gap.now_s - self._looked_s.get(detector, float("-inf")) < detector.every_s:
                marked = self._found.get(detector, NOTHING).lasts
            else:
                self._looked_s[detector] = gap.now_s
                try:
                    found = detector.look(gap)
                except (OSError, ValueError) as error:
                    self._detectors.remove(detector)
                    self.not_here[detector.what] = _reason(error)
                    notes.append(f"No longer watched for: {detector.what} ({_reason(error)}).")
                    continue
                self._found[detector] = found
                marked = found.marked
                notes += self._told(detector, found, gap.now_s)
            if marked and detector.mark not in marks:
                marks.append(detector.mark)
        return marks, notes

    def _told(self, detector: Detector, found: Finding, now_s: float) -> list[str]:
        """What comes and goes every few seconds is told of once a while, and later if it stays."""
        note = found.note
        if found.marked or detector.calm_s == 0:
            note = note or self._kept_back.get(detector, "")
            if note and now_s - self._said_s.get(detector, float("-inf")) < detector.calm_s:
                self._kept_back[detector] = note
                return []
        elif self._kept_back.pop(detector, ""):
            return []  # nobody was told that it began
        if not note:
            return []
        self._kept_back.pop(detector, "")
        if found.marked:
            self._said_s[detector] = now_s
        return [note]


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return str(error) or type(error).__name__
