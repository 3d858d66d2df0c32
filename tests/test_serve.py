"""The screen in a browser: what is refused, and (with the extra ``web``) what a page gets."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.chromium import MISSING, PROGRAM, Chromium
from tests.conftest import LONGEST_S, run_cli, wait_until_gone
from tests.on_pty import ROOT
from tests.session_files import recorded, some_frames
from tests.test_imports import without

needs_extra = pytest.mark.skipif(
    importlib.util.find_spec("textual_serve") is None, reason="the extra web (textual-serve) is not installed"
)
Serve = Callable[..., tuple["subprocess.Popen[str]", int, str]]


def test_without_the_extra_a_sentence_says_what_to_install(tmp_path: Path) -> None:
    ended = run_cli("serve", **without(tmp_path, "textual_serve"))
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "latvar-tui[web]" in ended.stderr and "Traceback" not in ended.stderr


@needs_extra
def test_a_port_that_is_taken_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = run_cli("serve", "--port", str(taken.getsockname()[1]))
    assert ended.returncode == 2 and "choose another --port" in ended.stderr


@needs_extra
@pytest.mark.parametrize(
    ("host", "origin", "is_own"),
    [
        ("127.0.0.1:8000", "http://127.0.0.1:8000", True),
        ("localhost:9000", "http://localhost:9000", True),  # through a tunnel
        ("[::1]:8000", None, True),
        ("localhost:8000", "http://elsewhere.example", False),
        ("localhost:8000", "http://localhost:9999", False),
        ("elsewhere.example:8000", "http://elsewhere.example:8000", False),  # a name that was pointed here
        ("localhost:8000", "null", False),
    ],
)
def test_only_its_own_pages_are_served(host: str, origin: str | None, is_own: bool) -> None:
    from latvar_tui.web.server import is_own_page

    assert is_own_page(host, origin, only_loopback=True) == is_own


@needs_extra
def test_what_is_on_loopback() -> None:
    from latvar_tui.web.server import is_loopback

    assert [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost")] == [True] * 3
    assert [is_loopback(host) for host in ("0.0.0.0", "::", "192.0.2.1", "example.org")] == [False] * 4


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start the server at a free port; give it, the port and what it said. It ends with the test."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str, options: tuple[str, ...] = ()) -> tuple[subprocess.Popen[str], int, str]:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        program = subprocess.Popen(
            [sys.executable, "-m", "latvar_tui", "serve", "--port", str(port), *options, *arguments],
            stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, cwd=ROOT,
            env={**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        started.append(program)
        assert program.stderr is not None
        said = ""
        while "http://" not in said:
            line = program.stderr.readline()
            assert line, said
            said += line
        return program, port, said

    yield start
    for program in started:
        program.terminate()
        program.wait(LONGEST_S)
        assert program.stderr is not None
        program.stderr.close()
    # A test that has failed may leave a probe behind, which would take a core from all the others.
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get("TMPDIR") == str(tmp_path):
                process.kill()


async def screen_bytes(port: int, wanted: bytes, **options: Any) -> AsyncIterator[bytes]:
    """What a page would get, until ``wanted`` has come; the socket stays open while the caller goes on."""
    import aiohttp

    async with (
        aiohttp.ClientSession() as client,
        client.ws_connect(f"http://127.0.0.1:{port}/ws?width=100&height=30", **options) as page,
    ):
        got = b""
        while wanted not in got:
            message = await page.receive(LONGEST_S)
            assert message.type == aiohttp.WSMsgType.BINARY, (message, got[-500:])
            got += message.data
        yield got


def family(pid: int) -> set[int]:
    return {child.pid for child in psutil.Process(pid).children(recursive=True)}


@needs_extra
async def test_a_page_gets_the_live_screen_and_measuring_ends_with_it(serve: Serve, small_model: str) -> None:
    program, port, said = serve("live", small_model, "--stress", "1", "--no-record")
    assert f"http://127.0.0.1:{port}/" in said and "password" not in said
    measuring: set[int] = set()
    async for got in screen_bytes(port, b"1xcpu@100%", origin=f"http://127.0.0.1:{port}"):
        assert b"__GANGLION__" not in got
        measuring = family(program.pid)
        assert len(measuring) >= 4
    wait_until_gone(measuring)


@needs_extra
async def test_measuring_ends_with_a_server_that_is_killed(serve: Serve, small_model: str) -> None:
    program, port, _ = serve("live", small_model, "--stress", "1", "--no-record")
    async for _ in screen_bytes(port, b"1xcpu@100%"):
        measuring = family(program.pid)
        os.kill(program.pid, signal.SIGKILL)
        wait_until_gone(measuring)


@needs_extra
async def test_a_strangers_page_gets_nothing(serve: Serve, tmp_path: Path) -> None:
    import aiohttp

    folder = recorded(tmp_path / "kept", some_frames())
    program, port, _ = serve("show", str(folder))
    async with aiohttp.ClientSession() as client:
        async with client.get(f"http://127.0.0.1:{port}/", headers={"Host": "elsewhere.example"}) as answer:
            assert answer.status == 403
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await client.ws_connect(f"http://127.0.0.1:{port}/ws", origin="http://elsewhere.example")
        assert refused.value.status == 403
    assert family(program.pid) == set()


@needs_extra
async def test_two_pages_may_look_at_a_recording_and_one_at_a_measurement(
    serve: Serve, tmp_path: Path, small_model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import aiohttp

    folder = recorded(tmp_path / "kept", some_frames())
    _, port, _ = serve("show", str(folder))
    async for _ in screen_bytes(port, b"REPLAY"):
        async for _ in screen_bytes(port, b"REPLAY"):
            pass
    _, port, _ = serve("live", small_model, "--no-record")
    async for _ in screen_bytes(port, b"latvar-tui"):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            async for _ in screen_bytes(port, b"latvar-tui"):
                pass
        assert refused.value.status == 409


@needs_extra
def test_elsewhere_than_on_loopback_it_warns(serve: Serve, tmp_path: Path) -> None:
    folder = recorded(tmp_path / "kept", some_frames())
    _, _, said = serve("show", str(folder), options=("--host", "0.0.0.0"))
    assert "no password" in said


@needs_extra
@pytest.mark.skipif(PROGRAM is None, reason=MISSING)
def test_a_real_browser_shows_it_and_fetches_nothing_from_elsewhere(serve: Serve, tmp_path: Path) -> None:
    folder = recorded(tmp_path / "kept", some_frames())
    _, port, _ = serve("show", str(folder))
    own = f"http://127.0.0.1:{port}/"
    with Chromium(tmp_path / "profile") as browser:
        browser.call("Page.navigate", url=own)
        limit = time.monotonic() + LONGEST_S
        while "-first-byte" not in str(browser.value("document.body && document.body.className")):
            assert time.monotonic() < limit
        asked = [text.removeprefix("asked the network for ") for text in browser.said if "asked the network" in text]
        assert asked and all(url.startswith(own) for url in asked)
        assert browser.value("document.querySelectorAll('.xterm').length") == 1
