"""How good a model is, in numbers that say how far they may be off. All of them at thresholds that others have frozen.

    video_auc, video_ap, eer    abnormal videos against normal ones, by the score of the video
    video_precision_at_<n>      abnormal videos among the n that score highest
    accuracy                    of telling them apart at the frozen threshold; of the class where none is normal
    balanced_accuracy           mean over the classes of the share that is named right; where none is named, of telling
                                the two apart at the threshold
    balanced_accuracy_abnormal  the same among the abnormal videos and classes alone: normal ones may differ otherwise
    segment_balanced_accuracy   over the segments of people, where a model judges those
    frame_auc_micro, frame_ap   frames of all videos pooled; micro is mostly video-level skill, so read on
    frame_auc_abnormal          frames of the abnormal videos pooled
    frame_auc_macro             mean over videos with both kinds of frames of each one's own area
    precision_at_k              abnormal frames among the K highest of all, K being how many abnormal ones there are
    tiou                        mean over abnormal videos: frames both alarmed and abnormal, of those that are either
    event_recall                events with which an alert is credited, see statistics/events.py
    event_recall_<n>s           the same, of all events those found within n seconds of their start
    false_alarms_per_hour       started minutes of normal time under a false alert, per hour of normal time
    alarmed_share               normal time under an alert, be it right or false
    cell_auc, cell_iou          of maps, cells of all maps pooled
    noncausal_<frame metric>    with later frames in view

Frames of unknown truth count in none of them. Frames before a model can have a score count in no ranking and are no
normal time; events and the overlap with them are of the whole truth, for a model that comes too late has missed them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vigil.evaluation import breakdown
from vigil.statistics.classes import balanced_accuracy_by_source
from vigil.statistics.events import ROUNDING_S, OperatingPoint, Outcome
from vigil.statistics.intervals import (
    ROUNDS,
    Interval,
    Statistic,
    bootstrap,
    draws,
    no_statistic,
    rate_per_hour,
    ratio,
)
from vigil.statistics.ranking import Ranking, ap, area, auc, eer, precision_at, precision_at_k
from vigil.statistics.scores import Scores

WITHIN_S = (1, 3, 10)  # s after the start of an event in which it is to be found


@dataclass(frozen=True)
class Evaluation:
    """All that can be said of one table of scores."""

    metrics: dict[str, Interval]
    counts: dict[str, int | float]
    confusion: list[list[int]] = field(default_factory=list)  # true class by row, predicted class by column
    classes: breakdown.Rows = field(default_factory=dict)
    sources: breakdown.Rows = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Flat: the metrics by name, and the rest under names of its own."""
        values: dict[str, Any] = {name: interval.to_json() for name, interval in self.metrics.items()}
        return values | {name: getattr(self, name) for name in ("counts", "confusion", "classes", "sources", "notes")}


def statistics(
    scores: Scores,
    operating_point: OperatingPoint | None = None,
    names: Sequence[str] = (),
    precision_counts: Sequence[int] = (),
) -> dict[str, Statistic]:
    """Every metric that the model has, for any draw of the sources `names`; without names, of its own sources.

    Without an operating point those that need one are left out. `precision_counts` are the n of video_precision_at_<n>.
    """
    scores = scores.select_judged()
    outcome = operating_point.outcome(scores) if operating_point else None
    return _statistics(scores, operating_point, outcome, names, precision_counts)


def evaluate(
    scores: Scores,
    operating_point: OperatingPoint | None = None,
    *,
    rounds: int = ROUNDS,
    seed: int = 7,
    parts: bool = True,
    precision_counts: Sequence[int] = (),
) -> Evaluation:
    """All metrics with intervals; with `parts`, each class and each source too. See `statistics`."""
    all_scores, scores = scores, scores.select_judged()
    outcome = operating_point.outcome(scores) if operating_point else None
    weights = draws(len(scores.names), rounds, seed)
    by_name = _statistics(scores, operating_point, outcome, (), precision_counts)
    metrics = {name: bootstrap(statistic, weights) for name, statistic in by_name.items()}
    predicted = breakdown.predicted_classes(scores, operating_point)
    return Evaluation(
        metrics,
        breakdown.counts(all_scores, scores, outcome),
        breakdown.confusion(scores, predicted).tolist(),
        breakdown.by_class(scores, predicted, outcome) if parts else {},
        breakdown.by_source(scores, predicted, outcome) if parts else {},
        breakdown.notes(all_scores, scores, metrics),
    )


def _statistics(
    scores: Scores,
    operating_point: OperatingPoint | None,
    outcome: Outcome | None,
    names: Sequence[str],
    precision_counts: Sequence[int],
) -> dict[str, Statistic]:
    source_names = np.asarray(names, str) if len(names) else scores.names
    group, sources = np.searchsorted(source_names, scores.source), len(source_names)
    by_name = _of_videos(scores, operating_point, group, sources, precision_counts)
    by_name |= _of_frames(scores, scores.score, group, sources)
    if operating_point and outcome:
        by_name["tiou"] = _tiou(scores, scores.score, operating_point.threshold, group, sources)
        by_name |= _of_events(outcome, group, sources)
    if not np.array_equal(scores.noncausal, scores.score):
        later = _of_frames(scores, scores.noncausal, group, sources)
        if operating_point:
            later["tiou"] = _tiou(scores, scores.noncausal, operating_point.threshold, group, sources)
        by_name |= {f"noncausal_{name}": statistic for name, statistic in later.items()}
    return by_name | _of_people(scores, group, sources) | _of_cells(scores, operating_point, group, sources)


def _of_videos(
    scores: Scores,
    operating_point: OperatingPoint | None,
    group: np.ndarray,
    sources: int,
    precision_counts: Sequence[int],
) -> dict[str, Statistic]:
    by_name: dict[str, Statistic] = {}
    if scores.has_normal:
        ranking = Ranking.of(scores.video_score, scores.abnormal, group, sources)
        measures = {"video_auc": auc, "video_ap": ap, "eer": eer}
        by_name = {name: ranking.statistic(measure) for name, measure in measures.items()}
        videos = len(scores.video)
        for count in precision_counts:
            by_name[f"video_precision_at_{count}"] = (
                ranking.statistic(precision_at(count))
                if count <= videos
                else no_statistic(f"{videos} videos, fewer than {count}", sources)
            )
    predicted = breakdown.predicted_classes(scores, operating_point)
    if predicted is None:
        return by_name
    named = scores.classes.shape[1]
    class_count = max(named, 2)
    if scores.has_normal and operating_point:
        right = (scores.video_score >= operating_point.of_video) == scores.abnormal
        by_name["accuracy"] = _share(right, group, sources)
    elif not scores.has_normal:
        by_name["accuracy"] = _share(predicted == scores.class_index, group, sources)
    truth = np.minimum(scores.class_index, class_count - 1) if not named else scores.class_index
    by_name["balanced_accuracy"] = _balanced_accuracy(predicted, truth, group, sources, class_count)
    if scores.has_normal and named > 2:
        abnormal = scores.abnormal
        best = scores.classes[abnormal][:, 1:].argmax(1) + 1
        statistic = _balanced_accuracy(best, truth[abnormal], group[abnormal], sources, named)
        by_name["balanced_accuracy_abnormal"] = statistic
    return by_name


def _of_frames(scores: Scores, score: np.ndarray, group: np.ndarray, sources: int) -> dict[str, Statistic]:
    """How scores of frames rank. Of one video alone nothing is said: its frame numbers may score as well."""
    has_truth, positive = scores.truth >= 0, scores.truth == 1
    owner = scores.owner
    videos = len(np.unique(owner[has_truth]))
    names = ("frame_auc_micro", "frame_ap", "precision_at_k")
    if videos == 1:
        all_names = (*names, "frame_auc_abnormal", "frame_auc_macro")
        return {name: no_statistic("one video alone says nothing", sources) for name in all_names}
    pooled = Ranking.of(score[has_truth], positive[has_truth], group[owner[has_truth]], sources)
    measures = (auc, ap, precision_at_k)
    by_name = {name: pooled.statistic(measure) for name, measure in zip(names, measures, strict=True)}
    inside = has_truth & scores.abnormal[owner]
    abnormal = Ranking.of(score[inside], positive[inside], group[owner[inside]], sources)
    by_name["frame_auc_abnormal"] = abnormal.statistic(auc)
    total, count = np.zeros((2, sources))
    for video in np.unique(owner[positive]).tolist():
        frames = scores.frames_of(video)
        video_auc = area(score[frames][has_truth[frames]], positive[frames][has_truth[frames]])
        if video_auc is not None:
            total[group[video]] += video_auc
            count[group[video]] += 1
    by_name["frame_auc_macro"] = ratio(total, count, "no video has both normal and abnormal frames")
    return by_name


def _tiou(scores: Scores, score: np.ndarray, threshold: float, group: np.ndarray, sources: int) -> Statistic:
    on, true, has_truth = score >= threshold, scores.event_truth == 1, scores.event_truth >= 0
    videos = len(scores.video)
    both = np.bincount(scores.owner, on & true, minlength=videos)
    either = np.bincount(scores.owner, (on | true) & has_truth, minlength=videos)
    has_abnormal = np.bincount(scores.owner, true, minlength=videos) > 0
    top = np.bincount(group[has_abnormal], both[has_abnormal] / either[has_abnormal], minlength=sources)
    return ratio(top, np.bincount(group[has_abnormal], minlength=sources), "no abnormal frame is known")


def _of_events(outcome: Outcome, group: np.ndarray, sources: int) -> dict[str, Statistic]:
    event_sources = group[outcome.events.video]
    hours = np.bincount(group, outcome.normal_s, minlength=sources) / 3600
    alarmed = np.bincount(group, outcome.alarmed_s, minlength=sources) / 3600
    false_alarms = np.bincount(group, outcome.false_alarms_by_video, minlength=sources)
    events = np.bincount(event_sources, minlength=sources)
    no_hours = "no normal time is known"

    def found_within(seconds: float) -> Statistic:
        hits = np.bincount(event_sources, outcome.delay_s <= seconds, minlength=sources)
        return ratio(hits, events, "no event is known")

    return {
        "event_recall": found_within(np.inf),
        **{f"event_recall_{seconds}s": found_within(seconds + ROUNDING_S) for seconds in WITHIN_S},
        "false_alarms_per_hour": rate_per_hour(false_alarms, hours, no_hours),
        "alarmed_share": ratio(alarmed, hours, no_hours),
    }


def _of_people(scores: Scores, group: np.ndarray, sources: int) -> dict[str, Statistic]:
    usable = (scores.person_class_index >= 0) & np.isfinite(scores.person_classes).all(axis=1)
    if not len(usable):
        return {}
    predicted, class_count = scores.person_classes[usable].argmax(1), scores.person_classes.shape[1]
    owner, truth = group[scores.person_video[usable]], scores.person_class_index[usable]
    return {"segment_balanced_accuracy": _balanced_accuracy(predicted, truth, owner, sources, class_count, "segments")}


def _of_cells(
    scores: Scores, operating_point: OperatingPoint | None, group: np.ndarray, sources: int
) -> dict[str, Statistic]:
    if not scores.cells.size:
        return {}
    owner = np.broadcast_to(group[scores.cells_video][:, None, None], scores.cells.shape)
    has_truth = scores.cells_truth >= 0
    values, true, owner = scores.cells[has_truth], scores.cells_truth[has_truth] == 1, owner[has_truth]
    by_name = {"cell_auc": Ranking.of(values, true, owner, sources).statistic(auc)}
    if operating_point:
        on = values >= operating_point.cell_threshold
        both, either = (np.bincount(owner, cells, minlength=sources) for cells in (on & true, on | true))
        by_name["cell_iou"] = ratio(both, either, "no cell is abnormal, or told to be")
    return by_name


def _share(right: np.ndarray, group: np.ndarray, sources: int) -> Statistic:
    top, bottom = np.bincount(group, right, minlength=sources), np.bincount(group, minlength=sources)
    return ratio(top, bottom, "no video is judged")


def _balanced_accuracy(
    predicted: np.ndarray, truth: np.ndarray, group: np.ndarray, sources: int, class_count: int, unit: str = "videos"
) -> Statistic:
    reason = f"{unit} of fewer than two classes"
    return balanced_accuracy_by_source(predicted, truth, group, sources, class_count, reason)
