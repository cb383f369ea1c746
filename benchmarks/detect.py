"""What a detector costs: `python benchmarks/detect.py VIDEO --models panic --models pose_cnn,i3d --models all`.

Runs each set of models over the video in this project and prints a line of JSON for it: frames a second, CPU
milliseconds a frame of the video, and by part: decoding alone, people, other features, models. One thread, as for one
camera of many.
"""

import argparse
import json
import resource
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from vigil.core import settings

settings.prepare(threads=1)

import torch  # noqa: E402  after the threads are counted

from vigil.detect import frame_features  # noqa: E402
from vigil.detect.detector import Detector  # noqa: E402
from vigil.footage.video.views import View, read_views  # noqa: E402


def measure(video: Path, models: str) -> dict[str, Any]:
    """One set of models over the whole video."""
    torch.set_num_threads(1)
    with Detector.load(settings.root() / "models", models.split(",")) as detector:
        frames, decode_s = _time(read_views(video))
        networks = detector._finder, detector._look_on  # noqa: SLF001
        features_s = _time_features(video, detector.plan, *networks) - decode_s
        without_people = replace(detector.plan, landmarks=None, segments=None, masked=None)
        people_s = features_s + decode_s - _time_features(video, without_people, *networks)
        began, wall = time.process_time(), time.monotonic()
        alerts = sum(len(step.changes) for step in detector.steps(read_views(video)))
        total_s, wall = time.process_time() - began, time.monotonic() - wall
    return {
        "models": models,
        "frames": frames,
        "frames_a_second_of_cpu": round(frames / total_s, 1),
        "frames_a_second": round(frames / wall, 1),
        "cpu_ms_a_frame": {
            "decode": round(1000 * decode_s / frames, 2),
            "people": round(1000 * people_s / frames, 2),
            "flow, pictures, changes": round(1000 * (features_s - people_s) / frames, 2),
            "models": round(1000 * (total_s - decode_s - features_s) / frames, 2),
        },
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10,
        "changes": alerts,
    }


def _time_features(video: Path, plan: frame_features.Plan, *networks: Any) -> float:
    """CPU seconds of decoding it and of the features of a plan."""
    state, began = frame_features.START, time.process_time()
    for view in read_views(video):
        state, _ = frame_features.update(state, view, plan, *networks)
    return time.process_time() - began


def _time(views: Iterator[View]) -> tuple[int, float]:
    began, count = time.process_time(), 0
    for _ in views:
        count += 1
    return count, time.process_time() - began


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video", type=Path)
    parser.add_argument("--models", action="append", required=True)
    arguments = parser.parse_args()
    for choice in arguments.models:
        print(json.dumps(measure(arguments.video, choice)), flush=True)
