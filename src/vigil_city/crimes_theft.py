"""Burglary, Shoplifting and Stealing: somebody takes what is not theirs when nobody is to see it."""

import numpy as np

from vigil_city import gear, props, vehicles
from vigil_city.acting import Player, ahead, bearing, cast, reaching
from vigil_city.bicycles import bicycle
from vigil_city.blocking import Span, arrive, clothed, exit_time, flee, leave, pass_time, side_of
from vigil_city.body import ARMS, REST, Pose, mirror, pose
from vigil_city.floor import aside, room
from vigil_city.look import Look
from vigil_city.places import Place
from vigil_city.poses import CROUCH, HOLD, JACKET, LOOK_L, LOOK_R, POCKET, REACH, REACH_LOW
from vigil_city.props import COLOURS
from vigil_city.scene import Moment, Script, Thing
from vigil_city.shapes import footprint


def _shelf_hand(yaw: float) -> str:
    """The hand that is nearer to the back wall for somebody who looks to the left or to the right."""
    return "l" if np.sin(np.radians(yaw)) > 0 else "r"


def shopper(
    rng: np.random.Generator, place: Place, u: float, role: str, *, by: float, side: int, look: Look | None = None
) -> tuple[Player, Pose, str]:
    """Somebody who comes to the shelf; the pose in which their hand is at it, and that hand."""
    shelf = place.fixtures["shelf"]
    x, z = place.spot(u, 1.0)[0], shelf.z + 0.72
    player = arrive(rng, place, (x, z), by, side, role=role, look=look)
    yaw = -side * float(rng.uniform(92, 114))
    player.face(yaw, 0.4)
    hand = _shelf_hand(yaw)
    ready = REACH if hand == "r" else mirror(REACH)
    goods = (x - side * 0.12, float(rng.uniform(0.95, 1.35)), shelf.z + 0.22)
    return player, reaching(ready, player, hand, goods), hand


def shoplifting(rng: np.random.Generator, place: Place, seconds: float, span: Span) -> Script:
    """Looks round, takes goods from the shelf, hides them in jacket, pocket or bag, and leaves."""
    start, stop = span
    side = side_of(rng)
    look = clothed(rng, coat=bool(rng.random() < 0.6), long_sleeves=True)
    thief, reach, hand = shopper(
        rng, place, side * float(rng.uniform(-0.1, 0.25)), "thief", by=start - 0.3, side=side, look=look
    )
    turn = (lambda p: p) if hand == "r" else mirror
    thief.until(start)
    thief.guilty(start, stop)
    away = exit_time(thief, place, side, 1.35)
    hide = turn((POCKET, JACKET)[int(rng.integers(2))])
    colour = ((215, 60, 50), (60, 120, 210), (230, 200, 60), (90, 170, 80))[int(rng.integers(4))]
    into_bag = bool(rng.random() < 0.4)
    if into_bag:
        hide = turn(pose(POCKET, spine=(14, 14, 0), r_wrist=(-0.20, -0.22, 0.12)))
    first, at_shelf = True, thief.heading
    while first or thief.now + 2.1 <= stop - away:
        if first:
            thief.play((0.3, turn(LOOK_L)), (0.12, turn(LOOK_L)), (0.34, turn(LOOK_R)))
        taken = thief.now + 0.5
        thief.play((0.45, reach), (0.1, reach))
        thief.shift(0.35, thief.where, turn(HOLD), yaw=-side * 48.0)  # away from the shelf
        thief.play((0.22, turn(pose(HOLD, head=(48, 4)))), (0.32, hide))
        thief.wear(gear.packet(colour, hand, 0.06), taken, thief.now + 0.02)
        thief.play((0.2, hide))
        thief.shift(0.3, thief.where, REST, yaw=at_shelf)
        first = False
    thief.until(stop - away)
    leave(thief, place, side, speed=1.35)
    players = [thief]
    if rng.random() < 0.7:
        other, put, which = shopper(rng, place, -side * 0.75, "bystander", by=0.9, side=-side)
        face = (lambda p: p) if which == "r" else mirror
        while other.now < seconds:
            other.play(
                (0.5, put), (0.3, put), (0.5, face(HOLD)), (0.9, face(HOLD)), (0.5, put), (0.3, REST), (0.6, REST)
            )
        players.append(other)
    bag = COLOURS[int(rng.integers(len(COLOURS)))]
    other_hand = "l" if hand == "r" else "r"

    def script(t: float) -> Moment:
        things = (
            [Thing(gear.in_hand(thief.skeleton(t), bag, "handbag", other_hand), "bag", moving=True)] if into_bag else []
        )
        return Moment(cast(t, players), things)

    return script


def stealing(rng: np.random.Generator, place: Place, seconds: float, span: Span) -> Script:
    """Takes a bag whose owner looks away, or somebody's bicycle."""
    if place.kind in {"street", "carpark", "plaza", "house"} and rng.random() < 0.45:
        return _bicycle_theft(rng, place, seconds, span)
    start, stop = span
    side = side_of(rng)
    x, z = room(rng, place, (0.0, 0.2 * side), (0.4, 0.75), need=1.1)
    kind = ("holdall", "backpack", "handbag")[int(rng.integers(3))]
    colour = COLOURS[int(rng.integers(len(COLOURS)))]
    owner = Player(rng, x - side * 1.15, z + 0.25, -side * float(rng.uniform(60, 100)), "victim")
    pass_time(rng, owner, stop - 0.3)
    owner.toward(x, z, 0.6)
    owner.play(
        (0.4, pose(LOOK_R, spine=(8, 0, 0))),
        (0.5, pose(LOOK_L, l_wrist=(0.12, -0.16, 0.16), r_wrist=(0.12, -0.16, 0.16))),
    )
    on_bench = kind != "backpack" or rng.random() < 0.5
    place_of_bag = (x + side * (0.48 if on_bench else 0.35), 0.46 if on_bench else 0.0, z)
    thief = arrive(rng, place, (x + side * 1.02, z + 0.1), start, side, role="thief", speed=1.15, avoid=[owner.where])
    thief.face(-side * 90, 0.25)
    thief.until(start)
    thief.guilty(start, stop)
    thief.play((0.35, LOOK_L), (0.15, LOOK_L), (0.4, LOOK_R))
    run = bool(rng.random() < 0.5)
    out = exit_time(thief, place, side, 2.6 if run else 1.6, run)
    wait = stop - out - 1.1
    if thief.now < wait:
        thief.until(wait)
    handle = place_of_bag[1] + props.HANDLE[kind]
    low = reaching(pose(REACH_LOW, spine=(30 if on_bench else 50, 12, 0)), thief, "r", (place_of_bag[0], handle, z))
    thief.play((0.45, low))
    taken = thief.now
    thief.play((0.35, pose(REST, r_wrist=(0.05, -0.29, 0.06))))
    thief.carry(pose(REST, r_wrist=(0.05, -0.28, 0.06)), ("r_wrist", "r_elbow"), 0.05)
    if run:
        flee(thief, place, side, stop)
    else:
        leave(thief, place, side, speed=1.6)
    seat = Thing(props.bench(x, z, 0.0), shadow=footprint(x, z, 1.5, 0.45)) if on_bench else None
    still = Thing(props.bag(*place_of_bag, float(rng.uniform(-20, 20)), colour, kind=kind), "bag")

    def script(t: float) -> Moment:
        bag = still if t < taken else Thing(gear.in_hand(thief.skeleton(t), colour, kind), "bag", moving=True)
        return Moment(cast(t, [thief, owner]), [bag, seat] if seat else [bag])

    return script


def wheeled(player: Player, t: float, left: float, colour: tuple[int, int, int], since: float) -> Thing:
    """A bicycle that its player has wheeled along, `left` metres to the left, since a moment."""
    s = player.state(t)
    x, z = ahead(s.x, s.z, s.yaw, 0.18, left)
    begin = player.state(since)
    rolled = float(np.hypot(s.x - begin.x, s.z - begin.z))
    return Thing(bicycle(x, z, s.yaw, colour, rolled=rolled), "bicycle", moving=True)


WHEEL_ARMS = pose(REST, spine=(9, -14, 0), r_wrist=(0.10, -0.16, 0.24), l_wrist=(-0.16, -0.16, 0.20), head=(0, 6))
WHEEL_NAMES = (*ARMS, "spine")


def _bicycle_theft(rng: np.random.Generator, place: Place, seconds: float, span: Span) -> Script:
    """Crouches at a parked bicycle, breaks its lock, wheels it away."""
    start, stop = span
    side = side_of(rng)
    x, z = room(rng, place, (-0.3 * side, 0.0), (0.35, 0.65), need=0.9)
    colour = vehicles.PAINTS[int(rng.integers(6))]
    yaw = 90.0 * side  # the way it will go: out on `side`
    gap = 0.42
    stand = ahead(x, z, yaw, -0.18, side * gap)  # on the far side of it
    beside = aside(place, -side * 0.85, 0.95, taken=[(x, z)])
    thief = arrive(rng, place, stand, start, -side, role="thief", look=clothed(rng), avoid=[beside])
    thief.face(bearing(*stand, x, z), 0.3)
    thief.until(start)
    thief.guilty(start, stop)
    thief.play((0.3, LOOK_L), (0.3, LOOK_R))
    go = max(stop - exit_time(thief, place, side, 1.5) - 1.0, thief.now + 1.2)
    thief.play((0.4, CROUCH))
    thief.repeat(go - 0.35, (0.16, pose(CROUCH, spine=(38, 8, 0), r_wrist=(-0.03, -0.22, 0.23))), (0.16, CROUCH))
    thief.until(go - 0.35)
    thief.wear(gear.crowbar(), start - 9, go - 0.3)
    thief.play((0.35, REST))
    thief.face(yaw, 0.35)
    thief.carry(WHEEL_ARMS if side > 0 else mirror(WHEEL_ARMS), WHEEL_NAMES, 0.3)
    off = thief.now
    leave(thief, place, side, speed=1.5)
    parked = Thing(bicycle(x, z, yaw, colour), "bicycle", shadow=footprint(x, z, 0.3, 1.6, yaw))
    players = [thief]
    if rng.random() < 0.6:
        other = Player(rng, *beside, -side * 70.0)
        pass_time(rng, other, seconds)
        players.append(other)

    def script(t: float) -> Moment:
        return Moment(cast(t, players), [parked if t < off else wheeled(thief, t, -side * gap, colour, off)])

    return script
