"""A small table of landmarks in which each deed is a movement of its own, at a place and of a size that say nothing."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from corpora import JOINTS, write_landmarks

DEEDS = {"theft": "0", "assault": "1", "damage": "2", "normal": "3"}
STANDING = {
    "SHOULDER": (12, 30),
    "ELBOW": (14, 50),
    "WRIST": (14, 70),
    "HIP": (8, 80),
    "KNEE": (8, 115),
    "ANKLE": (8, 150),
}


def stand() -> np.ndarray:
    """(13, 2), in the order of the table's columns: somebody upright, head at the origin."""
    places = {
        f"{joint}_{side}": (sign * x, y)
        for joint, (x, y) in STANDING.items()
        for side, sign in (("LEFT", 1), ("RIGHT", -1))
    }
    return np.array([(places | {"HEAD": (0, 0)})[joint] for joint in JOINTS], float)


def act(deed: str, rows: int, rng: np.random.Generator) -> np.ndarray:
    """(rows, 13, 2) px: who steals bends, who fights strikes with both hands, who breaks things kicks, others stand."""
    poses = np.tile(stand(), (rows, 1, 1)) + rng.normal(0, 1.0, (rows, len(JOINTS), 2))
    swing = np.sin(np.arange(rows) * 2.0 + rng.uniform(0, 6))
    column = {joint: number for number, joint in enumerate(JOINTS)}
    upper = [column[name] for name in JOINTS if name.startswith(("SHOULDER", "ELBOW", "WRIST", "HEAD"))]
    if deed == "theft":
        poses[:, upper] += [30.0, 35.0]
    if deed == "assault":
        poses[:, [column["WRIST_LEFT"], column["WRIST_RIGHT"]]] += np.stack([40 * swing, -40 + 0 * swing], 1)[:, None]
    if deed == "damage":
        poses[:, column["ANKLE_RIGHT"]] += np.stack([40 + 40 * swing, -50 + 0 * swing], 1)
    return poses * rng.uniform(1.0, 3.0) + rng.uniform([200, 100], [1500, 500])


def draw_deeds(
    path: Path,
    clips: int = 6,
    seed: int = 0,
    deeds: Sequence[str] = tuple(DEEDS),
    shuffled: bool = False,
) -> None:
    """Writes `clips` clips of each deed; `shuffled`: what is done has nothing to do with the label."""
    rng, rows = np.random.default_rng(seed), 22
    done = [(deed, deed) for deed in deeds for _ in range(clips)]
    if shuffled:
        done = [(label, str(rng.choice(list(deeds)))) for label, _ in done]
    lines = []
    for number, (label, deed) in enumerate(done):
        for row, pose in enumerate(act(deed, rows + number % 3, rng)):
            frame = "" if label == "normal" else str(100 - number % 7 + 10 * row)
            cells = [f"{value:.3f}" if label != "normal" else str(round(value)) for value in pose.ravel()]
            lines.append(",".join(["1", "0", *cells, frame, DEEDS[label]]))
    write_landmarks(path, lines)
