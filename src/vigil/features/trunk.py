"""What changes in a scene, as a network sees it that learnt on photographs and is left as it is.

    state, change = update(state, image, time_s, look)      # at every stored frame; the state is None before the first

Its middle layers see parts of bodies and things (networks/middle.py). How much what they see differs from one stored
frame to the next says that something happens: on average over the places of the picture, and at the place where it
differs most. What is there to be seen is not kept, so neither faces nor scenery are.

A change is told per eighth of a second. Over twice the time things change 1.3 times as much, whatever the channel, so
that of a slower camera is divided by what its longer steps make of it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from vigil.core.clock import START, Pace, update_pace
from vigil.core.errors import VigilError
from vigil.core.params import Frozen
from vigil.core.storage import sha256_file
from vigil.features.networks.middle import FILE, Middle

Look = Callable[[np.ndarray], np.ndarray]  # (H, W, 3) uint8 RGB -> (C, h, w) float32
POOLS = 2  # over the places of a picture: mean and maximum
STEP_S = 0.125  # s, of which a change is told
GROWTH = 0.38  # a change grows with the time between two frames to this power; measured over 1/8 and 1/4 s


class Settings(Frozen):
    """What changes depend on; kept beside the weights of a model that was trained on them."""

    px: Annotated[int, Field(ge=64, le=1024)] | None  # longer side of the picture that is looked at; None: no changes


@dataclass(frozen=True, eq=False)
class State:
    """What is remembered from stored frame to stored frame."""

    maps: np.ndarray  # (C, h, w) float32, of the newest
    pace: Pace


def update(state: State | None, image: np.ndarray, time_s: float, look: Look) -> tuple[State, np.ndarray]:
    """Returns the state after `image` and the change (2, C) float16 that it brings.

    NaN at the first frame of a piece of the recording, and where the picture has another shape than before.
    """
    maps = look(image)
    pace, is_paused = update_pace(START if state is None else state.pace, time_s)
    after = State(maps, pace)
    if state is None or is_paused or state.maps.shape != maps.shape:
        return after, np.full((POOLS, len(maps)), np.nan, np.float16)
    change = np.abs(maps - state.maps).reshape(len(maps), -1)
    scale = (STEP_S / pace.recent[-1]) ** GROWTH
    pooled = np.stack([change.mean(axis=1), change.max(axis=1)])
    return after, (pooled * np.float32(scale)).astype(np.float16)


def open_look(settings: Settings, pretrained: Path) -> Look:
    """Opens the network; not to be shared between threads."""
    assert settings.px is not None  # else nothing is made
    return Middle(pretrained, settings.px)


def has_network(pretrained: Path) -> bool:
    """Whether stage `weights` has brought it."""
    return (pretrained / FILE).exists()


def weights_digest(pretrained: Path) -> str:
    """Returns the digest of the network; VigilError where it is missing."""
    if not has_network(pretrained):
        raise VigilError(f"{pretrained / FILE}: not found. Set weights.people in params.yaml to npm and run `weights`.")
    return sha256_file(pretrained / FILE)


def require_network(pretrained: Path, digest: str) -> None:
    """Raises VigilError unless the network is the one of this digest, which models learnt from."""
    if weights_digest(pretrained) != digest:
        raise VigilError(
            f"{pretrained / FILE}: another network than when models learnt from what it sees. Bring that one back "
            "(`dvc checkout`), or run `vigil repro`."
        )
