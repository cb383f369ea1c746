"""People move as people do: feet that stand stay where they are, joints keep their lengths, nothing pops."""

import numpy as np
import pytest

from vigil_city.bodies.anatomy import FIELD, REST, SHIN, THIGH, Skeleton, mirror, pose, solve
from vigil_city.bodies.look import Look
from vigil_city.bodies.player import Player
from vigil_city.bodies.poses import KICK, POCKET, REACH, STOOP

HEIGHT = 1.75
STEP_S = 1 / 60


def standing(x: float = 0.0, z: float = -5.0, yaw: float = 90.0) -> Player:
    return Player(np.random.default_rng(3), x, z, yaw, look=Look(height=HEIGHT))


def skeletons(player: Player, seconds: float) -> list[Skeleton]:
    states = [player.state(t) for t in np.arange(0, seconds, STEP_S)]
    return [solve(s.pose, s.x, s.z, s.yaw, HEIGHT) for s in states]


def ankles(player: Player, seconds: float, side: str) -> np.ndarray:
    return np.array([sk.joints[f"{side}_ankle"] for sk in skeletons(player, seconds)])


WAYS = {
    "straight": ([(5, -5)], 1.25, False),
    "round a corner": ([(3, -5), (4, -3)], 1.2, False),
    "slowly": ([(2, -5)], 0.6, False),
    "running": ([(8, -5.5)], 2.9, True),
}


@pytest.mark.parametrize("name", WAYS)
@pytest.mark.parametrize("side", ["l", "r"])
def test_a_foot_that_stands_does_not_slide(name: str, side: str) -> None:
    way, speed, run = WAYS[name]
    walker = standing().walk(*way, speed=speed, run=run)
    track = ankles(walker, walker.now, side)
    moved = np.hypot(*(track[1:, [0, 2]] - track[:-1, [0, 2]]).T) / STEP_S  # m/s
    flat = (track[:, 1] < (0.042 + 0.002) * HEIGHT)[1:] & (track[:, 1] < (0.042 + 0.002) * HEIGHT)[:-1]
    assert flat.mean() > 0.15
    assert np.percentile(moved[flat], 90) < 0.02
    assert (
        moved[flat].max() < 0.35
    )  # m/s, at the instants of landing and leaving, when the leg is just at its full length


@pytest.mark.parametrize("name", WAYS)
def test_a_walk_ends_standing_on_its_last_point(name: str) -> None:
    way, speed, run = WAYS[name]
    walker = standing().walk(*way, speed=speed, run=run)
    end = walker.state(walker.now + 1)
    assert (end.x, end.z) == pytest.approx(way[-1])
    last = solve(end.pose, end.x, end.z, end.yaw, HEIGHT).joints
    assert last["l_ankle"][1] == pytest.approx(0.042 * HEIGHT, abs=0.01)
    assert np.linalg.norm(last["l_ankle"] - last["r_ankle"]) == pytest.approx(2 * 0.064 * HEIGHT, abs=0.02)


def test_nothing_pops_from_one_order_to_the_next() -> None:
    busy = standing().walk((2, -5)).face(180).play((0.4, REACH), (0.5, POCKET)).rest().walk((0, -4.5), speed=1.0)
    busy.play((0.5, STOOP)).walk((1, -5), (3, -5), speed=2.6, run=True)
    points = np.array(
        [[sk.joints[n] for n in ("l_wrist", "r_wrist", "skull", "l_ankle")] for sk in skeletons(busy, busy.now)]
    )
    speed = np.linalg.norm(np.diff(points, axis=0), axis=2) / STEP_S
    assert speed.max() < 9.0  # m/s; a running foot reaches about 7


def test_the_state_is_a_pure_function_of_time() -> None:
    a = standing().walk((2, -5)).play((0.5, KICK))
    later = a.state(2.0)
    a.state(0.1)
    assert np.array_equal(a.state(2.0).pose, later.pose)


def test_limbs_keep_their_lengths_whatever_is_asked() -> None:
    far = pose(l_wrist=(0.9, 0.9, 0.9), r_ankle=(0.5, 0.5, 0.5))
    j = solve(far, 1, -4, 33, HEIGHT).joints
    assert np.linalg.norm(j["r_hip"] - j["r_knee"]) == pytest.approx(THIGH * HEIGHT)
    assert np.linalg.norm(j["r_knee"] - j["r_ankle"]) == pytest.approx(SHIN * HEIGHT)


def test_the_mirror_exchanges_left_and_right() -> None:
    j, k = (solve(p, 0, 0, 0, 1.0).joints for p in (KICK, mirror(KICK)))
    for name in ("wrist", "elbow", "ankle", "knee"):
        assert k[f"r_{name}"] * (-1, 1, 1) == pytest.approx(j[f"l_{name}"])


def test_somebody_who_turns_looks_the_new_way() -> None:
    turned = standing(yaw=0).face(135)
    end = turned.state(turned.now)
    head = solve(end.pose, end.x, end.z, end.yaw, HEIGHT).joints
    look = head["nose"] - head["skull"]
    assert np.degrees(np.arctan2(look[0], look[2])) == pytest.approx(135, abs=12)


def test_a_pose_is_changed_by_name() -> None:
    assert (pose(REST, head=(5, 6))[FIELD["head"]] == (5, 6)).all()
    with pytest.raises(KeyError):
        pose(REST, haed=(5, 6))
