"""Which samples a training sees, in which order, and how they are augmented: pure functions of seed, epoch, position.

So the number of loader processes, of devices and of interruptions changes nothing.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler, default_collate

Augment = Callable[[list[Tensor], list[Tensor], list[torch.Generator]], tuple[Tensor, Tensor]]
Draw = tuple[int, int, int]  # epoch, position within the epoch, index of the sample
ORDER_STREAM, AUGMENT_STREAM, DROPOUT_STREAM = 0, 1, 2  # what a stream of random numbers is for


class Samples(Protocol):
    """What a dataset offers beside its items {"x": Tensor, "y": Tensor}."""

    labels: np.ndarray  # (N,) int: class index of each sample
    epoch: int  # to be set before samples of another epoch are asked for

    def __len__(self) -> int: ...
    def __getitem__(self, index: int) -> dict[str, Tensor]: ...


class Subset:
    """Some of the samples."""

    def __init__(self, samples: Samples, indices: Sequence[int] | np.ndarray) -> None:
        self.samples, self.indices = samples, np.asarray(indices)
        self.labels = np.asarray(samples.labels)[self.indices]

    @property
    def epoch(self) -> int:
        return self.samples.epoch

    @epoch.setter
    def epoch(self, value: int) -> None:
        self.samples.epoch = value

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return self.samples[int(self.indices[index])]


def draw_indices(sample_count: int, per_epoch: int, batch: int, seed: int, epoch: int) -> np.ndarray:
    """Indices of the samples of an epoch: a multiple of `batch`, about `per_epoch` of them (0: all samples).

    Epochs follow each other through one endless shuffle, so all samples come before any comes again.
    """
    length = batch * max(1, round(per_epoch / batch) if per_epoch else -(-sample_count // batch))
    first_shuffle, last_shuffle = epoch * length // sample_count, ((epoch + 1) * length - 1) // sample_count
    shuffles = [
        np.random.default_rng([seed, ORDER_STREAM, shuffle]).permutation(sample_count)
        for shuffle in range(first_shuffle, last_shuffle + 1)
    ]
    return np.concatenate(shuffles)[epoch * length - first_shuffle * sample_count :][:length]


class EpochSampler(Sampler[Draw]):
    """The samples of `epoch` that one process trains on: an equal share of every batch, in order."""

    def __init__(self, sample_count: int, per_epoch: int, batch: int, seed: int, rank: int = 0, ranks: int = 1) -> None:
        self.sample_count, self.per_epoch, self.batch, self.seed = sample_count, per_epoch, batch, seed
        self.rank, self.ranks = rank, ranks
        self.epoch = 0

    def _indices(self, epoch: int) -> np.ndarray:
        return draw_indices(self.sample_count, self.per_epoch, self.batch, self.seed, epoch)

    def __len__(self) -> int:
        return len(self._indices(0)) // self.ranks

    def __iter__(self) -> Iterator[Draw]:
        epoch, share = self.epoch, self.batch // self.ranks
        for position, index in enumerate(self._indices(epoch).tolist()):
            if position % self.batch // share == self.rank:
                yield epoch, position, index


class ValidationSampler(Sampler[int]):
    """The samples that one process validates on: every `ranks`-th run of `part_size` samples, wrapping at the end.

    All processes get as many runs. A run that two of them get is counted once, by the index of its first sample.
    """

    def __init__(self, sample_count: int, part_size: int, rank: int = 0, ranks: int = 1) -> None:
        self.sample_count, self.part_size, self.rank, self.ranks = sample_count, part_size, rank, ranks

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __iter__(self) -> Iterator[int]:
        run_count = -(-self.sample_count // self.part_size)
        for run in range(self.rank, -(-run_count // self.ranks) * self.ranks, self.ranks):
            start = run % run_count * self.part_size
            yield from range(start, min(start + self.part_size, self.sample_count))


class AugmentedSamples(Dataset[dict[str, Any]]):
    """Samples to train on, several at a time, each changed by `augment` with random numbers of its own."""

    def __init__(self, samples: Samples, augment: Augment, seed: int) -> None:
        self.samples, self.augment, self.seed = samples, augment, seed

    def __getitems__(self, draws: Sequence[Draw]) -> dict[str, Any]:
        items, generators = [], []
        for epoch, position, index in draws:
            self.samples.epoch = epoch
            items.append(self.samples[index])
            key = np.random.SeedSequence([self.seed, AUGMENT_STREAM, epoch, position]).generate_state(1, np.uint64)
            generators.append(torch.Generator().manual_seed(int(key[0]) >> 1))
        with torch.no_grad():
            x, y = self.augment([item["x"] for item in items], [item["y"] for item in items], generators)
        return {"x": x, "y": y}


class NumberedSamples(Dataset[dict[str, Any]]):
    """Samples as they are, several at a time, with their indices under `number`."""

    def __init__(self, samples: Samples) -> None:
        self.samples = samples

    def __getitems__(self, indices: Sequence[int]) -> dict[str, Any]:
        items = [self.samples[index] for index in indices]
        return default_collate([item | {"number": index} for item, index in zip(items, indices, strict=True)])


def make_loader(
    dataset: Dataset[Any], sampler: Sampler[Any], part_size: int, workers: int, *, pin: bool
) -> DataLoader[Any]:
    """Loads `part_size` samples at a time; into pinned memory for a GPU."""
    return DataLoader(
        dataset,
        batch_size=part_size,
        collate_fn=_as_collated,
        sampler=sampler,
        num_workers=workers,
        persistent_workers=workers > 0,
        pin_memory=pin,
        generator=torch.Generator().manual_seed(0),  # else it draws from the generator that dropout draws from
    )


def _as_collated(part: Any) -> Any:
    """The datasets above collate by themselves."""
    return part
