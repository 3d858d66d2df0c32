"""The stretches of a session: from when to when it was under which condition."""

from __future__ import annotations

from dataclasses import dataclass

from latvar_tui import wire
from latvar_tui.condition import Condition, parse_condition
from latvar_tui.session.reader import Session

_LONGEST_S = 3600.0
"""What is looked through: a tour takes minutes."""


@dataclass(frozen=True)
class Stretch:
    """Slices of one condition, one after the other; times in ns from where the session begins."""

    condition: Condition
    begin_ns: int
    end_ns: int
    slices: int = 1

    @property
    def length_ns(self) -> int:
        return self.end_ns - self.begin_ns


def stretches(session: Session) -> list[Stretch]:
    """One stretch of each condition, in the order of time, so that they tell how it went.

    Of idle the longest before any stress: a tour ends idle, too, and may stay there for long. Of every other one the
    first that is at least half as long as its longest and follows the one before it; else its longest.

    Raises:
        SessionError: a file of it is no file, or expands beyond belief.
    """
    found: list[Stretch] = []
    for frame in session.frames(to_s=_LONGEST_S):
        if not isinstance(frame, wire.Slice):
            continue
        condition = parse_condition(frame.condition)
        begin_ns, end_ns = frame.start_ns - session.base_ns, frame.end_ns - session.base_ns
        if found and found[-1].condition == condition:
            found[-1] = Stretch(condition, found[-1].begin_ns, end_ns, found[-1].slices + 1)
        else:
            found.append(Stretch(condition, begin_ns, end_ns))
    longest: dict[Condition, Stretch] = {}
    for stretch in found:
        if stretch.condition not in longest or stretch.length_ns > longest[stretch.condition].length_ns:
            longest[stretch.condition] = stretch
    long = [stretch for stretch in found if 2 * stretch.length_ns >= longest[stretch.condition].length_ns]
    stress_ns = next((stretch.begin_ns for stretch in long if not stretch.condition.is_idle), None)
    chosen: list[Stretch] = []
    for condition, its_longest in longest.items():  # in the order in which they came first
        if condition.is_idle:
            before = [each for each in found if each.condition == condition and each.begin_ns < (stress_ns or 0)]
            chosen.append(max(before, key=lambda stretch: stretch.length_ns, default=its_longest))
        else:
            end_ns = chosen[-1].end_ns if chosen else 0
            later = (each for each in long if each.condition == condition and each.begin_ns >= end_ns)
            chosen.append(next(later, its_longest))
    return sorted(chosen, key=lambda stretch: stretch.begin_ns)
