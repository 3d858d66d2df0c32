"""What many tests need: a cache folder of their own, small models, and a probe to talk to."""

from __future__ import annotations

import contextlib
import gc
import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

# Hundreds of short processes are run here: compiling the program anew in each would take longer than what they do.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# NumPy's threads spin for a while after each product of matrices: they would take the cores of the tests beside.
os.environ["OPENBLAS_NUM_THREADS"] = "1"
# A shell that starts this in the background has Ctrl-C ignored, and nohup SIGHUP, by all that is started here as well.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

import numpy as np  # noqa: E402
import pytest  # noqa: E402
from hypothesis import settings  # noqa: E402

from latvar_tui import wire  # noqa: E402
from latvar_tui.link import Link  # noqa: E402

# A deadline per example is an absolute time, and the machines that run this are shared.
settings.register_profile("shared", deadline=None, max_examples=25)
settings.register_profile("thorough", deadline=None, max_examples=400)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "shared"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What runs a whole program on a terminal takes turns: two of them at once are no device that anybody has."""
    for item in items:
        if item.path.name.endswith("_pty.py") or item.path.name in _WHOLE_PROGRAMS:
            item.add_marker(pytest.mark.xdist_group("terminal"))


def pytest_collection_finish() -> None:
    """What is imported stays: to look through it at every collection would take a tenth of the time."""
    gc.collect()
    gc.freeze()


_WHOLE_PROGRAMS = ("test_probe.py", "test_stress.py", "test_lineup.py", "test_task_counters.py", "test_open_loop.py")


@pytest.fixture(scope="session", autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Weights and models of one's own go to folders of this run, not to the user's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


# -- a model by hand: the few protobuf fields of ONNX that a chain of convolutions needs -------------


def _varint(number: int) -> bytes:
    out = b""
    while True:
        number, low = number >> 7, number & 127
        if not number:
            return out + bytes([low])
        out += bytes([low | 128])


def _field(number: int, value: int | str | bytes) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    data = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _node(op: str, inputs: list[str], output: str, pads: bool = False) -> bytes:
    attribute = _field(5, _field(1, "pads") + b"".join(_field(8, 1) for _ in range(4)) + _field(20, 7)) if pads else b""
    return b"".join(_field(1, name) for name in inputs) + _field(2, output) + _field(4, op) + attribute


def _value(name: str, shape: list[int | str], element: int) -> bytes:
    dims = b"".join(_field(1, _field(1 if isinstance(d, int) else 2, d)) for d in shape)
    return _field(1, name) + _field(2, _field(1, _field(1, element) + _field(2, dims)))


def conv_model(channels: int = 8, size: int = 16, layers: int = 2, *, batch: int | str = 1) -> bytes:
    """A chain of 3×3 convolutions of float32 as ONNX bytes."""
    random = np.random.default_rng(0)
    nodes, weights, name = [], [], "x"
    for layer in range(layers):
        kernel = (random.standard_normal((channels, channels, 3, 3)) / np.sqrt(9 * channels)).astype(np.float32)
        dims = b"".join(_field(1, d) for d in kernel.shape)
        weights.append(dims + _field(2, 1) + _field(8, f"w{layer}") + _field(9, kernel.tobytes()))
        nodes.append(_node("Conv", [name, f"w{layer}"], f"y{layer}", pads=True))
        name = f"y{layer}"
    shape: list[int | str] = [batch, channels, size, size]
    values = _field(11, _value("x", shape, 1)) + _field(12, _value(name, shape, 1))
    return _model(nodes, weights, values)


def _model(nodes: list[bytes], weights: list[bytes], values: bytes) -> bytes:
    graph = b"".join(_field(1, node) for node in nodes) + _field(2, "g") + b"".join(_field(5, w) for w in weights)
    graph += values
    return _field(1, 8) + _field(7, graph) + _field(8, _field(1, "") + _field(2, 13))


@pytest.fixture(scope="session")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The path of a model of about 0.1 ms."""
    path = tmp_path_factory.mktemp("models") / "small.onnx"
    path.write_bytes(conv_model())
    return str(path)


@pytest.fixture(scope="session")
def larger_model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The path of a model some times slower than the small one."""
    path = tmp_path_factory.mktemp("models") / "larger.onnx"
    path.write_bytes(conv_model(32, 32, 6))
    return str(path)


# -- a probe to talk to -----------------------------------------------------------------------------

LONGEST_S = 60.0
"""Nothing here takes so long; a test that waits longer has failed, whatever the machine."""


@pytest.fixture
def start() -> Iterator[Callable[..., Link]]:
    """Start a probe on models: ``start([model, ...], condition="0xcpu@100%", slice_ms=50)``."""
    links: list[Link] = []

    def begin(candidates: list[str], condition: str = "0xcpu@100%", slice_ms: float = 50.0, gated: bool = True) -> Link:
        link = Link(force=True)
        links.append(link)
        link.send(wire.Start(candidates, condition, slice_ms, gated))
        link.send(wire.Go(0))
        return link

    yield begin
    for link in links:
        link.close()


def frames_until(link: Link, enough: Callable[[wire.Frame], bool], *, go: bool = True) -> list[wire.Frame]:
    """Take frames, answering each slice with go, until one is ``enough``."""
    taken: list[wire.Frame] = []
    while True:
        assert link.wait(LONGEST_S), f"no frame for {LONGEST_S} s after {taken[-3:]}"
        for frame in link.receive():
            taken.append(frame)
            if enough(frame):
                return taken
            if go and isinstance(frame, wire.Slice):
                link.send(wire.Go(frame.seq))
            elif isinstance(frame, wire.State) and frame.ask:
                link.send(wire.Drawn(frame.ask))


def slices(frames: list[wire.Frame]) -> list[wire.Slice]:
    return [frame for frame in frames if isinstance(frame, wire.Slice)]


def is_gone(pid: int) -> bool:
    """Whether there is no such process, or only its zombie (a container's init may be lazy)."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state == "Z"


def wait_until_gone(pids: set[int]) -> None:
    """Wait for processes that are not our children to end."""
    limit = time.monotonic() + LONGEST_S
    while not all(is_gone(pid) for pid in pids):
        assert time.monotonic() < limit, f"still there: {[pid for pid in pids if not is_gone(pid)]}"
        time.sleep(0.005)  # polling a condition; nobody can wait for a stranger's child


class Started(subprocess.Popen[Any]):
    """A process that a failing test does not wait for: it may run for hours."""

    def __exit__(self, *error: Any) -> None:
        if error[0] is not None:
            self.kill()
        super().__exit__(*error)


def run_cli(*arguments: str, timeout_s: float = LONGEST_S, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run ``latvar-tui`` as a user would."""
    return subprocess.run(
        [sys.executable, "-m", "latvar_tui", *arguments],
        capture_output=True,
        text=True,
        timeout=timeout_s,
        env=os.environ | environment,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def call_cli(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The same without a process of its own: for what reads files and prints, which is done before one has started."""
    from latvar_tui import cli

    raw = [io.BytesIO() for _ in range(2)]
    written = [io.TextIOWrapper(each, "utf-8", write_through=True) for each in raw]
    status: Any = 0
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(written[0]),
        contextlib.redirect_stderr(written[1]),
    ):
        for name, value in environment.items():
            patch.setenv(name, value)
        patch.setattr(sys, "argv", ["latvar-tui", *arguments])
        patch.setattr(sys, "stdin", io.StringIO())
        patch.setattr(signal, "signal", lambda *_: None)  # the tests' own end as they did
        try:
            cli.main()
        except SystemExit as ended:
            status = ended.code or 0
    out, err = (each.getvalue().decode() for each in raw)
    return subprocess.CompletedProcess(["latvar-tui", *arguments], status, out, err)
