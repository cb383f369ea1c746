"""The middle layers of MoveNet have a place for every 16 px, and see the same wherever in the picture it is."""

from pathlib import Path

import numpy as np

from vigil.features.networks.middle import CHANNELS, Middle


def test_what_moves_by_four_places_moves_by_four_places(people_networks: Path) -> None:
    look = Middle(people_networks, 256)
    image = np.random.default_rng(0).integers(0, 255, (192, 256, 3), dtype=np.uint8)
    image[:, 128:] = 0
    maps, moved = look(image), look(np.roll(image, 64, axis=1))
    assert maps.shape == (CHANNELS, 12, 16) and maps.dtype == np.float32
    first = CHANNELS // 2  # of the layer that sees less far
    np.testing.assert_allclose(maps[:first, 4:8, 3], moved[:first, 4:8, 7], atol=1e-4)
    assert np.abs(maps[:first, 4:8, 3] - moved[:first, 4:8, 6]).max() > 0.1
    np.testing.assert_array_equal(look(image), maps)


def test_a_picture_of_any_shape_is_filled_up_with_black(people_networks: Path) -> None:
    look = Middle(people_networks, 256)
    image = np.random.default_rng(0).integers(0, 255, (144, 250, 3), dtype=np.uint8)
    assert look(image).shape == (CHANNELS, 10, 16), "147 of 160 px are its own"
    assert look(np.zeros((400, 100, 3), np.uint8)).shape == (CHANNELS, 16, 4)
