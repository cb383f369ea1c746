"""DVC stage `attend`: the clips of every crime video that the gate is surest of, for the model that names the crime.

Reads   <train>, <val>, <test>      videos of each split; the abnormal ones count
        <frames>/<set>/<v>.npz      JPEG frames
        <gate>/                     trained crime_gate
        <calibration>               its thresholds and probabilities
Writes  <out>/<set>/<v>.npy         uint8 (N, T, S, S, 3) RGB: N clips, surest first
        <out>/anomalies.json        of every video: calibrated confidence, whether the gate flags it, and of each clip
                                    its span, the frames shown, the attention on each, and the frames with the most
        <out>/test.json             the same of the test split, apart: no training opens it
        <out>/gate/                 the gate's weights, to start from
        <out>/rejects.csv           videos that could not be read, when there are any
        <out>/skipped.json          instead of all these, where there is no gate

Videos that the gate misses are kept too: what it does not recognise is most worth learning.
"""

import shutil
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
from pydantic import Field

from vigil.clips.feature_samples import ATTENDED, ATTENDED_TEST
from vigil.clips.window_table import videos_with_features
from vigil.core import lineage
from vigil.core.errors import VigilError
from vigil.core.params import Frozen
from vigil.core.skipping import skip_folder, why_skipped
from vigil.core.storage import replacing, sha256_file, write_json
from vigil.engine.code_version import code_version
from vigil.engine.per_video import Item, Runtime, finish_folder, run_per_video
from vigil.engine.stage_runner import run_stage
from vigil.features.frames import FrameArchive
from vigil.footage import video_table
from vigil.footage.video_table import Video
from vigil.judging.attention import rank_frames, read_clips, select_clips
from vigil.judging.calibration import Calibration, read_calibration
from vigil.judging.items import Picture
from vigil.judging.judgements import Judgement
from vigil.judging.pieces import judge_recording, make_piece_judge
from vigil.judging.stored import single_thread
from vigil.models import crime_gate
from vigil.models.checkpoint import CONFIG, WEIGHTS, load_checkpoint

DIGITS = 6
TOP = 4  # frames of a clip that are named as those with the most attention


class Params(Frozen):
    keep: Annotated[int, Field(ge=1)]  # clips of a video, at most
    step: Annotated[float, Field(gt=0, le=1)]  # windows from one window that is judged to the next
    overlap: Annotated[float, Field(ge=0, lt=1)]  # share of a clip that a surer one may hold


def main(
    *,
    train: Path,
    val: Path,
    test: Path,
    frames: Path,
    gate: Path,
    calibration: Path,
    out: Path,
    params: Params,
    runtime: Runtime,
) -> None:
    made_with = params.model_dump(mode="json")
    if reason := why_skipped(gate) or why_skipped(calibration):
        finish_folder("attend", out, [])
        skip_folder(out, f"without a crime_gate there are no clips: {reason}")
        lineage.record(out, "attended", {**made_with, "gate": None}, frames)
        return
    features = lineage.read(frames)
    checkpoint = load_checkpoint(gate, features=features)
    if not isinstance(checkpoint.card.config, crime_gate.Config):
        raise VigilError(f"{gate}: a {checkpoint.card.model}; expected a trained crime_gate.")
    frozen = read_calibration(calibration)
    frozen.check(checkpoint, str(calibration))
    crimes = [
        video for path in (train, val, test) for video in video_table.read(path) if video.abnormal and video.pictures
    ]
    videos = videos_with_features(frames, crimes, ".npz", "frames")
    weights = (sha256_file(gate / name) for name in (WEIGHTS, CONFIG))
    key = (*weights, code_version(crime_gate.Model), repr(float(features["frames"]["fps"])))
    items = [
        Item(
            video.video,
            (sha256_file(frames / f"{video.video}.npz"), *key),
            (frames / f"{video.video}.npz", gate),
            (out / f"{video.video}.npy",),
        )
        for video in videos
    ]
    outcomes = run_per_video("attend", attend, items, params, runtime)
    finish_folder("attend", out, outcomes)
    by_name = {video.video: video for video in videos}
    records = {
        outcome.item.name: _describe_video(by_name[outcome.item.name], outcome.value, frozen)
        for outcome in outcomes
        if outcome.reason is None
    }
    for file, splits in ((ATTENDED, ("train", "val")), (ATTENDED_TEST, ("test",))):
        of_splits = {name: record for name, record in records.items() if record["split"] in splits}
        write_json(out / file, {"videos": of_splits, "gate": checkpoint.sha256})
    for name in (WEIGHTS, CONFIG):
        with replacing(out / "gate" / name) as temporary:
            shutil.copyfile(gate / name, temporary)
    lineage.record(out, "attended", {**made_with, "gate": checkpoint.sha256}, frames)
    clips = sum(len(record["clips"]) for record in records.values())
    missed = sum(not record["flagged"] for record in records.values())
    print(f"attend: {clips} clips; the gate misses {missed} of {len(records)}")


def attend(frames: Path, gate: Path, out: Path, *, params: Params) -> dict[str, Any]:
    """Writes the clips of one video that the gate is surest of, and returns what is recorded of each."""
    cv2.setNumThreads(1)
    archive, checkpoint = FrameArchive(frames), load_checkpoint(gate)
    with single_thread():
        judge = make_piece_judge(checkpoint, params.step)
        judgements = list(judge_recording(judge, map(Picture, archive.jpegs()), archive.times))
    clips = select_clips(judgements, params.keep, params.overlap)
    with out.open("wb") as file:
        np.save(file, read_clips(archive, clips, checkpoint.model.clip.size), allow_pickle=False)
    return {"clips": [_describe_clip(clip, archive.times) for clip in clips]}


def _describe_clip(clip: Judgement, times: Sequence[Fraction]) -> dict[str, Any]:
    """Start and stop are stored frames; seconds are those of the first and of the last frame of the window."""
    assert clip.attention is not None
    return {
        "start": clip.start,
        "stop": clip.stop,
        "start_s": round(float(times[clip.start]), DIGITS),
        "stop_s": round(float(times[clip.stop - 1]), DIGITS),
        "odds": round(clip.score, DIGITS),
        "frames": list(clip.shown),
        "attention": [round(float(weight), DIGITS) for weight in clip.attention],
        "top": rank_frames(clip)[:TOP],
    }


def _describe_video(video: Video, record: Mapping[str, Any], gate: Calibration) -> dict[str, Any]:
    """Each clip with its calibrated probability; a video is as suspicious as its surest clip, as in evaluation."""
    odds = np.array([clip["odds"] for clip in record["clips"]], np.float32)
    probabilities = gate.probability(odds, "video").tolist()
    pairs = zip(record["clips"], probabilities, strict=True)
    clips = [clip | {"confidence": round(probability, DIGITS)} for clip, probability in pairs]
    threshold = gate.thresholds.video if gate.thresholds else None
    return {
        "label": video.label,
        "split": video.split,
        "confidence": clips[0]["confidence"],
        "flagged": threshold is not None and bool(odds[0] >= threshold),
        "clips": clips,
    }


if __name__ == "__main__":
    run_stage("attend", main)
