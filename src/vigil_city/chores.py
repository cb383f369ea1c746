"""More of normal life: people sit, deliver, sweep, and hand each other things."""

import numpy as np

from vigil_city import gear, props
from vigil_city.acting import Player, ahead, cast
from vigil_city.blocking import Span, arrive, leave, pass_time, side_of
from vigil_city.body import ARMS, REST, pose
from vigil_city.everyday import ANY, Scene, crossing, depth
from vigil_city.places import Place
from vigil_city.poses import CARRY, GIVE, HOLD, LOOK_L, LOOK_R, SIT, SWEEP, SWEEP_END, TEXT
from vigil_city.scene import Moment, Part, Script, Thing
from vigil_city.shapes import footprint, rod


def sit(rng: np.random.Generator, place: Place, seconds: float, _span: Span) -> Script:
    """Somebody sits on a bench and looks at a phone; gets up and goes, or stays while another passes."""
    side, v = side_of(rng), depth(rng, place, 0.45, 0.8)
    x, z = place.spot(-side * float(rng.uniform(0.1, 0.4)), v)
    yaw = float(rng.uniform(-25, 25))
    seat = Thing(props.bench(x, z, yaw), shadow=footprint(x, z, 1.5, 0.45, yaw))
    stand = ahead(x, z, yaw, 0.42)
    player = arrive(rng, place, stand, float(rng.uniform(1.6, 2.6)), side, role="bystander", z=stand[1])
    player.face(yaw, 0.8)
    on = ahead(x, z, yaw, 0.06)
    down = pose(SIT, spine=(24, 0, 0))
    player.slide(0.9, (0.5, *ahead(x, z, yaw, 0.24), yaw, down), (1.0, *on, yaw, SIT))
    typing = pose(SIT, l_wrist=(-0.02, -0.16, 0.20), r_wrist=(-0.08, -0.10, 0.17), head=(0, 26))
    until = seconds * float(rng.uniform(0.65, 1.2))
    player.repeat(until, (0.5, typing), (0.9, typing), (0.5, pose(SIT, head=(35, 4))), (0.6, pose(SIT, head=(-30, 4))))
    player.slide(0.9, (0.5, *ahead(x, z, yaw, 0.24), yaw, down), (1.0, *stand, yaw, REST))
    leave(player, place, -side)
    players = [player]
    if rng.random() < 0.7:
        players.append(
            crossing(rng, place, max(v - 0.95 / (place.near - place.far), 0.05), -side, float(rng.uniform(0, 4)), 1.2)
        )
    return lambda t: Moment(cast(t, players), [seat])


def deliver(rng: np.random.Generator, place: Place, seconds: float, _span: Span) -> Script:
    """A parcel is carried in with both arms and handed over; its new owner takes it away."""
    side, v = side_of(rng), depth(rng, place)
    x, z = place.spot(-side * 0.15, v)
    taker = Player(rng, x, z, side * float(rng.uniform(60, 85)))
    give = pose(CARRY, spine=(10, 0, 0), l_wrist=(-0.03, -0.08, 0.28), r_wrist=(-0.03, -0.08, 0.28))
    bringer = arrive_carrying(rng, place, (x + side * 0.95, z), float(rng.uniform(2.2, 3.0)), side)
    bringer.toward(x, z, 0.4)
    pass_time(rng, taker, bringer.now - 0.8)
    taker.until(bringer.now - 0.5)
    taker.rest(0.5)
    bringer.play((0.5, give))
    taker.play((0.5, give))
    handed = taker.now
    bringer.play((0.5, REST))
    taker.play((0.4, CARRY))
    bringer.carry(None, blend=0.0)
    taker.carry(CARRY, ARMS, 0.1)
    leave(bringer, place, side)
    taker.until(min(handed + 1.2, seconds))
    leave(taker, place, -side, speed=1.05)
    size = float(rng.uniform(0.26, 0.36))

    def script(t: float) -> Moment:
        who = bringer if t < handed else taker
        j = who.skeleton(t).joints
        m = (j["l_hand"] + j["r_hand"]) / 2
        parcel = props.crate(float(m[0]), float(m[2]), size, who.state(t).yaw, y=float(m[1]) - size * 0.35)
        return Moment(cast(t, [bringer, taker]), [Thing(parcel, moving=True)])

    return script


def arrive_carrying(rng: np.random.Generator, place: Place, to: tuple[float, float], by: float, side: int) -> Player:
    """Somebody who walks in with both arms full."""
    x, z = place.outside(side, to[1])
    reach = max(by - 0.9, 0.2) * 1.15
    start = (x, z) if abs(x - to[0]) < reach else (to[0] + side * reach, to[1])
    player = Player(rng, *start, -side * 90.0)
    player.carry(CARRY, ARMS, 0.01)
    return_by = max(by - 0.9 - abs(start[0] - to[0]) / 1.15, 0.0)
    player.wait(return_by)
    player.walk(to, speed=1.15)
    return player


def sweep(rng: np.random.Generator, place: Place, seconds: float, _span: Span) -> Script:
    """A cleaner sweeps the floor, step by step."""
    side, v = side_of(rng), depth(rng, place)
    x, z = place.spot(side * 0.45, v)
    player = Player(rng, x, z, -side * 75.0)
    player.play((0.4, SWEEP))
    while player.now < seconds:
        player.play(*((0.45, SWEEP_END), (0.45, SWEEP)) * int(rng.integers(2, 4)))
        if abs(player.where[0] - x) < 1.6:
            player.shift(0.8, (player.where[0] - side * 0.35, z + float(rng.uniform(-0.08, 0.08))), SWEEP_END, SWEEP)

    def broom(t: float) -> list[Part]:
        j = player.skeleton(t).joints
        upper, lower = j["l_hand"], j["r_hand"]
        along = (lower - upper) / max(float(np.linalg.norm(lower - upper)), 1e-6)
        along = along * 0.5 + np.array([0, -0.8, 0])
        foot = lower + along * (max(float(lower[1]), 0.05) - 0.03) / max(-float(along[1]), 0.2)
        return [
            rod(upper - along * 0.25, foot, 0.014, (176, 140, 92)),
            rod(foot + (-0.14, 0.02, 0), foot + (0.14, 0.02, 0), 0.04, (150, 60, 50)),
        ]

    def script(t: float) -> Moment:
        figures = cast(t, [player])
        figures[0].extra.extend(broom(t))
        return Moment(figures)

    return script


def hand_over(rng: np.random.Generator, place: Place, seconds: float, _span: Span) -> Script:
    """Two people meet; one gives the other some money or a note, they nod and part."""
    side, v = side_of(rng), depth(rng, place)
    x, z = place.spot(float(rng.uniform(-0.2, 0.2)), v)
    one = arrive(rng, place, (x + side * 0.45, z), float(rng.uniform(1.8, 2.6)), side, role="bystander")
    two = arrive(rng, place, (x - side * 0.45, z), one.now - 0.4, -side, role="bystander")
    pass_time(rng, two, one.now)
    one.toward(x, z, 0.3)
    two.toward(x, z, 0.3)
    begin = max(one.now, two.now)
    for p in (one, two):
        p.until(begin)
    one.play((0.7, TEXT), (0.5, GIVE), (0.4, GIVE), (0.4, REST))
    two.wait(0.9)
    two.play((0.5, GIVE), (0.2, GIVE), (0.5, HOLD), (0.6, HOLD), (0.4, REST))
    one.wear(gear.packet((190, 200, 150), "r", 0.03), begin + 0.5, begin + 1.4)
    two.wear(gear.packet((190, 200, 150), "r", 0.03), begin + 1.4, two.now - 0.3)
    for p, way in ((one, side), (two, -side)):
        p.play((0.3, LOOK_L if way > 0 else LOOK_R), (0.3, REST))
        p.until(min(p.now + float(rng.uniform(0, 0.8)), seconds))
        leave(p, place, way)
    return lambda t: Moment(cast(t, [one, two]))


CHORES: dict[str, tuple[Scene, tuple[str, ...]]] = {
    "sit": (sit, ("lobby", "plaza", "platform", "street")),
    "deliver": (deliver, ("shop", "lobby", "bank", "house", "carpark", "street")),
    "sweep": (sweep, ANY),
    "hand_over": (hand_over, ANY),
}
