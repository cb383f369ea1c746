"""Which epoch of a training is kept: the one that finds most in the validation pictures; and when to stop looking."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from vigil.features.persons.detector import FAINT, class_rows, decode_boxes, letterbox
from vigil.features.persons.training_boxes import Picture
from vigil.features.quality.box_quality import BoxMatches, average_precision


@dataclass
class BestEpoch:
    """The validation mAP50 of every epoch so far, and the weights of the best one; of equal ones the first."""

    patience: int  # epochs without a better one after which the training is over
    values: list[float] = field(default_factory=list)
    weights: dict[str, torch.Tensor] = field(default_factory=dict)

    @property
    def epoch(self) -> int:
        """Number of the best epoch, counted from 1; 0 before the first."""
        return int(np.argmax(self.values)) + 1 if self.values else 0

    @property
    def is_over(self) -> bool:
        return len(self.values) - self.epoch >= self.patience

    def add(self, value: float, weights: Mapping[str, torch.Tensor]) -> None:
        """Notes an epoch; its weights are copied if it is the best so far."""
        self.values.append(value)
        if self.epoch == len(self.values):
            self.weights = {name: tensor.detach().clone() for name, tensor in weights.items()}

    def state(self) -> dict[str, Any]:
        """Returns what `resume` needs to go on."""
        return {"values": self.values, "weights": self.weights}

    def resume(self, state: Mapping[str, Any]) -> None:
        """Goes on where `state` was taken."""
        self.values, self.weights = list(state["values"]), dict(state["weights"])


@torch.no_grad()
def mean_average_precision(network: Any, classes: Sequence[str], pictures: Sequence[Picture], imgsz: int) -> float:
    """Returns the mean over the classes that the pictures show of the average precision at half overlap.

    The network is that of a training that goes on, and stays as it is.
    """
    network = copy.deepcopy(network).float().eval()
    network.model[-1].end2end = False  # overlapping boxes are removed by us
    device = next(network.parameters()).device
    matches: dict[str, list[BoxMatches]] = {kind: [] for kind in classes}
    for picture in pictures:
        image = picture.image()
        square, scale, corner = letterbox(image, imgsz)
        pixels = torch.from_numpy(np.ascontiguousarray(square.transpose(2, 0, 1))[None]).to(device).float() / 255
        raw = network(pixels)[0][0].cpu().numpy()  # (4 + classes, cells)
        for kind in classes:
            detections = decode_boxes(raw, class_rows(classes, [kind]), FAINT, scale, corner, image.shape)
            matches[kind].append(picture.match_boxes(detections, image.shape, kind))
    precisions = [average_precision(of_kind) for of_kind in matches.values()]
    return float(np.mean([precision for precision in precisions if precision is not None]))
