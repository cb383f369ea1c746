"""What lies behind the metrics of a model: what it takes for what, and how it does by class and by source."""

from collections.abc import Mapping

import numpy as np

from vigil.statistics.events import Operating, Outcome
from vigil.statistics.intervals import LEAST_SOURCES, Interval, rounded
from vigil.statistics.ranking import area
from vigil.statistics.scores import Scores

Rows = dict[str, dict[str, float | int | None]]


def guesses(scores: Scores, operating: Operating | None) -> np.ndarray | None:
    """(V,) the class told of each video; by the threshold where no class is named. None without any way to tell."""
    if scores.classes.shape[1]:
        named = scores.classes.argmax(1)
        return np.where(np.isfinite(scores.classes).all(1), named, 0 if scores.has_normal else -1)
    return (scores.video_score >= operating.of_video).astype(np.int64) if operating else None


def confusion(scores: Scores, told: np.ndarray | None) -> np.ndarray:
    """(C, C) videos by true class and told class; those without a class told are not in it."""
    if told is None:
        return np.zeros((0, 0), np.int64)
    kinds = max(scores.classes.shape[1], 2)
    table = np.zeros((kinds, kinds), np.int64)
    sure = told >= 0
    np.add.at(table, (_truth(scores)[sure], told[sure]), 1)
    return table


def counts(given: Scores, scores: Scores, outcome: Outcome | None) -> dict[str, int | float]:
    """How much there was to judge: `given`, and what the model knows of it."""
    known = scores.truth >= 0
    found: dict[str, int | float] = {
        "videos": len(scores.video),
        "abnormal_videos": int(scores.abnormal.sum()),
        "sources": len(scores.names),
        "not_judged_videos": len(given.video) - len(scores.video),
        "frames": int(known.sum()),
        "abnormal_frames": int((scores.truth == 1).sum()),
        "unknown_frames": int((~known).sum()),
        "unscored_frames": scores.missing[0],
        "unscored_videos": scores.missing[1],
    }
    if outcome is not None:
        found |= {
            "events": len(outcome.events.video),
            "missed_events": int(np.isnan(outcome.delay_s).sum()),
            "alerts": len(outcome.alerts.video),
            "false_alarms": int(outcome.false.sum()),
            "normal_hours": round(float(outcome.normal_s.sum()) / 3600, 6),
        }
    return found


def by_class(scores: Scores, told: np.ndarray | None, outcome: Outcome | None) -> Rows:
    """By label: how well its videos stand out from normal ones, how many are told right, how many events are found."""
    found: Rows = {}
    for label in np.unique(scores.label).tolist():
        mine = scores.label == label
        row: dict[str, float | int | None] = {"videos": int(mine.sum())}
        if scores.has_normal and scores.abnormal[mine].any():
            among = mine | ~scores.abnormal
            row["video_auc"] = rounded(area(scores.video_score[among], mine[among]))
        if told is not None:
            row["recall"] = rounded(float((told == _truth(scores))[mine].mean()))
        if outcome is not None:
            here = mine[outcome.events.video]
            row["events"] = int(here.sum())
            row["event_recall"] = rounded(float(np.isfinite(outcome.delay_s)[here].mean())) if here.any() else None
        found[label] = row
    return found


def by_source(scores: Scores, told: np.ndarray | None, outcome: Outcome | None) -> Rows:
    """What each source has and where it goes wrong; no area of its own, for most have one video or two."""
    group, many = np.searchsorted(scores.names, scores.source), len(scores.names)
    columns: dict[str, np.ndarray] = {"videos": np.bincount(group)}
    columns["abnormal_videos"] = np.bincount(group, scores.abnormal)
    if told is not None:
        columns["right_videos"] = np.bincount(group, told == _truth(scores))
    if outcome is not None:
        happened, alarmed = group[outcome.events.video], group[outcome.alerts.video]
        columns["events"] = np.bincount(happened, minlength=many)
        columns["missed_events"] = np.bincount(happened, np.isnan(outcome.delay_s), minlength=many)
        columns["false_alarms"] = np.bincount(alarmed, outcome.false, minlength=many)
        columns["normal_minutes"] = np.bincount(group, outcome.normal_s) / 60
    return {
        name: {
            column: rounded(float(values[number])) if column == "normal_minutes" else int(values[number])
            for column, values in columns.items()
        }
        for number, name in enumerate(scores.names.tolist())
    }


def notes(given: Scores, scores: Scores, metrics: Mapping[str, Interval]) -> list[str]:
    """What a reader must know before believing the numbers."""
    found = []
    frames, videos = scores.missing
    if frames or videos:
        found.append(
            f"{frames} of {len(scores.score)} frames and {videos} of {len(scores.video)} videos have no score: "
            "they count as the lowest, and raise no alarm"
        )
    if apart := len(given.video) - len(scores.video):
        found.append(f"{apart} videos have a label that the model does not know, and are not judged")
    if len(scores.names) < LEAST_SOURCES:
        found.append(f"{len(scores.names)} sources: intervals over fewer than {LEAST_SOURCES} mean little")
    alike = [name for name, one in metrics.items() if one.low is not None and one.low == one.high]
    if alike:
        found.append(f"all draws of the sources agree on {', '.join(alike)}: there the interval is too narrow")
    return found + [f"{name}: {one.reason}" for name, one in metrics.items() if one.value is None]


def _truth(scores: Scores) -> np.ndarray:
    """(V,) the class, as `guesses` names it."""
    return scores.klass if scores.classes.shape[1] else scores.abnormal.astype(np.int64)
