"""Who is learnt from, who chooses, and who is judged: folds of whole sources that lie in a row.

Neighbouring recordings of a table may show one event, whatever their sources are called. So a fold is a run of sources
of each label, in the order of the table; and where two folds touch, the recordings at the border are left out of what
is learnt from, so that nobody is judged by the neighbours of what was learnt. (Where nothing of a label would be left,
they stay.)
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from vigil.benchmark.sources import FOLDS, require_sources


@dataclass(frozen=True)
class Recording:
    """One clip of a dataset; the order of recordings is that of the dataset."""

    name: str
    label: str
    source: str  # the group that no fold may divide
    length: int  # rows or frames


@dataclass(frozen=True, eq=False)
class Fold:
    """Which recordings are learnt from, choose and are judged, (V,) bool each; who is in none lies at a border."""

    train: np.ndarray
    val: np.ndarray
    test: np.ndarray


def number_folds(recordings: Sequence[Recording]) -> np.ndarray:
    """Returns (V,) int: the fold of each recording, from 0; at most FOLDS, and no more than any label has sources."""
    sources_of: dict[str, dict[str, int]] = {}
    for recording in recordings:
        counts = sources_of.setdefault(recording.label, {})
        counts[recording.source] = counts.get(recording.source, 0) + 1
    require_sources({label: len(counts) for label, counts in sources_of.items()})
    folds = min(FOLDS, *(len(counts) for counts in sources_of.values()))
    fold_of: dict[str, int] = {}
    for counts in sources_of.values():
        total, before = sum(counts.values()), 0
        for number, (source, count) in enumerate(counts.items()):
            middle = int(folds * (2 * before + count) / (2 * total))
            followers = len(counts) - number - 1  # as many folds at most may be left for the sources that follow
            last = max((fold_of[earlier] for earlier in list(counts)[:number]), default=-1)
            fold_of.setdefault(source, int(np.clip(middle, max(last, folds - 1 - followers), last + 1)))
            before += count
    return np.array([fold_of[recording.source] for recording in recordings])


def make_folds(recordings: Sequence[Recording], folds: np.ndarray, seed_number: int) -> Iterator[Fold]:
    """Yields every fold once as the one to be judged; the one to choose by follows it, another for another seed."""
    count = int(folds.max()) + 1
    for judged in range(count):
        choosing = (judged + 1 + seed_number % (count - 1)) % count
        yield hold_out(recordings, folds, judged, choosing)


def hold_out(recordings: Sequence[Recording], folds: np.ndarray, judged: int | None, choosing: int) -> Fold:
    """Makes the fold in which one is `judged` (None: no fold) and another is the one to choose by."""
    labels = np.array([recording.label for recording in recordings])
    test, val = folds == judged, folds == choosing
    val = _without_neighbours(val, _neighbours_of(labels, test), labels)
    train = _without_neighbours(~test & (folds != choosing), _neighbours_of(labels, test | (folds == choosing)), labels)
    return Fold(train, val, test)


def _without_neighbours(chosen: np.ndarray, neighbours: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Returns (V,) bool: `chosen` without `neighbours`, which stay where nothing of their label would be left."""
    inner = chosen & ~neighbours
    return inner | (chosen & ~np.isin(labels, labels[inner]))


def _neighbours_of(labels: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Returns (V,) bool: who is not `chosen`, and has a neighbour of the same label that is."""
    alike = labels[1:] == labels[:-1]
    neighbours = np.zeros(len(chosen), bool)
    neighbours[:-1] |= alike & chosen[1:]
    neighbours[1:] |= alike & chosen[:-1]
    return neighbours & ~chosen
