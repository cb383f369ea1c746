"""What changes in a scene, as networks see it that learnt on photographs and are left as they are.

    state, change = update(state, image, time_s, look)      # at every stored frame; the state is None before the first

Their middle layers see parts of bodies and things (networks/middle.py, networks/nanodet_middle.py). How much what they
see differs from the stored frame before, and from the one before that, says that something happens: each channel tells
it of the place where it differs most. What is there to be seen is not kept, so neither faces nor scenery are.

The two differences are told per eighth and per quarter of a second. Over twice the time things differ 1.3 times as
much, whatever the channel, so those of a slower camera are divided by what its longer steps make of them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from vigil.core.clock import START, Pace, update_pace
from vigil.core.errors import VigilError
from vigil.core.params import Frozen
from vigil.core.storage import sha256_file
from vigil.features.networks import middle, nanodet, nanodet_middle

Maps = tuple[np.ndarray, ...]  # (C, h, w) float32 of each network
Look = Callable[[np.ndarray], Maps]  # of a picture (H, W, 3) uint8 RGB
STEPS_S = (0.125, 0.25)  # s, of which differences are told: from the frame before, and from the one before that
GROWTH = 0.38  # a difference grows with the time between two frames to this power; measured over 1/8 and 1/4 s
CHANNELS = middle.CHANNELS + nanodet_middle.CHANNELS  # MoveNet's, then NanoDet's

Side = Annotated[int, Field(ge=64, le=1024)]  # px


class Settings(Frozen):
    """What changes depend on; kept beside the weights of a model that was trained on them."""

    px: Side | None  # longer side of the picture that MoveNet looks at; None: no changes
    nanodet_px: Side | None  # the same of NanoDet; None: it does not look, and nothing is known in its channels

    @property
    def files(self) -> list[str]:
        """Of the networks that look."""
        return [middle.FILE] if self.nanodet_px is None else [middle.FILE, nanodet.FILE]


@dataclass(frozen=True, eq=False)
class State:
    """What is remembered from stored frame to stored frame."""

    pace: Pace
    seen: tuple[tuple[float, Maps], ...]  # s and maps of the newest frames, newest last


def update(state: State | None, image: np.ndarray, time_s: float, look: Look) -> tuple[State, np.ndarray]:
    """Returns the state after `image` and the changes (2, C) float16 that it brings.

    NaN where the frame to compare with lies before a pause in the recording or its beginning, or has another shape, and
    in the channels of NanoDet where it does not look.
    """
    maps = look(image)
    pace, is_paused = update_pace(START if state is None else state.pace, time_s)
    before = () if state is None or is_paused or _shapes(state.seen[-1][1]) != _shapes(maps) else state.seen
    changes = np.full((len(STEPS_S), sum(map(len, maps))), np.nan, np.float32)
    for row, (step_s, (earlier_s, earlier)) in enumerate(zip(STEPS_S, reversed(before), strict=False)):
        scale = (step_s / (time_s - earlier_s)) ** GROWTH
        largest = [np.abs(now - then).max(axis=(1, 2)) for now, then in zip(maps, earlier, strict=True)]
        changes[row] = np.concatenate(largest) * np.float32(scale)
    return State(pace, (*before, (time_s, maps))[-len(STEPS_S) :]), changes.astype(np.float16)


def open_look(settings: Settings, pretrained: Path) -> Look:
    """Opens the networks; not to be shared between threads."""
    assert settings.px is not None  # else nothing is made
    see = middle.Middle(pretrained, settings.px)
    if settings.nanodet_px is None:
        unknown = np.full((nanodet_middle.CHANNELS, 1, 1), np.nan, np.float32)
        return lambda image: (see(image), unknown)
    see_too = nanodet_middle.NanoDetMiddle(pretrained, settings.nanodet_px)
    return lambda image: (see(image), see_too(image))


def has_networks(settings: Settings, pretrained: Path) -> bool:
    """Whether stage `weights` has brought those that are to look."""
    return all((pretrained / file).exists() for file in settings.files)


def weights_digests(settings: Settings, pretrained: Path) -> dict[str, str]:
    """Returns the digest of each network that looks, by its file; VigilError where one is missing."""
    return {file: _digest(pretrained / file) for file in settings.files}


def require_networks(pretrained: Path, digests: Mapping[str, str]) -> None:
    """Raises VigilError unless the networks are those of these digests, which models learnt from."""
    for file, digest in digests.items():
        if _digest(pretrained / file) != digest:
            raise VigilError(
                f"{pretrained / file}: another network than when models learnt from what it sees. Bring that one back "
                "(`dvc checkout`), or run `vigil repro`."
            )


def _digest(path: Path) -> str:
    if not path.exists():
        raise VigilError(f"{path}: not found. Set weights.people in params.yaml to npm and run `weights`.")
    return sha256_file(path)


def _shapes(maps: Maps) -> list[tuple[int, ...]]:
    return [each.shape for each in maps]
