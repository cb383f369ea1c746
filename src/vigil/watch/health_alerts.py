"""What goes wrong with a camera, as alerts of their own: gone, frozen, black, covered, moved."""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta

from vigil.capture.frames import Ailment, Back, Event, Gone
from vigil.delivery.alert import Alert, DetectorScore, Moment, raise_alert, revise, utc_text
from vigil.watch.revision import code_revision

DETECTOR = "camera"
NO_MODEL = hashlib.sha256(b"vigil.capture").hexdigest()  # no weights decide that a camera is gone
Put = Callable[[Alert], object]


class HealthAlerts:
    """The alerts about one camera that are open; `put` takes every revision of them."""

    def __init__(self, camera: str, source: str, settings: str, put: Put) -> None:
        self._camera, self._source, self._settings, self._put = camera, source, settings, put
        self._open: dict[str, tuple[Event, Alert]] = {}  # by label, with what has begun it

    def take(self, event: Event) -> str | None:
        """Raises or ends the alert that an event is about; returns a line that says so, if it does."""
        if isinstance(event, Gone):
            return self._begin("camera gone", event, f": {event.reason}")
        if isinstance(event, Back):
            return self._end("camera gone", event, f" after {event.gone_s:.0f} s")
        if isinstance(event, Ailment):
            label = f"camera {type(event).__name__.lower()}"
            return self._end(label, event, "") if event.is_over else self._begin(label, event, "")
        return None

    def _begin(self, label: str, event: Event, words: str) -> str | None:
        if label in self._open:
            return None
        score = DetectorScore(
            detector=DETECTOR, score=1.0, p=None, threshold=1.0, threshold_by_hand=False, model_sha256=NO_MODEL,
            calibration_sha256=None,
        )  # fmt: skip
        alert = raise_alert(
            camera=self._camera, source=self._source, start=_begun(event), label=label, detectors=(score,),
            params_sha256=self._settings, code_revision=code_revision(),
        )  # fmt: skip
        self._open[label] = event, alert
        self._put(alert)
        return f"{self._camera}: {label}{words}"

    def _end(self, label: str, event: Event, words: str) -> str | None:
        if label not in self._open:
            return None
        _, alert = self._open.pop(label)
        self._put(revise(alert, stop=_moment(event.utc, float(event.time_s)), ended="released"))
        return f"{self._camera}: {label} no more{words}"

    def finish(self, now: datetime) -> None:
        """Ends what is open when nobody watches any more."""
        for event, alert in self._open.values():
            stop = _moment(now, float(event.time_s) + (now - event.utc).total_seconds())
            self._put(revise(alert, stop=stop, ended="interrupted"))
        self._open.clear()


def _begun(event: Event) -> Moment:
    """When what an event is about began: a picture that stands still has done so for a while when that is known."""
    lasted_s = float(event.time_s - event.since_s) if isinstance(event, Ailment) else 0.0
    return _moment(event.utc - timedelta(seconds=lasted_s), float(event.time_s) - lasted_s)


def _moment(utc: datetime, time_s: float) -> Moment:
    return Moment(utc=utc_text(utc.timestamp()), source_s=round(time_s, 6))
