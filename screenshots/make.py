"""Draw the pictures of README and docs from the recorded session beside this file.

    python -m screenshots.make               # all of them; nothing is measured
    python -m screenshots.make --record      # record the session anew first: two minutes on a quiet machine

Pictures of screens are SVG, by Textual's own export. The report's page is PNG and needs Debian's ``chromium``: without
it that picture stays as it was.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import tempfile
from pathlib import Path

import pyte

from latvar_tui.session.reader import Session
from latvar_tui.session.report.content import read
from latvar_tui.session.report.page import page
from latvar_tui.session.stretches import stretches
from screenshots.moving import moving
from screenshots.shots import SHOTS, draw, draw_several
from tests.chromium import PROGRAM, Chromium
from tests.on_pty import COLUMNS, ROWS, OnPty

FOLDER = Path(__file__).parent
SESSION = FOLDER / "sessions" / "tour"
STEP_S = 15
LAST_STEP = "what to take along"

MOVING_SIZE, MOVING_EACH_S, MOVING_STEPS = (80, 24), 0.7, 4
REPORT_WIDTH, REPORT_HEIGHT = 1000, 1400


def make(session: Path, folder: Path) -> list[Path]:
    """Draw everything of a session into a folder."""
    made = []
    for name, shot in SHOTS.items():
        made.append(_write(folder / f"{name}.svg", asyncio.run(draw(session, shot))))
    pictures = asyncio.run(draw_several(session, MOVING_SIZE, moments(session)))
    made.append(_write(folder / "moving.svg", moving(pictures, MOVING_EACH_S)))
    if PROGRAM is not None:
        made.append(picture_of_report(session, folder / "report.png"))
    return made


def moments(session: Path) -> list[int]:
    """Some times within each condition, from where it begins on."""
    times = []
    for stretch in stretches(Session(session)):
        times += [stretch.begin_ns + stretch.length_ns * (part + 1) // MOVING_STEPS - 1 for part in range(MOVING_STEPS)]
    return times


def picture_of_report(session: Path, path: Path) -> Path:
    """The top of its page, as a browser shows it."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, Chromium(Path(folder)) as browser:
        written = _write(Path(folder) / "report.html", "".join(page([read(Session(session))])))
        browser.show(written, REPORT_WIDTH, "light")
        path.write_bytes(browser.picture(REPORT_HEIGHT))
    return path


def record() -> None:
    """The tour by itself, on a terminal, until its last step."""
    with tempfile.TemporaryDirectory() as folder:
        new = Path(folder) / "tour"
        options = ["demo", "--auto", "--step", f"{STEP_S}s", "--record", str(new)]
        # What is written is only what differs, so the screen has to be put together to be read.
        screen = pyte.Screen(COLUMNS, ROWS)
        stream = pyte.ByteStream(screen)
        with OnPty("-m", "latvar_tui", *options) as program:
            while LAST_STEP not in "".join(screen.display[:3]):
                data = program.read(60.0)
                if not data:
                    raise RuntimeError("the tour has ended by itself")
                stream.feed(data)
            program.type(b"q")
            while program.read(60.0):
                pass
        shutil.rmtree(SESSION, ignore_errors=True)
        SESSION.parent.mkdir(exist_ok=True)
        # What the slices add up to is made of them again.
        shutil.copytree(new, SESSION, ignore=shutil.ignore_patterns("board.json"))


def _write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def main() -> None:
    """As the module says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--record", action="store_true", help="record the session anew first")
    options = parser.parse_args()
    if options.record:
        record()
    for path in make(SESSION, FOLDER):
        print(path.name, path.stat().st_size)


if __name__ == "__main__":
    main()
