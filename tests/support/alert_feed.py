"""Alerts for tests, and a program that puts them into an outbox until it is killed.

    python alert_feed.py '{"outbox": "o.sqlite", "alerts": 200, "cameras": 3, "every_s": 0.01, "file": "alerts.jsonl",
                           "webhook": "http://127.0.0.1:8080/", "mqtt": "mqtt://127.0.0.1:1883"}'

Every run goes through the same alerts from the first on, as a film that is judged again; each has two revisions.
"""

import json
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from vigil.delivery.alert import Alert, Box, DetectorScore, Moment, raise_alert, revise, utc_text
from vigil.delivery.courier import Couriers
from vigil.delivery.outbox import Outbox
from vigil.delivery.target import Backoff
from vigil.delivery.targets import make_targets

SECRET = "whsec_" + "c2VjcmV0IG9mIHRoZSB0ZXN0cw=="
QUICK = Backoff(first_s=0.02, longest_s=0.2)
DAY = 1_793_124_000.0  # some day in 2026
HASH = "0123456789abcdef" * 4


def drawn_alert(number: int, camera: str = "gate", label: str = "fight", start: float | None = None) -> Alert:
    """The alert of this number, open. The same number is the same alert."""
    begins = DAY + 60 * number if start is None else start
    return raise_alert(
        camera=camera,
        source=f"rtsp://192.0.2.1/{camera}",
        start=Moment(utc=utc_text(begins), source_s=60.0 * number),
        label=label,
        detectors=(
            DetectorScore(
                detector="i3d", score=0.93, p=0.97, threshold=0.8, threshold_by_hand=False, model_sha256=HASH,
                calibration_sha256=HASH,
            ),
        ),
        region=Box(left=0.2, top=0.3, right=0.5, bottom=0.9),
        params_sha256=HASH,
        code_revision="1f0c9d2",
    )  # fmt: skip


def ended_alert(alert: Alert, lasts_s: float = 12.5) -> Alert:
    assert alert.start.utc is not None
    begins = time_of(alert.start.utc)
    stop = Moment(utc=utc_text(begins + lasts_s), source_s=alert.start.source_s + lasts_s)
    return revise(alert, stop=stop, ended="released")


def time_of(utc: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(utc).timestamp()


def revisions(alerts: int, cameras: int) -> Iterator[Alert]:
    """Two revisions of each alert, in the order of writing; those of other cameras come in between."""
    for number in range(alerts):
        alert = drawn_alert(number, f"camera {number % cameras}")
        yield alert
        if number >= cameras:
            yield ended_alert(drawn_alert(number - cameras, alert.camera))
    for number in range(max(alerts - cameras, 0), alerts):
        yield ended_alert(drawn_alert(number, f"camera {number % cameras}"))


def keys(alerts: Iterator[Alert]) -> list[str]:
    return [f"{alert.id}.{alert.revision}" for alert in alerts]


def feed(orders: dict) -> int:
    """Put all alerts, and wait until they are delivered; returns how many wait at the end."""
    over = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    targets = make_targets(
        [Path(orders["file"])] if "file" in orders else [],
        [orders["webhook"]] if "webhook" in orders else [],
        [orders["mqtt"]] if "mqtt" in orders else [],
    )
    with Outbox(Path(orders["outbox"]), [target.name for target in targets]) as outbox:
        with Couriers(outbox, targets, QUICK) as couriers:
            for alert in revisions(orders["alerts"], orders["cameras"]):
                outbox.put(alert)
                if over.wait(orders.get("every_s", 0.0)):
                    return 0
            print("all put", flush=True)
            until = time.monotonic() + orders.get("drain_s", 60.0)
            while (waiting := couriers.drain(0.1)) and time.monotonic() < until and not over.is_set():
                pass
            return waiting


if __name__ == "__main__":
    sys.exit(feed(json.loads(sys.argv[1])))
