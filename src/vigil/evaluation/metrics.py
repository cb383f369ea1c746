"""How good a model is, in numbers that say how far they may be off. All of them at thresholds that others have frozen.

    video_auc, video_ap, eer    abnormal videos against normal ones, by the score of the video
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
    event_recall, delay_s       events that an alert touches; the median wait for it, of those found
    false_alarms_per_hour       alerts that touch no event, per hour of normal time
    alarmed_share               normal time under an alert: an alarm that never ends is few alarms, and worth nothing
    cell_auc, cell_iou          of maps, cells of all maps pooled
    noncausal_<frame metric>    with later frames in view

Frames of unknown truth count in none of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vigil.evaluation import breakdown
from vigil.statistics.events import Operating, Outcome
from vigil.statistics.intervals import (
    ROUNDS,
    Interval,
    Statistic,
    bootstrap,
    draws,
    mean_of_shares,
    median,
    nothing,
    ratio,
)
from vigil.statistics.ranking import Ranking, ap, area, auc, eer, precision_at_k
from vigil.statistics.scores import Scores


@dataclass(frozen=True)
class Evaluation:
    """All that can be said of one table of scores."""

    metrics: dict[str, Interval]
    counts: dict[str, int | float]
    confusion: list[list[int]] = field(default_factory=list)  # true class by row, told class by column
    classes: breakdown.Rows = field(default_factory=dict)
    sources: breakdown.Rows = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def told(self) -> dict[str, Any]:
        """Flat, for JSON: the metrics by name, and the rest under names of its own."""
        told: dict[str, Any] = {name: interval.told() for name, interval in self.metrics.items()}
        return told | {name: getattr(self, name) for name in ("counts", "confusion", "classes", "sources", "notes")}


def statistics(scores: Scores, operating: Operating | None = None, names: Sequence[str] = ()) -> dict[str, Statistic]:
    """Every metric that the model has, for any draw of the sources `names` (its own, if none are given).

    Without an operating point those that need one are left out.
    """
    scores = scores.judged()
    return _statistics(scores, operating, operating.outcome(scores) if operating else None, names)


def evaluate(
    scores: Scores, operating: Operating | None = None, *, rounds: int = ROUNDS, seed: int = 7, parts: bool = True
) -> Evaluation:
    """All metrics with intervals; with `parts`, each class and each source too."""
    given, scores = scores, scores.judged()
    outcome = operating.outcome(scores) if operating else None
    weights = draws(len(scores.names), rounds, seed)
    found = _statistics(scores, operating, outcome, ())
    metrics = {name: bootstrap(statistic, weights) for name, statistic in found.items()}
    told = breakdown.guesses(scores, operating)
    return Evaluation(
        metrics,
        breakdown.counts(given, scores, outcome),
        breakdown.confusion(scores, told).tolist(),
        breakdown.by_class(scores, told, outcome) if parts else {},
        breakdown.by_source(scores, told, outcome) if parts else {},
        breakdown.notes(given, scores, metrics),
    )


def _statistics(
    scores: Scores, operating: Operating | None, outcome: Outcome | None, names: Sequence[str]
) -> dict[str, Statistic]:
    every = np.asarray(names, str) if len(names) else scores.names
    group = np.searchsorted(every, scores.source)
    found = _of_videos(scores, operating, group, len(every)) | _of_frames(scores, scores.score, group, len(every))
    if operating and outcome:
        found["tiou"] = _tiou(scores, scores.score, operating.threshold, group, len(every))
        found |= _of_events(outcome, group, len(every))
    if not np.array_equal(scores.noncausal, scores.score):
        later = _of_frames(scores, scores.noncausal, group, len(every))
        if operating:
            later["tiou"] = _tiou(scores, scores.noncausal, operating.threshold, group, len(every))
        found |= {f"noncausal_{name}": statistic for name, statistic in later.items()}
    return found | _of_people(scores, group, len(every)) | _of_cells(scores, operating, group, len(every))


def _of_videos(scores: Scores, operating: Operating | None, group: np.ndarray, sources: int) -> dict[str, Statistic]:
    found: dict[str, Statistic] = {}
    if scores.has_normal:
        ranking = Ranking.of(scores.video_score, scores.abnormal, group, sources)
        found = {"video_auc": ranking.statistic(auc), "video_ap": ranking.statistic(ap), "eer": ranking.statistic(eer)}
    told = breakdown.guesses(scores, operating)
    if told is None:
        return found
    named = scores.classes.shape[1]
    kinds = max(named, 2)
    if scores.has_normal and operating:
        right = (scores.video_score >= operating.of_video) == scores.abnormal
        found["accuracy"] = _share(right, group, sources)
    elif not scores.has_normal:
        found["accuracy"] = _share(told == scores.klass, group, sources)
    truth = np.minimum(scores.klass, kinds - 1) if not named else scores.klass
    found["balanced_accuracy"] = _balanced(told, truth, group, sources, kinds)
    if scores.has_normal and named > 2:
        bad = scores.abnormal
        best = scores.classes[bad][:, 1:].argmax(1) + 1
        found["balanced_accuracy_abnormal"] = _balanced(best, truth[bad], group[bad], sources, named)
    return found


def _of_frames(scores: Scores, score: np.ndarray, group: np.ndarray, sources: int) -> dict[str, Statistic]:
    """How scores of frames rank. Of one video alone nothing is said: its frame numbers may score as well."""
    known, positive = scores.truth >= 0, scores.truth == 1
    owner = scores.owner
    videos = len(np.unique(owner[known]))
    names = ("frame_auc_micro", "frame_ap", "precision_at_k")
    if videos == 1:
        every = (*names, "frame_auc_abnormal", "frame_auc_macro")
        return {name: nothing("one video alone says nothing", sources) for name in every}
    pooled = Ranking.of(score[known], positive[known], group[owner[known]], sources)
    measures = (auc, ap, precision_at_k)
    found = {name: pooled.statistic(measure) for name, measure in zip(names, measures, strict=True)}
    inside = known & scores.abnormal[owner]
    found["frame_auc_abnormal"] = Ranking.of(score[inside], positive[inside], group[owner[inside]], sources).statistic(
        auc
    )
    total, count = np.zeros((2, sources))
    for video in np.unique(owner[positive]).tolist():
        part = scores.part(video)
        own = area(score[part][known[part]], positive[part][known[part]])
        if own is not None:
            total[group[video]] += own
            count[group[video]] += 1
    found["frame_auc_macro"] = ratio(total, count, "no video has both normal and abnormal frames")
    return found


def _tiou(scores: Scores, score: np.ndarray, threshold: float, group: np.ndarray, sources: int) -> Statistic:
    on, true, known = score >= threshold, scores.truth == 1, scores.truth >= 0
    videos = len(scores.video)
    both = np.bincount(scores.owner, on & true, minlength=videos)
    either = np.bincount(scores.owner, (on | true) & known, minlength=videos)
    judged = np.bincount(scores.owner, true, minlength=videos) > 0
    top = np.bincount(group[judged], both[judged] / either[judged], minlength=sources)
    return ratio(top, np.bincount(group[judged], minlength=sources), "no abnormal frame is known")


def _of_events(outcome: Outcome, group: np.ndarray, sources: int) -> dict[str, Statistic]:
    happened, found = group[outcome.events.video], np.isfinite(outcome.delay_s)
    hours = np.bincount(group, outcome.normal_s, minlength=sources) / 3600
    alarmed = np.bincount(group, outcome.alarmed_s, minlength=sources) / 3600
    false = np.bincount(group[outcome.alerts.video], outcome.false, minlength=sources)
    hits = np.bincount(happened, found, minlength=sources)
    why = "no normal time is known"
    return {
        "event_recall": ratio(hits, np.bincount(happened, minlength=sources), "no event is known"),
        "delay_s": median(
            outcome.delay_s[found], happened[found], sources, "no event is found" if len(found) else "no event is known"
        ),
        "false_alarms_per_hour": ratio(false, hours, why),
        "alarmed_share": ratio(alarmed, hours, why),
    }


def _of_people(scores: Scores, group: np.ndarray, sources: int) -> dict[str, Statistic]:
    known = (scores.person_klass >= 0) & np.isfinite(scores.person_classes).all(axis=1)
    if not len(known):
        return {}
    told, kinds = scores.person_classes[known].argmax(1), scores.person_classes.shape[1]
    owner = group[scores.person_video[known]]
    found = _balanced(told, scores.person_klass[known], owner, sources, kinds, "segments")
    return {"segment_balanced_accuracy": found}


def _of_cells(scores: Scores, operating: Operating | None, group: np.ndarray, sources: int) -> dict[str, Statistic]:
    if not scores.cells.size:
        return {}
    owner = np.broadcast_to(group[scores.cells_video][:, None, None], scores.cells.shape)
    known = scores.cells_truth >= 0
    values, true, owner = scores.cells[known], scores.cells_truth[known] == 1, owner[known]
    found = {"cell_auc": Ranking.of(values, true, owner, sources).statistic(auc)}
    if operating:
        on = values >= operating.cell_threshold
        both, either = (np.bincount(owner, part, minlength=sources) for part in (on & true, on | true))
        found["cell_iou"] = ratio(both, either, "no cell is abnormal, or told to be")
    return found


def _share(right: np.ndarray, group: np.ndarray, sources: int) -> Statistic:
    top, bottom = np.bincount(group, right, minlength=sources), np.bincount(group, minlength=sources)
    return ratio(top, bottom, "no video is judged")


def _balanced(
    told: np.ndarray, truth: np.ndarray, group: np.ndarray, sources: int, kinds: int, what: str = "videos"
) -> Statistic:
    right, every = np.zeros((2, sources, kinds))
    np.add.at(right, (group, truth), told == truth)
    np.add.at(every, (group, truth), 1)
    return mean_of_shares(right, every, f"{what} of fewer than two classes")
