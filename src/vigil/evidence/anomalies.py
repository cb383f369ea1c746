"""The verdict on a recording as one record of JSON: also of one in which nothing was found."""

from typing import Any

import numpy as np

from vigil.detect.alerts import DIGITS
from vigil.detect.detector import Detector
from vigil.detect.findings import crime_probabilities
from vigil.detect.model_choice import FUSED
from vigil.evidence.recording import Recording, video_confidence
from vigil.judging.attention import rank_frames, select_clips
from vigil.judging.judgements import Judgement

UNREAD = "unknown"  # verdict on a recording of which nothing could be judged
TOP = 4  # frames that are named
CLIPS = 4  # that are described
OVERLAP = 0.5  # of a clip that a surer one may hold


def describe_recording(detector: Detector, recording: Recording) -> dict[str, Any]:
    """Verdict, confidence, spans, top frames, attention, and the class of crime.

    The fused detector decides where it runs, else every detector; spans are those of all.
    """
    confidence = video_confidence(detector, recording)
    surest = FUSED if FUSED in confidence else max(confidence, key=lambda name: confidence[name], default=None)
    spans = [alert.to_json() for alert in sorted(recording.alerts, key=lambda alert: alert.alert.start_s)]
    deciding = [alert for alert in recording.alerts if FUSED not in detector.alarming or alert.detector == FUSED]
    record: dict[str, Any] = {
        "path": recording.name,
        "verdict": "abnormal" if deciding else "normal" if recording.moments else UNREAD,
        "confidence": None if surest is None else round(confidence[surest], DIGITS),
        "detectors": {name: round(p, DIGITS) for name, p in sorted(confidence.items())},
        "seconds": round(recording.seconds, 3),
        "spans": spans,
        "top_frames": [] if surest is None else _top_frames(recording, surest),
        "attention": {
            model: [_describe_clip(recording, clip) for clip in select_clips(clips, CLIPS, OVERLAP)]
            for model, clips in recording.attended_clips(detector).items()
        },
    }
    return record | _name_crime(detector, recording)


def _top_frames(recording: Recording, detector: str) -> list[dict[str, Any]]:
    """The frames with the highest scores, highest first."""
    raw = np.array([moment.scores[detector].raw for moment in recording.moments])
    order = np.argsort(-np.where(np.isnan(raw), -np.inf, raw), kind="stable")[:TOP].tolist()
    return [
        {"frame": recording.moments[position].index, "time_s": round(recording.moments[position].time_s, 3),
         "score": round(float(raw[position]), DIGITS)}
        for position in order if np.isfinite(raw[position])
    ]  # fmt: skip


def _describe_clip(recording: Recording, clip: Judgement) -> dict[str, Any]:
    assert clip.attention is not None
    moments = recording.moments
    return {
        "start_s": round(moments[clip.start].time_s, 3),
        "stop_s": round(moments[min(clip.stop, len(moments)) - 1].time_s, 3),
        "score": round(clip.score, DIGITS),
        "frames": [moments[position].index for position in clip.shown],
        "weights": [round(float(weight), DIGITS) for weight in clip.attention],
        "top": [moments[position].index for position in rank_frames(clip)[:TOP]],
    }


def _name_crime(detector: Detector, recording: Recording) -> dict[str, Any]:
    """Of a recording with an alert, in which the gate has reached its threshold, whether or not it raises alerts."""
    for model in detector.models:
        if not model.names_for or not recording.alerts:
            continue
        threshold = detector.rule(model.names_for).threshold
        is_reached = any(moment.scores[model.names_for].raw >= threshold for moment in recording.moments)
        if is_reached and (clips := recording.clips.get(model.name)):
            card = model.frozen.checkpoint.card
            p = crime_probabilities(card, model.frozen.calibration, clips)
            if p is not None:
                order = np.argsort(-p, kind="stable").tolist()
                names = list(card.classes)
                return {"crime": {names[number]: round(float(p[number]), DIGITS) for number in order}}
    return {}
