"""The part of the report that is about one model at a time: curves, mistakes, metrics, and what it looks at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from vigil.evaluation.probabilities import measure_reliability
from vigil.evaluation.summary import Entry
from vigil.report import plots
from vigil.report.attention_section import AttendedWindow, attended_windows
from vigil.report.film import Film
from vigil.report.map_section import MapPictures, map_pictures
from vigil.report.model_scores import ModelScores
from vigil.report.plots import Chart, Line
from vigil.report.records import Picture, Table, metrics_table
from vigil.report.words import NOTHING, format_number, quantity, seconds
from vigil.statistics.ranking import Ranking

PICTURED_MISTAKES = 2  # at most, of each kind and model


class Figure(NamedTuple):
    title: str
    text: str
    chart: Chart
    legend: Sequence[str] = ()  # what the colours of its lines are


class Confusion(NamedTuple):
    """Numbers of videos by true class (row) and predicted class (column)."""

    classes: Sequence[str]
    counts: Sequence[Sequence[int]]


class Mistakes(NamedTuple):
    """The number of mistakes in words, and the worst as pictures."""

    tally: str
    pictures: Sequence[Picture]


@dataclass(frozen=True)
class ModelArticle:
    """The section of a model; of one that could not be judged it has only the reason."""

    name: str
    colour: int
    reason: str | None = None
    promise: str | None = None
    figures: Sequence[Figure] = ()
    confusion: Confusion | None = None
    mistakes: Mistakes | None = None
    attention: Sequence[AttendedWindow] = ()
    maps: MapPictures | None = None
    metrics: Table | None = None
    breakdowns: Sequence[Table] = ()
    notes: Sequence[str] = ()


def describe_model(entry: Entry, scores: ModelScores | None, colour: int, film: Film) -> ModelArticle:
    if entry.test is None:
        return ModelArticle(entry.name, colour, reason=entry.reason or "no scores")
    metrics = entry.metrics
    return ModelArticle(
        entry.name,
        colour,
        promise=metrics.get("operating_point", {}).get("promise"),
        figures=[*_rankings(entry, colour), *_reliability(scores, colour), *_training(entry)],
        confusion=_confusion(metrics),
        mistakes=_mistakes(scores, film),
        attention=attended_windows(entry, colour, film),
        maps=map_pictures(entry, film),
        metrics=metrics_table(f"{entry.name} on the test split", metrics),
        breakdowns=_breakdowns(metrics),
        notes=[note for note in metrics.get("notes", []) if isinstance(note, str)],
    )


def _rankings(entry: Entry, colour: int) -> list[Figure]:
    """Draws ROC and precision over recall: of cells, or of videos and of the frames of abnormal ones."""
    assert entry.test is not None
    judged = entry.test.select_judged()
    rankings: list[tuple[str, Ranking]] = []
    if judged.cells.size:
        with_truth = judged.cells_truth >= 0
        rankings.append(("cells", _ranking(judged.cells[with_truth], judged.cells_truth[with_truth] == 1)))
    elif judged.has_normal:
        with_truth = (judged.truth >= 0) & judged.abnormal[judged.owner]
        rankings.append(("videos", _ranking(judged.video_score, judged.abnormal)))
        rankings.append(
            ("frames of abnormal videos", _ranking(judged.score[with_truth], judged.truth[with_truth] == 1))
        )
    rankings = [(name, ranking) for name, ranking in rankings if ranking.reason is None]
    if not rankings:
        return []
    names = " (dashed: ".join(name for name, _ in rankings) + (")" if len(rankings) > 1 else "")
    roc = [Line(name, *ranking.roc(), colour, number > 0) for number, (name, ranking) in enumerate(rankings)]
    precision = [Line(name, *ranking.pr(), colour, number > 0) for number, (name, ranking) in enumerate(rankings)]
    return [
        Figure("ROC", f" of {names}", plots.roc_chart(roc, f"ROC of {names}")),
        Figure(
            "Precision", f" of {names}", plots.precision_recall_chart(precision, f"precision over recall of {names}")
        ),
    ]


def _ranking(score: np.ndarray, positive: np.ndarray) -> Ranking:
    return Ranking.of(score, positive, np.zeros(len(score), np.int64), 1)


def _reliability(scores: ModelScores | None, colour: int) -> list[Figure]:
    if scores is None or scores.entry.calibration is None:
        return []
    error, bins = measure_reliability(scores.table, scores.entry.calibration)
    if error is None:
        return []
    points = [
        (group.predicted, group.observed)
        for group in bins
        if group.predicted is not None and group.observed is not None
    ]
    predicted, observed = np.array(points).T
    chart = plots.reliability_chart(predicted, observed, f"calibration error {error:.3f}", colour)
    return [Figure("Reliability", f" of {scores.entry.calibration.fitted_on}: off by {error:.3f} on average", chart)]


def _training(entry: Entry) -> list[Figure]:
    losses = [name for name in ("train_loss", "val_loss") if entry.history and name in entry.history[0]]
    chart = plots.history_chart(entry.history, losses, f"losses of {entry.name} by epoch")
    return [Figure("Training", ": ", chart, [name.replace("_", " ") for name in losses])] if chart else []


def _confusion(metrics: Mapping[str, Any]) -> Confusion | None:
    confusion = metrics.get("confusion") or {}
    if not any(map(any, confusion.get("table") or [])):
        return None
    return Confusion([str(name) for name in confusion["classes"]], confusion["table"])


def _mistakes(scores: ModelScores | None, film: Film) -> Mistakes | None:
    """Pictures the worst false alarms, and the worst misses, each of another video."""
    if scores is None or scores.outcome is None:
        return None
    alerts, events, table = scores.outcome.alerts, scores.outcome.events, scores.table
    false, missed = [], []
    for index in np.flatnonzero(scores.outcome.false).tolist():
        row = int(alerts.video[index])
        p, time_s = scores.peak(row, float(alerts.start_s[index]), float(alerts.stop_s[index]))
        false.append((p, row, time_s))
    for index in np.flatnonzero(np.isnan(scores.outcome.delay_s)).tolist():
        row, start_s, stop_s = int(events.video[index]), float(events.start_s[index]), float(events.stop_s[index])
        missed.append((scores.peak(row, start_s, stop_s)[0], row, (start_s + stop_s) / 2))
    false.sort(key=lambda mistake: (-mistake[0], mistake[1]))
    missed.sort()
    pictures = []
    for mistakes, kind in ((false, "False alarm, probability {:.0%}"), (missed, "Missed, probability {:.0%} at most")):
        for p, row, time_s in _of_different_videos(mistakes):
            video = str(table.video[row])
            words = f"{kind.format(p)}. {video.split('/', 1)[-1]} ({table.label[row]}) at {seconds(time_s)}"
            pictures.append(Picture(film.address_at_time(video, time_s), words))
    false_alarms = quantity(int(scores.outcome.false_alarms.sum()), "false alarm")
    minutes = f"{float(scores.outcome.normal_s.sum()) / 60:.1f} minutes of normal time"
    tally = f"{false_alarms} in {minutes}; {len(missed)} of {quantity(len(events.video), 'event')} missed."
    return Mistakes(tally, pictures)


def _of_different_videos(mistakes: Sequence[tuple[float, int, float]]) -> list[tuple[float, int, float]]:
    """Returns the first mistake (p, video, time) of each video, at most `PICTURED_MISTAKES`."""
    by_video: dict[int, tuple[float, int, float]] = {}
    for mistake in mistakes:
        by_video.setdefault(mistake[1], mistake)
    return list(by_video.values())[:PICTURED_MISTAKES]


def _breakdowns(metrics: Mapping[str, Any]) -> list[Table]:
    """Returns a table of results by class and one by source."""
    tables = []
    for key, title in (("classes", "By label"), ("sources", "By source")):
        entries = metrics.get(key) or {}
        columns = list(dict.fromkeys(column for entry in entries.values() for column in entry))
        if columns:
            rows = [[name, *(_format_cell(entry.get(column)) for column in columns)] for name, entry in entries.items()]
            tables.append(Table(title, [title[3:], *(column.replace("_", " ") for column in columns)], rows))
    return tables


def _format_cell(value: object) -> str:
    if isinstance(value, float):
        return format_number(value)
    return NOTHING if value is None else str(value)
