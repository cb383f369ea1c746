"""An alert judged again, from what its evidence keeps, and compared with what was said then: to the last bit."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vigil.core.errors import VigilError
from vigil.delivery.alert import Alert, alert_id
from vigil.detect import trained
from vigil.detect.alerts import AlertChange
from vigil.detect.detector import Detector
from vigil.evidence.replays import KeptFrame, ReplayRecord, read_replay
from vigil.features.zones import Zones
from vigil.watch.alert_records import make_region


@dataclass(frozen=True)
class Verdict:
    """What came of it."""

    alert: str  # its id
    difference: str  # '' where there is none
    frames: int  # that were judged again
    to_the_end: bool  # of the alert, or only as far as it is kept
    taken_as_kept: tuple[str, ...]  # models whose pictures are not kept: their judgements were not made anew

    def sentence(self) -> str:
        """One line for a person."""
        if self.difference:
            return f"differs: {self.difference}"
        extent = "" if self.to_the_end else ", not to its end, which is not kept"
        unjudged = f"; {', '.join(self.taken_as_kept)} by the judgements that were kept" if self.taken_as_kept else ""
        return f"same: alert {self.alert}, {self.frames} frames judged again{extent}{unjudged}"


def replay_alert(alert: Alert, replay: Path, models: Path) -> Verdict:
    """Judges an alert again from the file of its evidence, by the models of a folder; see alert_evidence.py.

    VigilError where that cannot be done.
    """
    record, settings = read_replay(replay)
    detector = _load_detector(models, settings)
    _check_makers(alert, detector)
    not_judged = tuple(
        model.name for model in detector.models if record.frames and model.name in record.frames[0].judgements
    )
    difference, is_whole = _judge_again(detector, record)
    difference = difference or _compare_with_alert(alert, record)
    return Verdict(alert.id, difference, len(record.frames), is_whole, not_judged)


def _load_detector(models: Path, settings: dict[str, Any]) -> Detector:
    """The same models and thresholds, without the networks that find people: features are kept."""
    try:
        names, zones = settings["names"], settings["zones"]
        calibrations = {name: Path(file) for name, file in settings["calibrations"].items()}
        loaded, fused = trained.load_models(
            models, names, calibrations, settings["threshold"], settings["budget"], settings["runtime"]
        )
    except (KeyError, TypeError) as error:
        raise VigilError(
            f"what an alert is judged again from does not say how its detector was loaded: {error}."
        ) from None
    return Detector(loaded, fused, names, None, None if zones is None else Zones(zones))


def _check_makers(alert: Alert, detector: Detector) -> None:
    """VigilError unless these are the models and thresholds that made the alert."""
    (score,) = alert.detectors[:1]
    if score.detector not in detector.alarming:
        raise VigilError(f"{score.detector}: no detector of those that are kept with the alert.")
    made_by = detector.provenance(score.detector)
    pairs = (
        ("weights", score.model_sha256, made_by.model),
        ("a calibration", score.calibration_sha256 or "", made_by.calibration),
        ("settings", alert.params_sha256, detector.settings_sha256),
    )
    for what, expected, actual in pairs:
        if expected != actual:
            raise VigilError(
                f"{score.detector}: the alert was made by {what} {expected[:12]}, here are {actual[:12]}. Bring back "
                "what was there then (`git checkout`, `dvc checkout`), or name its folder with --trained."
            )
    if score.threshold != made_by.threshold:
        raise VigilError(f"{score.detector}: threshold {score.threshold!r} then, {made_by.threshold!r} now.")


def _judge_again(detector: Detector, record: ReplayRecord) -> tuple[str, bool]:
    """Where it differs first, or '', and whether the alert's end was reached."""
    detector.state = record.state
    changes: list[AlertChange] = []
    for frame in record.frames:
        step = detector.judge_stored(frame.stored, frame.ends, frame.is_armed, frame.judgements)
        assert step.scores is not None
        for name, score in step.scores.scores.items():
            if difference := _compare_scores(name, frame, score.raw):
                return difference, False
        changes += step.changes
    if record.at_end:
        changes += detector.finish()
    expected = [change for change in (record.raised, record.ended) if change is not None]
    of_alert = [change for change in changes if (change.detector, change.number) == _key(record.raised)]
    for before, now in zip(expected, of_alert, strict=False):
        if before != now:
            return f"{before.change} {_describe(before)} then, {_describe(now)} now", False
    if len(expected) > len(of_alert):
        return f"{expected[len(of_alert)].change} then, and not now", False
    return "", record.ended is not None


def _compare_scores(name: str, frame: KeptFrame, raw: float) -> str:
    before = frame.scores.get(name)
    if before is None or before == raw or (before != before and raw != raw):  # noqa: PLR0124  not a number
        return ""
    return f"frame {frame.stored.index} ({float(frame.stored.time_s):.3f} s): {name} {before!r} then, {raw!r} now"


def _compare_with_alert(alert: Alert, record: ReplayRecord) -> str:
    """The alert itself must say what was judged."""
    raised, ended = record.raised, record.ended
    last = raised if ended is None else ended
    (score,) = alert.detectors[:1]
    facts: list[tuple[str, Any, Any]] = [
        ("start", alert.start.source_s, round(raised.alert.start_s, 6)),
        ("person", alert.person, raised.finding.person),
        ("label", alert.label, raised.finding.name),
    ]
    if ended is not None or alert.ended is None:
        size = record.frames[-1].stored.size
        facts += [
            ("score", score.score, last.alert.peak),
            ("p", score.p, last.p),
            ("region", alert.region, make_region(last, size)),
        ]
    if ended is not None and alert.stop is not None:
        facts.append(("stop", alert.stop.source_s, round(ended.alert.stop_s, 6)))
    facts.append(
        ("id", alert.id, alert_id(alert.camera, alert.source, alert.start, alert.label, alert.detectors, alert.person))
    )
    for what, written, judged in facts:
        if written != judged:
            return f"{what} of the alert is {written!r}, judged was {judged!r}"
    return ""


def _key(change: AlertChange) -> tuple[str, int]:
    return change.detector, change.number


def _describe(change: AlertChange) -> str:
    return f"{change.detector}: {change.alert.start_s!r} to {change.alert.stop_s!r} s, {change.alert.peak!r}"
