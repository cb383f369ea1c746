"""Segments: one person, one run, one column per coordinate, the training range, and nothing from the future."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from runs import FOUR, FPS, SIZE, TWO_SECONDS, arrays_of, fold, fold_times, pose, standing, walk

from vigil.features.landmarks.pose_table import JOINTS, XY
from vigil.features.segments.columns import Scaler, feature_names, fit_scaler, picture_shares, segment_features
from vigil.features.segments.segments import START, update


def test_every_t_frames_of_a_track_are_a_segment_and_the_tail_is_dropped() -> None:
    segments_found = fold(9, walk(range(9)))
    assert [segment.frame.tolist() for segment in segments_found] == [[0, 1, 2, 3], [2, 3, 4, 5], [4, 5, 6, 7]]
    assert [segment.time_s.tolist() for segment in segments_found][1] == [0.25, 0.375, 0.5, 0.625]
    assert fold(3, walk(range(3))) == []


def test_a_ramp_in_one_joint_stays_in_one_column() -> None:
    people = []
    for frame in range(4):
        joints = np.zeros((13, 2))
        joints[JOINTS.index("WRIST_RIGHT"), 1] = 10 * frame
        people.append(pose(frame, joints=joints))
    [segment] = fold(4, people)
    shares = picture_shares(segment.poses[None].astype(float), SIZE)[0]  # (T, 26)
    column = XY.index("WRIST_RIGHT_Y")
    assert shares[:, column] * 480 == pytest.approx([0, 10, 20, 30])
    assert not np.delete(shares, column, axis=1).any()
    scaled = segment_features(arrays_of([segment]), FOUR, fit_scaler(shares[None]))[0]
    assert scaled[:, column] == pytest.approx([0, 1 / 3, 2 / 3, 1])
    assert feature_names(FOUR)[column] == "WRIST_RIGHT_Y"


def test_no_segment_mixes_two_people_or_two_runs() -> None:
    people = walk(range(8), 1) + walk(range(2, 8), 2) + walk(range(14, 20), 1)
    segments_found = fold(20, people)
    assert [(segment.person, segment.frame.tolist()) for segment in segments_found if segment.mask.all()] == [
        (1, [0, 1, 2, 3]),
        (1, [2, 3, 4, 5]),
        (2, [2, 3, 4, 5]),
        (1, [4, 5, 6, 7]),
        (2, [4, 5, 6, 7]),
        (1, [14, 15, 16, 17]),
        (1, [16, 17, 18, 19]),
    ]
    for segment in segments_found:
        assert (np.diff(segment.frame) == 1).all()
        assert (
            segment.poses[:, 0, 0][segment.mask].tolist() == segment.frame[segment.mask].tolist()
        )  # what this frame's pose says


@pytest.mark.parametrize(("missing", "continues"), [(1, True), (2, False)])
def test_a_gap_holds_the_last_pose_up_to_gap_s_and_ends_the_run_beyond(missing: int, continues: bool) -> None:
    """At 8 frames a second one missing frame lies between sightings 0.25 s apart, two between sightings 0.375 apart."""
    people = walk(range(3)) + walk(range(3 + missing, 9))
    segments_found = fold(9, people)
    across = [segment for segment in segments_found if segment.frame[0] < 3 and segment.frame[-1] >= 3 + missing]
    assert bool(across) == continues
    for segment in across:
        at = segment.frame.tolist().index(3)
        assert segment.mask.tolist() == [frame != 3 for frame in segment.frame]
        assert np.array_equal(segment.poses[at], segment.poses[at - 1])
        assert not segment.seen[at].any()
    later = [segment for segment in segments_found if segment.mask.all()]
    assert later[0].frame[0] == (4 if continues else 5)


def test_who_is_lost_for_good_is_forgotten() -> None:
    state, _ = update(START, 0, Fraction(0), [pose(0)], FOUR)
    for frame in (1, 2):
        state, _ = update(state, frame, Fraction(frame, FPS), [], FOUR)
        assert list(state.runs) == [0]
    state, _ = update(state, 3, Fraction(3, FPS), [], FOUR)
    assert not state.runs


def test_frames_far_apart_are_no_gap_when_the_person_is_in_each() -> None:
    """Four frames a second apart: ticks 0 to 24 of 8 a second, of which every second one completes a segment."""
    state, segments_found = START, []
    for frame in range(4):
        state, complete = update(state, frame, Fraction(frame), [pose(frame)], FOUR)
        segments_found += complete
    assert len(segments_found) == 11
    assert segments_found[0].frame.tolist() == [0, 1, 1, 1]
    assert segments_found[0].time_s.tolist() == [0, 0.125, 0.25, 0.375]
    assert segments_found[0].poses[:, 0, 0].tolist() == [0, 0.125, 0.25, 0.375]  # on the way from 0 to 1
    assert segments_found[0].mask.all()


def stroll(time_s: float) -> np.ndarray:
    """(13, 2): somebody who walks 1.5 m a second of 100 px each, with a step every half second."""
    joints = standing(170.0, (50.0 + 150.0 * time_s, 100.0))
    swing = 20.0 * np.sin(2 * np.pi * time_s)
    for name, share in (("WRIST", 0.6), ("ELBOW", 0.3), ("KNEE", -0.5), ("ANKLE", -1.0)):
        for side, sign in (("LEFT", 1), ("RIGHT", -1)):
            joints[JOINTS.index(f"{name}_{side}"), 0] += sign * share * swing
    return joints


def stored_times(fps: int, native: int = 25, seconds: int = 8) -> list[Fraction]:
    """Of a video of `native` frames a second, those that stage `frames` stores, `fps` a second."""
    return [Fraction(-(-tick * native // fps), native) for tick in range(seconds * fps + 1)]


@pytest.mark.parametrize(("fps", "places", "speeds"), [(4, 0.115, 0.1), (6, 0.05, 0.04), (8, 0.025, 0.015)])
def test_one_walk_is_the_same_segments_at_any_rate(fps: int, places: float, speeds: float) -> None:
    """Between poses at 4 a second a swing of 20 px, once a second, is cut by up to 20 (1 - cos(pi / 4)) = 5.9 px, 0.115
    of a torso of 51 px. At 8 the poses are those of frames up to 0.04 s after the ticks."""
    true_times = [Fraction(tick, 8) for tick in range(65)]
    expected = fold_times(true_times, [stroll(float(time)) for time in true_times], TWO_SECONDS)
    times = stored_times(fps)
    segments_found = fold_times(times, [stroll(float(time)) for time in times], TWO_SECONDS)
    assert len(segments_found) == len(expected) == 13
    scaler = Scaler((0.0,) * 26, (1.0,) * 26)
    for segment, other in zip(segments_found, expected, strict=True):
        assert segment.time_s.tolist() == other.time_s.tolist()
        x, true_x = (segment_features(arrays_of([each], 4), TWO_SECONDS, scaler)[0] for each in (segment, other))
        assert np.abs(x - true_x)[:, :52].max() < places  # shares of the picture, torso lengths
        assert np.abs(x - true_x)[:, 52:].mean() < speeds  # torso lengths a second; the walk itself is 2.9


def test_a_table_of_thirty_rows_a_second_is_thinned_by_the_clock() -> None:
    times = [Fraction(round(row * 10**6 / 30), 10**6) for row in range(91)]  # as pose_table rounds them
    segments_found = fold_times(times, [stroll(float(time)) for time in times], TWO_SECONDS)
    assert len(segments_found) == 3  # 25 ticks: those that end at 15, 19 and 23
    assert np.diff(segments_found[0].time_s) == pytest.approx(np.full(15, 1 / 8))
    assert segments_found[0].frame.tolist() == [-(-tick * 30 // 8) for tick in range(16)]


def test_a_pause_ends_every_run() -> None:
    times = [Fraction(k, 8) for k in range(6)] + [100 + Fraction(k, 8) for k in range(6)]
    segments_found = fold_times(times, [np.full((13, 2), float(k)) for k in range(12)], FOUR)
    assert [segment.frame.tolist() for segment in segments_found] == [
        [0, 1, 2, 3],
        [2, 3, 4, 5],
        [6, 7, 8, 9],
        [8, 9, 10, 11],
    ]


def test_who_appears_between_two_ticks_begins_at_the_next() -> None:
    times = [Fraction(number, 6) for number in range(1, 5)]
    segments_found = fold_times(times, [np.full((13, 2), 60.0 * float(time)) for time in times], FOUR)
    assert segments_found[0].time_s.tolist() == [0.25, 0.375, 0.5, 0.625]
    assert segments_found[0].poses[:, 0, 0] == pytest.approx([15, 22.5, 30, 37.5])


def test_a_missing_joint_goes_along_with_the_others_and_is_marked() -> None:
    people = walk(range(4))
    people[2].joints[5] = np.nan
    people[3].joints[5] = np.nan
    [segment] = fold(4, people)
    assert segment.poses[:, 5, 0].tolist() == [500, 501, 502, 503]  # as the others move
    assert segment.seen[:, 5].tolist() == [True, True, False, False]
    assert segment.mask.all()


def test_a_joint_never_seen_lies_in_the_middle_of_the_others() -> None:
    joints = standing(200)
    joints[8] = np.nan
    [segment] = fold(4, [pose(frame, joints=joints) for frame in range(4)])
    assert segment.poses[0, 8] == pytest.approx(np.nanmean(joints, axis=0), rel=1e-5)
    assert np.isfinite(segment.poses).all()


def test_a_pose_without_any_joint_is_a_frame_without_the_person() -> None:
    people = walk(range(4))
    people[1].joints[:] = np.nan
    [segment] = fold(4, people)
    assert segment.mask.tolist() == [True, False, True, True]
    assert fold(9, [pose(frame, joints=np.full((13, 2), np.nan)) for frame in range(9)]) == []


@examples(max_examples=60, deadline=None)
@given(st.lists(st.sets(st.integers(0, 2)), max_size=40), st.integers(0, 40))
def test_segments_are_those_of_what_was_seen_so_far(present: list[set[int]], cut: int) -> None:
    """Whatever comes later, and however the frames arrive."""
    people = [pose(frame, person) for frame, ids in enumerate(present) for person in ids]
    whole = fold(len(present), people)
    cut = min(cut, len(present))
    early = fold(cut, people)
    earlier = [segment for segment in whole if segment.frame[-1] < cut]
    assert len(early) == len(earlier)
    for a, b in zip(early, earlier, strict=True):
        assert a.person == b.person
        assert all(np.array_equal(getattr(a, name), getattr(b, name)) for name in ("frame", "poses", "seen", "mask"))


def test_update_leaves_its_state_as_it_was() -> None:
    state, _ = update(START, 0, Fraction(0), [pose(0)], FOUR)
    before = state.runs[0].poses.copy()
    update(state, 1, Fraction(1, FPS), [pose(1)], FOUR)
    assert list(state.runs) == [0]
    assert np.array_equal(state.runs[0].poses, before)
    assert not START.runs and START.time_s is None
