"""A project whose models have spoken: made-up scores, and all files that stage `compare` reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from vigil.clips.labels import label_to_class
from vigil.clips.windows import inside_spans
from vigil.core.storage import save_arrays, write_json, write_table
from vigil.evaluation import model_metrics
from vigil.features import frames
from vigil.footage import video_table
from vigil.footage.video_table import Video
from vigil.judging.calibration import CalibrationParams
from vigil.judging.calibration_fit import calibrate_model
from vigil.models.blocks.layers import Clip

FPS = 8
PARAMS = CalibrationParams.read(
    {
        "false_alarms_per_hour": 60.0,
        "confidence": 0.95,
        "step": 0.5,
        "alert": {"hysteresis": 0.2, "hold_s": 1.0, "cooldown_s": 0.0},
    },
    "calibrate",
)


@dataclass(frozen=True)
class ModelSketch:
    """One model: the labels of its classes, and how far abnormal moments stand out."""

    classes: Mapping[str, Sequence[str]]
    skill: float = 2.0
    maps: bool = False
    attends: bool = False


MODELS = {
    "panic": ModelSketch({"normal": ["normal"], "panic": ["panic"]}, 3.0),
    "pose_lstm": ModelSketch({"normal": ["normal"], "theft": ["theft"], "assault": ["assault"]}, 2.0),
    "gate": ModelSketch({"normal": ["normal"], "crime": ["theft", "assault", "panic"]}, 1.5, attends=True),
    "namer": ModelSketch({"theft": ["theft"], "assault": ["assault"], "panic": ["panic"]}),
    "activity": ModelSketch({"static": ["normal"], "dynamic": ["theft", "assault", "panic"]}, 2.0, maps=True),
}


def video(
    name: str, label: str, source: str, split: str, spans: Sequence[tuple[float, float]] = (), length: float = 8.0
) -> Video:
    exact = tuple((Fraction(str(start)), Fraction(str(stop))) for start, stop in spans)
    return Video(
        name,
        f"data/raw/{name}.mp4",
        source,
        label,
        exact,
        split,
        Fraction(10),
        int(10 * length),
        64,
        48,
        Fraction(str(length)),
        "0" * 64,
    )


def city(split: str, sources: int = 6) -> list[Video]:
    """Of each source two normal videos, and one of each abnormal label."""
    videos = []
    for number in range(sources):
        source = f"{split}{number}"
        for label in ("normal", "normal-2", "theft", "assault", "panic"):
            spans = [] if label.startswith("normal") else [(2.0 + number % 3, 5.0 + number % 3)]
            videos.append(video(f"set/{source}-{label}", label.split("-")[0], source, split, spans))
    return videos


def table(name: str, sketch: ModelSketch, videos: Sequence[Video], seed: int = 0) -> dict[str, np.ndarray]:
    """A score table of the videos, laid out as in judging/scoring.py."""
    rng = np.random.default_rng([seed, *name.encode(), *videos[0].split.encode()])
    class_of_label = label_to_class({key: list(labels) for key, labels in sketch.classes.items()})
    normal = "normal" in next(iter(sketch.classes.values()))
    class_count = len(sketch.classes)
    rows: dict[str, list[Any]] = {
        key: [] for key in ("frame", "time_s", "truth", "score", "people", "motion", "classes", "class_index")
    }
    for clip in videos:
        times = [Fraction(number, FPS) for number in range(int(clip.duration_s * FPS))]
        class_index = class_of_label.get(clip.label, -1)
        abnormal = inside_spans(times, clip.spans)
        truth = (
            np.full(len(times), -1)
            if class_index < 0
            else abnormal
            if class_index or not normal
            else np.zeros(len(times))
        )
        signal = rng.normal(size=len(times)).cumsum() * 0.25 + sketch.skill * 2 * abnormal * (class_index > 0) - 2.0
        score = np.convolve(np.pad(signal, (4, 0), mode="edge"), np.ones(5) / 5, mode="valid")
        score[:4] = np.nan
        logits = rng.normal(size=class_count) + sketch.skill * (np.arange(class_count) == max(class_index, 0))
        for key, value in (
            ("frame", np.arange(len(times)) * 10 // FPS),
            ("time_s", [float(time) for time in times]),
            ("truth", truth),
            ("score", score),
            ("people", rng.integers(0, 4, len(times))),
            ("motion", rng.random(len(times)) + 0.02 * abnormal),
            ("classes", logits[None]),
            ("class_index", [class_index]),
        ):
            rows[key].append(value)
    lengths = [len(part) for part in rows["frame"]]
    columns = {key: np.concatenate(parts) for key, parts in rows.items()}
    peaks = [np.nanmax(part) for part in rows["score"]]
    arrays = {
        "video": np.array([clip.video for clip in videos]),
        "label": np.array([clip.label for clip in videos]),
        "source": np.array([clip.source for clip in videos]),
        "offsets": np.append(0, np.cumsum(lengths)),
        "noncausal": columns["score"],
        "video_score": np.array(peaks, np.float32),
        "has_normal": np.array(normal),
        "model_sha256": np.array(f"{name:0<64}"),
        "calibration_sha256": np.array(""),
        **columns,
    }
    arrays |= {"truth": columns["truth"].astype(np.int8), "score": columns["score"].astype(np.float32)}
    if class_count == 2:
        arrays["classes"] = np.zeros((len(videos), 0), np.float32)
    if sketch.maps:
        arrays |= _maps(rng, videos)
    if sketch.attends:
        arrays |= _attention(rng, videos, lengths)
    return arrays


def _maps(rng: np.random.Generator, videos: Sequence[Video]) -> dict[str, np.ndarray]:
    true = np.zeros((len(videos), 10, 10), np.int8)
    for number in range(len(videos)):
        row, column = rng.integers(1, 7, 2)
        true[number, row : row + 3, column : column + 2] = 1
    cells = (4.0 * true - 2 + rng.normal(size=true.shape)).astype(np.float16)
    number = np.arange(len(videos), dtype=np.int32)
    return {
        "cells": cells,
        "cells_truth": true,
        "cells_video": number,
        "cells_frame": np.full(len(videos), 40, np.int32),
    }


def _attention(rng: np.random.Generator, videos: Sequence[Video], lengths: Sequence[int]) -> dict[str, np.ndarray]:
    shown = np.stack([np.linspace(0, length - 1, 16).astype(np.int32) for length in lengths])
    odds = np.exp(rng.normal(size=shown.shape))
    return {
        "window_video": np.arange(len(videos), dtype=np.int32),
        "window": np.array([(0, length) for length in lengths], np.int32),
        "window_score": rng.normal(size=len(videos)).astype(np.float32),
        "shown": shown,
        "attention": (odds / odds.sum(1, keepdims=True)).astype(np.float32),
    }


def stand_in_checkpoint(name: str, sketch: ModelSketch) -> Any:
    """As much of a checkpoint as a calibration asks for."""
    clip = Clip(16, target="cells") if sketch.maps else Clip(16)
    card = SimpleNamespace(
        model=name, classes={key: list(of) for key, of in sketch.classes.items()}, clip=clip, features={}, epochs=[1]
    )
    return SimpleNamespace(card=card, sha256=f"{name:0<64}")


def project(
    root: Path,
    models: Mapping[str, ModelSketch] = MODELS,
    sources: int = 6,
    pictures: bool = True,
    seed: int = 0,
    val: Sequence[Video] | None = None,
    test: Sequence[Video] | None = None,
) -> dict[str, Any]:
    """Writes everything, and returns the section `models` of params.yaml."""
    val, test = city("val", sources) if val is None else val, city("test", sources) if test is None else test
    video_table.write(root / "data/manifest/test.csv", test)
    for clip in test if pictures else ():
        _frames(root / f"data/frames/{clip.video}.npz", clip)
    write_json(root / "metrics/data.json", card())
    for name, sketch in models.items():
        tables = {"val": table(name, sketch, val, seed), "test": table(name, sketch, test, seed)}
        calibration = calibrate_model(tables["val"], stand_in_checkpoint(name, sketch), PARAMS)
        calibration.write(root / f"models/calibration/{name}.json")
        save_arrays(root / f"models/calibration/{name}.npz", **tables["val"])
        save_arrays(root / f"data/scores/{name}/test.npz", **tables["test"])
        params = model_metrics.EvaluationParams(rounds=100, seed=7)
        results = model_metrics.evaluate_model(
            name, list(sketch.classes), tables["test"], calibration, params, tables["val"]
        )
        write_json(root / f"metrics/models/{name}.json", results.metrics)
        for curve, points in results.plots.items():
            if points:
                write_table(root / f"metrics/points/{name}/{curve}.csv", points, list(points[0]))
        history = [
            {"member": 0, "epoch": epoch, "train_loss": 1 / epoch, "val_loss": 1.2 / epoch + 0.05}
            for epoch in range(1, 9)
        ]
        write_table(root / f"metrics/history/{name}.csv", history, ["member", "epoch", "train_loss", "val_loss"])
    return {name: {"classes": {key: list(of) for key, of in sketch.classes.items()}} for name, sketch in models.items()}


def _frames(path: Path, film: Video) -> None:
    """Grey frames with a square that walks, which is red while it is abnormal."""

    def draw_frames() -> Any:
        for number in range(int(film.duration_s * FPS)):
            image = np.full((48, 64, 3), 120, np.uint8)
            abnormal = any(start <= Fraction(number, FPS) < stop for start, stop in film.spans)
            image[18:34, number % 48 : number % 48 + 14] = (220, 40, 30) if abnormal else (40, 60, 90)
            yield number * 10 // FPS, Fraction(number, FPS), frames.encode_jpeg(image, 80)

    frames.save_frames(path, draw_frames(), (64, 48))


def card() -> dict[str, Any]:
    some = {"videos": 30, "sources": 6, "hours": 0.07, "abnormal_hours": 0.02}
    return {
        "splits": dict.fromkeys(("train", "val", "test"), some),
        "classes": {label: dict.fromkeys(("train", "val", "test"), some) for label in ("normal", "theft")},
        "leaks": {"found": 0, "allowed": 0, "not_compared": 0, "pairs": []},
        "rejects": 0,
        "shortcuts": {"set": {"length": {"auc": 0.5, "accuracy": 0.2, "chance": 0.2}}},
        "warnings": ["90 videos in all: with fewer than 500, expect overfitting and wide intervals"],
    }
