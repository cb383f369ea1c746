"""Which share of drawn heads `vigil detect --anonymise` hides: by boxes and landmarks, and by boxes alone.

    python benchmarks/heads.py [--videos 12]

Run it in a project with its sample and trained models. A head counts where at least half of the body is to be seen, and
is hidden where its middle is in a circle.
"""

import argparse
from pathlib import Path

import numpy as np

from vigil.detect.detector import Detector
from vigil.evidence.hiding import HeadTimes
from vigil.features.landmarks.skeleton import HEAD
from vigil.footage import video_table
from vigil.footage.video.views import read_views

WAYS = {"boxes and landmarks": "pose_lstm", "boxes": "crime_gate"}  # a model that knows poses, and one that does not
SEEN = 0.5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--videos", type=int, default=12)
    wanted = parser.parse_args().videos
    videos = [video for video in video_table.read(Path("data/manifest/test.csv")) if video.video.startswith("sample/")]
    for way, model in WAYS.items():
        hidden = total = 0
        with Detector.load("models", [model], find_heads=True) as detector:
            for video in videos[:: max(1, len(videos) // wanted)]:
                of_video = count_heads(detector, Path(f"data/raw/{video.video}.mp4"), video.video)
                hidden, total = hidden + of_video[0], total + of_video[1]
        print(f"{way}: {hidden} of {total} heads hidden, {hidden / max(total, 1):.1%}", flush=True)


def count_heads(detector: Detector, path: Path, name: str) -> tuple[int, int]:
    """How many are hidden, and how many there are, frame by frame."""
    truth = np.load(f"data/truth/{name}.npz", allow_pickle=False)
    heads, times, size = HeadTimes(), dict[int, float](), (0, 0)
    detector.reset()
    for view in read_views(path):
        stored = detector.step(view).stored
        times[view.index], size = float(view.time_s), view.size
        if stored is not None and stored.heads is not None:
            heads.add(float(view.time_s), stored.heads)
    hidden = total = 0
    for joints, frame, visible in zip(truth["joints"], truth["frame"].tolist(), truth["visible"], strict=True):
        x, y = joints[HEAD, :2]
        if visible < SEEN or frame not in times or not (0 <= x < size[0] and 0 <= y < size[1]):
            continue
        circles = heads.near(times[frame])
        total += 1
        hidden += bool((np.hypot(circles[:, 0] - x, circles[:, 1] - y) <= circles[:, 2]).any())
    return hidden, total


if __name__ == "__main__":
    main()
