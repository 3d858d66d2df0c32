"""The pictures of README and docs, each drawn from a recorded session: of what, how large, and after which keys."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from latvar_tui.session.reader import Session
from latvar_tui.session.replay import Replay
from latvar_tui.session.stretches import Stretch, stretches
from latvar_tui.tour import Tour
from latvar_tui.tui.app import LiveApp
from latvar_tui.tui.demo import DemoReplay
from latvar_tui.tui.replay import ReplayApp

QUANTILE = 95.0


@dataclass(frozen=True)
class Shot:
    """``stretch`` is which condition's end it shows, counted as ``stretches`` counts; ``steps`` of a tour are taken."""

    size: tuple[int, int]
    stretch: int
    keys: tuple[str, ...] = ()
    steps: int | None = None


SHOTS = {
    "live": Shot((120, 40), 2),
    "ssh": Shot((80, 24), 2),
    "phone": Shot((45, 30), 2),
    "large": Shot((100, 30), 2, ("g",)),
    "outliers": Shot((120, 40), 2, ("o",)),
    "demo": Shot((120, 40), -1, steps=4),
}


async def draw(session: Path, shot: Shot) -> str:
    """The picture, as SVG."""
    opened = Session(session)
    found = stretches(opened)
    app = _app(opened, found, shot)
    async with app.run_test(size=shot.size) as pilot:
        await _at(pilot, found[min(shot.stretch, len(found) - 1)].end_ns)
        for _ in range(shot.steps or 0):
            assert isinstance(app, DemoReplay)
            app.tour.press(True)
        app.draw()
        await pilot.press(*shot.keys)
        await pilot.pause()
        return app.export_screenshot(title="latvar-tui")


async def draw_several(session: Path, size: tuple[int, int], times_ns: list[int]) -> list[str]:
    """The live screen at several times of the recording."""
    app = _app(Session(session), [], Shot(size, 0))
    pictures = []
    async with app.run_test(size=size) as pilot:
        for time_ns in times_ns:
            await _at(pilot, time_ns)
            pictures.append(app.export_screenshot(title="latvar-tui"))
    return pictures


def _app(opened: Session, found: list[Stretch], shot: Shot) -> LiveApp:
    replay = Replay(opened)
    replay.paused = True  # time goes on by jumps alone
    if shot.steps is None:
        return ReplayApp(replay, ranked_by=QUANTILE)
    cores = replay.board.device.get("cores")
    tour = Tour([stretch.condition for stretch in found], cores if isinstance(cores, int) else 1, QUANTILE)
    return DemoReplay(replay, found, ranked_by=QUANTILE, tour=tour)


async def _at(pilot: Pilot[Any], time_ns: int) -> None:
    """Until everything up to then has been taken and drawn."""
    app = pilot.app
    assert isinstance(app, ReplayApp)
    app.replay.jump(time_ns)
    while any(app.replay.receive()):
        pass
    app.draw()
    await pilot.pause()
