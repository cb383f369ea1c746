"""The check stage: perfect features get perfect marks, spoilt ones do not, and without truth it says so."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from detectors import detector

from vigil.core.storage import read_json, save_arrays
from vigil.features.flow import dense as flows
from vigil.features.frames import encode_jpeg, save_frames
from vigil.features.landmarks import pose_table
from vigil.features.landmarks.pose_table import Pose
from vigil.footage import video_table
from vigil.footage.video_table import Video
from vigil.stages.check import NOTHING_KNOWN, Params, main

SIZE, STORED = (640, 480), (160, 120)
FRAMES = (0, 2, 4, 6)
FLOW = flows.Settings(fps=30, size=32, method="dis", clip=32.0, stabilise=False)
BODY = np.array([[0, 20], [0, 40], [0, 55], [30, 20], [30, 40], [30, 55], [5, 60], [5, 90], [5, 120], [25, 60],
                 [25, 90], [25, 120], [15, 0]], float)  # fmt: skip
STEP = 20.0  # px of the video from one stored frame to the next: 1 px of the flow's square, 5 px a second


def joints(person: int, place: int) -> np.ndarray:
    return BODY + (200 + 150 * person + STEP * place, 100)


def box(person: int, place: int) -> list[float]:
    x = 200 + 150 * person + STEP * place
    return [x, 100, x + 30, 220]


def video(name: str, source: str, people: int, truth: bool = True) -> Video:
    """So many people walk to the right; what is found of them is exactly true."""
    blank = np.zeros((STORED[1], STORED[0], 3), np.uint8)
    stored = [(frame, Fraction(frame, 10), encode_jpeg(blank, 90)) for frame in FRAMES]
    save_frames(Path(f"frames/{name}.npz"), stored, SIZE)
    walkers = [(place, person) for place in range(len(FRAMES)) for person in range(people)]
    if truth:
        Path(f"truth/{name}.npz").parent.mkdir(parents=True, exist_ok=True)
        save_arrays(
            Path(f"truth/{name}.npz"),
            **{
                "frame": np.array([FRAMES[place] for place, _ in walkers], np.int32),
                "person": np.array([person for _, person in walkers], np.int32),
                "boxes": np.array([box(person, place) for place, person in walkers], np.float32).reshape(-1, 4),
                "joints": np.array(
                    [np.column_stack([joints(person, place), np.ones(13)]) for place, person in walkers], np.float32
                ).reshape(-1, 13, 3),
                "class": np.array(["person"] * len(walkers), "<U8"),
                "visible": np.ones(len(walkers), np.float32),
            },
        )
    write_landmarks(name, walkers)
    planes = np.zeros((len(FRAMES), 3, FLOW.size, FLOW.size), np.int8)
    planes[1:, 0] = round(127 * STEP * 5 * FLOW.size / SIZE[0] / FLOW.clip)
    Path(f"flow/{name}.npy").parent.mkdir(parents=True, exist_ok=True)
    np.save(f"flow/{name}.npy", planes)
    return Video(
        name, f"data/raw/{name}.mp4", source, "normal", (), "test", Fraction(10), 8, *SIZE, Fraction(30), "0" * 64
    )


def write_landmarks(name: str, walkers: Sequence[tuple[int, int]], shift: float = 0.0, swap: bool = False) -> None:
    rows = []
    for place, person in walkers:
        number = 1 - person if swap and place > 1 else person
        body = joints(person, place) + (shift, 0)
        rows.append(Pose(FRAMES[place], Fraction(FRAMES[place], 10), number, 0.9, 1.0, body, np.ones(13)))
    pose_table.write_poses(Path(f"landmarks/{name}.csv"), rows)


def check(*videos: Video) -> tuple[dict[str, Any], dict[str, Any]]:
    video_table.write(Path("test.csv"), videos)
    if not Path("person").exists():  # 640x480 in a square of 64: a tenth, 8 px below its top; the box of place 0
        detector(Path("person"), [[21.5, 8 + 16, 3, 12, 0.9]])
    main(
        landmarks=Path("landmarks"),
        planes=Path("flow"),
        truth=Path("truth"),
        frames=Path("frames"),
        person=Path("person"),
        test=Path("test.csv"),
        out=Path("metrics/landmarks.json"),
        motion=Path("metrics/flow.json"),
        params=Params(person_every=len(FRAMES), person_confidence=0.01),
        flow=FLOW,
    )
    return read_json(Path("metrics/landmarks.json")), read_json(Path("metrics/flow.json"))


def values(report: dict[str, Any]) -> dict[str, float | None]:
    return {name: entry["value"] for name, entry in report.items() if isinstance(entry, dict) and "value" in entry}


def test_what_is_true_gets_full_marks() -> None:
    report, motion = check(video("set/a", "one", 1), video("set/b", "two", 3))
    assert values(report) == {
        "recall": 1, "recall_one": 1, "recall_two": None, "recall_group": 1, "recall_crowd": None,
        "recall_hidden": None, "pck_torso": 1, "false_people_per_frame": 0, "id_switches_per_minute": 0,
    }  # fmt: skip
    assert report["recall"]["low"] == report["recall"]["high"] == 1
    assert report["n"] == {
        "frames": 8,
        "minutes": 1.0,
        "people": {"1": 4, "3": 12},
        "sources": 2,
        "videos": 2,
    }
    assert motion["people"]["end_point_error_median_px_per_s"] < FLOW.clip / 127
    assert motion["people"]["of_no_motion_px_per_s"] == pytest.approx(STEP * 5 * FLOW.size / SIZE[0])
    assert motion["texture"]["end_point_error_median_px"] > 0


def test_a_detector_is_judged_on_the_frames_that_are_asked_for() -> None:
    """The first frames alone: one person of one, and one of three."""
    report, _ = check(video("set/a", "one", 1), video("set/b", "two", 3))
    assert report["person"]["map50"]["n"] == 4
    assert report["person"]["map50"]["value"] == pytest.approx(51 / 101, abs=1e-4)  # 2 of 4 are found, both at once
    assert report["person"]["map50"]["pictures"] == 2


def test_a_detector_of_no_people_is_not_judged_by_them() -> None:
    detector(Path("person"), [[20, 30, 10, 10, 0.9]], ("helmet",), ())
    report, _ = check(video("set/a", "one", 1))
    assert report["person"]["map50"]["value"] is None
    assert report["person"]["map50"]["reason"] == "person finds helmet, none counts as a person"


def test_intervals_of_few_sources_reach_as_far_as_those_of_the_evaluation() -> None:
    """One video of five is lost: in 0.7 % of draws four times or more, which a plain percentile leaves out."""
    videos = [video(f"set/{name}", name, 1) for name in "abcde"]
    Path("landmarks/set/b.csv").unlink()
    recall = check(*videos)[0]["recall"]
    assert recall["value"] == 0.8 and recall["low"] <= 0.2 and recall["high"] == 1


def test_what_a_stage_has_lost_counts_as_nothing_found() -> None:
    videos = video("set/a", "one", 1), video("set/b", "two", 1)
    Path("landmarks/set/b.csv").unlink()
    Path("flow/set/b.npy").unlink()
    report, motion = check(*videos)
    assert report["recall_one"] == {"value": 0.5, "low": 0.0, "high": 1.0}
    assert report["by_source"]["two"]["recall_one"] == 0
    assert report["by_label"]["normal"]["recall_one"] == 0.5
    assert motion["people"]["n"] == 5 * 3  # five joints of the trunk in three steps of the first video


def test_misplaced_invented_and_mixed_up_people_cost_marks() -> None:
    videos = [video(f"set/{name}", name, 2) for name in "abc"]
    walkers = [(place, person) for place in range(len(FRAMES)) for person in range(2)]
    write_landmarks("set/a", walkers, shift=12)  # of a trunk of 40 px: found, and no joint right
    write_landmarks("set/b", [*walkers, (0, 2)])
    write_landmarks("set/c", walkers, swap=True)
    report, _ = check(*videos)
    assert report["recall"]["value"] == 1
    assert report["pck_torso"]["value"] == pytest.approx(2 / 3, abs=1e-4)
    assert report["false_people_per_frame"]["value"] == pytest.approx(1 / 12, abs=1e-4)
    assert report["id_switches_per_minute"]["value"] == pytest.approx(2 / 1.5, abs=1e-4)
    assert report["by_source"]["c"]["id_switches_per_minute"] == 4


def test_truth_without_flow_is_told_from_no_truth() -> None:
    report = video("set/a", "one", 1)
    Path("flow/set/a.npy").unlink()
    _, motion = check(report)
    assert "have flow" in motion["people"]["reason"]


def test_sets_without_truth_are_left_out() -> None:
    report, _ = check(video("set/a", "one", 1), video("mine/b", "two", 1, truth=False))
    assert report["n"]["videos"] == 1
    assert report["person"]["map50"]["pictures"] == 1


def test_without_any_truth_it_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    report, motion = check(video("mine/b", "two", 1, truth=False))
    assert report["reason"] == motion["people"]["reason"] == NOTHING_KNOWN
    assert report["recall_one"] is None
    assert report["person"]["map50"]["value"] is None
    assert motion["texture"]["round_trip_share_of_clip"] < 0.01
    assert NOTHING_KNOWN in capsys.readouterr().err


def test_the_same_bytes_twice() -> None:
    videos = video("set/a", "one", 1), video("set/b", "two", 2)
    Path("landmarks/set/b.csv").unlink()
    check(*videos)
    before = Path("metrics/landmarks.json").read_bytes(), Path("metrics/flow.json").read_bytes()
    check(*reversed(videos))
    assert (Path("metrics/landmarks.json").read_bytes(), Path("metrics/flow.json").read_bytes()) == before
