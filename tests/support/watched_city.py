"""A program that serves the live page with drawn cameras and alerts, until it is ended.

    python watched_city.py '{"port": 8000, "outbox": "o.sqlite", "evidence": "films", "scenes": "city", "history": 12}'

`scenes` are `plain` pictures of one colour, or films of the drawn `city`. Every `alert_every_s` an alert is raised.
With a `token` it is asked for. It says "serves" when it does.
"""

import json
import math
import signal
import sys
import threading
import time
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from alert_feed import drawn_alert, ended_alert

from vigil.delivery.alert import Box, revise, utc_text
from vigil.delivery.courier import Couriers
from vigil.delivery.outbox import Outbox
from vigil.delivery.page.access import Access
from vigil.delivery.page.app import make_app
from vigil.delivery.page.cameras import CameraSnapshot, DetectorReading
from vigil.delivery.page.server import PageServer
from vigil.delivery.targets import make_targets

CITY = (  # camera, kind of place, scene, label of its alerts
    ("Shop entrance", "shop", "theft", "theft"),
    ("Platform 2", "platform", "panic", "panic"),
    ("Market street", "street", "assault", "assault"),
    ("Car park, north", "carpark", "walk", "fight"),
    ("Lobby", "lobby", "talk", "fight"),
    ("Plaza", "plaza", "crowd", "panic"),
)
FRAMES, FPS = 24, 12
SIZE = (640, 360)


def city_films() -> dict[str, list[np.ndarray]]:
    """Frames of each camera, from the midst of what happens."""
    from vigil_city.acts.catalogue import ABNORMAL
    from vigil_city.plan import Lens, Video
    from vigil_city.reel import shoot

    films = {}
    for name, kind, scene, label in CITY:
        lens = Lens(name, "test", kind, Fraction(FPS), SIZE)
        act = (Fraction(2), Fraction(6)) if scene in ABNORMAL else None
        film = shoot(Video(name, lens, label, scene, 8 * FPS, act), 7)
        films[name] = [film.frame(3 * FPS + k) for k in range(FRAMES)]
    return films


def plain_films() -> dict[str, list[np.ndarray]]:
    return {
        name: [np.full((90, 160, 3), (40 * number, 90, 8 * k), np.uint8) for k in range(FRAMES)]
        for number, (name, *_) in enumerate(CITY)
    }


def jpeg(frame: np.ndarray) -> bytes:
    return cv2.imencode(".jpg", frame[..., ::-1])[1].tobytes()


def write_evidence(folder: Path, name: str, frames: list[np.ndarray]) -> tuple[str, str]:
    folder.mkdir(parents=True, exist_ok=True)
    picture, clip = f"{name}.jpg", f"{name}.mp4"
    (folder / picture).write_bytes(jpeg(frames[FRAMES // 2]))
    with av.open(str(folder / clip), "w") as container:
        stream = container.add_stream("libx264", FPS)
        stream.height, stream.width, stream.pix_fmt = *frames[0].shape[:2], "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame)))
        container.mux(stream.encode(None))
    return picture, clip


class WatchedCity:
    """The cameras as they are at any moment: five live, one away."""

    def __init__(self, films: dict[str, list[np.ndarray]]) -> None:
        self.pictures = {name: [jpeg(frame) for frame in frames] for name, frames in films.items()}
        self.began = time.time()

    def snapshots(self) -> list[CameraSnapshot]:
        now = time.time()
        step = int((now - self.began) * FPS)
        snapshots = []
        for number, (name, *_) in enumerate(CITY):
            if number == 4:
                snapshots.append(
                    CameraSnapshot(
                        name, "lost", "no answer from 192.0.2.14, tried again in 8 s",
                        frame_utc=utc_text(self.began - 95), frame_index=1, jpeg=self.pictures[name][0],
                    )
                )  # fmt: skip
                continue
            at = step % (2 * FRAMES - 2)
            wave = 0.5 + 0.4 * math.sin(step / 17 + number)
            i3d = DetectorReading("i3d", 0.93 if number < 2 else 0.4 * wave, 0.97 if number < 2 else 0.1, 0.8, 0.85)
            panic = DetectorReading("panic", 0.004 * wave, None, 0.0051)
            snapshots.append(
                CameraSnapshot(
                    name, "live", None, 11.8 + number / 10, 0.21 + number / 30, utc_text(now - 0.2), step,
                    self.pictures[name][min(at, 2 * FRAMES - 2 - at)], (i3d, panic),
                )
            )  # fmt: skip
        return snapshots


def fill(outbox: Outbox, evidence: Path, films: dict[str, list[np.ndarray]], history: int) -> None:
    """Alerts of the last hours, each with picture and clip, and two that go on."""
    now = time.time()
    paths = [write_evidence(evidence, f"camera-{n}", films[name]) for n, (name, *_) in enumerate(CITY)]
    for number in range(history):
        n = number % len(CITY)
        alert = drawn_alert(number, CITY[n][0], CITY[n][3], start=now - 60 * 11 * (history - number))
        outbox.put(alert)
        outbox.put(revise(ended_alert(alert, 6.0 + 9 * n), picture=paths[n][0], clip=paths[n][1]))
    for n in (0, 1):
        alert = drawn_alert(history + n, CITY[n][0], CITY[n][3], start=now - 15 * (2 - n))
        outbox.put(revise(alert, picture=paths[n][0], region=Box(left=0.3, top=0.35, right=0.62, bottom=0.95)))


def main(orders: dict) -> None:
    over = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    films = city_films() if orders.get("scenes") == "city" else plain_films()
    city, evidence = WatchedCity(films), Path(orders["evidence"])
    targets = make_targets([Path(orders["file"])] if "file" in orders else [], orders.get("webhooks", []))
    with Outbox(Path(orders["outbox"]), [target.name for target in targets]) as outbox:
        fill(outbox, evidence, films, orders.get("history", 0))
        access = Access("127.0.0.1", orders.get("token"))
        app = make_app(outbox, city.snapshots, evidence, access, lambda: orders.get("problems", []))
        with Couriers(outbox, targets), PageServer(app, "127.0.0.1", orders["port"]):
            print("serves", flush=True)
            number = 1000
            while not over.wait(orders.get("alert_every_s", 3600.0)):
                alert = drawn_alert(number, CITY[number % 4][0], "fight", start=time.time())
                outbox.put(alert)
                outbox.put(revise(ended_alert(alert), picture="camera-2.jpg"))
                number += 1


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
