"""A real headless Chromium that a test steers: opens pages, asks and clicks, sends keys, takes pictures."""

import base64
import itertools
import json
import os
import signal
import subprocess
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from browsers import FLAGS, chromium
from receivers import wait_until
from servers import free_port
from websockets.sync.client import connect


class Chrome:
    """`with Chrome(profile) as chrome`: one tab."""

    def __init__(self, profile: Path, width: int = 1440, height: int = 900) -> None:
        self.port = free_port()
        self.command = [
            chromium(), *FLAGS, f"--user-data-dir={profile}", f"--remote-debugging-port={self.port}",
            f"--window-size={width},{height}", "about:blank",
        ]  # fmt: skip
        self.numbers = itertools.count(1)
        self.said: list[str] = []  # in the console, and what failed to load

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(
            self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        wait_until(self._address, 60)
        address = self._address()
        assert address is not None
        self._open = ExitStack()
        self.socket = self._open.enter_context(connect(address, max_size=None, close_timeout=0.5, proxy=None))
        for domain in ("Page", "Runtime", "Network", "Log", "Accessibility"):
            self.call(f"{domain}.enable")
        return self

    def __exit__(self, *_: object) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)  # its group is its own
        self.process.wait(20)
        self._open.close()

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self.numbers)
        self.socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self.socket.recv(timeout=60))
            if message.get("id") == number:
                assert "error" not in message, message
                return message["result"]
            self._note(message)

    def open(self, url: str) -> None:
        self.call("Page.navigate", url=url)
        self.wait_for("document.readyState === 'complete'")

    def ask(self, expression: str) -> Any:
        """The value of an expression of JavaScript, awaited."""
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait_for(self, expression: str, seconds: float = 20.0) -> Any:
        """The first value of the expression that is true."""
        until = time.monotonic() + seconds
        while not (value := self.ask(expression)):
            assert time.monotonic() < until, f"{expression} is {value!r} after {seconds} s; console: {self.said[-5:]}"
            time.sleep(0.05)
        return value

    def press(self, key: str) -> None:
        code = {"Tab": 9, "Enter": 13, "Escape": 27}[key]
        text = {"text": "\r"} if key == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **text)

    def look(self, width: int, height: int, scheme: str = "light", phone: bool = False) -> None:
        """The size of the window, and whether the page shall be light or dark."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=2 if phone else 1,
            mobile=phone,
        )  # fmt: skip
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def picture(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))

    def names(self, role: str) -> list[str]:
        """What a screen reader reads of all elements with this role."""
        nodes = self.call("Accessibility.getFullAXTree")["nodes"]
        return [
            node.get("name", {}).get("value", "")
            for node in nodes
            if not node.get("ignored") and node.get("role", {}).get("value") == role
        ]

    def _address(self) -> str | None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/json", timeout=5) as answer:
                tabs = json.load(answer)
        except OSError:
            return None
        return next((tab["webSocketDebuggerUrl"] for tab in tabs if tab["type"] == "page"), None)

    def _note(self, message: dict[str, Any]) -> None:
        if message["method"] == "Runtime.exceptionThrown":
            self.said.append(str(message["params"]["exceptionDetails"]))
        elif message["method"] == "Log.entryAdded":
            self.said.append(str(message["params"]["entry"]["text"]) + " " + message["params"]["entry"].get("url", ""))
