"""What looks like theft, burglary or vandalism and is none: people pay, unlock, clean, buy and browse."""

import numpy as np

from vigil_city import gear, props
from vigil_city.acting import Player, ahead, cast, reaching
from vigil_city.blocking import Span, arrive, clothed, leave, side_of
from vigil_city.body import REST, mirror, pose
from vigil_city.crimes_theft import shopper
from vigil_city.floor import clearance, obstacles, room
from vigil_city.furniture import door
from vigil_city.gait import smooth
from vigil_city.places import Place
from vigil_city.poses import GIVE, HOLD, REACH, STOOP, TEXT
from vigil_city.postures import CARRY_LOW, POUR, SPRAY_HIGH, SPRAY_LOW
from vigil_city.props import COLOURS
from vigil_city.scene import Moment, Part, Script, Thing
from vigil_city.shapes import box, footprint, rod


def pay(rng: np.random.Generator, place: Place, _seconds: float, _span: Span) -> Script:
    """A customer pays at a counter, takes the bag with the goods and goes."""
    side = side_of(rng)
    without, things = frozenset[str](), list[Thing]()
    if place.kind == "bank":
        desk = place.fixtures["counter"]
        x, z, yaw = *desk.front(-desk.size[1] - 0.42, 0.3)[:2], 0.0
        stand = desk.front(0.42, 0.3 - side * 0.25)[:2]
    else:
        without, (x, z), yaw = frozenset({"counter"}), place.spot(-side * 0.62, 0.55), side * float(rng.uniform(62, 80))
        top, colour = ahead(x, z, yaw, 0.72), np.asarray(COLOURS[int(rng.integers(len(COLOURS)))]) * 0.6 + 40
        things = [Thing(props.counter(*top, yaw, 1.6, colour), shadow=footprint(*top, 1.6, 0.6, yaw))]
        stand = ahead(x, z, yaw, 1.42)
    clerk = Player(rng, x, z, yaw, "bystander", look=clothed(rng, coat=False))
    customer = arrive(rng, place, stand, float(rng.uniform(1.6, 2.6)), side, role="bystander")
    customer.toward(x, z, 0.4)
    clerk.until(customer.now)
    customer.play((0.6, TEXT), (0.6, TEXT))
    shown = customer.now
    customer.play((0.5, GIVE), (0.5, GIVE), (0.4, REST))
    customer.wear(gear.packet((120, 190, 120), "r", 0.03), shown, shown + 0.75)
    clerk.until(shown + 0.2)
    clerk.play((0.5, GIVE), (0.4, HOLD), (0.5, HOLD), (0.5, pose(STOOP, spine=(36, 0, 0))), (0.5, GIVE))
    customer.until(clerk.now - 0.35)
    customer.play((0.35, GIVE))
    took = customer.now + 0.1
    customer.play((0.15, GIVE), (0.4, CARRY_LOW))
    clerk.until(took + 0.1)
    clerk.play((0.4, REST))
    customer.carry(CARRY_LOW, ("r_wrist", "r_elbow"), 0.1)
    leave(customer, place, side)
    tone = COLOURS[int(rng.integers(len(COLOURS)))]

    def script(t: float) -> Moment:
        shown_things = list(things)
        if t >= took - 0.5:
            who = clerk if t < took else customer
            shown_things.append(Thing(gear.in_hand(who.skeleton(t), tone, "handbag"), "bag", moving=True))
        return Moment(cast(t, [customer, clerk]), shown_things, without=without)

    return script


def come_home(rng: np.random.Generator, place: Place, _seconds: float, _span: Span) -> Script:
    """Opens a door with a key, goes in and shuts it."""
    way_in = place.fixtures["door"]
    side = 1 if way_in.x < place.spot(0, 1)[0] else -1
    sill = -place.wall_z
    person = arrive(
        rng, place, (way_in.x + 0.25, sill + 0.55), float(rng.uniform(1.8, 2.6)), side, role="bystander", z=place.far
    )
    person.face(180 + 25, 0.35)
    key = reaching(pose(REACH, spine=(14, 6, 0)), person, "r", (way_in.x + 0.33, 1.0, sill + 0.1))
    person.play((0.4, key), (0.3, key), (0.25, pose(key, spine=(14, 12, 0))), (0.3, key))
    opens = person.now
    person.play((0.5, pose(key, spine=(20, 4, 0))), (0.3, REST))
    person.walk((way_in.x, sill + 0.2), (way_in.x, sill - 0.9), speed=1.1)
    shuts = person.now + 0.1
    paint = getattr(way_in.parts[2], "rgb", np.array([110, 60, 46], np.float32))
    shut = Thing(door(way_in.x, sill + 0.03, paint))
    carries, colour = rng.random() < 0.5, COLOURS[int(rng.integers(len(COLOURS)))]

    def script(t: float) -> Moment:
        swing = 80 * smooth((t - opens) / 0.8) * (1 - smooth((t - shuts) / 0.7))
        things = [Thing(door(way_in.x, sill + 0.03, paint, swing), moving=True) if swing > 0.5 else shut]
        if carries:
            things.append(Thing(gear.in_hand(person.skeleton(t), colour, "handbag", "l"), "bag", moving=True))
        return Moment(cast(t, [person]), things, without=frozenset({"door"}))

    return script


def clean_wall(rng: np.random.Generator, place: Place, seconds: float, _span: Span) -> Script:
    """Wipes a wall with a cloth."""
    side, front = side_of(rng), -place.wall_z
    circles = obstacles(place)
    spots = [place.across(float(u), place.far) for u in rng.uniform(-0.6, 0.6, 8)]
    x = max(spots, key=lambda at: min(clearance((at - side * off, front + 0.6), circles) for off in (0.0, 0.3, 0.6)))
    person = arrive(rng, place, (x, front + 0.6), float(rng.uniform(1.6, 2.4)), side, role="bystander", z=place.far)
    person.wear(gear.cloth((225, 225, 215) if rng.random() < 0.5 else (230, 190, 70)))
    person.face(180 + side * 30, 0.4)
    while person.now < seconds - 2.2:
        for dx, y, base in (
            (-0.15, 1.6, SPRAY_HIGH),
            (0.25, 1.55, SPRAY_HIGH),
            (-0.15, 1.3, SPRAY_LOW),
            (0.25, 1.2, SPRAY_LOW),
        ):
            person.play((0.35, reaching(base, person, "r", (person.where[0] + dx, y, front + 0.08))))
        person.shift(0.5, (person.where[0] - side * 0.22, person.where[1]))
    person.play((0.4, REST))
    leave(person, place, side, z=place.far)
    return lambda t: Moment(cast(t, [person]))


def buy_drink(rng: np.random.Generator, place: Place, _seconds: float, _span: Span) -> Script:
    """Puts coins into a vending machine, bends for the can, drinks."""
    fixture = place.fixtures["machine"]
    side = 1 if fixture.x < place.spot(0, 0.6)[0] else -1
    x, z, yaw = fixture.front(0.5, 0.0)
    person = arrive(rng, place, (x + 0.1 * side, z), float(rng.uniform(1.8, 2.6)), side, role="bystander")
    person.face(yaw, 0.4)
    slot = (fixture.x, 1.15, fixture.z)
    coin = reaching(REACH, person, "r", slot)
    person.play(
        (0.5, TEXT), (0.4, TEXT), (0.4, coin), (0.2, REST), (0.3, coin), (0.4, REST), (0.7, STOOP), (0.3, STOOP)
    )
    taken = person.now
    person.play(
        (0.6, HOLD),
        (0.5, pose(HOLD, r_wrist=(-0.08, 0.02, 0.15), head=(0, -8))),
        (0.6, pose(HOLD, r_wrist=(-0.08, 0.03, 0.14), head=(0, -16))),
    )
    person.wear(gear.packet((200, 50, 45), "r", 0.034), taken)
    person.carry(HOLD, ("r_wrist", "r_elbow"), 0.4)
    leave(person, place, side)
    return lambda t: Moment(cast(t, [person]))


def browse(rng: np.random.Generator, place: Place, seconds: float, _span: Span) -> Script:
    """Takes goods from a shelf, reads, puts back or keeps in the hand, walks on."""
    side = side_of(rng)
    person, reach, hand = shopper(
        rng, place, side * float(rng.uniform(-0.1, 0.25)), "bystander", by=float(rng.uniform(1.5, 2.2)), side=side
    )
    turn = (lambda p: p) if hand == "r" else mirror
    tone = tuple(float(v) for v in rng.uniform(60, 230, 3))
    while person.now < seconds - 3.2:
        taken = person.now + 0.6
        person.play(
            (0.55, reach),
            (0.2, reach),
            (0.5, turn(HOLD)),
            (1.0, turn(pose(HOLD, head=(6, 30)))),
            (0.5, reach),
            (0.2, reach),
        )
        person.wear(gear.packet(tone, hand, 0.06), taken, person.now - 0.05)
        person.play((0.4, REST))
    leave(person, place, side)
    return lambda t: Moment(cast(t, [person]))


def water_plants(rng: np.random.Generator, place: Place, seconds: float, _span: Span) -> Script:
    """Waters a pot plant from a can."""
    side = side_of(rng)
    x, z = room(rng, place, (-0.3 * side, -0.1 * side), (0.4, 0.7), need=0.9)
    tone = ((60, 130, 80), (70, 110, 160), (150, 155, 160))[int(rng.integers(3))]
    person = arrive(rng, place, (x + side * 0.82, z + 0.1), float(rng.uniform(1.8, 2.6)), side, role="bystander")
    person.carry(CARRY_LOW, ("r_wrist", "r_elbow"), 0.0)
    person.toward(x, z, 0.4)
    begin = person.now
    person.play((0.5, POUR))
    end = seconds - 2.2
    person.repeat(end, (0.5, pose(POUR, spine=(26, -6, 0))), (0.5, POUR))
    person.until(end)
    person.carry(CARRY_LOW, ("r_wrist", "r_elbow"), 0.4)
    leave(person, place, side)
    parts: list[Part] = box(x, 0, z, (0.5, 0.45, 0.5), (150, 92, 66))
    for k in range(7):
        dx, dz = 0.3 * float(np.cos(k)), 0.2 * float(np.sin(2 * k))
        parts.append(rod((x, 0.45, z), (x + dx, 0.95 + 0.1 * (k % 3), z + dz), 0.05, (52 + 8 * (k % 3), 96, 50), 0.14))
    pot = Thing(parts, shadow=footprint(x, z, 0.6, 0.5))

    def script(t: float) -> Moment:
        figures = cast(t, [person])
        tilt = 0.75 * smooth((t - begin) / 0.4) * (1 - smooth((t - end) / 0.3))
        sk = person.skeleton(t)
        figures[0].extra.extend(gear.can(tilt, tone)(sk, person.look))
        if begin + 0.4 < t < end:
            tip = gear.spout(sk, tilt)
            fall = [
                tip + np.array([0, -0.25 * u - 0.3 * u * u, 0]) + 0.2 * u * sk.root[:, 2] for u in np.linspace(0, 1, 3)
            ]
            figures[0].extra.extend(props.line(fall, 0.012, (150, 175, 195)))
        return Moment(figures, [pot])

    return script
