"""The picker's chips: each setting with its value; a click or a key moves to the next value."""

from __future__ import annotations

from collections.abc import Mapping

from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip

from latvar_tui.candidate import Candidate, with_setting
from latvar_tui.settings import BY_NAME, SETTINGS, Setting
from latvar_tui.tui.line_widget import LineWidget, Span, line
from latvar_tui.tui.palette import DIM, STRONG

_CHOSEN = Style(reverse=True)


def settings_text(candidate: Candidate, cores: int) -> str:
    """What stands behind the @ for a candidate: only what differs from the default."""
    pairs = []
    for setting in SETTINGS:
        default = str(cores) if setting.name == "threads" else setting.default
        pairs += [f"{setting.name}={text}" for text in setting.texts(candidate) if text != default]
    return ",".join(pairs)


class PickerSettings(LineWidget, can_focus=True):
    """One or more lines of chips. With the focus: ← → choose a setting, space and ↑ ↓ change it."""

    class Changed(Message):
        """The settings are now these."""

        def __init__(self, candidate: Candidate) -> None:
            super().__init__()
            self.candidate = candidate

    def __init__(self, device: Mapping[str, object]) -> None:
        super().__init__()
        self._steps = _steps(device)
        self._candidate: Candidate | None = None
        self._at = 0
        self._places: list[tuple[int, range]] = []

    def show(self, candidate: Candidate) -> None:
        """Show a candidate's settings."""
        self._candidate = candidate
        self._draw()

    def change(self, step: int) -> None:
        """Move the chosen setting on to its next value, or back."""
        candidate = self._candidate
        if candidate is None or not candidate.has_model:
            return
        setting, values = self._steps[self._at]
        now = (setting.texts(candidate) or [setting.default])[0]
        at = values.index(now) if now in values else 0
        value = values[(at + (1 if step > 0 else -1)) % len(values)]
        self.post_message(self.Changed(with_setting(candidate, setting, value)))

    def on_key(self, event: events.Key) -> None:
        if event.key in ("left", "right"):
            event.stop()
            self._at = (self._at + (1 if event.key == "right" else -1)) % len(self._steps)
            self._draw()
        elif event.key == "space":
            event.stop()
            self.change(1)

    def on_click(self, event: events.Click) -> None:
        for place, (y, columns) in enumerate(self._places):
            if event.y == y and event.x in columns:
                self._at = place
                self.change(1)

    def on_focus(self) -> None:
        self._draw()

    def on_blur(self) -> None:
        self._draw()

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        width, candidate = self.size.width, self._candidate
        if not width or candidate is None:
            return
        rows: list[list[Span]] = [[]]
        used = 0
        self._places = []
        for place, (setting, _) in enumerate(self._steps if candidate.has_model else ()):
            value = (setting.texts(candidate) or [setting.default])[0]
            cells = len(setting.name) + len(value) + 1
            if used and used + cells + 2 > width:
                rows.append([])
                used = 0
            if used:
                rows[-1].append("  ")
                used += 2
            self._places.append((len(rows) - 1, range(used, used + cells)))
            chosen = self.has_focus and place == self._at
            plain = value == setting.default
            rows[-1] += [(f"{setting.name} ", DIM), (value, _CHOSEN if chosen else Style() if plain else STRONG)]
            used += cells
        strips: list[Strip] = [line(*row, width=width) for row in rows]
        if self.styles.height is None or self.styles.height.value != len(strips):
            self.styles.height = len(strips)
        self.set_lines(strips)


def _steps(device: Mapping[str, object]) -> list[tuple[Setting, list[str]]]:
    """The settings that are a choice of values, and the values that this device has."""
    cores, providers = device.get("cores"), device.get("providers")
    most = cores if isinstance(cores, int) else 1
    threads = sorted({1, most, *(1 << power for power in range(most.bit_length()) if 1 << power <= most)})
    found = [(BY_NAME["threads"], [str(number) for number in threads])]
    for setting in SETTINGS:
        if setting.name == "provider" and isinstance(providers, list | tuple) and providers:
            found.append((setting, [str(name) for name in providers]))
        elif setting.steps:
            found.append((setting, list(setting.steps)))
    return found
