"""The person stage on a few drawn frames, trained in a blink."""

import hashlib
import os
import signal
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from scratch import WATCH

from vigil.core.storage import save_arrays
from vigil.features.frames import encode_jpeg, save_frames
from vigil.footage import video_table
from vigil.footage.video_table import Video
from vigil.stages.person import Params, main

SIZE = (160, 120)  # of the stored frames; videos are twice as large
SETTINGS: dict[str, Any] = {
    "enabled": True, "weights": None, "weights_sha256": None, "data": None, "classes": ["person"],
    "people": ["person"], "images": 12, "turned": 0.1, "imgsz": 64, "epochs": 1, "patience": 0,
    "batch": 6, "lr": 0.002, "seed": 7, "threads": 1, "device": "cpu",
}  # fmt: skip
OUT, METRICS = Path("models/person"), Path("metrics/person.json")


def params(**changes: Any) -> Params:
    return Params.read({**SETTINGS, **changes}, "params.yaml [person]")


def draw(folder: Path, frames: int = 8) -> None:
    """Three cameras to train on and one to validate on; a bright upright bar on noise is a person, half of the time."""
    random = np.random.default_rng(3)
    for split, cameras in (("train", ("one", "two", "three")), ("val", ("four",))):
        videos = []
        for name in cameras:
            stored, rows = [], []
            for frame in range(frames):
                image = random.integers(0, 90, (SIZE[1], SIZE[0], 3), np.uint8)
                if frame % 2:
                    x, y, height = random.integers(10, 120), random.integers(5, 40), random.integers(40, 70)
                    image[y : y + height, x : x + height // 3] = random.integers(170, 255, 3)
                    rows.append((frame, [2 * x, 2 * y, 2 * (x + height // 3), 2 * (y + height)]))
                stored.append((frame, Fraction(frame, 8), encode_jpeg(image, 90)))
            save_frames(folder / f"frames/set/{name}.npz", stored, (2 * SIZE[0], 2 * SIZE[1]))
            (folder / "truth/set").mkdir(parents=True, exist_ok=True)
            save_arrays(
                folder / f"truth/set/{name}.npz",
                **{
                    "frame": np.array([row[0] for row in rows], np.int32),
                    "boxes": np.array([row[1] for row in rows], np.float32),
                    "class": np.array(["person"] * len(rows)),
                    "visible": np.ones(len(rows), np.float32),
                },
            )
            videos.append(
                Video(
                    f"set/{name}",
                    f"data/raw/set/{name}.mp4",
                    name,
                    "normal",
                    (),
                    split,
                    Fraction(8),
                    frames,
                    2 * SIZE[0],
                    2 * SIZE[1],
                    Fraction(frames, 8),
                    "0" * 64,
                )
            )
        video_table.write(folder / f"{split}.csv", videos)


def contents(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def command(folder: Path, **changes: Any) -> dict[str, Any]:
    """How DVC runs it, with a home of its own, and a note of every connection that any of its processes tries."""
    for name in ("home", "site", ".dvc"):
        (folder / name).mkdir(exist_ok=True)
    (folder / "site/sitecustomize.py").write_text(WATCH)
    (folder / "dvc.yaml").write_text("stages: {}\n")
    (folder / "params.yaml").write_text(yaml.safe_dump({"person": {**SETTINGS, **changes}}))
    paths = {
        "frames": "frames",
        "truth": "truth",
        "train": "train.csv",
        "val": "val.csv",
        "out": OUT,
        "metrics": METRICS,
    }
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("YOLO", "MPL", "DVC", "XDG"))}
    environment = inherited | {
        "HOME": str(folder / "home"),
        "PYTHONPATH": os.pathsep.join([str(folder / "site"), os.environ["PYTHONPATH"]]),
        "VIGIL_SOCKETS": str(folder / "sockets.log"),
    }
    arguments = [word for key, value in paths.items() for word in (f"--{key}", str(value))]
    return {"args": [sys.executable, "-m", "vigil.stages.person", *arguments], "cwd": folder, "env": environment}


def stage(folder: Path, **changes: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(**command(folder, **changes), capture_output=True, text=True, check=False)


def kill_in_epoch(epoch: int, folder: Path, **changes: Any) -> None:
    """Start the stage and kill it when it says that it is at the end of this epoch: the one before is saved by then."""
    running = subprocess.Popen(
        **command(folder, **changes), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    assert running.stderr is not None
    with running.stderr as lines:
        assert any(f"epoch {epoch} of " in line for line in lines)
        running.kill()
    assert running.wait() == -signal.SIGKILL


def run(**changes: Any) -> None:
    main(Path("frames"), Path("truth"), Path("train.csv"), Path("val.csv"), OUT, METRICS, params(**changes))
