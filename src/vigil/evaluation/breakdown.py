"""What lies behind the metrics of a model: what it takes for what, and how it does by class and by source."""

from collections.abc import Mapping

import numpy as np
from sklearn.metrics import confusion_matrix

from vigil.statistics.events import OperatingPoint, Outcome
from vigil.statistics.intervals import LEAST_SOURCES, Interval, rounded
from vigil.statistics.ranking import area
from vigil.statistics.scores import Scores

Rows = dict[str, dict[str, float | int | None]]


def true_classes(scores: Scores) -> np.ndarray:
    """(V,) the class of each video, as `predicted_classes` names it."""
    return scores.class_index if scores.classes.shape[1] else scores.abnormal.astype(np.int64)


def predicted_classes(scores: Scores, operating_point: OperatingPoint | None) -> np.ndarray | None:
    """(V,) the class predicted of each video, -1 for none; by the threshold where the model names no class.

    None without a way to predict one.
    """
    if scores.classes.shape[1]:
        named = scores.classes.argmax(1)
        return np.where(np.isfinite(scores.classes).all(1), named, 0 if scores.has_normal else -1)
    return (scores.video_score >= operating_point.of_video).astype(np.int64) if operating_point else None


def confusion(scores: Scores, predicted: np.ndarray | None) -> np.ndarray:
    """(C, C) videos by true class and predicted class; those without a predicted class are not in it."""
    if predicted is None:
        return np.zeros((0, 0), np.int64)
    class_count = max(scores.classes.shape[1], 2)
    named = predicted >= 0
    if not named.any():  # which scikit-learn refuses
        return np.zeros((class_count, class_count), np.int64)
    return confusion_matrix(true_classes(scores)[named], predicted[named], labels=np.arange(class_count))


def counts(all_scores: Scores, scores: Scores, outcome: Outcome | None) -> dict[str, int | float]:
    """How much there was to judge: `all_scores` of every video, and `scores` of those whose label the model knows."""
    has_truth = scores.truth >= 0
    numbers: dict[str, int | float] = {
        "videos": len(scores.video),
        "abnormal_videos": int(scores.abnormal.sum()),
        "sources": len(scores.names),
        "not_judged_videos": len(all_scores.video) - len(scores.video),
        "frames": int(has_truth.sum()),
        "abnormal_frames": int((scores.truth == 1).sum()),
        "unknown_frames": int((~has_truth).sum()),
        "unscored_frames": scores.unscored_counts[0],
        "unscored_videos": scores.unscored_counts[1],
    }
    if outcome is not None:
        numbers |= {
            "events": len(outcome.events.video),
            "missed_events": int(np.isnan(outcome.delay_s).sum()),
            "alerts": len(outcome.alerts.video),
            "false_alerts": int(outcome.false.sum()),
            "false_alarms": int(outcome.false_alarms.sum()),
            "normal_hours": round(float(outcome.normal_s.sum()) / 3600, 6),
        }
    return numbers


def by_class(scores: Scores, predicted: np.ndarray | None, outcome: Outcome | None) -> Rows:
    """Says for each label how well its videos stand out, how many are named right and how many events are found."""
    rows: Rows = {}
    for label in np.unique(scores.label).tolist():
        of_label = scores.label == label
        row: dict[str, float | int | None] = {"videos": int(of_label.sum())}
        if scores.has_normal and scores.abnormal[of_label].any():
            among = of_label | ~scores.abnormal
            row["video_auc"] = rounded(area(scores.video_score[among], of_label[among]))
        if predicted is not None:
            row["recall"] = rounded(float((predicted == true_classes(scores))[of_label].mean()))
        if outcome is not None:
            events = of_label[outcome.events.video]
            row["events"] = int(events.sum())
            row["event_recall"] = rounded(float(np.isfinite(outcome.delay_s)[events].mean())) if events.any() else None
        rows[label] = row
    return rows


def by_source(scores: Scores, predicted: np.ndarray | None, outcome: Outcome | None) -> Rows:
    """What each source has and where it goes wrong; no area of its own, for most have one video or two."""
    group, sources = np.searchsorted(scores.names, scores.source), len(scores.names)
    columns: dict[str, np.ndarray] = {"videos": np.bincount(group)}
    columns["abnormal_videos"] = np.bincount(group, scores.abnormal)
    if predicted is not None:
        columns["right_videos"] = np.bincount(group, predicted == true_classes(scores))
    if outcome is not None:
        event_sources = group[outcome.events.video]
        columns["events"] = np.bincount(event_sources, minlength=sources)
        columns["missed_events"] = np.bincount(event_sources, np.isnan(outcome.delay_s), minlength=sources)
        columns["false_alarms"] = np.bincount(group, outcome.false_alarms_by_video)
        columns["normal_minutes"] = np.bincount(group, outcome.normal_s) / 60
    return {
        name: {
            column: rounded(float(values[number])) if column == "normal_minutes" else int(values[number])
            for column, values in columns.items()
        }
        for number, name in enumerate(scores.names.tolist())
    }


def notes(all_scores: Scores, scores: Scores, metrics: Mapping[str, Interval]) -> list[str]:
    """What a reader must know before believing the numbers."""
    sentences = []
    frames, videos = scores.unscored_counts
    if frames or videos:
        sentences.append(
            f"{frames} of {len(scores.score)} frames and {videos} of {len(scores.video)} videos have no score: "
            "they count as the lowest, and raise no alarm"
        )
    if unknown := len(all_scores.video) - len(scores.video):
        sentences.append(f"{unknown} videos have a label that the model does not know, and are not judged")
    if len(scores.names) < LEAST_SOURCES:
        sentences.append(f"{len(scores.names)} sources: intervals over fewer than {LEAST_SOURCES} mean little")
    alike = [name for name, metric in metrics.items() if metric.low is not None and metric.low == metric.high]
    if alike:
        sentences.append(f"all draws of the sources agree on {', '.join(alike)}: there the interval is too narrow")
    names_of_reason: dict[str | None, list[str]] = {}
    for name, metric in metrics.items():
        if metric.value is None:
            names_of_reason.setdefault(metric.reason, []).append(name)
    return sentences + [f"{', '.join(names)}: {reason}" for reason, names in names_of_reason.items()]
