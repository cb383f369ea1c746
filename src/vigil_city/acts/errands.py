"""What looks like vandalism or arson and is none: people clean, buy a drink, water plants."""

import numpy as np

from vigil_city.acts.staging import Stage
from vigil_city.bodies import gear, poses
from vigil_city.bodies.anatomy import REST, pose
from vigil_city.bodies.gait import smooth
from vigil_city.bodies.player import cast, reaching
from vigil_city.places import props
from vigil_city.places.floor import clearance, obstacles
from vigil_city.places.shapes import box, footprint, rod
from vigil_city.scene import Moment, Script, Thing

RIGHT = ("r_wrist", "r_elbow")
WIPES = ((-0.15, 1.6), (0.25, 1.55), (-0.15, 1.3), (0.25, 1.2))  # across from the cleaner, up the wall; metres


def clean_wall(s: Stage) -> Script:
    """Wipes a wall with a cloth."""
    side, front, far = s.side(), -s.place.wall_z, s.place.far
    circles = obstacles(s.place)
    spots = [s.place.across(float(u), far) for u in s.rng.uniform(-0.6, 0.6, 8)]
    x = max(spots, key=lambda at: min(clearance((at - side * off, front + 0.6), circles) for off in (0.0, 0.3, 0.6)))
    person = s.enter((x, front + 0.6), s.between(1.6, 2.4), side, z=far)
    person.wear(gear.cloth((225, 225, 215) if s.chance() else (230, 190, 70))).face(180 + side * 30, 0.4)
    while person.now < s.seconds - 2.2:
        for dx, y in WIPES:
            base = poses.SPRAY_HIGH if y > 1.4 else poses.SPRAY_LOW
            person.play((0.35, reaching(base, person, "r", (person.where[0] + dx, y, front + 0.08))))
        person.shift(0.5, (person.where[0] - side * 0.22, person.where[1]))
    s.leave(person.play((0.4, REST)), side, z=far)
    return s.show([person])


def buy_drink(s: Stage) -> Script:
    """Puts coins into a vending machine, bends for the can, drinks."""
    machine = s.place.fixtures["machine"]
    side = 1 if machine.x < s.place.spot(0, 0.6)[0] else -1
    x, z, yaw = machine.front(0.5, 0.0)
    person = s.enter((x + 0.1 * side, z), s.between(1.8, 2.6), side).face(yaw, 0.4)
    coin, text = reaching(poses.REACH, person, "r", (machine.x, 1.15, machine.z)), poses.TEXT
    stoop, hold = poses.STOOP, poses.HOLD
    pays = (0.5, text), (0.4, text), (0.4, coin), (0.2, REST), (0.3, coin), (0.4, REST)
    grasps_at = person.play(*pays, (0.7, stoop), (0.3, stoop)).now
    lifts = pose(hold, r_wrist=(-0.08, 0.02, 0.15), head=(0, -8))
    drinks = pose(hold, r_wrist=(-0.08, 0.03, 0.14), head=(0, -16))
    person.play((0.6, hold), (0.5, lifts), (0.6, drinks)).wear(gear.packet((200, 50, 45), "r", 0.034), grasps_at)
    s.leave(person.carry(hold, RIGHT, 0.4), side)
    return s.show([person])


def water_plants(s: Stage) -> Script:
    """Waters a pot plant from a can."""
    side = s.side()
    x, z = s.room((-0.3 * side, -0.1 * side), (0.4, 0.7), need=0.9)
    tone = s.pick(((60, 130, 80), (70, 110, 160), (150, 155, 160)))
    person = s.enter((x + side * 0.82, z + 0.1), s.between(1.8, 2.6), side)
    begin = person.carry(poses.CARRY_LOW, RIGHT, 0.0).toward(x, z, 0.4).now
    end = s.seconds - 2.2
    person.play((0.5, poses.POUR)).repeat(end, (0.5, pose(poses.POUR, spine=(26, -6, 0))), (0.5, poses.POUR))
    s.leave(person.carry(poses.CARRY_LOW, RIGHT, 0.4), side)
    parts = box(x, 0, z, (0.5, 0.45, 0.5), (150, 92, 66))
    for k in range(7):
        dx, dz = 0.3 * float(np.cos(k)), 0.2 * float(np.sin(2 * k))
        parts.append(rod((x, 0.45, z), (x + dx, 0.95 + 0.1 * (k % 3), z + dz), 0.05, (52 + 8 * (k % 3), 96, 50), 0.14))
    pot = Thing(parts, shadow=footprint(x, z, 0.6, 0.5))

    def script(t: float) -> Moment:
        figures = cast(t, [person])
        tilt = 0.75 * smooth((t - begin) / 0.4) * (1 - smooth((t - end) / 0.3))
        body = person.skeleton(t)
        figures[0].extra.extend(gear.can(body, tilt, tone))
        if begin + 0.4 < t < end:
            tip = gear.spout(body, tilt)
            fall = [
                tip + np.array([0, -0.25 * u - 0.3 * u * u, 0]) + 0.2 * u * body.root[:, 2]
                for u in np.linspace(0, 1, 3)
            ]
            figures[0].extra.extend(props.line(fall, 0.012, (150, 175, 195)))
        return Moment(figures, [pot])

    return script
