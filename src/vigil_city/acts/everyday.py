"""What normal people do: walk, jog, wait, talk, stoop, carry, phone, sit, deliver, sweep, hand over."""

import numpy as np

from vigil_city.acts.staging import Stage, bag_in_hand, changing, on_floor
from vigil_city.bodies import gear, poses
from vigil_city.bodies.anatomy import ARMS, REST, RIGHT_ARM, pose
from vigil_city.bodies.motion import ahead
from vigil_city.places import props
from vigil_city.places.shapes import footprint, placed
from vigil_city.scene import Script, State, Thing


def walk(s: Stage) -> Script:
    """Two to four people walk through, one after the other or towards each other."""
    players, begin = [], s.between(-2.5, 0.0)
    for v in s.rng.permutation(s.lanes(int(s.rng.integers(2, 5)))):
        players.append(s.crossing(float(v), s.side(), begin, s.between(0.9, 1.5)))
        begin = min(begin + s.between(0.6, 3.0), s.seconds - 2.0)
    return s.show(players)


def jog(s: Stage) -> Script:
    """A lone jogger comes through, and back again; somebody else walks."""
    near, far = s.lanes(2)
    side, speed = s.side(), s.between(2.3, 2.9)
    jogger = s.crossing(near, side, s.between(0.3, 1.2), speed, run=True)
    jogger.until(max(jogger.now, s.seconds * 0.55))
    jogger.walk(s.place.outside(side, jogger.position[1]), speed=speed, run=True)
    return s.show([jogger, s.crossing(far, -side, s.between(-2.0, 2.0), s.between(0.9, 1.3))])


def wait(s: Stage) -> Script:
    """One to three people stand about, with phones or looking round; one comes, another may go."""
    count, side = int(s.rng.integers(1, 4)), s.side()
    us = side * (np.linspace(0.65, -0.65, count) if count > 1 else np.array([s.between(-0.3, 0.4)]))
    players = []
    for k, u in enumerate(us):
        spot = s.place.spot(float(u), s.depth())
        if k == 0:
            player = s.enter(spot, s.between(1.5, 3.0), side).face(s.between(-50, 50))
        else:
            player = s.person(spot, s.between(-70, 70))
        leaves = 0 < k == count - 1 and s.chance(0.6)
        s.pass_time(player, s.seconds * 0.6 if leaves else s.seconds)
        players.append(s.leave(player.rest(0.4), -side) if leaves else player)
    return s.show(players)


def talk(s: Stage) -> Script:
    """Two people talk; one walks off in the end, or somebody passes behind them."""
    v, u = s.depth(0.1, 0.6), s.between(-0.3, 0.3)
    (x, z), gap = s.place.spot(u, v), s.between(0.9, 1.15)
    left = s.person((x - gap / 2, z), 90 + s.between(-35, 10))
    right = s.person((x + gap / 2, z + s.between(-0.15, 0.15)), -90 + s.between(-10, 35))
    stop = s.seconds * s.between(0.6, 1.1)
    for player in (left, right):
        s.chat(player.wait(s.between(0, 0.6)), stop)
    s.leave(right.rest(0.3), 1)
    passer = s.perhaps(0.6, lambda: s.crossing(s.behind(v, 1.0), s.side(), s.between(-1, 3), s.between(1.0, 1.4)))
    return s.show([left, right, *passer])


def stoop(s: Stage) -> Script:
    """Somebody who walks drops a bag, stoops for it and goes on."""
    side, v = s.side(), s.depth()
    spot = s.place.spot(s.between(-0.25, 0.25), v)
    player = s.enter(spot, s.between(2.0, 3.2), side, speed=1.2)
    tone, kind = s.pick(props.COLOURS), s.pick(("handbag", "backpack"))
    player.face(-side * s.between(30, 90), 0.4)
    x, z = ahead(*spot, player.heading, 0.32, -0.14)
    down = player.play((0.9, pose(poses.STOOP, head=(0, 0))), (0.25, poses.STOOP)).now
    up = player.play((0.9, REST), (0.6, poses.LOOK_R), (0.5, REST), (0.9, poses.STOOP), (0.2, poses.STOOP)).now
    s.leave(player.carry(pose(r_wrist=(0.05, -0.31, 0.02)), ("r_wrist",), 0.9), -side)
    parts = placed(props.bag(tone, kind), x, 0, z, player.heading)
    lying = Thing(parts, "bag", shadow=footprint(x, z, 0.3, 0.2))
    held = bag_in_hand(player, tone, kind)
    return s.show([player], [changing(held, (down, lying), (up, held))])


def carry_bag(s: Stage) -> Script:
    """Somebody walks through with a bag of their own; another passes."""
    near, far = s.lanes(2)
    side, tone, kind = s.side(), s.pick(props.COLOURS), s.pick(("handbag", "holdall"))
    player = s.crossing(near, side, s.between(-1.5, 0.5), s.between(0.95, 1.3))
    other = s.crossing(far, -side, s.between(0, 4), s.between(1.0, 1.4))
    return s.show([player, other], [bag_in_hand(player, tone, kind)])


def phone_walk(s: Stage) -> Script:
    """Walks in on the phone, stops, looks round for the way, and goes on."""
    phone = poses.PHONE
    side, v = s.side(), s.depth()
    player = s.enter(s.place.spot(s.between(-0.2, 0.3) * side, v), 2.6, side).carry(phone, RIGHT_ARM, 0.5)
    looks = (0.8, pose(phone, head=(45, 5), spine=(2, 14, 0))), (0.8, pose(phone, head=(-40, 5)))
    player.play((0.6, phone), *looks, (0.5, phone))
    s.leave(player.until(min(player.now + 0.5, s.seconds - 2)), -side, speed=1.1)
    return s.show([player, s.crossing(s.behind(v, 0.9), -side, s.between(-1, 4), 1.25)])


def sit(s: Stage) -> Script:
    """Somebody sits on a bench and looks at a phone; gets up and goes, or stays while another passes."""
    side, v = s.side(), s.depth(0.45, 0.8)
    x, z = s.place.spot(-side * s.between(0.1, 0.4), v)
    yaw = s.between(-25, 25)
    seat = on_floor(props.bench(), x, z, (1.5, 0.45), yaw)
    stand, edge, on = (ahead(x, z, yaw, reach) for reach in (0.42, 0.24, 0.06))
    player = s.enter(stand, s.between(1.6, 2.6), side, z=stand[1]).face(yaw, 0.8)
    half_way = 0.5, State(pose(poses.SIT, spine=(24, 0, 0)), *edge, yaw)
    player.slide(0.9, half_way, (1.0, State(poses.SIT, *on, yaw)))
    typing = pose(poses.SIT, l_wrist=(-0.02, -0.16, 0.20), r_wrist=(-0.08, -0.10, 0.17), head=(0, 26))
    looks = (0.5, pose(poses.SIT, head=(35, 4))), (0.6, pose(poses.SIT, head=(-30, 4)))
    player.repeat(s.seconds * s.between(0.65, 1.2), (0.5, typing), (0.9, typing), *looks)
    s.leave(player.slide(0.9, half_way, (1.0, State(REST, *stand, yaw))), -side)
    return s.show(
        [player, *s.perhaps(0.7, lambda: s.crossing(s.behind(v, -0.95), -side, s.between(0, 4), 1.2))], [seat]
    )


def deliver(s: Stage) -> Script:
    """A parcel is carried in with both arms and handed over; its new owner takes it away."""
    side, v = s.side(), s.depth()
    x, z = s.place.spot(-side * 0.15, v)
    taker = s.person((x, z), side * s.between(60, 85))
    give = pose(poses.CARRY, spine=(10, 0, 0), wrists=(-0.03, -0.08, 0.28))
    to, walks = x + side * 0.95, s.between(2.2, 3.0) - 0.9  # where the bringer stops, and after how many seconds
    gate = s.place.outside(side, z)[0]
    begin = gate if abs(gate - to) < max(walks, 0.2) * 1.15 else to + side * max(walks, 0.2) * 1.15
    bringer = s.person((begin, z), -side * 90.0).carry(poses.CARRY, ARMS, 0.01)
    bringer.wait(max(walks - abs(begin - to) / 1.15, 0.0)).walk((to, z), speed=1.15).toward(x, z, 0.4)
    s.pass_time(taker, bringer.now - 0.8).until(bringer.now - 0.5).rest(0.5)
    bringer.play((0.5, give)).play((0.5, REST)).carry(None, blend=0.0)
    handed = taker.play((0.5, give)).now
    taker.play((0.4, poses.CARRY)).carry(poses.CARRY, ARMS, 0.1)
    s.leave(bringer, side)
    s.leave(taker.until(min(handed + 1.2, s.seconds)), -side, speed=1.05)
    size = s.between(0.26, 0.36)

    def parcel(t: float) -> Thing:
        who = bringer if t < handed else taker
        joints = who.skeleton(t).joints
        x, y, z = (joints["l_hand"] + joints["r_hand"]) / 2
        return Thing(placed(props.crate(size), x, y - size * 0.35, z, who.state(t).yaw), moving=True)

    return s.show([bringer, taker], [parcel])


def sweep(s: Stage) -> Script:
    """A cleaner sweeps the floor, step by step."""
    side, v = s.side(), s.depth()
    x, z = s.place.spot(side * 0.45, v)
    player = s.person((x, z), -side * 75.0).play((0.4, poses.SWEEP))
    while player.now < s.seconds:
        player.play(*((0.45, poses.SWEEP_END), (0.45, poses.SWEEP)) * int(s.rng.integers(2, 4)))
        if abs(player.position[0] - x) < 1.6:
            step = player.position[0] - side * 0.35, z + s.between(-0.08, 0.08)
            player.shift(0.8, step, poses.SWEEP_END, poses.SWEEP)
    return s.show([player.wear(gear.broom)])


def hand_over(s: Stage) -> Script:
    """Two people meet; one gives the other some money or a note, they nod and part."""
    side, v = s.side(), s.depth()
    x, z = s.place.spot(s.between(-0.2, 0.2), v)
    giver = s.enter((x + side * 0.45, z), s.between(1.8, 2.6), side)
    taker = s.enter((x - side * 0.45, z), giver.now - 0.4, -side)
    s.pass_time(taker, giver.now)
    begin = max(giver.toward(x, z, 0.3).now, taker.toward(x, z, 0.3).now)
    giver.until(begin).play((0.7, poses.TEXT), (0.5, poses.GIVE), (0.4, poses.GIVE), (0.4, REST))
    taker.until(begin).wait(0.9)
    taker.play((0.5, poses.GIVE), (0.2, poses.GIVE), (0.5, poses.HOLD), (0.6, poses.HOLD), (0.4, REST))
    note = gear.packet((190, 200, 150), "r", 0.03)
    giver.wear(note, begin + 0.5, begin + 1.4)
    taker.wear(note, begin + 1.4, taker.now - 0.3)
    for player, way in ((giver, side), (taker, -side)):
        player.play((0.3, poses.LOOK_L if way > 0 else poses.LOOK_R), (0.3, REST))
        s.leave(player.until(min(player.now + s.between(0, 0.8), s.seconds)), way)
    return s.show([giver, taker])
