"""DVC stage `attend`: the clips of every crime video that the gate is surest of, for the model that names the crime.

Reads   <train>, <val>, <test>      videos of each split; the abnormal ones count
        <frames>/<set>/<v>.npz      JPEG frames
        <gate>/                     trained crime_gate
        <calibration>               its thresholds and probabilities
Writes  <out>/<set>/<v>.npy         uint8 (N, T, S, S, 3) RGB: N clips, surest first
        <out>/anomalies.json        of every video: calibrated confidence, whether the gate flags it, and of each clip
                                    its place, the frames shown, the attention on each, and the frames with the most
        <out>/test.json             the same of the test split, apart: no training opens it
        <out>/gate/                 the gate's weights, to start from
        <out>/rejects.csv           videos that could not be read, when there are any

Videos that the gate misses are kept too: what it does not recognise is most worth learning.
"""

import shutil
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import torch
from pydantic import Field

from vigil.clips.places import there
from vigil.core import lineage
from vigil.core.errors import VigilError
from vigil.core.params import Frozen
from vigil.core.storage import replacing, sha256_file, write_json
from vigil.engine.per_video import Item, Runtime, each, finish
from vigil.engine.stage_runner import run_stage
from vigil.features.frames import Archive
from vigil.footage import video_table
from vigil.footage.video_table import Video
from vigil.judging import attention, calibrated
from vigil.judging.attention import Look
from vigil.judging.calibration import Calibration
from vigil.models import checkpoint, crime_gate

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
    made = lineage.read(frames)
    loaded = checkpoint.load(gate, features=made)
    if not isinstance(loaded.card.config, crime_gate.Config):
        raise VigilError(f"{gate}: a {loaded.card.model}; expected a trained crime_gate.")
    frozen = calibrated.read(calibration)
    frozen.check(loaded, str(calibration))
    listed = [
        video for path in (train, val, test) for video in video_table.read(path) if video.abnormal and video.pictures
    ]
    kept = there(frames, listed, ".npz", "frames")
    digests = tuple(sha256_file(gate / name) for name in (checkpoint.WEIGHTS, checkpoint.CONFIG))
    fps = float(made["frames"]["fps"])
    items = [
        Item(
            video.video,
            (sha256_file(frames / f"{video.video}.npz"), *digests, repr(fps)),
            (frames / f"{video.video}.npz", gate, fps),
            (out / f"{video.video}.npy",),
        )
        for video in kept
    ]
    outcomes = each("attend", attend, items, params, runtime)
    finish("attend", out, outcomes)
    about = {video.video: video for video in kept}
    told = {
        one.item.name: _about(about[one.item.name], one.value, frozen.calibration)
        for one in outcomes
        if one.reason is None
    }
    for file, splits in (("anomalies.json", ("train", "val")), ("test.json", ("test",))):
        videos = {name: each for name, each in told.items() if each["split"] in splits}
        write_json(out / file, {"videos": videos, "gate": loaded.sha256})
    for name in (checkpoint.WEIGHTS, checkpoint.CONFIG):
        with replacing(out / "gate" / name) as part:
            shutil.copyfile(gate / name, part)
    lineage.record(out, "attended", {**params.model_dump(mode="json"), "gate": loaded.sha256}, frames)
    missed = sum(not video["flagged"] for video in told.values())
    print(
        f"attend: {sum(len(video['clips']) for video in told.values())} clips; the gate misses {missed} of {len(told)}"
    )


def attend(frames: Path, gate: Path, fps: float, out: Path, *, params: Params) -> dict[str, Any]:
    """Write the clips of one video; what is to be told of them."""
    torch.set_num_threads(1)  # the number of threads is in the last digits of what a network says
    cv2.setNumThreads(1)
    archive, model = Archive(frames), checkpoint.load(gate).model
    times = archive.times
    found = attention.most(attention.looks(archive, model, fps, params.step), params.keep, params.overlap)
    with out.open("wb") as file:
        np.save(file, attention.tensors(archive, found, model.clip.size), allow_pickle=False)
    return {"clips": [_told(look, times) for look in found]}


def _told(look: Look, times: Sequence[Fraction]) -> dict[str, Any]:
    """Places are stored frames; seconds are those of the first and of the last of the window."""
    start, stop = look.place
    return {
        "start": start,
        "stop": stop,
        "start_s": round(float(times[start]), DIGITS),
        "stop_s": round(float(times[stop - 1]), DIGITS),
        "odds": round(look.odds, DIGITS),
        "frames": list(look.frames),
        "attention": [round(float(weight), DIGITS) for weight in look.attention],
        "top": look.top[:TOP],
    }


def _about(video: Video, told: Mapping[str, Any], gate: Calibration) -> dict[str, Any]:
    """Each clip with its calibrated probability; a video is as suspicious as its surest clip, as in evaluation."""
    odds = np.array([clip["odds"] for clip in told["clips"]], np.float32)
    sure = gate.probability(odds, "video").tolist()
    clips = [clip | {"confidence": round(each, DIGITS)} for clip, each in zip(told["clips"], sure, strict=True)]
    flags = gate.thresholds.video if gate.thresholds else None
    return {
        "label": video.label,
        "split": video.split,
        "confidence": clips[0]["confidence"],
        "flagged": flags is not None and bool(odds[0] >= flags),
        "clips": clips,
    }


if __name__ == "__main__":
    run_stage("attend", main)
