"""Robbery, and paying at the same counters."""

import numpy as np

from vigil_city.acts.staging import Stage, bag_in_hand, changing, on_floor
from vigil_city.bodies import gear, poses
from vigil_city.bodies.anatomy import ARMS, REST, RIGHT_ARM, pose
from vigil_city.bodies.motion import ahead, bearing
from vigil_city.bodies.player import Player
from vigil_city.places import props
from vigil_city.places.place import Point
from vigil_city.scene import Script, Thing

ONE_HAND = poses.ONE_HAND


def _counter(
    s: Stage, side: int, *, off: float, aside: float, reach: tuple[float, float]
) -> tuple[Point, float, Point, list[Thing], list[str]]:
    """Where a clerk stands and looks, where the other one stands, the counter to be drawn, the fixture it replaces.

    In a bank that is the desk itself, `off` metres from its middle and `aside` from the clerk; `reach` in a bank and
    elsewhere.
    """
    if s.place.kind == "bank":
        desk = s.place.fixtures["desk"]
        return desk.front(-desk.size[1] - 0.42, off)[:2], 0.0, desk.front(reach[0], off - side * aside)[:2], [], []
    x, z = s.place.spot(-side * 0.62, 0.55)
    yaw = side * s.between(62, 80)
    top, colour = ahead(x, z, yaw, 0.72), np.asarray(s.pick(props.COLOURS)) * 0.6 + 40
    counter = on_floor(props.counter(1.6, colour), *top, (1.6, 0.6), yaw)
    return (x, z), yaw, ahead(x, z, yaw, reach[1]), [counter], ["counter"]


def robbery(s: Stage) -> Script:
    """Points a weapon at a cashier or a passer-by, who lifts the hands, hands over a bag, and is left behind."""
    side = s.side()
    owns = s.place.kind not in {"shop", "bank", "lobby"}  # the bag is the victim's own
    if owns:
        x, z = s.room((-0.3 * side, -0.05 * side), (0.25, 0.55), need=0.9)
        stand, yaw, counter, without = (x + side * 0.95, z), side * 40.0, list[Thing](), list[str]()
    else:
        off = s.between(-0.5, 0.5) if s.place.kind == "bank" else 0.0
        (x, z), yaw, stand, counter, without = _counter(s, side, off=off, aside=0.75, reach=(0.45, 1.52))
    victim = s.person((x, z), yaw, "victim", s.clothed(coat=False))
    robber = s.enter(stand, s.start, side, "robber", s.dark_clothes(mask=s.chance(0.7)))
    robber.toward(x, z, 0.3).commit(s.span)
    robber.wear(gear.gun if s.chance(0.6) else gear.knife, robber.now + 0.15)
    robber.play((0.2, poses.POCKET), (0.25, ONE_HAND))
    flight = max(s.exit_time(robber, side, 2.7, run=True) + 0.15, 0.8)
    gives_at = min(max(s.stop - flight - 0.75, robber.now + 0.9), robber.now + 2.2)
    robber.play((gives_at - robber.now, pose(ONE_HAND, root=(0, -0.02, 0.02))))
    grabs = pose(ONE_HAND, spine=(10, 8, 0), l_wrist=(-0.05, -0.10, 0.28), l_elbow=(0.5, -1, -0.3))
    takes_at = robber.play((0.4, grabs)).now
    robber.play((0.25, pose(ONE_HAND, l_wrist=(0.03, -0.28, 0.08))))
    if owns:
        up = poses.HANDS_UP
        victim.carry(pose(r_wrist=(0.05, -0.30, 0.05)), RIGHT_ARM, 0.0)
        s.pass_time(victim, min(s.start - 0.6, 1.0)).until(s.start + 0.25).toward(*stand, 0.35)
        victim.play((0.35, pose(up, r_wrist=(0.08, -0.24, 0.12))))
    else:
        up = poses.HANDS_UP if s.chance() else poses.HANDS_HIGH
        victim.until(s.start + 0.2).play((0.35, up)).until(gives_at - 0.75)
        victim.play((0.45, pose(poses.STOOP, spine=(40, 0, 0))), (0.30, poses.CARRY))
    victim.until(gives_at).play((0.35, poses.GIVE)).until(takes_at).play((0.3, up))
    victim.until(s.stop + 0.3).play((0.6, REST))
    colour, kind = s.pick(props.COLOURS), "handbag" if owns else "holdall"
    aims_still = s.chance(0.4)
    arms = pose(ONE_HAND, l_wrist=(0.03, -0.24, 0.12)) if aims_still else pose(REST, l_wrist=(0.03, -0.22, 0.14))
    s.flee(robber.carry(arms, ARMS, 0.15), side, speed=2.7)

    def witness() -> Player:
        spot = s.aside(side * 0.45, 0.2 if s.place.kind == "bank" else 0.97, [(x, z), stand], without)
        other = s.stander(spot, bearing(*spot, x, z), s.start).until(s.start + 0.35)
        other.play((0.4, poses.DUCK if s.chance() else poses.HANDS_UP)).until(s.stop + 0.2)
        return other.play((0.5, REST))

    players = [robber, victim, *s.perhaps(0.5, witness)]
    gives, takes = bag_in_hand(victim, colour, kind), bag_in_hand(robber, colour, kind, "l")
    bag = changing(gives if owns else None, (gives_at - 0.3, gives), (takes_at, takes))
    return s.show(players, [*counter, bag], without=without)


def pay(s: Stage) -> Script:
    """A customer pays at a counter, takes the bag with the goods and goes."""
    side, give = s.side(), poses.GIVE
    behind, yaw, stand, counter, without = _counter(s, side, off=0.3, aside=0.25, reach=(0.42, 1.42))
    clerk = s.person(behind, yaw, look=s.clothed(coat=False))
    customer = s.enter(stand, s.between(1.6, 2.6), side).toward(*behind, 0.4)
    clerk.until(customer.now)
    pays_at = customer.play((0.6, poses.TEXT), (0.6, poses.TEXT)).now
    customer.play((0.5, give), (0.5, give), (0.4, REST))
    customer.wear(gear.packet((120, 190, 120), "r", 0.03), pays_at, pays_at + 0.75)
    bends = pose(poses.STOOP, spine=(36, 0, 0))
    clerk.until(pays_at + 0.2).play((0.5, give), (0.4, poses.HOLD), (0.5, poses.HOLD), (0.5, bends), (0.5, give))
    takes_at = customer.until(clerk.now - 0.35).play((0.35, give)).now + 0.1
    customer.play((0.15, give), (0.4, poses.CARRY_LOW))
    clerk.until(takes_at + 0.1).play((0.4, REST))
    s.leave(customer.carry(poses.CARRY_LOW, RIGHT_ARM, 0.1), side)
    tone = s.pick(props.COLOURS)
    gives, takes = (bag_in_hand(player, tone, "handbag") for player in (clerk, customer))
    bag = changing(None, (takes_at - 0.5, gives), (takes_at, takes))
    return s.show([customer, clerk], [*counter, bag], without=without)
