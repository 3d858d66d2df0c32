"""Several pictures of the same size, one after the other in one SVG that moves by itself, without a script."""

from __future__ import annotations

import re
from collections.abc import Sequence


def moving(pictures: Sequence[str], seconds_each: float) -> str:
    """Show each for so long, round and round; a viewer that does not move pictures shows the last."""
    whole_s = seconds_each * len(pictures)
    shown = 100 / len(pictures)
    head = re.match(r"(?s)<svg[^>]*>", pictures[0].lstrip())
    assert head is not None
    style = (
        f"<style>.frame{{visibility:hidden;animation:turn {whole_s:g}s steps(1) infinite}}"
        f".frame:last-of-type{{visibility:visible}}"
        f"@keyframes turn{{0%{{visibility:visible}}{shown:.4f}%{{visibility:hidden}}100%{{visibility:hidden}}}}</style>"
    )
    frames = []
    for number, picture in enumerate(pictures):
        inside = re.sub(r"(?s)^\s*<svg[^>]*>|</svg>\s*$", "", picture)
        # Fonts are named once, in the first; identifiers are made to differ.
        if number:
            inside = re.sub(r"(?s)@font-face\s*{.*?}\s*", "", inside)
        inside = re.sub(r"terminal-\d+", f"t{number}", inside)
        frames.append(f'<g class="frame" style="animation-delay:{number * seconds_each:g}s">{inside}</g>')
    return "\n".join([head[0], style, *frames, "</svg>"])
