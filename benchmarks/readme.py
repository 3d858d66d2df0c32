"""The generated parts of a README: a proof's table between ``<!-- NAME -->`` and ``<!-- end of NAME -->``."""

from __future__ import annotations

import re
from pathlib import Path

from benchmarks.proof import Proof


def write_part(path: Path, proof: Proof, stamp: str) -> None:
    """Put the proof's table in its place, which is made at the end of the file if there is none."""
    text = path.read_text()
    how = f"{stamp}.  \n{proof.how}" if proof.how else stamp
    part = f"<!-- {proof.name} -->\n{how}\n\n{proof.table()}\n<!-- end of {proof.name} -->"
    place = re.compile(rf"(?s)<!-- {proof.name} -->.*?<!-- end of {proof.name} -->")
    if place.search(text):
        text = place.sub(lambda _: part, text)
    else:
        text = f"{text.rstrip()}\n\n## {proof.name}\n\n{proof.claim}\n\n{part}\n"
    # Whole or not at all: a run that is ended here leaves no half README.
    new = path.with_name(path.name + ".new")
    new.write_text(text)
    new.replace(path)
