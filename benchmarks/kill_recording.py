"""``kill -9`` at random moments of a recording: what is lost, and whether it opens.

    python -m benchmarks.kill_recording [--times 50]

A slice is lost only if it had not been written when the kill came: its number is then missing at the end. How many the
recorder had been given cannot be known from outside; what is counted is holes (never allowed), sessions that do not
open, and how long before the kill the last recorded slice ended. The moments are up to 4 s after the session's folder
came to be: that is made with the first slice, so that loading on a busy machine leaves no session without one.
"""

from __future__ import annotations

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from latvar_tui import wire
from latvar_tui.session.layout import SessionError
from latvar_tui.session.reader import Session


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--times", type=int, default=50, help="how many sessions to kill (default %(default)s)")
    late_s: list[float] = []
    failures = 0
    for number in range(parser.parse_args().times):
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary) / "s"
            killed_ns = record_and_kill(folder, random.Random(number).uniform(0.0, 4.0))
            try:
                session = Session(folder)
                own = [frame for frame in session.frames() if isinstance(frame, wire.Slice)]
            except SessionError as error:
                failures += 1
                print(error, file=sys.stderr)
                continue
            failures += [frame.seq for frame in own] != list(range(1, len(own) + 1))
            if own:
                late_s.append((killed_ns - own[-1].end_ns) / 1e9)
    print(f"{len(late_s)} sessions opened, {failures} failed")
    if late_s:
        late_s.sort()
        print(f"the last slice ended before the kill: median {late_s[len(late_s) // 2]:.3f} s, most {late_s[-1]:.3f} s")


def record_and_kill(folder: Path, after_s: float) -> int:
    """Record under stress, kill so long after the session began; returns the monotonic time of the kill, ns."""
    command = [sys.executable, "-m", "latvar_tui", "record", "squeezenet1_1", "mobilenet_v2", "--stress", "2"]
    command += ["--duration", "1h", "--force", "--record", str(folder)]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdout=quiet, stderr=quiet, stdin=quiet) as process:
        while not folder.exists() and process.poll() is None:
            time.sleep(0.001)
        time.sleep(after_s)
        process.send_signal(signal.SIGKILL)
        killed_ns = time.perf_counter_ns()
        process.wait()
    return killed_ns


if __name__ == "__main__":
    main()
