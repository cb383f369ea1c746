"""DVC stage `person`: the detector of people (YOLO), on which tracks start.

Reads   <frames>/<set>/<v>.npz          JPEG frames
        <truth>/<set>/<v>.npz           boxes of people and bags, where they are known
        <train>, <val>                  videos of the two splits
Writes  <out>/person.pt                 the weights, as Ultralytics keeps them
        <out>/person.onnx               the same network, ready to run
        <out>/config.json               classes, imgsz, what it was trained on, sha256 of both files
        <metrics>                       average precision on the validation split

Trained from scratch on the frames whose truth is known; or weights are given, or a YOLO dataset of one's own.
"""

import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import cv2
from pydantic import Field, model_validator

from vigil.core import settings
from vigil.core.errors import VigilError
from vigil.core.params import Frozen
from vigil.core.storage import sha256_file, write_json
from vigil.engine.stage_runner import run_stage
from vigil.features.persons import training_boxes, ultralytics_yolo
from vigil.features.persons.detector import CONFIG, NETWORK, PERSON, WEIGHTS, Detector
from vigil.features.persons.training_boxes import Picture
from vigil.features.quality import box_quality
from vigil.footage import video_table

EVERY = 5  # stored frames, from one that is judged to the next
FAINT = 0.01  # confidence from which boxes count towards average precision
Positive = Annotated[int, Field(ge=1)]


class Params(Frozen):
    weights: str | None  # path of YOLO weights (.pt) to start from; null: from scratch
    weights_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None  # of that file
    data: str | None  # path of the data.yaml of a YOLO dataset; null: frames whose truth is known
    classes: Annotated[tuple[Literal["person", "bag"], ...], Field(min_length=1)]  # to learn from the truth
    images: Positive  # pictures to learn from, chosen over cameras and crowds; not for `data`
    turned: Annotated[float, Field(ge=0, le=1)]  # share of the pictures that are turned by a quarter: people lie
    imgsz: Annotated[int, Field(ge=32, multiple_of=32)]  # px, side of the square that the network looks at
    epochs: Annotated[int, Field(ge=0)]  # 0: the weights as they are
    batch: Positive  # pictures to a step
    lr: Annotated[float, Field(gt=0)]
    seed: Annotated[int, Field(ge=0)]
    threads: Positive  # of the training
    device: str  # as Ultralytics names it: cpu, 0, mps

    @model_validator(mode="after")
    def _weights_or_epochs(self) -> Self:
        if not self.epochs and not self.weights:
            raise ValueError("epochs: 0 takes the weights as they are; give weights, or epochs from 1 up")
        if self.classes[0] != PERSON:
            raise ValueError("classes: 'person' comes first")
        return self


def main(frames: Path, truth: Path, train: Path, val: Path, out: Path, metrics: Path, params: Params) -> None:
    cv2.setNumThreads(1)  # one order of adding, one result
    began = time.monotonic()
    weights = _given(params)
    sets: list[str] = []  # of the pipeline, whose people it has seen
    classes: tuple[str, ...] = params.classes
    if params.data:
        classes, learned, judged = training_boxes.of_yolo(_path("data", params.data))
    else:
        known = list(training_boxes.of_videos(video_table.read(train), frames, truth)) if params.epochs else []
        learned = training_boxes.spread(known, classes, params.images, params.seed)
        if params.epochs:
            sets = sorted({video.set for video in video_table.read(train) if (truth / f"{video.video}.npz").exists()})
        judged = list(training_boxes.of_videos(video_table.read(val), frames, truth, EVERY))
    if PERSON not in classes:
        raise VigilError(f"{params.data}: its names are {', '.join(classes[:10])}. Expected '{PERSON}' among them.")
    if params.epochs and not any(picture.counted(PERSON).any() for picture in learned):
        raise VigilError(
            "no frame of the training split has a person whose place is known. Give person.weights (with epochs: 0) or "
            "person.data in params.yaml, or keep the set `sample`."
        )
    out.mkdir(parents=True, exist_ok=True)
    for path in out.iterdir():
        path.unlink()
    home = settings.home()
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home, prefix="person-") as folder:
        job = _job(Path(folder), classes, weights, params)
        if params.epochs:
            training_boxes.write(
                training_boxes.some_turned(learned, params.turned, params.seed), classes, job.folder, "train"
            )
            training_boxes.write(learned[:1], classes, job.folder, "val")  # asked for, and not used
            ultralytics_yolo.write_names(job.folder / "data.yaml", classes)
        found = ultralytics_yolo.apart(ultralytics_yolo.make, job, out / WEIGHTS, out / NETWORK)
    if PERSON not in found:
        raise VigilError(f"person.weights: finds {', '.join(found[:10])}, and no '{PERSON}'. Give weights that do.")
    config = {
        "classes": list(found),
        "imgsz": params.imgsz,
        "knows_real_people": bool(params.data or (params.weights and not params.epochs)),
        "sets": sets,
        "sha256": sha256_file(out / WEIGHTS),
        "network_sha256": sha256_file(out / NETWORK),
    }
    write_json(out / CONFIG, config)
    seconds = time.monotonic() - began
    kinds = [kind for kind in params.classes if kind in found]
    told: dict[str, Any] = {
        "map50": judge(out, judged, kinds),
        "trained_on": _contents(learned, classes) if params.epochs else None,
    }
    write_json(metrics, told)
    value = told["map50"][PERSON]["value"]
    print(f"person: mAP50 {value} on {len(judged)} pictures of the validation split; made in {seconds:.0f} s")
    if value is None:
        print("person: warning: nobody to be found there, so nothing is known of its worth", file=sys.stderr)


def judge(model: Path, pictures: Sequence[Picture], kinds: Sequence[str]) -> dict[str, Any]:
    """Average precision of each class, with its interval over sources."""
    told = {}
    for kind in kinds:
        detector = Detector(model, FAINT, kind)
        told[kind] = box_quality.summary((picture.source, picture.judged(detector, kind)) for picture in pictures)
    return told


def _job(folder: Path, classes: tuple[str, ...], weights: Path | None, params: Params) -> ultralytics_yolo.Job:
    rest = {
        "batch": params.batch,
        "device": params.device,
        "lr0": params.lr,
        "lrf": 0.05,
        "nbs": params.batch,  # a step after every batch: there are few of them
        "optimizer": "AdamW",
        "scale": 0.3,  # smaller still, and the people of a crowd would be lost
        "warmup_epochs": 1,
    }
    return ultralytics_yolo.Job(
        folder, classes, weights, params.epochs, params.imgsz, params.seed, params.threads, rest
    )


def _given(params: Params) -> Path | None:
    """The weights to start from, checked."""
    if params.weights is None:
        return None
    path = _path("weights", params.weights)
    if path.suffix != ".pt":
        raise VigilError(f"params.yaml [person]: weights = {params.weights!r}: expected an Ultralytics file (.pt).")
    if params.weights_sha256 and (found := sha256_file(path)) != params.weights_sha256:
        raise VigilError(
            f"params.yaml [person]: weights: {path.name} has sha256 {found}, weights_sha256 says "
            f"{params.weights_sha256}. Bring the right file, or correct the number."
        )
    return path


def _path(key: str, given: str) -> Path:
    path = (settings.root() / Path(given).expanduser()).resolve()
    if not path.is_file():
        raise VigilError(
            f"params.yaml [person]: {key} = {given!r}: not found. Bring the file there, or correct the path."
        )
    return path


def _contents(pictures: Sequence[Picture], classes: Sequence[str]) -> dict[str, Any]:
    return {
        "pictures": len(pictures),
        "sources": len({picture.source for picture in pictures}),
        "boxes": {kind: sum(int(picture.counted(kind).sum()) for picture in pictures) for kind in classes},
    }


if __name__ == "__main__":
    run_stage("person", main)
