"""Every sample as often as any other, or every class, every source of it, and every video of that."""

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vigil.training.draws import epoch_length, order_by_source, order_samples

STRATA = st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xyz"), st.integers(0, 4)), min_size=1, max_size=40)


@given(st.integers(1, 60), st.integers(1, 30), st.integers(0, 3))
def test_all_samples_are_drawn_before_any_comes_again(count: int, length: int, seed: int) -> None:
    draw, rest = order_samples(count, seed), list[int]()
    for epoch in range(6):
        rest += draw(epoch * length, (epoch + 1) * length).tolist()
        while len(rest) >= count:
            assert sorted(rest[:count]) == list(range(count))
            rest = rest[count:]


def test_an_epoch_is_as_long_as_asked_for() -> None:
    assert [epoch_length(10, per_epoch, 4) for per_epoch in (0, 1, 8, 11, 100)] == [12, 4, 8, 12, 100]


def test_another_place_or_seed_is_another_order() -> None:
    strata = np.array([["a", "x", str(number)] for number in range(20)])
    for draws in (
        [order_samples(20, seed)(first, first + 20) for seed in range(3) for first in (0, 20, 40)],
        [order_by_source(strata, seed)(first, first + 20) for seed in range(3) for first in (0, 20, 40)],
    ):
        assert len({tuple(each.tolist()) for each in draws}) == 9


@given(STRATA, st.integers(0, 3), st.integers(0, 50))
def test_classes_take_turns_and_so_do_their_sources_and_videos(
    rows: list[tuple[str, str, int]], seed: int, first: int
) -> None:
    strata = np.array([[class_index, source, f"{source}{video}"] for class_index, source, video in rows])
    length = 60
    drawn = strata[order_by_source(strata, seed)(0, length)]
    for depth in (1, 2, 3):
        counts = Counter(map(tuple, drawn[:, :depth].tolist()))
        for path in {tuple(row[: depth - 1]) for row in strata.tolist()}:
            siblings = {tuple(row[:depth]) for row in strata.tolist() if tuple(row[: depth - 1]) == path}
            turns = [counts[sibling] for sibling in siblings]
            assert max(turns) - min(turns) <= 1, "none comes twice before each has come"
    indices = order_by_source(strata, seed)(0, length)
    assert (
        order_by_source(strata, seed)(first, first + 10).tolist()
        == np.append(indices, order_by_source(strata, seed)(length, length + 10))[first : first + 10].tolist()
    )


def test_a_long_film_counts_no_more_than_a_short_clip() -> None:
    film = [["normal", "film", "film"]] * 900
    clips = [["normal", f"clip{number}", f"clip{number}"] for number in range(9)]
    strata = np.array([*film, *clips, ["theft", "shop", "shop"]])
    drawn = Counter(strata[order_by_source(strata, 7)(0, 200), 1].tolist())
    assert drawn["shop"] == 100 and drawn["film"] == 10 == drawn["clip3"]
