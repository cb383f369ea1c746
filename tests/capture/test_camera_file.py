"""Files of cameras: what each key means, and that what is wrong is a line with its place."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from videos import film

from vigil.capture.camera_file import load_cameras
from vigil.capture.hours import read_hours
from vigil.capture.sources import expand_sources
from vigil.core.errors import VigilError

WHOLE = """\
door:
  source: rtsp://10.0.0.5/stream1
  models: [panic, pose_cnn]
  zones:
    - [[0, 0.5], [1, 0.5], [1, 1], [0, 1]]
  hours: ["22:00-06:00", "sun 00:00-24:00"]
  time_zone: Europe/Berlin
  calibration: {panic: door.calibration.json}
yard: {source: gate.mp4}
"""


def write(text: str) -> Path:
    path = Path("site/cams.yaml")
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def test_a_webcam_may_be_a_number() -> None:
    cameras = load_cameras(write("desk: {source: 0}"))
    (desk,) = expand_sources(cameras, cameras)
    assert (desk.kind, cameras["desk"].source) == ("webcam", "0")


def test_every_key_is_read_and_paths_are_relative_to_the_file() -> None:
    film(Path("site/gate.mp4"), frames=2)
    cameras = load_cameras(write(WHOLE))
    door, yard = expand_sources(cameras, cameras)
    assert (door.kind, door.is_live, yard.kind, yard.name) == ("rtsp", True, "file", "yard")
    entry = cameras["door"]
    assert entry.models == ("panic", "pose_cnn")
    assert entry.zones == (((0, 0.5), (1, 0.5), (1, 1), (0, 1)),)
    assert entry.calibration == {"panic": "site/door.calibration.json"}
    assert Path(yard.location) == Path("site/gate.mp4")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[[0, 0.5], [1, 0.5], [1, 1], [0, 1]]", "[[0, 0], [1, 1]]",
         r"^cams\.yaml line 4 \[door\]: zones: polygon 1 has 2 points; expected at least 3, each \[x, y\]\.$"),
        ("[0, 1]]", "[0, 1.5]]", r"line 4 \[door\]: zones: polygon 1 leaves the picture"),
        ("[1, 0.5], [1, 1], [0, 1]]", "[0.5, 0.5], [1, 0.5]]", "polygon 1 encloses nothing"),
        ("[0, 1]]", "[0, up]]", r"line 5 \[door\]: zones\.0\.3\.1 = up: input should be a valid number"),
        ("[0, 1]]", "[0]]", r"line 5 \[door\]: zones\.0\.3\.1: too few values"),
        ("- [[0, 0.5], [1, 0.5], [1, 1], [0, 1]]", "[[0, 0], [1, 0.5], [1, 1]]",
         "zones: a polygon where a list of polygons is expected: put it into one more pair of brackets"),
        ("yard:", "../../yard:", r"^cams\.yaml line 9: a camera named '\.\./\.\./yard': .*leave out / and"),
        ("yard:", "/yard:", "a camera named '/yard'"),
        ("yard:", '"..":', "give it a letter or a digit"),
        ("zones:", "zonse:", r"line 4 \[door\]: unknown key 'zonse'.*Did you mean 'zones'\?"),
        ("22:00-06:00", "22:00-6", r"line 6 \[door\]: hours: '22:00-6': expected such as 22:00-06:00"),
        ("22:00-06:00", "22:00-25:00", "25:00 is no time of day"),
        ("22:00-06:00", "22:00-22:00", "begins where it ends"),
        ("sun 00", "son 00", "no day 'son'. Known: mon, tue"),
        ("Europe/Berlin", "Europe/Bärlin", r"line 7 \[door\]: time_zone = Europe/Bärlin: no time zone"),
        ('  hours: ["22:00-06:00", "sun 00:00-24:00"]\n', "", r"line 1 \[door\]: 'time_zone' without 'hours'"),
        ("yard:", "door:", "^cams.yaml line 9: a second camera 'door'; the first is in line 1.$"),
        ("  models:", "  source: x\n  models:", r"line 3 \[door\]: a second 'source'"),
        ("models: [panic, pose_cnn]", "models: panic", r"line 3 \[door\]: models = panic"),
        ("models: [panic, pose_cnn]", "models: []", r"line 3 \[door\]: models"),
        ("calibration: {", "calibration: ", "not valid YAML"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_line_with_its_place(old: str, new: str, message: str) -> None:
    assert old in WHOLE
    with pytest.raises(VigilError, match=message) as caught:
        load_cameras(write(WHOLE.replace(old, new, 1)))
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_said() -> None:
    with pytest.raises(VigilError, match=r"gone\.yaml: cannot be read: No such file"):
        load_cameras(Path("gone.yaml"))


@pytest.mark.parametrize(
    ("moment", "is_watched"),
    [
        ("2026-11-27T21:30", True),  # a Friday in Berlin, 22:30
        ("2026-11-27T20:59", False),
        ("2026-11-28T04:59", True),  # the Saturday after, 5:59, of the span that began on Friday
        ("2026-11-28T05:00", False),
        ("2026-11-28T22:30", False),  # Saturday night is none of its days
        ("2026-06-26T20:30", True),  # in summer 22:30 is an hour earlier in UTC
        ("2026-06-26T19:59", False),
    ],
)
def test_a_span_past_midnight_belongs_to_the_day_on_which_it_begins(moment: str, is_watched: bool) -> None:
    hours = read_hours(["mon-fri 22:00-06:00"], "Europe/Berlin")
    assert hours.include(datetime.fromisoformat(moment).replace(tzinfo=UTC)) == is_watched


def test_days_go_round_the_week() -> None:
    (span,) = read_hours(["sat-mon, wed 08:00-24:00"]).spans
    assert span.days == {5, 6, 0, 2} and (span.start, span.stop) == (480, 1440)
