"""Serves a command's screen: to one browser at a time if it measures, and to nobody else's pages."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web
from textual_serve.server import Server

_LEAVES_S = 8.0
"""A page that is loaded again finds the screen it had still ending."""
_LOOKS_AGAIN_S = 0.02

BUSY = (
    "Somebody looks at this screen already, and two would disturb each other's measuring: close the other page first."
)
STRANGER = "This page does not belong to the server that it asks."


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens there."""
    if host == "localhost":
        return True
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return False


def is_own_page(host: str, origin: str | None, *, only_loopback: bool) -> bool:
    """Whether a request comes from a page of ours.

    A browser lets any site's page speak to a socket here, and says only in ``origin`` whose page it was. ``host`` is
    the name that was asked for: on loopback it must be loopback's, else a stranger's name has been pointed here.
    """
    name = urlsplit(f"//{host}").hostname or ""
    if only_loopback and not is_loopback(name):
        return False
    return origin is None or urlsplit(origin).netloc == host


class ScreenServer(Server):  # type: ignore[misc,unused-ignore]  # where the extra is not installed
    """textual-serve's server, with a page that fetches nothing from elsewhere."""

    def __init__(self, command: str, host: str, port: int, *, several: bool, started: Callable[[], object]) -> None:
        """``several`` browsers may look at once, each with a screen of its own; ``started`` is told that it listens."""
        super().__init__(command, host, port, title="latvar-tui", templates_path=Path(__file__).parent)
        self._only_loopback = is_loopback(host)
        self._several, self._started = several, started
        self._free = asyncio.Semaphore(1)

    async def on_startup(self, app: web.Application) -> None:
        """In place of its banner, and when it is true: this is called before anything listens."""
        self._telling = asyncio.create_task(self._tell())

    async def _tell(self) -> None:
        while True:
            try:
                _, writer = await asyncio.open_connection(self.host, self.port)
            except OSError:
                await asyncio.sleep(_LOOKS_AGAIN_S)
                continue
            writer.close()
            self._started()
            return

    def initialize_logging(self) -> None:
        """No log lines: what ends a screen early is printed without them."""

    async def handle_index(self, request: web.Request) -> Any:
        self._check(request)
        return await super().handle_index(request)

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        self._check(request)
        if self._several:
            return await super().handle_websocket(request)
        try:
            await asyncio.wait_for(self._free.acquire(), _LEAVES_S)
        except TimeoutError:
            raise web.HTTPConflict(text=BUSY) from None
        try:
            return await super().handle_websocket(request)
        finally:
            self._free.release()

    def _check(self, request: web.Request) -> None:
        if not is_own_page(request.host, request.headers.get("Origin"), only_loopback=self._only_loopback):
            raise web.HTTPForbidden(text=STRANGER)
