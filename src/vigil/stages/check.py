"""DVC stage `check`: how good the features are, on the test videos whose truth is known (the sample's).

Reads   <landmarks>/<set>/<v>.csv   tracked people; a video without counts as one in which nobody is found
        <planes>/<set>/<v>.npy      flow and people
        <truth>/<set>/<v>.npz       what is true; videos of sets without are left out
        <frames>/<set>/<v>.npz      which frames are stored
        <person>                    the detector of people
        <test>                      videos of the test split
Writes  <out>                       landmarks: who is found, how exactly, who is invented, who is mixed up
        <motion>                    flow: of drawn texture that moves by a known way, and of drawn people

Nothing is chosen by these numbers. Intervals draw whole sources anew.
"""

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
from pydantic import Field

from vigil.core.params import Frozen
from vigil.core.skipping import why_skipped
from vigil.core.storage import load_arrays, write_json
from vigil.engine.stage_runner import run_stage
from vigil.features.flow import dense as flows
from vigil.features.frames import FrameArchive
from vigil.features.landmarks.pose_table import group_by_frame, read_poses
from vigil.features.persons import training_boxes
from vigil.features.persons.detector import PERSON, Detector, why_nobody
from vigil.features.quality import box_quality, flow_quality, landmark_quality
from vigil.features.quality.landmark_quality import Tally, summarise_landmarks
from vigil.footage import video_table
from vigil.footage.video_table import Video
from vigil.statistics.intervals import interval_over_sources

NOTHING_KNOWN = "no video of the test split has a truth to compare with"


class Params(Frozen):
    person_every: Annotated[int, Field(ge=1)]  # stored frames, from one on which the detector is judged to the next
    person_confidence: Annotated[float, Field(gt=0, lt=1)]  # from which boxes count towards average precision


@dataclass(frozen=True)
class CheckedVideo:
    """What the features of one video are worth."""

    video: Video
    tally: Tally
    true_motion: np.ndarray  # (N, 2) how joints moved, px/s of the flow's square
    flow_motion: np.ndarray  # (N, 2) what the flow says


def main(
    *,
    landmarks: Path,
    planes: Path,
    truth: Path,
    frames: Path,
    person: Path,
    test: Path,
    out: Path,
    motion: Path,
    params: Params,
    flow: flows.Settings,
) -> None:
    cv2.setNumThreads(1)
    listed = [video for video in video_table.read(test) if (truth / f"{video.video}.npz").exists()]
    videos = [video for video in listed if (frames / f"{video.video}.npz").exists()]
    checked = [check_video(video, landmarks, planes, truth, frames, flow) for video in videos]
    average_precision = _check_person(videos, frames, truth, person, params)
    write_json(out, _summarise_landmarks(checked) | {"person": {"map50": average_precision}})
    write_json(motion, {"texture": flow_quality.measure_flow(flow), "people": _summarise_motion(checked)})
    if not videos:
        print(f"check: warning: {NOTHING_KNOWN}", file=sys.stderr)
    print(f"check: {len(videos)} videos of {len({video.source for video in videos})} sources")


def check_video(
    video: Video, landmarks: Path, planes: Path, truth: Path, frames: Path, flow: flows.Settings
) -> CheckedVideo:
    """Holds one video's features against its truth."""
    true_arrays = load_arrays(truth / f"{video.video}.npz")
    archive = FrameArchive(frames / f"{video.video}.npz")
    table, motion = landmarks / f"{video.video}.csv", planes / f"{video.video}.npy"
    poses_of_frame = group_by_frame(read_poses(table)) if table.exists() else {}
    poses = {
        frame: [(pose.person, pose.joints) for pose in frame_poses] for frame, frame_poses in poses_of_frame.items()
    }
    tally = landmark_quality.compare_landmarks(true_arrays, poses, archive.index.tolist(), float(video.duration_s))
    moved = (np.zeros((0, 2)), np.zeros((0, 2)))
    if motion.exists():
        arrays = np.load(motion, allow_pickle=False)
        moved = flow_quality.motion_at_joints(
            arrays, archive.index, np.array(archive.times, np.float64), true_arrays, archive.source_size, flow.clip
        )
    return CheckedVideo(video, tally, *moved)


def _summarise_landmarks(checked: Sequence[CheckedVideo]) -> dict[str, Any]:
    if not checked:
        return dict.fromkeys(summarise_landmarks(Tally())) | {"reason": NOTHING_KNOWN}
    by_source = _add_up(checked, lambda video: video.source)
    everything = reduce(add, by_source.values())
    tallies = list(by_source.values())
    record: dict[str, Any] = {
        name: {"value": value, **_interval(tallies, name)} for name, value in summarise_landmarks(everything).items()
    }
    record["by_source"] = {name: summarise_landmarks(tally) for name, tally in by_source.items()}
    record["by_label"] = {
        name: summarise_landmarks(tally) for name, tally in _add_up(checked, lambda video: video.label).items()
    }
    record["n"] = {
        "frames": everything.frames,
        "minutes": round(everything.seconds / 60, 2),
        "people": {str(count): everything.expected[count] for count in sorted(everything.expected) if count},
        "sources": len(by_source),
        "videos": len(checked),
    }
    return record


def _add_up(checked: Iterable[CheckedVideo], key: Callable[[Video], str]) -> dict[str, Tally]:
    """Tallies added up by a property of the video, in the order of its values."""
    tallies: dict[str, Tally] = {}
    for entry in sorted(checked, key=lambda entry: (key(entry.video), entry.video.video)):
        tallies[key(entry.video)] = tallies.get(key(entry.video), Tally()) + entry.tally
    return tallies


def _interval(tallies: Sequence[Tally], name: str) -> dict[str, float | None]:
    """The 95 % interval of the number `name` over sources; None with a single source that has it."""
    interval = interval_over_sources(tallies, lambda drawn: summarise_landmarks(reduce(add, drawn))[name])
    limits = {"low": interval.low, "high": interval.high}
    return {end: None if limit is None else round(limit, 4) for end, limit in limits.items()}


def _check_person(videos: Sequence[Video], frames: Path, truth: Path, person: Path, params: Params) -> dict[str, Any]:
    if reason := why_skipped(person) or why_nobody(person):
        return box_quality.summarise_precision([]) | {"reason": reason}
    detector = Detector(person, params.person_confidence)
    pictures = training_boxes.read_pictures(videos, frames, truth, params.person_every)
    return box_quality.summarise_precision(
        (picture.source, picture.match_detections(detector, PERSON)) for picture in pictures
    )


def _summarise_motion(checked: Sequence[CheckedVideo]) -> dict[str, Any]:
    """The error of the motion of people's torsos, px/s, and that of saying that nothing moves."""
    true = np.concatenate([np.zeros((0, 2)), *(entry.true_motion for entry in checked)])
    estimated = np.concatenate([np.zeros((0, 2)), *(entry.flow_motion for entry in checked)])
    if not len(true):
        reason = "nobody's torso is seen in two stored frames that have flow" if checked else NOTHING_KNOWN
        return {"end_point_error_median_px_per_s": None, "of_no_motion_px_per_s": None, "n": 0, "reason": reason}
    return {
        "end_point_error_median_px_per_s": round(float(np.median(np.hypot(*(estimated - true).T))), 4),
        "of_no_motion_px_per_s": round(float(np.median(np.hypot(*true.T))), 4),
        "n": len(true),
    }


if __name__ == "__main__":
    run_stage("check", main)
