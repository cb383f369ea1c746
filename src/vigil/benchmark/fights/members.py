"""One member of the detector on one split of clips: learnt, calibrated and applied by the stages of the pipeline.

    prepare(home, features, splits, params)             # makes what all members of a split share
    learn(home, features, name, seed, params)           # opens no clip that is judged
    judge_clips(home, features, name, clips, params)    # returns its answers to other clips

A member is a model of the preset, the trees on the flow, or the trees on shortcuts. <home>/models/, calibration/,
scores/ and baselines/ are as in a project; <home>/inner/<member>.npz has the answers of a member to the clips that
choose, and is empty where there is no such member, as for a model without examples.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from vigil.benchmark.fights.features import PRESET
from vigil.benchmark.fights.shortcuts import judge_by_shortcuts, learn_shortcuts
from vigil.benchmark.result_cache import Arrays
from vigil.core import lineage
from vigil.core.skipping import why_skipped
from vigil.core.storage import load_arrays, save_arrays
from vigil.engine.per_video import Runtime
from vigil.evaluation.flow_trees import ForestParams, load_forest
from vigil.footage import video_table
from vigil.footage.video_table import ORDINARY, SPLITS, Video
from vigil.judging.calibration import Calibration, CalibrationParams, read_calibration
from vigil.judging.scoring import Sources, build_table
from vigil.models.checkpoint import load_checkpoint
from vigil.stages import baselines, calibrate, context, segments, train
from vigil.statistics.reliability import expit
from vigil.statistics.scores import Scores
from vigil.training.schedules import TrainParams

TREES, SHORTCUTS = "flow_trees", "shortcuts"
SHORTCUTS_FOREST = "baselines/shortcuts.npz"
RUNTIME = Runtime(executor="serial", workers=1, timeout_s=600.0, address=None)  # splits run side by side already


def prepare(home: Path, features: Path, splits: Sequence[Sequence[Video]], params: Mapping[str, Any]) -> None:
    """Writes who is learnt from, who chooses and who is judged, and what depends on that: usual flow, and segments."""
    for split, clips in zip(SPLITS, splits, strict=True):
        video_table.write(home / f"{split}.csv", [replace(clip, split=split) for clip in clips])
    video_table.write(home / "clips.csv", [clip for clips in splits for clip in clips])
    if any(section["input"] == "segments" for section in params["models"].values()):
        segments.main(
            train=home / "train.csv",
            val=home / "val.csv",
            test=home / "test.csv",
            frames=features / "frames",
            landmarks=features / "landmarks",
            truth=features / "truth",
            out=home / "segments",
            params=segments.Params.read(params["segments"], f"{PRESET} [segments]"),
            runtime=RUNTIME,
        )
    context.main(
        home / "clips.csv",
        home / "train.csv",
        features / "frames",
        features / "landmarks",
        features / "flow",
        home / "context",
        RUNTIME,
    )


def learn(home: Path, features: Path, name: str, seed: int, params: Mapping[str, Any]) -> None:
    """Trains and calibrates one member, and writes its answers to the clips that choose."""
    if name in (TREES, SHORTCUTS):
        _learn_trees(home, features, name, seed, params)
        val_clips = video_table.read(home / "val.csv")
        inner = judge_clips(home, features, name, val_clips, params)
    else:
        inner = _learn_model(home, features, name, seed, params)
    save_arrays(inner_path(home, name), **inner)


def inner_path(home: Path, name: str) -> Path:
    return home / "inner" / f"{name}.npz"


def judge_clips(home: Path, features: Path, name: str, clips: Sequence[Video], params: Mapping[str, Any]) -> Arrays:
    """Returns `probability` (V,), by one member, that each clip is abnormal; NaN where it says nothing.

    A model has `calibrated` too, the same by its calibration. The answer is empty where there is no such member.
    """
    if name == TREES:
        return {"probability": _judge_by_trees(home, features, clips, params)}
    if name == SHORTCUTS:
        return {"probability": judge_by_shortcuts(home / SHORTCUTS_FOREST, clips)}
    calibration = _read_video_calibration(home, name)
    if calibration is None:
        return {}
    inputs = _input_folder(home, features, params["models"][name]["input"])
    checkpoint = load_checkpoint(home / "models" / name, features=lineage.read(inputs))
    calibration.check(checkpoint, f"{home}/calibration/{name}.json")
    sources = Sources(inputs, home / "context", features / "truth", "test")
    table = build_table(checkpoint, clips, sources, calibration.judging_params, RUNTIME)
    return _clip_probabilities([clip.video for clip in clips], Scores.of(table), calibration)


def _learn_trees(home: Path, features: Path, name: str, seed: int, params: Mapping[str, Any]) -> None:
    forest_params = ForestParams.read(params["baselines"] | {"seed": seed}, f"{PRESET} [baselines]")
    if name == SHORTCUTS:
        learn_shortcuts(home / SHORTCUTS_FOREST, video_table.read(home / "train.csv"), forest_params)
        return
    baselines.main(
        train=home / "train.csv",
        val=home / "val.csv",
        test=home / "test.csv",
        flow=features / "flow",
        out=home / "baselines",
        scores=home / "scores" / TREES,
        params=forest_params,
    )


def _learn_model(home: Path, features: Path, name: str, seed: int, params: Mapping[str, Any]) -> Arrays:
    inputs = _input_folder(home, features, params["models"][name]["input"])
    train.main(
        model=name,
        train=home / "train.csv",
        val=home / "val.csv",
        features=inputs,
        truth=features / "truth",
        out=home / "models" / name,
        table=home / "history" / f"{name}.csv",
        params=TrainParams.read(params["train"] | {"seed": seed}, f"{PRESET} [train]"),
        models=params["models"],
    )
    scores = home / "scores" / name / "val.npz"
    calibrate.main(
        model=name,
        val=home / "val.csv",
        trained=home / "models" / name,
        features=inputs,
        context=home / "context",
        truth=features / "truth",
        scores=scores,
        out=home / "calibration" / f"{name}.json",
        params=CalibrationParams.read(params["calibrate"], f"{PRESET} [calibrate]"),
        runtime=RUNTIME,
    )
    calibration = _read_video_calibration(home, name)
    if calibration is None:
        return {}
    arrays = load_arrays(scores)
    table = Scores.of(arrays, True, name)
    names = [clip.video for clip in video_table.read(home / "val.csv")]
    return {
        **_clip_probabilities(names, table, calibration),
        **{f"table/{key}": values for key, values in arrays.items()},
        "frames": calibration.validation_probability(table.score),
        "videos": calibration.validation_probability(table.video_score, "video"),
        "calibration": np.array(calibration.sha256),
        "knows_odds": np.array(calibration.score_type == "logits"),
    }


def _read_video_calibration(home: Path, name: str) -> Calibration | None:
    """Reads the calibration of a model; None where it was not trained, or says nothing of whole clips."""
    path = home / "calibration" / f"{name}.json"
    if why_skipped(path):
        return None
    calibration = read_calibration(path)
    return None if calibration.video is None else calibration


def _judge_by_trees(home: Path, features: Path, clips: Sequence[Video], params: Mapping[str, Any]) -> np.ndarray:
    """Returns (V,): the mean over each clip of the probabilities that its windows are abnormal."""
    forest = load_forest(home / "baselines" / baselines.FOREST)
    forest_params = ForestParams.read(params["baselines"], f"{PRESET} [baselines]")
    judgements = baselines.judge_videos(forest, clips, features / "flow", forest_params)
    abnormal = ~np.isin(judgements.labels, list(ORDINARY))
    means = []
    for clip in clips:
        windows = judgements.by_video.get(clip.video, np.full((1, len(abnormal)), np.nan))[:, abnormal].sum(axis=1)
        finite = windows[np.isfinite(windows)]
        means.append(finite.mean() if len(finite) else np.nan)
    return np.array(means)


def _clip_probabilities(names: Sequence[str], table: Scores, calibration: Calibration) -> Arrays:
    """Returns the model's own probability of each clip, and the calibrated one.

    A clip is of one kind from its first frame to its last, so the model's own is by the mean of its scores, as that of
    the trees on flow; the calibrated one is by the highest, as the pipeline has it. A model that says no odds, but how
    far a clip is from what is normal, has none of its own but the calibrated.
    """
    row_of = {video: row for row, video in enumerate(table.video.tolist())}
    highest, mean = np.full((2, len(names)), np.nan)
    for number, name in enumerate(names):
        if (row := row_of.get(name)) is None:
            continue
        scores = table.score[table.offsets[row] : table.offsets[row + 1]]
        scores = scores[np.isfinite(scores)]
        if len(scores) and np.isfinite(table.video_score[row]):
            highest[number], mean[number] = table.video_score[row], scores.mean()
    silent = np.isnan(highest)
    calibrated = np.where(silent, np.nan, calibration.validation_probability(highest, "video"))
    return {"probability": expit(mean) if calibration.score_type == "logits" else calibrated, "calibrated": calibrated}


def _input_folder(home: Path, features: Path, name: str) -> Path:
    return home / "segments" if name == "segments" else features / name
