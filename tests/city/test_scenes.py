"""Scenes obey the world: nobody floats, jumps, or stands in a wall, a bench or another; deeds keep to their span."""

from itertools import pairwise

import numpy as np
import pytest

from vigil_city.acts.catalogue import CROWDS, DEEDS, EVERYDAY, HONEST
from vigil_city.acts.staging import Stage
from vigil_city.places.place import Fixture, Place
from vigil_city.plan import CAMERAS
from vigil_city.scene import Moment

SCENES = {**EVERYDAY, **HONEST, **DEEDS, **CROWDS}
SPAN = (2.4, 6.5)
SECONDS = 8.5
STEP_S = 0.125
CASES = [(name, kind, seed) for name, (_, kinds) in SCENES.items() for seed, kind in enumerate(kinds) if seed < 4]
PLACES = {lens.kind: lens.place(5) for lens in CAMERAS}


@pytest.fixture(params=CASES, ids=lambda case: f"{case[0]}-{case[1]}", scope="module")
def played(request: pytest.FixtureRequest) -> tuple[str, Place, list[Moment]]:
    name, kind, seed = request.param
    place = PLACES[kind]
    script = SCENES[name][0](Stage(np.random.default_rng([seed, 41]), place, SECONDS, *SPAN))
    return name, place, [script(float(t)) for t in np.arange(0, SECONDS, STEP_S)]


def in_view(place: Place, x: float, z: float) -> bool:
    px = place.camera.project(np.array([[x, 0.9, z]]))[0][0]
    return 0 < px < place.camera.width


def inside(fixture: Fixture, x: float, z: float, margin: float) -> bool:
    c, s = np.cos(np.radians(fixture.yaw)), np.sin(np.radians(fixture.yaw))
    across, along = c * (x - fixture.x) - s * (z - fixture.z), s * (x - fixture.x) + c * (z - fixture.z)
    return abs(across) < fixture.size[0] / 2 + margin and abs(along) < fixture.size[1] / 2 + margin


def test_nobody_stands_in_a_wall_or_in_furniture(played: tuple[str, Place, list[Moment]]) -> None:
    _, place, moments = played
    solid = [f for f in place.fixtures.values() if f.shadow is not None]
    for moment in moments:
        for figure in moment.figures:
            x, z = figure.state.x, figure.state.z
            assert z > -place.wall_z + 0.25
            if in_view(place, x, z):
                assert not [f for f in solid if inside(f, x, z, 0.12)]


def test_nobody_jumps_or_sinks(played: tuple[str, Place, list[Moment]]) -> None:
    name, _, moments = played
    fastest = 4.2 if name in {"panic", "jog"} else 2.6
    for before, after in pairwise(moments):
        old = {f.person: f.state for f in before.figures}
        for figure in after.figures:
            now, then = figure.state, old.get(figure.person)
            assert then is not None
            assert np.hypot(now.x - then.x, now.z - then.z) < fastest * STEP_S
    for moment in moments[::8]:
        for figure in moment.figures[:6]:
            lowest = min(float(p[1]) for p in figure.skeleton.joints.values())
            assert -0.03 < lowest < 0.12


def test_two_people_never_share_a_spot(played: tuple[str, Place, list[Moment]]) -> None:
    name, place, moments = played
    gap = 0.01 if name in CROWDS else 0.36  # metres; people in a crowd brush past each other
    for moment in moments:
        spots = [(f.state.x, f.state.z) for f in moment.figures if in_view(place, f.state.x, f.state.z)]
        for k, (x, z) in enumerate(spots):
            for other in spots[:k]:
                assert np.hypot(x - other[0], z - other[1]) > gap


def test_somebody_is_seen_most_of_the_time(played: tuple[str, Place, list[Moment]]) -> None:
    _, place, moments = played
    seen = [any(in_view(place, f.state.x, f.state.z) for f in moment.figures) for moment in moments]
    assert np.mean(seen) > 0.4


def test_deeds_are_done_in_their_span_and_nowhere_else(played: tuple[str, Place, list[Moment]]) -> None:
    name, _, moments = played
    active = [any(f.active for f in moment.figures) for moment in moments]
    times = np.arange(0, SECONDS, STEP_S)[active]
    if name not in {*DEEDS, "panic"}:
        assert not any(active)
        return
    assert SPAN[0] <= times.min() < SPAN[0] + 0.6
    assert SPAN[1] - 0.6 < times.max() < SPAN[1] + 0.8  # film.py cuts off what goes on after the span
