"""What changes in a scene, as a network sees it that learnt on photographs and is left as it is.

    state, change = update(state, image, time_s, look)      # at every stored frame; the state is None before the first

Its middle layers see parts of bodies and things (networks/middle.py). How much what they see differs from the stored
frame before, and from the one before that, says that something happens: each channel tells it of the place where it
differs most. What is there to be seen is not kept, so neither faces nor scenery are.

The two differences are told per eighth and per quarter of a second. Over twice the time things differ 1.3 times as
much, whatever the channel, so those of a slower camera are divided by what its longer steps make of them.
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
STEPS_S = (0.125, 0.25)  # s, of which differences are told: from the frame before, and from the one before that
GROWTH = 0.38  # a difference grows with the time between two frames to this power; measured over 1/8 and 1/4 s


class Settings(Frozen):
    """What changes depend on; kept beside the weights of a model that was trained on them."""

    px: Annotated[int, Field(ge=64, le=1024)] | None  # longer side of the picture that is looked at; None: no changes


@dataclass(frozen=True, eq=False)
class State:
    """What is remembered from stored frame to stored frame."""

    pace: Pace
    seen: tuple[tuple[float, np.ndarray], ...]  # s and maps (C, h, w) float32 of the newest frames, newest last


def update(state: State | None, image: np.ndarray, time_s: float, look: Look) -> tuple[State, np.ndarray]:
    """Returns the state after `image` and the changes (2, C) float16 that it brings.

    NaN where the frame to compare with lies before a pause in the recording or its beginning, or has another shape.
    """
    maps = look(image)
    pace, is_paused = update_pace(START if state is None else state.pace, time_s)
    before = () if state is None or is_paused or state.seen[-1][1].shape != maps.shape else state.seen
    changes = np.full((len(STEPS_S), len(maps)), np.nan, np.float32)
    for row, (step_s, (earlier_s, earlier)) in enumerate(zip(STEPS_S, reversed(before), strict=False)):
        scale = (step_s / (time_s - earlier_s)) ** GROWTH
        changes[row] = np.abs(maps - earlier).max(axis=(1, 2)) * np.float32(scale)
    return State(pace, (*before, (time_s, maps))[-len(STEPS_S) :]), changes.astype(np.float16)


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
