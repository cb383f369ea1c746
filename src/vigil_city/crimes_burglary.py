"""Burglary: somebody forces a way into a building."""

import numpy as np

from vigil_city import gear
from vigil_city.acting import Player, cast, reaching
from vigil_city.blocking import Span, arrive, dark_clothes, duration, exit_time, flee
from vigil_city.body import ARMS, REST, pose
from vigil_city.floor import obstacles, way
from vigil_city.furniture import door
from vigil_city.gait import smooth
from vigil_city.glass import hole, shards
from vigil_city.places import Place
from vigil_city.poses import CHAMBER, GUARD, KICK, RAISE, SMASH
from vigil_city.postures import PRY, PRY_PULL
from vigil_city.props import COLOURS
from vigil_city.scene import Moment, Script, Thing


def burglary(rng: np.random.Generator, place: Place, seconds: float, span: Span) -> Script:
    """Forces a door with a crowbar, goes in, comes out with a bag; or breaks a window and reaches in."""
    if "window" in place.fixtures and rng.random() < 0.35:
        return _through_window(rng, place, seconds, span)
    start, stop = span
    way_in = place.fixtures["door"]
    side = 1 if way_in.x < place.spot(0, 1)[0] else -1
    sill = -place.wall_z
    stand = (way_in.x + 0.28, sill + 0.62)
    thief = arrive(
        rng,
        place,
        stand,
        start,
        side,
        role="burglar",
        look=dark_clothes(rng, mask=bool(rng.random() < 0.6)),
        z=place.far,
    )
    thief.wear(gear.crowbar(), -1.0, 1e9)
    thief.face(180 + 38, 0.3)
    thief.until(start)
    thief.guilty(start, stop)
    inside = (way_in.x, sill - 0.45)
    outside = place.outside(-side, min(sill + 1.25, place.far))  # the nearer edge of the picture
    step = (way_in.x - side * 0.1, sill + 0.6)
    way_back = [step, *way(step, outside, obstacles(place))]
    back = duration(Player(rng, *inside, 180.0, look=thief.look), way_back, 2.7, True)
    left = stop - start - back - 1.0  # seconds for the forcing of the door and what is done inside
    enter = 1.6 if left > 2.4 or left < 0.8 else 0.7  # goes in, or only reaches round the door
    until = max(start + left - enter + 0.4, start + 0.55) if left >= 0.8 else stop - 2.3
    pulls: list[float] = []
    while thief.now + 0.53 <= max(until, thief.now + 0.6 if not pulls else 0.0):
        pulls.append(thief.now + 0.35)
        thief.play((0.22, PRY), (0.16, PRY_PULL), (0.14, PRY))
    if rng.random() < 0.5:
        thief.shift(0.25, (way_in.x + 0.12, sill + 0.80), GUARD, yaw=180)
        thief.play((0.18, CHAMBER), (0.14, KICK))
        opens = thief.now
        thief.play((0.22, GUARD))
    else:
        opens = thief.now - 0.2
        thief.play((0.2, PRY_PULL))
    bag_from, colour = 1e9, COLOURS[int(rng.integers(len(COLOURS)))]
    if enter > 1:
        thief.walk((way_in.x, sill + 0.35), inside, speed=1.7)
    else:
        thief.shift(0.4, (way_in.x, sill + 0.12), pose(REST, spine=(30, 0, 0), r_wrist=(0.0, -0.1, 0.28)), yaw=180)
        thief.play((0.25, pose(REST, spine=(44, 10, 0), l_wrist=(0.0, -0.2, 0.22), r_wrist=(0.0, -0.16, 0.26))))
    if left >= 0.8:
        thief.until(stop - back - 0.05)
        bag_from = thief.now
        thief.walk(*way_back, speed=2.7, run=True)
    paint = np.asarray(getattr(way_in.parts[2], "rgb", (110, 60, 46)), float)
    z = sill + 0.03
    shut, wide = Thing(door(way_in.x, z, paint)), Thing(door(way_in.x, z, paint, 82.0))

    def script(t: float) -> Moment:
        swing = 82 * smooth((t - opens) / 0.45)
        if swing >= 82:
            leaf = wide
        else:
            shake = sum(1.0 * max(0.0, 1 - abs(t - pull) / 0.12) for pull in pulls)
            leaf = Thing(door(way_in.x, z, paint, swing + shake), moving=True) if swing + shake > 0 else shut
        things = [leaf]
        if t >= bag_from:
            things.append(Thing(gear.in_hand(thief.skeleton(t), colour, "holdall", "l"), "bag", moving=True))
        return Moment(cast(t, [thief]), things, without=frozenset({"door"}))

    return script


def _through_window(rng: np.random.Generator, place: Place, _seconds: float, span: Span) -> Script:
    """Smashes a pane, clears it, takes a bag out of the room."""
    start, stop = span
    pane = place.fixtures["window"]
    side = 1 if pane.x < place.spot(0, 1)[0] else -1
    sill = -place.wall_z
    stand = (pane.x + side * 0.30, sill + 0.72)
    thief = arrive(
        rng,
        place,
        stand,
        start,
        side,
        role="burglar",
        look=dark_clothes(rng, mask=bool(rng.random() < 0.6)),
        z=place.far,
    )
    thief.face(180 + side * 25, 0.3)
    thief.until(start)
    thief.guilty(start, stop)
    hits = []
    out = exit_time(thief, place, -side, 2.4, True)
    for _ in range(2 if stop - start < 4 else 3):
        thief.play((0.28, RAISE), (0.18, SMASH))
        hits.append(thief.now)
        thief.play((0.22, GUARD))
    thief.wear(gear.crowbar(), -1.0, thief.now)
    thief.shift(0.25, (pane.x, sill + 0.5), REST, yaw=180)
    grab = reaching(
        reaching(pose(GUARD, spine=(38, 0, 0)), thief, "r", (pane.x + 0.15, 1.0, sill - 0.2)),
        thief,
        "l",
        (pane.x - 0.15, 1.0, sill - 0.2),
    )
    thief.play((0.35, grab))
    reached = max(stop - out - 0.9, thief.now + 0.2)
    thief.until(reached)
    thief.play((0.35, pose(GUARD, r_wrist=(0.0, -0.16, 0.2))), (0.15, REST))
    thief.carry(pose(REST, r_wrist=(0.03, -0.24, 0.10)), ARMS, 0.1)
    flee(thief, place, -side, stop, speed=2.4, z=min(sill + 1.3, place.far))
    glass = shards(rng, (pane.x, 1.45, sill + 0.08), 34, 0.5, (0.0, 1.0))
    colour = COLOURS[int(rng.integers(len(COLOURS)))]
    broken = [Thing(hole(pane, sill, (k + 1) / len(hits))) for k in range(len(hits))]

    def script(t: float) -> Moment:
        done = sum(hit <= t for hit in hits)
        things = [broken[done - 1]] if done else []
        if t >= reached:
            things.append(Thing(gear.in_hand(thief.skeleton(t), colour, "holdall"), "bag", moving=True))
        return Moment(cast(t, [thief]), things, glass.at(t - hits[0]) if done else [])

    return script
