"""The dataset card on paper: what it counts, and what it warns of."""

from dataclasses import replace
from fractions import Fraction

import pytest
from scenes import entry

from vigil.footage.splits.card import collect_warnings, summarise_contents
from vigil.footage.video_table import DRAWN, SPLITS, Video


def hour(name: str, split: str, label: str = "normal", **changes: object) -> Video:
    return entry(name, split=split, label=label, **({"duration_s": Fraction(3600)} | changes))


def even(label: str = "normal", sources: int = 30, set_: str = "s") -> list[Video]:
    """Sources enough everywhere: three in five train, one val, one test; 20 videos each."""
    places = ("train", "train", "train", "val", "test")
    return [
        hour(f"{set_}/{label}{source}-{number}", places[source % 5], label, source=f"{label}{source}")
        for source in range(sources)
        for number in range(20)
    ]


def test_hours_are_counted_per_split_and_class() -> None:
    spans = ((Fraction(0), Fraction(900)), (Fraction(1800), Fraction(2700)))
    videos = [
        hour("s/a", "train"),
        hour("s/b", "train", "theft", spans=spans, source="of-s/a"),
        hour("s/c", "train", "theft", fps=Fraction(30000, 1001), width=360, height=640),
        hour("t/d", "test", "theft"),
    ]
    card = summarise_contents(videos)
    train = card["splits"]["train"]
    assert (train["videos"], train["sources"], train["hours"]) == (3, 2, 3.0)
    assert (train["abnormal_hours"], train["abnormal_without_times"]) == (0.5, 1)
    assert train["fps"] == {"least": 25.0, "most": 29.97}
    assert train["shorter_side"] == {"least": 360.0, "most": 360.0}
    assert card["classes"]["theft"]["test"]["videos"] == 1
    assert card["classes"]["normal"]["test"] == card["splits"]["val"] == {"videos": 0}
    assert card["sets"] == {"s": {"train": 3, "val": 0, "test": 0}, "t": {"train": 0, "val": 0, "test": 1}}


def test_landmarks_have_a_duration_and_no_size() -> None:
    card = summarise_contents([hour("s/a", split, path="data/raw/s/a.csv") for split in SPLITS])
    assert "duration_s" in card["splits"]["train"]
    assert "fps" not in card["splits"]["train"]


def test_a_good_set_gives_no_warning() -> None:
    assert collect_warnings([*even(), *even("theft")], 0.2, 0.2) == []


@pytest.mark.parametrize(
    ("more", "line"),
    [
        ([hour("s/x", "train", "fight")], "set s: no 'fight' in val and test (1 source)"),
        (
            [hour("t/x", "train"), hour("t/y", "test")],
            "set t has no video in val: its 2 sources cannot make three splits",
        ),
        (
            [hour(f"s/x{n}", "test", source="x") for n in range(900)],
            "set s: test has 54% of the videos, 20% were asked for",
        ),
    ],
)
def test_what_makes_a_set_worth_less_is_said(more: list[Video], line: str) -> None:
    (warning,) = collect_warnings([*even(), *even("theft"), *more], 0.2, 0.2)
    assert warning.startswith(line)


def test_few_videos_and_few_sources_are_said() -> None:
    lines = collect_warnings(even(sources=5), 0.2, 0.2)
    assert [line.split(":")[0] for line in lines] == [
        "100 videos in all",
        "all videos are labelled 'normal'",
        "val has 1 source",
        "test has 1 source",
    ]


def test_drawn_and_filmed_sets_in_one_run_are_told() -> None:
    filmed = even(set_="street")
    drawn = [replace(video, grouped_by=DRAWN) for video in even(set_="city")]
    mixed = [line for line in collect_warnings([*filmed, *drawn], 0.2, 0.2) if "models.<name>.datasets" in line]
    assert len(mixed) == 1 and mixed[0].startswith("city is drawn and street is not")
    for alone in (filmed, drawn):
        assert not any("is drawn" in line for line in collect_warnings(alone, 0.2, 0.2))
