"""What an alert is about: the class, the person and the place, from what the model judged."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from vigil.clips.labels import normal_class
from vigil.detect.alerts import Box, Finding
from vigil.judging.calibration import Calibration
from vigil.judging.judgements import NOBODY, Judgement
from vigil.judging.scoring import class_logits
from vigil.models.checkpoint import Card

CORE = 0.5  # of the way from the typical cell to the highest: cells above are what the alert is about


def describe(card: Card, calibration: Calibration, judgement: Judgement, size: tuple[int, int]) -> Finding:
    """What a model's judgement is about, in a source of `size` (width, height) px."""
    names, normal = list(card.classes), normal_class(card.classes)
    abnormal = [number for number in range(len(names)) if number != normal]
    finding = Finding(label=names[abnormal[0]] if len(abnormal) == 1 else None)
    if judgement.classes is not None and len(abnormal) > 1:
        p = calibration.class_probabilities(np.asarray(judgement.classes, np.float64)[None])[0][abnormal]
        finding = _name(finding, [names[number] for number in abnormal], p / p.sum())
    if judgement.person != NOBODY:
        finding = replace(finding, person=judgement.person)
    if judgement.cells is not None and np.ptp(judgement.cells) > 0:
        finding = replace(finding, box=enclose_cells(judgement.cells, size))
    return finding


def name_crime(card: Card, calibration: Calibration, judgements: Sequence[Judgement], finding: Finding) -> Finding:
    """The finding with the class that a model names which looks at what another attends to."""
    logits = class_logits(card, judgements)
    if logits is None:
        return finding
    return _name(finding, list(card.classes), calibration.class_probabilities(logits[None])[0])


def enclose_cells(cells: np.ndarray, size: tuple[int, int]) -> Box:
    """The box, in px of a source of `size`, round the cells that hang together with the highest one."""
    import cv2

    highest = np.unravel_index(int(np.argmax(cells)), cells.shape)
    limit = float(np.median(cells) + CORE * (cells.max() - np.median(cells)))
    _, parts = cv2.connectedComponents((cells >= limit).astype(np.uint8), connectivity=8)
    rows, columns = np.nonzero(parts == parts[highest])
    across, down = size[0] / cells.shape[1], size[1] / cells.shape[0]
    edges = columns.min() * across, rows.min() * down, (columns.max() + 1) * across, (rows.max() + 1) * down
    left, top, right, bottom = (round(float(edge)) for edge in edges)
    return left, top, right, bottom


def _name(finding: Finding, names: Sequence[str], p: np.ndarray) -> Finding:
    best = int(np.argmax(p))
    return replace(finding, label=names[best], confidence=float(p[best]))
