"""Who of the tracked people does it, by the truth."""

from fractions import Fraction

import numpy as np

from vigil.features.landmarks.pose_table import Pose
from vigil.features.segments.actors import match_actors

BODY = np.stack([np.linspace(0, 20, 13), np.linspace(0, 100, 13)], axis=1)


def tracked(frame: int, person: int, left: float) -> Pose:
    return Pose(frame, Fraction(frame, 8), person, 1.0, 1.0, BODY + [left, 0], np.ones(13))


def truth(*rows: tuple[int, int, str, bool, float], kind: str = "person") -> dict[str, np.ndarray]:
    joints = np.zeros((len(rows), 13, 3), np.float32)
    for number, row in enumerate(rows):
        joints[number, :, :2] = BODY + [row[4], 0]
    return {
        "frame": np.array([row[0] for row in rows], np.int32),
        "person": np.array([row[1] for row in rows], np.int32),
        "role": np.array([row[2] for row in rows]),
        "active": np.array([row[3] for row in rows]),
        "class": np.array([kind] * len(rows)),
        "joints": joints,
    }


def test_the_thief_is_found_among_bystanders_whatever_the_ids() -> None:
    true_people = truth((0, 7, "thief", True, 100), (0, 8, "bystander", False, 160), (1, 7, "thief", False, 102))
    actor_of = match_actors([tracked(0, 1, 163), tracked(0, 2, 98), tracked(1, 2, 103)], true_people)
    assert {key: (actor.person, actor.role, actor.active) for key, actor in actor_of.items()} == {
        (0, 1): (8, "bystander", False),
        (0, 2): (7, "thief", True),
        (1, 2): (7, "thief", False),
    }


def test_nobody_is_two_people_and_the_nearer_one_it_is() -> None:
    actor_of = match_actors([tracked(0, 1, 110), tracked(0, 2, 104)], truth((0, 7, "thief", True, 100)))
    assert list(actor_of) == [(0, 2)]


def test_who_is_far_from_everybody_and_who_has_no_joints_is_nobody() -> None:
    lost = tracked(0, 3, 100)
    lost.joints[:] = np.nan
    true_people = truth((0, 7, "thief", True, 100))
    assert match_actors([tracked(0, 1, 130), lost], true_people) == {}
    assert list(match_actors([tracked(0, 1, 115)], true_people)) == [(0, 1)]
    assert match_actors([tracked(5, 1, 100)], true_people) == {}


def test_some_joints_suffice() -> None:
    half = tracked(0, 1, 101)
    half.joints[3:] = np.nan
    assert list(match_actors([half], truth((0, 7, "thief", True, 100)))) == [(0, 1)]


def test_a_bag_is_nobody() -> None:
    assert match_actors([tracked(0, 1, 100)], truth((0, 7, "", False, 100), kind="bag")) == {}
