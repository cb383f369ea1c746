"""Following people in scenes whose answer is known: who is who, when detection runs, and who comes first."""

import pickle
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from bodies import BLANK, Scene, body, settings

from vigil.features.landmarks import topdown, tracks
from vigil.features.landmarks.blazepose import BodyEstimate
from vigil.features.landmarks.estimators import Settings
from vigil.features.landmarks.topdown import Candidate
from vigil.features.landmarks.tracks import START, Person, State

People = list[tuple[float, float, float]]
STEP_S = 0.125


def film(
    at: Callable[[int], People], frames: int, params: Settings, image: np.ndarray = BLANK
) -> tuple[Scene, list[tuple[Person, ...]]]:
    """What is seen in each frame of a scene."""
    scene, state, seen = Scene(), START, []
    for number in range(frames):
        scene.there = at(number)
        state, people = topdown.update(state, image, number * STEP_S, scene, scene.find, params)  # type: ignore[arg-type]
        seen.append(people)
    return scene, seen


def numbers(seen: Sequence[tuple[Person, ...]]) -> list[list[int]]:
    return [[person_seen.person for person_seen in people] for people in seen]


def test_nobody_is_nobody() -> None:
    scene, seen = film(lambda _: [], 9, settings(every_s=0.5))
    assert seen == [()] * 9
    assert (scene.looks, scene.finds) == (0, 3)


def test_somebody_who_walks_is_detected_now_and_then_and_followed_in_between() -> None:
    scene, seen = film(lambda n: [(60 + 15 * n, 120, 100)], 13, settings(every_s=0.5))
    assert numbers(seen) == [[0]] * 13
    assert scene.finds == 4
    assert scene.looks == 2 + 12  # two to begin with, one in every further frame
    assert [float(people[0].pose[12, 0]) for people in seen] == [60 + 15 * n for n in range(13)]
    assert seen[0][0].coverage == 1


def test_people_who_pass_each_other_stay_who_they_are() -> None:
    def at(n: int) -> People:
        left, right = (40 + 16 * n, 110, 100), (280 - 16 * n, 130, 110)
        return [left, right] if n not in (7, 8) else [right]  # the one behind is hidden

    _, seen = film(at, 16, settings(every_s=0.25))
    begin = {person_seen.person: person_seen.pose[12, 0] for person_seen in seen[0]}
    end = {person_seen.person: person_seen.pose[12, 0] for person_seen in seen[-1]}
    assert begin.keys() == end.keys() == {0, 1}
    assert all((begin[person] < 160) == (end[person] > 160) for person in begin)


@pytest.mark.parametrize(("gone", "same"), [(6, True), (12, False)])
def test_out_of_sight_for_up_to_a_second_is_the_same_person(gone: int, same: bool) -> None:
    _, seen = film(lambda n: [] if 8 <= n < 8 + gone else [(60 + 5 * n, 120, 100)], 30, settings(every_s=0.25))
    assert seen[9] == ()  # and nothing is made up meanwhile
    assert (seen[-1][0].person == 0) is same


@pytest.mark.parametrize(("fps", "finds"), [(2, 4), (4, 8), (6, 12), (8, 8), (15, 8), (25, 9)])
def test_detection_goes_by_seconds_at_any_rate(fps: int, finds: int) -> None:
    """Every 0.25 s in 2 s: of 6 frames a second each one, since a third of a second is as far off as a sixth; of 15
    every fourth, 0.267 s; of 25 every sixth, 0.24 s."""
    scene, state = Scene([(100, 120, 100)]), START
    for number in range(2 * fps):
        state, _ = topdown.update(state, BLANK, number / fps, scene, scene.find, settings(every_s=0.25))  # type: ignore[arg-type]
    assert scene.finds == finds


def test_nobody_is_carried_over_a_pause_and_numbers_go_on() -> None:
    times = [number * STEP_S for number in range(6)] + [100 + number * STEP_S for number in range(3)]
    people_seen, finds = [], []
    scene, state = Scene([(60, 120, 100)]), START
    for time_s in times:
        state, people = topdown.update(state, BLANK, time_s, scene, scene.find, settings(every_s=0.5, occlusion_s=1000))  # type: ignore[arg-type]
        people_seen.append([person_seen.person for person_seen in people])
        finds.append(scene.finds)
    assert people_seen == [[0]] * 6 + [[1]] * 3
    assert finds[5:7] == [2, 3]  # at once after the pause, although the last was only a frame ago
    assert state.moved is not None and state.moved.time_s == times[-1]


def test_a_loss_calls_for_a_detection_at_once() -> None:
    scene, seen = film(lambda n: [(60 if n < 3 else 200, 120, 100)], 4, settings(every_s=12.5))
    assert scene.finds == 2
    assert numbers(seen) == [[0], [0], [0], [1]]


def test_two_tracks_on_one_body_become_one() -> None:
    def at(n: int) -> People:
        return [(100, 120, 100), (160, 120, 100)] if n < 4 else [(100, 120, 100)]

    _, seen = film(at, 10, settings(every_s=0.375))
    assert numbers(seen)[0] == [0, 1]
    assert numbers(seen)[5:] == [[0]] * 5


def test_of_thirty_people_the_nearest_are_followed() -> None:
    everybody_drawn = [(20.0 + 10 * n, 60.0 + 4 * n, 30.0 + n) for n in range(30)]
    _, seen = film(lambda _: everybody_drawn, 5, settings(max_people=12, alike=0.9))
    lengths = sorted(float(person_seen.pose[8, 1] - person_seen.pose[12, 1]) / 0.9 for person_seen in seen[-1])
    assert len(lengths) == 12
    assert lengths == pytest.approx([48 + n for n in range(12)])


def test_a_picture_of_another_size_begins_anew() -> None:
    scene, state = Scene([(60, 120, 100)]), START
    people_seen = []
    for image in (BLANK, BLANK, BLANK[:200, :300], BLANK[:200, :300]):
        state, people = topdown.update(state, image, len(people_seen) * STEP_S, scene, scene.find, settings())  # type: ignore[arg-type]
        people_seen.append([person_seen.person for person_seen in people])
    assert people_seen == [[0], [0], [1], [1]]


def test_joints_outside_the_picture_have_no_place() -> None:
    _, seen = film(lambda _: [(12, 120, 100)], 1, settings())
    pose = seen[0][0].pose
    assert np.isnan(pose[2 + 2, :2]).all()  # the right elbow is 14 px left of the body's middle
    assert pose[4, 2] == 1  # what the network said of it stays
    assert seen[0][0].coverage == pytest.approx(11 / 13)


def test_the_state_is_all_there_is() -> None:
    def at(n: int) -> People:
        return [(40 + 9 * n, 110, 100), (280 - 9 * n, 130, 110)]

    def run(pause: int) -> list[tuple[int, bytes]]:
        state: State = START
        rows = []
        for number in range(20):
            if number % pause == 0:
                state = pickle.loads(pickle.dumps(state))
            scene = Scene(at(number))
            state, people = topdown.update(state, BLANK, number * STEP_S, scene, scene.find, settings())  # type: ignore[arg-type]
            rows += [(person_seen.person, person_seen.pose.tobytes()) for person_seen in people]
        return rows

    assert run(1) == run(7) == run(100)


def test_people_found_anew_in_each_frame_are_told_apart_too() -> None:
    state = START
    seen = []
    for number in range(16):
        places = [(40 + 16 * number, 90), (280 - 16 * number, 140)]
        bodies = [] if number == 5 else [(np.array([x, y, 125.0, 0]), body(x, y), 0.9) for x, y in places]
        state, _ = tracks.recall_tracks(state, BLANK, number * STEP_S, settings())
        state, people = tracks.follow_bodies(state, bodies[::-1] if number % 2 else bodies, number * STEP_S)
        seen.append({person_seen.person: float(person_seen.pose[12, 0]) for person_seen in people})
    assert seen[5] == {}
    assert seen[0] == {0: 40, 1: 280}
    assert seen[-1] == {0: 40 + 16 * 15, 1: 280 - 16 * 15}


class Sticky(Scene):
    """Sees the person at x = 100 wherever more than one can be seen, and whoever is in the window elsewhere."""

    def estimate(self, image: np.ndarray, region: np.ndarray, window: np.ndarray | None = None) -> BodyEstimate:
        everybody = self.there
        if window is not None:
            self.there = [person_seen for person_seen in everybody if window[0] < person_seen[0] < window[2]]
        else:
            self.there = [person_seen for person_seen in everybody if person_seen[0] == 100] or everybody
        estimate = super().estimate(image, region)
        self.there = everybody
        return estimate


def test_what_is_outside_the_box_is_not_shown_and_nobody_slips_into_the_neighbour() -> None:
    scene, state = Sticky([(100, 120, 100), (130, 120, 100)]), START
    for number in range(9):
        state, people = topdown.update(state, BLANK, number * STEP_S, scene, scene.find, settings(every_s=0.125))  # type: ignore[arg-type]
        assert [(person_seen.person, person_seen.pose[12, 0]) for person_seen in people] == [(0, 100), (1, 130)]


def test_a_box_limits_what_is_shown_and_the_track_says_where_to_look() -> None:
    class Noted(Scene):
        def estimate(self, image: np.ndarray, region: np.ndarray, window: np.ndarray | None = None) -> BodyEstimate:
            asked.append((float(region[2]), window is not None))
            return super().estimate(image, region, window)

    asked: list[tuple[float, bool]] = []
    scene = Noted([(100, 120, 100)])
    loose = Candidate(np.array([100, 120, 150.0, 0]), 0.9, np.array([70.0, 60, 130, 180]))
    state, _ = topdown.update(START, BLANK, 0.0, scene, lambda _: [loose], settings(every_s=0.125))  # type: ignore[arg-type]
    asked.clear()
    topdown.update(state, BLANK, STEP_S, scene, lambda _: [loose], settings(every_s=0.125))  # type: ignore[arg-type]
    assert asked == [(125.0, True)]  # the body's own size and not that of the box, but nothing beyond the box


def test_a_pose_that_leaves_its_box_is_no_start() -> None:
    scene = Scene([(100, 120, 100)])
    place = Candidate(np.array([100, 120, 125.0, 0]), 0.9, np.array([80.0, 130, 120, 170]))  # the box holds the legs
    for candidate, count in ((place, 0), (Candidate(place.region, 0.9), 1)):
        _, people = topdown.update(START, BLANK, 0.0, scene, lambda _, only=candidate: [only], settings())  # type: ignore[arg-type, misc]
        assert len(people) == count


@pytest.mark.parametrize(("angle", "boxed", "plain"), [(0.5, 1, 1), (1.5, 1, 0), (-1.5, 1, 0), (3.0, 0, 0)])
def test_who_lies_needs_a_box_and_nobody_stands_on_the_head(angle: float, boxed: int, plain: int) -> None:
    class Lying(Scene):
        def estimate(self, image: np.ndarray, region: np.ndarray, window: np.ndarray | None = None) -> BodyEstimate:
            estimate = super().estimate(image, region)
            return BodyEstimate(estimate.joints, estimate.region + (0, 0, 0, angle), estimate.presence)

    scene = Lying([(100, 120, 100)])
    for candidates, count in (
        (scene.find(BLANK), boxed),
        ([Candidate(candidate.region, 0.9) for candidate in scene.find(BLANK)], plain),
    ):
        _, people = topdown.update(START, BLANK, 0.0, scene, lambda _, places=candidates: places, settings())  # type: ignore[arg-type, misc]
        assert len(people) == count


def test_a_wide_box_is_looked_at_from_both_sides_too() -> None:
    class Turned(Scene):
        def estimate(self, image: np.ndarray, region: np.ndarray, window: np.ndarray | None = None) -> BodyEstimate:
            estimate = super().estimate(image, region)
            return estimate if region[3] > 1 else BodyEstimate(estimate.joints, estimate.region, 0.0)

    scene = Turned([(100, 120, 100)])
    for width, count in ((60.0, 0), (110.0, 1)):
        box = np.array([100 - width / 2, 70, 100 + width / 2, 170])
        place = Candidate(np.array([100, 120, 125.0, 0]), 0.9, box)
        scene.looks = 0
        _, people = topdown.update(START, BLANK, 0.0, scene, lambda _, only=place: [only], settings())  # type: ignore[arg-type, misc]
        assert len(people) == 0 or people[0].person == 0
        assert (scene.looks > 1) is (count == 1)


def test_who_is_followed_needs_no_box() -> None:
    scene, state = Scene([(100, 120, 100)]), START
    for number in range(8):
        find = scene.find if number == 0 else lambda _: []
        state, people = topdown.update(state, BLANK, number * STEP_S, scene, find, settings(every_s=0.25))  # type: ignore[arg-type]
    assert [person_seen.person for person_seen in people] == [0]


def test_who_may_be_furniture_must_move_or_have_been_somebody() -> None:
    scene, unsure = Scene([(100, 120, 100)]), settings(sure=0.6, every_s=0.125)
    rng = np.random.default_rng(0)
    noise = [np.clip(128 + rng.normal(0, 3, (240, 320, 3)), 0, 255).astype(np.uint8) for _ in range(6)]

    def doubtful(score: float) -> topdown.Finder:
        return lambda image: [replace(place, score=score) for place in scene.find(image)]

    def seen(images: list[np.ndarray], score: float) -> list[int]:
        state, counts = START, []
        for number, image in enumerate(images):
            state, people = topdown.update(state, image, number * STEP_S, scene, doubtful(score), unsure)  # type: ignore[arg-type]
            counts.append(len(people))
        return counts

    moving = [image.copy() for image in noise]
    for number, image in enumerate(moving[2:]):
        image[80:160, 90 + 5 * number : 100 + 5 * number] = 20
    assert seen(noise, 0.9) == [1] * 6
    assert seen(noise, 0.5) == [0] * 6
    assert seen(moving, 0.5) == [0, 0, 1, 1, 1, 1]

    state, _ = topdown.update(START, noise[0], 0.0, scene, scene.find, unsure)  # type: ignore[arg-type]
    people_drawn, scene.there = scene.there, []
    state, people = topdown.update(state, noise[1], STEP_S, scene, scene.find, unsure)  # type: ignore[arg-type]
    assert not people
    scene.there = people_drawn
    _, people = topdown.update(state, noise[2], 2 * STEP_S, scene, doubtful(0.5), unsure)  # type: ignore[arg-type]
    assert [person_seen.person for person_seen in people] == [0], "whoever was there a moment ago is looked for again"
