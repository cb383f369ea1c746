"""Programs that alerts are sent to, each a process that a test kills and starts again.

    python receivers.py PORT FOLDER    a receiver of webhooks

It writes each post to FOLDER/posts.jsonl before it answers, and does what FOLDER/mode says: `take` it, `fail` with
500, `hang`, `drop` the connection after writing, or answer with the headers and code of a JSON record.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import pytest

HANG_S = 30.0
START_S = 20.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(is_so: Callable[[], object], seconds: float = START_S) -> None:
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until, f"not so within {seconds} s"
        time.sleep(0.01)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Program:
    """A process on a port, in a group of its own."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.process: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        raise NotImplementedError

    def start(self) -> None:
        self.process = subprocess.Popen(self.command(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: listens(self.port))

    def kill(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


class Receiver(Program):
    """An HTTP receiver that remembers what it was sent across its own deaths."""

    def __init__(self, folder: Path) -> None:
        super().__init__(free_port())
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.behave("take")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/alerts?token=hidden"

    def command(self) -> list[str]:
        return [sys.executable, __file__, str(self.port), str(self.folder)]

    def behave(self, mode: str | dict[str, Any]) -> None:
        part = self.folder / "mode.part"
        part.write_text(mode if isinstance(mode, str) else json.dumps(mode))
        part.replace(self.folder / "mode")

    def posts(self) -> list[dict[str, Any]]:
        """All posts in their order: headers with small letters, body as text, and the mode that it met."""
        path = self.folder / "posts.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def taken(self) -> list[str]:
        """The keys of what was taken, in order, without what was had before."""
        return list(dict.fromkeys(post["headers"]["webhook-id"] for post in self.posts() if post["mode"] == "take"))


class Broker(Program):
    """mosquitto, without persistence, so that what it has not passed on dies with it."""

    def __init__(self, folder: Path, settings: str = "allow_anonymous true") -> None:
        super().__init__(free_port())
        self.settings = folder / "mosquitto.conf"
        self.settings.write_text(f"listener {self.port} 127.0.0.1\npersistence false\n{settings}\n")

    def command(self) -> list[str]:
        program = mosquitto()
        if program is None:
            pytest.skip("no mosquitto here (apt-get install mosquitto)")
        return [program, "-c", str(self.settings)]


def mosquitto() -> str | None:
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")


class Subscriber:
    """Somebody who listens, and listens again when the broker is back."""

    def __init__(self, port: int, topics: str = "vigil/#", user: str | None = None) -> None:
        self.heard: list[tuple[str, str]] = []
        self.is_listening = threading.Event()
        from paho.mqtt.client import Client
        from paho.mqtt.enums import CallbackAPIVersion

        self.client = Client(CallbackAPIVersion.VERSION2, "subscriber", clean_session=False)
        self.client.reconnect_delay_set(1, 1)
        if user is not None:
            self.client.username_pw_set(user, user)
        self.client.on_connect = lambda client, *_: client.subscribe(topics, qos=1)
        self.client.on_subscribe = lambda *_: self.is_listening.set()
        self.client.on_disconnect = lambda *_: self.is_listening.clear()
        self.client.on_message = lambda _client, _data, message: self._note(message)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        assert self.is_listening.wait(10)

    def _note(self, message: Any) -> None:
        self.heard.append((message.topic, message.payload.decode()))

    def keys(self) -> list[str]:
        """Of the alerts that were heard, in order and each once."""
        alerts = [json.loads(payload) for topic, payload in self.heard if topic.endswith("/alerts")]
        return list(dict.fromkeys(f"{alert['id']}.{alert['revision']}" for alert in alerts))

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@contextmanager
def subscribed(port: int, **settings: Any) -> Iterator[Subscriber]:
    subscriber = Subscriber(port, **settings)
    try:
        yield subscriber
    finally:
        subscriber.close()


def serve(port: int, folder: Path) -> None:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            mode = (folder / "mode").read_text()
            headers = {name.lower(): value for name, value in self.headers.items()}
            line = json.dumps({"headers": headers, "body": body, "mode": mode, "at": time.time()}) + "\n"
            with (folder / "posts.jsonl").open("a") as file:
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
            if mode == "hang":
                time.sleep(HANG_S)
            if mode == "drop":
                self.close_connection = True
                return
            answer = json.loads(mode) if mode.startswith("{") else {"code": {"fail": 500}.get(mode, 204)}
            if only := answer.get("for"):
                answer = answer if only in body else {"code": 204}
            text = answer.get("text", "").encode()
            self.send_response(answer["code"])
            for name, value in answer.get("headers", {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    server.serve_forever()


if __name__ == "__main__":
    serve(int(sys.argv[1]), Path(sys.argv[2]))
