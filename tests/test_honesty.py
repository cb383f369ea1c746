"""From training to evaluation: what has nothing to learn scores chance, and nobody opens the test split too early."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from judged_city import TEST, VAL, calibrate_, evaluate_

from judging import DATA, people, record_lineage, run_context, store_frames, video
from vigil.core.storage import load_arrays, save_arrays, write_json
from vigil.features.segments.columns import Scaler
from vigil.footage import video_table

TRAIN = Path("data/manifest/train.csv")
LEARN = """
import sys
from pathlib import Path
from vigil.training.schedules import TrainParams
from vigil.stages import train
def hook(event, args):
    path = Path(str(args[0])).absolute() if event == "open" else Path()
    if "test" in path.name and Path.cwd() / "data" in path.parents:
        raise SystemExit(f"opened {args[0]}")
sys.addaudithook(hook)
entry = {"input": "segments", "classes": {"normal": ["normal"], "crime": ["Arson"]}, "train": {}, "frames": 4,
         "hidden": [16], "dropout": 0.0}
train.main(model="pose_lstm", train=Path("data/manifest/train.csv"), val=Path("data/manifest/val.csv"),
           features=Path("data/segments"), truth=Path("data/truth"), out=Path("models/pose_lstm"),
           table=Path("metrics/history/pose_lstm.csv"),
           params=TrainParams(epochs=6, batch=32, lr=3e-3, threads=2), models={"pose_lstm": entry})
"""


def city(shuffled: bool) -> None:
    videos = []
    for split, cameras in (("train", 12), ("val", 8), ("test", 12)):
        own = [
            video(
                f"{split}-{camera}-{number}",
                label,
                [(1, 4)] if label == "Arson" else [],
                split,
                40,
                f"{split}-{camera}",
            )
            for camera in range(cameras)
            for number, label in enumerate(("normal", "Arson"))
        ]
        video_table.write(Path(f"data/manifest/{split}.csv"), own)
        people(own, split, skill=0.5)
        if shuffled and split != "test":
            path = DATA / f"segments/{split}.npz"
            arrays = load_arrays(path)
            save_arrays(path, **arrays | {"label": np.random.default_rng(1).permutation(arrays["label"])})
        videos += own
    for video_row in videos:
        store_frames(video_row)
    run_context(videos)
    record_lineage("segments")
    write_json(DATA / "segments/scaler.json", Scaler((0.0,) * 26, (1.0,) * 26).ranges)


@pytest.mark.slow
@pytest.mark.parametrize("shuffled", [False, True])
def test_a_model_trained_on_shuffled_labels_scores_chance(shuffled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIGIL_TRACKING", "off")
    city(shuffled)
    ran = subprocess.run([sys.executable, "-c", LEARN], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert VAL.exists() and TEST.exists()
    calibrate_("pose_lstm", "segments")
    metrics = evaluate_("pose_lstm", "segments")
    auc = metrics["frame_auc_micro"]
    if shuffled:
        assert 0.35 < auc["value"] < 0.65
        assert any("does not beat" in note for note in metrics["notes"])
    else:
        assert auc["low"] > 0.7
