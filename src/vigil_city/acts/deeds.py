"""Theft, assault and damage, and the browsing that looks like theft: told apart by what the people do."""

import numpy as np

from vigil_city.acts.staging import Stage, handed
from vigil_city.bodies import gear, poses
from vigil_city.bodies.anatomy import LEG, REST, pose
from vigil_city.bodies.gait import smooth
from vigil_city.bodies.motion import ahead
from vigil_city.bodies.player import Player
from vigil_city.places import props
from vigil_city.places.floor import Point
from vigil_city.places.props import COLOURS
from vigil_city.places.shapes import box, footprint, panel, placed
from vigil_city.scene import Script, Thing

CROUCHED = pose(
    poses.COVER, root=(0, -0.16, -0.03), spine=(40, 6, 0), l_ankle=(0.03, LEG + 0.16, 0.13),
    r_ankle=(0.05, LEG + 0.17, -0.07),
)  # fmt: skip


def rack(s: Stage, x: float, z: float, yaw: float) -> Thing:
    """A stand with goods on three boards, open towards yaw."""
    wood = np.asarray(s.pick(COLOURS)) * 0.4 + 90
    parts = [*box(0, 0, -0.16, (1.1, 1.5, 0.05), wood * 0.8)]
    for k, y in enumerate((0.35, 0.75, 1.15)):
        parts += box(0, y, 0.0, (1.1, 0.04, 0.34), wood)
        for i in range(7):
            at, tall = -0.45 + 0.15 * i, s.between(0.14, 0.24)
            parts.append(panel(at, y + 0.04, 0.08, 0.11, tall, np.asarray(COLOURS[(i * 2 + k) % 7]) * 1.3))
    parts += box(0, 0, 0.0, (1.1, 0.30, 0.34), wood * 0.7)
    return Thing(placed(parts, x, 0, z, yaw), shadow=footprint(x, z, 1.1, 0.4, yaw))


def _goods(s: Stage, side: int) -> tuple[list[Thing], Point, float]:
    """Where somebody takes goods: things to draw, the floor point before them, and the heading towards them."""
    if s.place.kind == "shop":
        x, z, yaw = s.place.fixtures["shelf"].front(0.62, s.between(-0.5, 0.5))
        return [], (x, z), yaw - side * s.between(40, 75)
    v = s.depth(0.3, 0.75)
    x, z = s.place.spot(-side * s.between(0.25, 0.45), v)
    yaw = side * s.between(55, 90)
    return [rack(s, x, z, yaw)], ahead(x, z, yaw, 0.72), yaw + 180


def _others(s: Stage, side: int, spot: Point) -> list[Player]:
    """Nobody, somebody who stands about, or somebody who passes: the same for thieves and customers."""
    draw = s.rng.random()
    if draw < 0.4:
        return []
    if draw < 0.7:
        x, z = s.place.spot(side * 0.75, s.depth(0.1, 0.8))
        if abs(z - spot[1]) < 0.65:
            return []  # would be in the way
        return [s.pass_time(s.person((x, z), -side * s.between(-40, 60)), s.seconds)]
    near = s.place.near
    z = spot[1] + 0.85 if spot[1] + 0.85 < near else spot[1] - 0.9
    return [s.crossing((near - z) / (near - s.place.far), s.side(), s.between(-1, 4), s.between(1, 1.4))]


def theft(s: Stage) -> Script:
    """Looks round, takes something, looks round again, hides it in pocket or jacket and walks off with it."""
    side = s.side()
    things, spot, yaw = _goods(s, side)
    thief = s.enter(spot, min(s.start - 0.6, 1.8), side, "thief").face(yaw, 0.5)
    hand = "l" if s.chance() else "r"
    m, tone = handed(hand), s.pick(COLOURS)
    while thief.now < s.start - 0.4:  # looks at the goods, like any customer
        thief.play((min(0.5, s.start - thief.now), m(pose(head=(s.between(-14, 14), 12)))))
    thief.until(s.start)
    size, first = s.between(0.045, 0.06), True
    look_l, look_r, reach, hold = poses.LOOK_L, poses.LOOK_R, m(poses.REACH), m(poses.HOLD)
    while first or s.stop - thief.now > 3.4:
        thief.play((0.35, look_l), (0.25, look_l), (0.4, look_r), (0.2, look_r), (0.4, reach))
        took = thief.now
        hide = m(poses.POCKET if s.chance(0.6) else poses.JACKET)
        thief.play((0.12, reach), (0.35, hold), (0.3, m(pose(poses.HOLD, head=(42, 6)))), (0.4, hide))
        thief.wear(gear.packet(tone, hand, size), took, thief.now + 0.1)
        thief.play((0.35, hide), (0.35, m(pose(hide, head=(-35, 5)))))
        first = False
    thief.guilty(s.start, max(s.stop, thief.now)).until(s.stop - 0.3).rest(0.3)
    s.leave(thief, side, speed=s.between(1.2, 1.5))
    return s.show([thief, *_others(s, side, spot)], things)


def look_and_put_back(s: Stage) -> Script:
    """An honest customer takes something, reads what is on it and puts it back, once or twice; then leaves."""
    side = s.side()
    things, spot, yaw = _goods(s, side)
    player = s.enter(spot, s.between(1.2, 2.0), side).face(yaw, 0.5)
    hand = "l" if s.chance() else "r"
    m = handed(hand)
    reach, hold = m(poses.REACH), m(poses.HOLD)
    for _ in range(2):
        if player.now > s.seconds - 3.2:
            break
        took = player.play((s.between(0.3, 0.8), m(pose(head=(10, 14)))), (0.6, reach)).now
        player.play((0.15, reach), (0.6, hold), (s.between(0.8, 1.4), hold), (0.5, reach))
        player.wear(gear.packet(s.pick(COLOURS), hand), took, player.now).play((0.15, reach), (0.5, REST))
    s.leave(player.wait(s.between(0.1, 0.5)), side)
    return s.show([player, *_others(s, side, spot)], things)


def assault(s: Stage) -> Script:
    """One person beats another, who shrinks, staggers back and covers; the attacker makes off, the victim stays."""
    side, v = s.side(), s.depth(0.1, 0.55)
    x, z = s.place.spot(-side * s.between(0.05, 0.25), v)
    gap = s.between(0.76, 0.86)
    victim = s.person((x, z), side * s.between(75, 100), "victim")
    attacker = s.enter((x + side * gap, z), s.start - 0.35, side, "attacker", speed=s.between(1.3, 1.7))
    attacker.toward(x, z, 0.3).until(s.start)
    hits = s.beat(attacker, s.stop - 0.15, ("jab", "cross", "cross", "shove", "kick"), 0.15)
    attacker.guilty(s.start, s.stop).until(s.stop).rest(0.35)
    s.leave(attacker, side, speed=2.4 if s.chance() else 1.5)
    (s.chat if s.chance() else s.pass_time)(victim, s.start - 0.4).until(s.start - 0.2)
    cover = poses.COVER
    for k, hit in enumerate(hits):
        if victim.now < hit - 0.06:
            braced = hit - 0.05 - victim.now, cover if k else poses.GUARD
            victim.play(braced, (0.14, poses.HIT if k % 2 == 0 else CROUCHED), (0.2, cover))
    looks_up, covers = pose(CROUCHED, head=(30, 10)), pose(cover, l_wrist=(0.03, -0.25, 0.1))
    victim.until(s.stop).play((0.5, CROUCHED), (0.6, CROUCHED), (0.7, looks_up), (1.0, covers))
    return s.show([attacker, victim, *_others(s, -side, (x, z))])


def damage(s: Stage) -> Script:
    """Somebody kicks a machine or a bin, or beats it with a bat, until it gives; then walks off."""
    side, v, bat = s.side(), s.depth(0.25, 0.7), s.chance()
    x, z = s.place.spot(-side * s.between(0.15, 0.4), v)
    machine, yaw, tone = s.chance(), side * s.between(40, 75), s.pick(COLOURS)
    vandal = s.enter(ahead(x, z, yaw, 1.02 if machine else 0.85), s.start - 0.5, side, "vandal").toward(x, z, 0.4)
    if bat:
        vandal.wear(gear.stick(0.55, 0.025, (170, 130, 84)))
    vandal.until(s.start)
    hits: list[float] = []
    raised, smashed, guard = poses.RAISE, poses.SMASH, poses.GUARD
    while vandal.now < s.stop - 0.9:
        if bat:
            vandal.play((0.3, raised), (0.1, raised), (0.17, smashed), (0.13, smashed), (0.3, guard))
            hits.append(vandal.now - 0.43)
        else:
            m = handed("l" if s.chance(0.3) else "r")
            kick = m(poses.KICK if s.chance() else poses.LOW_KICK)
            vandal.play((0.22, m(poses.CHAMBER)), (0.18, kick), (0.08, kick), (0.32, m(guard)))
            hits.append(vandal.now - 0.40)
        vandal.wait(s.between(0, 0.2))
    vandal.guilty(s.start, s.stop).until(s.stop - 0.3).rest(0.3)
    s.leave(vandal, side, speed=s.between(1.3, 1.7))
    players = [vandal, *_others(s, side, vandal.where)]
    shadow = footprint(x, z, *((0.95, 0.72) if machine else (0.55, 0.6)), yaw=yaw)
    still: dict[int, Thing] = {}

    def thing(t: float, hit_count: int, shake: float) -> Thing:
        if machine:
            broken = min(1.0, hit_count / max(len(hits) - 1, 1))
            parts = props.vending_machine(x, z, yaw, tone, damage=broken, tilt=4 * shake)
        else:
            fall = smooth((t - hits[-1]) / 0.5) if hits and t > hits[-1] else 0.0
            parts = props.bin_(x, z, tone, fall, yaw + 180 + 6 * shake)
        return Thing(parts, moving=shake != 0.0, shadow=shadow)

    def things(t: float) -> list[Thing]:
        hit_count = sum(hit <= t for hit in hits)
        since = t - hits[hit_count - 1] if hit_count else 9.0
        shake = float(np.exp(-since * 7) * np.cos(since * 40)) if since < 0.8 else 0.0
        if shake or (hits and 0 <= t - hits[-1] < 0.8):
            return [thing(t, hit_count, shake or 1e-6)]
        return [still.setdefault(hit_count, thing(t, hit_count, 0.0))]

    return s.show(players, things)
