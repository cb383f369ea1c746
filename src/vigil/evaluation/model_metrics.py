"""Scores and a frozen calibration in, the numbers of metrics/models/<model>.json and the points of its plots out.

Nothing is read or written here, and nothing is chosen: all thresholds come from the calibration.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from vigil.core.errors import NoExamples, VigilError
from vigil.core.params import Frozen
from vigil.evaluation import baselines, breakdown, metrics
from vigil.evaluation.baselines import NO_AIDS, ORACLE, Aids
from vigil.evaluation.probabilities import measure_reliability
from vigil.judging.calibration import Calibration
from vigil.judging.stored import Arrays
from vigil.statistics.intervals import Difference, Statistic, bootstrap, difference, draws, rounded
from vigil.statistics.ranking import Ranking
from vigil.statistics.scores import Scores

LOWER = ("eer", "false_alarms_per_hour", "alarmed_share")  # is better
HEADLINES = (
    "video_auc",
    "frame_auc_micro",
    "frame_auc_abnormal",
    "balanced_accuracy",
    "cell_auc",
)  # in which a model is held against the baselines
OF_CLASSES = ("accuracy", "balanced_accuracy", "balanced_accuracy_abnormal", "segment_balanced_accuracy")
OF_MAPS = ("cell_auc", "cell_iou")
OF_VERDICTS = ("accuracy", "balanced_accuracy")  # of what a map makes of a video: whether anything moves in it
Rows = list[dict[str, Any]]


class EvaluationParams(Frozen):
    """Section `evaluate` of params.yaml."""

    rounds: Annotated[int, Field(ge=100)]  # draws of the sources behind an interval
    seed: int  # of the draws
    precision_at: tuple[Annotated[int, Field(ge=1)], ...] = ()  # videos, the highest, of which the abnormal are counted


@dataclass(frozen=True)
class ModelResults:
    """What is written of one model."""

    metrics: dict[str, Any]  # metrics/models/<model>.json
    plots: dict[str, Rows]  # file name without ending -> points


def evaluate_model(
    name: str,
    class_names: Sequence[str],
    arrays: Arrays,
    calibration: Calibration,
    params: EvaluationParams,
    reference: Arrays | None = None,
    aids: Aids = NO_AIDS,
) -> ModelResults:
    """The results of the model `name`. `reference` is the validation table, from which baselines learn.

    `aids` are what else they know; its maps are those of `arrays`.
    """
    if str(arrays["model_sha256"]) != calibration.model_sha256:
        raise VigilError(
            f"{name}: the scores are of other weights than the calibration. Run `dvc repro evaluate@{name}`."
        )
    scores = Scores.of(arrays, bool(arrays["has_normal"]), name)
    judged = scores.select_judged()
    if not len(judged.video):
        raise NoExamples(
            f"{name}: no video has a label of its classes ({', '.join(class_names)}): nothing to evaluate."
        )
    is_about = _metric_filter(scores)
    counts = params.precision_at
    evaluation = metrics.evaluate(
        scores, calibration.operating_point, rounds=params.rounds, seed=params.seed, precision_counts=counts
    )
    intervals = {key: interval for key, interval in evaluation.metrics.items() if is_about(key)}
    learnt = None if reference is None else Scores.of(reference, bool(reference["has_normal"]), name)
    weights = draws(len(judged.names), params.rounds, params.seed)
    trivial = {
        baseline: {
            key: statistic
            for key, statistic in metrics.statistics(table, precision_counts=counts).items()
            if key in intervals and statistic.value is not None
        }
        for baseline, table in baselines.baseline_tables(judged, learnt, aids.of_judged(scores)).items()
    }
    record: dict[str, Any] = {key: interval.to_json() for key, interval in intervals.items()}
    record |= {
        "baselines": {
            baseline: {key: bootstrap(statistic, weights).to_json() for key, statistic in rows.items()}
            for baseline, rows in trivial.items()
        },
        "against_baselines": describe_leads(judged, trivial, weights),
        "classes": evaluation.classes,
        "sources": evaluation.sources,
        "counts": evaluation.counts,
        "confusion": {"classes": _class_labels(scores, class_names), "table": evaluation.confusion},
        "operating_point": _describe_operating_point(scores, calibration),
        "notes": [
            *calibration.notes,
            *_condition_notes(scores),
            *_warmup_notes(arrays),
            *breakdown.notes(scores, judged, intervals),
            *find_unbeaten(judged, trivial, weights),
        ],
    }
    return ModelResults(record, _plot_points(scores, calibration, class_names))


def describe_leads(
    scores: Scores, trivial: Mapping[str, Mapping[str, Statistic]], weights: np.ndarray
) -> dict[str, dict[str, Any]]:
    """Names for each headline metric the baseline that comes closest to the model or is furthest above it, and how far.

    `beaten` says whether the model is clearly better than every baseline: on the same sources under the same draws.
    """
    rows = {}
    for key, (statistic, leads) in _measure_leads(scores, trivial, weights).items():
        best = min(leads, key=lambda name: (leads[name].interval.value, name))
        lead = leads[best]
        rows[key] = {
            "name": best,
            "value": rounded((statistic.value or 0.0) - (lead.interval.value or 0.0)),
            "apart": describe_difference(lead),
            "beaten": all(other.clear > 0 for other in leads.values()),
        }
    return rows


def describe_difference(lead: Difference) -> dict[str, Any]:
    return {**lead.interval.to_json(), "p": rounded(lead.p), "clear": lead.clear}


def find_unbeaten(scores: Scores, trivial: Mapping[str, Mapping[str, Statistic]], weights: np.ndarray) -> list[str]:
    """A sentence for each headline metric in which a model is not clearly better than something that needs none."""
    sentences = []
    for key, (statistic, all_leads) in _measure_leads(scores, trivial, weights).items():
        leads = {name: lead for name, lead in all_leads.items() if lead.clear <= 0}
        if not leads:
            continue
        best = min(leads, key=lambda name: (leads[name].interval.value, name))
        lead, value = leads[best].interval, trivial[best][key].value
        span = "" if lead.low is None else f" ({lead.low:+.3f} to {lead.high:+.3f})"
        clearly = "clearly " if (lead.value or 0.0) > 0 else ""
        values = f"{statistic.value:.3f} against {value:.3f}, {lead.value:+.3f}{span}"
        sentences.append(f"does not beat `{best}` {clearly}in {key}: {values}")
    return sentences


def _measure_leads(
    scores: Scores, trivial: Mapping[str, Mapping[str, Statistic]], weights: np.ndarray
) -> dict[str, tuple[Statistic, dict[str, Difference]]]:
    """Returns for each headline metric of both the model's value, and its lead over each baseline."""
    measured = {}
    model_statistics = metrics.statistics(scores)
    for key in HEADLINES:
        rows = {name: statistics[key] for name, statistics in trivial.items() if key in statistics and name != ORACLE}
        leads = {name: difference(model_statistics[key], statistic, weights) for name, statistic in rows.items()}
        leads = {name: lead for name, lead in leads.items() if lead.interval.value is not None}
        if leads:
            measured[key] = model_statistics[key], leads
    return measured


def _condition_notes(scores: Scores) -> list[str]:
    if scores.has_normal:
        return []
    condition = "where one of its classes is in the video, as is known in advance here"
    return [f"accuracy is conditional: {condition}. It says nothing of how it would name a normal video"]


def _warmup_notes(arrays: Arrays) -> list[str]:
    ready_s = float(arrays.get("ready_s", np.array(0.0)))
    if not ready_s:
        return []
    frames = f"frames in the first {ready_s:g} s of a video, and after a pause in it, before it can have a score"
    return [f"{frames}, are in no ranking of frames and no normal time; events that end in them are missed"]


def _metric_filter(scores: Scores) -> Callable[[str], bool]:
    """Which metrics speak of the model: one that only names classes, or only draws maps, ranks no frames."""
    if scores.cells.size:
        return lambda key: key in OF_MAPS or (scores.has_normal and key in OF_VERDICTS)
    if not scores.has_normal:
        return lambda key: key in OF_CLASSES
    return lambda key: key not in OF_MAPS


def _describe_operating_point(scores: Scores, calibration: Calibration) -> dict[str, Any]:
    """Says where the alarm sounds and what was promised, as frozen, and how far probabilities hold for these scores."""
    temperature = rounded(calibration.temperature)
    record: dict[str, Any] = {"calibration_sha256": calibration.sha256, "temperature": temperature}
    if calibration.thresholds is not None:
        record["thresholds"] = {key: _shorten(value) for key, value in calibration.thresholds.model_dump().items()}
        record["threshold"] = _shorten(calibration.threshold)
    if calibration.promise is not None:
        record["promise"] = calibration.promise.sentence()
    if calibration.reliability is not None:
        record["base_rate"] = rounded(calibration.base_rate)
        record["ece"] = {
            "validation": rounded(calibration.reliability.after),
            "here": rounded(measure_reliability(scores, calibration)[0]),
            "unit": calibration.fitted_on,
        }
    return record


def _shorten(raw: float | None) -> float | None:
    """A raw score, which may be tiny; the exact one is in the calibration."""
    return None if raw is None else float(f"{raw:.6g}")


def _plot_points(scores: Scores, calibration: Calibration, class_names: Sequence[str]) -> dict[str, Rows]:
    """Points of the curves, those of frames where the model ranks frames; and a row per video for the confusion."""
    judged = scores.select_judged()
    reliability = [row.to_json() for row in measure_reliability(scores, calibration)[1] if row.share]
    points: dict[str, Rows] = {"roc": [], "pr": [], "reliability": reliability, "confusion": []}
    ranking = _choose_ranking(judged)
    if ranking is not None:
        false, true = ranking.roc()
        recall, precision = ranking.pr()
        points["roc"] = _rows_of(fpr=false, tpr=true)
        points["pr"] = _rows_of(recall=recall, precision=precision)
    predicted = breakdown.predicted_classes(judged, calibration.operating_point)
    if predicted is not None:
        names = _class_labels(judged, class_names)
        points["confusion"] = [
            {"actual": names[int(actual)], "predicted": names[int(guess)]}
            for actual, guess in zip(breakdown.true_classes(judged), predicted, strict=True)
            if guess >= 0
        ]
    return points


def _choose_ranking(scores: Scores) -> Ranking | None:
    """Ranks cells for maps, frames where both kinds are known, else videos; None where nothing can be ranked."""
    has_truth = scores.cells_truth >= 0
    frames = scores.truth >= 0
    for score, true in (
        (scores.cells[has_truth], scores.cells_truth[has_truth] == 1),
        (scores.score[frames], scores.truth[frames] == 1),
        (scores.video_score, scores.abnormal),
    ):
        ranking = Ranking.pooled(score, true)
        if ranking.reason is None and len(ranking.score) > 1:
            return ranking
    return None


def _class_labels(scores: Scores, class_names: Sequence[str]) -> list[str]:
    named = scores.classes.shape[1] or (scores.cells.size and len(class_names) == 2)
    return list(class_names) if named else ["normal", "abnormal"]


def _rows_of(**columns: np.ndarray) -> Rows:
    rows = zip(*(values.tolist() for values in columns.values()), strict=True)
    return [dict(zip(columns, map(rounded, row), strict=True)) for row in rows]


def summary_lines(record: Mapping[str, Any]) -> list[str]:
    """A line for each metric with the best trivial baseline beside it, and the notes."""
    lines = []
    for key, metric in record.items():
        if not isinstance(metric, Mapping) or metric.get("value") is None:
            continue
        basis = f"; {metric['alarms']} in {metric['minutes']:.1f} min" if "alarms" in metric else ""
        interval = "no interval" if metric["low"] is None else f"{metric['low']:.3f} to {metric['high']:.3f}"
        span = f" ({interval}{basis})"
        trivial = {
            name: rows[key]["value"] for name, rows in record["baselines"].items() if key in rows and name != ORACLE
        }
        best = (min if key in LOWER else max)(trivial, key=lambda name: trivial[name], default=None)
        beside = f"; {best} {trivial[best]:.3f}" if best is not None else ""
        lines.append(f"{key} {metric['value']:.3f}{span}{beside}")
    return lines + [f"mind: {note}" for note in record["notes"]]
