"""What a model is trained on: samples {"x", "y"} cut from the cached features of a split.

A sample depends on (seed, epoch, number) alone: not on worker processes, their order, or what was drawn before. So a
training that is resumed goes on exactly where it was. Which ones an epoch sees, and how a model changes them, is said
in batches.py.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Generator, Tensor
from torch.utils.data import Dataset

from vigil.clips import feature_samples, frame_samples
from vigil.clips.places import Classes, Listing, Reader, Wanted, ids, thinned
from vigil.core.errors import VigilError, near_miss
from vigil.footage.video_table import Video
from vigil.models.blocks.layers import Clip


class Clips(Dataset[dict[str, Tensor]]):
    """Samples by number; of each `labels`, `videos`, `groups` (N,) and `places` (N, 2) tell what it is.

    Places are stored frames, half-open; of segments, frames of the video.
    """

    def __init__(self, listing: Listing, read: Reader, *, drawn: bool, seed: int) -> None:
        self.labels, self.places = listing.labels, listing.places
        self.videos, self.groups = listing.videos, listing.groups
        self.epoch = 0  # which frames of a window are shown is `drawn` anew in every one
        self._read, self._drawn, self._seed = read, drawn, seed

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, number: int) -> dict[str, Tensor]:
        if not 0 <= number < len(self):
            raise IndexError(f"sample {number} of {len(self)}")
        x, y = self._read(number, _generator(self._seed, self.epoch, number) if self._drawn else None)
        return {"x": x, "y": y}


def dataset(
    kind: str,
    folder: Path,
    videos: Sequence[Video],
    classes: Classes,
    clip: Clip,
    *,
    train: bool,
    fps: float | None = None,
    truth: Path | None = None,
    seed: int = 0,
    samples: int = 0,
    stride: int = 0,
) -> Clips:
    """The samples of one split for one model; `kind` is the model's input and `folder` is data/<kind>.

    fps      stored frames per second; for a clip whose window is in seconds
    truth    data/truth, for maps of cells
    samples  at most so many, evenly spread over all there are; 0: all
    stride   frames between windows; 0: a quarter of a window to train on, else half a window

    Videos with labels that no class names are left out.
    """
    if kind not in SOURCES:
        raise VigilError(f"models: unknown input '{kind}'. Known: {', '.join(SOURCES)}.{near_miss(kind, SOURCES)}")
    split = "the training split" if train else "the validation split"
    known = ids(classes)
    itself = clip.target == "itself"  # what it may be bad at is no reason to choose other weights
    chosen = [video for video in videos if video.label in known and not (itself and known[video.label])]
    if not videos:
        raise VigilError(f"{split} is empty: nothing to learn from. Add videos, or change manifest.seed or shares.")
    if not chosen:
        wanted = ", ".join(next(iter(classes.values())) if itself else known)
        found = ", ".join(sorted({video.label for video in videos}))
        raise VigilError(f"{split} has no video with a label that is wanted ({wanted}); it has: {found}.")
    if train and len(chosen) == 1:
        raise VigilError(
            f"{split} has one single video ({chosen[0].video}): a model would learn it by heart. Add some."
        )
    wanted_ = Wanted(folder, chosen, classes, clip, fps, truth, train, stride)
    listing, read = SOURCES[kind](wanted_)
    if not len(listing.labels):
        raise VigilError(f"{folder}: not one sample of {clip.frames} frames in {len(chosen)} videos of {split}.")
    if train and clip.target == "class":
        _complain(listing.labels, list(classes), split)
    kept = thinned(len(listing.labels), samples)
    return Clips(listing.part(kept), _Part(read, kept), drawn=train and kind in DRAWN, seed=seed)


DRAWN = {"flow", "frames"}  # of the others, the frames of a sample are there once and for all
SOURCES: Mapping[str, Callable[[Wanted], tuple[Listing, Reader]]] = {
    "flow": feature_samples.flow,
    "segments": feature_samples.segments,
    "frames": frame_samples.frames,
    "attended": feature_samples.attended,
}


@dataclass(frozen=True, eq=False)
class _Part:
    """A reader of some of the windows."""

    read: Reader
    rows: np.ndarray

    def __call__(self, window: int, generator: Generator | None) -> tuple[Tensor, Tensor]:
        return self.read(int(self.rows[window]), generator)


def _complain(labels: np.ndarray, classes: Sequence[str], split: str) -> None:
    """Every class must have an example, and there must be something to tell apart."""
    counts = np.bincount(labels, minlength=len(classes))
    if len(classes) < 2 or (counts > 0).sum() == 1:
        raise VigilError(
            f"{split} has samples of one class alone ({classes[int(counts.argmax())]}): nothing to tell apart. "
            "Add videos of another, or name their labels in the model's classes."
        )
    lacking = [name for name, count in zip(classes, counts, strict=True) if not count]
    if lacking:
        raise VigilError(
            f"{split} has no sample of {', '.join(lacking)}. Add such videos, or take the class out of the model's "
            "classes in params.yaml."
        )


def _generator(*parts: int) -> Generator:
    """Random numbers that differ whenever a part does."""
    words = np.random.SeedSequence(parts).generate_state(2, np.uint32).tolist()
    return Generator().manual_seed(words[0] << 31 ^ words[1])
