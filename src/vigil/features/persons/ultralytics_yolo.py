"""Ultralytics, kept on a short lead: it trains a network on a folder of ours and hands it over. Licence AGPL-3.0.

Import this module in a process of its own (`run_apart`): Ultralytics patches torch on import and counts threads its own
way. Nothing of it reaches the network, the home folder or dvc.yaml, and no file that it writes is kept.
"""

import contextlib
import io
import json
import multiprocessing
import os
import shutil
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from vigil.core import settings
from vigil.core.errors import VigilError
from vigil.core.processes import end_with_parent
from vigil.core.storage import replacing
from vigil.features.persons.best_epoch import BestEpoch, mean_average_precision
from vigil.features.persons.training_boxes import Picture
from vigil.features.persons.training_state import load_state, save_state
from vigil.features.persons.transfer import describe_transfer

SCRATCH = "yolov8n.yaml"  # the architecture that is trained when no weights are given; it comes with Ultralytics
OPSET = 17  # of ONNX
T = TypeVar("T")


@dataclass(frozen=True)
class Job:
    """What to train, on what."""

    folder: Path  # of the dataset: data.yaml and what it names; also where Ultralytics may write
    classes: tuple[str, ...]
    weights: Path | None  # to start from; None: from scratch
    epochs: int  # 0: the weights as they are
    imgsz: int  # px, side of the square that the network looks at
    seed: int
    threads: int
    state: Path  # where it lies how far the training has come
    patience: int = 0  # epochs without a better validation mAP after which it stops; 0: never, and the last is kept
    val: Sequence[Picture] = ()  # pictures on which the epochs are compared
    settings: Mapping[str, Any] = field(default_factory=dict)  # the rest, as Ultralytics names it


def run_apart(work: Callable[..., T], *args: Any) -> T:
    """Runs `work(*args)` in a new process, which ends with this one."""
    try:
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), end_with_parent) as pool:
            return pool.submit(work, *args).result()
    except BrokenProcessPool:
        raise VigilError(
            "the process that runs Ultralytics was killed, most likely for want of memory. Lower person.batch, "
            "person.imgsz or person.images in params.yaml."
        ) from None


@dataclass(frozen=True)
class Made:
    """What a detector turned out to be."""

    classes: tuple[str, ...]
    epochs: dict[str, Any] | None  # how many were trained and which is kept; None: the weights as they are


def make_detector(job: Job, out: Path, network: Path) -> Made:
    """Writes the weights to `out` (.pt) and the network to run to `network` (.onnx)."""
    _quiet(job.folder)
    import torch

    torch.set_num_threads(job.threads)
    model, epochs = _train(job) if job.epochs else (_load_network(job.weights), None)
    _write(model, job.imgsz, out, network)
    return Made(tuple(model.names[number] for number in sorted(model.names)), epochs)


def load_pose_model(weights: Path, folder: Path) -> Any:
    """Ultralytics' model of a file of YOLO-pose weights, in this process; `folder` is where it may write."""
    _quiet(folder)
    _load_network(weights, "pose", "params.yaml [weights]: yolo")
    from ultralytics import YOLO

    return YOLO(str(weights), task="pose")


def _quiet(folder: Path) -> None:
    """Everything off that reports, fetches or writes elsewhere. Before the first import of Ultralytics."""
    settings.prepare()
    config = folder / "config"
    os.environ |= {
        "GOMP_SPINCOUNT": "3000",  # rounds that a thread waits before it leaves the core to other programs
        "ULTRALYTICS_SAFE_LOAD": "1",  # a file of weights can fail to load, never execute
        "WANDB_MODE": "disabled",
        "YOLO_AUTOINSTALL": "False",
        "YOLO_CONFIG_DIR": str(config),
        "YOLO_OFFLINE": "1",
        "YOLO_VERBOSE": "False",
    }
    import matplotlib as mpl

    font = Path(mpl.get_data_path()) / "fonts/ttf/DejaVuSans.ttf"
    target = config / "Ultralytics/Arial.ttf"  # looked for on the network if it is not here
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(font, target)
    from ultralytics import settings as switches

    off = (
        "sync",
        "clearml",
        "comet",
        "dvc",
        "hub",
        "mlflow",
        "neptune",
        "raytune",
        "tensorboard",
        "wandb",
        "openvino_msg",
    )
    switches.update({name: False for name in off if name in switches})
    switches.update({name: str(folder / "ultralytics") for name in ("datasets_dir", "weights_dir", "runs_dir")})


def _train(job: Job) -> tuple[Any, dict[str, Any]]:
    """The trained network, the mean over the last steps, in float32; and how many epochs it took."""
    import torch

    best = BestEpoch(job.patience)
    source = None if job.weights is None else _load_network(job.weights)

    def start(trainer: Any) -> None:
        torch.set_num_threads(job.threads)  # it has set its own
        if source is not None:
            print(f"person: {describe_transfer(source, trainer.model, job.classes)}", file=sys.stderr)
        trainer.model.to(memory_format=torch.channels_last)
        load_state(job.state, trainer, best)

    def end_epoch(trainer: Any) -> None:
        if job.patience:
            average = trainer.ema.ema
            best.add(mean_average_precision(average, job.classes, job.val, job.imgsz), average.state_dict())
            trainer.stop |= best.is_over
        if not trainer.stop:  # the last is done again when what follows it was interrupted
            save_state(job.state, trainer, best)

    try:
        trainer = _trainer_class()(overrides=_overrides(job))
    except ValueError as error:  # a device that is not there
        raise VigilError(f"params.yaml [person]: {' '.join(str(error).split())}") from None
    trainer.add_callback("on_train_start", start)
    trainer.add_callback("on_train_epoch_end", lambda trainer: _report(trainer, job.epochs))
    trainer.add_callback("on_fit_epoch_end", end_epoch)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        trainer.train()
    assert trainer.ema is not None
    trained = trainer.epoch + 1
    if not job.patience:
        return trainer.ema.ema, {"trained": trained, "kept": trained}
    trainer.ema.ema.load_state_dict(best.weights)
    print(f"person: epoch {best.epoch} of {trained} is kept, mAP50 {best.values[best.epoch - 1]:.4f}", file=sys.stderr)
    values = [round(value, 4) for value in best.values]
    return trainer.ema.ema, {"trained": trained, "kept": best.epoch, "map50": values}


def _trainer_class() -> Any:
    """Ultralytics' trainer of detectors, which trains and does nothing else: what comes out is measured by us."""
    import torch
    from ultralytics.models.yolo.detect import DetectionTrainer

    class Trainer(DetectionTrainer):
        def preprocess_batch(self, batch: dict[str, Any]) -> dict[str, Any]:
            """Pictures in the order of memory that CPU convolutions work in: no copying to and fro."""
            batch = super().preprocess_batch(batch)
            return batch | {"img": batch["img"].contiguous(memory_format=torch.channels_last)}

        def validate(self) -> tuple[dict[str, float], float]:
            return {}, 0.0

        def save_model(self) -> bool:
            return False

        def save_metrics(self, metrics: Mapping[str, float]) -> None:
            pass

        def final_eval(self) -> None:
            pass

    return Trainer


def _overrides(job: Job) -> dict[str, Any]:
    """The settings of the training, as Ultralytics names them."""
    return {
        "model": SCRATCH if job.weights is None else str(job.weights),
        "data": str(job.folder / "data.yaml"),
        "project": str(job.folder / "runs"),
        "name": "person",
        "exist_ok": True,
        "epochs": job.epochs,
        "imgsz": job.imgsz,
        "seed": job.seed,
        "close_mosaic": max(1, job.epochs // 4),
        "deterministic": True,
        "pretrained": job.weights is not None,
        "cache": "ram",
        "workers": 0,
        "amp": False,
        "plots": False,
        "save": False,
        "val": False,
        "verbose": False,
        **job.settings,
    }


def _report(trainer: Any, epochs: int) -> None:
    if (trainer.epoch + 1) % max(1, epochs // 5) == 0:
        losses = ", ".join(f"{name} {float(value):.2f}" for name, value in (trainer.tloss or {}).items())
        print(f"person: epoch {trainer.epoch + 1} of {epochs}, {losses}", file=sys.stderr)


def _load_network(path: Path | None, task: str = "detect", where: str = "params.yaml [person]: weights") -> Any:
    """The network of an Ultralytics file."""
    from ultralytics.nn.tasks import load_checkpoint

    try:
        model, _ = load_checkpoint(str(path), device="cpu")
    except Exception as error:  # noqa: BLE001  whatever a broken file makes it raise
        raise VigilError(
            f"{where}: {path}: Ultralytics cannot read it ({type(error).__name__}). "
            f"Expected YOLO weights of a network to '{task}' (.pt)."
        ) from None
    if model.task != task:
        raise VigilError(f"{where}: {path}: a network to '{model.task}', expected one to '{task}'.")
    return model


def _write(model: Any, imgsz: int, out: Path, network: Path) -> None:
    """Both files, whose bytes depend on the network alone: no date, no path, no settings."""
    import torch

    model = model.cpu().float().eval()
    model.args, model.criterion, model.pt_path = {"imgsz": imgsz, "task": "detect"}, None, None
    model.yaml = {key: value for key, value in model.yaml.items() if key != "yaml_file"}
    for tensor in model.parameters():
        tensor.requires_grad = False
    buffer = io.BytesIO()  # a file's own name would be in it
    torch.save({"model": model.half(), "epoch": -1, "train_args": {"imgsz": imgsz, "task": "detect"}}, buffer)
    with replacing(out) as temporary:
        temporary.write_bytes(buffer.getvalue())
    head = model.float().model[-1]
    head.end2end = False  # overlapping boxes are removed by us
    model.fuse(verbose=False)
    head.export = True
    with replacing(network) as temporary, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the new exporter wants more packages than the old one
        torch.onnx.export(
            model,
            (torch.zeros(1, 3, imgsz, imgsz),),
            str(temporary),
            dynamo=False,
            opset_version=OPSET,
            input_names=["image"],
            output_names=["boxes"],
        )


def write_names(path: Path, classes: tuple[str, ...]) -> None:
    """data.yaml of a dataset whose pictures lie in images/train and images/val beside it. JSON is YAML too."""
    names = dict(enumerate(classes))
    description = {"path": str(path.parent.resolve()), "train": "images/train", "val": "images/val", "names": names}
    path.write_text(json.dumps(description, indent=1))
