"""What is wrong with a camera's picture is told, and nothing else is: on drawn views that H.264 has coded."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from views import FPS, SIZE, coded, scene, with_noise, with_walker

from vigil.capture.frames import Ailment, Black, Covered, Frame, Frozen, Moved
from vigil.capture.health.monitor import HealthParams, HealthState, update_health
from vigil.capture.health.spells import Spell, update_spell
from vigil.footage.video.reading import read_frames

QUICK = HealthParams(frozen_s=60)
BEGUN = datetime(2026, 11, 28, 22, 0, tzinfo=UTC)


def watch(
    images: Iterable[np.ndarray], state: HealthState | None = None, begin_s: int = 0
) -> tuple[HealthState, list[Ailment]]:
    """Folds over pictures, FPS a second."""
    state, told = state or HealthState(), list[Ailment]()
    for number, image in enumerate(images):
        time_s = begin_s + Fraction(number, FPS)
        frame = Frame(number, time_s, BEGUN + timedelta(seconds=float(time_s)), image, 0, image.shape[1::-1])
        state, ailments = update_health(state, frame, QUICK)
        told += ailments
    return state, told


def living(image: np.ndarray, seconds: int, seed: int = 0) -> list[np.ndarray]:
    """A view with noise, and with a walker at times."""
    steps = range(seconds * FPS)
    return [with_noise(with_walker(image, step) if step // 40 % 2 else image, seed * 9999 + step) for step in steps]


def test_a_camera_that_lives_has_nothing() -> None:
    _, told = watch(coded(living(scene(1), 150)))
    assert told == []


@pytest.mark.parametrize("gop", [1, 2, 4, 20])
def test_a_picture_that_stands_still_is_frozen_and_then_not(gop: int) -> None:
    passing = [with_walker(image, step) for step, image in enumerate(living(scene(1), 20))]
    images = passing + [passing[-1]] * (90 * FPS) + passing[: 10 * FPS]
    _, told = watch(coded(images, gop))
    assert [type(ailment) for ailment in told] == [Frozen, Frozen]
    begins, ends = told
    assert 19 <= begins.since_s < 31  # an encoder still refines the picture for a while
    assert begins.time_s - begins.since_s == pytest.approx(60, abs=1)
    assert ends.is_over
    assert ends.time_s == pytest.approx(110, abs=1)


def test_a_night_without_noise_in_which_somebody_passes_now_and_then_is_not_frozen() -> None:
    dark = (scene(2) * 0.4).astype(np.uint8)
    images = [with_walker(dark, step) if step % (50 * FPS) > 47 * FPS else dark for step in range(300 * FPS)]
    _, told = watch(coded(images))
    assert told == []


def test_a_camera_that_was_still_for_long_before_is_given_more_time() -> None:
    image = scene(2)
    quiet = [with_walker(image, step) if step % (55 * FPS) > 52 * FPS else image for step in range(110 * FPS)]
    _, told = watch(coded([*quiet, *[image] * (150 * FPS)]))
    assert told == []
    _, told = watch(coded([*quiet, *[image] * (200 * FPS)]))
    assert [type(ailment) for ailment in told] == [Frozen]


def test_no_light_is_black_and_nothing_else() -> None:
    black = [with_noise(np.full((SIZE[1], SIZE[0], 3), 8, np.uint8), step) for step in range(90 * FPS)]
    _, told = watch(coded([*living(scene(1), 20), *black, *living(scene(1), 15, 1)]))
    assert [(type(ailment), ailment.is_over) for ailment in told] == [(Black, False), (Black, True)]
    assert told[0].since_s == pytest.approx(20, abs=1)
    assert told[0].time_s == pytest.approx(25, abs=1)


def test_a_street_at_night_with_a_lamp_is_not_black() -> None:
    night = (scene(1) * 0.1).astype(np.uint8)
    cv2.circle(night, (60, 60), 24, (250, 240, 200), -1)
    _, told = watch(coded(living(night, 60)))
    assert told == []


@pytest.mark.parametrize("how", ["hand", "spray", "defocus"])
def test_details_that_are_lost_at_once_are_a_cover(how: str) -> None:
    plain = np.full((SIZE[1], SIZE[0], 3), 120, np.uint8)
    covers = {
        "hand": (plain * np.linspace(0.6, 1.3, SIZE[0])[:, None]).astype(np.uint8),
        "spray": cv2.addWeighted(scene(1), 0.08, plain, 0.92, 0),
        "defocus": cv2.GaussianBlur(scene(1), (0, 0), 9),
    }
    covered = [with_noise(covers[how], step) for step in range(30 * FPS)]
    _, told = watch(coded([*living(scene(1), 30), *covered, *living(scene(1), 15, 1)]))
    assert [(type(ailment), ailment.is_over) for ailment in told] == [(Covered, False), (Covered, True)]
    assert told[0].since_s == pytest.approx(30, abs=1)
    assert told[1].time_s == pytest.approx(62, abs=1.5)


def test_dusk_is_no_cover_and_no_move() -> None:
    levels = np.linspace(1.0, 0.35, 240 * FPS)
    image = scene(3)
    _, told = watch(coded(with_noise((image * level).astype(np.uint8), step) for step, level in enumerate(levels)))
    assert told == []


def test_a_lamp_that_is_switched_on_is_no_move() -> None:
    image = scene(3)
    _, told = watch(coded([*living((image * 0.45).astype(np.uint8), 40), *living(image, 40, 1)]))
    assert told == []


@pytest.mark.parametrize(("right", "down"), [(32, 0), (-16, 10), (60, -20)])
def test_a_camera_that_is_pushed_has_moved_by_so_much(right: int, down: int) -> None:
    wide = scene(4, (SIZE[0] + 160, SIZE[1] + 80))
    before = wide[40 : 40 + SIZE[1], 80 : 80 + SIZE[0]]
    after = wide[40 - down : 40 - down + SIZE[1], 80 - right : 80 - right + SIZE[0]]
    _, told = watch(coded([*living(before, 40), *living(after, 30, 1)]))
    assert [type(ailment) for ailment in told] == [Moved]
    assert isinstance(told[0], Moved)
    assert told[0].shift_px == pytest.approx((right, down), abs=3)
    assert told[0].since_s == pytest.approx(40, abs=1)
    assert told[0].time_s == pytest.approx(50, abs=1)


def test_a_camera_that_is_turned_away_has_moved_until_that_is_usual_or_it_is_turned_back() -> None:
    _, told = watch(coded([*living(scene(5), 40), *living(scene(6), 100, 1), *living(scene(5), 20, 2)]))
    moves = [(type(ailment), ailment.is_over, float(ailment.time_s)) for ailment in told]
    assert [move[:2] for move in moves] == [(Moved, False), (Moved, True), (Moved, False)]
    assert moves[1][2] == pytest.approx(110, abs=2)
    _, told = watch(coded([*living(scene(5), 40), *living(scene(6), 30, 1), *living(scene(5), 20, 2)]))
    assert [(type(ailment), ailment.is_over) for ailment in told] == [(Moved, False), (Moved, True)]


def test_a_camera_that_was_turned_while_it_was_gone_has_moved() -> None:
    state, told = watch(coded(living(scene(5), 40)))
    assert told == []
    _, told = watch(coded(living(scene(6), 20, 1)), state, begin_s=4000)
    assert [type(ailment) for ailment in told] == [Moved]


def test_a_lorry_before_a_third_of_the_picture_is_no_move() -> None:
    image = scene(7)
    images = living(image, 120)
    for step in range(40 * FPS, 80 * FPS):
        images[step] = images[step].copy()
        images[step][40:, 100:210] = with_noise(np.full((SIZE[1] - 40, 110, 3), 180, np.uint8), step)
    _, told = watch(coded(images))
    assert told == []


@given(st.lists(st.booleans(), min_size=1, max_size=60), st.integers(0, 5), st.integers(0, 5))
def test_spells_begin_and_end_in_turn_and_last_as_long_as_asked(flags: list[bool], begin_s: int, end_s: int) -> None:
    spell, turns = Spell(), list[bool]()
    for time, is_so in enumerate(flags):
        spell, has_turned = update_spell(spell, is_so, Fraction(time), begin_s, end_s)
        if has_turned:
            turns.append(spell.is_on)
            wait = begin_s if spell.is_on else end_s
            assert all(flag == is_so for flag in flags[time - wait : time + 1])
    assert turns == [number % 2 == 0 for number in range(len(turns))]


@pytest.mark.slow
def test_two_real_streets_have_nothing(real_data: Path) -> None:
    for path in sorted((real_data / "pedestrians").iterdir()):
        state, told, due = HealthState(), list[Ailment](), Fraction(0)
        for frame in read_frames(path):
            if frame.time_s < due:
                continue
            due = frame.time_s + Fraction(1, 2)
            utc = BEGUN + timedelta(seconds=float(frame.time_s))
            state, ailments = update_health(state, Frame(frame.index, frame.time_s, utc, frame.image, 0, frame.size))
            told += ailments
        assert told == [], path.name
