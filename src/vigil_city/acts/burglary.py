"""Burglary: somebody forces a way into a building. And coming home, which only looks like it."""

from collections.abc import Callable

import numpy as np

from vigil_city.acts.staging import Stage, ThingAt, bag_in_hand, changing, window_broken_by
from vigil_city.bodies import gear, poses
from vigil_city.bodies.anatomy import ARMS, REST, pose
from vigil_city.bodies.motion import smooth
from vigil_city.bodies.player import Player, reaching
from vigil_city.lens.effects import shards
from vigil_city.places import props
from vigil_city.places.place import Fixture, Point
from vigil_city.places.shapes import placed
from vigil_city.scene import Script, Thing


def _burglar(s: Stage, stand: Point, side: int, yaw: float) -> Player:
    thief = s.enter(stand, s.start, side, "burglar", s.dark_clothes(mask=s.chance(0.6)), z=s.place.far)
    return thief.face(yaw, 0.3).commit(s.span)


def _door(way_in: Fixture, paint: np.ndarray, swing: Callable[[float], float]) -> ThingAt:
    """A door of the place in its paint, open by `swing` degrees at a time."""

    def leaf(degrees: float, moving: bool) -> Thing:
        return Thing(placed(props.door(paint, degrees), way_in.x, 0, way_in.z), moving=moving)

    still = {degrees: leaf(degrees, False) for degrees in (0.0, 82.0)}
    return lambda t: still.get(swing(t)) or leaf(swing(t), True)


def burglary(s: Stage) -> Script:
    """Forces a door with a crowbar and goes in; or breaks a window and reaches in."""
    if "window" in s.place.fixtures and s.chance(0.35):
        return _through_window(s)
    way_in, sill = s.place.fixtures["door"], -s.place.wall_z
    thief = _burglar(s, (way_in.x + 0.28, sill + 0.62), s.away_from(way_in), 180 + 38).wear(gear.crowbar)
    pulls: list[float] = []
    while not pulls or thief.now + 0.53 <= s.stop - 2.3:
        pulls.append(thief.now + 0.35)
        thief.play((0.22, poses.PRY), (0.16, poses.PRY_PULL), (0.14, poses.PRY))
    s.rng.random(10)  # this and the colour decide nothing; without them another film would be drawn
    if s.chance():
        thief.shift(0.25, (way_in.x + 0.12, sill + 0.80), poses.GUARD, yaw=180)
        opens = thief.play((0.18, poses.CHAMBER), (0.14, poses.KICK)).now
        thief.play((0.22, poses.GUARD))
    else:
        opens = thief.now - 0.2
        thief.play((0.2, poses.PRY_PULL))
    s.pick(props.COLOURS)
    thief.walk((way_in.x, sill + 0.35), (way_in.x, sill - 0.45), speed=1.7)

    def swing(t: float) -> float:
        degrees = 82 * smooth((t - opens) / 0.45)
        return degrees if degrees >= 82 else degrees + sum(max(0.0, 1 - abs(t - pull) / 0.12) for pull in pulls)

    return s.show([thief], [_door(way_in, way_in.paint(2).astype(float), swing)], without=["door"])


def _through_window(s: Stage) -> Script:
    """Smashes a pane, clears it, takes a bag out of the room."""
    pane, sill = s.place.fixtures["window"], -s.place.wall_z
    side = s.away_from(pane)
    thief = _burglar(s, (pane.x + side * 0.30, sill + 0.72), side, 180 + side * 25)
    hits = []
    out = s.exit_time(thief, -side, 2.4, True)
    for _ in range(2 if s.stop - s.start < 4 else 3):
        hits.append(thief.play((0.28, poses.RAISE), (0.18, poses.SMASH)).now)
        thief.play((0.22, poses.GUARD))
    thief.wear(gear.crowbar, -1.0, thief.now).shift(0.25, (pane.x, sill + 0.5), REST, yaw=180)
    grab = pose(poses.GUARD, spine=(38, 0, 0))
    for hand, off in (("r", 0.15), ("l", -0.15)):
        grab = reaching(grab, thief, hand, (pane.x + off, 1.0, sill - 0.2))
    thief.play((0.35, grab))
    reached = max(s.stop - out - 0.9, thief.now + 0.2)
    thief.until(reached).play((0.35, pose(poses.GUARD, r_wrist=(0.0, -0.16, 0.2))), (0.15, REST))
    thief.carry(pose(REST, r_wrist=(0.03, -0.24, 0.10)), ARMS, 0.1)
    s.flee(thief, -side, speed=2.4, z=min(sill + 1.3, s.place.far))
    glass = shards(s.rng, (pane.x, 1.45, sill + 0.08), 34, 0.5, (0.0, 1.0), hits[0])
    bag = bag_in_hand(thief, s.pick(props.COLOURS), "holdall")
    return s.show([thief], [window_broken_by(hits, pane.x, sill), changing(None, (reached, bag))], [glass])


def come_home(s: Stage) -> Script:
    """Opens a door with a key, goes in and shuts it."""
    way_in, sill = s.place.fixtures["door"], -s.place.wall_z
    stand, begin = (way_in.x + 0.25, sill + 0.55), s.between(1.8, 2.6)
    person = s.enter(stand, begin, s.away_from(way_in), z=s.place.far).face(180 + 25, 0.35)
    key = reaching(pose(poses.REACH, spine=(14, 6, 0)), person, "r", (way_in.x + 0.33, 1.0, sill + 0.1))
    opens = person.play((0.4, key), (0.3, key), (0.25, pose(key, spine=(14, 12, 0))), (0.3, key)).now
    person.play((0.5, pose(key, spine=(20, 4, 0))), (0.3, REST))
    shuts = person.walk((way_in.x, sill + 0.2), (way_in.x, sill - 0.9), speed=1.1).now + 0.1
    carries, colour = s.chance(), s.pick(props.COLOURS)

    def swing(t: float) -> float:
        degrees = 80 * smooth((t - opens) / 0.8) * (1 - smooth((t - shuts) / 0.7))
        return degrees if degrees > 0.5 else 0.0

    bags = [bag_in_hand(person, colour, "handbag", "l")] if carries else []
    return s.show([person], [_door(way_in, way_in.paint(2), swing), *bags], without=["door"])
