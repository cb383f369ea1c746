"""Shoplifting and stealing; and browsing, and leaving with what is one's own."""

import numpy as np

from vigil_city.acts.staging import Stage, bag_in_hand, handed
from vigil_city.bodies import gear, poses
from vigil_city.bodies.anatomy import ARMS, REST, Pose, mirror, pose
from vigil_city.bodies.look import Look
from vigil_city.bodies.motion import ahead, bearing
from vigil_city.bodies.player import Player, reaching
from vigil_city.places import props
from vigil_city.places.props import COLOURS
from vigil_city.places.shapes import footprint
from vigil_city.places.vehicles import PAINTS, bicycle
from vigil_city.scene import Script, Thing

BICYCLES = {"street", "carpark", "plaza", "house"}
RIGHT = ("r_wrist", "r_elbow")
WHEEL_ARMS = pose(REST, spine=(9, -14, 0), r_wrist=(0.10, -0.16, 0.24), l_wrist=(-0.16, -0.16, 0.20), head=(0, 6))
BAGS = ("holdall", "backpack", "handbag")
GAP = 0.42  # metres between somebody and the bicycle that they wheel


def _shopper(
    s: Stage, u: float, role: str, *, by: float, side: int, look: Look | None = None
) -> tuple[Player, Pose, str]:
    """Somebody who comes to the shelf; the pose in which their hand is at it, and that hand."""
    shelf = s.place.fixtures["shelf"]
    x, z = s.place.spot(u, 1.0)[0], shelf.z + 0.72
    player = s.enter((x, z), by, side, role, look)
    yaw = -side * s.between(92, 114)
    player.face(yaw, 0.4)
    hand = "l" if np.sin(np.radians(yaw)) > 0 else "r"  # the one that is nearer to the wall
    goods = (x - side * 0.12, s.between(0.95, 1.35), shelf.z + 0.22)
    return player, reaching(handed(hand)(poses.REACH), player, hand, goods), hand


def shoplifting(s: Stage) -> Script:
    """Looks round, takes goods from the shelf, hides them in jacket, pocket or bag, and leaves."""
    side = s.side()
    look = s.clothed(coat=s.chance(0.6), long_sleeves=True)
    u = side * s.between(-0.1, 0.25)
    thief, reach, hand = _shopper(s, u, "thief", by=s.start - 0.3, side=side, look=look)
    m = handed(hand)
    thief.commit(s.span)
    away = s.exit_time(thief, side, 1.35)
    hide = m(s.pick((poses.POCKET, poses.JACKET)))
    colour = s.pick(((215, 60, 50), (60, 120, 210), (230, 200, 60), (90, 170, 80)))
    into_bag = s.chance(0.4)
    if into_bag:
        hide = m(pose(poses.POCKET, spine=(14, 14, 0), r_wrist=(-0.20, -0.22, 0.12)))
    first, at_shelf = True, thief.heading
    while first or thief.now + 2.1 <= s.stop - away:
        if first:
            thief.play((0.3, m(poses.LOOK_L)), (0.12, m(poses.LOOK_L)), (0.34, m(poses.LOOK_R)))
        grasps_at = thief.now + 0.5
        thief.play((0.45, reach), (0.1, reach))
        thief.shift(0.35, thief.where, m(poses.HOLD), yaw=-side * 48.0)  # away from the shelf
        thief.play((0.22, m(pose(poses.HOLD, head=(48, 4)))), (0.32, hide))
        thief.wear(gear.packet(colour, hand, 0.06), grasps_at, thief.now + 0.02)
        thief.play((0.2, hide)).shift(0.3, thief.where, REST, yaw=at_shelf)
        first = False
    s.leave(thief.until(s.stop - away), side, speed=1.35)
    players = [thief]
    if s.chance(0.7):
        other, put, which = _shopper(s, -side * 0.75, "bystander", by=0.9, side=-side)
        hold = handed(which)(poses.HOLD)
        while other.now < s.seconds:
            other.play((0.5, put), (0.3, put), (0.5, hold), (0.9, hold), (0.5, put), (0.3, REST), (0.6, REST))
        players.append(other)
    tone, free_hand = s.pick(COLOURS), "l" if hand == "r" else "r"
    return s.show(players, lambda t: [bag_in_hand(thief, t, tone, "handbag", free_hand)] if into_bag else [])


def browse(s: Stage) -> Script:
    """Takes goods from a shelf, reads, puts back or keeps in the hand, walks on."""
    side = s.side()
    u = side * s.between(-0.1, 0.25)
    person, reach, hand = _shopper(s, u, "bystander", by=s.between(1.5, 2.2), side=side)
    m = handed(hand)
    hold, reads = m(poses.HOLD), m(pose(poses.HOLD, head=(6, 30)))
    tone = tuple(float(v) for v in s.rng.uniform(60, 230, 3))
    while person.now < s.seconds - 3.2:
        grasps_at = person.now + 0.6
        person.play((0.55, reach), (0.2, reach), (0.5, hold), (1.0, reads), (0.5, reach), (0.2, reach))
        person.wear(gear.packet(tone, hand, 0.06), grasps_at, person.now - 0.05).play((0.4, REST))
    s.leave(person, side)
    return s.show([person])


def stealing(s: Stage) -> Script:
    """Takes a bag whose owner looks away, or somebody's bicycle."""
    if s.place.kind in BICYCLES and s.chance(0.45):
        return _bicycle_theft(s)
    side = s.side()
    x, z = s.room((0.0, 0.2 * side), (0.4, 0.75), need=1.1)
    kind, colour = s.pick(BAGS), s.pick(COLOURS)
    owner = s.person((x - side * 1.15, z + 0.25), -side * s.between(60, 100), "victim")
    s.pass_time(owner, s.stop - 0.3).toward(x, z, 0.6)
    gasps = pose(poses.LOOK_L, wrists=(0.12, -0.16, 0.16))
    owner.play((0.4, pose(poses.LOOK_R, spine=(8, 0, 0))), (0.5, gasps))
    on_bench = kind != "backpack" or s.chance()
    bag_at, low, things = _bag_spot(x, z, side, on_bench)
    thief = s.enter((x + side * 1.02, z + 0.1), s.start, side, "thief", speed=1.15, avoid=[owner.where])
    thief.face(-side * 90, 0.25).commit(s.span).play((0.35, poses.LOOK_L), (0.15, poses.LOOK_L), (0.4, poses.LOOK_R))
    run = s.chance()
    thief.until(s.stop - s.exit_time(thief, side, 2.6 if run else 1.6, run) - 1.1)
    handle = bag_at[0], bag_at[1] + props.HANDLE[kind], z
    grasps_at = thief.play((0.45, reaching(low, thief, "r", handle))).now
    thief.play((0.35, pose(REST, r_wrist=(0.05, -0.29, 0.06))))
    thief.carry(pose(REST, r_wrist=(0.05, -0.28, 0.06)), RIGHT, 0.05)
    if run:
        s.flee(thief, side)
    else:
        s.leave(thief, side, speed=1.6)
    still = Thing(props.bag(*bag_at, s.between(-20, 20), colour, kind=kind), "bag")
    return s.show([thief, owner], lambda t: [still if t < grasps_at else bag_in_hand(thief, t, colour, kind), *things])


def _bag_spot(x: float, z: float, side: int, on_bench: bool) -> tuple[tuple[float, float, float], Pose, list[Thing]]:
    """Where a bag stands, how one bends for it, and the bench on which it stands, if any."""
    at = (x + side * (0.48 if on_bench else 0.35), 0.46 if on_bench else 0.0, z)
    bench = [Thing(props.bench(x, z, 0.0), shadow=footprint(x, z, 1.5, 0.45))] if on_bench else []
    return at, pose(poses.REACH_LOW, spine=(30 if on_bench else 50, 12, 0)), bench


def _bicycle_theft(s: Stage) -> Script:
    """Crouches at a parked bicycle, breaks its lock, wheels it away."""
    side = s.side()
    x, z = s.room((-0.3 * side, 0.0), (0.35, 0.65), need=0.9)
    colour, yaw = s.pick(PAINTS[:6]), 90.0 * side  # the way it will go: out on `side`
    stand = ahead(x, z, yaw, -0.18, side * GAP)  # on the far side of it
    beside = s.aside(-side * 0.85, 0.95, [(x, z)])
    thief = s.enter(stand, s.start, -side, "thief", s.clothed(), avoid=[beside])
    thief.face(bearing(*stand, x, z), 0.3).commit(s.span).play((0.3, poses.LOOK_L), (0.3, poses.LOOK_R))
    go = max(s.stop - s.exit_time(thief, side, 1.5) - 1.0, thief.now + 1.2)
    works = pose(poses.CROUCH, spine=(38, 8, 0), r_wrist=(-0.03, -0.22, 0.23))
    thief.play((0.4, poses.CROUCH)).repeat(go - 0.35, (0.16, works), (0.16, poses.CROUCH))
    thief.wear(gear.crowbar, s.start - 9, go - 0.3).play((0.35, REST)).face(yaw, 0.35)
    off = _hold_bicycle(thief, side, 0.3).now
    s.leave(thief, side, speed=1.5)
    players = [thief]
    if s.chance(0.6):
        players.append(s.pass_time(s.person(beside, -side * 70.0), s.seconds))
    parked = Thing(bicycle(x, z, yaw, colour), "bicycle", shadow=footprint(x, z, 0.3, 1.6, yaw))
    return s.show(players, lambda t: [parked if t < off else _wheeled(thief, t, -side * GAP, colour, off)])


def _hold_bicycle(player: Player, side: int, blend: float) -> Player:
    return player.carry(WHEEL_ARMS if side > 0 else mirror(WHEEL_ARMS), (*ARMS, "spine"), blend)


def _wheeled(player: Player, t: float, left: float, colour: tuple[int, int, int], since: float) -> Thing:
    """A bicycle that its player has wheeled along, `left` metres to the left, since a moment."""
    now, begin = player.state(t), player.state(since)
    x, z = ahead(now.x, now.z, now.yaw, 0.18, left)
    rolled = float(np.hypot(now.x - begin.x, now.z - begin.z))
    return Thing(bicycle(x, z, now.yaw, colour, rolled=rolled), "bicycle", moving=True)


def take_own(s: Stage) -> Script:
    """Waits beside the own bag or bicycle, then leaves with it."""
    side = s.side()
    go = s.between(0.45, 0.65) * s.seconds
    if s.place.kind in BICYCLES and s.chance(0.4):
        x, z = s.room((-0.3 * side, 0.0), (0.35, 0.65), need=0.9)
        yaw, tone = 90.0 * side, s.pick(PAINTS[:6])
        rider = s.person(ahead(x, z, yaw, -0.18, side * GAP), yaw)
        s.leave(_hold_bicycle(rider, side, 0.0).until(go), side)
        parked = Thing(bicycle(x, z, yaw, tone), "bicycle", shadow=footprint(x, z, 0.3, 1.6, yaw))
        return s.show([rider], lambda t: [parked if t < go else _wheeled(rider, t, -side * GAP, tone, go)])
    x, z = s.room((0.0, 0.2 * side), (0.4, 0.75), need=1.1)
    kind, colour = s.pick(BAGS), s.pick(COLOURS)
    bag_at, low, things = _bag_spot(x, z, side, kind != "backpack")
    owner = s.person((x + side * 1.02, z + 0.1), s.between(-40, 40))
    s.pass_time(owner, go).face(-side * 90, 0.6)
    handle = bag_at[0], bag_at[1] + props.HANDLE[kind], z
    grasps_at = owner.play((0.6, reaching(low, owner, "r", handle))).now
    s.leave(owner.play((0.5, poses.CARRY_LOW)).carry(poses.CARRY_LOW, RIGHT, 0.05), side)
    still = Thing(props.bag(*bag_at, s.between(-20, 20), colour, kind=kind), "bag")
    return s.show([owner], lambda t: [still if t < grasps_at else bag_in_hand(owner, t, colour, kind), *things])
