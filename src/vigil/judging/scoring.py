"""What a model says of every stored frame of some videos, as the flat table that lies in data/scores.

Of V videos with N stored frames in all:

    video, label, source (V,) str, class_index (V,) int16
                                                        the model's class; -1: a label that it does not know
    offsets (V + 1,) int64                              into the frames
    frame (N,) int32, time_s (N,) float64               number in the video
    truth (N,) int8                                     1 abnormal, 0 normal, -1 unknown, or before tick `ready`
    event_truth (N,) int8                               the same, known before tick `ready` too
    score (N,) float32                                  raw, known at the end of the frame; NaN: nothing known
    noncausal (N,) float32                              raw, later frames in view
    video_score (V,) float32                            the highest `score`
    classes (V, C) float32                              logits, see `class_logits`
    people (N,) int16, motion (N,) float32              -1 and NaN: unknown
    cells (M, h, w) float16, cells_truth int8, cells_video (M,) int32, cells_frame (M,) int32
    window_video (W,), window (W, 2), window_score (W,), shown (W, T), attention (W, T)    of models that attend
    person_video (P,), person_class_index (P,), person_classes (P, C)                   of segments of people
    has_normal, model_sha256, calibration_sha256 () each
    ready () int        ticks of the model's clock before which it has nothing to say, in each piece of a video
    ready_s () float64  seconds from the first tick of a piece to that one

A video whose label the model does not know is scored all the same, for others to look at; its truth is unknown.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from vigil.clips.labels import Classes, label_to_class, normal_class
from vigil.core.errors import NoExamples, VigilError
from vigil.engine.per_video import Runtime
from vigil.footage.video_table import Video
from vigil.judging import attention
from vigil.judging.clocks import clock_rate
from vigil.judging.judged_videos import JudgedVideo, Sources, judge_videos, path_of
from vigil.judging.judgements import Judgement, causal_scores, hindsight_scores
from vigil.judging.judges import make_judge
from vigil.judging.stored import Arrays, JudgingParams
from vigil.judging.truth import Context, frame_truth, map_arrays, mask_warm_up
from vigil.models.checkpoint import Card, Checkpoint, load_checkpoint

TOP = 4  # judgements of a video, the most abnormal ones, that name its class


def score_type_of(checkpoint: Checkpoint) -> Literal["errors", "logits", "classes"]:
    """What the model's scores are; see calibration.py."""
    card = checkpoint.card
    normal = normal_class(card.classes)
    if normal not in (None, 0):
        name = list(card.classes)[normal or 0]
        raise VigilError(f"{card.model}: its normal class is '{name}': expected it first in `classes`.")
    if normal is None:
        return "classes"
    return "errors" if card.clip.target == "itself" else "logits"


def build_table(
    checkpoint: Checkpoint, videos: Sequence[Video], sources: Sources, params: JudgingParams, runtime: Runtime
) -> Arrays:
    """The table of `videos`, in their order, without those whose features are lost."""
    card, score_type = checkpoint.card, score_type_of(checkpoint)
    judge = make_judge(checkpoint, params.step, None if sources.gate is None else load_checkpoint(sources.gate))
    hold_s, ready = (None, 1) if card.input == "attended" else (judge.hold_s, judge.ready)
    judged_videos = judge_videos(checkpoint, videos, sources, params, runtime)
    rows = [
        _row_of(card, video, judged_videos[video.video], sources, hold_s, ready)
        for video in videos
        if video.video in judged_videos
    ]
    if not rows:
        if not videos:
            of_sets = f" of the sets {', '.join(card.datasets)}" if card.datasets else ""
            raise NoExamples(f"{card.model}: there is no video{of_sets} in this split.")
        raise NoExamples(f"{card.model}: not one of {len(videos)} videos has anything that it looks at.")
    return _stack_rows(rows) | {
        "has_normal": np.array(score_type != "classes"),
        "ready": np.array(ready),
        "ready_s": np.array(float((ready - 1) / clock_rate(card))),
        "model_sha256": np.array(checkpoint.sha256),
        "calibration_sha256": np.array(""),
    }


def class_logits(card: Card, judgements: Sequence[Judgement]) -> np.ndarray | None:
    """(C,) logits of the class of a video; None where no class is named.

    They are the mean over the clips attended to, else over the most abnormal judgements.
    """
    named = [judgement for judgement in judgements if judgement.classes is not None]
    if not named:
        return None
    if card.input == "attended":
        attended = card.features["attended"]
        named = attention.select_clips(named, attended["keep"], attended["overlap"])
    else:
        named = sorted(named, key=lambda judgement: (-judgement.score, judgement.start))
        named = named[: naming_count(card.classes)]
    return np.stack([np.asarray(judgement.classes, np.float64) for judgement in named]).mean(axis=0)


def naming_count(classes: Classes) -> int | None:
    """How many judgements of a video name its class, the most abnormal ones; None: all.

    Where no class is normal, none of the judgements is more abnormal than another.
    """
    return None if normal_class(classes) is None else TOP


def _row_of(
    card: Card, video: Video, judged_video: JudgedVideo, sources: Sources, hold_s: float | None, ready: int
) -> Arrays:
    """The part of the table that is of one video."""
    path, judgements = path_of(sources.context, video, ".npz"), judged_video.judgements
    context = Context.read(path)
    frame_count = len(context.frame)
    if any(judgement.stop > frame_count for judgement in judgements):
        raise VigilError(
            f"{video.video}: judged beyond its {frame_count} stored frames: {path} is of another. Run `dvc repro`."
        )
    times = np.array([float(time) for time in context.times])
    score, later = causal_scores(judgements, times, hold_s), hindsight_scores(judgements, frame_count)
    if normal_class(card.classes) is None:  # it names what is abnormal, and does not say whether
        score, later = np.full((2, frame_count), np.nan)
    class_indices = label_to_class(card.classes)
    class_index = class_indices.get(video.label, -1)
    truth = frame_truth(card, video, class_index, context.times)
    row: Arrays = {
        "video": np.array([video.video]),
        "label": np.array([video.label]),
        "source": np.array([video.source]),
        "class_index": np.array([class_index], np.int16),
        "frame": context.frame,
        "time_s": times,
        "truth": mask_warm_up(truth, context.times, ready, clock_rate(card)),
        "event_truth": truth,
        "score": score.astype(np.float32),
        "noncausal": later.astype(np.float32),
        "video_score": np.array([np.nan if np.isnan(score).all() else np.nanmax(score)], np.float32),
        "people": context.people,
        "motion": context.motion,
        "unusual": context.unusual,
    }
    logits = class_logits(card, judgements)
    if logits is not None:
        row["classes"] = logits[None].astype(np.float32)
    if judgements and judgements[0].attention is not None:
        row |= {
            "window": np.array([judgement.span for judgement in judgements], np.int32),
            "window_score": np.array([judgement.score for judgement in judgements], np.float32),
            "shown": np.array([judgement.shown for judgement in judgements], np.int32),
            "attention": np.array([judgement.attention for judgement in judgements], np.float32),
        }
    if card.clip.target == "cells" and judgements:
        row |= map_arrays(video, class_index, judgements, context, sources.truth)
    if judged_video.labels is not None:
        classes = [-1 if label is None else class_indices.get(label, -1) for label in judged_video.labels]
        row["person_class_index"] = np.array(classes, np.int16)
        if judgements:
            row["person_classes"] = np.array([judgement.classes for judgement in judgements], np.float32)
    return row


def _stack_rows(rows: Sequence[Arrays]) -> Arrays:
    """The rows one after the other, and of which video each part is."""
    table: Arrays = {"offsets": np.append(0, np.cumsum([len(row["frame"]) for row in rows])).astype(np.int64)}
    width = max(row["classes"].shape[1] if "classes" in row else 0 for row in rows)
    rows = [row if "classes" in row else row | {"classes": np.full((1, width), np.nan, np.float32)} for row in rows]
    for key in dict.fromkeys(key for row in rows for key in row):
        table[key] = np.concatenate([row[key] for row in rows if key in row])
    for key, owner in (("cells", "cells_video"), ("window", "window_video"), ("person_class_index", "person_video")):
        if key in table:
            counts = [len(row.get(key, ())) for row in rows]
            table[owner] = np.repeat(np.arange(len(rows), dtype=np.int32), counts)
    return table
