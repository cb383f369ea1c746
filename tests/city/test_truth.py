"""The truth that goes with drawn frames, and the frames themselves."""

from fractions import Fraction

import cv2
import numpy as np
import pytest

from vigil_city import reel
from vigil_city.bodies.player import Player, cast
from vigil_city.film import Film
from vigil_city.lens import effects
from vigil_city.lens.truth import GRID, JOINTS
from vigil_city.places import props
from vigil_city.places.kinds import VIEWS, make_place
from vigil_city.places.place import Place
from vigil_city.places.shapes import box, placed
from vigil_city.plan import planned
from vigil_city.scene import Moment, Script, Thing

FPS = Fraction(10)


def player(where: Place, u: float, v: float, yaw: float = 0.0) -> Player:
    return Player(np.random.default_rng(2), *where.spot(u, v), yaw)


def film(where: Place, script: Script, count: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    city_film = Film(where, script, FPS, count, (1, 2))
    frames = np.stack(list(city_film.frames()))
    return frames, city_film.truth.arrays()


@pytest.mark.parametrize("kind", VIEWS)
@pytest.mark.parametrize("night", [False, True])
def test_a_person_in_the_open_is_whole_in_the_truth(kind: str, night: bool) -> None:
    where = make_place(kind, 11, night=night)
    frames, truth = film(where, lambda t: Moment(cast(t, [player(where, 0.1, 0.1)])), 1)
    assert frames.shape == (1, 240, 320, 3)
    assert frames.dtype == np.uint8
    assert len(truth["frame"]) == 1
    x0, y0, x1, y1 = truth["boxes"][0]
    assert 0 <= x0 < x1 <= 320
    assert 0 <= y0 < y1 <= 240
    assert truth["visible"][0] > 0.95
    joints = truth["joints"][0]
    assert joints[:, 2].mean() > 0.75  # all but what the body itself hides
    assert ((joints[:, :2] >= (x0, y0)) & (joints[:, :2] <= (x1, y1))).all()
    head, ankle = joints[JOINTS.index("nose")], joints[JOINTS.index("l_ankle")]
    assert head[1] < ankle[1] - 0.6 * (y1 - y0)
    grey = frames[0].max(-1).astype(int) - frames[0].min(-1)
    assert (grey.max() == 0) == night


def test_the_drawn_person_lies_where_the_box_says() -> None:
    where = make_place("lobby", 11, night=True)  # where shadows are faint
    (with_person,), truth = film(where, lambda t: Moment(cast(t, [player(where, 0.1, 0.3)])), 1)
    (without,), _ = film(where, lambda _: Moment([]), 1)
    changed = np.abs(with_person.astype(int) - without).max(-1) > 40  # the same noise; a shadow changes less
    rows, columns = np.nonzero(changed)
    drawn = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
    assert np.abs(drawn - truth["boxes"][0]).max() < 6


def test_what_stands_in_front_hides_joints_and_lowers_the_visible_share() -> None:
    where = make_place("carpark", 11)
    x, z = where.spot(0, 0.4)
    wall = Thing(box(x, 0, z + 0.6, (2.0, 1.0, 0.1), (90, 90, 90)))
    open_air, hidden = (
        film(where, lambda t, things=things: Moment(cast(t, [player(where, 0, 0.4)]), things), 1)[1]
        for things in ([], [wall])
    )
    knees = [JOINTS.index("l_knee"), JOINTS.index("r_knee")]
    assert open_air["joints"][0, knees, 2].all()
    assert not hidden["joints"][0, knees, 2].any()
    assert hidden["joints"][0, JOINTS.index("nose"), 2] == 1
    assert hidden["visible"][0] < 0.75 < open_air["visible"][0]
    assert hidden["boxes"][0] == pytest.approx(open_air["boxes"][0])


@pytest.mark.parametrize("kind", ["carpark", "shop"])
def test_smoke_in_front_hides_and_smoke_behind_does_not(kind: str) -> None:
    where = make_place(kind, 11)
    x, z = where.spot(0, 0.4)
    low = np.array([(x + dx, 0.3 + dy, 0, 0.5, 1.0) for dx in (-0.3, 0, 0.3) for dy in (0, 0.3)] * 4)
    before, behind = (effects.smoke(low + (0, 0, z + side, 0, 0), opacity=0.9) for side in (0.7, -0.9))
    open_air, smoky, clear = (
        film(where, lambda t, some=some: Moment(cast(t, [player(where, 0, 0.4)]), effects=some), 1)[1]
        for some in ([], [before], [behind])
    )
    knees = [JOINTS.index("l_knee"), JOINTS.index("r_knee")]
    assert open_air["joints"][0, knees, 2].all()
    assert not smoky["joints"][0, knees, 2].any()
    assert smoky["joints"][0, JOINTS.index("nose"), 2] == 1
    assert smoky["visible"][0] < 0.75 < open_air["visible"][0]
    assert clear["visible"][0] == pytest.approx(open_air["visible"][0], abs=0.02)
    np.testing.assert_array_equal(clear["joints"], open_air["joints"])


def test_somebody_at_the_edge_has_a_clipped_box() -> None:
    where = make_place("street", 11)
    _, truth = film(where, lambda t: Moment(cast(t, [player(where, 1.10, 0.4)])), 1)
    assert truth["boxes"][0][2] == 320
    assert 0.2 < truth["visible"][0] < 0.8


def test_nothing_moves_in_a_static_place_but_noise() -> None:
    frames, truth = film(make_place("plaza", 11), lambda _: Moment([]), 8)
    assert truth["cells"].shape == (8, GRID, GRID)
    assert not truth["cells"].any()
    assert len(truth["frame"]) == 0
    mean = frames.astype(float).mean(0)
    assert np.abs(frames - mean).mean() < 6
    assert np.abs(frames[:4].mean(0) - frames[4:].mean(0)).mean() < 4
    assert (frames[0] != frames[1]).any()


def test_cells_follow_a_walker_and_leave_out_who_stands() -> None:
    where = make_place("platform", 11)
    walker = player(where, -0.5, 0.4, 90).walk(where.spot(0.9, 0.4))
    stander = player(where, 0.75, 0.0)
    _, truth = film(where, lambda t: Moment(cast(t, [walker, stander])), 12)
    boxes = truth["boxes"][truth["frame"] == 11]
    for row, moves in ((0, True), (1, False)):
        x0, y0, x1, y1 = boxes[row] * GRID / (320, 240, 320, 240)
        inside = truth["cells"][11][int(y0) : int(np.ceil(y1)), int(x0) : int(np.ceil(x1))]
        assert (inside.mean() > 0.4) if moves else (inside.mean() < 0.1)
    assert truth["cells"][11].mean() < 0.2


def test_bags_have_boxes_and_other_things_have_none() -> None:
    where = make_place("shop", 11)
    x, z = where.spot(0.2, 0.3)
    things = [
        Thing(placed(props.bag((150, 40, 45)), x, 0, z), "bag"),
        Thing(box(x - 1, 0, z, (0.3, 0.3, 0.3), (90, 60, 30))),
    ]
    _, truth = film(where, lambda _: Moment([], things), 1)
    assert list(truth["class"]) == ["bag"]
    assert not truth["joints"].any()
    foot = where.camera.project(np.array([[x, 0.1, z]]))[0]
    assert (truth["boxes"][0][:2] < foot[:2]).all()
    assert (truth["boxes"][0][2:] > foot[:2]).all()


def test_a_shaking_camera_moves_the_truth_with_the_picture() -> None:
    where = make_place("house", 11)
    still, shaken = (
        film(where, lambda t, jolt=jolt: Moment(cast(t, [player(where, 0, 0.3)]), jolt=jolt), 1)[1]
        for jolt in ((0.0, 0.0), (4.0, -3.0))
    )
    assert shaken["boxes"][0] - still["boxes"][0] == pytest.approx([4, -3, 4, -3])
    assert shaken["joints"][0, :, :2] - still["joints"][0, :, :2] == pytest.approx(np.tile([4, -3], (13, 1)))


def test_another_seed_draws_something_else() -> None:
    first, second = (
        reel.shoot(next(v for v in planned("tiny", seed) if v.stem == "house-3-normal-wait"), seed).frame(0)
        for seed in (7, 8)
    )
    assert np.abs(first.astype(int) - second).mean() > 5


def test_light_falls_from_the_same_side_on_people_and_things() -> None:
    where = make_place("plaza", 11)
    x, z = where.spot(0, 0.1)
    (image,), _ = film(
        where, lambda _: Moment([], [Thing(placed(box(0, 0, 0, (1, 1, 1), (150, 150, 150)), x, 0, z, 45))]), 1
    )
    left, right = (where.camera.project(np.array([[x + dx, 0.5, z + 0.35]]))[0].astype(int) for dx in (-0.3, 0.3))
    tone = [cv2.mean(image[y - 4 : y + 4, at - 4 : at + 4])[0] for at, y, _ in (left, right)]
    assert (tone[0] > tone[1]) == (where.light.toward[0] < 0)
