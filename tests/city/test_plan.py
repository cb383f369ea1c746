"""The plan of the city: who films what, and that nothing but the pictures tells the class."""

import dataclasses
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from vigil_city import plan, reel
from vigil_city.acts.catalogue import CRIMES
from vigil_city.plan import CAMERAS, SPLITS, Video, planned

LABELS = {"normal", "panic", "theft", "assault", "damage", "static", *CRIMES}


@pytest.fixture(scope="module")
def large() -> list[Video]:
    return planned("large", 7)


def test_there_are_thirteen_crimes() -> None:
    assert len(CRIMES) == 13


@pytest.mark.parametrize("split", SPLITS)
def test_every_split_has_every_label(large: list[Video], split: str) -> None:
    assert {v.label for v in large if v.lens.split == split} == LABELS


def test_no_camera_serves_two_splits(large: list[Video]) -> None:
    assert len({lens.name for lens in CAMERAS}) == len(CAMERAS) == 34
    assert Counter(lens.split for lens in CAMERAS) == {"train": 10, "val": 12, "test": 12}
    assert {v.lens for v in large} == set(CAMERAS)


def test_every_camera_films_normal_life_too(large: list[Video]) -> None:
    normal = Counter(v.lens.name for v in large if v.label == "normal")
    assert all(normal[lens.name] >= 2 for lens in CAMERAS)


@pytest.mark.parametrize("split", SPLITS)
def test_every_split_has_day_and_night_and_many_places(split: str) -> None:
    lenses = [lens for lens in CAMERAS if lens.split == split]
    assert {lens.night for lens in lenses} == {True, False}
    assert len({lens.kind for lens in lenses}) >= 6


@pytest.mark.parametrize("scale", ["large", "standard", "tiny"])
def test_a_film_shows_most_of_its_act_and_normal_life_beside_it(scale: str) -> None:
    for v in planned(scale, 7):
        assert (v.span is None) == (v.label in {"normal", "static"})
        assert v.cut >= 0 and v.scene_seconds >= v.cut + v.seconds
        if v.act is None or v.span is None:
            continue
        start, stop = v.span
        assert 0 <= start < stop <= v.seconds
        assert 0.75 * float(v.act[1] - v.act[0]) <= stop - start <= v.seconds - Fraction(5, 4)
        assert (start, stop) == (max(0, v.act[0] - v.cut), min(v.seconds, v.act[1] - v.cut))
        assert Fraction(3, 2) <= v.act[0] < v.act[1] <= v.scene_seconds - 1


def test_the_moment_alone_tells_little() -> None:
    """A film that is abnormal in its middle, and there alone, would be judged well without a look at it."""
    films = [v for seed in range(12) for v in planned("large", seed) if v.span is not None]
    rows = []
    for v in films:
        assert v.span is not None
        moments = (np.arange(20) + 0.5) / 20 * float(v.seconds)
        rows.append((moments >= float(v.span[0])) & (moments < float(v.span[1])))
    abnormal = np.array(rows)
    half = len(abnormal) // 2
    guess = np.broadcast_to(abnormal[:half].mean(axis=0), abnormal[half:].shape)
    assert roc_auc_score(abnormal[half:].ravel(), guess.ravel()) < 0.65


def test_a_film_begins_where_it_cuts_into_its_scene(large: list[Video]) -> None:
    video = next(v for v in large if v.cut > 0.5 and v.label == "theft")
    whole = dataclasses.replace(video, cut=Fraction(0))
    later, begun = reel.script(video, 7), reel.script(whole, 7)
    for t in (0.0, 1.3):
        late, whole_scene = later(t), begun(t + float(video.cut))
        assert [f.state.x for f in late.figures] == [f.state.x for f in whole_scene.figures]
        assert [f.active for f in late.figures] == [f.active for f in whole_scene.figures]


def test_the_label_has_no_part_in_length_and_span_start() -> None:
    lens = CAMERAS[0]
    timed = [plan._timed("large", 7, "a-name", lens, label, label) for label in ("theft", "panic", "Arson", "static")]
    assert len({v.frames for v in timed}) == 1
    assert len({v.span for v in timed[:3]}) == 1


def test_names_are_unlike_even_where_case_is_ignored(large: list[Video]) -> None:
    assert len({v.stem.casefold() for v in large}) == len(large)


def test_a_video_does_not_depend_on_the_others(large: list[Video]) -> None:
    assert len({v.seeds(7) for v in large}) == len(large)
    assert large[3].seeds(7) != large[3].seeds(8)
    tiny = {v.stem: v for v in planned("tiny", 7)}
    assert len(tiny) == 8


def test_the_large_city_is_about_half_an_hour(large: list[Video]) -> None:
    assert 1500 < sum(v.seconds for v in large) < 2000


def test_the_standard_city_is_a_short_part_of_the_large_one(large: list[Video]) -> None:
    standard = planned("standard", 7)
    assert all(v in large for v in standard)
    assert sum(v.seconds for v in standard) < 0.6 * sum(v.seconds for v in large)


@pytest.mark.parametrize("scale", ["standard", "large"])
@pytest.mark.parametrize("split", ["val", "test"])
def test_intervals_rest_on_at_least_twelve_cameras_and_every_label_is_there(scale: str, split: str) -> None:
    videos = [v for v in planned(scale, 7) if v.lens.split == split]
    assert len({v.lens for v in videos}) >= 12
    assert {v.label for v in videos} == LABELS


def test_a_smaller_city_has_a_part_of_the_videos(large: list[Video], monkeypatch: pytest.MonkeyPatch) -> None:
    few = dict.fromkeys(plan.LARGEST, (1, 1, 1))
    monkeypatch.setitem(plan.SCALES, "large", few)
    part = planned("large", 7)
    assert Counter(v.lens.split for v in part) == {"train": 19 + 10, "val": 19 + 12, "test": 19 + 12}
    assert all(v in large for v in part)
