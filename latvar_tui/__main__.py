"""``python -m latvar_tui``: the same as the ``latvar-tui`` command."""

from latvar_tui.cli import main

main()
