"""From a key to its effect on the screen, in the middle of inferences that take half a second on every core.

    python -m benchmarks.key_latency [--runs 5] [--keys 15]

The real program on a pseudo-terminal, on a chain of convolutions. A key is struck at a random moment; its time is from
then until the bytes that show its effect can be read. What a terminal and a network add is not in it.
"""

from __future__ import annotations

import os
import random
import select
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import pyte

from benchmarks.proof import Effort, Limit, Proof, Row, judged, shown, stand_alone
from benchmarks.ratios import mean_of
from tests.conftest import conv_model
from tests.on_pty import COLUMNS, ROWS, OnPty

CLAIM = "A key is answered at once, also in the middle of a long inference."
AIM = "nineteen keys of twenty change the screen within 50 ms, while inferences of half a second use every core."
PROMPT = Limit(high=50, unit=" ms")
WORDS = ("Linear axis", "Logarithmic axis")
BANNER = ROWS - 2


@dataclass(frozen=True)
class Plan:
    runs: int
    keys: int
    stress: tuple[int, ...]


PLANS = {Effort.QUICK: Plan(5, 3, (0,)), Effort.DEFAULT: Plan(5, 15, (0, 2)), Effort.LONG: Plan(10, 100, (0, 2, 4))}


class Watched(OnPty):
    """The program, and what its terminal shows."""

    def __init__(self, *arguments: str, state: str) -> None:
        self._screen = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self._screen)
        super().__init__("-m", "latvar_tui", *arguments, env={"XDG_STATE_HOME": state})

    def take(self) -> None:
        self._stream.feed(self.read(60.0).replace(b"\x1b[>25u", b""))

    def watch(self, seconds: float) -> None:
        """Keep the terminal read."""
        until_s = time.monotonic() + seconds
        while (left_s := until_s - time.monotonic()) > 0:
            if select.select([self.controller], [], [], left_s)[0]:
                self.take()

    def shows(self, words: str) -> bool:
        return any(
            words in "".join(self._screen.buffer[row][column].data for column in range(COLUMNS))
            for row in (BANNER, BANNER - 1)
        )

    def key_ms(self, key: bytes, words: str) -> float:
        """Strike a key, and wait for what it says."""
        began_ns = time.perf_counter_ns()
        self.type(key)
        while True:
            select.select([self.controller], [], [])
            seen_ns = time.perf_counter_ns()
            self.take()
            if self.shows(words):
                return (seen_ns - began_ns) / 1e6


def measure(model: Path, keys: int, stress: int) -> list[float]:
    """Milliseconds of each key of one run."""
    with tempfile.TemporaryDirectory() as state:
        options = ["--slice", "500", "--stress", str(stress), "--max-stress", "8", "--no-record", "--force"]
        with Watched("live", str(model), *options, state=state) as program:
            while not program.shows("bright: last 5 s"):
                program.take()
                if program.shows("The first time"):  # a hint that any key of the stress takes away
                    program.type(str(stress).encode())
            program.watch(1.0)
            found = []
            for number in range(keys):
                program.watch(random.uniform(0.1, 0.7))
                found.append(program.key_ms(b"l", WORDS[number % 2]))
            program.type(b"q")
            while program.poll() is None and select.select([program.controller], [], [], 10)[0]:
                try:
                    os.read(program.controller, 65536)
                except OSError:
                    break
    return found


def prove(plan: Plan) -> Proof:
    """Measure and judge."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder, "half_a_second.onnx")
        model.write_bytes(conv_model(64, 128, 20))
        for stress in plan.stress:
            runs = [measure(model, plan.keys, stress) for _ in range(plan.runs)]
            where = "idle" if not stress else f"{stress} stress threads"
            late = [statistics.quantiles(run, n=20)[-1] for run in runs]
            rows.append(judged(f"{where}, one key in twenty takes more than", mean_of(late), PROMPT, 1))
            rows.append(shown(f"{where}, median", mean_of([statistics.median(run) for run in runs]), " ms", 1))
            every = sorted(ms for run in runs for ms in run)
            tenths = ", ".join(f"{every[round(share * (len(every) - 1))]:.1f}" for share in (0, 0.1, 0.5, 0.9, 0.99, 1))
            rows.append(shown(f"{where}, least, p10, p50, p90, p99, most of {len(every)}", tenths, " ms"))
    return Proof("key_latency", CLAIM, f"{plan.runs} runs of {plan.keys} keys for each number of stress threads", rows)


if __name__ == "__main__":
    stand_alone(__name__)
