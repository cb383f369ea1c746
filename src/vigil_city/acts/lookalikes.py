"""What looks like violence, vandalism or arson and is none: people meet, help, patrol, clean, drink, water plants."""

import numpy as np

from vigil_city.acts.staging import Stage, flashing, on_floor
from vigil_city.bodies import gear, poses
from vigil_city.bodies.anatomy import REST, RIGHT_ARM, pose
from vigil_city.bodies.motion import bearing, smooth
from vigil_city.bodies.player import reaching
from vigil_city.lens.effects import glow
from vigil_city.places.place import clearance
from vigil_city.places.shapes import box, rod
from vigil_city.scene import Effect, Script

WIPES = ((-0.15, 1.6), (0.25, 1.55), (-0.15, 1.3), (0.25, 1.2))  # across from the cleaner, up the wall; metres


def greet(s: Stage) -> Script:
    """Two meet, shake hands or embrace, talk and part."""
    x, z = s.room((-0.2, 0.2), (0.25, 0.6))
    hug = s.chance()
    gap, meet = 0.23 if hug else 0.42, s.between(1.8, 2.6)
    pair = [s.enter((x + side * gap, z), meet, side, speed=1.2) for side in (-1, 1)]
    for player, side in zip(pair, (-1, 1), strict=True):
        player.face(-90.0 * side, 0.3).until(meet + 0.35)
    both = max(player.now for player in pair)
    hand, shake = poses.HANDSHAKE, pose(poses.HANDSHAKE, r_wrist=(-0.06, -0.07, 0.285))
    shakes = (0.4, hand), (0.18, shake), (0.18, hand), (0.18, shake), (0.2, hand), (0.4, REST)
    for player, side in zip(pair, (-1, 1), strict=True):
        player.until(both).play(*((0.5, poses.HUG), (0.9, poses.HUG), (0.5, REST)) if hug else shakes)
        if hug:
            player.shift(0.4, (x + side * 0.45, z))
        s.chat(player, s.seconds - 2.2)
    s.leave(pair[0], -1)
    wave = poses.WAVE
    pair[1].play((0.4, wave), (0.3, pose(wave, r_wrist=(0.14, 0.25, 0.06))), (0.3, wave), (0.4, REST))
    return s.show(pair)


def help_up(s: Stage) -> Script:
    """Somebody sits or kneels on the floor to tie a shoe; another bends down and helps them up."""
    side = s.side()
    x, z = s.room((-0.25, 0.25), (0.25, 0.6))
    first, sits = s.person((x, z), side * s.between(70, 95)), s.chance()
    low = poses.SIT_FLOOR if sits else poses.ON_KNEES
    ties = pose(low if sits else poses.KNEEL, spine=(40, 0, 0), head=(0, 20), wrists=(-0.03, -0.14, 0.22))
    ties = pose(ties, r_foot=(12 if sits else 165, 0))
    other = s.enter((x + side * 0.72, z + 0.05), s.between(2.0, 2.8), side).face(-90.0 * side, 0.3)
    when = other.now
    first.begin(low)
    while first.now + 1.3 < when:
        first.tumble((0.6, ties), (0.25, pose(ties, spine=(47, 3, 0))), (0.25, ties))
    bends = pose(poses.GRAB, spine=(34, 0, 0), wrists=(-0.02, -0.12, 0.27))
    pulls = pose(poses.GRAB, spine=(8, 0, 0), wrists=(-0.02, -0.05, 0.26))
    other.play((0.6, bends), (0.4, bends), (1.0, pulls), (0.5, REST))
    first.until(when).tumble((0.6, pose(low, wrists=(0.0, -0.02, 0.29))), (0.4, low))
    up = pose(REST, spine=(10, 0, 0), wrists=(0.0, -0.08, 0.26))
    first.tumble((0.5, pose(poses.CROUCH, wrists=(0.0, -0.04, 0.28))), (0.5, up), (0.5, REST))
    for player in (first, other):
        s.chat(player, s.seconds - 1.5)
    s.leave(other, side)
    return s.show([first, other])


def patrol(s: Stage) -> Script:
    """Two officers walk by and speak with somebody, then go on alone."""
    side, vest = s.side(), s.chance()
    x, z = s.room((-0.35 * side, 0.0), (0.25, 0.5), need=0.9)
    person = s.person((x, z), side * s.between(30, 80))
    spots = (x + side * 0.95, z), (x + side * 1.15, z - 0.6)
    pair = [s.officer(spot, 2.4 + 0.2 * k, side, vest).toward(x, z, 0.4) for k, spot in enumerate(spots)]
    s.pass_time(person, 2.2).toward(*pair[0].position, 0.5)
    for player in (person, *pair):
        s.chat(player, s.seconds - 2.6)
    pair[0].play((0.4, poses.POINT), (0.4, REST))
    for k, officer in enumerate(pair):
        officer.walk((x, z + 1.1 - 0.55 * k), s.way_out(officer, -side, z + 1.0 - 0.75 * k)[-1], speed=1.3)
    return s.show([person, *pair])


def photograph(s: Stage) -> Script:
    """Somebody takes pictures of friends, with a flash."""
    side, depth = s.side(), s.between(0.3, 0.5)
    spot = s.aside(-side * 0.6, depth)
    x, z = s.aside(side * 0.3, depth, [spot])
    photographer = s.person(spot, bearing(*spot, x, z)).until(1.0)
    aim = pose(wrists=(-0.10, 0.03, 0.22), elbows=(0.8, -1, 0), head=(0, 2))
    flashes: list[float] = []
    while photographer.now < s.seconds - 2.0:
        flashes.append(photographer.play((0.6, aim), (0.5, aim)).now)
        photographer.play((0.5, aim), (0.4, poses.HOLD), (0.7, poses.HOLD))
    photographer.wear(gear.packet((30, 30, 34), "r", 0.035))
    friends, stands = [], pose(REST, spine=(0, 5, 3))
    for k in range(2):
        friend = s.chat(s.person((x + side * 0.55 * k, z - 0.15 * k), bearing(x, z, *spot)), 1.4)
        friends.append(friend.repeat(s.seconds - 2.0, (0.5, poses.WAVE if s.chance(0.4) else REST), (1.2, stands)))

    lit = flashing(flashes)

    def shine(t: float) -> list[Effect]:
        return [glow(photographer.skeleton(t).joints["r_hand"], 0.8, 0.9, (255, 255, 255))] if lit(t) else []

    return s.show([photographer, *friends], effects=[shine], gain=lambda t: 1.08 if lit(t) else 1.0)


def clean_wall(s: Stage) -> Script:
    """Wipes a wall with a cloth."""
    side, front, far = s.side(), -s.place.wall_z, s.place.far
    circles = s.place.obstacles()
    spots = [s.place.across(float(u), far) for u in s.rng.uniform(-0.6, 0.6, 8)]
    x = max(
        spots, key=lambda spot: min(clearance((spot - side * off, front + 0.6), circles) for off in (0.0, 0.3, 0.6))
    )
    person = s.enter((x, front + 0.6), s.between(1.6, 2.4), side, z=far)
    person.wear(gear.cloth((225, 225, 215) if s.chance() else (230, 190, 70))).face(180 + side * 30, 0.4)
    while person.now < s.seconds - 2.2:
        for dx, y in WIPES:
            base = poses.SPRAY_HIGH if y > 1.4 else poses.SPRAY_LOW
            person.play((0.35, reaching(base, person, "r", (person.position[0] + dx, y, front + 0.08))))
        person.shift(0.5, (person.position[0] - side * 0.22, person.position[1]))
    return s.show([s.leave(person.play((0.4, REST)), side, z=far)])


def buy_drink(s: Stage) -> Script:
    """Puts coins into a vending machine, bends for the can, drinks."""
    machine = s.place.fixtures["machine"]
    side = s.away_from(machine, 0.6)
    x, z, yaw = machine.front(0.5, 0.0)
    person = s.enter((x + 0.1 * side, z), s.between(1.8, 2.6), side).face(yaw, 0.4)
    coin, text = reaching(poses.REACH, person, "r", (machine.x, 1.15, machine.z)), poses.TEXT
    stoop, hold = poses.STOOP, poses.HOLD
    pays = (0.5, text), (0.4, text), (0.4, coin), (0.2, REST), (0.3, coin), (0.4, REST)
    grasps_at = person.play(*pays, (0.7, stoop), (0.3, stoop)).now
    lifts = pose(hold, r_wrist=(-0.08, 0.02, 0.15), head=(0, -8))
    drinks = pose(hold, r_wrist=(-0.08, 0.03, 0.14), head=(0, -16))
    person.play((0.6, hold), (0.5, lifts), (0.6, drinks)).wear(gear.packet((200, 50, 45), "r", 0.034), grasps_at)
    return s.show([s.leave(person.carry(hold, RIGHT_ARM, 0.4), side)])


def water_plants(s: Stage) -> Script:
    """Waters a pot plant from a can."""
    side = s.side()
    x, z = s.room((-0.3 * side, -0.1 * side), (0.4, 0.7), need=0.9)
    tone = s.pick(((60, 130, 80), (70, 110, 160), (150, 155, 160)))
    person = s.enter((x + side * 0.82, z + 0.1), s.between(1.8, 2.6), side)
    begin = person.carry(poses.CARRY_LOW, RIGHT_ARM, 0.0).toward(x, z, 0.4).now
    end = s.seconds - 2.2
    person.play((0.5, poses.POUR)).repeat(end, (0.5, pose(poses.POUR, spine=(26, -6, 0))), (0.5, poses.POUR))
    s.leave(person.carry(poses.CARRY_LOW, RIGHT_ARM, 0.4), side)
    water = gear.Jet(begin + 0.4, end, (150, 175, 195), 0.012, 0.2, (0.25, 0.3), to_floor=False, points=3)
    person.wear(gear.can(tone, lambda t: 0.75 * smooth((t - begin) / 0.4) * (1 - smooth((t - end) / 0.3)), water))
    pot = box(0, 0, 0, (0.5, 0.45, 0.5), (150, 92, 66))
    for k in range(7):
        tip = 0.3 * float(np.cos(k)), 0.95 + 0.1 * (k % 3), 0.2 * float(np.sin(2 * k))
        pot.append(rod((0, 0.45, 0), tip, 0.05, (52 + 8 * (k % 3), 96, 50), 0.14))
    return s.show([person], [on_floor(pot, x, z, (0.6, 0.5))])
