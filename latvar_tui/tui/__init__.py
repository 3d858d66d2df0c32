"""The screen: widgets that turn the board into text. No measuring, statistics or file logic."""

from latvar_tui.tui.patience import shorten_sleeps

shorten_sleeps()
