"""Which samples a training sees, in which order, and how they are augmented: pure functions of seed, epoch, position.

So the number of loader processes, of devices and of interruptions changes nothing.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler, default_collate

from vigil.training.bags import list_windows
from vigil.training.draws import Order

Augment = Callable[[list[Tensor], list[Tensor], list[torch.Generator]], tuple[Tensor, Tensor]]
Draw = tuple[int, int, int]  # of a sample: epoch, position within the epoch, index of the sample
AUGMENT_STREAM, DROPOUT_STREAM = 1, 2  # what a stream of random numbers is for; 0: their order, draws.py


class Samples(Protocol):
    """What a dataset offers beside its items {"x": Tensor, "y": Tensor}."""

    labels: np.ndarray  # (N,) int: class index of each sample
    strata: np.ndarray  # (N, 3) str: class, source and video of each
    epoch: int  # to be set before samples of another epoch are asked for

    def __len__(self) -> int: ...
    def __getitem__(self, index: int) -> dict[str, Tensor]: ...


class Subset:
    """The samples of a dataset that have one of `indices`, in that order."""

    def __init__(self, samples: Samples, indices: Sequence[int] | np.ndarray) -> None:
        self.samples, self.indices = samples, np.asarray(indices)
        self.labels, self.strata = samples.labels[self.indices], samples.strata[self.indices]

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


class EpochSampler(Sampler[Draw]):
    """The samples of `epoch` that one process trains on: an equal share of every batch, in order.

    Epochs of `length` follow each other through the endless sequence of `draw`; see draws.py.
    """

    def __init__(self, draw: Order, length: int, batch: int, rank: int = 0, ranks: int = 1) -> None:
        self.draw, self.length, self.batch = draw, length, batch
        self.rank, self.ranks = rank, ranks
        self.epoch = 0

    def __len__(self) -> int:
        return self.length // self.ranks

    def __iter__(self) -> Iterator[Draw]:
        epoch, share = self.epoch, self.batch // self.ranks
        drawn = self.draw(epoch * self.length, (epoch + 1) * self.length)
        for position, index in enumerate(drawn.tolist()):
            if position % self.batch // share == self.rank:
                yield epoch, position, index


class ValidationSampler(Sampler[int]):
    """The samples that one process validates on: every `ranks`-th batch of `batch_size` in a row, wrapping at the end.

    All processes get as many batches. One that two of them get is counted once, by the index of its first sample.
    """

    def __init__(self, sample_count: int, batch_size: int, rank: int = 0, ranks: int = 1) -> None:
        self.sample_count, self.batch_size, self.rank, self.ranks = sample_count, batch_size, rank, ranks

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __iter__(self) -> Iterator[int]:
        batch_count = -(-self.sample_count // self.batch_size)
        for batch in range(self.rank, -(-batch_count // self.ranks) * self.ranks, self.ranks):
            start = batch % batch_count * self.batch_size
            yield from range(start, min(start + self.batch_size, self.sample_count))


class AugmentedSamples(Dataset[dict[str, Any]]):
    """Samples to train on, several at a time, each changed by `augment` with random numbers of its own."""

    def __init__(self, samples: Samples, augment: Augment, seed: int) -> None:
        self.samples, self.augment, self.seed = samples, augment, seed

    def __getitems__(self, draws: Sequence[Draw]) -> dict[str, Any]:
        items, keys = [], []
        for epoch, position, index in draws:
            self.samples.epoch = epoch
            items.append(self.samples[index])
            keys.append(
                np.random.SeedSequence([self.seed, AUGMENT_STREAM, epoch, position]).generate_state(1, np.uint64)
            )
        windows, counts = list_windows(items)
        # The windows of a bag are changed alike, as by one camera: their random numbers begin anew with each.
        generators = [
            torch.Generator().manual_seed(int(key[0]) >> 1)
            for key, count in zip(keys, counts, strict=True)
            for _ in range(count)
        ]
        labels = [item["y"] for item, count in zip(items, counts, strict=True) for _ in range(count)]
        with torch.no_grad():
            x, y = self.augment(windows, labels, generators)
        if not any("snippets" in item for item in items):
            return {"x": x, "y": y}
        snippets = torch.tensor(counts)
        return {"x": x, "y": y[snippets.cumsum(0) - 1], "snippets": snippets}


class NumberedSamples(Dataset[dict[str, Any]]):
    """Samples without augmentation, several at a time, with their indices under `number`."""

    def __init__(self, samples: Samples) -> None:
        self.samples = samples

    def __getitems__(self, indices: Sequence[int]) -> dict[str, Any]:
        items = [self.samples[index] for index in indices]
        if not any("snippets" in item for item in items):
            return default_collate([item | {"number": index} for item, index in zip(items, indices, strict=True)])
        windows, counts = list_windows(items)
        samples = default_collate(
            [{"y": item["y"], "number": index} for item, index in zip(items, indices, strict=True)]
        )
        return samples | {"x": torch.stack(windows), "snippets": torch.tensor(counts)}


def make_loader(
    dataset: Dataset[Any], sampler: Sampler[Any], batch_size: int, workers: int, *, pin: bool
) -> DataLoader[Any]:
    """Makes a loader of `batch_size` samples at a time; with `pin` they go into pinned memory, for a GPU."""
    return DataLoader(
        dataset,
        batch_size=batch_size,
        collate_fn=_keep_batch,
        sampler=sampler,
        num_workers=workers,
        persistent_workers=workers > 0,
        pin_memory=pin,
        generator=torch.Generator().manual_seed(0),  # else it draws from the generator that dropout draws from
    )


def _keep_batch(batch: Any) -> Any:
    """Hands on a batch as the datasets above have collated it."""
    return batch
