"""What a detector says: scores of a frame, and alerts that begin and end, with all that made them."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

from vigil.statistics.alerts import Alert

DIGITS = 6
Box = tuple[int, int, int, int]  # x0, y0, x1, y1, px of the source


@dataclass(frozen=True)
class Score:
    """What one detector says of a frame, by its end."""

    raw: float  # NaN: nothing is known
    p: float | None  # probability; None: it has none, or nothing is known


@dataclass(frozen=True)
class FrameScores:
    """What all detectors say of one stored frame."""

    position: int  # among the stored frames
    index: int  # among all frames of the source
    time_s: Fraction
    scores: Mapping[str, Score]  # by detector


@dataclass(frozen=True)
class Finding:
    """What an alert is about, as far as its detector can tell."""

    label: str | None = None
    confidence: float | None = None  # of the label, given that it is one of its classes
    person: int | None = None  # track
    box: Box | None = None  # where

    @property
    def name(self) -> str:
        """What people call it: the label, or else that it is abnormal."""
        return self.label or "abnormal"


@dataclass(frozen=True)
class Provenance:
    """What made an alert: enough to make it again."""

    model: str  # sha256 of the weights; of a fused detector that of all of its models' calibrations
    calibration: str  # sha256
    threshold: float  # raw score
    by_hand: bool  # whether the threshold was set by hand, and promises nothing
    budget_per_hour: float | None = None  # false alarms that it was set for, where a user named them


@dataclass(frozen=True)
class AlertChange:
    """An alert that has just been raised, or has just ended."""

    change: Literal["raised", "ended"]
    detector: str
    number: int  # of the detector's alerts in this source, from 1
    alert: Alert
    p: float | None  # highest so far
    finding: Finding
    provenance: Provenance
    members: Mapping[str, float]  # of a fused detector: log odds that each model added, at the highest score

    def to_json(self) -> dict[str, Any]:
        """The alert's part of a line of JSON; times are seconds in the source."""
        finding, made_by = self.finding, self.provenance
        record: dict[str, Any] = {
            "change": self.change,
            "detector": self.detector,
            "number": self.number,
            "start_s": round(self.alert.start_s, DIGITS),
            "stop_s": None if self.change == "raised" else round(self.alert.stop_s, DIGITS),
            "peak": round(self.alert.peak, DIGITS),
            "peak_frame": self.alert.peak_index,
            "p": _rounded(self.p),
            "label": finding.label,
            "label_confidence": _rounded(finding.confidence),
            "person": finding.person,
            "box": None if finding.box is None else list(finding.box),
            "threshold": round(made_by.threshold, DIGITS),
            "threshold_by_hand": made_by.by_hand,
            "budget_per_hour": _rounded(made_by.budget_per_hour),
            "model_sha256": made_by.model,
            "calibration_sha256": made_by.calibration,
        }
        return record | (
            {"members": {name: _rounded(odds) for name, odds in self.members.items()}} if self.members else {}
        )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(float(value), DIGITS)
