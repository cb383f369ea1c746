"""The samples that a model of params.yaml learns from and is validated on, and a digest of their contents."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vigil.core.errors import NoExamples
from vigil.core.skipping import why_skipped
from vigil.core.storage import sha256_file, sha256_json
from vigil.footage import video_table
from vigil.footage.video_table import Video
from vigil.training.job import TrainingJob


@dataclass(frozen=True)
class SplitSamples:
    """The samples of both splits."""

    train: Any  # to learn from
    val: Any  # to validate on
    sha256: str  # of both


def read_samples(job: TrainingJob, train: Path, val: Path, features: Path, truth: Path) -> SplitSamples:
    """Reads the samples of the videos in two tables; NoExamples where there is nothing to learn from."""
    if reason := why_skipped(features):
        raise NoExamples(reason)
    to_learn, to_validate = (
        video_table.select_sets(video_table.read(path), job.entry.datasets) for path in (train, val)
    )
    return load_samples(job, to_learn, to_validate, features, truth)


def load_samples(job: TrainingJob, train: list[Video], val: list[Video], features: Path, truth: Path) -> SplitSamples:
    """Cuts the samples of the videos of both splits."""
    from vigil.clips import sampling
    from vigil.training.batches import Subset

    clip = job.module.Model(job.config, len(job.entry.classes)).clip
    shared = {
        "fps": job.features.get("frames", {}).get("fps"),
        "truth": truth if clip.target == "cells" else None,
        "seed": job.params.seed,
        "snippets": job.params.bag,
    }
    train_samples, val_samples = (
        sampling.make_dataset(job.entry.input, features, videos, job.entry.classes, clip, train=is_train, **shared)
        for videos, is_train in ((train, True), (val, False))
    )
    data_hash = sha256_json(
        [
            job.features,
            *(describe_samples(samples) for samples in (train_samples, val_samples)),
            *hash_contents(job, (train_samples, val_samples), features, truth, clip.target),
        ]
    )
    if clip.target == "itself":  # what it should know by heart is the first class alone
        normal = np.flatnonzero(val_samples.labels == 0)
        if not len(normal):
            name = next(iter(job.entry.classes))
            raise NoExamples(
                f"the validation split has nothing of '{name}': add such a video with a source of its own."
            )
        return SplitSamples(train_samples, Subset(val_samples, normal), data_hash)
    return SplitSamples(train_samples, val_samples, data_hash)


def describe_samples(samples: Any) -> str:
    """Describes each sample: its class, source and video, and the span that it is cut from."""
    return repr((samples.strata.tolist(), samples.spans.tolist()))


def hash_contents(job: TrainingJob, splits: Sequence[Any], features: Path, truth: Path, target: str) -> Iterable[str]:
    """Yields digests of the features of videos that the model learns from or is chosen by, and of no others."""
    if job.entry.input == "segments":  # lie in one file with those of other videos and classes
        for samples in splits:
            contents = hashlib.sha256()
            for index in range(len(samples)):
                contents.update(samples[index]["x"].numpy().tobytes())
            yield contents.hexdigest()
        return
    names = sorted({name for samples in splits for name in samples.videos})
    files = [path for name in names for end in (".npy", ".npz") if (path := features / f"{name}{end}").exists()]
    if target == "cells":
        files += [path for name in names if (path := truth / f"{name}.npz").exists()]
    yield from map(sha256_file, files)
