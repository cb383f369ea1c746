"""What the evaluations of all models come to: one number each, whether it beats what needs no model, and each other.

The number that a model is known by is an area that needs no threshold: of its maps, if it has maps; of videos, if it
knows normal ones; else how many classes it names right, each counting as much.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any

import numpy as np

from vigil.evaluation import fusion, metrics
from vigil.evaluation.baselines import NO_AIDS, Aids, baseline_tables
from vigil.evaluation.fusion import FUSED, validation_probabilities
from vigil.evaluation.model_metrics import describe_difference, describe_leads
from vigil.judging.calibration import Calibration
from vigil.statistics.events import OperatingPoint
from vigil.statistics.intervals import Difference, Statistic, difference, draws, rounded
from vigil.statistics.scores import Scores

SUMMARY_METRICS = (
    "video_auc",
    "frame_auc_abnormal",
    "frame_ap",
    "event_recall",
    "event_recall_1s",
    "event_recall_3s",
    "event_recall_10s",
    "false_alarms_per_hour",
    "alarmed_share",
    "balanced_accuracy",
    "cell_auc",
)


@dataclass(frozen=True, eq=False)
class Entry:
    """All that is known of one model. What could not be read is None, and `reason` says why."""

    name: str
    metrics: Mapping[str, Any] = field(default_factory=dict)  # of metrics/models/<model>.json
    test: Scores | None = None
    val: Scores | None = None
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)  # of the test file: attention, maps
    calibration: Calibration | None = None
    history: Sequence[Mapping[str, str]] = ()
    classes: Sequence[str] = ()  # names, in the order of the model
    reason: str | None = None

    @property
    def operating_point(self) -> OperatingPoint | None:
        """Says where its alarm sounds; None for a model that raises none."""
        return None if self.calibration is None else self.calibration.operating_point

    @property
    def headline(self) -> str:
        """The metric that the model is known by."""
        if self.test is None:
            measured = [name for name in ("cell_auc", "video_auc", "balanced_accuracy") if name in self.metrics]
            return measured[0] if measured else "video_auc"
        if self.test.cells.size:  # where nobody marked what moves, it is known by its verdicts on videos
            is_marked = self.metrics.get("cell_auc", {}).get("value") is not None
            return "cell_auc" if is_marked else "balanced_accuracy"
        return "video_auc" if self.test.has_normal else "balanced_accuracy"

    @property
    def raises_alarms(self) -> bool:
        """Whether it says how abnormal a frame is: then it can be fused."""
        return self.calibration is not None and self.calibration.frame is not None and self.headline == "video_auc"


@dataclass(frozen=True, eq=False)
class Fused:
    """Several models as one, fitted on validation, and what that is worth on the test split.

    `val` are scores of sources that the detector was not fitted on, and the calibration is made of them.
    """

    fusion: fusion.Fusion
    calibration: Calibration
    val: Scores
    test: Scores
    evaluation: metrics.Evaluation
    baselines: Mapping[str, Mapping[str, Statistic]]
    against: Mapping[str, Any]  # by metric, the baseline that comes closest

    def to_json(self) -> dict[str, Any]:
        """What is needed to hear them as one."""
        calibration = self.calibration.to_json() | {"sha256": self.calibration.sha256}
        return {"fusion": self.fusion.model_dump(mode="json"), "calibration": calibration}


def summarise(entries: Sequence[Entry], fused: Fused | None, rounds: int, seed: int) -> dict[str, Any]:
    """The record of metrics/summary.json."""
    record: dict[str, Any] = {"models": {entry.name: _describe_entry(entry) for entry in entries}}
    compared = [*entries]
    if fused is not None:
        as_entry = fused_entry(fused)
        record[FUSED] = _describe_entry(as_entry) | {"models": list(fused.fusion.models)}
        compared = [as_entry, *entries]
    record["pairs"] = {
        f"{entry.name} over {other.name}": describe_difference(lead) | {"metric": entry.headline}
        for entry, other in combinations(compared, 2)
        if (lead := _compare_entries(entry, other, rounds, seed)) is not None
    }
    return record


def fuse(entries: Sequence[Entry], rounds: int, seed: int, aids: Aids = NO_AIDS) -> Fused | None:
    """The detector that hears all models that sound alarms, under their budget; None with fewer than two."""
    alarming = [entry for entry in entries if entry.raises_alarms]
    val = {entry.name: entry.val for entry in alarming if entry.val is not None and entry.test is not None}
    test = {entry.name: entry.test for entry in alarming if entry.val is not None and entry.test is not None}
    calibrations = {entry.name: entry.calibration for entry in alarming if entry.name in val and entry.calibration}
    if len(val) < 2:
        return None
    hashes = {name: calibration.sha256 for name, calibration in calibrations.items()}
    detector = fusion.fit_fusion(val, *validation_probabilities(calibrations, val), hashes)
    held_out = fusion.hold_out(calibrations, val)
    val_table = _with_features(held_out.scores, val)
    is_normal = (val_table.truth == 0) & ~val_table.abnormal[val_table.owner]
    if not np.isfinite(val_table.score[is_normal]).any():
        return None
    params = calibrations[detector.models[0]].params
    calibration = fusion.calibrate_fusion(held_out._replace(scores=val_table), calibrations, params)
    test_table = _with_features(detector.table(test, *validation_probabilities(calibrations, test)), test)
    evaluation = metrics.evaluate(test_table, calibration.operating_point, rounds=rounds, seed=seed)
    trivial = {
        name: {key: value for key, value in metrics.statistics(table).items() if value.value is not None}
        for name, table in baseline_tables(test_table, val_table, aids).items()
    }
    judged = test_table.select_judged()
    against = describe_leads(judged, trivial, draws(len(judged.names), rounds, seed))
    if held_out.left_out:
        videos = held_out.left_out + len(val_table.video)
        note = (
            f"{held_out.left_out} of {videos} videos of validation are left out where the alarm is set: without their "
            "sources, one kind of video is not known"
        )
        calibration = calibration.model_copy(update={"notes": (*calibration.notes, note)})
    return Fused(detector, calibration, val_table, test_table, evaluation, trivial, against)


def fused_entry(fused: Fused) -> Entry:
    """To be shown beside the models."""
    record = fused.evaluation.to_json()
    record["confusion"] = {"classes": ["normal", "abnormal"], "table": record["confusion"]}
    promise = fused.calibration.promise
    record["operating_point"] = {"promise": promise.sentence()} if promise else {}
    notes = [*fused.fusion.notes, *fused.calibration.notes, *record["notes"]]
    record["notes"] = list(dict.fromkeys(notes))
    record["baselines"] = {
        baseline: {name: {"value": rounded(statistic.value)} for name, statistic in rows.items()}
        for baseline, rows in fused.baselines.items()
    }
    record["against_baselines"] = fused.against
    return Entry(FUSED, record, fused.test, fused.val, {}, fused.calibration)


def _with_features(table: Scores, tables: Mapping[str, Scores]) -> Scores:
    """Adds people, motion and what is unusual from the models' tables, for the trivial baselines."""
    people, motion, unusual = np.full((3, len(table.score)), np.nan)
    for source in tables.values():
        indices = {name: index for index, name in enumerate(source.video.tolist())}
        for number, name in enumerate(table.video.tolist()):
            if name in indices and source.frames[indices[name]] == table.frames[number]:
                frames, source_frames = table.frames_of(number), source.frames_of(indices[name])
                people[frames], motion[frames] = source.people[source_frames], source.motion[source_frames]
                unusual[frames] = source.unusual[source_frames]
    return replace(table, people=people, motion=motion, unusual=unusual)


def _describe_entry(entry: Entry) -> dict[str, Any]:
    name = entry.headline
    record = {"headline": name, **_shorten_metric(entry.metrics.get(name))}
    record |= {other: _shorten_metric(entry.metrics[other]) for other in SUMMARY_METRICS if other in entry.metrics}
    if entry.reason:
        record["reason"] = entry.reason
    if entry.test is None or record["value"] is None:
        return record | {"baseline": None, "beats_baselines": None}
    against = entry.metrics.get("against_baselines", {}).get(name)
    if against is None:
        return record | {"baseline": None, "beats_baselines": None}
    baseline = {key: value for key, value in against.items() if key != "beaten"}
    return record | {"baseline": baseline, "beats_baselines": against["beaten"]}


def _compare_entries(entry: Entry, other: Entry, rounds: int, seed: int) -> Difference | None:
    """Returns None where the two cannot be compared: other metrics, or no videos of both kinds that both judge."""
    if entry.test is None or other.test is None or entry.headline != other.headline:
        return None
    return paired_difference(entry.test.select_judged(), other.test.select_judged(), entry.headline, rounds, seed)


def paired_difference(scores: Scores, other: Scores, metric: str, rounds: int, seed: int) -> Difference | None:
    """Returns by how much a metric is higher than with the other scores, on the videos that both judge.

    None where there is nothing to measure.
    """
    tables = [scores.select(np.isin(scores.video, other.video)), other.select(np.isin(other.video, scores.video))]
    names = tables[0].names.tolist()
    if not names or names != tables[1].names.tolist():
        return None
    statistic, of_other = (metrics.statistics(table, None, names).get(metric) for table in tables)
    if statistic is None or of_other is None or statistic.value is None or of_other.value is None:
        return None
    return difference(statistic, of_other, draws(len(names), rounds, seed))


def _shorten_metric(metric: Mapping[str, Any] | None) -> dict[str, Any]:
    """A metric of a model's file; without one, nothing is known."""
    if metric is None:
        return {"value": None, "low": None, "high": None, "n": 0, "reason": "not evaluated"}
    keys = ("value", "low", "high", "n", "alarms", "minutes", "reason")
    return {key: metric[key] for key in keys if key in metric}
