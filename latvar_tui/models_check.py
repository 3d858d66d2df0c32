"""Does a model run here? Each is tried in a process of its own: it may crash, and its memory goes back afterwards.

``python -m latvar_tui.models_check MODEL PARENT`` tries one and prints one JSON object.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from latvar_tui.blas import ONE_THREAD
from latvar_tui.device.lifeline import die_with, signal_name


@dataclass(frozen=True)
class Outcome:
    """What came of one model; ``reason`` says why it failed, and is empty if it did not."""

    reason: str = ""
    remark: str = ""
    parameters: int | None = None
    second_ms: float | None = None
    """How long its second inference took: the first is a cold one."""
    memory_mb: float | None = None
    """What its session takes, where the system tells."""


def check(model: str) -> Outcome:
    """Try ``model``, a candidate's text form, in a fresh process. Never fails."""
    environment = os.environ | ONE_THREAD
    command = [sys.executable, "-m", __name__, model, str(os.getpid())]
    try:
        ended = subprocess.run(command, env=environment, capture_output=True, stdin=subprocess.DEVNULL, check=False)
    except OSError as error:
        return Outcome(f"no process could be started ({(error.strerror or str(error)).lower()})")
    with suppress(ValueError, TypeError, IndexError):
        return Outcome(**json.loads(ended.stdout.splitlines()[-1]))
    if ended.returncode < 0:
        killed_for_memory = ", probably for want of memory" if -ended.returncode == signal.SIGKILL else ""
        return Outcome(f"its process was ended by {signal_name(-ended.returncode)}{killed_for_memory}")
    said = ended.stderr.decode(errors="replace").split("\n")
    return Outcome(f"its process failed: {next((line for line in reversed(said) if line.strip()), 'it said nothing')}")


def _try(text: str) -> Outcome:
    """Load a model here and run it twice."""
    import numpy as np
    import onnxruntime  # noqa: F401 -- before memory is looked at

    from latvar_tui.candidate import UsageError, parse_candidate
    from latvar_tui.device.cores import physical_cores
    from latvar_tui.device.session import failure
    from latvar_tui.device.workload import load
    from latvar_tui.zoo import ZooError, find
    from latvar_tui.zoo.check import verified

    try:
        candidate = parse_candidate(text, physical_cores())
        parameters, remark = verified(find(candidate.model, candidate.precision))
        before_mb = _resident_mb()
        workload = load(candidate)
        workload.infer()
        begin_ns = time.perf_counter_ns()
        workload.infer()
        second_ms = max(0, time.perf_counter_ns() - begin_ns - workload.nominal_ns) / 1e6
        after_mb = _resident_mb()
        outputs = workload.outputs()
    except (UsageError, ZooError) as error:
        return Outcome(str(error).rstrip("."))
    except Exception as error:  # the runtime's own have no class in common
        return Outcome(f"it can't be run ({failure(error)})")
    strange = sum(int(np.count_nonzero(~np.isfinite(output))) for output in outputs if output.dtype.kind == "f")
    if strange:
        numbers = sum(output.size for output in outputs)
        return Outcome(f"{strange} of the {numbers} numbers that it puts out are infinite or none (NaN)")
    memory_mb = None if before_mb is None or after_mb is None else after_mb - before_mb
    return Outcome("", remark, parameters, second_ms, memory_mb)


def _resident_mb() -> float | None:
    with suppress(OSError, ValueError, IndexError):
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    return None


def main(text: str, parent: str) -> None:
    """Try one model, and end with the process that asked."""
    die_with(int(parent))
    print(json.dumps(asdict(_try(text))))


if __name__ == "__main__":
    main(*sys.argv[1:])
