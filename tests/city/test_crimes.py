"""The crime scenes: what every one of them must keep to, in each of its places, at every moment."""

import numpy as np
import pytest

from vigil_city.acts.catalogue import ANY, CRIMES, LOOKALIKES
from vigil_city.acts.staging import Stage
from vigil_city.acts.traffic import Drive
from vigil_city.bodies.anatomy import FIELD, REST, pose, solve
from vigil_city.bodies.motion import grounded
from vigil_city.bodies.player import Player
from vigil_city.bodies.poses import CURLED, LIE_BACK, LIE_FRONT, ON_KNEES, SIT_FLOOR
from vigil_city.lens import effects
from vigil_city.lens.camera import Camera
from vigil_city.lens.effects import shards
from vigil_city.places import vehicles
from vigil_city.places.kinds import make_place
from vigil_city.places.place import clearance, way
from vigil_city.places.shapes import burnt, placed
from vigil_city.scene import Moment, Polygon, Script

UCF = {"Abuse", "Arrest", "Arson", "Assault", "Burglary", "Explosion", "Fighting", "RoadAccidents", "Robbery",
       "Shooting", "Shoplifting", "Stealing", "Vandalism"}  # fmt: skip
ALL = {**CRIMES, **LOOKALIKES}
CASES = [(name, kind) for name, (_, kinds) in ALL.items() for kind in kinds]
SPAN, LENGTH = (2.2, 6.4), 8.0
FEET = ("l_heel", "r_heel", "l_toe", "r_toe")


def script(name: str, kind: str, seed: int = 4) -> Script:
    return ALL[name][0](Stage(np.random.default_rng(seed), make_place(kind, seed), LENGTH, *SPAN))


def numbers(moment: Moment) -> np.ndarray:
    """All that a moment says, as one row of numbers."""
    rows = [[moment.gain, *moment.jolt, len(moment.effects)]]
    for f in moment.figures:
        rows.append([*f.state.pose, f.state.x, f.state.z, f.state.yaw, f.active, f.person])
    for part in [p for f in moment.figures for p in f.extra] + [p for thing in moment.things for p in thing.parts]:
        rows.append(part.points.ravel() if isinstance(part, Polygon) else [*part[0], part[1], *part[2], part[3]])
    return np.concatenate([np.asarray(row, float) for row in rows])


def test_all_thirteen_classes_are_there_and_every_place_is_one():
    assert set(CRIMES) == UCF
    assert all(kinds and set(kinds) <= set(ANY) for _, kinds in ALL.values())


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_a_scene_is_a_pure_function_of_time_and_of_its_seed(name: str, kind: str):
    times = np.linspace(0, LENGTH, 5)
    play, again = script(name, kind), script(name, kind)
    forth = [numbers(play(t)) for t in times]
    back = [numbers(play(t)) for t in times[::-1]][::-1]
    for a, b, t in zip(forth, back, times, strict=True):
        assert np.isfinite(a).all()
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(a, numbers(again(t)))


@pytest.mark.parametrize(("name", "kind"), [case for case in CASES if case[0] in CRIMES])
def test_the_act_is_active_inside_the_span_and_nowhere_else(name: str, kind: str):
    play = script(name, kind)
    before = [any(f.active for f in play(t).figures) for t in np.arange(0, SPAN[0], 0.25)]
    inside = [any(f.active for f in play(t).figures) for t in np.arange(*SPAN, 0.4)]
    after = [any(f.active for f in play(t).figures) for t in np.arange(SPAN[1], LENGTH, 0.25)]
    assert not any(before) and not any(after)
    assert any(inside) or name in {"Explosion", "RoadAccidents"}, "who does it is not in the picture there"


@pytest.mark.parametrize("name", LOOKALIKES)
def test_normal_people_are_never_active(name: str):
    play = script(name, LOOKALIKES[name][1][0])
    assert not any(f.active for t in np.arange(0, LENGTH, 0.25) for f in play(t).figures)


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_nobody_floats_sinks_jumps_about_or_outruns_a_human(name: str, kind: str):
    play, step, last = script(name, kind), 1 / 8, {}
    for t in np.arange(0, LENGTH, step):
        for f in play(t).figures:
            j, thrown = f.skeleton.joints, name in {"Explosion", "RoadAccidents"} and f.role == "victim"
            low = min(j[n][1] for n in FEET) - 0.014 * f.look.height
            lies = np.abs(f.state.pose[FIELD["turn"]]).max() > 1 or j["pelvis"][1] < 0.45 * f.look.height
            here = np.array([j["pelvis"], j["neck"], j["l_ankle"], j["r_ankle"]])
            speed = 0.0
            if f.person in last:
                assert np.abs(here - last[f.person]).max() < 1.3, f"jumps at {t:.2f} s"
                speed = float(np.hypot(*(here - last[f.person])[0, [0, 2]])) / step
                assert speed < (10.5 if thrown else 6.0), f"{speed:.1f} m/s at {t:.2f} s"
            last[f.person] = here
            if not thrown and not lies and speed < 0.5:
                assert -0.045 < low < 0.045, f"foot {low:.3f} m above the floor at {t:.2f} s"


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_nobody_stands_in_the_furniture(name: str, kind: str):
    here, play = make_place(kind, 4), script(name, kind)
    for t in np.arange(0, LENGTH, 0.8):
        moment = play(t)
        circles = here.obstacles(moment.without)
        circles[:, 2] -= 0.30  # the furniture itself, without room for shoulders
        for f in moment.figures:
            seen = here.camera.project(np.array([[f.state.x, 0.9, f.state.z]]))[0, 0]
            if 0 < seen < here.camera.width:
                assert clearance((f.state.x, f.state.z), circles) > -0.05, f"person {f.person} at {t:.1f} s"


def test_vehicles_keep_to_what_vehicles_can_do():
    play, last = script("RoadAccidents", "street"), None
    for t in np.arange(0, LENGTH, 1 / 12):
        things = [thing for thing in play(t).things if thing.kind == "vehicle"]
        where = np.array([np.mean([p.points.mean(0) for p in thing.parts], 0) for thing in things])
        if last is not None:
            assert np.abs(where - last).max() * 12 < 16
        last = where


def test_a_car_that_brakes_stops_and_does_not_roll_back():
    # 10 m/s, braked with 5 m/s2 from t = 1 at 10 m: stands after 2 s, 10 m further on
    drive = Drive.begin(0, 0, 10).then(1, -5)
    assert drive.state(1) == (10, 10)
    assert drive.state(3) == drive.state(9) == (20, 0)


def test_pieces_fall_bounce_once_and_lie_still():
    # thrown up at 4.905 m/s from the floor: lands after 1 s, hops with 0.28 of the speed, lies after 1.28 s
    flown = [
        effects.fly(np.zeros(3), np.array([[1.0, 4.905, 0.0]]), t, rest=0.0)[0] for t in (0.5, 1.0, 1.14, 2.0, 5.0)
    ]
    np.testing.assert_allclose(flown[0], [0.5, 1.22625, 0], atol=1e-6)
    assert abs(flown[1][1]) < 1e-6 < 0.09 < flown[2][1]
    np.testing.assert_allclose(flown[3], flown[4])


@pytest.mark.parametrize("p", [LIE_BACK, LIE_FRONT, CURLED, SIT_FLOOR, ON_KNEES, pose(REST, root=(0, 0.3, 0))])
def test_a_grounded_body_touches_the_floor_and_does_not_sink(p: np.ndarray):
    joints = solve(grounded(p), 0, 0, 0, 1.0).joints
    low = min(v[1] for name, v in joints.items() if "mark" not in name and name != "nose")
    assert -0.005 < low < 0.07


def test_who_is_thrown_flies_a_parabola_and_stays_where_it_lands():
    player = Player(np.random.default_rng(0), 0.0, -5.0, 0.0)
    player.thrown((3.0, 2.4525, 0.0), (0.3, LIE_BACK), skid=5.0)
    height = [float(player.skeleton(t).joints["pelvis"][1]) for t in (0.0, 0.25, 0.5, 2.0)]
    assert height[1] > height[2] + 0.2  # 0.5 s in the air, 0.31 m up at its middle
    end = player.state(5.0)
    assert end.x == pytest.approx(3.0 * 0.5 + (0.6 * 3) ** 2 / (2 * 5.0), abs=0.02)
    assert player.state(9.0).x == end.x


def test_a_way_goes_round_what_stands_in_it():
    circle = np.array([(0.0, -5.0, 0.6)])
    points = way((-2.0, -5.0), (2.0, -5.1), circle)
    line = np.concatenate([np.linspace(a, b, 20) for a, b in zip([(-2.0, -5.0), *points], points, strict=False)])
    assert len(points) > 1 and points[-1] == (2.0, -5.1)
    assert min(clearance((x, z), circle) for x, z in line) > -0.05
    assert way((-2.0, -5.0), (2.0, -7.0), circle) == [(2.0, -7.0)]


def test_fire_and_smoke_stay_behind_who_stands_before_them():
    camera, grey = Camera(), np.full((240, 320, 3), 90, np.uint8)
    far, near = np.full((240, 320), 30, np.float32), np.full((240, 320), 1, np.float32)
    puffs = effects.plume((0, 0.5, -5), 2.0, rate=5, life=2, size=0.5, seed=3, until=9)
    for effect in (
        effects.flame((0, 0, -5), 1.0, 1.5, 0.7),
        effects.smoke(puffs),
        effects.fireball((0, 1, -5), 1.5, 0.3),
    ):
        assert np.abs(effect(grey.copy(), camera, far).astype(int) - 90).max() > 20
        np.testing.assert_array_equal(effect(grey.copy(), camera, near), grey)


def test_a_flame_is_red_at_least_as_much_as_blue():
    image = effects.flame((0, 0, -5), 1.0, 1.5, 0.7)(
        np.zeros((240, 320, 3), np.uint8), Camera(), np.full((240, 320), 30, np.float32)
    )
    burning = image[image.max(-1) > 60].astype(int)
    assert len(burning) > 500
    assert (burning[:, 0] >= burning[:, 2]).all()


def test_glass_lies_on_the_floor_after_a_second():
    glass = shards(np.random.default_rng(0), (0.0, 1.4, -5.0), 20, 0.4, (0.0, 1.0))
    assert glass(-0.1) == []
    image = np.zeros((240, 320, 3), np.uint8)
    image = glass(2.0)[0](image, Camera(), np.full((240, 320), 30, np.float32))
    rows = np.flatnonzero(image.max((1, 2)))
    floor = Camera().project(np.array([[0, 0, -8.5], [0, 0, -3.0]]))[:, 1]
    assert len(rows) and rows.min() > floor[0] and rows.max() < floor[1]


def test_a_crumpled_car_is_shorter_and_a_burnt_one_darker():
    kind = vehicles.Car(vehicles.SALOON, (178, 32, 34))
    damages = vehicles.Damage(), vehicles.Damage(front=1.0)
    whole, crushed = (placed(vehicles.car(kind, damage), 0, 0, -8, 90) for damage in damages)
    reach = [max(p.points[:, 0].max() for p in parts) for parts in (whole, crushed)]
    assert reach[0] - reach[1] > 0.3
    assert np.mean([p.rgb.mean() for p in burnt(whole, 0.88)]) < 0.6 * np.mean([p.rgb.mean() for p in whole])
    assert all(
        abs(np.linalg.det(np.stack([p.points[1] - p.points[0], p.points[2] - p.points[0], p.points[3] - p.points[0]])))
        < 0.02
        for p in whole
    )
    assert len(vehicles.facing(whole, np.array([0, 2.6, 0]))) < 0.75 * len(whole)
