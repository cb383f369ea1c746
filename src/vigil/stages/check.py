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
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
from pydantic import Field

from vigil.core.params import Frozen
from vigil.core.storage import load_arrays, write_json
from vigil.engine.stage_runner import run_stage
from vigil.features.flow import dense as flows
from vigil.features.frames import Archive
from vigil.features.landmarks.pose_table import by_frame, read
from vigil.features.persons import training_boxes
from vigil.features.persons.detector import PERSON, Detector
from vigil.features.quality import box_quality, flow_quality, landmark_quality
from vigil.features.quality.landmark_quality import Tally
from vigil.footage import video_table
from vigil.footage.video_table import Video

NOTHING_KNOWN = "no video of the test split has a truth to compare with"
ROUNDS = 500  # of the bootstrap
Summary = Mapping[str, float | None]


class Params(Frozen):
    person_every: Annotated[int, Field(ge=1)]  # stored frames, from one on which the detector is judged to the next
    person_confidence: Annotated[float, Field(gt=0, lt=1)]  # from which boxes count towards average precision


@dataclass(frozen=True)
class Judged:
    """What there is to be said of one video."""

    video: Video
    tally: Tally
    told: np.ndarray  # (N, 2) how joints moved, px of the flow's square
    found: np.ndarray  # (N, 2) what the flow says


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
    known = [video for video in listed if (frames / f"{video.video}.npz").exists()]
    judged = [judge(video, landmarks, planes, truth, frames, flow) for video in known]
    write_json(out, _landmarks(judged) | {"person": {"map50": _boxes(known, frames, truth, person, params)}})
    write_json(motion, {"texture": flow_quality.measure(flow), "people": _motion(judged)})
    if not known:
        print(f"check: warning: {NOTHING_KNOWN}", file=sys.stderr)
    print(f"check: {len(known)} videos of {len({video.source for video in known})} sources")


def judge(video: Video, landmarks: Path, planes: Path, truth: Path, frames: Path, flow: flows.Settings) -> Judged:
    """Hold one video's features against its truth."""
    told = load_arrays(truth / f"{video.video}.npz")
    archive = Archive(frames / f"{video.video}.npz")
    table, motion = landmarks / f"{video.video}.csv", planes / f"{video.video}.npy"
    people = by_frame(read(table)) if table.exists() else {}
    poses = {frame: [(pose.person, pose.joints) for pose in there] for frame, there in people.items()}
    tally = landmark_quality.compare(told, poses, archive.index.tolist(), float(video.duration_s))
    moved = (np.zeros((0, 2)), np.zeros((0, 2)))
    if motion.exists():
        arrays = np.load(motion, allow_pickle=False)
        moved = flow_quality.at_joints(arrays, archive.index, told, archive.source_size, flow.clip)
    return Judged(video, tally, *moved)


def _landmarks(judged: Sequence[Judged]) -> dict[str, Any]:
    if not judged:
        return dict.fromkeys(landmark_quality.summary(Tally())) | {"reason": NOTHING_KNOWN}
    by_source = _tallies(judged, lambda video: video.source)
    everything = reduce(add, by_source.values())
    told: dict[str, Any] = {
        name: {"value": value, **_interval(list(by_source.values()), name)}
        for name, value in landmark_quality.summary(everything).items()
    }
    told["by_source"] = {name: landmark_quality.summary(tally) for name, tally in by_source.items()}
    told["by_label"] = {
        name: landmark_quality.summary(tally) for name, tally in _tallies(judged, lambda video: video.label).items()
    }
    told["n"] = {
        "frames": everything.frames,
        "minutes": round(everything.seconds / 60, 2),
        "people": {str(count): everything.there[count] for count in sorted(everything.there) if count},
        "sources": len(by_source),
        "videos": len(judged),
    }
    return told


def _tallies(judged: Iterable[Judged], key: Callable[[Video], str]) -> dict[str, Tally]:
    """Added up by a property of the video, in the order of its values."""
    found: dict[str, Tally] = {}
    for one in sorted(judged, key=lambda one: (key(one.video), one.video.video)):
        found[key(one.video)] = found.get(key(one.video), Tally()) + one.tally
    return found


def _interval(tallies: Sequence[Tally], name: str) -> dict[str, float | None]:
    """95 % of the values when whole sources are drawn anew; nothing for a single one."""
    random = np.random.default_rng(0)
    values = []
    for _ in range(ROUNDS if len(tallies) > 1 else 0):
        drawn = [tallies[k] for k in random.integers(len(tallies), size=len(tallies))]
        value = landmark_quality.summary(reduce(add, drawn))[name]
        values += [] if value is None else [value]
    if not values:
        return {"low": None, "high": None}
    low, high = np.percentile(values, (2.5, 97.5))
    return {"low": round(float(low), 4), "high": round(float(high), 4)}


def _boxes(known: Sequence[Video], frames: Path, truth: Path, person: Path, params: Params) -> dict[str, Any]:
    detector = Detector(person, params.person_confidence)
    pictures = training_boxes.of_videos(known, frames, truth, params.person_every)
    return box_quality.summary((picture.source, picture.judged(detector, PERSON)) for picture in pictures)


def _motion(judged: Sequence[Judged]) -> dict[str, Any]:
    """Of people's trunks, from frame to frame; beside it the error of saying that nothing moves."""
    told = np.concatenate([np.zeros((0, 2)), *(one.told for one in judged)])
    found = np.concatenate([np.zeros((0, 2)), *(one.found for one in judged)])
    if not len(told):
        reason = "nobody's trunk is seen in two stored frames that have flow" if judged else NOTHING_KNOWN
        return {"end_point_error_median_px": None, "of_no_motion_px": None, "n": 0, "reason": reason}
    return {
        "end_point_error_median_px": round(float(np.median(np.hypot(*(found - told).T))), 4),
        "of_no_motion_px": round(float(np.median(np.hypot(*told.T))), 4),
        "n": len(told),
    }


if __name__ == "__main__":
    run_stage("check", main)
