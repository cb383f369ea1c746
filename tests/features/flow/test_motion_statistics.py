"""Motion in numbers that depend on neither size nor rate: each is what it says."""

import numpy as np
import pytest

from vigil.features.flow.motion_statistics import PEOPLE_NAMES, STEP_NAMES, measure_people, measure_step, vector_lengths


def measures(velocity: np.ndarray, before: np.ndarray | None = None, elapsed_s: float = 1.0) -> dict[str, float]:
    return dict(zip(STEP_NAMES, measure_step(velocity.astype(np.float32), before, elapsed_s).tolist(), strict=True))


def test_a_tenth_of_the_picture_that_moves_is_in_the_mean_the_shares_and_the_maximum() -> None:
    velocity = np.zeros((10, 10, 2))
    velocity[0] = 0.3, -0.4
    assert measures(velocity) == measures(velocity) | {
        "speed_mean": pytest.approx(0.05),
        "speed_q50": 0.0,
        "speed_max": pytest.approx(0.5),
        "speed_over_0.4": pytest.approx(0.1),
        "speed_over_0.8": 0.0,
        "acceleration_max": 0.0,
    }


def test_acceleration_is_the_change_of_velocity_per_second() -> None:
    still, moving = np.zeros((8, 8, 2), np.float32), np.full((8, 8, 2), 0.3, np.float32)
    assert measures(moving, still, 0.1)["acceleration_mean"] == pytest.approx(3 * np.sqrt(2), rel=1e-5)


@pytest.mark.parametrize("size", [32, 64])
def test_divergence_and_curl_are_the_same_at_every_size(size: int) -> None:
    """x' = 0.5 x, y' = 0.5 y has divergence 1; a turn of 0.5 a second has curl 1."""
    down, across = np.mgrid[:size, :size] / size
    zoom = measures(0.5 * np.stack([across, down], axis=-1))
    turn = measures(0.5 * np.stack([-down, across], axis=-1))
    assert (zoom["divergence_mean"], zoom["curl_mean"]) == pytest.approx((1, 0), abs=1e-4)
    assert (turn["divergence_mean"], turn["curl_mean"]) == pytest.approx((0, 1), abs=1e-4)


def test_people_weigh_the_speed() -> None:
    velocity, heat = np.full((4, 4, 2), (0.3, 0.4), np.float32), np.zeros((4, 4), np.float32)
    heat[:, :2] = 1
    values = dict(zip(PEOPLE_NAMES, measure_people(velocity, heat).tolist(), strict=True))
    assert values == pytest.approx(
        {"people_mean": 0.5, "people_crowded": 0.5, "people_speed_mean": 0.25, "people_speed_max": 0.5}
    )


def test_lengths_have_the_same_bytes_wherever_the_vectors_lie_in_memory() -> None:
    rng = np.random.default_rng(0)
    spread = 10 ** rng.uniform(-8, 0, size=(64, 64, 1))  # most of a picture hardly moves
    vectors = (rng.normal(size=(64, 64, 2)) * spread).astype(np.float32)
    results, held = set[bytes](), list[np.ndarray]()
    for _ in range(300):
        held.append(np.empty(rng.integers(1, 50_000), np.uint8))  # so that what is allocated next lies elsewhere
        results.add(vector_lengths(vectors.copy()).tobytes())
    assert len(results) == 1
    assert np.allclose(vector_lengths(vectors), np.hypot(vectors[..., 0], vectors[..., 1]))
