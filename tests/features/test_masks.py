"""Where people are in a picture, by their landmarks."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.features.landmarks.pose_table import JOINTS, Pose
from vigil.features.masks import GREY, hide, mask_people, measure_torso

STANDING = {
    "HEAD": (50, 20), "SHOULDER_LEFT": (60, 40), "SHOULDER_RIGHT": (40, 40), "ELBOW_LEFT": (64, 60),
    "ELBOW_RIGHT": (36, 60), "WRIST_LEFT": (66, 80), "WRIST_RIGHT": (34, 80), "HIP_LEFT": (56, 90),
    "HIP_RIGHT": (44, 90), "KNEE_LEFT": (56, 120), "KNEE_RIGHT": (44, 120), "ANKLE_LEFT": (56, 150),
    "ANKLE_RIGHT": (44, 150),
}  # fmt: skip


def person(joints: dict[str, tuple[float, float]], unseen: tuple[str, ...] = ()) -> Pose:
    places = [(np.nan, np.nan) if name in unseen else joints[name] for name in JOINTS]
    return Pose(0, Fraction(0), 1, 1.0, 1.0, np.array(places, float), np.ones(13))


def test_all_joints_are_covered_and_a_far_corner_is_not() -> None:
    for shape in ("box", "body"):
        mask = mask_people([person(STANDING)], (200, 200), (200, 200), shape, 0.05)
        assert all(mask[y, x] for x, y in STANDING.values()), shape
        assert not mask[190, 190] and not mask[5, 190]


def test_a_body_is_within_its_box_and_smaller() -> None:
    box, body = (mask_people([person(STANDING)], (200, 200), (200, 200), shape, 0.0) for shape in ("box", "body"))
    assert not (body & ~box).any()
    assert body.sum() < 0.8 * box.sum()
    assert box[60, 30] and not body[100, 70], "beside the legs"


def test_joints_are_px_of_the_video_and_not_of_the_stored_picture() -> None:
    small = mask_people([person(STANDING)], (100, 100), (200, 200), "box", 0.0)
    large = mask_people([person(STANDING)], (200, 200), (200, 200), "box", 0.0)
    assert np.mean(small == large[::2, ::2]) > 0.98


@given(st.sets(st.sampled_from(JOINTS), max_size=12))
def test_whatever_is_seen_is_covered(unseen: set[str]) -> None:
    pose = person(STANDING, tuple(unseen))
    assert measure_torso(pose.joints) >= 1
    mask = mask_people([pose], (200, 200), (200, 200), "body", 0.0)
    assert all(mask[y, x] for name, (x, y) in STANDING.items() if name not in unseen)


def test_who_is_not_seen_covers_nothing() -> None:
    assert not mask_people([person(STANDING, JOINTS)], (50, 50), (50, 50), "box", 0.1).any()


@pytest.mark.parametrize(("hidden", "kept"), [("people", False), ("background", True)])
def test_people_or_all_but_people_become_grey(hidden: str, kept: bool) -> None:
    image = np.full((4, 4, 3), 9, np.uint8)
    people = np.zeros((4, 4), bool)
    people[1, 1] = True
    shown = hide(image, people, hidden)
    assert (shown[1, 1] == 9).all() == kept and (shown[0, 0] == GREY).all() == kept
    assert image.max() == 9, "the picture that was given stays"
