"""Shortcuts: one that is planted is reported, an honest set is not accused."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenes import entry
from sklearn.metrics import roc_auc_score

from vigil.footage.splits.shortcuts import FEATURES, _area, describe_shortcuts, measure_shortcuts
from vigil.footage.video_table import Video


def city(seed: int, sources: int = 24, classes: int = 2, mixed: bool = True) -> tuple[list[Video], dict[str, int]]:
    """An honest set: fps, size, length and bit rate are the camera's own and have nothing to do with the class."""
    rng = np.random.default_rng(seed)
    videos, sizes = [], {}
    for source in range(sources):
        fps, height = int(rng.choice([10, 15, 25])), int(rng.choice([240, 360, 720]))
        length, rate = rng.lognormal(2.5, 0.5), rng.lognormal(11, 0.5)
        for number in range(int(rng.integers(1, 9))):
            kind = int(rng.integers(classes)) if mixed else source % classes
            duration = Fraction(round(1000 * length * rng.lognormal(0, 0.4)), 1000)
            start = rng.random() * 0.7
            spans = ((duration * Fraction(start), duration * Fraction(start + 0.25)),) if kind else ()
            name = f"s/{source}-{number}"
            label = ["normal", "theft", "assault", "damage"][kind]
            videos.append(
                entry(
                    name,
                    source=f"cam{source}",
                    label=label,
                    fps=Fraction(fps),
                    height=height,
                    width=height * 4 // 3,
                    duration_s=duration,
                    spans=spans,
                )
            )
            sizes[name] = round(rate * float(duration))
    return videos, sizes


def describe(videos: list[Video], sizes: dict[str, int]) -> list[str]:
    measured = measure_shortcuts(videos, sizes, seed=7)
    assert not isinstance(measured, str)
    return describe_shortcuts(measured)


@pytest.mark.parametrize(("classes", "mixed"), [(2, True), (2, False), (4, True)])
def test_honest_sets_are_seldom_accused(classes: int, mixed: bool) -> None:
    accused = [bool(describe(*city(seed, classes=classes, mixed=mixed))) for seed in range(12)]
    assert sum(accused) <= 2, accused


@pytest.mark.slow
def test_about_one_honest_set_in_twenty_is_accused() -> None:
    kinds = [(sources, classes, mixed) for sources in (12, 24, 60) for classes in (2, 4) for mixed in (True, False)]
    accused = [
        bool(describe(*city(seed, sources, classes, mixed))) for sources, classes, mixed in kinds for seed in range(20)
    ]
    assert np.mean(accused) < 0.08, np.mean(accused)


def test_length_that_tells_the_class_is_reported() -> None:
    videos, sizes = city(0)
    longer = [replace(video, duration_s=video.duration_s * (4 if video.abnormal else 1)) for video in videos]
    (line,) = [
        line
        for line in describe(longer, sizes)
        if line.startswith("length alone tells the class: balanced accuracy 0.")
    ]
    assert "chance 0.5" in line
    assert "abnormal from ordinary: AUC 0.9" in line


def test_a_frame_rate_of_its_own_for_one_class_is_reported() -> None:
    videos, sizes = city(1, classes=4)
    other = [replace(video, fps=Fraction(30) if video.label == "theft" else video.fps) for video in videos]
    assert any(line.startswith("fps alone tells the class") for line in describe(other, sizes))
    assert not any(line.startswith("length") for line in describe(other, sizes))


def test_a_size_and_a_bit_rate_of_their_own_are_reported() -> None:
    videos, sizes = city(2)
    other = [replace(video, width=1920, height=1080) if video.abnormal else video for video in videos]
    heavy = {video.video: sizes[video.video] * (5 if video.abnormal else 1) for video in videos}
    lines = describe(other, heavy)
    assert any(line.startswith("resolution alone") for line in lines)
    assert any(line.startswith("bit rate alone") for line in lines)


@pytest.mark.parametrize("place", [0.0, 0.4, 0.75])
def test_an_abnormal_part_that_is_always_at_one_place_is_reported(place: float) -> None:
    videos, sizes = city(3)
    start, stop = Fraction(place), Fraction(place + 0.25)
    late = [
        replace(video, spans=((video.duration_s * start, video.duration_s * stop),) if video.spans else ())
        for video in videos
    ]
    assert any(line.startswith("position alone tells abnormal moments: AUC 1.0") for line in describe(late, sizes))


def test_a_shortcut_that_only_one_camera_has_says_nothing_about_others() -> None:
    """Random folds would see it: half of all videos are one camera's, whose thefts are all long."""
    videos, sizes = city(4, sources=16)
    odd = [
        entry(f"s/odd-{n}", source="odd", label="theft" if n % 2 else "normal", duration_s=Fraction(90 if n % 2 else 5))
        for n in range(60)
    ]
    measured = measure_shortcuts([*videos, *odd], sizes, seed=7)
    assert not isinstance(measured, str)
    assert not any(line.startswith("length") for line in describe_shortcuts(measured))


def test_the_accuracy_of_a_perfect_shortcut_on_paper() -> None:
    """Ten sources with one video of either class, 1 s and 2 s long: every video of another source is told rightly."""
    videos = [
        entry(f"s/{source}-{label}", source=f"cam{source}", label=label, duration_s=Fraction(length))
        for source in range(10)
        for label, length in (("normal", 1), ("theft", 2))
    ]
    measured = measure_shortcuts(videos, {}, seed=7)
    assert measured["length"] == {  # type: ignore[index]
        "accuracy": 1.0,
        "low": 1.0,
        "high": 1.0,
        "chance": 0.5,
        "auc": 1.0,
        "auc_low": 1.0,
        "auc_high": 1.0,
    }
    assert measured["fps"]["auc"] == 0.5  # type: ignore[index]
    assert "bit_rate" not in measured  # no size is known


def test_too_few_sources_are_said_instead_of_a_number() -> None:
    videos, sizes = city(5, sources=6)
    assert str(measure_shortcuts(videos, sizes, seed=7)).startswith(
        f"not measured: {len(videos)} videos from 6 sources"
    )


def test_one_class_is_said_instead_of_a_number() -> None:
    videos, sizes = city(6)
    assert "not measured" in measure_shortcuts([video for video in videos if not video.abnormal], sizes, seed=7)


def test_a_class_of_two_sources_is_left_out() -> None:
    videos, sizes = city(7)
    rare = [entry(f"s/rare-{n}", source=f"rare{n}", label="Arson", duration_s=Fraction(999)) for n in range(2)]
    assert (
        measure_shortcuts([*videos, *rare], sizes, seed=7)["length"]
        == measure_shortcuts(videos, sizes, seed=7)["length"]
    )  # type: ignore[index]


def test_landmarks_have_a_length_and_nothing_else() -> None:
    videos, sizes = city(8)
    tables = [replace(video, path=video.path.replace(".mp4", ".csv")) for video in videos]
    assert set(measure_shortcuts(tables, sizes, seed=7)) == {"length", "position"}
    assert set(measure_shortcuts(videos, sizes, seed=7)) == {*FEATURES, "position"}


def test_the_same_set_gives_the_same_numbers_in_any_order() -> None:
    videos, sizes = city(9)
    assert measure_shortcuts(videos, sizes, seed=7) == measure_shortcuts(videos, sizes, seed=7)
    assert measure_shortcuts(videos[::-1], sizes, seed=7) == measure_shortcuts(videos, sizes, seed=7)


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30))
def test_the_area_is_that_of_scikit_learn(rows: list[tuple[int, int, int]]) -> None:
    ranks, positive, negative = np.array(rows).T
    value = _area(ranks, positive, negative)
    if positive.sum() and negative.sum():
        truth = np.repeat([1, 0], len(ranks))
        expected = roc_auc_score(truth, np.tile(ranks, 2), sample_weight=np.append(positive, negative))
        assert value == pytest.approx(expected)
    else:
        assert value == 0.5
