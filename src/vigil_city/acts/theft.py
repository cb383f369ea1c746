"""Theft, shoplifting and stealing; and browsing, and leaving with what is one's own."""

import numpy as np

from vigil_city.acts.staging import Stage, ThingAt, bag_in_hand, changing, handed, on_floor
from vigil_city.bodies import gear, poses
from vigil_city.bodies.anatomy import ARMS, REST, RIGHT_ARM, Pose, mirror, pose
from vigil_city.bodies.look import Look
from vigil_city.bodies.motion import ahead
from vigil_city.bodies.player import Player, reaching
from vigil_city.places import props
from vigil_city.places.place import Point
from vigil_city.places.shapes import box, panel, placed
from vigil_city.places.vehicles import PAINTS, bicycle
from vigil_city.scene import Script, Thing

BICYCLES = {"street", "carpark", "plaza", "house"}
WHEEL_ARMS = pose(REST, spine=(9, -14, 0), r_wrist=(0.10, -0.16, 0.24), l_wrist=(-0.16, -0.16, 0.20), head=(0, 6))
BAGS = ("holdall", "backpack", "handbag")
GAP = 0.42  # metres between somebody and the bicycle that they wheel


def _rack(s: Stage, x: float, z: float, yaw: float) -> Thing:
    """A stand with goods on three boards, open towards yaw."""
    wood = np.asarray(s.pick(props.COLOURS)) * 0.4 + 90
    parts = [*box(0, 0, -0.16, (1.1, 1.5, 0.05), wood * 0.8)]
    for k, y in enumerate((0.35, 0.75, 1.15)):
        parts += box(0, y, 0.0, (1.1, 0.04, 0.34), wood)
        for i in range(7):
            tall, colour = s.between(0.14, 0.24), np.asarray(props.COLOURS[(i * 2 + k) % 7]) * 1.3
            parts.append(panel(-0.45 + 0.15 * i, y + 0.04, 0.08, 0.11, tall, colour))
    parts += box(0, 0, 0.0, (1.1, 0.30, 0.34), wood * 0.7)
    return on_floor(parts, x, z, (1.1, 0.4), yaw)


def _goods(s: Stage, side: int) -> tuple[list[Thing], Point, float]:
    """Where somebody takes goods: things to draw, the floor point before them, and the heading towards them."""
    if s.place.kind == "shop":
        x, z, yaw = s.place.fixtures["shelf"].front(0.62, s.between(-0.5, 0.5))
        return [], (x, z), yaw - side * s.between(40, 75)
    v = s.depth(0.3, 0.75)
    x, z = s.place.spot(-side * s.between(0.25, 0.45), v)
    yaw = side * s.between(55, 90)
    return [_rack(s, x, z, yaw)], ahead(x, z, yaw, 0.72), yaw + 180


def theft(s: Stage) -> Script:
    """Looks round, takes something, looks round again, hides it in pocket or jacket and walks off with it."""
    side = s.side()
    things, spot, yaw = _goods(s, side)
    thief = s.enter(spot, min(s.start - 0.6, 1.8), side, "thief").face(yaw, 0.5)
    hand = s.hand()
    for_hand, tone = handed(hand), s.pick(props.COLOURS)
    while thief.now < s.start - 0.4:  # looks at the goods, like any customer
        thief.play((min(0.5, s.start - thief.now), for_hand(pose(head=(s.between(-14, 14), 12)))))
    thief.until(s.start)
    size, first = s.between(0.045, 0.06), True
    look_l, look_r, reach, hold = poses.LOOK_L, poses.LOOK_R, for_hand(poses.REACH), for_hand(poses.HOLD)
    while first or s.stop - thief.now > 3.4:
        thief.play((0.35, look_l), (0.25, look_l), (0.4, look_r), (0.2, look_r), (0.4, reach))
        grasps_at = thief.now
        hide = for_hand(poses.POCKET if s.chance(0.6) else poses.JACKET)
        thief.play((0.12, reach), (0.35, hold), (0.3, for_hand(pose(poses.HOLD, head=(42, 6)))), (0.4, hide))
        thief.wear(gear.packet(tone, hand, size), grasps_at, thief.now + 0.1)
        thief.play((0.35, hide), (0.35, for_hand(pose(hide, head=(-35, 5)))))
        first = False
    thief.guilty(s.start, max(s.stop, thief.now)).until(s.stop - 0.3).rest(0.3)
    s.leave(thief, side, speed=s.between(1.2, 1.5))
    return s.show([thief, *s.others(side, spot)], things)


def look_and_put_back(s: Stage) -> Script:
    """An honest customer takes something, reads what is on it and puts it back, once or twice; then leaves."""
    side = s.side()
    things, spot, yaw = _goods(s, side)
    player = s.enter(spot, s.between(1.2, 2.0), side).face(yaw, 0.5)
    hand = s.hand()
    for_hand = handed(hand)
    reach, hold = for_hand(poses.REACH), for_hand(poses.HOLD)
    for _ in range(2):
        if player.now > s.seconds - 3.2:
            break
        grasps_at = player.play((s.between(0.3, 0.8), for_hand(pose(head=(10, 14)))), (0.6, reach)).now
        player.play((0.15, reach), (0.6, hold), (s.between(0.8, 1.4), hold), (0.5, reach))
        player.wear(gear.packet(s.pick(props.COLOURS), hand), grasps_at, player.now).play((0.15, reach), (0.5, REST))
    s.leave(player.wait(s.between(0.1, 0.5)), side)
    return s.show([player, *s.others(side, spot)], things)


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
    for_hand, at_shelf = handed(hand), thief.commit(s.span).heading
    away = s.exit_time(thief, side, 1.35)
    hide = for_hand(s.pick((poses.POCKET, poses.JACKET)))
    colour, into_bag = s.pick(((215, 60, 50), (60, 120, 210), (230, 200, 60), (90, 170, 80))), s.chance(0.4)
    if into_bag:
        hide = for_hand(pose(poses.POCKET, spine=(14, 14, 0), r_wrist=(-0.20, -0.22, 0.12)))
    thief.play((0.3, for_hand(poses.LOOK_L)), (0.12, for_hand(poses.LOOK_L)), (0.34, for_hand(poses.LOOK_R)))
    first = True
    while first or thief.now + 2.1 <= s.stop - away:
        grasps_at = thief.now + 0.5
        thief.play((0.45, reach), (0.1, reach))
        thief.shift(0.35, thief.position, for_hand(poses.HOLD), yaw=-side * 48.0)  # away from the shelf
        thief.play((0.22, for_hand(pose(poses.HOLD, head=(48, 4)))), (0.32, hide))
        thief.wear(gear.packet(colour, hand, 0.06), grasps_at, thief.now + 0.02)
        thief.play((0.2, hide)).shift(0.3, thief.position, REST, yaw=at_shelf)
        first = False
    s.leave(thief.until(s.stop - away), side, speed=1.35)

    def customer() -> Player:
        other, put, which = _shopper(s, -side * 0.75, "bystander", by=0.9, side=-side)
        hold = handed(which)(poses.HOLD)
        while other.now < s.seconds:
            other.play((0.5, put), (0.3, put), (0.5, hold), (0.9, hold), (0.5, put), (0.3, REST), (0.6, REST))
        return other

    players = [thief, *s.perhaps(0.7, customer)]
    tone, free_hand = s.pick(props.COLOURS), "l" if hand == "r" else "r"
    return s.show(players, [bag_in_hand(thief, tone, "handbag", free_hand)] if into_bag else [])


def browse(s: Stage) -> Script:
    """Takes goods from a shelf, reads, puts back or keeps in the hand, walks on."""
    side = s.side()
    u = side * s.between(-0.1, 0.25)
    person, reach, hand = _shopper(s, u, "bystander", by=s.between(1.5, 2.2), side=side)
    for_hand = handed(hand)
    hold, reads = for_hand(poses.HOLD), for_hand(pose(poses.HOLD, head=(6, 30)))
    tone = tuple(float(v) for v in s.rng.uniform(60, 230, 3))
    while person.now < s.seconds - 3.2:
        grasps_at = person.now + 0.6
        person.play((0.55, reach), (0.2, reach), (0.5, hold), (1.0, reads), (0.5, reach), (0.2, reach))
        person.wear(gear.packet(tone, hand, 0.06), grasps_at, person.now - 0.05).play((0.4, REST))
    return s.show([s.leave(person, side)])


def stealing(s: Stage) -> Script:
    """Takes a bag whose owner looks away, or somebody's bicycle."""
    if s.place.kind in BICYCLES and s.chance(0.45):
        return _bicycle_theft(s)
    side = s.side()
    x, z = s.room((0.0, 0.2 * side), (0.4, 0.75), need=1.1)
    kind, colour = s.pick(BAGS), s.pick(props.COLOURS)
    owner = s.person((x - side * 1.15, z + 0.25), -side * s.between(60, 100), "victim")
    s.pass_time(owner, s.stop - 0.3).toward(x, z, 0.6)
    gasps = pose(poses.LOOK_L, wrists=(0.12, -0.16, 0.16))
    owner.play((0.4, pose(poses.LOOK_R, spine=(8, 0, 0))), (0.5, gasps))
    on_bench = kind != "backpack" or s.chance()
    thief = s.enter((x + side * 1.02, z + 0.1), s.start, side, "thief", speed=1.15, avoid=[owner.position])
    thief.face(-side * 90, 0.25).commit(s.span).play((0.35, poses.LOOK_L), (0.15, poses.LOOK_L), (0.4, poses.LOOK_R))
    run = s.chance()
    thief.until(s.stop - s.exit_time(thief, side, 2.6 if run else 1.6, run) - 1.1)
    bag_at, grasps_at, things = _grasp(thief, 0.45, x, z, side, kind, on_bench)
    thief.play((0.35, pose(REST, r_wrist=(0.05, -0.29, 0.06))))
    thief.carry(pose(REST, r_wrist=(0.05, -0.28, 0.06)), RIGHT_ARM, 0.05)
    if run:
        s.flee(thief, side)
    else:
        s.leave(thief, side, speed=1.6)
    still = Thing(placed(props.bag(colour, kind), *bag_at, s.between(-20, 20)), "bag")
    bag = changing(still, (grasps_at, bag_in_hand(thief, colour, kind)))
    return s.show([thief, owner], [bag, *things])


def _grasp(
    player: Player, seconds: float, x: float, z: float, side: int, kind: str, on_bench: bool
) -> tuple[tuple[float, float, float], float, list[Thing]]:
    """Bends for a bag near (x, z): where it stood, when it is in the hand, and the bench on which it stood, if any."""
    bag_spot = x + side * (0.48 if on_bench else 0.35), 0.46 if on_bench else 0.0, z
    low = pose(poses.REACH_LOW, spine=(30 if on_bench else 50, 12, 0))
    handle = bag_spot[0], bag_spot[1] + props.HANDLE[kind], z
    grasps_at = player.play((seconds, reaching(low, player, "r", handle))).now
    return bag_spot, grasps_at, [on_floor(props.bench(), x, z, (1.5, 0.45))] if on_bench else []


class _Bicycle:
    """A bicycle that is parked to go out on `side`, until somebody on its far side wheels it away."""

    def __init__(self, s: Stage, side: int) -> None:
        self.side, self.yaw = side, 90.0 * side
        self.x, self.z = s.room((-0.3 * side, 0.0), (0.35, 0.65), need=0.9)
        self.colour = s.pick(PAINTS[:6])
        self.stand = ahead(self.x, self.z, self.yaw, -0.18, side * GAP)
        self.parked = on_floor(bicycle(self.colour), self.x, self.z, (0.3, 1.6), self.yaw)

    def hold(self, player: Player, blend: float) -> float:
        """Takes it by the bars; when."""
        arms = WHEEL_ARMS if self.side > 0 else mirror(WHEEL_ARMS)
        return player.carry(arms, (*ARMS, "spine"), blend).now

    def wheeled(self, player: Player, since: float) -> ThingAt:
        """Parked, and wheeled along by its player since a moment."""
        begin = player.state(since)

        def moves(t: float) -> Thing:
            now = player.state(t)
            spot, rolled = (
                ahead(now.x, now.z, now.yaw, 0.18, -self.side * GAP),
                np.hypot(now.x - begin.x, now.z - begin.z),
            )
            return Thing(placed(bicycle(self.colour, rolled=float(rolled)), spot[0], 0, spot[1], now.yaw), moving=True)

        return changing(self.parked, (since, moves))


def _bicycle_theft(s: Stage) -> Script:
    """Crouches at a parked bicycle, breaks its lock, wheels it away."""
    side = s.side()
    bike = _Bicycle(s, side)
    beside = s.aside(-side * 0.85, 0.95, [(bike.x, bike.z)])
    thief = s.enter(bike.stand, s.start, -side, "thief", s.clothed(), avoid=[beside]).toward(bike.x, bike.z, 0.3)
    thief.commit(s.span).play((0.3, poses.LOOK_L), (0.3, poses.LOOK_R))
    go = max(s.stop - s.exit_time(thief, side, 1.5) - 1.0, thief.now + 1.2)
    works = pose(poses.CROUCH, spine=(38, 8, 0), r_wrist=(-0.03, -0.22, 0.23))
    thief.play((0.4, poses.CROUCH)).repeat(go - 0.35, (0.16, works), (0.16, poses.CROUCH))
    thief.wear(gear.crowbar, s.start - 9, go - 0.3).play((0.35, REST)).face(bike.yaw, 0.35)
    off = bike.hold(thief, 0.3)
    s.leave(thief, side, speed=1.5)
    players = [thief, *s.perhaps(0.6, lambda: s.stander(beside, -side * 70.0))]
    return s.show(players, [bike.wheeled(thief, off)])


def take_own(s: Stage) -> Script:
    """Waits beside the own bag or bicycle, then leaves with it."""
    side = s.side()
    go = s.between(0.45, 0.65) * s.seconds
    if s.place.kind in BICYCLES and s.chance(0.4):
        bike = _Bicycle(s, side)
        owner = s.person(bike.stand, bike.yaw)
        bike.hold(owner, 0.0)
        s.leave(owner.until(go), side)
        return s.show([owner], [bike.wheeled(owner, go)])
    x, z = s.room((0.0, 0.2 * side), (0.4, 0.75), need=1.1)
    kind, colour = s.pick(BAGS), s.pick(props.COLOURS)
    owner = s.person((x + side * 1.02, z + 0.1), s.between(-40, 40))
    s.pass_time(owner, go).face(-side * 90, 0.6)
    bag_at, grasps_at, things = _grasp(owner, 0.6, x, z, side, kind, kind != "backpack")
    s.leave(owner.play((0.5, poses.CARRY_LOW)).carry(poses.CARRY_LOW, RIGHT_ARM, 0.05), side)
    still = Thing(placed(props.bag(colour, kind), *bag_at, s.between(-20, 20)), "bag")
    return s.show([owner], [changing(still, (grasps_at, bag_in_hand(owner, colour, kind))), *things])
