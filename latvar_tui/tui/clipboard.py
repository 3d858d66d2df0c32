"""The clipboard of whoever sits at the terminal, also at the other end of SSH: OSC 52, which the terminal obeys."""

from __future__ import annotations

import base64
from collections.abc import Mapping

_SCREEN_TAKES = 512
"""GNU screen passes on strings of limited length only."""


def osc_52(text: str, environ: Mapping[str, str]) -> str:
    """What to write for a text to be put on the clipboard; GNU screen has to be told to pass it on."""
    code = f"\x1b]52;c;{base64.b64encode(text.encode()).decode()}\a"
    if not environ.get("STY"):
        return code
    pieces = [code[at : at + _SCREEN_TAKES] for at in range(0, len(code), _SCREEN_TAKES)]
    return "".join(f"\x1bP{piece}\x1b\\" for piece in pieces)
