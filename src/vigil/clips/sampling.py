"""Cuts the samples {"x", "y"} that a model is trained on from the cached features of a split.

A sample depends on (seed, epoch, number) alone: not on worker processes, their order, or what was drawn before. So a
training that is resumed goes on exactly where it was. Which ones an epoch sees, and how a model changes them, is said
in training/batches.py.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Generator, Tensor
from torch.utils.data import Dataset

from vigil.clips import feature_samples, frame_samples
from vigil.clips.labels import Classes, label_to_class
from vigil.clips.window_table import LONE, Reader, SampleRequest, WindowTable
from vigil.clips.windows import draw_snippets, evenly_spaced
from vigil.core.errors import NoExamples, VigilError, near_miss
from vigil.footage.video_table import Video
from vigil.models.blocks.layers import Clip

BAG_STREAM = 1  # of random numbers: those by which the windows of a bag are seen


class ClipDataset(Dataset[dict[str, Tensor]]):
    """The samples of a split by number; `labels`, `videos`, `groups` (N,), `spans` (N, 2) describe them.

    `strata` (N, 3) are class, source and video; where there are bags and lone windows, which it is stands after the
    class, so that one is drawn as often as the other. A sample is one window, or a bag of windows, of which some are
    drawn: then "x" has one more axis in front, and "snippets" says how many there are.

    Spans are ticks, half-open; of segments, frames of the video, and of attended clips, stored frames.
    """

    def __init__(
        self,
        windows: WindowTable,
        read: Reader,
        samples: Sequence[np.ndarray],
        *,
        random_phase: bool,
        seed: int,
        snippets: int,
    ) -> None:
        first, last = (np.array([rows[end] for rows in samples], np.int64) for end in (0, -1))
        self.labels, self.spans = windows.labels[first], np.stack([windows.spans[first, 0], windows.spans[last, 1]], 1)
        self.videos, self.groups = windows.videos[first], windows.groups[first]
        self.bags = windows.bags[first] != LONE
        levels = [self.labels.astype(np.str_), self.groups, self.videos]
        if self.bags.any() and not self.bags.all():
            levels.insert(1, self.bags.astype(np.str_))
        self.strata = np.stack(levels, axis=1)
        self.epoch = 0  # with `random_phase`, windows of a bag and frames of a window are drawn anew in each
        self._read, self._samples = read, samples
        self._random_phase, self._seed, self._snippets = random_phase, seed, snippets

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, number: int) -> dict[str, Tensor]:
        if not 0 <= number < len(self):
            raise IndexError(f"sample {number} of {len(self)}")
        rows = self._samples[number]
        if not self.bags[number]:
            x, y = self._read(int(rows[0]), self._generator(number))
            return {"x": x, "y": y}
        drawn = rows[draw_snippets(len(rows), self._snippets, self._generator(number))]
        # Random numbers begin anew with each window: one camera sees them all.
        pairs = [self._read(int(row), self._generator(number, BAG_STREAM)) for row in drawn]
        return {"x": torch.stack([x for x, _ in pairs]), "y": pairs[0][1], "snippets": torch.tensor(len(pairs))}

    def _generator(self, number: int, *stream: int) -> Generator | None:
        return _make_generator(self._seed, self.epoch, number, *stream) if self._random_phase else None


def make_dataset(
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
    snippets: int = 16,
) -> ClipDataset:
    """Makes the samples of one split for one model; `kind` is the model's input and `folder` is data/<kind>.

    fps      ticks per second of the clock by which models are fed; for flow, changes and frames
    truth    data/truth, for maps of cells
    samples  at most so many, evenly spread over all there are; 0: all
    stride   ticks between windows; 0: a quarter of a window to train on, else half a window
    snippets windows that are drawn of a bag, at most

    Videos with labels that no class names are left out.
    """
    if kind not in SOURCES:
        raise VigilError(f"models: unknown input '{kind}'. Known: {', '.join(SOURCES)}.{near_miss(kind, SOURCES)}")
    split = "the training split" if train else "the validation split"
    chosen = _choose_videos(videos, classes, clip, split)
    if train and len(chosen) == 1:
        raise NoExamples(
            f"{split} has one single video ({chosen[0].video}): a model would learn it by heart. Add some."
        )
    request = SampleRequest(folder, chosen, classes, clip, fps, truth, train, stride)
    windows, read = SOURCES[kind](request)
    if not len(windows.labels):
        raise NoExamples(f"{folder}: not one sample of {clip.frames} frames in {len(chosen)} videos of {split}.")
    if train and clip.target == "class":
        _require_all_classes(windows.labels, list(classes), split)
    all_samples = windows.samples()
    chosen_samples = [all_samples[number] for number in evenly_spaced(len(all_samples), samples)]
    random_phase = train and kind in RANDOM_PHASE
    return ClipDataset(windows, read, chosen_samples, random_phase=random_phase, seed=seed, snippets=snippets)


# The inputs whose frames are drawn; samples of the others are stored ready-made.
RANDOM_PHASE = {"flow", "frames", "masked", "trunk"}
SOURCES: Mapping[str, Callable[[SampleRequest], tuple[WindowTable, Reader]]] = {
    "flow": feature_samples.flow_samples,
    "trunk": feature_samples.change_samples,
    "segments": feature_samples.segment_samples,
    "frames": frame_samples.picture_samples,
    "masked": frame_samples.picture_samples,
    "attended": feature_samples.attended_samples,
}


def _choose_videos(videos: Sequence[Video], classes: Classes, clip: Clip, split: str) -> list[Video]:
    """Returns the videos whose label a class names; NoExamples where there are none.

    A model that reconstructs sees its first class alone: what it may be bad at is no reason to choose other weights.
    """
    class_of_label = label_to_class(classes)
    is_reconstructed = clip.target == "itself"
    chosen = [
        video
        for video in videos
        if video.label in class_of_label and not (is_reconstructed and class_of_label[video.label])
    ]
    if not videos:
        raise NoExamples(f"{split} is empty: nothing to learn from. Add videos, or change manifest.seed or shares.")
    if not chosen:
        expected = ", ".join(next(iter(classes.values())) if is_reconstructed else class_of_label)
        labels = sorted({video.label for video in videos})
        hints = [hint for label in labels if (hint := near_miss(label, class_of_label)) and not is_reconstructed]
        raise NoExamples(
            f"{split} has no video with a label that is wanted ({expected}); it has: {', '.join(labels)}."
            f"{''.join(hints[:1])}"
        )
    return chosen


def _require_all_classes(labels: np.ndarray, classes: Sequence[str], split: str) -> None:
    """Raises NoExamples unless every class has an example and there are two classes or more."""
    counts = np.bincount(labels, minlength=len(classes))
    if len(classes) < 2 or (counts > 0).sum() == 1:
        raise NoExamples(
            f"{split} has samples of one class alone ({classes[int(counts.argmax())]}): nothing to tell apart. "
            "Add videos of another, or name their labels in the model's classes."
        )
    missing = [name for name, count in zip(classes, counts, strict=True) if not count]
    if missing:
        raise NoExamples(
            f"{split} has no sample of {', '.join(missing)}. Add such videos, or take the class out of the model's "
            "classes in params.yaml."
        )


def _make_generator(*seeds: int) -> Generator:
    """Makes a generator whose random numbers differ whenever one of `seeds` does."""
    words = np.random.SeedSequence(seeds).generate_state(2, np.uint32).tolist()
    return Generator().manual_seed(words[0] << 31 ^ words[1])
