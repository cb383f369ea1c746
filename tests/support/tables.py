"""Small tables of scores for tests, drawn by hand or by lot."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from vigil.judging.calibration import AlertParams, Calibration, CalibrationParams, ScoreType
from vigil.judging.calibration_fit import fit_calibration
from vigil.statistics.alerts import Rule
from vigil.statistics.events import OperatingPoint
from vigil.statistics.scores import Scores


def video(name: str, truth: Sequence[int], score: Sequence[float], **more: Any) -> dict[str, Any]:
    """One video at `fps` (1), or at `time_s`. Abnormal if any frame is; its own source; its score its highest."""
    truth, score = np.asarray(truth), np.asarray(score, np.float64)
    class_index = int((truth == 1).any())
    top = np.nan if np.isnan(score).all() else np.nanmax(score)
    label = "bad" if class_index else "normal"
    given = {
        "video": name,
        "label": label,
        "source": name,
        "class_index": class_index,
        "truth": truth,
        "score": score,
        "fps": 1.0,
    }
    return {**given, "video_score": top, **more}


def arrays(videos: Sequence[dict[str, Any]]) -> dict[str, np.ndarray]:
    """As they lie in data/scores."""
    lengths = [len(one["truth"]) for one in videos]
    found = {
        name: np.array([one[name] for one in videos])
        for name in ("video", "label", "source", "class_index", "video_score", "classes")
        if all(name in one for one in videos)
    }
    found |= {
        name: np.concatenate([np.asarray(one[name], np.float64) for one in videos])
        for name in ("truth", "score", "noncausal", "people", "motion", "unusual")
        if all(name in one for one in videos)
    }
    found["time_s"] = np.concatenate(
        [one.get("time_s", np.arange(length) / one["fps"]) for one, length in zip(videos, lengths, strict=True)]
    )
    return found | {"truth": found["truth"].astype(np.int8), "offsets": np.append(0, np.cumsum(lengths))}


def scores(videos: Sequence[dict[str, Any]], has_normal: bool = True) -> Scores:
    return Scores.of(arrays(videos), has_normal)


def city(
    seed: int,
    sources: int = 12,
    each: int = 4,
    frames: int = 40,
    skill: float = 1.5,
    camera: float = 0.5,
    fps: float = 1.0,
    abnormal: float = 0.5,
) -> Scores:
    """Normal scores with a bias of each camera's own; abnormal stretches are higher by `skill`."""
    rng = np.random.default_rng(seed)
    found = []
    for source in range(sources):
        bias = camera * rng.normal()
        for number in range(each):
            truth = np.zeros(frames, int)
            if rng.random() < abnormal:
                start = int(rng.integers(0, frames // 2))
                truth[start : start + frames // 3] = 1
            score = bias + rng.normal(size=frames) + skill * truth
            found.append(video(f"s/{source}-{number}", truth, score, source=f"cam{source}", fps=fps))
    return scores(found)


def params_of(
    budget: float = 60.0, confidence: float = 0.95, base_rate: float | None = None, **alert: float
) -> CalibrationParams:
    """A budget in false alarms per hour; an alert goes on over two seconds below the threshold by default."""
    rule = AlertParams(**({"hysteresis": 0.0, "hold_s": 2.0, "cooldown_s": 0.0} | alert))
    return CalibrationParams(
        false_alarms_per_hour=budget, confidence=confidence, step=0.5, alert=rule, base_rate=base_rate
    )


def calibrated(table: Scores, score_type: ScoreType = "logits", **params: float) -> Calibration:
    """The calibration of a table, for the weights `aa` and the settings `bb`."""
    return fit_calibration(table, score_type, params_of(**params), "aa", "bb")


def point_at(threshold: float, hold_s: float = 2.0) -> OperatingPoint:
    """Alarms from the threshold on, and goes on over `hold_s` below it."""
    return OperatingPoint(Rule(threshold=threshold, release=threshold, hold_s=hold_s))


def errors(found: Scores) -> Scores:
    """The same city as reconstruction errors: above 0, over orders of magnitude."""
    return replace(
        found, **{name: np.exp(getattr(found, name)) / 100 for name in ("score", "noncausal", "video_score")}
    )


def normal(seed: int, hours: float, sources: int = 10, fps: float = 1.0) -> Scores:
    return city(seed, sources, 1, int(hours * 3600 * fps / sources), camera=0.0, fps=fps, abnormal=0.0)


def ucf_crime(folder: Path) -> dict[str, np.ndarray]:
    """The 290 test videos of UCF-Crime as arrays without scores, frame by frame; each its own source."""
    rows = [line.split() for line in (folder / "frame-counts.txt").read_text().splitlines() if line.strip()]
    truth = []
    for row in rows:
        one = np.zeros(int(row[1]), np.int8)
        for start, stop in zip(map(int, row[3::2]), map(int, row[4::2]), strict=True):
            one[max(start, 0) : max(stop, 0)] = 1
        truth.append(one)
    names = np.array([row[0] for row in rows])
    return {
        "video": names,
        "source": names,
        "label": np.array(["normal" if row[2] == "Normal" else row[2] for row in rows]),
        "class_index": np.array([int(row[2] != "Normal") for row in rows]),
        "offsets": np.append(0, np.cumsum([len(one) for one in truth])),
        "truth": np.concatenate(truth),
        "time_s": np.concatenate([np.arange(len(one)) / 30 for one in truth]),
    }
