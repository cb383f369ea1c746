"""Which samples a training sees, in which order, and how they are changed: pure functions of seed, epoch and place.

So the number of loader processes, of devices and of interruptions changes nothing.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler, default_collate

Augment = Callable[[list[Tensor], list[Tensor], list[torch.Generator]], tuple[Tensor, Tensor]]
Place = tuple[int, int, int]  # epoch, how many-th sample of the epoch, number of the sample
ORDER, CHANGE = 0, 1  # what random numbers are for


class Samples(Protocol):
    """What a dataset offers beside its items {"x": Tensor, "y": Tensor}."""

    labels: np.ndarray  # (N,) int: class number of each
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


def drawn(count: int, wanted: int, batch: int, seed: int, epoch: int) -> np.ndarray:
    """Numbers of the samples of an epoch, a multiple of `batch`, about `wanted` (0: `count`) of `count`.

    Epochs follow each other through one endless shuffle, all samples before any comes again.
    """
    length = batch * max(1, round(wanted / batch) if wanted else -(-count // batch))
    first, last = epoch * length // count, ((epoch + 1) * length - 1) // count
    shuffles = [np.random.default_rng([seed, ORDER, number]).permutation(count) for number in range(first, last + 1)]
    return np.concatenate(shuffles)[epoch * length - first * count :][:length]


class Share(Sampler[Place]):
    """One device's share of the epoch that `epoch` says: of every batch an equal part, in order."""

    def __init__(self, count: int, wanted: int, batch: int, seed: int, rank: int = 0, ranks: int = 1) -> None:
        self.count, self.wanted, self.batch, self.seed, self.rank, self.ranks = count, wanted, batch, seed, rank, ranks
        self.epoch = 0

    def __len__(self) -> int:
        return len(drawn(self.count, self.wanted, self.batch, self.seed, 0)) // self.ranks

    def __iter__(self) -> Iterator[Place]:
        epoch, each = self.epoch, self.batch // self.ranks
        numbers = drawn(self.count, self.wanted, self.batch, self.seed, epoch)
        for place, number in enumerate(numbers.tolist()):
            if place % self.batch // each == self.rank:
                yield epoch, place, number


class InTurn(Sampler[int]):
    """One device's share of all samples: every `ranks`-th part of `part` samples, from the start again at the end.

    All devices get as many parts; what comes twice is told by its number.
    """

    def __init__(self, count: int, part: int, rank: int = 0, ranks: int = 1) -> None:
        self.count, self.part, self.rank, self.ranks = count, part, rank, ranks

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __iter__(self) -> Iterator[int]:
        parts = -(-self.count // self.part)
        for number in range(self.rank, -(-parts // self.ranks) * self.ranks, self.ranks):
            start = number % parts * self.part
            yield from range(start, min(start + self.part, self.count))


class Changed(Dataset[dict[str, Any]]):
    """Samples to train on, a part at a time, each changed by `augment` with random numbers of its own."""

    def __init__(self, samples: Samples, augment: Augment, seed: int) -> None:
        self.samples, self.augment, self.seed = samples, augment, seed

    def __getitems__(self, places: Sequence[Place]) -> dict[str, Any]:
        items, chances = [], []
        for epoch, place, number in places:
            self.samples.epoch = epoch
            items.append(self.samples[number])
            key = np.random.SeedSequence([self.seed, CHANGE, epoch, place]).generate_state(1, np.uint64)
            chances.append(torch.Generator().manual_seed(int(key[0]) >> 1))
        with torch.no_grad():
            x, y = self.augment([item["x"] for item in items], [item["y"] for item in items], chances)
        return {"x": x, "y": y}


class Numbered(Dataset[dict[str, Any]]):
    """Samples as they are, a part at a time, with their numbers."""

    def __init__(self, samples: Samples) -> None:
        self.samples = samples

    def __getitems__(self, numbers: Sequence[int]) -> dict[str, Any]:
        items = [self.samples[number] for number in numbers]
        return default_collate([item | {"number": number} for item, number in zip(items, numbers, strict=True)])


def loader(data: Dataset[Any], sampler: Sampler[Any], part: int, workers: int, *, pin: bool) -> DataLoader[Any]:
    """Parts of `part` samples; pinned for a GPU."""
    return DataLoader(
        data,
        batch_size=part,
        collate_fn=_together,
        sampler=sampler,
        num_workers=workers,
        persistent_workers=workers > 0,
        pin_memory=pin,
        generator=torch.Generator().manual_seed(0),  # else it draws from the one that dropout draws from
    )


def _together(part: Any) -> Any:
    """A part is put together by the dataset."""
    return part
