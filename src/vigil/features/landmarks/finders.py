"""Finds where people may be in a picture: NanoDet, the detector that stage `person` trained, or BlazePose's own."""

import threading
from pathlib import Path
from typing import Any

import numpy as np

from vigil.features.landmarks import blazepose, people_boxes, topdown
from vigil.features.landmarks.blazepose import Networks
from vigil.features.landmarks.choices import Settings
from vigil.features.landmarks.topdown import Candidate
from vigil.features.networks.nanodet import NanoDet
from vigil.features.persons.detector import Detector

SAME_PERSON = 0.15  # of the smaller region's side: findings in two tiles that lie so close are one person
SURE = 0.4  # least score of a finding of BlazePose's detector; below, most are furniture


class OpenNetworks(threading.local):
    """The object of each kind that this thread opened last: to open it anew costs as much as half a second of video."""

    def __init__(self) -> None:
        self.instances: dict[Any, tuple[Any, Any]] = {}

    def open_once(self, kind: Any, folder: Path, *more: float) -> Any:
        files = sorted(folder.iterdir()) if folder.is_dir() else []
        state = folder.absolute(), more, [(path.name, path.stat().st_mtime_ns, path.stat().st_size) for path in files]
        if kind not in self.instances or self.instances[kind][0] != state:
            self.instances[kind] = state, kind(folder, *more)
        return self.instances[kind][1]


OPEN_NETWORKS = OpenNetworks()


def make_box_finder(settings: Settings, person: Path, pretrained: Path, confidence: float) -> people_boxes.Finder:
    """Makes the function that finds boxes of people from `confidence` up, by NanoDet or stage `person`'s detector."""
    finder: people_boxes.Finder
    if settings.detector == "yolo":
        finder = OPEN_NETWORKS.open_once(Detector, person, confidence)
    else:
        finder = OPEN_NETWORKS.open_once(NanoDet, pretrained, confidence, settings.networks.find_px)
    return finder


def make_finder(settings: Settings, person: Path, pretrained: Path, networks: Networks) -> topdown.Finder:
    """Makes the function that says where people may be in a picture."""
    if settings.detector != "mediapipe":
        find_boxes = make_box_finder(settings, person, pretrained, settings.confidence)

        def find_by_boxes(image: np.ndarray) -> list[Candidate]:
            detections = find_boxes(image)
            regions = blazepose.regions_of_boxes(detections)
            return [Candidate(region[:4], region[4], box[:4]) for region, box in zip(regions, detections, strict=True)]

        return find_by_boxes

    sure = max(settings.confidence, SURE)

    def find(image: np.ndarray) -> list[Candidate]:
        regions = [networks.find(image, sure)]
        if settings.tile is not None:
            for left, top, right, bottom in blazepose.cover_with_tiles(image.shape[1], image.shape[0], settings.tile):
                tile_regions = networks.find(image[top:bottom, left:right], sure)
                regions.append(tile_regions + (left, top, 0, 0, 0))
        return [
            Candidate(region[:4], region[4]) for region in blazepose.keep_apart(np.concatenate(regions), SAME_PERSON)
        ]

    return find
