"""Theft, assault and damage, and the browsing that looks like theft: told apart by what the people do."""

from collections.abc import Callable

import numpy as np

from vigil_city import gear, props
from vigil_city.acting import Player, ahead, cast
from vigil_city.blocking import Span, arrive, beat, chat, leave, pass_time, side_of
from vigil_city.body import LEG, REST, mirror, pose
from vigil_city.everyday import ANY, Scene, colour, crossing, depth
from vigil_city.gait import smooth
from vigil_city.places import Place
from vigil_city.poses import (  # fmt: skip
    CHAMBER,
    COVER,
    GUARD,
    HIT,
    HOLD,
    JACKET,
    KICK,
    LOOK_L,
    LOOK_R,
    LOW_KICK,
    POCKET,
    RAISE,
    REACH,
    SMASH,
)
from vigil_city.scene import Moment, Script, Thing
from vigil_city.shapes import box, footprint, panel, placed

CROUCHED = pose(
    COVER, root=(0, -0.16, -0.03), spine=(40, 6, 0), l_ankle=(0.03, LEG + 0.16, 0.13), r_ankle=(0.05, LEG + 0.17, -0.07)
)


def rack(x: float, z: float, yaw: float, rng: np.random.Generator) -> Thing:
    """A stand with goods on three boards, open towards yaw."""
    wood = np.asarray(colour(rng)) * 0.4 + 90
    parts = [*box(0, 0, -0.16, (1.1, 1.5, 0.05), wood * 0.8)]
    for k, y in enumerate((0.35, 0.75, 1.15)):
        parts += box(0, y, 0.0, (1.1, 0.04, 0.34), wood)
        for i in range(7):
            at, tall = -0.45 + 0.15 * i, float(rng.uniform(0.14, 0.24))
            parts.append(panel(at, y + 0.04, 0.08, 0.11, tall, np.asarray(props.COLOURS[(i * 2 + k) % 7]) * 1.3))
    parts += box(0, 0, 0.0, (1.1, 0.30, 0.34), wood * 0.7)
    return Thing(placed(parts, x, 0, z, yaw), shadow=footprint(x, z, 1.1, 0.4, yaw))


def _stand(rng: np.random.Generator, place: Place, side: int) -> tuple[list[Thing], tuple[float, float], float]:
    """Where somebody takes goods: things to draw, the floor point before them, and the heading towards them."""
    if place.kind == "shop":
        shelf = place.fixtures["shelf"]
        x, z, yaw = shelf.front(0.62, float(rng.uniform(-0.5, 0.5)))
        return [], (x, z), yaw - side * float(rng.uniform(40, 75))
    v = depth(rng, place, 0.3, 0.75)
    x, z = place.spot(-side * float(rng.uniform(0.25, 0.45)), v)
    yaw = side * float(rng.uniform(55, 90))
    return [rack(x, z, yaw, rng)], ahead(x, z, yaw, 0.72), yaw + 180


def theft(rng: np.random.Generator, place: Place, seconds: float, span: Span) -> Script:
    """Looks round, takes something, looks round again, hides it in pocket or jacket and walks off with it."""
    start, stop = span
    side = side_of(rng)
    things, spot, yaw = _stand(rng, place, side)
    thief = arrive(rng, place, spot, min(start - 0.6, 1.8), side, role="thief")
    thief.face(yaw, 0.5)
    flip = rng.random() < 0.5
    m = mirror if flip else (lambda p: p)
    hand, tone = "l" if flip else "r", colour(rng)
    _dither(rng, thief, start, m)
    size = float(rng.uniform(0.045, 0.06))
    first = True
    while first or stop - thief.now > 3.4:
        thief.play((0.35, LOOK_L), (0.25, LOOK_L), (0.4, LOOK_R), (0.2, LOOK_R), (0.4, m(REACH)))
        took = thief.now
        hide = m(POCKET if rng.random() < 0.6 else JACKET)
        thief.play((0.12, m(REACH)), (0.35, m(HOLD)), (0.3, m(pose(HOLD, head=(42, 6)))), (0.4, hide))
        thief.wear(gear.packet(tone, hand, size), took, thief.now + 0.1)
        thief.play((0.35, hide), (0.35, m(pose(hide, head=(-35, 5)))))
        first = False
    thief.guilty(start, max(stop, thief.now))
    thief.until(stop - 0.3)
    thief.rest(0.3)
    leave(thief, place, side, speed=float(rng.uniform(1.2, 1.5)))
    players = [thief, *_others(rng, place, side, seconds, spot)]
    return lambda t: Moment(cast(t, players), things)


def _dither(rng: np.random.Generator, player: Player, until: float, m: Callable[[np.ndarray], np.ndarray]) -> None:
    """Looks at the goods, like any customer."""
    while player.now < until - 0.4:
        player.play((min(0.5, until - player.now), m(pose(head=(float(rng.uniform(-14, 14)), 12)))))
    player.until(until)


def _others(
    rng: np.random.Generator, place: Place, side: int, seconds: float, spot: tuple[float, float]
) -> list[Player]:
    """Nobody, somebody who stands about, or somebody who passes: the same for thieves and customers."""
    draw = rng.random()
    if draw < 0.4:
        return []
    room = place.near - place.far
    if draw < 0.7:
        x, z = place.spot(side * 0.75, depth(rng, place, 0.1, 0.8))
        if abs(z - spot[1]) < 0.65:
            return []  # would be in the way
        player = Player(rng, x, z, -side * float(rng.uniform(-40, 60)))
        pass_time(rng, player, seconds)
        return [player]
    z = spot[1] + 0.85 if spot[1] + 0.85 < place.near else spot[1] - 0.9
    return [
        crossing(
            rng, place, (place.near - z) / room, side_of(rng), float(rng.uniform(-1, 4)), float(rng.uniform(1, 1.4))
        )
    ]


def look_and_put_back(rng: np.random.Generator, place: Place, seconds: float, _span: Span) -> Script:
    """An honest customer takes something, reads what is on it and puts it back, once or twice; then leaves."""
    side = side_of(rng)
    things, spot, yaw = _stand(rng, place, side)
    player = arrive(rng, place, spot, float(rng.uniform(1.2, 2.0)), side, role="bystander")
    player.face(yaw, 0.5)
    flip = rng.random() < 0.5
    m = mirror if flip else (lambda p: p)
    hand = "l" if flip else "r"
    for _ in range(2):
        if player.now > seconds - 3.2:
            break
        player.play((float(rng.uniform(0.3, 0.8)), m(pose(head=(10, 14)))), (0.6, m(REACH)))
        took = player.now
        player.play((0.15, m(REACH)), (0.6, m(HOLD)), (float(rng.uniform(0.8, 1.4)), m(HOLD)), (0.5, m(REACH)))
        player.wear(gear.packet(colour(rng), hand), took, player.now)
        player.play((0.15, m(REACH)), (0.5, REST))
    player.wait(float(rng.uniform(0.1, 0.5)))
    leave(player, place, side)
    players = [player, *_others(rng, place, side, seconds, spot)]
    return lambda t: Moment(cast(t, players), things)


def assault(rng: np.random.Generator, place: Place, seconds: float, span: Span) -> Script:
    """One person beats another, who shrinks, staggers back and covers; the attacker makes off, the victim stays."""
    start, stop = span
    side, v = side_of(rng), depth(rng, place, 0.1, 0.55)
    x, z = place.spot(-side * float(rng.uniform(0.05, 0.25)), v)
    gap = float(rng.uniform(0.76, 0.86))
    victim = Player(rng, x, z, side * float(rng.uniform(75, 100)), role="victim")
    attacker = arrive(
        rng, place, (x + side * gap, z), start - 0.35, side, role="attacker", speed=float(rng.uniform(1.3, 1.7))
    )
    attacker.toward(x, z, 0.3)
    attacker.until(start)
    hits = beat(rng, attacker, stop - 0.15, ("jab", "cross", "cross", "shove", "kick"), 0.15)
    attacker.guilty(start, stop)
    attacker.until(stop)
    attacker.rest(0.35)
    leave(attacker, place, side, speed=2.4 if rng.random() < 0.5 else 1.5, run=False)
    (chat if rng.random() < 0.5 else pass_time)(rng, victim, start - 0.4)
    victim.until(start - 0.2)
    for k, hit in enumerate(hits):
        if victim.now < hit - 0.06:
            victim.play(
                (hit - 0.05 - victim.now, COVER if k else GUARD), (0.14, HIT if k % 2 == 0 else CROUCHED), (0.2, COVER)
            )
    victim.until(stop)
    victim.play(
        (0.5, CROUCHED),
        (0.6, CROUCHED),
        (0.7, pose(CROUCHED, head=(30, 10))),
        (1.0, pose(COVER, l_wrist=(0.03, -0.25, 0.1))),
    )
    players = [attacker, victim, *_others(rng, place, -side, seconds, (x, z))]
    return lambda t: Moment(cast(t, players))


def damage(rng: np.random.Generator, place: Place, seconds: float, span: Span) -> Script:
    """Somebody kicks a machine or a bin, or beats it with a bat, until it gives; then walks off."""
    start, stop = span
    side, v, bat = side_of(rng), depth(rng, place, 0.25, 0.7), rng.random() < 0.5
    x, z = place.spot(-side * float(rng.uniform(0.15, 0.4)), v)
    machine, yaw, tone = rng.random() < 0.5, side * float(rng.uniform(40, 75)), np.asarray(colour(rng))
    vandal = arrive(rng, place, ahead(x, z, yaw, 1.02 if machine else 0.85), start - 0.5, side, role="vandal")
    vandal.toward(x, z, 0.4)
    if bat:
        vandal.wear(gear.stick(0.55, 0.025, (170, 130, 84)))
    vandal.until(start)
    hits: list[float] = []
    while vandal.now < stop - 0.9:
        if bat:
            vandal.play((0.3, RAISE), (0.1, RAISE), (0.17, SMASH), (0.13, SMASH), (0.3, GUARD))
            hits.append(vandal.now - 0.43)
        else:
            m = mirror if rng.random() < 0.3 else (lambda p: p)
            kick = KICK if rng.random() < 0.5 else LOW_KICK
            vandal.play((0.22, m(CHAMBER)), (0.18, m(kick)), (0.08, m(kick)), (0.32, m(GUARD)))
            hits.append(vandal.now - 0.40)
        vandal.wait(float(rng.uniform(0, 0.2)))
    vandal.guilty(start, stop)
    vandal.until(stop - 0.3)
    vandal.rest(0.3)
    leave(vandal, place, side, speed=float(rng.uniform(1.3, 1.7)))
    players = [vandal, *_others(rng, place, side, seconds, vandal.where)]
    still: dict[int, Thing] = {}

    def target(t: float) -> Thing:
        done = sum(h <= t for h in hits)
        since = t - hits[done - 1] if done else 9.0
        shake = float(np.exp(-since * 7) * np.cos(since * 40)) if since < 0.8 else 0.0
        dark = footprint(x, z, *((0.95, 0.72) if machine else (0.55, 0.6)), yaw=yaw)

        def parts(shake: float) -> Thing:
            if machine:
                made = props.vending_machine(
                    x, z, yaw, tone, damage=min(1.0, done / max(len(hits) - 1, 1)), tilt=4 * shake
                )
            else:
                fall = smooth((t - hits[-1]) / 0.5) if hits and t > hits[-1] else 0.0
                made = props.bin_(x, z, tone, fall, yaw + 180 + 6 * shake)
            return Thing(made, moving=shake != 0.0, shadow=dark)

        if shake or (hits and 0 <= t - hits[-1] < 0.8):
            return parts(shake or 1e-6)
        return still.setdefault(done, parts(0.0))

    return lambda t: Moment(cast(t, players), [target(t)])


DEEDS: dict[str, tuple[Scene, tuple[str, ...]]] = {
    "theft": (theft, ANY),
    "assault": (assault, ANY),
    "damage": (damage, ANY),
}
HONEST: dict[str, tuple[Scene, tuple[str, ...]]] = {"look_and_put_back": (look_and_put_back, ANY)}
