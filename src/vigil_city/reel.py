"""From a planned video to its film, ready to be drawn."""

import numpy as np

from vigil_city.crowd import CROWDS
from vigil_city.film import Film
from vigil_city.plan import ACTS, ORDINARY, Video
from vigil_city.scene import Moment, Script


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
