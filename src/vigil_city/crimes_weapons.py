"""Robbery and Shooting: somebody with a weapon."""

import numpy as np

from vigil_city import gear, props
from vigil_city.acting import Gear, Player, ahead, bearing, cast
from vigil_city.blocking import (  # fmt: skip
    Span,
    arrive,
    clothed,
    dark_clothes,
    exit_time,
    flee,
    panic,
    pass_time,
    side_of,
)
from vigil_city.body import ARMS, REST, pose
from vigil_city.effects import glow, muzzle_flash
from vigil_city.floor import aside, room
from vigil_city.places import Place
from vigil_city.poses import AIM, CARRY, GIVE, HANDS_UP, POCKET, STOOP
from vigil_city.postures import (  # fmt: skip
    BUCKLE,
    DUCK,
    FLOOR_BACK,
    FLOOR_FRONT,
    HANDS_HIGH,
    LIE_BACK,
    LIE_FRONT,
    ONE_HAND,
    ONE_RECOIL,
    RECOIL,
    SHOT,
)
from vigil_city.props import COLOURS
from vigil_city.scene import Effect, Moment, Script, Thing
from vigil_city.shapes import footprint

FLASH_S = 0.09  # a muzzle flash lasts for a frame


def shooting(rng: np.random.Generator, place: Place, _seconds: float, span: Span) -> Script:
    """Draws a gun and fires; one person drops, the others duck and run."""
    start, stop = span
    side = side_of(rng)
    depth = float(rng.uniform(0.25, 0.55))
    stand = aside(place, -side * float(rng.uniform(0.55, 0.72)), depth)
    x, z = aside(place, side * float(rng.uniform(0.25, 0.45)), depth - float(rng.uniform(-0.1, 0.15)), taken=[stand])
    long_gun = bool(rng.random() < 0.25)
    shooter = arrive(
        rng, place, stand, start, -side, role="shooter", look=dark_clothes(rng, mask=bool(rng.random() < 0.4))
    )
    shooter.toward(x, z, 0.3)
    shooter.until(start)
    shooter.guilty(start, stop)
    ready, kick = (AIM, RECOIL) if long_gun or rng.random() < 0.4 else (ONE_HAND, ONE_RECOIL)
    drawn = shooter.now + 0.2
    shooter.play((0.2, POCKET), (0.3, ready), (0.15, ready))
    escape = exit_time(shooter, place, -side, 2.8, run=True) + 0.25
    shots: list[float] = []
    while not shots or (len(shots) < 6 and shooter.now + 0.45 < stop - escape):
        shots.append(shooter.now)
        shooter.play((0.06, kick), (0.24, ready), (float(rng.uniform(0.1, 0.3)), ready))
    shooter.wear(gear.rifle() if long_gun else gear.gun(), drawn)
    shooter.play((0.25, pose(ready, spine=(10, 0, 0))))
    flee(shooter, place, -side, stop, speed=2.8)

    victim = Player(rng, x, z, float(rng.choice([bearing(x, z, *stand), -side * 20.0, side * 70.0])), "victim")
    pass_time(rng, victim, shots[0] + 0.04)
    away = bearing(*stand, x, z)
    if abs((away - victim.heading + 180) % 360 - 180) > 90:
        keys = (0.18, SHOT), (0.34, FLOOR_BACK), (0.34, LIE_BACK)
    else:
        keys = (0.22, BUCKLE), (0.34, FLOOR_FRONT), (0.34, LIE_FRONT)
    victim.until(shots[0] + 0.04)
    victim.tumble(*keys, to=ahead(x, z, away, 0.25), ease=0.8)
    others: list[Player] = []
    for k in range(int(rng.integers(1, 3))):
        u, v = side * (0.85, -0.1)[k], min(depth + (0.35, 0.5)[k], 1.0)
        spot = aside(place, u, v, taken=[stand, (x, z), *(one.where for one in others)])
        one = Player(rng, *spot, float(rng.uniform(-60, 60)))
        pass_time(rng, one, shots[0])
        others.append(panic(rng, one, place, shots[0] + float(rng.uniform(0.1, 0.25)), side))
    players = [shooter, victim, *others]

    def script(t: float) -> Moment:
        effects: list[Effect] = []
        firing = any(shot <= t < shot + FLASH_S for shot in shots)
        if firing:
            tip = gear.barrel(shooter.skeleton(t)) if long_gun else gear.muzzle(shooter.skeleton(t))
            effects = [muzzle_flash(tip, 0.45), glow(tip, 1.6, 0.55)]
        return Moment(cast(t, players), effects=effects, gain=1.12 if firing else 1.0)

    return script


def robbery(rng: np.random.Generator, place: Place, _seconds: float, span: Span) -> Script:
    """Points a weapon at a cashier or a passer-by, who lifts the hands, hands over a bag, and is left behind."""
    start, stop = span
    side = side_of(rng)
    counter = place.kind in {"shop", "bank", "lobby"}
    things: list[Thing] = []
    without = frozenset[str]()
    if place.kind == "bank":
        desk = place.fixtures["counter"]
        off = float(rng.uniform(-0.5, 0.5))
        x, z, _ = desk.front(-desk.size[1] - 0.42, off)
        stand = desk.front(0.45, off - side * 0.75)[:2]
        yaw = 0.0
    elif counter:
        without = frozenset({"counter"})
        x, z = place.spot(-side * 0.62, 0.55)
        yaw = side * float(rng.uniform(62, 80))
        top = ahead(x, z, yaw, 0.72)
        colour = COLOURS[int(rng.integers(len(COLOURS)))]
        things = [
            Thing(props.counter(*top, yaw, 1.6, np.asarray(colour) * 0.6 + 40), shadow=footprint(*top, 1.6, 0.6, yaw))
        ]
        stand = ahead(x, z, yaw, 1.52)
    else:
        x, z = room(rng, place, (-0.3 * side, -0.05 * side), (0.25, 0.55), need=0.9)
        stand = (x + side * 0.95, z)
        yaw = side * 40.0
    victim = Player(rng, x, z, yaw, "victim", look=clothed(rng, coat=False))
    robber = arrive(
        rng, place, stand, start, side, role="robber", look=dark_clothes(rng, mask=bool(rng.random() < 0.7))
    )
    robber.toward(x, z, 0.3)
    robber.until(start)
    robber.guilty(start, stop)
    arm: Gear = gear.gun() if rng.random() < 0.6 else gear.knife()
    robber.wear(arm, robber.now + 0.15)
    robber.play((0.2, POCKET), (0.25, ONE_HAND))
    run = max(exit_time(robber, place, side, 2.7, run=True) + 0.15, 0.8)
    hand = min(max(stop - run - 0.75, robber.now + 0.9), robber.now + 2.2)
    robber.play((hand - robber.now, pose(ONE_HAND, root=(0, -0.02, 0.02))))
    robber.play((0.4, pose(ONE_HAND, spine=(10, 8, 0), l_wrist=(-0.05, -0.10, 0.28), l_elbow=(0.5, -1, -0.3))))
    took = robber.now
    robber.play((0.25, pose(ONE_HAND, l_wrist=(0.03, -0.28, 0.08))))

    owns = not counter
    if owns:
        victim.carry(pose(r_wrist=(0.05, -0.30, 0.05)), ("r_wrist", "r_elbow"), 0.0)
        pass_time(rng, victim, min(start - 0.6, 1.0))
        victim.until(start + 0.25)
        victim.toward(*stand, 0.35)
    else:
        victim.until(start + 0.2)
    up = HANDS_UP if owns or rng.random() < 0.5 else HANDS_HIGH
    lift = pose(up, r_wrist=(0.08, -0.24, 0.12)) if owns else up
    victim.play((0.35, lift))
    if not owns:
        victim.until(hand - 0.75)
        victim.play((0.45, pose(STOOP, spine=(40, 0, 0))), (0.30, CARRY))
    victim.until(hand)
    victim.play((0.35, GIVE))
    victim.until(took)
    victim.play((0.3, up))
    victim.until(stop + 0.3)
    victim.play((0.6, REST))
    bag_colour, kind = COLOURS[int(rng.integers(len(COLOURS)))], "handbag" if owns else "holdall"
    robber.carry(
        pose(ONE_HAND, l_wrist=(0.03, -0.24, 0.12)) if rng.random() < 0.4 else pose(REST, l_wrist=(0.03, -0.22, 0.14)),
        ARMS,
        0.15,
    )
    flee(robber, place, side, stop, speed=2.7)
    watchers = []
    if rng.random() < 0.5:
        spot = aside(place, side * 0.45, 0.2 if place.kind == "bank" else 0.97, taken=[(x, z), stand], without=without)
        other = Player(rng, *spot, bearing(*spot, x, z))
        pass_time(rng, other, start)
        other.until(start + 0.35)
        other.play((0.4, DUCK if rng.random() < 0.5 else HANDS_UP))
        other.until(stop + 0.2)
        other.play((0.5, REST))
        watchers.append(other)
    appears = -1.0 if owns else hand - 0.3

    def script(t: float) -> Moment:
        shown = list(things)
        if t >= appears:
            held = (
                gear.in_hand(robber.skeleton(t), bag_colour, kind, "l")
                if t >= took
                else gear.in_hand(victim.skeleton(t), bag_colour, kind)
            )
            shown.append(Thing(held, "bag", moving=True))
        return Moment(cast(t, [robber, victim, *watchers]), shown, without=without)

    return script
