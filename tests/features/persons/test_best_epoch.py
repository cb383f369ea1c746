"""Which epoch is kept, when a training ends, and how the epochs are measured."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from detectors import SIDE, detector
from torch import Tensor, nn

from vigil.features.persons.best_epoch import BestEpoch, mean_average_precision
from vigil.features.persons.detector import FAINT, Detector
from vigil.features.persons.training_boxes import Picture
from vigil.features.persons.transfer import describe_transfer


def after(patience: int, values: list[float]) -> BestEpoch:
    best, weight = BestEpoch(patience), torch.zeros(1)
    for number, value in enumerate(values, 1):
        weight.fill_(number)  # as a training changes its own
        best.add(value, {"w": weight})
    return best


@pytest.mark.parametrize(
    ("values", "epoch", "is_over"),
    [([0.0], 1, False), ([0.1, 0.3, 0.2], 2, False), ([0.1, 0.3, 0.3, 0.2], 2, True), ([0.3, 0.2, 0.4], 3, False)],
)
def test_the_best_epoch_is_kept_until_patience_ends(values: list[float], epoch: int, is_over: bool) -> None:
    best = after(2, values)
    assert (best.epoch, best.is_over, best.weights["w"].item()) == (epoch, is_over, epoch)


def test_it_goes_on_where_it_was() -> None:
    other = BestEpoch(2)
    other.resume(after(2, [0.1, 0.3, 0.2]).state())
    other.add(0.25, {"w": torch.tensor([4.0])})
    assert (other.epoch, other.is_over, other.weights["w"].item()) == (2, True, 2)


class Fixed(nn.Module):
    """Ultralytics' way of saying what is found: the same in every picture."""

    def __init__(self, rows: list[list[float]]) -> None:
        super().__init__()
        self.model = nn.ModuleList([nn.Linear(1, 1)])
        self.table = torch.tensor(rows).T[None]

    def forward(self, pictures: Tensor) -> tuple[Tensor, None]:
        return self.table, None


def test_epochs_are_measured_as_the_detector_is(tmp_path: Path) -> None:
    """A cat is found where it is, a dog is found beside itself: 1 and 0; a cow is nowhere to be found, and left out."""
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((SIDE, SIDE, 3), np.uint8))
    boxes = np.array([[16, 16, 32, 32], [40, 40, 60, 60]]) / SIDE
    picture = Picture(tmp_path / "a.png", None, "a", "a", np.array(["cat", "dog"]), boxes, np.ones(2))
    rows = [[24.0, 24, 16, 16, 0.9, 0, 0], [20.0, 50, 20, 20, 0, 0.8, 0]]
    network, classes = Fixed(rows), ("cat", "dog", "cow")
    assert mean_average_precision(network, classes, [picture], SIDE) == pytest.approx(0.5)
    found = Detector(detector(tmp_path / "model", rows, classes), FAINT, "cat")
    assert picture.match_detections(found, "cat").correct.tolist() == [True]


def test_which_layers_are_taken_is_one_line() -> None:
    def network(classes: int) -> Any:
        layers = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, classes))
        layers.names = dict(enumerate(["cat", "dog", "cow"][:classes]))  # type: ignore[assignment]
        return layers

    source, begun = network(3), network(2)
    begun[0].load_state_dict(source[0].state_dict())
    assert describe_transfer(source, begun, ["horse", "cat"]) == (
        "1 of 2 layers are those of the weights; new, for 2 classes instead of 3, save their rows for cat: 1"
    )
    assert describe_transfer(source, source, ["cat"]) == "2 of 2 layers are those of the weights"
