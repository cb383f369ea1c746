"""A miniature of every kind of dataset, in its real folder layout: `make[kind](folder)` is its section in params.yaml.

`labels[kind]` is what comes out of it, by video id without the set.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import videos

SIDES = ("SHOULDER", "ELBOW", "WRIST", "HIP", "KNEE", "ANKLE")
JOINTS = [*(f"{joint}_{side}" for side in ("LEFT", "RIGHT") for joint in SIDES), "HEAD"]


def clip(path: Path, number: int = 0) -> Path:
    """A sound video unlike those of other numbers."""
    return videos.film(path, frames=4 + number, size=(32, 32))


def folder(root: Path) -> dict[str, Any]:
    for number, path in enumerate(
        ["train/normal/a.mp4", "train/anomaly/b.avi", "val/abnormal/cam 1/c.mp4", "test/Fight/d.mkv", "normal/e.mp4"]
    ):
        clip(root / path, number)
    (root / "README.txt").write_text("not a video")
    (root / "train/normal/thumb.jpg").write_bytes(b"not a video either")
    (root / "test/Fight/d.json").write_text('{"video_path": "d.mkv", "label": "fight", "frame_annotations": [[2, 4]]}')
    (root / "labels.csv").write_text("video,label,start_s,stop_s,source\ntrain/anomaly/b.avi,panic,0.1,0.3,gate\n")
    return {"kind": "folder", "path": str(root)}


def ucf_crime(root: Path) -> dict[str, Any]:
    for number, path in enumerate(
        [
            "Anomaly-Videos-Part-1/Abuse/Abuse001_x264.mp4",
            "Anomaly-Videos-Part-1/Abuse/Abuse028_x264.mp4",
            "Anomaly-Videos-Part-4/RoadAccidents/RoadAccidents001_x264.mp4",
            "Training-Normal-Videos-Part-1/Normal_Videos001_x264.mp4",
            "Testing_Normal_Videos_Anomaly/Normal_Videos_003_x264.mp4",
        ]
    ):
        clip(root / path, number)
    (root / "Temporal_Anomaly_Annotation.txt").write_text(
        "Abuse028_x264.mp4  Abuse  1  3  -1  -1  \nNormal_Videos_003_x264.mp4  Normal  -1  -1  -1  -1  \n"
    )
    return {"kind": "ucf_crime", "path": str(root)}


def fights(root: Path) -> dict[str, Any]:
    for number, path in enumerate(["fight/fi001.mp4", "fight/fi002.mp4", "noFight/nofi001.mp4"]):
        clip(root / path, number)
    (root / "clips.csv").write_text(
        "path,label,source\nfight/fi001.mp4,fight,yt-a\nfight/fi002.mp4,fight,yt-b\nnoFight/nofi001.mp4,normal,yt-a\n"
    )
    return {"kind": "fights", "path": str(root)}


def frame_folders(root: Path) -> dict[str, Any]:
    videos.images(root / "train/dynamic/run 1", range(5))
    videos.images(root / "test/dynamic/run2", range(6))
    videos.images(root / "train/static", [700, 800])
    return {"kind": "frame_folders", "path": str(root), "fps": 5, "static_frames": 4}


def landmark_csv(root: Path) -> dict[str, Any]:
    root.mkdir(parents=True)
    lines: list[str] = []
    lines += landmarks("0", range(100, 150, 10), x=100.4) + landmarks("0", range(90, 140, 10), x=500.6)
    lines += landmarks("3", [None] * 5, x=100) + landmarks("3", [None] * 6, x=900)
    write_landmarks(root / "poses.csv", lines)
    return {
        "kind": "landmark_csv",
        "path": str(root / "poses.csv"),
        "classes": {0: "theft", "3": "normal"},
        "fps": 3,
        "size": [1920, 1080],
    }


def landmarks(label: str, frames: Sequence[int | None], x: float) -> list[str]:
    """Rows of a body that walks 10 px a row."""
    rows = []
    for step, frame in enumerate(frames):
        joints = [f"{x + 10 * step + number},{200 + 30 * number}" for number in range(len(JOINTS))]
        rows.append(",".join(["1", "0", *joints, "" if frame is None else str(frame), label]))
    return rows


def write_landmarks(path: Path, rows: list[str]) -> None:
    columns = ["NUMOFBODIES", "ID", *(f"{joint}_{axis}" for joint in JOINTS for axis in "XY"), "FRAME_NUM", "label"]
    path.write_text("\n".join([",".join(columns), *rows]) + "\n")


def corrupt_image(path: Path) -> Path:
    """A JPEG that ends before its picture does."""
    noise = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)
    done, data = cv2.imencode(".jpg", noise)
    assert done
    path.write_bytes(data.tobytes()[:20])
    return path


make: dict[str, Callable[[Path], dict[str, Any]]] = {
    "folder": folder,
    "ucf_crime": ucf_crime,
    "fights": fights,
    "frame_folders": frame_folders,
    "landmark_csv": landmark_csv,
}
labels = {
    "folder": {"a": "normal", "b": "panic", "c": "anomaly", "d": "fight", "e": "normal"},
    "ucf_crime": {
        "Abuse001_x264": "Abuse",
        "Abuse028_x264": "Abuse",
        "RoadAccidents001_x264": "RoadAccidents",
        "Normal_Videos001_x264": "normal",
        "Normal_Videos_003_x264": "normal",
    },
    "fights": {"fi001": "fight", "fi002": "fight", "nofi001": "normal"},
    "frame_folders": {"run-1": "dynamic", "run2": "dynamic", "frame_700": "static", "frame_800": "static"},
    "landmark_csv": {"theft-001": "theft", "theft-002": "theft", "normal-001": "normal", "normal-002": "normal"},
}
