"""The README's pictures can be drawn from a recorded session, without measuring anything."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from latvar_tui.session.reader import Session
from latvar_tui.session.stretches import stretches
from screenshots import make
from screenshots.moving import moving
from screenshots.shots import SHOTS
from tests.chromium import MISSING, PROGRAM
from tests.scripted_link import session
from tests.session_files import CANDIDATES, recorded

TEXTS = [f"{number}xcpu@100%" for number in (0, 1, 2)]
MOST_BYTES = 1_000_000


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recorded(tmp_path_factory.mktemp("sessions") / "small", session(CANDIDATES, TEXTS, 6))


def text_of(picture: str) -> str:
    return " ".join(ElementTree.fromstring(picture).itertext()).replace("\xa0", " ")


def test_every_picture_of_a_screen_can_be_made(kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(make, "PROGRAM", None)  # the browser's is a test of its own
    made = {path.name: path.read_text() for path in make.make(kept, tmp_path)}
    assert set(made) == {*(f"{name}.svg" for name in SHOTS), "moving.svg"}
    for name, picture in made.items():
        assert any(model in text_of(picture) for model in CANDIDATES), name
        assert len(picture) < MOST_BYTES, name
    assert "2xcpu@100%" in text_of(made["live.svg"]) and "RECORDING" in text_of(made["demo.svg"])
    assert made["moving.svg"].count('class="frame"') == len(TEXTS) * make.MOVING_STEPS


def test_a_moving_picture_keeps_its_frames_apart() -> None:
    style = "<style>@font-face { a: b; } .terminal-12-r1 { fill: red }</style>"
    still = f'<svg viewBox="0 0 9 9">{style}<g class="terminal-12-r1"/></svg>'
    whole = moving([still, still], 0.5)
    ElementTree.fromstring(f'<x xmlns:xlink="x">{whole}</x>')
    assert whole.count("<svg") == 1 and whole.count("@font-face") == 1
    assert re.findall(r"t\d-r1", whole) == ["t0-r1"] * 2 + ["t1-r1"] * 2


@pytest.mark.skipif(PROGRAM is None, reason=MISSING)
def test_the_reports_page_can_be_pictured(kept: Path, tmp_path: Path) -> None:
    path = make.picture_of_report(kept, tmp_path / "report.png")
    assert path.read_bytes().startswith(b"\x89PNG")


def test_the_session_that_is_kept_can_be_drawn_from() -> None:
    found = stretches(Session(make.SESSION))
    assert len(found) >= 3 and found[0].condition.is_idle
    for name in [*(f"{name}.svg" for name in SHOTS), "moving.svg", "report.png"]:
        assert (make.FOLDER / name).stat().st_size < MOST_BYTES, name
