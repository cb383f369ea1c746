"""The networks as they are written give TensorFlow's own results, where these and the networks are at hand."""

from pathlib import Path

import numpy as np
import pytest

from vigil.features.networks import movenet, nanodet
from vigil.features.networks.runtime import open_network

PROJECT = Path(__file__).resolve().parents[3]
EXPECTED = PROJECT.parent / "shared/prototypes/networks/golden.npz"  # pictures are BGR in it

pytestmark = pytest.mark.skipif(not EXPECTED.exists(), reason="the results of TensorFlow are not on this machine")


def test_nanodet_equals_tensorflow_before_its_boxes_are_decoded(people_networks: Path) -> None:
    expected = np.load(EXPECTED)
    image = expected["nanodet|input_u8"][:, :, ::-1]
    cells = open_network(people_networks / nanodet.FILE)(nanodet.normalise(image))["stride32"][0].reshape(124, -1).T
    scores = 1 / (1 + np.exp(-cells[:, : nanodet.CLASSES]))
    assert np.abs(scores - expected["nanodet|Identity_2:0"][0]).max() < 2e-5
    assert np.abs(cells[:, nanodet.CLASSES :] - expected["nanodet|Identity_5:0"][0]).max() < 2e-5


def test_movenet_equals_tensorflow_with_its_joints_decoded(people_networks: Path) -> None:
    expected = np.load(EXPECTED)
    image = expected["movenet-thunder|input_u8"][:, :, ::-1].transpose(2, 0, 1)[None].astype(np.float32)
    joints = movenet.decode_joints(open_network(people_networks / movenet.FILE)(np.ascontiguousarray(image)))
    y_x_score = expected["movenet-thunder|Identity:0"][0, 0]
    assert np.abs(joints[:, [1, 0]] / 256 - y_x_score[:, :2]).max() < 2e-5
    assert np.abs(joints[:, 2] - y_x_score[:, 2]).max() < 2e-5
