"""DVC stage `person`: a detector of people (YOLO) of one's own, on which tracks start; only where it is enabled.

Reads   <frames>/<set>/<v>.npz          JPEG frames
        <truth>/<set>/<v>.npz           boxes of people and bags, where they are known
        <train>, <val>                  videos of the two splits
Writes  <out>/person.pt                 the weights, as Ultralytics keeps them
        <out>/person.onnx               the same network, ready to run
        <out>/config.json               classes, imgsz, what it was trained on, sha256 of both files
        <metrics>                       average precision on the validation split
        <out>/skipped.json              instead of a detector, where none is asked for, or where nobody's place is
                                        known and no weights are given

Trained from scratch on the frames whose truth is known; or weights are given, or a YOLO dataset of one's own.
A training that was killed goes on from its last complete epoch, and ends with the same bytes. A training that was
finished before, with the same code, settings and pictures to learn from, is restored from the store; so are metrics.
"""

import shutil
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import cv2
from pydantic import Field, model_validator

from vigil.core import settings
from vigil.core.errors import NoExamples, VigilError, near_miss
from vigil.core.params import Frozen
from vigil.core.skipping import skip_folder, skip_json
from vigil.core.storage import read_json, sha256_file, sha256_json, write_json
from vigil.engine.code_version import code_version
from vigil.engine.stage_results import new_result, restore_result
from vigil.engine.stage_runner import run_stage
from vigil.features.persons import training_boxes, ultralytics_yolo
from vigil.features.persons.detector import CONFIG, FAINT, NETWORK, PERSON, WEIGHTS, Detector, read_config, why_nobody
from vigil.features.persons.training_boxes import Picture
from vigil.features.quality import box_quality
from vigil.footage import video_table

EVERY = 5  # stored frames, from one that is judged to the next
NOT_ENABLED = "person.enabled is false, so the published networks of stage `weights` find people"
Positive = Annotated[int, Field(ge=1)]


class Params(Frozen):
    enabled: bool  # false: nothing is made, and the networks of stage `weights` find people
    weights: str | None  # path of YOLO weights (.pt) to start from; null: from scratch
    weights_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None  # of that file
    data: str | None  # path of the data.yaml of a YOLO dataset; null: frames whose truth is known
    classes: Annotated[tuple[Literal["person", "bag"], ...], Field(min_length=1)]  # to learn from the truth
    people: tuple[str, ...]  # classes that count as a person, for landmarks
    images: Positive  # pictures to learn from, chosen over cameras and crowds; not for `data`
    turned: Annotated[float, Field(ge=0, le=1)]  # share of the pictures that are turned by a quarter: people lie
    imgsz: Annotated[int, Field(ge=32, multiple_of=32)]  # px, side of the square that the network looks at
    epochs: Annotated[int, Field(ge=0)]  # 0: the weights as they are
    patience: Annotated[int, Field(ge=0)]  # epochs without a better validation mAP after which it stops; 0: never
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
        if not self.enabled and (self.weights or self.data):
            raise ValueError("enabled: false takes no weights and no data; set it to true, or these to null")
        return self


@dataclass(frozen=True)
class TrainingSet:
    """Pictures to learn from and to be judged on."""

    classes: tuple[str, ...]  # that are learned
    train: list[Picture]
    val: list[Picture]
    sets: list[str]  # of the pipeline, whose people are among those of `train`


def main(frames: Path, truth: Path, train: Path, val: Path, out: Path, metrics: Path, params: Params) -> None:
    cv2.setNumThreads(1)  # one order of adding, one result
    began = time.monotonic()
    if not params.enabled:
        _skip(out, metrics, params, NOT_ENABLED)
        print(f"person: skipped: {NOT_ENABLED}")
        return
    weights = find_weights(params)
    try:
        pictures = load_pictures(frames, truth, train, val, params)
    except NoExamples as error:
        _skip(out, metrics, params, str(error))
        print(f"person: skipped: {error}", file=sys.stderr)
        return
    out.mkdir(parents=True, exist_ok=True)
    for path in out.iterdir():
        path.unlink()
    key = network_key(pictures, weights, params)
    outputs = {name: out / name for name in (WEIGHTS, NETWORK, CONFIG)}
    restored = restore_result(key, outputs) is not None
    if not restored:
        resume = settings.home() / "resume" / key
        with new_result(key, outputs) as (folder, _):
            train_network(folder, pictures, weights, params, resume)
        shutil.rmtree(resume, ignore_errors=True)
    origin = "restored from the store" if restored else f"made in {time.monotonic() - began:.0f} s"
    precisions = write_metrics(out, metrics, pictures, params)
    listed = ", ".join(f"{precision} ({kind})" for kind, precision in precisions.items()) or "of no class"
    print(f"person: mAP50 {listed} on {len(pictures.val)} pictures of the validation split; {origin}")
    if all(precision is None for precision in precisions.values()):
        print("person: warning: nothing to be found there, so nothing is known of its worth", file=sys.stderr)
    if reason := why_nobody(out):
        hint = near_miss(next(iter(params.people), PERSON), read_config(out)["classes"])
        print(f"person: warning: {reason} (person.people), so landmarks does without it.{hint}", file=sys.stderr)


def _skip(out: Path, metrics: Path, params: Params, reason: str) -> None:
    """Writes that there is no detector, and why."""
    skip_folder(out, reason)
    nothing = {kind: box_quality.summarise_precision([]) for kind in params.classes}
    skip_json(metrics, reason, {"map50": nothing, "trained_on": None, "epochs": None})


def load_pictures(frames: Path, truth: Path, train: Path, val: Path, params: Params) -> TrainingSet:
    """What params.yaml says to learn from: a YOLO dataset, or the frames of the two splits whose truth is known."""
    sets: list[str] = []
    classes: tuple[str, ...] = params.classes
    if params.data:
        classes, train_pictures, val_pictures = training_boxes.read_yolo_dataset(find_file("data", params.data))
    else:
        videos = video_table.read(train) if params.epochs else []
        candidates = list(training_boxes.read_pictures(videos, frames, truth))
        train_pictures = training_boxes.choose_pictures(candidates, classes, params.images, params.seed)
        sets = sorted({video.set for video in videos if (truth / f"{video.video}.npz").exists()})
        val_pictures = list(training_boxes.read_pictures(video_table.read(val), frames, truth, EVERY))
    needed = [kind for kind in classes if kind in params.people] or classes
    if params.epochs and not show_any(train_pictures, needed):
        if params.data:
            raise VigilError(f"{params.data}: no picture to train on has a box of {' or '.join(needed[:10])}.")
        raise NoExamples(
            "no truth, no detector: landmarks use the published networks. To have one, give person.weights (with "
            "epochs: 0) or person.data in params.yaml."
        )
    if params.epochs and params.patience and not show_any(val_pictures, classes):
        raise VigilError(
            f"params.yaml [person]: patience = {params.patience}: no validation picture has a box of "
            f"{' or '.join(classes[:10])}, so no epoch is better than another. Set it to 0, or bring such pictures."
        )
    return TrainingSet(classes, train_pictures, val_pictures, sets)


def show_any(pictures: Iterable[Picture], kinds: Sequence[str]) -> bool:
    """Whether a thing of one of these classes is seen in any of the pictures."""
    return any(picture.is_countable(kind).any() for picture in pictures for kind in kinds)


def train_network(folder: Path, pictures: TrainingSet, weights: Path | None, params: Params, resume: Path) -> None:
    """Write the weights, the network and config.json into `folder`. `resume` keeps what a killed training has done."""
    workspace = resume / "workspace"  # in a folder that the next process finds: a killed one cannot clear up
    shutil.rmtree(workspace, ignore_errors=True)
    workspace.mkdir(parents=True)
    if params.epochs:
        turned = training_boxes.turn_some(pictures.train, params.turned, params.seed)
        training_boxes.write_dataset(turned, pictures.classes, workspace, "train")
        training_boxes.write_dataset(pictures.train[:1], pictures.classes, workspace, "val")  # asked for, and not used
        ultralytics_yolo.write_names(workspace / "data.yaml", pictures.classes)
    job = ultralytics_yolo.Job(
        workspace,
        pictures.classes,
        weights,
        params.epochs,
        params.imgsz,
        params.seed,
        params.threads,
        resume / "state.pt",
        params.patience,
        pictures.val if params.patience else (),
        {
            "batch": params.batch,
            "device": params.device,
            "lr0": params.lr,
            "lrf": 0.05,
            "nbs": params.batch,  # a step after every batch: there are few of them
            "optimizer": "AdamW",
            "scale": 0.3,  # smaller still, and the people of a crowd would be lost
            "warmup_epochs": 1,
        },
    )
    trained = ultralytics_yolo.run_apart(ultralytics_yolo.make_detector, job, folder / WEIGHTS, folder / NETWORK)
    config = {
        "classes": list(trained.classes),
        "people": [kind for kind in trained.classes if kind in params.people],
        "epochs": trained.epochs,
        "imgsz": params.imgsz,
        "knows_real_people": bool(params.data or (params.weights and not params.epochs)),
        "sets": pictures.sets,
        "sha256": sha256_file(folder / WEIGHTS),
        "network_sha256": sha256_file(folder / NETWORK),
    }
    write_json(folder / CONFIG, config)


def write_metrics(model: Path, metrics: Path, pictures: TrainingSet, params: Params) -> dict[str, float | None]:
    """Write how well the network finds things in the validation split; the average precision of each class."""
    config = read_json(model / CONFIG)
    kinds = [kind for kind in (pictures.classes if params.data else params.classes) if kind in config["classes"]]
    trained_on = describe_contents(pictures.train, pictures.classes) if params.epochs else None
    key = sha256_json(
        [
            code_version(("vigil.stages.person", "main")),
            config,
            kinds,
            trained_on,
            training_boxes.hash_pictures(pictures.val),
            cv2.__version__,
        ]
    )
    if restore_result(key, {metrics.name: metrics}) is None:
        with new_result(key, {metrics.name: metrics}) as (folder, _):
            values = {"map50": average_precisions(model, pictures.val, kinds), "trained_on": trained_on}
            write_json(folder / metrics.name, values | {"epochs": config["epochs"]})
    return {kind: precision["value"] for kind, precision in read_json(metrics)["map50"].items()}


def average_precisions(model: Path, pictures: Sequence[Picture], kinds: Sequence[str]) -> dict[str, Any]:
    """Returns the average precision of each class, with its interval over sources."""
    precisions = {}
    for kind in kinds:
        detector = Detector(model, FAINT, kind)
        matches = ((picture.source, picture.match_detections(detector, kind)) for picture in pictures)
        precisions[kind] = box_quality.summarise_precision(matches)
    return precisions


def network_key(pictures: TrainingSet, weights: Path | None, params: Params) -> str:
    """Digest of all that decides the network: two trainings that share it end with the same bytes."""
    return sha256_json(
        [
            code_version(("vigil.stages.person", "main")),
            params.model_dump(mode="json", exclude={"enabled", "weights", "weights_sha256", "data"}),
            None if weights is None else sha256_file(weights),
            bool(params.data),
            pictures.classes,
            pictures.sets,
            training_boxes.hash_pictures(pictures.train) if params.epochs else None,
            training_boxes.hash_pictures(pictures.val) if params.epochs and params.patience else None,
            [cv2.__version__, *map(version, ("ultralytics", "torch", "onnx"))],
        ]
    )


def find_weights(params: Params) -> Path | None:
    """The weights to start from, checked; None where the network starts from scratch."""
    if params.weights is None:
        return None
    path = find_file("weights", params.weights)
    if path.suffix != ".pt":
        raise VigilError(f"params.yaml [person]: weights = {params.weights!r}: expected an Ultralytics file (.pt).")
    if params.weights_sha256 and (sha256 := sha256_file(path)) != params.weights_sha256:
        raise VigilError(
            f"params.yaml [person]: weights: {path.name} has sha256 {sha256}, weights_sha256 says "
            f"{params.weights_sha256}. Bring the right file, or correct the number."
        )
    return path


def find_file(key: str, name: str) -> Path:
    """The file that params.yaml names, relative to the project's folder."""
    path = (settings.root() / Path(name).expanduser()).resolve()
    if not path.is_file():
        raise VigilError(
            f"params.yaml [person]: {key} = {name!r}: not found. Bring the file there, or correct the path."
        )
    return path


def describe_contents(pictures: Sequence[Picture], classes: Sequence[str]) -> dict[str, Any]:
    """How many pictures, sources and boxes there are to learn from."""
    return {
        "pictures": len(pictures),
        "sources": len({picture.source for picture in pictures}),
        "boxes": {kind: sum(int(picture.is_countable(kind).sum()) for picture in pictures) for kind in classes},
    }


if __name__ == "__main__":
    run_stage("person", main)
