"""A real browser without a screen (Debian's ``chromium``), spoken to over a pipe: what it renders, and what it says.

The DevTools protocol, one JSON object after another with a zero byte behind each:
https://chromedevtools.github.io/devtools-protocol/
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any, Self

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser")
MISSING = "no chromium (Debian's package)"
_LONGEST_S = 60.0


class Chromium:
    """One browser with one page; ``said`` collects errors and warnings of its console and of its network."""

    def __init__(self, folder: Path) -> None:
        """``folder`` keeps its profile."""
        assert PROGRAM is not None
        self.said: list[str] = []
        self._number, self._buffer = 0, b""
        inward, self._write_fd = os.pipe()
        self._read_fd, outward = os.pipe()

        def to_3_and_4() -> None:
            spare_in, spare_out = os.dup(inward), os.dup(outward)
            os.dup2(spare_in, 3)
            os.dup2(spare_out, 4)

        self._process = subprocess.Popen(
            [
                PROGRAM, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--remote-debugging-pipe",
                "--disable-dev-shm-usage", "--no-first-run", f"--user-data-dir={folder}", "about:blank",
            ],
            preexec_fn=to_3_and_4, close_fds=False, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(inward)
        os.close(outward)
        self._session: str | None = None
        pages = self.call("Target.getTargets")["targetInfos"]
        page = next(one["targetId"] for one in pages if one["type"] == "page")
        self._session = self.call("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session = None
        try:
            self.call("Browser.close")  # its other processes end with it, and leave the profile's folder alone
            self._process.wait(_LONGEST_S)
        finally:
            self._process.kill()
            self._process.wait()
        os.close(self._write_fd)
        os.close(self._read_fd)

    def call(self, method: str, **parameters: Any) -> Any:
        """Ask for something, and wait for its answer."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._write_fd, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]

    def show(self, path: Path, width: int, scheme: str) -> None:
        """Load a file, ``width`` CSS pixels wide, in the ``light`` or the ``dark`` scheme."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=width < 600
        )
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.call("Page.navigate", url=path.as_uri())
        while self._next().get("method") != "Page.loadEventFired":
            pass

    def value(self, expression: str) -> Any:
        """What a script in the page finds."""
        return self.call("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def picture(self, height: int | None = None) -> bytes:
        """The whole page as PNG, or its top."""
        part = {}
        if height is not None:
            width = self.value("document.documentElement.clientWidth")
            part = {"clip": {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}}
        return base64.b64decode(self.call("Page.captureScreenshot", captureBeyondViewport=True, **part)["data"])

    def _next(self) -> dict[str, Any]:
        end_s = time.monotonic() + _LONGEST_S
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._read_fd], [], [], max(0.0, end_s - time.monotonic()))
            piece = os.read(self._read_fd, 1 << 20) if ready else b""
            assert piece, "chromium has ended, or says nothing"
            self._buffer += piece
        line, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        method, told = message.get("method"), message.get("params", {})
        if method == "Log.entryAdded":
            self.said.append(told["entry"]["text"])
        elif method == "Runtime.consoleAPICalled":
            self.said.append(str(told["args"]))
        elif method == "Runtime.exceptionThrown":
            self.said.append(str(told["exceptionDetails"]))
        elif method == "Network.requestWillBeSent" and not told["request"]["url"].startswith(("file:", "data:")):
            self.said.append(f"asked the network for {told['request']['url']}")
        return message
