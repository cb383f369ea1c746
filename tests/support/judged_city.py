"""Two splits of a toy city, a model on them calibrated and evaluated: what tests of judging start from."""

from pathlib import Path
from typing import Any

import numpy as np

from judging import (
    CONTEXT,
    DATA,
    SERIAL,
    TRUTH,
    flow,
    people,
    record_lineage,
    run_context,
    save_model,
    store_frames,
    video,
)
from vigil.core.storage import read_json
from vigil.evaluation.flow_trees import LabelProbabilities
from vigil.footage import video_table
from vigil.footage.video_table import Video
from vigil.judging.calibration import CalibrationParams
from vigil.stages import calibrate, evaluate

PARAMS = CalibrationParams.read(
    {
        "false_alarms_per_hour": 60.0,
        "confidence": 0.9,
        "step": 0.5,
        "alert": {"hysteresis": 0.25, "hold_s": 0.5, "cooldown_s": 0.0},
    },
    "calibrate",
)
DRAWS = evaluate.Params(rounds=100, seed=7)
VAL, TEST = Path("data/manifest/val.csv"), Path("data/manifest/test.csv")
OUT, PLOTS = Path("metrics/models/m.json"), Path("metrics/points/m")
SCORES = {"val": Path("models/calibration/m.npz"), "test": Path("data/scores/m/test.npz")}
BASELINES = Path("data/baselines")
FROZEN = Path("models/calibration/m.json")


def split_videos(split: str, sources: int = 3) -> list[Video]:
    """A normal video and a crime of each camera."""
    videos = []
    for number in range(sources):
        videos.append(video(f"{split}-{number}-calm", "normal", split=split, frames=24, source=f"{split}-{number}"))
        crime = ("Arson", "Fighting")[number % 2]
        videos.append(video(f"{split}-{number}-crime", crime, [(1, 2)], split, 24, f"{split}-{number}"))
    return videos


def city(kind: str = "frames") -> list[Video]:
    videos = [*split_videos("val"), *split_videos("test")]
    for each in videos:
        store_frames(each, (8, 16) if each.abnormal else (0, 0))
    video_table.write(VAL, [each for each in videos if each.split == "val"])
    video_table.write(TEST, [each for each in videos if each.split == "test"])
    run_context(videos)
    for each in videos if kind == "flow" else ():
        flow(each)
    if kind == "segments":
        for split in ("val", "test"):
            people([each for each in videos if each.split == split], split, skill=1.0)
    record_lineage(kind)
    return videos


def calibrate_(model: str, kind: str = "frames", params: CalibrationParams = PARAMS) -> None:
    calibrate.main(
        model=model, val=VAL, trained=Path("models") / model, features=DATA / kind, context=CONTEXT, truth=TRUTH,
        scores=SCORES["val"], out=FROZEN, params=params, runtime=SERIAL,
    )  # fmt: skip


def evaluate_(model: str, kind: str = "frames") -> dict[str, Any]:
    for split in ("val", "test"):
        LabelProbabilities(np.zeros(0, str), {}).write(BASELINES / f"{split}.npz")
    evaluate.main(
        model=model, trained=Path("models") / model, calibration=FROZEN, reference=SCORES["val"],
        baselines=BASELINES, test=TEST,
        features=DATA / kind, context=CONTEXT, truth=TRUTH, scores=SCORES["test"], out=OUT, plots=PLOTS,
        params=DRAWS, runtime=SERIAL,
    )  # fmt: skip
    return read_json(OUT)


def add_calibrated_model(name: str) -> None:
    """A model that has learnt nothing, with its calibration, beside those that the project has already."""
    save_model(name, seed=len(name))
    calibrate_(name)
    FROZEN.rename(FROZEN.with_name(f"{name}.json"))
    SCORES["val"].rename(FROZEN.with_name(f"{name}.npz"))
