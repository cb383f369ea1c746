"""A model on all stored features of some videos: files of a video each, or the segments of people of a whole split."""

import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vigil.clips.feature_samples import ATTENDED, ATTENDED_TEST, is_involved
from vigil.clips.window_table import videos_with_features
from vigil.core import settings
from vigil.core.errors import VigilError
from vigil.core.storage import load_arrays, read_json, sha256_file
from vigil.engine.code_version import code_version
from vigil.engine.per_video import Item, Runtime, run_per_video
from vigil.features.times import read_times
from vigil.footage.video_table import Video
from vigil.judging import stored
from vigil.judging.items import ARRAYS, Segment
from vigil.judging.judgements import Judgement
from vigil.judging.judges import make_judge
from vigil.judging.stored import Arrays, JudgingParams
from vigil.models.checkpoint import CONFIG, WEIGHTS, Card, Checkpoint, find_module, load_checkpoint

FILES = {
    "flow": (".npy", "flow"),
    "trunk": (".npy", "trunk"),
    "frames": (".npz", "frames"),
    "masked": (".npz", "masked"),
    "attended": (".npy", "attend"),
}  # ending, stage


@dataclass(frozen=True)
class Sources:
    """Says where the features of the videos are."""

    features: Path  # data/<input>
    context: Path  # data/context
    truth: Path  # data/truth, for maps
    split: str  # of segments, the name of their file
    gate: Path | None = None  # a gate, where clips are still to be attended to in the frames that `features` then has


@dataclass(frozen=True, eq=False)
class JudgedVideo:
    """All that a model says of one video."""

    judgements: Sequence[Judgement]
    labels: Sequence[str | None] | None = None  # of the segments of people, one for each judgement; None: not judged


def judge_videos(
    checkpoint: Checkpoint, videos: Sequence[Video], sources: Sources, params: JudgingParams, runtime: Runtime
) -> dict[str, JudgedVideo]:
    """Returns what the model says of each video, without those whose features are lost."""
    if checkpoint.card.input == "segments":
        return _judge_segments(checkpoint, videos, sources, params)
    return _judge_files(checkpoint, videos, sources, params, runtime)


def path_of(folder: Path, video: Video, ending: str) -> Path:
    return folder / f"{video.video}{ending}"


def _judge_files(
    checkpoint: Checkpoint, videos: Sequence[Video], sources: Sources, params: JudgingParams, runtime: Runtime
) -> dict[str, JudgedVideo]:
    """Judges videos whose features are in a file for each."""
    card = checkpoint.card
    ending, stage = FILES["frames" if sources.gate is not None else card.input]
    clips: dict[str, Any] | None = None
    if card.input == "attended" and sources.gate is None:
        clips = _attended_clips(sources)
        videos = [video for video in videos if video.video in clips]
    videos = videos_with_features(sources.features, videos, ending, stage)
    videos = [video for video in videos if path_of(sources.features, video, ending).exists()]
    folders = [checkpoint.folder, *([] if sources.gate is None else [sources.gate])]
    key = [sha256_file(folder / name) for folder in folders for name in (WEIGHTS, CONFIG)]
    modules = [find_module(load_checkpoint(folder).card.model, str(folder)) for folder in folders]
    key += [code_version(module.Model) for module in modules]
    settings.home().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=settings.home()) as parts:
        items = []
        for video in videos:
            path = path_of(sources.features, video, ending)
            video_clips = None if clips is None else clips[video.video]
            times = repr(read_times(path.with_suffix(".npz"), stage)) if card.input in ARRAYS else ""
            items.append(
                Item(
                    video.video,
                    (sha256_file(path), times, "" if video_clips is None else repr(video_clips), *key),
                    (path, video_clips, checkpoint.folder, sources.gate),
                    (Path(parts) / f"{video.video}.npz",),
                )
            )
        outcomes = run_per_video(card.model, stored.judge_video, items, params, runtime)
        for outcome in outcomes:
            if outcome.reason:
                print(f"{card.model}: warning: {outcome.item.name} is left out: {outcome.reason}", file=sys.stderr)
        return {
            outcome.item.name: JudgedVideo(stored.read_judgements(outcome.item.outputs[0]))
            for outcome in outcomes
            if not outcome.reason
        }


def _attended_clips(sources: Sources) -> dict[str, Any]:
    """What stage `attend` says of the clips of each video; of test videos in a file of their own, if it has one."""
    videos: dict[str, Mapping[str, Any]] = {}
    for name in (ATTENDED, ATTENDED_TEST) if sources.split == "test" else (ATTENDED,):
        if (path := sources.features / name).exists():
            videos |= read_json(path)["videos"]
    return {name: record["clips"] for name, record in videos.items()}


def _judge_segments(
    checkpoint: Checkpoint, videos: Sequence[Video], sources: Sources, params: JudgingParams
) -> dict[str, JudgedVideo]:
    """Judges the segments of people of a split: all in one go, for each is small.

    Who has a part in what is done to others, or is about to do it, is neither a normal person nor the doer.
    """
    arrays = _load_segments(checkpoint.card, sources)
    judge = make_judge(checkpoint, params.step)
    judged_videos = {}
    rows_of: dict[str, list[int]] = {}
    for row, name in enumerate(arrays["video"].tolist()):
        rows_of.setdefault(name, []).append(row)
    with stored.single_thread():
        for video in videos:
            path = path_of(sources.context, video, ".npz")
            if not path.exists():
                print(f"{checkpoint.card.model}: warning: {video.video} is left out: no {path}", file=sys.stderr)
                continue
            frames, rows = load_arrays(path)["frame"], rows_of.get(video.video, [])
            starts, lasts = (np.searchsorted(frames, arrays["frame"][rows, edge]) for edge in (0, -1))
            segments = [
                Segment(int(arrays["person"][row]), int(start), int(last) + 1, arrays["x"][row])
                for row, start, last in zip(rows, starts, lasts, strict=True)
            ]
            labels = [None if is_involved(arrays, row, video) else str(arrays["label"][row]) for row in rows]
            judged_videos[video.video] = JudgedVideo(list(judge.judge_all([segments])), labels)
    return judged_videos


def _load_segments(card: Card, sources: Sources) -> Arrays:
    path = sources.features / f"{sources.split}.npz"
    arrays = load_arrays(path)
    if arrays["x"].ndim != 3 or (len(arrays["x"]) and arrays["x"].shape[1] != card.clip.frames):
        raise VigilError(f"{path}: segments {arrays['x'].shape[1:]}, {card.model} looks at {card.clip.frames} frames.")
    return arrays
