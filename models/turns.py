"""Time rival sessions in turns, so that whatever the machine does meanwhile happens to all of them.

Each has a process of its own: ONNX Runtime heeds ``session.set_denormal_as_zero`` only in the first session
of a process. Run as a script, this file is such a process: ``turns.py GRAPH [KEY=VALUE ...]``.
"""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnxruntime as ort

from latvar_tui import zoo

ROUNDS = 6  # from a single set of sessions, ratios of 1.02 came and went with the run
WARM_UP = 3
MINIMUM = 2  # turns in a round
FINITE = "finite"
NOT_FINITE = "its output is not finite, so look at how the model starts and at calibrate()"
NOT_LOADED = "ONNX Runtime refused it, so look at its message above"


class Rival(NamedTuple):
    graph: Path
    settings: tuple[str, ...] = ()
    """Session configuration entries, KEY=VALUE."""


def take_turns(rivals: dict[str, Rival], seconds: float) -> dict[str, list[int]]:
    """Return each rival's inference times in nanoseconds; end the script if an output is not finite.

    ``seconds`` of turns in all, spread over rounds of fresh processes.
    """
    times: dict[str, list[int]] = {name: [] for name in rivals}
    order = list(rivals)
    for _ in range(ROUNDS):
        with ExitStack() as stack:
            children = {name: stack.enter_context(start(rivals[name])) for name in order}
            for name, child in children.items():
                if (answer := child.stdout.readline().strip()) != FINITE:
                    raise SystemExit(f"{rivals[name].graph.name} can't be timed ({name}): {answer or NOT_LOADED}")
            end, turns = time.monotonic() + seconds / ROUNDS, 0
            while time.monotonic() < end or turns < MINIMUM:
                for name in order:
                    times[name].append(one_turn(children[name]))
                order.append(order.pop(0))
                turns += 1
            for child in children.values():
                child.stdin.close()
    return times


def start(rival: Rival) -> subprocess.Popen[str]:
    command = [sys.executable, __file__, str(rival.graph), *rival.settings]
    return subprocess.Popen(command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def one_turn(child: subprocess.Popen[str]) -> int:
    child.stdin.write("\n")
    child.stdin.flush()
    return int(child.stdout.readline())


def serve(graph: str, settings: list[str]) -> None:
    """Load the graph, then run it once for each line of the standard input and print how long it took, in ns."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    for setting in settings:
        options.add_session_config_entry(*setting.split("=", 1))
    session = ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    (wanted,) = session.get_inputs()
    data = {wanted.name: zoo.generator(3).standard_normal(wanted.shape, dtype=np.float32)}
    outputs = [session.run(None, data)[0] for _ in range(WARM_UP)]
    print(FINITE if np.isfinite(outputs).all() else NOT_FINITE, flush=True)
    for _ in sys.stdin:
        start_ns = time.perf_counter_ns()
        session.run(None, data)
        print(time.perf_counter_ns() - start_ns, flush=True)


if __name__ == "__main__":
    serve(sys.argv[1], sys.argv[2:])
