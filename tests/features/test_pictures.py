"""Pictures out of stored frames: whole, of any size, the same whether kept or decoded anew."""

import pickle

import numpy as np
import pytest

from footage import FOLDER, filmed, grey, video
from vigil.core.errors import VigilError
from vigil.features import pictures
from vigil.features.frames import FrameArchive, encode_jpeg


@pytest.mark.parametrize("size", [32, 60, 61, 120, 128])
def test_every_size_shows_the_whole_frame(size: int) -> None:
    """Also where a JPEG is decoded at half its size."""
    image = np.zeros((120, 160, 3), np.uint8)
    image[:, 80:, 0] = 200  # red to the right
    image[60:, :, 2] = 100  # blue below
    square = pictures.decode_square(encode_jpeg(image, 95), size)
    assert square.shape == (size, size, 3)
    quarter = size // 4
    assert np.abs(square[:quarter, -quarter:].mean(axis=(0, 1)) - (200, 0, 0)).max() < 8
    assert np.abs(square[-quarter:, :quarter].mean(axis=(0, 1)) - (0, 0, 100)).max() < 8


@pytest.mark.parametrize("jpeg", [b"", b"nonsense", encode_jpeg(grey(9), 90)[:20]])
def test_a_frame_that_is_no_jpeg(jpeg: bytes) -> None:
    with pytest.raises(VigilError, match="no JPEG"):
        pictures.decode_square(jpeg, 32)


def test_what_is_kept_in_memory_changes_nothing() -> None:
    archive = FrameArchive(FOLDER / f"{filmed(video('one'), 8).video}.npz")
    none, some = pictures.Squares(32, limit=0), pictures.Squares(32, limit=3 * 32 * 32 * 3)
    for _ in range(2):
        for places in ([0, 1, 1], [4, 5, 6], [1, 5, 7]):
            assert np.array_equal(none(archive, places), some(archive, places))
    assert len(some._cache) == 3 and not none._cache
    assert not pickle.loads(pickle.dumps(some))._cache


def test_maps_of_other_sizes() -> None:
    truth = np.zeros((20, 20), np.uint8)
    truth[7, 12] = 1
    assert pictures.coarsen_truth(truth, 10).nonzero() == (3, 6)
    assert pictures.coarsen_truth(truth, 20).nonzero() == (7, 12)
    assert pictures.coarsen_truth(truth, 7).sum() >= 1  # nothing that moves is lost
    larger = pictures.coarsen_truth(truth, 40)
    assert larger.sum() == 4 and larger[14:16, 24:26].all()
