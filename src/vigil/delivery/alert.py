"""An alert as it is written, sent and shown: a record in JSON, of which a later revision replaces an earlier one.

    alert = raise_alert(camera="gate", source="rtsp://cam/1", start=..., ...)     revision 1, open
    alert = revise(alert, stop=..., ended="released", clip="gate/0190.mp4")       revision 2, over

The id follows from what raised the alert: camera, source, start, label, person, and the detectors with what made them.
So a film that is judged again after a crash raises the same alerts and not others. A receiver keeps the highest
revision of every id, and may forget whatever it has seen of it.

Times are UTC. A source without a clock, such as a film whose date nobody knows, has only its own seconds. Regions are
shares of the picture, so that they fit a picture of any size.
"""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, Field, ValidationError, model_validator

from vigil.core.errors import VigilError
from vigil.core.params import Frozen
from vigil.delivery.addresses import hide_credentials

NAME_BYTES = 200  # at most, of a camera's name
IDENTITY = frozenset({"format", "id", "camera", "source", "start", "label", "person"})  # the same in every revision
Share = Annotated[float, Field(ge=0, le=1)]  # of the picture's width or height
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Ended = Literal["released", "source ended", "interrupted"]


def _check_camera(name: str) -> str:
    if not name.strip() or not name.isprintable() or len(name.encode()) > NAME_BYTES:
        raise ValueError(f"a camera's name is a line of 1 to {NAME_BYTES} bytes")
    return name


def _check_evidence(path: str) -> str:
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or not path.isprintable():
        raise ValueError("expected a path inside the evidence folder")
    return path


def _check_utc(text: str) -> str:
    if not text.endswith("Z") or datetime.fromisoformat(text).tzinfo != UTC:
        raise ValueError("expected UTC, as in 2026-10-27T18:04:09.250Z")
    return text


Camera = Annotated[str, AfterValidator(_check_camera)]
EvidencePath = Annotated[str, AfterValidator(_check_evidence)]


class Moment(Frozen):
    """A point in time, by the clock of the world where it is known, and by that of the source."""

    utc: Annotated[str, AfterValidator(_check_utc)] | None
    source_s: float  # s since the source's first frame


class Box(Frozen):
    """An upright rectangle."""

    kind: Literal["box"] = "box"
    left: Share
    top: Share
    right: Share
    bottom: Share


class DetectorScore(Frozen):
    """What one detector said at the alert's peak, and what made this detector."""

    detector: str
    score: float  # raw
    p: Share | None  # calibrated; None where the detector has no probabilities
    threshold: float  # raw score from which it raises an alert
    threshold_by_hand: bool  # set by a person, so no promise of false alarms holds
    budget_per_hour: float | None = None  # false alarms that the threshold was set for, where a person named them
    model_sha256: Sha256
    calibration_sha256: Sha256 | None  # None without a calibration


class Alert(Frozen):
    """See the module. `stop` and `ended` are None while the alert goes on."""

    format: Literal[1] = 1  # of this record; fields may be added within a format
    id: Annotated[str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
    revision: Annotated[int, Field(ge=1)]
    camera: Camera
    source: Annotated[str, AfterValidator(hide_credentials)]
    start: Moment
    peak: Moment
    stop: Moment | None = None
    ended: Ended | None = None
    label: str
    detectors: Annotated[tuple[DetectorScore, ...], Field(min_length=1)]
    person: int | None = None  # number of the tracked person
    region: Box | None = None
    picture: EvidencePath | None = None
    clip: EvidencePath | None = None
    params_sha256: Sha256
    code_revision: str

    @model_validator(mode="after")
    def _ends_whole(self) -> Self:
        if (self.stop is None) != (self.ended is None):
            raise ValueError("`stop` and `ended` are said together, when the alert is over")
        return self


def raise_alert(
    *,
    camera: str,
    source: str,
    start: Moment,
    label: str,
    detectors: tuple[DetectorScore, ...],
    params_sha256: str,
    code_revision: str,
    person: int | None = None,
    region: Box | None = None,
    picture: str | None = None,
) -> Alert:
    """Returns the first revision of an alert, which is open and has its peak where it starts."""
    return _checked(
        {
            "id": alert_id(camera, source, start, label, detectors, person),
            "revision": 1,
            "camera": camera,
            "source": source,
            "start": start,
            "peak": start,
            "label": label,
            "detectors": detectors,
            "person": person,
            "region": region,
            "picture": picture,
            "params_sha256": params_sha256,
            "code_revision": code_revision,
        }
    )


def revise(alert: Alert, **changes: Any) -> Alert:
    """Returns the next revision of an alert, with these fields changed; what the id follows from cannot be."""
    if fixed := sorted(changes.keys() & (IDENTITY | {"revision"})):
        raise ValueError(f"{fixed[0]}: the same in every revision of an alert")
    fields = {name: getattr(alert, name) for name in Alert.model_fields}
    return _checked(fields | {"revision": alert.revision + 1} | changes)


def alert_id(
    camera: str, source: str, start: Moment, label: str, detectors: tuple[DetectorScore, ...], person: int | None
) -> str:
    """Returns a UUID (version 8) whose first 48 bits are the start in milliseconds, so that ids sort by time."""
    makers = [(d.detector, d.model_sha256, d.calibration_sha256, d.threshold) for d in detectors]
    facts = [camera, hide_credentials(source), start.utc, start.source_s, label, person, makers]
    digest = int.from_bytes(hashlib.sha256(json.dumps(facts).encode()).digest()[:10])
    seconds = start.source_s if start.utc is None else datetime.fromisoformat(start.utc).timestamp()
    number = (max(round(seconds * 1000), 0) & (1 << 48) - 1) << 80 | digest
    number = number & ~(0xF << 76) | 8 << 76  # the version
    return str(UUID(int=number & ~(0b11 << 62) | 0b10 << 62))  # the variant


def utc_text(timestamp: float) -> str:
    """Returns seconds since 1970 as 2026-10-27T18:04:09.250Z."""
    return datetime.fromtimestamp(timestamp, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def alert_json(alert: Alert) -> str:
    """Returns the alert as one line of JSON, without a line's end."""
    return alert.model_dump_json()


def read_alert(text: str | bytes, where: str) -> Alert:
    """Returns the alert that `alert_json` wrote; `where` names it in the error."""
    try:
        return Alert.model_validate_json(text)
    except ValidationError as error:
        problem = error.errors()[0]
        field = ".".join(str(step) for step in problem["loc"])
        what = f"{field}: {problem['msg']}" if field else problem["msg"]
        raise VigilError(
            f"{where}: not an alert of vigil: {what}. Expected a line of --alerts, or a .json in the evidence folder."
        ) from None


def _checked(fields: dict[str, Any]) -> Alert:
    return Alert.read(fields, "alert")
