"""Columns of a segment: the same for every place, size and camera, and honest about what was not seen."""

from fractions import Fraction

import numpy as np
import pytest
from runs import FOUR, FPS, SIZE, arrays_of, fold, pose, standing, walk

from vigil.features.landmarks.pose_table import JOINTS, XY, Pose
from vigil.features.segments.columns import (
    BODY,
    FARTHEST,
    FASTEST,
    Scaler,
    body_features,
    feature_names,
    fit_scaler,
    picture_shares,
    segment_features,
    speeds_since_seen,
)

TIMES = np.arange(4)[None] / FPS
ALL_SEEN = np.ones((1, 4, 13), bool)
NOBODY = np.tile([np.inf, 0.0], (1, 4, 1))
WRIST = JOINTS.index("WRIST_RIGHT")


def columns_of(
    rows: np.ndarray, seen: np.ndarray = ALL_SEEN, near: np.ndarray = NOBODY, times: np.ndarray = TIMES
) -> dict[str, np.ndarray]:
    """By name (T,), of one segment."""
    return dict(zip(BODY, body_features(rows[None], seen, near, times)[0].T, strict=True))


def walking(step: float = 6.0) -> np.ndarray:
    """(4, 13, 2)"""
    return np.stack([standing(200, (300 + step * frame, 100)) for frame in range(4)])


def test_a_range_is_learned_once_and_what_is_beyond_stays_beyond() -> None:
    train = np.zeros((2, 3, 26))
    train[0, 0], train[1, 2] = 0.2, 0.6
    scaler = fit_scaler(train)
    assert scaler(np.full((1, 1, 26), 0.9)).ravel() == pytest.approx(np.full(26, 1.5))
    assert scaler(train).max() == pytest.approx(1)
    assert Scaler.of(scaler.ranges) == scaler
    assert list(scaler.ranges) == list(XY)


def test_a_coordinate_that_never_changes_and_no_training_at_all_give_finite_features() -> None:
    same = np.full((1, 4, 26), 0.3)
    assert not fit_scaler(same)(same).any()
    assert np.isfinite(fit_scaler(np.empty((0, 4, 26)))(same)).all()


def test_body_columns_do_not_change_with_place_and_size_of_the_person() -> None:
    def of(height: float, at: tuple[float, float]) -> np.ndarray:
        rows = np.stack([standing(height, at, lean=0.05 * height * frame) for frame in range(4)])
        near = np.tile([2.0 * height, 0.5 * height], (1, 4, 1))
        return body_features(rows[None], ALL_SEEN, near, TIMES)

    assert of(300, (500, 40)) == pytest.approx(of(100, (200, 200)), abs=1e-6)


def test_a_body_of_no_size_has_finite_columns() -> None:
    columns = columns_of(np.ones((4, 13, 2)))
    assert all(np.isfinite(values).all() for values in columns.values())
    assert not any(columns[name].any() for name in BODY[:52])


def test_body_columns_on_paper() -> None:
    """Hips at half the height, shoulders at a fifth: a torso is 0.3 of 200 px = 60 px; a step of 6 px in 1/8 s is
    0.1 torso in 1/8 s = 0.8 per second. Somebody 150 px away is 2.5 torsos away, and 30 px/s are 0.5 torsos/s."""
    columns = columns_of(walking(), near=np.tile([150.0, 30.0], (1, 4, 1)))
    assert columns["HEAD_BODY_Y"] == pytest.approx(-100 / 60 * np.ones(4))
    assert columns["ANKLE_LEFT_BODY_X"] == pytest.approx(12 / 60 * np.ones(4))
    assert columns["HEAD_SPEED_X"] == pytest.approx([0, 0.8, 0.8, 0.8])
    assert columns["HEAD_SPEED_Y"] == pytest.approx(np.zeros(4))
    assert columns["HEAD_SEEN"].tolist() == [1, 1, 1, 1]
    assert columns["NEAREST_DISTANCE"] == pytest.approx(2.5 * np.ones(4))
    assert columns["NEAREST_CLOSING"] == pytest.approx(0.5 * np.ones(4))


def test_nobody_else_is_as_far_as_can_be_and_stays_there() -> None:
    columns = columns_of(walking())
    assert columns["NEAREST_DISTANCE"].tolist() == [FARTHEST] * 4
    assert columns["NEAREST_CLOSING"].tolist() == [0] * 4


def test_a_glitch_is_no_faster_than_the_fastest() -> None:
    rows = np.stack([standing(200), standing(200, (1e6, 100)), standing(200), standing(200)])
    values = body_features(rows[None], ALL_SEEN, NOBODY, TIMES)
    assert np.abs(values[..., 26:52]).max() == FASTEST


def test_who_comes_out_elsewhere_has_walked_there_since_last_seen() -> None:
    """Seen at 0 and 3/8 s, 18 px apart: 48 px/s, and not the 144 px/s of the last eighth."""
    seen = ALL_SEEN.copy()
    seen[:, 1:3] = False
    rows = walking()
    rows[1:3] = rows[0]  # the last pose is held
    speeds = speeds_since_seen(rows[None], seen, TIMES)[0]
    assert speeds[:, :, 0] == pytest.approx(np.array([0.0, 0.0, 0.0, 48.0])[:, None] * np.ones(13))
    assert not speeds[:, :, 1].any()


def test_a_hidden_wrist_goes_along_with_the_body_and_is_as_fast_as_its_way_since() -> None:
    seen = ALL_SEEN.copy()
    seen[:, 1:3, WRIST] = False
    rows = walking()
    rows[3, WRIST] += [24.0, 0.0]  # 18 + 24 px in 3/8 s: 112 px/s
    speeds = speeds_since_seen(rows[None], seen, TIMES)[0, :, WRIST, 0]
    assert speeds == pytest.approx([0.0, 48.0, 48.0, 112.0])


def test_nothing_moves_before_it_was_seen_a_first_time() -> None:
    seen = ALL_SEEN.copy()
    seen[:, :2, WRIST] = False
    rows = walking()
    rows[:2, WRIST] = 0.0  # where nobody knows
    speeds = speeds_since_seen(rows[None], seen, TIMES)[0, :, WRIST, 0]
    assert speeds == pytest.approx([0.0, 48.0, 48.0, 48.0])


def test_an_occlusion_of_a_track_is_no_burst_of_speed() -> None:
    """From poses to columns: four of eight frames a second hidden, the walk goes on at its pace."""
    settings = FOUR.model_copy(update={"gap_s": 1.0, "normalise": "body", "frames": 8, "span_s": 1.0})

    def fastest(hidden: set[int]) -> float:
        people = [
            pose(frame, joints=standing(200, (300 + 6.0 * frame, 100))) for frame in range(8) if frame not in hidden
        ]
        [segment] = fold(8, people, settings)
        scaler = Scaler((0.0,) * 26, (1.0,) * 26)
        values = segment_features(arrays_of([segment]), settings, scaler)[0]
        return float(np.abs(values[:, 26:52]).max())

    assert fastest({2, 3, 4, 5}) == pytest.approx(fastest(set()), rel=1e-4) == pytest.approx(0.8, rel=1e-4)


def meeting(frames: int, closing_px: float) -> list[Pose]:
    """Person 0 stands at 100, person 1 comes from 400 by `closing_px` a frame, person 2 is far off."""
    people = []
    for frame in range(frames):
        for person, x in enumerate((100.0, 400.0 - closing_px * frame, 5000.0)):
            people.append(pose(frame, person, standing(200, (x, 100))))
    return people


def test_the_nearest_person_and_how_fast_the_two_close_in() -> None:
    segments_found = {segment.person: segment for segment in fold(4, meeting(4, 10.0))}
    near = segments_found[0].near
    assert near[:, 0].tolist() == pytest.approx([300, 290, 280, 270])
    assert near[:, 1].tolist() == pytest.approx([0, 80, 80, 80])  # 10 px in 1/8 s
    assert segments_found[1].near == pytest.approx(near), "both see the same of each other"
    assert segments_found[2].near[0, 0] == pytest.approx(4600)
    assert fold(4, walk(range(4)))[0].near.tolist() == [[np.inf, 0]] * 4


def test_who_was_hidden_does_not_leap_at_the_other() -> None:
    people = [row for row in meeting(8, 10.0) if row.person < 2 and (row.person == 0 or row.frame not in (3, 4))]
    settings = FOUR.model_copy(update={"gap_s": 0.5, "frames": 8, "span_s": 1.0})
    [segment] = [segment for segment in fold(8, people, settings) if segment.person == 0]
    assert segment.near[:, 1].max() == pytest.approx(80)
    assert segment.near[3:5, 1].tolist() == [0, 0]


@pytest.mark.parametrize(("normalise", "count"), [("minmax", 26), ("body", 67), ("both", 93)])
def test_features_have_a_name_each(normalise: str, count: int) -> None:
    settings = FOUR.model_copy(update={"normalise": normalise})
    [segment] = fold(4, walk(range(4)), settings)
    scaler = fit_scaler(picture_shares(segment.poses[None].astype(float), SIZE))
    values = segment_features(arrays_of([segment]), settings, scaler)
    assert values.shape == (1, 4, count)
    assert values.dtype == np.float32
    assert len(set(feature_names(settings))) == count
    assert np.isfinite(values).all()


def test_ticks_between_frames_after_an_occlusion_are_on_the_way_since_last_seen() -> None:
    """Two frames a second on a clock of eight: seen at 0 and 1 s, not at 0.5 s."""
    from vigil.features.segments.segments import START, update

    settings = FOUR.model_copy(update={"gap_s": 1.0, "frames": 9, "span_s": 9 / 8})
    state, segments_found = START, []
    for frame, x in enumerate((0.0, None, 80.0)):
        people = [] if x is None else [pose(frame, joints=standing(200, (300 + x, 100)))]
        state, complete = update(state, frame, Fraction(frame, 2), people, settings)
        segments_found += complete
    [segment] = segments_found
    middles = segment.poses[:, JOINTS.index("HEAD"), 0] - 300
    assert middles.tolist() == pytest.approx([0, 0, 0, 0, 0, 50, 60, 70, 80])
    speeds = speeds_since_seen(segment.poses[None].astype(float), segment.seen[None], segment.time_s[None])[0, :, 0, 0]
    assert speeds.tolist() == pytest.approx([0, 0, 0, 0, 0, 80, 80, 80, 80], rel=1e-4)
