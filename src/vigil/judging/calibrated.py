"""A calibration in its file, models/calibration/<model>.json, with the settings that it was made with.

read(path).check(loaded)      refuses other weights, and features or settings that are not those
.operating                    where the alarm sounds, for the metrics
.rule                         the same for alerts, live and stored
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from vigil.core.errors import VigilError
from vigil.core.params import Frozen
from vigil.core.storage import read_json, write_json
from vigil.judging import alerts, calibration, scoring, stored
from vigil.judging.calibration import Calibration
from vigil.judging.stored import Arrays
from vigil.models.checkpoint import Loaded
from vigil.statistics.events import Alerting, Operating
from vigil.statistics.intervals import rounded
from vigil.statistics.scores import Scores


class Alert(Frozen):
    """How scores become alerts, whatever the threshold."""

    hysteresis: Annotated[float, Field(ge=0, lt=1)]  # of the way from an ordinary score to the threshold: how far an
    # alert that is on may fall below the threshold
    hold_s: Annotated[float, Field(ge=0)]  # s that it may be below even that
    cooldown_s: Annotated[float, Field(ge=0)]  # s after its end in which no other is raised


class Wanted(Frozen):
    """Section `calibrate` of params.yaml."""

    false_alarms_per_hour: Annotated[float, Field(gt=0)]  # that are acceptable
    confidence: Annotated[float, Field(gt=0.5, lt=1)]  # of the promise that there will not be more
    step: Annotated[float, Field(gt=0, le=1)]  # windows, from one that is judged to the next
    alert: Alert


class Calibrated(Frozen):
    calibration: Calibration
    wanted: Wanted
    ordinary: float | None  # median score of normal frames; None for a model that raises no alarm

    @property
    def scoring(self) -> stored.Settings:
        return stored.Settings(step=self.wanted.step)

    @property
    def rule(self) -> alerts.Rule | None:
        """Raw thresholds and times of its alerts; None for a model that raises none."""
        return (
            None if self.calibration.threshold is None else rule(self.calibration.threshold, self.wanted, self.ordinary)
        )

    @property
    def operating(self) -> Operating | None:
        return self.calibration.operating(lambda threshold: alerting(threshold, self.wanted, self.ordinary))

    @property
    def sha256(self) -> str:
        """Of all that it says."""
        return hashlib.sha256(json.dumps(self.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()

    def check(self, loaded: Loaded, where: str) -> None:
        """VigilError unless it was made for these weights, on features made like those they were trained on."""
        self.calibration.check(loaded.sha256, settings_sha256(loaded, self.wanted), where)


def calibrate(arrays: Arrays, loaded: Loaded, wanted: Wanted) -> Calibrated:
    """From the table of the validation videos."""
    scores, base, frozen = _given(arrays, loaded, wanted)
    made = calibration.calibrate(
        scores,
        scoring.kind(loaded),
        model_sha256=loaded.sha256,
        settings_sha256=settings_sha256(loaded, wanted),
        **frozen,
    )
    return Calibrated(calibration=made, wanted=wanted, ordinary=base)


def recalibrate(old: Calibrated, arrays: Arrays, loaded: Loaded, wanted: Wanted) -> Calibrated:
    """From the table of some normal videos of one camera."""
    scores, base, frozen = _given(arrays, loaded, wanted)
    frozen.pop("gap_s")
    made = calibration.recalibrate(old.calibration, scores, **frozen)
    made = made.model_copy(update={"settings_sha256": settings_sha256(loaded, wanted)})
    return Calibrated(calibration=made, wanted=wanted, ordinary=base)


def write(path: Path, found: Calibrated) -> None:
    write_json(path, found.model_dump(mode="json") | {"sha256": found.sha256})


def read(path: Path) -> Calibrated:
    """VigilError when it is not what was written: frozen is frozen."""
    if not path.exists():
        raise VigilError(f"{path}: not found. Run `dvc repro calibrate@<model>`, or `vigil calibrate`.")
    told = read_json(path)
    sha256 = told.pop("sha256", None) if isinstance(told, dict) else None
    found = Calibrated.read(told, str(path))
    if found.sha256 != sha256:
        raise VigilError(
            f"{path}: changed since it was frozen ({found.sha256[:12]}, it says {str(sha256)[:12]}). Calibrate again."
        )
    return found


def sentences(made: Calibrated) -> list[str]:
    """What has been found, for a person."""
    found = made.calibration
    if found.thresholds is None or found.promise is None:
        return [f"names classes, temperature {rounded(found.temperature)}; it raises no alarm of its own"]
    told = found.thresholds
    percentiles = ", ".join(f"{name[1:]} % {getattr(told, name):.4g}" for name in ("p90", "p95", "p98"))
    basis = "the budget on validation" if told.promise is None else "the promise"
    lines = [
        f"alarm at {found.threshold:.4g} by {basis}; normal frames below: {percentiles}",
        found.promise.sentence(),
    ]
    return lines + [note for note in found.notes if note not in lines]


def settings_sha256(loaded: Loaded, wanted: Wanted) -> str:
    """Of how features are made and looked at."""
    told: dict[str, Any] = {"features": loaded.card.features, "step": wanted.step, "alert": wanted.alert.model_dump()}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def rule(threshold: float, wanted: Wanted, base: float | None) -> alerts.Rule:
    fall = wanted.alert.hysteresis * max(0.0, threshold - (threshold if base is None else base))
    return alerts.Rule(
        high=threshold, low=threshold - fall, hold_s=wanted.alert.hold_s, cooldown_s=wanted.alert.cooldown_s
    )


def alerting(threshold: float, wanted: Wanted, base: float | None) -> Alerting:
    made = rule(threshold, wanted, base)

    def spans(scores: np.ndarray, times: np.ndarray) -> Sequence[tuple[float, float]]:
        return [(one.start_s, one.stop_s) for one in alerts.alerts(scores, times, made)]

    return spans


def _given(arrays: Arrays, loaded: Loaded, wanted: Wanted) -> tuple[Scores, float | None, dict[str, Any]]:
    scores = Scores.of(arrays, bool(arrays["has_normal"]), loaded.card.model)
    normal = scores.score[(scores.truth == 0) & ~scores.abnormal[scores.owner] & np.isfinite(scores.score)]
    base = float(np.median(normal)) if len(normal) and scores.has_normal else None
    return (
        scores,
        base,
        {
            "budget": wanted.false_alarms_per_hour,
            "confidence": wanted.confidence,
            "gap_s": wanted.alert.hold_s,
            "rule": lambda threshold: alerting(threshold, wanted, base),
        },
    )
