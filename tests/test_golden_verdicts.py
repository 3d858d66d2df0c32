"""What is concluded of sessions that are kept in the repository, as it was when somebody last looked at it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.golden_sessions import FOLDER, conclusions, sessions
from tests.on_pty import ROOT


@pytest.mark.parametrize("folder", sessions(), ids=lambda folder: folder.name)
def test_the_verdicts_are_those_of_before(folder: Path) -> None:
    """Where a change is meant: ``python -m tests.golden_sessions``, and read the difference."""
    assert conclusions(folder) == json.loads((folder / "verdicts.json").read_text())


def test_they_tell_a_reversal_from_none() -> None:
    told = {folder.name: json.loads((folder / "verdicts.json").read_text()) for folder in sessions()}
    assert {one["quantile"] for one in told["reverses"]["reversals"]} == {50.0, 95.0}
    assert told["same_order"]["reversals"] == [] and told["alike"]["reversals"] == []
    assert {one["is"] for one in told["same_order"]["order"]} == {"same order"}
    assert "reversed" not in {one["is"] for one in told["alike"]["order"]}


def test_the_session_of_the_pictures_has_the_reversal_that_they_name() -> None:
    found = conclusions(ROOT / "screenshots" / "sessions" / "tour")["reversals"]
    assert {one["quantile"] for one in found} >= {50.0}
    assert all(one["from"] == "0xcpu@100%" for one in found if one["quantile"] == 50.0)


def test_they_are_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) < 500_000
