"""What a model says of every stored frame of some videos, as the flat table that lies in data/scores.

Of V videos with N stored frames in all:

    video, label, source (V,) str, klass (V,) int16     number of the model's class; -1: a label that it does not know
    offsets (V + 1,) int64                              into the frames
    frame (N,) int32, time_s (N,) float64               number in the video
    truth (N,) int8                                     1 abnormal, 0 normal, -1 unknown
    score (N,) float32                                  raw, known at the end of the frame; NaN: nothing known
    noncausal (N,) float32                              raw, later frames in view
    video_score (V,) float32                            the highest `score`
    classes (V, C) float32                              logits, see `verdict`
    people (N,) int16, motion (N,) float32              -1 and NaN: unknown
    cells (M, h, w) float16, cells_truth int8, cells_video (M,) int32, cells_frame (M,) int32
    window_video (W,), window (W, 2), window_score (W,), shown (W, T), attention (W, T)    of models that attend
    person_video (P,), person_klass (P,), person_classes (P, C)                            of segments of people
    has_normal, ready, model_sha256, calibration_sha256 () each; ready: frames before which it has nothing to say

A video whose label the model does not know is scored all the same, for others to look at; its truth is unknown.
"""

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from vigil.clips.places import ids, ordinary, there
from vigil.core import settings
from vigil.core.errors import VigilError
from vigil.core.storage import load_arrays, read_json, sha256_file
from vigil.engine.code_version import code_version
from vigil.engine.per_video import Item, Runtime, each
from vigil.footage.video_table import Video
from vigil.judging import attention, judges, stored
from vigil.judging.attention import Look
from vigil.judging.judgements import Judgement, causal, in_hindsight
from vigil.judging.judges import Segment
from vigil.judging.stored import Arrays, Settings
from vigil.judging.truth import Context, maps, truth
from vigil.models import checkpoint
from vigil.models.checkpoint import Card, Loaded

TOP = 4  # judgements of a video, the most abnormal ones, that name its class
STAGES = {"flow": (".npy", "flow"), "frames": (".npz", "frames"), "attended": (".npy", "attend")}


@dataclass(frozen=True)
class Sources:
    """Where the features of the videos are."""

    features: Path  # data/<input>
    context: Path  # data/context
    truth: Path  # data/truth, for maps
    split: str  # of segments, the name of their file
    gate: Path | None = None  # a gate, where clips are still to be attended to in the frames that `features` then has


def kind(loaded: Loaded) -> Literal["errors", "logits", "classes"]:
    """What the model's scores are; see calibration.py."""
    normal = ordinary(loaded.card.classes)
    if normal not in (None, 0):
        name = list(loaded.card.classes)[normal or 0]
        raise VigilError(f"{loaded.card.model}: its normal class is '{name}': expected it first in `classes`.")
    if normal is None:
        return "classes"
    return "errors" if loaded.card.clip.target == "itself" else "logits"


def table(folder: Path, videos: Sequence[Video], sources: Sources, wanted: Settings, runtime: Runtime) -> Arrays:
    """The table of `videos`, in their order, by the model in `folder`; without those whose features are lost."""
    loaded = checkpoint.load(folder)
    sort = kind(loaded)
    if loaded.card.input == "segments":
        found, labels = _of_people(loaded, videos, sources, wanted)
    else:
        found, labels = _of_files(loaded, folder, videos, sources, wanted, runtime), {}
    watching = None if loaded.card.input == "attended" else judges.opened(loaded, wanted.step)
    hold_s, ready = (None, 1) if watching is None else (watching.hold_s, watching.ready)
    rows = [_row(loaded.card, one, found[one.video], sources, hold_s, ready) for one in videos if one.video in found]
    known = ids(loaded.card.classes)
    for row in rows if labels else ():
        of = str(row["video"][0])
        row["person_klass"] = np.array([known.get(label, -1) for label in labels[of]], np.int16)
        if found[of]:
            row["person_classes"] = np.array([one.classes for one in found[of]], np.float32)
    if not rows:
        raise VigilError(f"{loaded.card.model}: not one of {len(videos)} videos has anything that it looks at.")
    return _stacked(rows) | {
        "has_normal": np.array(sort != "classes"),
        "ready": np.array(ready),
        "model_sha256": np.array(loaded.sha256),
        "calibration_sha256": np.array(""),
    }


def verdict(card: Card, found: Sequence[Judgement]) -> np.ndarray | None:
    """(C,) logits of the class of a video: their mean over the clips attended to, else over its TOP most abnormal
    judgements. None where no class is named.
    """
    named = [one for one in found if one.classes is not None]
    if not named:
        return None
    if card.input == "attended":
        made = card.features["attended"]
        looks = {one.start: Look((one.start, one.stop), one.shown, one.score, np.zeros(0)) for one in named}
        kept = {look.place for look in attention.most(list(looks.values()), made["keep"], made["overlap"])}
        named = [one for one in named if (one.start, one.stop) in kept]
    else:
        named = sorted(named, key=lambda one: (-one.score, one.start))[:TOP]
    return np.stack([np.asarray(one.classes, np.float64) for one in named]).mean(axis=0)


def _of_files(
    loaded: Loaded, folder: Path, videos: Sequence[Video], sources: Sources, wanted: Settings, runtime: Runtime
) -> dict[str, list[Judgement]]:
    """By video, of features with a file for each."""
    card = loaded.card
    clips = card.input == "attended" and sources.gate is None
    ending, stage = STAGES["frames" if sources.gate is not None else card.input]
    told = _told(sources) if clips else {}
    if clips:
        videos = [one for one in videos if one.video in told]
    kept = [one for one in there(sources.features, videos, ending, stage) if _path(sources, one, ending).exists()]
    models = [folder, *([] if sources.gate is None else [sources.gate])]
    key = [sha256_file(each_ / name) for each_ in models for name in (checkpoint.WEIGHTS, checkpoint.CONFIG)]
    kinds = [checkpoint.module(checkpoint.load(each_).card.model, str(each_)) for each_ in models]
    key += [code_version(each_.Model) for each_ in kinds]
    settings.home().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=settings.home()) as parts:
        items = []
        for one in kept:
            path = _path(sources, one, ending)
            out = (Path(parts) / f"{one.video}.npz",)
            args: tuple[Any, ...] = (path, folder.absolute(), sources.gate and sources.gate.absolute())
            if clips:
                args = (path, told[one.video]["clips"], folder.absolute())
            own = (sha256_file(path), repr(told[one.video]["clips"]) if clips else "")
            items.append(Item(one.video, (*own, *key), args, out))
        work, params = (stored.name, None) if clips else (stored.judge, wanted)
        outcomes = each(card.model, work, items, params, runtime)
        for lost in (one for one in outcomes if one.reason):
            print(f"{card.model}: warning: {lost.item.name} is left out: {lost.reason}", file=sys.stderr)
        return {one.item.name: stored.read(one.item.outputs[0]) for one in outcomes if not one.reason}


def _told(sources: Sources) -> dict[str, Any]:
    """What stage `attend` says of each video; of test videos in a file of their own, if it has one."""
    told: dict[str, Any] = {}
    for name in ("anomalies.json", "test.json") if sources.split == "test" else ("anomalies.json",):
        if (path := sources.features / name).exists():
            told |= read_json(path)["videos"]
    return told


def _of_people(
    loaded: Loaded, videos: Sequence[Video], sources: Sources, wanted: Settings
) -> tuple[dict[str, list[Judgement]], dict[str, list[str]]]:
    """By video, of the segments of a split: all in one go, for each is small. And what each segment truly is."""
    arrays = _segments(loaded.card, sources)
    judge = judges.opened(loaded, wanted.step)
    found: dict[str, list[Judgement]] = {}
    labels: dict[str, list[str]] = {}
    by_video = _rows(arrays["video"])
    with stored.one_thread():
        for one in videos:
            context = _path(sources, one, ".npz", sources.context)
            if not context.exists():
                print(f"{loaded.card.model}: warning: {one.video} is left out: no {context}", file=sys.stderr)
                continue
            numbers, rows = load_arrays(context)["frame"], by_video.get(one.video, [])
            starts, lasts = (np.searchsorted(numbers, arrays["frame"][rows, edge]) for edge in (0, -1))
            segments = [
                Segment(int(arrays["person"][row]), int(start), int(last) + 1, arrays["x"][row])
                for row, start, last in zip(rows, starts, lasts, strict=True)
            ]
            found[one.video] = list(judge.whole([segments]))
            labels[one.video] = arrays["label"][rows].tolist()
    return found, labels


def _segments(card: Card, sources: Sources) -> Arrays:
    path = sources.features / f"{sources.split}.npz"
    arrays = load_arrays(path)
    if arrays["x"].ndim != 3 or (len(arrays["x"]) and arrays["x"].shape[1] != card.clip.frames):
        raise VigilError(f"{path}: segments {arrays['x'].shape[1:]}, {card.model} looks at {card.clip.frames} frames.")
    return arrays


def _row(
    card: Card, video: Video, found: Sequence[Judgement], sources: Sources, hold_s: float | None, ready: int
) -> Arrays:
    """The part of the table that is of one video."""
    path = _path(sources, video, ".npz", sources.context)
    context = Context.read(path)
    many = len(context.frame)
    if any(one.stop > many for one in found):
        raise VigilError(
            f"{video.video}: judged beyond its {many} stored frames: {path} is of another. Run `dvc repro`."
        )
    times = np.array([float(time) for time in context.times])
    score, later = causal(found, times, hold_s), in_hindsight(found, many)
    if ordinary(card.classes) is None:  # it names what is abnormal, and does not say whether
        score, later = np.full((2, many), np.nan)
    klass = ids(card.classes).get(video.label, -1)
    row: Arrays = {
        "video": np.array([video.video]),
        "label": np.array([video.label]),
        "source": np.array([video.source]),
        "klass": np.array([klass], np.int16),
        "frame": context.frame,
        "time_s": times,
        "truth": truth(card, video, klass, context.times, ready),
        "score": score.astype(np.float32),
        "noncausal": later.astype(np.float32),
        "video_score": np.array([np.nan if np.isnan(score).all() else np.nanmax(score)], np.float32),
        "people": context.people,
        "motion": context.motion,
        "unusual": context.unusual,
    }
    logits = verdict(card, found)
    if logits is not None:
        row["classes"] = logits[None].astype(np.float32)
    if found and found[0].attention is not None:
        row |= {
            "window": np.array([(one.start, one.stop) for one in found], np.int32),
            "window_score": np.array([one.score for one in found], np.float32),
            "shown": np.array([one.shown for one in found], np.int32),
            "attention": np.array([one.attention for one in found], np.float32),
        }
    if card.clip.target == "cells" and found:
        row |= maps(video, klass, found, context, sources.truth)
    return row


def _stacked(rows: Sequence[Arrays]) -> Arrays:
    """The rows one after the other, and of which video each part is."""
    whole: Arrays = {"offsets": np.append(0, np.cumsum([len(row["frame"]) for row in rows])).astype(np.int64)}
    width = max(row["classes"].shape[1] if "classes" in row else 0 for row in rows)
    rows = [row if "classes" in row else row | {"classes": np.full((1, width), np.nan, np.float32)} for row in rows]
    for key in dict.fromkeys(key for row in rows for key in row):
        whole[key] = np.concatenate([row[key] for row in rows if key in row])
    for key, owner in (("cells", "cells_video"), ("window", "window_video"), ("person_klass", "person_video")):
        if key in whole:
            counts = [len(row.get(key, ())) for row in rows]
            whole[owner] = np.repeat(np.arange(len(rows), dtype=np.int32), counts)
    return whole


def _rows(names: np.ndarray) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for row, name in enumerate(names.tolist()):
        found.setdefault(name, []).append(row)
    return found


def _path(sources: Sources, video: Video, ending: str, folder: Path | None = None) -> Path:
    return (folder or sources.features) / f"{video.video}{ending}"
