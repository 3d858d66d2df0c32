"""A screen that can wear any theme, on any terminal."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from textual.app import SystemCommand
from textual.filter import Monochrome, NoColor

from latvar_tui.preferences import THEME, keep, recall
from latvar_tui.tui.charset import PlainCharacters
from latvar_tui.tui.delta import DeltaApp
from latvar_tui.tui.line_widget import LineWidget
from latvar_tui.tui.looks import CONTRAST, DARK, LIGHT, Charset, Depth, Looks
from latvar_tui.tui.roles import RolePainter
from latvar_tui.tui.themes import ANSI_DARK, ANSI_LIGHT, OWN, SIXTEEN, full_name, roles_of, theme_names

_CYCLE = (DARK, LIGHT, CONTRAST)


class LookingApp(DeltaApp[int]):
    """Themes, colours and characters of a live screen. Without :meth:`wear`: dark, in all colours and characters."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for theme in (*OWN, *SIXTEEN):
            self.register_theme(theme)
        self.theme_chosen = DARK
        """What the user chose; where there are few colours, Textual's ``theme`` is a plainer one in its place."""
        self.looks = Looks()
        self.wear(Looks(theme=DARK))

    def say(self, text: str) -> None:
        raise NotImplementedError

    def wear(self, looks: Looks) -> None:
        """Draw with these looks from here on. A theme that is not named, or unknown, is the remembered one."""
        self.looks = looks
        # Textual chooses its filters before it knows our themes.
        kept = [each for each in self._filters if not isinstance(each, NoColor | Monochrome | PlainCharacters)]
        kept += [NoColor()] if looks.depth is Depth.NONE else []
        kept += [PlainCharacters(looks.charset)] if looks.charset is not Charset.UNICODE else []
        self._filters = kept
        self.no_color = looks.depth is Depth.NONE
        self.theme_chosen = next(filter(None, map(full_name, (looks.theme, recall(THEME)))), DARK)
        self._put_on()

    def _put_on(self) -> None:
        chosen = self.available_themes[self.theme_chosen]
        few = self.looks.depth is not Depth.MANY and not chosen.ansi
        theme = chosen if not few else self.available_themes[ANSI_DARK if chosen.dark else ANSI_LIGHT]
        roles = roles_of(theme, theme.to_color_system().generate(), self.looks.depth)
        colours = self.looks.depth is not Depth.NONE
        self.painter = RolePainter(roles, ascii=self.looks.ascii, colours=colours)
        self.theme = theme.name
        for screen in self.screen_stack if self._running else ():
            for widget in screen.query(LineWidget):
                widget.notify_style_update()
                widget.refresh()

    # -- choosing -----------------------------------------------------------------------------------

    def choose_theme(self, name: str) -> None:
        """Put a theme on, and remember it."""
        self.theme_chosen = name
        self._put_on()
        keep(THEME, name)
        depth = self.looks.depth
        few = "" if depth is Depth.MANY else ", in the terminal's own colours" if depth else ", without colours"
        self.say(f"Theme: {name}{few}.")

    def action_next_theme(self) -> None:
        """Our own in turn; ctrl+p has all of them."""
        at = _CYCLE.index(self.theme_chosen) + 1 if self.theme_chosen in _CYCLE else 0
        self.choose_theme(_CYCLE[at % len(_CYCLE)])

    def theme_commands(self) -> Iterable[SystemCommand]:
        """For the command palette."""
        for name in theme_names():
            yield SystemCommand(f"theme: {name}", "put it on, and remember it", partial(self.choose_theme, name))
