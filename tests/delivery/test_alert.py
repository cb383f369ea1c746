"""The record of an alert: what its id follows from, what it refuses, and that JSON gives it back."""

import json
import re
from uuid import UUID

import pytest
from alert_feed import HASH, drawn_alert, ended_alert
from hypothesis import given
from hypothesis import strategies as st

from vigil.core.errors import VigilError
from vigil.delivery.alert import Box, Moment, alert_json, raise_alert, read_alert, revise, utc_text


def test_an_alert_comes_back_from_json_as_it_was() -> None:
    for region in (None, Box(left=0.0, top=0.0, right=1.0, bottom=0.5)):
        alert = revise(ended_alert(drawn_alert(3)), region=region, clip="gate/3.mp4")
        line = alert_json(alert)
        assert read_alert(line, "here") == alert
        assert "\n" not in line


def test_the_json_says_all_that_an_integrator_needs() -> None:
    record = json.loads(alert_json(ended_alert(drawn_alert(3))))
    assert (record["id"], record["revision"], record["format"]) == (drawn_alert(3).id, 2, 1)
    assert record["start"] == {"utc": "2026-10-27T18:03:00.000Z", "source_s": 180.0}
    assert record["stop"] == {"utc": "2026-10-27T18:03:12.500Z", "source_s": 192.5}
    assert record["detectors"][0]["threshold_by_hand"] is False
    assert record["detectors"][0]["model_sha256"] == record["detectors"][0]["calibration_sha256"] == HASH
    assert record["params_sha256"] == HASH
    assert record["code_revision"] == "1f0c9d2"


def test_the_same_alert_has_the_same_id_in_another_process_and_another_alert_has_another() -> None:
    alert = drawn_alert(3)
    assert int(alert.id.replace("-", "")[:12], 16) == 1_793_124_180_000, "2026-10-27T18:03 in milliseconds"
    assert drawn_alert(3).id == alert.id
    fields = {name: getattr(alert, name) for name in ("camera", "source", "start", "label", "detectors", "person")}
    rest = {"params_sha256": HASH, "code_revision": "1f0c9d2"}
    retrained = alert.detectors[0].model_copy(update={"model_sha256": HASH[::-1]})
    rescored = alert.detectors[0].model_copy(update={"score": 0.99})
    others = [
        fields | {"camera": "yard"},
        fields | {"label": "panic"},
        fields | {"person": 1},
        fields | {"detectors": (retrained,)},
        fields | {"start": Moment(utc=alert.start.utc, source_s=180.1)},
    ]
    ids = {raise_alert(**other, **rest).id for other in others}
    assert len(ids | {alert.id}) == 6
    assert raise_alert(**fields | {"detectors": (rescored,)}, **rest).id == alert.id


@given(st.lists(st.integers(0, 2_000_000_000), min_size=2, max_size=20, unique=True))
def test_ids_sort_as_their_alerts_start(starts: list[int]) -> None:
    alerts = [drawn_alert(0, start=float(start)) for start in sorted(starts)]
    ids = [alert.id for alert in alerts]
    assert ids == sorted(ids)
    assert all(UUID(id_).version == 8 and UUID(id_).variant == "specified in RFC 4122" for id_ in ids)


def test_a_film_without_a_date_has_ids_by_its_own_seconds() -> None:
    def started(second: float) -> str:
        alert = drawn_alert(0)
        return raise_alert(
            camera="film", source="a.mp4", start=Moment(utc=None, source_s=second), label="fight",
            detectors=alert.detectors, params_sha256=HASH, code_revision="1f0c9d2",
        ).id  # fmt: skip

    assert started(1.0) < started(2.5) < started(60.0)


def test_the_credentials_of_a_camera_are_in_no_alert() -> None:
    alert = drawn_alert(0)
    fields = {name: getattr(alert, name) for name in ("camera", "start", "label", "detectors")}
    shown = raise_alert(
        **fields, source="rtsp://admin:hunter2@192.0.2.1:554/ch1?password=hunter2&profile=2", params_sha256=HASH,
        code_revision="1f0c9d2",
    )  # fmt: skip
    assert shown.source == "rtsp://192.0.2.1:554/ch1?password=***&profile=2"
    assert "hunter2" not in alert_json(shown)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"clip": "../../etc/passwd"}, "clip = '../../etc/passwd': expected a path inside the evidence folder"),
        ({"picture": "/etc/passwd"}, "picture = '/etc/passwd': expected a path inside the evidence folder"),
        ({"ended": "released"}, "`stop` and `ended` are said together"),
        ({"peak": {"utc": "2026-10-27T18:03:00+02:00", "source_s": 1.0}}, "expected UTC, as in 2026-10-27T18:04"),
        ({"clipp": "a.mp4"}, "unknown key 'clipp'.*Did you mean 'clip'?"),
        ({"region": Box(left=0, top=0, right=1, bottom=1).model_dump() | {"right": 640.0}}, "region.right = 640.0"),
    ],
)
def test_a_wrong_field_is_one_line(changes: dict, said: str) -> None:
    with pytest.raises(VigilError, match=r"^alert: ") as raised:
        revise(drawn_alert(0), **changes)
    assert re.search(said, str(raised.value)), raised.value
    assert "\n" not in str(raised.value)


def test_a_later_revision_cannot_become_another_alert() -> None:
    with pytest.raises(ValueError, match="camera: the same in every revision"):
        revise(drawn_alert(0), camera="yard")


def test_times_are_utc_to_the_millisecond() -> None:
    assert utc_text(0.25) == "1970-01-01T00:00:00.250Z"
