"""The part of the report that shows every test video: its frames, when it was abnormal, and what each model said."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from vigil.evaluation.summary import FUSED, Entry
from vigil.footage.video_table import Video
from vigil.report.film import SMALL, Film
from vigil.report.model_scores import ModelScores
from vigil.report.plots import Strip, score_track, truth_track
from vigil.report.records import Picture
from vigil.report.words import quantity, seconds

PICTURE_BYTES = 4_000_000  # of all thumbnails, about
THUMBNAIL_BYTES = 4_600  # of a thumbnail in a page, about
THUMBNAILS = 6  # of a video at most


class Lane(NamedTuple):
    """The scores of a model along a video."""

    model: str
    colour: int
    track: Strip


class VideoArticle(NamedTuple):
    name: str
    verdict: str
    frames: Sequence[Picture]
    truth: Strip
    lanes: Sequence[Lane]
    end_s: float
    remarks: str


class LabelGroup(NamedTuple):
    """The videos of a label."""

    label: str
    tally: str
    videos: Sequence[VideoArticle]


def group_videos(
    videos: Sequence[Video], models: Sequence[ModelScores], namers: Sequence[Entry], film: Film, limit: int
) -> list[LabelGroup]:
    """Groups videos by label; of more than `limit` those remain that are judged worst."""
    chosen = sorted(videos, key=lambda video: -_mean_error(video, models))[:limit]
    thumbnails = max(1, min(THUMBNAILS, PICTURE_BYTES // (THUMBNAIL_BYTES * max(len(chosen), 1))))
    by_label: dict[str, list[Video]] = {}
    for video in chosen:
        by_label.setdefault(video.label, []).append(video)
    return [
        LabelGroup(
            label,
            _tally_words(by_label[label], models),
            [_article(video, models, namers, film, thumbnails) for video in by_label[label]],
        )
        for label in sorted(by_label, key=lambda label: (label == "normal", label.lower()))
    ]


def _article(
    video: Video, models: Sequence[ModelScores], namers: Sequence[Entry], film: Film, thumbnails: int
) -> VideoArticle:
    end_s = float(video.duration_s)
    spans = [(float(start), float(stop)) for start, stop in video.spans] if video.abnormal else []
    if spans:
        words = f"abnormal {_time_ranges(spans)}"
    else:
        words = "abnormal, nobody said when" if video.abnormal else "normal throughout"
    outside = [model.name for model in models if not model.judges(video.video)]
    remarks = _describe_guesses(video, namers)
    if outside:
        remarks.append(f"Outside the classes of {', '.join(outside)}.")
    return VideoArticle(
        video.stem,
        _verdict(video, models),
        [Picture(address, f"at {seconds(time_s)}") for time_s, address in film.strip(video.video, thumbnails, SMALL)],
        truth_track(spans, end_s, words),
        [Lane(model.name, model.colour, _track(model, video, end_s)) for model in models if model.judges(video.video)],
        end_s,
        " ".join(remarks),
    )


def _track(model: ModelScores, video: Video, end_s: float) -> Strip:
    frames = model.frames_of(video.video)
    times, p, alerts = model.table.time_s[frames], model.p[frames], model.alerts(video.video)
    if np.isfinite(p).any():
        peak = int(np.nanargmax(p))
        words = f"{model.name}: highest {p[peak]:.2f} at {seconds(float(times[peak]))}; "
        words += f"alarm {_time_ranges(alerts)}" if alerts else "no alarm"
    else:
        words = f"{model.name}: no score in any frame"
    end_s = max(end_s, float(times[-1]) if len(times) else 0.0)
    return score_track(times, end_s, p, model.threshold, alerts, words, model.colour)


def _time_ranges(spans: Sequence[tuple[float, float]]) -> str:
    return ", ".join(f"{seconds(start)} to {seconds(stop)}" for start, stop in spans)


def _verdict(video: Video, models: Sequence[ModelScores]) -> str:
    """Returns the verdict of the fused detector, or of the only model."""
    leader = _leader(models)
    if leader is None or not leader.judges(video.video):
        return video.source
    detected, missed, false = _count_events([video], leader)
    words = [quantity(detected, "event") + " found"] * bool(detected)
    words += [quantity(missed, "event") + " missed"] * bool(missed)
    words += [quantity(false, "false alarm")] * bool(false)
    return f"{video.source} · {leader.name}: {', '.join(words) or 'quiet, as it should be'}"


def _tally_words(videos: Sequence[Video], models: Sequence[ModelScores]) -> str:
    text = f"· {quantity(len(videos), 'video')}"
    leader = _leader(models)
    if leader is None:
        return text
    detected, missed, false = _count_events(videos, leader)
    events = f"{detected} of {detected + missed} events found, " if detected + missed else ""
    return f"{text} · {leader.name}: {events}{quantity(false, 'false alarm')}"


def _count_events(videos: Sequence[Video], model: ModelScores) -> tuple[int, int, int]:
    """Counts the events that are found, those that are missed, and false alarms."""
    if model.outcome is None:
        return 0, 0, 0
    rows = [model.rows[video.video] for video in videos if model.judges(video.video)]
    events = np.isin(model.outcome.events.video, rows)
    is_raised = np.isfinite(model.outcome.delay_s)
    false = model.outcome.false_alarms_by_video[rows]
    return int((events & is_raised).sum()), int((events & ~is_raised).sum()), int(false.sum())


def _leader(models: Sequence[ModelScores]) -> ModelScores | None:
    return next((model for model in models if model.name == FUSED), models[0] if models else None)


def _mean_error(video: Video, models: Sequence[ModelScores]) -> float:
    """Returns how wrong the models that judge a video are about it, 0..1 on average."""
    errors = []
    for model in models:
        if model.judges(video.video):
            p = model.p[model.frames_of(video.video)]
            highest = float(np.nanmax(p)) if np.isfinite(p).any() else 0.0
            errors.append(1 - highest if video.abnormal else highest)
    return round(sum(errors) / len(errors), 6) if errors else 0.0


def _describe_guesses(video: Video, namers: Sequence[Entry]) -> list[str]:
    """Describes which class of a video each model names that names classes."""
    sentences = []
    for entry in namers:
        table = entry.test
        if table is None or not table.classes.shape[1] or video.video not in table.video.tolist():
            continue
        row = table.video.tolist().index(video.video)
        logits = table.classes[row]
        if table.class_index[row] < 0 or not np.isfinite(logits).all():
            continue
        calibration = entry.calibration
        if calibration is None:
            continue
        p, guess = calibration.class_probabilities(logits[None])[0], int(logits.argmax())
        label = entry.classes[guess] if guess < len(entry.classes) else str(guess)
        right = "right" if guess == int(table.class_index[row]) else "wrong"
        sentences.append(f"{entry.name} names it {label} ({p[guess]:.0%} sure, {right}).")
    return sentences
