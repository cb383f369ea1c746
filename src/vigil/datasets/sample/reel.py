"""Draws one planned video: the frames into an mp4, the truth into an npz."""

from pathlib import Path

import cv2
import numpy as np

from vigil.datasets.sample.crowd import CROWDS
from vigil.datasets.sample.film import Film
from vigil.datasets.sample.plan import ACTS, ORDINARY, Video, planned
from vigil.datasets.sample.scene import Moment, Script
from vigil.storage import save_arrays
from vigil.video import Writer


def draw(scale: str, seed: int, stem: str, out: Path, truth: Path) -> None:
    """The work of one video; the same arguments give the same bytes."""
    cv2.setNumThreads(1)
    video = next(v for v in planned(scale, seed) if v.stem == stem)
    film = shoot(video, seed)
    with Writer(out, video.lens.fps, video.lens.size) as writer:
        for frame in film.frames():
            writer.write(frame)
    save_arrays(truth, **film.truth.arrays())


def shoot(video: Video, seed: int) -> Film:
    """The film of a planned video, ready to be drawn."""
    place = video.lens.place(seed)
    return Film(place, script(video, seed), video.lens.fps, video.frames, video.seeds(seed), video.span)


def script(video: Video, seed: int) -> Script:
    """What happens in a planned video."""
    if video.scene == "static":
        return lambda _t: Moment([])
    scene, _ = {**ORDINARY, **CROWDS, **ACTS}[video.scene]
    seconds, cut = float(video.scene_seconds), float(video.cut)
    start, stop = (float(s) for s in video.act) if video.act else (seconds * 0.3, seconds * 0.7)
    played = scene(np.random.default_rng(video.seeds(seed)), video.lens.place(seed), seconds, (start, stop))
    return lambda t: played(t + cut)
