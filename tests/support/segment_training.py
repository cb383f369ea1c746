"""The train stage on segments drawn so that the class is easy to see."""

import shutil
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vigil.core.errors import VigilError
from vigil.core.lineage import record
from vigil.core.storage import save_arrays, write_json
from vigil.footage import video_table
from vigil.footage.video_table import Video
from vigil.stages.train import main
from vigil.training.schedules import TrainParams

FEATURES, OUT = Path("data/segments"), Path("models/pose_lstm")
TABLE = Path("metrics/history/pose_lstm.csv")
TRAIN, VAL, TRUTH = Path("data/manifest/train.csv"), Path("data/manifest/val.csv"), Path("data/truth")
FRAMES, COLUMNS = 8, 67
SHARED: dict[str, Any] = {"epochs": 3, "batch": 8, "lr": 0.01, "threads": 1, "accelerator": "cpu", "report_every": 1}
MODEL: dict[str, Any] = {
    "input": "segments",
    "classes": {"normal": ["normal"], "theft": ["theft", "Stealing"], "assault": ["assault"]},
    "train": {"epochs": None, "batch": None},
    "frames": FRAMES,
    "hidden": [8, 8],
}
LABELS = ("normal", "theft", "assault")
USUAL = {"train": LABELS * 2, "val": LABELS}


def draw(videos: Mapping[str, Sequence[str]], each: int = 12) -> None:
    """Segments of videos, by split a label for each: higher labels lie higher."""
    random = np.random.default_rng(4)
    for split, labels in videos.items():
        names = [f"set/{split}{number}" for number in range(len(labels))]
        rows = [(name, label) for name, label in zip(names, labels, strict=True) for _ in range(each)]
        level = np.array([LABELS.index(label) if label in LABELS else 0 for _, label in rows], np.float32)
        noise = random.normal(size=(len(rows), FRAMES, COLUMNS)).astype(np.float32)
        save_arrays(
            FEATURES / f"{split}.npz",
            x=noise + level[:, None, None],
            label=np.array([label for _, label in rows], np.str_),
            video=np.array([name for name, _ in rows], np.str_),
            role=np.array([""] * len(rows), np.str_),
            names=np.array([f"c{number}" for number in range(COLUMNS)]),
            start=np.arange(len(rows), dtype=np.int32),
            stop=np.arange(len(rows), dtype=np.int32) + FRAMES,
            start_s=np.zeros(len(rows)),
            stop_s=np.ones(len(rows)),
        )
        video_table.write(
            Path(f"data/manifest/{split}.csv"),
            [
                Video(
                    name, f"data/raw/{name}.mp4", name, label, (), split, Fraction(8), 99, 64, 48, Fraction(9), "0" * 64
                )
                for name, label in zip(names, labels, strict=True)
            ],
        )
    write_json(FEATURES / "scaler.json", {})
    record(FEATURES, "segments", {"normalise": "body"})


def run(model: str = "pose_lstm", shared: Mapping[str, Any] | None = None, **changes: Any) -> Path:
    section = {key: value for key, value in (MODEL | changes).items() if value is not ...}
    main(
        model=model,
        train=TRAIN,
        val=VAL,
        features=FEATURES,
        truth=TRUTH,
        out=OUT,
        table=TABLE,
        params=TrainParams.read(SHARED | dict(shared or {}), "params.yaml [train]"),
        models={"pose_lstm": section},
    )
    return OUT


def refused(**changes: Any) -> str:
    """The one line with which `run` is refused."""
    with pytest.raises(VigilError) as caught:
        run(**changes)
    text = str(caught.value)
    assert "\n" not in text
    return text


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def forget() -> None:
    """Empty the store, so that what was trained is trained again."""
    shutil.rmtree(".vigil/store")
