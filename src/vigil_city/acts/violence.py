"""Beatings, Abuse, Assault, Fighting, Shooting and Arrest: people who lay hands on people."""

from vigil_city.acts.staging import Stage, flashing
from vigil_city.bodies import gear, poses
from vigil_city.bodies.anatomy import ARMS, LEFT_ARM, REST, RIGHT_ARM, Pose, feet, mix, pose
from vigil_city.bodies.motion import ahead, bearing, turned_away
from vigil_city.bodies.player import Player, reaching
from vigil_city.lens.effects import glow, muzzle_flash
from vigil_city.places.place import length
from vigil_city.scene import Effect, Script

GUARD, COVER, GRAB, HIT = poses.GUARD, poses.COVER, poses.GRAB, poses.HIT
CROUCHED = pose(COVER, root=(0, -0.16, -0.03), spine=(40, 6, 0), **feet(0.16, 0.13, 0.17, -0.07))
ON_BACK = (0.25, poses.BACKWARDS), (0.32, poses.FLOOR_BACK), (0.38, poses.LIE_BACK)
ON_FRONT = (0.28, poses.BUCKLE), (0.30, poses.FLOOR_FRONT), (0.36, poses.LIE_FRONT)
SHOT_ON_BACK = (0.18, poses.SHOT), (0.34, poses.FLOOR_BACK), (0.34, poses.LIE_BACK)
SHOT_ON_FRONT = (0.22, poses.BUCKLE), (0.34, poses.FLOOR_FRONT), (0.34, poses.LIE_FRONT)


def _flinch(player: Player, hits: list[float], calm: Pose, struck: Pose) -> None:
    """Jerks at every blow."""
    for hit in hits:
        if hit - 0.06 > player.now:
            player.until(hit - 0.06).tumble((0.12, struck), (0.22, calm))


def beating(s: Stage) -> Script:
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
    for k, hit in enumerate(hits):
        if victim.now < hit - 0.06:
            braced = hit - 0.05 - victim.now, COVER if k else GUARD
            victim.play(braced, (0.14, HIT if k % 2 == 0 else CROUCHED), (0.2, COVER))
    looks_up, covers = pose(CROUCHED, head=(30, 10)), pose(COVER, l_wrist=(0.03, -0.25, 0.1))
    victim.until(s.stop).play((0.5, CROUCHED), (0.6, CROUCHED), (0.7, looks_up), (1.0, covers))
    return s.show([attacker, victim, *s.others(-side, (x, z))])


def abuse(s: Stage) -> Script:
    """A bigger person beats and kicks one who sits or kneels on the floor and does not resist."""
    side = s.side()
    x, z = s.room((-0.3, 0.3), (0.25, 0.6), need=0.9)
    small = s.clothed(height=s.between(1.35, 1.62), build=0.95, coat=False)
    victim = s.person((x, z), s.between(-35, 35), "victim", small)
    victim.begin(poses.SIT_FLOOR if s.chance() else poses.ON_KNEES)
    big = s.clothed(height=s.between(1.78, 1.92), build=s.between(1.08, 1.2), long_hair=False)
    attacker = s.enter((x + side * 0.78, z + 0.05), s.start, side, "attacker", big, speed=1.3)
    begin = attacker.toward(x, z, 0.3).until(s.start).now
    attacker.guilty(*s.span)
    cowers = not s.chance(0.45)  # or curls up
    low = poses.COWER if cowers else poses.CURLED
    hits = s.beat(attacker, begin + 0.8, ("shove", "cross"), 0.0)
    attacker.shift(0.25, (x + side * (0.62 if cowers else 0.5), z + 0.05), GUARD)
    kinds = ("kick", "hammer", "kick") if cowers else ("kick",)
    if s.chance(0.4):
        attacker.wear(gear.stick(0.6, 0.024, (96, 70, 46)))
        kinds = ("club", "club", "kick")
    hits += s.beat(attacker, s.stop - 0.1, kinds, 0.12)
    victim.until(begin + 0.2).tumble((0.35, low), yaw=victim.heading if cowers else 90 - side * 90 + side * 38)
    tense = pose(low, head=(14, 44), spine=(low[6] + 9, 12, -7 * side), root=(low[0] + 0.03 * side, low[1], low[2]))
    _flinch(victim, hits, low, tense)
    s.leave(attacker.until(s.stop).play((0.4, poses.HIPS), (0.4, poses.HIPS)), side)
    victim.until(s.stop + 0.8).tumble((1.2, pose(poses.COWER, head=(0, 30), spine=(34, 0, 0))))
    return s.show([victim, attacker])


def assault(s: Stage) -> Script:
    """Somebody comes up to one who suspects nothing, strikes, and runs when the other lies on the floor."""
    side = s.side()
    x, z = s.room((-0.3, 0.3), (0.25, 0.6), need=0.9)
    yaw = float(s.rng.choice([-side * 80, -side * 35, 0]) + s.rng.uniform(-12, 12))
    victim = s.pass_time(s.person((x, z), yaw, "victim"), s.start)
    look = s.dark_clothes(mask=s.chance(0.3))
    attacker = s.enter((x + side * 0.72, z), s.start, side, "attacker", look, speed=1.5).commit(s.span)
    toward, punches = -90.0 * side, ("cross", "jab")  # the way the blows go, and the first of them
    until = max(s.stop - s.exit_time(attacker, side, 2.8, run=True), s.start + 2.2)
    hits = s.beat(attacker, s.start + 0.7, punches, 0.0)
    struck = HIT if s.chance() else poses.BACKWARDS
    victim.until(hits[0] - 0.05).shift(0.35, ahead(*victim.position, toward, 0.30), struck, COVER, yaw=toward + 180)
    attacker.shift(0.3, ahead(*attacker.position, toward, 0.32), GUARD, yaw=toward)
    hits = s.beat(attacker, attacker.now + 0.6, punches, 0.0)
    if hits:
        victim.until(hits[-1] - 0.04)
    to, on_back = ahead(*victim.position, toward, 0.30), turned_away(toward, victim.heading)
    victim.tumble(*(ON_BACK if on_back else ON_FRONT), to=to, yaw=toward + 180 if on_back else toward, ease=0.8)
    attacker.shift(0.4, ahead(*attacker.position, toward, 0.35), GUARD, yaw=toward)
    hits = s.beat(attacker, until, ("kick", "kick", "hammer"), 0.05)
    _flinch(victim, hits, victim.stance, mix(victim.stance, poses.CURLED, 0.12))
    s.flee(attacker, side, speed=2.8)
    return s.show([victim, attacker])


def fighting(s: Stage) -> Script:
    """Two who talk come to blows; both give, both take. Sometimes a third looks on."""
    x, z = s.room((-0.25, 0.25), (0.25, 0.6), need=0.9)
    axis = s.between(-22, 22)
    spots = [ahead(x, z, 90 + axis, off) for off in (-0.44, 0.44)]
    pair = [s.person(spots[k], axis + (90, -90)[k], "attacker", s.clothed(coat=False)) for k in (0, 1)]
    for player in pair:
        s.chat(player, s.start).guilty(*s.span)
    first = int(s.rng.integers(2))
    pushes = pose(GUARD, root=(0, -0.04, 0.05), spine=(20, 0, 0), wrists=(-0.04, 0, 0.31))
    giver, taker = pair[first], pair[1 - first]
    giver.play((0.12, GUARD), (0.18, pushes))
    taker.wait(0.2).shift(0.3, ahead(*taker.position, taker.heading, -0.22), poses.BACKWARDS, GUARD)
    giver.shift(0.3, ahead(*giver.position, giver.heading, 0.16), GUARD)
    turn = 1 - first
    while pair[0].now < s.stop - 0.75:
        now = max(player.now for player in pair)
        giver, taker = pair[turn].until(now), pair[1 - turn].until(now)
        hits = s.beat(giver, now + 0.75, ("cross", "jab", "jab", "cross"), 0.0)
        for k, hit in enumerate(hits):
            taker.until(hit - 0.05)
            struck = HIT if s.chance(0.65) else COVER
            taker.play((0.10, struck), (0.16, COVER if k + 1 < len(hits) else GUARD))
        gap, then = length(giver.position, [taker.position]) - s.between(0.68, 0.80), max(giver.now, taker.now)
        drive = s.between(0.0, 0.22)
        for player, step in ((giver, gap / 2 + drive), (taker, gap / 2 - drive)):
            to = ahead(*player.position, player.heading, step, s.between(-0.05, 0.05))
            player.until(then).shift(0.25, to, GUARD)
        turn = 1 - turn if s.chance(0.75) else turn
    for player, sign in zip(pair, (-1, 1), strict=True):
        player.until(s.stop - 0.15).shift(0.7, ahead(*player.position, 90 + axis, sign * 0.35), GUARD, REST)
        player.play((0.5, poses.HIPS if s.chance() else REST))
    s.leave(pair[0], -1)

    def third() -> Player:
        spot = s.aside(s.side() * 0.85, s.between(0.6, 0.95), spots)
        other = s.stander(spot, bearing(*spot, x, z), s.start + 0.6).toward(x, z)
        return s.pass_time(other.play((0.5, pose(poses.POINT, head=(0, 6))), (0.5, REST)), s.seconds)

    return s.show([*pair, *s.perhaps(0.6, third)])


def shooting(s: Stage) -> Script:
    """Draws a gun and fires; one person drops, the others duck and run."""
    side, depth = s.side(), s.between(0.25, 0.55)
    stand = s.aside(-side * s.between(0.55, 0.72), depth)
    x, z = s.aside(side * s.between(0.25, 0.45), depth - s.between(-0.1, 0.15), [stand])
    long_gun = s.chance(0.25)
    shooter = s.enter(stand, s.start, -side, "shooter", s.dark_clothes(mask=s.chance(0.4)))
    shooter.toward(x, z, 0.3).commit(s.span)
    both_hands = long_gun or s.chance(0.4)
    ready, kick = (poses.AIM, poses.RECOIL) if both_hands else (poses.ONE_HAND, poses.ONE_RECOIL)
    drawn = shooter.now + 0.2
    shooter.play((0.2, poses.POCKET), (0.3, ready), (0.15, ready))
    escape = s.exit_time(shooter, -side, 2.8, run=True) + 0.25
    shots: list[float] = []
    while not shots or (len(shots) < 6 and shooter.now + 0.45 < s.stop - escape):
        shots.append(shooter.now)
        shooter.play((0.06, kick), (0.24, ready), (s.between(0.1, 0.3), ready))
    shooter.wear(gear.rifle if long_gun else gear.gun, drawn).play((0.25, pose(ready, spine=(10, 0, 0))))
    s.flee(shooter, -side, speed=2.8)
    yaw = float(s.rng.choice([bearing(x, z, *stand), -side * 20.0, side * 70.0]))
    victim = s.pass_time(s.person((x, z), yaw, "victim"), shots[0] + 0.04)
    away = bearing(*stand, x, z)
    keys = SHOT_ON_BACK if turned_away(away, victim.heading) else SHOT_ON_FRONT
    victim.tumble(*keys, to=ahead(x, z, away, 0.25), ease=0.8)
    players = [shooter, victim]
    for k in range(int(s.rng.integers(1, 3))):
        u, v = side * (0.85, -0.1)[k], min(depth + (0.35, 0.5)[k], 1.0)
        spot = s.aside(u, v, [stand, (x, z), *(player.position for player in players[2:])])
        other = s.stander(spot, s.between(-60, 60), shots[0])
        players.append(s.panic(other, shots[0] + s.between(0.1, 0.25), side))

    fires = flashing(shots)

    def flashes(t: float) -> list[Effect]:
        tip = (gear.barrel if long_gun else gear.muzzle)(shooter.skeleton(t))
        return [muzzle_flash(tip, 0.45), glow(tip, 1.6, 0.55)] if fires(t) else []

    return s.show(players, effects=[flashes], gain=lambda t: 1.12 if fires(t) else 1.0)


def arrest(s: Stage) -> Script:
    """Two officers take somebody's hands behind the back, cuff them and lead the person away."""
    side, vest = s.side(), s.chance()
    x, z = s.room((-0.35 * side, 0.0), (0.25, 0.5), need=0.9)
    suspect = s.person((x, z), -side * s.between(50, 90), "suspect", s.clothed(coat=False, hat=False))
    first = s.officer((x + side * 0.50, z - 0.03), s.start, side, vest, (1.74, 1.9))
    second = s.officer((x - side * 0.45, z - 0.42), s.start - 0.25, -side, vest, (1.74, 1.9))
    s.pass_time(suspect, s.start - 0.5)
    suspect.play((0.4, poses.ON_HEAD if s.chance() else REST)).until(s.start)
    suspect.face(-90.0 * side, 0.45)  # the back to the first officer
    for officer in (first, second):
        officer.guilty(*s.span).toward(x, z, 0.35).until(s.start)
    held = suspect.now + 0.35
    suspect.play((0.35, suspect.stance), (0.55, poses.CUFFED)).guilty(*s.span).wear(gear.cuffs, held + 0.9)
    joints = suspect.skeleton(suspect.now).joints
    take = pose(GRAB, spine=(20, 0, 0), root=(0, -0.03, 0))
    for hand in ("l", "r"):
        take = reaching(take, first, hand, joints[f"{hand}_wrist"])
    first.play((0.35, GRAB)).until(held + 0.15).play((0.35, take))
    arm = "r" if side > 0 else "l"
    elbow = joints[f"{arm}_shoulder"] * 0.5 + joints[f"{arm}_elbow"] * 0.5
    holds = reaching(pose(GRAB, spine=(12, 0, 0)), second.play((0.35, poses.POINT)).until(held), "r", elbow)
    second.play((0.4, holds)).until(held + 0.9)
    lead = max(s.stop - s.exit_time(suspect, -side, 1.15), held + 1.2)
    suspect.until(lead).carry(poses.CUFFED, (*ARMS, "spine", "head"), 0.1)
    first.until(lead).carry(take, (*ARMS, "spine"), 0.1)
    second.until(lead).carry(mix(REST, GRAB, 0.8), LEFT_ARM if side > 0 else RIGHT_ARM, 0.1)
    gone = s.place.outside(-side, z)[0]
    for player, further, behind in ((suspect, -0.2, 0.0), (first, 0.3, 0.0), (second, -0.5, 0.5)):
        player.walk((gone + side * further, z - behind), speed=1.15)
    return s.show([suspect, first, second])
