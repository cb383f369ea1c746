"""Folds are runs of whole sources, and nobody is judged or chosen by what was learnt, nor by its neighbours."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.benchmark.landmarks.folds import Recording, hold_out, make_folds, number_folds
from vigil.benchmark.sources import FOLDS
from vigil.core.errors import VigilError


def recordings(*sizes: int, label: str = "theft") -> list[Recording]:
    """One source of each size after the other."""
    return [
        Recording(f"{label}-{source}-{number}", label, f"{label}-{source}", 100)
        for source, size in enumerate(sizes)
        for number in range(size)
    ]


@given(st.lists(st.lists(st.integers(1, 6), min_size=3, max_size=12), min_size=1, max_size=4))
def test_no_source_is_in_two_folds_and_every_fold_has_every_label(sizes: list[list[int]]) -> None:
    clips = [clip for number, of_label in enumerate(sizes) for clip in recordings(*of_label, label=f"deed{number}")]
    folds = number_folds(clips)
    fold_of = {}
    for clip, fold in zip(clips, folds.tolist(), strict=True):
        assert fold_of.setdefault(clip.source, fold) == fold
    count = min(FOLDS, *(len(of_label) for of_label in sizes))
    for number in range(len(sizes)):
        own = [fold for clip, fold in zip(clips, folds.tolist(), strict=True) if clip.label == f"deed{number}"]
        assert own == sorted(own), "a fold is a run of rows"
        assert set(own) == set(range(count))


def test_five_events_of_five_views_are_five_folds() -> None:
    assert Counter(number_folds(recordings(5, 5, 5, 5, 5)).tolist()) == dict.fromkeys(range(5), 5)


def test_two_sources_are_too_few() -> None:
    with pytest.raises(VigilError, match="'theft' has 2 sources; a benchmark needs 3"):
        number_folds(recordings(4, 4))


@pytest.mark.parametrize("seed_number", range(5))
@pytest.mark.parametrize("size", [1, 2, 5])
def test_every_clip_is_judged_once_by_those_that_have_not_seen_it(size: int, seed_number: int) -> None:
    clips = recordings(*[size] * 5) + recordings(*[size] * 7, label="assault")
    labels, sources = (np.array([getattr(clip, name) for clip in clips]) for name in ("label", "source"))
    judged = np.zeros(len(clips), int)
    for fold in make_folds(clips, number_folds(clips), seed_number):
        judged += fold.test
        parts = fold.train, fold.val, fold.test
        assert sum(part.astype(int) for part in parts).max() == 1
        for first, second in ((fold.train, fold.val), (fold.train, fold.test), (fold.val, fold.test)):
            assert not set(sources[first]) & set(sources[second])
        for part in parts:
            assert set(labels[part]) == {"theft", "assault"}
    assert judged.tolist() == [1] * len(clips)


def test_the_neighbours_of_who_is_judged_are_not_learnt_from() -> None:
    clips = recordings(5, 5, 5, 5, 5)
    fold = hold_out(clips, number_folds(clips), 1, 3)
    assert np.flatnonzero(fold.test).tolist() == list(range(5, 10))
    assert np.flatnonzero(fold.val).tolist() == list(range(15, 20))
    assert np.flatnonzero(fold.train).tolist() == [0, 1, 2, 3, 11, 12, 13, 21, 22, 23, 24]
    beside = hold_out(clips, number_folds(clips), 1, 2)
    assert np.flatnonzero(beside.val).tolist() == [11, 12, 13, 14], "who chooses is no neighbour of who is judged"


def test_another_seed_is_chosen_by_another_fold() -> None:
    clips = recordings(5, 5, 5, 5, 5)
    choosing = {
        tuple(np.flatnonzero(next(iter(make_folds(clips, number_folds(clips), seed_number))).val))
        for seed_number in range(3)
    }
    assert len(choosing) == 3
