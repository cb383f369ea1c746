"""What the scores of a model mean: where the alarm sounds, what that promises, and how probable a score makes it.

Made from validation alone and frozen in models/calibration/<model>.json, with a hash, before the test split is read. It
belongs to the weights and the settings that it was made for, and is refused with others. See calibration_fit.py.

    errors   a one-class model, which says how far a frame is from what is normal: higher is more abnormal
    logits   a supervised model: above 0 is more likely abnormal than not
    classes  names a class and has no normal one: no threshold, and no alarm of its own
"""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field

from vigil.core.errors import VigilError
from vigil.core.params import Frozen
from vigil.core.skipping import why_skipped
from vigil.core.storage import read_json, sha256_json, write_json
from vigil.judging.curves import Curve
from vigil.judging.stored import JudgingParams
from vigil.models.checkpoint import Checkpoint
from vigil.statistics.alerts import Rule
from vigil.statistics.events import OperatingPoint
from vigil.statistics.intervals import rounded
from vigil.statistics.reliability import ClassScaling

AGAIN = "Calibrate again: `vigil repro` does, or `vigil calibrate` for one camera."
ScoreType = Literal["errors", "logits", "classes"]


class AlertParams(Frozen):
    """How scores become alerts, whatever the threshold."""

    hysteresis: Annotated[float, Field(ge=0, lt=1)]  # of the way from an ordinary score to the threshold: how far an
    # alert that is on may fall below the threshold
    hold_s: Annotated[float, Field(ge=0)]  # s that it may be below even that
    cooldown_s: Annotated[float, Field(ge=0)]  # s after its end in which no other is raised

    def rule_at(self, threshold: float, normal_median: float | None) -> Rule:
        """The rule that alarms at `threshold`; without a `normal_median` an alert is let go at the threshold too."""
        fall = self.hysteresis * max(0.0, threshold - (threshold if normal_median is None else normal_median))
        return Rule(threshold=threshold, release=threshold - fall, hold_s=self.hold_s, cooldown_s=self.cooldown_s)


class CalibrationParams(Frozen):
    """Section `calibrate` of params.yaml."""

    false_alarms_per_hour: Annotated[float, Field(gt=0)]  # that are acceptable
    confidence: Annotated[float, Field(gt=0.5, lt=1)]  # of the promise that there will not be more
    step: Annotated[float, Field(gt=0, le=1)]  # windows, from one that is judged to the next
    alert: AlertParams
    base_rate: Annotated[float, Field(gt=0, lt=1)] | None = None  # share of time that is abnormal where it will watch
    # (of videos, for a curve that is fitted on videos); None: that of validation


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
    normal_hours: float  # of normal video in validation
    sources: int  # that they come from
    variation: float  # squared coefficient of variation of their rates, measured and assumed: statistics/conformal.py
    dispersion: float  # alerts that make one independent one, within the budget
    alerts: int | None  # in the normal video, up to which the budget can be promised; None: not even with none
    per_hour: float | None  # what is promised: at most so many false alarms per hour
    attainable: float | None  # the smallest budget that this much normal video could promise, without an alert in it;
    # None: no budget
    minutes_needed: float | None  # more of normal video, to promise the budget; 0 where it is promised; None: no
    # length is enough from so few sources
    choices: int = 1  # models (epochs) among which these videos chose; the confidence allows for the best of so many
    withheld: str | None = None  # why nothing is promised, whatever the normal video would allow

    def sentence(self) -> str:
        """The promise, or what is wanting for one."""
        confidence = f"{self.confidence:.0%} confidence"
        if self.per_hour is not None:
            basis = f"from {60 * self.normal_hours:.1f} minutes of {self.sources} sources"
            return f"at most {_hourly(f'{self.per_hour:.3g}')}, with {confidence}, {basis}"
        refusal = f"to promise {_hourly(f'{self.budget:g}')} with {confidence}"
        if self.withheld is not None:
            return f"nothing {refusal}: {self.withheld}"
        minutes = f"{60 * self.normal_hours:.1f} minutes"
        if self.minutes_needed is None:
            return (
                f"not enough sources {refusal}: {minutes} from {self.sources} are there, and however long they are "
                "watched, so few do not show how much cameras, or days of one camera, differ"
            )
        could = "" if self.attainable is None else f" (these could promise {self.attainable:.3g})"
        return (
            f"not enough normal video {refusal}: {minutes} are there, {self.minutes_needed:.1f} more are needed{could}"
        )


def _hourly(rate: str) -> str:
    return f"{rate} false {'alarm' if rate == '1' else 'alarms'} per hour"


class Reliability(Frozen):
    """How far probabilities can be taken at their word, on sources that they were not fitted on."""

    before: float | None  # expected calibration error of the raw logits as they are; None for errors, which are none
    after: float | None  # of each source by what was fitted on the others; None: nothing could be held out
    in_sample: float | None  # on what they were fitted on: too kind
    unit: Literal["frames", "videos"]
    bins: tuple[dict[str, float | None], ...]  # after


class Calibration(Frozen):
    """All that is frozen of one model, with the params by which it was made."""

    score_type: ScoreType
    thresholds: Thresholds | None
    promise: Promise | None
    frame: Curve | None  # probability of a frame's score
    video: Curve | None  # probability of a video's score
    temperature: float | None  # of class logits
    class_offsets: tuple[float, ...]  # added to the logits of the classes, after the temperature
    class_reliability: Reliability | None  # of the most probable class
    fitted_on: Literal["frames", "videos"]  # what the curve of frames was fitted on, and base rates are shares of
    validation_rate: float | None  # share that is abnormal in validation; None: only one kind was known
    base_rate: float | None  # share of abnormal cases that probabilities assume
    reliability: Reliability | None
    normal_video: Literal["validation", "camera"]  # of what the thresholds were made
    notes: tuple[str, ...]
    model_sha256: str
    settings_sha256: str  # see `settings_sha256` below
    params: CalibrationParams
    normal_median: float | None  # median score of normal frames; None for a model that raises no alarm

    @property
    def threshold(self) -> float | None:
        """Raw score of a frame at which the alarm sounds."""
        if self.thresholds is None:
            return None
        return self.thresholds.budget if self.thresholds.promise is None else self.thresholds.promise

    @property
    def rule(self) -> Rule | None:
        """How scores become alerts, live and stored; None for a model that raises none."""
        return None if self.threshold is None else self.params.alert.rule_at(self.threshold, self.normal_median)

    @property
    def operating_point(self) -> OperatingPoint | None:
        """Says where the alarm sounds, for the metrics; None for a model that raises none."""
        if self.thresholds is None or self.rule is None:
            return None
        cell = 0.0 if self.thresholds.cell is None else self.thresholds.cell
        return OperatingPoint(self.rule, self.thresholds.video, cell)

    @property
    def judging_params(self) -> JudgingParams:
        """How the model is made to look at videos, wherever this calibration holds."""
        return JudgingParams(step=self.params.step)

    @property
    def sha256(self) -> str:
        """Hash of the contents, checked when they are read."""
        return sha256_json(self.to_json())

    def probability(self, raw: np.ndarray, of: Literal["frame", "video"] = "frame") -> np.ndarray:
        """Returns the probability of raw scores, which rises with them; NaN where there is no score."""
        return self._curve(of)(raw)

    def validation_probability(self, raw: np.ndarray, of: Literal["frame", "video"] = "frame") -> np.ndarray:
        """The same where abnormal cases are as common as in validation, whatever `calibrate.base_rate` is."""
        return self._curve(of).at_validation_rate(raw)

    def _curve(self, of: Literal["frame", "video"]) -> Curve:
        curve = self.frame if of == "frame" else self.video
        if curve is None:
            raise VigilError(
                f"a model of kind {self.score_type} has no probability of being abnormal. Ask for its classes."
            )
        return curve

    def class_probabilities(self, logits: np.ndarray) -> np.ndarray:
        """Returns (V, C) probabilities of classes from their logits, where classes are as common as in validation."""
        offsets = self.class_offsets or (0.0,) * logits.shape[1]
        return ClassScaling(self.temperature or 1.0, offsets)(logits)

    def check(self, checkpoint: Checkpoint, where: str) -> None:
        """VigilError unless it was made for these weights, on features made like those they were trained on."""
        for subject, expected, actual in (
            ("weights", self.model_sha256, checkpoint.sha256),
            ("settings", self.settings_sha256, settings_sha256(checkpoint, self.params)),
        ):
            if expected != actual:
                made_for = f"made for {subject} {expected[:12] or 'unknown'}"
                raise VigilError(f"{where}: {made_for}, these are {actual[:12]}. {AGAIN}")

    def sentences(self) -> list[str]:
        """Says in sentences where the alarm sounds and what is promised."""
        if self.thresholds is None or self.promise is None:
            condition = "its probabilities hold where one of its classes is in the picture"
            temperature = rounded(self.temperature)
            return [f"names classes, temperature {temperature}; {condition}; it raises no alarm of its own"]
        percentiles = ", ".join(f"{name[1:]} % {getattr(self.thresholds, name):.4g}" for name in ("p90", "p95", "p98"))
        normal_video = "validation" if self.normal_video == "validation" else "this camera's normal video"
        basis = f"the budget on {normal_video}" if self.thresholds.promise is None else "the promise"
        lines = [
            f"alarm at {self.threshold:.4g} by {basis}; normal frames below: {percentiles}",
            self.promise.sentence(),
        ]
        if self.base_rate is not None:
            origin = "as in validation" if self.params.base_rate is None else "by calibrate.base_rate"
            cases = "of the time is" if self.fitted_on == "frames" else "of the videos are"
            lines.append(f"probabilities assume that {self.base_rate:.3g} {cases} abnormal, {origin}")
        return lines + [note for note in self.notes if note not in lines]

    def to_json(self) -> dict[str, Any]:
        """The layout of the file, without its hash."""
        return self.model_dump(mode="json")

    @classmethod
    def from_json(cls, payload: object, where: str) -> Self:
        """The inverse of `to_json`; VigilError for any other layout."""
        if not isinstance(payload, dict) or payload.keys() != cls.model_fields.keys():
            raise VigilError(f"{where}: not a calibration, or one of an earlier vigil. {AGAIN}")
        return cls.read(payload, where)

    def write(self, path: Path) -> None:
        """The file of the calibration, with the hash of its contents."""
        write_json(path, self.to_json() | {"sha256": self.sha256})


def scores_beside(calibration: Path) -> Path:
    """Where the scores of validation lie that a calibration of stage `calibrate` was made from."""
    return calibration.with_suffix(".npz")


def read_calibration(path: Path) -> Calibration:
    """The calibration in a file; VigilError when it is not what was written: frozen is frozen."""
    if not path.exists():
        frozen = path.parent.name == "calibration"
        advice = f"Run `dvc repro calibrate@{path.stem}`." if frozen else "Name a calibration's file."
        raise VigilError(f"{path}: not found. {advice}")
    payload = read_json(path)
    if reason := why_skipped(path):
        raise VigilError(f"{path}: there is no calibration: {reason}")
    written = payload.pop("sha256", None) if isinstance(payload, dict) else None
    calibration = Calibration.from_json(payload, str(path))
    if sha256_json(payload) != written or calibration.sha256 != written:
        raise VigilError(
            f"{path}: changed since it was frozen ({sha256_json(payload)[:12]}, it says {str(written)[:12]}). {AGAIN}"
        )
    return calibration


def settings_sha256(checkpoint: Checkpoint, params: CalibrationParams) -> str:
    """Hash of how features are made and looked at, and of how scores become alerts."""
    return sha256_json({"features": checkpoint.card.features, "step": params.step, "alert": params.alert.model_dump()})
