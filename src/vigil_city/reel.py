"""From a planned video to its film, ready to be drawn."""

import numpy as np

from vigil_city.acts.catalogue import ALL
from vigil_city.acts.staging import Stage
from vigil_city.film import Film
from vigil_city.plan import Video
from vigil_city.scene import Moment, Script


def shoot(video: Video, seed: int) -> Film:
    """The film of a planned video; its frames and the truth about them come as one iterates."""
    place = video.lens.place(seed)
    return Film(place, script(video, seed), video.lens.fps, video.frames, video.seeds(seed), video.span)


def script(video: Video, seed: int) -> Script:
    """What happens in a planned video."""
    if video.scene == "static":
        return lambda _t: Moment([])
    seconds, cut = float(video.scene_seconds), float(video.cut)
    start, stop = (float(s) for s in video.act) if video.act else (seconds * 0.3, seconds * 0.7)
    rng = np.random.default_rng(video.seeds(seed))
    play, _ = ALL[video.scene]
    scene = play(Stage(rng, video.lens.place(seed), seconds, start, stop))
    return lambda t: scene(t + cut)
