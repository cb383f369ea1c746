"""An outbox with its live page, served for a test by a real server, and a client of it."""

from pathlib import Path

import cv2
import httpx
import numpy as np

from vigil.delivery.outbox import Outbox
from vigil.delivery.page.access import Access
from vigil.delivery.page.app import make_app
from vigil.delivery.page.cameras import CameraSnapshot, DetectorReading
from vigil.delivery.page.server import PageServer

TOKEN = "a token of the tests"


class Site:
    """`outbox`, `cameras`, `problems` and `evidence` are what the page shows."""

    def __init__(self, folder: Path, token: str | None) -> None:
        self.evidence = folder / "evidence"
        self.evidence.mkdir()
        self.outbox = Outbox(folder / "outbox.sqlite", ["file somewhere"])
        self.cameras = [snapshot("gate", 1), snapshot("yard", 1)]
        self.problems: list[str] = []
        access = Access("127.0.0.1", token)
        app = make_app(self.outbox, lambda: self.cameras, self.evidence, access, lambda: self.problems)
        self.server = PageServer(app, "127.0.0.1", 0)
        self.client = httpx.Client(base_url=self.server.url)

    @property
    def live(self) -> str:
        return self.server.url.replace("http", "ws") + "/live"


def snapshot(name: str, frame: int) -> CameraSnapshot:
    picture = np.full((36, 64, 3), frame % 256, np.uint8)
    return CameraSnapshot(
        name, "live", None, 12.5, 0.25, "2026-10-27T18:00:00.000Z", frame, cv2.imencode(".jpg", picture)[1].tobytes(),
        (DetectorReading("i3d", 0.4, 0.3, 0.8, 0.6), DetectorReading("panic", None, None, 0.005)),
    )  # fmt: skip
