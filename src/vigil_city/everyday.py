"""What normal people do: walk, jog, wait, talk, stoop, carry a bag, phone."""

from collections.abc import Callable

import numpy as np

from vigil_city import gear, props
from vigil_city.acting import Player, ahead, cast
from vigil_city.blocking import Span, arrive, chat, leave, pass_time, side_of
from vigil_city.body import REST, pose
from vigil_city.places import Place
from vigil_city.poses import LOOK_R, PHONE, STOOP
from vigil_city.props import COLOURS
from vigil_city.scene import Moment, Script, Thing
from vigil_city.shapes import footprint

CARRY_SIDE = pose(r_wrist=(0.05, -0.31, 0.02))  # an arm that hangs with a load


def colour(rng: np.random.Generator) -> tuple[float, float, float]:
    r, g, b = COLOURS[int(rng.integers(len(COLOURS)))]
    return float(r), float(g), float(b)


def depth(rng: np.random.Generator, place: Place, low: float = 0.15, high: float = 0.7) -> float:
    """A v at which people are large enough to read: near in a wide place."""
    return float(rng.uniform(low, high)) * min(1.0, 2.6 / (place.near - place.far))


def lanes(rng: np.random.Generator, place: Place, count: int) -> list[float]:
    """The v of ways across the picture, at least 0.75 m apart, near ones first."""
    room = min(place.near - place.far, 3.2 if count > 1 else 2.6)
    count = min(count, 1 + int(room / 0.65))
    step = min(0.75, room / count)
    first = float(rng.uniform(0.1, max(room - step * (count - 1), 0.12)))
    return [(first + step * k) / (place.near - place.far) for k in range(count)]


def crossing(
    rng: np.random.Generator, place: Place, v: float, side: int, start: float, speed: float, run: bool = False
) -> Player:
    """Comes in on `side` at `start` seconds (before 0: is already on the way) and goes out on the other."""
    a, b = (
        place.outside(side, place.spot(0, v)[1]),
        place.outside(-side, place.spot(0, v)[1] + float(rng.uniform(-0.2, 0.2))),
    )
    if start < 0:
        share = min(-start * speed / max(np.hypot(b[0] - a[0], b[1] - a[1]), 0.1), 0.8)
        a = a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share
    player = Player(rng, *a, -side * 90.0)
    player.until(max(start, 0.0))
    player.walk(b, speed=speed, run=run)
    return player


def walk(rng: np.random.Generator, place: Place, seconds: float, _span: Span) -> Script:
    """Two to four people walk through, one after the other or towards each other."""
    players, begin = [], float(rng.uniform(-2.5, 0.0))
    for v in rng.permutation(lanes(rng, place, int(rng.integers(2, 5)))):
        players.append(crossing(rng, place, float(v), side_of(rng), begin, float(rng.uniform(0.9, 1.5))))
        begin = min(begin + float(rng.uniform(0.6, 3.0)), seconds - 2.0)
    return lambda t: Moment(cast(t, players))


def jog(rng: np.random.Generator, place: Place, seconds: float, _span: Span) -> Script:
    """A lone jogger comes through, and back again; somebody else walks."""
    near, far = lanes(rng, place, 2)
    side, speed = side_of(rng), float(rng.uniform(2.3, 2.9))
    jogger = crossing(rng, place, near, side, float(rng.uniform(0.3, 1.2)), speed, run=True)
    jogger.until(max(jogger.now, seconds * 0.55))
    jogger.walk(place.outside(side, jogger.where[1]), speed=speed, run=True)
    walker = crossing(rng, place, far, -side, float(rng.uniform(-2.0, 2.0)), float(rng.uniform(0.9, 1.3)))
    return lambda t: Moment(cast(t, [jogger, walker]))


def wait(rng: np.random.Generator, place: Place, seconds: float, _span: Span) -> Script:
    """One to three people stand about, with phones or looking round; one comes, another may go."""
    count, side = int(rng.integers(1, 4)), side_of(rng)
    us = side * (np.linspace(0.65, -0.65, count) if count > 1 else np.array([rng.uniform(-0.3, 0.4)]))
    players = []
    for k, u in enumerate(us):
        spot = place.spot(float(u), depth(rng, place))
        if k == 0:
            player = arrive(rng, place, spot, float(rng.uniform(1.5, 3.0)), side, role="bystander")
            player.face(float(rng.uniform(-50, 50)))
        else:
            player = Player(rng, *spot, float(rng.uniform(-70, 70)))
        leaves = 0 < k == count - 1 and rng.random() < 0.6
        pass_time(rng, player, seconds * 0.6 if leaves else seconds)
        if leaves:
            player.rest(0.4)
            leave(player, place, -side)
        players.append(player)
    return lambda t: Moment(cast(t, players))


def talk(rng: np.random.Generator, place: Place, seconds: float, _span: Span) -> Script:
    """Two people talk; one walks off in the end, or somebody passes behind them."""
    v, u = depth(rng, place, 0.1, 0.6), float(rng.uniform(-0.3, 0.3))
    (x, z), gap = place.spot(u, v), float(rng.uniform(0.9, 1.15))
    left = Player(rng, x - gap / 2, z, 90 + float(rng.uniform(-35, 10)))
    right = Player(rng, x + gap / 2, z + float(rng.uniform(-0.15, 0.15)), -90 + float(rng.uniform(-10, 35)))
    players, stop = [left, right], seconds * float(rng.uniform(0.6, 1.1))
    for p in players:
        p.wait(float(rng.uniform(0, 0.6)))
        chat(rng, p, stop)
    right.rest(0.3)
    leave(right, place, 1)
    if rng.random() < 0.6:
        behind = min(v + 1.0 / (place.near - place.far), 1.0)
        players.append(
            crossing(rng, place, behind, side_of(rng), float(rng.uniform(-1, 3)), float(rng.uniform(1.0, 1.4)))
        )
    return lambda t: Moment(cast(t, players))


def stoop(rng: np.random.Generator, place: Place, _seconds: float, _span: Span) -> Script:
    """Somebody who walks drops a bag, stoops for it and goes on; or ties a shoe."""
    side, v = side_of(rng), depth(rng, place)
    spot = place.spot(float(rng.uniform(-0.25, 0.25)), v)
    player = arrive(rng, place, spot, float(rng.uniform(2.0, 3.2)), side, role="bystander", speed=1.2)
    tone, kind = colour(rng), ("handbag", "backpack")[int(rng.integers(2))]
    player.face(-side * float(rng.uniform(30, 90)), 0.4)
    x, z = ahead(*spot, player.heading, 0.32, -0.14)
    player.play((0.9, pose(STOOP, head=(0, 0))), (0.25, STOOP))
    down = player.now
    player.play((0.9, REST), (0.6, LOOK_R), (0.5, REST), (0.9, STOOP), (0.2, STOOP))
    up = player.now
    player.carry(CARRY_SIDE, ("r_wrist",), 0.9)
    leave(player, place, -side)
    lying = Thing(props.bag(x, 0, z, player.heading, tone, kind=kind), "bag", shadow=footprint(x, z, 0.3, 0.2))

    def script(t: float) -> Moment:
        if down <= t < up:
            return Moment(cast(t, [player]), [lying])
        return Moment(cast(t, [player]), [Thing(gear.in_hand(player.skeleton(t), tone, kind), "bag", moving=True)])

    return script


def carry_bag(rng: np.random.Generator, place: Place, _seconds: float, _span: Span) -> Script:
    """Somebody walks through with a bag of their own; another passes."""
    near, far = lanes(rng, place, 2)
    side, tone = side_of(rng), colour(rng)
    kind = ("handbag", "holdall")[int(rng.integers(2))]
    player = crossing(rng, place, near, side, float(rng.uniform(-1.5, 0.5)), float(rng.uniform(0.95, 1.3)))
    other = crossing(rng, place, far, -side, float(rng.uniform(0, 4)), float(rng.uniform(1.0, 1.4)))

    def script(t: float) -> Moment:
        return Moment(
            cast(t, [player, other]), [Thing(gear.in_hand(player.skeleton(t), tone, kind), "bag", moving=True)]
        )

    return script


def phone_walk(rng: np.random.Generator, place: Place, seconds: float, _span: Span) -> Script:
    """Walks in on the phone, stops, looks round for the way, and goes on."""
    side, v = side_of(rng), depth(rng, place)
    player = arrive(rng, place, place.spot(float(rng.uniform(-0.2, 0.3)) * side, v), 2.6, side, role="bystander")
    player.carry(PHONE, ("r_wrist", "r_elbow"), 0.5)
    player.play(
        (0.6, PHONE),
        (0.8, pose(PHONE, head=(45, 5), spine=(2, 14, 0))),
        (0.8, pose(PHONE, head=(-40, 5))),
        (0.5, PHONE),
    )
    player.until(min(player.now + 0.5, seconds - 2))
    leave(player, place, -side, speed=1.1)
    other = crossing(rng, place, min(v + 0.9 / (place.near - place.far), 1.0), -side, float(rng.uniform(-1, 4)), 1.25)
    return lambda t: Moment(cast(t, [player, other]))


ANY = ("shop", "street", "carpark", "lobby", "bank", "plaza", "house", "platform")
Scene = Callable[[np.random.Generator, Place, float, Span], Script]
EVERYDAY: dict[str, tuple[Scene, tuple[str, ...]]] = {
    "walk": (walk, ANY),
    "jog": (jog, ("street", "carpark", "plaza", "house", "platform")),
    "wait": (wait, ANY),
    "talk": (talk, ANY),
    "stoop": (stoop, ANY),
    "carry_bag": (carry_bag, ANY),
    "phone_walk": (phone_walk, ANY),
}
