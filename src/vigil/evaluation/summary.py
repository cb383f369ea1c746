"""What the evaluations of all models come to: one number each, whether it beats what needs no model, and each other.

The number that a model is known by is an area that needs no threshold: of its maps, if it has maps; of videos, if it
knows normal ones; else how many classes it names right, each counting as much.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any

import numpy as np

from vigil.evaluation import baselines, fusion, metrics
from vigil.judging.calibrated import Calibrated, alerting
from vigil.judging.calibration import Calibration, calibrate
from vigil.statistics.events import Operating
from vigil.statistics.intervals import Difference, difference, draws, rounded
from vigil.statistics.scores import Scores

FUSED = "fused"
TAKEN = (
    "video_auc",
    "frame_auc_abnormal",
    "frame_ap",
    "event_recall",
    "delay_s",
    "false_alarms_per_hour",
    "balanced_accuracy",
    "cell_auc",
)
ORACLE = "oracle_video_label"  # knows the answer


@dataclass(frozen=True, eq=False)
class Entry:
    """All that is known of one model. What could not be read is None, and `reason` says why."""

    name: str
    metrics: Mapping[str, Any] = field(default_factory=dict)  # of metrics/<model>.json
    test: Scores | None = None
    val: Scores | None = None
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)  # of the test file: attention, maps
    calibrated: Calibrated | None = None
    history: Sequence[Mapping[str, str]] = ()
    classes: Sequence[str] = ()  # names, in the order of the model
    reason: str | None = None

    @property
    def operating(self) -> Operating | None:
        return None if self.calibrated is None else self.calibrated.operating

    @property
    def calibration(self) -> Calibration | None:
        return None if self.calibrated is None else self.calibrated.calibration

    @property
    def headline(self) -> str:
        if self.test is None:
            found = [name for name in ("cell_auc", "video_auc", "balanced_accuracy") if name in self.metrics]
            return found[0] if found else "video_auc"
        if self.test.cells.size:
            return "cell_auc"
        return "video_auc" if self.test.has_normal else "balanced_accuracy"

    @property
    def alarms(self) -> bool:
        """Whether it says how abnormal a frame is: then it can be fused."""
        return self.calibration is not None and self.calibration.frame is not None and self.headline == "video_auc"


@dataclass(frozen=True, eq=False)
class Fused:
    """Several models as one, fitted on validation, and what that is worth on the test split."""

    fusion: fusion.Fusion
    calibrated: Calibrated
    val: Scores
    test: Scores
    found: metrics.Evaluation

    def as_json(self) -> dict[str, Any]:
        """What is needed to hear them as one."""
        made = self.calibrated.model_dump(mode="json") | {"sha256": self.calibrated.sha256}
        return {"fusion": self.fusion.model_dump(mode="json"), "calibration": made}


def summarise(entries: Sequence[Entry], fused: Fused | None, rounds: int, seed: int) -> dict[str, Any]:
    """For JSON."""
    told: dict[str, Any] = {"models": {one.name: _model(one, rounds, seed) for one in entries}}
    together = [*entries]
    if fused is not None:
        as_entry = fused_entry(fused)
        told[FUSED] = _model(as_entry, rounds, seed) | {"models": list(fused.fusion.models)}
        together = [as_entry, *entries]
    told["pairs"] = {
        f"{one.name} over {other.name}": _difference(found) | {"metric": one.headline}
        for one, other in combinations(together, 2)
        if (found := _pair(one, other, rounds, seed)) is not None
    }
    return told


def fuse(entries: Sequence[Entry], rounds: int, seed: int) -> Fused | None:
    """The detector that hears all models that sound alarms, under their budget; None with fewer than two."""
    able = {one.name: one for one in entries if one.alarms and one.val is not None and one.test is not None}
    val = {name: one.val for name, one in able.items() if one.val is not None}
    test = {name: one.test for name, one in able.items() if one.test is not None}
    known = {name: one.calibrated for name, one in able.items() if one.calibrated is not None}
    if len(able) < 2:
        return None
    made = fusion.fit(val, *_told(known, val), {name: one.sha256 for name, one in known.items()})
    table = _seen(made.table(val, *_told(known, val)), val)
    wanted = known[made.models[0]].wanted
    normal = table.score[(table.truth == 0) & ~table.abnormal[table.owner] & np.isfinite(table.score)]
    if not len(normal):
        return None
    ordinary = float(np.median(normal))
    calibrated = Calibrated(
        calibration=calibrate(
            table,
            "logits",
            budget=wanted.false_alarms_per_hour,
            confidence=wanted.confidence,
            gap_s=wanted.alert.hold_s,
            rule=lambda threshold: alerting(threshold, wanted, ordinary),
        ),
        wanted=wanted,
        ordinary=ordinary,
    )
    judged = _seen(made.table(test, *_told(known, test)), test)
    found = metrics.evaluate(judged, calibrated.operating, rounds=rounds, seed=seed)
    return Fused(made, calibrated, table, judged, found)


def fused_entry(fused: Fused) -> Entry:
    """To be shown beside the models."""
    told = fused.found.told()
    told["confusion"] = {"classes": ["normal", "abnormal"], "table": told["confusion"]}
    promise = fused.calibrated.calibration.promise
    told["operating_point"] = {"promise": promise.sentence()} if promise else {}
    told["notes"] = [*fused.fusion.notes, *fused.calibrated.calibration.notes, *told["notes"]]
    told["baselines"] = {
        baseline: {name: {"value": rounded(one.value)} for name, one in metrics.statistics(table).items()}
        for baseline, table in baselines.tables(fused.test, fused.val).items()
    }
    return Entry(FUSED, told, fused.test, fused.val, {}, fused.calibrated)


def _seen(table: Scores, tables: Mapping[str, Scores]) -> Scores:
    """With people, motion and what is unusual as the models' tables have them, for the trivial baselines."""
    people, motion, unusual = np.full((3, len(table.score)), np.nan)
    for mine in tables.values():
        places = {name: place for place, name in enumerate(mine.video.tolist())}
        for number, name in enumerate(table.video.tolist()):
            if name in places and mine.frames[places[name]] == table.frames[number]:
                part, theirs = table.part(number), mine.part(places[name])
                people[part], motion[part] = mine.people[theirs], mine.motion[theirs]
                unusual[part] = mine.unusual[theirs]
    return replace(table, people=people, motion=motion, unusual=unusual)


def _told(
    known: Mapping[str, Calibrated], tables: Mapping[str, Scores]
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Probabilities by model, of frames and of videos."""
    frames = {name: one.calibration.probability(tables[name].score) for name, one in known.items()}
    videos = {name: one.calibration.probability(tables[name].video_score, "video") for name, one in known.items()}
    return frames, videos


def _model(entry: Entry, rounds: int, seed: int) -> dict[str, Any]:
    name = entry.headline
    told = {"headline": name, **_taken(entry.metrics.get(name))}
    told |= {other: _taken(entry.metrics[other]) for other in TAKEN if other in entry.metrics}
    if entry.reason:
        told["reason"] = entry.reason
    if entry.test is None or told["value"] is None:
        return told | {"baseline": None, "beats_baselines": None}
    judged = entry.test.judged()
    found = {
        baseline: apart
        for baseline, table in baselines.tables(judged, entry.val).items()
        if baseline != ORACLE and (apart := paired(judged, table, name, rounds, seed)) is not None
    }
    if not found:
        return told | {"baseline": None, "beats_baselines": None}
    best = min(found, key=lambda baseline: (found[baseline].interval.value, baseline))
    apart = found[best]
    return told | {
        "baseline": {
            "name": best,
            "value": rounded(told["value"] - (apart.interval.value or 0.0)),
            "apart": _difference(apart),
        },
        "beats_baselines": all(one.clear > 0 for one in found.values()),
    }


def _pair(one: Entry, other: Entry, rounds: int, seed: int) -> Difference | None:
    """None where the two answer different questions: other metrics, or no videos of both kinds that both judge."""
    if one.test is None or other.test is None or one.headline != other.headline:
        return None
    return paired(one.test.judged(), other.test.judged(), one.headline, rounds, seed)


def paired(one: Scores, other: Scores, metric: str, rounds: int, seed: int) -> Difference | None:
    """Of one metric alone, on the videos that both judge; None where there is nothing to measure."""
    one, other = (mine.select(np.isin(mine.video, theirs.video)) for mine, theirs in ((one, other), (other, one)))
    names = one.names.tolist()
    if not names or names != other.names.tolist():
        return None
    ours, theirs = (metrics.statistics(scores, None, names).get(metric) for scores in (one, other))
    if ours is None or theirs is None or ours.value is None or theirs.value is None:
        return None
    return difference(ours, theirs, draws(len(names), rounds, seed))


def _difference(found: Difference) -> dict[str, Any]:
    return {**found.interval.told(), "p": rounded(found.p), "clear": found.clear}


def _taken(metric: Mapping[str, Any] | None) -> dict[str, Any]:
    """A metric of a model's file; without one, nothing is known."""
    if metric is None:
        return {"value": None, "low": None, "high": None, "n": 0, "reason": "not evaluated"}
    return {key: metric[key] for key in ("value", "low", "high", "n", "reason") if key in metric}
