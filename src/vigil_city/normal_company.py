"""What looks like violence, theft or fire and is none: people meet, help, patrol, carry their own, grill."""

import numpy as np

from vigil_city import effects, gear, props, vehicles
from vigil_city.acting import Player, ahead, bearing, cast, reaching
from vigil_city.bicycles import bicycle
from vigil_city.blocking import Span, arrive, chat, clothed, leave, officer, pass_time, side_of, way_out
from vigil_city.body import REST, mirror, pose
from vigil_city.crimes_theft import WHEEL_ARMS, WHEEL_NAMES, wheeled
from vigil_city.fire import blaze
from vigil_city.floor import aside, room
from vigil_city.places import Place
from vigil_city.poses import CROUCH, HANDSHAKE, HOLD, HUG, KNEEL, POINT, REACH, REACH_LOW, WAVE
from vigil_city.postures import CARRY_LOW, GRAB, ON_KNEES, SIT_FLOOR
from vigil_city.props import COLOURS
from vigil_city.scene import Effect, Moment, Part, Script, Thing
from vigil_city.shapes import box, footprint, rod


def greet(rng: np.random.Generator, place: Place, seconds: float, _span: Span) -> Script:
    """Two meet, shake hands or embrace, talk and part."""
    x, z = room(rng, place, (-0.2, 0.2), (0.25, 0.6))
    hug = bool(rng.random() < 0.5)
    gap = 0.23 if hug else 0.42
    meet = float(rng.uniform(1.8, 2.6))
    pair = [arrive(rng, place, (x + s * gap, z), meet, s, role="bystander", speed=1.2) for s in (-1, 1)]
    for one, s in zip(pair, (-1, 1), strict=True):
        one.face(-90.0 * s, 0.3)
        one.until(meet + 0.35)
    both = max(one.now for one in pair)
    for one in pair:
        one.until(both)
        if hug:
            one.play((0.5, HUG), (0.9, HUG), (0.5, REST))
        else:
            shake = pose(HANDSHAKE, r_wrist=(-0.06, -0.07, 0.285))
            one.play((0.4, HANDSHAKE), (0.18, shake), (0.18, HANDSHAKE), (0.18, shake), (0.2, HANDSHAKE), (0.4, REST))
    for one, s in zip(pair, (-1, 1), strict=True):
        if hug:
            one.shift(0.4, (x + s * 0.45, z))
        chat(rng, one, seconds - 2.2)
    leave(pair[0], place, -1)
    pair[1].play((0.4, WAVE), (0.3, pose(WAVE, r_wrist=(0.14, 0.25, 0.06))), (0.3, WAVE), (0.4, REST))
    return lambda t: Moment(cast(t, pair))


def help_up(rng: np.random.Generator, place: Place, seconds: float, _span: Span) -> Script:
    """Somebody sits or kneels on the floor to tie a shoe; another bends down and helps them up."""
    side = side_of(rng)
    x, z = room(rng, place, (-0.25, 0.25), (0.25, 0.6))
    first = Player(rng, x, z, side * float(rng.uniform(70, 95)), "bystander")
    sits = bool(rng.random() < 0.5)
    first.begin(SIT_FLOOR if sits else ON_KNEES)
    tie = pose(
        SIT_FLOOR if sits else KNEEL,
        spine=(40, 0, 0),
        head=(0, 20),
        l_wrist=(-0.03, -0.14, 0.22),
        r_wrist=(-0.03, -0.14, 0.22),
        r_foot=(12 if sits else 165, 0),
    )
    other = arrive(rng, place, (x + side * 0.72, z + 0.05), float(rng.uniform(2.0, 2.8)), side, role="bystander")
    other.face(-90.0 * side, 0.3)
    when = other.now
    while first.now + 1.3 < when:
        first.tumble((0.6, tie), (0.25, pose(tie, spine=(47, 3, 0))), (0.25, tie))
    first.until(when)
    low = pose(GRAB, spine=(34, 0, 0), l_wrist=(-0.02, -0.12, 0.27), r_wrist=(-0.02, -0.12, 0.27))
    other.play(
        (0.6, low),
        (0.4, low),
        (1.0, pose(GRAB, spine=(8, 0, 0), l_wrist=(-0.02, -0.05, 0.26), r_wrist=(-0.02, -0.05, 0.26))),
        (0.5, REST),
    )
    up = pose(REST, spine=(10, 0, 0), l_wrist=(0.0, -0.08, 0.26), r_wrist=(0.0, -0.08, 0.26))
    first.tumble(
        (0.6, pose(SIT_FLOOR if sits else ON_KNEES, l_wrist=(0.0, -0.02, 0.29), r_wrist=(0.0, -0.02, 0.29))),
        (0.4, SIT_FLOOR if sits else ON_KNEES),
    )
    first.tumble((0.5, pose(CROUCH, l_wrist=(0.0, -0.04, 0.28), r_wrist=(0.0, -0.04, 0.28))), (0.5, up), (0.5, REST))
    for one in (first, other):
        chat(rng, one, seconds - 1.5)
    leave(other, place, side)
    return lambda t: Moment(cast(t, [first, other]))


def take_own(rng: np.random.Generator, place: Place, seconds: float, _span: Span) -> Script:
    """Waits beside the own bag or bicycle, then leaves with it."""
    side = side_of(rng)
    go = float(rng.uniform(0.45, 0.65)) * seconds
    if place.kind in {"street", "carpark", "plaza", "house"} and rng.random() < 0.4:
        x, z = room(rng, place, (-0.3 * side, 0.0), (0.35, 0.65), need=0.9)
        yaw, tone = 90.0 * side, vehicles.PAINTS[int(rng.integers(6))]
        rider = Player(rng, *ahead(x, z, yaw, -0.18, side * 0.42), yaw, "bystander")
        rider.carry(WHEEL_ARMS if side > 0 else mirror(WHEEL_ARMS), WHEEL_NAMES, 0.0)
        rider.until(go)
        leave(rider, place, side)
        parked = Thing(bicycle(x, z, yaw, tone), "bicycle", shadow=footprint(x, z, 0.3, 1.6, yaw))
        return lambda t: Moment(cast(t, [rider]), [parked if t < go else wheeled(rider, t, -side * 0.42, tone, go)])
    x, z = room(rng, place, (0.0, 0.2 * side), (0.4, 0.75), need=1.1)
    kind, colour = ("holdall", "backpack", "handbag")[int(rng.integers(3))], COLOURS[int(rng.integers(len(COLOURS)))]
    on_bench = kind != "backpack"
    at = (x + side * (0.48 if on_bench else 0.35), 0.46 if on_bench else 0.0, z)
    owner = Player(rng, x + side * 1.02, z + 0.1, float(rng.uniform(-40, 40)), "bystander")
    pass_time(rng, owner, go)
    owner.face(-side * 90, 0.6)
    low = reaching(
        pose(REACH_LOW, spine=(30 if on_bench else 50, 12, 0)), owner, "r", (at[0], at[1] + props.HANDLE[kind], z)
    )
    owner.play((0.6, low))
    taken = owner.now
    owner.play((0.5, CARRY_LOW))
    owner.carry(CARRY_LOW, ("r_wrist", "r_elbow"), 0.05)
    leave(owner, place, side)
    still = Thing(props.bag(*at, float(rng.uniform(-20, 20)), colour, kind=kind), "bag")
    seat = [Thing(props.bench(x, z, 0.0), shadow=footprint(x, z, 1.5, 0.45))] if on_bench else []

    def script(t: float) -> Moment:
        bag = still if t < taken else Thing(gear.in_hand(owner.skeleton(t), colour, kind), "bag", moving=True)
        return Moment(cast(t, [owner]), [bag, *seat])

    return script


def patrol(rng: np.random.Generator, place: Place, seconds: float, _span: Span) -> Script:
    """Two officers walk by and speak with somebody, then go on alone."""
    side, vest = side_of(rng), bool(rng.random() < 0.5)
    x, z = room(rng, place, (-0.35 * side, 0.0), (0.25, 0.5), need=0.9)
    person = Player(rng, x, z, side * float(rng.uniform(30, 80)))
    pair = []
    for k, at in enumerate(((x + side * 0.95, z), (x + side * 1.15, z - 0.6))):
        one = arrive(rng, place, at, 2.4 + 0.2 * k, side, role="officer", look=clothed(rng, **officer(rng, vest)))
        one.wear(gear.cap())
        one.wear(gear.uniform(vest))
        one.toward(x, z, 0.4)
        pair.append(one)
    pass_time(rng, person, 2.2)
    person.toward(*pair[0].where, 0.5)
    for one in (person, *pair):
        chat(rng, one, seconds - 2.6)
    pair[0].play((0.4, POINT), (0.4, REST))
    for one in pair:
        one.walk(
            (x, z + 1.1 - 0.55 * (one is pair[1])),
            *way_out(one, place, -side, z + 1.0 - 0.75 * (one is pair[1]))[-1:],
            speed=1.3,
        )
    return lambda t: Moment(cast(t, [person, *pair]))


def photograph(rng: np.random.Generator, place: Place, seconds: float, _span: Span) -> Script:
    """Somebody takes pictures of friends, with a flash."""
    side = side_of(rng)
    depth = float(rng.uniform(0.3, 0.5))
    spot = aside(place, -side * 0.6, depth)
    x, z = aside(place, side * 0.3, depth, taken=[spot])
    shooter = Player(rng, *spot, bearing(*spot, x, z))
    aim = pose(
        l_wrist=(-0.10, 0.03, 0.22),
        r_wrist=(-0.10, 0.03, 0.22),
        l_elbow=(0.8, -1, 0),
        r_elbow=(0.8, -1, 0),
        head=(0, 2),
    )
    shooter.until(1.0)
    flashes = []
    while shooter.now < seconds - 2.0:
        shooter.play((0.6, aim), (0.5, aim))
        flashes.append(shooter.now)
        shooter.play((0.5, aim), (0.4, HOLD), (0.7, HOLD))
    shooter.wear(gear.packet((30, 30, 34), "r", 0.035))
    friends = []
    for k in range(2):
        one = Player(rng, x + side * 0.55 * k, z - 0.15 * k, bearing(x, z, *spot))
        chat(rng, one, 1.4)
        one.repeat(seconds - 2.0, (0.5, WAVE if rng.random() < 0.4 else REST), (1.2, pose(REST, spine=(0, 5, 3))))
        friends.append(one)

    def script(t: float) -> Moment:
        lit = any(flash <= t < flash + 0.09 for flash in flashes)
        painted: list[Effect] = []
        if lit:
            tip = shooter.skeleton(t).joints["r_hand"]
            painted = [effects.glow(tip, 0.8, 0.9, (255, 255, 255))]
        return Moment(cast(t, [shooter, *friends]), effects=painted, gain=1.08 if lit else 1.0)

    return script


def barbecue(rng: np.random.Generator, place: Place, seconds: float, _span: Span) -> Script:
    """Tends a grill that burns and smokes where it should."""
    side = side_of(rng)
    x, z = room(rng, place, (-0.25 * side, 0.0), (0.4, 0.65), need=1.0)
    cook = Player(rng, x + side * 0.78, z + 0.05, -side * 90.0)
    turn = pose(REACH, spine=(14, 8, 0), r_wrist=(-0.02, -0.10, 0.28))
    cook.repeat(seconds, (0.6, turn), (0.4, pose(turn, spine=(14, -4, 0))), (0.4, turn), (0.6, REST), (0.9, REST))
    cook.wear(gear.stick(0.3, 0.012, (190, 192, 196), "r", -0.1))
    guest = Player(rng, x - side * 0.9, z - 0.3, side * 70.0)
    chat(rng, guest, seconds)
    parts: list[Part] = [
        *box(x, 0.74, z, (0.62, 0.16, 0.42), (46, 46, 48)),
        *box(x, 0.90, z, (0.56, 0.01, 0.36), (90, 40, 25)),
    ]
    parts += [
        rod((x + dx, 0.02, z + dz), (x + dx, 0.75, z + dz), 0.02, (60, 60, 62))
        for dx in (-0.25, 0.25)
        for dz in (-0.15, 0.15)
    ]
    grill, seed = Thing(parts, shadow=footprint(x, z, 0.6, 0.4)), int(rng.integers(1000))

    def script(t: float) -> Moment:
        smoke = effects.smoke(
            effects.plume((x, 1.1, z), t + 3, rate=4.0, life=2.0, size=0.20, seed=seed, until=seconds + 9),
            (165, 163, 160),
            0.32,
        )
        return Moment(
            cast(t, [cook, guest]), [grill], [*blaze((x, z), 0.42, 0.34, 0.7, t, lift=0.9, near=0.1)[1:], smoke]
        )

    return script
