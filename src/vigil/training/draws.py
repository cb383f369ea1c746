"""Which sample of a training is the n-th: endless sequences, pure functions of the seed and of n.

samples   one shuffle after the other: all samples come before any comes again
sources   classes take turns, in each class its sources, of each source its videos, of each video its samples: so a
          film of some minutes counts no more than a clip of some seconds, and a rare class as much as a common one
"""

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np

STREAM = 0  # of random numbers: those that decide on the order
Order = Callable[[int, int], np.ndarray]  # samples number `first` to `last` (half-open) of the sequence, their indices


def order_samples(count: int, seed: int) -> Order:
    """Orders `count` samples as one shuffle after the other."""

    def draw(first: int, last: int) -> np.ndarray:
        shuffles = [_shuffle(count, seed, number) for number in range(first // count, (last - 1) // count + 1)]
        return np.concatenate(shuffles)[first % count :][: last - first]

    return draw


def order_by_source(strata: np.ndarray, seed: int) -> Order:
    """Orders samples by `strata` (N, K) of str: what each belongs to, such as class, source, video, the widest first.

    At every level all come before any comes again.
    """
    tree = _group(strata, np.arange(len(strata)))

    def draw(first: int, last: int) -> np.ndarray:
        return np.array([_visit(tree, number, seed) for number in range(first, last)])

    return draw


def epoch_length(count: int, per_epoch: int, batch: int) -> int:
    """Returns the samples to an epoch: a multiple of `batch`, about `per_epoch` (0: about `count`)."""
    return batch * max(1, round(per_epoch / batch) if per_epoch else -(-count // batch))


Tree = Sequence["Tree"] | np.ndarray


def _group(strata: np.ndarray, indices: np.ndarray) -> Tree:
    """Returns lists of lists as deep as `strata` has columns, of the indices of samples."""
    if not strata.shape[1]:
        return indices
    _, number = np.unique(strata[:, 0], return_inverse=True)
    return [_group(strata[number == value, 1:], indices[number == value]) for value in range(number.max() + 1)]


def _visit(tree: Tree, number: int, seed: int, path: tuple[int, ...] = ()) -> int:
    """Returns the sample of the `number`-th visit of a node, whose children take turns, shuffled in every round."""
    turn, position = divmod(number, len(tree))
    chosen = int(_shuffle(len(tree), seed, turn, path)[position])
    if isinstance(tree, np.ndarray):
        return int(tree[chosen])
    return _visit(tree[chosen], turn, seed, (*path, chosen + 1))


@lru_cache(maxsize=4096)
def _shuffle(count: int, seed: int, number: int, path: tuple[int, ...] = ()) -> np.ndarray:
    return np.random.default_rng([seed, STREAM, number, *path]).permutation(count)
