"""A project whose models have spoken: made-up scores, and all files that stage `compare` reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from vigil.clips.windows import inside
from vigil.core.storage import save_arrays, write_json, write_table
from vigil.evaluation import model_metrics
from vigil.features import frames
from vigil.footage import video_table
from vigil.footage.video_table import Video
from vigil.judging import calibrated
from vigil.judging.scoring import ids
from vigil.models.blocks.layers import Clip

FPS = 8
WANTED = calibrated.Wanted.read(
    {
        "false_alarms_per_hour": 60.0,
        "confidence": 0.95,
        "step": 0.5,
        "alert": {"hysteresis": 0.2, "hold_s": 1.0, "cooldown_s": 0.0},
    },
    "calibrate",
)


@dataclass(frozen=True)
class Made:
    """One model: the labels of its classes, and how far abnormal moments stand out."""

    classes: Mapping[str, Sequence[str]]
    skill: float = 2.0
    maps: bool = False
    attends: bool = False


MODELS = {
    "panic": Made({"normal": ["normal"], "panic": ["panic"]}, 3.0),
    "pose_lstm": Made({"normal": ["normal"], "theft": ["theft"], "assault": ["assault"]}, 2.0),
    "gate": Made({"normal": ["normal"], "crime": ["theft", "assault", "panic"]}, 1.5, attends=True),
    "namer": Made({"theft": ["theft"], "assault": ["assault"], "panic": ["panic"]}),
    "activity": Made({"static": ["normal"], "dynamic": ["theft", "assault", "panic"]}, 2.0, maps=True),
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
    found = []
    for number in range(sources):
        source = f"{split}{number}"
        for label in ("normal", "normal-2", "theft", "assault", "panic"):
            spans = [] if label.startswith("normal") else [(2.0 + number % 3, 5.0 + number % 3)]
            found.append(video(f"set/{source}-{label}", label.split("-")[0], source, split, spans))
    return found


def table(name: str, made: Made, videos: Sequence[Video], seed: int = 0) -> dict[str, np.ndarray]:
    """As scoring.py lays it out."""
    rng = np.random.default_rng([seed, *name.encode(), *videos[0].split.encode()])
    known = ids({key: list(labels) for key, labels in made.classes.items()})
    normal = "normal" in next(iter(made.classes.values()))
    kinds = len(made.classes)
    rows: dict[str, list[Any]] = {
        key: [] for key in ("frame", "time_s", "truth", "score", "people", "motion", "classes", "klass")
    }
    for one in videos:
        times = [Fraction(number, FPS) for number in range(int(one.duration_s * FPS))]
        klass = known.get(one.label, -1)
        bad = inside(times, one.spans)
        truth = np.full(len(times), -1) if klass < 0 else bad if klass or not normal else np.zeros(len(times))
        drawn = rng.normal(size=len(times)).cumsum() * 0.25 + made.skill * 2 * bad * (klass > 0) - 2.0
        score = np.convolve(np.pad(drawn, (4, 0), mode="edge"), np.ones(5) / 5, mode="valid")
        score[:4] = np.nan
        logits = rng.normal(size=kinds) + made.skill * (np.arange(kinds) == max(klass, 0))
        for key, value in (
            ("frame", np.arange(len(times)) * 10 // FPS),
            ("time_s", [float(time) for time in times]),
            ("truth", truth),
            ("score", score),
            ("people", rng.integers(0, 4, len(times))),
            ("motion", rng.random(len(times)) + 0.02 * bad),
            ("classes", logits[None]),
            ("klass", [klass]),
        ):
            rows[key].append(value)
    lengths = [len(part) for part in rows["frame"]]
    whole = {key: np.concatenate(parts) for key, parts in rows.items()}
    best = [np.nanmax(part) for part in rows["score"]]
    arrays = {
        "video": np.array([one.video for one in videos]),
        "label": np.array([one.label for one in videos]),
        "source": np.array([one.source for one in videos]),
        "offsets": np.append(0, np.cumsum(lengths)),
        "noncausal": whole["score"],
        "video_score": np.array(best, np.float32),
        "has_normal": np.array(normal),
        "model_sha256": np.array(f"{name:0<64}"),
        "calibration_sha256": np.array(""),
        **whole,
    }
    arrays |= {"truth": whole["truth"].astype(np.int8), "score": whole["score"].astype(np.float32)}
    if kinds == 2:
        arrays["classes"] = np.zeros((len(videos), 0), np.float32)
    if made.maps:
        arrays |= _maps(rng, videos)
    if made.attends:
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


def loaded(name: str, made: Made) -> Any:
    """As much of a checkpoint as a calibration asks for."""
    clip = Clip(16, target="cells") if made.maps else Clip(16)
    card = SimpleNamespace(
        model=name, classes={key: list(of) for key, of in made.classes.items()}, clip=clip, features={}
    )
    return SimpleNamespace(card=card, sha256=f"{name:0<64}")


def project(
    root: Path,
    models: Mapping[str, Made] = MODELS,
    sources: int = 6,
    pictures: bool = True,
    seed: int = 0,
    val: Sequence[Video] | None = None,
    test: Sequence[Video] | None = None,
) -> dict[str, Any]:
    """Write everything; the section `models` of params.yaml."""
    val, test = city("val", sources) if val is None else val, city("test", sources) if test is None else test
    video_table.write(root / "data/manifest/test.csv", test)
    for one in test if pictures else ():
        _frames(root / f"data/frames/{one.video}.npz", one)
    write_json(root / "metrics/data.json", card())
    for name, made in models.items():
        tables = {"val": table(name, made, val, seed), "test": table(name, made, test, seed)}
        frozen = calibrated.calibrate(tables["val"], loaded(name, made), WANTED)
        calibrated.write(root / f"models/calibration/{name}.json", frozen)
        for split, arrays in tables.items():
            save_arrays(root / f"data/scores/{name}/{split}.npz", **arrays)
        wanted = model_metrics.Settings(rounds=100, seed=7)
        found = model_metrics.evaluate(name, list(made.classes), tables["test"], frozen, wanted, tables["val"])
        write_json(root / f"metrics/models/{name}.json", found.told)
        for curve, points in found.plots.items():
            if points:
                write_table(root / f"metrics/points/{name}/{curve}.csv", points, list(points[0]))
        history = [
            {"member": 0, "epoch": epoch, "train_loss": 1 / epoch, "val_loss": 1.2 / epoch + 0.05}
            for epoch in range(1, 9)
        ]
        write_table(root / f"metrics/history/{name}.csv", history, ["member", "epoch", "train_loss", "val_loss"])
    return {name: {"classes": {key: list(of) for key, of in made.classes.items()}} for name, made in models.items()}


def _frames(path: Path, one: Video) -> None:
    """Grey frames with a square that walks, which is red while it is abnormal."""

    def drawn() -> Any:
        for number in range(int(one.duration_s * FPS)):
            image = np.full((48, 64, 3), 120, np.uint8)
            bad = any(start <= Fraction(number, FPS) < stop for start, stop in one.spans)
            image[18:34, number % 48 : number % 48 + 14] = (220, 40, 30) if bad else (40, 60, 90)
            yield number * 10 // FPS, Fraction(number, FPS), frames.encode(image, 80)

    frames.save(path, drawn(), (64, 48))


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
