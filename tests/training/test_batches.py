"""Which samples come when: the same whoever asks."""

from collections import Counter
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from toys import Cloud

from vigil.training.batches import (
    AugmentedSamples,
    EpochSampler,
    NumberedSamples,
    Subset,
    ValidationSampler,
    make_loader,
)
from vigil.training.draws import epoch_length, order_samples


@given(st.integers(1, 50), st.sampled_from([1, 2, 3, 4, 6]), st.integers(0, 2))
def test_devices_share_every_batch_of_one_device(count: int, ranks: int, epoch: int) -> None:
    def share(rank: int, of: int) -> list[Any]:
        sampler = EpochSampler(order_samples(count, 7), epoch_length(count, 0, 12), 12, rank, of)
        sampler.epoch = epoch
        places = list(sampler)
        assert len(places) == len(sampler)
        return places

    each = 12 // ranks
    parts = [share(rank, ranks) for rank in range(ranks)]
    together = [
        place for start in range(0, len(parts[0]), each) for part in parts for place in part[start : start + each]
    ]
    assert together == share(0, 1)


@given(st.integers(1, 40), st.integers(1, 7), st.integers(1, 5))
def test_devices_judge_all_samples_in_as_many_parts(count: int, part: int, ranks: int) -> None:
    seen, lengths = Counter[int](), set()
    for rank in range(ranks):
        data = NumberedSamples(Cloud(count))
        batches = list(make_loader(data, ValidationSampler(count, part, rank, ranks), part, 0, pin=False))
        lengths.add(len(batches))
        seen.update({int(batch["number"][0]): 1 for batch in batches})
        for batch in batches:
            first = int(batch["number"][0])
            assert first % part == 0
            assert batch["number"].tolist() == list(range(first, min(first + part, count)))
    assert sorted(seen) == list(range(0, count, part))
    assert len(lengths) == 1


def jitter(xs: list[Tensor], ys: list[Tensor], generators: list[torch.Generator]) -> tuple[Tensor, Tensor]:
    noise = [torch.randn(x.shape, generator=generator) for x, generator in zip(xs, generators, strict=True)]
    return torch.stack(xs) + torch.stack(noise), torch.stack(ys)


def part(data: AugmentedSamples, *places: tuple[int, int, int]) -> Tensor:
    return data.__getitems__(places)["x"]


def test_a_change_depends_on_epoch_and_place_and_on_nothing_before() -> None:
    data = AugmentedSamples(Cloud(5), jitter, seed=3)
    first = part(data, (2, 4, 1))[0]
    torch.manual_seed(99)
    part(data, (0, 0, 3))
    together = part(data, (2, 3, 0), (2, 4, 1), (2, 5, 1), (3, 4, 1))
    assert torch.equal(together[1], first)
    assert len({tuple(row.tolist()) for row in together}) == 4
    assert not torch.equal(part(AugmentedSamples(Cloud(5), jitter, seed=4), (2, 4, 1))[0], first)


def test_the_dataset_knows_the_epoch() -> None:
    inner = Cloud(6)
    part(AugmentedSamples(Subset(inner, [1, 3]), jitter, 0), (5, 0, 1))
    assert inner.epoch == 5


def test_a_subset_has_its_own_labels() -> None:
    part = Subset(Cloud(6), [1, 3, 4])
    assert (len(part), part.labels.tolist()) == (3, [1, 1, 0])
    assert torch.equal(part[1]["x"], Cloud(6)[3]["x"])


@pytest.mark.parametrize("workers", [0, 2])
def test_loading_draws_no_random_number_of_the_training(workers: int) -> None:
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    list(make_loader(NumberedSamples(Cloud(4)), ValidationSampler(4, 2), 2, workers, pin=False))
    assert torch.equal(torch.rand(1), expected)
