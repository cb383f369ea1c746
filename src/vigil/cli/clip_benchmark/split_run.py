"""The pipeline on one split of clips: every model is trained, calibrated and fused, and other clips are judged by it.

    learn(home, features, train, val, seed, setup)      # opens no other clip
    judge(home, features, clips, setup)                 # -> {detector: Opinion}

<home>/models/, calibration/, scores/, baselines/, fusion.json, thresholds.json: what is learnt, as in a project.

A fold of a few sources is too small to choose where a clip is flagged: what has learnt both kinds, which weigh alike
in training, flags a clip from even odds. Only what knows no odds of its own takes a threshold from `val`: panic, and
the fused detector that stage `compare` would fit (`fused_fitted`), by its fits that did not see the clip's source.
`fused` is the mean of the log odds of the models that have learnt both kinds, each as heavy as it is skilled on `val`.
docs/experiments.md compares these rules.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from vigil.cli.clip_benchmark.features import PRESET
from vigil.cli.clip_benchmark.shortcuts import ask_shortcuts, learn_shortcuts
from vigil.core import lineage
from vigil.core.skipping import why_skipped
from vigil.core.storage import load_arrays, read_json, write_json
from vigil.engine.per_video import Runtime
from vigil.evaluation import fusion
from vigil.evaluation.flow_trees import ForestParams, load_forest
from vigil.footage import video_table
from vigil.footage.video_table import ORDINARY, Video
from vigil.judging.calibration import Calibration, CalibrationParams, read_calibration
from vigil.judging.scoring import Sources, build_table
from vigil.models.checkpoint import load_checkpoint
from vigil.stages import baselines, calibrate, context, segments, train
from vigil.statistics.reliability import expit, logit
from vigil.statistics.scores import Scores
from vigil.training.schedules import TrainParams

TREES, SHORTCUTS, FUSED, FITTED = "flow_trees", "shortcuts", "fused", "fused_fitted"
EVEN = 0.5
THRESHOLDS, FUSION = "thresholds.json", "fusion.json"
SHORTCUTS_FOREST = "baselines/shortcuts.npz"
RUNTIME = Runtime(executor="serial", workers=1, timeout_s=600.0, address=None)  # splits run side by side already


@dataclass(frozen=True, eq=False)
class Opinion:
    """What one detector says of some clips, in their order."""

    probability: np.ndarray  # (V,) float64; NaN: nothing
    verdict: np.ndarray  # (V,) bool


def learn(
    home: Path, features: Path, train_clips: Sequence[Video], val_clips: Sequence[Video], seed: int, params: Any
) -> None:
    """Trains, calibrates and fuses all models of `params`, with `seed`."""
    _write_tables(home, train_clips, val_clips, [])
    _make_split_features(home, features, params)
    forest_params = ForestParams.read(params["baselines"] | {"seed": seed}, f"{PRESET} [baselines]")
    learn_shortcuts(home / SHORTCUTS_FOREST, train_clips, forest_params)
    baselines.main(
        train=home / "train.csv",
        val=home / "val.csv",
        test=home / "test.csv",
        flow=features / "flow",
        out=home / "baselines",
        scores=home / "scores" / TREES,
        params=forest_params,
    )
    train_params = TrainParams.read(params["train"] | {"seed": seed}, f"{PRESET} [train]")
    for name, section in params["models"].items():
        inputs = _inputs(home, features, section["input"])
        train.main(
            model=name,
            train=home / "train.csv",
            val=home / "val.csv",
            features=inputs,
            truth=features / "truth",
            out=home / "models" / name,
            table=home / "history" / f"{name}.csv",
            params=train_params,
            models=params["models"],
        )
        calibrate.main(
            model=name,
            val=home / "val.csv",
            trained=home / "models" / name,
            features=inputs,
            context=home / "context",
            truth=features / "truth",
            scores=home / "scores" / name / "val.npz",
            out=home / "calibration" / f"{name}.json",
            params=CalibrationParams.read(params["calibrate"], f"{PRESET} [calibrate]"),
            runtime=RUNTIME,
        )
    _fuse(home, val_clips, params)


def judge(home: Path, features: Path, clips: Sequence[Video], params: Any) -> dict[str, Opinion]:
    """What the models in `home` say of other clips, by what was settled before."""
    train_clips, val_clips = (video_table.read(home / f"{split}.csv") for split in ("train", "val"))
    _write_tables(home, train_clips, val_clips, clips)
    _make_split_features(home, features, params)
    names = [clip.video for clip in clips]
    probabilities = {
        TREES: _ask_trees(home, features, clips, params),
        SHORTCUTS: ask_shortcuts(home / SHORTCUTS_FOREST, clips),
    }
    calibrated = {}
    for name in _alarming(home, params["models"]):
        calibration = read_calibration(home / "calibration" / f"{name}.json")
        inputs = _inputs(home, features, params["models"][name]["input"])
        checkpoint = load_checkpoint(home / "models" / name, features=lineage.read(inputs))
        calibration.check(checkpoint, f"{home}/calibration/{name}.json")
        sources = Sources(inputs, home / "context", features / "truth", "test")
        table = Scores.of(build_table(checkpoint, clips, sources, calibration.judging_params, RUNTIME))
        calibrated[name], probabilities[name] = _by_clip(names, table, calibration)
    record = read_json(home / FUSION)
    if record is not None:
        detector = fusion.Fusion.read(record["fitted"], f"{home}/{FUSION}")
        probabilities[FITTED] = detector.probability({name: calibrated[name] for name in detector.models}, "video")
        if record["skills"]:
            probabilities[FUSED] = mean_by_skill(probabilities, record["skills"])
    thresholds: Mapping[str, float] = read_json(home / THRESHOLDS)
    return {
        name: Opinion(values, np.nan_to_num(values, nan=-1.0) >= thresholds.get(name, EVEN))
        for name, values in probabilities.items()
    }


def measure_skill(probability: np.ndarray, is_abnormal: np.ndarray) -> float:
    """0 for chance and worse, to 1: by how much more often than not an abnormal clip is above a normal one."""
    p = np.nan_to_num(probability, nan=EVEN)
    above = np.sign(p[is_abnormal][:, None] - p[~is_abnormal][None, :])
    return max(0.0, float(above.mean())) if above.size else 0.0


def mean_by_skill(probabilities: Mapping[str, np.ndarray], skills: Mapping[str, float]) -> np.ndarray:
    """(V,) of (V,) by name: the mean of the log odds of those that say something of a clip; NaN where none does."""
    p = np.array([probabilities[name] for name in skills])
    weights = np.array(list(skills.values()))[:, None] * np.isfinite(p)
    odds = np.clip(logit(np.where(np.isfinite(p), p, EVEN)), -fusion.SUREST, fusion.SUREST)
    total = weights.sum(axis=0)
    mean: np.ndarray = expit((weights * odds).sum(axis=0) / np.where(total > 0, total, 1))
    return np.where(total > 0, mean, np.nan)


def choose_threshold(probability: np.ndarray, is_abnormal: np.ndarray) -> float:
    """The threshold with the best balanced accuracy; of several the middle one of the widest gap."""
    p = np.nan_to_num(probability, nan=0.0)
    values = np.unique(p)
    borders = np.concatenate([[values[0]], (values[1:] + values[:-1]) / 2, [np.nextafter(values[-1], np.inf)]])
    right = [
        np.mean([(p[is_abnormal] >= border).mean(), (p[~is_abnormal] < border).mean()]) for border in borders.tolist()
    ]
    gaps = np.concatenate([[0.0], np.diff(values), [0.0]])
    best = np.flatnonzero(np.isclose(right, max(right)))
    return float(borders[best[np.argmax(gaps[best])]])


def _fuse(home: Path, val_clips: Sequence[Video], params: Any) -> None:
    """Joins the models by `val`, and chooses where those that know no odds of their own flag a clip."""
    names, is_abnormal = [clip.video for clip in val_clips], np.array([clip.abnormal for clip in val_clips])
    chosen: dict[str, float] = {}
    skills: dict[str, float] = {}
    tables: dict[str, Scores] = {}
    calibrations: dict[str, Calibration] = {}
    for name in _alarming(home, params["models"]):
        tables[name] = Scores.of(load_arrays(home / "scores" / name / "val.npz"), True, name)
        calibrations[name] = read_calibration(home / "calibration" / f"{name}.json")
        _, probability = _by_clip(names, tables[name], calibrations[name])
        if calibrations[name].score_type == "logits":
            skills[name] = measure_skill(probability, is_abnormal)
        else:
            chosen[name] = choose_threshold(probability, is_abnormal)
    record = None
    if len(tables) > 1:
        frames = {name: calibrations[name].validation_probability(table.score) for name, table in tables.items()}
        videos = {
            name: calibrations[name].validation_probability(table.video_score, "video")
            for name, table in tables.items()
        }
        hashes = {name: calibration.sha256 for name, calibration in calibrations.items()}
        fitted = fusion.fit_fusion(tables, frames, videos, hashes)
        if not any(skills.values()):  # then all count alike
            skills = dict.fromkeys(skills, 1.0)
        record = {"fitted": fitted.model_dump(mode="json"), "skills": skills}
        held_out = fusion.cross_fit(tables, frames, videos, hashes).scores
        odds = dict(zip(held_out.video.tolist(), held_out.video_score.tolist(), strict=True))
        known = np.array([name in odds for name in names])
        p = expit(np.array([odds[name] for name in names if name in odds]))
        chosen[FITTED] = choose_threshold(p, is_abnormal[known])
    write_json(home / FUSION, record)
    write_json(home / THRESHOLDS, chosen)


def _alarming(home: Path, models: Iterable[str]) -> list[str]:
    """The models that were trained and say how probable it is that a clip is abnormal."""
    trained = [name for name in models if not why_skipped(home / "calibration" / f"{name}.json")]
    return [name for name in trained if read_calibration(home / "calibration" / f"{name}.json").video is not None]


def _ask_trees(home: Path, features: Path, clips: Sequence[Video], params: Any) -> np.ndarray:
    """(V,) the mean over a clip of how probable its windows are abnormal."""
    forest = load_forest(home / "baselines" / baselines.FOREST)
    forest_params = ForestParams.read(params["baselines"], f"{PRESET} [baselines]")
    says = baselines.judge_videos(forest, clips, features / "flow", forest_params)
    abnormal = ~np.isin(says.labels, list(ORDINARY))
    means = []
    for clip in clips:
        windows = says.by_video.get(clip.video, np.full((1, len(abnormal)), np.nan))[:, abnormal].sum(axis=1)
        known = windows[np.isfinite(windows)]
        means.append(known.mean() if len(known) else np.nan)
    return np.array(means)


def _by_clip(names: Sequence[str], table: Scores, calibration: Calibration) -> tuple[np.ndarray, np.ndarray]:
    """(V,) calibrated, and (V,) the model's own: how probable each clip is abnormal; NaN where it says nothing of it.

    A model that says no odds, but how far a clip is from what is normal, has none of its own but the calibrated.
    """
    score = dict(zip(table.video.tolist(), table.video_score.tolist(), strict=True))
    raw = np.array([score.get(name, -np.inf) for name in names], np.float64)
    calibrated = np.where(np.isfinite(raw), calibration.validation_probability(raw, "video"), np.nan)
    return calibrated, np.where(
        np.isfinite(raw), expit(raw), np.nan
    ) if calibration.score_type == "logits" else calibrated


def _inputs(home: Path, features: Path, name: str) -> Path:
    return home / "segments" if name == "segments" else features / name


def _write_tables(home: Path, *splits: Sequence[Video]) -> None:
    for split, clips in zip(("train", "val", "test"), splits, strict=True):
        video_table.write(home / f"{split}.csv", [replace(clip, split=split) for clip in clips])
    video_table.write(home / "clips.csv", [clip for clips in splits for clip in clips])


def _make_split_features(home: Path, features: Path, params: Any) -> None:
    """What depends on who is learnt from: the usual flow, and the range of the joints."""
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
