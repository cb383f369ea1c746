"""Scores and a frozen calibration in, the numbers of metrics/<model>.json and the points of its plots out.

Nothing is read or written here, and nothing is chosen: all thresholds come from the calibration.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from vigil.core.errors import VigilError
from vigil.core.params import Frozen
from vigil.evaluation import baselines, breakdown, metrics
from vigil.judging.calibrated import Calibrated
from vigil.judging.stored import Arrays
from vigil.statistics.intervals import Statistic, bootstrap, difference, draws, rounded
from vigil.statistics.ranking import Ranking
from vigil.statistics.reliability import ece
from vigil.statistics.scores import Scores

LOWER = ("eer", "delay_s", "false_alarms_per_hour", "alarmed_share")  # is better
NO_SKILL = ("oracle_video_label",)  # knows the answer: no model is expected to beat it
HEADLINES = (
    "video_auc",
    "frame_auc_micro",
    "frame_auc_abnormal",
    "balanced_accuracy",
    "cell_auc",
)  # in which a model is held against the baselines
OF_CLASSES = ("accuracy", "balanced_accuracy", "balanced_accuracy_abnormal", "segment_balanced_accuracy")
OF_MAPS = ("cell_auc", "cell_iou")
Rows = list[dict[str, Any]]


class Settings(Frozen):
    """Section `evaluate` of params.yaml."""

    rounds: Annotated[int, Field(ge=100)]  # draws of the sources behind an interval
    seed: int  # of the draws


@dataclass(frozen=True)
class Evaluated:
    told: dict[str, Any]  # metrics/<model>.json
    plots: dict[str, Rows]  # file name without ending -> points


def evaluate(
    name: str,
    names: Sequence[str],
    arrays: Arrays,
    calibrated: Calibrated,
    wanted: Settings,
    reference: Arrays | None = None,
) -> Evaluated:
    """Of the model `name` with the classes `names`. `reference`: the validation table, from which baselines learn."""
    if str(arrays["model_sha256"]) != calibrated.calibration.model_sha256:
        raise VigilError(
            f"{name}: the scores are of other weights than the calibration. Run `dvc repro evaluate@{name}`."
        )
    scores = Scores.of(arrays, bool(arrays["has_normal"]), name)
    judged = scores.judged()
    if not len(judged.video):
        raise VigilError(f"{name}: no video has a label of its classes ({', '.join(names)}): nothing to evaluate.")
    operating = calibrated.operating
    keep = _kept(scores)
    found = metrics.evaluate(scores, operating, rounds=wanted.rounds, seed=wanted.seed)
    values = {key: one for key, one in found.metrics.items() if keep(key)}
    known = None if reference is None else Scores.of(reference, bool(reference["has_normal"]), name)
    weights = draws(len(judged.names), wanted.rounds, wanted.seed)
    compared = {
        key: {what: one for what, one in metrics.statistics(table).items() if what in values and one.value is not None}
        for key, table in baselines.tables(judged, known).items()
    }
    told: dict[str, Any] = {key: one.told() for key, one in values.items()}
    notes = [note for note in found.notes if note.split(":")[0] not in found.metrics or note.split(":")[0] in values]
    told |= {
        "baselines": {
            key: {what: bootstrap(one, weights).told() for what, one in rows.items()} for key, rows in compared.items()
        },
        "classes": found.classes,
        "sources": found.sources,
        "counts": found.counts,
        "confusion": {"classes": _kinds(scores, names), "table": found.confusion},
        "operating_point": _operating(scores, calibrated),
        "notes": [*calibrated.calibration.notes, *_unready(arrays), *notes, *unbeaten(judged, compared, weights)],
    }
    return Evaluated(told, _plots(scores, calibrated, names))


def unbeaten(scores: Scores, trivial: Mapping[str, Mapping[str, Statistic]], weights: np.ndarray) -> list[str]:
    """A sentence for each headline metric in which a model is not clearly better than something that needs none.

    Clearly: on the same sources under the same draws. It names the one that comes closest, or is the furthest above.
    """
    own = metrics.statistics(scores)
    found = []
    for key in HEADLINES:
        rows = {name: has[key] for name, has in trivial.items() if key in has and name not in NO_SKILL}
        apart = {name: difference(own[key], one, weights) for name, one in rows.items()}
        apart = {name: one for name, one in apart.items() if one.interval.value is not None and one.clear <= 0}
        if not apart:
            continue
        best = min(apart, key=lambda name: (apart[name].interval.value, name))
        gap = apart[best].interval
        span = "" if gap.low is None else f" ({gap.low:+.3f} to {gap.high:+.3f})"
        clearly = "clearly " if (gap.value or 0.0) > 0 else ""
        values = f"{own[key].value:.3f} against {rows[best].value:.3f}, {gap.value:+.3f}{span}"
        found.append(f"does not beat `{best}` {clearly}in {key}: {values}")
    return found


def _unready(arrays: Arrays) -> list[str]:
    ready = int(arrays.get("ready", np.array(1)))
    if ready < 2:
        return []
    return [f"the first {ready - 1} stored frames of a video, before it can have a score, are in no metric of frames"]


def _kept(scores: Scores) -> Callable[[str], bool]:
    """Which metrics speak of the model: one that only names classes, or only draws maps, ranks no frames."""
    if scores.cells.size:
        return lambda key: key in OF_MAPS
    if not scores.has_normal:
        return lambda key: key in OF_CLASSES
    return lambda key: key not in OF_MAPS


def _operating(scores: Scores, calibrated: Calibrated) -> dict[str, Any]:
    """Where the alarm sounds and what was promised, as frozen; and how far probabilities hold here."""
    made = calibrated.calibration
    told: dict[str, Any] = {"calibration_sha256": calibrated.sha256, "temperature": rounded(made.temperature)}
    if made.thresholds is not None:
        told["thresholds"] = {key: _short(value) for key, value in made.thresholds.model_dump().items()}
        told["threshold"] = _short(made.threshold)
    if made.promise is not None:
        told["promise"] = made.promise.sentence()
    if made.reliability is not None:
        told["ece"] = {
            "validation": rounded(made.reliability.after),
            "here": rounded(_reliability(scores, calibrated)[0]),
        }
    return told


def _short(raw: float | None) -> float | None:
    """A raw score, which may be tiny; the exact one is in the calibration."""
    return None if raw is None else float(f"{raw:.6g}")


def _reliability(scores: Scores, calibrated: Calibrated) -> tuple[float | None, Rows]:
    judged, made = scores.judged(), calibrated.calibration
    known = (judged.truth >= 0) & np.isfinite(judged.score)
    if made.frame is None or not known.any():
        return None, []
    error, bins = ece(made.probability(judged.score[known]), judged.truth[known] == 1)
    return error, [one.told_as() for one in bins if one.share]


def _plots(scores: Scores, calibrated: Calibrated, names: Sequence[str]) -> dict[str, Rows]:
    """Points of the curves, those of frames where the model ranks frames; and a row per video for the confusion."""
    judged = scores.judged()
    points: dict[str, Rows] = {"roc": [], "pr": [], "reliability": _reliability(scores, calibrated)[1], "confusion": []}
    for ranking in _rankings(judged):
        false, true = ranking.roc()
        recall, precision = ranking.pr()
        points["roc"] = _points(fpr=false, tpr=true)
        points["pr"] = _points(recall=recall, precision=precision)
    told = breakdown.guesses(judged, calibrated.operating)
    if told is not None:
        kinds = _kinds(judged, names)
        truth = judged.klass if judged.classes.shape[1] else judged.abnormal.astype(np.int64)
        points["confusion"] = [
            {"actual": kinds[int(true)], "predicted": kinds[int(guess)]}
            for true, guess in zip(truth, told, strict=True)
            if guess >= 0
        ]
    return points


def _rankings(scores: Scores) -> list[Ranking]:
    """Of cells for maps, of frames where both kinds are known, else of videos; none where nothing can be ranked."""
    known = scores.cells_truth >= 0
    frames = scores.truth >= 0
    kinds = [
        (scores.cells[known], scores.cells_truth[known] == 1),
        (scores.score[frames], scores.truth[frames] == 1),
        (scores.video_score, scores.abnormal),
    ]
    made = [Ranking.of(score, true, np.zeros(len(score), np.int64), 1) for score, true in kinds if len(score)]
    return [one for one in made if one.reason is None and len(one.score) > 1][:1]


def _kinds(scores: Scores, names: Sequence[str]) -> list[str]:
    return list(names) if scores.classes.shape[1] else ["normal", "abnormal"]


def _points(**columns: np.ndarray) -> Rows:
    rows = zip(*(values.tolist() for values in columns.values()), strict=True)
    return [dict(zip(columns, map(rounded, row), strict=True)) for row in rows]


def render(told: Mapping[str, Any]) -> list[str]:
    """A line for each metric with the best trivial baseline beside it, and the notes."""
    lines = []
    for key, one in told.items():
        if not isinstance(one, Mapping) or "value" not in one:
            continue
        if one["value"] is None:
            continue
        span = f" ({one['low']:.3f} to {one['high']:.3f})" if one["low"] is not None else ""
        trivial = {
            name: rows[key]["value"] for name, rows in told["baselines"].items() if key in rows and name not in NO_SKILL
        }
        best = (min if key in LOWER else max)(trivial, key=lambda name: trivial[name], default=None)
        beside = f"; {best} {trivial[best]:.3f}" if best is not None else ""
        lines.append(f"{key} {one['value']:.3f}{span}{beside}")
    return lines + [f"mind: {note}" for note in told["notes"]]
