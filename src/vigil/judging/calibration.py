"""What the scores of a model mean: where the alarm sounds, what that promises, and how probable a score makes it.

Made from validation alone and frozen, with a hash, before the test split is read. It belongs to the weights and the
settings that it was made for, and is refused with others.

    errors   a one-class model, which says how far a frame is from what is normal: higher is more abnormal
    logits   a supervised model: above 0 is more likely abnormal than not
    classes  names a class and has no normal one: no threshold, and no alarm of its own
"""

import hashlib
import json
from collections.abc import Callable
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from vigil.core.errors import VigilError
from vigil.core.params import Frozen
from vigil.judging import curves
from vigil.statistics import conformal, events, reliability
from vigil.statistics.scores import Scores

Kind = Literal["errors", "logits", "classes"]
Rule = Callable[[float], events.Alerting]  # from a threshold, how scores become alerts
BUNCHES = 0.98  # of normal frames; the threshold at which it is seen whether alerts come in bunches
VIDEOS = 0.1  # share of normal videos that may be flagged, where no abnormal one shows where to cut


class Thresholds(Frozen):
    """Raw scores of a frame. The alarm sounds at `promise`, and at `budget` where nothing can be promised."""

    p90: float  # percentiles of normal frames
    p95: float
    p98: float
    budget: float  # the lowest that keeps to the budget on the normal video of validation
    promise: float | None  # the lowest that keeps to it in the long run, with the confidence of the promise
    video: float | None  # raw score of a video from which it is flagged
    cell: float | None  # raw score of a cell of a map


class Promise(Frozen):
    """What the normal video of validation proves about false alarms to come, and what it would take to prove more."""

    budget: float  # false alarms per hour that are asked for
    confidence: float
    normal_hours: float  # that there were
    sources: int  # that they come from
    dispersion: float | None  # alerts that make one independent one; None: too few to tell, taken as 1
    alerts: int | None  # in the normal video, up to which the budget can be promised; None: not even with none
    per_hour: float | None  # what is promised: at most so many false alarms per hour
    attainable: float  # the smallest budget that this much normal video could promise, without an alert in it
    minutes_needed: float  # more of normal video, to promise the budget; 0 where it is promised

    def sentence(self) -> str:
        """The promise, or what is wanting for one."""
        sure = f"{self.confidence:.0%} confidence"
        if self.per_hour is not None:
            return f"at most {self.per_hour:.3g} false alarms per hour, with {sure}"
        return (
            f"not enough normal video to promise {self.budget:g} false alarms per hour with {sure}: "
            f"{60 * self.normal_hours:.1f} minutes are there, {self.minutes_needed:.1f} more are needed "
            f"(these could promise {self.attainable:.3g})"
        )


class Reliability(Frozen):
    """How far probabilities can be taken at their word, on what they were fitted on."""

    before: float | None  # expected calibration error of sigmoid(raw); None for errors, which are no logits
    after: float | None
    unit: Literal["frames", "videos"]
    bins: tuple[dict[str, float | None], ...]  # after


class Calibration(Frozen):
    kind: Kind
    thresholds: Thresholds | None
    promise: Promise | None
    frame: curves.Curve | None  # of frame scores
    video: curves.Curve | None  # of video scores
    temperature: float | None  # of class logits
    reliability: Reliability | None
    normal_maxima: tuple[float, ...]  # highest frame score of each normal video, in order
    gap_s: Annotated[float, Field(ge=0)]
    notes: tuple[str, ...]
    model_sha256: str
    settings_sha256: str

    @property
    def sha256(self) -> str:
        """Of all that it says."""
        return hashlib.sha256(json.dumps(self.as_json(), sort_keys=True).encode()).hexdigest()

    @property
    def threshold(self) -> float | None:
        """Raw score of a frame at which the alarm sounds."""
        if self.thresholds is None:
            return None
        return self.thresholds.budget if self.thresholds.promise is None else self.thresholds.promise

    def as_json(self) -> dict[str, Any]:
        return self.model_dump(mode="json")

    def check(self, model_sha256: str, settings_sha256: str, where: str = "calibration") -> None:
        """Refuse to serve other weights or settings than it was made for."""
        for what, ours, theirs in (
            ("weights", self.model_sha256, model_sha256),
            ("settings", self.settings_sha256, settings_sha256),
        ):
            if ours != theirs:
                raise VigilError(
                    f"{where}: made for {what} {ours[:12] or 'unknown'}, these are {theirs[:12]}. Calibrate again."
                )

    def operating(self, rule: Rule | None = None) -> events.Operating | None:
        """Where the alarm sounds, for the metrics; `rule` as it was calibrated with."""
        if self.thresholds is None or self.threshold is None:
            return None
        return events.Operating(
            self.threshold,
            self.thresholds.video,
            0.0 if self.thresholds.cell is None else self.thresholds.cell,
            self.gap_s,
            rule(self.threshold) if rule else None,
        )

    def probability(self, raw: np.ndarray, of: Literal["frame", "video"] = "frame") -> np.ndarray:
        """Of raw scores, rising with them; NaN where there is no score."""
        curve = self.frame if of == "frame" else self.video
        if curve is None:
            raise VigilError(f"a model of kind {self.kind} has no probability of being abnormal. Ask for its classes.")
        return curve(raw)

    def p_value(self, raw: np.ndarray) -> np.ndarray:
        """How often a normal video would reach such a score at its highest."""
        return conformal.p_values(np.array(self.normal_maxima), np.asarray(raw, np.float64))


def calibrate(
    scores: Scores,
    kind: Kind,
    *,
    budget: float,
    confidence: float = 0.95,
    gap_s: float = events.GAP_S,
    rule: Rule | None = None,
    model_sha256: str = "",
    settings_sha256: str = "",
) -> Calibration:
    """Of validation scores. `budget` in false alarms per hour; `rule` if alerts are more than runs of high scores."""
    scores = scores.judged()
    if not len(scores.video):
        raise VigilError("calibrate: no validation video has a label that the model knows. Check its classes.")
    thresholds, promise, notes = None, None, []
    maxima: tuple[float, ...] = ()
    frame, video, reliable = None, None, None
    if kind != "classes":
        thresholds, promise, maxima = _thresholds(scores, budget, confidence, gap_s, rule)
        if promise.per_hour is None:
            notes.append(promise.sentence())
        on = thresholds.budget if thresholds.promise is None else thresholds.promise
        frame, unit, told = curves.of_frames(scores, kind == "logits", on)
        video, more = curves.of_videos(scores, kind == "logits", on if thresholds.video is None else thresholds.video)
        notes += [note for note in (told, more) if note]
        reliable = _reliability(scores, kind, frame, unit)
    return Calibration(
        kind=kind,
        thresholds=thresholds,
        promise=promise,
        frame=frame,
        video=video,
        temperature=_temperature(scores),
        reliability=reliable,
        normal_maxima=maxima,
        gap_s=gap_s,
        notes=tuple(notes),
        model_sha256=model_sha256,
        settings_sha256=settings_sha256,
    )


def recalibrate(
    old: Calibration, scores: Scores, *, budget: float, confidence: float = 0.95, rule: Rule | None = None
) -> Calibration:
    """For one camera, from its own normal video: other thresholds and another promise, which move the probabilities.

    Where the alarm sounds is as probable as before; how fast probability rises, and all about classes, stays.
    """
    if old.threshold is None or old.thresholds is None or old.frame is None:
        raise VigilError(f"a calibration of kind {old.kind} has no thresholds to set anew.")
    thresholds, promise, maxima = _thresholds(scores.judged(), budget, confidence, old.gap_s, rule)
    thresholds = thresholds.model_copy(update={"video": old.thresholds.video, "cell": old.thresholds.cell})
    now = thresholds.budget if thresholds.promise is None else thresholds.promise
    return old.model_copy(
        update={
            "thresholds": thresholds,
            "promise": promise,
            "frame": old.frame.moved(old.threshold, now),
            "reliability": None,
            "normal_maxima": maxima,
            "notes": (promise.sentence(),) if promise.per_hour is None else (),
        }
    )


def _thresholds(
    scores: Scores, budget: float, confidence: float, gap_s: float, rule: Rule | None
) -> tuple[Thresholds, Promise, tuple[float, ...]]:
    normal = scores.select(~scores.abnormal)
    known = normal.score[(normal.truth == 0) & np.isfinite(normal.score)]
    if not len(known):
        what = "no normal video" if not len(normal.video) else "no score in any frame of the normal videos"
        raise VigilError(f"calibrate: {what} in validation, so nothing says when to alarm. Add some normal video.")

    p90, p95, p98, loose = (float(np.quantile(known, q, method="higher")) for q in (0.9, 0.95, 0.98, BUNCHES))

    def alerts(threshold: float) -> np.ndarray:
        found = events.raised(normal, rule(threshold)) if rule else events.alerts(normal, threshold, gap_s)
        return events.charged(found, len(normal.video))

    lasts = (normal.until_s - normal.time_s) * (normal.truth == 0)
    hours = np.bincount(normal.owner, lasts, minlength=len(normal.video)) / 3600
    total = float(hours.sum())
    seen = alerts(loose)
    group = np.searchsorted(normal.names, normal.source)
    bunched = conformal.dispersion(np.bincount(group, seen), np.bincount(group, hours))
    spread = 1.0 if bunched is None else bunched
    most = conformal.allowed(total, budget, confidence, spread)

    def lowest(limit: float) -> float:
        return conformal.lowest_threshold(known, lambda threshold: float(alerts(threshold).sum()), limit)

    needed = conformal.hours_needed(budget, confidence, spread)
    promise = Promise(
        budget=float(budget),
        confidence=confidence,
        normal_hours=total,
        sources=len(normal.names),
        dispersion=bunched,
        alerts=most,
        per_hour=None if most is None else conformal.upper_rate(most, total, confidence, spread),
        attainable=conformal.upper_rate(0, total, confidence, spread) if total else 0.0,
        minutes_needed=max(0.0, 60 * (needed - total)),
    )
    peaks = np.full(len(normal.video), -np.inf)
    np.maximum.at(peaks, normal.owner, normal.score)
    thresholds = Thresholds(
        p90=p90,
        p95=p95,
        p98=p98,
        budget=lowest(budget * total),
        promise=None if most is None else lowest(most),
        video=curves.video_cut(scores, VIDEOS),
        cell=curves.cell_cut(scores),
    )
    return thresholds, promise, tuple(np.sort(peaks[np.isfinite(peaks)]).tolist())


def _temperature(scores: Scores) -> float | None:
    sure = np.isfinite(scores.classes).all(axis=1)
    if scores.classes.shape[1] < 2 or not sure.any():
        return None
    return reliability.multiclass_temperature(scores.classes[sure], scores.klass[sure])


def _reliability(scores: Scores, kind: Kind, curve: curves.Curve, unit: Literal["frames", "videos"]) -> Reliability:
    if unit == "frames":
        known = scores.truth >= 0
        raw, true = scores.score[known], scores.truth[known] == 1
    else:
        raw, true = scores.video_score, scores.abnormal
    raw, true = raw[np.isfinite(raw)], true[np.isfinite(raw)]
    after, bins = reliability.ece(curve(raw), true)
    before = reliability.ece(reliability.expit(raw), true)[0] if kind == "logits" else None
    return Reliability(before=before, after=after, unit=unit, bins=tuple(one.told_as() for one in bins))
