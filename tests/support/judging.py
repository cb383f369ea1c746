"""Tiny models with random weights, and tiny features for them to look at."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch
from verdicts import PARAMS

from vigil.core import lineage
from vigil.core.storage import save_arrays, write_json
from vigil.engine.per_video import Runtime
from vigil.features.frames import encode_jpeg, save_frames
from vigil.features.segments.columns import feature_names
from vigil.features.segments.segments import Settings
from vigil.features.times import write_times
from vigil.footage import video_table
from vigil.footage.video_table import Video
from vigil.judging.calibration import Calibration, Thresholds, settings_sha256
from vigil.judging.curves import Curve
from vigil.models.checkpoint import Card, Checkpoint, find_module, load_checkpoint, save_checkpoint
from vigil.stages import context

SERIAL = Runtime(executor="serial", workers=1, timeout_s=60, address=None)
FPS = 8
SEGMENTS = {"span_s": 0.5, "frames": 4, "stride_s": 0.25, "gap_s": 0.5, "normalise": "minmax"}
LOOK = {"frames": 4, "size": 32, "channels": (8,), "hidden": 8, "window_s": 1.0}
TINY: dict[str, tuple[str, dict[str, Any]]] = {
    "crime_gate": ("frames", LOOK),
    "crime_type": ("attended", LOOK),
    "i3d": ("frames", {"frames": 8, "window": 12, "size": 32, "width": 0.125, "stride": 2, "hidden": 4}),
    "panic": ("flow", {"hidden": (4, 6, 4), "frames": 4, "size": 32, "stem": 2}),
    "activity": ("frames", {"size": 64, "frames": 3, "stride": 2, "channels": (8, 8, 8, 8, 8), "hidden": 4}),
    "trunk": ("trunk", {"frames": 4, "window_s": 1.0, "features": 6}),
    "pose_lstm": ("segments", {"frames": 4, "features": 26, "hidden": (8, 8)}),
    "pose_cnn": ("segments", {"frames": 4, "features": 26, "hidden": 8, "channels": (8, 8)}),
}
CLASSES = {"normal": ["normal", "static"], "crime": ["Arson", "Fighting"]}
DATA, CONTEXT, TRUTH = Path("data"), Path("data/context"), Path("data/truth")


def video(
    name: str,
    label: str = "normal",
    spans: Sequence[tuple[float, float]] = (),
    split: str = "test",
    frames: int = 40,
    source: str = "",
) -> Video:
    exact = tuple((Fraction(start), Fraction(stop)) for start, stop in spans)
    size = (Fraction(FPS), frames, 80, 60, Fraction(frames, FPS))
    return Video(f"a/{name}", f"data/raw/a/{name}.mp4", source or name, label, exact, split, *size, "0" * 64)


def features(kind: str) -> dict[str, Any]:
    """How the features of an input were made."""
    origin: dict[str, Any] = {"frames": {"fps": float(FPS), "size": 60, "quality": 90}}
    if kind == "segments":
        origin["segments"] = SEGMENTS
    if kind == "attended":
        origin["attended"] = {"keep": 2, "step": 0.5, "overlap": 0.5, "gate": load_model("crime_gate").sha256}
    return origin


def save_model(model: str, classes: dict[str, list[str]] = CLASSES, seed: int = 0, **config: Any) -> Path:
    """The folder of a model that has learnt nothing, and whose features are said to be made as those here are."""
    kind, settings = TINY[model]
    torch.manual_seed(seed)
    module = find_module(model, "test")
    network = module.Model(module.Config.read(settings | config, "test"), len(classes))
    card = Card(model, network.config, classes, network.clip, kind, features(kind), "", seed, [], [1])
    save_checkpoint(Path("models") / model, card, [network.state_dict()])
    return Path("models") / model


def load_model(model: str, classes: dict[str, list[str]] = CLASSES, **config: Any) -> Checkpoint:
    return load_checkpoint(save_model(model, classes, **config))


def write_gate_calibration(gate: Path, path: Path, threshold: float = 0.0, slope: float = 1.0) -> None:
    """A calibration of the gate: from what odds on a video is flagged, and how odds become probabilities."""
    checkpoint = load_checkpoint(gate)
    cuts = Thresholds(p90=0, p95=0, p98=0, budget=threshold, promise=None, video=threshold, cell=None)
    curve = Curve(transform="identity", slope=slope, offset=-slope * threshold)
    Calibration(
        score_type="logits", thresholds=cuts, promise=None, frame=curve, video=curve, temperature=None,
        class_offsets=(), class_reliability=None, base_rate=None,
        fitted_on="frames", validation_rate=None, normal_video="validation", reliability=None, notes=(),
        model_sha256=checkpoint.sha256,
        settings_sha256=settings_sha256(checkpoint, PARAMS), params=PARAMS, normal_median=None,
    ).write(path)  # fmt: skip


def store_frames(clip: Video, flash: tuple[int, int] = (0, 0), times: Sequence[Fraction] | None = None) -> list[bytes]:
    """Noise, white from frame to frame of `flash`; FPS frames a second unless `times` say otherwise."""
    noise = np.random.default_rng(sum(clip.video.encode())).integers(0, 90, (clip.frames, 60, 80, 3), dtype=np.uint8)
    noise[slice(*flash)] = 255
    jpegs = [encode_jpeg(image, 90) for image in noise]
    times = [Fraction(k, FPS) for k in range(clip.frames)] if times is None else times
    rows = ((k, time_s, jpeg) for k, (time_s, jpeg) in enumerate(zip(times, jpegs, strict=True)))
    save_frames(DATA / f"frames/{clip.video}.npz", rows, (80, 60))
    return jpegs


def flow(clip: Video, size: int = 32, times: Sequence[Fraction] | None = None) -> np.ndarray:
    planes = np.random.default_rng(sum(clip.video.encode())).integers(-90, 90, (clip.frames, 3, size, size))
    path = DATA / f"flow/{clip.video}.npy"
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, planes.astype(np.int8))
    write_times(path.with_suffix(".npz"), [Fraction(k, FPS) for k in range(clip.frames)] if times is None else times)
    return planes.astype(np.int8)


def changes(clip: Video, channels: int = 3, times: Sequence[Fraction] | None = None) -> np.ndarray:
    """Changes as of stage `trunk`; of the first frame of the video none is known."""
    values = np.random.default_rng(sum(clip.video.encode())).gamma(2.0, size=(clip.frames, 2, channels))
    values[0] = np.nan
    path = DATA / f"trunk/{clip.video}.npy"
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, values.astype(np.float16))
    write_times(path.with_suffix(".npz"), [Fraction(k, FPS) for k in range(clip.frames)] if times is None else times)
    return values.astype(np.float16)


def people(videos: Sequence[Video], split: str = "test", skill: float = 0.0) -> None:
    """Segments of two people each, the second of whom comes late; x is higher by `skill` while something happens."""
    settings, rows = Settings.read(SEGMENTS, "test"), []
    rng = np.random.default_rng(0)
    for clip in videos:
        for person, begin in ((1, 0), (2, 10)):
            for start in range(begin, clip.frames - 3, 2):
                time = (start + 2) / FPS
                is_abnormal = any(float(a) <= time < float(b) for a, b in clip.spans)
                rows.append(
                    (
                        clip.video,
                        person,
                        start,
                        clip.label if is_abnormal else "normal",
                        rng.normal(size=(4, 26)) + skill * is_abnormal,
                    )
                )
    frame = np.array([np.arange(row[2], row[2] + 4) for row in rows], np.int32).reshape(-1, 4)
    save_arrays(
        DATA / f"segments/{split}.npz",
        x=np.array([row[4] for row in rows], np.float32).reshape(-1, 4, 26),
        names=np.array(feature_names(settings)),
        frame=frame,
        time_s=frame / FPS,
        start=frame[:, 0],
        stop=frame[:, -1] + 1,
        start_s=frame[:, 0] / FPS,
        stop_s=frame[:, -1] / FPS,
        label=np.array([row[3] for row in rows], np.str_),
        role=np.array([""] * len(rows)),
        video=np.array([row[0] for row in rows], np.str_),
        person=np.array([row[1] for row in rows], np.int32),
    )


def record_lineage(*kinds: str) -> None:
    """Say how the features were made."""
    for kind in kinds:
        write_json(DATA / kind / lineage.FILE, features(kind))


def run_context(videos: Sequence[Video], train: Sequence[Video] = ()) -> None:
    """Stage `context` over what is there; what is usual is learnt from `train`."""
    video_table.write(Path("data/videos.csv"), videos)
    video_table.write(Path("data/train.csv"), train)
    (DATA / "flow").mkdir(parents=True, exist_ok=True)
    if not (DATA / "flow" / lineage.FILE).exists():
        write_json(DATA / "flow" / lineage.FILE, features("frames"))
    context.main(
        Path("data/videos.csv"),
        Path("data/train.csv"),
        DATA / "frames",
        DATA / "landmarks",
        DATA / "flow",
        CONTEXT,
        SERIAL,
    )
