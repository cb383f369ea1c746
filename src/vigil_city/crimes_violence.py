"""Abuse, Assault, Fighting and Arrest: people who lay hands on people."""

import numpy as np

from vigil_city import gear
from vigil_city.acting import Player, ahead, bearing, cast, reaching
from vigil_city.blocking import (  # fmt: skip
    Span,
    arrive,
    beat,
    chat,
    clothed,
    dark_clothes,
    exit_time,
    flee,
    leave,
    officer,
    pass_time,
    side_of,
)
from vigil_city.body import ARMS, REST, Pose, mix, pose
from vigil_city.floor import aside, room
from vigil_city.gear import cap, cuffs, uniform
from vigil_city.places import Place
from vigil_city.poses import COVER, GUARD, HIPS, HIT, POINT
from vigil_city.postures import (  # fmt: skip
    BACKWARDS,
    BUCKLE,
    COWER,
    CUFFED,
    CURLED,
    FLOOR_BACK,
    FLOOR_FRONT,
    GRAB,
    LIE_BACK,
    LIE_FRONT,
    ON_HEAD,
    ON_KNEES,
    SIT_FLOOR,
)
from vigil_city.scene import Moment, Script


def _play(*players: Player) -> Script:
    return lambda t: Moment(cast(t, players))


def _flinch(player: Player, hits: list[float], calm: Pose, struck: Pose) -> None:
    """Jerks at every blow."""
    for hit in hits:
        if hit - 0.06 > player.now:
            player.until(hit - 0.06)
            player.tumble((0.12, struck), (0.22, calm))


def _drop(victim: Player, away: float, distance: float) -> None:
    """Falls to the floor in the direction of yaw `away`: backwards when it faces the blow, else forwards."""
    to = ahead(*victim.where, away, distance)
    facing = abs((away - victim.heading + 180) % 360 - 180)
    if facing > 90:
        victim.tumble((0.25, BACKWARDS), (0.32, FLOOR_BACK), (0.38, LIE_BACK), to=to, yaw=away + 180, ease=0.8)
    else:
        victim.tumble((0.28, BUCKLE), (0.30, FLOOR_FRONT), (0.36, LIE_FRONT), to=to, yaw=away, ease=0.8)


def abuse(rng: np.random.Generator, place: Place, _seconds: float, span: Span) -> Script:
    """A bigger person beats and kicks one who sits or kneels on the floor and does not resist."""
    start, stop = span
    side = side_of(rng)
    x, z = room(rng, place, (-0.3, 0.3), (0.25, 0.6), need=0.9)
    small = clothed(rng, height=float(rng.uniform(1.35, 1.62)), build=0.95, coat=False)
    victim = Player(rng, x, z, float(rng.uniform(-35, 35)), "victim", look=small).begin(
        SIT_FLOOR if rng.random() < 0.5 else ON_KNEES
    )
    big = clothed(rng, height=float(rng.uniform(1.78, 1.92)), build=float(rng.uniform(1.08, 1.2)), long_hair=False)
    attacker = arrive(rng, place, (x + side * 0.78, z + 0.05), start, side, role="attacker", look=big, speed=1.3)
    attacker.toward(x, z, 0.3)
    attacker.until(start)
    begin = attacker.now
    attacker.guilty(start, stop)
    low = CURLED if rng.random() < 0.45 else COWER
    hits = beat(rng, attacker, begin + 0.8, ("shove", "cross"), 0.0)
    attacker.shift(0.25, (x + side * (0.62 if low is COWER else 0.5), z + 0.05), GUARD)
    club = bool(rng.random() < 0.4)
    if club:
        attacker.wear(gear.stick(0.6, 0.024, (96, 70, 46)))
    kinds = ("club", "club", "kick") if club else ("kick", "hammer", "kick") if low is COWER else ("kick",)
    hits += beat(rng, attacker, stop - 0.1, kinds, 0.12)
    victim.until(begin + 0.2)
    victim.tumble((0.35, low), yaw=victim.heading if low is COWER else 90 - side * 90 + side * 38)
    tense = pose(low, head=(14, 44), spine=(low[6] + 9, 12, -7 * side), root=(low[0] + 0.03 * side, low[1], low[2]))
    _flinch(victim, hits, low, tense)
    attacker.until(stop)
    attacker.play((0.4, HIPS), (0.4, HIPS))
    leave(attacker, place, side)
    victim.until(stop + 0.8)
    victim.tumble((1.2, pose(COWER, head=(0, 30), spine=(34, 0, 0))))
    return _play(victim, attacker)


def assault(rng: np.random.Generator, place: Place, _seconds: float, span: Span) -> Script:
    """Somebody comes up to one who suspects nothing, strikes, and runs when the other lies on the floor."""
    start, stop = span
    side = side_of(rng)
    x, z = room(rng, place, (-0.3, 0.3), (0.25, 0.6), need=0.9)
    victim = Player(rng, x, z, float(rng.choice([-side * 80, -side * 35, 0]) + rng.uniform(-12, 12)), "victim")
    pass_time(rng, victim, start)
    attacker = arrive(
        rng,
        place,
        (x + side * 0.72, z),
        start,
        side,
        role="attacker",
        look=dark_clothes(rng, mask=bool(rng.random() < 0.3)),
        speed=1.5,
    )
    attacker.until(start)
    attacker.guilty(start, stop)
    toward = -90.0 * side  # the way the blows go
    run_off = exit_time(attacker, place, side, 2.8, run=True)
    until = max(stop - run_off, start + 2.2)
    hits = beat(rng, attacker, start + 0.7, ("cross", "jab"), 0.0)
    victim.until(hits[0] - 0.05)
    victim.shift(
        0.35, ahead(*victim.where, toward, 0.30), HIT if rng.random() < 0.5 else BACKWARDS, COVER, yaw=toward + 180
    )
    attacker.shift(0.3, ahead(*attacker.where, toward, 0.32), GUARD, yaw=toward)
    hits = beat(rng, attacker, attacker.now + 0.6, ("cross", "jab"), 0.0)
    if hits:
        victim.until(hits[-1] - 0.04)
    _drop(victim, toward, 0.30)
    attacker.shift(0.4, ahead(*attacker.where, toward, 0.35), GUARD, yaw=toward)
    hits = beat(rng, attacker, until, ("kick", "kick", "hammer"), 0.05)
    _flinch(victim, hits, victim.stance, mix(victim.stance, CURLED, 0.12))
    flee(attacker, place, side, stop, speed=2.8)
    return _play(victim, attacker)


def fighting(rng: np.random.Generator, place: Place, seconds: float, span: Span) -> Script:
    """Two who talk come to blows; both give, both take. Sometimes a third joins or looks on."""
    start, stop = span
    x, z = room(rng, place, (-0.25, 0.25), (0.25, 0.6), need=0.9)
    axis = float(rng.uniform(-22, 22))
    left, right = ahead(x, z, 90 + axis, -0.44), ahead(x, z, 90 + axis, 0.44)
    pair = [
        Player(rng, *left, 90 + axis, "attacker", look=clothed(rng, coat=False)),
        Player(rng, *right, axis - 90, "attacker", look=clothed(rng, coat=False)),
    ]
    for one in pair:
        chat(rng, one, start)
        one.guilty(start, stop)
    first = int(rng.integers(2))
    pair[first].play(
        *(
            (0.12, GUARD),
            (
                0.18,
                pose(
                    GUARD, root=(0, -0.04, 0.05), spine=(20, 0, 0), l_wrist=(-0.04, 0, 0.31), r_wrist=(-0.04, 0, 0.31)
                ),
            ),
        )
    )
    pair[1 - first].wait(0.2)
    pair[1 - first].shift(0.3, ahead(*pair[1 - first].where, pair[1 - first].heading, -0.22), BACKWARDS, GUARD)
    pair[first].shift(0.3, ahead(*pair[first].where, pair[first].heading, 0.16), GUARD)
    turn = 1 - first
    while pair[0].now < stop - 0.75:
        now = max(pair[0].now, pair[1].now)
        for one in pair:
            one.until(now)
        giver, taker = pair[turn], pair[1 - turn]
        hits = beat(rng, giver, now + 0.75, ("cross", "jab", "jab", "cross"), 0.0)
        for k, hit in enumerate(hits):
            taker.until(hit - 0.05)
            taker.play((0.10, HIT if rng.random() < 0.65 else COVER), (0.16, COVER if k + 1 < len(hits) else GUARD))
        gap = float(np.hypot(giver.where[0] - taker.where[0], giver.where[1] - taker.where[1])) - rng.uniform(
            0.68, 0.80
        )
        drive = float(rng.uniform(0.0, 0.22))
        then = max(giver.now, taker.now)
        for one, step in ((giver, gap / 2 + drive), (taker, gap / 2 - drive)):
            one.until(then)
            one.shift(0.25, ahead(*one.where, one.heading, step, float(rng.uniform(-0.05, 0.05))), GUARD)
        turn = 1 - turn if rng.random() < 0.75 else turn
    for one, sign in zip(pair, (-1, 1), strict=True):
        one.until(stop - 0.15)
        one.shift(0.7, ahead(*one.where, 90 + axis, sign * 0.35), GUARD, REST)
        one.play((0.5, HIPS if rng.random() < 0.5 else REST))
    leave(pair[0], place, -1)
    others = []
    if rng.random() < 0.6:
        side = side_of(rng)
        spot = aside(place, side * 0.85, float(rng.uniform(0.6, 0.95)), taken=[left, right])
        other = Player(rng, *spot, bearing(*spot, x, z))
        pass_time(rng, other, start + 0.6)
        other.toward(x, z)
        other.play((0.5, pose(POINT, head=(0, 6))), (0.5, REST))
        pass_time(rng, other, seconds)
        others.append(other)
    return _play(*pair, *others)


def arrest(rng: np.random.Generator, place: Place, _seconds: float, span: Span) -> Script:
    """Two officers take somebody's hands behind the back, cuff them and lead the person away."""
    start, stop = span
    side, vest = side_of(rng), bool(rng.random() < 0.5)
    x, z = room(rng, place, (-0.35 * side, 0.0), (0.25, 0.5), need=0.9)
    suspect = Player(rng, x, z, -side * float(rng.uniform(50, 90)), "suspect", look=clothed(rng, coat=False, hat=False))
    officers = []
    for k, at in enumerate(((x + side * 0.50, z - 0.03), (x - side * 0.45, z - 0.42))):
        look = clothed(rng, **officer(rng, vest), height=float(rng.uniform(1.74, 1.9)))
        one = arrive(rng, place, at, start - 0.25 * k, side if k == 0 else -side, role="officer", look=look)
        officers.append(one.wear(cap()).wear(uniform(vest)))
    pass_time(rng, suspect, start - 0.5)
    first, second = officers
    away = -90.0 * side  # the suspect's back is to the first officer
    up = rng.random() < 0.5
    suspect.play((0.4, ON_HEAD if up else REST))
    suspect.until(start)
    suspect.face(away, 0.45)
    for one in officers:
        one.guilty(start, stop)
        one.toward(x, z, 0.35)
        one.until(start)
    held = suspect.now + 0.35
    suspect.play((0.35, suspect.stance), (0.55, CUFFED))
    suspect.guilty(start, stop)
    suspect.wear(cuffs(), held + 0.9)
    hands = suspect.skeleton(suspect.now)
    wrists = hands.joints["l_wrist"], hands.joints["r_wrist"]
    take = reaching(
        reaching(pose(GRAB, spine=(20, 0, 0), root=(0, -0.03, 0)), first, "l", wrists[0]), first, "r", wrists[1]
    )
    first.play((0.35, GRAB))
    first.until(held + 0.15)
    first.play((0.35, take))
    elbow = (
        hands.joints["r_shoulder" if side > 0 else "l_shoulder"] * 0.5
        + hands.joints["r_elbow" if side > 0 else "l_elbow"] * 0.5
    )
    second.play((0.35, POINT))
    second.until(held)
    second.play((0.4, reaching(pose(GRAB, spine=(12, 0, 0)), second, "r", elbow)))
    second.until(held + 0.9)
    lead = max(stop - exit_time(suspect, place, -side, 1.15), held + 1.2)
    for one in (suspect, first, second):
        one.until(lead)
    suspect.carry(CUFFED, (*ARMS, "spine", "head"), 0.1)
    first.carry(take, (*ARMS, "spine"), 0.1)
    second.carry(mix(REST, GRAB, 0.8), ("l_wrist", "l_elbow") if side > 0 else ("r_wrist", "r_elbow"), 0.1)
    gone = place.outside(-side, z)[0]
    suspect.walk((gone - side * 0.2, z), speed=1.15)
    first.walk((gone + side * 0.3, z), speed=1.15)
    second.walk((gone - side * 0.5, z - 0.5), speed=1.15)
    return _play(suspect, first, second)
