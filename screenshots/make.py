"""Take the README's picture: the live screen on a real measurement of this machine.

    python -m screenshots.make [--seconds 20] [--stress 2]

Measures the default candidates idle, then under stress, each for so many seconds, with the screen on a
pseudo-terminal of 120 by 40 cells, and writes ``live.svg`` beside this file.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from latvar_tui import wire
from latvar_tui.candidate import IDLE, parse_candidates
from latvar_tui.device.cores import physical_cores, usable_cores
from latvar_tui.link import Link
from latvar_tui.tui.app import LiveApp
from latvar_tui.zoo import DEFAULT_LINE_UP
from tests.on_pty import run_on_pty

PICTURE = Path(__file__).with_name("live.svg")


class Director(Link):
    """A link that moves the slider half-way, and at the end takes the picture and leaves."""

    def __init__(self, seconds: float, stress: int) -> None:
        super().__init__()
        self.app: LiveApp | None = None
        self._seconds, self._stress = seconds, stress
        self._began_ns: int | None = None
        self._stressed = False

    def receive(self) -> list[wire.Frame]:
        frames = super().receive()
        for frame in frames:
            if isinstance(frame, wire.Slice):
                self._direct(frame)
        return frames

    def _direct(self, frame: wire.Slice) -> None:
        assert self.app is not None
        if self._began_ns is None:
            self._began_ns = frame.start_ns
        elapsed_s = (frame.end_ns - self._began_ns) / 1e9
        if elapsed_s >= self._seconds and not self._stressed:
            self._stressed = True
            self.app.action_stress_to(self._stress)
        if elapsed_s >= 2 * self._seconds:
            PICTURE.write_text(self.app.export_screenshot())
            self.app.exit(0)


def perform(seconds: float, stress: int) -> None:
    """In the child, on its terminal: measure and take the picture."""
    cores = usable_cores()
    candidates = parse_candidates(DEFAULT_LINE_UP, physical_cores())
    link = Director(seconds, stress)
    link.send(wire.Start([str(candidate) for candidate in candidates], str(IDLE)))
    link.app = LiveApp(link, lambda *_: link, candidates, IDLE, maximum=2 * cores, cores=cores)
    link.app.run()
    link.close()


def main() -> None:
    """Run the child on a pseudo-terminal."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--stress", type=int, default=2)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        perform(options.seconds, options.stress)
    else:
        passed_on = ["--seconds", str(options.seconds), "--stress", str(options.stress)]
        run_on_pty("-m", "screenshots.make", "--child", *passed_on)


if __name__ == "__main__":
    main()
