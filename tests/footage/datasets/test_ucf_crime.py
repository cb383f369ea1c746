"""UCF-Crime in the layouts that it travels in."""

from collections import Counter
from pathlib import Path

import pytest

from vigil.core.errors import VigilError
from vigil.engine.per_video import Runtime
from vigil.footage.datasets import ucf_crime
from vigil.footage.listing.records import Listing, Row

SERIAL = Runtime(executor="serial", workers=1, timeout_s=60, address=None)
ROOT = Path("ucf")
REPACKED = [
    "Train/Abuse/Abuse001_x264.mp4",
    "Test/Abuse/Abuse028_x264.mp4",
    "Validation/Road Accidents/RoadAccidents001_x264.mp4",
    "Train/Normal/Normal_Videos001_x264.mp4",
    "Test/Normal_Videos/Normal_Videos_003_x264.mp4",
]


def bring(paths: list[str]) -> Listing:
    for path in paths:
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / path).write_text(path)
    params = ucf_crime.Params(path=str(ROOT))
    return ucf_crime.videos("ucf", params, ucf_crime.sources("ucf", params), Path("raw"), Path("truth"), SERIAL)


def rows(listing: Listing) -> dict[str, Row]:
    assert listing.rejects == []
    return {row.origin.removeprefix("ucf/"): row for row in listing.rows}


def test_folders_tell_split_and_class() -> None:
    row_of = rows(bring(REPACKED))
    assert [(row_of[path].split, row_of[path].label) for path in REPACKED] == [
        ("train", "Abuse"),
        ("test", "Abuse"),
        ("val", "RoadAccidents"),
        ("train", "normal"),
        ("test", "normal"),
    ]


@pytest.mark.parametrize("crime", ucf_crime.CRIMES)
def test_each_of_the_13_crimes_has_its_own_name(crime: str) -> None:
    assert ucf_crime.label_and_split(f"Train/{crime}/{crime}001_x264.mp4") == (crime, "train")
    assert ucf_crime.label_and_split(f"Anomaly-Videos-Part-1/{crime.upper()}/x.mp4") == (crime, "")
    assert ucf_crime.label_and_split(f"all/{crime}001_x264.mp4") == (crime, "")


@pytest.mark.parametrize(
    ("path", "split"),
    [
        ("Training-Normal-Videos-Part-1/Normal_Videos001_x264.mp4", "train"),
        ("Training_Normal_Videos_Anomaly/Normal_Videos001_x264.mp4", "train"),
        ("Testing_Normal_Videos_Anomaly/Normal_Videos_003_x264.mp4", "test"),
        ("Testing_Normal_Videos/x.mp4", "test"),
        ("Normal_Videos_event/Normal_Videos_003_x264.mp4", ""),
        ("NormalVideos/x.mp4", ""),
        ("Validation/Training_Normal_Videos_Anomaly/x.mp4", "val"),  # a split of one's own wins over the official one
        ("Normal_Videos_003_x264.mp4", ""),
    ],
)
def test_normal_has_many_names(path: str, split: str) -> None:
    assert ucf_crime.label_and_split(path) == ("normal", split)


def test_another_folder_is_rejected_with_the_near_miss() -> None:
    listing = bring(["Train/Vandalsim/x.mp4", "Train/Abuse/y.mp4"])
    assert [reject.path for reject in listing.rejects] == ["ucf/Train/Vandalsim/x.mp4"]
    assert listing.rejects[0].reason.endswith("Did you mean 'Vandalism'?")


def test_the_annotation_gives_spans_and_the_official_split() -> None:
    ROOT.mkdir()
    (ROOT / "lists").mkdir()
    (ROOT / "lists/Temporal_Anomaly_Annotation_for_Testing_Videos.txt").write_text(
        "Abuse028_x264.mp4  Abuse  165  240  -1  -1  \n"
        "Robbery048_x264.mp4  Robbery  270  510  700  720\n\n"
        "Normal_Videos_003_x264.mp4  Normal  -1  -1  -1  -1  \n"
    )
    crimes = ["Abuse/Abuse028_x264.mp4", "Abuse/Abuse001_x264.mp4", "Robbery/Robbery048_x264.mp4"]
    row_of = rows(
        bring([*crimes, "Normal_Videos_event/Normal_Videos_003_x264.mp4", "Train/Robbery/Robbery049_x264.mp4"])
    )
    assert [(row.split, row.frame_spans) for row in row_of.values()] == [
        ("train", ()),
        ("test", ((165, 240),)),
        ("test", ()),
        ("test", ((270, 510), (700, 720))),
        ("train", ()),
    ]


def test_the_official_lists_give_the_split() -> None:
    ROOT.mkdir()
    (ROOT / "Anomaly_Train.txt").write_text("Abuse/Abuse001_x264.mp4 \n")
    (ROOT / "Anomaly_Test.txt").write_text("Abuse/Abuse028_x264.mp4 \n")
    row_of = rows(bring(["Abuse/Abuse001_x264.mp4", "Abuse/Abuse028_x264.mp4", "Abuse/Abuse003_x264.mp4"]))
    assert [row_of[path].split for path in sorted(row_of)] == ["train", "", "test"]


@pytest.mark.parametrize(
    "line", ["Abuse028_x264.mp4 Abuse 240 165 -1 -1", "Abuse028_x264.mp4 Abuse x y", "Abuse028 Abuse 1"]
)
def test_a_broken_annotation_is_a_mistake(line: str) -> None:
    ROOT.mkdir()
    (ROOT / "Temporal_Anomaly_Annotation.txt").write_text(f"Abuse030_x264.mp4  Abuse  1275  1360  -1  -1\n{line}\n")
    with pytest.raises(VigilError, match=r"^ucf/Temporal_Anomaly_Annotation.txt: line 2: found 'Abuse028"):
        bring(["Abuse/Abuse028_x264.mp4"])


def test_the_real_annotation(real_data: Path) -> None:
    """290 test videos: 140 with one or two spans, 150 normal; every span lies within the frames of its video."""
    spans = ucf_crime.read_annotation("ucf", real_data / "ucf-crime", "Temporal_Anomaly_Annotation.txt")
    assert Counter(map(len, spans.values())) == {0: 150, 1: 124, 2: 16}
    counts = [line.split() for line in (real_data / "ucf-crime/frame-counts.txt").read_text().splitlines()]
    frames = {Path(path).stem: int(count) for path, count, *_ in counts}
    assert all(start < frames[video] for video, video_spans in spans.items() for start, _ in video_spans)
    labels = Counter(ucf_crime.label_and_split(path)[0] for path, *_ in counts)
    assert labels["normal"] == 150
    assert set(labels) == {"normal", *ucf_crime.CRIMES}
