"""The primitives by which acts show things: what is seen at which time, and who starts where on the way."""

import pytest

from vigil_city.acts.staging import changing, flashing
from vigil_city.places.place import length, rest_of_way
from vigil_city.scene import Thing


def test_a_thing_is_the_last_of_those_whose_time_has_come():
    whole, broken = Thing([]), Thing([])
    held = [Thing([]) for _ in range(10)]
    shown = changing(None, (1.0, whole), (2.0, broken), (3.0, lambda t: held[int(t)]), (5.0, None))
    assert [shown(t) for t in (0.0, 0.999, 5.0)] == [None, None, None]
    assert shown(1.0) is shown(1.999) is whole  # the same instance, so that it is drawn only once
    assert shown(2.0) is broken
    assert shown(3.5) is held[3] and shown(4.5) is held[4]


def test_a_flash_is_bright_for_a_frame():
    bright = flashing([1.0, 2.0])
    assert [bright(t) for t in (0.99, 1.0, 1.08, 1.1, 2.05, 2.2)] == [False, True, True, False, True, False]


@pytest.mark.parametrize(
    ("metres", "left"),
    [
        (-1.0, [(0, 0), (3, 0), (3, 4)]),
        (1.0, [(1, 0), (3, 0), (3, 4)]),
        (3.0, [(3, 0), (3, 4)]),
        (5.0, [(3, 2), (3, 4)]),
        (9.0, [(3, 4), (3, 4)]),  # no further than to its end
    ],
)
def test_what_is_left_of_a_way_after_some_metres(metres: float, left: list[tuple[float, float]]):
    start, *points = rest_of_way((0, 0), [(3, 0), (3, 4)], metres)
    assert [start, *points] == left
    assert length(start, points) == pytest.approx(7 - min(max(metres, 0), 7))
