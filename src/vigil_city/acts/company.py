"""What looks like violence and is none: people meet, help each other up, patrol, take pictures with a flash."""

from vigil_city.acts.staging import Stage
from vigil_city.bodies import gear, poses
from vigil_city.bodies.anatomy import REST, pose
from vigil_city.bodies.motion import bearing
from vigil_city.bodies.player import cast
from vigil_city.lens.effects import glow
from vigil_city.scene import Effect, Moment, Script

GRAB = poses.GRAB


def greet(s: Stage) -> Script:
    """Two meet, shake hands or embrace, talk and part."""
    x, z = s.room((-0.2, 0.2), (0.25, 0.6))
    hug = s.chance()
    gap = 0.23 if hug else 0.42
    meet = s.between(1.8, 2.6)
    pair = [s.enter((x + side * gap, z), meet, side, speed=1.2) for side in (-1, 1)]
    for player, side in zip(pair, (-1, 1), strict=True):
        player.face(-90.0 * side, 0.3).until(meet + 0.35)
    both = max(player.now for player in pair)
    shake = pose(poses.HANDSHAKE, r_wrist=(-0.06, -0.07, 0.285))
    hand = poses.HANDSHAKE
    shakes = (0.4, hand), (0.18, shake), (0.18, hand), (0.18, shake), (0.2, hand), (0.4, REST)
    for player in pair:
        player.until(both).play(*((0.5, poses.HUG), (0.9, poses.HUG), (0.5, REST)) if hug else shakes)
    for player, side in zip(pair, (-1, 1), strict=True):
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
    first = s.person((x, z), side * s.between(70, 95))
    sits = s.chance()
    low = poses.SIT_FLOOR if sits else poses.ON_KNEES
    first.begin(low)
    tie = pose(
        poses.SIT_FLOOR if sits else poses.KNEEL, spine=(40, 0, 0), head=(0, 20), wrists=(-0.03, -0.14, 0.22),
        r_foot=(12 if sits else 165, 0),
    )  # fmt: skip
    other = s.enter((x + side * 0.72, z + 0.05), s.between(2.0, 2.8), side).face(-90.0 * side, 0.3)
    when = other.now
    while first.now + 1.3 < when:
        first.tumble((0.6, tie), (0.25, pose(tie, spine=(47, 3, 0))), (0.25, tie))
    first.until(when)
    bends = pose(GRAB, spine=(34, 0, 0), wrists=(-0.02, -0.12, 0.27))
    pulls = pose(GRAB, spine=(8, 0, 0), wrists=(-0.02, -0.05, 0.26))
    other.play((0.6, bends), (0.4, bends), (1.0, pulls), (0.5, REST))
    up = pose(REST, spine=(10, 0, 0), wrists=(0.0, -0.08, 0.26))
    first.tumble((0.6, pose(low, wrists=(0.0, -0.02, 0.29))), (0.4, low))
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
    pair = []
    for k, at in enumerate(((x + side * 0.95, z), (x + side * 1.15, z - 0.6))):
        officer = s.enter(at, 2.4 + 0.2 * k, side, "officer", s.clothed(**s.officer(vest)))
        pair.append(officer.wear(gear.cap).wear(gear.uniform(vest)).toward(x, z, 0.4))
    s.pass_time(person, 2.2).toward(*pair[0].where, 0.5)
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
    flashes = []
    while photographer.now < s.seconds - 2.0:
        flashes.append(photographer.play((0.6, aim), (0.5, aim)).now)
        photographer.play((0.5, aim), (0.4, poses.HOLD), (0.7, poses.HOLD))
    photographer.wear(gear.packet((30, 30, 34), "r", 0.035))
    friends = []
    for k in range(2):
        friend = s.chat(s.person((x + side * 0.55 * k, z - 0.15 * k), bearing(x, z, *spot)), 1.4)
        stands = pose(REST, spine=(0, 5, 3))
        friends.append(friend.repeat(s.seconds - 2.0, (0.5, poses.WAVE if s.chance(0.4) else REST), (1.2, stands)))

    def script(t: float) -> Moment:
        lit = any(flash <= t < flash + 0.09 for flash in flashes)
        painted: list[Effect] = []
        if lit:
            painted = [glow(photographer.skeleton(t).joints["r_hand"], 0.8, 0.9, (255, 255, 255))]
        return Moment(cast(t, [photographer, *friends]), effects=painted, gain=1.08 if lit else 1.0)

    return script
